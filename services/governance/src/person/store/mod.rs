//! The SQL of people.

pub(crate) mod sets;

use std::collections::BTreeMap;

use chassis::{identity::Scope, refusal::Refusal};
use jiff::civil::Date;
use kernel::name::PersonName;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::sealed::Sealed;
use crate::listing::push_within;

/// A person as stored.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Person {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) sex: String,
    pub(crate) name_sealed: Vec<u8>,
    pub(crate) citizen_sealed: Vec<u8>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

const PERSON: &str = "select x.town, x.id, x.sex, x.name_sealed, x.citizen_sealed, x.version,
    (extract(epoch from x.created) * 1000000)::bigint as created, (extract(epoch from x.updated) * 1000000)::bigint as updated
    from person x where x.town = ";

/// Appends that the person is registered in the caller's areas today.
pub(crate) fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope, town: &str, today: Date) {
    if scope.is_town() {
        return;
    }
    query.push(
        " and exists (select from residence r join household h on h.town = r.town and h.id = r.household
            join building_period p on p.town = h.town and p.building = h.building and upper_inf(p.recorded)
            where r.town = x.town and r.person = x.id and upper_inf(r.recorded) and r.valid @> ",
    );
    query
        .push_bind(today.to_string())
        .push("::date and p.valid @> ")
        .push_bind(today.to_string())
        .push("::date");
    push_within(query, (scope, town, today), "p.committee", "p.block");
    query.push(")");
}

/// A person that the caller may see.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &PersonName,
    scope: &Scope,
    today: Date,
) -> Result<Option<Person>, Refusal> {
    let mut query = QueryBuilder::new(PERSON);
    query.push_bind(name.town()).push(" and x.id = ").push_bind(name.person());
    push_scope(&mut query, scope, name.town(), today);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Several people by their ids.
pub(crate) async fn many(
    sql: &mut PgConnection,
    town: &str,
    ids: &[String],
) -> Result<BTreeMap<String, Person>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(PERSON);
    query.push_bind(town).push(" and x.id = any(").push_bind(ids).push(")");
    let people: Vec<Person> = query.build_query_as().fetch_all(sql).await?;
    Ok(people.into_iter().map(|person| (person.id.clone(), person)).collect())
}

/// What is searched for: the blind index of a number, of a name.
#[derive(Debug)]
pub(crate) struct Sought {
    pub(crate) citizen: Option<Vec<u8>>,
    pub(crate) full_name: Option<Vec<u8>>,
    pub(crate) after: Option<String>,
    pub(crate) limit: i64,
}

