//! Objections and vouchers.

use chassis::refusal::Refusal;
use jiff::civil::Date;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::actor::Actor;

/// An objection as the table keeps it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Objection {
    pub(crate) id: Uuid,
    pub(crate) revision: i32,
    pub(crate) state: String,
    pub(crate) text_sealed: Vec<u8>,
    pub(crate) answer_sealed: Option<Vec<u8>>,
    pub(crate) objected_on: String,
    pub(crate) objected_by: String,
    pub(crate) objected_person: String,
    pub(crate) answered_on: Option<String>,
    pub(crate) answered_by: Option<String>,
}

/// The objections to an expense, oldest first.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn objections(
    sql: &mut PgConnection,
    town: &str,
    expense: Uuid,
) -> Result<Vec<Objection>, Refusal> {
    let all = sqlx::query_as!(
        Objection,
        r#"select id, revision, state, text_sealed, answer_sealed, objected_on::text as "objected_on!", objected_by, objected_person,
                  answered_on::text as answered_on, answered_by
           from expense_objection where town = $1 and expense = $2 order by id"#,
        town,
        expense,
    );
    Ok(all.fetch_all(sql).await?)
}

/// Keeps an objection.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn add_objection(
    sql: &mut PgConnection,
    (town, expense, revision): (&str, Uuid, i32),
    id: Uuid,
    (sealed, key): (&[u8], i32),
    (by, on): (&Actor, Date),
) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into expense_objection (town, id, expense, revision, text_sealed, data_key, objected_on, objected_by, objected_person)
         values ($1, $2, $3, $4, $5, $6, $7::text::date, $8, $9)",
        town,
        id,
        expense,
        revision,
        sealed,
        key,
        on.to_string(),
        by.principal,
        by.person,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Keeps an answer. `false` when there is no such open objection.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn answer_objection(
    sql: &mut PgConnection,
    (town, expense, id): (&str, Uuid, Uuid),
    sealed: &[u8],
    (by, on): (&Actor, Date),
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "update expense_objection set state = 'ANSWERED', answer_sealed = $4, answered_on = $5::text::date, answered_by = $6, answered_person = $7
         where town = $1 and expense = $2 and id = $3 and state = 'OPEN'",
        town,
        expense,
        id,
        sealed,
        on.to_string(),
        by.principal,
        by.person,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Ends the open objections with what they were raised against.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn overtake_objections(
    sql: &mut PgConnection,
    town: &str,
    expense: Uuid,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update expense_objection set state = 'OVERTAKEN' where town = $1 and expense = $2 and state = 'OPEN'",
        town,
        expense
    );
    done.execute(sql).await?;
    Ok(())
}

/// Whether an objection is open that somebody else than `who` raised.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn open_of_others(
    sql: &mut PgConnection,
    town: &str,
    expense: Uuid,
    who: &Actor,
) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from expense_objection where town = $1 and expense = $2 and state = 'OPEN'
                          and are_two(objected_by, objected_person, $3, $4)) as "found!""#,
        town,
        expense,
        who.principal,
        who.person,
    );
    Ok(found.fetch_one(sql).await?)
}

/// A voucher.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Voucher {
    pub(crate) number: String,
    pub(crate) issuer: String,
    pub(crate) issued_on: String,
    pub(crate) amount_fen: i64,
    pub(crate) sha256: Option<Vec<u8>>,
}

/// The vouchers of an expense in their order.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn vouchers(
    sql: &mut PgConnection,
    town: &str,
    expense: Uuid,
) -> Result<Vec<Voucher>, Refusal> {
    let all = sqlx::query_as!(
        Voucher,
        r#"select number, issuer, issued_on::text as "issued_on!", amount_fen, sha256
           from expense_voucher where town = $1 and expense = $2 order by n"#,
        town,
        expense,
    );
    Ok(all.fetch_all(sql).await?)
}

/// The first of `vouchers` whose number of its issuer, or scan, was used in the town before.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn used_voucher(
    sql: &mut PgConnection,
    town: &str,
    vouchers: &[Voucher],
) -> Result<Option<String>, Refusal> {
    let numbers: Vec<String> = vouchers.iter().map(|voucher| voucher.number.clone()).collect();
    let issuers: Vec<String> = vouchers.iter().map(|voucher| voucher.issuer.clone()).collect();
    let scans: Vec<Option<Vec<u8>>> = vouchers.iter().map(|voucher| voucher.sha256.clone()).collect();
    let used = sqlx::query_scalar!(
        r#"select g.number as "number!" from unnest($2::text[], $4::text[], $3::bytea[]) with ordinality as g (number, issuer, sha256, n)
           where exists (select from expense_voucher v where v.town = $1 and v.number = g.number and v.issuer = g.issuer)
              or exists (select from expense_voucher v where v.town = $1 and v.sha256 = g.sha256)
           order by g.n limit 1"#,
        town,
        &numbers,
        &scans as &[Option<Vec<u8>>],
        &issuers,
    );
    Ok(used.fetch_optional(sql).await?)
}

/// Keeps the vouchers of an expense.
///
/// # Errors
/// CONFLICT when one of them was used at the same time; what Postgres answered.
pub(crate) async fn add_vouchers(
    sql: &mut PgConnection,
    town: &str,
    expense: Uuid,
    vouchers: &[Voucher],
) -> Result<(), Refusal> {
    let text =
        |of: fn(&Voucher) -> &String| vouchers.iter().map(|voucher| of(voucher).clone()).collect::<Vec<_>>();
    sqlx::query!(
        "insert into expense_voucher (town, expense, n, number, issuer, issued_on, amount_fen, sha256)
         select $1, $2, n::integer, number, issuer, issued_on::date, amount_fen, sha256
         from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bytea[]) with ordinality
              as v (number, issuer, issued_on, amount_fen, sha256, n)",
        town,
        expense,
        &text(|voucher| &voucher.number),
        &text(|voucher| &voucher.issuer),
        &text(|voucher| &voucher.issued_on),
        &vouchers.iter().map(|voucher| voucher.amount_fen).collect::<Vec<_>>(),
        &vouchers.iter().map(|voucher| voucher.sha256.clone()).collect::<Vec<_>>() as &[Option<Vec<u8>>],
    )
    .execute(sql)
    .await?;
    Ok(())
}
