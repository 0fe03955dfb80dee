//! The statements whose plans matter, for tests and benchmarks.

use chassis::identity::Scope;
use jiff::civil::Date;
use kernel::filter::Predicate;

use crate::{as_of::AsOf, block, committee, stewardship};

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
    let (scope, filter, as_of) = (Scope::Town, Predicate::And(Vec::new()), AsOf::now(day));
    let (after, limit) = (Some("c002500"), 51);
    let committees = committee::store::Asked {
        town,
        scope: &scope,
        as_of: &as_of,
        filter: &filter,
        descending: false,
        after,
        limit,
    };
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
    vec![
        Query {
            name: "ListCommittees",
            sql: committee::store::list_query(&committees).sql().as_str().to_owned(),
        },
        Query { name: "ListBlocks", sql: block::store::list_query(&blocks).sql().as_str().to_owned() },
        Query {
            name: "ListStewardships",
            sql: stewardship::store::list_query(&stewardships).sql().as_str().to_owned(),
        },
    ]
}
