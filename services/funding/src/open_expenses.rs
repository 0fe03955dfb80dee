//! Expenses that may still move money: what stands in the way of a settlement, of a grant's end, of a year's end.

use chassis::{fields, refusal::Refusal};
use kernel::state::Named;
use sqlx::PgConnection;

use crate::{
    expense::{rules::State, store::in_states},
    reasons::OPEN_EXPENSES,
};

/// Expenses that a refusal names at most.
const NAMED: i64 = 100;

/// The states in which money is still to be paid or given back. A settled expense waits for its disclosure alone.
pub(crate) fn moving_states() -> Vec<String> {
    let moving = |state: &State| match state {
        State::Applied
        | State::Reviewed
        | State::Notice
        | State::Objected
        | State::Approved
        | State::Paying
        | State::Paid
        | State::RevisionRequested => true,
        State::Settled | State::Disclosed | State::Rejected | State::Withdrawn => false,
    };
    State::ALL.iter().filter(|state| moving(state)).map(|state| state.name().to_owned()).collect()
}

/// Refuses for `name` while an expense of a committee with this earmark may still move money.
///
/// # Errors
/// OPEN_EXPENSES with their names.
pub(crate) async fn need_none(
    sql: &mut PgConnection,
    town: &str,
    (committee, earmark): (&str, &str),
    name: &str,
) -> Result<(), Refusal> {
    let (first, many) = in_states(sql, town, (committee, earmark), &moving_states(), NAMED).await?;
    if many == 0 {
        return Ok(());
    }
    let names: Vec<String> = first.iter().map(|id| format!("towns/{town}/expenses/{id}")).collect();
    Err(Refusal::new(&OPEN_EXPENSES)
        .with("name", name)
        .with("count", many)
        .with("names", fields::some(&names)))
}
