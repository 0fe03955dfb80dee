//! The share of a committee in a delegated task 费随事转: its life, and where its money came from and went. Pure.

use std::collections::BTreeMap;

use kernel::{
    money::{Fen, MoneyError},
    named,
    state::{Row, Table},
};
use uuid::Uuid;

use crate::ledger::rules::{AccountKind, EntryKind};

named! {
    /// The states of a share.
    pub(crate) State {
        /// The committee has not answered.
        Offered = "OFFERED",
        /// Taken on.
        Accepted = "ACCEPTED",
        /// Declined with a reason.
        Declined = "DECLINED",
        /// Taken back by the department.
        Withdrawn = "WITHDRAWN",
        /// Done.
        Settled = "SETTLED",
    }
}
named! {
    /// What can be done with a share.
    pub(crate) Verb {
        /// Offered.
        Create = "create",
        /// Its money comes after the offer.
        Fund = "fund",
        /// Taken on 接收.
        Accept = "accept",
        /// Declined 退回.
        Decline = "decline",
        /// Taken back 撤回.
        Withdraw = "withdraw",
        /// Settled 结清.
        Settle = "settle",
    }
}

/// The life of a share.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "delegationShare",
    rows: &[
        Row::new(
            None,
            Verb::Create,
            State::Offered,
            "funding.delegations.create",
            &["its money is booked with it, if it has any"],
        ),
        Row::new(
            Some(State::Offered),
            Verb::Fund,
            State::Offered,
            "funding.delegations.fund",
            &["it has no money yet"],
        ),
        Row::new(
            Some(State::Offered),
            Verb::Accept,
            State::Accepted,
            "funding.delegations.accept",
            &["another person than who offered it", "it has its money"],
        ),
        Row::new(
            Some(State::Offered),
            Verb::Decline,
            State::Declined,
            "funding.delegations.decline",
            &["a reason"],
        ),
        Row::new(
            Some(State::Offered),
            Verb::Withdraw,
            State::Withdrawn,
            "funding.delegations.withdraw",
            &["a reason"],
        ),
        Row::new(
            Some(State::Accepted),
            Verb::Settle,
            State::Settled,
            "funding.delegations.settle",
            &["another person than who accepted", "no open holds"],
        ),
    ],
};

/// Whether a share comes with its money. One that doesn't may be declined and is never accepted.
pub(crate) fn is_funded(amount: Fen) -> bool {
    amount > Fen::ZERO
}

/// What the ledger has of a task, added up: one row for each kind of account and entry, and category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    /// The committee; none of the department's account.
    pub(crate) committee: Option<String>,
    /// The account.
    pub(crate) account: AccountKind,
    /// Why it was booked.
    pub(crate) entry: EntryKind,
    /// What was spent on.
    pub(crate) category: Option<String>,
    /// The resource that it was booked for.
    pub(crate) subject: String,
    /// The sum of the postings.
    pub(crate) amount: Fen,
    /// The first entries, oldest first.
    pub(crate) entries: Vec<Uuid>,
}

/// Money of a step with its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// How much.
    pub(crate) amount: Fen,
    /// The entries.
    pub(crate) entries: Vec<Uuid>,
}

impl Step {
    fn add(&mut self, amount: Fen, entries: &[Uuid]) -> Result<(), MoneyError> {
        self.amount = self.amount.checked_add(amount)?;
        self.entries.extend_from_slice(entries);
        Ok(())
    }
}

/// Where the money of a share came from and went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Provenance {
    /// From the department.
    pub(crate) offered: Step,
    /// To the committee.
    pub(crate) accepted: Step,
    /// Spent, by category.
    pub(crate) spent: BTreeMap<String, Step>,
    /// Back to the department.
    pub(crate) returned: Step,
    /// What the committee still has.
    pub(crate) left: Fen,
    /// The entries that carried it over.
    pub(crate) carried: Vec<Uuid>,
}

impl Provenance {
    /// All that was spent.
    ///
    /// # Errors
    /// When the sum is too large.
    pub(crate) fn spent_amount(&self) -> Result<Fen, MoneyError> {
        Fen::sum(self.spent.values().map(|step| step.amount))
    }
}

/// A share as its provenance needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of<'a> {
    /// Its name.
    pub(crate) share: &'a str,
    /// The delegation's name.
    pub(crate) delegation: &'a str,
    /// The committee's id.
    pub(crate) committee: &'a str,
    /// Its money.
    pub(crate) amount: Fen,
}

