//! The SQL of memberships.

use chassis::{identity::Scope, paging, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    filter::Predicate,
    name::{BodyName, MembershipName, PersonName},
    periods::{Believed, Splice},
};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::rules::Facts;
use crate::{
    as_of::AsOf,
    line::Line,
    listing::{push_as_of, push_within},
};

const LINE: Line = Line { head: "body", table: "membership", columns: &["seat", "person", "role"] };

/// The terms of a body that are believed now.
pub(crate) async fn believed(
    sql: &mut PgConnection,
    body: &BodyName,
) -> Result<Vec<Believed<Uuid, Facts>>, Refusal> {
    LINE.believed(sql, body.town(), body.body()).await
}

/// Writes what is believed instead; yields the ids of the new rows, in the order of the splice.
pub(crate) async fn write(
    sql: &mut PgConnection,
    body: &BodyName,
    splice: &Splice<Uuid, Facts>,
    at: &str,
    reason: &str,
) -> Result<Vec<Uuid>, Refusal> {
    LINE.write(sql, body.town(), body.body(), splice, at, reason).await
}

/// A membership as it is shown.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) body: String,
    pub(crate) seat: i32,
    pub(crate) person: String,
    pub(crate) role: String,
    pub(crate) reason: String,
    pub(crate) starts: String,
    pub(crate) ends: Option<String>,
    pub(crate) recorded: i64,
    pub(crate) superseded: Option<i64>,
    pub(crate) body_version: i64,
}

const VIEW: &str = "select m.town, m.id, m.body, m.seat, m.person, m.role, m.reason,
    lower(m.valid)::text as starts, upper(m.valid)::text as ends,
    (extract(epoch from lower(m.recorded)) * 1000000)::bigint as recorded,
    (extract(epoch from upper(m.recorded)) * 1000000)::bigint as superseded, o.version as body_version
    from membership m join body o on o.town = m.town and o.id = m.body where m.town = ";

/// Members of the town's and communities' bodies are public within the town; of the others, in the areas.
fn push_scope(query: &mut QueryBuilder<Postgres>, scope: &Scope, town: &str, today: Date) {
    if scope.is_town() {
        return;
    }
    query.push(
        " and (o.level in ('TOWN', 'COMMUNITY') or exists (
            select from body_period p left join estate_period e on e.town = p.town and e.estate = p.estate and upper_inf(e.recorded) and e.valid @> ",
    );
    query
        .push_bind(today.to_string())
        .push("::date where p.town = o.town and p.body = o.id and upper_inf(p.recorded)");
    push_within(query, (scope, town, today), "coalesce(p.committee, e.committee)", "null::text");
    query.push("))");
}

/// What a List is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) town: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) today: Date,
    pub(crate) as_of: &'a AsOf,
    pub(crate) filter: &'a Predicate,
    /// Body and seat of the last one before.
    pub(crate) after: Option<(String, i32)>,
    pub(crate) limit: i64,
}

/// A page of memberships by body and seat.
pub(crate) fn list_query(asked: &Asked<'_>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(asked.town.to_owned());
    push_as_of(&mut query, "m", asked.as_of);
    push_scope(&mut query, asked.scope, asked.town, asked.today);
    query.push(" and ");
    paging::push_predicate(&mut query, asked.filter);
    if let Some((body, seat)) = &asked.after {
        query.push(" and (m.body, m.seat) > (").push_bind(body.clone()).push(", ").push_bind(*seat).push(")");
    }
    query.push(" order by m.body, m.seat limit ").push_bind(asked.limit);
    query
}

/// A page of memberships.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<View>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// Every term of a town that is believed now, past and future, by body, seat and day.
pub(crate) async fn all(sql: &mut PgConnection, town: &str) -> Result<Vec<View>, Refusal> {
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(town).push(" and upper_inf(m.recorded) order by m.body, m.seat, m.valid");
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// A membership, believed or not.
pub(crate) async fn get(sql: &mut PgConnection, name: &MembershipName) -> Result<Option<View>, Refusal> {
    let Ok(id) = Uuid::parse_str(name.membership()) else { return Ok(None) };
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(name.town()).push(" and m.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Every seat of a person, believed or not, oldest first.
pub(crate) async fn of_person(sql: &mut PgConnection, person: &PersonName) -> Result<Vec<View>, Refusal> {
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(person.town()).push(" and m.person = ").push_bind(person.person());
    query.push(" order by lower(m.recorded), lower(m.valid)");
    Ok(query.build_query_as().fetch_all(sql).await?)
}
