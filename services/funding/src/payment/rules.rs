//! The life of a payment batch, and what a return file 回单 says about its lines. Pure.

use std::collections::HashSet;

use kernel::{
    money::Fen,
    named,
    state::{Row, Table},
};

named! {
    /// Where a batch stands.
    pub(crate) State {
        /// Gathered 待导出.
        Draft = "DRAFT",
        /// The bank file was written 已导出.
        Exported = "EXPORTED",
        /// The bank has answered for every line 已对账.
        Reconciled = "RECONCILED",
        /// Given up 已取消.
        Cancelled = "CANCELLED",
    }
}

named! {
    /// What can be done with a batch.
    pub(crate) Verb {
        /// Gather it.
        Create = "create",
        /// Write the bank file 导出.
        Export = "export",
        /// Read the return file 对账.
        Reconcile = "reconcile",
        /// Give it up 取消.
        Cancel = "cancel",
    }
}

const ANOTHER: &[&str] = &["nobody who applied for, reviewed or approved an expense in it"];

/// The life of a batch.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "paymentBatch",
    rows: &[
        Row::new(None, Verb::Create, State::Draft, "funding.payments.create", ANOTHER),
        Row::new(Some(State::Draft), Verb::Export, State::Exported, "funding.payments.export", ANOTHER),
        Row::new(Some(State::Exported), Verb::Export, State::Exported, "funding.payments.export", ANOTHER),
        Row::new(
            Some(State::Exported),
            Verb::Reconcile,
            State::Reconciled,
            "funding.payments.reconcile",
            &["with the last line; else it stays EXPORTED"],
        ),
        // the same file again: everything in it is a repetition
        Row::new(
            Some(State::Reconciled),
            Verb::Reconcile,
            State::Reconciled,
            "funding.payments.reconcile",
            &["changes nothing"],
        ),
        Row::new(Some(State::Draft), Verb::Cancel, State::Cancelled, "funding.payments.cancel", &[]),
    ],
};

/// `付-2020-000001`.
pub(crate) fn number(year: i16, n: i32) -> String {
    format!("付-{year:04}-{n:06}")
}

/// What the bank has said of a line before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing.
    Nothing,
    /// It paid, under this reference.
    Paid(String),
    /// It did not pay.
    Failed,
}

impl Said {
    fn reference(&self) -> Option<String> {
        match self {
            Said::Paid(reference) => Some(reference.clone()),
            Said::Nothing | Said::Failed => None,
        }
    }
}

/// A line of a batch, as a return file is matched with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number.
    pub(crate) n: i32,
    /// The number of its expense.
    pub(crate) expense: String,
    /// What is paid.
    pub(crate) amount: Fen,
    /// What the bank has said of it.
    pub(crate) said: Said,
}

/// What a row of a return file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The row of the file.
    pub(crate) row: u64,
    /// The number of the line, when it stands there.
    pub(crate) line: Option<i32>,
    /// The number of the expense, when it stands there.
    pub(crate) expense: Option<String>,
    /// The amount.
    pub(crate) amount: Fen,
    /// The reference of a payment; `None` when the bank did not pay.
    pub(crate) paid: Option<String>,
    /// Why it did not pay.
    pub(crate) reason: String,
}

named! {
    /// What comes of a row, or of a line that the file lacks.
    pub(crate) Outcome {
        /// Matched and to be posted.
        Paid = "PAID",
        /// Not paid; the expense is approved again.
        Failed = "FAILED",
        /// Another amount than the line's.
        AmountDiffers = "AMOUNT_DIFFERS",
        /// No such line, or line and expense don't belong together.
        UnknownLine = "UNKNOWN_LINE",
        /// Said before, in the same way.
        Repeated = "REPEATED",
        /// Said before, in another way.
        Contradicts = "CONTRADICTS",
        /// Nothing is said of the line.
        Missing = "MISSING",
        /// Matched and to be posted, under a reference that another line has.
        RepeatedReference = "REPEATED_REFERENCE",
    }
}

