//! How rows are applied: as a set where their table takes sets and nothing in the set is refused, else one by one.
//!
//! A set is applied within a savepoint and its deferred constraints are checked once. When the database refuses
//! anything of it, or the table leaves it to the rows, the savepoint is rolled back and each row is applied within a
//! savepoint of its own, so that every fault is found and named as if there were no sets.

use std::sync::Arc;

use contracts::linli::platform::v1 as pb;
use sqlx::PgConnection;
use tabular::{Column, Fault, Row};

use super::{Applied, Outcomes, RowError, Sheet, Sheets, Tables, job::Import};
use crate::{
    refusal::Refusal,
    work::{Change, Work},
};

/// Rows of a set, and so of one chunk of a table that takes sets.
const SET: usize = 1_000;
/// Rows of one chunk of a table that is applied row by row.
const CHUNK: usize = 200;

/// Rows of one table that stand one behind the other and are committed together.
pub(super) struct Step<'t> {
    /// The place of the table's report.
    place: usize,
    sheet: &'t Arc<dyn Sheet>,
    /// The rows.
    pub(super) rows: &'t [Row],
}

/// The rows to apply behind the first `done`, in the order in which tables need each other.
pub(super) fn steps<'t>(
    sheets: &'t Sheets,
    report: &pb::ImportReport,
    tables: &'t Tables,
    done: usize,
) -> Vec<Step<'t>> {
    let (mut steps, mut skip) = (Vec::new(), done);
    for sheet in sheets.iter() {
        let place = report.tables.iter().position(|report| report.table == sheet.name());
        let Some((place, table)) = place.zip(tables.get(sheet.name())) else { continue };
        let rest = table.rows.get(skip..).unwrap_or_default();
        skip -= table.rows.len() - rest.len();
        let size = if sheet.takes_sets() { SET } else { CHUNK };
        steps.extend(rest.chunks(size).map(|rows| Step { place, sheet, rows }));
    }
    steps
}

impl Import<'_> {
    /// Applies the rows of a step and notes what became of each.
    pub(super) async fn apply(
        &mut self,
        work: &mut Work,
        step: &Step<'_>,
        all: &Tables,
        changes: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        if step.sheet.takes_sets()
            && let Some(outcomes) = self.as_set(work, step, all).await?
        {
            for (row, outcome) in step.rows.iter().zip(outcomes) {
                self.settle(step, row, outcome, changes)?;
            }
            return Ok(());
        }
        for row in step.rows {
            let outcome = self.alone(work, step, row, all).await?;
            self.settle(step, row, outcome, changes)?;
        }
        Ok(())
    }

    /// What became of the rows as a set; nothing when they must be applied one by one.
    async fn as_set(
        &self,
        work: &mut Work,
        step: &Step<'_>,
        all: &Tables,
    ) -> Result<Option<Outcomes>, Refusal> {
        sqlx::raw_sql("savepoint import_set").execute(&mut *work.sql()).await?;
        let mut outcomes = step.sheet.apply_set(work, &self.town, step.rows, all).await;
        if matches!(outcomes, Ok(Some(_)))
            && let Err(refusal) = check(work.sql()).await
        {
            outcomes = Err(refusal);
        }
        let kept = match outcomes {
            Ok(Some(outcomes)) if outcomes.len() == step.rows.len() => Some(outcomes),
            Ok(Some(outcomes)) => {
                let (had, rows) = (outcomes.len(), step.rows.len());
                return Err(Refusal::internal(format!("{had} outcomes of a set of {rows} rows")));
            }
            Ok(None) => None,
            Err(refusal) if is_ours(&refusal) => return Err(refusal),
            Err(refusal) => {
                let (table, constraint) = (step.sheet.name(), refusal.constraint().unwrap_or_default());
                tracing::info!(table, constraint, reason = refusal.reason().name, "a set goes row by row");
                None
            }
        };
        if kept.is_none() {
            sqlx::raw_sql("rollback to savepoint import_set").execute(&mut *work.sql()).await?;
        }
        sqlx::raw_sql("release savepoint import_set").execute(work.sql()).await?;
        Ok(kept)
    }

    /// What became of one row; nothing of it stays when it is faulty.
    async fn alone(
        &self,
        work: &mut Work,
        step: &Step<'_>,
        row: &Row,
        all: &Tables,
    ) -> Result<Result<Applied, RowError>, Refusal> {
        sqlx::raw_sql("savepoint import_row").execute(&mut *work.sql()).await?;
        let mut applied = step.sheet.apply(work, &self.town, row, all).await;
        if applied.is_ok()
            && let Err(refusal) = check(work.sql()).await
        {
            applied = Err(RowError::Refused(refusal));
        }
        if applied.is_err() {
            sqlx::raw_sql("rollback to savepoint import_row").execute(&mut *work.sql()).await?;
        }
        sqlx::raw_sql("release savepoint import_row").execute(work.sql()).await?;
        Ok(applied)
    }

    /// Counts an outcome, keeps its changes or its faults.
    fn settle(
        &mut self,
        step: &Step<'_>,
        row: &Row,
        outcome: Result<Applied, RowError>,
        changes: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        let report = &mut self.report.tables[step.place];
        match outcome {
            Ok(Applied::Created(new)) => {
                report.created += 1;
                changes.extend(new);
            }
            Ok(Applied::Updated(new)) => {
                report.updated += 1;
                changes.extend(new);
            }
            Ok(Applied::Unchanged) => report.unchanged += 1,
            Err(error) => {
                report.faulty += 1;
                let file = report.file.clone();
                self.note_of(step.sheet.as_ref(), &file, told(error, row, step.sheet.columns())?);
            }
        }
        Ok(())
    }
}

