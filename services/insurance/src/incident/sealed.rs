//! What is personal about an incident: what happened, and the words of visits.

use chassis::{refusal::FieldFault, vault::Vault};
use kernel::text::is_invisible;
use uuid::Uuid;

use chassis::refusal::Refusal;

/// Where the description of an incident is sealed for.
pub(crate) fn description_place(incident: &str) -> String {
    format!("{incident} description")
}

/// Where the words of a visit are sealed for.
pub(crate) fn visit_place(town: &str, incident: Uuid, n: i32) -> String {
    format!("towns/{town}/incidents/{incident} visit {n} text")
}

/// The number of the key that seals now, for its column.
///
/// # Errors
/// INTERNAL when the column can't hold it.
pub(crate) fn key_of(vault: &Vault) -> Result<i32, Refusal> {
    i32::try_from(vault.sealing()).map_err(Refusal::internal)
}

/// Words that may name people: a fault repeats nothing of them. Lines may end.
///
/// # Errors
/// A fault of the field.
pub(crate) fn words(field: &str, text: &str, limit: usize) -> Result<String, FieldFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(FieldFault::new(field, "REQUIRED", "必填", "required"));
    }
    if text.chars().any(|c| is_invisible(c) && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(FieldFault::new(field, "TEXT", "含不可见字符", "holds characters that nobody can see"));
    }
    if text.chars().count() > limit {
        let en = format!("{limit} characters at most");
        return Err(FieldFault::new(field, "TEXT", format!("最多 {limit} 个字符"), en));
    }
    Ok(text.to_owned())
}
