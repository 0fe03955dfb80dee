//! An exported table as a file.

use contracts::linli::platform::v1::TableFormat;
use tabular::{Csv, Field, Xlsx};

use super::Sheet;
use crate::refusal::Refusal;

/// How the file is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// CSV.
    Csv,
    /// A workbook.
    Xlsx,
}

impl Form {
    /// What was asked for.
    pub(super) fn of(format: TableFormat) -> Form {
        match format {
            TableFormat::Unspecified | TableFormat::Csv => Form::Csv,
            TableFormat::Xlsx => Form::Xlsx,
        }
    }

    /// The media type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Form::Csv => "text/csv; charset=utf-8",
            Form::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// The file's name; of a demonstration it says so.
    pub(super) fn file_name(self, town: &str, table: &str, mark: Option<&str>) -> String {
        let mark = mark.map(|mark| format!("-{mark}")).unwrap_or_default();
        let ending = match self {
            Form::Csv => "csv",
            Form::Xlsx => "xlsx",
        };
        format!("{town}-{table}{mark}.{ending}")
    }

    /// The file with these rows; without any it is a template.
    ///
    /// # Errors
    /// When a row doesn't fit, which is our fault.
    pub(super) fn write(
        self,
        sheet: &dyn Sheet,
        rows: Option<Vec<Vec<Field>>>,
        mark: Option<&str>,
    ) -> Result<Vec<u8>, Refusal> {
        let template = rows.is_none();
        let rows = rows.unwrap_or_default();
        match self {
            Form::Csv => {
                let header = sheet.columns().iter().map(|column| column.name);
                let mut csv = Csv::new(header).map_err(Refusal::internal)?;
                rows.into_iter().try_for_each(|row| csv.row(row)).map_err(Refusal::internal)?;
                csv.finish().map_err(Refusal::internal)
            }
            Form::Xlsx => {
                let mut xlsx = Xlsx::new(sheet.name(), sheet.columns(), mark).map_err(Refusal::internal)?;
                rows.into_iter().try_for_each(|row| xlsx.row(row)).map_err(Refusal::internal)?;
                xlsx.finish(template.then(|| sheet.about())).map_err(Refusal::internal)
            }
        }
    }
}
