//! Notice, objections, appeal.

use chassis::{
    actor::{Actor, another},
    fields::words,
    refusal::Refusal,
    work::{Record, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use uuid::Uuid;

use super::{
    edit::{Days, Told, enter, finish, lock},
    encode::place,
    rules::{Leg, Verb, after_answer},
    settings, store,
};
use crate::reasons::CLAIM_OBJECTION_NOT_OPEN;

/// PublishClaimNotice.
pub(super) struct PublishNotice;

#[tonic::async_trait]
impl VerbGiven for PublishNotice {
    type Given = Days;
    type Request = pb::PublishClaimNoticeRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::PublishNotice, &who, today)?;
        let settings = settings::read(work.sql(), &locked.row.town).await?;
        (locked.row.notice_from, locked.row.notice_days) = (Some(today.to_string()), Some(settings.notice));
        locked.row.enter(to, today, Some(settings.days(Leg::Pay)), days)?;
        let told = Told { verb: Verb::PublishNotice, event: "claim.noticed", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// ObjectToClaim.
pub(super) struct Object;

#[tonic::async_trait]
impl VerbGiven for Object {
    type Given = Days;
    type Request = pb::ObjectToClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Object, &who, today)?;
        let (id, key) = (Uuid::now_v7(), work.vault().sealing_column()?);
        let text = words("text", &request.text).map_err(Refusal::one)?;
        let sealed = work.vault().seal(&place(&locked.name, Some(id), "text"), text.as_bytes())?;
        let (town, claim) = (locked.row.town.clone(), locked.row.id);
        store::add_objection(work.sql(), (&town, claim, id), (&sealed, key), (&who, today)).await?;
        locked.row.open_objections += 1;
        // the answer to the first is what is waited for, and a second one gives no more time
        if locked.facts.state != to {
            enter(work, &mut locked.row, to, days).await?;
        }
        let told = Told { verb: Verb::Object, event: "claim.objected", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// AnswerClaimObjection.
pub(super) struct Answer;

#[tonic::async_trait]
impl VerbGiven for Answer {
    type Given = Days;
    type Request = pb::AnswerClaimObjectionRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        locked.next(Verb::AnswerObjection, &who, today)?;
        let not_open = || {
            Refusal::new(&CLAIM_OBJECTION_NOT_OPEN)
                .with("name", &locked.name)
                .with_typed("objection", &request.objection)
        };
        let (town, claim) = (locked.row.town.clone(), locked.row.id);
        let all = store::objections(work.sql(), &town, claim).await?;
        let one = all.iter().find(|one| one.id.to_string() == request.objection && one.state == "OPEN");
        let one = one.ok_or_else(not_open)?;
        let objector = Actor::new(&one.objected_by, &one.objected_person);
        another(&locked.name, "answerObjection", &who, &[("object", &objector)])?;
        let text = words("answer", &request.answer).map_err(Refusal::one)?;
        let sealed = work.vault().seal(&place(&locked.name, Some(one.id), "answer"), text.as_bytes())?;
        if !store::answer_objection(work.sql(), (&town, claim, one.id), &sealed, (&who, today)).await? {
            return Err(not_open());
        }
        locked.row.open_objections -= 1;
        let to = after_answer(locked.row.open_objections);
        if to != locked.facts.state {
            // what is left of the notice runs on; the payment's term follows it, or begins today
            enter(work, &mut locked.row, to, days).await?;
        }
        let told =
            Told { verb: Verb::AnswerObjection, event: "claim.objectionAnswered", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// AppealClaim.
pub(super) struct Appeal;

#[tonic::async_trait]
impl VerbGiven for Appeal {
    type Given = Days;
    type Request = pb::AppealClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Appeal, &who, today)?;
        let text = words("appeal", &request.appeal).map_err(Refusal::one)?;
        let sealed = work.vault().seal(&place(&locked.name, None, "appeal"), text.as_bytes())?;
        let row = &mut locked.row;
        (row.appeal_sealed, row.appealed) = (Some(sealed), true);
        // what was decided holds until it is decided again, but nothing is paid by it
        (row.notice_from, row.notice_days, row.notice_ends) = (None, None, None);
        enter(work, row, to, days).await?;
        let told = Told { verb: Verb::Appeal, event: "claim.appealed", comment: &request.comment };
        finish(work, locked, told).await
    }
}
