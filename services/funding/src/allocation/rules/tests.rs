use jiff::civil::date;
use kernel::{money::Ppm, state::Named};
use proptest::prelude::*;

use super::*;
use crate::policy::rules::{Terms, tests::terms};

/// An independent calculation of 2020, line by line.
const EXPECTED: &str = include_str!("../../../../../deploy/demo/funding/funding_expected_2020.csv");
/// The committees that it is of.
const COMMITTEES: &str = include_str!("../../../../../deploy/demo/committees.csv");

fn policy(terms: Terms) -> Policy {
    Policy::new("p", 1, terms).unwrap()
}

fn committee(households: i32) -> Facts {
    Facts {
        kind: CommitteeKind::ResidentsCommittee,
        management_class: Some(ManagementClass::B),
        difficulty: Some(Difficulty::Normal),
        begun_on: Some(date(2010, 1, 1)),
        households: Some(households),
        counted_on: Some(date(2019, 12, 31)),
    }
}

fn amount(calculation: &Calculation) -> Fen {
    Fen::sum(calculation.lines.iter().map(|line| line.amount)).unwrap()
}

fn twelve_months(calculation: &Calculation) -> Fen {
    Fen::sum(calculation.lines.iter().map(|line| line.twelve_months)).unwrap()
}

#[test]
fn the_tables_are_whole() {
    assert!(RUNS.faults().is_empty(), "{:?}", RUNS.faults());
    assert!(ALLOCATIONS.faults().is_empty(), "{:?}", ALLOCATIONS.faults());
}

#[test]
fn the_worked_cases_of_the_work_points() {
    let policy = policy(terms());
    for (households, work) in
        [(2_000, "100000.00"), (2_001, "100100.00"), (2_350, "135000.00"), (0, "100000.00")]
    {
        let facts = committee(households);
        assert_eq!(amount(&calculate(&policy, Fund::Work, &facts).unwrap()).to_string(), work);
        assert_eq!(amount(&calculate(&policy, Fund::Service, &facts).unwrap()).to_string(), "150000.00");
    }
}

#[test]
fn a_month_counts_when_it_began_on_the_fifteenth_or_before() {
    for (begun, wanted) in [
        (None, 12),
        (Some(date(2019, 12, 31)), 12),
        (Some(date(2020, 1, 1)), 12),
        (Some(date(2020, 1, 15)), 12),
        (Some(date(2020, 1, 16)), 11),
        (Some(date(2020, 3, 16)), 9),
        (Some(date(2020, 6, 15)), 7),
        (Some(date(2020, 12, 15)), 1),
        (Some(date(2020, 12, 16)), 0),
        (Some(date(2021, 1, 1)), 0),
    ] {
        assert_eq!(months(2020, begun, 15), wanted, "{begun:?}");
    }
}

#[test]
fn the_42_committees_of_the_demonstration_get_what_was_computed_apart() {
    let policy = policy(terms());
    let rows: Vec<Vec<&str>> =
        COMMITTEES.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()).collect();
    let mut compared = 0;
    for line in EXPECTED.lines().skip(1).filter(|line| !line.is_empty()) {
        let wanted: Vec<&str> = line.split(',').collect();
        let row = rows.iter().find(|row| row[0] == wanted[0]).unwrap();
        let day = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        let facts = Facts {
            kind: CommitteeKind::from_name(row[3]).unwrap(),
            management_class: ManagementClass::from_name(row[10]),
            difficulty: Difficulty::from_name(row[11]),
            begun_on: day(row[6]).or_else(|| day(row[7])),
            households: row[8].parse().ok(),
            counted_on: day(row[9]),
        };
        let work = calculate(&policy, Fund::Work, &facts).unwrap();
        let service = calculate(&policy, Fund::Service, &facts).unwrap();
        let of = |calculation: &Calculation, kind| {
            calculation.lines.iter().find(|line| line.kind == kind).unwrap().amount.to_string()
        };
        let found = [
            row[8].to_owned(),
            work.months.to_string(),
            work.above.to_string(),
            of(&work, LineKind::Floor),
            of(&work, LineKind::Uplift),
            of(&work, LineKind::Supplement),
            amount(&work).to_string(),
            of(&service, LineKind::Floor),
            of(&service, LineKind::Uplift),
            amount(&service).to_string(),
        ];
        assert_eq!(found.as_slice(), &wanted[1..], "{}", wanted[0]);
        compared += 1;
    }
    assert_eq!(compared, 42);
}

