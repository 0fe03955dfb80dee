//! An import at work.

use contracts::linli::platform::v1 as pb;
use kernel::name::TownName;
use prost::Message;
use prost_types::Any;
use serde_json::json;
use tabular::{Fault, Limits, Row, Table, read_table};
use uuid::Uuid;

use super::{Applied, RowError, Sheet, Sheets, Tables, input_place};
use crate::{
    operations::{Job, Progress, Running, any, encode_row, store},
    refusal::Refusal,
    wire,
    work::{Change, Record, Work},
};

/// Rows that one chunk of GOOD_ROWS_ONLY commits.
const CHUNK: usize = 200;
/// Rows of an atomic import at most.
const ATOMIC_ROWS: usize = 100_000;
/// Results that the report itself carries; the others are listed.
const SHOWN: i64 = 1_000;

/// Imports tables.
pub struct ImportJob(pub Sheets);

/// The state of an import: what is read, and what became of it so far.
struct Import<'a> {
    sheets: &'a Sheets,
    running: &'a Running,
    request: pb::ImportTablesRequest,
    town: TownName,
    tables: Tables,
    report: pb::ImportReport,
    results: Vec<store::RowResult>,
    noted: i64,
}

#[tonic::async_trait]
impl Job for ImportJob {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let vault = running.context.db.vault();
        let input = vault.open(&input_place(running.stored.id), &running.stored.input)?;
        let request = pb::ImportTablesRequest::decode(input.as_slice()).map_err(Refusal::internal)?;
        let town: TownName = wire::name("town", &request.town)?;
        if let Some(done) = finished(&running.stored.cursor) {
            return Ok(Some(any(&done)));
        }
        let report = pb::ImportReport { validate_only: request.validate_only, ..Default::default() };
        let mut import = Import {
            sheets: &self.0,
            running,
            request,
            town,
            tables: Tables::new(),
            report,
            results: Vec::new(),
            noted: 0,
        };
        import.read().await?;
        let chunked = import.request.mode() == pb::ImportMode::GoodRowsOnly && !import.request.validate_only;
        let stopped = if chunked { import.in_chunks().await? } else { import.at_once().await? };
        if stopped { Ok(None) } else { Ok(Some(any(&import.report))) }
    }
}

/// The report of an import that was committed before its worker died.
fn finished(cursor: &serde_json::Value) -> Option<pb::ImportReport> {
    let bytes = hex::decode(cursor.get("report")?.as_str()?).ok()?;
    pb::ImportReport::decode(bytes.as_slice()).ok()
}

