//! What a unit of work leaves behind beside the state: history, events, the audit record, the answer.

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{call::Call, refusal::Refusal, telemetry};

/// What is recorded with a mutation.
#[derive(Debug)]
pub struct Record<R> {
    /// The town, or `national` for what is every town's.
    pub town: String,
    /// The resource that the caller named, for the audit.
    pub resource: String,
    /// What was done in a few words, free of personal data.
    pub summary: String,
    /// Every resource that changed.
    pub changes: Vec<Change>,
    /// The answer to the caller.
    pub answer: R,
}

/// One resource's transition and the event that tells of it.
#[derive(Clone, Debug)]
pub struct Change {
    /// The resource's name.
    pub resource: String,
    /// Its version after the change.
    pub version: i64,
    /// The verb: `create`, `handOver`.
    pub verb: &'static str,
    /// The state before; empty for a creation or where there are no states.
    pub from_state: &'static str,
    /// The state after.
    pub to_state: &'static str,
    /// The caller's comment or reason.
    pub comment: String,
    /// CloudEvents `type` without the prefix `linli.<service>.` and the version: `committee.merged`.
    pub event: &'static str,
    /// CloudEvents `data`, free of personal data.
    pub data: Value,
}

pub(super) async fn write<R>(
    sql: &mut PgConnection,
    call: &Call,
    request_id: Option<Uuid>,
    record: &Record<R>,
) -> Result<(), Refusal> {
    for change in &record.changes {
        history(sql, call, &record.town, change).await?;
        event(sql, call, &record.town, change).await?;
    }
    audit(sql, call, request_id, record).await
}

async fn history(sql: &mut PgConnection, call: &Call, town: &str, change: &Change) -> Result<(), Refusal> {
    sqlx::query(
        "insert into history (town, resource, version, principal, person, verb, from_state, to_state, comment)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(town)
    .bind(&change.resource)
    .bind(change.version)
    .bind(call.principal())
    .bind(call.person().unwrap_or_default())
    .bind(change.verb)
    .bind(change.from_state)
    .bind(change.to_state)
    .bind(&change.comment)
    .execute(sql)
    .await?;
    Ok(())
}

async fn event(sql: &mut PgConnection, call: &Call, town: &str, change: &Change) -> Result<(), Refusal> {
    let kind = format!("linli.{}.{}.v1", call.service(), change.event);
    sqlx::query(
        "insert into event (town, id, resource, type, traceparent, data) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(town)
    .bind(Uuid::now_v7())
    .bind(&change.resource)
    .bind(&kind)
    .bind(telemetry::current_traceparent())
    .bind(&change.data)
    .execute(sql)
    .await?;
    tracing::info!(event.r#type = %kind, event.subject = %change.resource, "event recorded");
    Ok(())
}

async fn audit<R>(
    sql: &mut PgConnection,
    call: &Call,
    request_id: Option<Uuid>,
    record: &Record<R>,
) -> Result<(), Refusal> {
    let id = Uuid::now_v7();
    sqlx::query(
        "with record as (
             insert into audit (town, id, principal, person, method, resource, trace_id, request_id, summary)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning town, id)
         insert into audit_pending (town, id) select town, id from record",
    )
    .bind(&record.town)
    .bind(id)
    .bind(call.principal())
    .bind(call.person().unwrap_or_default())
    .bind(call.method())
    .bind(&record.resource)
    .bind(telemetry::current_trace_id())
    .bind(request_id)
    .bind(&record.summary)
    .execute(sql)
    .await?;
    Ok(())
}
