//! Adjusting an allocation, and granting that it stays below its floor.

use chassis::{
    refusal::{AMOUNT_OVERFLOW, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::funding::v1 as pb;
use kernel::{money::Fen, name::AllocationName, state::Named};
use serde_json::json;

use super::{
    encode,
    rules::{self, ALLOCATIONS, AllocationState, AllocationVerb as Do, RunState, Unadjustable},
    store::{self, Adjustment, Allocation},
};
use crate::{
    actor::{self, Actor},
    ledger::store::named,
    money,
    reasons::{ADJUSTMENT_BELOW_ZERO, EXCEPTION_NOT_NEEDED, RUN_NOT_COMPUTED},
};

/// An allocation that is to be changed, locked; its run is COMPUTED and stays so.
async fn lock(work: &mut Work, name: &AllocationName, etag: &str, verb: Do) -> Result<Allocation, Refusal> {
    work.call().whole_town(name.town())?;
    let found = store::lock(work.sql(), name).await?;
    let found = found.ok_or_else(|| Refusal::not_found("linli.dev/Allocation", name.to_string()))?;
    check_etag(&name.to_string(), etag, found.version)?;
    transition(&ALLOCATIONS, &name.to_string(), named::<AllocationState>(&found.state)?, verb)?;
    need_computed(name, &found)?;
    Ok(found)
}

/// Refuses an allocation whose run isn't COMPUTED.
pub(super) fn need_computed(name: &AllocationName, of: &Allocation) -> Result<(), Refusal> {
    let run: RunState = named(&of.run_state)?;
    if run == RunState::Computed {
        return Ok(());
    }
    Err(Refusal::new(&RUN_NOT_COMPUTED)
        .with("name", name)
        .with("run", encode::run_name(name.town(), &of.run))
        .with("state", run.name())
        .violating("STATE", name.to_string(), run.name()))
}

/// Refuses an exception that isn't needed.
pub(super) fn need_below(name: &AllocationName, of: &Allocation) -> Result<(), Refusal> {
    let below = rules::is_below_floor(Fen::of(of.year_fen), Fen::of(of.least_fen));
    if below && of.excepted.is_none() {
        return Ok(());
    }
    Err(Refusal::new(&EXCEPTION_NOT_NEEDED).with("name", name))
}

/// Refuses an exception to whoever adjusted the allocation or created its run.
pub(super) fn need_another(
    name: &AllocationName,
    of: &Allocation,
    adjustments: &[Adjustment],
    who: &Actor,
) -> Result<(), Refusal> {
    let adjusters: Vec<Actor> = adjustments.iter().map(Adjustment::by).collect();
    let creator = Actor::new(&of.run_created_by, &of.run_created_person);
    let former = adjusters.iter().map(|who| (Do::Adjust.name(), who)).chain([("create", &creator)]);
    actor::another(&name.to_string(), Do::GrantException.name(), who, &former.collect::<Vec<_>>())
}

/// A reason that says something.
fn reason(faults: &mut Faults, text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        faults.push(FieldFault::new("reason", "REQUIRED", "须写明理由", "say why"));
        return None;
    }
    Some(text.to_owned())
}

async fn record(
    work: &mut Work,
    name: &AllocationName,
    (verb, event, comment): (Do, &'static str, &str),
) -> Result<Record<pb::Allocation>, Refusal> {
    let after = store::get(work.sql(), name, &chassis::identity::Scope::Town).await?;
    let after = after.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let answer = super::whole(work.sql(), name.town(), std::slice::from_ref(&after)).await?;
    let answer = answer.into_iter().next().ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let change = Change {
        resource: name.to_string(),
        version: after.version,
        verb: verb.name(),
        from_state: AllocationState::Computed.name(),
        to_state: AllocationState::Computed.name(),
        comment: comment.to_owned(),
        event,
        data: json!({
            "allocation": name.to_string(),
            "allocation_run": answer.allocation_run,
            "committee": answer.committee,
            "fund": after.fund,
            "amount_fen": after.amount_fen,
        }),
    };
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", verb.name()),
        changes: vec![change],
        answer,
    })
}

/// AdjustAllocation.
pub(super) struct Adjust;

#[tonic::async_trait]
impl Verb for Adjust {
    type Request = pb::AdjustAllocationRequest;
    type Answer = pb::Allocation;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Allocation>, Refusal> {
        let name: AllocationName = wire::name("name", &request.name)?;
        let found = lock(work, &name, &request.etag, Do::Adjust).await?;
        let mut faults = Faults::default();
        let amount = faults.take(money::any_amount("amount", request.amount.as_ref()));
        let reason = reason(&mut faults, &request.reason);
        let (amount, reason) = money::finish(faults, amount.zip(reason))?;
        rules::adjusted(Fen::of(found.amount_fen), amount).map_err(|why| match why {
            Unadjustable::Nothing => Refusal::field("amount", "NOTHING", "不能为零", "must change something"),
            Unadjustable::TooLarge => Refusal::new(&AMOUNT_OVERFLOW).with("field", "amount"),
            Unadjustable::BelowZero => Refusal::new(&ADJUSTMENT_BELOW_ZERO)
                .with("name", &name)
                .with("amount", Fen::of(found.amount_fen)),
        })?;
        let by = Actor::of(work.call());
        store::adjust(work.sql(), &name, (amount, &reason), &by).await?;
        record(work, &name, (Do::Adjust, "allocation.adjusted", &reason)).await
    }
}

/// GrantAllocationException.
pub(super) struct GrantException;

#[tonic::async_trait]
impl Verb for GrantException {
    type Request = pb::GrantAllocationExceptionRequest;
    type Answer = pb::Allocation;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Allocation>, Refusal> {
        let name: AllocationName = wire::name("name", &request.name)?;
        let found = lock(work, &name, &request.etag, Do::GrantException).await?;
        let mut faults = Faults::default();
        let reason = reason(&mut faults, &request.reason);
        let reason = faults.finish(reason)?;
        need_below(&name, &found)?;
        let by = Actor::of(work.call());
        let ids = std::slice::from_ref(&found.id);
        let adjustments = store::adjustments(work.sql(), name.town(), ids).await?;
        need_another(&name, &found, &adjustments, &by)?;
        store::except(work.sql(), &name, &reason, &by).await?;
        record(work, &name, (Do::GrantException, "allocation.excepted", &reason)).await
    }
}
