//! Enrolling, withdrawing, attending, feedback.

use chassis::{
    refusal::Refusal,
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    name::{EnrolmentName, TownName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode::{self, Basis},
    learner::{self, Learner},
    store::{self, New, Row},
};
use crate::{
    reasons::{
        ATTENDANCE_TOO_LONG, ENROLLED_ALREADY, ENROLMENT_OVER, FEEDBACK_GIVEN, SESSION_FULL,
        SESSION_NOT_HELD, SESSION_NOT_PLANNED,
    },
    training::{
        course, lacking,
        rules::{ENROLMENT, SessionState, State, Verb as Do},
        session::store::{self as sessions, Row as Session},
    },
};

fn event(verb: Do) -> &'static str {
    match verb {
        Do::Create | Do::MoveUp => "enrolment.enrolled",
        Do::Wait => "enrolment.waiting",
        Do::Withdraw => "enrolment.withdrawn",
        Do::RecordAttendance => "enrolment.attended",
        Do::Miss => "enrolment.missed",
        Do::RecordExamAttempt => "enrolment.examined",
        Do::Pass => "enrolment.passed",
        Do::Fail => "enrolment.failed",
        Do::GiveFeedback => "enrolment.feedbackGiven",
    }
}

/// What a step is told as: what it was, in which state before, what was said about it.
pub(super) type Told<'a> = (Do, &'static str, &'a str);

fn change(row: &Row, (verb, from, comment): Told<'_>) -> Result<Change, Refusal> {
    let its = encode::enrolment(row);
    Ok(Change {
        resource: row.name(),
        version: row.version,
        verb: verb.name(),
        from_state: from,
        to_state: row.state()?.name(),
        comment: comment.to_owned(),
        event: event(verb),
        data: json!({
            "enrolment": its.name,
            "training_session": its.training_session,
            "worker": its.worker,
            "person": its.person,
            "state": row.state,
            "certificate": its.certificate,
        }),
    })
}

/// Records what happened to an enrolment, and answers with it.
pub(super) async fn record(
    work: &mut Work,
    before: &Row,
    told: Told<'_>,
) -> Result<Record<pb::Enrolment>, Refusal> {
    let rows = store::all(work.sql(), &before.town, vec![before.id]).await?;
    let row = rows.first().ok_or_else(|| Refusal::internal("an enrolment vanished"))?;
    let mut answer = encode::enrolment(row);
    answer.exam_attempts = encode::attempts(&store::attempts(work.sql(), row).await?)?;
    Ok(Record {
        town: row.town.clone(),
        resource: row.name(),
        summary: format!("{} {}", told.0.name(), row.name()),
        changes: vec![change(row, told)?],
        answer,
    })
}

/// Refuses when a session takes and loses no learners any more.
pub(super) fn need_planned(session: &Session) -> Result<(), Refusal> {
    match session.state()? {
        SessionState::Planned => Ok(()),
        state => {
            Err(Refusal::new(&SESSION_NOT_PLANNED).with("name", session.name()).with("state", state.name()))
        }
    }
}

/// Refuses when a session wasn't held.
pub(super) fn need_held(session: &Session) -> Result<(), Refusal> {
    match session.state()? {
        SessionState::Held => Ok(()),
        state => {
            Err(Refusal::new(&SESSION_NOT_HELD).with("name", session.name()).with("state", state.name()))
        }
    }
}

/// Refuses when the learner said before how it was.
pub(super) fn need_no_feedback(row: &Row) -> Result<(), Refusal> {
    match row.score {
        None => Ok(()),
        Some(_) => Err(Refusal::new(&FEEDBACK_GIVEN).with("name", row.name())),
    }
}

/// CreateEnrolment.
pub(in crate::training) struct Create;

/// The state in which somebody comes into a session, which is locked.
async fn place(work: &mut Work, session: &Session, learner: &Learner) -> Result<State, Refusal> {
    need_planned(session)?;
    let (name, today) = (session.name(), work.call().today());
    let until = chassis::history::day(&session.enrol_until)?;
    if today > until {
        return Err(Refusal::new(&ENROLMENT_OVER).with("name", name).with("date", until));
    }
    if let Some(other) = store::of_person(work.sql(), session, &learner.person).await? {
        let other = format!("towns/{}/enrolments/{other}", session.town);
        return Err(Refusal::new(&ENROLLED_ALREADY).with("name", name).with("other", other));
    }
    match session.enrolled < i64::from(session.capacity) {
        true => Ok(State::Enrolled),
        false if session.queues => Ok(State::Waiting),
        false => Err(Refusal::new(&SESSION_FULL).with("name", name).with("capacity", session.capacity)),
    }
}

