//! Runs and allocations on the wire.

use chassis::{fields::number, operations, refusal::Refusal, wire};
use contracts::linli::funding::v1 as pb;
use jiff::civil::Date;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    money::Fen,
    name::AllocationRunName,
    state::Named,
};

use super::{
    explain::{self, Figures},
    rules::{self, AllocationState, LineKind, RunState},
    store::{
        Adjustment, Allocation,
        run::{FundSum, Run},
    },
};
use crate::{
    ledger::{rules::Fund, store::named},
    money::to_money,
    policy::{
        encode as policies,
        rules::{CommitteeKind, Difficulty, ManagementClass, Policy},
    },
};

/// What a List of runs may ask for.
pub(crate) const RUNS: &[FieldSpec] = &[
    FieldSpec { name: "fiscal_year", column: "r.fiscal_year", kind: Kind::Integer },
    FieldSpec { name: "state", column: "r.state", kind: Kind::Enum(RunState::NAMES) },
    FieldSpec {
        name: "policy",
        column: "r.policy",
        kind: Kind::Name { collection: "fundingPolicies", town: "r.town" },
    },
    FieldSpec { name: "purpose", column: "r.purpose", kind: Kind::Text },
];

/// What a List of allocations may ask for.
pub(crate) const ALLOCATIONS: &[FieldSpec] = &[
    FieldSpec {
        name: "allocation_run",
        column: "a.run",
        kind: Kind::Name { collection: "allocationRuns", town: "a.town" },
    },
    FieldSpec {
        name: "committee",
        column: "a.committee",
        kind: Kind::Name { collection: "committees", town: "a.town" },
    },
    FieldSpec { name: "fund", column: "a.fund", kind: Kind::Enum(&["WORK", "SERVICE"]) },
    FieldSpec { name: "fiscal_year", column: "a.fiscal_year", kind: Kind::Integer },
    FieldSpec { name: "state", column: "a.state", kind: Kind::Enum(AllocationState::NAMES) },
    FieldSpec { name: "exception_needed", column: "a.exception_needed", kind: Kind::Bool },
    FieldSpec { name: "adjusted", column: "(a.adjustment_fen <> 0)", kind: Kind::Bool },
];

/// The name of a run.
pub(crate) fn run_name(town: &str, id: &str) -> String {
    format!("towns/{town}/allocationRuns/{id}")
}

/// The name of an allocation.
pub(crate) fn allocation_name(town: &str, id: &str) -> String {
    format!("towns/{town}/allocations/{id}")
}

fn day(text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(Refusal::internal)
}

fn day_or_none(text: Option<&str>) -> Result<Option<Date>, Refusal> {
    text.map(day).transpose()
}

fn named_or_none<N: Named>(text: Option<&str>) -> Result<Option<N>, Refusal> {
    text.map(named).transpose()
}

fn money(fen: i64) -> Option<contracts::google::r#type::Money> {
    Some(to_money(Fen::of(fen)))
}

/// A run without what only Get shows.
pub(crate) fn run(service: &str, run: &Run) -> Result<pb::AllocationRun, Refusal> {
    let state = pb::AllocationRunState::from_str_name(&format!("ALLOCATION_RUN_STATE_{}", run.state));
    Ok(pb::AllocationRun {
        name: run_name(&run.town, &run.id),
        fiscal_year: run.fiscal_year,
        purpose: run.purpose.clone(),
        as_of_date: Some(wire::to_date(day(&run.as_of)?)),
        read_time: Some(wire::to_timestamp(run.read_time)),
        state: state.unwrap_or_default().into(),
        policy: policies::name(&run.town, &run.policy),
        policy_version: run.policy_number,
        households_as_of_date: Some(wire::to_date(day(&run.households_as_of)?)),
        operation: operations::name(service, run.operation),
        former_runs: run.former_runs.iter().map(|id| run_name(&run.town, id)).collect(),
        project_pool: money(run.pool_fen),
        former_project_pool: money(run.pool_former_fen),
        creator: run.created_by.clone(),
        submitter: run.submitted_by.last().cloned().unwrap_or_default(),
        approver: run.approved_by.clone(),
        etag: Etag::of(run.version).to_string(),
        create_time: Some(wire::to_timestamp(run.created)),
        update_time: Some(wire::to_timestamp(run.updated)),
        release_time: run.released.map(wire::to_timestamp),
        ..Default::default()
    })
}

