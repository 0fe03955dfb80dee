//! The end of a claim 结案.

use chassis::{
    actor::Actor,
    comment,
    refusal::Refusal,
    work::{Record, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use kernel::state::Named;

use super::{
    decide::{Known, compute},
    edit::{Locked, Told, enter, finish, lock},
    rules::{State, Verb},
    store,
};
use crate::reasons::CLAIM_TO_BE_DECIDED;

/// CloseClaim.
pub(super) struct Close;

/// Closes with what was paid: where less would be decided now, and nobody takes the payment back. What the unpaid lines drew is free again.
async fn as_paid(work: &mut Work, locked: &Locked, known: &Known) -> Result<(), Refusal> {
    // under the locks of the limits that are given back
    let computed = compute(work, &locked.row, &known.met).await?;
    if computed.below_paid(&locked.payments).is_none() {
        return Err(Refusal::new(&CLAIM_TO_BE_DECIDED).with("name", &locked.name));
    }
    store::release_draws(work.sql(), &locked.row).await
}

#[tonic::async_trait]
impl VerbGiven for Close {
    type Given = Known;
    type Request = pb::CloseClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &Known,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Close, &who, today)?;
        if matches!(locked.facts.state, State::Assessed | State::Appealed) {
            comment::reason(&request.comment, &locked.name, Verb::Close.name())?;
            as_paid(work, &locked, known).await?;
        }
        enter(work, &mut locked.row, to, &known.days).await?;
        let told = Told { verb: Verb::Close, event: "claim.closed", comment: &request.comment };
        finish(work, locked, told).await
    }
}
