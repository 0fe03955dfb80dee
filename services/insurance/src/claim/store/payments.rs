//! What insurers have paid.

use chassis::{actor::Actor, identity::Scope, refusal::Refusal};
use jiff::civil::Date;
use sqlx::{FromRow, PgConnection, QueryBuilder};
use uuid::Uuid;

use super::{COLUMNS, Row, push_scope};

/// A payment, or a reversal, as the table keeps it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Payment {
    /// Its number within the claim; the table gives it.
    pub(crate) n: i32,
    /// The decision that it pays.
    pub(crate) decision: i32,
    /// The number of the payment that it takes back.
    pub(crate) reverses: Option<i32>,
    pub(crate) programme: String,
    pub(crate) insurer: String,
    pub(crate) amount_fen: i64,
    pub(crate) paid_on: String,
    pub(crate) reference: String,
    pub(crate) recorded_by: String,
    pub(crate) recorded_person: String,
    pub(crate) confirmed_on: Option<String>,
    pub(crate) confirmed_by: Option<String>,
    pub(crate) confirmed_person: String,
}

/// The payments and reversals of a claim, oldest first.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn payments(
    sql: &mut PgConnection,
    town: &str,
    claim: Uuid,
) -> Result<Vec<Payment>, Refusal> {
    let all = sqlx::query_as!(
        Payment,
        r#"select n, decision, reverses, programme, insurer, amount_fen, paid_on::text as "paid_on!", reference, recorded_by,
                  recorded_person, confirmed_on::text as confirmed_on, confirmed_by, confirmed_person
           from claim_payment where town = $1 and claim = $2 order by n"#,
        town,
        claim,
    );
    Ok(all.fetch_all(sql).await?)
}

/// Keeps a payment or a reversal; its number. `file` is the payment file that told of it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn add_payment(
    sql: &mut PgConnection,
    row: &Row,
    payment: &Payment,
    file: Option<Uuid>,
) -> Result<i32, Refusal> {
    let n = sqlx::query_scalar!(
        "insert into claim_payment (town, claim, programme, decision, insurer, amount_fen, paid_on, reference, file, recorded_by, recorded_person,
             reverses)
         values ($1, $2, $3, $4, $5, $6, $7::text::date, $8, $9, $10, $11, $12) returning n",
        row.town,
        row.id,
        payment.programme,
        payment.decision,
        payment.insurer,
        payment.amount_fen,
        payment.paid_on,
        payment.reference,
        file,
        payment.recorded_by,
        payment.recorded_person,
        payment.reverses,
    );
    Ok(n.fetch_one(sql).await?)
}

/// The household has the money. `false` when there is no such unconfirmed payment.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn confirm(
    sql: &mut PgConnection,
    row: &Row,
    n: i32,
    (by, on): (&Actor, Date),
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "update claim_payment set confirmed_on = $4::text::date, confirmed_by = $5, confirmed_person = $6
         where town = $1 and claim = $2 and n = $3 and confirmed_on is null",
        row.town,
        row.id,
        n,
        on.to_string(),
        by.principal,
        by.person,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// The claim and programme that an insurer's reference was used for.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn known_reference(
    sql: &mut PgConnection,
    town: &str,
    insurer: &str,
    reference: &str,
) -> Result<Option<(Uuid, String, i64)>, Refusal> {
    let found = sqlx::query!(
        "select claim, programme, amount_fen from claim_payment where town = $1 and insurer = $2 and reference = $3 and reverses is null",
        town,
        insurer,
        reference,
    );
    Ok(found.fetch_optional(sql).await?.map(|row| (row.claim, row.programme, row.amount_fen)))
}

/// The claims with these numbers that the caller may see, in the order of their ids; locked when `lock`.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn by_number(
    sql: &mut PgConnection,
    town: &str,
    scope: &Scope,
    numbers: &[String],
    lock: bool,
) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from claim x where x.town = ").push_bind(town);
    query.push(" and x.number = any(").push_bind(numbers).push(")");
    push_scope(&mut query, scope);
    query.push(" order by x.id").push(if lock { " for update" } else { "" });
    Ok(query.build_query_as().fetch_all(sql).await?)
}