/// What came out of a run.
pub(crate) fn summary(run: &Run, sums: &[FundSum]) -> Result<pb::AllocationRunSummary, Refusal> {
    let all = |of: fn(&FundSum) -> i64| number(sums.iter().map(of).sum::<i64>());
    let most = |of: fn(&FundSum) -> i64| number(sums.iter().map(of).max().unwrap_or_default());
    Ok(pb::AllocationRunSummary {
        // every committee has one allocation of each fund
        committees: most(|sum| sum.committees),
        skipped_committees: run.skipped,
        totals: sums.iter().map(total).collect::<Result<_, _>>()?,
        adjusted: all(|sum| sum.adjusted),
        exceptions_open: all(|sum| sum.exceptions_open),
        exceptions_granted: all(|sum| sum.exceptions_granted),
        committees_without_count: most(|sum| sum.uncounted),
        released: all(|sum| sum.released),
    })
}

fn total(sum: &FundSum) -> Result<pb::FundTotal, Refusal> {
    let fund: Fund = named(&sum.fund)?;
    let lines = [
        (pb::ExplanationKind::Floor, sum.floor_fen),
        (pb::ExplanationKind::Uplift, sum.uplift_fen),
        (pb::ExplanationKind::Growth, sum.growth_fen),
        (pb::ExplanationKind::Supplement, sum.supplement_fen),
        (pb::ExplanationKind::Adjustment, sum.adjustment_fen),
    ];
    Ok(pb::FundTotal {
        fund: policies::fund(fund).into(),
        amount: money(sum.amount_fen),
        former_amount: money(sum.former_fen),
        difference: money(sum.amount_fen - sum.former_fen),
        lines: lines
            .into_iter()
            .map(|(kind, fen)| pb::ExplanationTotal { kind: kind.into(), amount: money(fen) })
            .collect(),
    })
}

/// What somebody should look at in a run.
pub(crate) fn run_warnings(run: &Run, sums: &[FundSum], left_out: i64) -> Vec<pb::AllocationWarning> {
    use pb::AllocationWarningKind as Wire;
    let below: i64 = sums.iter().map(|sum| sum.exceptions_open).sum();
    let uncounted = sums.iter().map(|sum| sum.uncounted).max().unwrap_or_default();
    let decided = matches!(run.state.as_str(), "RELEASING" | "RELEASED" | "REJECTED" | "CANCELLED");
    let said = [
        (
            below > 0,
            Wire::BelowFloor,
            format!("{below} 项低于保底且未经特批"),
            format!("{below} allocations are below their floor without an exception"),
        ),
        (
            uncounted > 0,
            Wire::NoHouseholdCount,
            format!("{uncounted} 个居委会没有申报户数"),
            format!("{uncounted} committees have no declared count"),
        ),
        (
            left_out > 0,
            Wire::CommitteesLeftOut,
            format!("{left_out} 个居委会此前已拨付，本次不在其列"),
            format!("{left_out} committees with money of former runs are not in this one"),
        ),
        (
            !run.policy_in_force && !decided,
            Wire::PolicySuperseded,
            "所依据的经费办法已被取代".to_owned(),
            "the policy that it applies is no longer in force".to_owned(),
        ),
    ];
    said.into_iter()
        .filter(|(holds, ..)| *holds)
        .map(|(_, kind, zh, en)| explain::told(kind, zh, en))
        .collect()
}

/// What is told of a run in events.
pub(crate) fn run_data(name: &AllocationRunName, run: &Run) -> serde_json::Value {
    serde_json::json!({
        "allocation_run": name.to_string(),
        "fiscal_year": run.fiscal_year,
        "policy": policies::name(&run.town, &run.policy),
        "state": run.state,
    })
}

