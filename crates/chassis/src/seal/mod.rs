//! The sealer: one background task at a time that numbers events and chains audit records, town by town, in the
//! order in which they became visible. Writers never wait for it.
//!
//! Numbers and seals are given only here, under one lock, to rows that are committed; a row that is committed late
//! is numbered late, so a cursor over numbers never skips one. Within a batch, rows follow `ord`, drawn while the
//! resource's row was locked, so a resource's events keep the order of its versions.

mod chain;
#[cfg(test)]
mod tests;

pub use chain::{Link, Verification, verify};

use std::{collections::HashMap, future::Future, pin::Pin, time::Duration};

use sqlx::{PgConnection, Row};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{db::Db, refusal::Refusal};

/// Audit records that one pass takes at most.
const BATCH: i64 = 1_000;
/// Events that one pass takes at most: an import makes many.
const EVENTS: i64 = 5_000;

/// How often what is kept for a time is looked through.
const TIDY: Duration = Duration::from_secs(3_600);

/// What a service seals beside events and audit records, within the same transaction: yields how many rows it took.
pub type Sealer =
    for<'a> fn(&'a mut PgConnection) -> Pin<Box<dyn Future<Output = Result<i64, Refusal>> + Send + 'a>>;

/// Seals until `stop`, every `pause` and as long as there is more; `own` is what the service seals beside.
pub async fn run(db: Db, own: &'static [Sealer], pause: Duration, stop: CancellationToken) {
    let mut tidied = tokio::time::Instant::now();
    while !stop.is_cancelled() {
        if tidied.elapsed() > TIDY {
            tidied = tokio::time::Instant::now();
            if let Err(refusal) = forget(&db).await {
                tracing::warn!(error = %refusal, "old request ids stay for another hour");
            }
        }
        match pass(&db, own).await {
            Ok(taken) if taken >= BATCH => continue,
            Ok(_) => {}
            Err(refusal) => tracing::warn!(error = %refusal, "sealing failed; it will be tried again"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Forgets the answers of request ids after 30 days, in bounded steps, and what operations that ended without success were
/// to work on.
///
/// # Errors
/// UNAVAILABLE without a connection.
pub async fn forget(db: &Db) -> Result<u64, Refusal> {
    let mut tx = db.begin().await?;
    let gone = sqlx::query(
        "delete from idempotency where (principal, method, request_id) in (
             select principal, method, request_id from idempotency where created < now() - interval '30 days' order by created limit 10000)",
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    crate::operations::store::forget_inputs(&mut tx).await?;
    tx.commit().await?;
    Ok(gone)
}

/// One pass: numbers and seals what is committed. Yields how many rows it took; 0 also when another is at it.
///
/// # Errors
/// UNAVAILABLE without a connection.
pub async fn pass(db: &Db, own: &[Sealer]) -> Result<i64, Refusal> {
    let mut tx = db.begin().await?;
    let mine: bool = sqlx::query("select pg_try_advisory_xact_lock(hashtext(current_schema() || ' sealer'))")
        .fetch_one(&mut *tx)
        .await?
        .try_get(0)?;
    if !mine {
        return Ok(0);
    }
    let mut taken = number_events(&mut tx).await?.max(chain::seal(&mut tx, BATCH).await?);
    for seal in own {
        taken = taken.max(seal(&mut tx).await?);
    }
    tx.commit().await?;
    Ok(taken)
}

/// Numbers the events that have none, in the order of `ord`, town by town behind the last number.
async fn number_events(sql: &mut PgConnection) -> Result<i64, Refusal> {
    let pending: Vec<(String, Uuid)> =
        sqlx::query_as("select town, id from event where seq is null order by ord limit $1")
            .bind(EVENTS)
            .fetch_all(&mut *sql)
            .await?;
    let mut last: HashMap<&str, i64> = HashMap::new();
    for (town, _) in &pending {
        if !last.contains_key(town.as_str()) {
            last.insert(town, last_number(&mut *sql, town).await?);
        }
    }
    let mut numbers = Vec::with_capacity(pending.len());
    for (town, _) in &pending {
        let number = last.entry(town).or_default();
        *number += 1;
        numbers.push(*number);
    }
    let (towns, ids): (Vec<&str>, Vec<Uuid>) = pending.iter().map(|(town, id)| (town.as_str(), *id)).unzip();
    // row by row through the key: what joins the events with themselves grows with the square of the batch
    let numbered = sqlx::query(
        "update event set seq = numbered.seq from unnest($1::text[], $2::uuid[], $3::bigint[]) as numbered (town, id, seq)
         where event.town = numbered.town and event.id = numbered.id",
    )
    .bind(towns)
    .bind(ids)
    .bind(numbers)
    .execute(sql)
    .await?
    .rows_affected();
    Ok(i64::try_from(numbered).unwrap_or(EVENTS))
}

/// The last number of a town's events.
async fn last_number(sql: &mut PgConnection, town: &str) -> Result<i64, Refusal> {
    let last = sqlx::query_scalar(
        "select seq from event where town = $1 and seq is not null order by seq desc limit 1",
    );
    Ok(last.bind(town).fetch_optional(sql).await?.unwrap_or(0))
}
