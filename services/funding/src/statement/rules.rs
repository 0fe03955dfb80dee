//! The statement of income and expenditure 收支情况表 of a committee: what was there, what moved it, what is left. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::{
    money::{Fen, MoneyError},
    named,
};
use uuid::Uuid;

use crate::ledger::rules::{AccountKind, Earmark, EntryKind, Fund};

named! {
    /// What moved the money of a committee; in the order of a statement.
    pub(crate) Movement {
        /// 期初.
        Opened = "OPENED",
        /// 上年结转.
        CarriedIn = "CARRIED_IN",
        /// 拨付.
        Released = "RELEASED",
        /// From another committee.
        TransferredIn = "TRANSFERRED_IN",
        /// 费随事转.
        Delegated = "DELEGATED",
        /// To a project.
        GrantedIn = "GRANTED_IN",
        /// From a closed project.
        ReturnedIn = "RETURNED_IN",
        /// 支出.
        Spent = "SPENT",
        /// 退回.
        Refunded = "REFUNDED",
        /// To another committee.
        TransferredOut = "TRANSFERRED_OUT",
        /// From the free service fund to a project.
        GrantedOut = "GRANTED_OUT",
        /// 收回.
        ReturnedOut = "RETURNED_OUT",
        /// 结转下年.
        CarriedOut = "CARRIED_OUT",
    }
}

impl Movement {
    /// What an entry is for an account of a committee; none for what is told by category.
    fn of(entry: EntryKind, inflow: bool) -> Option<Movement> {
        Some(match (entry, inflow) {
            (EntryKind::Allocation, _) => Movement::Released,
            (EntryKind::Transfer, true) => Movement::TransferredIn,
            (EntryKind::Transfer, false) => Movement::TransferredOut,
            (EntryKind::Delegation, _) => Movement::Delegated,
            (EntryKind::Grant, true) => Movement::GrantedIn,
            (EntryKind::Grant, false) => Movement::GrantedOut,
            (EntryKind::Return, true) => Movement::ReturnedIn,
            (EntryKind::Return, false) => Movement::ReturnedOut,
            (EntryKind::CarryOver, true) => Movement::CarriedIn,
            (EntryKind::CarryOver, false) => Movement::CarriedOut,
            (EntryKind::Opening, _) => Movement::Opened,
            (EntryKind::Expense | EntryKind::Refund, _) => return None,
        })
    }

    /// The kind of the entries that it adds up.
    pub(crate) fn entry(self) -> EntryKind {
        match self {
            Movement::Opened => EntryKind::Opening,
            Movement::CarriedIn | Movement::CarriedOut => EntryKind::CarryOver,
            Movement::Released => EntryKind::Allocation,
            Movement::TransferredIn | Movement::TransferredOut => EntryKind::Transfer,
            Movement::Delegated => EntryKind::Delegation,
            Movement::GrantedIn | Movement::GrantedOut => EntryKind::Grant,
            Movement::ReturnedIn | Movement::ReturnedOut => EntryKind::Return,
            Movement::Spent => EntryKind::Expense,
            Movement::Refunded => EntryKind::Refund,
        }
    }
}

/// The days of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// The first day; what was booked before it is opening.
    pub(crate) from: Date,
    /// The last day.
    pub(crate) to: Date,
    /// Whether what is booked later counts too: in the last quarter, because a year's money is booked until the year is closed.
    pub(crate) open_ended: bool,
}

impl Period {
    /// A quarter of a fiscal year, or all of it for 0.
    pub(crate) fn of(year: i32, quarter: i32) -> Option<Period> {
        let year = i16::try_from(year).ok()?;
        let (first, last) = match quarter {
            0 => (1, 12),
            1..=4 => {
                let last = i8::try_from(quarter * 3).ok()?;
                (last - 2, last)
            }
            _ => return None,
        };
        let from = Date::new(year, first, 1).ok()?;
        let to = Date::new(year, last, 1).ok()?.last_of_month();
        Some(Period { from, to, open_ended: last == 12 })
    }

    /// What ListEntries takes to list the entries of a kind within it.
    pub(crate) fn filter(self, kind: &str) -> String {
        let until = if self.open_ended { String::new() } else { format!(" AND book_date <= {}", self.to) };
        // what is booked for a year before it begins is of its first days
        let since = match self.from.month() {
            1 => String::new(),
            _ => format!(" AND book_date >= {}", self.from),
        };
        format!("kind = {kind} AND fiscal_year = {}{since}{until}", self.from.year())
    }
}

