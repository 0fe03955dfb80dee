//! Many rows of `residents.csv` at once: what is recorded of their people is read in a few statements, each row is decided
//! in memory in its order by the same rules as alone, and what came of all is written in a few statements.

use std::collections::{BTreeMap, HashMap, HashSet};

use chassis::{
    imports::{Applied, Outcomes, RowError},
    refusal::Refusal,
    vault::Vault,
    work::Work,
};
use kernel::{
    name::{PersonName, TownName},
    periods::Believed,
};
use tabular::{Fault, Row};
use uuid::Uuid;

use super::{Line, applied, differs, moves_in, no_household, read, told};
use crate::{
    household,
    person::{
        acts::{change, same_person},
        encode,
        sealed::{Clear, citizen_index},
        store::sets as people,
    },
    residence::{
        acts::change as residence_change,
        store::{Facts, LINE},
    },
    store::stamp,
};

/// A person as the rows before left it.
struct Known {
    clear: Clear,
    sex: String,
    /// The version before this set; 0 for a new person.
    before: i64,
    version: i64,
    /// Whether name or sex are to be sealed anew.
    amended: bool,
    line: Vec<Believed<Uuid, Facts>>,
}

/// What is known of the people and households that the rows name.
struct Register {
    households: HashSet<String>,
    people: BTreeMap<String, Known>,
    /// Who has an identity number, by blind index.
    bearers: HashMap<Vec<u8>, String>,
    /// Whether another call made one of the people while they were read.
    meanwhile: bool,
    /// Residences that begin.
    began: Vec<(String, Believed<Uuid, Facts>)>,
}

type Read = Result<Line, Vec<Fault>>;

pub(super) async fn apply(
    work: &mut Work,
    town: &TownName,
    rows: &[Row],
) -> Result<Option<Outcomes>, Refusal> {
    let today = work.call().today();
    let lines: Vec<Read> = rows.iter().map(|row| read(town, row, today)).collect();
    let vault = work.vault().clone();
    let mut register = Register::read(work, town, &lines, &vault).await?;
    let outcomes = rows.iter().zip(lines).map(|(row, line)| register.decide(row, &line?, &vault));
    let outcomes = outcomes.collect();
    Ok(register.write(work, town, &vault).await?.then_some(outcomes))
}

/// Each of the ids once.
fn distinct<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    ids.collect::<HashSet<_>>().into_iter().map(str::to_owned).collect()
}

impl Register {
    async fn read(
        work: &mut Work,
        town: &TownName,
        lines: &[Read],
        vault: &Vault,
    ) -> Result<Register, Refusal> {
        let good = || lines.iter().flatten();
        let households = distinct(good().map(|line| line.household.household()));
        let households = household::store::sets::existing(work.sql(), town.town(), &households).await?;
        let ids = distinct(good().map(|line| line.new.name.person()));
        let found = people::recorded(work.sql(), town.town(), &ids).await?;
        let known: Vec<String> = found.iter().map(|person| person.id.clone()).collect();
        let mut believed = match known.is_empty() {
            true => HashMap::new(),
            false => LINE.all_believed::<Facts>(work.sql(), town.town(), &known).await?,
        };
        let mut people = BTreeMap::new();
        for person in found {
            let known = Known {
                clear: encode::open(vault, &person)?,
                sex: person.sex,
                before: person.version,
                version: person.version,
                amended: false,
                line: believed.remove(&person.id).unwrap_or_default(),
            };
            people.insert(person.id, known);
        }
        let new = good().filter(|line| !people.contains_key(line.new.name.person()));
        let indexes: Vec<Vec<u8>> =
            new.map(|line| citizen_index(vault, town.town(), &line.new.clear.citizen)).collect();
        let bearers = people::bearers(work.sql(), town.town(), &indexes).await?;
        Ok(Register { households, people, bearers, meanwhile: false, began: Vec::new() })
    }

