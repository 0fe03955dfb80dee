//! The sealer: one background task at a time that numbers events and chains audit records, town by town, in the
//! order in which they became visible. Writers never wait for it.
//!
//! Numbers and seals are given only here, under one lock, to rows that are committed; a row that is committed late
//! is numbered late, so a cursor over numbers never skips one. Within a batch, rows follow `ord`, drawn while the
//! resource's row was locked, so a resource's events keep the order of its versions.

mod chain;
#[cfg(test)]
mod tests;

pub use chain::{Verification, verify};

use std::time::Duration;

use sqlx::{PgConnection, Row};
use tokio_util::sync::CancellationToken;

use crate::{db::Db, refusal::Refusal};

/// Rows that one pass takes at most.
const BATCH: i64 = 1_000;

/// How often what is kept for a time is looked through.
const TIDY: Duration = Duration::from_secs(3_600);

/// Seals until `stop`, every `pause` and as long as there is more.
pub async fn run(db: Db, pause: Duration, stop: CancellationToken) {
    let mut tidied = tokio::time::Instant::now();
    while !stop.is_cancelled() {
        if tidied.elapsed() > TIDY {
            tidied = tokio::time::Instant::now();
            if let Err(refusal) = forget(&db).await {
                tracing::warn!(error = %refusal, "old request ids stay for another hour");
            }
        }
        match pass(&db).await {
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
pub async fn pass(db: &Db) -> Result<i64, Refusal> {
    let mut tx = db.begin().await?;
    let mine: bool = sqlx::query("select pg_try_advisory_xact_lock(hashtext(current_schema() || ' sealer'))")
        .fetch_one(&mut *tx)
        .await?
        .try_get(0)?;
    if !mine {
        return Ok(0);
    }
    let taken = number_events(&mut tx).await?.max(chain::seal(&mut tx, BATCH).await?);
    tx.commit().await?;
    Ok(taken)
}

async fn number_events(sql: &mut PgConnection) -> Result<i64, Refusal> {
    let numbered = sqlx::query(
        "with pending as (
             select town, id, row_number() over (partition by town order by ord) as n
             from (select town, id, ord from event where seq is null order by ord limit $1) as batch),
         last as (
             select t.town, coalesce((select seq from event e where e.town = t.town and e.seq is not null
                                      order by e.seq desc limit 1), 0) as seq
             from (select distinct town from pending) as t)
         update event set seq = last.seq + pending.n
         from pending join last using (town)
         where event.town = pending.town and event.id = pending.id",
    )
    .bind(BATCH)
    .execute(sql)
    .await?
    .rows_affected();
    Ok(i64::try_from(numbered).unwrap_or(BATCH))
}
