//! Decisions, their lines, and what they draw on limits.

use chassis::{actor::Actor, refusal::Refusal};
use jiff::civil::Date;
use serde_json::Value;
use sqlx::{FromRow, PgConnection, types::Json};
use uuid::Uuid;

use super::Row;
use crate::claim::snapshot::Snapshot;

/// A decision as the table keeps it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Decision {
    pub(crate) n: i32,
    pub(crate) outcome: String,
    pub(crate) rule: Option<String>,
    pub(crate) assessed_fen: i64,
    pub(crate) grade: Option<i32>,
    pub(crate) documents_complete: bool,
    pub(crate) approved_fen: i64,
    pub(crate) decided_on: String,
    pub(crate) decided_by: String,
    pub(crate) decided_person: String,
}

/// What a decision came to, with the facts that it rested on.
#[derive(Clone, Debug)]
pub(crate) struct Rested {
    pub(crate) claim: Uuid,
    pub(crate) outcome: String,
    pub(crate) rule: Option<String>,
    pub(crate) approved_fen: i64,
    pub(crate) facts: Json<Snapshot>,
}

/// A line as the table keeps it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Line {
    pub(crate) decision: i32,
    pub(crate) programme: String,
    pub(crate) policy: String,
    pub(crate) version: i32,
    pub(crate) insurer: String,
    pub(crate) outcome: String,
    pub(crate) rule: Option<String>,
    pub(crate) claimed_fen: Option<i64>,
    pub(crate) seen_fen: i64,
    pub(crate) covered_fen: i64,
    pub(crate) approved_fen: i64,
    pub(crate) trace: Value,
}

/// The decisions on a claim, oldest first.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn decisions(
    sql: &mut PgConnection,
    town: &str,
    claim: Uuid,
) -> Result<Vec<Decision>, Refusal> {
    let all = sqlx::query_as!(
        Decision,
        r#"select n, outcome, rule, assessed_fen, grade, documents_complete, approved_fen, decided_on::text as "decided_on!", decided_by,
                  decided_person
           from claim_decision where town = $1 and claim = $2 order by n"#,
        town,
        claim,
    );
    Ok(all.fetch_all(sql).await?)
}

/// Claims of a year's events behind a key, by the days of their events: for going through all of them, each page by the index alone.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn claims_after(
    sql: &mut PgConnection,
    (town, year): (&str, i32),
    (day, id): (Date, Uuid),
    limit: i64,
) -> Result<Vec<(Date, Uuid)>, Refusal> {
    let rows = sqlx::query!(
        r#"select id, happened_on::text as "happened_on!" from claim
           where town = $1 and (happened_on, id) > ($3::text::date, $4) and happened_on < make_date($2 + 1, 1, 1)
           order by happened_on, id limit $5"#,
        town,
        year,
        day.to_string(),
        id,
        limit,
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| Ok((super::day(&row.happened_on)?, row.id)));
    rows.collect()
}

/// The decisions on some claims, with what they rested on.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn decisions_of(
    sql: &mut PgConnection,
    town: &str,
    claims: &[Uuid],
) -> Result<Vec<Rested>, Refusal> {
    let all = sqlx::query_as!(
        Rested,
        r#"select claim, outcome, rule, approved_fen, facts as "facts: Json<Snapshot>"
           from claim_decision where town = $1 and claim = any($2) order by claim, n"#,
        town,
        claims,
    );
    Ok(all.fetch_all(sql).await?)
}

/// The lines of all decisions on a claim.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn lines(sql: &mut PgConnection, town: &str, claim: Uuid) -> Result<Vec<Line>, Refusal> {
    let all = sqlx::query_as!(
        Line,
        "select decision, programme, policy, version, insurer, outcome, rule, claimed_fen, seen_fen, covered_fen, approved_fen, trace
         from claim_line where town = $1 and claim = $2 order by decision, n",
        town,
        claim,
    );
    Ok(all.fetch_all(sql).await?)
}

/// Keeps a decision under the next number; the number.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn add_decision(
    sql: &mut PgConnection,
    row: &Row,
    facts: &Value,
    documents_complete: bool,
    (by, on): (&Actor, Date),
) -> Result<i32, Refusal> {
    let n = sqlx::query_scalar!(
        "insert into claim_decision (town, claim, n, outcome, rule, assessed_fen, grade, documents_complete, approved_fen, facts, decided_on,
             decided_by, decided_person)
         select $1, $2, coalesce(max(n), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10::text::date, $11, $12
         from claim_decision where town = $1 and claim = $2
         returning n",
        row.town,
        row.id,
        row.outcome.as_deref().unwrap_or_default(),
        row.rule,
        row.assessed_fen.unwrap_or_default(),
        row.grade,
        documents_complete,
        row.approved_fen,
        facts,
        on.to_string(),
        by.principal,
        by.person,
    );
    Ok(n.fetch_one(sql).await?)
}

/// A line that is to be kept.
#[derive(Clone, Debug)]
pub(crate) struct NewLine {
    /// As it is read back.
    pub(crate) line: Line,
    /// Whether the benefit is a part of the loss.
    pub(crate) loss: bool,
    /// What was paid in fixed benefits before, to the person for the event.
    pub(crate) fixed_before_fen: i64,
}