/// Why somebody is enrolled: whether the year of the session asks the course of the role.
async fn basis(work: &mut Work, session: &Session, learner: &Learner) -> Result<Basis, Refusal> {
    let year = i32::from(session.day()?.year());
    let targets = course::store::targets(work.sql(), &session.town, year).await?;
    let courses = course::store::obligations(work.sql(), &session.town).await?;
    let asked = lacking::asked(learner.role, year, &targets, &courses);
    Ok(if asked.courses.contains_key(&session.course) { Basis::Obligation } else { Basis::Choice })
}

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateEnrolmentRequest;
    type Answer = pb::Enrolment;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Enrolment>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        let scope = call.scope(town.town())?;
        let default = pb::Enrolment::default();
        let given = learner::read(town.town(), request.enrolment.as_ref().unwrap_or(&default))?;
        let learner = learner::find(work, &given).await?;
        let name = &given.session;
        let session = sessions::lock(work.sql(), name).await?;
        let session =
            session.ok_or_else(|| call.missing(&scope, "linli.dev/TrainingSession", name.to_string()))?;
        let state = place(work, &session, &learner).await?;
        let basis = basis(work, &session, &learner).await?;
        let new = New {
            id: Uuid::now_v7(),
            person: learner.person,
            worker: learner.worker,
            role: learner.role,
            committee: learner.committee,
            basis: basis.name(),
            state,
            day: call.today(),
        };
        store::create(work.sql(), &session, &new).await?;
        let rows = store::all(work.sql(), town.town(), vec![new.id]).await?;
        let row = rows.first().ok_or_else(|| Refusal::internal("an enrolment vanished"))?;
        let verb = if state == State::Waiting { Do::Wait } else { Do::Create };
        record(work, row, (verb, "", &request.comment)).await
    }
}

/// An enrolment of the caller's areas and its session, both locked, whose state knows `verb`.
///
/// # Errors
/// NOT_FOUND, PERMISSION_DENIED, ETAG_MISMATCH.
pub(super) async fn lock(work: &mut Work, (name, etag): (&str, &str)) -> Result<(Row, Session), Refusal> {
    let name: EnrolmentName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let missing = || call.missing(&scope, "linli.dev/Enrolment", name.to_string());
    let found = store::get(work.sql(), &name, &scope).await?.ok_or_else(missing)?;
    // the session first, as everywhere: with it nobody else changes those who are on it
    let session = sessions::lock(work.sql(), &found.session()?).await?;
    let session = session.ok_or_else(|| Refusal::internal(format!("{name} has no session")))?;
    let row = store::get(work.sql(), &name, &scope).await?.ok_or_else(missing)?;
    check_etag(&name.to_string(), etag, row.version)?;
    Ok((row, session))
}

/// WithdrawEnrolment.
pub(in crate::training) struct Withdraw;

#[tonic::async_trait]
impl Verb for Withdraw {
    type Request = pb::WithdrawEnrolmentRequest;
    type Answer = pb::Enrolment;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Enrolment>, Refusal> {
        let (row, session) = lock(work, (&request.name, &request.etag)).await?;
        let next = transition(&ENROLMENT, &row.name(), row.state()?, Do::Withdraw)?;
        need_planned(&session)?;
        store::move_to(work.sql(), &row, next).await?;
        let mut record = record(work, &row, (Do::Withdraw, row.state()?.name(), &request.comment)).await?;
        if row.state()? == State::Enrolled {
            record.changes.extend(move_up(work, &session).await?);
        }
        Ok(record)
    }
}

/// The first on the waiting list takes a place that became free.
async fn move_up(work: &mut Work, session: &Session) -> Result<Vec<Change>, Refusal> {
    let moved: Vec<Uuid> = store::move_up(work.sql(), session).await?.into_iter().collect();
    let rows = store::all(work.sql(), &session.town, moved).await?;
    rows.iter().map(|row| change(row, (Do::MoveUp, State::Waiting.name(), ""))).collect()
}

/// Withdraws everybody on a session that is locked and will not be held; what tells of it.
///
/// # Errors
/// What Postgres answered.
pub(in crate::training) async fn withdraw_all(
    work: &mut Work,
    session: &Session,
    reason: &str,
) -> Result<Vec<Change>, Refusal> {
    let mut before = store::withdraw_all(work.sql(), session).await?;
    before.sort();
    let ids = before.iter().map(|(id, _)| *id).collect();
    let rows = store::all(work.sql(), &session.town, ids).await?;
    let told = rows.iter().zip(&before);
    told.map(|(row, (_, state))| change(row, (Do::Withdraw, state.name(), reason))).collect()
}

/// RecordAttendance.
pub(in crate::training) struct Attend;

#[tonic::async_trait]
impl Verb for Attend {
    type Request = pb::RecordAttendanceRequest;
    type Answer = pb::Enrolment;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Enrolment>, Refusal> {
        let (row, session) = lock(work, (&request.name, &request.etag)).await?;
        let from = row.state()?;
        let attended = transition(&ENROLMENT, &row.name(), from, Do::RecordAttendance)?;
        need_held(&session)?;
        if request.minutes > session.minutes {
            return Err(Refusal::new(&ATTENDANCE_TOO_LONG)
                .with("field", "minutes")
                .with("minutes", session.minutes));
        }
        let (verb, state) = match request.minutes {
            0 => (Do::Miss, transition(&ENROLMENT, &row.name(), from, Do::Miss)?),
            _ => (Do::RecordAttendance, attended),
        };
        store::attend(work.sql(), &row, (state, request.minutes)).await?;
        record(work, &row, (verb, from.name(), &request.comment)).await
    }
}

/// GiveFeedback.
pub(in crate::training) struct GiveFeedback;

#[tonic::async_trait]
impl Verb for GiveFeedback {
    type Request = pb::GiveFeedbackRequest;
    type Answer = pb::Enrolment;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Enrolment>, Refusal> {
        let (row, _) = lock(work, (&request.name, &request.etag)).await?;
        transition(&ENROLMENT, &row.name(), row.state()?, Do::GiveFeedback)?;
        need_no_feedback(&row)?;
        store::score(work.sql(), &row, request.score).await?;
        record(work, &row, (Do::GiveFeedback, row.state()?.name(), &request.comment)).await
    }
}
