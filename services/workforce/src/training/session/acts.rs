//! Planning, holding and cancelling sessions.

use chassis::{
    clock, comment, fields,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use jiff::{Timestamp, Zoned, civil::Date};
use kernel::{
    name::{CourseName, TownName, TrainingSessionName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode,
    store::{self, New, Row},
};
use crate::{
    reasons::{COURSE_NOT_OPEN, SESSION_IN_PAST, SESSION_NOT_BEGUN},
    training::{
        course, enrolment,
        rules::{CourseState, SESSION, SessionState, SessionVerb as Do},
    },
};

fn event(verb: Do) -> &'static str {
    match verb {
        Do::Create => "trainingSession.planned",
        Do::Hold => "trainingSession.held",
        Do::Cancel => "trainingSession.cancelled",
    }
}

async fn record(
    work: &mut Work,
    name: &TrainingSessionName,
    (verb, from): (Do, &'static str),
    comment: &str,
) -> Result<Record<pb::TrainingSession>, Refusal> {
    let row = store::get(work.sql(), name).await?;
    let row = row.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let answer = encode::session(&row)?;
    let change = Change {
        resource: name.to_string(),
        version: row.version,
        verb: verb.name(),
        from_state: from,
        to_state: row.state()?.name(),
        comment: comment.to_owned(),
        event: event(verb),
        data: json!({
            "training_session": answer.name,
            "course": answer.course,
            "state": row.state,
            "start_date": row.day,
            "enrolment_end_date": row.enrol_until,
            "capacity": row.capacity,
        }),
    };
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", verb.name()),
        changes: vec![change],
        answer,
    })
}

/// Refuses before the day of a session.
///
/// # Errors
/// SESSION_NOT_BEGUN with the day.
pub(super) fn need_begun(row: &Row, today: Date) -> Result<(), Refusal> {
    let day = row.day()?;
    if day <= today {
        return Ok(());
    }
    Err(Refusal::new(&SESSION_NOT_BEGUN).with("name", row.name()).with("date", day))
}

fn instant(field: &str, given: Option<&prost_types::Timestamp>) -> Result<Timestamp, FieldFault> {
    wire::instant(field, given)?.ok_or_else(|| FieldFault::new(field, "REQUIRED", "必填", "required"))
}

/// What a request says of a session, with the course's id.
fn read(town: &str, given: &pb::TrainingSession, today: Date) -> Result<(CourseName, New), Refusal> {
    let mut faults = Faults::default();
    let order = |field: &str, zh: &str, en: &str| FieldFault::new(field, "ORDER", zh, en);
    let course =
        faults.take(fields::in_town("training_session.course", &given.course, town, CourseName::town));
    let starts = faults.take(instant("training_session.start_time", given.start_time.as_ref()));
    let ends = faults.take(instant("training_session.end_time", given.end_time.as_ref()));
    let until = faults
        .take(wire::required_date("training_session.enrolment_end_date", given.enrolment_end_date.as_ref()));
    let place = faults.take(fields::display("training_session.place", &given.place));
    let day = |at: Timestamp| Zoned::new(at, clock::shanghai()).date();
    if starts.zip(ends).is_some_and(|(starts, ends)| ends <= starts) {
        let (zh, en) = ("应晚于 start_time", "must come after start_time");
        faults.push(order("training_session.end_time", zh, en));
    }
    if starts.zip(until).is_some_and(|(starts, until)| until > day(starts)) {
        let (zh, en) = ("不得晚于举办日", "must not come after the day of the session");
        faults.push(order("training_session.enrolment_end_date", zh, en));
    }
    let all = course.zip(starts).zip(ends).zip(until).zip(place);
    let ((((course, starts), ends), enrol_until), place) = faults.finish(all)?;
    if day(starts) < today {
        let field = "training_session.start_time";
        return Err(Refusal::new(&SESSION_IN_PAST).with("field", field).with("date", today));
    }
    let (capacity, queues) = (given.capacity, given.waiting_list);
    Ok((course, New { id: Uuid::now_v7(), starts, ends, enrol_until, place, capacity, queues }))
}

/// CreateTrainingSession.
pub(in crate::training) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateTrainingSessionRequest;
    type Answer = pb::TrainingSession;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::TrainingSession>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        call.whole_town(town.town())?;
        let default = pb::TrainingSession::default();
        let given = request.training_session.as_ref().unwrap_or(&default);
        let (name, mut new) = read(town.town(), given, call.today())?;
        // what the course says doesn't change while it is copied
        let course = course::store::find(work.sql(), town.town(), name.course(), true).await?;
        let course = course.ok_or_else(|| Refusal::not_found("linli.dev/Course", name.to_string()))?;
        if course.state()? != CourseState::Open {
            return Err(Refusal::new(&COURSE_NOT_OPEN).with("name", &name).with("state", &course.state));
        }
        if new.capacity == 0 {
            new.capacity = course.capacity;
        }
        store::create(work.sql(), &course, &new).await?;
        let session = TrainingSessionName::new(town.town(), new.id.to_string()).map_err(Refusal::internal)?;
        record(work, &session, (Do::Create, ""), &request.comment).await
    }
}

/// A session of the town, locked, whose state knows `verb`; the state after it.
async fn lock(
    work: &mut Work,
    (name, etag): (&str, &str),
    verb: Do,
) -> Result<(TrainingSessionName, Row, SessionState), Refusal> {
    let name: TrainingSessionName = wire::name("name", name)?;
    work.call().whole_town(name.town())?;
    let row = store::lock(work.sql(), &name).await?;
    let row = row.ok_or_else(|| Refusal::not_found("linli.dev/TrainingSession", name.to_string()))?;
    check_etag(&name.to_string(), etag, row.version)?;
    let next = transition(&SESSION, &name.to_string(), row.state()?, verb)?;
    Ok((name, row, next))
}

/// HoldTrainingSession.
pub(in crate::training) struct Hold;

#[tonic::async_trait]
impl Verb for Hold {
    type Request = pb::HoldTrainingSessionRequest;
    type Answer = pb::TrainingSession;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::TrainingSession>, Refusal> {
        let (name, row, next) = lock(work, (&request.name, &request.etag), Do::Hold).await?;
        need_begun(&row, work.call().today())?;
        store::move_to(work.sql(), &row, next, "").await?;
        record(work, &name, (Do::Hold, row.state()?.name()), &request.comment).await
    }
}

/// CancelTrainingSession: everybody on it is withdrawn.
pub(in crate::training) struct Cancel;

#[tonic::async_trait]
impl Verb for Cancel {
    type Request = pb::CancelTrainingSessionRequest;
    type Answer = pb::TrainingSession;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::TrainingSession>, Refusal> {
        let (name, row, next) = lock(work, (&request.name, &request.etag), Do::Cancel).await?;
        let reason = comment::reason(&request.comment, &request.name, Do::Cancel.name())?;
        let withdrawn = enrolment::withdraw_all(work, &row, reason).await?;
        store::move_to(work.sql(), &row, next, reason).await?;
        let mut record = record(work, &name, (Do::Cancel, row.state()?.name()), reason).await?;
        record.changes.extend(withdrawn);
        Ok(record)
    }
}
