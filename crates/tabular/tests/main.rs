//! The files of `tests/bad` get what their list says; what is exported can be read again.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

use proptest::prelude::*;
use tabular::{Cells, Column, Csv, Fault, Field, Limits, Table, read_csv};

const fn column(name: &'static str) -> Column {
    Column { name, required: true, max_chars: 200, personal: false }
}

const COLUMNS: &[Column] = &[
    column("code"),
    column("town"),
    column("name"),
    column("kind"),
    column("community"),
    column("state"),
    column("preparation_started_on"),
    column("founded_on"),
    column("households"),
    column("households_as_of"),
    column("management_class"),
    column("difficulty"),
];

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/bad/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn read(file: &str) -> Result<Table, Vec<Fault>> {
    read_csv(&bytes(file), COLUMNS, Limits::default())
}

/// The faults of the cells that a committee's row is read by.
fn faults(file: &str) -> Vec<(u64, String, &'static str)> {
    let table = match read(file) {
        Ok(table) => table,
        Err(faults) => return faults.into_iter().map(|f| (f.row, f.column, f.reason)).collect(),
    };
    let mut all: Vec<Fault> = table.faults.into_iter().filter(|fault| !fault.warning).collect();
    for row in &table.rows {
        let mut cells = Cells::new(row, COLUMNS);
        cells.parsed("code", kernel::ids::AreaCode::parse);
        cells.one_of("state", &["PREPARING", "FOUNDED"]);
        cells.optional_date("founded_on");
        cells.integer("households", 0..=1_000_000);
        all.extend(cells.finish(None::<()>).unwrap_err());
    }
    all.into_iter().map(|f| (f.row, f.column, f.reason)).collect()
}

#[test]
fn files_that_are_accepted() {
    for (file, rows, encoding, remark) in [
        ("gbk.csv", 6, "GBK", Some("CONVERTED")),
        ("bom.csv", 6, "UTF-8 (BOM)", None),
        ("utf16.csv", 6, "UTF-16LE", None),
        ("spaces.csv", 6, "UTF-8", Some("TRIMMED")),
        ("mixed_newlines.csv", 3, "UTF-8", None),
        ("header_only.csv", 0, "UTF-8", Some("NO_ROWS")),
        ("unknown_column.csv", 6, "UTF-8", Some("UNKNOWN_COLUMN")),
        ("formula.csv", 6, "UTF-8", None),
    ] {
        let table = read(file).unwrap_or_else(|faults| panic!("{file}: {faults:?}"));
        assert_eq!((table.rows.len(), table.encoding.name()), (rows, encoding), "{file}");
        assert_eq!(table.faults.first().map(|fault| fault.reason), remark, "{file}");
        assert_eq!(faults(file), [], "{file}");
    }
    assert_eq!(read("gbk.csv").unwrap().rows[0].cells[2], "育兰社区居委会");
}

#[test]
fn files_that_are_refused_with_row_and_column() {
    let one = |row, column: &str, reason| vec![(row, column.to_owned(), reason)];
    for (file, expected) in [
        ("empty.csv", one(0, "", "NO_HEADER")),
        ("missing_column.csv", one(1, "households", "MISSING_COLUMN")),
        ("negative_households.csv", one(3, "households", "OUT_OF_RANGE")),
        ("fullwidth_digits.csv", one(3, "households", "FULL_WIDTH")),
        ("thousands_separator.csv", one(3, "households", "THOUSANDS")),
        ("bad_code.csv", one(4, "code", "FORMAT")),
        ("impossible_date.csv", one(5, "founded_on", "BAD_DATE")),
        ("unknown_enum.csv", one(2, "state", "UNKNOWN_VALUE")),
        ("zero_width.csv", one(2, "name", "INVISIBLE")),
        ("long_cell.csv", one(2, "name", "TOO_LONG")),
        ("open_quote.csv", one(6, "", "OPEN_QUOTE")),
        ("short_row.csv", one(5, "", "WIDTH")),
    ] {
        assert_eq!(faults(file), expected, "{file}");
    }
    assert_eq!(
        faults("several_faults.csv"),
        [(2, "households".to_owned(), "OUT_OF_RANGE"), (3, "households".to_owned(), "NOT_A_NUMBER")]
    );
    assert_eq!(faults("invalid_utf8.csv")[0].2, "BAD_ENCODING");
    assert_eq!(faults("nul_byte.csv")[0].2, "INVISIBLE");
}

proptest! {
    /// Whatever text is exported, the same is read again, and no cell begins like a formula.
    #[test]
    fn what_is_exported_is_read_again(rows in prop::collection::vec(("[a-z0-9=+@,\"'\u{4e00}-\u{4e80}-]{0,12}", any::<i64>()), 0..8)) {
        let columns = [Column { name: "text", required: true, max_chars: 50, personal: false }, Column { name: "number", required: true, max_chars: 50, personal: false }];
        let mut csv = Csv::new(["text", "number"]).unwrap();
        for (text, number) in &rows {
            csv.row([Field::Text(text.clone()), Field::Number(*number)]).unwrap();
        }
        let file = csv.finish().unwrap();
        let table = read_csv(&file, &columns, Limits::default()).unwrap();
        let again: Vec<(String, i64)> = table.rows.iter().map(|row| (row.cells[0].clone(), row.cells[1].parse().unwrap())).collect();
        let expected: Vec<(String, i64)> = rows.iter().map(|(text, number)| (match text.strip_prefix('\'') {
            // an apostrophe of the user's own before a formula is taken for the guard
            Some(rest) if kernel::text::formula_like(rest) => rest.to_owned(),
            _ => text.clone(),
        }, *number)).collect();
        prop_assert_eq!(again, expected);
    }

    #[test]
    fn any_bytes_are_read_or_refused(file in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_csv(&file, COLUMNS, Limits::default());
    }
}
