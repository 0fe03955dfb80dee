//! `linli config print`.

use comfy_table::{Table, presets::NOTHING};

use crate::{Done, dev};

pub(crate) fn run() -> Done {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(["setting", "value", "meaning"]);
    table.add_rows(dev::config()?.table());
    println!("{table}");
    Ok(())
}