impl Outcome {
    /// What becomes of the line, when something does.
    pub(crate) fn moves(self) -> Option<Moves> {
        match self {
            Outcome::Paid | Outcome::RepeatedReference => Some(Moves::Paid),
            Outcome::Failed => Some(Moves::Failed),
            Outcome::AmountDiffers
            | Outcome::UnknownLine
            | Outcome::Repeated
            | Outcome::Contradicts
            | Outcome::Missing => None,
        }
    }

    /// Whether somebody must look into it.
    pub(crate) fn is_difference(self) -> bool {
        !matches!(self, Outcome::Paid | Outcome::Failed)
    }
}

named! {
    /// What becomes of a line for which the bank has answered.
    pub(crate) Moves {
        /// It is paid.
        Paid = "PAID",
        /// It is not.
        Failed = "FAILED",
    }
}

/// A row, or a line that the file lacks, with what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matched {
    /// The place among the answers; `None` for a line that the file lacks.
    pub(crate) answer: Option<usize>,
    /// The place among the lines; `None` when it is unknown.
    pub(crate) line: Option<usize>,
    /// What comes of it.
    pub(crate) outcome: Outcome,
}

/// Matches a return file with the lines of a batch: every row in its order, then the lines that it lacks. Only what [`Outcome::moves`]
/// tells of moves anything. One reference for several lines may be a bank's number for all of them, or one payment that is told as many:
/// they are paid, as the bank says, and listed.
pub(crate) fn reconcile(lines: &[Line], answers: &[Answer]) -> Vec<Matched> {
    let mut said: Vec<Said> = lines.iter().map(|line| line.said.clone()).collect();
    let mut used: HashSet<String> = lines.iter().filter_map(|line| line.said.reference()).collect();
    let mut mentioned = HashSet::new();
    let mut all = Vec::with_capacity(answers.len());
    for (place, answer) in answers.iter().enumerate() {
        let line = find(lines, answer);
        let outcome = match line {
            None => Outcome::UnknownLine,
            Some(at) => {
                mentioned.insert(at);
                let known = answer.paid.as_ref().is_some_and(|reference| used.contains(reference));
                let outcome = judge(&lines[at], &mut said[at], answer);
                used.extend(answer.paid.clone().filter(|_| outcome == Outcome::Paid));
                if known && outcome == Outcome::Paid { Outcome::RepeatedReference } else { outcome }
            }
        };
        all.push(Matched { answer: Some(place), line, outcome });
    }
    let lacking = (0..lines.len()).filter(|at| said[*at] == Said::Nothing && !mentioned.contains(at));
    all.extend(lacking.map(|at| Matched { answer: None, line: Some(at), outcome: Outcome::Missing }));
    all
}

/// The line of an answer: by its number, by its expense, by both when both stand there.
fn find(lines: &[Line], answer: &Answer) -> Option<usize> {
    if answer.line.is_none() && answer.expense.is_none() {
        return None;
    }
    lines.iter().position(|line| {
        answer.line.is_none_or(|n| n == line.n)
            && answer.expense.as_ref().is_none_or(|number| *number == line.expense)
    })
}

fn judge(line: &Line, said: &mut Said, answer: &Answer) -> Outcome {
    if answer.amount != line.amount {
        return Outcome::AmountDiffers;
    }
    let now = answer.paid.clone().map_or(Said::Failed, Said::Paid);
    match said {
        Said::Nothing => {
            let outcome = if now == Said::Failed { Outcome::Failed } else { Outcome::Paid };
            *said = now;
            outcome
        }
        before if *before == now => Outcome::Repeated,
        Said::Paid(_) | Said::Failed => Outcome::Contradicts,
    }
}

/// Where a batch stands when the bank has not answered for so many lines.
pub(crate) fn after_file(pending: usize) -> State {
    if pending == 0 { State::Reconciled } else { State::Exported }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
