//! The examples and the laws of the rules.

use chassis::refusal::Refusal;
use jiff::{ToSpan, civil::date};
use proptest::prelude::*;

use super::*;

fn day(n: i64) -> Date {
    date(2019, 12, 1).checked_add(n.days()).unwrap()
}

fn days(from: Date, to: Date) -> Days {
    Days { from, to }
}

/// 2020.
fn year() -> Days {
    days(date(2020, 1, 1), date(2021, 1, 1))
}

#[test]
fn the_table_stands() {
    assert!(TABLE.faults().is_empty());
}

#[test]
fn a_signed_policy_is_in_force_on_its_days_and_on_no_other() {
    for (today, shown) in [
        (date(2019, 12, 31), State::Signed),
        (date(2020, 1, 1), State::InForce),
        (date(2020, 12, 31), State::InForce),
        (date(2021, 1, 1), State::Expired),
    ] {
        assert_eq!(State::Signed.on(year(), today), shown, "{today}");
        for other in [State::Draft, State::Terminated, State::Deleted] {
            assert_eq!(other.on(year(), today), other);
        }
    }
}

#[test]
fn an_endorsement_holds_from_its_day_and_the_last_one_wins() {
    // the third version reaches back behind the second one's first day
    let signed = [(1, date(2020, 1, 1)), (2, date(2020, 7, 1)), (3, date(2020, 4, 1))];
    for (today, n) in [
        (date(2019, 6, 1), 1),
        (date(2020, 1, 1), 1),
        (date(2020, 3, 31), 1),
        (date(2020, 4, 1), 3),
        (date(2020, 7, 1), 3),
        (date(2021, 6, 1), 3),
    ] {
        assert_eq!(version_on(&signed, year(), today), n, "{today}");
    }
    // an endorsement of a day that a termination cut off never held
    let cut = days(date(2020, 1, 1), date(2020, 3, 1));
    assert_eq!(version_on(&signed, cut, date(2020, 8, 1)), 1);
}

#[test]
fn a_day_meets_the_policy_in_force_or_the_next_or_the_last() {
    let periods = [
        days(date(2020, 1, 1), date(2020, 7, 1)),
        days(date(2020, 8, 1), date(2021, 1, 1)),
        days(date(2021, 1, 1), date(2022, 1, 1)),
    ];
    for (on, wanted) in [
        (date(2019, 1, 1), Some(0)),
        (date(2020, 6, 30), Some(0)),
        (date(2020, 7, 15), Some(1)),
        (date(2020, 12, 31), Some(1)),
        (date(2021, 1, 1), Some(2)),
        (date(2025, 1, 1), Some(2)),
    ] {
        assert_eq!(met(&periods, on), wanted, "{on}");
    }
    assert_eq!(met(&[], date(2020, 1, 1)), None);
}

#[test]
fn a_policy_lasts_a_year_at_most() {
    let from = date(2020, 1, 1);
    for (to, good) in [
        (date(2019, 12, 31), false),
        (from, false),
        (date(2020, 1, 2), true),
        (date(2021, 1, 1), true),
        (date(2021, 1, 2), false),
    ] {
        let found = check::period("f", from, to);
        assert_eq!(found.is_ok(), good, "{to}");
        assert!(found.is_ok() || found.unwrap_err().reason == "POLICY_PERIOD_INVALID");
    }
}

#[test]
fn codes_and_credit_codes() {
    for (text, good) in [
        ("FIRE", true),
        ("A", true),
        ("A1_B", true),
        ("", false),
        ("1A", false),
        ("fire", false),
        ("FIRE ", false),
    ] {
        assert_eq!(check::code("f", text).is_ok(), good, "{text}");
    }
    assert!(check::code("f", &"A".repeat(40)).is_ok() && check::code("f", &"A".repeat(41)).is_err());
    assert!(check::credit_code("f", "91310199MA9002009K").is_ok());
    // the check character of another code, a letter that none has
    for text in ["91310199MA9002009E", "91310199MA9002009I", "91310199MA9002009", ""] {
        assert_eq!(check::credit_code("f", text).unwrap_err().reason, "CREDIT_CODE_INVALID", "{text}");
    }
}

#[test]
fn a_fault_that_is_the_only_one_is_told_by_its_own_reason() {
    let one = || check::share("f", 0).unwrap_err();
    let alone = check::own(Refusal::fields(vec![one()]));
    assert_eq!((alone.reason().name, alone.metadata("field")), ("PERCENT_OUT_OF_RANGE", Some("f")));
    let several = check::own(Refusal::fields(vec![one(), one()]));
    assert_eq!((several.reason().name, several.offending().len()), ("BAD_REQUEST", 2));
}

