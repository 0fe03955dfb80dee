//! The SQL of learners.

use chassis::{actor::Actor, identity::Scope, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    name::{EnrolmentName, TrainingSessionName},
    state::Named,
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::training::{
    rules::{Role, State},
    session::store::Row as Session,
};

/// A learner in a session as he is stored.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Row {
    pub(super) town: String,
    pub(super) id: Uuid,
    pub(super) session: Uuid,
    pub(super) person: String,
    pub(super) worker: Option<String>,
    pub(super) role: String,
    pub(super) committee: String,
    pub(super) basis: String,
    pub(super) state: String,
    pub(super) attended: Option<i32>,
    pub(super) score: Option<i32>,
    /// What passing brought.
    pub(super) certificate: Option<Uuid>,
    pub(super) version: i64,
    pub(super) created: i64,
    pub(super) updated: i64,
}

fn state(name: &str) -> Result<State, Refusal> {
    State::from_name(name).ok_or_else(|| Refusal::internal(format!("enrolment state {name}")))
}

impl Row {
    /// Its name.
    pub(super) fn name(&self) -> String {
        format!("towns/{}/enrolments/{}", self.town, self.id)
    }

    /// The session's name.
    pub(super) fn session(&self) -> Result<TrainingSessionName, Refusal> {
        TrainingSessionName::new(&self.town, self.session.to_string()).map_err(Refusal::internal)
    }

    /// Its state.
    pub(super) fn state(&self) -> Result<State, Refusal> {
        state(&self.state)
    }

    /// The learner as somebody who did something: four eyes compare persons.
    pub(super) fn learner(&self) -> Actor {
        Actor::new("", format!("towns/{}/people/{}", self.town, self.person))
    }

    /// Whether a scope holds it.
    pub(super) fn is_seen(&self, scope: &Scope) -> bool {
        scope.holds_committee(&self.committee)
    }
}

const HEAD: &str = "select e.town, e.id, e.session, e.person, e.worker, e.role, e.committee, e.basis, e.state, e.attended, e.score,
    (select a.certificate from exam_attempt a where a.town = e.town and a.enrolment = e.id and a.passed) as certificate,
    e.version, (extract(epoch from e.created) * 1000000)::bigint as created, (extract(epoch from e.updated) * 1000000)::bigint as updated
  from enrolment e where e.town = ";

fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and e.committee = any(").push_bind(scope.ids().1.to_vec()).push(")");
    }
}

/// A page of enrolments by id, of learners of the caller's committees.
pub(super) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    push_scope(&mut query, &asked.scope);
    asked.push_uuid_page(&mut query, "e.id");
    query
}

/// An enrolment that the caller may see.
pub(super) async fn get(
    sql: &mut PgConnection,
    name: &EnrolmentName,
    scope: &Scope,
) -> Result<Option<Row>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.enrolment()) else { return Ok(None) };
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(name.town()).push(" and e.id = ").push_bind(id);
    push_scope(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The enrolment of a person in a session that wasn't withdrawn.
pub(super) async fn of_person(
    sql: &mut PgConnection,
    session: &Session,
    person: &str,
) -> Result<Option<Uuid>, Refusal> {
    let id = sqlx::query_scalar!(
        "select id from enrolment where town = $1 and session = $2 and person = $3 and state <> 'WITHDRAWN'",
        session.town,
        session.id,
        person,
    );
    Ok(id.fetch_optional(sql).await?)
}

/// A learner who is enrolled.
#[derive(Clone, Debug)]
pub(super) struct New {
    pub(super) id: Uuid,
    pub(super) person: String,
    pub(super) worker: Option<String>,
    pub(super) role: Role,
    pub(super) committee: String,
    pub(super) basis: &'static str,
    pub(super) state: State,
    pub(super) day: Date,
}

/// Enrols a learner in a session that is locked.
pub(super) async fn create(sql: &mut PgConnection, session: &Session, new: &New) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into enrolment (town, id, session, person, worker, role, committee, basis, state, enrolled_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::date)",
        session.town,
        new.id,
        session.id,
        new.person,
        new.worker,
        new.role.name(),
        new.committee,
        new.basis,
        new.state.name(),
        new.day.to_string(),
    );
    done.execute(sql).await?;
    Ok(())
}

