//! CSV: UTF-8 with a mark (for spreadsheets), CRLF.

use super::{Field, decimal};
use crate::rows::guarded;

/// A table that is written: UTF-8 with a mark, CRLF, an apostrophe before text that looks like a formula.
#[derive(Debug)]
pub struct Csv {
    writer: csv::Writer<Vec<u8>>,
}

impl Csv {
    /// A table with this header.
    ///
    /// # Errors
    /// When the header can't be written.
    pub fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Result<Csv, csv::Error> {
        let mut writer =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(b"\xEF\xBB\xBF".to_vec());
        writer.write_record(header)?;
        Ok(Csv { writer })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it is not as wide as the header.
    pub fn row(&mut self, fields: impl IntoIterator<Item = Field>) -> Result<(), csv::Error> {
        self.writer.write_record(fields.into_iter().map(|field| match field {
            Field::Number(number) => number.to_string(),
            Field::Hundredths(number) => decimal(number),
            Field::Text(text) if guarded(&text) => format!("'{text}"),
            Field::Text(text) => text,
        }))
    }

    /// The file.
    ///
    /// # Errors
    /// When it can't be finished.
    pub fn finish(self) -> Result<Vec<u8>, csv::Error> {
        self.writer.into_inner().map_err(|error| error.into_error().into())
    }
}