/// Keeps the lines of a decision, in their order.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn add_lines(
    sql: &mut PgConnection,
    row: &Row,
    n: i32,
    all: &[NewLine],
) -> Result<(), Refusal> {
    for (at, NewLine { line, loss, fixed_before_fen }) in (1i32..).zip(all) {
        sqlx::query!(
            "insert into claim_line (town, claim, decision, n, programme, policy, version, insurer, outcome, rule, loss, claimed_fen, seen_fen,
                 fixed_before_fen, covered_fen, approved_fen, trace)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
            row.town,
            row.id,
            n,
            at,
            line.programme,
            line.policy,
            line.version,
            line.insurer,
            line.outcome,
            line.rule,
            loss,
            line.claimed_fen,
            line.seen_fen,
            fixed_before_fen,
            line.covered_fen,
            line.approved_fen,
            line.trace,
        )
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

/// A limit, by what it is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CapKey {
    /// The policy; empty for what goes over all of them.
    pub(crate) policy: String,
    /// Its kind.
    pub(crate) cap: &'static str,
    /// The peril; empty for limits over all benefits.
    pub(crate) peril: String,
    /// The person, household or event; empty for the policy's own.
    pub(crate) subject: String,
    /// The year of the event.
    pub(crate) year: i32,
}

/// Locks limits until the end of the transaction; what was drawn on each, in the order in which they were given.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn lock_caps(
    sql: &mut PgConnection,
    town: &str,
    keys: &[CapKey],
) -> Result<Vec<i64>, Refusal> {
    let text = |of: fn(&CapKey) -> &str| keys.iter().map(|key| of(key).to_owned()).collect::<Vec<_>>();
    let rows = sqlx::query!(
        r#"select n as "n!", used_fen as "used_fen!" from lock_caps($1, $2, $3, $4, $5, $6) order by n"#,
        town,
        &text(|key| &key.policy),
        &text(|key| key.cap),
        &text(|key| &key.peril),
        &text(|key| &key.subject),
        &keys.iter().map(|key| key.year).collect::<Vec<_>>(),
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| row.used_fen).collect())
}

/// What the decision in force of a claim has drawn: policy, kind, amount.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn own_draws(
    sql: &mut PgConnection,
    row: &Row,
) -> Result<Vec<(String, String, i64)>, Refusal> {
    let rows = sqlx::query!(
        r#"select policy, cap, sum(amount_fen)::bigint as "amount_fen!" from claim_draw
           where town = $1 and claim = $2 and decision = $3 group by policy, cap"#,
        row.town,
        row.id,
        row.decision,
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.policy, row.cap, row.amount_fen)).collect())
}

/// What a line draws on a limit.
#[derive(Clone, Debug)]
pub(crate) struct NewDraw {
    /// The policy that pays.
    pub(crate) policy: String,
    /// Its version.
    pub(crate) version: i32,
    /// The limit.
    pub(crate) key: CapKey,
    /// How much.
    pub(crate) amount_fen: i64,
    /// The limit itself, of fixed benefits for one person and event.
    pub(crate) limit_fen: Option<i64>,
}

/// Draws on limits for a decision.
///
/// # Errors
/// CAP_EXCEEDED when a limit would be passed.
pub(crate) async fn add_draws(
    sql: &mut PgConnection,
    row: &Row,
    n: i32,
    all: &[NewDraw],
) -> Result<(), Refusal> {
    for draw in all {
        sqlx::query!(
            "insert into claim_draw (town, claim, decision, policy, version, cap, peril, subject, year, amount_fen, limit_fen)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            row.town,
            row.id,
            n,
            draw.policy,
            draw.version,
            draw.key.cap,
            draw.key.peril,
            draw.key.subject,
            draw.key.year,
            draw.amount_fen,
            draw.limit_fen,
        )
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

/// Gives back what the decision in force of a claim drew, as far as that isn't done.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn reverse_draws(sql: &mut PgConnection, row: &Row) -> Result<(), Refusal> {
    give_back(sql, row, false).await
}

/// Gives back what those lines of the decision in force drew of which nothing is paid.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn release_draws(sql: &mut PgConnection, row: &Row) -> Result<(), Refusal> {
    give_back(sql, row, true).await
}

/// The limits are locked in the order in which everybody locks them.
async fn give_back(sql: &mut PgConnection, row: &Row, unpaid_alone: bool) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into claim_draw (town, claim, decision, policy, version, cap, peril, subject, year, amount_fen, limit_fen)
         select d.town, d.claim, d.decision, d.policy, d.version, d.cap, d.peril, d.subject, d.year, -d.amount_fen, d.limit_fen
         from claim_draw d
         where d.town = $1 and d.claim = $2 and d.decision = $3 and d.amount_fen > 0
             and not exists (select from claim_draw b where (b.town, b.claim, b.decision, b.policy, b.cap) =
                             (d.town, d.claim, d.decision, d.policy, d.cap) and b.amount_fen < 0)
             and not ($4 and exists (select from claim_line l where (l.town, l.claim, l.decision, l.policy) =
                                     (d.town, d.claim, d.decision, d.policy) and claim_paid_by(l.town, l.claim, l.programme) > 0))
         order by case d.cap when 'FIXED_EVENT' then '' else d.policy end, d.cap",
        row.town,
        row.id,
        row.decision,
        unpaid_alone,
    )
    .execute(sql)
    .await?;
    Ok(())
}
