//! Statements against a plain account of what happened.

use jiff::{ToSpan, civil::date};
use kernel::state::Named;
use proptest::prelude::*;

use super::*;

const CATEGORIES: [&str; 2] = ["ACTIVITY", "AID"];

/// One thing that happened to one account on a day, in fen.
#[derive(Clone, Debug)]
struct Happened {
    section: usize,
    entry: EntryKind,
    inflow: bool,
    category: usize,
    fen: i64,
    day: Date,
}

fn sections() -> [(Fund, Option<Earmark>); 3] {
    [(Fund::Work, None), (Fund::Service, None), (Fund::Service, Some(Earmark::Project("p".to_owned())))]
}

fn happened() -> impl Strategy<Value = Happened> {
    (0..3usize, 0..EntryKind::ALL.len(), any::<bool>(), 0..2usize, 1..100_000i64, 0..400i64).prop_map(
        |(section, entry, inflow, category, fen, day)| {
            let entry = EntryKind::ALL[entry];
            let inflow = match entry {
                EntryKind::Expense => false,
                EntryKind::Refund | EntryKind::Allocation | EntryKind::Delegation | EntryKind::Opening => {
                    true
                }
                EntryKind::Transfer | EntryKind::Grant | EntryKind::Return | EntryKind::CarryOver => inflow,
            };
            Happened { section, entry, inflow, category, fen, day: date(2019, 12, 20) + day.days() }
        },
    )
}

/// The sums that the ledger would give of it.
fn sums(all: &[Happened], period: Period) -> Vec<Sum> {
    let mut sums = Vec::new();
    for one in all.iter().filter(|one| period.open_ended || one.day <= period.to) {
        let (fund, earmark) = sections()[one.section].clone();
        let signed = if one.inflow { one.fen } else { -one.fen };
        let committee = Sum {
            fund,
            earmark,
            account: Uuid::nil(),
            kind: AccountKind::Committee,
            category: None,
            entry: one.entry,
            inflow: one.inflow,
            before: one.day < period.from,
            amount: Fen::of(signed),
            count: 1,
            entries: vec![Uuid::now_v7()],
        };
        if matches!(one.entry, EntryKind::Expense | EntryKind::Refund) {
            sums.push(Sum {
                kind: AccountKind::Expenditure,
                category: Some(CATEGORIES[one.category].to_owned()),
                inflow: !one.inflow,
                amount: Fen::of(-signed),
                ..committee.clone()
            });
        }
        sums.push(committee);
    }
    sums
}

fn balance(all: &[Happened], section: usize, until: impl Fn(Date) -> bool) -> i64 {
    let mine = all.iter().filter(|one| one.section == section && until(one.day));
    mine.map(|one| if one.inflow { one.fen } else { -one.fen }).sum()
}

proptest! {
    /// Opening and movements are the closing; opening and closing are the balances of those days; spending is what was spent.
    #[test]
    fn a_statement_adds_up(all in proptest::collection::vec(happened(), 0..60), quarter in 0..=4i32) {
        let period = Period::of(2020, quarter).unwrap();
        let found = compose(&sums(&all, period), &[]).unwrap();
        for (n, key) in sections().iter().enumerate() {
            let section = found.get(key).cloned().unwrap_or_default();
            let opening = balance(&all, n, |day| day < period.from);
            let closing = balance(&all, n, |day| period.open_ended || day <= period.to);
            prop_assert_eq!((section.opening.fen(), section.closing.fen()), (opening, closing));
            let moved: i64 = section.lines.values().map(|line| line.amount.fen()).sum();
            prop_assert_eq!(opening + moved, closing);
            let within = |one: &&Happened| one.section == n && one.day >= period.from && (period.open_ended || one.day <= period.to);
            let spent: i64 = all.iter().filter(within).map(|one| match one.entry {
                EntryKind::Expense => one.fen,
                EntryKind::Refund => -one.fen,
                _ => 0,
            }).sum();
            prop_assert_eq!(section.spent().unwrap().fen(), spent);
            let named: i64 = section.lines.values().map(|line| line.count).sum();
            prop_assert_eq!(named as usize, all.iter().filter(within).count());
        }
    }

    /// The quarters follow one another: what one closes with, the next opens with, and together they are the year.
    #[test]
    fn the_quarters_are_the_year(all in proptest::collection::vec(happened(), 0..60)) {
        let of = |quarter| {
            let period = Period::of(2020, quarter).unwrap();
            compose(&sums(&all, period), &[]).unwrap()
        };
        let (year, quarters) = (of(0), [of(1), of(2), of(3), of(4)]);
        for key in sections() {
            let part = |sections: &Sections| sections.get(&key).cloned().unwrap_or_default();
            for pair in quarters.windows(2) {
                prop_assert_eq!(part(&pair[0]).closing, part(&pair[1]).opening);
            }
            prop_assert_eq!(part(&year).opening, part(&quarters[0]).opening);
            prop_assert_eq!(part(&year).closing, part(&quarters[3]).closing);
            let spent: i64 = quarters.iter().map(|quarter| part(quarter).spent().unwrap().fen()).sum();
            prop_assert_eq!(part(&year).spent().unwrap().fen(), spent);
        }
    }
}

#[test]
fn what_no_line_tells_is_found() {
    let period = Period::of(2020, 1).unwrap();
    let spent = Happened {
        section: 0,
        entry: EntryKind::Expense,
        inflow: false,
        category: 0,
        fen: 5,
        day: date(2020, 2, 1),
    };
    let mut sums = sums(&[spent], period);
    sums.retain(|sum| sum.kind == AccountKind::Committee);
    assert_eq!(compose(&sums, &[]), Err(Fault::Unbalanced(Fund::Work, Fen::ZERO, Fen::of(-5))));
}

#[test]
fn quarters_have_their_days_and_the_last_stays_open() {
    let filters: Vec<String> =
        (0..=4).map(|quarter| Period::of(2020, quarter).unwrap().filter("EXPENSE")).collect();
    assert_eq!(
        filters,
        [
            "kind = EXPENSE AND fiscal_year = 2020",
            "kind = EXPENSE AND fiscal_year = 2020 AND book_date <= 2020-03-31",
            "kind = EXPENSE AND fiscal_year = 2020 AND book_date >= 2020-04-01 AND book_date <= 2020-06-30",
            "kind = EXPENSE AND fiscal_year = 2020 AND book_date >= 2020-07-01 AND book_date <= 2020-09-30",
            "kind = EXPENSE AND fiscal_year = 2020 AND book_date >= 2020-10-01",
        ]
    );
    assert_eq!((Period::of(2020, 5), Period::of(99_999, 1)), (None, None));
}

#[test]
fn every_line_is_listed_by_the_kind_of_its_entries() {
    for entry in EntryKind::ALL {
        for inflow in [true, false] {
            if let Some(movement) = Movement::of(*entry, inflow) {
                assert_eq!(movement.entry(), *entry);
            }
        }
    }
}
