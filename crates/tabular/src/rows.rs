//! The rows of a table as they come in, whatever the format: the header's columns are placed, every cell is checked.

use std::collections::HashMap;

use crate::{Column, Encoding, Fault, Limits, Row, Table, read::too_large};

/// Faults, and likewise warnings, that are kept of one file.
const KEPT: usize = 50_000;

/// A table that grows row by row.
pub(crate) struct Rows<'a> {
    columns: &'a [Column],
    /// Where each column stands in a record; none when the file lacks it.
    places: Vec<Option<usize>>,
    width: usize,
    limits: Limits,
    table: Table,
    /// Bytes of the text that is kept.
    text: usize,
    /// Faults that are no warnings, and warnings, and those of them that were not kept.
    faulty: usize,
    warnings: usize,
}

impl<'a> Rows<'a> {
    /// A table with this header: the number of its row, and its names.
    ///
    /// # Errors
    /// Every column that is missing or stands there twice.
    pub(crate) fn new(
        encoding: Encoding,
        mut remarks: Vec<Fault>,
        (row, header): (u64, &[String]),
        columns: &'a [Column],
        limits: Limits,
    ) -> Result<Rows<'a>, Vec<Fault>> {
        let places = places(row, header, columns, &mut remarks)?;
        let table = Table { encoding, total: 0, rows: Vec::new(), faults: remarks };
        let width = header.len();
        Ok(Rows { columns, places, width, limits, table, text: 0, faulty: 0, warnings: 0 })
    }

    /// Whether the cells of a place are kept.
    pub(crate) fn column_at(&self, place: usize) -> Option<&'a Column> {
        self.columns.iter().zip(&self.places).find(|(_, at)| **at == Some(place)).map(|(column, _)| column)
    }

    /// Adds a row, with the faults that were found in it so far.
    ///
    /// # Errors
    /// When the file holds more than is allowed.
    pub(crate) fn add(
        &mut self,
        number: u64,
        record: &[String],
        found: Vec<Fault>,
    ) -> Result<(), Vec<Fault>> {
        let limits = self.limits;
        self.table.total += 1;
        if self.table.total > limits.rows {
            let most = limits.rows;
            let (zh, en) = (format!("超过 {most} 行"), format!("more than {most} rows"));
            return Err(vec![Fault::whole("TOO_MANY_ROWS", zh, en)]);
        }
        let mut faults = found;
        let unreadable = record.is_empty() && !faults.is_empty();
        let cells = if unreadable { None } else { self.row(number, record, &mut faults) };
        self.keep(faults)?;
        if let Some(cells) = cells {
            self.text += cells.iter().map(String::len).sum::<usize>();
            if self.text > limits.bytes {
                return Err(too_large(limits.bytes));
            }
            if (self.table.rows.len() + 1) * self.columns.len() > limits.cells {
                let most = limits.cells;
                let (zh, en) = (format!("超过 {most} 个单元格"), format!("more than {most} cells"));
                return Err(vec![Fault::whole("TOO_MANY_CELLS", zh, en)]);
            }
            self.table.rows.push(Row { number, cells });
        }
        Ok(())
    }

    /// The table.
    pub(crate) fn finish(mut self) -> Table {
        if self.warnings > KEPT {
            let more = self.warnings - KEPT;
            let (zh, en) =
                (format!("另有 {more} 条提示未列出"), format!("{more} more remarks are not listed"));
            self.table.faults.push(Fault::whole("MORE_WARNINGS", zh, en).warning());
        }
        if self.table.total == 0 {
            let (zh, en) = ("表头下没有数据行", "no rows below the header");
            self.table.faults.push(Fault::whole("NO_ROWS", zh, en).warning());
        }
        self.table
    }

    fn keep(&mut self, faults: Vec<Fault>) -> Result<(), Vec<Fault>> {
        for fault in faults {
            let count = if fault.warning { &mut self.warnings } else { &mut self.faulty };
            *count += 1;
            if *count <= KEPT {
                self.table.faults.push(fault);
            }
        }
        if self.faulty > KEPT {
            let mut all = std::mem::take(&mut self.table.faults);
            let (zh, en) = (
                format!("错误超过 {KEPT} 处，其余各行未读"),
                format!("more than {KEPT} faults; the rows after them were not read"),
            );
            all.push(Fault::whole("TOO_MANY_FAULTS", zh, en));
            return Err(all);
        }
        Ok(())
    }

    fn row(&self, number: u64, record: &[String], faults: &mut Vec<Fault>) -> Option<Vec<String>> {
        if record.len() != self.width {
            let (found, width) = (record.len(), self.width);
            let (zh, en) =
                (format!("有 {found} 列，应为 {width} 列"), format!("{found} columns instead of {width}"));
            faults.push(Fault::at(number, "", "", "WIDTH", zh, en));
            return None;
        }
        let cells = self
            .columns
            .iter()
            .zip(&self.places)
            .map(|(column, place)| {
                cell(number, column, place.map_or("", |place| record[place].as_str()), faults)
            })
            .collect();
        faults.iter().all(|fault| fault.warning).then_some(cells)
    }
}

