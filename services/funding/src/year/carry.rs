//! Which funds a year's policy carries over.

use chassis::refusal::Refusal;
use sqlx::PgConnection;

use crate::ledger::rules::Fund;

/// The funds of which what is left is carried over for one year.
pub(super) async fn carried(_sql: &mut PgConnection, _town: &str, _year: i32) -> Result<Vec<Fund>, Refusal> {
    Ok(vec![Fund::Service])
}
