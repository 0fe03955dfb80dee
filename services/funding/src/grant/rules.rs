//! Grants to self-governance projects: their life, and the accounts between which their money goes. Pure.

use kernel::{
    named,
    state::{Row, Table},
};

use crate::ledger::rules::{Earmark, Fund, Key};

named! {
    /// The states of a grant.
    pub(crate) State {
        /// Waits for the town.
        Proposed = "PROPOSED",
        /// The project has its money.
        Granted = "GRANTED",
        /// Over.
        Closed = "CLOSED",
        /// Refused.
        Rejected = "REJECTED",
        /// Taken back.
        Withdrawn = "WITHDRAWN",
    }
}
named! {
    /// What can be done with a grant.
    pub(crate) Verb {
        /// Proposed 申请.
        Create = "create",
        /// Granted 批准.
        Grant = "grant",
        /// Refused 驳回.
        Reject = "reject",
        /// Taken back 撤回.
        Withdraw = "withdraw",
        /// Closed 结项.
        Close = "close",
    }
}
named! {
    /// Where the money comes from.
    pub(crate) Source {
        /// The committee's service fund 服务群众专项经费.
        ServiceFund = "SERVICE_FUND",
        /// The town's pool 项目资金池.
        ProjectPool = "PROJECT_POOL",
    }
}

/// The life of a grant.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "projectGrant",
    rows: &[
        Row::new(
            None,
            Verb::Create,
            State::Proposed,
            "funding.grants.propose",
            &["the project has no open grant of this source"],
        ),
        Row::new(
            Some(State::Proposed),
            Verb::Grant,
            State::Granted,
            "funding.grants.grant",
            &["another person than who proposed it", "enough is available"],
        ),
        Row::new(
            Some(State::Proposed),
            Verb::Reject,
            State::Rejected,
            "funding.grants.reject",
            &["a reason"],
        ),
        Row::new(
            Some(State::Proposed),
            Verb::Withdraw,
            State::Withdrawn,
            "funding.grants.withdraw",
            &["who proposed it"],
        ),
        Row::new(
            Some(State::Granted),
            Verb::Close,
            State::Closed,
            "funding.grants.close",
            &["no open holds"],
        ),
    ],
};

impl Source {
    /// The fund whose rules the money keeps.
    pub(crate) fn fund(self) -> Fund {
        match self {
            Source::ServiceFund => Fund::Service,
            Source::ProjectPool => Fund::ProjectPool,
        }
    }

    /// The account that the money comes from, and that what is left goes back to.
    pub(crate) fn account(self, year: i32, committee: &str) -> Key {
        match self {
            Source::ServiceFund => Key::committee(Fund::Service, year, committee, None),
            Source::ProjectPool => Key::pool(year),
        }
    }

    /// The account of the project.
    pub(crate) fn project(self, year: i32, committee: &str, project: &str) -> Key {
        Key::committee(self.fund(), year, committee, Some(Earmark::Project(project.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use kernel::state::Named;

    use super::*;

    #[test]
    fn the_life_of_a_grant_is_whole() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
        for over in [State::Closed, State::Rejected, State::Withdrawn] {
            assert!(Verb::ALL.iter().all(|verb| TABLE.next(over, *verb).is_err()), "{over:?}");
        }
    }

    #[test]
    fn a_grant_stays_within_its_fund_and_year_and_changes_its_earmark_alone() {
        for source in Source::ALL {
            let (from, to) = (source.account(2020, "c1"), source.project(2020, "c1", "p1"));
            assert_eq!((from.fund, from.fiscal_year), (to.fund, to.fiscal_year), "{source:?}");
            assert_eq!(to.earmark, Some(Earmark::Project("p1".to_owned())));
            assert!(from.committee.is_none() || from.committee == to.committee, "{source:?}");
            assert_eq!(from.earmark, None);
        }
    }
}
