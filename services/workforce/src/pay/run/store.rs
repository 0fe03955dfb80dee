//! The SQL of pay runs.

use std::collections::BTreeMap;

use chassis::{actor::Actor, history, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{name::PayRunName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::pay::{
    lives::RunState,
    rules::{Inputs, Line},
};

/// A run as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Run {
    pub(crate) town: String,
    pub(crate) id: String,
    month: String,
    pub(crate) scale: String,
    state: String,
    pub(crate) operation: Uuid,
    begun_by: String,
    begun_person: String,
    pub(crate) approved: Option<i64>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Run {
    /// The first day of its month.
    pub(crate) fn month(&self) -> Result<Date, Refusal> {
        history::day(&self.month)
    }

    /// Its state.
    pub(crate) fn state(&self) -> Result<RunState, Refusal> {
        RunState::from_name(&self.state).ok_or_else(|| Refusal::internal("a state that is none"))
    }

    /// Who began it.
    pub(crate) fn beginner(&self) -> Actor {
        Actor::new(&self.begun_by, &self.begun_person)
    }
}

const HEAD: &str = "select r.town, r.id, r.month::text as month, r.scale, r.state, r.operation, r.begun_by, r.begun_person,
    (extract(epoch from r.approved) * 1000000)::bigint as approved, r.version, (extract(epoch from r.created) * 1000000)::bigint as created,
    (extract(epoch from r.updated) * 1000000)::bigint as updated from pay_run r where r.town = ";

/// A run; locked until the end of the transaction when it is to be changed.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &PayRunName,
    lock: bool,
) -> Result<Option<Run>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(name.town()).push(" and r.id = ").push_bind(name.pay_run());
    if lock {
        query.push(" for no key update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of runs by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    asked.push_page(&mut query, "r.id");
    query
}

/// What stands in the way of a run of a month.
#[derive(Clone, Debug)]
pub(crate) struct InTheWay {
    /// The id of the other run.
    pub(crate) id: String,
    /// Whether it was approved; open otherwise.
    pub(crate) approved: bool,
}

/// The run that is open, or approved of the month or a later one.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn in_the_way(
    sql: &mut PgConnection,
    town: &str,
    month: Date,
) -> Result<Option<InTheWay>, Refusal> {
    let row = sqlx::query_as!(
        InTheWay,
        r#"select id, state = 'APPROVED' as "approved!" from pay_run
           where town = $1 and (state in ('COMPUTING', 'COMPUTED') or state = 'APPROVED' and month >= $2::text::date)
           order by state = 'APPROVED', month limit 1"#,
        town,
        month.to_string(),
    );
    Ok(row.fetch_optional(sql).await?)
}

/// Stores a run that begins.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &PayRunName,
    (month, scale, operation): (Date, &str, Uuid),
    by: &Actor,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into pay_run (town, id, month, scale, operation, begun_by, begun_person) values ($1, $2, $3::text::date, $4, $5, $6, $7)",
        name.town(),
        name.pay_run(),
        month.to_string(),
        scale,
        operation,
        by.principal,
        by.person,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Brings a run into another state; `approver` when it is approved.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn step(
    sql: &mut PgConnection,
    name: &PayRunName,
    to: RunState,
    approver: Option<&Actor>,
) -> Result<(), Refusal> {
    let (by, person) = approver.map(|who| (who.principal.as_str(), who.person.as_str())).unzip();
    let done = sqlx::query!(
        "update pay_run set state = $3, approved_by = coalesce($4, ''), approved_person = coalesce($5, ''),
                approved = case when $3 = 'APPROVED' then clock_timestamp() end, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        name.town(),
        name.pay_run(),
        to.name(),
        by,
        person,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Days on duty as they are told to a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    /// The worker's id.
    pub(crate) worker: String,
    /// The first day of the month.
    pub(crate) month: Date,
    pub(crate) rest_days: i32,
    pub(crate) holiday_days: i32,
}

/// Those of the workers that are known.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn known(
    sql: &mut PgConnection,
    town: &str,
    workers: &[String],
) -> Result<Vec<String>, Refusal> {
    let ids = sqlx::query_scalar!("select id from worker where town = $1 and id = any($2)", town, workers);
    Ok(ids.fetch_all(sql).await?)
}

/// Stores the days on duty that were told to a run.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn tell(sql: &mut PgConnection, name: &PayRunName, told: &[Told]) -> Result<(), Refusal> {
    let workers: Vec<&str> = told.iter().map(|duty| duty.worker.as_str()).collect();
    let months: Vec<String> = told.iter().map(|duty| duty.month.to_string()).collect();
    let rest: Vec<i32> = told.iter().map(|duty| duty.rest_days).collect();
    let holiday: Vec<i32> = told.iter().map(|duty| duty.holiday_days).collect();
    let done = sqlx::query!(
        "insert into pay_duty (town, run, worker, month, rest_days, holiday_days)
         select $1, $2, worker, month::date, rest, holiday
         from unnest($3::text[], $4::text[], $5::integer[], $6::integer[]) as d (worker, month, rest, holiday)",
        name.town(),
        name.pay_run(),
        &workers as _,
        &months,
        &rest,
        &holiday,
    );
    done.execute(sql).await?;
    Ok(())
}

/// A statement that is drawn up.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) id: Uuid,
    /// The worker's id.
    pub(crate) worker: String,
    pub(crate) inputs: Inputs,
    pub(crate) lines: Vec<Line>,
    pub(crate) total_fen: i64,
}