/// A cell without what surrounds it; what nobody sees and what is too long are faults.
fn cell(number: u64, column: &Column, raw: &str, faults: &mut Vec<Fault>) -> String {
    let trimmed = raw.trim_matches([' ', '\u{3000}', '\u{A0}', '\t']);
    let fault = |reason, zh: String, en: String| Fault::at(number, column.name, raw, reason, zh, en);
    let chars = trimmed.chars().count();
    if let Some(c) = trimmed.chars().find(|c| kernel::text::is_invisible(*c)) {
        let code = u32::from(c);
        faults.push(fault(
            "INVISIBLE",
            format!("含不可见字符 U+{code:04X}"),
            format!("invisible character U+{code:04X}"),
        ));
    } else if chars > column.max_chars {
        let most = column.max_chars;
        faults.push(fault(
            "TOO_LONG",
            format!("共 {chars} 个字符，最多 {most}"),
            format!("{chars} characters, {most} at most"),
        ));
    } else if trimmed.len() < raw.len() {
        faults.push(
            fault("TRIMMED", "已去除首尾空格".to_owned(), "the spaces around it were removed".to_owned())
                .warning(),
        );
    }
    unguard(trimmed).to_owned()
}

/// Where each column stands in the file; every column that is missing, at once.
fn places(
    row: u64,
    header: &[String],
    columns: &[Column],
    remarks: &mut Vec<Fault>,
) -> Result<Vec<Option<usize>>, Vec<Fault>> {
    let mut at: HashMap<&str, usize> = HashMap::new();
    let mut bad = Vec::new();
    // a file without a header has people where names of columns should stand
    let quiet = columns.iter().any(|column| column.personal);
    for (n, name) in header.iter().enumerate() {
        let name = name.trim();
        let twice = at.insert(name, n).is_some();
        let known = columns.iter().any(|column| column.name == name);
        let place = format!("#{}", n + 1);
        let name = if known || !(quiet || kernel::ids::holds_number(name)) { name } else { &place };
        if twice {
            let (zh, en) = (format!("列 {name} 出现两次"), format!("the column {name} stands there twice"));
            bad.push(Fault::at(row, name, name, "COLUMN_TWICE", zh, en));
        }
        if !known {
            let (zh, en) =
                (format!("未知列 {name} 已忽略"), format!("the unknown column {name} is left out"));
            remarks.push(Fault::at(row, name, name, "UNKNOWN_COLUMN", zh, en).warning());
        }
    }
    bad.extend(missing(row, |name| at.contains_key(name), columns));
    if bad.is_empty() {
        Ok(columns.iter().map(|column| at.get(column.name).copied()).collect())
    } else {
        Err(bad)
    }
}

/// The columns that a header must have and hasn't.
pub(crate) fn missing(row: u64, has: impl Fn(&str) -> bool, columns: &[Column]) -> Vec<Fault> {
    let lacking = columns.iter().filter(|column| column.required && !has(column.name));
    let fault = |column: &Column| {
        let name = column.name;
        let (zh, en) = (format!("缺少列 {name}"), format!("the column {name} is missing"));
        Fault::at(row, name, "", "MISSING_COLUMN", zh, en)
    };
    lacking.map(fault).collect()
}

/// Whether an export puts an apostrophe before it: else a spreadsheet runs it, or an import takes the text's own
/// apostrophe for one of ours.
pub(crate) fn guarded(text: &str) -> bool {
    kernel::text::formula_like(text.trim_start_matches('\''))
}

/// What an export put before a cell that looked like a formula is taken away again.
fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if guarded(rest) => rest,
        _ => cell,
    }
}
