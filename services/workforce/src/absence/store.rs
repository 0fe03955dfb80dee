//! The SQL of leave.

use chassis::{listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{name::WorkerName, periods::Period, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::Kind;
use crate::posting::store::push_posted_within;

/// Days of leave as they are stored.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Row {
    pub(super) town: String,
    pub(super) id: Uuid,
    pub(super) worker: String,
    pub(super) kind: String,
    pub(super) starts: String,
    pub(super) ends: Option<String>,
    pub(super) note: String,
    pub(super) cancelled: bool,
    pub(super) version: i64,
    pub(super) created: i64,
    pub(super) updated: i64,
}

impl Row {
    /// Its name.
    pub(super) fn name(&self) -> String {
        format!("towns/{}/absences/{}", self.town, self.id)
    }
}

const HEAD: &str = "select a.town, a.id, a.worker, a.kind, lower(a.valid)::text as starts, upper(a.valid)::text as ends, a.note,
    a.cancelled is not null as cancelled, a.version, (extract(epoch from a.created) * 1000000)::bigint as created,
    (extract(epoch from a.updated) * 1000000)::bigint as updated from absence a where a.town = ";

/// A page of absences by id, of workers whose post on the day lies in the caller's areas.
pub(super) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    push_posted_within(&mut query, "a", &asked.scope, asked.today);
    asked.push_uuid_page(&mut query, "a.id");
    query
}

/// Days of leave by id.
pub(super) async fn find(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<Option<Row>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and a.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The same, that must be there.
pub(super) async fn of(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<Row, Refusal> {
    find(sql, town, id).await?.ok_or_else(|| Refusal::internal("leave vanished"))
}

/// Leave of a worker on one of the days.
pub(super) async fn overlapping(
    sql: &mut PgConnection,
    name: &WorkerName,
    days: Period,
) -> Result<Option<Uuid>, Refusal> {
    let other = sqlx::query_scalar!(
        "select id from absence where town = $1 and worker = $2 and cancelled is null and valid && daterange($3::text::date, $4::text::date)
         order by valid limit 1",
        name.town(),
        name.worker(),
        days.from().to_string(),
        days.to().map(|day| day.to_string()),
    );
    Ok(other.fetch_optional(sql).await?)
}

/// Stores days of leave.
pub(super) async fn create(
    sql: &mut PgConnection,
    name: &WorkerName,
    id: Uuid,
    (kind, days): (Kind, Period),
    note: &str,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into absence (town, id, worker, kind, valid, note) values ($1, $2, $3, $4, daterange($5::text::date, $6::text::date), $7)",
        name.town(),
        id,
        name.worker(),
        kind.name(),
        days.from().to_string(),
        days.to().map(|day| day.to_string()),
        note,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Takes days of leave back.
pub(super) async fn cancel(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update absence set cancelled = clock_timestamp(), version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 and cancelled is null",
        town,
        id,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Ends all leave of a worker on a day: what begins later is taken back, what lasts longer is begun anew until then.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn end_all(sql: &mut PgConnection, name: &WorkerName, day: Date) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "with over as (
             update absence set cancelled = clock_timestamp(), version = version + 1, updated = clock_timestamp()
             where town = $1 and worker = $2 and cancelled is null and valid && daterange($3::text::date, null)
             returning town, worker, kind, valid * daterange(null, $3::text::date) as rest, note)
         insert into absence (town, id, worker, kind, valid, note)
         select town, gen_random_uuid(), worker, kind, rest, note from over where not isempty(rest)",
        name.town(),
        name.worker(),
        day.to_string(),
    );
    done.execute(sql).await?;
    Ok(())
}
