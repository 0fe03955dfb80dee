//! `blocks.csv`: a new block comes together with its stewards, from `stewardships` of the same import.

use chassis::{
    identity::Scope,
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::Work,
};
use kernel::{
    name::{BlockName, CommitteeName, TownName},
    periods::{Period, Splice, amend, gaps},
};
use tabular::{Cells, Column, Fault, Field, Row};

use super::{column, id, name, stewardships};
use crate::{
    as_of::AsOf,
    block::{self, edit::New, rules::Facts, store},
    stewardship,
    store::stamp,
};

pub(super) struct Blocks;

const COLUMNS: &[Column] =
    &[column("code"), column("committee"), column("name"), column("from"), column("to")];

struct Line {
    new: New,
    committee: CommitteeName,
}

fn read(town: &TownName, row: &Row) -> Result<Line, Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let (code, committee, display_name) =
        (id(&mut cells, "code"), id(&mut cells, "committee"), name(&mut cells, "name"));
    let (from, to) = (cells.date("from"), cells.optional_date("to"));
    let life = from.zip(to).and_then(|(from, to)| match Period::new(from, to) {
        Ok(life) => Some(life),
        Err(_) => {
            cells.fault("to", "ORDER", "应晚于 from", "should be after from");
            None
        }
    });
    let (((code, committee), display_name), life) =
        cells.finish(code.zip(committee).zip(display_name).zip(life))?;
    let both = BlockName::new(town.town(), code).ok().zip(CommitteeName::new(town.town(), &committee).ok());
    let (name, parent) = both.ok_or_else(Vec::new)?;
    Ok(Line { new: New { name, facts: Facts { committee, display_name }, life }, committee: parent })
}

/// Opens the block with every steward that the import names for it.
async fn open(work: &mut Work, line: &Line, row: &Row, all: &Tables) -> Result<Applied, RowError> {
    let name = &line.new.name;
    block::edit::need_committee(work, &Scope::Town, &line.committee, line.new.life.from()).await?;
    let stewards = stewardships::of_block(name, all);
    let days: Vec<Period> = stewards.iter().map(|(period, _)| *period).collect();
    if let Some(gap) = gaps(line.new.life, &days).first() {
        let days = crate::stewardship::rules::name_days(*gap);
        let (zh, en) = (format!("{days} 无小管家"), format!("no steward on {days}"));
        return Err(vec![Fault::at(row.number, "code", name.block(), "STEWARD_GAP", zh, en)].into());
    }
    let at = stamp(work.sql()).await?;
    line.new.store(work, &at).await?;
    let splice = Splice { close: Vec::new(), insert: stewards };
    stewardship::store::write(work.sql(), name, &splice, &at, "").await?;
    Ok(Applied::Created(vec![line.new.change("import")]))
}

#[tonic::async_trait]
impl Sheet for Blocks {
    fn name(&self) -> &'static str {
        "blocks"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the block's id",
            "the committee's code",
            "the name as shown",
            "the first day",
            "the first day on which it no longer exists, or nothing",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        Some("code")
    }
    fn requires(&self) -> &'static [&'static str] {
        &["committees", "stewardships"]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        all: &Tables,
    ) -> Result<Applied, RowError> {
        let line = read(town, row)?;
        let name = &line.new.name;
        let today = work.call().today();
        let Some(head) = store::lock(work.sql(), name, &Scope::Town, today).await? else {
            return open(work, &line, row, all).await;
        };
        if head.life.from() != line.new.life.from() {
            let (zh, en) = ("首日不能由导入改变", "the first day never changes by import");
            return Err(vec![Fault::at(row.number, "from", "", "NEVER_CHANGES", zh, en)].into());
        }
        let believed = store::believed(work.sql(), name).await?;
        let last = head.life.to().and_then(|to| to.yesterday().ok()).unwrap_or(today);
        let day = today.min(last).max(head.life.from());
        // a row speaks of today: what is due later stays as it is, but for the name that the row changes
        let now = believed.iter().find(|row| row.period.contains(day)).map(|row| row.value.clone());
        let now = now.ok_or_else(|| Refusal::internal(format!("{name} is nothing on {day}")))?;
        if now.committee != line.new.facts.committee {
            let (zh, en) = ("居委会不能由导入改变，用 :move", "the committee changes by :move alone");
            return Err(vec![Fault::at(row.number, "committee", "", "NEVER_CHANGES", zh, en)].into());
        }
        let named = now.display_name != line.new.facts.display_name;
        let splice = amend(&believed, Period::since(day), |later| match named {
            true => Facts { display_name: line.new.facts.display_name.clone(), ..later.clone() },
            false => later.clone(),
        });
        if splice.is_empty() {
            return Ok(Applied::Unchanged);
        }
        let at = stamp(work.sql()).await?;
        store::write(work.sql(), name, &splice, &at, "").await?;
        let version = store::bump(work.sql(), name, None).await?;
        Ok(Applied::Updated(vec![chassis::work::Change {
            version,
            event: "block.updated",
            ..line.new.change("import")
        }]))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let filter = kernel::filter::Predicate::And(Vec::new());
        let today = export.day;
        let as_of = AsOf::now(today);
        let scope = Scope::Town;
        let asked = store::Asked {
            town: export.town.town(),
            scope: &scope,
            today,
            as_of: &as_of,
            filter: &filter,
            descending: false,
            after: None,
            limit: i64::MAX,
        };
        let row = |view: store::View| {
            vec![
                Field::Text(view.id),
                Field::Text(view.committee),
                Field::Text(view.display_name),
                Field::Text(view.starts),
                Field::Text(view.ends.unwrap_or_default()),
            ]
        };
        Ok(store::list(export.sql, &asked).await?.into_iter().map(row).collect())
    }
}
