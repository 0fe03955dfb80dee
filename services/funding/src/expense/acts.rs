//! Review, notice, objections, approval, and the ways back.

use chassis::{
    fields::words,
    refusal::Refusal,
    work::{Record, Verb as Acts, VerbGiven, Work},
};
use contracts::linli::funding::v1 as pb;
use uuid::Uuid;

use super::{
    edit::{Days, Locked, Told, enter, finish, lock, set_free},
    rules::{Verb, after_answer},
    sealed::objection_place,
    store,
};
use crate::{
    actor::{Actor, another},
    reasons::OBJECTION_NOT_OPEN,
};

/// Notes that a reason is missing.
fn need_comment(comment: &str) -> Result<(), Refusal> {
    if comment.trim().is_empty() {
        return Err(Refusal::field("comment", "REQUIRED", "须写明理由", "say why"));
    }
    Ok(())
}

/// ReviewExpense.
pub(super) struct Review;

#[tonic::async_trait]
impl VerbGiven for Review {
    type Given = Days;
    type Request = pb::ReviewExpenseRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Expense>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Review, &who, today)?;
        (locked.row.reviewed_by, locked.row.reviewed_person) = (Some(who.principal), who.person);
        enter(work, &mut locked, to, days).await?;
        let told = Told { verb: Verb::Review, event: "expense.reviewed", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// PublishExpenseNotice.
pub(super) struct PublishNotice;

#[tonic::async_trait]
impl VerbGiven for PublishNotice {
    type Given = Days;
    type Request = pb::PublishExpenseNoticeRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Expense>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::PublishNotice, &who, today)?;
        locked.row.notice_from = Some(today.to_string());
        enter(work, &mut locked, to, days).await?;
        let told = Told { verb: Verb::PublishNotice, event: "expense.noticed", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// ObjectToExpense.
pub(super) struct Object;

#[tonic::async_trait]
impl VerbGiven for Object {
    type Given = Days;
    type Request = pb::ObjectToExpenseRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Expense>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Object, &who, today)?;
        let (id, key) = (Uuid::now_v7(), work.vault().sealing_column()?);
        let sealed = work.vault().seal(
            &objection_place(&locked.name, id, "text"),
            words("text", &request.text).map_err(Refusal::one)?.as_bytes(),
        )?;
        let (town, expense, revision) = (locked.town().to_owned(), locked.row.id, locked.row.revision);
        store::add_objection(work.sql(), (&town, expense, revision), id, (&sealed, key), (&who, today))
            .await?;
        locked.row.open_objections += 1;
        // the answer to the first is what is waited for, and a second one gives no more time
        if locked.facts.state != to {
            enter(work, &mut locked, to, days).await?;
        }
        let told = Told { verb: Verb::Object, event: "expense.objected", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// AnswerExpenseObjection.
pub(super) struct Answer;

#[tonic::async_trait]
impl VerbGiven for Answer {
    type Given = Days;
    type Request = pb::AnswerExpenseObjectionRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Expense>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        locked.next(Verb::AnswerObjection, &who, today)?;
        let not_open = || {
            Refusal::new(&OBJECTION_NOT_OPEN)
                .with("name", &locked.name)
                .with_typed("objection", &request.objection)
        };
        let (town, expense) = (locked.town().to_owned(), locked.row.id);
        let all = store::objections(work.sql(), &town, expense).await?;
        let one = all.iter().find(|one| one.id.to_string() == request.objection && one.state == "OPEN");
        let one = one.ok_or_else(not_open)?;
        let objector = Actor::new(&one.objected_by, &one.objected_person);
        another(&locked.name, "answerObjection", &who, &[("object", &objector)])?;
        let place = objection_place(&locked.name, one.id, "answer");
        let sealed =
            work.vault().seal(&place, words("answer", &request.answer).map_err(Refusal::one)?.as_bytes())?;
        if !store::answer_objection(work.sql(), (&town, expense, one.id), &sealed, (&who, today)).await? {
            return Err(not_open());
        }
        locked.row.open_objections -= 1;
        let to = after_answer(locked.row.open_objections);
        if to != locked.facts.state {
            // what is left of the notice runs on; the approval's term follows it, or begins today
            enter(work, &mut locked, to, days).await?;
        }
        let told = Told {
            verb: Verb::AnswerObjection,
            event: "expense.objectionAnswered",
            comment: &request.comment,
        };
        finish(work, locked, told).await
    }
}

/// ApproveExpense.
pub(super) struct Approve;

#[tonic::async_trait]
impl VerbGiven for Approve {
    type Given = Days;
    type Request = pb::ApproveExpenseRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Expense>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        // an open objection is told as such, not as a state
        if locked.row.open_objections > 0 {
            super::spoken::need_open(&locked.name, &locked.facts, Verb::Approve, &who, today)?;
        }
        let to = locked.next(Verb::Approve, &who, today)?;
        (locked.row.approved_by, locked.row.approved_person) = (Some(who.principal), who.person);
        enter(work, &mut locked, to, days).await?;
        let told = Told { verb: Verb::Approve, event: "expense.approved", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// RequestExpenseRevision.
pub(super) struct RequestRevision;

#[tonic::async_trait]
impl VerbGiven for RequestRevision {
    type Given = Days;
    type Request = pb::RequestExpenseRevisionRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Expense>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        need_comment(&request.comment)?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::RequestRevision, &who, today)?;
        overtake(work, &mut locked).await?;
        locked.row.undecide();
        enter(work, &mut locked, to, days).await?;
        let told = Told {
            verb: Verb::RequestRevision,
            event: "expense.revisionRequested",
            comment: &request.comment,
        };
        finish(work, locked, told).await
    }
}

/// Ends open objections with what they were raised against.
async fn overtake(work: &mut Work, locked: &mut Locked) -> Result<(), Refusal> {
    if locked.row.open_objections > 0 {
        let (town, expense) = (locked.town().to_owned(), locked.row.id);
        store::overtake_objections(work.sql(), &town, expense).await?;
        locked.row.open_objections = 0;
    }
    Ok(())
}

/// Ends an expense that was not paid: its money is free again.
async fn end(work: &mut Work, mut locked: Locked, told: Told<'_>) -> Result<Record<pb::Expense>, Refusal> {
    let (who, today) = (Actor::of(work.call()), work.call().today());
    let to = locked.next(told.verb, &who, today)?;
    overtake(work, &mut locked).await?;
    set_free(work, &locked.row).await?;
    locked.row.leave(to, today);
    finish(work, locked, told).await
}

/// RejectExpense.
pub(super) struct Reject;

#[tonic::async_trait]
impl Acts for Reject {
    type Request = pb::RejectExpenseRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Expense>, Refusal> {
        let locked = lock(work, &request.name, &request.etag).await?;
        need_comment(&request.comment)?;
        end(work, locked, Told { verb: Verb::Reject, event: "expense.rejected", comment: &request.comment })
            .await
    }
}

/// WithdrawExpense.
pub(super) struct Withdraw;

#[tonic::async_trait]
impl Acts for Withdraw {
    type Request = pb::WithdrawExpenseRequest;
    type Answer = pb::Expense;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Expense>, Refusal> {
        let locked = lock(work, &request.name, &request.etag).await?;
        let told = Told { verb: Verb::Withdraw, event: "expense.withdrawn", comment: &request.comment };
        end(work, locked, told).await
    }
}
