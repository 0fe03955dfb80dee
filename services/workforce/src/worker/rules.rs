//! The rules of workers 社区工作者: which days fit together, and what somebody is on a day. Pure.

use jiff::{Span, civil::Date};
use kernel::{
    named,
    periods::Period,
    state::{Row, Table},
};

/// Years of age from which on somebody may be employed: the Labour Law 劳动法, article 15.
pub(crate) const AGE: i16 = 16;

named! {
    /// What a worker is on a day. It follows from the days that are recorded.
    pub State {
        /// Hired, and the first day hasn't come 待入职.
        Hired = "HIRED",
        /// On probation 试用.
        Probation = "PROBATION",
        /// At work 在岗.
        Active = "ACTIVE",
        /// Away on the day 请假.
        OnLeave = "ON_LEAVE",
        /// Left 离职.
        Left = "LEFT",
    }
}

named! {
    /// As in the identity number.
    pub(crate) Sex {
        /// Female 女.
        Female = "F",
        /// Male 男.
        Male = "M",
    }
}

named! {
    /// The highest schooling 学历, the lowest first.
    pub Schooling {
        /// Junior high school 初中 or less.
        JuniorHigh = "JUNIOR_HIGH",
        /// High school 高中、中专.
        HighSchool = "HIGH_SCHOOL",
        /// College 大专.
        College = "COLLEGE",
        /// Bachelor 本科.
        Bachelor = "BACHELOR",
        /// Master 硕士.
        Master = "MASTER",
        /// Doctor 博士.
        Doctor = "DOCTOR",
    }
}

named! {
    /// What is done with a worker.
    pub(crate) Verb {
        /// Recorded as hired 录用.
        Create = "create",
        /// The first day has come.
        Begin = "begin",
        /// Leave begins 请假; nothing is done, the days say so.
        GoOnLeave = "goOnLeave",
        /// Changed.
        Update = "update",
        /// Confirmed after the probation 转正.
        Confirm = "confirm",
        /// Leaves 离职.
        EndEmployment = "endEmployment",
        /// The days of employment are corrected 更正.
        Correct = "correct",
        /// Given a post 任命.
        AssignPost = "assignPost",
        /// Moved to another post 调动.
        Transfer = "transfer",
        /// A post ends 免职.
        EndPosting = "endPosting",
        /// Posts of days past are corrected 更正.
        CorrectPosting = "correctPosting",
    }
}

const ANOTHER: &str = "by somebody else than who recorded the worker";
const UNTIL_LEFT: &[&str] = &["days before the end of employment"];

macro_rules! employed {
    ($($state:ident),+) => {
        &[
            Row::new(None, Verb::Create, State::Hired, "workforce.workers.create", &["16 years of age", "one employment at a time"]),
            // these follow from the days that are recorded: nobody does them
            Row::new(Some(State::Hired), Verb::Begin, State::Probation, "", &["the first day; ACTIVE without probation"]),
            Row::new(Some(State::Active), Verb::GoOnLeave, State::OnLeave, "", &["a day of leave; on probation too"]),
            Row::new(Some(State::Probation), Verb::Confirm, State::Active, "workforce.workers.confirm", &[ANOTHER]),
            Row::new(Some(State::OnLeave), Verb::Confirm, State::OnLeave, "workforce.workers.confirm", &[ANOTHER, "on probation"]),
            Row::new(Some(State::Left), Verb::Correct, State::Left, "workforce.workers.correct", &["a reason"]),
            Row::new(Some(State::Left), Verb::CorrectPosting, State::Left, "workforce.postings.correct", UNTIL_LEFT),
            $(
                Row::new(Some(State::$state), Verb::Update, State::$state, "workforce.workers.update", &[]),
                Row::new(Some(State::$state), Verb::EndEmployment, State::Left, "workforce.workers.end", &["a reason"]),
                Row::new(Some(State::$state), Verb::Correct, State::$state, "workforce.workers.correct", &["a reason"]),
                Row::new(Some(State::$state), Verb::AssignPost, State::$state, "workforce.postings.assign", &["no post on those days", "the quota"]),
                Row::new(Some(State::$state), Verb::Transfer, State::$state, "workforce.postings.transfer", &["the quota"]),
                Row::new(Some(State::$state), Verb::EndPosting, State::$state, "workforce.postings.end", &["a reason"]),
                Row::new(Some(State::$state), Verb::CorrectPosting, State::$state, "workforce.postings.correct", &["a reason", "the quota"]),
            )+
        ]
    };
}

