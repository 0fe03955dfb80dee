//! The lives of pay scales and of pay runs.

use kernel::{
    named,
    state::{Row, Table},
};

named! {
    /// The state of a pay scale.
    pub(crate) ScaleState {
        /// Being written.
        Draft = "DRAFT",
        /// In force from its month on; it never changes.
        Approved = "APPROVED",
    }
}

named! {
    /// What is done with a pay scale.
    pub(crate) ScaleVerb {
        /// Drafted.
        Create = "create",
        /// Written anew.
        Update = "update",
        /// Approved by somebody else.
        Approve = "approve",
    }
}

named! {
    /// The state of a pay run.
    pub(crate) RunState {
        /// Statements are drawn up.
        Computing = "COMPUTING",
        /// Every worker has a statement.
        Computed = "COMPUTED",
        /// Approved; it never changes.
        Approved = "APPROVED",
        /// Given up.
        Cancelled = "CANCELLED",
    }
}

named! {
    /// What is done with a pay run.
    pub(crate) RunVerb {
        /// Begun.
        Create = "create",
        /// The last statement is drawn up.
        Compute = "compute",
        /// Approved by somebody else.
        Approve = "approve",
        /// Given up.
        Cancel = "cancel",
        /// Written as a workbook.
        Export = "export",
    }
}

/// The life of a pay scale.
pub(crate) static SCALES: Table<ScaleState, ScaleVerb> = Table {
    resource: "payScale",
    rows: &[
        Row::new(None, ScaleVerb::Create, ScaleState::Draft, "workforce.payScales.create", &[]),
        Row::new(
            Some(ScaleState::Draft),
            ScaleVerb::Update,
            ScaleState::Draft,
            "workforce.payScales.update",
            &[],
        ),
        Row::new(
            Some(ScaleState::Draft),
            ScaleVerb::Approve,
            ScaleState::Approved,
            "workforce.payScales.approve",
            &["by nobody who wrote some of it"],
        ),
    ],
};

/// The life of a pay run.
pub(crate) static RUNS: Table<RunState, RunVerb> = Table {
    resource: "payRun",
    rows: &[
        Row::new(
            None,
            RunVerb::Create,
            RunState::Computing,
            "workforce.payRuns.create",
            &["a scale of the month", "no other run open", "no run approved of the month or a later one"],
        ),
        Row::new(Some(RunState::Computing), RunVerb::Compute, RunState::Computed, "", &[]),
        Row::new(
            Some(RunState::Computed),
            RunVerb::Approve,
            RunState::Approved,
            "workforce.payRuns.approve",
            &["by somebody else than who began it"],
        ),
        Row::new(
            Some(RunState::Computing),
            RunVerb::Cancel,
            RunState::Cancelled,
            "workforce.payRuns.cancel",
            &["a reason"],
        ),
        Row::new(
            Some(RunState::Computed),
            RunVerb::Cancel,
            RunState::Cancelled,
            "workforce.payRuns.cancel",
            &["a reason"],
        ),
        Row::new(
            Some(RunState::Approved),
            RunVerb::Export,
            RunState::Approved,
            "workforce.payRuns.export",
            &[],
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_stand() {
        assert!(SCALES.faults().is_empty(), "{:?}", SCALES.faults());
        assert!(RUNS.faults().is_empty(), "{:?}", RUNS.faults());
    }
}
