//! Half-open periods of days, and the splice: how a new fact changes what is believed about a line of days.

use std::fmt;

use jiff::civil::Date;

/// The days `[from, to)`; without `to` it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    from: Date,
    to: Option<Date>,
}

/// A period without a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the period ends on {to}, not after {from}")]
pub struct EmptyPeriod {
    /// The first day.
    pub from: Date,
    /// The first day no longer in it.
    pub to: Date,
}

impl Period {
    /// The days from `from` until `to`, that day no longer.
    ///
    /// # Errors
    /// When there is no day in it.
    pub fn new(from: Date, to: Option<Date>) -> Result<Period, EmptyPeriod> {
        match to {
            Some(to) if to <= from => Err(EmptyPeriod { from, to }),
            to => Ok(Period { from, to }),
        }
    }

    /// All days from `from` on.
    pub fn since(from: Date) -> Period {
        Period { from, to: None }
    }

    /// The first day.
    pub fn from(self) -> Date {
        self.from
    }

    /// The first day no longer in it; `None` when open.
    pub fn to(self) -> Option<Date> {
        self.to
    }

    /// Whether `day` is in it.
    pub fn contains(self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }

    /// The days that are in both.
    pub fn intersection(self, other: Period) -> Option<Period> {
        let from = self.from.max(other.from);
        let to = match (self.to, other.to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Period::new(from, to).ok()
    }

    /// Whether a day is in both.
    pub fn intersects(self, other: Period) -> bool {
        self.intersection(other).is_some()
    }

    /// Whether all of `other` is in it.
    pub fn covers(self, other: Period) -> bool {
        self.intersection(other) == Some(other)
    }

    /// The days of it that are before and after `cut`.
    pub fn minus(self, cut: Period) -> (Option<Period>, Option<Period>) {
        if !self.intersects(cut) {
            return (Some(self), None);
        }
        let before = Period::new(self.from, Some(cut.from)).ok();
        let after = cut.to.and_then(|to| Period::new(to, self.to).ok());
        (before, after)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to {
            Some(to) => write!(f, "[{}, {to})", self.from),
            None => write!(f, "[{}, )", self.from),
        }
    }
}

/// A row that is believed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Believed<K, V> {
    /// The row's key.
    pub id: K,
    /// Its days.
    pub period: Period,
    /// What holds on them.
    pub value: V,
}

/// How belief changes: rows that are believed no longer, and rows that are believed instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice<K, V> {
    /// Keys of the rows whose recorded time ends.
    pub close: Vec<K>,
    /// The rows whose recorded time begins.
    pub insert: Vec<(Period, V)>,
}

impl<K, V> Splice<K, V> {
    /// Whether the fact changes nothing.
    pub fn is_empty(&self) -> bool {
        self.close.is_empty() && self.insert.is_empty()
    }
}

/// What changes when `value` holds on `period`, whatever was believed of those days; other days keep their value.
/// A fact that is believed already changes nothing.
pub fn splice<K: Clone, V: Clone + PartialEq>(
    believed: &[Believed<K, V>],
    period: Period,
    value: V,
) -> Splice<K, V> {
    if is_believed(believed, period, &value) {
        return Splice { close: Vec::new(), insert: Vec::new() };
    }
    let mut splice = Splice { close: Vec::new(), insert: vec![(period, value)] };
    for row in believed.iter().filter(|row| row.period.intersects(period)) {
        splice.close.push(row.id.clone());
        let (before, after) = row.period.minus(period);
        splice.insert.extend(before.into_iter().chain(after).map(|rest| (rest, row.value.clone())));
    }
    splice.insert.sort_by_key(|(period, _)| *period);
    splice
}

/// Whether `value` is believed on every day of `period`, be it by several rows.
fn is_believed<K, V: PartialEq>(believed: &[Believed<K, V>], period: Period, value: &V) -> bool {
    let same: Vec<Period> = believed.iter().filter(|row| row.value == *value).map(|row| row.period).collect();
    gaps(period, &same).is_empty()
}

