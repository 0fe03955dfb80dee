//! Exams 考核: attempts, and the certificate that passing brings in the same transaction.

use chassis::{
    actor::{Actor, another},
    refusal::Refusal,
    state::transition,
    wire,
    work::{Change, Record, Verb, Work},
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::state::Named;
use uuid::Uuid;

use super::{
    acts::{lock, record},
    store::{self, Attempt, Row},
};
use crate::{
    certificate,
    reasons::{ATTEMPTS_USED, NO_EXAM, TRAINING_DATE_OUTSIDE},
    training::{
        examination::{NoAttempt, Outcome},
        rules::{ENROLMENT, Kind, State, Verb as Do},
        session::store::Row as Session,
    },
};

fn no_exam(session: &Session) -> Refusal {
    Refusal::new(&NO_EXAM).with("name", session.name())
}

/// Refuses when a session has no exam.
pub(super) fn need_exam(session: &Session) -> Result<(), Refusal> {
    if session.pass_mark > 0 { Ok(()) } else { Err(no_exam(session)) }
}

fn refusal(session: &Session, row: &Row, why: NoAttempt) -> Refusal {
    match why {
        NoAttempt::NoExam => no_exam(session),
        NoAttempt::Used => {
            Refusal::new(&ATTEMPTS_USED).with("name", row.name()).with("attempts", session.attempts)
        }
    }
}

/// The day of the exam: from the day of the session until today.
fn taken(session: &Session, request: &pb::RecordExamAttemptRequest, today: Date) -> Result<Date, Refusal> {
    let day = wire::date("take_date", request.take_date.as_ref()).map_err(Refusal::one)?.unwrap_or(today);
    let first = session.day()?;
    if (first..=today).contains(&day) {
        return Ok(day);
    }
    let refusal = Refusal::new(&TRAINING_DATE_OUTSIDE).with("field", "take_date");
    Err(refusal.with("start", first).with("end", today))
}

/// Gives the certificate that passing brings; what tells of it.
async fn certify(
    work: &mut Work,
    session: &Session,
    row: &Row,
    taken: Date,
) -> Result<(Uuid, Change), Refusal> {
    let days = session.exam().certificate_days(taken);
    let days = days.ok_or_else(|| Refusal::internal("a certificate ends after the calendar does"))?;
    let onboarding = session.kind == Kind::Onboarding.name();
    let new = certificate::store::New {
        id: Uuid::now_v7(),
        person: row.person.clone(),
        worker: row.worker.clone(),
        kind: if onboarding { certificate::Kind::Onboarding } else { certificate::Kind::Course },
        title: session.title.clone(),
        course: Some(session.course.clone()),
        number: String::new(),
        days,
    };
    certificate::store::create(work.sql(), &row.town, &new).await?;
    let given = certificate::store::of(work.sql(), &row.town, new.id).await?;
    Ok((new.id, certificate::change(&given, ("create", "certificate.recorded"), "")?))
}

/// RecordExamAttempt.
pub(in crate::training) struct RecordAttempt;

#[tonic::async_trait]
impl Verb for RecordAttempt {
    type Request = pb::RecordExamAttemptRequest;
    type Answer = pb::Enrolment;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Enrolment>, Refusal> {
        let (row, session) = lock(work, (&request.name, &request.etag)).await?;
        let (name, from) = (row.name(), row.state()?);
        if from == State::Failed {
            return Err(refusal(&session, &row, NoAttempt::Used));
        }
        transition(&ENROLMENT, &name, from, Do::RecordExamAttempt)?;
        let who = Actor::of(work.call());
        another(&name, Do::RecordExamAttempt.name(), &who, &[("learn", &row.learner())])?;
        let taken = taken(&session, request, work.call().today())?;
        let before = store::attempts(work.sql(), &row).await?.len() as i32;
        let outcome = session.exam().judge(before, request.mark);
        let outcome = outcome.map_err(|why| refusal(&session, &row, why))?;
        let passed = outcome == Outcome::Passed;
        let certified = match passed {
            true => Some(certify(work, &session, &row, taken).await?),
            false => None,
        };
        let attempt = Attempt { n: before + 1, mark: request.mark, taken_on: taken.to_string(), passed };
        let certificate = certified.as_ref().map(|(id, _)| *id);
        store::attempt(work.sql(), &row, &attempt, certificate, &who).await?;
        let verb = match outcome {
            Outcome::Passed => Do::Pass,
            Outcome::Failed => Do::Fail,
            Outcome::Again(_) => Do::RecordExamAttempt,
        };
        store::move_to(work.sql(), &row, transition(&ENROLMENT, &name, from, verb)?).await?;
        let mut record = record(work, &row, (verb, from.name(), &request.comment)).await?;
        record.changes.extend(certified.map(|(_, change)| change));
        Ok(record)
    }
}
