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

/// Changes that one statement writes at most.
const PIECE: usize = 1_000;
/// Events that are logged one by one; of more, only how many there are.
const TOLD: usize = 20;

pub(super) async fn write<R>(
    sql: &mut PgConnection,
    call: &Call,
    request_id: Option<Uuid>,
    record: &Record<R>,
) -> Result<(), Refusal> {
    for piece in record.changes.chunks(PIECE) {
        history(sql, call, &record.town, piece).await?;
        events(sql, call, &record.town, piece).await?;
    }
    tell(call, &record.changes);
    audit(sql, call, request_id, record).await
}

/// One value of each change, as Postgres takes a column of them.
fn column<'a, T>(changes: &'a [Change], of: impl Fn(&'a Change) -> T) -> Vec<T> {
    changes.iter().map(of).collect()
}

async fn history(sql: &mut PgConnection, call: &Call, town: &str, changes: &[Change]) -> Result<(), Refusal> {
    sqlx::query(
        "insert into history (town, resource, version, principal, person, verb, from_state, to_state, comment)
         select $1, resource, version, $2, $3, verb, from_state, to_state, comment
         from unnest($4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[])
             as change (resource, version, verb, from_state, to_state, comment)",
    )
    .bind(town)
    .bind(call.principal())
    .bind(call.person().unwrap_or_default())
    .bind(column(changes, |change| change.resource.as_str()))
    .bind(column(changes, |change| change.version))
    .bind(column(changes, |change| change.verb))
    .bind(column(changes, |change| change.from_state))
    .bind(column(changes, |change| change.to_state))
    .bind(column(changes, |change| change.comment.as_str()))
    .execute(sql)
    .await?;
    Ok(())
}

/// The CloudEvents type of a change.
fn kind(call: &Call, change: &Change) -> String {
    format!("linli.{}.{}.v1", call.service(), change.event)
}

/// Events in the order of their changes: `ord` is drawn row by row behind the sort.
async fn events(sql: &mut PgConnection, call: &Call, town: &str, changes: &[Change]) -> Result<(), Refusal> {
    sqlx::query(
        "insert into event (town, id, resource, type, traceparent, data)
         select $1, id, resource, type, $2, data
         from unnest($3::uuid[], $4::text[], $5::text[], $6::jsonb[]) with ordinality
             as change (id, resource, type, data, n)
         order by n",
    )
    .bind(town)
    .bind(telemetry::current_traceparent())
    .bind(column(changes, |_| Uuid::now_v7()))
    .bind(column(changes, |change| change.resource.as_str()))
    .bind(column(changes, |change| kind(call, change)))
    .bind(column(changes, |change| &change.data))
    .execute(sql)
    .await?;
    Ok(())
}

/// Logs the events: each, or of many only how many.
fn tell(call: &Call, changes: &[Change]) {
    if changes.len() > TOLD {
        tracing::info!(events = changes.len(), "events recorded");
        return;
    }
    for change in changes {
        tracing::info!(event.r#type = %kind(call, change), event.subject = %change.resource, "event recorded");
    }
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