/// Checks the deferred constraints now.
async fn check(sql: &mut PgConnection) -> Result<(), Refusal> {
    sqlx::raw_sql("set constraints all immediate; set constraints all deferred").execute(sql).await?;
    Ok(())
}

/// A row's error as faults; what is no fault of the row ends the chunk.
fn told(error: RowError, row: &Row, columns: &[Column]) -> Result<Vec<Fault>, Refusal> {
    match error {
        RowError::Faults(faults) => Ok(faults),
        RowError::Refused(refusal) if is_ours(&refusal) => Err(refusal),
        RowError::Refused(refusal) if !refusal.offending().is_empty() => Ok(refusal
            .offending()
            .iter()
            .map(|field| {
                let (column, value) = cell(columns, row, &field.field);
                Fault::at(row.number, column, value, field.reason, field.zh.clone(), field.en.clone())
            })
            .collect()),
        RowError::Refused(refusal) => {
            let (zh, en) = refusal.texts();
            let (column, value) = cell(columns, row, refusal.metadata("field").unwrap_or_default());
            Ok(vec![Fault::at(row.number, column, value, refusal.reason().name, zh, en)])
        }
    }
}

/// The column that a field of a request is, `citizen_id` for `person.citizen_id`, and what stands there.
fn cell<'a>(columns: &[Column], row: &'a Row, field: &'a str) -> (&'a str, &'a str) {
    let name = field.rsplit('.').next().unwrap_or(field);
    match columns.iter().position(|column| column.name == name) {
        Some(place) => (name, row.cells.get(place).map(String::as_str).unwrap_or_default()),
        None => (field, ""),
    }
}

/// Whether it is no fault of a row: the database can't be reached, or something collided and the chunk is done again.
fn is_ours(refusal: &Refusal) -> bool {
    refusal.is_collision()
        || matches!(refusal.reason().code, tonic::Code::Unavailable | tonic::Code::DeadlineExceeded)
        || (refusal.reason().code == tonic::Code::Internal && refusal.constraint().is_none())
}

#[cfg(test)]
mod tests {
    use tabular::{Encoding, Table};

    use super::*;
    use crate::imports::Export;

    /// A table that does nothing.
    struct Nothing {
        name: &'static str,
        sets: bool,
    }

    #[tonic::async_trait]
    impl Sheet for Nothing {
        fn name(&self) -> &'static str {
            self.name
        }
        fn columns(&self) -> &'static [tabular::Column] {
            &[]
        }
        fn about(&self) -> &'static [&'static str] {
            &[]
        }
        fn key(&self) -> Option<&'static str> {
            None
        }
        fn requires(&self) -> &'static [&'static str] {
            &[]
        }
        async fn apply(
            &self,
            _: &mut Work,
            _: &kernel::name::TownName,
            _: &Row,
            _: &Tables,
        ) -> Result<Applied, RowError> {
            Ok(Applied::Unchanged)
        }
        fn takes_sets(&self) -> bool {
            self.sets
        }
        async fn export(&self, _: &mut Export<'_>) -> Result<Vec<Vec<tabular::Field>>, Refusal> {
            Ok(Vec::new())
        }
    }

    fn table(rows: u64) -> Table {
        let rows: Vec<Row> = (0..rows).map(|n| Row { number: n + 2, cells: vec![n.to_string()] }).collect();
        Table { encoding: Encoding::Utf8, total: rows.len(), rows, faults: Vec::new() }
    }

    /// Every row once, in order, wherever a killed import goes on.
    #[test]
    fn steps_go_on_behind_what_is_done() {
        let sheets: Sheets = vec![
            Arc::new(Nothing { name: "a", sets: false }) as Arc<dyn Sheet>,
            Arc::new(Nothing { name: "b", sets: true }),
        ]
        .into();
        let tables = Tables::from([("a", table(450)), ("b", table(2_100))]);
        let of = |table: &str| pb::TableReport { table: table.to_owned(), ..Default::default() };
        let report = pb::ImportReport { tables: vec![of("b"), of("a")], ..Default::default() };
        let sizes = |done| -> Vec<(usize, usize)> {
            steps(&sheets, &report, &tables, done).iter().map(|step| (step.place, step.rows.len())).collect()
        };
        assert_eq!(sizes(0), [(1, 200), (1, 200), (1, 50), (0, 1_000), (0, 1_000), (0, 100)]);
        assert_eq!(sizes(400), [(1, 50), (0, 1_000), (0, 1_000), (0, 100)]);
        assert_eq!(sizes(1_450), [(0, 1_000), (0, 100)]);
        assert!(sizes(2_550).is_empty());
        for done in [0, 1, 449, 450, 451, 2_549] {
            let left: usize = sizes(done).iter().map(|(_, rows)| rows).sum();
            assert_eq!(left, 2_550 - done);
        }
    }
}
