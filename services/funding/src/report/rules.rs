//! The answers that are worked out: who must act on an expense, and what part of a whole was spent. Pure.

use kernel::{money::Fen, named};

named! {
    /// Who must act.
    pub(crate) Party {
        /// Who applied: to revise.
        Applicant = "APPLICANT",
        /// The committee.
        Committee = "COMMITTEE",
        /// The town: to approve.
        Town = "TOWN",
        /// The cashier: to pay.
        Cashier = "CASHIER",
        /// Nobody: a public notice runs.
        Public = "PUBLIC",
        /// The bank: its return file is waited for.
        Bank = "BANK",
    }
}

/// The states in which somebody is waited for.
pub(crate) const OPEN: &[&str] = &[
    "APPLIED",
    "REVIEWED",
    "NOTICE",
    "OBJECTED",
    "APPROVED",
    "PAYING",
    "PAID",
    "SETTLED",
    "REVISION_REQUESTED",
];

/// Who must act on an expense in `state`; nobody any more in those that are over. `before_notice` says that a public notice is required
/// and not published, `notice_runs` that it isn't over.
pub(crate) fn party(state: &str, before_notice: bool, notice_runs: bool) -> Option<Party> {
    Some(match state {
        "APPLIED" | "OBJECTED" | "PAID" | "SETTLED" => Party::Committee,
        "REVIEWED" if before_notice => Party::Committee,
        "NOTICE" if notice_runs => Party::Public,
        "REVIEWED" | "NOTICE" => Party::Town,
        "APPROVED" => Party::Cashier,
        "PAYING" => Party::Bank,
        "REVISION_REQUESTED" => Party::Applicant,
        _ => return None,
    })
}

/// The part of `whole` that `part` is, in parts per million, rounded half up; nothing of nothing.
pub(crate) fn share_ppm(part: Fen, whole: Fen) -> i32 {
    if whole.fen() <= 0 {
        return 0;
    }
    let (part, whole) = (i128::from(part.fen()), i128::from(whole.fen()));
    let parts = (part * 2_000_000 + whole) / (whole * 2);
    i32::try_from(parts).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use kernel::state::Named;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        actor::Actor,
        expense::rules::{Facts, State, waiting},
    };

    #[test]
    fn every_open_state_has_its_party_and_no_other() {
        for state in OPEN {
            assert!(party(state, false, false).is_some(), "{state}");
        }
        for state in ["DISCLOSED", "REJECTED", "WITHDRAWN"] {
            assert_eq!(party(state, true, true), None);
        }
        assert_eq!(party("REVIEWED", true, false), Some(Party::Committee));
        assert_eq!(party("NOTICE", true, true), Some(Party::Public));
        assert_eq!(party("NOTICE", true, false), Some(Party::Town));
    }

    /// The rule of the expense itself, state by state.
    #[test]
    fn who_must_act_is_whom_the_expense_waits_for() {
        let today = date(2020, 6, 1);
        let day = |runs| if runs { today } else { date(2020, 5, 31) };
        for state in State::ALL {
            for (before, runs) in [(true, false), (false, true), (false, false)] {
                let facts = Facts {
                    state: *state,
                    applicant: Actor::new("p", ""),
                    reviewer: None,
                    approver: None,
                    notice_required: true,
                    notice_ends: (!before).then(|| day(runs)),
                    open_objections: 0,
                };
                let waits = waiting(&facts, today).map(|(party, _)| party.name());
                assert_eq!(party(state.name(), before, runs).map(Named::name), waits, "{state:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn parts_of_a_whole_are_all_of_it(parts in proptest::collection::vec(1i64..1_000_000_000, 1..20)) {
            let whole = Fen::of(parts.iter().sum());
            let sum: i64 = parts.iter().map(|part| i64::from(share_ppm(Fen::of(*part), whole))).sum();
            prop_assert!((sum - 1_000_000).unsigned_abs() <= parts.len() as u64);
            prop_assert_eq!(share_ppm(whole, whole), 1_000_000);
            prop_assert_eq!(share_ppm(Fen::of(5), Fen::ZERO), 0);
        }
    }
}
