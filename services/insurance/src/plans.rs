//! The statements whose plans matter, for tests.

use chassis::{identity::Scope, listing::Asked};
use jiff::civil::Date;
use kernel::filter::{FilterError, Op, Predicate, Value};
use uuid::Uuid;

use crate::{claim, incident, payment_file, report};

/// A statement by name.
#[derive(Clone, Debug)]
pub struct Query {
    /// What it reads.
    pub name: &'static str,
    /// Its text.
    pub sql: String,
}

/// `column = text`, as a filter of a List makes it.
fn equals(column: &'static str, text: &str) -> Predicate {
    Predicate::Compare { column, op: Op::Eq, value: Value::Text(text.to_owned()) }
}

/// The pages of a town on a day.
pub fn queries(town: &str, day: Date) -> Vec<Query> {
    let page = |filter: Predicate| Asked { filter, limit: 51, ..Asked::all(town, day) };
    let everything = || Predicate::And(Vec::new());
    let incidents = |name, filter| Query {
        name,
        sql: incident::store::list_query(&page(filter)).sql().as_str().to_owned(),
    };
    let claims = |name, filter| Query {
        name,
        sql: claim::store::list_query(&page(filter), &claim::store::Relation::Any).sql().as_str().to_owned(),
    };
    let files = payment_file::store::list_query(&page(everything())).sql().as_str().to_owned();
    let unclaimed = incident::store::Unclaimed { page: page(everything()), until: day };
    let all = vec![
        incidents("ListIncidents", everything()),
        incidents("ListIncidents by state", equals("x.state", "CLOSED")),
        incidents("ListIncidents by peril", equals("x.peril", "RESCUE")),
        incidents("ListIncidents by committee", equals("x.committee", "c000001")),
        incidents("ListIncidents by person", equals("x.person", "p000001")),
        incidents("ListIncidents by household", equals("x.household", "h000001")),
        claims("ListClaims", everything()),
        claims("ListClaims by state", equals("x.state", "OBJECTED")),
        claims("ListClaims by peril", equals("x.peril", "RESCUE")),
        claims("ListClaims by committee", equals("x.committee", "c000001")),
        claims("ListClaims by insured", equals("x.insured", "p000001")),
        claims("ListClaims by household", equals("x.household", "h000001")),
        Query { name: "ListPaymentFiles", sql: files },
        Query {
            name: "ListUnclaimedIncidents",
            sql: incident::store::unclaimed_query(&unclaimed).sql().as_str().to_owned(),
        },
    ];
    all.into_iter().chain(reports(town, day)).collect()
}

/// The statements of the questions; their pages behind the first one.
fn reports(town: &str, day: Date) -> Vec<Query> {
    let (page, days) = (Asked { limit: 51, ..Asked::all(town, day) }, (day, day));
    let after = || Some(String::new());
    let policies = report::store::Policies {
        town,
        scope: &Scope::Town,
        days,
        programme: None,
        after: after(),
        limit: 51,
    };
    let waiting = report::store::Waiting {
        town,
        scope: &Scope::Town,
        today: day,
        until: day,
        happened: Some(days),
        after: after(),
        limit: 51,
    };
    let (year, key) = (day.year().into(), report::caps::Key::default());
    let statements = [
        ("GetLossRatios", report::store::loss_ratios_query(&policies)),
        ("GetLegDurations", report::store::legs_query(town, &Scope::Town, days, None)),
        ("ListRejectionReasons", report::store::rejections_query(&page, days, after().zip(after()))),
        ("ListBenefitsByCommittee", report::store::benefits_query(town, &Scope::Town, days, &[])),
        ("ListUnclaimedByCommittee", report::store::unclaimed_query(&waiting)),
        ("ListExhaustedCaps", report::caps::query(&page, year, 1, Some(key))),
    ];
    statements.map(|(name, query)| Query { name, sql: query.sql().as_str().to_owned() }).into()
}

/// The statement of a page of claims behind another page, for measurements: `filter` as ListClaims takes it. Its parameters are the day, the
/// town, those of the filter, the last id before (unless it is the first page) and the limit.
///
/// # Errors
/// Where `filter` is none.
pub fn claims_page(town: &str, day: Date, filter: &str, first: bool) -> Result<String, FilterError> {
    let after = (!first).then(|| Uuid::nil().to_string());
    let filter = kernel::filter::parse(filter, claim::store::FILTER)?;
    let page = Asked { filter, after, limit: 51, ..Asked::all(town, day) };
    Ok(claim::store::list_query(&page, &claim::store::Relation::Any).sql().as_str().to_owned())
}

/// The statement that reads one claim, for measurements: of a town, by id.
pub fn claim() -> String {
    format!("select {} from claim x where x.town = $1 and x.id = $2", claim::store::COLUMNS)
}
