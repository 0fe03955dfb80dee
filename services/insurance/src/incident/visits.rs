//! Visits to the family 走访: who is sent, and what came of it.

use chassis::{
    actor::Actor,
    call::Call,
    fields,
    governance::Governance,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Record, Verb as Acts, VerbGiven, Work},
};
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{IncidentName, PersonName, WorkerName},
    state::Named,
};

use super::{
    edit::{Locked, Told, finish, lock},
    rules::{Verb, VisitResult, visit_due},
    sealed::{visit_place, words},
    store::{self, Visit},
};
use crate::reasons::PEER_UNKNOWN;

/// Characters of the words of a visit.
const WORDS: usize = 2_000;

/// A person or a worker of the town.
fn visitor(town: &str, text: &str) -> Result<String, FieldFault> {
    if text.is_empty() {
        return Err(FieldFault::new("visitor", "REQUIRED", "必填", "required"));
    }
    // workers are the workforce's, which takes the name
    if WorkerName::parse(text).is_ok() {
        fields::in_town("visitor", text, town, WorkerName::town)?;
    } else {
        fields::in_town("visitor", text, town, PersonName::town)?;
    }
    Ok(text.to_owned())
}

/// Whether governance has the person who is sent, read before the unit of work; a worker, and what isn't a name, the work judges.
pub(super) async fn before(
    governance: &Governance,
    call: &Call,
    request: &pb::AssignVisitRequest,
) -> Result<bool, Refusal> {
    let (Ok(name), Ok(person)) = (IncidentName::parse(&request.name), PersonName::parse(&request.visitor))
    else {
        return Ok(true);
    };
    if person.town() != name.town() || call.scope(name.town()).is_err() {
        return Ok(true);
    }
    Ok(governance.residences(&person, call.today()).await?.is_some())
}

/// AssignVisit.
pub(super) struct Assign;

fn assigned(call: &Call, town: &str, request: &pb::AssignVisitRequest) -> Result<(String, Date), Refusal> {
    let mut faults = Faults::default();
    let visitor = faults.take(visitor(town, &request.visitor));
    let due = faults.take(due(call, request));
    faults.finish(visitor.zip(due))
}

fn due(call: &Call, request: &pb::AssignVisitRequest) -> Result<Date, FieldFault> {
    let today = call.today();
    match wire::date("visit_due_date", request.visit_due_date.as_ref())? {
        None => Ok(visit_due(today)),
        Some(day) if day < today => {
            Err(FieldFault::new("visit_due_date", "PAST_DATE", "早于今天", "before today"))
        }
        Some(day) => Ok(day),
    }
}

#[tonic::async_trait]
impl VerbGiven for Assign {
    type Given = bool;
    type Request = pb::AssignVisitRequest;
    type Answer = pb::Incident;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        known: &bool,
        request: &Self::Request,
    ) -> Result<Record<pb::Incident>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let to = locked.next(Verb::AssignVisit)?;
        let (visitor, due) = assigned(work.call(), &locked.row.town, request)?;
        if !known {
            return Err(Refusal::new(&PEER_UNKNOWN).with("name", visitor));
        }
        locked.row.visitor = visitor;
        locked.row.visit_due = Some(due.to_string());
        let told =
            Told { verb: Verb::AssignVisit, event: "incident.visitAssigned", comment: &request.comment };
        finish(work, locked, to, told).await
    }
}

/// RecordVisit.
pub(super) struct RecordVisit;

/// What is said of a visit.
struct Said {
    visitor: String,
    day: Date,
    result: VisitResult,
    text: Option<String>,
}

fn result(given: i32) -> Result<VisitResult, FieldFault> {
    let name = pb::VisitResult::try_from(given).unwrap_or_default().as_str_name();
    VisitResult::from_name(name.trim_start_matches("VISIT_RESULT_"))
        .ok_or_else(|| FieldFault::new("result", "REQUIRED", "必填", "required"))
}

fn visited_on(call: &Call, happened_on: Date, request: &pb::RecordVisitRequest) -> Result<Date, FieldFault> {
    let day = wire::date("visit_date", request.visit_date.as_ref())?.unwrap_or_else(|| call.today());
    let fault = |reason, zh, en| Err(FieldFault::new("visit_date", reason, zh, en));
    match day {
        day if day > call.today() => fault("FUTURE_DATE", "晚于今天", "after today"),
        day if day < happened_on => fault("ORDER", "早于出险日", "before the event"),
        day => Ok(day),
    }
}

fn said(call: &Call, locked: &Locked, request: &pb::RecordVisitRequest) -> Result<Said, Refusal> {
    let (row, mut faults) = (&locked.row, Faults::default());
    let who = if request.visitor.is_empty() { &row.visitor } else { &request.visitor };
    let visitor = faults.take(visitor(&row.town, who));
    let day = faults.take(visited_on(call, row.happened_on()?, request));
    let result = faults.take(result(request.result));
    let text = match (request.text.is_empty(), result) {
        (true, Some(VisitResult::WillClaim | VisitResult::Declines | VisitResult::NotAtHome) | None) => {
            Some(None)
        }
        (true, Some(VisitResult::Other)) | (false, _) => {
            faults.take(words("text", &request.text, WORDS).map(Some))
        }
    };
    let all = visitor.zip(day).zip(result).zip(text);
    let (((visitor, day), result), text) = faults.finish(all)?;
    Ok(Said { visitor, day, result, text })
}

#[tonic::async_trait]
impl Acts for RecordVisit {
    type Request = pb::RecordVisitRequest;
    type Answer = pb::Incident;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Incident>, Refusal> {
        let mut locked = lock(work, &request.name, &request.etag).await?;
        let to = locked.next(Verb::RecordVisit)?;
        let said = said(work.call(), &locked, request)?;
        let (who, vault) = (Actor::of(work.call()), work.vault());
        let (town, incident, n) = (locked.row.town.clone(), locked.row.id, locked.row.visits + 1);
        let seal = |text: &String| vault.seal(&visit_place(&town, incident, n), text.as_bytes());
        let visit = Visit {
            incident,
            n,
            visited_on: said.day.to_string(),
            visitor: said.visitor,
            result: said.result.name().to_owned(),
            text_sealed: said.text.as_ref().map(seal).transpose()?,
            data_key: vault.sealing_column()?,
            recorded_by: who.principal,
            recorded_person: who.person,
            created: 0,
        };
        store::add_visit(work.sql(), &town, &visit).await?;
        locked.row.visits = n;
        let told = Told { verb: Verb::RecordVisit, event: "incident.visited", comment: &request.comment };
        finish(work, locked, to, told).await
    }
}
