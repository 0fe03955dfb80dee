//! `households.csv`.

use chassis::{
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::Work,
};
use kernel::name::{HouseholdName, TownName};
use tabular::{Cells, Column, Fault, Field, Row};

use super::{column, id};
use crate::{
    building,
    household::{
        acts::{DOOR_CHARS, OCCUPANCIES, change},
        store::{self, Facts},
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

/// A new household in a building that is there, behind a door that nobody has.
async fn create(
    work: &mut Work,
    row: &Row,
    name: &HouseholdName,
    facts: &Facts,
) -> Result<Applied, RowError> {
    if !building::store::exists(work.sql(), name.town(), &facts.building).await? {
        let (zh, en) = ("没有这幢楼", "there is no such building");
        return Err(vec![Fault::at(row.number, "building", &facts.building, "UNKNOWN_PARENT", zh, en)].into());
    }
    if !store::create(work.sql(), name, facts).await? {
        let (zh, en) = ("该室号已属于另一户", "the door is another household's");
        return Err(vec![Fault::at(row.number, "door", &facts.door, "REPEATED", zh, en)].into());
    }
    let building = format!("towns/{}/buildings/{}", name.town(), facts.building);
    Ok(Applied::Created(vec![change(name, 1, "import", &building)]))
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
        let Some((building, door, occupancy, _)) = store::lock(work.sql(), &name).await? else {
            return create(work, row, &name, &facts).await;
        };
        for (column, before, after) in
            [("building", &building, &facts.building), ("door", &door, &facts.door)]
        {
            if before != after {
                let (zh, en) = ("不能由导入改变", "never changes by import");
                return Err(vec![Fault::at(row.number, column, "", "NEVER_CHANGES", zh, en)].into());
            }
        }
        if occupancy == facts.occupancy {
            return Ok(Applied::Unchanged);
        }
        let version = store::update(work.sql(), &name, facts.occupancy).await?;
        let building = format!("towns/{}/buildings/{building}", town.town());
        Ok(Applied::Updated(vec![change(&name, version, "import", &building)]))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let rows = store::list(export.sql, &Asked::all(export.town.town(), export.day))
            .await?
            .into_iter()
            .map(|view| {
                vec![
                    Field::Text(view.id),
                    Field::Text(view.building),
                    Field::Text(view.door),
                    Field::Text(view.occupancy),
                ]
            });
        Ok(rows.collect())
    }
}
