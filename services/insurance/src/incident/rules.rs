//! The life of an incident. Pure; the database checks the same.

use jiff::{ToSpan, civil::Date};
use kernel::{
    named,
    state::{Row, Table},
};

named! {
    /// Where an incident stands.
    pub(crate) State {
        /// Reported 已登记.
        Reported = "REPORTED",
        /// Verified and covered, without a claim 已核实.
        Verified = "VERIFIED",
        /// Verified and not covered 不在承保范围.
        NotCovered = "NOT_COVERED",
        /// A claim is opened 已报案.
        Claimed = "CLAIMED",
        /// Closed 已结案.
        Closed = "CLOSED",
    }
}

named! {
    /// What can be done with an incident.
    pub(crate) Verb {
        /// Report it 登记.
        Report = "report",
        /// It is true, and covered 核实.
        Verify = "verify",
        /// It is true, and no programme covers it 不承保.
        FindNotCovered = "findNotCovered",
        /// A claim is opened 报案.
        Claim = "claim",
        /// The claim is gone 撤案.
        ReleaseClaim = "releaseClaim",
        /// Say who visits the family 指派走访.
        AssignVisit = "assignVisit",
        /// Record a visit 走访.
        RecordVisit = "recordVisit",
        /// Close it 结案.
        Close = "close",
        /// Open it again 重开.
        Reopen = "reopen",
    }
}

named! {
    /// What kind of place it happened in.
    pub(crate) PlaceKind {
        /// A dwelling.
        Household = "HOUSEHOLD",
        /// A public area of an estate.
        Estate = "ESTATE",
        /// Elsewhere, in words.
        Text = "TEXT",
    }
}

named! {
    /// Who told of it.
    pub(crate) Source {
        /// A finding of a patrol 巡查发现.
        Finding = "FINDING",
        /// The police 公安.
        Police = "POLICE",
        /// The fire service 消防.
        FireService = "FIRE_SERVICE",
        /// The steward 小管家.
        Steward = "STEWARD",
        /// The family 家属.
        Family = "FAMILY",
    }
}

named! {
    /// What a visit came to.
    pub(crate) VisitResult {
        /// The family will claim 将报案.
        WillClaim = "WILL_CLAIM",
        /// It doesn't want to 放弃报案.
        Declines = "DECLINES",
        /// Nobody was at home 无人在家.
        NotAtHome = "NOT_AT_HOME",
        /// Something else 其他.
        Other = "OTHER",
    }
}

type Life = Row<State, Verb>;

const fn closed(from: State) -> Life {
    Row::new(Some(from), Verb::Close, State::Closed, "insurance.incidents.close", &["a reason"])
}

/// The life of an incident.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "incident",
    rows: &[
        Row::new(
            None,
            Verb::Report,
            State::Reported,
            "insurance.incidents.report",
            &[
                "the day has come",
                "governance knows person, household and estate",
                "it wasn't reported before",
            ],
        ),
        Row::new(
            Some(State::Reported),
            Verb::Verify,
            State::Verified,
            "insurance.incidents.verify",
            &["a programme covers it on its day; else findNotCovered"],
        ),
        Row::new(
            Some(State::Reported),
            Verb::FindNotCovered,
            State::NotCovered,
            "",
            &["verified, and no programme covers it on its day"],
        ),
        Row::new(
            Some(State::Verified),
            Verb::AssignVisit,
            State::Verified,
            "insurance.incidents.visit",
            &["governance knows the person"],
        ),
        Row::new(Some(State::Verified), Verb::RecordVisit, State::Verified, "insurance.incidents.visit", &[]),
        Row::new(Some(State::Claimed), Verb::RecordVisit, State::Claimed, "insurance.incidents.visit", &[]),
        Row::new(Some(State::Verified), Verb::Claim, State::Claimed, "", &["with the claim that is opened"]),
        Row::new(
            Some(State::Claimed),
            Verb::ReleaseClaim,
            State::Verified,
            "",
            &["with the last claim that is withdrawn or dismissed"],
        ),
        closed(State::Reported),
        closed(State::Verified),
        closed(State::NotCovered),
        closed(State::Claimed),
        Row::new(
            Some(State::Closed),
            Verb::Reopen,
            State::Reported,
            "insurance.incidents.close",
            &["a reason", "it wasn't reported again meanwhile"],
        ),
    ],
};

/// The verb of a verification.
pub(crate) fn verification(covered: bool) -> Verb {
    if covered { Verb::Verify } else { Verb::FindNotCovered }
}

/// `险-2020-000001`.
pub(crate) fn number(year: i16, n: i32) -> String {
    format!("险-{year:04}-{n:06}")
}

/// Days within which a family is to be visited where none is said.
const VISIT_WITHIN: i64 = 7;

/// By when a family is to be visited that somebody was sent to on `today`.
pub(crate) fn visit_due(today: Date) -> Date {
    today.checked_add(VISIT_WITHIN.days()).unwrap_or(Date::MAX)
}

/// Days that must have passed since the verification where none are said.
pub(crate) const UNCLAIMED_AFTER: i32 = 7;

/// The last day of a verification that is `min_days` ago at least.
pub(crate) fn verified_until(today: Date, min_days: i32) -> Date {
    today.checked_sub(i64::from(min_days).days()).unwrap_or(Date::MIN)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use kernel::state::Named;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
    }

    #[test]
    fn numbers_begin_anew_each_year() {
        assert_eq!(number(2020, 1), "险-2020-000001");
    }

    proptest! {
        /// Whatever is done in whatever order: what is VERIFIED was found covered since it was last reported, and a closed incident only opens again.
        #[test]
        fn every_way_is_one_of_the_table(steps in prop::collection::vec(0..Verb::ALL.len(), 0..40)) {
            let (mut state, mut covered) = (State::Reported, None);
            for verb in steps.into_iter().map(|n| Verb::ALL[n]) {
                let before = state;
                let Ok(to) = TABLE.next(state, verb) else { continue };
                state = to;
                match verb {
                    Verb::Verify => covered = Some(true),
                    Verb::FindNotCovered => covered = Some(false),
                    Verb::Reopen => covered = None,
                    Verb::Report | Verb::Claim | Verb::ReleaseClaim | Verb::AssignVisit | Verb::RecordVisit | Verb::Close => {}
                }
                prop_assert!(before != State::Closed || verb == Verb::Reopen);
                match state {
                    State::Verified | State::Claimed => prop_assert_eq!(covered, Some(true)),
                    State::NotCovered => prop_assert_eq!(covered, Some(false)),
                    State::Reported => prop_assert_eq!(covered, None),
                    State::Closed => {}
                }
            }
        }

        #[test]
        fn so_many_days_ago_at_least(days in 0_i32..3660, ago in 0_i64..4000) {
            let today = date(2020, 10, 1);
            let verified = today.checked_sub(ago.days()).unwrap();
            prop_assert_eq!(verified <= verified_until(today, days), ago >= i64::from(days));
        }
    }
}