impl Import<'_> {
    /// Reads every file; what can't be read is noted. The limit of cells holds for all files together.
    async fn read(&mut self) -> Result<(), Refusal> {
        let mut limits = Limits::default();
        for n in 0..self.request.files.len() {
            let file = &self.request.files[n];
            let label = if file.file_name.is_empty() { file.table.clone() } else { file.file_name.clone() };
            let mut report =
                pb::TableReport { table: file.table.clone(), file: label.clone(), ..Default::default() };
            let Some(sheet) = self.sheets.iter().find(|sheet| sheet.name() == file.table).cloned() else {
                let known: Vec<&str> = self.sheets.iter().map(|sheet| sheet.name()).collect();
                let (table, known) = (kernel::text::repeatable(&file.table), known.join(", "));
                self.note(
                    &label,
                    vec![Fault::whole(
                        "UNKNOWN_TABLE",
                        format!("没有表 {table}；可用：{known}"),
                        format!("no table {table}; there are {known}"),
                    )],
                );
                report.faulty = 1;
                self.report.tables.push(report);
                continue;
            };
            let (content, name, columns) = (file.content.clone(), file.file_name.clone(), sheet.columns());
            let read = tokio::task::spawn_blocking(move || read_table(&content, &name, columns, limits));
            match read.await.map_err(Refusal::internal)? {
                Err(faults) => {
                    report.faulty = 1;
                    self.note_of(sheet.as_ref(), &label, faults);
                }
                Ok(mut table) => {
                    limits = limits.after(&table);
                    report.encoding = table.encoding.name().to_owned();
                    report.rows = table.total as i64;
                    let mut faults = std::mem::take(&mut table.faults);
                    if let Some(key) = sheet.key() {
                        faults.extend(repeated(
                            &mut table,
                            sheet.columns().iter().position(|column| column.name == key),
                            key,
                        ));
                    }
                    report.warnings = faults.iter().filter(|fault| fault.warning).count() as i64;
                    let rows: std::collections::BTreeSet<u64> =
                        faults.iter().filter(|fault| !fault.warning).map(|fault| fault.row).collect();
                    report.faulty = rows.len() as i64;
                    self.note_of(sheet.as_ref(), &label, faults);
                    self.tables.insert(sheet.name(), table);
                }
            }
            self.report.tables.push(report);
        }
        Ok(())
    }

    /// Keeps faults; the value of a personal cell is kept nowhere, nor what may have slipped from one into its neighbour.
    fn note_of(&mut self, sheet: &dyn Sheet, file: &str, mut faults: Vec<Fault>) {
        let personal =
            |name: &str| sheet.columns().iter().any(|column| column.personal && column.name == name);
        let holds_people = sheet.columns().iter().any(|column| column.personal);
        for fault in &mut faults {
            if personal(&fault.column) || (holds_people && !fault.value.is_ascii()) {
                fault.value.clear();
            }
        }
        self.note(file, faults);
    }

    fn note(&mut self, file: &str, faults: Vec<Fault>) {
        self.results.extend(faults.into_iter().map(|fault| store::RowResult {
            file: file.to_owned(),
            row: i64::try_from(fault.row).unwrap_or(i64::MAX),
            col: fault.column,
            value: fault.value,
            reason: fault.reason.to_owned(),
            fault: !fault.warning,
            zh: fault.zh,
            en: fault.en,
        }));
    }

    /// The rows to apply, in the order in which tables need each other: place of the report, table, row.
    fn rows(&self) -> Vec<(usize, &'static str, Row)> {
        let ordered = self.sheets.iter().filter_map(|sheet| {
            let table = self.tables.get(sheet.name())?;
            let place = self.report.tables.iter().position(|report| report.table == sheet.name())?;
            Some(table.rows.iter().map(move |row| (place, sheet.name(), row.clone())).collect::<Vec<_>>())
        });
        ordered.flatten().collect()
    }

    /// One transaction for everything; a dry run does all of it and stores nothing.
    async fn at_once(&mut self) -> Result<bool, Refusal> {
        let rows = self.rows();
        if rows.len() > ATOMIC_ROWS {
            let most = ATOMIC_ROWS;
            self.note(
                "",
                vec![Fault::whole(
                    "TOO_MANY_ROWS",
                    format!("整体导入最多 {most} 行，请用 GOOD_ROWS_ONLY"),
                    format!("an atomic import takes {most} rows; use GOOD_ROWS_ONLY"),
                )],
            );
        }
        let mut work = self.begin().await?;
        let mut changes = Vec::new();
        if rows.len() <= ATOMIC_ROWS {
            for (place, table, row) in &rows {
                self.apply(&mut work, *place, table, row, &mut changes).await?;
            }
        }
        let faulty = self.report.tables.iter().any(|table| table.faulty > 0)
            || self.results.iter().any(|result| result.fault);
        self.report.stored = !faulty && !self.request.validate_only;
        self.report.rows = self.results.iter().take(SHOWN as usize).cloned().map(encode_row).collect();
        if !self.report.stored {
            drop(work);
            work = self.begin().await?;
            changes.clear();
        }
        let total = rows.len() as i64;
        self.commit(work, changes, total, total, true).await
    }

    /// Chunks, each committed with the cursor behind it. A chunk that was committed is not done again.
    async fn in_chunks(&mut self) -> Result<bool, Refusal> {
        let rows = self.rows();
        let cursor = &self.running.stored.cursor;
        let from = cursor.get("row").and_then(serde_json::Value::as_u64).unwrap_or(0) as usize;
        if from > 0 {
            self.recall(cursor);
        }
        let mut at = from;
        loop {
            let mut work = self.begin().await?;
            let mut changes = Vec::new();
            let until = (at + CHUNK).min(rows.len());
            for (place, table, row) in &rows[at..until] {
                self.apply(&mut work, *place, table, row, &mut changes).await?;
            }
            at = until;
            let last = at == rows.len();
            if last {
                self.report.stored = true;
            }
            if self.commit(work, changes, at as i64, rows.len() as i64, last).await? {
                return Ok(true);
            }
            if last {
                let mut read = self.running.context.db.read().await?;
                let kept =
                    store::rows(read.sql(), self.town.town(), self.running.stored.id, -1, SHOWN).await?;
                self.report.rows = kept.into_iter().map(|(_, row)| encode_row(row)).collect();
                return Ok(false);
            }
        }
    }

    /// What the chunks before counted.
    fn recall(&mut self, cursor: &serde_json::Value) {
        let bytes = cursor
            .get("tables")
            .and_then(serde_json::Value::as_str)
            .and_then(|text| hex::decode(text).ok())
            .unwrap_or_default();
        if let Ok(report) = pb::ImportReport::decode(bytes.as_slice()) {
            self.report = report;
            self.results.clear(); // they are kept already
            self.noted = cursor.get("noted").and_then(serde_json::Value::as_i64).unwrap_or(0);
        }
    }

    async fn begin(&self) -> Result<Work, Refusal> {
        Work::plain(&self.running.context.db, &self.running.call).await
    }

    /// Commits a chunk with its results and the cursor. `true` when stopping was asked for and there is more.
    async fn commit(
        &mut self,
        mut work: Work,
        changes: Vec<Change>,
        done: i64,
        total: i64,
        last: bool,
    ) -> Result<bool, Refusal> {
        let (town, id) = (self.town.town().to_owned(), self.running.stored.id);
        store::add_rows(work.sql(), &town, id, self.noted, &self.results).await?;
        self.noted += self.results.len() as i64;
        self.results.clear();
        let tables =
            hex::encode(pb::ImportReport { rows: Vec::new(), ..self.report.clone() }.encode_to_vec());
        let mut cursor = json!({"row": done, "tables": tables, "noted": self.noted});
        if last {
            cursor["report"] = hex::encode(self.report.encode_to_vec()).into();
        }
        let stop = self.running.keep(&mut work, &Progress { cursor, done, total }).await?;
        if stop && self.request.mode() != pb::ImportMode::GoodRowsOnly {
            return Ok(true); // dropped: an atomic import that was stopped stores nothing
        }
        let names: Vec<String> =
            self.report.tables.iter().map(|table| format!("{} ({} rows)", table.table, table.rows)).collect();
        let record = Record {
            town,
            resource: crate::operations::name(self.running.context.service, id),
            summary: format!("import {}: {done} of {total}", names.join(", ")),
            changes,
            answer: pb::ImportReport::default(),
        };
        work.commit(record).await?;
        Ok(stop && !last)
    }

    async fn apply(
        &mut self,
        work: &mut Work,
        place: usize,
        table: &'static str,
        row: &Row,
        changes: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        let Some(sheet) = self.sheets.iter().find(|sheet| sheet.name() == table).cloned() else {
            return Ok(());
        };
        sqlx::raw_sql("savepoint import_row").execute(&mut *work.sql()).await?;
        let mut applied = sheet.apply(work, &self.town, row, &self.tables).await;
        if applied.is_ok()
            && let Err(error) = sqlx::raw_sql("set constraints all immediate; set constraints all deferred")
                .execute(&mut *work.sql())
                .await
        {
            applied = Err(RowError::Refused(error.into()));
        }
        let report = &mut self.report.tables[place];
        match applied {
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
                sqlx::raw_sql("rollback to savepoint import_row").execute(&mut *work.sql()).await?;
                let faults = told(error, row)?;
                self.note_of(sheet.as_ref(), &file, faults);
            }
        }
        sqlx::raw_sql("release savepoint import_row").execute(work.sql()).await?;
        Ok(())
    }
}

