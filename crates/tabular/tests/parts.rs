//! A file in parts holds what the whole file holds, row for row.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

use std::io::Cursor;

use proptest::prelude::*;
use tabular::{Column, Limits, Part, PartError, Parts, Row, Table, read_csv};

const COLUMNS: &[Column] = &[
    Column { name: "code", required: true, max_chars: 200, personal: false },
    Column { name: "text", required: true, max_chars: 200, personal: false },
];

fn parts(bytes: &[u8], most: usize) -> Result<Vec<Part>, PartError> {
    Parts::new(Cursor::new(bytes), Cursor::new(bytes), most)?.collect()
}

fn table(bytes: &[u8]) -> Table {
    read_csv(bytes, COLUMNS, Limits::default()).unwrap()
}

proptest! {
    #[test]
    fn the_parts_are_the_whole(
        cells in prop::collection::vec(("[a-z0-9]{1,8}", "[a-z,\"\n\r 户]{0,12}"), 1..60),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        (mark, last, quoted) in any::<(bool, bool, bool)>(),
        most in 20usize..400,
    ) {
        let mut text = String::from(if mark { "\u{FEFF}" } else { "" });
        text.push_str(if quoted { "\"code\",text" } else { "code,text" });
        for (code, cell) in &cells {
            text.push_str(end);
            text.push_str(&format!("{code},\"{}\"", cell.replace('"', "\"\"")));
        }
        if last {
            text.push_str(end);
        }
        let parts = parts(text.as_bytes(), most).unwrap();
        let (mut found, mut faulty) = (Vec::new(), Vec::new());
        for part in &parts {
            prop_assert!(part.content.len() <= most || part.rows == 1);
            let its = table(&part.content);
            prop_assert_eq!(its.total as u64, part.rows);
            let number = |number| number + part.first_row - 2;
            found.extend(its.rows.into_iter().map(|row| Row { number: number(row.number), cells: row.cells }));
            faulty.extend(its.faults.into_iter().map(|fault| (number(fault.row), fault.reason)));
        }
        let whole = table(text.as_bytes());
        prop_assert_eq!(found, whole.rows);
        prop_assert_eq!(faulty, whole.faults.iter().map(|fault| (fault.row, fault.reason)).collect::<Vec<_>>());
        prop_assert!(parts.last().unwrap().until <= text.len() as u64);
    }
}

#[test]
fn what_cannot_be_cut_is_named() {
    let open = format!("code,text\na,b\nc,\"{}", "x\n".repeat(2 << 20));
    assert!(matches!(parts(open.as_bytes(), 1_000), Err(PartError::TooLong(3))));
    assert!(matches!(parts(b"\xFF\xFEc\0", 1_000), Err(PartError::Utf16)));
    assert!(matches!(parts(b"PK\x03\x04", 1_000), Err(PartError::NotText)));
    assert!(parts(b"", 1_000).unwrap().is_empty() && parts(b"code,text\n", 1_000).unwrap().is_empty());
}