/// People by blind index. Who knows the whole number finds its bearer anywhere in the town; by name only within the areas.
pub(crate) async fn search(
    sql: &mut PgConnection,
    (scope, town, today): (&Scope, &str, Date),
    sought: Sought,
) -> Result<Vec<Person>, Refusal> {
    let mut query = QueryBuilder::new(PERSON);
    query.push_bind(town.to_owned());
    match sought.citizen {
        Some(index) => {
            query.push(" and x.citizen_index = ").push_bind(index);
        }
        None => push_scope(&mut query, scope, town, today),
    }
    if let Some(index) = sought.full_name {
        query.push(" and x.name_index = ").push_bind(index);
    }
    if let Some(after) = sought.after {
        query.push(" and x.id > ").push_bind(after);
    }
    query.push(" order by x.id limit ").push_bind(sought.limit);
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// Creates a person; `false` when the id or the identity number is there.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &PersonName,
    sex: &str,
    sealed: &Sealed,
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into person (town, id, sex, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
        name.town(),
        name.person(),
        sex,
        sealed.name,
        sealed.citizen,
        sealed.birth,
        sealed.name_index,
        sealed.citizen_index,
        sealed.key,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// The person with an identity number.
pub(crate) async fn by_citizen(
    sql: &mut PgConnection,
    town: &str,
    index: &[u8],
) -> Result<Option<String>, Refusal> {
    let found =
        sqlx::query_scalar!("select id from person where town = $1 and citizen_index = $2", town, index);
    Ok(found.fetch_optional(sql).await?)
}

/// The version of a person, who is locked until the end of the transaction.
pub(crate) async fn lock(sql: &mut PgConnection, name: &PersonName) -> Result<Option<i64>, Refusal> {
    let version = sqlx::query_scalar!(
        "select version from person where town = $1 and id = $2 for update",
        name.town(),
        name.person()
    );
    Ok(version.fetch_optional(sql).await?)
}

/// Seals name and sex anew; the next version.
pub(crate) async fn update(
    sql: &mut PgConnection,
    name: &PersonName,
    sex: &str,
    sealed: &Sealed,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update person set sex = $3, name_sealed = $4, citizen_sealed = $5, birth_sealed = $6, name_index = $7, key = $8,
                version = version + 1, updated = clock_timestamp() where town = $1 and id = $2 returning version",
        name.town(),
        name.person(),
        sex,
        sealed.name,
        sealed.citizen,
        sealed.birth,
        sealed.name_index,
        sealed.key,
    );
    Ok(version.fetch_one(sql).await?)
}

/// The next version, when something of the person changed elsewhere.
pub(crate) async fn bump(sql: &mut PgConnection, name: &PersonName) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update person set version = version + 1, updated = clock_timestamp() where town = $1 and id = $2 returning version",
        name.town(),
        name.person(),
    );
    Ok(version.fetch_one(sql).await?)
}

/// A reading in clear.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) at: i64,
    pub(crate) principal: String,
    pub(crate) method: String,
    pub(crate) purpose: String,
}

/// Keeps who reads what of a person, and what for.
pub(crate) async fn note_reading(
    sql: &mut PgConnection,
    name: &PersonName,
    principal: &str,
    method: &str,
    purpose: &str,
) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into person_reading (town, id, person, principal, method, purpose) values ($1, $2, $3, $4, $5, $6)",
        name.town(),
        Uuid::now_v7(),
        name.person(),
        principal,
        method,
        purpose,
    )
    .execute(sql)
    .await?;
    Ok(())
}

/// Who read a person in clear, oldest first.
pub(crate) async fn readings(sql: &mut PgConnection, name: &PersonName) -> Result<Vec<Reading>, Refusal> {
    let rows = sqlx::query_as!(
        Reading,
        r#"select (extract(epoch from at) * 1000000)::bigint as "at!", principal, method, purpose
           from person_reading where town = $1 and person = $2 order by at"#,
        name.town(),
        name.person(),
    );
    Ok(rows.fetch_all(sql).await?)
}

/// People whom another key sealed, locked, by id: the first `limit` behind `after`.
pub(crate) async fn sealed_otherwise(
    sql: &mut PgConnection,
    town: &str,
    key: i32,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, Vec<u8>, Vec<u8>)>, Refusal> {
    let rows = sqlx::query!(
        "select id, name_sealed, citizen_sealed from person where town = $1 and key <> $2 and id > $3 order by id limit $4 for update",
        town,
        key,
        after,
        limit,
    );
    let rows = rows.fetch_all(sql).await?.into_iter();
    Ok(rows.map(|row| (row.id, row.name_sealed, row.citizen_sealed)).collect())
}

/// The same values under the key of now: nothing that a reader sees changes, so the version doesn't either.
pub(crate) async fn reseal(
    sql: &mut PgConnection,
    name: &PersonName,
    sealed: &Sealed,
) -> Result<(), Refusal> {
    sqlx::query!(
        "update person set name_sealed = $3, citizen_sealed = $4, birth_sealed = $5, key = $6 where town = $1 and id = $2",
        name.town(),
        name.person(),
        sealed.name,
        sealed.citizen,
        sealed.birth,
        sealed.key,
    )
    .execute(sql)
    .await?;
    Ok(())
}
