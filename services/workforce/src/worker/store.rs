//! The SQL of workers.

use chassis::{actor::Actor, history, identity::Scope, line::Line, listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::name::WorkerName;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::{Days, State};
use crate::posting::store as posting;

/// The posts of a worker.
pub(crate) const LINE: Line =
    Line { head: "worker", table: "posting", columns: &["kind", "committee", "post"] };

/// A worker as of a day.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) person: String,
    pub(crate) display_name: String,
    birth: String,
    pub(crate) sex: String,
    pub(crate) schooling: String,
    hired_on: String,
    probation_ends: Option<String>,
    confirmed_on: Option<String>,
    left_on: Option<String>,
    pub(crate) recorded_by: String,
    pub(crate) recorded_person: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    /// Whether leave covers the day that was asked about.
    away: bool,
    day: String,
    posting: Option<Uuid>,
    kind: Option<String>,
    pub(crate) committee: Option<String>,
    pub(crate) post: Option<String>,
    starts: Option<String>,
    ends: Option<String>,
    reason: Option<String>,
    recorded: Option<i64>,
}

impl View {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/workers/{}", self.town, self.id)
    }

    /// The day of birth.
    pub(crate) fn birth(&self) -> Result<Date, Refusal> {
        history::day(&self.birth)
    }

    /// The days of the employment.
    pub(crate) fn days(&self) -> Result<Days, Refusal> {
        let optional = |text: &Option<String>| text.as_deref().map(history::day).transpose();
        Ok(Days {
            hired: history::day(&self.hired_on)?,
            probation_ends: optional(&self.probation_ends)?,
            confirmed: optional(&self.confirmed_on)?,
            left: optional(&self.left_on)?,
        })
    }

    /// What he is on the day that was asked about.
    pub(crate) fn state(&self) -> Result<State, Refusal> {
        Ok(self.days()?.state(history::day(&self.day)?, self.away))
    }

    /// The entry of the day that was asked about; none outside the employment.
    pub(crate) fn posting(&self) -> Option<posting::View> {
        let id = self.posting?;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Some(posting::View {
            town: self.town.clone(),
            id,
            worker: self.id.clone(),
            kind: text(&self.kind),
            committee: text(&self.committee),
            post: text(&self.post),
            starts: text(&self.starts),
            ends: self.ends.clone(),
            reason: text(&self.reason),
            recorded: self.recorded.unwrap_or_default(),
            superseded: None,
        })
    }

    /// Who recorded him.
    pub(crate) fn recorder(&self) -> Actor {
        Actor::new(&self.recorded_by, &self.recorded_person)
    }
}

/// Leave of the day `q.day`.
macro_rules! away {
    () => {
        "exists (select from absence a where a.town = w.town and a.worker = w.id and a.cancelled is null and a.valid @> q.day)"
    };
}

/// What somebody is on the day `q.day`, as the rules say it: for filters.
pub(crate) const STATE: &str = concat!(
    "(case when q.day < w.hired_on then 'HIRED' when w.left_on <= q.day then 'LEFT' when ",
    away!(),
    " then 'ON_LEAVE' when w.confirmed_on <= q.day then 'ACTIVE' else 'PROBATION' end)"
);

/// The statement up to its condition, as of a day.
fn head(day: Date) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select w.town, w.id, w.person, w.display_name, w.birth::text as birth, w.sex, w.schooling, w.hired_on::text as hired_on,
    w.probation_ends::text as probation_ends, w.confirmed_on::text as confirmed_on, w.left_on::text as left_on,
    w.recorded_by, w.recorded_person, w.version, (extract(epoch from w.created) * 1000000)::bigint as created,
    (extract(epoch from w.updated) * 1000000)::bigint as updated, ",
    );
    query.push(away!()).push(
        " as away, q.day::text as day, p.id as posting, p.kind, p.committee, p.post, lower(p.valid)::text as starts, upper(p.valid)::text as ends, p.reason,
    (extract(epoch from lower(p.recorded)) * 1000000)::bigint as recorded
  from worker w cross join (select ",
    );
    query.push_bind(day.to_string()).push(
        "::text::date as day) q left join posting p
    on p.town = w.town and p.worker = w.id and upper_inf(p.recorded) and p.valid @> q.day where w.town = ",
    );
    query
}

