//! The SQL of operations.

use serde_json::Value;
use sqlx::{FromRow, PgConnection, types::Json};
use uuid::Uuid;

use crate::{call::CallMemo, refusal::Refusal, work::Work};

/// How long a worker may be silent before another takes over, in seconds.
pub(super) const LEASE: f64 = 30.0;

/// An operation.
#[derive(Clone, Debug, FromRow)]
pub struct Stored {
    /// The town.
    pub town: String,
    /// Its id.
    pub id: Uuid,
    /// What it does: `import`.
    pub kind: String,
    /// PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED.
    pub state: String,
    /// Who began it.
    pub principal: String,
    /// The call that began it.
    pub caller: Json<CallMemo>,
    /// The trace that began it.
    pub traceparent: String,
    /// Whether what it works on is still kept: until it has succeeded.
    pub has_input: bool,
    /// How far it is.
    pub cursor: Value,
    /// Units done.
    pub done_units: i64,
    /// Units in all.
    pub total_units: i64,
    /// Whether stopping was asked for.
    pub cancel: bool,
    /// An encoded `Any`.
    pub response: Option<Vec<u8>>,
    /// An encoded `google.rpc.Status`.
    pub error: Option<Vec<u8>>,
    /// How often it was taken up.
    pub attempts: i32,
    /// Microseconds since 1970.
    pub created_us: i64,
    /// Microseconds since 1970.
    pub updated_us: i64,
    /// Its version.
    pub version: i64,
}

const COLUMNS: &str = "town, id, kind, state, principal, caller, traceparent, octet_length(input) > 0 as has_input, cursor, done_units, total_units, cancel, response,
    error, attempts, (extract(epoch from created) * 1000000)::bigint as created_us, (extract(epoch from updated) * 1000000)::bigint as updated_us,
    version";

fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("select {COLUMNS} from operation {rest}"))
}

impl Stored {
    /// Whether it waits or is at work still; one that was stopped before anybody took it up ended without a word.
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "PENDING" | "RUNNING")
    }
}

/// A new operation.
#[derive(Debug)]
struct New<'a> {
    town: &'a str,
    id: Uuid,
    kind: &'a str,
    caller: CallMemo,
    principal: &'a str,
    input: &'a [u8],
}

async fn create(sql: &mut PgConnection, new: New<'_>) -> Result<Stored, Refusal> {
    sqlx::query("insert into operation (town, id, kind, principal, caller, traceparent, input) values ($1, $2, $3, $4, $5, $6, $7)")
        .bind(new.town)
        .bind(new.id)
        .bind(new.kind)
        .bind(new.principal)
        .bind(Json(new.caller))
        .bind(crate::telemetry::current_traceparent())
        .bind(new.input)
        .execute(&mut *sql)
        .await?;
    get(sql, new.id).await?.ok_or_else(|| Refusal::internal("an operation vanished"))
}

/// Begins an operation within `work`: what it works on is `input`; who begins it is the caller.
///
/// # Errors
/// What Postgres answered.
pub async fn begin(
    work: &mut Work,
    town: &str,
    id: Uuid,
    kind: &'static str,
    input: &[u8],
) -> Result<Stored, Refusal> {
    let call = work.call().clone();
    let new = New { town, id, kind, caller: call.memo(), principal: call.principal(), input };
    create(work.sql(), new).await
}

/// An operation by its id.
///
/// # Errors
/// What Postgres answered.
pub async fn get(sql: &mut PgConnection, id: Uuid) -> Result<Option<Stored>, Refusal> {
    Ok(sqlx::query_as(select("where id = $1")).bind(id).fetch_optional(sql).await?)
}

/// What an operation works on.
pub(super) async fn input(sql: &mut PgConnection, id: Uuid) -> Result<Vec<u8>, Refusal> {
    let input = sqlx::query_scalar("select input from operation where id = $1").bind(id);
    Ok(input.fetch_one(sql).await?)
}

