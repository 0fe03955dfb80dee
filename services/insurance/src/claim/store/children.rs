//! Beneficiaries, assessments, objections.

use chassis::{actor::Actor, refusal::Refusal};
use jiff::civil::Date;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::Row;

/// Somebody who gets a part.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub(crate) struct Beneficiary {
    /// His id in the town.
    pub(crate) person: String,
    /// His part, in parts per million.
    pub(crate) share_ppm: i32,
    /// What he is to the insured.
    pub(crate) relation: String,
}

/// The beneficiaries of a claim.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn beneficiaries(
    sql: &mut PgConnection,
    town: &str,
    claim: Uuid,
) -> Result<Vec<Beneficiary>, Refusal> {
    let all = sqlx::query_as!(
        Beneficiary,
        "select person, share_ppm, relation from claim_beneficiary where town = $1 and claim = $2 order by n",
        town,
        claim,
    );
    Ok(all.fetch_all(sql).await?)
}

/// Writes the beneficiaries whole.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn set_beneficiaries(
    sql: &mut PgConnection,
    town: &str,
    claim: Uuid,
    all: &[Beneficiary],
) -> Result<(), Refusal> {
    sqlx::query!("delete from claim_beneficiary where town = $1 and claim = $2", town, claim)
        .execute(&mut *sql)
        .await?;
    sqlx::query!(
        "insert into claim_beneficiary (town, claim, n, person, share_ppm, relation)
         select $1, $2, n::integer, person, share_ppm, relation
         from unnest($3::text[], $4::integer[], $5::text[]) with ordinality as b (person, share_ppm, relation, n)",
        town,
        claim,
        &all.iter().map(|one| one.person.clone()).collect::<Vec<_>>(),
        &all.iter().map(|one| one.share_ppm).collect::<Vec<_>>(),
        &all.iter().map(|one| one.relation.clone()).collect::<Vec<_>>(),
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Keeps an assessment, as the row says it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn add_assessment(
    sql: &mut PgConnection,
    row: &Row,
    (by, on): (&Actor, Date),
) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into claim_assessment (town, claim, n, assessed_fen, grade, assessed_on, assessed_by, assessed_person)
         select $1, $2, coalesce(max(n), 0) + 1, $3, $4, $5::text::date, $6, $7 from claim_assessment where town = $1 and claim = $2",
        row.town,
        row.id,
        row.assessed_fen.unwrap_or_default(),
        row.grade,
        on.to_string(),
        by.principal,
        by.person,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Everybody who has assessed a claim.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn assessors(
    sql: &mut PgConnection,
    town: &str,
    claim: Uuid,
) -> Result<Vec<Actor>, Refusal> {
    let rows = sqlx::query!(
        "select distinct assessed_by, assessed_person from claim_assessment where town = $1 and claim = $2",
        town,
        claim,
    );
    let rows = rows.fetch_all(sql).await?;
    Ok(rows.into_iter().map(|row| Actor::new(row.assessed_by, row.assessed_person)).collect())
}

/// An objection as the table keeps it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Objection {
    pub(crate) id: Uuid,
    pub(crate) state: String,
    pub(crate) text_sealed: Vec<u8>,
    pub(crate) answer_sealed: Option<Vec<u8>>,
    pub(crate) objected_on: String,
    pub(crate) objected_by: String,
    pub(crate) objected_person: String,
    pub(crate) answered_on: Option<String>,
    pub(crate) answered_by: Option<String>,
}

/// The objections to a claim, oldest first.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn objections(
    sql: &mut PgConnection,
    town: &str,
    claim: Uuid,
) -> Result<Vec<Objection>, Refusal> {
    let all = sqlx::query_as!(
        Objection,
        r#"select id, state, text_sealed, answer_sealed, objected_on::text as "objected_on!", objected_by, objected_person,
                  answered_on::text as answered_on, answered_by
           from claim_objection where town = $1 and claim = $2 order by id"#,
        town,
        claim,
    );
    Ok(all.fetch_all(sql).await?)
}

/// Keeps an objection.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn add_objection(
    sql: &mut PgConnection,
    (town, claim, id): (&str, Uuid, Uuid),
    (sealed, key): (&[u8], i32),
    (by, on): (&Actor, Date),
) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into claim_objection (town, id, claim, text_sealed, data_key, objected_on, objected_by, objected_person)
         values ($1, $2, $3, $4, $5, $6::text::date, $7, $8)",
        town,
        id,
        claim,
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
    (town, claim, id): (&str, Uuid, Uuid),
    sealed: &[u8],
    (by, on): (&Actor, Date),
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "update claim_objection set state = 'ANSWERED', answer_sealed = $4, answered_on = $5::text::date, answered_by = $6, answered_person = $7
         where town = $1 and claim = $2 and id = $3 and state = 'OPEN'",
        town,
        claim,
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
    claim: Uuid,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update claim_objection set state = 'OVERTAKEN' where town = $1 and claim = $2 and state = 'OPEN'",
        town,
        claim
    );
    done.execute(sql).await?;
    Ok(())
}