/// Postings of one account added up: those of one kind of entry, one direction, before the period or within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) fund: Fund,
    pub(crate) earmark: Option<Earmark>,
    pub(crate) account: Uuid,
    pub(crate) kind: AccountKind,
    pub(crate) category: Option<String>,
    pub(crate) entry: EntryKind,
    pub(crate) inflow: bool,
    pub(crate) before: bool,
    pub(crate) amount: Fen,
    pub(crate) count: i64,
    pub(crate) entries: Vec<Uuid>,
}

/// One kind of movement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) amount: Fen,
    pub(crate) count: i64,
    pub(crate) entries: Vec<Uuid>,
    pub(crate) account: Uuid,
}

/// The part of one fund with one earmark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) opening: Fen,
    /// By movement and category.
    pub(crate) lines: BTreeMap<(Movement, Option<String>), Line>,
    pub(crate) closing: Fen,
    pub(crate) held: Fen,
}

impl Section {
    /// What was spent without what was refunded.
    ///
    /// # Errors
    /// When the sum is too large.
    pub(crate) fn spent(&self) -> Result<Fen, MoneyError> {
        let lines = self.lines.iter().filter(|((movement, _), _)| match movement {
            Movement::Spent | Movement::Refunded => true,
            Movement::Opened
            | Movement::CarriedIn
            | Movement::Released
            | Movement::TransferredIn
            | Movement::Delegated
            | Movement::GrantedIn
            | Movement::ReturnedIn
            | Movement::TransferredOut
            | Movement::GrantedOut
            | Movement::ReturnedOut
            | Movement::CarriedOut => false,
        });
        Fen::ZERO.checked_sub(Fen::sum(lines.map(|(_, line)| line.amount))?)
    }

    /// Opening and movements together.
    fn computed(&self) -> Result<Fen, MoneyError> {
        Fen::sum(self.lines.values().map(|line| line.amount).chain([self.opening]))
    }
}

/// What is wrong with a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// A sum is too large.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Opening and movements are not the closing: the ledger has postings that no line tells.
    #[error("{0:?}: opening and movements give {1}, the account has {2}")]
    Unbalanced(Fund, Fen, Fen),
}

/// The sections of a statement, by fund and earmark.
pub(crate) type Sections = BTreeMap<(Fund, Option<Earmark>), Section>;

/// The statement that the ledger's sums make.
///
/// # Errors
/// When it doesn't add up.
pub(crate) fn compose(sums: &[Sum], held: &[(Fund, Option<Earmark>, Fen)]) -> Result<Sections, Fault> {
    let mut sections = Sections::new();
    for sum in sums {
        let section = sections.entry((sum.fund, sum.earmark.clone())).or_default();
        let (movement, amount) = match sum.kind {
            AccountKind::Committee => {
                section.closing = section.closing.checked_add(sum.amount)?;
                if sum.before {
                    section.opening = section.opening.checked_add(sum.amount)?;
                }
                (Movement::of(sum.entry, sum.inflow), sum.amount)
            }
            // what was spent is the other side of what left the account
            AccountKind::Expenditure => {
                let movement =
                    if sum.entry == EntryKind::Refund { Movement::Refunded } else { Movement::Spent };
                (Some(movement), Fen::ZERO.checked_sub(sum.amount)?)
            }
            AccountKind::Appropriation
            | AccountKind::Department
            | AccountKind::Opening
            | AccountKind::Pool
            | AccountKind::Task => continue,
        };
        if let Some(movement) = movement.filter(|_| !sum.before) {
            let line = section.lines.entry((movement, sum.category.clone())).or_default();
            line.amount = line.amount.checked_add(amount)?;
            line.count += sum.count;
            line.entries.extend_from_slice(&sum.entries);
            line.account = sum.account;
        }
    }
    for (fund, earmark, amount) in held {
        let section = sections.entry((*fund, earmark.clone())).or_default();
        section.held = section.held.checked_add(*amount)?;
    }
    for ((fund, _), section) in &sections {
        let computed = section.computed()?;
        if computed != section.closing {
            return Err(Fault::Unbalanced(*fund, computed, section.closing));
        }
    }
    Ok(sections)
}

#[cfg(test)]
mod tests;
