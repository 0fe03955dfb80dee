//! The idempotency record: claimed at the beginning of the transaction that it belongs to.

use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::{
    call::Call,
    db::Db,
    refusal::{REQUEST_ID_REUSED, Refusal},
    vault::Vault,
};

/// Claims the id, or yields the first answer. A second call under the same id waits here for the first to end.
pub(super) async fn claim(
    sql: &mut PgConnection,
    vault: &Vault,
    call: &Call,
    id: Uuid,
    hash: &[u8; 32],
) -> Result<Option<Vec<u8>>, Refusal> {
    let claimed = sqlx::query(
        "insert into idempotency (principal, method, request_id, request_hash) values ($1, $2, $3, $4) on conflict do nothing",
    )
    .bind(call.principal())
    .bind(call.method())
    .bind(id)
    .bind(hash.as_slice())
    .execute(&mut *sql)
    .await?
    .rows_affected();
    if claimed == 1 {
        return Ok(None);
    }
    let row = sqlx::query("select request_hash, response from idempotency where principal = $1 and method = $2 and request_id = $3")
        .bind(call.principal())
        .bind(call.method())
        .bind(id)
        .fetch_one(&mut *sql)
        .await?;
    if row.try_get::<Vec<u8>, _>("request_hash")? != hash {
        return Err(Refusal::new(&REQUEST_ID_REUSED).with("request_id", id));
    }
    let sealed: Option<Vec<u8>> = row.try_get("response")?;
    sealed.map_or(Ok(Vec::new()), |sealed| vault.open(&place(call, id), &sealed)).map(Some)
}

/// What a stored answer belongs to.
fn place(call: &Call, id: Uuid) -> String {
    format!("idempotency {} {} {id}", call.principal(), call.method())
}

/// Keeps the answer, sealed, under the id. Where the caller gave no id, one of ours stands for it, so that a lost commit can
/// be resolved.
pub(super) async fn answer(
    sql: &mut PgConnection,
    vault: &Vault,
    call: &Call,
    id: Uuid,
    answer: &[u8],
) -> Result<(), Refusal> {
    sqlx::query(
        "insert into idempotency (principal, method, request_id, request_hash, response) values ($1, $2, $3, sha256(''), $4)
         on conflict (principal, method, request_id) do update set response = excluded.response",
    )
    .bind(call.principal())
    .bind(call.method())
    .bind(id)
    .bind(vault.seal(&place(call, id), answer)?)
    .execute(sql)
    .await?;
    Ok(())
}

/// Whether the transaction that claimed the id was committed.
pub(super) async fn is_committed(db: &Db, call: &Call, id: Uuid) -> Result<bool, Refusal> {
    let mut read = db.read().await?;
    let found =
        sqlx::query("select 1 from idempotency where principal = $1 and method = $2 and request_id = $3")
            .bind(call.principal())
            .bind(call.method())
            .bind(id)
            .fetch_optional(read.sql())
            .await?;
    Ok(found.is_some())
}
