//! Since when there have been too few.

use jiff::civil::Date;
use kernel::periods::Period;

/// When fewer than `needed` of the periods hold `day`: since which day that has been so, not before `from`; unknown
/// (`Some(None)`) when it never was otherwise and `from` isn't known. `None` when there are enough.
pub fn short(periods: &[Period], needed: usize, from: Option<Date>, day: Date) -> Option<Option<Date>> {
    let count = |day: Date| periods.iter().filter(|period| period.contains(day)).count();
    if count(day) >= needed {
        return None;
    }
    // the number falls only where a period ends, so the run of days with too few began at such an end
    let enough_before = |end: &Date| end.yesterday().is_ok_and(|before| count(before) >= needed);
    let ends = periods.iter().filter_map(|period| period.to()).filter(|end| *end <= day);
    let since = ends.filter(enough_before).max();
    Some(match (since, from) {
        (Some(since), Some(from)) => Some(since.max(from)),
        (since, from) => since.or(from),
    })
}

/// The first day of the unbroken run of days, held by one of the periods each, that ends on `day`.
pub fn run_from(periods: &[Period], day: Date) -> Option<Date> {
    let mut first = periods.iter().filter(|period| period.contains(day)).map(|period| period.from()).min()?;
    while let Ok(before) = first.yesterday() {
        let earlier = periods.iter().filter(|period| period.contains(before)).map(|period| period.from());
        match earlier.min() {
            Some(earlier) => first = earlier,
            None => break,
        }
    }
    Some(first)
}

/// The first day no longer in the unbroken run of days, held by one of the periods each, that holds `day`; `None` when
/// none does, and when the run is open.
pub fn run_to(periods: &[Period], day: Date) -> Option<Date> {
    let ends =
        |day: Date| periods.iter().filter(move |period| period.contains(day)).map(|period| period.to());
    // an open period is later than any that ends
    let last = |day: Date| ends(day).max_by_key(|to| (to.is_none(), *to)).flatten();
    let mut end = last(day)?;
    while ends(end).next().is_some() {
        end = last(end)?;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn day(n: i64) -> Date {
        date(2020, 1, 1) + n.days()
    }

    fn periods() -> impl Strategy<Value = Vec<Period>> {
        let period = (0..40i64, prop::option::of(1..15i64))
            .prop_map(|(from, length)| Period::new(day(from), length.map(|n| day(from + n))).unwrap());
        vec(period, 0..7)
    }

    proptest! {
        /// Against walking back day by day.
        #[test]
        fn too_few_since(periods in periods(), needed in 0..4usize, from in prop::option::of(0..30i64), on in 0..60i64) {
            let count = |n: i64| periods.iter().filter(|period| period.contains(day(n))).count();
            let found = short(&periods, needed, from.map(day), day(on));
            prop_assert_eq!(found.is_some(), count(on) < needed);
            if let Some(since) = found {
                let mut first = on;
                while first > -5 && count(first - 1) < needed {
                    first -= 1;
                }
                let expected = if first == -5 { from.map(day) } else { Some(day(from.map_or(first, |from| first.max(from)))) };
                prop_assert_eq!(since, expected);
            }
        }

        #[test]
        fn a_run_ends_at_its_first_hole(periods in periods(), on in 0..60i64) {
            let held = |n: i64| periods.iter().any(|period| period.contains(day(n)));
            let end = (on..200).find(|n| !held(*n)).filter(|_| held(on));
            prop_assert_eq!(run_to(&periods, day(on)), end.map(day));
        }

        #[test]
        fn a_run_has_no_hole(periods in periods(), on in 0..60i64) {
            let held = |n: i64| periods.iter().any(|period| period.contains(day(n)));
            let mut first = None;
            let mut n = on;
            while n >= 0 && held(n) {
                first = Some(day(n));
                n -= 1;
            }
            prop_assert_eq!(run_from(&periods, day(on)), first);
        }
    }
}
