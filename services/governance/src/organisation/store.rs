//! The SQL of organisations.

use chassis::refusal::Refusal;
use kernel::name::OrganisationName;
use sqlx::{FromRow, PgConnection, QueryBuilder};

use crate::listing::Asked;

/// An organisation.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Organisation {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) kind: String,
    pub(crate) credit_code: Option<String>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

const COLUMNS: &str = "select o.town, o.id, o.display_name, o.kind, o.credit_code, o.version,
    (extract(epoch from o.created) * 1000000)::bigint as created, (extract(epoch from o.updated) * 1000000)::bigint as updated
    from organisation o where o.town = ";

/// An organisation; locked until the end of the transaction when it is to be changed.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &OrganisationName,
    lock: bool,
) -> Result<Option<Organisation>, Refusal> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(name.town()).push(" and o.id = ").push_bind(name.organisation());
    if lock {
        query.push(" for update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// The id of the organisation with a credit code.
pub(crate) async fn by_code(
    sql: &mut PgConnection,
    town: &str,
    code: &str,
) -> Result<Option<String>, Refusal> {
    let found =
        sqlx::query_scalar!("select id from organisation where town = $1 and credit_code = $2", town, code);
    Ok(found.fetch_optional(sql).await?)
}

/// The credit code of an organisation.
pub(crate) async fn code_of(sql: &mut PgConnection, town: &str, id: &str) -> Result<Option<String>, Refusal> {
    let found =
        sqlx::query_scalar!("select credit_code from organisation where town = $1 and id = $2", town, id);
    Ok(found.fetch_optional(sql).await?.flatten())
}

/// A page of organisations: they are public within the town.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<Organisation>, Refusal> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(asked.town.clone());
    asked.push_page(&mut query, "o.id");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// What is recorded of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) display_name: String,
    pub(crate) kind: &'static str,
    pub(crate) credit_code: Option<String>,
}

/// Creates an organisation; `false` when the id or the credit code is taken.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &OrganisationName,
    facts: &Facts,
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into organisation (town, id, display_name, kind, credit_code) values ($1, $2, $3, $4, $5) on conflict do nothing",
        name.town(),
        name.organisation(),
        facts.display_name,
        facts.kind,
        facts.credit_code,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Changes name and kind; the next version.
pub(crate) async fn update(
    sql: &mut PgConnection,
    name: &OrganisationName,
    display_name: &str,
    kind: &str,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update organisation set display_name = $3, kind = $4, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        name.town(),
        name.organisation(),
        display_name,
        kind,
    );
    Ok(version.fetch_one(sql).await?)
}
