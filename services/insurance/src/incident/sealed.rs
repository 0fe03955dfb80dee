//! What is personal about an incident: what happened, and the words of visits.

use chassis::{fields, refusal::FieldFault};
use uuid::Uuid;

/// Where the description of an incident is sealed for.
pub(crate) fn description_place(incident: &str) -> String {
    format!("{incident} description")
}

/// Where the words of a visit are sealed for.
pub(crate) fn visit_place(town: &str, incident: Uuid, n: i32) -> String {
    format!("towns/{town}/incidents/{incident} visit {n} text")
}

/// Words that may name people: a fault repeats nothing of them. Lines may end.
///
/// # Errors
/// A fault of the field.
pub(crate) fn words(field: &str, text: &str, limit: usize) -> Result<String, FieldFault> {
    let text = fields::words(field, text)?;
    if text.chars().count() > limit {
        let en = format!("{limit} characters at most");
        return Err(FieldFault::new(field, "TEXT", format!("最多 {limit} 个字符"), en));
    }
    Ok(text.to_owned())
}
