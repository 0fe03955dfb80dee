//! Adding, completing and cancelling steps.

use chassis::{
    actor::{Actor, another},
    comment, fields,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    name::{CourseName, GrowthStepName, TownName, WorkerName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode,
    rules::{Kind, State},
    standing,
    store::{self, New, Row},
};
use crate::{
    certificate,
    reasons::{GROWTH_STEP_BY_ITSELF, GROWTH_STEP_OVER, TRAINING_DATE_OUTSIDE},
    training::course,
    worker::{self, store::View},
};

/// How far a step is today among the others of its path.
async fn state(work: &mut Work, row: &Row) -> Result<State, Refusal> {
    if row.cancelled {
        return Ok(State::Cancelled);
    }
    let day = work.call().today();
    let name = WorkerName::new(&row.town, &row.worker).map_err(Refusal::internal)?;
    let rows = store::path(work.sql(), &name).await?;
    let place = rows.iter().position(|other| other.id == row.id);
    let states = standing(&rows, day)?;
    let state = place.and_then(|n| states.get(n).copied());
    state.ok_or_else(|| Refusal::internal("a step is on no path"))
}

async fn record(
    work: &mut Work,
    (town, id): (&str, Uuid),
    (verb, event): (&'static str, &'static str),
    comment: &str,
) -> Result<Record<pb::GrowthStep>, Refusal> {
    let row = store::find(work.sql(), town, id, false).await?;
    let row = row.ok_or_else(|| Refusal::internal("a step vanished"))?;
    let state = state(work, &row).await?;
    let change = Change {
        resource: row.name(),
        version: row.version,
        verb,
        from_state: "",
        to_state: state.name(),
        comment: comment.to_owned(),
        event,
        data: json!({
            "growth_step": row.name(),
            "worker": format!("towns/{town}/workers/{}", row.worker),
            "kind": row.kind,
            "state": state.name(),
            "due_date": row.due,
        }),
    };
    Ok(Record {
        town: town.to_owned(),
        resource: row.name(),
        summary: format!("{verb} {}", row.name()),
        changes: vec![change],
        answer: encode(&row, state, work.call().today())?,
    })
}

/// CreateGrowthStep.
pub(super) struct Create;

fn not_asked(field: &str) -> FieldFault {
    FieldFault::new(field, "KIND", "该类步骤不填", "not for a step of this kind")
}

/// What a request says of a step.
fn read(town: &str, given: &pb::GrowthStep) -> Result<New, Refusal> {
    let mut faults = Faults::default();
    let worker = faults.take(fields::in_town("growth_step.worker", &given.worker, town, WorkerName::town));
    let kind = Kind::from_name(given.kind().as_str_name().trim_start_matches("GROWTH_STEP_KIND_"));
    let kind =
        faults.take(kind.ok_or_else(|| FieldFault::new("growth_step.kind", "REQUIRED", "必填", "required")));
    let due = faults.take(wire::required_date("growth_step.due_date", given.due_date.as_ref()));
    let course = match given.course.as_str() {
        "" if kind != Some(Kind::Course) => None,
        text => faults.take(fields::in_town("growth_step.course", text, town, CourseName::town)),
    };
    let wanted = given.certificate_kind().as_str_name().trim_start_matches("CERTIFICATE_KIND_");
    let wanted = certificate::Kind::from_name(wanted);
    if kind == Some(Kind::Certificate) && wanted.is_none() {
        faults.push(FieldFault::new("growth_step.certificate_kind", "REQUIRED", "必填", "required"));
    }
    let title = match given.title.trim() {
        "" if kind != Some(Kind::WorkTarget) => Some(String::new()),
        text => faults.take(fields::display("growth_step.title", text)),
    };
    for (own, given, field) in [
        (Kind::Course, course.is_some(), "growth_step.course"),
        (Kind::Certificate, wanted.is_some(), "growth_step.certificate_kind"),
        (Kind::WorkTarget, title.as_ref().is_some_and(|title| !title.is_empty()), "growth_step.title"),
    ] {
        if given && kind.is_some_and(|kind| kind != own) {
            faults.push(not_asked(field));
        }
    }
    let (((worker, kind), due), title) = faults.finish(worker.zip(kind).zip(due).zip(title))?;
    let course = course.map(|name: CourseName| name.course().to_owned());
    let certificate_kind = wanted.map(Named::name);
    Ok(New { id: Uuid::now_v7(), worker, kind, course, certificate_kind, title, due })
}

/// The worker of a path, when the caller may see him.
async fn of(work: &mut Work, name: &WorkerName) -> Result<View, Refusal> {
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let view = worker::store::get(work.sql(), name, &scope, call.today()).await?;
    view.ok_or_else(|| call.missing(&scope, "linli.dev/Worker", name.to_string()))
}

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateGrowthStepRequest;
    type Answer = pb::GrowthStep;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::GrowthStep>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().scope(town.town())?;
        let default = pb::GrowthStep::default();
        let new = read(town.town(), request.growth_step.as_ref().unwrap_or(&default))?;
        of(work, &new.worker).await?;
        if let Some(id) = &new.course
            && course::store::find(work.sql(), town.town(), id, false).await?.is_none()
        {
            let call = work.call().clone();
            let scope = call.scope(town.town())?;
            return Err(call.missing(&scope, "linli.dev/Course", format!("{town}/courses/{id}")));
        }
        store::create(work.sql(), &new).await?;
        let told = ("create", "growthStep.added");
        record(work, (town.town(), new.id), told, &request.comment).await
    }
}

