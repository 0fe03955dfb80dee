//! Terms that were counted before a paper came.

use chassis::refusal::Refusal;
use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

use super::{COLUMNS, Row};

/// Whether a term of the town was counted with fewer than `papers`.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn counted_before(sql: &mut PgConnection, town: &str, papers: i32) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from claim where town = $1 and term_days is not null and papers < $2) as "found!""#,
        town,
        papers,
    );
    Ok(found.fetch_one(sql).await?)
}

/// Some of these claims, locked in the order of their ids.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn lock_counted_before(
    sql: &mut PgConnection,
    town: &str,
    papers: i32,
    limit: i64,
) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from claim x where x.town = ").push_bind(town);
    query.push(" and x.term_days is not null and x.papers < ").push_bind(papers);
    query.push(" order by x.id limit ").push_bind(limit).push(" for update");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// Keeps what was counted again; a day that moved makes a new version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn recounted(sql: &mut PgConnection, rows: &[Row]) -> Result<(), Refusal> {
    let Some(first) = rows.first() else { return Ok(()) };
    sqlx::query!(
        "update claim x set due = r.due::date, due_provisional = r.provisional, notice_ends = r.notice_ends::date, appeal_ends = r.appeal_ends::date,
                papers = r.papers,
                version = r.version, updated = case when r.version > x.version then clock_timestamp() else x.updated end
         from unnest($2::uuid[], $3::text[], $4::boolean[], $5::text[], $6::integer[], $7::bigint[], $8::text[])
              as r (id, due, provisional, notice_ends, papers, version, appeal_ends)
         where x.town = $1 and x.id = r.id",
        first.town,
        &rows.iter().map(|row| row.id).collect::<Vec<Uuid>>(),
        &rows.iter().map(|row| row.due.clone()).collect::<Vec<_>>() as &[Option<String>],
        &rows.iter().map(|row| row.due_provisional).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.notice_ends.clone()).collect::<Vec<_>>() as &[Option<String>],
        &rows.iter().map(|row| row.papers).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.version).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.appeal_ends.clone()).collect::<Vec<_>>() as &[Option<String>],
    )
    .execute(sql)
    .await?;
    Ok(())
}
