//! Acceptance, documents, survey, assessment.

use chassis::{
    actor::Actor,
    amount::{amount_or_nothing, finish as told_by_name},
    comment,
    fields::words,
    refusal::{Faults, Refusal},
    work::{Record, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use kernel::{money::Fen, name::IncidentName, state::Named};

use super::{
    edit::{Days, Locked, Told, enter, finish, finish_with, lock},
    encode::place,
    rules::{State, Verb, left},
    settings::code,
    store,
};
use crate::{
    incident,
    reasons::{ASSESSED_ABOVE_CLAIMED, ASSESSMENT_NEEDED, DUPLICATE_CLAIM, INCIDENT_NOT_VERIFIED},
};

/// AcceptClaim.
pub(super) struct Accept;

/// Refuses a claim whose loss another one is accepted for.
async fn need_first(work: &mut Work, locked: &Locked) -> Result<(), Refusal> {
    let Some(other) = store::twin(work.sql(), &locked.row).await? else { return Ok(()) };
    Err(Refusal::new(&DUPLICATE_CLAIM)
        .with("name", &locked.name)
        .with("other", format!("towns/{}/claims/{other}", locked.row.town)))
}

async fn need_verified(work: &mut Work, locked: &Locked) -> Result<(), Refusal> {
    let name =
        IncidentName::new(&locked.row.town, locked.row.incident.to_string()).map_err(Refusal::internal)?;
    let met = incident::store::get(work.sql(), &name, &chassis::identity::Scope::Town, true).await?;
    let met = met.ok_or_else(|| Refusal::internal(format!("{} has no incident", locked.name)))?;
    if met.verified_on.is_some() {
        return Ok(());
    }
    Err(Refusal::new(&INCIDENT_NOT_VERIFIED).with("name", &locked.name).with("incident", name))
}

#[tonic::async_trait]
impl VerbGiven for Accept {
    type Given = Days;
    type Request = pb::AcceptClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Accept, &who, today)?;
        need_first(work, &locked).await?;
        need_verified(work, &locked).await?;
        enter(work, &mut locked.row, to, days).await?;
        let told = Told { verb: Verb::Accept, event: "claim.accepted", comment: &request.comment };
        let name = locked.name.clone();
        finish(work, locked, told).await.map_err(|refusal| match refusal.constraint() {
            // another one was accepted while this one was looked at
            Some("claim_once") => {
                Refusal::new(&DUPLICATE_CLAIM).with("name", name).with("other", "").because(refusal)
            }
            _ => refusal,
        })
    }
}

/// DismissClaim.
pub(super) struct Dismiss;

#[tonic::async_trait]
impl VerbGiven for Dismiss {
    type Given = Days;
    type Request = pb::DismissClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        comment::reason(&request.comment, &locked.name, Verb::Dismiss.name())?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Dismiss, &who, today)?;
        enter(work, &mut locked.row, to, days).await?;
        let gone = free_incident(work, &locked).await?;
        let told = Told { verb: Verb::Dismiss, event: "claim.dismissed", comment: &request.comment };
        finish_with(work, locked, told, gone).await
    }
}

/// Lets the incident wait for a claim again, when no other one stands for it.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn free_incident(
    work: &mut Work,
    locked: &Locked,
) -> Result<Option<chassis::work::Change>, Refusal> {
    // whoever opens or gives up another claim of it waits here, so that what is asked next stays true
    incident::hold(work, &locked.row.town, locked.row.incident).await?;
    if store::has_other(work.sql(), &locked.row).await? {
        return Ok(None);
    }
    incident::claim_gone(work, &locked.row.town, locked.row.incident).await
}

/// RequestClaimDocuments.
pub(super) struct RequestDocuments;

#[tonic::async_trait]
impl VerbGiven for RequestDocuments {
    type Given = Days;
    type Request = pb::RequestClaimDocumentsRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::RequestDocuments, &who, today)?;
        let mut faults = Faults::default();
        let kinds = request.kinds.iter().enumerate();
        let kinds: Vec<String> =
            kinds.filter_map(|(n, kind)| faults.take(code(&format!("kinds[{n}]"), kind))).collect();
        let kinds = faults.finish(Some(kinds))?;
        let rest = left(locked.row.running()?.term, today, days);
        let row = &mut locked.row;
        row.resumes = Some(row.state.clone());
        row.left_days = Some(i32::try_from(rest).map_err(Refusal::internal)?);
        row.requested_kinds = kinds;
        enter(work, row, to, days).await?;
        let told = Told {
            verb: Verb::RequestDocuments,
            event: "claim.documentsRequested",
            comment: &request.comment,
        };
        finish(work, locked, told).await
    }
}

/// ResumeClaim.
pub(super) struct Resume;

