//! What stands in a cell of a workbook, as the text that a CSV would have.

use std::borrow::Cow;

use calamine::{CellErrorType, DataRef, ExcelDateTime};
use jiff::civil::Date;

use crate::Fault;

/// Digits that a spreadsheet keeps of a number.
const DIGITS: usize = 15;

/// Why a cell has no text.
#[derive(Debug, PartialEq)]
pub(super) struct Flaw {
    reason: &'static str,
    value: String,
    zh: &'static str,
    en: &'static str,
}

impl Flaw {
    /// The fault at its place.
    pub(super) fn at(self, row: u64, column: &str) -> Fault {
        Fault::at(row, column, &self.value, self.reason, self.zh, self.en)
    }
}

/// The text of a cell: whole numbers without `.0`, days as 2020-01-31, TRUE and FALSE, of a formula its saved result.
pub(super) fn text<'a>(value: &'a DataRef<'_>) -> Result<Cow<'a, str>, Flaw> {
    Ok(match value {
        DataRef::Empty => Cow::Borrowed(""),
        DataRef::String(text) | DataRef::DurationIso(text) => Cow::Borrowed(text),
        DataRef::SharedString(text) => Cow::Borrowed(text),
        DataRef::Bool(true) => Cow::Borrowed("TRUE"),
        DataRef::Bool(false) => Cow::Borrowed("FALSE"),
        DataRef::Int(number) => Cow::Owned(number.to_string()),
        DataRef::Float(number) => Cow::Owned(decimal(*number)?),
        DataRef::DateTime(day) => Cow::Owned(date(day)?),
        // midnight is how some programs write a day
        DataRef::DateTimeIso(text) => Cow::Borrowed(
            ["T00:00:00.000", "T00:00:00"].iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text),
        ),
        DataRef::Error(error) => return Err(failed(error)),
    })
}

/// A number with the digits that a spreadsheet keeps. Of a longer one it has lost some, so what stands there is not what
/// somebody entered.
fn decimal(number: f64) -> Result<String, Flaw> {
    let text = if number == 0.0 { "0".to_owned() } else { number.to_string() };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let significant = if text.contains('.') { digits.trim_start_matches('0') } else { &digits };
    if number.is_finite() && significant.len() <= DIGITS {
        return Ok(text);
    }
    Err(Flaw {
        reason: "PRECISION",
        value: text,
        zh: "数字超过 15 位有效数字，表格软件已将其取整：请将该列设为文本格式后重新填写",
        en: "a number of more than 15 digits, which spreadsheets round: format the column as text and enter it again",
    })
}

/// A day; with its time when it has one, so that nothing is dropped.
fn date(day: &ExcelDateTime) -> Result<String, Flaw> {
    let serial = day.as_f64();
    let bad = |zh, en| Flaw { reason: "BAD_DATE", value: serial.to_string(), zh, en };
    if day.is_duration() {
        return Err(bad("是时长而非日期", "a span of time, not a date"));
    }
    let (year, month, date, hour, minute, second, _) = day.to_ymd_hms_milli();
    let real = Date::new(year as i16, month as i8, date as i8).ok();
    // outside of it the number is bent to the nearest day
    let real = real.filter(|date| (0.0..2_958_466.0).contains(&serial) && date.year() >= 1900);
    let date = real.ok_or_else(|| {
        bad("不是真实日期，应如 2020-01-31", "not a real date; it should look like 2020-01-31")
    })?;
    if serial.fract() == 0.0 {
        return Ok(date.to_string());
    }
    Ok(format!("{date} {hour:02}:{minute:02}:{second:02}"))
}

fn failed(error: &CellErrorType) -> Flaw {
    Flaw {
        reason: "CELL_ERROR",
        value: error.to_string(),
        zh: "单元格是公式错误值，请更正公式或改填数值",
        en: "the result of a formula that failed: correct it, or enter the value",
    }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    fn shown(value: &DataRef<'_>) -> String {
        text(value).map_or_else(|flaw| flaw.reason.to_owned(), Cow::into_owned)
    }

    #[test]
    fn numbers_keep_every_digit_or_are_refused() {
        for (number, expected) in [
            (310_114_106_001.0, "310114106001"),
            (0.0, "0"),
            (-0.0, "0"),
            (-5.0, "-5"),
            (2.5, "2.5"),
            (0.1, "0.1"),
            (999_999_999_999_999.0, "999999999999999"),
            (0.1 + 0.2, "PRECISION"),
            (1_234_567_890_123_456.0, "PRECISION"),
            (310_199_195_112_050_137.0, "PRECISION"),
            (1e300, "PRECISION"),
            (f64::INFINITY, "PRECISION"),
            (f64::NAN, "PRECISION"),
        ] {
            assert_eq!(shown(&DataRef::Float(number)), expected, "{number}");
        }
    }

    #[test]
    fn days_are_iso_in_both_systems_and_none_is_invented() {
        let day = |serial, is_1904| {
            shown(&DataRef::DateTime(ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904)))
        };
        assert_eq!(day(43_831.0, false), "2020-01-01");
        assert_eq!(day(42_369.0, true), "2020-01-01");
        assert_eq!(day(1.0, false), "1900-01-01");
        assert_eq!(day(61.0, false), "1900-03-01");
        // 29 February 1900, which spreadsheets believe in
        assert_eq!(day(60.0, false), "BAD_DATE");
        assert_eq!(day(0.0, true), "1904-01-01");
        assert_eq!(day(0.5, false), "BAD_DATE");
        assert_eq!(day(-3.0, false), "BAD_DATE");
        assert_eq!(day(3e9, false), "BAD_DATE");
        assert_eq!(day(43_831.5, false), "2020-01-01 12:00:00");
        let span = ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false);
        assert_eq!(shown(&DataRef::DateTime(span)), "BAD_DATE");
        assert_eq!(shown(&DataRef::DateTimeIso("2020-01-31T00:00:00".to_owned())), "2020-01-31");
    }

    #[test]
    fn booleans_and_errors() {
        assert_eq!(shown(&DataRef::Bool(true)), "TRUE");
        assert_eq!(shown(&DataRef::Error(CellErrorType::NA)), "CELL_ERROR");
    }
}
