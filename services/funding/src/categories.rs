//! The names of categories, as the policies published them.

use std::collections::BTreeMap;

use chassis::refusal::Refusal;
use kernel::state::Named;
use sqlx::PgConnection;

use crate::ledger::rules::Fund;

/// The names of the categories that a fund paid in any year; of several, that of the last year.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn category_names(
    sql: &mut PgConnection,
    town: &str,
    fund: Fund,
) -> Result<BTreeMap<String, String>, Refusal> {
    let rows = sqlx::query!(
        "select category, display_name from allowed_category where town = $1 and fund = $2 order by fiscal_year",
        town,
        fund.name(),
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.category, row.display_name)).collect())
}
