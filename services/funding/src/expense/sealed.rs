//! What is personal about an expense beside its payee: the words of objections.

/// Where a text of an objection is sealed for.
pub(crate) fn objection_place(expense: &str, objection: uuid::Uuid, column: &str) -> String {
    format!("{expense} objection {objection} {column}")
}
