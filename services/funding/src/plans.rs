//! The statements whose plans matter, for tests.

use chassis::listing::Asked;
use jiff::civil::Date;
use kernel::filter::{Op, Predicate, Value};

use crate::{expense, payment};

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
    let expenses = |name, filter| {
        let asked = expense::store::Asked { page: page(filter), relation: expense::store::Relation::Any };
        Query { name, sql: expense::store::list_query(&asked).sql().as_str().to_owned() }
    };
    let batches = payment::store::list_query(&page(everything())).sql().as_str().to_owned();
    vec![
        expenses("ListExpenses", everything()),
        expenses("ListExpenses by state", equals("x.state", "OBJECTED")),
        expenses("ListExpenses by committee", equals("x.committee", "c000001")),
        expenses(
            "ListExpenses by earmark",
            equals(expense::store::EARMARK_SHOWN, "towns/malu/projects/p000001"),
        ),
        Query { name: "ListPaymentBatches", sql: batches },
    ]
}
