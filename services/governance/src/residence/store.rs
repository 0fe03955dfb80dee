//! The SQL of residences.

use chassis::{identity::Scope, paging, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    filter::Predicate,
    name::{PersonName, ResidenceName},
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{
    as_of::AsOf,
    line::Line,
    listing::{push_as_of, push_within},
};

/// The lines of a person: one for each ground.
pub(crate) const LINE: Line = Line { head: "person", table: "residence", columns: &["household", "ground"] };

/// Where somebody lives on some days, and on what ground.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) household: String,
    pub(crate) ground: String,
}

/// A residence as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) person: String,
    pub(crate) household: String,
    pub(crate) ground: String,
    pub(crate) reason: String,
    pub(crate) starts: String,
    pub(crate) ends: Option<String>,
    pub(crate) recorded: i64,
    pub(crate) superseded: Option<i64>,
    pub(crate) person_version: i64,
    pub(crate) building: Option<String>,
    pub(crate) committee: Option<String>,
    pub(crate) block: Option<String>,
    pub(crate) community: Option<String>,
}

const COLUMNS: &str = "select r.town, r.id, r.person, r.household, r.ground, r.reason,
    lower(r.valid)::text as starts, upper(r.valid)::text as ends,
    (extract(epoch from lower(r.recorded)) * 1000000)::bigint as recorded,
    (extract(epoch from upper(r.recorded)) * 1000000)::bigint as superseded, x.version as person_version,
    h.building, p.committee, p.block, null::text as community
    from residence r join person x on x.town = r.town and x.id = r.person
    join household h on h.town = r.town and h.id = r.household
    left join building_period p on p.town = r.town and p.building = h.building";

/// Residences with the place of their households on a day.
fn placed(as_of: &AsOf) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(COLUMNS);
    push_as_of(&mut query, "p", as_of);
    query.push(" where r.town = ");
    query
}

/// What a List is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) town: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) today: Date,
    pub(crate) as_of: &'a AsOf,
    pub(crate) filter: &'a Predicate,
    pub(crate) after: Option<Uuid>,
    pub(crate) limit: i64,
}

/// A page of residences by id.
pub(crate) fn list_query(asked: &Asked<'_>) -> QueryBuilder<Postgres> {
    let mut query = placed(asked.as_of);
    query.push_bind(asked.town.to_owned());
    push_as_of(&mut query, "r", asked.as_of);
    push_within(&mut query, (asked.scope, asked.town, asked.today), "p.committee", "p.block");
    query.push(" and ");
    paging::push_predicate(&mut query, asked.filter);
    if let Some(after) = asked.after {
        query.push(" and r.id > ").push_bind(after);
    }
    query.push(" order by r.id limit ").push_bind(asked.limit);
    query
}

/// A page of residences.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<View>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// Where a person lived on a day, as far as the caller may see it, with the community of that day.
pub(crate) fn on_query(
    name: &PersonName,
    scope: &Scope,
    as_of: &AsOf,
    today: Date,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(COLUMNS.replace("null::text as community", "c.community"));
    push_as_of(&mut query, "p", as_of);
    query.push(" left join committee_period c on c.town = p.town and c.committee = p.committee");
    push_as_of(&mut query, "c", as_of);
    query.push(" where r.town = ").push_bind(name.town().to_owned());
    query.push(" and r.person = ").push_bind(name.person().to_owned());
    push_as_of(&mut query, "r", as_of);
    push_within(&mut query, (scope, name.town(), today), "p.committee", "p.block");
    query.push(" order by r.ground");
    query
}

/// The same, read.
pub(crate) async fn on(
    sql: &mut PgConnection,
    name: &PersonName,
    scope: &Scope,
    as_of: &AsOf,
    today: Date,
) -> Result<Vec<View>, Refusal> {
    Ok(on_query(name, scope, as_of, today).build_query_as().fetch_all(sql).await?)
}

/// A residence, believed or not, in the caller's areas as its household lies today.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &ResidenceName,
    scope: &Scope,
    today: Date,
) -> Result<Option<View>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.residence()) else { return Ok(None) };
    let mut query = placed(&AsOf::now(today));
    query.push_bind(name.town().to_owned()).push(" and r.id = ").push_bind(id);
    push_within(&mut query, (scope, name.town(), today), "p.committee", "p.block");
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Every row of a person, believed or not, oldest first.
pub(crate) async fn of_person(sql: &mut PgConnection, name: &PersonName) -> Result<Vec<View>, Refusal> {
    let columns = COLUMNS.split(" left join").next().unwrap_or_default();
    let columns = columns.replace("p.committee, p.block,", "null::text as committee, null::text as block,");
    let mut query = QueryBuilder::new(columns);
    query.push(" where r.town = ").push_bind(name.town()).push(" and r.person = ").push_bind(name.person());
    query.push(" order by lower(r.recorded), lower(r.valid)");
    Ok(query.build_query_as().fetch_all(sql).await?)
}