/// A row's error as faults; what is no fault of the row (a lost connection) ends the run.
fn told(error: RowError, row: &Row) -> Result<Vec<Fault>, Refusal> {
    match error {
        RowError::Faults(faults) => Ok(faults),
        RowError::Refused(refusal) if is_ours(&refusal) => Err(refusal),
        RowError::Refused(refusal) if !refusal.offending().is_empty() => Ok(refusal
            .offending()
            .iter()
            .map(|field| {
                Fault::at(row.number, &field.field, "", field.reason, field.zh.clone(), field.en.clone())
            })
            .collect()),
        RowError::Refused(refusal) => {
            let column = refusal.metadata("field").unwrap_or_default().to_owned();
            let (zh, en) = refusal.texts();
            Ok(vec![Fault::at(row.number, &column, "", refusal.reason().name, zh, en)])
        }
    }
}

fn is_ours(refusal: &Refusal) -> bool {
    matches!(refusal.reason().code, tonic::Code::Unavailable | tonic::Code::DeadlineExceeded)
        || (refusal.reason().code == tonic::Code::Internal && refusal.constraint().is_none())
}

/// Takes out the rows whose key stood there before.
fn repeated(table: &mut Table, place: Option<usize>, column: &str) -> Vec<Fault> {
    let Some(place) = place else { return Vec::new() };
    let mut first = std::collections::HashMap::new();
    let mut faults = Vec::new();
    table.rows.retain(|row| {
        let key = row.cells[place].clone();
        match first.get(&key) {
            Some(before) if !key.is_empty() => {
                faults.push(Fault::at(
                    row.number,
                    column,
                    &key,
                    "REPEATED",
                    format!("与第 {before} 行相同"),
                    format!("the same as row {before}"),
                ));
                false
            }
            _ => {
                first.insert(key, row.number);
                true
            }
        }
    });
    faults
}

/// The id of a new operation.
pub(super) fn new_id() -> Uuid {
    Uuid::now_v7()
}
