//! Many rows of `households.csv` at once: what is recorded is read in a few statements, each row is decided in memory in
//! its order, and what came of all is written in a few statements.

use std::collections::{BTreeMap, HashMap, HashSet};

use chassis::{
    imports::{Applied, Outcomes},
    refusal::Refusal,
    work::Work,
};
use kernel::name::{HouseholdName, TownName};
use tabular::{Fault, Row};

use super::{differs, door_taken, no_building, read, told};
use crate::{
    building,
    household::store::{
        Facts,
        sets::{self, Recorded},
    },
};

/// What is known of the households that the rows name, as the rows before left it.
struct Known {
    households: HashMap<String, Recorded>,
    buildings: HashSet<String>,
    doors: HashSet<(String, String)>,
    /// New ones with their versions, by id.
    new: BTreeMap<String, (Facts, i64)>,
    /// Those that are used otherwise now: the version before this set, how they are used, the version after.
    changed: BTreeMap<String, (i64, &'static str, i64)>,
}

type Read = Result<(HouseholdName, Facts), Vec<Fault>>;

pub(super) async fn apply(
    work: &mut Work,
    town: &TownName,
    rows: &[Row],
) -> Result<Option<Outcomes>, Refusal> {
    let lines: Vec<Read> = rows.iter().map(|row| read(town, row)).collect();
    let mut known = Known::read(work, town, &lines).await?;
    let outcomes = rows.iter().zip(lines).map(|(row, line)| {
        let (name, facts) = line?;
        Ok(known.decide(row, &name, facts)?)
    });
    let outcomes = outcomes.collect();
    Ok(known.write(work, town).await?.then_some(outcomes))
}

impl Known {
    async fn read(work: &mut Work, town: &TownName, lines: &[Read]) -> Result<Known, Refusal> {
        let good = || lines.iter().flatten();
        // doors before households: a household that another import makes in between is found with its door, and isn't taken for one
        // that has somebody else's
        let (at, doors): (Vec<String>, Vec<String>) =
            good().map(|(_, facts)| (facts.building.clone(), facts.door.clone())).unzip();
        let doors = sets::taken(work.sql(), town.town(), &at, &doors).await?;
        let ids: HashSet<String> = good().map(|(name, _)| name.household().to_owned()).collect();
        let ids: Vec<String> = ids.into_iter().collect();
        let households = sets::recorded(work.sql(), town.town(), &ids).await?;
        let new = good().filter(|(name, _)| !households.contains_key(name.household()));
        let buildings: HashSet<String> = new.map(|(_, facts)| facts.building.clone()).collect();
        let buildings: Vec<String> = buildings.into_iter().collect();
        let buildings = building::store::existing(work.sql(), town.town(), &buildings).await?;
        Ok(Known { households, buildings, doors, new: BTreeMap::new(), changed: BTreeMap::new() })
    }

    /// What a row does, noted for the rows behind it.
    fn decide(&mut self, row: &Row, name: &HouseholdName, facts: Facts) -> Result<Applied, Vec<Fault>> {
        let id = name.household();
        if let Some(recorded) = self.households.get_mut(id) {
            if !differs(row, recorded, &facts)? {
                return Ok(Applied::Unchanged);
            }
            let before = recorded.version;
            recorded.version += 1;
            facts.occupancy.clone_into(&mut recorded.occupancy);
            match self.new.get_mut(id) {
                Some((new, version)) => (new.occupancy, *version) = (facts.occupancy, recorded.version),
                None => {
                    let changed = self.changed.entry(id.to_owned()).or_insert((before, "", 0));
                    (changed.1, changed.2) = (facts.occupancy, recorded.version);
                }
            }
            return Ok(Applied::Updated(vec![told(name, recorded.version, &recorded.building)]));
        }
        if !self.buildings.contains(&facts.building) {
            return Err(no_building(row, &facts));
        }
        if !self.doors.insert((facts.building.clone(), facts.door.clone())) {
            return Err(door_taken(row, &facts));
        }
        let change = told(name, 1, &facts.building);
        let Facts { building, door, occupancy } = facts.clone();
        let recorded = Recorded { building, door, occupancy: occupancy.to_owned(), version: 1 };
        self.households.insert(id.to_owned(), recorded);
        self.new.insert(id.to_owned(), (facts, 1));
        Ok(Applied::Created(vec![change]))
    }

    /// Writes what came of the rows, in the order of ids. `false` when somebody else changed or created one of them
    /// meanwhile.
    async fn write(self, work: &mut Work, town: &TownName) -> Result<bool, Refusal> {
        if !self.changed.is_empty() {
            let ids: Vec<String> = self.changed.keys().cloned().collect();
            let now = sets::lock(work.sql(), town.town(), &ids).await?;
            if self.changed.iter().any(|(id, (before, ..))| now.get(id) != Some(before)) {
                return Ok(false);
            }
            let changed = self.changed.into_iter().map(|(id, (_, occupancy, after))| (id, occupancy, after));
            sets::update(work.sql(), town.town(), &changed.collect::<Vec<_>>()).await?;
        }
        if self.new.is_empty() {
            return Ok(true);
        }
        let new: Vec<_> = self.new.into_iter().map(|(id, (facts, version))| (id, facts, version)).collect();
        Ok(sets::create(work.sql(), town.town(), &new).await? == new.len())
    }
}
