//! Tables to outside: what a spreadsheet shows as it is, and runs nothing of; what is imported again changes nothing.

mod csv;
mod xlsx;

pub use csv::Csv;
pub use xlsx::Xlsx;

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Text: never run, also when it looks like a formula.
    Text(String),
    /// A number, written as it is.
    Number(i64),
    /// An amount of money in hundredths, written with two decimals.
    Hundredths(i64),
}

/// Hundredths with two decimals: `1234.56`.
fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let all = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", all / 100, all % 100)
}
