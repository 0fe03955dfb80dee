//! The SQL of sessions.

use chassis::{history, listing::Asked, refusal::Refusal};
use jiff::{Timestamp, civil::Date};
use kernel::{name::TrainingSessionName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::training::{course::store::Row as Course, examination::Exam, rules::SessionState};

/// A session as it is stored, with how many are on it.
#[derive(Clone, Debug, FromRow)]
pub(in crate::training) struct Row {
    pub(in crate::training) town: String,
    pub(in crate::training) id: Uuid,
    pub(in crate::training) course: String,
    pub(in crate::training) kind: String,
    pub(in crate::training) title: String,
    pub(in crate::training) minutes: i32,
    pub(in crate::training) pass_mark: i32,
    pub(in crate::training) attempts: i32,
    pub(in crate::training) valid_months: i32,
    pub(in crate::training) starts: i64,
    pub(in crate::training) ends: i64,
    pub(in crate::training) day: String,
    pub(in crate::training) enrol_until: String,
    pub(in crate::training) place: String,
    pub(in crate::training) capacity: i32,
    pub(in crate::training) queues: bool,
    pub(in crate::training) state: String,
    pub(in crate::training) version: i64,
    pub(in crate::training) created: i64,
    pub(in crate::training) updated: i64,
    pub(in crate::training) enrolled: i64,
    pub(in crate::training) waiting: i64,
    pub(in crate::training) feedbacks: i64,
    pub(in crate::training) feedback_tenths: i32,
}

impl Row {
    /// Its name.
    pub(in crate::training) fn name(&self) -> String {
        format!("towns/{}/trainingSessions/{}", self.town, self.id)
    }

    /// Its state.
    pub(in crate::training) fn state(&self) -> Result<SessionState, Refusal> {
        SessionState::from_name(&self.state)
            .ok_or_else(|| Refusal::internal(format!("session state {}", self.state)))
    }

    /// Its civil day.
    pub(in crate::training) fn day(&self) -> Result<Date, Refusal> {
        history::day(&self.day)
    }

    /// What it promised of the exam.
    pub(in crate::training) fn exam(&self) -> Exam {
        Exam { pass_mark: self.pass_mark, attempts: self.attempts, valid_months: self.valid_months }
    }
}

const HEAD: &str = "select s.town, s.id, s.course, s.kind, s.title, s.minutes, s.pass_mark, s.attempts, s.valid_months,
    (extract(epoch from s.starts) * 1000000)::bigint as starts, (extract(epoch from s.ends) * 1000000)::bigint as ends, s.day::text as day,
    s.enrol_until::text as enrol_until, s.place, s.capacity, s.queues, s.state, s.version,
    (extract(epoch from s.created) * 1000000)::bigint as created, (extract(epoch from s.updated) * 1000000)::bigint as updated,
    e.enrolled, e.waiting, e.feedbacks, e.feedback_tenths
  from training_session s cross join lateral (
    select count(*) filter (where state not in ('WAITING', 'WITHDRAWN')) as enrolled, count(*) filter (where state = 'WAITING') as waiting,
           count(score) as feedbacks, coalesce(round(avg(score) * 10), 0)::integer as feedback_tenths
    from enrolment where town = s.town and session = s.id) e
  where s.town = ";

/// A page of sessions by id.
pub(super) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    asked.push_uuid_page(&mut query, "s.id");
    query
}

/// A session by name.
///
/// # Errors
/// What Postgres answered.
pub(in crate::training) async fn get(
    sql: &mut PgConnection,
    name: &TrainingSessionName,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.training_session()) else { return Ok(None) };
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(name.town()).push(" and s.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A session that nobody else changes, enrols in or leaves until the end of the transaction.
///
/// # Errors
/// What Postgres answered.
pub(in crate::training) async fn lock(
    sql: &mut PgConnection,
    name: &TrainingSessionName,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.training_session()) else { return Ok(None) };
    let held = sqlx::query_scalar!(
        "select id from training_session where town = $1 and id = $2 for no key update",
        name.town(),
        id,
    );
    match held.fetch_optional(&mut *sql).await? {
        // counted by a statement of its own, which sees those who came before
        Some(_) => get(sql, name).await,
        None => Ok(None),
    }
}

/// A session that is planned.
#[derive(Clone, Debug)]
pub(super) struct New {
    pub(super) id: Uuid,
    pub(super) starts: Timestamp,
    pub(super) ends: Timestamp,
    pub(super) enrol_until: Date,
    pub(super) place: String,
    pub(super) capacity: i32,
    pub(super) queues: bool,
}

/// Plans a session of a course, which says what it promises.
pub(super) async fn create(sql: &mut PgConnection, course: &Course, new: &New) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into training_session (town, id, course, kind, title, minutes, pass_mark, attempts, valid_months, starts, ends, enrol_until,
                                       place, capacity, queues)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::timestamptz, $11::text::timestamptz, $12::text::date, $13, $14, $15)",
        course.town,
        new.id,
        course.id,
        course.kind,
        course.title,
        course.minutes,
        course.pass_mark,
        course.attempts,
        course.valid_months,
        new.starts.to_string(),
        new.ends.to_string(),
        new.enrol_until.to_string(),
        new.place,
        new.capacity,
        new.queues,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Moves a session to a state, for a reason where there is one.
pub(super) async fn move_to(
    sql: &mut PgConnection,
    row: &Row,
    state: SessionState,
    reason: &str,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update training_session set state = $3, reason = $4, version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        row.town,
        row.id,
        state.name(),
        reason,
    );
    done.execute(sql).await?;
    Ok(())
}
