//! What programmes said of an incident, and the visits to its family.

use chassis::refusal::Refusal;
use kernel::state::Named;
use serde_json::{Value, json};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::{
    adjudication::{Rule, Step},
    cover::rules::Line,
};

/// A visit as the table keeps it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Visit {
    pub(crate) incident: Uuid,
    pub(crate) n: i32,
    pub(crate) visited_on: String,
    pub(crate) visitor: String,
    pub(crate) result: String,
    pub(crate) text_sealed: Option<Vec<u8>>,
    pub(crate) data_key: i32,
    pub(crate) recorded_by: String,
    pub(crate) recorded_person: String,
    pub(crate) created: i64,
}

/// The visits to the family of an incident, oldest first.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn visits(
    sql: &mut PgConnection,
    town: &str,
    incident: Uuid,
) -> Result<Vec<Visit>, Refusal> {
    visits_of(sql, town, &[incident]).await
}

/// Those of several incidents.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn visits_of(
    sql: &mut PgConnection,
    town: &str,
    incidents: &[Uuid],
) -> Result<Vec<Visit>, Refusal> {
    let all = sqlx::query_as!(
        Visit,
        r#"select incident, n, visited_on::text as "visited_on!", visitor, result, text_sealed, data_key, recorded_by, recorded_person,
                  (extract(epoch from created) * 1000000)::bigint as "created!"
           from incident_visit where town = $1 and incident = any($2) order by incident, n"#,
        town,
        incidents,
    );
    Ok(all.fetch_all(sql).await?)
}

/// Keeps a visit.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn add_visit(sql: &mut PgConnection, town: &str, visit: &Visit) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into incident_visit (town, incident, n, visited_on, visitor, result, text_sealed, data_key, recorded_by, recorded_person)
         values ($1, $2, $3, $4::text::date, $5, $6, $7, $8, $9, $10)",
        town,
        visit.incident,
        visit.n,
        visit.visited_on,
        visit.visitor,
        visit.result,
        visit.text_sealed.as_deref(),
        visit.data_key,
        visit.recorded_by,
        visit.recorded_person,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// A trace as it is kept: codes and numbers.
fn kept(steps: &[Step]) -> Value {
    steps.iter().map(|step| json!([step.rule.name(), step.input, step.effect])).collect()
}

fn steps(kept: &Value) -> Result<Vec<Step>, Refusal> {
    let broken = || Refusal::internal("a trace that was kept can't be read");
    let all: Vec<(String, i64, i64)> = serde_json::from_value(kept.clone()).map_err(Refusal::internal)?;
    let step = |(rule, input, effect): (String, i64, i64)| {
        Rule::from_name(&rule).map(|rule| Step { rule, input, effect }).ok_or_else(broken)
    };
    all.into_iter().map(step).collect()
}

/// Keeps what each programme said at a verification.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn add_cover(
    sql: &mut PgConnection,
    (town, incident, verification): (&str, Uuid, i32),
    lines: &[Line],
) -> Result<(), Refusal> {
    for (n, line) in (1_i32..).zip(lines) {
        sqlx::query!(
            "insert into incident_cover (town, incident, verification, n, programme, title, policy, policy_version, rank, rule, trace)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            town,
            incident,
            verification,
            n,
            line.programme,
            line.title,
            line.policy,
            line.version,
            line.rank,
            line.rule.map_or("", Named::name),
            kept(&line.steps),
        )
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

/// What each programme said at a verification, in the order in which they pay.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn cover(
    sql: &mut PgConnection,
    town: &str,
    incident: Uuid,
    verification: i32,
) -> Result<Vec<Line>, Refusal> {
    let rows = sqlx::query!(
        "select programme, title, policy, policy_version, rank, rule, trace from incident_cover
         where town = $1 and incident = $2 and verification = $3 order by n",
        town,
        incident,
        verification,
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| {
        let unknown = || Refusal::internal(format!("rule {}", row.rule));
        let rule = match row.rule.as_str() {
            "" => None,
            text => Some(Rule::from_name(text).ok_or_else(unknown)?),
        };
        Ok(Line {
            programme: row.programme,
            title: row.title,
            policy: row.policy,
            version: row.policy_version,
            rank: row.rank,
            rule,
            steps: steps(&row.trace)?,
        })
    });
    rows.collect()
}
