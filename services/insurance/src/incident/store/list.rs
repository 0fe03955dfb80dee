//! Lists of incidents.

use chassis::{listing::Asked, paging::push_predicate, refusal::Refusal};
use jiff::civil::Date;
use kernel::{
    filter::{FieldSpec, Kind},
    state::Named,
};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{COLUMNS, Row, push_scope};
use crate::incident::rules::{Source, State};

const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
    FieldSpec { name, column, kind }
}

const fn named(name: &'static str, column: &'static str, collection: &'static str) -> FieldSpec {
    FieldSpec { name, column, kind: Kind::Name { collection, town: "x.town" } }
}

/// The fields of a filter.
pub(crate) const FILTER: &[FieldSpec] = &[
    field("state", "x.state", Kind::Enum(State::NAMES)),
    field("peril", "x.peril", Kind::Text),
    named("committee", "x.committee", "committees"),
    field("happen_date", "x.happened_on", Kind::Date),
    field("report_date", "x.reported_on", Kind::Date),
    named("person", "x.person", "people"),
    named("household", "x.household", "households"),
    field("source", "x.source", Kind::Enum(Source::NAMES)),
    field("covered", "coalesce(x.covered, false)", Kind::Bool),
    field("number", "x.number", Kind::Text),
];

/// Appends filter, key, order and bound, by the id.
fn push_page(query: &mut QueryBuilder<Postgres>, asked: &Asked) {
    query.push(" and ");
    push_predicate(query, &asked.filter);
    if let Some(after) = asked.after.as_deref().and_then(|text| Uuid::parse_str(text).ok()) {
        query.push(" and x.id ").push(if asked.descending { "< " } else { "> " }).push_bind(after);
    }
    query.push(" order by x.id").push(if asked.descending { " desc limit " } else { " limit " });
    query.push_bind(asked.limit);
}

/// A page of incidents, by id: in the order in which they were recorded.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from incident x where x.town = ").push_bind(asked.town.clone());
    push_scope(&mut query, &asked.scope);
    push_page(&mut query, asked);
    query
}

/// What is asked of incidents without a claim.
#[derive(Debug)]
pub(crate) struct Unclaimed {
    /// The page.
    pub(crate) page: Asked,
    /// The last day of the verification.
    pub(crate) until: Date,
}

/// A page of incidents that are verified and covered and have no claim.
pub(crate) fn unclaimed_query(asked: &Unclaimed) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from incident x where x.town = ").push_bind(asked.page.town.clone());
    query.push(" and x.state = 'VERIFIED' and x.verified_on <= ").push_bind(asked.until.to_string());
    query.push("::text::date");
    push_scope(&mut query, &asked.page.scope);
    push_page(&mut query, &asked.page);
    query
}

/// A page of incidents.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<Row>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// A page of those without a claim.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn unclaimed(sql: &mut PgConnection, asked: &Unclaimed) -> Result<Vec<Row>, Refusal> {
    Ok(unclaimed_query(asked).build_query_as().fetch_all(sql).await?)
}
