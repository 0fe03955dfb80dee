//! Cells as values: whatever can't be read is noted, and the next cell is looked at all the same.

use std::ops::RangeInclusive;

use jiff::civil::Date;

use crate::{Column, Fault, Row};

/// The cells of a row, and the faults that reading them finds.
#[derive(Debug)]
pub struct Cells<'a> {
    row: &'a Row,
    columns: &'a [Column],
    faults: Vec<Fault>,
}

impl<'a> Cells<'a> {
    /// The cells of `row`.
    pub fn new(row: &'a Row, columns: &'a [Column]) -> Cells<'a> {
        Cells { row, columns, faults: Vec::new() }
    }

    /// The number of the row.
    pub fn number(&self) -> u64 {
        self.row.number
    }

    /// The raw text of a column.
    pub fn raw(&self, column: &str) -> &'a str {
        let place = self.columns.iter().position(|candidate| candidate.name == column);
        place.map_or("", |place| self.row.cells[place].as_str())
    }

    /// Notes a fault at a column.
    pub fn fault(
        &mut self,
        column: &str,
        reason: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) {
        let value = self.raw(column);
        self.faults.push(Fault::at(self.row.number, column, value, reason, zh, en));
    }

    /// Text that must be there.
    pub fn text(&mut self, column: &str) -> Option<String> {
        match self.raw(column) {
            "" => {
                self.fault(column, "REQUIRED", "必填", "required");
                None
            }
            text => Some(text.to_owned()),
        }
    }

    /// Text that `parse` accepts.
    pub fn parsed<T, E: std::fmt::Display>(
        &mut self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(column)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(column, "FORMAT", format!("格式不符：{error}"), error.to_string());
                None
            }
        }
    }

    /// A date, or nothing; the outer `None` is a fault.
    pub fn optional_date(&mut self, column: &str) -> Option<Option<Date>> {
        let text = self.raw(column);
        if text.is_empty() {
            return Some(None);
        }
        let strict = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(n, b)| if n == 4 || n == 7 { b == b'-' } else { b.is_ascii_digit() });
        match text.parse::<Date>() {
            Ok(date) if strict => Some(Some(date)),
            _ => {
                self.fault(
                    column,
                    "BAD_DATE",
                    "不是真实日期，应如 2020-01-31",
                    "not a real date; it should look like 2020-01-31",
                );
                None
            }
        }
    }

    /// A date that must be there.
    pub fn date(&mut self, column: &str) -> Option<Date> {
        self.text(column)?;
        self.optional_date(column)?
    }

    /// A whole number within `range`.
    pub fn integer(&mut self, column: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let text = self.text(column)?;
        let (low, high) = (range.start(), range.end());
        match text.parse::<i64>() {
            Ok(number) if range.contains(&number) => Some(number),
            Ok(_) => {
                self.fault(
                    column,
                    "OUT_OF_RANGE",
                    format!("应在 {low} 与 {high} 之间"),
                    format!("should be between {low} and {high}"),
                );
                None
            }
            Err(_) if kernel::text::has_full_width_digits(&text) => {
                self.fault(
                    column,
                    "FULL_WIDTH",
                    "含全角数字，请改为半角",
                    "the digits are full-width; write 0-9",
                );
                None
            }
            Err(_) if text.contains(',') => {
                self.fault(column, "THOUSANDS", "请去掉千位分隔符", "write it without thousands separators");
                None
            }
            Err(_) => {
                self.fault(column, "NOT_A_NUMBER", "不是整数", "not a whole number");
                None
            }
        }
    }

    /// One of `allowed`.
    pub fn one_of(&mut self, column: &str, allowed: &[&'static str]) -> Option<&'static str> {
        let text = self.text(column)?;
        let found = allowed.iter().find(|name| **name == text).copied();
        if found.is_none() {
            let list = allowed.join(", ");
            self.fault(column, "UNKNOWN_VALUE", format!("可用值：{list}"), format!("allowed: {list}"));
        }
        found
    }

    /// One of `allowed`, or nothing.
    pub fn optional_one_of(&mut self, column: &str, allowed: &[&'static str]) -> Option<&'static str> {
        if self.raw(column).is_empty() { Some("") } else { self.one_of(column, allowed) }
    }

    /// The value when no fault was found, else the faults.
    ///
    /// # Errors
    /// Every fault of the row.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Fault>> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(self.faults),
        }
    }
}