/// The lines of the formula as they are stored: kind, twelve months, the months that count.
fn computed(of: &Allocation) -> [(LineKind, Fen, Fen); 4] {
    [
        (LineKind::Floor, Fen::of(of.floor_year_fen), Fen::of(of.floor_fen)),
        (LineKind::Uplift, Fen::of(of.uplift_year_fen), Fen::of(of.uplift_fen)),
        (LineKind::Growth, Fen::of(of.growth_year_fen), Fen::of(of.growth_fen)),
        (LineKind::Supplement, Fen::of(of.supplement_year_fen), Fen::of(of.supplement_fen)),
    ]
}

/// What an allocation rests on beside itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grounds<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) adjustments: &'a [Adjustment],
}

/// An allocation with its explanation, without what only Get shows.
pub(crate) fn allocation(
    town: &str,
    of: &Allocation,
    grounds: Grounds<'_>,
) -> Result<pb::Allocation, Refusal> {
    let (fund, kind): (Fund, CommitteeKind) = (named(&of.fund)?, named(&of.kind)?);
    let class: Option<ManagementClass> = named_or_none(of.management_class.as_deref())?;
    let difficulty: Option<Difficulty> = named_or_none(of.difficulty.as_deref())?;
    let policy = grounds.policy;
    let uplifts = policy.terms().uplifts.iter().filter(|row| row.fits(kind, class, difficulty)).collect();
    let figures =
        Figures { policy, fund, months: of.months, households: of.households, above: of.above, uplifts };
    let counted_on = day_or_none(of.counted_on.as_deref())?;
    let basis = pb::AllocationBasis {
        committee_kind: policies::kind(kind).into(),
        management_class: policies::class(class).into(),
        difficulty: policies::difficulty(difficulty).into(),
        start_date: day_or_none(of.begun_on.as_deref())?.map(wire::to_date),
        households: of.households,
        household_count_date: counted_on.map(wire::to_date),
        household_threshold: policy.terms().household_threshold,
        households_above_threshold: of.above,
        supplement_per_household: Some(to_money(policy.supplement(fund))),
        growth_index_ppm: policy.terms().growth.parts(),
        months: of.months,
        uplifts: figures.uplifts.iter().map(|row| policies::uplift(row)).collect(),
    };
    let warnings = rules::warnings(
        day(&of.households_as_of)?,
        (of.households, counted_on),
        of.months,
        of.exception_needed,
    );
    let state = pb::AllocationState::from_str_name(&format!("ALLOCATION_STATE_{}", of.state));
    let floor_exception = of.excepted.map(|at| pb::FloorException {
        reason: of.exception_reason.clone(),
        principal: of.excepted_by.clone(),
        grant_time: Some(wire::to_timestamp(at)),
    });
    Ok(pb::Allocation {
        name: allocation_name(town, &of.id),
        allocation_run: run_name(town, &of.run),
        fiscal_year: of.fiscal_year,
        committee: format!("towns/{town}/committees/{}", of.committee),
        committee_display_name: of.display_name.clone(),
        fund: policies::fund(fund).into(),
        state: state.unwrap_or_default().into(),
        amount: money(of.amount_fen),
        twelve_month_amount: money(of.year_fen),
        former_amount: money(of.former_fen),
        difference: money(of.amount_fen - of.former_fen),
        policy: policies::name(town, &of.policy),
        policy_version: policy.number,
        lines: explain::lines(&figures, &computed(of), grounds.adjustments),
        basis: Some(basis),
        floor: money(of.least_fen),
        exception_needed: of.exception_needed,
        floor_exception,
        warnings: warnings.into_iter().map(explain::warning).collect(),
        entry: of.entry.map(|id| format!("towns/{town}/entries/{id}")).unwrap_or_default(),
        release_time: of.released.map(wire::to_timestamp),
        etag: Etag::of(of.version).to_string(),
        create_time: Some(wire::to_timestamp(of.created)),
        update_time: Some(wire::to_timestamp(of.updated)),
        ..Default::default()
    })
}