/// What changes when several facts are said at once, the later over the earlier. Rows that one fact would make and
/// the next take back never come to be; facts that change no day between them change nothing.
pub fn splice_all<K: Clone, V: Clone + PartialEq>(
    believed: &[Believed<K, V>],
    facts: &[(Period, V)],
) -> Splice<K, V> {
    // rows under numbers of our own: those of `believed` first, new ones after
    let mut rows: Vec<Believed<usize, V>> = believed
        .iter()
        .enumerate()
        .map(|(id, row)| Believed { id, period: row.period, value: row.value.clone() })
        .collect();
    let mut next = rows.len();
    for (period, value) in facts {
        let change = splice(&rows, *period, value.clone());
        rows.retain(|row| !change.close.contains(&row.id));
        for (period, value) in change.insert {
            rows.push(Believed { id: next, period, value });
            next += 1;
        }
    }
    let kept = |id: usize| rows.iter().any(|row| row.id == id);
    let close =
        believed.iter().enumerate().filter(|(id, _)| !kept(*id)).map(|(_, row)| row.id.clone()).collect();
    let mut insert: Vec<(Period, V)> = rows
        .iter()
        .filter(|row| row.id >= believed.len())
        .map(|row| (row.period, row.value.clone()))
        .collect();
    if insert.iter().all(|(period, value)| is_believed(believed, *period, value)) {
        return Splice { close: Vec::new(), insert: Vec::new() };
    }
    insert.sort_by_key(|(period, _)| *period);
    Splice { close, insert }
}

/// What changes when `change` holds of whatever was believed of the days of `period`.
pub fn amend<K: Clone, V: Clone + PartialEq>(
    believed: &[Believed<K, V>],
    period: Period,
    change: impl Fn(&V) -> V,
) -> Splice<K, V> {
    let mut splice = Splice { close: Vec::new(), insert: Vec::new() };
    for row in believed {
        let Some(middle) = row.period.intersection(period) else { continue };
        let value = change(&row.value);
        if value == row.value {
            continue;
        }
        splice.close.push(row.id.clone());
        let (before, after) = row.period.minus(period);
        splice.insert.extend(before.into_iter().chain(after).map(|rest| (rest, row.value.clone())));
        splice.insert.push((middle, value));
    }
    splice.insert.sort_by_key(|(period, _)| *period);
    splice
}

/// What changes when nothing is believed of the days from `end` on.
pub fn truncate<K: Clone, V: Clone>(believed: &[Believed<K, V>], end: Date) -> Splice<K, V> {
    erase(believed, Period::since(end))
}

/// What changes when nothing is believed of the days of `period`.
pub fn erase<K: Clone, V: Clone>(believed: &[Believed<K, V>], period: Period) -> Splice<K, V> {
    let mut splice = Splice { close: Vec::new(), insert: Vec::new() };
    for row in believed.iter().filter(|row| row.period.intersects(period)) {
        let (before, after) = row.period.minus(period);
        splice.close.push(row.id.clone());
        splice.insert.extend(before.into_iter().chain(after).map(|rest| (rest, row.value.clone())));
    }
    splice.insert.sort_by_key(|(period, _)| *period);
    splice
}

/// The days of `whole` that no part covers.
pub fn gaps(whole: Period, parts: &[Period]) -> Vec<Period> {
    let mut left = vec![whole];
    for part in parts {
        left = left
            .into_iter()
            .flat_map(|gap| {
                let (before, after) = gap.minus(*part);
                before.into_iter().chain(after)
            })
            .collect();
    }
    left.sort();
    left
}

