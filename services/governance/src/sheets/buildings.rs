//! `buildings.csv`: which estate, and which block from the block's first day on.

use chassis::{
    identity::Scope,
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::Work,
};
use kernel::name::{BlockName, BuildingName, EstateName, TownName};
use tabular::{Cells, Column, Fault, Field, Row};

use super::{column, id, name};
use crate::{
    building::{
        acts::{New, rename},
        store::{self, Facts, LINE},
    },
    listing::Asked,
};

pub(super) struct Buildings;

const COLUMNS: &[Column] = &[column("code"), column("estate"), column("name"), column("block")];

fn read(town: &TownName, row: &Row) -> Result<New, Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let (code, estate) = (id(&mut cells, "code"), id(&mut cells, "estate"));
    let display_name = name(&mut cells, "name");
    let block = if cells.raw("block").is_empty() { Some(None) } else { id(&mut cells, "block").map(Some) };
    let (((code, estate), display_name), block) =
        cells.finish(code.zip(estate).zip(display_name).zip(block))?;
    let name = BuildingName::new(town.town(), code).map_err(|_| Vec::new())?;
    let estate = EstateName::new(town.town(), estate).map_err(|_| Vec::new())?;
    let block = block.map(|id| BlockName::new(town.town(), id)).transpose().map_err(|_| Vec::new())?;
    Ok(New { name, display_name, estate, block, start: None })
}

/// What an import never changes about a building that is there.
async fn moved(
    work: &mut Work,
    new: &New,
    last: &Facts,
) -> Result<Option<(&'static str, &'static str)>, Refusal> {
    let estate = store::estate_of(work.sql(), &new.name).await?;
    if estate.as_deref() != Some(new.estate.estate()) {
        return Ok(Some(("estate", "小区不能由导入改变 / the estate never changes by import")));
    }
    if last.block.as_deref() != new.block.as_ref().map(BlockName::block) {
        return Ok(Some(("block", "区块由 :drawPartition 改变 / blocks change by :drawPartition")));
    }
    Ok(None)
}

#[tonic::async_trait]
impl Sheet for Buildings {
    fn name(&self) -> &'static str {
        "buildings"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the building's id",
            "the estate's id",
            "the name as shown",
            "the block's id, or nothing while undivided",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        Some("code")
    }
    fn requires(&self) -> &'static [&'static str] {
        &["estates", "blocks"]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let new = read(town, row)?;
        let Some((life, _)) = LINE.lock(work.sql(), town.town(), new.name.building()).await? else {
            return Ok(Applied::Created(vec![new.store(work, &Scope::Town, "import").await?]));
        };
        let believed = LINE.believed::<Facts>(work.sql(), town.town(), new.name.building()).await?;
        let last = believed.last().map(|row| row.value.clone());
        let last = last.ok_or_else(|| Refusal::internal(format!("{} has no line", new.name)))?;
        if let Some((column, said)) = moved(work, &new, &last).await? {
            let (zh, en) = said.split_once(" / ").unwrap_or((said, said));
            return Err(vec![Fault::at(row.number, column, "", "NEVER_CHANGES", zh, en)].into());
        }
        if last.display_name == new.display_name {
            return Ok(Applied::Unchanged);
        }
        let day = work.call().today().max(life.from());
        let change = rename(work, &new.name, &new.display_name, day, "import").await?;
        Ok(Applied::Updated(change.into_iter().collect()))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let rows = store::list(export.sql, &Asked::all(export.town.town(), export.day))
            .await?
            .into_iter()
            .map(|view| {
                vec![
                    Field::Text(view.id),
                    Field::Text(view.estate),
                    Field::Text(view.display_name),
                    Field::Text(view.block.unwrap_or_default()),
                ]
            });
        Ok(rows.collect())
    }
}
