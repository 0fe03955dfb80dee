//! Taking a seat, giving it up, and correcting who held it.

use chassis::{
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work},
};
use contracts::linli::governance::v1 as pb;
use kernel::{
    name::{BodyName, MembershipName, PersonName},
    periods::{Splice, truncate},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    rules::{self, Facts, Flaw, ROLES},
    store,
};
use crate::{
    body::{
        acts::{Locked, change, lock},
        rules::{TABLE, Verb as Do},
    },
    fields::{self, in_town},
    person,
    reasons::{CHAIR_TAKEN, NO_SUCH_SEAT, OUTSIDE_LIFE, SEAT_TAKEN, SEATED_ALREADY, UNKNOWN_PARENT},
    store::stamp,
};

/// A flaw as a refusal.
pub(crate) fn refused(body: &BodyName, facts: &Facts, flaw: Flaw) -> Refusal {
    let person = || format!("towns/{}/people/{}", body.town(), facts.person);
    match flaw {
        Flaw::NoSuchSeat => Refusal::new(&NO_SUCH_SEAT).with("name", body).with("seat", facts.seat),
        Flaw::SeatTaken(days) => {
            Refusal::new(&SEAT_TAKEN).with("name", body).with("seat", facts.seat).with("period", days)
        }
        Flaw::SeatedAlready(days) => {
            Refusal::new(&SEATED_ALREADY).with("name", body).with("person", person()).with("period", days)
        }
        Flaw::ChairTaken(days) => Refusal::new(&CHAIR_TAKEN).with("name", body).with("period", days),
    }
}

fn role(field: &str, given: i32) -> Result<&'static str, FieldFault> {
    let role = pb::MembershipRole::try_from(given).unwrap_or_default();
    if role == pb::MembershipRole::Unspecified {
        return Ok("MEMBER");
    }
    let found = ROLES.iter().find(|known| role.as_str_name().strip_prefix("MEMBERSHIP_ROLE_") == Some(known));
    found.copied().ok_or_else(|| FieldFault::new(field, "UNKNOWN_VALUE", "未知职务", "an unknown post"))
}

async fn need_person(work: &mut Work, name: &PersonName) -> Result<(), Refusal> {
    if person::store::lock(work.sql(), name).await?.is_some() {
        return Ok(());
    }
    Err(Refusal::new(&UNKNOWN_PARENT).with("field", "person").with("name", name))
}

/// Writes the new terms with the change that tells of them; the ids of the new rows.
pub(crate) async fn write(
    work: &mut Work,
    locked: &Locked,
    splice: &Splice<Uuid, Facts>,
    (verb, event): (Do, &'static str),
    seat: i32,
    reason: &str,
) -> Result<(Vec<Uuid>, Change), Refusal> {
    let at = stamp(work.sql()).await?;
    let ids = store::write(work.sql(), &locked.name, splice, &at, reason).await?;
    let data = json!({"body": locked.name.to_string(), "seat": seat});
    let change = change(work, locked, verb, (event, reason), data).await?;
    Ok((ids, change))
}

async fn record(
    work: &mut Work,
    locked: &Locked,
    id: Option<Uuid>,
    change: Change,
) -> Result<Record<pb::Membership>, Refusal> {
    let town = locked.name.town();
    let answer = match id {
        None => pb::Membership { body: locked.name.to_string(), ..Default::default() },
        Some(id) => {
            let name = MembershipName::new(town, id.to_string()).map_err(Refusal::internal)?;
            let view = store::get(work.sql(), &name).await?;
            super::encode(&view.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?)?
        }
    };
    Ok(Record {
        town: town.to_owned(),
        resource: locked.name.to_string(),
        summary: format!("{} {}", change.verb, locked.name),
        changes: vec![change],
        answer,
    })
}

/// SeatMember.
pub(super) struct Seat;

#[tonic::async_trait]
impl Verb for Seat {
    type Request = pb::SeatMemberRequest;
    type Answer = pb::Membership;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Membership>, Refusal> {
        let locked = lock(work, "name", &request.name, &request.etag).await?;
        let mut faults = Faults::default();
        let who = faults.take(in_town("person", &request.person, locked.name.town(), PersonName::town));
        let role = faults.take(role("role", request.role));
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::date("end_date", request.end_date.as_ref()));
        let (((who, role), start), end) = faults.finish(who.zip(role).zip(start).zip(end))?;
        let period = fields::period(start, end)?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::Seat)?;
        need_person(work, &who).await?;
        let facts = Facts { seat: request.seat, person: who.person().to_owned(), role: role.to_owned() };
        let line = store::believed(work.sql(), &locked.name).await?;
        let splice = rules::seat(&line, &locked.line, period, facts.clone())
            .map_err(|flaw| refused(&locked.name, &facts, flaw))?;
        let told = (Do::Seat, "membership.began");
        let (ids, change) = write(work, &locked, &splice, told, facts.seat, &request.comment).await?;
        record(work, &locked, ids.first().copied(), change).await
    }
}