/// Stores statements with their lines.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn draw_up(
    sql: &mut PgConnection,
    name: &PayRunName,
    (month, drawn): (Date, &[Drawn]),
) -> Result<(), Refusal> {
    let ids: Vec<Uuid> = drawn.iter().map(|one| one.id).collect();
    let workers: Vec<&str> = drawn.iter().map(|one| one.worker.as_str()).collect();
    let inputs = drawn.iter().map(|one| serde_json::to_value(&one.inputs)).collect::<Result<Vec<_>, _>>();
    let inputs = inputs.map_err(Refusal::internal)?;
    let totals: Vec<i64> = drawn.iter().map(|one| one.total_fen).collect();
    let done = sqlx::query!(
        "insert into pay_statement (town, id, run, worker, month, inputs, total_fen)
         select $1, id, $2, worker, $3::text::date, inputs, total
         from unnest($4::uuid[], $5::text[], $6::jsonb[], $7::bigint[]) as s (id, worker, inputs, total)",
        name.town(),
        name.pay_run(),
        month.to_string(),
        &ids,
        &workers as _,
        &inputs,
        &totals,
    );
    done.execute(&mut *sql).await?;
    lines(sql, name.town(), drawn).await
}

async fn lines(sql: &mut PgConnection, town: &str, drawn: &[Drawn]) -> Result<(), Refusal> {
    let numbered =
        || drawn.iter().flat_map(|one| (1_i32..).zip(&one.lines).map(|(n, line)| (one.id, n, line)));
    let statements: Vec<Uuid> = numbered().map(|(id, _, _)| id).collect();
    let places: Vec<i32> = numbered().map(|(_, n, _)| n).collect();
    let kinds: Vec<&str> = numbered().map(|(_, _, line)| line.because.name()).collect();
    let months: Vec<String> = numbered().map(|(_, _, line)| line.month.to_string()).collect();
    let amounts: Vec<i64> = numbered().map(|(_, _, line)| line.fen).collect();
    let inputs =
        numbered().map(|(_, _, line)| serde_json::to_value(&line.because)).collect::<Result<Vec<_>, _>>();
    let inputs = inputs.map_err(Refusal::internal)?;
    let done = sqlx::query!(
        "insert into pay_line (town, statement, n, kind, month, amount_fen, input)
         select $1, statement, n, kind, month::date, amount, input
         from unnest($2::uuid[], $3::integer[], $4::text[], $5::text[], $6::bigint[], $7::jsonb[])
             as l (statement, n, kind, month, amount, input)",
        town,
        &statements,
        &places,
        &kinds as _,
        &months,
        &amounts,
        &inputs,
    );
    done.execute(sql).await?;
    Ok(())
}

/// What a run comes to.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    pub(crate) statements: i64,
    pub(crate) total_fen: i64,
    /// What of it are differences of earlier months.
    pub(crate) difference_fen: i64,
}

/// The sums of a run.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn sums(sql: &mut PgConnection, name: &PayRunName) -> Result<Sums, Refusal> {
    let row = sqlx::query_as!(
        Sums,
        r#"select count(*) as "statements!", coalesce(sum(s.total_fen), 0)::bigint as "total_fen!",
                  coalesce(sum((select sum(l.amount_fen) from pay_line l where l.town = s.town and l.statement = s.id and l.kind = 'DIFFERENCE')), 0)::bigint
                      as "difference_fen!"
           from pay_statement s where s.town = $1 and s.run = $2"#,
        name.town(),
        name.pay_run(),
    );
    Ok(row.fetch_one(sql).await?)
}

/// The months before `month` and from `since` on that were approved, with what was approved for each of the workers so far, in fen:
/// by their own run and by differences.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn paid(
    sql: &mut PgConnection,
    town: &str,
    workers: &[String],
    (since, month): (Date, Date),
) -> Result<(Vec<Date>, BTreeMap<(String, Date), i64>), Refusal> {
    let months = sqlx::query_scalar!(
        r#"select month::text as "month!" from pay_run
           where town = $1 and state = 'APPROVED' and month >= $2::text::date and month < $3::text::date order by pay_run.month"#,
        town,
        since.to_string(),
        month.to_string(),
    );
    let months = months.fetch_all(&mut *sql).await?;
    let months = months.iter().map(|text| history::day(text)).collect::<Result<_, _>>()?;
    let rows = sqlx::query!(
        r#"select s.worker as "worker!", l.month::text as "month!", sum(l.amount_fen)::bigint as "fen!"
           from unnest($2::text[]) o (its)
           -- each worker and statement by itself, however many months there are
           cross join lateral (
               select t.worker, t.id from pay_statement t join pay_run r on r.town = t.town and r.id = t.run and r.state = 'APPROVED'
               where t.town = $1 and t.worker = o.its and t.month >= $3::text::date offset 0) s
           cross join lateral (
               select n.month, n.amount_fen from pay_line n
               where n.town = $1 and n.statement = s.id and n.month >= $3::text::date offset 0) l
           group by s.worker, l.month"#,
        town,
        workers,
        since.to_string(),
    );
    let mut paid = BTreeMap::new();
    for row in rows.fetch_all(sql).await? {
        paid.insert((row.worker, history::day(&row.month)?), row.fen);
    }
    Ok((months, paid))
}
