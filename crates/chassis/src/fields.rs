//! Fields of requests: names within a town, names for display; and lists within a message.

use crate::{
    refusal::{Faults, FieldFault, Refusal},
    wire,
};
use jiff::civil::Date;
use kernel::{
    name::{CommitteeName, CommunityName},
    periods::Period,
    text::{NAME_CHARS, display_name, is_invisible},
};

/// A name for display.
///
/// # Errors
/// A fault of the field.
pub fn display(field: &str, text: &str) -> Result<String, FieldFault> {
    display_name(text, NAME_CHARS).map(str::to_owned).map_err(|error| {
        let zh = match &error {
            kernel::text::TextError::Empty => "必填".to_owned(),
            kernel::text::TextError::TooLong { chars, limit } => format!("共 {chars} 个字符，最多 {limit}"),
            kernel::text::TextError::Invisible(code) => format!("含不可见字符 U+{code:04X}"),
        };
        FieldFault::new(field, "TEXT", zh, error.to_string())
    })
}

/// Words that may name people and are sealed: something, of signs that everybody sees, lines apart. A fault repeats nothing of them.
///
/// # Errors
/// A fault of the field.
pub fn words<'a>(field: &str, text: &'a str) -> Result<&'a str, FieldFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(FieldFault::new(field, "REQUIRED", "必填", "required"));
    }
    if text.chars().any(|c| is_invisible(c) && !matches!(c, '\n' | '\r' | '\t')) {
        let (zh, en) = ("含不可见字符", "holds characters that nobody can see");
        return Err(FieldFault::new(field, "TEXT", zh, en));
    }
    Ok(text)
}

/// Characters of what a payer calls a payment, at most.
pub const REFERENCE: usize = 64;

/// What a payer calls a payment: something, of signs that everybody sees.
///
/// # Errors
/// A fault of the field.
pub fn reference(field: &str, text: &str) -> Result<String, FieldFault> {
    display_name(text, REFERENCE)
        .map(str::to_owned)
        .map_err(|error| FieldFault::new(field, "TEXT", "须为 1 至 64 个可见字符", error.to_string()))
}

/// The id of a community in the same town.
///
/// # Errors
/// A fault of the field.
pub fn community_id(field: &str, town: &str, text: &str) -> Result<String, FieldFault> {
    let name: CommunityName = wire::parsed(field, text)?;
    same_town(field, town, name.town())?;
    Ok(name.community().to_owned())
}

/// The id of a committee in the same town.
///
/// # Errors
/// A fault of the field.
pub fn committee_id(field: &str, town: &str, text: &str) -> Result<String, FieldFault> {
    let name: CommitteeName = wire::parsed(field, text)?;
    same_town(field, town, name.town())?;
    Ok(name.committee().to_owned())
}

/// A name that must lie in the town of the resource.
///
/// # Errors
/// A fault of the field.
pub fn same_town(field: &str, town: &str, other: &str) -> Result<(), FieldFault> {
    if town == other {
        return Ok(());
    }
    Err(FieldFault::new(field, "ANOTHER_TOWN", "属于另一个镇", "lies in another town"))
}

/// A name that lies in `town`.
///
/// # Errors
/// A fault of the field.
pub fn in_town<N>(field: &str, text: &str, town: &str, of: impl Fn(&N) -> &str) -> Result<N, FieldFault>
where
    N: std::str::FromStr,
    N::Err: std::fmt::Display,
{
    let name: N = wire::parsed(field, text)?;
    if of(&name) == town {
        Ok(name)
    } else {
        Err(FieldFault::new(field, "ANOTHER_TOWN", "属于另一个镇", "lies in another town"))
    }
}

/// The first twenty of a list, and how many more there are.
pub fn some(ids: &[String]) -> String {
    let shown = ids.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(20) {
        0 => shown,
        more => format!("{shown}, … (+{more})"),
    }
}

/// The days from `start_date` until `end_date` of a request.
///
/// # Errors
/// A fault of the field.
pub fn period(start: Date, end: Option<Date>) -> Result<Period, Refusal> {
    Period::new(start, end)
        .map_err(|error| Refusal::field("end_date", "ORDER", "应晚于 start_date", error.to_string()))
}

/// Notes that a correction lacks its reason, which stands in `field`.
pub fn need_reason_to_correct(faults: &mut Faults, field: &'static str, text: &str) {
    if text.trim().is_empty() {
        faults.push(FieldFault::new(field, "REQUIRED", "更正须写明理由", "a correction needs its reason"));
    }
}

/// A count for the wire, which has 32 bits for it.
pub fn number(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}
