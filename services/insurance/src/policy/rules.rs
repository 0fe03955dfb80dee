//! The rules of policies 保单. Pure.

use jiff::civil::Date;

/// The days on which a policy is in force: from the first, to the first no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days {
    pub(crate) from: Date,
    pub(crate) to: Date,
}

impl Days {
    /// Whether a day is one of them.
    pub(crate) fn contain(self, day: Date) -> bool {
        self.from <= day && day < self.to
    }
}

/// The one of several periods, none of which overlap, that a day meets: that in which it lies; else the next one; else the last before.
pub(crate) fn met(periods: &[Days], day: Date) -> Option<usize> {
    let at = |wanted: Option<&Days>| periods.iter().position(|period| Some(period) == wanted);
    let now = periods.iter().find(|period| period.contain(day));
    let next = || periods.iter().filter(|period| day < period.from).min_by_key(|period| period.from);
    let last = || periods.iter().filter(|period| period.to <= day).max_by_key(|period| period.to);
    at(now.or_else(next).or_else(last))
}

/// The version in force on a day, of the signed ones with their first days: the greatest of those whose day has come; the first one on a
/// day before the policy.
pub(crate) fn version_on(signed: &[(i32, Date)], day: Date) -> i32 {
    let come = signed.iter().filter(|(_, from)| *from <= day);
    come.map(|(n, _)| *n).max().unwrap_or(1)
}
