//! Which funds a year's policy carries over.

use chassis::refusal::Refusal;
use kernel::state::Named;
use sqlx::PgConnection;

use crate::{
    ledger::rules::Fund,
    policy::{rules::CarryOver, store::in_force},
};

/// The funds of which what is left is carried over for one year. Without a policy nothing is: it goes back.
pub(super) async fn carried(sql: &mut PgConnection, town: &str, year: i32) -> Result<Vec<Fund>, Refusal> {
    let Some(policy) = in_force(sql, town, year).await? else { return Ok(Vec::new()) };
    let carries = |fund: &Fund| policy.carry_over(*fund) == CarryOver::OneYear;
    Ok(Fund::ALL.iter().copied().filter(carries).collect())
}
