//! Values on the wire and inside: dates, instants, names, masks. Reading yields a field fault, never a panic.

use contracts::google::r#type as google;
use jiff::{Timestamp, civil::Date};

use crate::refusal::{FieldFault, Refusal};

/// A civil date, when it is set.
///
/// # Errors
/// A fault of `field` for a date that doesn't exist.
pub fn date(field: &str, date: Option<&google::Date>) -> Result<Option<Date>, FieldFault> {
    let Some(date) = date else { return Ok(None) };
    let read = || {
        Date::new(
            i16::try_from(date.year).ok()?,
            i8::try_from(date.month).ok()?,
            i8::try_from(date.day).ok()?,
        )
        .ok()
    };
    let plausible = read().filter(|date| (1900..=2200).contains(&date.year()));
    plausible.map(Some).ok_or_else(|| {
        FieldFault::new(field, "DATE", "不是真实日期（1900-2200）", "not a real date (1900-2200)")
    })
}

/// A civil date that must be set.
///
/// # Errors
/// A fault of `field` when it isn't, or doesn't exist.
pub fn required_date(field: &str, given: Option<&google::Date>) -> Result<Date, FieldFault> {
    date(field, given)?.ok_or_else(|| FieldFault::new(field, "REQUIRED", "必填", "required"))
}

/// A civil date for the wire.
pub fn to_date(date: Date) -> google::Date {
    google::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

/// An instant for SQL, when it is set.
///
/// # Errors
/// A fault of `field` for an instant out of range.
pub fn instant(field: &str, at: Option<&prost_types::Timestamp>) -> Result<Option<Timestamp>, FieldFault> {
    let Some(at) = at else { return Ok(None) };
    let read = Timestamp::new(at.seconds, at.nanos);
    read.map(Some).map_err(|_| FieldFault::new(field, "TIMESTAMP", "不是有效时刻", "not a valid instant"))
}

/// An instant for the wire, from microseconds since 1970.
pub fn to_timestamp(micros: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32,
    }
}

/// A value that parses from text, such as a name.
///
/// # Errors
/// A fault of `field` with what the parser said.
pub fn parsed<T>(field: &str, text: &str) -> Result<T, FieldFault>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| {
        FieldFault::new(field, "FORMAT", format!("格式不符：{error}"), error.to_string())
    })
}

/// The same as a refusal, for requests with one such field.
///
/// # Errors
/// BAD_REQUEST.
pub fn name<T>(field: &str, text: &str) -> Result<T, Refusal>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    parsed(field, text).map_err(|fault| Refusal::fields(vec![fault]))
}

/// The fields that an update changes: those of the mask, or all of `known` without one.
///
/// # Errors
/// A fault for a path that can't be changed.
pub fn mask(
    mask: Option<&prost_types::FieldMask>,
    known: &[&'static str],
) -> Result<Vec<&'static str>, FieldFault> {
    let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    if paths.is_empty() || paths == ["*"] {
        return Ok(known.to_vec());
    }
    let find = |path: &String| known.iter().find(|field| *field == path).copied();
    let unknown = paths.iter().filter(|path| find(path).is_none());
    let unknown: Vec<&str> = unknown.map(|path| kernel::text::repeatable(path)).collect();
    if !unknown.is_empty() {
        let (wrong, right) = (unknown.join(", "), known.join(", "));
        return Err(FieldFault::new(
            "update_mask",
            "UNKNOWN_FIELD",
            format!("{wrong} 不可修改；可修改：{right}"),
            format!("{wrong} can't be changed here; {right} can"),
        ));
    }
    Ok(paths.iter().filter_map(find).collect())
}