/// Appends that the post of the day lies in the caller's areas.
pub(crate) fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and p.committee = any(").push_bind(scope.ids().1.to_vec()).push(")");
    }
}

/// A worker whom the caller may see, as of a day.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &WorkerName,
    scope: &Scope,
    day: Date,
) -> Result<Option<View>, Refusal> {
    let mut query = head(day);
    query.push_bind(name.town()).push(" and w.id = ").push_bind(name.worker());
    push_scope(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of workers by id, as of a day.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = head(asked.as_of.day);
    query.push_bind(asked.town.clone());
    push_scope(&mut query, &asked.scope);
    asked.push_page(&mut query, "w.id");
    query
}

/// What is recorded of somebody who is hired.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) name: WorkerName,
    pub(crate) person: String,
    pub(crate) display_name: String,
    pub(crate) birth: Date,
    pub(crate) sex: &'static str,
    pub(crate) schooling: &'static str,
    pub(crate) days: Days,
}

/// The worker as whom a person is employed on one of the days.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn employed(
    sql: &mut PgConnection,
    town: &str,
    person: &str,
    days: Days,
    but: &str,
) -> Result<Option<String>, Refusal> {
    let other = sqlx::query_scalar!(
        "select id from worker where town = $1 and person = $2 and employed && daterange($3::text::date, $4::text::date) and id <> $5 limit 1",
        town,
        person,
        days.hired.to_string(),
        days.left.map(|day| day.to_string()),
        but,
    );
    Ok(other.fetch_optional(sql).await?)
}

/// Stores somebody who is hired; `false` when the id is taken.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn create(sql: &mut PgConnection, new: &New, by: &Actor) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into worker (town, id, person, display_name, birth, sex, schooling, hired_on, probation_ends, confirmed_on, left_on, recorded_by, recorded_person)
         values ($1, $2, $3, $4, $5::text::date, $6, $7, $8::text::date, $9::text::date, $10::text::date, $11::text::date, $12, $13)
         on conflict (town, id) do nothing",
        new.name.town(),
        new.name.worker(),
        new.person,
        new.display_name,
        new.birth.to_string(),
        new.sex,
        new.schooling,
        new.days.hired.to_string(),
        new.days.probation_ends.map(|day| day.to_string()),
        new.days.confirmed.map(|day| day.to_string()),
        new.days.left.map(|day| day.to_string()),
        by.principal,
        by.person,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Changes what he is called, and his schooling.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn update(
    sql: &mut PgConnection,
    name: &WorkerName,
    display_name: &str,
    schooling: &str,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update worker set display_name = $3, schooling = $4, version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        name.town(),
        name.worker(),
        display_name,
        schooling,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Changes the days of the employment, and who confirmed it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn set_days(
    sql: &mut PgConnection,
    name: &WorkerName,
    days: Days,
    confirmed_by: Option<&Actor>,
    reason: &str,
) -> Result<(), Refusal> {
    let (by, person) = confirmed_by.map(|who| (who.principal.as_str(), who.person.as_str())).unzip();
    let done = sqlx::query!(
        "update worker set hired_on = $3::text::date, probation_ends = $4::text::date, confirmed_on = $5::text::date, left_on = $6::text::date,
                confirmed_by = coalesce($7, confirmed_by), confirmed_person = coalesce($8, confirmed_person), reason = $9,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        name.town(),
        name.worker(),
        days.hired.to_string(),
        days.probation_ends.map(|day| day.to_string()),
        days.confirmed.map(|day| day.to_string()),
        days.left.map(|day| day.to_string()),
        by,
        person,
        reason,
    );
    done.execute(sql).await?;
    Ok(())
}
