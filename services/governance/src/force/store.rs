//! The SQL of forces.

use chassis::{identity::Scope, paging, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    filter::Predicate,
    name::{BlockForceName, BlockName, PersonName},
    periods::{Believed, Splice},
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::Facts;
use crate::{as_of::AsOf, line::Line, listing::push_as_of, stewardship::push_scope};

const LINE: Line = Line {
    head: "block",
    table: "block_force",
    columns: &["kind", "organisation", "person", "contributions"],
};

/// The forces of a block that are believed now.
pub(crate) async fn believed(
    sql: &mut PgConnection,
    block: &BlockName,
) -> Result<Vec<Believed<Uuid, Facts>>, Refusal> {
    LINE.believed(sql, block.town(), block.block()).await
}

/// Writes what is believed instead; yields the ids of the new rows, in the order of the splice.
pub(crate) async fn write(
    sql: &mut PgConnection,
    block: &BlockName,
    splice: &Splice<Uuid, Facts>,
    at: &str,
    reason: &str,
) -> Result<Vec<Uuid>, Refusal> {
    LINE.write(sql, block.town(), block.block(), splice, at, reason).await
}

/// A force as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) block: String,
    pub(crate) kind: String,
    pub(crate) organisation: Option<String>,
    pub(crate) person: Option<String>,
    pub(crate) contributions: Vec<String>,
    pub(crate) reason: String,
    pub(crate) starts: String,
    pub(crate) ends: Option<String>,
    pub(crate) recorded: i64,
    pub(crate) superseded: Option<i64>,
    pub(crate) block_version: i64,
}

const VIEW: &str =
    "select f.town, f.id, f.block, f.kind, f.organisation, f.person, f.contributions, f.reason,
    lower(f.valid)::text as starts, upper(f.valid)::text as ends,
    (extract(epoch from lower(f.recorded)) * 1000000)::bigint as recorded,
    (extract(epoch from upper(f.recorded)) * 1000000)::bigint as superseded, b.version as block_version
    from block_force f join block b on b.town = f.town and b.id = f.block where f.town = ";

/// What a List is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) town: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) today: Date,
    pub(crate) as_of: &'a AsOf,
    pub(crate) filter: &'a Predicate,
    /// Block and id of the last one before.
    pub(crate) after: Option<(&'a str, Uuid)>,
    pub(crate) limit: i64,
}

/// A page of forces by block and id.
pub(crate) fn list_query(asked: &Asked<'_>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(asked.town.to_owned());
    push_as_of(&mut query, "f", asked.as_of);
    push_scope(&mut query, asked.scope, asked.town, asked.today);
    query.push(" and ");
    paging::push_predicate(&mut query, asked.filter);
    if let Some((block, id)) = asked.after {
        query.push(" and (f.block, f.id) > (").push_bind(block.to_owned()).push(", ").push_bind(id).push(")");
    }
    query.push(" order by f.block, f.id limit ").push_bind(asked.limit);
    query
}

/// A page of forces.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<View>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// Every force of a town that is believed now, past and future, by block and day.
pub(crate) async fn all(sql: &mut PgConnection, town: &str) -> Result<Vec<View>, Refusal> {
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(town.to_owned());
    query.push(" and upper_inf(f.recorded) order by f.block, f.kind, f.organisation, f.person, f.valid");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// A force, believed or not, of a block in the caller's areas.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &BlockForceName,
    scope: &Scope,
    today: Date,
) -> Result<Option<View>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.block_force()) else { return Ok(None) };
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(name.town().to_owned()).push(" and f.id = ").push_bind(id);
    push_scope(&mut query, scope, name.town(), today);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Every row of a person, believed or not, oldest first.
pub(crate) async fn of_person(sql: &mut PgConnection, person: &PersonName) -> Result<Vec<View>, Refusal> {
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(person.town()).push(" and f.person = ").push_bind(person.person());
    query.push(" order by lower(f.recorded), lower(f.valid)");
    Ok(query.build_query_as().fetch_all(sql).await?)
}
