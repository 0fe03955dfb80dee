//! The SQL of growth plans.

use chassis::{actor::Actor, history, refusal::Refusal};
use jiff::civil::Date;
use kernel::{name::WorkerName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{Kind, Step};

/// A step as it is stored, with the day since which it is done.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Row {
    pub(super) town: String,
    pub(super) id: Uuid,
    pub(super) worker: String,
    pub(super) kind: String,
    pub(super) course: Option<String>,
    pub(super) certificate_kind: Option<String>,
    pub(super) title: String,
    pub(super) due: String,
    pub(super) done: Option<String>,
    pub(super) cancelled: bool,
    pub(super) version: i64,
    pub(super) created: i64,
    pub(super) updated: i64,
}

impl Row {
    /// Its name.
    pub(super) fn name(&self) -> String {
        format!("towns/{}/growthSteps/{}", self.town, self.id)
    }

    /// The step as far as time goes.
    pub(super) fn step(&self) -> Result<Step, Refusal> {
        let done = self.done.as_deref().map(history::day).transpose()?;
        Ok(Step { due: history::day(&self.due)?, done })
    }
}

const HEAD: &str = "select g.town, g.id, g.worker, g.kind, g.course, g.certificate_kind, g.title, g.due::text as due,
    (case g.kind when 'WORK_TARGET' then g.done_on else least(
        (select min(lower(c.valid)) from certificate c where c.town = g.town and c.person = w.person and c.voided is null
            and (c.course = g.course or c.kind = g.certificate_kind)),
        (select min(s.day) from enrolment e join training_session s on s.town = e.town and s.id = e.session
            where e.town = g.town and e.person = w.person and e.attended > 0 and s.course = g.course and s.pass_mark = 0)) end)::text as done,
    g.cancelled is not null as cancelled, g.version, (extract(epoch from g.created) * 1000000)::bigint as created,
    (extract(epoch from g.updated) * 1000000)::bigint as updated
  from growth_step g join worker w on w.town = g.town and w.id = g.worker where g.town = ";

/// The steps of a worker that weren't taken off, the first due first.
pub(super) async fn path(sql: &mut PgConnection, name: &WorkerName) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(name.town()).push(" and g.worker = ").push_bind(name.worker());
    query.push(" and g.cancelled is null order by g.due, g.id");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// A step by id; locked until the end of the transaction when it is to be changed.
pub(super) async fn find(
    sql: &mut PgConnection,
    town: &str,
    id: Uuid,
    lock: bool,
) -> Result<Option<Row>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and g.id = ").push_bind(id);
    if lock {
        query.push(" for no key update of g");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A step that is added.
#[derive(Clone, Debug)]
pub(super) struct New {
    pub(super) id: Uuid,
    pub(super) worker: WorkerName,
    pub(super) kind: Kind,
    pub(super) course: Option<String>,
    pub(super) certificate_kind: Option<&'static str>,
    pub(super) title: String,
    pub(super) due: Date,
}

/// Adds a step.
pub(super) async fn create(sql: &mut PgConnection, new: &New) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into growth_step (town, id, worker, kind, course, certificate_kind, title, due)
         values ($1, $2, $3, $4, $5, $6, $7, $8::text::date)",
        new.worker.town(),
        new.id,
        new.worker.worker(),
        new.kind.name(),
        new.course,
        new.certificate_kind,
        new.title,
        new.due.to_string(),
    );
    done.execute(sql).await?;
    Ok(())
}

/// Says that a target of work was reached on a day.
pub(super) async fn complete(
    sql: &mut PgConnection,
    row: &Row,
    day: Date,
    by: &Actor,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update growth_step set done_on = $3::text::date, completed_by = $4, completed_person = $5, version = version + 1,
                updated = clock_timestamp() where town = $1 and id = $2",
        row.town,
        row.id,
        day.to_string(),
        by.principal,
        by.person,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Takes a step off the path.
pub(super) async fn cancel(sql: &mut PgConnection, row: &Row, reason: &str) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update growth_step set cancelled = clock_timestamp(), reason = $3, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        row.town,
        row.id,
        reason,
    );
    done.execute(sql).await?;
    Ok(())
}
