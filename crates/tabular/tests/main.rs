//! The files of `tests/bad` get what their list says; what is exported can be read again.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

use proptest::prelude::*;
use tabular::{Cells, Column, Csv, Fault, Field, Limits, Table, Xlsx, read_csv, read_table};

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
    read_table(&bytes(file), file, COLUMNS, Limits::default())
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
        ("code_as_number.xlsx", 4, "XLSX", None),
    ] {
        let table = read(file).unwrap_or_else(|faults| panic!("{file}: {faults:?}"));
        assert_eq!((table.rows.len(), table.encoding.name()), (rows, encoding), "{file}");
        assert_eq!(table.faults.first().map(|fault| fault.reason), remark, "{file}");
        assert_eq!(faults(file), [], "{file}");
    }
    assert_eq!(read("gbk.csv").unwrap().rows[0].cells[2], "育兰社区居委会");
    assert_eq!(read("code_as_number.xlsx").unwrap().rows[0].cells[0], "310114106001");
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
        ("wrong_sheet.xlsx", one(0, "", "WRONG_SHEET")),
        ("not_a_zip.xlsx", one(0, "", "NOT_A_WORKBOOK")),
        ("far_cell.xlsx", one(1_048_576, "", "OUTSIDE")),
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

const PAIR: &[Column] = &[column("text"), column("number")];

/// The rows that a file has, read again.
fn pairs(file: &[u8]) -> Vec<(String, i64)> {
    let table = read_table(file, "", PAIR, Limits::default()).unwrap();
    table.rows.iter().map(|row| (row.cells[0].clone(), row.cells[1].parse().unwrap())).collect()
}

proptest! {
    /// Whatever text is exported, the same is read again, in both formats.
    #[test]
    fn what_is_exported_is_read_again(
        rows in prop::collection::vec(("[a-z0-9=+@_,\"'<&\u{4e00}-\u{4e80}-]{0,12}", any::<i64>()), 0..8)
    ) {
        let mut csv = Csv::new(["text", "number"]).unwrap();
        let mut xlsx = Xlsx::new("pairs", PAIR, None).unwrap();
        for (text, number) in &rows {
            csv.row([Field::Text(text.clone()), Field::Number(*number)]).unwrap();
            xlsx.row([Field::Text(text.clone()), Field::Number(*number)]).unwrap();
        }
        prop_assert_eq!(&pairs(&csv.finish().unwrap()), &rows);
        prop_assert_eq!(&pairs(&xlsx.finish(Some(&["a text", "a number"])).unwrap()), &rows);
    }

    #[test]
    fn any_bytes_are_read_or_refused(file in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_csv(&file, COLUMNS, Limits::default());
        let _ = read_table(&file, "a.xlsx", COLUMNS, Limits::default());
    }

    /// A workbook with damaged bytes is read or refused.
    #[test]
    fn damaged_workbooks_are_read_or_refused(at in any::<prop::sample::Index>(), bytes in any::<[u8; 4]>()) {
        let mut file = self::bytes("code_as_number.xlsx");
        let at = at.index(file.len() - 4);
        file[at..at + 4].copy_from_slice(&bytes);
        let _ = read_table(&file, "a.xlsx", COLUMNS, Limits::default());
    }
}