proptest! {
    /// The version in force, against a table of days that is filled version by version.
    #[test]
    fn the_version_in_force_is_that_of_a_table_of_days(froms in prop::collection::vec(31_i64..396, 0..6), today in 0_i64..500) {
        let mut signed = vec![(1, year().from)];
        signed.extend((2..).zip(froms.iter().map(|from| day(*from))));
        let mut table = vec![1; 500];
        for (n, from) in &signed {
            let covered = (0..500_usize).filter(|at| day(*at as i64) >= *from);
            covered.for_each(|at| table[at] = *n);
        }
        // behind the last day, what held on it
        let last = 396.min(today);
        prop_assert_eq!(version_on(&signed, year(), day(today)), table[usize::try_from(last).unwrap()]);
    }

    /// Whatever periods there are, the one in force is met, and none that another lies before.
    #[test]
    fn a_day_meets_the_nearest_period(gaps in prop::collection::vec((0_i64..40, 1_i64..60), 1..6), on in -50_i64..600) {
        let (mut at, mut periods) = (0, Vec::new());
        for (gap, length) in gaps {
            periods.push(days(day(at + gap), day(at + gap + length)));
            at += gap + length;
        }
        let (on, found) = (day(on), periods[met(&periods, day(on)).unwrap()]);
        let holds = periods.iter().any(|period| period.contain(on));
        prop_assert_eq!(found.contain(on), holds);
        if !holds {
            let next = periods.iter().filter(|period| period.from > on).map(|period| period.from).min();
            let last = periods.iter().map(|period| period.to).max().unwrap();
            prop_assert_eq!(next.map_or(found.to == last, |next| found.from == next), true);
        }
    }

    /// Shares are good exactly when they make a whole.
    #[test]
    fn shares_make_a_whole(parts in prop::collection::vec(1_i32..=1_000_000, 0..5), fill in any::<bool>()) {
        let mut parts = parts;
        let sum: i64 = parts.iter().map(|part| i64::from(*part)).sum();
        if fill && sum < 1_000_000 {
            parts.push(i32::try_from(1_000_000 - sum).unwrap());
        }
        let whole = parts.iter().map(|part| i64::from(*part)).sum::<i64>() == 1_000_000;
        prop_assert_eq!(check::whole("f", parts).is_ok(), whole);
    }

    /// A share is a part, a grade too; a lighter grade never gets more.
    #[test]
    fn parts_stay_within_the_whole(part in any::<i32>(), parts in prop::collection::vec(-10_i32..1_000_010, 8..12)) {
        prop_assert_eq!(check::share("f", part).is_ok(), part > 0 && part <= 1_000_000);
        let mut falling = parts.clone();
        falling.sort_unstable_by(|one, other| other.cmp(one));
        let good = parts.len() == 10 && parts.iter().all(|part| (0..=1_000_000).contains(part));
        prop_assert_eq!(check::grades("f", &falling).is_ok(), good);
        prop_assert_eq!(check::grades("f", &parts).is_ok(), good && parts == falling);
    }

    /// Instalments are none, or make the premium.
    #[test]
    fn instalments_make_the_premium(
        parts in prop::collection::vec(1_i64..10_000, 0..6),
        off in prop::sample::select(vec![-1_i64, 0, 0, 1]),
    ) {
        let total = Fen::of(parts.iter().sum::<i64>() + off);
        let parts: Vec<Fen> = parts.into_iter().map(Fen::of).collect();
        prop_assert_eq!(check::instalments("f", total, &parts).is_ok(), parts.is_empty() || off == 0);
    }

    /// A premium is its parts, and stays within 64 bits whatever is allowed.
    #[test]
    fn a_premium_is_its_parts(each in 0_i64..=100_000_000, count in 0_i32..=100_000_000, fixed in 0_i64..=10_000_000_000_000) {
        let premium = Premium {
            fixed: Fen::of(fixed),
            per_household: Fen::of(each),
            per_person: Fen::of(each),
            households: count,
            persons: count,
            ..Premium::default()
        };
        let wanted = i128::from(fixed) + 2 * i128::from(each) * i128::from(count);
        prop_assert_eq!(i128::from(premium.total().fen()), wanted);
    }
}
