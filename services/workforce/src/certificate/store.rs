//! The SQL of certificates.

use chassis::{listing::Asked, refusal::Refusal};
use jiff::civil::Date;
use kernel::{name::WorkerName, periods::Period, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::Kind;
use crate::posting::store::push_posted_within;

/// A certificate as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Row {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) person: String,
    pub(crate) worker: Option<String>,
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) course: Option<String>,
    pub(crate) number: String,
    pub(crate) starts: String,
    pub(crate) ends: Option<String>,
    pub(crate) voided: bool,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Row {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/certificates/{}", self.town, self.id)
    }
}

/// A certificate that is given.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) id: Uuid,
    /// The person's id.
    pub(crate) person: String,
    /// The worker's id; none for a learner who is no worker.
    pub(crate) worker: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) title: String,
    /// The course's id; none for one brought from elsewhere.
    pub(crate) course: Option<String>,
    pub(crate) number: String,
    pub(crate) days: Period,
}

const HEAD: &str = "select c.town, c.id, c.person, c.worker, c.kind, c.title, c.course, c.number, lower(c.valid)::text as starts,
    upper(c.valid)::text as ends, c.voided is not null as voided, c.version, (extract(epoch from c.created) * 1000000)::bigint as created,
    (extract(epoch from c.updated) * 1000000)::bigint as updated from certificate c where c.town = ";

/// A page of certificates by id, of workers whose post on the day lies in the caller's areas.
pub(super) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    push_posted_within(&mut query, "c", &asked.scope, asked.today);
    asked.push_uuid_page(&mut query, "c.id");
    query
}

/// A certificate by id; locked until the end of the transaction when it is to be changed.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn find(
    sql: &mut PgConnection,
    town: &str,
    id: Uuid,
    lock: bool,
) -> Result<Option<Row>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and c.id = ").push_bind(id);
    if lock {
        query.push(" for no key update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The same, that must be there.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn of(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<Row, Refusal> {
    find(sql, town, id, false).await?.ok_or_else(|| Refusal::internal("a certificate vanished"))
}

/// The certificate of a kind that bears a number and isn't void.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn of_number(
    sql: &mut PgConnection,
    town: &str,
    kind: Kind,
    number: &str,
) -> Result<Option<Uuid>, Refusal> {
    let other = sqlx::query_scalar!(
        "select id from certificate where town = $1 and kind = $2 and number = $3 and number <> '' and voided is null",
        town,
        kind.name(),
        number,
    );
    Ok(other.fetch_optional(sql).await?)
}

/// Gives a certificate.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn create(sql: &mut PgConnection, town: &str, new: &New) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "insert into certificate (town, id, person, worker, kind, title, course, number, valid)
         values ($1, $2, $3, $4, $5, $6, $7, $8, daterange($9::text::date, $10::text::date))",
        town,
        new.id,
        new.person,
        new.worker,
        new.kind.name(),
        new.title,
        new.course,
        new.number,
        new.days.from().to_string(),
        new.days.to().map(|day| day.to_string()),
    );
    done.execute(sql).await?;
    Ok(())
}

/// Declares a certificate void.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn void(sql: &mut PgConnection, town: &str, id: Uuid, reason: &str) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update certificate set voided = clock_timestamp(), reason = $3, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        town,
        id,
        reason,
    );
    done.execute(sql).await?;
    Ok(())
}

/// The names of the certificates of a worker that hold on a day.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn holding(
    sql: &mut PgConnection,
    name: &WorkerName,
    day: Date,
) -> Result<Vec<String>, Refusal> {
    let ids = sqlx::query_scalar!(
        "select id from certificate where town = $1 and worker = $2 and voided is null and valid @> $3::text::date order by id",
        name.town(),
        name.worker(),
        day.to_string(),
    );
    let ids = ids.fetch_all(sql).await?;
    Ok(ids.iter().map(|id| format!("towns/{}/certificates/{id}", name.town())).collect())
}
