//! The end of a fiscal year 年终结转: what is left of an account is carried over 结转 or taken back 收回. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::{
    money::{Fen, MoneyError},
    named,
    state::{Row, Table},
};

use crate::ledger::rules::{AccountKind, Earmark, EntryKind, Fund, Key};

named! {
    /// The states of a year.
    pub(crate) State {
        /// Money can be moved in it.
        Open = "OPEN",
        /// Only its end moves money.
        Closing = "CLOSING",
        /// Over.
        Closed = "CLOSED",
    }
}
named! {
    /// What can be done with a year.
    pub(crate) Verb {
        /// Opened by its first policy.
        Open = "open",
        /// Its end is proposed.
        Propose = "propose",
        /// The proposal is given up.
        CancelClose = "cancelClose",
        /// Its end is approved and begins.
        ApproveClose = "approveClose",
        /// The end is done.
        Close = "close",
    }
}

/// The life of a year.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "fiscalYear",
    rows: &[
        Row::new(None, Verb::Open, State::Open, "funding.policies.publish", &["by its first policy"]),
        Row::new(
            Some(State::Open),
            Verb::Propose,
            State::Closing,
            "funding.years.propose",
            &["nothing is held in it", "no expense of it is open", "the years before are closed"],
        ),
        Row::new(
            Some(State::Closing),
            Verb::CancelClose,
            State::Open,
            "funding.years.cancelClose",
            &["its end is not approved yet"],
        ),
        Row::new(
            Some(State::Closing),
            Verb::ApproveClose,
            State::Closing,
            "funding.years.approveClose",
            &[
                "another person than who proposed it",
                "the next year is open when something is carried over",
                "once; again when its operation ended without success",
            ],
        ),
        Row::new(
            Some(State::Closing),
            Verb::Close,
            State::Closed,
            "funding.years.approveClose",
            &["by the operation, when nothing is left"],
        ),
    ],
};

named! {
    /// What an account with something left is, as far as the end of a year asks.
    pub(crate) Class {
        /// Of a committee, free within its fund.
        Free = "FREE",
        /// Carried over once already.
        Carried = "CARRIED",
        /// Of a project with an open grant.
        Project = "PROJECT",
        /// Of a delegated task.
        Delegation = "DELEGATION",
        /// The project pool.
        Pool = "POOL",
        /// Money of a task that nobody has accepted yet.
        Task = "TASK",
    }
}

/// What becomes of what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Into the next year.
    Carried,
    /// Back to where it came from.
    Returned,
}

impl Fate {
    /// Why the entry is booked.
    pub(crate) fn entry(self) -> EntryKind {
        match self {
            Fate::Carried => EntryKind::CarryOver,
            Fate::Returned => EntryKind::Return,
        }
    }
}

impl Class {
    /// What an account is; none for those in which nothing is left at the end of a year.
    pub(crate) fn of(key: &Key) -> Option<Class> {
        match (key.kind, &key.earmark) {
            (AccountKind::Committee, None) => Some(Class::Free),
            (AccountKind::Committee, Some(Earmark::Carried)) => Some(Class::Carried),
            (AccountKind::Committee, Some(Earmark::Project(_))) => Some(Class::Project),
            (AccountKind::Committee, Some(Earmark::Delegation(_))) => Some(Class::Delegation),
            (AccountKind::Pool, _) => Some(Class::Pool),
            (AccountKind::Task, _) => Some(Class::Task),
            (
                AccountKind::Appropriation
                | AccountKind::Department
                | AccountKind::Opening
                | AccountKind::Expenditure,
                _,
            ) => None,
        }
    }

    /// What becomes of it. `carries` says whether the year's policy carries a fund over for one year.
    pub(crate) fn fate(self, fund: Fund, carries: impl Fn(Fund) -> bool) -> Fate {
        match self {
            Class::Free | Class::Pool if carries(fund) => Fate::Carried,
            // what was carried once goes back: one year, not two. The pool is one account, whose every year's policy says anew
            Class::Free | Class::Carried | Class::Pool => Fate::Returned,
            // a task or project goes on over the year's end with its money
            Class::Project | Class::Delegation | Class::Task => Fate::Carried,
        }
    }
}

/// The account to which what is left of `key` goes.
pub(crate) fn target(key: &Key, fate: Fate) -> Key {
    match (fate, key.kind) {
        (Fate::Returned, _) => Key::appropriation(key.fund, key.fiscal_year),
        (Fate::Carried, AccountKind::Committee) => {
            let earmark = Some(key.earmark.clone().unwrap_or(Earmark::Carried));
            Key { fiscal_year: key.fiscal_year + 1, earmark, ..key.clone() }
        }
        (Fate::Carried, _) => Key { fiscal_year: key.fiscal_year + 1, ..key.clone() },
    }
}

/// The business day on which the end of `year` is booked: its last day, or today when it ends early.
pub(crate) fn book_day(year: i32, today: Date) -> Date {
    let last = i16::try_from(year).ok().and_then(|year| Date::new(year, 12, 31).ok());
    last.map_or(today, |last| last.min(today))
}

/// What was carried and returned of one fund and class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// How many accounts.
    pub(crate) accounts: i64,
    /// What was carried over.
    pub(crate) carried: Fen,
    /// What was taken back.
    pub(crate) returned: Fen,
}