#[test]
fn growth_is_a_line_of_its_own() {
    let mut grown = terms();
    grown.growth = Ppm::of(1_053_700);
    let hard = Facts { difficulty: Some(Difficulty::Hard), ..committee(2_350) };
    let found = calculate(&policy(grown.clone()), Fund::Work, &hard).unwrap();
    // (100,000 + 8,000) × 1.0537 + 35,000
    assert_eq!(amount(&found).to_string(), "148799.60");
    grown.growth_of_uplift = false;
    let found = calculate(&policy(grown.clone()), Fund::Work, &hard).unwrap();
    assert_eq!(amount(&found).to_string(), "148370.00");
    grown.growth = Ppm::of(980_000);
    let found = calculate(&policy(grown), Fund::Work, &committee(100)).unwrap();
    assert_eq!(twelve_months(&found).to_string(), "98000.00");
    assert!(is_below_floor(twelve_months(&found), Fen::of(10_000_000)));
}

#[test]
fn an_adjustment_takes_off_no_more_than_there_is() {
    let hundred = Fen::of(100);
    assert_eq!(adjusted(hundred, Fen::of(-100)), Ok(Fen::ZERO));
    assert_eq!(adjusted(hundred, Fen::of(-101)), Err(Unadjustable::BelowZero));
    assert_eq!(adjusted(hundred, Fen::ZERO), Err(Unadjustable::Nothing));
    assert_eq!(adjusted(hundred, Fen::of(i64::MAX)), Err(Unadjustable::TooLarge));
    assert_eq!(adjusted(hundred, Fen::of(i64::MIN)), Err(Unadjustable::TooLarge));
}

#[test]
fn warnings_say_what_to_look_at() {
    let asked = date(2019, 12, 31);
    assert!(warnings(asked, (Some(1), Some(asked)), 12, false).is_empty());
    assert_eq!(
        warnings(asked, (None, None), 0, true),
        [Warning::NoHouseholdCount, Warning::NoMonths, Warning::BelowFloor]
    );
    assert_eq!(warnings(asked, (Some(1), Some(date(2020, 3, 16))), 9, false), [Warning::LaterHouseholdCount]);
}

/// A line as a clerk computes it: `fen` times a rate in parts per million for each month that counts, added up, divided by hand by twelve
/// million, and the rest looked at.
fn on_paper(fen: i128, parts: i128, months: usize) -> i64 {
    // the whole product in units of 1/12,000,000 fen, one month after the other
    let total: i128 = std::iter::repeat_n(fen * parts, months).sum();
    let (sign, mut rest) = (if total < 0 { -1 } else { 1 }, total.unsigned_abs());
    // long division by 12,000,000, digit by digit
    let digits = rest.to_string();
    let (mut quotient, mut carried) = (0u128, 0u128);
    for digit in digits.bytes() {
        carried = carried * 10 + u128::from(digit - b'0');
        let mut times = 0u128;
        while carried >= 12_000_000 {
            carried -= 12_000_000;
            times += 1;
        }
        quotient = quotient * 10 + times;
    }
    rest = carried;
    if rest >= 6_000_000 {
        quotient += 1;
    }
    sign * i64::try_from(quotient).unwrap()
}

