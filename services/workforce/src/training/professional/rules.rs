//! The professional exam of social workers 社会工作者职业资格: the life of a registration, and which level comes next. Pure.

use kernel::{
    named,
    state::{Row, Table},
};

named! {
    /// The levels, the lowest first; each is the kind of its certificate.
    pub(crate) Level {
        /// Assistant social worker 助理社会工作师.
        Assistant = "ASSISTANT_SOCIAL_WORKER",
        /// Social worker 社会工作师.
        SocialWorker = "SOCIAL_WORKER",
        /// Senior social worker 高级社会工作师.
        Senior = "SENIOR_SOCIAL_WORKER",
    }
}

named! {
    /// The states of a registration.
    pub(crate) State {
        /// Registered 已报考.
        Registered = "REGISTERED",
        /// Taken back 已撤回.
        Withdrawn = "WITHDRAWN",
        /// Passed 合格.
        Passed = "PASSED",
        /// Not passed 不合格.
        Failed = "FAILED",
        /// Didn't come 缺考.
        Absent = "ABSENT",
    }
}
named! {
    /// What is done with a registration.
    pub(crate) Verb {
        /// Registered.
        Create = "create",
        /// Taken back.
        Withdraw = "withdraw",
        /// Passed.
        RecordExamResult = "recordExamResult",
        /// Not passed.
        Fail = "fail",
        /// Didn't come.
        Miss = "miss",
    }
}

/// The life of a registration.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "examRegistration",
    rows: &[
        Row::new(
            None,
            Verb::Create,
            State::Registered,
            "workforce.examRegistrations.create",
            &["one level a year", "the level isn't held", "senior after social worker"],
        ),
        Row::new(
            Some(State::Registered),
            Verb::Withdraw,
            State::Withdrawn,
            "workforce.examRegistrations.withdraw",
            &[],
        ),
        Row::new(
            Some(State::Registered),
            Verb::RecordExamResult,
            State::Passed,
            "workforce.examRegistrations.record",
            &["another person than the worker", "a certificate for who passed"],
        ),
        Row::new(Some(State::Registered), Verb::Fail, State::Failed, "", &["the result was FAILED"]),
        Row::new(Some(State::Registered), Verb::Miss, State::Absent, "", &["the result was ABSENT"]),
    ],
};

/// Why somebody can't take the exam of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misstep {
    /// This level or a higher one is held.
    Held(Level),
    /// Another comes first.
    After(Level),
}

/// Whether somebody who holds some levels can take the exam of another: none that is held or lies below, the senior one after the social
/// worker's; the social worker's can be the first.
pub(crate) fn misstep(level: Level, held: &[Level]) -> Option<Misstep> {
    let highest = held.iter().max().copied();
    match (level, highest) {
        (_, Some(highest)) if highest >= level => Some(Misstep::Held(highest)),
        (Level::Senior, Some(Level::SocialWorker)) => None,
        (Level::Senior, _) => Some(Misstep::After(Level::SocialWorker)),
        (Level::Assistant | Level::SocialWorker, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use kernel::state::Named;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_stands() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
    }

    proptest! {
        /// Against a table by hand: of the eight sets of levels, who may take which.
        #[test]
        fn one_step_at_a_time(assistant: bool, social: bool, senior: bool, n in 0usize..3) {
            let has = [assistant, social, senior];
            let held: Vec<Level> = Level::ALL.iter().zip(has).filter(|(_, its)| *its).map(|(level, _)| *level).collect();
            let may = match n {
                0 => !assistant && !social && !senior,
                1 => !social && !senior,
                _ => social && !senior,
            };
            prop_assert_eq!(misstep(Level::ALL[n], &held).is_none(), may);
        }
    }
}