/// Moves an enrolment to a state.
pub(super) async fn move_to(sql: &mut PgConnection, row: &Row, state: State) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update enrolment set state = $3, version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        row.town,
        row.id,
        state.name(),
    );
    done.execute(sql).await?;
    Ok(())
}

/// The first on the waiting list of a session takes a place; his enrolment.
pub(super) async fn move_up(sql: &mut PgConnection, session: &Session) -> Result<Option<Uuid>, Refusal> {
    let id = sqlx::query_scalar!(
        "update enrolment set state = 'ENROLLED', version = version + 1, updated = clock_timestamp()
         where town = $1 and id = (select id from enrolment where town = $1 and session = $2 and state = 'WAITING' order by n limit 1)
         returning id",
        session.town,
        session.id,
    );
    Ok(id.fetch_optional(sql).await?)
}

/// Withdraws everybody on a session: the enrolments with the states that they were in.
pub(super) async fn withdraw_all(
    sql: &mut PgConnection,
    session: &Session,
) -> Result<Vec<(Uuid, State)>, Refusal> {
    let rows = sqlx::query!(
        r#"with before as (
             select id, state from enrolment where town = $1 and session = $2 and state in ('ENROLLED', 'WAITING') for no key update)
         update enrolment e set state = 'WITHDRAWN', version = version + 1, updated = clock_timestamp()
         from before where e.town = $1 and e.id = before.id returning e.id as "id!", before.state as "state!""#,
        session.town,
        session.id,
    );
    let rows = rows.fetch_all(sql).await?;
    rows.into_iter().map(|row| Ok((row.id, state(&row.state)?))).collect()
}

/// Some enrolments of a town.
pub(super) async fn all(sql: &mut PgConnection, town: &str, ids: Vec<Uuid>) -> Result<Vec<Row>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and e.id = any(").push_bind(ids).push(") order by e.id");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// Records how many minutes a learner attended.
pub(super) async fn attend(
    sql: &mut PgConnection,
    row: &Row,
    (state, minutes): (State, i32),
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update enrolment set state = $3, attended = $4, version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        row.town,
        row.id,
        state.name(),
        minutes,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Records how a learner found the session.
pub(super) async fn score(sql: &mut PgConnection, row: &Row, score: i32) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update enrolment set score = $3, version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        row.town,
        row.id,
        score,
    );
    done.execute(sql).await?;
    Ok(())
}

/// An attempt at an exam.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) n: i32,
    pub(super) mark: i32,
    pub(super) taken_on: String,
    pub(super) passed: bool,
}

/// The attempts of a learner, the first first.
pub(super) async fn attempts(sql: &mut PgConnection, row: &Row) -> Result<Vec<Attempt>, Refusal> {
    let rows = sqlx::query_as!(
        Attempt,
        r#"select n, mark, taken_on::text as "taken_on!", passed from exam_attempt where town = $1 and enrolment = $2 order by n"#,
        row.town,
        row.id,
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Records an attempt, with the certificate that it brought.
pub(super) async fn attempt(
    sql: &mut PgConnection,
    row: &Row,
    attempt: &Attempt,
    certificate: Option<Uuid>,
    by: &Actor,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into exam_attempt (town, enrolment, n, mark, taken_on, passed, certificate, recorded_by, recorded_person)
         values ($1, $2, $3, $4, $5::text::date, $6, $7, $8, $9)",
        row.town,
        row.id,
        attempt.n,
        attempt.mark,
        attempt.taken_on,
        attempt.passed,
        certificate,
        by.principal,
        by.person,
    );
    done.execute(sql).await?;
    Ok(())
}
