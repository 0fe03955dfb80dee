//! The tables that funding imports and exports.

mod opening_balances;

use std::sync::Arc;

use chassis::imports::{Sheet, Sheets};

/// The tables, each after those that it requires.
pub(crate) fn sheets() -> Sheets {
    let all: Vec<Arc<dyn Sheet>> = vec![Arc::new(opening_balances::OpeningBalances)];
    all.into()
}