/// A step that isn't over, locked, of a worker whom the caller may see.
async fn lock(work: &mut Work, name: &str, etag: &str) -> Result<(Row, View), Refusal> {
    let name: GrowthStepName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let missing = || call.missing(&scope, "linli.dev/GrowthStep", name.to_string());
    let id = Uuid::parse_str(name.growth_step()).map_err(|_| missing())?;
    let row = store::find(work.sql(), name.town(), id, true).await?.ok_or_else(missing)?;
    let worker = WorkerName::new(name.town(), &row.worker).map_err(Refusal::internal)?;
    let view = of(work, &worker).await?;
    check_etag(&name.to_string(), etag, row.version)?;
    match state(work, &row).await? {
        over @ (State::Done | State::Cancelled) => {
            Err(Refusal::new(&GROWTH_STEP_OVER).with("name", name).with("state", over.name()))
        }
        State::Open | State::Next | State::Late => Ok((row, view)),
    }
}

/// CompleteGrowthStep.
pub(super) struct Complete;

#[tonic::async_trait]
impl Verb for Complete {
    type Request = pb::CompleteGrowthStepRequest;
    type Answer = pb::GrowthStep;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::GrowthStep>, Refusal> {
        let (row, view) = lock(work, &request.name, &request.etag).await?;
        if row.kind != Kind::WorkTarget.name() {
            return Err(Refusal::new(&GROWTH_STEP_BY_ITSELF).with("name", &request.name));
        }
        let who = Actor::of(work.call());
        let own = Actor::new("", format!("towns/{}/people/{}", view.town, view.person));
        another(&request.name, "complete", &who, &[("learn", &own)])?;
        let (today, first) = (work.call().today(), view.days()?.hired);
        let day = wire::date("done_date", request.done_date.as_ref()).map_err(Refusal::one)?.unwrap_or(today);
        if !(first..=today).contains(&day) {
            let refusal = Refusal::new(&TRAINING_DATE_OUTSIDE).with("field", "done_date");
            return Err(refusal.with("start", first).with("end", today));
        }
        store::complete(work.sql(), &row, day, &who).await?;
        record(work, (&row.town, row.id), ("complete", "growthStep.completed"), &request.comment).await
    }
}

/// CancelGrowthStep.
pub(super) struct Cancel;

#[tonic::async_trait]
impl Verb for Cancel {
    type Request = pb::CancelGrowthStepRequest;
    type Answer = pb::GrowthStep;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::GrowthStep>, Refusal> {
        let reason = comment::reason(&request.comment, &request.name, "cancel")?;
        let (row, _) = lock(work, &request.name, &request.etag).await?;
        store::cancel(work.sql(), &row, reason).await?;
        record(work, (&row.town, row.id), ("cancel", "growthStep.cancelled"), reason).await
    }
}