/// EndMembership.
pub(super) struct End;

#[tonic::async_trait]
impl Verb for End {
    type Request = pb::EndMembershipRequest;
    type Answer = pb::Membership;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Membership>, Refusal> {
        let name: MembershipName = wire::name("name", &request.name)?;
        let call = work.call().clone();
        let scope = call.scope(name.town())?;
        let day = wire::required_date("end_date", request.end_date.as_ref())
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let missing = || call.missing(&scope, "linli.dev/Membership", name.to_string());
        let view = store::get(work.sql(), &name).await?.ok_or_else(missing)?;
        let body = format!("towns/{}/bodies/{}", view.town, view.body);
        let locked = lock(work, "name", &body, &request.etag).await?;
        let line = store::believed(work.sql(), &locked.name).await?;
        let row = line.iter().find(|row| row.id == view.id).ok_or_else(missing)?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::EndMembership)?;
        if day <= row.period.from() || !row.period.contains(day) {
            return Err(Refusal::new(&OUTSIDE_LIFE).with("name", &name).with("period", row.period));
        }
        let splice = truncate(std::slice::from_ref(row), day);
        let told = (Do::EndMembership, "membership.ended");
        let (ids, change) = write(work, &locked, &splice, told, view.seat, &request.reason).await?;
        record(work, &locked, ids.first().copied(), change).await
    }
}

/// CorrectMembership.
pub(super) struct Correct;

#[tonic::async_trait]
impl Verb for Correct {
    type Request = pb::CorrectMembershipRequest;
    type Answer = pb::Membership;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Membership>, Refusal> {
        let locked = lock(work, "name", &request.name, &request.etag).await?;
        let mut faults = Faults::default();
        let who = match request.person.as_str() {
            "" => Some(None),
            text => faults.take(in_town("person", text, locked.name.town(), PersonName::town)).map(Some),
        };
        let role = faults.take(role("role", request.role));
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::date("end_date", request.end_date.as_ref()));
        fields::need_reason_to_correct(&mut faults, "reason", &request.reason);
        let (((who, role), start), end) = faults.finish(who.zip(role).zip(start).zip(end))?;
        let period = fields::period(start, end)?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::CorrectMembership)?;
        if let Some(who) = &who {
            need_person(work, who).await?;
        }
        let person = who.as_ref().map(|who| who.person().to_owned());
        let facts = person.map(|person| Facts { seat: request.seat, person, role: role.to_owned() });
        let line = store::believed(work.sql(), &locked.name).await?;
        let nobody = Facts { seat: request.seat, person: String::new(), role: String::new() };
        let splice = rules::correct(&line, &locked.line, period, request.seat, facts.clone())
            .map_err(|flaw| refused(&locked.name, facts.as_ref().unwrap_or(&nobody), flaw))?;
        let at = splice.insert.iter().position(|(its, _)| facts.is_some() && its.contains(start));
        let told = (Do::CorrectMembership, "membership.corrected");
        let (ids, change) = write(work, &locked, &splice, told, request.seat, &request.reason).await?;
        record(work, &locked, at.and_then(|at| ids.get(at).copied()), change).await
    }
}
