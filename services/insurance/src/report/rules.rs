//! What the answers are worked out by: percentiles, parts of a whole, and days of work between two days. Pure.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use kernel::{calendar::Calendar, money::Fen};

/// How often each number of days came; as large as there are numbers, however many there were of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram {
    counts: BTreeMap<i32, u64>,
    total: u64,
}

impl Histogram {
    /// `days` came `many` times more.
    pub(crate) fn add(&mut self, days: i32, many: u64) {
        if many > 0 {
            *self.counts.entry(days).or_default() += many;
            self.total += many;
        }
    }

    /// How many there were.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The smallest number that so many percent of all don't exceed (nearest rank); `None` of nothing.
    pub(crate) fn percentile(&self, percent: u64) -> Option<i32> {
        let rank = (u128::from(self.total) * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0u128;
        let mut each = self.counts.iter();
        let found = each.find(|(_, many)| {
            seen += u128::from(**many);
            seen >= rank
        });
        found.map(|(days, _)| *days)
    }
}

/// The legs of one state that were ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Legs {
    /// In calendar days.
    pub(crate) days: Histogram,
    /// In working days.
    pub(crate) working_days: Histogram,
    /// How many had a term.
    pub(crate) with_term: u64,
    /// How many of these ended after it.
    pub(crate) over_term: u64,
}

/// The working days up to each day of a stretch, so that those between two of its days are a subtraction.
#[derive(Clone, Debug)]
pub(crate) struct WorkingDays {
    first: Date,
    /// Of each day: the working days from the first one to it, itself included.
    until: Vec<i32>,
}

impl WorkingDays {
    /// Counts from `first` to `last`.
    pub(crate) fn of(calendar: &Calendar, first: Date, last: Date) -> WorkingDays {
        let mut count = 0;
        let days = first.series(1.day()).take_while(|day| *day <= last);
        let until = days.map(|day| {
            count += i32::from(calendar.is_working(day));
            count
        });
        WorkingDays { first, until: until.collect() }
    }

    /// Those after `entered`, `left` included: a step on the last day of a term of n takes n of them. Both lie within the stretch;
    /// `None` where they don't.
    pub(crate) fn taken(&self, entered: Date, left: Date) -> Option<i32> {
        let at = |day: Date| {
            let days = usize::try_from(days(self.first, day)).ok()?;
            self.until.get(days).copied()
        };
        Some(at(left)? - at(entered)?)
    }
}

/// The calendar days from one day to another.
pub(crate) fn days(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// `part` of `whole` in parts per million, rounded half up; `None` of nothing.
pub(crate) fn ratio_ppm(part: i64, whole: i64) -> Option<i32> {
    if whole <= 0 {
        return None;
    }
    let (part, whole) = (i128::from(part.max(0)), i128::from(whole));
    let parts = (part * 2_000_000 + whole) / (whole * 2);
    Some(i32::try_from(parts).unwrap_or(i32::MAX))
}

/// What is used of a limit in parts per million, rounded down: a million is all of it and no fen less.
pub(crate) fn used_ppm(used: Fen, limit: Fen) -> i32 {
    let parts = i128::from(used.fen().max(0)) * 1_000_000 / i128::from(limit.fen().max(1));
    i32::try_from(parts).unwrap_or(i32::MAX)
}

/// The days of a year, its last one no longer.
pub(crate) fn year(year: i32) -> Option<(Date, Date)> {
    let first = |year: i32| Date::new(i16::try_from(year).ok()?, 1, 1).ok();
    Some((first(year)?, first(year.checked_add(1)?)?))
}
