//! What is wrong with a table, and where.

/// A fault or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The row: the header is row 1; 0 for the file as a whole.
    pub row: u64,
    /// The column's name; empty for the whole row.
    pub column: String,
    /// The value, shortened, without identity numbers, with invisible characters spelled out.
    pub value: String,
    /// UPPER_SNAKE: `BAD_DATE`.
    pub reason: &'static str,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// Whether the row is taken all the same.
    pub warning: bool,
}

/// Characters of a value that a fault shows.
const SHOWN: usize = 40;

impl Fault {
    /// A fault at a cell.
    pub fn at(
        row: u64,
        column: &str,
        value: &str,
        reason: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Fault {
        Fault {
            row,
            column: column.to_owned(),
            value: kernel::text::shorten(&kernel::ids::without_numbers(value), SHOWN),
            reason,
            zh: zh.into(),
            en: en.into(),
            warning: false,
        }
    }

    /// A fault of the file as a whole.
    pub fn whole(reason: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Fault {
        Fault::at(0, "", "", reason, zh, en)
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Fault {
        self.warning = true;
        self
    }
}
