//! The lives of rotas and swaps, and what stands in the way of a duty. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::{
    named,
    periods::{Period, gaps},
    state::{Row, Table},
};

use super::plan::{Candidate, Obstacle, Policy, Standing, Window, unrested};

named! {
    /// The states of a rota 值班表.
    pub(crate) State {
        /// Can be edited and published 草稿.
        Draft = "DRAFT",
        /// In force 已发布.
        Published = "PUBLISHED",
        /// Replaced by a later one 已替代.
        Superseded = "SUPERSEDED",
        /// Thrown away 已作废.
        Discarded = "DISCARDED",
    }
}

named! {
    /// What is done with a rota.
    pub(crate) Verb {
        /// Made 编制.
        Generate = "generate",
        /// A duty given by hand 改派.
        Assign = "assign",
        /// A duty taken by hand 撤派.
        Unassign = "unassign",
        /// Put in force 发布.
        Publish = "publish",
        /// Thrown away 作废.
        Discard = "discard",
        /// Replaced, by the publication of another 替代.
        Supersede = "supersede",
    }
}

const BY_HAND: &[&str] =
    &["qualified, not away, posted there, once a day", "a rest that isn't kept is named"];

/// The life of a rota.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "rota",
    rows: &[
        Row::new(
            None,
            Verb::Generate,
            State::Draft,
            "workforce.rotas.generate",
            &["somebody holds a post of each committee"],
        ),
        Row::new(Some(State::Draft), Verb::Assign, State::Draft, "workforce.duties.assign", BY_HAND),
        Row::new(Some(State::Draft), Verb::Unassign, State::Draft, "workforce.duties.unassign", &[]),
        Row::new(
            Some(State::Draft),
            Verb::Publish,
            State::Published,
            "workforce.rotas.publish",
            &["by somebody else than who made or edited it", "gaps are named", "the calendar hasn't changed"],
        ),
        Row::new(
            Some(State::Draft),
            Verb::Discard,
            State::Discarded,
            "workforce.rotas.discard",
            &["a reason"],
        ),
        Row::new(Some(State::Published), Verb::Assign, State::Published, "workforce.duties.assign", BY_HAND),
        Row::new(
            Some(State::Published),
            Verb::Unassign,
            State::Published,
            "workforce.duties.unassign",
            &["a reason"],
        ),
        // by the publication of another: no verb of a caller
        Row::new(Some(State::Published), Verb::Supersede, State::Superseded, "", &[]),
    ],
};

named! {
    /// The states of a swap 换班.
    pub(crate) SwapState {
        /// Waits for the other worker 待对方同意.
        Proposed = "PROPOSED",
        /// Waits for approval 待审批.
        Consented = "CONSENTED",
        /// The duties changed hands 已换班.
        Approved = "APPROVED",
        /// Rejected 已拒绝.
        Rejected = "REJECTED",
        /// Taken back 已撤回.
        Withdrawn = "WITHDRAWN",
    }
}

named! {
    /// What is done with a swap.
    pub(crate) SwapVerb {
        /// Proposed 申请.
        Create = "create",
        /// Agreed to 同意.
        Consent = "consent",
        /// Approved 批准.
        Approve = "approve",
        /// Rejected 拒绝.
        Reject = "reject",
        /// Taken back 撤回.
        Withdraw = "withdraw",
    }
}

const REJECT: &str = "workforce.dutySwaps.reject";
const WITHDRAW: &str = "workforce.dutySwaps.withdraw";
const BY_PROPOSER: &[&str] = &["by who proposed it"];
const BY_OTHER_OR_OFFICER: &[&str] = &["by the other worker or an officer", "a reason"];

/// The life of a swap.
pub(crate) static SWAPS: Table<SwapState, SwapVerb> = Table {
    resource: "dutySwap",
    rows: &[
        Row::new(
            None,
            SwapVerb::Create,
            SwapState::Proposed,
            "workforce.dutySwaps.create",
            &["by whose duty it is"],
        ),
        Row::new(
            Some(SwapState::Proposed),
            SwapVerb::Consent,
            SwapState::Consented,
            "workforce.dutySwaps.consent",
            &["by the other worker"],
        ),
        Row::new(
            Some(SwapState::Consented),
            SwapVerb::Approve,
            SwapState::Approved,
            "workforce.dutySwaps.approve",
            &["by somebody who is neither of the two", "both qualified, not away, posted there"],
        ),
        Row::new(
            Some(SwapState::Proposed),
            SwapVerb::Reject,
            SwapState::Rejected,
            REJECT,
            BY_OTHER_OR_OFFICER,
        ),
        Row::new(
            Some(SwapState::Consented),
            SwapVerb::Reject,
            SwapState::Rejected,
            REJECT,
            BY_OTHER_OR_OFFICER,
        ),
        Row::new(Some(SwapState::Proposed), SwapVerb::Withdraw, SwapState::Withdrawn, WITHDRAW, BY_PROPOSER),
        Row::new(Some(SwapState::Consented), SwapVerb::Withdraw, SwapState::Withdrawn, WITHDRAW, BY_PROPOSER),
    ],
};

