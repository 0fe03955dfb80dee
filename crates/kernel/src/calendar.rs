//! The working-day calendar: official papers 国务院办公厅通知 over plain weekdays.
//!
//! Papers apply in the order of their dates, a later one over an earlier one. A yearly paper announces a year by
//! setting its New Year's Day; days after the last announced year are weekdays and terms that reach there are
//! provisional.

use std::collections::BTreeMap;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday, date},
    tz::TimeZone,
};

use crate::named;

named! {
    /// What kind of day it is.
    DayKind {
        /// A working day.
        Work = "WORK",
        /// A weekend day.
        Rest = "REST",
        /// A public holiday 节假日.
        Holiday = "HOLIDAY",
        /// A weekend day made a working day 调休.
        MakeUpWork = "MAKE_UP_WORK",
    }
}

/// An official paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Its id: `gbfmd-2019-16`.
    pub code: String,
    /// The date on it.
    pub dated: Date,
    /// The days that it sets.
    pub days: Vec<(Date, DayKind)>,
}

/// When a term ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The last day of it.
    pub due: Date,
    /// Whether it reaches past the days that are announced.
    pub provisional: bool,
}

/// A term that runs: counted from the day after `start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTerm {
    /// What it is of.
    pub subject: String,
    /// The day from which it is counted.
    pub start: Date,
    /// How many working days 工作日.
    pub days: u32,
}

/// A term that a paper moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What it is of.
    pub subject: String,
    /// The last day before.
    pub from: Date,
    /// The last day now.
    pub to: Date,
}

/// The days as the papers have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    days: BTreeMap<Date, DayKind>,
    announced: Option<i16>,
    papers: usize,
    last: Option<String>,
}

impl Calendar {
    /// The calendar that `papers` make, in whatever order they are given.
    pub fn from_papers(papers: &[Paper]) -> Calendar {
        let mut sorted: Vec<&Paper> = papers.iter().collect();
        sorted.sort_by_key(|paper| (paper.dated, &paper.code));
        let last = sorted.last().map(|paper| paper.code.clone());
        let mut calendar = Calendar { papers: sorted.len(), last, ..Calendar::default() };
        for paper in sorted {
            for (day, kind) in &paper.days {
                calendar.days.insert(*day, *kind);
                if *kind == DayKind::Holiday && day.month() == 1 && day.day() == 1 {
                    calendar.announced = calendar.announced.max(Some(day.year()));
                }
            }
        }
        calendar
    }

    /// The last day of the last year that is announced.
    pub fn announced_until(&self) -> Option<Date> {
        self.announced.map(|year| date(year, 12, 31))
    }

    /// How many papers it is made of. A paper never changes and never goes: of two calendars the one of more papers is the later.
    pub fn papers(&self) -> usize {
        self.papers
    }