proptest! {
    /// Any policy and committee against a calculation on paper, line by line.
    #[test]
    fn any_committee_gets_what_is_computed_on_paper(
        floors in (0i64..200_000_000, 0i64..200_000_000),
        uplifts in ((0i64..9_000_000, 1i64..9_000_000), (1i64..9_000_000, 0i64..9_000_000)),
        growth in 1i64..10_000_000,
        (of_floor, of_uplift) in (any::<bool>(), any::<bool>()),
        (threshold, supplement) in (0i32..5_000, 0i64..100_000),
        households in proptest::option::of(0i32..20_000),
        (class, hard) in (0usize..4, any::<bool>()),
        begun in proptest::option::of((2019i16..2022, 1i8..13, 1i8..29)),
        until in 1i32..32,
    ) {
        let mut terms = terms();
        (terms.work_floor, terms.service_floor) = (Fen::of(floors.0), Fen::of(floors.1));
        (terms.uplifts[0].work, terms.uplifts[0].service) = (Fen::of(uplifts.0.0), Fen::of(uplifts.0.1));
        (terms.uplifts[1].work, terms.uplifts[1].service) = (Fen::of(uplifts.1.0), Fen::of(uplifts.1.1));
        (terms.growth, terms.growth_of_floor, terms.growth_of_uplift) = (Ppm::of(growth), of_floor, of_uplift);
        (terms.household_threshold, terms.supplement_per_household) = (threshold, Fen::of(supplement));
        terms.month_counts_until_day = until;
        let facts = Facts {
            management_class: ManagementClass::ALL.get(class).copied(),
            difficulty: hard.then_some(Difficulty::Hard),
            begun_on: begun.map(|(year, month, day)| date(year, month, day)),
            households,
            ..committee(0)
        };
        // the months that count, one by one
        let counts = |month: i8| begun.is_none_or(|(year, began, day)| {
            year < 2020 || (year == 2020 && (month > began || (month == began && i32::from(day) <= until)))
        });
        let months = (1i8..=12).filter(|month| counts(*month)).count();
        let mut above = 0i128;
        for _ in threshold..households.unwrap_or(0) {
            above += 1;
        }
        let policy = policy(terms);
        for (fund, floor, up, supplement) in [
            (Fund::Work, floors.0, (uplifts.0.0, uplifts.1.0), supplement),
            (Fund::Service, floors.1, (uplifts.0.1, uplifts.1.1), 0),
        ] {
            let is_c = ManagementClass::ALL.get(class) == Some(&ManagementClass::C);
            let up = i128::from(if hard { up.0 } else { 0 }) + i128::from(if is_c { up.1 } else { 0 });
            let floor = i128::from(floor);
            let grows = if of_floor { floor } else { 0 } + if of_uplift { up } else { 0 };
            let lines = [
                (floor, 1_000_000),
                (up, 1_000_000),
                (grows, i128::from(growth) - 1_000_000),
                (above * i128::from(supplement), 1_000_000),
            ];
            let found = calculate(&policy, fund, &facts).unwrap();
            for ((fen, parts), line) in lines.into_iter().zip(found.lines) {
                prop_assert_eq!(line.twelve_months.fen(), on_paper(fen, parts, 12), "{:?} {}", line.kind, fund.name());
                prop_assert_eq!(line.amount.fen(), on_paper(fen, parts, months), "{:?} {}", line.kind, fund.name());
            }
            prop_assert_eq!(found.months, months as i32);
            prop_assert!(amount(&found) <= twelve_months(&found));
        }
    }

    /// However large a policy may be, 100,000 committees of it fit an account.
    #[test]
    fn nothing_that_a_policy_may_say_overflows(growth in 1i64..=10_000_000, households in 0i32..=1_000_000) {
        let mut terms = terms();
        let most = Fen::of(100_000_000_000);
        (terms.work_floor, terms.growth, terms.household_threshold) = (most, Ppm::of(growth), 0);
        terms.supplement_per_household = Fen::of(10_000_000);
        (terms.uplifts[0].work, terms.uplifts[1].work) = (most, most);
        let facts = Facts {
            management_class: Some(ManagementClass::C),
            difficulty: Some(Difficulty::Hard),
            ..committee(households)
        };
        let found = calculate(&policy(terms), Fund::Work, &facts).unwrap();
        prop_assert!(amount(&found).checked_times(100_000).is_ok());
    }

    #[test]
    fn an_adjustment_and_its_opposite_leave_what_was(amount in 0i64..1_000_000_000, by in -1_000_000_000i64..1_000_000_000) {
        if let Ok(after) = adjusted(Fen::of(amount), Fen::of(by)) {
            prop_assert_eq!(after.fen(), amount + by);
            prop_assert_eq!(adjusted(after, Fen::of(-by)), Ok(Fen::of(amount)));
        } else {
            prop_assert!(by == 0 || amount + by < 0);
        }
    }
}
