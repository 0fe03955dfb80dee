//! The statements whose plans matter, for tests and benchmarks.

use chassis::identity::Scope;
use jiff::civil::Date;
use kernel::{
    filter::{Op, Predicate, Value},
    name::{CommitteeName, PersonName},
};

use crate::{
    as_of::AsOf, block, building, committee, estate, force, household, listing::Asked, residence,
    stewardship, structure as structures,
};

/// A statement by name.
#[derive(Clone, Debug)]
pub struct Query {
    /// What it reads.
    pub name: &'static str,
    /// Its text.
    pub sql: String,
}

/// The pages and reads of a town on a day.
pub fn queries(town: &str, day: Date) -> Vec<Query> {
    let mut all = structure(town, day);
    all.extend(places(town, day));
    all.extend(residences(town, day));
    all.extend(card(town, day));
    all
}

fn card(town: &str, day: Date) -> Vec<Query> {
    let Ok(name) = CommitteeName::new(town, "c000001") else { return Vec::new() };
    let statements = structures::store::card_statements(&name, &AsOf::now(day)).into_iter();
    statements.map(|(name, query)| Query { name, sql: query.sql().as_str().to_owned() }).collect()
}

/// `column = text`, as a filter of a List makes it.
fn equals(column: &'static str, text: &str) -> Predicate {
    Predicate::Compare { column, op: Op::Eq, value: Value::Text(text.to_owned()) }
}

fn residences(town: &str, day: Date) -> Vec<Query> {
    let (scope, as_of) = (Scope::Town, AsOf::now(day));
    let list = |name, filter: Predicate| {
        let asked = residence::store::Asked {
            town,
            scope: &scope,
            today: day,
            as_of: &as_of,
            filter: &filter,
            after: None,
            limit: 51,
        };
        Query { name, sql: residence::store::list_query(&asked).sql().as_str().to_owned() }
    };
    let mut all = vec![
        list("ListResidences of a household", equals("r.household", "h000001")),
        list("ListResidences of a person", equals("r.person", "r000001")),
    ];
    if let Ok(person) = PersonName::new(town, "r000001") {
        let sql = residence::store::on_query(&person, &scope, &as_of, day).sql().as_str().to_owned();
        all.push(Query { name: "CheckResidence", sql });
    }
    all
}

fn places(town: &str, day: Date) -> Vec<Query> {
    let page = Asked { after: Some("c002500".to_owned()), limit: 51, ..Asked::all(town, day) };
    let block = Asked { filter: equals("p.block", "b000001"), limit: 51, ..Asked::all(town, day) };
    let query =
        |name, sql: sqlx::QueryBuilder<sqlx::Postgres>| Query { name, sql: sql.sql().as_str().to_owned() };
    vec![
        query("ListEstates", estate::store::list_query(&page)),
        query("ListBuildings", building::store::list_query(&page)),
        query("ListHouseholds", household::store::list_query(&page)),
        query("ListHouseholds by block", household::store::list_query(&block)),
    ]
}

fn structure(town: &str, day: Date) -> Vec<Query> {
    let (scope, filter, as_of) = (Scope::Town, Predicate::And(Vec::new()), AsOf::now(day));
    let (after, limit) = (Some("c002500"), 51);
    let committees = committee::store::Asked {
        town,
        scope: &scope,
        as_of: &as_of,
        counted: None,
        filter: &filter,
        descending: false,
        after,
        limit,
    };
    let counted = committee::store::Asked { counted: Some(day), ..committees };
    let blocks = block::store::Asked {
        town,
        scope: &scope,
        today: day,
        as_of: &as_of,
        filter: &filter,
        descending: false,
        after,
        limit,
    };
    let stewardships = stewardship::store::Asked {
        town,
        scope: &scope,
        today: day,
        day: None,
        as_of: &as_of,
        filter: &filter,
        descending: false,
        after: None,
        limit,
    };
    let forces = |filter, after| force::store::Asked {
        town,
        scope: &scope,
        today: day,
        as_of: &as_of,
        filter,
        after,
        limit,
    };
    let value = kernel::filter::Value::Text("o002500".to_owned());
    let by_organisation = Predicate::Compare { column: "f.organisation", op: kernel::filter::Op::Eq, value };
    let after_force = Some(("b002500", uuid::Uuid::nil()));
    vec![
        Query {
            name: "ListBlockForces",
            sql: force::store::list_query(&forces(&filter, after_force)).sql().as_str().to_owned(),
        },
        Query {
            name: "ListBlockForces by organisation",
            sql: force::store::list_query(&forces(&by_organisation, None)).sql().as_str().to_owned(),
        },
        Query {
            name: "ListCommittees",
            sql: committee::store::list_query(&committees).sql().as_str().to_owned(),
        },
        Query {
            name: "ListCommittees with the counts of a day",
            sql: committee::store::list_query(&counted).sql().as_str().to_owned(),
        },
        Query { name: "ListBlocks", sql: block::store::list_query(&blocks).sql().as_str().to_owned() },
        Query {
            name: "ListStewardships",
            sql: stewardship::store::list_query(&stewardships).sql().as_str().to_owned(),
        },
    ]
}
