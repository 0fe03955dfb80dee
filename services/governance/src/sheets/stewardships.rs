//! `stewardships.csv`: who was, is or will be steward of a block.

use chassis::{
    identity::Scope,
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::Work,
};
use kernel::{
    name::{BlockName, TownName},
    periods::{Period, splice},
    state::Named,
};
use serde_json::json;
use tabular::{Cells, Column, Fault, Field, Row};

use super::{column, id};
use crate::{
    as_of::AsOf,
    block::{edit, rules::Verb as Do},
    reasons::OUTSIDE_LIFE,
    stewardship::{
        rules::{Facts, Kind},
        store,
    },
    store::stamp,
};

pub(super) struct Stewardships;

const COLUMNS: &[Column] = &[column("block"), column("worker"), column("from"), column("to"), column("kind")];

fn read(town: &str, row: &Row) -> Result<(String, Period, Facts), Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let (block, worker) = (id(&mut cells, "block"), id(&mut cells, "worker"));
    let kind = cells.one_of("kind", &["REGULAR", "COVER", "DIRECTOR_COVER"]);
    let (from, to) = (cells.date("from"), cells.optional_date("to"));
    let period = from.zip(to).and_then(|(from, to)| match Period::new(from, to) {
        Ok(period) => Some(period),
        Err(_) => {
            cells.fault("to", "ORDER", "应晚于 from", "should be after from");
            None
        }
    });
    let all = block.zip(worker).zip(kind.and_then(Kind::from_name)).zip(period);
    let (((block, worker), kind), period) = cells.finish(all)?;
    Ok((block, period, Facts::new("", &format!("towns/{town}/workers/{worker}"), kind)))
}

/// The stewards that an import names for a block; rows with faults are told where they stand.
pub(super) fn of_block(block: &BlockName, all: &Tables) -> Vec<(Period, Facts)> {
    let rows = all.get("stewardships").map(|table| table.rows.as_slice()).unwrap_or_default();
    let read = rows.iter().filter_map(|row| read(block.town(), row).ok());
    read.filter(|(code, _, _)| code == block.block()).map(|(_, period, facts)| (period, facts)).collect()
}

#[tonic::async_trait]
impl Sheet for Stewardships {
    fn name(&self) -> &'static str {
        "stewardships"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the block's id",
            "the worker's id",
            "the first day",
            "the first day no longer, or nothing",
            "REGULAR, COVER or DIRECTOR_COVER",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        None
    }
    fn requires(&self) -> &'static [&'static str] {
        &["blocks"]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let (code, period, facts) = read(town.town(), row)?;
        let name = BlockName::new(town.town(), code).map_err(Refusal::internal)?;
        let locked = edit::lock_as(work, name.clone()).await?;
        if !locked.head.life.covers(period) {
            return Err(Refusal::new(&OUTSIDE_LIFE)
                .with("name", &name)
                .with("period", locked.head.life)
                .into());
        }
        let line = store::believed(work.sql(), &name).await?;
        let change = splice(&line, period, facts);
        if change.is_empty() {
            return Ok(Applied::Unchanged);
        }
        let at = stamp(work.sql()).await?;
        store::write(work.sql(), &name, &change, &at, "").await?;
        let data = json!({"block": name.to_string(), "effective_date": period.from().to_string()});
        Ok(Applied::Updated(vec![
            edit::change(work, &locked, Do::CorrectSteward, "block.stewardCorrected", "", data).await?,
        ]))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let filter = kernel::filter::Predicate::And(Vec::new());
        let today = jiff::Zoned::new(chassis::clock::recorded_now(), chassis::clock::shanghai()).date();
        let (scope, as_of) = (Scope::Town, AsOf::now(today));
        let asked = store::Asked {
            town: export.town.town(),
            scope: &scope,
            today,
            day: None,
            as_of: &as_of,
            filter: &filter,
            descending: false,
            after: None,
            limit: i64::MAX,
        };
        let worker = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let row = |view: store::View| {
            vec![
                Field::Text(view.block),
                Field::Text(worker(&view.worker)),
                Field::Text(view.starts),
                Field::Text(view.ends.unwrap_or_default()),
                Field::Text(view.kind),
            ]
        };
        Ok(store::list(export.sql, &asked).await?.into_iter().map(row).collect())
    }
}
