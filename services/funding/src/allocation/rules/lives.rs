//! The life of a run and of an allocation.

use kernel::{
    named,
    state::{Row, Table},
};

named! {
    /// The life of a run.
    pub(crate) RunState {
        /// 计算中.
        Computing = "COMPUTING",
        /// 已计算.
        Computed = "COMPUTED",
        /// 已提交.
        Submitted = "SUBMITTED",
        /// 已批准.
        Approved = "APPROVED",
        /// 拨付中.
        Releasing = "RELEASING",
        /// 已拨付.
        Released = "RELEASED",
        /// 已驳回.
        Rejected = "REJECTED",
        /// 已取消.
        Cancelled = "CANCELLED",
    }
}
named! {
    /// What can be done with a run.
    pub(crate) RunVerb {
        /// Begun.
        Create = "create",
        /// All committees are computed; the operation's own.
        Compute = "compute",
        /// Put to approval.
        Submit = "submit",
        /// Approved.
        Approve = "approve",
        /// Sent back.
        RequestRevision = "requestRevision",
        /// Rejected.
        Reject = "reject",
        /// Given up.
        Cancel = "cancel",
        /// Its release begun.
        Release = "release",
        /// All allocations are booked; the operation's own.
        Complete = "complete",
    }
}

const APPROVER: &[&str] = &["nobody who created, adjusted or submitted it"];

const fn row(
    from: Option<RunState>,
    verb: RunVerb,
    to: RunState,
    permission: &'static str,
    guards: &'static [&'static str],
) -> Row<RunState, RunVerb> {
    Row::new(from, verb, to, permission, guards)
}

/// The life of a run 经费核定.
pub(crate) static RUNS: Table<RunState, RunVerb> = Table {
    resource: "allocationRun",
    rows: &[
        row(
            None,
            RunVerb::Create,
            RunState::Computing,
            "funding.allocationRuns.create",
            &["a policy of the year is published", "no other run of the year is open"],
        ),
        row(Some(RunState::Computing), RunVerb::Compute, RunState::Computed, "", &["by its operation"]),
        row(
            Some(RunState::Computed),
            RunVerb::Submit,
            RunState::Submitted,
            "funding.allocationRuns.submit",
            &["no amount below its floor without an exception", "its policy is in force"],
        ),
        row(
            Some(RunState::Submitted),
            RunVerb::Approve,
            RunState::Approved,
            "funding.allocationRuns.approve",
            APPROVER,
        ),
        row(
            Some(RunState::Submitted),
            RunVerb::RequestRevision,
            RunState::Computed,
            "funding.allocationRuns.approve",
            &[],
        ),
        row(
            Some(RunState::Submitted),
            RunVerb::Reject,
            RunState::Rejected,
            "funding.allocationRuns.approve",
            APPROVER,
        ),
        row(
            Some(RunState::Approved),
            RunVerb::Release,
            RunState::Releasing,
            "funding.allocationRuns.release",
            &["the fiscal year is open", "what is taken back is available, and is set aside"],
        ),
        row(
            Some(RunState::Releasing),
            RunVerb::Release,
            RunState::Releasing,
            "funding.allocationRuns.release",
            &["its operation has ended without success: another one goes on"],
        ),
        row(Some(RunState::Releasing), RunVerb::Complete, RunState::Released, "", &["by its operation"]),
        row(
            Some(RunState::Computing),
            RunVerb::Cancel,
            RunState::Cancelled,
            "funding.allocationRuns.cancel",
            &[],
        ),
        row(
            Some(RunState::Computed),
            RunVerb::Cancel,
            RunState::Cancelled,
            "funding.allocationRuns.cancel",
            &[],
        ),
        row(
            Some(RunState::Submitted),
            RunVerb::Cancel,
            RunState::Cancelled,
            "funding.allocationRuns.cancel",
            &[],
        ),
        row(
            Some(RunState::Approved),
            RunVerb::Cancel,
            RunState::Cancelled,
            "funding.allocationRuns.cancel",
            &[],
        ),
    ],
};

named! {
    /// The life of an allocation.
    pub(crate) AllocationState {
        /// 已计算.
        Computed = "COMPUTED",
        /// 已拨付.
        Released = "RELEASED",
    }
}
named! {
    /// What can be done with an allocation.
    pub(crate) AllocationVerb {
        /// Computed; the operation's own.
        Compute = "compute",
        /// Adjusted by hand.
        Adjust = "adjust",
        /// Allowed below its floor.
        GrantException = "grantException",
        /// Booked; the operation's own.
        Release = "release",
    }
}

/// The life of an allocation; its run must be COMPUTED for what people do.
pub(crate) static ALLOCATIONS: Table<AllocationState, AllocationVerb> = Table {
    resource: "allocation",
    rows: &[
        Row::new(
            None,
            AllocationVerb::Compute,
            AllocationState::Computed,
            "",
            &["by the operation of its run"],
        ),
        Row::new(
            Some(AllocationState::Computed),
            AllocationVerb::Adjust,
            AllocationState::Computed,
            "funding.allocations.adjust",
            &["its run is COMPUTED", "a reason"],
        ),
        Row::new(
            Some(AllocationState::Computed),
            AllocationVerb::GrantException,
            AllocationState::Computed,
            "funding.allocations.grantException",
            &["its run is COMPUTED", "it is below its floor", "nobody who adjusted it or created its run"],
        ),
        Row::new(
            Some(AllocationState::Computed),
            AllocationVerb::Release,
            AllocationState::Released,
            "",
            &["by the operation of its run"],
        ),
    ],
};