/// The provenance of a share, of what the ledger has of its task.
///
/// # Errors
/// When a sum is too large.
pub(crate) fn provenance(of: Of<'_>, sums: &[Sum]) -> Result<Provenance, MoneyError> {
    let mut found =
        Provenance { offered: Step { amount: of.amount, entries: Vec::new() }, ..Default::default() };
    for sum in sums {
        let mine = sum.committee.as_deref() == Some(of.committee);
        match (sum.account, sum.entry) {
            // the entry that funds all shares together is booked for the delegation; one that funds a share later, for the share
            (AccountKind::Department, EntryKind::Delegation)
                if sum.subject == of.delegation || sum.subject == of.share =>
            {
                found.offered.entries.extend_from_slice(&sum.entries);
            }
            (AccountKind::Department, EntryKind::Return) if sum.subject == of.share => {
                found.returned.add(sum.amount, &sum.entries)?;
            }
            (AccountKind::Committee, kind) if mine => {
                found.left = found.left.checked_add(sum.amount)?;
                match kind {
                    EntryKind::Delegation => found.accepted.add(sum.amount, &sum.entries)?,
                    EntryKind::CarryOver => found.carried.extend_from_slice(&sum.entries),
                    EntryKind::Allocation
                    | EntryKind::Transfer
                    | EntryKind::Expense
                    | EntryKind::Refund
                    | EntryKind::Grant
                    | EntryKind::Return
                    | EntryKind::Opening => {}
                }
            }
            (AccountKind::Expenditure, _) if mine => {
                let category = sum.category.clone().unwrap_or_default();
                found.spent.entry(category).or_default().add(sum.amount, &sum.entries)?;
            }
            (
                AccountKind::Appropriation
                | AccountKind::Department
                | AccountKind::Opening
                | AccountKind::Pool
                | AccountKind::Task
                | AccountKind::Committee
                | AccountKind::Expenditure,
                _,
            ) => {}
        }
    }
    // an unfunded offer was funded by nobody, whatever the department gave to others
    if !is_funded(of.amount) {
        found.offered.entries.clear();
    }
    found.carried.sort_unstable();
    found.carried.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use kernel::state::Named;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_life_of_a_share_is_whole() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
    }

    #[test]
    fn what_is_accepted_is_not_declined_and_what_is_over_stays_so() {
        for over in [State::Declined, State::Withdrawn, State::Settled] {
            assert!(Verb::ALL.iter().all(|verb| TABLE.next(over, *verb).is_err()), "{over:?}");
        }
        for verb in [Verb::Fund, Verb::Accept, Verb::Decline, Verb::Withdraw] {
            assert!(TABLE.next(State::Accepted, verb).is_err(), "{verb:?}");
        }
        assert!(!is_funded(Fen::ZERO) && is_funded(Fen::of(1)));
    }

    /// What a ledger would have booked of one share: a plain account of money beside the rules.
    struct Books {
        sums: Vec<Sum>,
        committee: i64,
        spent: i64,
        returned: i64,
    }

    impl Books {
        fn book(
            &mut self,
            committee: Option<&str>,
            account: AccountKind,
            entry: EntryKind,
            category: Option<&str>,
            fen: i64,
        ) {
            self.sums.push(Sum {
                committee: committee.map(str::to_owned),
                account,
                entry,
                category: category.map(str::to_owned),
                subject: "share".to_owned(),
                amount: Fen::of(fen),
                entries: vec![Uuid::now_v7()],
            });
        }
    }

    proptest! {
        /// However it is spent, refunded and settled: accepted = spent + returned + left.
        #[test]
        fn no_fen_of_a_share_is_lost(
            amount in 1i64..1_000_000,
            steps in proptest::collection::vec((0i64..400_000, any::<bool>(), 0usize..3), 0..12),
            settled: bool,
        ) {
            let mut books = Books { sums: Vec::new(), committee: amount, spent: 0, returned: 0 };
            books.book(None, AccountKind::Department, EntryKind::Delegation, None, -amount);
            books.book(Some("c"), AccountKind::Committee, EntryKind::Delegation, None, amount);
            let mut by_category = [0i64; 3];
            for (fen, back, category) in steps {
                let name = ["ACTIVITY", "OFFICE", "AID"][category];
                let (fen, kind) = if back { (-fen.min(by_category[category]), EntryKind::Refund) } else { (fen.min(books.committee), EntryKind::Expense) };
                if fen == 0 { continue; }
                by_category[category] += fen;
                books.committee -= fen;
                books.spent += fen;
                books.book(Some("c"), AccountKind::Committee, kind, None, -fen);
                books.book(Some("c"), AccountKind::Expenditure, kind, Some(name), fen);
            }
            // another committee's share of the same task is none of its business
            books.book(Some("d"), AccountKind::Committee, EntryKind::Delegation, None, 77);
            if settled && books.committee > 0 {
                books.returned = books.committee;
                books.book(Some("c"), AccountKind::Committee, EntryKind::Return, None, -books.committee);
                books.book(None, AccountKind::Department, EntryKind::Return, None, books.committee);
                books.committee = 0;
            }
            let of = Of { share: "share", delegation: "delegation", committee: "c", amount: Fen::of(amount) };
            let found = provenance(of, &books.sums).unwrap();
            prop_assert_eq!(found.left, Fen::of(books.committee));
            prop_assert_eq!(found.spent_amount().unwrap(), Fen::of(books.spent));
            prop_assert_eq!(found.returned.amount, Fen::of(books.returned));
            prop_assert_eq!(found.accepted.amount.fen(), books.spent + books.returned + found.left.fen());
            prop_assert_eq!(found.offered.entries.len(), 1);
        }
    }
}