/// What is recorded of a worker that a duty rests on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// The posts of one committee.
    pub(crate) posted: Vec<Period>,
    /// The employment from the confirmation on.
    pub(crate) active: Option<Period>,
    /// The days on which an onboarding certificate holds.
    pub(crate) trained: Vec<Period>,
    /// Leave.
    pub(crate) away: Vec<Period>,
}

impl Facts {
    /// A candidate for the days of `whole`.
    pub(crate) fn candidate(&self, worker: &str, whole: Period, before: (u32, u32)) -> Candidate {
        let without = |parts: &[Period], obstacle: Obstacle| {
            gaps(whole, parts).into_iter().map(move |days| (days, obstacle)).collect::<Vec<_>>()
        };
        let active: Vec<Period> = self.active.into_iter().collect();
        let mut blocked = without(&self.posted, Obstacle::NotPosted);
        blocked.extend(without(&active, Obstacle::Probation));
        blocked.extend(without(&self.trained, Obstacle::Untrained));
        blocked.extend(self.away.iter().map(|days| (*days, Obstacle::Away)));
        Candidate { worker: worker.to_owned(), blocked, days_before: before.0, windows_before: before.1 }
    }
}

/// A duty with its worker, to be looked at again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    /// The committee's id.
    pub(crate) committee: &'a str,
    /// The worker's id.
    pub(crate) worker: &'a str,
    /// The day.
    pub(crate) day: Date,
    /// The part of it.
    pub(crate) window: Window,
}

/// Candidates of committees by their workers.
pub(crate) type Candidates = BTreeMap<(String, String), Candidate>;

/// What stands in the way of a duty beside the `others` of its worker.
pub(crate) fn violations(
    policy: &Policy,
    duty: Given<'_>,
    candidates: &Candidates,
    others: &[Standing],
) -> Vec<Obstacle> {
    let candidate = candidates.get(&(duty.committee.to_owned(), duty.worker.to_owned()));
    let mut found: Vec<Obstacle> = match candidate {
        None => vec![Obstacle::NotPosted],
        Some(candidate) => {
            let on_day = candidate.blocked.iter().filter(|(days, _)| days.contains(duty.day));
            on_day.map(|(_, obstacle)| *obstacle).collect()
        }
    };
    let its = || others.iter().filter(|other| other.worker == duty.worker);
    if its().any(|other| other.day == duty.day) {
        found.push(Obstacle::OnDuty);
    } else if duty.window == Window::Day {
        let mut days: Vec<Date> =
            its().filter(|other| other.window == Window::Day).map(|other| other.day).collect();
        days.sort();
        if unrested(policy, &days, duty.day).is_some() {
            found.push(Obstacle::Resting);
        }
    }
    found.dedup();
    found
}

/// Those that nobody can accept: all but a rest that isn't kept.
pub(crate) fn is_hard(obstacle: Obstacle) -> bool {
    match obstacle {
        Obstacle::NotPosted
        | Obstacle::Probation
        | Obstacle::Untrained
        | Obstacle::Away
        | Obstacle::OnDuty => true,
        Obstacle::Resting => false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_tables_stand() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
        assert!(SWAPS.faults().is_empty(), "{:?}", SWAPS.faults());
    }

    #[test]
    fn each_thing_in_the_way_is_named() {
        let days = |from: i8, to: i8| Period::new(date(2020, 10, from), Some(date(2020, 10, to))).unwrap();
        let facts = Facts {
            posted: vec![days(1, 20)],
            active: Some(days(3, 25)),
            trained: vec![days(5, 31)],
            away: vec![days(7, 8)],
        };
        let candidate = facts.candidate("w", days(1, 25), (0, 0));
        let candidates = Candidates::from([(("c".to_owned(), "w".to_owned()), candidate)]);
        let other =
            |day: i8| Standing { worker: "w".to_owned(), day: date(2020, 10, day), window: Window::Day };
        let on = |day: i8| {
            let duty = Given { committee: "c", worker: "w", day: date(2020, 10, day), window: Window::Day };
            violations(&Policy::default(), duty, &candidates, &[other(11), other(17)])
        };
        assert_eq!(on(2), [Obstacle::Probation, Obstacle::Untrained]);
        assert_eq!(on(4), [Obstacle::Untrained]);
        assert_eq!(on(7), [Obstacle::Away]);
        assert_eq!(on(9), []);
        assert_eq!(on(10), [Obstacle::Resting]);
        assert_eq!(on(11), [Obstacle::OnDuty]);
        assert_eq!(on(22), [Obstacle::NotPosted]);
        let elsewhere = Given { committee: "d", worker: "w", day: date(2020, 10, 9), window: Window::Day };
        assert_eq!(violations(&Policy::default(), elsewhere, &candidates, &[]), [Obstacle::NotPosted]);
    }
}
