//! The tables that governance imports and exports.

mod block_forces;
mod blocks;
mod bodies;
mod buildings;
mod committees;
mod counts;
mod estates;
mod households;
mod memberships;
mod organisations;
mod places;
mod residents;
mod stewardships;

use std::sync::Arc;

use chassis::imports::{Sheet, Sheets};
use kernel::name::TownName;
use tabular::{Cells, Column};

/// The tables, each after those that it requires.
pub(crate) fn sheets() -> Sheets {
    let all: Vec<Arc<dyn Sheet>> = vec![
        Arc::new(places::Communities),
        Arc::new(committees::Committees),
        Arc::new(counts::HouseholdCounts),
        Arc::new(blocks::Blocks),
        Arc::new(stewardships::Stewardships),
        Arc::new(organisations::Organisations),
        Arc::new(estates::Estates),
        Arc::new(buildings::Buildings),
        Arc::new(households::Households),
        Arc::new(residents::Residents),
        Arc::new(bodies::Bodies),
        Arc::new(memberships::Memberships),
        Arc::new(block_forces::BlockForces),
    ];
    all.into()
}

/// A column that must be there, with the usual width.
const fn column(name: &'static str) -> Column {
    Column { name, required: true, max_chars: 200, personal: false }
}

/// The same, of personal data.
const fn personal(name: &'static str) -> Column {
    Column { name, required: true, max_chars: 100, personal: true }
}

/// Notes a row of another town.
fn own_town(cells: &mut Cells<'_>, town: &TownName) {
    if cells.raw("town") != town.town() {
        let id = town.town();
        cells.fault("town", "ANOTHER_TOWN", format!("应为 {id}"), format!("should be {id}"));
    }
}

/// A name for display.
fn name(cells: &mut Cells<'_>, column: &str) -> Option<String> {
    cells.parsed(column, |text| kernel::text::display_name(text, kernel::text::NAME_CHARS).map(str::to_owned))
}

/// An id of master data.
fn id(cells: &mut Cells<'_>, column: &str) -> Option<String> {
    let text = cells.text(column)?;
    if kernel::name::is_id(&text) {
        return Some(text);
    }
    cells.fault(
        column,
        "FORMAT",
        "只能含小写字母、数字和连字符，最长 63",
        "lower-case letters, digits and hyphens, 63 at most",
    );
    None
}