/// Clears what operations that ended without success were to work on, 30 days later: nobody goes on with them.
pub(crate) async fn forget_inputs(sql: &mut PgConnection) -> Result<(), Refusal> {
    sqlx::query(
        "update operation set input = '' where state in ('FAILED', 'CANCELLED') and input <> ''
             and updated < now() - interval '30 days'",
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// A page of a town's operations, newest first.
pub(super) async fn list(
    sql: &mut PgConnection,
    town: &str,
    before: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<Stored>, Refusal> {
    let (at, id) = before.unzip();
    let rest = "where town = $1 and ($2::bigint is null or (created, id) < (to_timestamp(0) + $2 * interval '1 microsecond', $3))
                order by created desc, id desc limit $4";
    Ok(sqlx::query_as(select(rest)).bind(town).bind(at).bind(id).bind(limit).fetch_all(sql).await?)
}

/// Takes up the oldest operation that waits, or whose worker fell silent.
pub(super) async fn take(sql: &mut PgConnection, worker: Uuid) -> Result<Option<Stored>, Refusal> {
    let taken: Option<(Uuid,)> = sqlx::query_as(
        "update operation set state = 'RUNNING', lease_owner = $1, lease_until = clock_timestamp() + $2 * interval '1 second',
                attempts = attempts + 1, updated = clock_timestamp(), version = version + 1
         where (town, id) = (select town, id from operation where state = 'PENDING' or (state = 'RUNNING' and lease_until < clock_timestamp())
                             order by created limit 1 for update skip locked)
         returning id",
    )
    .bind(worker)
    .bind(LEASE)
    .fetch_optional(&mut *sql)
    .await?;
    match taken {
        Some((id,)) => get(sql, id).await,
        None => Ok(None),
    }
}

/// Keeps how far an operation is, and its lease. `false` when it isn't the worker's any more; what the transaction
/// did must then be dropped. Whether stopping was asked for comes back too.
pub(super) async fn keep(
    sql: &mut PgConnection,
    id: Uuid,
    worker: Uuid,
    progress: &super::Progress,
) -> Result<Option<bool>, Refusal> {
    let row: Option<(bool,)> = sqlx::query_as(
        "update operation set cursor = $3, done_units = $4, total_units = $5, updated = clock_timestamp(),
                lease_until = clock_timestamp() + $6 * interval '1 second'
         where id = $1 and lease_owner = $2 and state = 'RUNNING' returning cancel",
    )
    .bind(id)
    .bind(worker)
    .bind(&progress.cursor)
    .bind(progress.done)
    .bind(progress.total)
    .bind(LEASE)
    .fetch_optional(sql)
    .await?;
    Ok(row.map(|(cancel,)| cancel))
}

/// Keeps the lease of a worker that is at work. `false` when the operation isn't the worker's any more.
pub(super) async fn renew(sql: &mut PgConnection, id: Uuid, worker: Uuid) -> Result<bool, Refusal> {
    let kept = sqlx::query(
        "update operation set lease_until = clock_timestamp() + $3 * interval '1 second'
         where id = $1 and lease_owner = $2 and state = 'RUNNING'",
    )
    .bind(id)
    .bind(worker)
    .bind(LEASE)
    .execute(sql)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Ends an operation that is still the worker's. What it worked on may be personal and large, and nobody needs it once it
/// has succeeded; one that didn't can go on.
pub(super) async fn end(
    sql: &mut PgConnection,
    id: Uuid,
    worker: Uuid,
    state: &str,
    response: Option<&[u8]>,
    error: Option<&[u8]>,
) -> Result<(), Refusal> {
    sqlx::query(
        "update operation set state = $3, response = $4, error = $5,
                input = case when $3 = 'SUCCEEDED' then '' else input end, lease_owner = null, lease_until = null, updated = clock_timestamp(),
                version = version + 1
         where id = $1 and lease_owner = $2 and state = 'RUNNING'",
    )
    .bind(id)
    .bind(worker)
    .bind(state)
    .bind(response)
    .bind(error)
    .execute(sql)
    .await?;
    Ok(())
}

/// Asks for an operation to stop; one that nobody has taken up is stopped at once. The state after.
pub(super) async fn cancel(sql: &mut PgConnection, id: Uuid) -> Result<(), Refusal> {
    sqlx::query(
        "update operation set cancel = true, state = case when state = 'PENDING' then 'CANCELLED' else state end,
                updated = clock_timestamp(), version = version + 1
         where id = $1 and state in ('PENDING', 'RUNNING')",
    )
    .bind(id)
    .execute(sql)
    .await?;
    Ok(())
}

/// Lets an operation that ended without success go on.
pub(super) async fn resume(sql: &mut PgConnection, id: Uuid) -> Result<(), Refusal> {
    sqlx::query(
        "update operation set cancel = false, state = 'PENDING', response = null, error = null, updated = clock_timestamp(),
                version = version + 1
         where id = $1 and state in ('FAILED', 'CANCELLED')",
    )
    .bind(id)
    .execute(sql)
    .await?;
    Ok(())
}

/// What became of one row of a file.
#[derive(Clone, Debug, FromRow)]
pub struct RowResult {
    /// The file.
    pub file: String,
    /// The row; 0 for the file as a whole.
    pub row: i64,
    /// The column.
    pub col: String,
    /// The value, shortened.
    pub value: String,
    /// UPPER_SNAKE.
    pub reason: String,
    /// Whether the row was not taken.
    pub fault: bool,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// Results that one statement writes at most.
const ROWS: usize = 1_000;

/// Adds results after the `from`th.
///
/// # Errors
/// What Postgres answered.
pub async fn add_rows(
    sql: &mut PgConnection,
    town: &str,
    operation: Uuid,
    from: i64,
    rows: &[RowResult],
) -> Result<(), Refusal> {
    let mut number = from;
    for piece in rows.chunks(ROWS) {
        let text = |of: fn(&RowResult) -> &String| piece.iter().map(of).cloned().collect::<Vec<_>>();
        sqlx::query(
            "insert into operation_row (town, operation, n, file, row, col, value, reason, fault, zh, en)
             select $1, $2, $3 + r.n - 1, file, row, col, value, reason, fault, zh, en
             from unnest($4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::bool[], $10::text[], $11::text[])
                 with ordinality as r (file, row, col, value, reason, fault, zh, en, n)
             on conflict do nothing",
        )
        .bind(town)
        .bind(operation)
        .bind(number)
        .bind(text(|row| &row.file))
        .bind(piece.iter().map(|row| row.row).collect::<Vec<_>>())
        .bind(text(|row| &row.col))
        .bind(text(|row| &row.value))
        .bind(text(|row| &row.reason))
        .bind(piece.iter().map(|row| row.fault).collect::<Vec<_>>())
        .bind(text(|row| &row.zh))
        .bind(text(|row| &row.en))
        .execute(&mut *sql)
        .await?;
        number += i64::try_from(piece.len()).map_err(Refusal::internal)?;
    }
    Ok(())
}

/// Results after the `after`th, with their numbers.
///
/// # Errors
/// What Postgres answered.
pub async fn rows(
    sql: &mut PgConnection,
    town: &str,
    operation: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, RowResult)>, Refusal> {
    #[derive(FromRow)]
    struct Numbered {
        n: i64,
        #[sqlx(flatten)]
        result: RowResult,
    }
    let rows: Vec<Numbered> = sqlx::query_as(
        "select n, file, row, col, value, reason, fault, zh, en from operation_row where town = $1 and operation = $2 and n > $3 order by n limit $4",
    )
    .bind(town)
    .bind(operation)
    .bind(after)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    Ok(rows.into_iter().map(|row| (row.n, row.result)).collect())
}
