//! Registering for the professional exam, withdrawing, results.

use chassis::{
    actor::{Actor, another},
    fields,
    identity::Scope,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{ExamRegistrationName, TownName, WorkerName},
    periods::Period,
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode,
    rules::{Level, Misstep, State, TABLE, Verb as Do, misstep},
    store::{self, Row},
};
use crate::{
    certificate,
    reasons::{
        CERTIFICATE_NUMBER_USED, EXAM_LEVEL_HELD, EXAM_LEVEL_TOO_HIGH, EXAM_YEAR_OVER, EXAM_YEAR_TAKEN,
        TRAINING_DATE_OUTSIDE,
    },
    worker,
};

fn event(verb: Do) -> &'static str {
    match verb {
        Do::Create => "examRegistration.registered",
        Do::Withdraw => "examRegistration.withdrawn",
        Do::RecordExamResult => "examRegistration.passed",
        Do::Fail => "examRegistration.failed",
        Do::Miss => "examRegistration.missed",
    }
}

async fn record(
    work: &mut Work,
    name: &ExamRegistrationName,
    (verb, from): (Do, &'static str),
    comment: &str,
) -> Result<Record<pb::ExamRegistration>, Refusal> {
    let today = work.call().today();
    let row = store::get(work.sql(), name, (&Scope::Town, today), false).await?;
    let row = row.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let answer = encode(&row);
    let change = Change {
        resource: name.to_string(),
        version: row.version,
        verb: verb.name(),
        from_state: from,
        to_state: row.state()?.name(),
        comment: comment.to_owned(),
        event: event(verb),
        data: json!({
            "exam_registration": answer.name,
            "worker": answer.worker,
            "level": row.level,
            "exam_year": row.exam_year,
            "state": row.state,
            "certificate": answer.certificate,
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

/// CreateExamRegistration.
pub(super) struct Create;

fn read(town: &str, given: &pb::ExamRegistration) -> Result<(WorkerName, Level), Refusal> {
    let mut faults = Faults::default();
    let worker =
        faults.take(fields::in_town("exam_registration.worker", &given.worker, town, WorkerName::town));
    let level = Level::from_name(given.level().as_str_name().trim_start_matches("CERTIFICATE_KIND_"));
    let level = faults.take(level.ok_or_else(|| {
        let (zh, en) = ("不是职业资格级别", "no level of the professional exam");
        FieldFault::new("exam_registration.level", "LEVEL", zh, en)
    }));
    faults.finish(worker.zip(level))
}

/// Refuses a level that is held, or that another comes before.
async fn need_step(work: &mut Work, name: &WorkerName, level: Level) -> Result<(), Refusal> {
    let today = work.call().today();
    let held = store::held(work.sql(), name, today).await?;
    let (reason, level) = match misstep(level, &held) {
        None => return Ok(()),
        Some(Misstep::Held(level)) => (&EXAM_LEVEL_HELD, level),
        Some(Misstep::After(level)) => (&EXAM_LEVEL_TOO_HIGH, level),
    };
    Err(Refusal::new(reason).with("name", name).with("level", level.name()))
}

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateExamRegistrationRequest;
    type Answer = pb::ExamRegistration;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::ExamRegistration>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        let scope = call.scope(town.town())?;
        let default = pb::ExamRegistration::default();
        let given = request.exam_registration.as_ref().unwrap_or(&default);
        let (name, level) = read(town.town(), given)?;
        if given.exam_year < i32::from(call.today().year()) {
            let field = "exam_registration.exam_year";
            return Err(Refusal::new(&EXAM_YEAR_OVER).with("field", field).with("date", call.today()));
        }
        worker::store::LINE.lock(work.sql(), name.town(), name.worker()).await?;
        let view = worker::store::get(work.sql(), &name, &scope, call.today()).await?;
        view.ok_or_else(|| call.missing(&scope, "linli.dev/Worker", name.to_string()))?;
        need_step(work, &name, level).await?;
        if let Some(other) = store::of_year(work.sql(), &name, given.exam_year).await? {
            let other = format!("{town}/examRegistrations/{other}");
            return Err(Refusal::new(&EXAM_YEAR_TAKEN).with("name", &name).with("other", other));
        }
        let id = Uuid::now_v7();
        store::create(work.sql(), &name, id, (level, given.exam_year)).await?;
        let registration =
            ExamRegistrationName::new(town.town(), id.to_string()).map_err(Refusal::internal)?;
        record(work, &registration, (Do::Create, ""), &request.comment).await
    }
}

/// A registration of the caller's areas, locked.
async fn lock(work: &mut Work, name: &str, etag: &str) -> Result<(ExamRegistrationName, Row), Refusal> {
    let name: ExamRegistrationName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let row = store::get(work.sql(), &name, (&scope, call.today()), true).await?;
    let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/ExamRegistration", name.to_string()))?;
    check_etag(&name.to_string(), etag, row.version)?;
    Ok((name, row))
}

/// WithdrawExamRegistration.
pub(super) struct Withdraw;

#[tonic::async_trait]
impl Verb for Withdraw {
    type Request = pb::WithdrawExamRegistrationRequest;
    type Answer = pb::ExamRegistration;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::ExamRegistration>, Refusal> {
        let (name, row) = lock(work, &request.name, &request.etag).await?;
        let next = transition(&TABLE, &request.name, row.state()?, Do::Withdraw)?;
        store::move_to(work.sql(), &row, next, None).await?;
        record(work, &name, (Do::Withdraw, row.state()?.name()), &request.comment).await
    }
}

/// RecordExamResult.
pub(super) struct RecordResult;

/// What a request says of a certificate: number and first day.
fn certified(
    row: &Row,
    request: &pb::RecordExamResultRequest,
    today: Date,
) -> Result<(String, Date), Refusal> {
    let mut faults = Faults::default();
    let number = faults.take(certificate::number("certificate_number", &request.certificate_number));
    if number.as_ref().is_some_and(String::is_empty) {
        faults.push(FieldFault::new("certificate_number", "REQUIRED", "必填", "required"));
    }
    let day = faults.take(wire::required_date("obtain_date", request.obtain_date.as_ref()));
    let (number, day) = faults.finish(number.zip(day))?;
    if i32::from(day.year()) < row.exam_year || day > today {
        let refusal = Refusal::new(&TRAINING_DATE_OUTSIDE).with("field", "obtain_date");
        return Err(refusal.with("start", format!("{}-01-01", row.exam_year)).with("end", today));
    }
    Ok((number, day))
}

/// Gives the certificate of who passed; what tells of it.
async fn certify(
    work: &mut Work,
    row: &Row,
    request: &pb::RecordExamResultRequest,
) -> Result<(Uuid, Change), Refusal> {
    let today = work.call().today();
    let (number, day) = certified(row, request, today)?;
    let kind = certificate::Kind::from_name(&row.level);
    let kind = kind.ok_or_else(|| Refusal::internal(format!("exam level {}", row.level)))?;
    if let Some(other) = certificate::store::of_number(work.sql(), &row.town, kind, &number).await? {
        let other = format!("towns/{}/certificates/{other}", row.town);
        return Err(Refusal::new(&CERTIFICATE_NUMBER_USED).with("other", other));
    }
    let new = certificate::store::New {
        id: Uuid::now_v7(),
        person: row.person.clone(),
        worker: Some(row.worker.clone()),
        kind,
        title: String::new(),
        course: None,
        number,
        days: Period::since(day),
    };
    certificate::store::create(work.sql(), &row.town, &new).await?;
    let given = certificate::store::of(work.sql(), &row.town, new.id).await?;
    Ok((new.id, certificate::change(&given, ("create", "certificate.recorded"), "")?))
}

fn verb(result: pb::ExamRegistrationState) -> Result<Do, Refusal> {
    use pb::ExamRegistrationState as Said;
    match result {
        Said::Passed => Ok(Do::RecordExamResult),
        Said::Failed => Ok(Do::Fail),
        Said::Absent => Ok(Do::Miss),
        Said::Unspecified | Said::Registered | Said::Withdrawn => {
            let (zh, en) = ("应为合格、不合格或缺考", "PASSED, FAILED or ABSENT");
            Err(Refusal::field("result", "RESULT", zh, en))
        }
    }
}

#[tonic::async_trait]
impl Verb for RecordResult {
    type Request = pb::RecordExamResultRequest;
    type Answer = pb::ExamRegistration;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::ExamRegistration>, Refusal> {
        let verb = verb(request.result())?;
        let (name, row) = lock(work, &request.name, &request.etag).await?;
        transition(&TABLE, &request.name, row.state()?, Do::RecordExamResult)?;
        let next = transition(&TABLE, &request.name, row.state()?, verb)?;
        let who = Actor::of(work.call());
        another(&request.name, Do::RecordExamResult.name(), &who, &[("learn", &row.learner())])?;
        let certified = match next {
            State::Passed => Some(certify(work, &row, request).await?),
            State::Failed | State::Absent | State::Registered | State::Withdrawn => None,
        };
        let certificate = certified.as_ref().map(|(id, _)| *id);
        store::move_to(work.sql(), &row, next, certificate).await?;
        let mut record = record(work, &name, (verb, row.state()?.name()), &request.comment).await?;
        record.changes.extend(certified.map(|(_, change)| change));
        Ok(record)
    }
}
