//! `block_forces.csv`: the forces gathered in a block, past ones too.

use chassis::{
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::Work,
};
use kernel::{
    name::{BlockName, TownName},
    periods::Period,
    state::Named,
};
use tabular::{Cells, Column, Fault, Field, Row};

use super::{column, id};
use crate::{
    block::{edit::lock_as, rules::Verb},
    force::{
        acts::{Told, is_known, refused, write},
        rules::{self, Dimension, Facts, Kind, Who},
        store,
    },
};

pub(super) struct BlockForces;

const COLUMNS: &[Column] = &[
    column("block"),
    column("kind"),
    column("organisation"),
    column("resident"),
    column("contributes"),
    column("from"),
    column("to"),
];

struct Line {
    block: BlockName,
    facts: Facts,
    period: Period,
}

fn who(cells: &mut Cells<'_>, kind: Option<Kind>) -> Option<Who> {
    let who = match (cells.raw("organisation"), cells.raw("resident")) {
        (_, "") => Who::Organisation(id(cells, "organisation")?),
        ("", _) => Who::Person(id(cells, "resident")?),
        (_, _) => {
            let (zh, en) = ("organisation 与 resident 只能填一项", "an organisation or a resident, not both");
            cells.fault("resident", "ONE_OF", zh, en);
            return None;
        }
    };
    if kind.is_some_and(|kind| !kind.fits(&who)) {
        cells.fault(
            "kind",
            "FITS_NOT",
            "能人、网格员须填 resident，组织类须填 organisation",
            "residents and officers are people, the other kinds organisations",
        );
        return None;
    }
    Some(who)
}

fn contributions(cells: &mut Cells<'_>) -> Option<Vec<Dimension>> {
    let text = cells.text("contributes")?;
    let read: Option<Vec<Dimension>> = text.split(';').map(Dimension::from_name).collect();
    if read.is_none() {
        let list = Dimension::NAMES.join(", ");
        let (zh, en) = (format!("可用值：{list}，以 ; 分隔"), format!("allowed: {list}, with ; between"));
        cells.fault("contributes", "UNKNOWN_VALUE", zh, en);
    }
    read.map(rules::in_order)
}

fn read(town: &TownName, row: &Row) -> Result<Line, Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let (block, kind) =
        (id(&mut cells, "block"), cells.one_of("kind", Kind::NAMES).and_then(Kind::from_name));
    let (who, contributions) = (who(&mut cells, kind), contributions(&mut cells));
    let (from, to) = (cells.date("from"), cells.optional_date("to"));
    let period = from.zip(to).and_then(|(from, to)| {
        let period = Period::new(from, to).ok();
        if period.is_none() {
            cells.fault("to", "ORDER", "应晚于 from", "should be after from");
        }
        period
    });
    let all = block.zip(kind).zip(who).zip(contributions).zip(period);
    let ((((block, kind), who), contributions), period) = cells.finish(all)?;
    let block = BlockName::new(town.town(), block).map_err(|_| Vec::new())?;
    Ok(Line { block, facts: Facts { kind, who, contributions }, period })
}

fn unknown(row: &Row, who: &Who) -> RowError {
    let (zh, en) = ("不存在", "does not exist");
    let (column, id) = match who {
        Who::Organisation(id) => ("organisation", id),
        Who::Person(id) => ("resident", id),
    };
    vec![Fault::at(row.number, column, id, "UNKNOWN_PARENT", zh, en)].into()
}

#[tonic::async_trait]
impl Sheet for BlockForces {
    fn name(&self) -> &'static str {
        "block_forces"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the block's id",
            "SOCIAL_ORGANISATION, UNIT, CAPABLE_RESIDENT, GRID_OFFICER, PROPERTY_COMPANY, VOLUNTEER_GROUP or OTHER",
            "the organisation's id, or nothing when it is a person",
            "the person's id, for CAPABLE_RESIDENT, GRID_OFFICER or OTHER",
            "RESOURCE, INFORMATION, SERVICE: one or several with ; between",
            "the first day",
            "the first day no longer, or nothing",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        None
    }
    fn requires(&self) -> &'static [&'static str] {
        &["blocks", "organisations", "residents"]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let line = read(town, row)?;
        let locked = lock_as(work, line.block.clone()).await?;
        let who = &line.facts.who;
        if !is_known(work, town.town(), who).await? {
            return Err(unknown(row, who));
        }
        let believed = store::believed(work.sql(), &line.block).await?;
        if believed.iter().any(|row| row.period == line.period && row.value == line.facts) {
            return Ok(Applied::Unchanged);
        }
        let splice = rules::join(&believed, locked.head.life, line.period, line.facts.clone())
            .map_err(|flaw| refused(&locked, who, flaw))?;
        let told =
            Told { verb: Verb::Join, event: "block.forceJoined", who, day: line.period.from(), reason: "" };
        let (_, change) = write(work, &locked, &splice, told).await?;
        Ok(Applied::Created(vec![change]))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let rows = store::all(export.sql, export.town.town()).await?.into_iter().map(|view| {
            vec![
                Field::Text(view.block),
                Field::Text(view.kind),
                Field::Text(view.organisation.unwrap_or_default()),
                Field::Text(view.person.unwrap_or_default()),
                Field::Text(view.contributions.join(";")),
                Field::Text(view.starts),
                Field::Text(view.ends.unwrap_or_default()),
            ]
        });
        Ok(rows.collect())
    }
}
