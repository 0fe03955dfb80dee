//! Pay runs on the wire.

use chassis::{amount::to_money, fields::number, operations::name as operation_name, refusal::Refusal, wire};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind as Type},
    money::Fen,
    state::Named,
};

use super::store::{Run, Sums};
use crate::pay::{lives::RunState, scale};

/// What a List may ask for.
pub(super) const FILTER: &[FieldSpec] = &[
    FieldSpec { name: "state", column: "r.state", kind: Type::Enum(RunState::NAMES) },
    FieldSpec { name: "month", column: "r.month", kind: Type::Date },
];

/// A state on the wire.
pub(crate) fn state(state: RunState) -> pb::PayRunState {
    match state {
        RunState::Computing => pb::PayRunState::Computing,
        RunState::Computed => pb::PayRunState::Computed,
        RunState::Approved => pb::PayRunState::Approved,
        RunState::Cancelled => pb::PayRunState::Cancelled,
    }
}

/// The name of a run by its id.
pub(crate) fn name(town: &str, id: &str) -> String {
    format!("towns/{town}/payRuns/{id}")
}

/// A run, without its sums.
pub(crate) fn run(service: &str, run: &Run) -> Result<pb::PayRun, Refusal> {
    Ok(pb::PayRun {
        name: name(&run.town, &run.id),
        month: Some(wire::to_date(run.month()?)),
        pay_scale: scale::encode::name(&run.town, &run.scale),
        state: state(run.state()?).into(),
        operation: operation_name(service, run.operation),
        approve_time: run.approved.map(wire::to_timestamp),
        etag: Etag::of(run.version).to_string(),
        create_time: Some(wire::to_timestamp(run.created)),
        update_time: Some(wire::to_timestamp(run.updated)),
        ..Default::default()
    })
}

/// A run with its sums.
pub(crate) fn summed(service: &str, of: &Run, sums: &Sums) -> Result<pb::PayRun, Refusal> {
    Ok(pb::PayRun {
        statements: number(sums.statements),
        total_amount: Some(to_money(Fen::of(sums.total_fen))),
        difference_amount: Some(to_money(Fen::of(sums.difference_fen))),
        ..run(service, of)?
    })
}
