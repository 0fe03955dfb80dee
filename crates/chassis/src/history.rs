//! What the stores of bitemporal tables share.

use jiff::civil::Date;
use kernel::periods::{Period, Splice};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::refusal::Refusal;

/// The instant of a change, taken after its rows are locked: one instant for all that it closes and inserts, so that
/// no moment lies between. As text, with the precision of Postgres.
///
/// # Errors
/// What Postgres answered, or wrote that is no date.
pub async fn stamp(sql: &mut PgConnection) -> Result<String, Refusal> {
    Ok(sqlx::query_scalar("select clock_timestamp()::text").fetch_one(sql).await?)
}

/// Ends the recorded time of rows that are believed no longer.
///
/// # Errors
/// What Postgres answered, or wrote that is no date.
pub async fn close<V>(
    sql: &mut PgConnection,
    table: &'static str,
    town: &str,
    splice: &Splice<Uuid, V>,
    at: &str,
) -> Result<(), Refusal> {
    let statement = format!(
        "update {table} set recorded = tstzrange(lower(recorded), $3::text::timestamptz) where town = $1 and id = any($2)"
    );
    sqlx::query(AssertSqlSafe(statement)).bind(town).bind(&splice.close).bind(at).execute(sql).await?;
    Ok(())
}

/// A date that Postgres wrote.
///
/// # Errors
/// What Postgres answered, or wrote that is no date.
pub fn day(text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(Refusal::internal)
}

/// A period that Postgres wrote as its bounds.
///
/// # Errors
/// What Postgres answered, or wrote that is no date.
pub fn period(from: &str, to: Option<&str>) -> Result<Period, Refusal> {
    let to = to.map(day).transpose()?;
    Period::new(day(from)?, to).map_err(Refusal::internal)
}

/// The bounds of a period for Postgres.
pub fn bounds(period: Period) -> (String, Option<String>) {
    (period.from().to_string(), period.to().map(|to| to.to_string()))
}
