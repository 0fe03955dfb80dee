//! A file as a table, whichever of the formats it is in.

use crate::{Encoding, Fault, from_csv::read_csv, workbook};

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
    /// Bytes of the file, and of the text of all cells that are kept.
    pub bytes: usize,
    /// Rows below the header.
    pub rows: usize,
    /// Cells that are kept, empty ones included: rows times columns.
    pub cells: usize,
    /// Bytes that a workbook's archive may unpack to.
    pub unpacked: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 64 << 20, rows: 1_000_000, cells: 3_000_000, unpacked: 192 << 20 }
    }
}

impl Limits {
    /// What `table` leaves of them to the files that come with it.
    #[must_use]
    pub fn after(self, table: &Table) -> Limits {
        let cells: usize = table.rows.iter().map(|row| row.cells.len()).sum();
        Limits { cells: self.cells.saturating_sub(cells), ..self }
    }
}

/// A row: its number in the file (the header of a CSV is row 1) and its cells, in the order of the columns.
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

/// Reads a file: a workbook when its first bytes or its name say so, else CSV. `file_name` may be empty.
///
/// # Errors
/// What is wrong with the file as a whole: format, encoding, header, too large.
pub fn read_table(
    bytes: &[u8],
    file_name: &str,
    columns: &[Column],
    limits: Limits,
) -> Result<Table, Vec<Fault>> {
    let named = file_name.to_ascii_lowercase().ends_with(".xlsx");
    if bytes.starts_with(workbook::OLD) {
        return Err(vec![Fault::whole(
            "OLD_WORKBOOK",
            "是旧版 .xls 工作簿或加了密码的工作簿，请另存为不带密码的 .xlsx",
            "an old .xls workbook, or one with a password: save it as .xlsx without a password",
        )]);
    }
    if named || bytes.starts_with(workbook::ARCHIVE) {
        workbook::read(bytes, columns, limits)
    } else {
        read_csv(bytes, columns, limits)
    }
}

/// The fault of a file with more bytes than allowed.
pub(crate) fn too_large(most: usize) -> Vec<Fault> {
    vec![Fault::whole("TOO_LARGE", format!("文件超过 {most} 字节"), format!("more than {most} bytes"))]
}
