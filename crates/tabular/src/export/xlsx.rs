//! XLSX: text cells that stay text, numbers as numbers, the header frozen.

use rust_xlsxwriter::{DocProperties, Format, Workbook, Worksheet, XlsxError};

use super::{Field, decimal};
use crate::{Column, rows::guarded};

/// The sheet that tells what each column holds.
const ABOUT: &str = "说明";
/// Characters of a sheet's name at most; a half-width character is one column wide.
const NAME_CHARS: usize = 31;
/// The narrowest and the widest column.
const WIDTHS: (usize, usize) = (8, 40);
/// The largest number whose every digit a spreadsheet keeps: fifteen digits.
pub(crate) const EXACT: i64 = 999_999_999_999_999;

/// A table that is written as a workbook.
///
/// Rows go to a temporary file as they come, so that a large table needs no memory. A table with personal columns is
/// held in memory instead: clear text of persons is written to no disk.
pub struct Xlsx {
    book: Workbook,
    sheet: Worksheet,
    columns: Vec<Column>,
    widths: Vec<usize>,
    rows: u32,
    text: Format,
    number: Format,
    amount: Format,
}

impl Xlsx {
    /// A table of this name. `mark` is what a demonstration says: it stands in the sheet's name and in the properties.
    ///
    /// # Errors
    /// When the name is none for a sheet.
    pub fn new(name: &str, columns: &[Column], mark: Option<&str>) -> Result<Xlsx, XlsxError> {
        let mut book = Workbook::new();
        let title = mark.map_or_else(|| name.to_owned(), |mark| format!("{name}-{mark}"));
        book.set_properties(&DocProperties::new().set_title(&title).set_subject(mark.unwrap_or_default()));
        let personal = columns.iter().any(|column| column.personal);
        let mut sheet = match personal {
            true => Worksheet::new(),
            // where there is no place for temporary files, memory does
            false => book.new_worksheet_with_constant_memory().unwrap_or_else(|_| Worksheet::new()),
        };
        sheet.set_name(title.chars().take(NAME_CHARS).collect::<String>())?;
        sheet.set_freeze_panes(1, 0)?;
        // as text, also when somebody edits it: neither formula nor number, leading zeros stay
        let text = Format::new().set_num_format("@").set_quote_prefix();
        let (head, plain) = (Format::new().set_bold(), Format::new().set_num_format("@"));
        for (place, column) in (0u16..).zip(columns) {
            sheet.set_column_format(place, &plain)?;
            sheet.write_string_with_format(0, place, column.name, &head)?;
        }
        let widths = columns.iter().map(|column| width(column.name)).collect();
        Ok(Xlsx {
            book,
            sheet,
            columns: columns.to_vec(),
            widths,
            rows: 0,
            text,
            number: Format::new().set_num_format("0"),
            amount: Format::new().set_num_format("#,##0.00"),
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it has more rows or longer text than a sheet can hold.
    pub fn row(&mut self, fields: impl IntoIterator<Item = Field>) -> Result<(), XlsxError> {
        self.rows += 1;
        for ((place, field), widest) in (0u16..).zip(fields).zip(&mut self.widths) {
            let text = match field {
                Field::Number(number) if number.abs() <= EXACT => {
                    *widest = (*widest).max(number.to_string().len());
                    self.sheet.write_number_with_format(self.rows, place, number as f64, &self.number)?;
                    continue;
                }
                Field::Number(number) => number.to_string(),
                Field::Hundredths(amount) if amount.abs() <= EXACT => {
                    // commas stand in it too
                    let shown = decimal(amount).len();
                    *widest = (*widest).max(shown + shown / 4);
                    self.sheet.write_number_with_format(
                        self.rows,
                        place,
                        amount as f64 / 100.0,
                        &self.amount,
                    )?;
                    continue;
                }
                Field::Hundredths(amount) => decimal(amount),
                // no spreadsheet runs a text cell; only an apostrophe of the text's own would be taken for a guard
                Field::Text(text) if text.starts_with('\'') && guarded(&text) => format!("'{text}"),
                Field::Text(text) => text,
            };
            if !text.is_empty() {
                *widest = (*widest).max(width(&text));
                self.sheet.write_string_with_format(self.rows, place, text, &self.text)?;
            }
        }
        Ok(())
    }

    /// The workbook; with a sheet 说明 that says what each column holds, when `about` tells it in their order.
    ///
    /// # Errors
    /// When it can't be finished.
    pub fn finish(mut self, about: Option<&[&str]>) -> Result<Vec<u8>, XlsxError> {
        for (place, widest) in (0u16..).zip(&self.widths) {
            self.sheet.set_column_width(place, (widest + 2).clamp(WIDTHS.0, WIDTHS.1) as f64)?;
        }
        self.book.push_worksheet(self.sheet);
        if let Some(about) = about {
            self.book.push_worksheet(described(&self.columns, about)?);
        }
        self.book.save_to_buffer()
    }
}

fn described(columns: &[Column], about: &[&str]) -> Result<Worksheet, XlsxError> {
    let mut sheet = Worksheet::new();
    let bold = Format::new().set_bold();
    sheet.set_name(ABOUT)?.set_freeze_panes(1, 0)?;
    for (place, (head, width)) in
        (0u16..).zip([("列 column", 26), ("须有此列 must be there", 26), ("说明 description", 60)])
    {
        sheet.write_string_with_format(0, place, head, &bold)?.set_column_width(place, width)?;
    }
    for (row, (column, about)) in (1u32..).zip(columns.iter().zip(about)) {
        sheet.write_string(row, 0, column.name)?;
        sheet.write_string(row, 1, if column.required { "是 yes" } else { "否 no" })?;
        sheet.write_string(row, 2, *about)?;
    }
    Ok(sheet)
}

/// How many half-width characters it takes.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}
