//! CSV (RFC 4180, with the line ends of every system) as rows, every faulty row named.

use std::collections::HashMap;

use crate::{Encoding, Fault, decode};

/// A column that a table has.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in the header.
    pub name: &'static str,
    /// Whether the header must have it.
    pub required: bool,
    /// Characters of a cell at most.
    pub max_chars: usize,
    /// Whether its cells are personal data: they are repeated in no fault.
    pub personal: bool,
}

/// What a file may hold at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// Rows below the header.
    pub rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 64 << 20, rows: 1_000_000 }
    }
}

/// A row: its number in the file (the header is row 1) and its cells, in the order of the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number.
    pub number: u64,
    /// The cells; empty where the file lacks the column.
    pub cells: Vec<String>,
}

/// A file that could be read.
#[derive(Clone, Debug)]
pub struct Table {
    /// How it was written.
    pub encoding: Encoding,
    /// How many rows stand below the header.
    pub total: usize,
    /// The rows that are whole.
    pub rows: Vec<Row>,
    /// The rows that aren't, and remarks.
    pub faults: Vec<Fault>,
}

/// Reads a file.
///
/// # Errors
/// What is wrong with the file as a whole: encoding, header, an open quotation mark, too large.
pub fn read_csv(bytes: &[u8], columns: &[Column], limits: Limits) -> Result<Table, Vec<Fault>> {
    if bytes.len() > limits.bytes {
        let most = limits.bytes;
        return Err(vec![Fault::whole(
            "TOO_LARGE",
            format!("文件超过 {most} 字节"),
            format!("more than {most} bytes"),
        )]);
    }
    let (encoding, text) = decode(bytes).map_err(|fault| vec![*fault])?;
    if let Some(row) = open_quote(&text) {
        let mut fault = Fault::whole(
            "OPEN_QUOTE",
            format!("第 {row} 行的引号没有闭合"),
            format!("a quotation mark opens in row {row} and is not closed"),
        );
        fault.row = row;
        return Err(vec![fault]);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::CRLF)
        .from_reader(text.as_bytes());
    let mut records = reader
        .records()
        .map(|record| record.map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>()));
    let header = match records.next() {
        Some(Ok(header)) if header.iter().any(|name| !name.trim().is_empty()) => header,
        _ => return Err(vec![Fault::whole("NO_HEADER", "文件没有表头", "the file has no header")]),
    };
    let mut table = Table { encoding, total: 0, rows: Vec::new(), faults: Vec::new() };
    if encoding == Encoding::Gbk {
        table.faults.push(Fault::whole("CONVERTED", "已从 GBK 转换", "converted from GBK").warning());
    }
    let places = places(&header, columns, &mut table.faults)?;
    for (n, record) in records.enumerate() {
        let number = n as u64 + 2;
        table.total += 1;
        if table.total > limits.rows {
            let most = limits.rows;
            return Err(vec![Fault::whole(
                "TOO_MANY_ROWS",
                format!("超过 {most} 行"),
                format!("more than {most} rows"),
            )]);
        }
        match record {
            Ok(record) => {
                table.rows.extend(row(number, &record, header.len(), columns, &places, &mut table.faults))
            }
            Err(error) => {
                table.faults.push(Fault::at(number, "", "", "UNREADABLE", "此行无法解析", error.to_string()))
            }
        }
    }
    if table.total == 0 {
        table.faults.push(Fault::whole("NO_ROWS", "表头下没有数据行", "no rows below the header").warning());
    }
    Ok(table)
}

/// Where each column stands in the file; every column that is missing, at once.
fn places(
    header: &[String],
    columns: &[Column],
    faults: &mut Vec<Fault>,
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
            bad.push(Fault::at(
                1,
                name,
                name,
                "COLUMN_TWICE",
                format!("列 {name} 出现两次"),
                format!("the column {name} stands there twice"),
            ));
        }
        if !known {
            faults.push(
                Fault::at(
                    1,
                    name,
                    name,
                    "UNKNOWN_COLUMN",
                    format!("未知列 {name} 已忽略"),
                    format!("the unknown column {name} is left out"),
                )
                .warning(),
            );
        }
    }
    for column in columns.iter().filter(|column| column.required && !at.contains_key(column.name)) {
        let name = column.name;
        bad.push(Fault::at(
            1,
            name,
            "",
            "MISSING_COLUMN",
            format!("缺少列 {name}"),
            format!("the column {name} is missing"),
        ));
    }
    if bad.is_empty() {
        Ok(columns.iter().map(|column| at.get(column.name).copied()).collect())
    } else {
        Err(bad)
    }
}

fn row(
    number: u64,
    record: &[String],
    width: usize,
    columns: &[Column],
    places: &[Option<usize>],
    faults: &mut Vec<Fault>,
) -> Option<Row> {
    if record.len() != width {
        let found = record.len();
        faults.push(Fault::at(
            number,
            "",
            "",
            "WIDTH",
            format!("有 {found} 列，应为 {width} 列"),
            format!("{found} columns instead of {width}"),
        ));
        return None;
    }
    let before = faults.len();
    let mut cells = Vec::with_capacity(columns.len());
    for (column, place) in columns.iter().zip(places) {
        let raw = place.map_or("", |place| record[place].as_str());
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
        cells.push(unguard(trimmed).to_owned());
    }
    let whole = faults[before..].iter().all(|fault| fault.warning);
    whole.then_some(Row { number, cells })
}

/// What an export put before a cell that looked like a formula is taken away again.
fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if kernel::text::formula_like(rest) => rest,
        _ => cell,
    }
}

/// The row in which a quotation mark opens that is never closed.
fn open_quote(text: &str) -> Option<u64> {
    let (mut row, mut quoted, mut start, mut at_start) = (1u64, false, 1u64, true);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
            }
            '"' if quoted => quoted = false,
            '"' if at_start => {
                quoted = true;
                start = row;
            }
            '\r' if !quoted => {
                if chars.peek() == Some(&'\n') {
                    chars.next();
                }
                row += 1;
                at_start = true;
                continue;
            }
            '\n' if !quoted => {
                row += 1;
                at_start = true;
                continue;
            }
            _ => {}
        }
        at_start = c == ',' && !quoted;
    }
    quoted.then_some(start)
}
