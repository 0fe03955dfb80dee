//! What reached a committee in a period: days on which something was there, placements, copies, reach.

use std::collections::BTreeMap;

use kernel::periods::Period;

use super::Channel;

/// A placement that stands, as coverage counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// By what.
    pub(crate) channel: Channel,
    /// The days on which it was there.
    pub(crate) days: Period,
    /// Copies put up or handed out.
    pub(crate) copies: i64,
    /// Households that it reached.
    pub(crate) households: i64,
    /// People that it reached.
    pub(crate) people: i64,
}

/// Placements added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// How many there are.
    pub(crate) placements: i64,
    /// Days of the period on which one of them was there; a day counts once.
    pub(crate) days: i64,
    /// Their copies.
    pub(crate) copies: i64,
    /// The households that each reached, added up.
    pub(crate) households: i64,
    /// The people that each reached, added up.
    pub(crate) people: i64,
}

/// What reached a committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// By each channel that was used.
    pub(crate) channels: BTreeMap<Channel, Sum>,
    /// By all of them.
    pub(crate) whole: Sum,
    /// Households reached at least: which households two placements reached isn't known, so those of the largest count.
    pub(crate) households_least: i64,
    /// Households reached at most: as if no household was reached twice.
    pub(crate) households_most: i64,
}

/// What `placed` in one committee comes to within `period`; of placements that only reach into it the days within count, and all of
/// their reach. Nobody reaches more households than are `declared`.
pub(crate) fn coverage(placed: &[Placed], period: Period, declared: Option<i64>) -> Coverage {
    let placed: Vec<Placed> = placed.iter().copied().filter(|one| one.days.intersects(period)).collect();
    let mut channels: BTreeMap<Channel, Vec<Placed>> = BTreeMap::new();
    for one in &placed {
        channels.entry(one.channel).or_default().push(*one);
    }
    let within = |households: i64| declared.map_or(households, |declared| households.min(declared));
    let whole = sum(&placed, period);
    let largest = placed.iter().map(|one| one.households).max().unwrap_or(0);
    Coverage {
        channels: channels.into_iter().map(|(channel, all)| (channel, sum(&all, period))).collect(),
        whole,
        households_least: within(largest),
        households_most: within(whole.households),
    }
}

fn sum(placed: &[Placed], period: Period) -> Sum {
    let all = |of: fn(&Placed) -> i64| placed.iter().map(of).fold(0, i64::saturating_add);
    Sum {
        placements: i64::try_from(placed.len()).unwrap_or(i64::MAX),
        days: days_shown(placed.iter().map(|one| one.days), period),
        copies: all(|one| one.copies),
        households: all(|one| one.households),
        people: all(|one| one.people),
    }
}

/// How many days of `period` lie in one of `shown` at least. An open period has none.
pub(crate) fn days_shown(shown: impl Iterator<Item = Period>, period: Period) -> i64 {
    let mut parts: Vec<Period> = shown.filter_map(|days| days.intersection(period)).collect();
    parts.sort_by_key(|part| part.from());
    let (mut days, mut counted) = (0, period.from());
    for part in parts {
        let Some(to) = part.to() else { continue };
        let from = part.from().max(counted);
        if from < to {
            days += (to.duration_since(from).as_hours()) / 24;
            counted = to;
        }
    }
    days
}

/// `part` of `whole` in parts per million, rounded half up; nothing of nothing.
pub(crate) fn ppm(part: i64, whole: i64) -> i32 {
    if whole <= 0 {
        return 0;
    }
    let (part, whole) = (i128::from(part), i128::from(whole));
    i32::try_from((part * 2_000_000 + whole) / (whole * 2)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::{
        ToSpan,
        civil::{Date, date},
    };
    use kernel::state::Named;
    use proptest::prelude::*;

    use super::*;

    const FIRST: Date = date(2020, 2, 20);

    fn days(from: i32, length: i32) -> Period {
        let at = |days: i32| FIRST.checked_add(days.days()).unwrap();
        Period::new(at(from), Some(at(from + length))).unwrap()
    }

    fn period() -> impl Strategy<Value = Period> {
        (0..60i32, 1..30i32).prop_map(|(from, length)| days(from, length))
    }

    fn placed() -> impl Strategy<Value = Placed> {
        let channel = proptest::sample::select(Channel::ALL);
        let reach = (0..100i64, 0..500i64, 0..900i64);
        (channel, period(), reach).prop_map(|(channel, days, (copies, households, people))| Placed {
            channel,
            days,
            copies,
            households,
            people,
        })
    }

    /// Each day of the period, and whether something was there on it.
    fn table(placed: &[&Placed], period: Period) -> i64 {
        let mut shown = BTreeSet::new();
        for one in placed {
            let mut day = one.days.from();
            while one.days.contains(day) {
                shown.insert(day);
                day = day.tomorrow().unwrap();
            }
        }
        shown.into_iter().filter(|day| period.contains(*day)).count() as i64
    }

    #[test]
    fn a_day_counts_once_and_only_within_the_period() {
        let one = |from, length| Placed {
            channel: Channel::Poster,
            days: days(from, length),
            copies: 1,
            households: 30,
            people: 50,
        };
        // days 0-9, 5-14 and 40-49 of the days 3-39
        let found = coverage(&[one(0, 10), one(5, 10), one(40, 10)], days(3, 37), Some(45));
        assert_eq!(found.whole, Sum { placements: 2, days: 12, copies: 2, households: 60, people: 100 });
        assert_eq!((found.households_least, found.households_most), (30, 45));
        let nothing = coverage(&[one(40, 10)], days(0, 30), None);
        assert_eq!((nothing.whole, nothing.channels.len()), (Sum::default(), 0));
    }

    proptest! {
        #[test]
        fn days_are_those_of_a_table_of_days(placed in proptest::collection::vec(placed(), 0..12), period in period()) {
            let found = coverage(&placed, period, None);
            let all: Vec<&Placed> = placed.iter().collect();
            prop_assert_eq!(found.whole.days, table(&all, period));
            for channel in Channel::ALL {
                let of: Vec<&Placed> = placed.iter().filter(|one| one.channel == *channel).collect();
                let sum = found.channels.get(channel).copied().unwrap_or_default();
                prop_assert_eq!(sum.days, table(&of, period), "{:?}", channel);
            }
        }

        #[test]
        fn the_order_of_placements_changes_nothing(mut placed in proptest::collection::vec(placed(), 0..12), period in period()) {
            let before = coverage(&placed, period, Some(700));
            placed.reverse();
            prop_assert_eq!(coverage(&placed, period, Some(700)), before);
        }

        #[test]
        fn channels_add_up_and_reach_stays_within_what_is_declared(
            placed in proptest::collection::vec(placed(), 0..12), period in period(), declared in 0..2_000i64
        ) {
            let found = coverage(&placed, period, Some(declared));
            let of = |of: fn(&Sum) -> i64| found.channels.values().map(of).sum::<i64>();
            prop_assert_eq!(of(|sum| sum.placements), found.whole.placements);
            prop_assert_eq!(of(|sum| sum.copies), found.whole.copies);
            prop_assert_eq!(of(|sum| sum.people), found.whole.people);
            prop_assert!(of(|sum| sum.days) >= found.whole.days);
            prop_assert!(found.households_least <= found.households_most && found.households_most <= declared);
            prop_assert!((0..=1_000_000).contains(&ppm(found.households_most, declared)));
            prop_assert_eq!(found.whole.placements == 0, found.whole.days == 0);
        }
    }
}
