//! What becomes of a policy: signing, endorsements, termination, instalments.

use chassis::{
    actor::{Actor, another},
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Record, Verb, Work},
};
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::state::Named;

use super::{
    acts::{Locked, Step, lock, record},
    decode,
    rules::{Days, Verb as Do, Version, VersionState},
    store::{
        self, By, Stored,
        write::{self, Draft},
    },
};
use crate::{
    programme::store as programmes,
    reasons::{
        ENDORSEMENT_MISSING, ENDORSEMENT_OUTSIDE_PERIOD, ENDORSEMENT_PENDING, INSTALMENT_PAID,
        INSTALMENT_UNKNOWN, POLICY_OVERLAPS, TERMINATION_OUTSIDE_PERIOD,
    },
};

/// The version that waits to be signed.
pub(super) fn need_pending(stored: &Stored) -> Result<&Version, Refusal> {
    stored.pending().ok_or_else(|| Refusal::new(&ENDORSEMENT_MISSING).with("name", stored.name()))
}

/// Refuses a step while an endorsement waits to be signed.
pub(super) fn need_none_pending(stored: &Stored) -> Result<(), Refusal> {
    let Some(pending) = stored.pending() else { return Ok(()) };
    Err(Refusal::new(&ENDORSEMENT_PENDING).with("name", stored.name()).with("version", pending.n))
}

/// Refuses to let somebody sign what he wrote some of, or may have.
pub(super) fn need_another(stored: &Stored, version: &Version, who: &Actor) -> Result<(), Refusal> {
    let former: Vec<(&str, &Actor)> = version.writers.iter().map(|writer| ("write", writer)).collect();
    another(&stored.name(), Do::Sign.name(), who, &former)
}

/// Refuses a policy that has days in common with a signed one of its programme, of which `other` is the id.
pub(super) fn need_free(stored: &Stored, other: Option<String>) -> Result<(), Refusal> {
    let Some(other) = other else { return Ok(()) };
    Err(Refusal::new(&POLICY_OVERLAPS)
        .with("name", stored.name())
        .with("other", format!("towns/{}/policies/{other}", stored.town)))
}

/// The days on which a policy may end before its time.
pub(super) fn endings(days: Days, today: Date) -> Days {
    Days { from: days.from.max(today), to: days.to }
}

fn last(days: Days) -> Date {
    days.to.yesterday().unwrap_or(days.to)
}

/// SignPolicy.
pub(super) struct Sign;

#[tonic::async_trait]
impl Verb for Sign {
    type Request = pb::SignPolicyRequest;
    type Answer = pb::Policy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Policy>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Sign).await?;
        let Locked { name, stored, from, .. } = locked;
        let version = need_pending(&stored)?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        need_another(&stored, version, &who)?;
        let by = By { actor: &who, day: today };
        let event = if version.n == 1 {
            // one signature of a programme at a time: who comes second sees the days of the first
            programmes::lock(work.sql(), name.town(), &stored.programme).await?;
            need_free(&stored, store::overlapping(work.sql(), &stored).await?)?;
            write::sign_version(work.sql(), &name, version.n, by).await?;
            write::sign(work.sql(), &name, today).await?;
            "policy.signed"
        } else {
            write::sign_version(work.sql(), &name, version.n, by).await?;
            write::step(work.sql(), &name, None).await?;
            "policy.endorsed"
        };
        record(work, &name, Step { verb: Do::Sign, from: from.name(), event, comment: &request.comment })
            .await
    }
}

/// EndorsePolicy.
pub(super) struct Endorse;

#[tonic::async_trait]
impl Verb for Endorse {
    type Request = pb::EndorsePolicyRequest;
    type Answer = pb::Policy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Policy>, Refusal> {
        let Locked { name, stored, from, .. } = lock(work, &request.name, &request.etag, Do::Endorse).await?;
        need_none_pending(&stored)?;
        let mut faults = Faults::default();
        let day = faults.take(wire::required_date("from_date", request.from_date.as_ref()));
        let reason = faults.take(decode::words("reason", &request.reason, decode::NOTE_CHARS));
        let contract = decode::contract(&mut faults, "terms", request.terms.as_ref(), false);
        let ((day, reason), contract) = decode::finish(faults, day.zip(reason).zip(contract))?;
        let days = stored.days();
        if !days.contain(day) {
            return Err(Refusal::new(&ENDORSEMENT_OUTSIDE_PERIOD)
                .with("name", &name)
                .with("earliest", days.from)
                .with("latest", last(days)));
        }
        let n = stored.versions.iter().map(|version| version.n).max().unwrap_or_default() + 1;
        let by = Actor::of(work.call());
        let draft = Draft { n, from: day, reason: &reason, contract: &contract };
        write::draft(work.sql(), &name, draft, &by).await?;
        write::step(work.sql(), &name, None).await?;
        let event = "policy.endorsementDrafted";
        let comment = &request.comment;
        record(work, &name, Step { verb: Do::Endorse, from: from.name(), event, comment }).await
    }
}

