//! The SQL of posts.

use chassis::{
    identity::Scope,
    listing::{Asked, push_known},
    refusal::Refusal,
};
use jiff::civil::Date;
use kernel::name::{PostingName, WorkerName};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::Facts;

/// An entry as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) worker: String,
    pub(crate) kind: String,
    pub(crate) committee: String,
    pub(crate) post: String,
    pub(crate) starts: String,
    pub(crate) ends: Option<String>,
    pub(crate) reason: String,
    pub(crate) recorded: i64,
    pub(crate) superseded: Option<i64>,
}

impl View {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/postings/{}", self.town, self.id)
    }
}

const HEAD: &str = "select p.town, p.id, p.worker, p.kind, p.committee, p.post, lower(p.valid)::text as starts, upper(p.valid)::text as ends,
    p.reason, (extract(epoch from lower(p.recorded)) * 1000000)::bigint as recorded,
    (extract(epoch from upper(p.recorded)) * 1000000)::bigint as superseded from posting p where p.town = ";

fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope) {
    if !scope.is_town() {
        query.push(" and p.committee = any(").push_bind(scope.ids().1.to_vec()).push(")");
    }
}

/// Appends that the worker whom `alias` names holds a post of the caller's areas on a day.
pub(crate) fn push_posted_within(
    query: &mut QueryBuilder<Postgres>,
    alias: &'static str,
    scope: &Scope,
    day: Date,
) {
    if scope.is_town() {
        return;
    }
    query
        .push(" and exists (select from posting p where p.town = ")
        .push(alias)
        .push(".town and p.worker = ");
    query.push(alias).push(".worker and upper_inf(p.recorded) and p.valid @> ").push_bind(day.to_string());
    query.push("::text::date and p.committee = any(").push_bind(scope.ids().1.to_vec()).push("))");
}

/// An entry, believed or not, that the caller may see.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &PostingName,
    scope: &Scope,
) -> Result<Option<View>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.posting()) else { return Ok(None) };
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(name.town()).push(" and p.id = ").push_bind(id);
    push_scope(&mut query, scope);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of entries by id; those of `day` alone when one is said.
pub(crate) fn list_query(asked: &Asked, day: Option<Date>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    push_known(&mut query, "p", &asked.as_of);
    if let Some(day) = day {
        query.push(" and p.valid @> ").push_bind(day.to_string()).push("::text::date");
    }
    push_scope(&mut query, &asked.scope);
    asked.push_uuid_page(&mut query, "p.id");
    query
}

/// The entry of a worker that is believed of a day.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn on(
    sql: &mut PgConnection,
    name: &WorkerName,
    day: Date,
) -> Result<Option<View>, Refusal> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(name.town()).push(" and p.worker = ").push_bind(name.worker());
    query.push(" and upper_inf(p.recorded) and p.valid @> ").push_bind(day.to_string()).push("::text::date");
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Lets one at a time take a place of a post, until the end of the transaction; then the first day on or after `since` on which more
/// hold it than its quota allows.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn over_quota(
    sql: &mut PgConnection,
    town: &str,
    facts: &Facts,
    since: Date,
) -> Result<Option<String>, Refusal> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended(format('post %s %s %s', $1::text, $2::text, $3::text), 0))",
        town,
        facts.committee,
        facts.post,
    )
    .execute(&mut *sql)
    .await?;
    let day = sqlx::query_scalar!(
        r#"select over_quota_on($1, $2, $3, $4::text::date)::text as "day""#,
        town,
        facts.committee,
        facts.post,
        since.to_string(),
    );
    Ok(day.fetch_one(sql).await?)
}

/// Says how many may hold a post from a day on; the version of what is said of that day.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn set_quota(
    sql: &mut PgConnection,
    town: &str,
    facts: &Facts,
    since: Date,
    persons: i32,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "insert into post_quota (town, committee, post, from_day, persons) values ($1, $2, $3, $4::text::date, $5)
         on conflict (town, committee, post, from_day) do update
             set persons = excluded.persons, version = post_quota.version + 1, updated = clock_timestamp()
         returning version",
        town,
        facts.committee,
        facts.post,
        since.to_string(),
        persons,
    );
    Ok(version.fetch_one(sql).await?)
}

/// A quota with who holds the post on the day.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Quota {
    pub(crate) town: String,
    pub(crate) key: String,
    pub(crate) committee: String,
    pub(crate) post: String,
    pub(crate) persons: i32,
    pub(crate) since: String,
    pub(crate) holders: i64,
}