/// The life of a worker.
pub(crate) static TABLE: Table<State, Verb> =
    Table { resource: "worker", rows: employed!(Hired, Probation, Active, OnLeave) };

/// The days of an employment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days {
    /// The first day.
    pub(crate) hired: Date,
    /// The first day after the probation as agreed; none without probation.
    pub(crate) probation_ends: Option<Date>,
    /// From when on confirmed; the first day without probation.
    pub(crate) confirmed: Option<Date>,
    /// The first day no longer employed.
    pub(crate) left: Option<Date>,
}

/// Why days of employment don't fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// Hired before the birth.
    BornAfterHiring,
    /// Hired before the sixteenth birthday, which is this day.
    TooYoung(Date),
    /// The probation ends before the first day is over.
    Probation,
    /// Confirmed before being hired, or after leaving.
    Confirmed,
    /// Left before the first day was over.
    Left,
}

impl Days {
    /// The employment.
    pub(crate) fn period(self) -> Option<Period> {
        Period::new(self.hired, self.left).ok()
    }

    /// What somebody is on `day`; `away` says whether leave covers it.
    pub(crate) fn state(self, day: Date, away: bool) -> State {
        if day < self.hired {
            State::Hired
        } else if self.left.is_some_and(|left| left <= day) {
            State::Left
        } else if away {
            State::OnLeave
        } else if self.confirmed.is_some_and(|confirmed| confirmed <= day) {
            State::Active
        } else {
            State::Probation
        }
    }

    /// The first thing that doesn't fit, of somebody born on a day.
    pub(crate) fn misfit(self, birth: Date) -> Option<Misfit> {
        let of_age = birth.checked_add(Span::new().years(AGE)).unwrap_or(Date::MAX);
        let outside = |day: Date| day < self.hired || self.left.is_some_and(|left| day > left);
        if self.hired <= birth {
            Some(Misfit::BornAfterHiring)
        } else if self.hired < of_age {
            Some(Misfit::TooYoung(of_age))
        } else if self.probation_ends.is_some_and(|end| end <= self.hired) {
            Some(Misfit::Probation)
        } else if self.left.is_some_and(|left| left <= self.hired) {
            Some(Misfit::Left)
        } else if self.confirmed.is_some_and(outside) {
            Some(Misfit::Confirmed)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_stands() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let birth = date(2000, 2, 29);
        let days = Days {
            hired: date(2020, 3, 2),
            probation_ends: None,
            confirmed: Some(date(2020, 3, 2)),
            left: None,
        };
        assert_eq!(days.misfit(birth), None);
        assert_eq!(days.misfit(date(2020, 3, 2)), Some(Misfit::BornAfterHiring));
        assert_eq!(days.misfit(date(2004, 3, 3)), Some(Misfit::TooYoung(date(2020, 3, 3))));
        assert_eq!(days.misfit(date(2004, 3, 2)), None);
        let with = |change: fn(&mut Days)| {
            let mut changed = days;
            change(&mut changed);
            changed.misfit(birth)
        };
        assert_eq!(with(|days| days.probation_ends = Some(days.hired)), Some(Misfit::Probation));
        assert_eq!(with(|days| days.left = Some(days.hired)), Some(Misfit::Left));
        assert_eq!(with(|days| days.confirmed = Some(date(2020, 3, 1))), Some(Misfit::Confirmed));
    }

    proptest! {
        /// Against a walk through the years: the day of the sixteenth birthday is the first that fits.
        #[test]
        fn nobody_under_sixteen(birth in 0i64..20_000, after in 0i64..12_000) {
            let birth = date(1950, 1, 1) + birth.days();
            let hired = birth + after.days();
            let days = Days { hired, probation_ends: None, confirmed: Some(hired), left: None };
            prop_assert_eq!(days.misfit(birth).is_none(), hired > birth && age_on_by_walking(birth, hired) >= 16);
        }
    }

    /// How many birthdays have come, counted one by one; 28 February stands for the 29th in the constraint of the database and here.
    fn age_on_by_walking(birth: Date, day: Date) -> i64 {
        (1..200).take_while(|n| birth.checked_add((*n).years()).is_ok_and(|birthday| birthday <= day)).count()
            as i64
    }
}
