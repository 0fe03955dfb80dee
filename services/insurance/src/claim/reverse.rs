//! Payments taken back 冲正: a row of its own points at the payment, which stays as it was.

use chassis::{
    actor::{Actor, another},
    comment,
    refusal::Refusal,
    work::{Record, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use kernel::state::Named;

use super::{
    edit::{Days, Locked, Told, enter, finish, lock},
    paid,
    rules::{State, Verb},
    store::{self, Payment},
};
use crate::reasons::{NOTHING_TO_REVERSE, PAYMENT_REVERSED};

/// ReverseClaimPayment.
pub(super) struct Reverse;

/// The payment with a number, as long as it stands.
fn standing(locked: &Locked, n: i32) -> Result<&Payment, Refusal> {
    if let Some(by) = paid::reversed_by(&locked.payments, n) {
        return Err(Refusal::new(&PAYMENT_REVERSED).with("name", &locked.name).with("by", by));
    }
    let found = paid::standing(&locked.payments).find(|one| one.n == n);
    found.ok_or_else(|| Refusal::new(&NOTHING_TO_REVERSE).with("name", &locked.name))
}

/// Who recorded a payment doesn't take it back, nor does who confirmed it.
fn need_another(locked: &Locked, former: &Payment, who: &Actor) -> Result<(), Refusal> {
    let recorder = Actor::new(&former.recorded_by, &former.recorded_person);
    let confirmer = former.confirmed_by.as_ref().map(|by| Actor::new(by, &former.confirmed_person));
    let mut steps = vec![("pay", &recorder)];
    steps.extend(confirmer.as_ref().map(|who| ("confirmPayment", who)));
    another(&locked.name, Verb::ReversePayment.name(), who, &steps)
}

#[tonic::async_trait]
impl VerbGiven for Reverse {
    type Given = Days;
    type Request = pb::ReverseClaimPaymentRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        comment::reason(&request.comment, &locked.name, Verb::ReversePayment.name())?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::ReversePayment, &who, today)?;
        let former = standing(&locked, request.payment)?.clone();
        let scope = work.call().scope(&locked.row.town)?;
        // an insurer takes back his own
        if !scope.is_town() && !scope.organisations().contains(&former.insurer) {
            return Err(work.call().denied());
        }
        need_another(&locked, &former, &who)?;
        let reversal = Payment {
            n: 0,
            reverses: Some(former.n),
            amount_fen: -former.amount_fen,
            paid_on: today.to_string(),
            reference: String::new(),
            recorded_by: who.principal,
            recorded_person: who.person,
            confirmed_on: None,
            confirmed_by: None,
            confirmed_person: String::new(),
            ..former
        };
        store::add_payment(work.sql(), &locked.row, &reversal, None).await?;
        locked.row.paid_fen += reversal.amount_fen;
        if to == State::Closed {
            // what nobody will pay any more is free for others
            store::release_draws(work.sql(), &locked.row).await?;
        }
        if to != locked.facts.state {
            enter(work, &mut locked.row, to, days).await?;
        }
        let told =
            Told { verb: Verb::ReversePayment, event: "claim.paymentReversed", comment: &request.comment };
        finish(work, locked, told).await
    }
}