/// A page of quotas by committee and post, as of a day.
pub(crate) fn quotas_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select c.town, c.key, c.committee, c.post, c.persons, c.since,
    (select count(*) from posting p where p.town = c.town and p.committee = c.committee and p.post = c.post and upper_inf(p.recorded)
        and p.valid @> c.day) as holders
  from (select distinct on (q.committee, q.post) q.town, q.committee || ' ' || q.post as key, q.committee, q.post, q.persons,
    q.from_day::text as since, d.day from post_quota q cross join (select ",
    );
    query.push_bind(asked.as_of.day.to_string()).push("::text::date as day) d where q.town = ");
    query
        .push_bind(asked.town.clone())
        .push(" and q.from_day <= d.day order by q.committee, q.post, q.from_day desc) c where true");
    if !asked.scope.is_town() {
        query.push(" and c.committee = any(").push_bind(asked.scope.ids().1.to_vec()).push(")");
    }
    asked.push_page(&mut query, "c.key");
    query
}

/// A post that ended and of which governance is to be told.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct End {
    pub(crate) worker: String,
    pub(crate) committee: String,
    pub(crate) day: String,
    pub(crate) state: String,
    pub(crate) request_id: Uuid,
}

/// Notes that a post ended; one that is noted stays.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn note_end(
    sql: &mut PgConnection,
    name: &WorkerName,
    committee: &str,
    day: Date,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into post_end (town, worker, committee, day, request_id) values ($1, $2, $3, $4::text::date, $5)
         on conflict (town, worker, committee, day) do nothing",
        name.town(),
        name.worker(),
        committee,
        day.to_string(),
        Uuid::new_v4(),
    );
    done.execute(sql).await?;
    Ok(())
}

/// The posts that ended by a day and of which governance isn't told yet, the oldest first.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn open_ends(sql: &mut PgConnection, town: &str) -> Result<Vec<End>, Refusal> {
    let rows = sqlx::query_as!(
        End,
        r#"select worker, committee, day::text as "day!", state, request_id from post_end
           where town = $1 and state <> 'TOLD' order by created, worker"#,
        town,
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Keeps what became of a post that ended; its next version.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn keep_end(
    sql: &mut PgConnection,
    town: &str,
    end: &End,
    state: &str,
    covers: i32,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update post_end set state = $5, covers = $6, version = version + 1, updated = clock_timestamp()
         where town = $1 and worker = $2 and committee = $3 and day = $4::text::date returning version",
        town,
        end.worker,
        end.committee,
        end.day,
        state,
        covers,
    );
    Ok(version.fetch_one(sql).await?)
}

/// Who directs a committee on a day: worker and person.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn director(
    sql: &mut PgConnection,
    town: &str,
    committee: &str,
    day: &str,
) -> Result<Option<(String, String)>, Refusal> {
    let row = sqlx::query!(
        "select w.id, w.person from posting p join worker w on w.town = p.town and w.id = p.worker
         where p.town = $1 and p.committee = $2 and p.post = 'DIRECTOR' and upper_inf(p.recorded) and p.valid @> $3::text::date
         order by lower(p.valid) limit 1",
        town,
        committee,
        day,
    );
    Ok(row.fetch_optional(sql).await?.map(|row| (row.id, row.person)))
}

/// What is known of a worker who is steward on a day.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) worker: String,
    /// Whether the day lies in the employment.
    pub(crate) employed: bool,
    /// The committee of the post that is held; empty without one.
    pub(crate) committee: String,
    /// Whether leave covers the day.
    pub(crate) away: bool,
}

/// What is known of workers on a day.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn standings(
    sql: &mut PgConnection,
    town: &str,
    workers: &[String],
    day: Date,
) -> Result<Vec<Standing>, Refusal> {
    let rows = sqlx::query_as!(
        Standing,
        r#"select w.id as worker, w.employed @> $3::text::date as "employed!",
                  coalesce((select p.committee from posting p where p.town = w.town and p.worker = w.id and upper_inf(p.recorded)
                      and p.valid @> $3::text::date), '') as "committee!",
                  exists (select from absence a where a.town = w.town and a.worker = w.id and a.cancelled is null
                      and a.valid @> $3::text::date) as "away!"
           from worker w where w.town = $1 and w.id = any($2)"#,
        town,
        workers,
        day.to_string(),
    );
    Ok(rows.fetch_all(sql).await?)
}
