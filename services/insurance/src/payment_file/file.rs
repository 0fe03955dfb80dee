//! The payment file 赔付回单: read, or every fault of it named; nothing of a cell is repeated.

use chassis::{
    fields::REFERENCE,
    refusal::{FieldFault, Refusal},
};
use jiff::civil::Date;
use kernel::{money::Fen, name::is_id};
use tabular::{Cells, Column, Fault, Limits, read_table};

use crate::{
    claim::{
        pay::{NO_REFERENCE, Paid, is_reference},
        rules::is_number,
    },
    reasons::PAYMENT_FILE_UNREADABLE,
};

/// What a file may hold.
const LIMITS: Limits = Limits { bytes: 4 << 20, rows: 1_000, cells: 20_000, unpacked: 16 << 20 };
/// Faults that are listed at most.
const TOLD: usize = 100;

/// A line of a file.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The row of the file, the header being row 1.
    pub(super) row: u64,
    /// The number of the claim.
    pub(super) claim_number: String,
    /// What was paid.
    pub(super) paid: Paid,
}

const fn column(name: &'static str, max_chars: usize) -> Column {
    // an insurer may write a name anywhere: no fault repeats a cell
    Column { name, required: true, max_chars, personal: true }
}

const COLUMNS: &[Column] = &[
    column("claim_number", 40),
    column("programme", 63),
    column("amount_yuan", 24),
    column("paid_on", 10),
    column("reference", REFERENCE),
];

/// Why text is no amount.
#[derive(Debug, thiserror::Error)]
#[error("not an amount like 1234.56 above zero")]
struct NotAnAmount;

fn yuan(text: &str) -> Result<Fen, NotAnAmount> {
    Fen::of_yuan(text).ok().filter(|fen| *fen > Fen::ZERO).ok_or(NotAnAmount)
}

/// A cell that is kept: only what `fits`, because people write names where numbers belong.
fn kept(
    cells: &mut Cells<'_>,
    column: &'static str,
    fits: impl Fn(&str) -> bool,
    (zh, en): (&str, &str),
) -> Option<String> {
    let text = cells.text(column)?;
    if fits(&text) {
        return Some(text);
    }
    cells.fault(column, "FORMAT", zh, en);
    None
}

/// A programme may be written by its name or its id.
fn programme(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or_default()
}

fn line(mut cells: Cells<'_>, today: Date) -> Result<Line, Vec<Fault>> {
    let row = cells.number();
    let number = ("须为案件编号，如 民-2020-000123", "not a claim's number, like 民-2020-000123");
    let claim_number = kept(&mut cells, "claim_number", is_number, number);
    let one = ("须为险种代码，如 cci", "not a programme, like cci");
    let written = kept(&mut cells, "programme", |text| is_id(programme(text)), one);
    let amount = cells.parsed("amount_yuan", yuan);
    let on = cells.date("paid_on");
    if on.is_some_and(|on| on > today) {
        cells.fault("paid_on", "FUTURE_DATE", "晚于今天", "after today");
    }
    let reference = kept(&mut cells, "reference", is_reference, NO_REFERENCE);
    let read = claim_number.zip(written).zip(amount).zip(on).zip(reference);
    let ((((claim_number, written), amount), on), reference) = cells.finish(read)?;
    let programme = programme(&written).to_owned();
    Ok(Line { row, claim_number, paid: Paid { programme, amount, on, reference } })
}

/// Reads a file, CSV or XLSX.
///
/// # Errors
/// PAYMENT_FILE_UNREADABLE with every fault by its row and column.
pub(super) fn read(bytes: &[u8], today: Date) -> Result<Vec<Line>, Refusal> {
    let table = read_table(bytes, "", COLUMNS, LIMITS).map_err(|faults| unreadable(&faults))?;
    let mut faults: Vec<Fault> = table.faults.into_iter().filter(|fault| !fault.warning).collect();
    let mut lines = Vec::new();
    for row in &table.rows {
        match line(Cells::new(row, COLUMNS), today) {
            Ok(line) => lines.push(line),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(lines) } else { Err(unreadable(&faults)) }
}

fn unreadable(faults: &[Fault]) -> Refusal {
    let fields = faults.iter().take(TOLD).map(|fault| {
        let field = format!("content.rows[{}].{}", fault.row, fault.column);
        FieldFault::new(field, fault.reason, fault.zh.clone(), fault.en.clone())
    });
    Refusal::new(&PAYMENT_FILE_UNREADABLE).with("count", faults.len()).at_fields(fields.collect())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const HEAD: &str = "claim_number,programme,amount_yuan,paid_on,reference\r\n";

    #[test]
    fn a_file_is_read_or_every_fault_of_it_named() {
        let today = date(2020, 4, 1);
        let good = format!(
            "{HEAD}民-2020-000001,cci,30000.00,2020-03-20,r-1\r\n民-2020-000001,towns/malu/programmes/li,40000,2020-03-21,r-2\r\n"
        );
        let lines = read(good.as_bytes(), today).unwrap();
        assert_eq!((lines[0].paid.amount, lines[1].paid.programme.as_str()), (Fen::of(3_000_000), "li"));
        let bad = format!("{HEAD}钱甲子,,0.00,2020-04-02,\r\n民-2020-000001,cci,\"1,000\",2020-13-01,r\r\n");
        let refusal = read(bad.as_bytes(), today).unwrap_err();
        assert_eq!(refusal.reason().name, "PAYMENT_FILE_UNREADABLE");
        let fields: Vec<&str> = refusal.offending().iter().map(|fault| fault.field.as_str()).collect();
        for field in [
            "rows[2].claim_number",
            "rows[2].programme",
            "rows[2].amount_yuan",
            "rows[2].paid_on",
            "rows[2].reference",
            "rows[3].amount_yuan",
            "rows[3].paid_on",
        ] {
            assert!(fields.contains(&format!("content.{field}").as_str()), "{field} in {fields:?}");
        }
        assert!(!format!("{:?}", refusal.offending()).contains("钱甲子"));
        assert!(read(b"a,b\r\n1,2\r\n", today).is_err() && read(b"\xff\xff\xff", today).is_err());
    }
}