/// The days that more than one part covers, in order and each once.
pub fn overlaps(parts: &[Period]) -> Vec<Period> {
    let mut twice: Vec<Period> = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        for shared in parts[..n].iter().filter_map(|other| part.intersection(*other)) {
            let fresh = gaps(shared, &twice);
            twice.extend(fresh);
        }
    }
    twice.sort();
    twice
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};
    use proptest::prelude::*;

    use super::*;

    const DAYS: i64 = 40;

    fn day(n: i64) -> Date {
        date(2020, 1, 1) + n.days()
    }

    /// Applies a splice as a store would.
    fn apply(rows: &mut Vec<Believed<u32, u8>>, next: &mut u32, splice: Splice<u32, u8>) {
        rows.retain(|row| !splice.close.contains(&row.id));
        for (period, value) in splice.insert {
            rows.push(Believed { id: *next, period, value });
            *next += 1;
        }
    }

    proptest! {
        /// Against a table of days: each day has the value that was last said of it, and exactly one row.
        #[test]
        fn every_day_has_the_last_value_said_of_it(facts in prop::collection::vec((0..DAYS, prop::option::of(1..DAYS), 0u8..4), 1..20)) {
            let (mut rows, mut next) = (Vec::new(), 1);
            rows.push(Believed { id: 0, period: Period::since(day(0)), value: 9 });
            let at_once: Vec<(Period, u8)> =
                facts.iter().map(|(from, length, value)| (Period::new(day(*from), length.map(|l| day(from + l))).unwrap(), *value)).collect();
            let mut together = rows.clone();
            let change = splice_all(&together, &at_once);
            apply(&mut together, &mut 1, change);
            let mut oracle = vec![9u8; (2 * DAYS + 1) as usize];
            for (from, length, value) in facts {
                let period = Period::new(day(from), length.map(|l| day(from + l))).unwrap();
                let change = splice(&rows, period, value);
                let to = length.map_or(oracle.len() as i64, |l| from + l);
                let changes = oracle[from as usize..to as usize].iter().any(|before| *before != value);
                prop_assert_eq!(change.is_empty(), !changes);
                apply(&mut rows, &mut next, change);
                for n in from..to {
                    oracle[n as usize] = value;
                }
            }
            for (n, expected) in oracle.iter().enumerate() {
                let holding: Vec<_> = rows.iter().filter(|row| row.period.contains(day(n as i64))).collect();
                prop_assert_eq!(holding.len(), 1);
                prop_assert_eq!(holding[0].value, *expected);
                let at_once: Vec<_> = together.iter().filter(|row| row.period.contains(day(n as i64))).map(|row| row.value).collect();
                prop_assert_eq!(at_once, vec![*expected]);
            }
            let parts: Vec<Period> = rows.iter().map(|row| row.period).collect();
            prop_assert!(gaps(Period::since(day(0)), &parts).is_empty());
        }

        /// Gaps against a table of days.
        #[test]
        fn gaps_are_the_days_without_a_part(parts in prop::collection::vec((0..DAYS, 1..DAYS), 0..6)) {
            let periods: Vec<Period> = parts.iter().map(|(f, l)| Period::new(day(*f), Some(day(f + l))).unwrap()).collect();
            let whole = Period::new(day(0), Some(day(2 * DAYS))).unwrap();
            let found = gaps(whole, &periods);
            for n in 0..2 * DAYS {
                let covered = periods.iter().any(|p| p.contains(day(n)));
                prop_assert_eq!(found.iter().filter(|gap| gap.contains(day(n))).count(), usize::from(!covered));
            }
        }

        /// Overlaps against a table of days.
        #[test]
        fn overlaps_are_the_days_of_several_parts(parts in prop::collection::vec((0..DAYS, prop::option::of(1..DAYS)), 0..6)) {
            let period = |(from, length): &(i64, Option<i64>)| Period::new(day(*from), length.map(|l| day(from + l))).unwrap();
            let periods: Vec<Period> = parts.iter().map(period).collect();
            let found = overlaps(&periods);
            prop_assert!(found.is_sorted_by_key(|period| period.from()));
            for n in 0..3 * DAYS {
                let several = periods.iter().filter(|p| p.contains(day(n))).count() > 1;
                prop_assert_eq!(found.iter().filter(|p| p.contains(day(n))).count(), usize::from(several));
            }
        }
    }

    #[test]
    fn amending_keeps_what_it_does_not_change() {
        let rows = [
            Believed { id: 1, period: Period::new(day(0), Some(day(10))).unwrap(), value: ("a", 1) },
            Believed { id: 2, period: Period::since(day(10)), value: ("b", 1) },
        ];
        let change = amend(&rows, Period::since(day(5)), |(name, _)| (*name, 2));
        assert_eq!(change.close, [1, 2]);
        let expected = [
            (Period::new(day(0), Some(day(5))).unwrap(), ("a", 1)),
            (Period::new(day(5), Some(day(10))).unwrap(), ("a", 2)),
            (Period::since(day(10)), ("b", 2)),
        ];
        assert_eq!(change.insert, expected);
    }

    #[test]
    fn what_is_believed_already_changes_nothing() {
        let rows = [Believed { id: 1, period: Period::since(day(0)), value: 'a' }];
        let some = Period::new(day(3), Some(day(5))).unwrap();
        assert!(splice(&rows, some, 'a').is_empty());
        assert!(splice_all(&rows, &[(some, 'b'), (some, 'a')]).is_empty());
        let in_two = [
            Believed { id: 1, period: Period::new(day(0), Some(day(4))).unwrap(), value: 'a' },
            Believed { id: 2, period: Period::since(day(4)), value: 'a' },
        ];
        assert!(splice(&in_two, some, 'a').is_empty());
    }

    #[test]
    fn a_period_has_a_day() {
        assert!(Period::new(day(1), Some(day(1))).is_err());
    }
}
