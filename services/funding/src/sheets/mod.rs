//! The tables that funding imports and exports.

mod opening_balances;

use std::sync::Arc;

use chassis::{
    governance::Governance,
    imports::{Sheet, Sheets},
};

/// The tables, each after those that it requires.
pub(crate) fn sheets(governance: &Governance) -> Sheets {
    let all: Vec<Arc<dyn Sheet>> = vec![Arc::new(opening_balances::OpeningBalances(governance.clone()))];
    all.into()
}
