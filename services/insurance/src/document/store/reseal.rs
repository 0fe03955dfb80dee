//! Parts that an older key sealed.

use chassis::refusal::Refusal;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Part;

/// Parts that another key than `key` sealed, behind the document and part `after`, in their order, each with its document.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn parts_sealed_otherwise(
    sql: &mut PgConnection,
    (town, key): (&str, i32),
    after: (Uuid, i32),
    limit: i64,
) -> Result<Vec<(Uuid, Part)>, Refusal> {
    let rows = sqlx::query!(
        "select document, n, object, from_byte, bytes, sha256 from document_part
         where town = $1 and data_key <> $2 and (document, n) > ($3, $4) order by document, n limit $5",
        town,
        key,
        after.0,
        after.1,
        limit,
    );
    let part = |object, n, from_byte, bytes, sha256| Part { n, object, from_byte, bytes, sha256 };
    let rows = rows.fetch_all(sql).await?.into_iter();
    Ok(rows.map(|r| (r.document, part(r.object, r.n, r.from_byte, r.bytes, r.sha256))).collect())
}

/// Keeps where a part lies that `key` sealed, unless it is gone or lies elsewhere than in `from` by now. Whether it was kept.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn part_moved(
    sql: &mut PgConnection,
    (town, document, n): (&str, Uuid, i32),
    (from, to): (Uuid, Uuid),
    key: i32,
) -> Result<bool, Refusal> {
    let moved = sqlx::query!(
        "update document_part set object = $5, data_key = $6 where town = $1 and document = $2 and n = $3 and object = $4",
        town,
        document,
        n,
        from,
        to,
        key,
    );
    Ok(moved.execute(sql).await?.rows_affected() == 1)
}