#[tonic::async_trait]
impl VerbGiven for Resume {
    type Given = Days;
    type Request = pb::ResumeClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        locked.next(Verb::Resume, &who, today)?;
        let row = &mut locked.row;
        let to = row.resumes.take().and_then(|state| State::from_name(&state));
        let to = to.ok_or_else(|| Refusal::internal(format!("{} stopped nowhere", locked.name)))?;
        // the clock goes on where it stopped
        let rest = row.left_days.take();
        row.enter(to, today, rest, days)?;
        let told = Told { verb: Verb::Resume, event: "claim.resumed", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// SurveyClaim.
pub(super) struct Survey;

#[tonic::async_trait]
impl VerbGiven for Survey {
    type Given = Days;
    type Request = pb::SurveyClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Survey, &who, today)?;
        let text = words("survey", &request.survey).map_err(Refusal::one)?;
        let sealed = work.vault().seal(&place(&locked.name, None, "survey"), text.as_bytes())?;
        locked.row.survey_sealed = Some(sealed);
        (locked.row.surveyed_by, locked.row.surveyed_person) = (Some(who.principal), who.person);
        enter(work, &mut locked.row, to, days).await?;
        let told = Told { verb: Verb::Survey, event: "claim.surveyed", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// AssessClaim.
pub(super) struct Assess;

/// What an assessment says: a loss, never above what is claimed, or a grade.
fn assessed(locked: &Locked, request: &pb::AssessClaimRequest) -> Result<(Fen, Option<i32>), Refusal> {
    let mut faults = Faults::default();
    let loss = match &request.assessed_amount {
        None => Some(Fen::ZERO),
        Some(money) => faults.take(amount_or_nothing("assessed_amount", Some(money))),
    };
    let loss = told_by_name(faults, loss)?;
    let grade = Some(request.disability_grade).filter(|grade| *grade > 0);
    if request.assessed_amount.is_none() && grade.is_none() && locked.row.claimed_fen.is_some() {
        return Err(Refusal::new(&ASSESSMENT_NEEDED).with("name", &locked.name));
    }
    let claimed = Fen::of(locked.row.claimed_fen.unwrap_or_default());
    if loss > claimed {
        return Err(Refusal::new(&ASSESSED_ABOVE_CLAIMED)
            .with("name", &locked.name)
            .with("assessed", loss)
            .with("claimed", claimed));
    }
    Ok((loss, grade))
}

#[tonic::async_trait]
impl VerbGiven for Assess {
    type Given = Days;
    type Request = pb::AssessClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Assess, &who, today)?;
        let (loss, grade) = assessed(&locked, request)?;
        (locked.row.assessed_fen, locked.row.grade) = (Some(loss.fen()), grade);
        store::add_assessment(work.sql(), &locked.row, (&who, today)).await?;
        (locked.row.assessed_by, locked.row.assessed_person) = (Some(who.principal), who.person);
        // a second assessment gives no more time
        if to != locked.facts.state {
            enter(work, &mut locked.row, to, days).await?;
        }
        let told = Told { verb: Verb::Assess, event: "claim.assessed", comment: &request.comment };
        finish(work, locked, told).await
    }
}

/// ReopenClaim, WithdrawClaim: what was decided is reversed, and kept.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn undecide(work: &mut Work, locked: &mut Locked) -> Result<(), Refusal> {
    if locked.row.open_objections > 0 {
        let (town, id) = (locked.row.town.clone(), locked.row.id);
        store::overtake_objections(work.sql(), &town, id).await?;
    }
    if locked.row.decision.is_some() {
        store::reverse_draws(work.sql(), &locked.row).await?;
    }
    locked.row.undecide();
    (locked.row.resumes, locked.row.left_days) = (None, None);
    Ok(())
}

/// WithdrawClaim.
pub(super) struct Withdraw;

#[tonic::async_trait]
impl VerbGiven for Withdraw {
    type Given = Days;
    type Request = pb::WithdrawClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Withdraw, &who, today)?;
        undecide(work, &mut locked).await?;
        enter(work, &mut locked.row, to, days).await?;
        let gone = free_incident(work, &locked).await?;
        let told = Told { verb: Verb::Withdraw, event: "claim.withdrawn", comment: &request.comment };
        finish_with(work, locked, told, gone).await
    }
}

/// ReopenClaim.
pub(super) struct Reopen;

#[tonic::async_trait]
impl VerbGiven for Reopen {
    type Given = Days;
    type Request = pb::ReopenClaimRequest;
    type Answer = pb::Claim;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        days: &Days,
        request: &Self::Request,
    ) -> Result<Record<pb::Claim>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        comment::reason(&request.comment, &locked.name, Verb::Reopen.name())?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let to = locked.next(Verb::Reopen, &who, today)?;
        if locked.facts.paid {
            // what is paid stays drawn: the decision holds until the next one
            locked.row.lay_aside();
        } else {
            undecide(work, &mut locked).await?;
        }
        enter(work, &mut locked.row, to, days).await?;
        let told = Told { verb: Verb::Reopen, event: "claim.reopened", comment: &request.comment };
        finish(work, locked, told).await
    }
}
