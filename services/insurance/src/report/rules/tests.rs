//! Against plain oracles: sorted lists, fractions, days counted one by one.

use jiff::civil::date;
use kernel::calendar::{DayKind, Paper};
use proptest::prelude::*;

use super::*;

/// The smallest of `all` that at least `percent` of them don't exceed.
fn plain(all: &[i32], percent: usize) -> Option<i32> {
    let enough = |bound: &i32| all.iter().filter(|one| *one <= bound).count() * 100 >= percent * all.len();
    all.iter().copied().filter(enough).min()
}

fn papers() -> Vec<Paper> {
    let days = [(date(2020, 1, 1), DayKind::Holiday), (date(2020, 1, 19), DayKind::MakeUpWork)];
    let feast = (24..=31).map(|day| (date(2020, 1, day), DayKind::Holiday));
    let days = days.into_iter().chain(feast).collect();
    vec![Paper { code: "2019-16".to_owned(), dated: date(2019, 11, 21), days }]
}

#[test]
fn the_nearest_rank_of_a_few() {
    let mut ten = Histogram::default();
    assert_eq!((ten.percentile(50), ten.total()), (None, 0));
    for days in 1..=10 {
        ten.add(days, 1);
    }
    assert_eq!(
        [0, 1, 50, 51, 90, 91, 100].map(|at| ten.percentile(at).unwrap_or(-1)),
        [1, 1, 5, 6, 9, 10, 10]
    );
}

#[test]
fn a_term_that_was_kept_takes_no_more_working_days_than_it_has() {
    let calendar = Calendar::from_papers(&papers());
    let working = WorkingDays::of(&calendar, date(2020, 1, 1), date(2020, 3, 1));
    // the Spring Festival lies between
    assert_eq!(working.taken(date(2020, 1, 22), date(2020, 2, 3)), Some(2));
    // and a Sunday on which people worked
    assert_eq!(working.taken(date(2020, 1, 18), date(2020, 1, 19)), Some(1));
    assert_eq!(working.taken(date(2020, 1, 22), date(2020, 1, 22)), Some(0));
    assert_eq!(working.taken(date(2019, 12, 31), date(2020, 1, 2)), None);
    assert_eq!(working.taken(date(2020, 1, 2), date(2020, 3, 2)), None);
}

#[test]
fn a_limit_is_used_up_by_its_last_fen() {
    assert_eq!(used_ppm(Fen::of(999_999_999), Fen::of(1_000_000_000)), 999_999);
    assert_eq!(used_ppm(Fen::of(3_000_000), Fen::of(3_000_000)), 1_000_000);
    assert_eq!(ratio_ppm(1, 0), None);
    assert_eq!(ratio_ppm(i64::MAX, 1), Some(i32::MAX));
}

#[test]
fn a_year_ends_where_the_next_begins() {
    assert_eq!(year(2020), Some((date(2020, 1, 1), date(2021, 1, 1))));
    assert_eq!((year(9999), year(i32::MAX)), (None, None));
}

proptest! {
    #[test]
    fn percentiles_are_those_of_the_list(all in prop::collection::vec(0i32..60, 1..200), percent in 1usize..=100) {
        let mut histogram = Histogram::default();
        for one in &all {
            histogram.add(*one, 1);
        }
        prop_assert_eq!(histogram.total(), all.len() as u64);
        prop_assert_eq!(histogram.percentile(percent as u64), plain(&all, percent));
    }

    #[test]
    fn counts_weigh_as_often_as_they_say(all in prop::collection::vec((0i32..60, 0u64..5), 0..50), percent in 1u64..=100) {
        let (mut at_once, mut one_by_one) = (Histogram::default(), Histogram::default());
        for (days, many) in all {
            at_once.add(days, many);
            (0..many).for_each(|_| one_by_one.add(days, 1));
        }
        prop_assert_eq!(at_once.percentile(percent), one_by_one.percentile(percent));
    }

    #[test]
    fn ratios_are_the_nearest_part(part in 0i64..10_000_000_000, whole in 1i64..10_000_000_000) {
        let exact = part as f64 / whole as f64 * 1e6;
        let ratio = f64::from(ratio_ppm(part, whole).unwrap_or_default());
        prop_assert!(exact > f64::from(i32::MAX) - 1.0 || (ratio - exact).abs() <= 0.500_001, "{ratio} {exact}");
        prop_assert_eq!(used_ppm(Fen::of(part), Fen::of(whole)) >= 1_000_000, part >= whole);
    }

    #[test]
    fn working_days_are_those_counted_one_by_one(from in 0i64..400, long in 0i64..200) {
        let calendar = Calendar::from_papers(&papers());
        let first = date(2019, 10, 1);
        let working = WorkingDays::of(&calendar, first, first + 600.days());
        let (entered, left) = (first + from.days(), first + (from + long).days());
        let plain = calendar.working_days_between(entered + 1.day(), left + 1.day());
        prop_assert_eq!(working.taken(entered, left), i32::try_from(plain).ok());
        prop_assert_eq!(days(entered, left), long as i32);
        // on the last day of a term of n, n were taken
        let n = u32::try_from(long).unwrap_or_default().min(100);
        prop_assert_eq!(working.taken(entered, calendar.term(entered, n).due), i32::try_from(n).ok());
    }
}