impl Line {
    /// Adds what became of accounts.
    ///
    /// # Errors
    /// When the sum is too large.
    pub(crate) fn add(&mut self, fate: Fate, accounts: i64, left: Fen) -> Result<(), MoneyError> {
        self.accounts += accounts;
        match fate {
            Fate::Carried => self.carried = self.carried.checked_add(left)?,
            Fate::Returned => self.returned = self.returned.checked_add(left)?,
        }
        Ok(())
    }
}

/// What is left of one fund and class: in how many accounts, how much.
pub(crate) type Left = (Fund, Class, i64, Fen);

/// What the end of a year does with what is left, by fund and class.
///
/// # Errors
/// When a sum is too large.
pub(crate) fn plan(
    left: &[Left],
    carries: impl Fn(Fund) -> bool,
) -> Result<BTreeMap<(Fund, Class), Line>, MoneyError> {
    let mut lines: BTreeMap<(Fund, Class), Line> = BTreeMap::new();
    for (fund, class, accounts, amount) in left {
        lines.entry((*fund, *class)).or_default().add(class.fate(*fund, &carries), *accounts, *amount)?;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// As the demonstration's policy has it.
    fn carries(fund: Fund) -> bool {
        fund == Fund::Service
    }

    fn keys() -> Vec<Key> {
        let committee = |fund, earmark| Key::committee(fund, 2020, "c1", earmark);
        vec![
            committee(Fund::Work, None),
            committee(Fund::Work, Some(Earmark::Carried)),
            committee(Fund::Service, None),
            committee(Fund::Service, Some(Earmark::Carried)),
            committee(Fund::Service, Some(Earmark::Project("p".to_owned()))),
            committee(Fund::ProjectPool, Some(Earmark::Project("p".to_owned()))),
            committee(Fund::Delegated, Some(Earmark::Delegation("d".to_owned()))),
            Key::pool(2020),
            Key::task(2020, "d"),
        ]
    }

    #[test]
    fn the_life_of_a_year_is_whole() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
    }

    #[test]
    fn each_account_has_its_fate() {
        let fates: Vec<String> = keys()
            .iter()
            .map(|key| {
                let fate = Class::of(key).unwrap().fate(key.fund, carries);
                let to = target(key, fate);
                let earmark = to.earmark.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{fate:?} {:?} {} {earmark}", to.kind, to.fiscal_year)
            })
            .collect();
        assert_eq!(
            fates,
            [
                "Returned Appropriation 2020 ",
                "Returned Appropriation 2020 ",
                "Carried Committee 2021 carried",
                "Returned Appropriation 2020 ",
                "Carried Committee 2021 project:p",
                "Carried Committee 2021 project:p",
                "Carried Committee 2021 delegation:d",
                "Returned Appropriation 2020 ",
                "Carried Task 2021 delegation:d",
            ]
        );
    }

    #[test]
    fn the_policy_says_what_becomes_of_the_project_pool() {
        let free = Key::committee(Fund::ProjectPool, 2020, "c1", None);
        for (carries, fate) in [(true, Fate::Carried), (false, Fate::Returned)] {
            for key in [Key::pool(2020), free.clone()] {
                assert_eq!(Class::of(&key).unwrap().fate(key.fund, |_| carries), fate, "{key:?}");
            }
        }
        assert_eq!(target(&Key::pool(2020), Fate::Carried), Key::pool(2021));
    }

    #[test]
    fn money_keeps_its_fund_and_committee() {
        for key in keys() {
            for fate in [Fate::Carried, Fate::Returned] {
                let to = target(&key, fate);
                assert_eq!(to.fund, key.fund);
                assert!(to.committee.is_none() || to.committee == key.committee);
                assert!(to != key);
            }
        }
        for key in
            [Key::appropriation(Fund::Work, 2020), Key::opening(Fund::Work, 2020), Key::department(2020, "d")]
        {
            assert_eq!(Class::of(&key), None);
        }
    }

    #[test]
    fn an_end_is_booked_on_the_last_day_of_its_year_or_before() {
        assert_eq!(book_day(2020, date(2021, 1, 15)), date(2020, 12, 31));
        assert_eq!(book_day(2020, date(2020, 12, 20)), date(2020, 12, 20));
    }

    proptest! {
        /// What is carried and what is returned is what was left: fund by fund, class by class and in all.
        #[test]
        fn carried_and_returned_is_what_was_left(
            balances in proptest::collection::vec((0usize..9, 0i64..10_000_000), 0..60),
            carried_funds in proptest::collection::vec(any::<bool>(), 4),
        ) {
            let carries = |fund: Fund| carried_funds[fund as usize];
            let all = keys();
            let left: Vec<_> = balances
                .iter()
                .map(|(key, fen)| (all[*key].fund, Class::of(&all[*key]).unwrap(), 1, Fen::of(*fen)))
                .collect();
            let lines = plan(&left, carries).unwrap();
            for ((fund, class), line) in &lines {
                let was: i64 = left.iter().filter(|l| (l.0, l.1) == (*fund, *class)).map(|l| l.3.fen()).sum();
                prop_assert_eq!(line.carried.fen() + line.returned.fen(), was);
                prop_assert!(line.carried == Fen::ZERO || line.returned == Fen::ZERO);
            }
            let total: i64 = lines.values().map(|line| line.carried.fen() + line.returned.fen()).sum();
            prop_assert_eq!(total, left.iter().map(|l| l.3.fen()).sum::<i64>());
            prop_assert_eq!(lines.values().map(|line| line.accounts).sum::<i64>(), left.len() as i64);
        }
    }
}