    /// The id of the paper with the last date.
    pub fn last_paper(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// What kind of day it is.
    pub fn kind(&self, day: Date) -> DayKind {
        let weekday = || match day.weekday() {
            Weekday::Saturday | Weekday::Sunday => DayKind::Rest,
            Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => {
                DayKind::Work
            }
        };
        self.days.get(&day).copied().unwrap_or_else(weekday)
    }

    /// Whether people work on that day.
    pub fn is_working(&self, day: Date) -> bool {
        match self.kind(day) {
            DayKind::Work | DayKind::MakeUpWork => true,
            DayKind::Rest | DayKind::Holiday => false,
        }
    }

    /// How many working days there are in `[from, to)`.
    pub fn working_days_between(&self, from: Date, to: Date) -> u32 {
        let days = from.series(1.day()).take_while(|day| *day < to);
        u32::try_from(days.filter(|day| self.is_working(*day)).count()).unwrap_or(u32::MAX)
    }

    /// The last day of a term of `n` working days, counted from the day after `start`; `start` itself for none.
    pub fn term(&self, start: Date, n: u32) -> Term {
        let working = start.series(1.day()).skip(1).filter(|day| self.is_working(*day));
        let due = n
            .checked_sub(1)
            .map_or(Some(start), |n| {
                let mut working = working;
                working.nth(n as usize)
            })
            .unwrap_or(Date::MAX);
        Term { due, provisional: self.announced_until().is_none_or(|last| due > last) }
    }

    /// The days whose kind differs from `before`, with their kind now.
    pub fn changed_since(&self, before: &Calendar) -> Vec<(Date, DayKind)> {
        let mut days: Vec<Date> = self.days.keys().chain(before.days.keys()).copied().collect();
        days.sort();
        days.dedup();
        days.into_iter()
            .filter(|day| self.kind(*day) != before.kind(*day))
            .map(|day| (day, self.kind(day)))
            .collect()
    }

    /// The terms that end on another day than by `before`.
    pub fn moved_since(&self, before: &Calendar, terms: &[OpenTerm]) -> Vec<Moved> {
        let both = terms
            .iter()
            .map(|term| (term, before.term(term.start, term.days).due, self.term(term.start, term.days).due));
        both.filter(|(_, from, to)| from != to)
            .map(|(term, from, to)| Moved { subject: term.subject.clone(), from, to })
            .collect()
    }
}

/// The instant at which a term that ends on `due` is over: the end of that day in Asia/Shanghai.
pub fn due_instant(due: Date, zone: &TimeZone) -> Timestamp {
    let next = due.tomorrow().unwrap_or(due);
    next.to_zoned(zone.clone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::Named;

    fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
        text.lines().skip(1).map(|line| line.trim_end().split(',').collect())
    }

    fn papers() -> Vec<Paper> {
        let days = include_str!("../../../deploy/demo/calendar_paper_days.csv");
        lines(include_str!("../../../deploy/demo/calendar_papers.csv"))
            .map(|paper| Paper {
                code: paper[0].to_owned(),
                dated: paper[2].parse().unwrap(),
                days: lines(days)
                    .filter(|day| day[0] == paper[0])
                    .map(|day| (day[1].parse().unwrap(), DayKind::from_name(day[2]).unwrap()))
                    .collect(),
            })
            .collect()
    }

    /// Weekends of 2019 that the list of days counts as part of a holiday, while the paper sets only its weekday.
    const BRIDGES: [&str; 6] =
        ["2019-04-06", "2019-04-07", "2019-06-08", "2019-06-09", "2019-09-14", "2019-09-15"];

    /// The kinds are equal on every day but six, on which nobody works either way.
    #[test]
    fn the_papers_give_the_calendar_day_for_day() {
        let calendar = Calendar::from_papers(&papers());
        let mut days = 0;
        for row in lines(include_str!("../../../deploy/demo/calendar.csv")) {
            let listed = DayKind::from_name(row[2]).unwrap();
            let expected =
                if BRIDGES.contains(&row[0]) { (DayKind::Rest, DayKind::Holiday) } else { (listed, listed) };
            assert_eq!((calendar.kind(row[0].parse().unwrap()), listed), expected, "{}", row[0]);
            days += 1;
        }
        assert_eq!(days, 1_096);
        assert_eq!(calendar.announced_until(), Some(date(2021, 12, 31)));
    }

    #[test]
    fn five_working_days_over_the_golden_week_of_2020() {
        let calendar = Calendar::from_papers(&papers());
        assert!(calendar.is_working(date(2020, 9, 27)) && calendar.is_working(date(2020, 10, 10)));
        assert_eq!(calendar.term(date(2020, 9, 25), 5), Term { due: date(2020, 10, 9), provisional: false });
        assert!(calendar.term(date(2021, 12, 31), 1).provisional);
    }

    #[test]
    fn papers_apply_in_the_order_of_their_dates() {
        let (calendar, mut reversed) = (Calendar::from_papers(&papers()), papers());
        reversed.reverse();
        assert_eq!(Calendar::from_papers(&reversed), calendar);
    }

    #[test]
    fn a_term_is_over_at_the_end_of_its_last_day() {
        let shanghai = TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(due_instant(date(2020, 10, 9), &shanghai).to_string(), "2020-10-09T16:00:00Z");
    }

    #[test]
    fn a_term_of_no_days_is_due_at_once_and_a_backward_span_holds_none() {
        let calendar = Calendar::from_papers(&papers());
        let saturday = date(2020, 6, 6);
        assert_eq!(calendar.term(saturday, 0), Term { due: saturday, provisional: false });
        assert_eq!(calendar.working_days_between(date(2020, 6, 8), saturday), 0);
        assert!(Calendar::default().term(saturday, 1).provisional);
    }

    #[test]
    fn the_paper_of_january_2020_moves_open_terms() {
        let all = papers();
        let before = Calendar::from_papers(
            &all.iter().filter(|p| p.code != "gbfmd-2020-1").cloned().collect::<Vec<_>>(),
        );
        let after = Calendar::from_papers(&all);
        let term = OpenTerm { subject: "claim".to_owned(), start: date(2020, 1, 20), days: 5 };
        let moved = after.moved_since(&before, &[term]);
        assert_eq!(
            moved,
            [Moved { subject: "claim".to_owned(), from: date(2020, 2, 1), to: date(2020, 2, 4) }]
        );
        assert!(after.changed_since(&before).contains(&(date(2020, 1, 31), DayKind::Holiday)));
    }

    proptest! {
        /// Counting and ending agree: a term of n days holds n working days.
        #[test]
        fn a_term_of_n_days_holds_n_working_days(offset in 0i64..1_000, n in 1u32..60) {
            let calendar = Calendar::from_papers(&papers());
            let start = date(2019, 1, 1) + offset.days();
            let due = calendar.term(start, n).due;
            prop_assert!(calendar.is_working(due));
            let tomorrow = |day: Date| day.tomorrow().unwrap();
            prop_assert_eq!(calendar.working_days_between(tomorrow(start), tomorrow(due)), n);
        }
    }
}
