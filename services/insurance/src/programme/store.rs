//! The SQL of programmes.

use chassis::{listing::Asked, refusal::Refusal};
use kernel::name::ProgrammeName;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use super::rules::{Programme, State};

/// A programme as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Stored {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) rank: i32,
    deleted: bool,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Stored {
    /// Its name.
    pub(crate) fn name(&self) -> String {
        format!("towns/{}/programmes/{}", self.town, self.id)
    }

    /// Where it stands in its life.
    pub(crate) fn state(&self) -> State {
        if self.deleted { State::Deleted } else { State::Active }
    }
}

const HEAD: &str = "select g.town, g.id, g.display_name, g.rank, g.deleted is not null as deleted, g.version,
    (extract(epoch from g.created) * 1000000)::bigint as created, (extract(epoch from g.updated) * 1000000)::bigint as updated
    from programme g where g.town = ";

/// A programme; locked until the end of the transaction when it is to be changed.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &ProgrammeName,
    lock: bool,
) -> Result<Option<Stored>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(name.town()).push(" and g.id = ").push_bind(name.programme());
    if lock {
        query.push(" for no key update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of programmes by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    asked.push_page(&mut query, "g.id");
    query
}

/// A page of programmes.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<Stored>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// Whether there is a programme that wasn't deleted.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn lives(sql: &mut PgConnection, town: &str, id: &str) -> Result<bool, Refusal> {
    let lives = sqlx::query_scalar!(
        r#"select exists (select from programme where town = $1 and id = $2 and deleted is null) as "lives!""#,
        town,
        id,
    );
    Ok(lives.fetch_one(sql).await?)
}

/// Locks a programme until the end of the transaction.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn lock(sql: &mut PgConnection, town: &str, id: &str) -> Result<(), Refusal> {
    sqlx::query!("select from programme where town = $1 and id = $2 for no key update", town, id)
        .execute(sql)
        .await?;
    Ok(())
}

/// Another programme that has a rank.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn of_rank(
    sql: &mut PgConnection,
    name: &ProgrammeName,
    rank: i32,
) -> Result<Option<String>, Refusal> {
    let other = sqlx::query_scalar!(
        "select id from programme where town = $1 and rank = $2 and deleted is null and id <> $3",
        name.town(),
        rank,
        name.programme(),
    );
    Ok(other.fetch_optional(sql).await?)
}

/// A policy of a programme that wasn't deleted; of the `signed` ones alone when that is asked for.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn policy_of(
    sql: &mut PgConnection,
    name: &ProgrammeName,
    signed: bool,
) -> Result<Option<String>, Refusal> {
    let policy = sqlx::query_scalar!(
        "select id from policy where town = $1 and programme = $2 and state <> 'DELETED' and (state <> 'DRAFT' or not $3) order by id limit 1",
        name.town(),
        name.programme(),
        signed,
    );
    Ok(policy.fetch_optional(sql).await?)
}

/// Stores a programme; `false` when the id is taken.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &ProgrammeName,
    programme: &Programme,
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into programme (town, id, display_name, rank) values ($1, $2, $3, $4) on conflict (town, id) do nothing",
        name.town(),
        name.programme(),
        programme.display_name,
        programme.rank,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Changes a programme.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn update(
    sql: &mut PgConnection,
    name: &ProgrammeName,
    programme: &Programme,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update programme set display_name = $3, rank = $4, version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        name.town(),
        name.programme(),
        programme.display_name,
        programme.rank,
    );
    done.execute(sql).await?;
    Ok(())
}

/// Takes a programme away, or brings it back.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn put(sql: &mut PgConnection, name: &ProgrammeName, to: State) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update programme set deleted = case when $3 then clock_timestamp() end, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2",
        name.town(),
        name.programme(),
        matches!(to, State::Deleted),
    );
    done.execute(sql).await?;
    Ok(())
}
