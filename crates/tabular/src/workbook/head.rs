//! Which sheet of a workbook is the table, and where its header stands.

use calamine::XlsxError;

use super::{Book, no_workbook, values};
use crate::{Column, Fault, rows::missing};

/// Rows at the top of a sheet, empty ones not counted, among which the header is looked for: a title may stand above it.
const TOP_ROWS: usize = 10;
/// Columns of a header at most.
const WIDTH: usize = 256;
/// Cells of the top rows that are looked at.
const TOP_CELLS: usize = 10_000;
/// Bytes of a name in a header at most: what is longer is no column of ours.
const NAME_BYTES: usize = 400;
/// Sheets that a message names.
const NAMED: usize = 10;

/// A row that may be a header.
pub(super) struct Head {
    /// Its row, counted from 0.
    pub(super) row: u32,
    /// What stands in it, from the first column to the last that isn't empty.
    pub(super) names: Vec<String>,
    /// Whether more stands there than can be looked at.
    wide: bool,
}

impl Head {
    fn has(&self, column: &str) -> bool {
        self.names.iter().any(|name| name.trim() == column)
    }

    fn known(&self, columns: &[Column]) -> usize {
        columns.iter().filter(|column| self.has(column.name)).count()
    }
}

/// The first of `sheets` with a header of these columns, its header, and the other sheets that have one too.
///
/// # Errors
/// `WRONG_SHEET` that names the sheets, and what the nearest header lacks.
pub(super) fn find(
    book: &mut Book<'_>,
    sheets: &[String],
    columns: &[Column],
) -> Result<(String, Head, Vec<String>), Vec<Fault>> {
    let mut found = None;
    let mut others = Vec::new();
    let mut nearest: Option<Head> = None;
    for sheet in sheets {
        for head in top(book, sheet).map_err(|_| vec![no_workbook()])? {
            if missing(0, |name| head.has(name), columns).is_empty() {
                match found {
                    None => found = Some((sheet.clone(), head)),
                    Some(_) => others.push(sheet.clone()),
                }
                break;
            }
            if nearest.as_ref().map_or(0, |nearest| nearest.known(columns)) < head.known(columns) {
                nearest = Some(head);
            }
        }
    }
    match found {
        Some((_, head)) if head.wide => {
            let (zh, en) = (format!("表头超过 {WIDTH} 列"), format!("a header of more than {WIDTH} columns"));
            let mut fault = Fault::whole("TOO_MANY_COLUMNS", zh, en);
            fault.row = u64::from(head.row) + 1;
            Err(vec![fault])
        }
        Some((sheet, head)) => Ok((sheet, head, others)),
        None => Err(wrong_sheet(sheets, nearest, columns)),
    }
}

fn wrong_sheet(sheets: &[String], nearest: Option<Head>, columns: &[Column]) -> Vec<Fault> {
    let names = listed(sheets);
    let mut faults = vec![Fault::whole(
        "WRONG_SHEET",
        format!("没有工作表的表头含所需各列；工作表有：{names}"),
        format!("no sheet has a header with the columns that are needed; the sheets are: {names}"),
    )];
    if let Some(head) = nearest {
        faults.extend(missing(u64::from(head.row) + 1, |name| head.has(name), columns));
    }
    faults
}

/// The first rows of a sheet in which anything stands.
fn top(book: &mut Book<'_>, sheet: &str) -> Result<Vec<Head>, XlsxError> {
    let mut cells = book.worksheet_cells_reader(sheet)?;
    let mut rows: Vec<Head> = Vec::new();
    let mut seen = 0;
    while let Some(cell) = cells.next_cell()? {
        seen += 1;
        let (row, place) = cell.get_position();
        let text = values::text(cell.get_value()).unwrap_or_default();
        if seen > TOP_CELLS {
            break;
        }
        if text.trim().is_empty() {
            continue;
        }
        if rows.last().is_none_or(|last| last.row != row) {
            if rows.len() == TOP_ROWS {
                break;
            }
            rows.push(Head { row, names: Vec::new(), wide: false });
        }
        let Some(last) = rows.last_mut() else { continue };
        let place = place as usize;
        if place >= WIDTH {
            last.wide = true;
            continue;
        }
        if last.names.len() <= place {
            last.names.resize(place + 1, String::new());
        }
        last.names[place] = kept(&text).to_owned();
    }
    Ok(rows)
}

/// As much of a name as is looked at.
fn kept(text: &str) -> &str {
    &text[..text.floor_char_boundary(NAME_BYTES.min(text.len()))]
}

/// Names of sheets for a message.
pub(super) fn listed(sheets: &[String]) -> String {
    let mut names: Vec<String> =
        sheets.iter().take(NAMED).map(|name| kernel::text::shorten(name, 31)).collect();
    if sheets.len() > NAMED {
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// The name of a cell by row and column counted from 0: A1, XFD1048576.
pub(super) fn cell_name(row: u32, place: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = u64::from(place) + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.into_iter().rev().chain((u64::from(row) + 1).to_string().chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_the_names_that_a_spreadsheet_shows() {
        for (row, place, name) in
            [(0, 0, "A1"), (8, 25, "Z9"), (0, 26, "AA1"), (1_048_575, 16_383, "XFD1048576")]
        {
            assert_eq!(cell_name(row, place), name);
        }
    }
}
