//! Reads a file of committees as an import does and prints what was found: `cargo run -p tabular --example read -- FILE`.

use tabular::{Column, Limits, read_table};

const NAMES: [&str; 12] = [
    "code",
    "town",
    "name",
    "kind",
    "community",
    "state",
    "preparation_started_on",
    "founded_on",
    "households",
    "households_as_of",
    "management_class",
    "difficulty",
];

fn main() -> std::io::Result<()> {
    let file = std::env::args().nth(1).unwrap_or_default();
    let bytes = std::fs::read(&file)?;
    let columns = NAMES.map(|name| Column { name, required: true, max_chars: 200, personal: false });
    let faults = match read_table(&bytes, &file, &columns, Limits::default()) {
        Ok(table) => {
            println!("{}: {} rows, {} whole", table.encoding.name(), table.total, table.rows.len());
            table.faults
        }
        Err(faults) => faults,
    };
    for fault in faults.iter().take(20) {
        println!("row {} {} {:?}: {} {}", fault.row, fault.column, fault.value, fault.reason, fault.en);
    }
    Ok(())
}
