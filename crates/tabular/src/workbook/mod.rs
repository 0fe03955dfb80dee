//! XLSX as rows. The sheet with the header is read cell by cell into the rows that CSV makes too; a cell far away costs
//! what a near one costs. What the archive may unfold to is checked first (`guard`).

mod guard;
mod head;
mod values;

use std::{io::Cursor, panic};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use crate::{Column, Encoding, Fault, Limits, Table, read::too_large, rows::Rows};

/// How a ZIP archive begins.
pub(crate) const ARCHIVE: &[u8] = b"PK\x03\x04";
/// How an OLE2 file begins: .xls, and .xlsx with a password.
pub(crate) const OLD: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
/// Bytes of a cell at most: 32,767 characters, the limit of every spreadsheet.
const CELL_BYTES: usize = 4 * 32_767;

type Book<'a> = Xlsx<Cursor<&'a [u8]>>;

/// Reads a workbook.
///
/// # Errors
/// What is wrong with the file as a whole.
pub(crate) fn read(bytes: &[u8], columns: &[Column], limits: Limits) -> Result<Table, Vec<Fault>> {
    if bytes.len() > limits.bytes {
        return Err(too_large(limits.bytes));
    }
    let remarks = guard::check(bytes, limits).map_err(|fault| vec![*fault])?;
    // the reader computes with what a hostile file says; an overflow there is a file that can't be read
    panic::catch_unwind(|| read_guarded(bytes, columns, limits, remarks))
        .unwrap_or_else(|_| Err(vec![no_workbook()]))
}

fn read_guarded(
    bytes: &[u8],
    columns: &[Column],
    limits: Limits,
    mut remarks: Vec<Fault>,
) -> Result<Table, Vec<Fault>> {
    // what the reader says may quote a cell, so it is not passed on
    let broken = |_: XlsxError| vec![no_workbook()];
    let mut book: Book<'_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let visible: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect();
    let (sheet, head, others) = head::find(&mut book, &visible, columns)?;
    if !others.is_empty() {
        let names = head::listed(&others);
        remarks.push(
            Fault::whole(
                "SHEETS_LEFT_OUT",
                format!("只读取第一个含这些列的工作表；未读取：{names}"),
                format!("only the first sheet with these columns is read; left out: {names}"),
            )
            .warning(),
        );
    }
    let header = (u64::from(head.row) + 1, head.names.as_slice());
    let mut rows = Rows::new(Encoding::Xlsx, remarks, header, columns, limits)?;
    let mut line = Line::new(head.names.len());
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(broken)?;
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (row, place) = cell.get_position();
        if row <= head.row {
            continue;
        }
        if row < line.row {
            return Err(vec![no_workbook()]); // rows ascend in every sheet
        }
        if row > line.row {
            line.end(&mut rows)?;
            line.row = row;
        }
        line.cell(&rows, place, cell.get_value())?;
    }
    line.end(&mut rows)?;
    Ok(rows.finish())
}

/// The row that is being read.
struct Line {
    /// Counted from 0.
    row: u32,
    record: Vec<String>,
    filled: bool,
    faults: Vec<Fault>,
}

impl Line {
    fn new(width: usize) -> Line {
        Line { row: 0, record: vec![String::new(); width], filled: false, faults: Vec::new() }
    }

    fn number(&self) -> u64 {
        u64::from(self.row) + 1
    }

    /// Takes a cell in.
    fn cell(&mut self, rows: &Rows<'_>, place: u32, value: &DataRef<'_>) -> Result<(), Vec<Fault>> {
        let read = values::text(value);
        if read.as_ref().is_ok_and(|text| text.len() > CELL_BYTES) {
            return Err(vec![no_workbook()]);
        }
        if read.as_ref().is_ok_and(|text| text.trim().is_empty()) && place as usize >= self.record.len() {
            return Ok(());
        }
        if place as usize >= self.record.len() {
            let outside = self.faults.last().is_some_and(|fault| fault.reason == "OUTSIDE");
            if !outside {
                let name = head::cell_name(self.row, place);
                let (zh, en) = (
                    format!("单元格 {name} 在表头各列之外"),
                    format!("the cell {name} stands outside the columns of the header"),
                );
                self.faults.push(Fault::at(self.number(), "", "", "OUTSIDE", zh, en));
            }
            self.filled = true;
            return Ok(());
        }
        match (read, rows.column_at(place as usize)) {
            (Ok(text), kept) => {
                self.filled |= !text.trim().is_empty();
                if kept.is_some() {
                    self.record[place as usize] = text.into_owned();
                }
            }
            (Err(_), None) => self.filled = true,
            (Err(flaw), Some(column)) => {
                self.filled = true;
                self.faults.push(flaw.at(self.number(), column.name));
            }
        }
        Ok(())
    }

    /// Hands the row on; rows in which nothing stands are none.
    fn end(&mut self, rows: &mut Rows<'_>) -> Result<(), Vec<Fault>> {
        if self.filled {
            rows.add(self.number(), &self.record, std::mem::take(&mut self.faults))?;
        }
        self.record.iter_mut().for_each(String::clear);
        self.filled = false;
        Ok(())
    }
}

/// The fault of a file that is no workbook, or a broken one.
fn no_workbook() -> Fault {
    Fault::whole("NOT_A_WORKBOOK", "不是可读的 .xlsx 工作簿", "not an .xlsx workbook that can be read")
}
