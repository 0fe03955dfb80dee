//! The SQL of names that can be searched for: those of places, bodies and organisations, never of people.

use chassis::{identity::Scope, refusal::Refusal};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use crate::{as_of::AsOf, listing::push_as_of};

/// A resource with its name.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub(crate) struct Named {
    /// The collection: `estates`.
    pub(crate) collection: String,
    pub(crate) id: String,
    pub(crate) display_name: String,
    /// What it belongs to, without the town: `committees/310114106001`; empty for the town.
    pub(crate) owner: String,
}

/// Names that a search looks at, at most.
const MOST: i64 = 100_000;

/// Appends that `committee`, an expression, is one of the caller's.
fn push_committee(query: &mut QueryBuilder<Postgres>, scope: &Scope, committee: &'static str) {
    query.push("(").push(committee).push(" = any(").push_bind(scope.ids().1.to_vec()).push(") or ");
    query.push(committee).push(" in (select w.id from within w))");
}

/// The names of a town on a day that the caller may see.
pub(crate) async fn names(
    sql: &mut PgConnection,
    town: &str,
    scope: &Scope,
    as_of: &AsOf,
) -> Result<Vec<Named>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(
        "with within as (select p.committee as id from committee_period p where p.town = ",
    );
    query.push_bind(town);
    push_as_of(&mut query, "p", as_of);
    query.push(" and p.community = any(").push_bind(scope.ids().0.to_vec());
    query.push(")), current_day as (select ").push_bind(as_of.day.to_string()).push("::date as day)");
    query.push(" select 'communities' as collection, c.id, c.display_name, '' as owner from community c where c.town = ");
    query.push_bind(town);
    query.push(
        " union all select 'organisations', o.id, o.display_name, '' from organisation o where o.town = ",
    );
    query.push_bind(town);
    let parts: [(&str, &str, &'static str); 4] = [
        ("committees", "p.committee, p.display_name, 'communities/' || p.community from committee_period p", "p.committee"),
        ("estates", "p.estate, p.display_name, 'committees/' || p.committee from estate_period p", "p.committee"),
        ("blocks", "p.block, p.display_name, 'committees/' || p.committee from block_period p", "p.committee"),
        (
            "bodies",
            "p.body, p.display_name, case when p.committee is not null then 'committees/' || p.committee
                when p.community is not null then 'communities/' || p.community
                when p.estate is not null then 'estates/' || p.estate else '' end from body_period p",
            "coalesce(p.committee, (select e.committee from estate_period e, current_day where e.town = p.town and e.estate = p.estate
                and upper_inf(e.recorded) and e.valid @> current_day.day))",
        ),
    ];
    for (collection, columns, committee) in parts {
        query.push(" union all select '").push(collection).push("', ").push(columns).push(" where p.town = ");
        query.push_bind(town);
        push_as_of(&mut query, "p", as_of);
        if !scope.is_town() {
            query.push(" and ");
            if collection == "bodies" {
                query.push("(coalesce(p.committee, p.estate) is null or ");
            }
            push_committee(&mut query, scope, committee);
            if collection == "bodies" {
                query.push(")");
            }
        }
    }
    query.push(" order by 1, 2 limit ").push_bind(MOST);
    Ok(query.build_query_as().fetch_all(sql).await?)
}
