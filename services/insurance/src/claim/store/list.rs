//! Lists of claims.

use chassis::{listing::Asked, refusal::Refusal};
use kernel::{
    filter::{FieldSpec, Kind},
    state::Named,
};
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::{COLUMNS, Row, State, push_scope};
use crate::adjudication::Outcome;

const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// The fields of a filter.
pub(crate) const FILTER: &[FieldSpec] = &[
    field("state", "x.state", Kind::Enum(State::NAMES)),
    field("committee", "x.committee", Kind::Name { collection: "committees", town: "x.town" }),
    field("peril", "x.peril", Kind::Text),
    field("insured", "x.insured", Kind::Name { collection: "people", town: "x.town" }),
    field("household", "x.household", Kind::Name { collection: "households", town: "x.town" }),
    field("incident", "x.incident::text", Kind::Name { collection: "incidents", town: "x.town" }),
    field("number", "x.number", Kind::Text),
    field("outcome", "x.outcome", Kind::Enum(Outcome::NAMES)),
    field("rule", "x.rule", Kind::Text),
    field("happen_date", "x.happened_on", Kind::Date),
    field("report_date", "x.reported_on", Kind::Date),
    field("overdue", "coalesce(x.due < t.today, false)", Kind::Bool),
];

/// A page of claims, by id: in the order in which they were reported.
pub(crate) fn list_query(page: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("select ");
    query.push(COLUMNS).push(" from claim x cross join (select ").push_bind(page.today.to_string());
    query.push("::text::date as today) t where x.town = ").push_bind(page.town.clone());
    push_scope(&mut query, &page.scope);
    page.push_uuid_page(&mut query, "x.id");
    query
}

/// A page of claims.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn list(sql: &mut PgConnection, page: &Asked) -> Result<Vec<Row>, Refusal> {
    Ok(list_query(page).build_query_as().fetch_all(sql).await?)
}