/// DiscardEndorsement.
pub(super) struct Discard;

#[tonic::async_trait]
impl Verb for Discard {
    type Request = pb::DiscardEndorsementRequest;
    type Answer = pb::Policy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Policy>, Refusal> {
        let Locked { name, stored, from, .. } =
            lock(work, &request.name, &request.etag, Do::DiscardEndorsement).await?;
        let pending = need_pending(&stored)?;
        write::discard(work.sql(), &name, pending.n).await?;
        write::step(work.sql(), &name, None).await?;
        let event = "policy.endorsementDiscarded";
        let comment = &request.comment;
        record(work, &name, Step { verb: Do::DiscardEndorsement, from: from.name(), event, comment }).await
    }
}

/// TerminatePolicy.
pub(super) struct Terminate;

#[tonic::async_trait]
impl Verb for Terminate {
    type Request = pb::TerminatePolicyRequest;
    type Answer = pb::Policy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Policy>, Refusal> {
        let Locked { name, stored, from, .. } =
            lock(work, &request.name, &request.etag, Do::Terminate).await?;
        need_none_pending(&stored)?;
        let mut faults = Faults::default();
        let day = faults.take(wire::required_date("termination_date", request.termination_date.as_ref()));
        let reason = faults.take(decode::words("reason", &request.reason, decode::NOTE_CHARS));
        let (day, reason) = decode::finish(faults, day.zip(reason))?;
        let (who, today) = (Actor::of(work.call()), work.call().today());
        let possible = endings(stored.days(), today);
        if !possible.contain(day) {
            return Err(Refusal::new(&TERMINATION_OUTSIDE_PERIOD)
                .with("name", &name)
                .with("earliest", possible.from)
                .with("latest", last(possible)));
        }
        let by = By { actor: &who, day: today };
        write::terminate(work.sql(), &name, (day, &reason), by).await?;
        let (event, comment) = ("policy.terminated", &request.comment);
        record(work, &name, Step { verb: Do::Terminate, from: from.name(), event, comment }).await
    }
}

/// MarkInstalmentPaid.
pub(super) struct MarkPaid;

#[tonic::async_trait]
impl Verb for MarkPaid {
    type Request = pb::MarkInstalmentPaidRequest;
    type Answer = pb::Policy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Policy>, Refusal> {
        let Locked { name, stored, from, .. } =
            lock(work, &request.name, &request.etag, Do::MarkInstalmentPaid).await?;
        let (version, number) = (request.version.max(1), request.number);
        let of =
            |reason| Refusal::new(reason).with("name", &name).with("version", version).with("number", number);
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let signed = stored.versions.iter().find(|its| its.n == version && its.state == VersionState::Signed);
        let instalment = signed.zip(at).and_then(|(its, at)| its.contract.premium.instalments.get(at));
        let instalment = instalment.ok_or_else(|| of(&INSTALMENT_UNKNOWN))?;
        if instalment.paid.is_some() {
            return Err(of(&INSTALMENT_PAID));
        }
        let day = paid_on(request, work.call().today())?;
        let by = Actor::of(work.call());
        let paid = (day, request.reference.trim());
        write::pay(work.sql(), &name, (version, number), paid, &by).await?;
        let (event, comment) = ("policy.instalmentPaid", &request.comment);
        record(work, &name, Step { verb: Do::MarkInstalmentPaid, from: from.name(), event, comment }).await
    }
}

/// The day of a payment that was made: no later than today.
fn paid_on(request: &pb::MarkInstalmentPaidRequest, today: Date) -> Result<Date, Refusal> {
    let mut faults = Faults::default();
    let day = faults.take(wire::required_date("pay_date", request.pay_date.as_ref()));
    if day.is_some_and(|day| day > today) {
        let (zh, en) = ("不得晚于今日", "must not be later than today");
        faults.push(FieldFault::new("pay_date", "FUTURE", zh, en));
    }
    faults.finish(day)
}

/// Whether an instalment of a signed version waits to be paid.
pub(super) fn has_open_instalments(stored: &Stored) -> bool {
    let signed = stored.versions.iter().filter(|version| version.state == VersionState::Signed);
    signed
        .flat_map(|version| &version.contract.premium.instalments)
        .any(|instalment| instalment.paid.is_none())
}