    /// What a row does, noted for the rows behind it; a faulty one leaves nothing.
    fn decide(&mut self, row: &Row, line: &Line, vault: &Vault) -> Result<Applied, RowError> {
        if !self.households.contains(line.household.household()) {
            return Err(no_household(row, line).into());
        }
        let name = &line.new.name;
        let mut changes = Vec::new();
        if !self.people.contains_key(name.person()) {
            self.need_unknown(line, vault)?;
        }
        let known = self.people.get(name.person());
        let (new, version, amended) = match known {
            Some(known) => {
                let amends = differs(row, line, &known.clear, &known.sex)?;
                let version = known.version + i64::from(amends);
                if amends {
                    changes.push(change(name, version, "import"));
                }
                (false, version, known.amended || amends)
            }
            None => {
                changes.push(change(name, 1, "import"));
                (true, 1, false)
            }
        };
        let splice = moves_in(row, line, known.map_or(&[], |known| known.line.as_slice()))?;
        // nothing is refused any more
        let known = self.people.entry(name.person().to_owned()).or_insert_with(|| Known {
            clear: line.new.clear.clone(),
            sex: String::new(),
            before: 0,
            version,
            amended,
            line: Vec::new(),
        });
        line.new.sex.clone_into(&mut known.sex);
        known.clear = line.new.clear.clone();
        (known.version, known.amended) = (version, amended);
        for (period, value) in splice.into_iter().flat_map(|splice| splice.insert) {
            known.version += 1;
            changes.push(residence_change(name, known.version, &told(line)));
            let begins = Believed { id: Uuid::now_v7(), period, value };
            known.line.push(begins.clone());
            self.began.push((name.person().to_owned(), begins));
        }
        if new {
            let index = citizen_index(vault, name.town(), &line.new.clear.citizen);
            self.bearers.insert(index, name.person().to_owned());
        }
        Ok(applied(new, changes))
    }

    /// Refuses a new person whose identity number is somebody's.
    fn need_unknown(&mut self, line: &Line, vault: &Vault) -> Result<(), RowError> {
        let name = &line.new.name;
        let index = citizen_index(vault, name.town(), &line.new.clear.citizen);
        match self.bearers.get(&index) {
            Some(bearer) if bearer == name.person() => {
                self.meanwhile = true;
                Ok(())
            }
            Some(bearer) => Err(same_person(name, bearer)?.into()),
            None => Ok(()),
        }
    }

    /// Writes what came of the rows, in the order of ids. `false` when somebody else changed or created one of the people
    /// meanwhile.
    async fn write(self, work: &mut Work, town: &TownName, vault: &Vault) -> Result<bool, Refusal> {
        if self.meanwhile {
            return Ok(false);
        }
        let changed = |known: &&Known| known.before > 0 && known.version > known.before;
        let ids: Vec<String> =
            self.people.iter().filter(|(_, known)| changed(known)).map(|(id, _)| id.clone()).collect();
        if !ids.is_empty() {
            let now = people::lock(work.sql(), town.town(), &ids).await?;
            if ids.iter().any(|id| now.get(id).copied() != self.people.get(id).map(|known| known.before)) {
                return Ok(false);
            }
        }
        let (mut new, mut amended, mut versions) = (Vec::new(), Vec::new(), Vec::new());
        for (id, known) in self.people.into_iter().filter(|(_, known)| known.version > known.before) {
            if known.before > 0 && !known.amended {
                versions.push((id, known.version));
                continue;
            }
            let name = PersonName::new(town.town(), &id).map_err(Refusal::internal)?;
            let sealed = known.clear.seal(vault, &name)?;
            let row = people::Row { id, sex: known.sex, sealed, version: known.version };
            if known.before == 0 { &mut new } else { &mut amended }.push(row);
        }
        let created = new.len();
        if created > 0 && people::create(work.sql(), town.town(), new).await? < created {
            return Ok(false);
        }
        if !amended.is_empty() {
            people::update(work.sql(), town.town(), amended).await?;
        }
        if !versions.is_empty() {
            people::set_versions(work.sql(), town.town(), &versions).await?;
        }
        if !self.began.is_empty() {
            let at = stamp(work.sql()).await?;
            LINE.begin_all(work.sql(), town.town(), &self.began, &at).await?;
        }
        Ok(true)
    }
}
