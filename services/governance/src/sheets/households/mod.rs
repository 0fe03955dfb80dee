//! `households.csv`.

mod set;

use chassis::{
    imports::{Applied, Export, Outcomes, RowError, Sheet, Tables},
    refusal::Refusal,
    work::{Change, Work},
};
use kernel::name::{HouseholdName, TownName};
use tabular::{Cells, Column, Fault, Field, Row};

use super::{column, id};
use crate::{
    building,
    household::{
        acts::{DOOR_CHARS, OCCUPANCIES, change},
        store::{self, Facts, sets::Recorded},
    },
    listing::Asked,
};

pub(super) struct Households;

const COLUMNS: &[Column] = &[column("code"), column("building"), column("door"), column("occupancy")];

fn read(town: &TownName, row: &Row) -> Result<(HouseholdName, Facts), Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let (code, building) = (id(&mut cells, "code"), id(&mut cells, "building"));
    let door = cells.parsed("door", |text| kernel::text::display_name(text, DOOR_CHARS).map(str::to_owned));
    let occupancy = cells.one_of("occupancy", OCCUPANCIES);
    let (((code, building), door), occupancy) = cells.finish(code.zip(building).zip(door).zip(occupancy))?;
    let name = HouseholdName::new(town.town(), code).map_err(|_| Vec::new())?;
    Ok((name, Facts { building, door, occupancy }))
}

fn no_building(row: &Row, facts: &Facts) -> Vec<Fault> {
    let (zh, en) = ("没有这幢楼", "there is no such building");
    vec![Fault::at(row.number, "building", &facts.building, "UNKNOWN_PARENT", zh, en)]
}

fn door_taken(row: &Row, facts: &Facts) -> Vec<Fault> {
    let (zh, en) = ("该室号已属于另一户", "the door is another household's");
    vec![Fault::at(row.number, "door", &facts.door, "REPEATED", zh, en)]
}

/// Whether a row changes how a household is used; its building and its door never change.
fn differs(row: &Row, recorded: &Recorded, facts: &Facts) -> Result<bool, Vec<Fault>> {
    for (column, before, after) in
        [("building", &recorded.building, &facts.building), ("door", &recorded.door, &facts.door)]
    {
        if before != after {
            let (zh, en) = ("不能由导入改变", "never changes by import");
            return Err(vec![Fault::at(row.number, column, "", "NEVER_CHANGES", zh, en)]);
        }
    }
    Ok(recorded.occupancy != facts.occupancy)
}

/// What an import tells of a household.
fn told(name: &HouseholdName, version: i64, building: &str) -> Change {
    change(name, version, "import", &format!("towns/{}/buildings/{building}", name.town()))
}

/// A new household in a building that is there, behind a door that nobody has; nothing when its id is taken.
async fn create(
    work: &mut Work,
    row: &Row,
    name: &HouseholdName,
    facts: &Facts,
) -> Result<Option<Applied>, RowError> {
    if !building::store::exists(work.sql(), name.town(), &facts.building).await? {
        return Err(no_building(row, facts).into());
    }
    let created = store::create(work.sql(), name, facts).await?;
    Ok(created.then(|| Applied::Created(vec![told(name, 1, &facts.building)])))
}

#[tonic::async_trait]
impl Sheet for Households {
    fn name(&self) -> &'static str {
        "households"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &["the household's id", "the building's id", "the door 室号", "OWNED, RENTED or VACANT"]
    }
    fn key(&self) -> Option<&'static str> {
        Some("code")
    }
    fn requires(&self) -> &'static [&'static str] {
        &["buildings"]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let (name, facts) = read(town, row)?;
        let mut found = store::lock(work.sql(), &name).await?;
        if found.is_none() {
            if let Some(created) = create(work, row, &name, &facts).await? {
                return Ok(created);
            }
            // somebody has the door, or another call has just made the household
            found = store::lock(work.sql(), &name).await?;
        }
        let (building, door, occupancy, version) = found.ok_or_else(|| door_taken(row, &facts))?;
        let recorded = Recorded { building, door, occupancy, version };
        if !differs(row, &recorded, &facts)? {
            return Ok(Applied::Unchanged);
        }
        let version = store::update(work.sql(), &name, facts.occupancy).await?;
        Ok(Applied::Updated(vec![told(&name, version, &recorded.building)]))
    }

    fn takes_sets(&self) -> bool {
        true
    }

    async fn apply_set(
        &self,
        work: &mut Work,
        town: &TownName,
        rows: &[Row],
        _: &Tables,
    ) -> Result<Option<Outcomes>, Refusal> {
        set::apply(work, town, rows).await
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let all = Asked::all(export.town.town(), export.day);
        let asked = Asked { after: export.after.clone(), limit: export.limit(), ..all };
        let mut views = store::list(export.sql, &asked).await?;
        export.cut(&mut views, |view| view.id.clone());
        let row =
            |view: store::View| [view.id, view.building, view.door, view.occupancy].map(Field::Text).to_vec();
        Ok(views.into_iter().map(row).collect())
    }
}
