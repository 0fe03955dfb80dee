//! The SQL of estates.

use chassis::{identity::Scope, refusal::Refusal};
use jiff::civil::Date;
use kernel::{name::EstateName, periods::Period};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use crate::{
    as_of::AsOf,
    line::Line,
    listing::{Asked, push_as_of, push_within},
};

/// The line of an estate.
pub(crate) const LINE: Line = Line {
    head: "estate",
    table: "estate_period",
    columns: &["display_name", "committee", "property_company"],
};

/// What is said of an estate on some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) display_name: String,
    /// The id of its committee.
    pub(crate) committee: String,
    /// The id of an organisation.
    pub(crate) property_company: Option<String>,
}

/// An estate on a day, as known at an instant.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct View {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) starts: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) display_name: String,
    pub(crate) committee: String,
    pub(crate) property_company: Option<String>,
}

const VIEW: &str = "select e.town, e.id, lower(e.life)::text as starts, e.version,
    (extract(epoch from e.created) * 1000000)::bigint as created, (extract(epoch from e.updated) * 1000000)::bigint as updated,
    p.display_name, p.committee, p.property_company
    from estate e join estate_period p on p.town = e.town and p.estate = e.id where e.town = ";

/// No estate lies in a block.
const NO_BLOCK: &str = "null::text";

fn view(town: &str, scope: &Scope, as_of: &AsOf, today: Date) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(VIEW);
    query.push_bind(town.to_owned());
    push_as_of(&mut query, "p", as_of);
    push_within(&mut query, (scope, town, today), "p.committee", NO_BLOCK);
    query
}

/// An estate that the caller may see.
pub(crate) async fn get(
    sql: &mut PgConnection,
    name: &EstateName,
    scope: &Scope,
    as_of: &AsOf,
    today: Date,
) -> Result<Option<View>, Refusal> {
    let mut query = view(name.town(), scope, as_of, today);
    query.push(" and e.id = ").push_bind(name.estate().to_owned());
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// A page of estates by id.
pub(crate) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = view(&asked.town, &asked.scope, &asked.as_of, asked.today);
    asked.push_page(&mut query, "e.id");
    query
}

/// A page of estates.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked) -> Result<Vec<View>, Refusal> {
    Ok(list_query(asked).build_query_as().fetch_all(sql).await?)
}

/// Creates the head; `false` when the id is taken.
pub(crate) async fn create(sql: &mut PgConnection, name: &EstateName, life: Period) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into estate (town, id, life) values ($1, $2, daterange($3::text::date, null)) on conflict do nothing",
        name.town(),
        name.estate(),
        life.from().to_string(),
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// The first day of a committee.
pub(crate) async fn first_day(
    sql: &mut PgConnection,
    town: &str,
    committee: &str,
) -> Result<Option<Date>, Refusal> {
    let first = sqlx::query_scalar!(
        r#"select coalesce(preparation_start, founding_date)::text as "first!" from committee where town = $1 and id = $2"#,
        town,
        committee,
    );
    first.fetch_optional(sql).await?.as_deref().map(crate::store::day).transpose()
}
