//! Fiscal years as the ledger asks for them.

use chassis::refusal::Refusal;
use sqlx::PgConnection;

use crate::reasons::{FISCAL_YEAR_CLOSED, FISCAL_YEAR_NOT_OPEN};

/// Refuses a year in which nothing can be booked. A year before the first that was opened counts as closed.
///
/// # Errors
/// FISCAL_YEAR_CLOSED, FISCAL_YEAR_NOT_OPEN.
pub(crate) async fn need_open(sql: &mut PgConnection, town: &str, year: i32) -> Result<(), Refusal> {
    let row = sqlx::query!(
        r#"select (select state from fiscal_year where town = $1 and year = $2) as state,
                  exists (select from fiscal_year where town = $1 and year > $2) as "later!""#,
        town,
        year,
    );
    let row = row.fetch_one(sql).await?;
    match row.state.as_deref() {
        Some("OPEN") => Ok(()),
        None if !row.later => Err(Refusal::new(&FISCAL_YEAR_NOT_OPEN).with("year", year)),
        _ => Err(Refusal::new(&FISCAL_YEAR_CLOSED).with("year", year)),
    }
}

/// Opens a year unless it is there. `false` when it is.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn open(sql: &mut PgConnection, town: &str, year: i32) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into fiscal_year (town, year) values ($1, $2) on conflict do nothing",
        town,
        year
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}
