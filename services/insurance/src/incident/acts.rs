//! Verifying, closing and opening again.

use chassis::{
    actor::Actor,
    call::Call,
    comment,
    context::Context,
    governance::Governance,
    refusal::{CONFLICT, Refusal},
    work::{Record, Verb as Acts, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use kernel::name::IncidentName;

use super::{
    edit::{Locked, Told, finish, lock, record, save},
    report::need_new,
    rules::{PlaceKind, Verb, verification},
    store::{self, Row},
};
use crate::{
    cover::{
        Known, Subject, known,
        rules::{is_covered, judge_all},
    },
    policy::store::covering::covering,
};

/// Whom and what an incident met.
///
/// # Errors
/// INTERNAL when an id of the row is none.
pub(super) fn subject(row: &Row) -> Result<Subject, Refusal> {
    let kind = row.place_kind()?;
    // the dwelling that it happened in, else the family's
    let household = if kind == PlaceKind::Household { &row.place } else { &row.household };
    let estate = if kind == PlaceKind::Estate { row.place.as_str() } else { "" };
    Subject::named(&row.town, &row.person, household, estate)
}

/// What governance says of an incident, read before its unit of work; nothing of one that the caller doesn't see, which the work tells.
pub(super) async fn before(
    context: &Context,
    governance: &Governance,
    call: &Call,
    name: &str,
) -> Result<Option<Known>, Refusal> {
    let Ok(name) = IncidentName::parse(name) else { return Ok(None) };
    let Ok(scope) = call.scope(name.town()) else { return Ok(None) };
    let row = store::get(context.db.read().await?.sql(), &name, &scope, false).await?;
    let Some(row) = row else { return Ok(None) };
    // whom and what it met never changes, so that what is read now holds for the row that is locked later
    let found = known(governance, name.town(), &subject(&row)?, row.happened_on()?).await?;
    Ok(Some(found))
}

/// VerifyIncident.
pub(super) struct Verify;

#[tonic::async_trait]
impl VerbGiven for Verify {
    type Given = Option<Known>;
    type Request = pb::VerifyIncidentRequest;
    type Answer = pb::Incident;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &Option<Known>,
        request: &Self::Request,
    ) -> Result<Record<pb::Incident>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        locked.next(Verb::Verify)?;
        // it was there a moment ago or is only now: another try reads it first
        let known = known.as_ref().ok_or_else(|| Refusal::new(&CONFLICT))?;
        let (town, day) = (locked.row.town.clone(), locked.row.happened_on()?);
        let coverings = covering(work.sql(), &town, day).await?;
        let met = known.met(&subject(&locked.row)?);
        let lines = judge_all(&met, day, &locked.row.peril, &coverings);
        let covered = is_covered(&lines);
        sign(&mut locked, work.call(), covered);
        store::add_cover(work.sql(), (&town, locked.row.id, locked.row.verification), &lines).await?;
        let verb = verification(covered);
        let to = locked.next(verb)?;
        let event = if covered { "incident.verified" } else { "incident.notCovered" };
        let told = Told { verb, event, comment: &request.comment };
        // the claim that was opened before goes its way: one step after the other, so that each is told
        let claim = std::mem::take(&mut locked.row.claim);
        if covered && !claim.is_empty() {
            let mut changes = vec![save(work, &mut locked, to, told).await?];
            changes.push(super::claims::claim(work, &mut locked, &claim).await?);
            return record(&locked.row, changes);
        }
        locked.row.claim = claim;
        finish(work, locked, to, told).await
    }
}

/// Notes who verified, and what came of it.
fn sign(locked: &mut Locked, call: &Call, covered: bool) {
    let (who, row) = (Actor::of(call), &mut locked.row);
    (row.verified_by, row.verified_person) = (Some(who.principal), who.person);
    row.verified_on = Some(call.today().to_string());
    row.covered = Some(covered);
    row.verification += 1;
}

/// CloseIncident.
pub(super) struct Close;

#[tonic::async_trait]
impl Acts for Close {
    type Request = pb::CloseIncidentRequest;
    type Answer = pb::Incident;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Incident>, Refusal> {
        let locked = lock(work, &request.name, &request.etag).await?;
        let to = locked.next(Verb::Close)?;
        let comment = comment::reason(&request.comment, &locked.name, "close")?;
        finish(work, locked, to, Told { verb: Verb::Close, event: "incident.closed", comment }).await
    }
}

/// ReopenIncident.
pub(super) struct Reopen;

#[tonic::async_trait]
impl Acts for Reopen {
    type Request = pb::ReopenIncidentRequest;
    type Answer = pb::Incident;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Incident>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let to = locked.next(Verb::Reopen)?;
        let comment = comment::reason(&request.comment, &locked.name, "reopen")?;
        need_new(work, &locked.row).await?;
        // it is verified afresh; what was said before stays beside it
        let row = &mut locked.row;
        (row.verified_on, row.verified_by, row.covered) = (None, None, None);
        row.verified_person.clear();
        finish(work, locked, to, Told { verb: Verb::Reopen, event: "incident.reopened", comment }).await
    }
}
