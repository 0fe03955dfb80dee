//! The transitions of a resource, as they were recorded.

use contracts::linli::common::v1::TimelineEntry;
use sqlx::{PgConnection, Row};

use crate::{refusal::Refusal, wire};

/// Transitions that are shown at most: the newest of them.
const MOST: i64 = 200;

/// The newest transitions of `resource`, oldest first.
///
/// # Errors
/// UNAVAILABLE without a connection.
pub async fn read(sql: &mut PgConnection, town: &str, resource: &str) -> Result<Vec<TimelineEntry>, Refusal> {
    let rows = sqlx::query(
        "select (extract(epoch from recorded) * 1000000)::bigint as at, principal, verb, from_state, to_state, comment, version
         from history where town = $1 and resource = $2 order by version desc limit $3",
    )
    .bind(town)
    .bind(resource)
    .bind(MOST)
    .fetch_all(sql)
    .await?;
    rows.iter()
        .rev()
        .map(|row| {
            Ok(TimelineEntry {
                record_time: Some(wire::to_timestamp(row.try_get("at")?)),
                principal: row.try_get("principal")?,
                verb: row.try_get("verb")?,
                from_state: row.try_get("from_state")?,
                to_state: row.try_get("to_state")?,
                comment: row.try_get("comment")?,
                version: row.try_get("version")?,
            })
        })
        .collect()
}
