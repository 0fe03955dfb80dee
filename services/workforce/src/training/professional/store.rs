//! The SQL of the professional exam.

use chassis::{actor::Actor, identity::Scope, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    name::{ExamRegistrationName, WorkerName},
    state::Named,
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{Level, State};
use crate::posting::store::push_posted_within;

/// A registration as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Row {
    pub(super) town: String,
    pub(super) id: Uuid,
    pub(super) worker: String,
    pub(super) person: String,
    pub(super) level: String,
    pub(super) exam_year: i32,
    pub(super) state: String,
    pub(super) certificate: Option<Uuid>,
    pub(super) version: i64,
    pub(super) created: i64,
    pub(super) updated: i64,
}

impl Row {
    /// Its name.
    pub(super) fn name(&self) -> String {
        format!("towns/{}/examRegistrations/{}", self.town, self.id)
    }

    /// Its state.
    pub(super) fn state(&self) -> Result<State, Refusal> {
        State::from_name(&self.state).ok_or_else(|| Refusal::internal(format!("exam state {}", self.state)))
    }

    /// The worker as somebody who did something: four eyes compare persons.
    pub(super) fn learner(&self) -> Actor {
        Actor::new("", format!("towns/{}/people/{}", self.town, self.person))
    }
}

const HEAD: &str = "select r.town, r.id, r.worker, w.person, r.level, r.exam_year, r.state, r.certificate, r.version,
    (extract(epoch from r.created) * 1000000)::bigint as created, (extract(epoch from r.updated) * 1000000)::bigint as updated
  from exam_registration r join worker w on w.town = r.town and w.id = r.worker where r.town = ";

/// A page of registrations by id, of workers whose post on the day lies in the caller's areas.
pub(super) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    push_posted_within(&mut query, "r", &asked.scope, asked.today);
    asked.push_uuid_page(&mut query, "r.id");
    query
}

/// A registration that the caller may see; locked until the end of the transaction when it is to be changed.
pub(super) async fn get(
    sql: &mut PgConnection,
    name: &ExamRegistrationName,
    (scope, today): (&Scope, Date),
    lock: bool,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.exam_registration()) else { return Ok(None) };
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(name.town()).push(" and r.id = ").push_bind(id);
    push_posted_within(&mut query, "r", scope, today);
    if lock {
        query.push(" for no key update of r");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The levels whose certificates a worker holds on a day.
pub(super) async fn held(
    sql: &mut PgConnection,
    name: &WorkerName,
    day: Date,
) -> Result<Vec<Level>, Refusal> {
    let kinds = sqlx::query_scalar!(
        "select kind from certificate where town = $1 and worker = $2 and voided is null and valid @> $3::text::date",
        name.town(),
        name.worker(),
        day.to_string(),
    );
    let kinds = kinds.fetch_all(sql).await?;
    Ok(kinds.iter().filter_map(|kind| Level::from_name(kind)).collect())
}

/// The registration of a worker for the exam of a year that wasn't taken back.
pub(super) async fn of_year(
    sql: &mut PgConnection,
    name: &WorkerName,
    year: i32,
) -> Result<Option<Uuid>, Refusal> {
    let id = sqlx::query_scalar!(
        "select id from exam_registration where town = $1 and worker = $2 and exam_year = $3 and state <> 'WITHDRAWN'",
        name.town(),
        name.worker(),
        year,
    );
    Ok(id.fetch_optional(sql).await?)
}

/// Registers a worker.
pub(super) async fn create(
    sql: &mut PgConnection,
    name: &WorkerName,
    id: Uuid,
    (level, year): (Level, i32),
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into exam_registration (town, id, worker, level, exam_year) values ($1, $2, $3, $4, $5)",
        name.town(),
        id,
        name.worker(),
        level.name(),
        year,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Moves a registration to a state, with the certificate that it brought.
pub(super) async fn move_to(
    sql: &mut PgConnection,
    row: &Row,
    state: State,
    certificate: Option<Uuid>,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update exam_registration set state = $3, certificate = $4, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        row.town,
        row.id,
        state.name(),
        certificate,
    );
    done.execute(sql).await?;
    Ok(())
}
