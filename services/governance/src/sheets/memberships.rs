//! `memberships.csv`: the terms of members, past ones too.

use chassis::{
    imports::{Applied, Export, RowError, Sheet, Tables},
    refusal::Refusal,
    work::Work,
};
use jiff::civil::Date;
use kernel::{
    name::{BodyName, PersonName, TownName},
    periods::Period,
};
use tabular::{Cells, Column, Fault, Field, Row};

use super::{column, id};
use crate::{
    body::{acts::lock_as, rules::Verb},
    membership::{
        acts::{refused, write},
        rules::{self, Facts, ROLES},
        store,
    },
    person,
};

pub(super) struct Memberships;

const COLUMNS: &[Column] =
    &[column("body"), column("seat"), column("resident"), column("role"), column("from"), column("to")];

/// The first days of the terms that an import brings for a body.
pub(super) fn begins_of(body: &str, all: &Tables) -> Vec<Date> {
    let rows = all.get("memberships").map(|table| table.rows.as_slice()).unwrap_or_default();
    let own = rows.iter().filter(|row| row.cells.first().is_some_and(|code| code == body));
    own.filter_map(|row| Cells::new(row, COLUMNS).raw("from").parse().ok()).collect()
}

struct Line {
    body: BodyName,
    person: PersonName,
    facts: Facts,
    period: Period,
}

fn read(town: &TownName, row: &Row) -> Result<Line, Vec<Fault>> {
    let mut cells = Cells::new(row, COLUMNS);
    let (body, seat) = (id(&mut cells, "body"), cells.integer("seat", crate::body::acts::SEATS));
    let (person, role) = (id(&mut cells, "resident"), cells.one_of("role", ROLES));
    let (from, to) = (cells.date("from"), cells.optional_date("to"));
    let period = from.zip(to).and_then(|(from, to)| {
        let period = Period::new(from, to).ok();
        if period.is_none() {
            cells.fault("to", "ORDER", "应晚于 from", "should be after from");
        }
        period
    });
    let ((((body, seat), person), role), period) =
        cells.finish(body.zip(seat).zip(person).zip(role).zip(period))?;
    let facts = Facts {
        seat: i32::try_from(seat).unwrap_or(i32::MAX),
        person: person.clone(),
        role: role.to_owned(),
    };
    let body = BodyName::new(town.town(), body).map_err(|_| Vec::new())?;
    let person = PersonName::new(town.town(), person).map_err(|_| Vec::new())?;
    Ok(Line { body, person, facts, period })
}

fn unknown(row: &Row, column: &str, id: &str) -> RowError {
    let (zh, en) = ("不存在", "does not exist");
    vec![Fault::at(row.number, column, id, "UNKNOWN_PARENT", zh, en)].into()
}

#[tonic::async_trait]
impl Sheet for Memberships {
    fn name(&self) -> &'static str {
        "memberships"
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn about(&self) -> &'static [&'static str] {
        &[
            "the body's id",
            "the seat, from 1",
            "the person's id",
            "CHAIR, VICE_CHAIR, MEMBER or SECRETARY",
            "the first day",
            "the first day no longer, or nothing",
        ]
    }
    fn key(&self) -> Option<&'static str> {
        None
    }
    fn requires(&self) -> &'static [&'static str] {
        &["bodies", "residents"]
    }

    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        _: &Tables,
    ) -> Result<Applied, RowError> {
        let line = read(town, row)?;
        let locked = lock_as(work, line.body.clone()).await?;
        let locked = locked.ok_or_else(|| unknown(row, "body", line.body.body()))?;
        if person::store::lock(work.sql(), &line.person).await?.is_none() {
            return Err(unknown(row, "resident", line.person.person()));
        }
        let believed = store::believed(work.sql(), &line.body).await?;
        if believed.iter().any(|row| row.period == line.period && row.value == line.facts) {
            return Ok(Applied::Unchanged);
        }
        let splice = rules::seat(&believed, &locked.line, line.period, line.facts.clone())
            .map_err(|flaw| refused(&line.body, &line.facts, flaw))?;
        let told = (Verb::Seat, "membership.began");
        let (_, change) = write(work, &locked, &splice, told, line.facts.seat, "").await?;
        Ok(Applied::Created(vec![change]))
    }

    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        let rows = store::all(export.sql, export.town.town()).await?.into_iter().map(|view| {
            vec![
                Field::Text(view.body),
                Field::Number(view.seat.into()),
                Field::Text(view.person),
                Field::Text(view.role),
                Field::Text(view.starts),
                Field::Text(view.ends.unwrap_or_default()),
            ]
        });
        Ok(rows.collect())
    }
}
