//! The growth plan 优能: what a step asks, and how far a path is on a day. Pure.

use jiff::civil::Date;
use kernel::named;

named! {
    /// What a step asks.
    pub(crate) Kind {
        /// A course passed, or attended where it has no exam.
        Course = "COURSE",
        /// A certificate.
        Certificate = "CERTIFICATE",
        /// A target of work.
        WorkTarget = "WORK_TARGET",
    }
}

named! {
    /// How far a step is on a day.
    pub(crate) State {
        /// To come 待完成.
        Open = "OPEN",
        /// The next that is to be done 下一步.
        Next = "NEXT",
        /// Not done when it was due 逾期.
        Late = "LATE",
        /// Done 已完成.
        Done = "DONE",
        /// Taken off the path 已取消.
        Cancelled = "CANCELLED",
    }
}

/// A step as far as time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The last day for it.
    pub(crate) due: Date,
    /// Since when it is done.
    pub(crate) done: Option<Date>,
}

/// How far each step of a path is on a day, the steps given by their due days: the first that is neither done nor late is next.
pub(crate) fn path(steps: &[Step], day: Date) -> Vec<State> {
    let mut states: Vec<State> = steps
        .iter()
        .map(|step| match step.done {
            Some(done) if done <= day => State::Done,
            _ if step.due < day => State::Late,
            _ => State::Open,
        })
        .collect();
    if let Some(next) = states.iter_mut().find(|state| **state == State::Open) {
        *next = State::Next;
    }
    states
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Step by step against what it means: each is done, late, or to come, and of those to come one is next, the first due.
        #[test]
        fn one_step_is_next(
            days in prop::collection::vec((0i64..100, prop::option::of(0i64..100)), 0..12), day in 0i64..100,
        ) {
            let start = date(2020, 1, 1);
            let mut given = days;
            given.sort();
            let steps: Vec<Step> = given
                .iter()
                .map(|(due, done)| Step { due: start + due.days(), done: done.map(|n| start + n.days()) })
                .collect();
            let states = path(&steps, start + day.days());
            let mut to_come = Vec::new();
            for (n, (due, done)) in given.iter().enumerate() {
                let is_done = done.is_some_and(|done| done <= day);
                prop_assert_eq!(states[n] == State::Done, is_done);
                prop_assert_eq!(states[n] == State::Late, !is_done && *due < day);
                if !is_done && *due >= day {
                    to_come.push(n);
                }
            }
            let next: Vec<usize> = (0..states.len()).filter(|n| states[*n] == State::Next).collect();
            prop_assert_eq!(next, to_come.first().copied().into_iter().collect::<Vec<_>>());
        }
    }
}
