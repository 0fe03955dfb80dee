//! What an older key sealed. Nothing that a reader sees changes with the key, so versions don't either.

use chassis::refusal::Refusal;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// Payees that another key sealed, by the id of their expense; locked.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn payees_sealed_otherwise(
    sql: &mut PgConnection,
    (town, key, after): (&str, i32, Uuid),
    limit: i64,
) -> Result<Vec<(Uuid, Vec<u8>)>, Refusal> {
    let rows = sqlx::query!(
        "select id, payee_sealed from expense where town = $1 and data_key <> $2 and id > $3 order by id limit $4 for update",
        town,
        key,
        after,
        limit,
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.id, row.payee_sealed)).collect())
}

/// Keeps a payee under the key of now.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn reseal_payee(
    sql: &mut PgConnection,
    (town, id): (&str, Uuid),
    sealed: &[u8],
    key: i32,
) -> Result<(), Refusal> {
    sqlx::query!(
        "update expense set payee_sealed = $3, data_key = $4 where town = $1 and id = $2",
        town,
        id,
        sealed,
        key
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// An objection that another key sealed.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Sealed {
    pub(crate) id: Uuid,
    pub(crate) expense: Uuid,
    pub(crate) text_sealed: Vec<u8>,
    pub(crate) answer_sealed: Option<Vec<u8>>,
}

/// Objections that another key sealed, by id; locked. The expense's lock comes first, as everywhere.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn objections_sealed_otherwise(
    sql: &mut PgConnection,
    (town, key, after): (&str, i32, Uuid),
    limit: i64,
) -> Result<Vec<Sealed>, Refusal> {
    let rows = sqlx::query_as!(
        Sealed,
        "select o.id, o.expense, o.text_sealed, o.answer_sealed
         from expense_objection o join expense e on e.town = o.town and e.id = o.expense
         where o.town = $1 and o.data_key <> $2 and o.id > $3 order by o.id limit $4 for update of e, o",
        town,
        key,
        after,
        limit,
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Keeps an objection under the key of now.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn reseal_objection(
    sql: &mut PgConnection,
    (town, id): (&str, Uuid),
    text: &[u8],
    answer: Option<&[u8]>,
    key: i32,
) -> Result<(), Refusal> {
    sqlx::query!(
        "update expense_objection set text_sealed = $3, answer_sealed = $4, data_key = $5 where town = $1 and id = $2",
        town,
        id,
        text,
        answer,
        key,
    )
    .execute(sql)
    .await?;
    Ok(())
}
