//! The bank file and the return file 回单.

use chassis::{
    fields::REFERENCE,
    refusal::{FieldFault, Refusal},
};
use kernel::{money::Fen, text::shorten};
use tabular::{Cells, Column, Csv, Fault, Field, Limits, read_csv};

use super::rules::Answer;
use crate::reasons::RETURN_FILE_UNREADABLE;

/// Characters of a remark 附言 at most.
const REMARK: usize = 60;
/// Characters of what a bank says, at most.
const REASON: usize = 200;
/// What a return file may hold.
const LIMITS: Limits = Limits { bytes: 4 << 20, rows: 10_000, cells: 100_000, unpacked: 0 };

/// A line of a bank file, in clear.
pub(crate) struct Order<'a> {
    pub(crate) n: i32,
    pub(crate) expense: &'a str,
    pub(crate) payee: &'a str,
    pub(crate) account: &'a str,
    pub(crate) bank: &'a str,
    pub(crate) amount: Fen,
    pub(crate) purpose: &'a str,
}

/// The bank file: no cell of it runs as a formula.
///
/// # Errors
/// INTERNAL when it can't be written.
pub(crate) fn write(orders: &[Order<'_>]) -> Result<Vec<u8>, Refusal> {
    let header = ["line", "expense", "payee", "account", "bank", "amount_yuan", "remark"];
    let mut file = Csv::new(header).map_err(Refusal::internal)?;
    for order in orders {
        let text = |text: &str| Field::Text(text.to_owned());
        let row = [
            Field::Number(order.n.into()),
            text(order.expense),
            text(order.payee),
            text(order.account),
            text(order.bank),
            Field::Text(order.amount.to_string()),
            Field::Text(shorten(order.purpose, REMARK)),
        ];
        file.row(row).map_err(Refusal::internal)?;
    }
    file.finish().map_err(Refusal::internal)
}

const fn column(name: &'static str, required: bool, max_chars: usize) -> Column {
    // a bank may write a payee's name anywhere: no fault repeats a cell
    Column { name, required, max_chars, personal: true }
}

const COLUMNS: &[Column] = &[
    column("line", false, 10),
    column("expense", false, 40),
    column("amount_yuan", true, 24),
    column("result", true, 20),
    column("bank_reference", false, REFERENCE),
    column("reason", false, REASON),
];

/// Why text is no amount.
#[derive(Debug, thiserror::Error)]
#[error("not an amount like 1234.56")]
struct NotAnAmount;

/// Yuan with two decimals at most: `1234.56`.
fn yuan(text: &str) -> Result<Fen, NotAnAmount> {
    Fen::of_yuan(text).map_err(|_| NotAnAmount)
}

fn answer(mut cells: Cells<'_>) -> Result<Answer, Vec<Fault>> {
    let row = cells.number();
    let line = if cells.raw("line").is_empty() {
        Some(None)
    } else {
        // a number that no line can have is an unknown line, no fault
        cells.integer("line", 0..=i64::MAX).map(|n| Some(i32::try_from(n).unwrap_or(i32::MAX)))
    };
    let expense = Some(cells.raw("expense")).filter(|text| !text.is_empty()).map(str::to_owned);
    if line == Some(None) && expense.is_none() {
        cells.fault("line", "REQUIRED", "line 与 expense 至少填一项", "line or expense, one of them");
    }
    let amount = cells.parsed("amount_yuan", yuan);
    let result = cells.one_of("result", &["SUCCESS", "FAILED"]);
    let reference = cells.raw("bank_reference").to_owned();
    if result == Some("SUCCESS") && reference.is_empty() {
        cells.fault("bank_reference", "REQUIRED", "付款成功须有银行流水号", "a payment has its reference");
    }
    let reason = cells.raw("reason").to_owned();
    let read = line.zip(amount).zip(result);
    let ((line, amount), result) = cells.finish(read)?;
    Ok(Answer { row, line, expense, amount, paid: (result == "SUCCESS").then_some(reference), reason })
}

/// Reads a return file.
///
/// # Errors
/// RETURN_FILE_UNREADABLE with every fault by its row and column; nothing of a cell is repeated.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Answer>, Refusal> {
    let table = read_csv(bytes, COLUMNS, LIMITS).map_err(|faults| unreadable(&faults))?;
    let mut faults: Vec<Fault> = table.faults.into_iter().filter(|fault| !fault.warning).collect();
    let mut answers = Vec::new();
    for row in &table.rows {
        match answer(Cells::new(row, COLUMNS)) {
            Ok(answer) => answers.push(answer),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(answers) } else { Err(unreadable(&faults)) }
}

/// Faults that are listed at most.
const TOLD: usize = 100;

fn unreadable(faults: &[Fault]) -> Refusal {
    let fields = faults.iter().take(TOLD).map(|fault| {
        let field = format!("content.rows[{}].{}", fault.row, fault.column);
        FieldFault::new(field, fault.reason, fault.zh.clone(), fault.en.clone())
    });
    Refusal::new(&RETURN_FILE_UNREADABLE).with("count", faults.len()).at_fields(fields.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_cell_of_the_bank_file_runs() {
        let order = Order {
            n: 1,
            expense: "支-2020-000001",
            payee: "=HYPERLINK(\"http://x\")",
            account: "6222021001123456789",
            bank: "+工商银行",
            amount: Fen::of(123_456),
            purpose: "@端午包粽,\"社区日\"",
        };
        let text = String::from_utf8(write(&[order]).unwrap()).unwrap();
        let row = text.lines().nth(1).unwrap();
        assert_eq!(
            row,
            "1,支-2020-000001,\"'=HYPERLINK(\"\"http://x\"\")\",6222021001123456789,'+工商银行,1234.56,\"'@端午包粽,\"\"社区日\"\"\""
        );
    }

    #[test]
    fn a_return_file_is_read_or_every_fault_of_it_named() {
        let head = "line,expense,amount_yuan,result,bank_reference,reason\r\n";
        let good = format!("{head}1,,12.5,SUCCESS,r1,\r\n,支-2020-000002,7,FAILED,,户名不符\r\n");
        let answers = read(good.as_bytes()).unwrap();
        assert_eq!(
            (answers[0].line, answers[0].amount, answers[0].paid.as_deref()),
            (Some(1), Fen::of(1250), Some("r1"))
        );
        assert_eq!(
            (answers[1].line, answers[1].paid.as_deref(), answers[1].reason.as_str()),
            (None, None, "户名不符")
        );
        let bad = format!("{head},,\"1,2\",MAYBE,,\r\n1,,1.005,SUCCESS,,\r\n钱甲子\r\n");
        let refusal = read(bad.as_bytes()).unwrap_err();
        assert_eq!(refusal.reason().name, "RETURN_FILE_UNREADABLE");
        let fields: Vec<&str> = refusal.offending().iter().map(|fault| fault.field.as_str()).collect();
        for field in [
            "rows[2].line",
            "rows[2].amount_yuan",
            "rows[2].result",
            "rows[3].amount_yuan",
            "rows[3].bank_reference",
        ] {
            assert!(fields.contains(&format!("content.{field}").as_str()), "{field} in {fields:?}");
        }
        assert!(!format!("{:?}", refusal.offending()).contains("钱甲子"));
        assert!(read("a,b\r\n1,2\r\n".as_bytes()).is_err() && read(b"\xff\xff\xff").is_err());
    }

    proptest! {
        #[test]
        fn an_amount_is_read_as_it_is_written(fen in 0i64..i64::MAX) {
            prop_assert_eq!(yuan(&Fen::of(fen).to_string()).unwrap(), Fen::of(fen));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9.,+ -]{0,24}") {
            if let Ok(fen) = yuan(&text) {
                prop_assert!(fen >= Fen::ZERO && !text.contains([',', '+', ' ', '-']));
            }
        }
    }
}
