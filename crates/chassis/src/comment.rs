//! Reasons that must be given.

use crate::refusal::{FieldFault, REASON_REQUIRED, Refusal};

/// The reason that a caller gives for `verb` on `name`.
///
/// # Errors
/// REASON_REQUIRED when he gives none.
pub fn reason<'a>(comment: &'a str, name: &str, verb: &str) -> Result<&'a str, Refusal> {
    let reason = comment.trim();
    if reason.is_empty() {
        return Err(Refusal::new(&REASON_REQUIRED)
            .with("name", name)
            .with("verb", verb)
            .at_field(FieldFault::new("comment", "REQUIRED", "须写明理由", "say why")));
    }
    Ok(reason)
}
