//! An import at work.

use contracts::linli::platform::v1 as pb;
use kernel::name::TownName;
use prost::Message;
use prost_types::Any;
use serde_json::json;
use tabular::{Fault, Limits, Table, read_table};
use uuid::Uuid;

use super::{
    Sheet, Sheets, Tables,
    batch::{Step, steps},
    input_place,
    part::renumber,
};
use crate::{
    operations::{Job, Progress, Running, any, encode_row, store},
    refusal::Refusal,
    wire,
    work::{Change, Record, Work},
};

/// Rows of an atomic import at most.
const ATOMIC_ROWS: usize = 100_000;
/// How often a chunk is tried that collides with other transactions.
const TRIES: u32 = 5;
/// Results that the report itself carries; the others are listed.
const SHOWN: i64 = 1_000;

/// Imports tables.
pub struct ImportJob(pub Sheets);

/// The state of an import: what is read, and what became of it so far.
pub(super) struct Import<'a> {
    sheets: &'a Sheets,
    running: &'a Running,
    request: pb::ImportTablesRequest,
    pub(super) town: TownName,
    tables: Tables,
    pub(super) report: pb::ImportReport,
    results: Vec<store::RowResult>,
    noted: i64,
}

#[tonic::async_trait]
impl Job for ImportJob {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let vault = running.context.db.vault();
        let input = vault.open(&input_place(running.stored.id), &running.input)?;
        let request = pb::ImportTablesRequest::decode(input.as_slice()).map_err(Refusal::internal)?;
        drop(input);
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
        // what was read stands in the tables now
        import.request.files.iter_mut().for_each(|file| file.content.clear());
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
            let mut read = read.await.map_err(Refusal::internal)?;
            renumber(&mut read, file.first_row);
            match read {
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
                    let said = sheet.ask(&self.town, &table).await?;
                    drop_faulty(&mut table, &said);
                    faults.extend(said);
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
    pub(super) fn note_of(&mut self, sheet: &dyn Sheet, file: &str, mut faults: Vec<Fault>) {
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

    /// One transaction for everything; a dry run does all of it and stores nothing.
    async fn at_once(&mut self) -> Result<bool, Refusal> {
        let tables = std::mem::take(&mut self.tables);
        let steps = steps(self.sheets, &self.report, &tables, 0);
        let rows: usize = steps.iter().map(|step| step.rows.len()).sum();
        if rows > ATOMIC_ROWS {
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
        if rows <= ATOMIC_ROWS {
            for step in &steps {
                self.apply(&mut work, step, &tables, &mut changes).await?;
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
        self.commit(work, changes, rows as i64, rows as i64, true).await
    }

    /// Chunks, each committed with the cursor behind it. A chunk that was committed is not done again.
    async fn in_chunks(&mut self) -> Result<bool, Refusal> {
        let tables = std::mem::take(&mut self.tables);
        let total: usize = tables.values().map(|table| table.rows.len()).sum();
        let cursor = &self.running.stored.cursor;
        let mut at = cursor.get("row").and_then(serde_json::Value::as_u64).unwrap_or(0) as usize;
        if at > 0 {
            self.recall(cursor);
        }
        let mut steps = steps(self.sheets, &self.report, &tables, at).into_iter().peekable();
        loop {
            let step = steps.next();
            let last = steps.peek().is_none();
            at += step.as_ref().map_or(0, |step| step.rows.len());
            let before = (self.report.clone(), self.results.clone(), self.noted);
            let mut tries = 1;
            let stopped = loop {
                match self.chunk(step.as_ref(), &tables, (at, total), last).await {
                    Err(refusal) if refusal.is_collision() && tries < TRIES => {
                        tries += 1;
                        (self.report, self.results, self.noted) = before.clone();
                    }
                    done => break done?,
                }
            };
            if stopped {
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

    /// One transaction for the rows of a step. `true` when stopping was asked for and there is more.
    async fn chunk(
        &mut self,
        step: Option<&Step<'_>>,
        tables: &Tables,
        (done, total): (usize, usize),
        last: bool,
    ) -> Result<bool, Refusal> {
        let mut work = self.begin().await?;
        let mut changes = Vec::new();
        if let Some(step) = step {
            self.apply(&mut work, step, tables, &mut changes).await?;
        }
        self.report.stored |= last;
        self.commit(work, changes, done as i64, total as i64, last).await
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

/// Leaves out rows with a fault.
fn drop_faulty(table: &mut Table, faults: &[Fault]) {
    let faulty: std::collections::BTreeSet<u64> =
        faults.iter().filter(|fault| !fault.warning).map(|fault| fault.row).collect();
    table.rows.retain(|row| !faulty.contains(&row.number));
}

/// The id of a new operation.
pub(super) fn new_id() -> Uuid {
    Uuid::now_v7()
}
