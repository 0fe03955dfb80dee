//! Expenses of an earmark by their states.

use chassis::refusal::Refusal;
use sqlx::PgConnection;
use uuid::Uuid;

/// The first expenses of a committee with an earmark that are in one of these states, and how many there are in all.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn in_states(
    sql: &mut PgConnection,
    town: &str,
    (committee, earmark): (&str, &str),
    states: &[String],
    limit: i64,
) -> Result<(Vec<Uuid>, i64), Refusal> {
    let rows = sqlx::query!(
        r#"select id, count(*) over () as "many!" from expense
           where town = $1 and committee = $2 and earmark = $3 and state = any($4) order by id limit $5"#,
        town,
        committee,
        earmark,
        states,
        limit,
    );
    let rows = rows.fetch_all(sql).await?;
    let many = rows.first().map_or(0, |row| row.many);
    Ok((rows.into_iter().map(|row| row.id).collect(), many))
}
