//! What a course says of its exam, and what an attempt comes to. Pure.

use jiff::{Span, civil::Date};
use kernel::periods::Period;

use super::rules::Kind;

/// What a course says of its exam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exam {
    /// The mark of 0 to 100 from which on it is passed; 0 without exam.
    pub(crate) pass_mark: i32,
    /// How often it may be tried.
    pub(crate) attempts: i32,
    /// Months for which the certificate holds; 0 for good.
    pub(crate) valid_months: i32,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Passed.
    Passed,
    /// Not passed, and so many attempts are left.
    Again(i32),
    /// Not passed, and none is left.
    Failed,
}

/// Why there is no attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAttempt {
    /// The course has no exam.
    NoExam,
    /// As many were made as there are.
    Used,
}

impl Exam {
    /// What a mark comes to after `before` attempts that weren't passed.
    ///
    /// # Errors
    /// Without exam; when no attempt is left.
    pub(crate) fn judge(self, before: i32, mark: i32) -> Result<Outcome, NoAttempt> {
        if self.pass_mark == 0 {
            return Err(NoAttempt::NoExam);
        }
        match self.attempts - before {
            ..=0 => Err(NoAttempt::Used),
            _ if mark >= self.pass_mark => Ok(Outcome::Passed),
            1 => Ok(Outcome::Failed),
            left => Ok(Outcome::Again(left - 1)),
        }
    }

    /// The days for which a certificate holds that was earned on a day.
    pub(crate) fn certificate_days(self, taken: Date) -> Option<Period> {
        match self.valid_months {
            0 => Some(Period::since(taken)),
            months => {
                let end = taken.checked_add(Span::new().months(months)).ok()?;
                Period::new(taken, Some(end)).ok()
            }
        }
    }
}

/// What doesn't fit in what a course says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// It is asked of somebody, and has no exam that shows it was passed.
    AskedWithoutExam,
    /// A pass mark without attempts, or attempts without pass mark.
    HalfAnExam,
    /// A certificate's months without exam.
    MonthsWithoutExam,
    /// A companion course without the organisation that gives it, or another course with one.
    Provider,
}

/// Everything that doesn't fit in what a course says.
pub(crate) fn misfits(kind: Kind, exam: Exam, asked: bool, provided: bool) -> Vec<Misfit> {
    let needs_exam = asked || matches!(kind, Kind::Onboarding | Kind::Mandatory);
    let all = [
        (needs_exam && exam.pass_mark == 0, Misfit::AskedWithoutExam),
        ((exam.pass_mark == 0) != (exam.attempts == 0), Misfit::HalfAnExam),
        (exam.pass_mark == 0 && exam.valid_months > 0, Misfit::MonthsWithoutExam),
        ((kind == Kind::Companion) != provided, Misfit::Provider),
    ];
    all.into_iter().filter(|(wrong, _)| *wrong).map(|(_, misfit)| misfit).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_certificate_holds_for_its_months() {
        let exam = |valid_months| Exam { pass_mark: 60, attempts: 1, valid_months };
        let end = |months, day| exam(months).certificate_days(day).and_then(Period::to);
        assert_eq!(end(12, date(2020, 2, 29)), Some(date(2021, 2, 28)));
        assert_eq!(end(1, date(2020, 1, 31)), Some(date(2020, 2, 29)));
        assert_eq!(end(0, date(2020, 1, 31)), None);
    }

    proptest! {
        /// Against marks told one after the other: whoever passes does so by the first mark that reaches the pass mark, within the
        /// attempts; whoever fails has used them all; nobody goes on after either.
        #[test]
        fn the_first_mark_that_is_enough_passes(
            pass_mark in 1i32..=100, attempts in 1i32..=10, marks in prop::collection::vec(0i32..=100, 1..15),
        ) {
            let exam = Exam { pass_mark, attempts, valid_months: 0 };
            let mut told = Vec::new();
            for mark in &marks {
                match exam.judge(told.len() as i32, *mark) {
                    Ok(outcome) => told.push(outcome),
                    Err(why) => {
                        prop_assert_eq!(why, NoAttempt::Used);
                        break;
                    }
                }
                if told.last() == Some(&Outcome::Passed) {
                    break;
                }
            }
            let within = &marks[..marks.len().min(attempts as usize)];
            let enough = within.iter().position(|mark| *mark >= pass_mark);
            prop_assert_eq!(told.iter().position(|its| *its == Outcome::Passed), enough);
            prop_assert_eq!(told.len(), enough.map_or(within.len(), |n| n + 1));
            prop_assert_eq!(told.contains(&Outcome::Failed), enough.is_none() && within.len() == attempts as usize);
        }

        #[test]
        fn without_exam_there_is_no_attempt(before in 0i32..10, mark in 0i32..=100) {
            let none = Exam { pass_mark: 0, attempts: 0, valid_months: 0 };
            prop_assert_eq!(none.judge(before, mark), Err(NoAttempt::NoExam));
        }
    }
}
