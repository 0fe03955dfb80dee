//! Learners on the wire.

use chassis::{history, refusal::Refusal, wire};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind as Type},
    named,
    state::Named,
};

use super::store::{Attempt, Row};
use crate::training::{
    course,
    rules::{Role, State},
};

named! {
    /// Why somebody is enrolled.
    pub(super) Basis {
        /// The course is asked of the role 应训.
        Obligation = "OBLIGATION",
        /// By choice 自愿.
        Choice = "CHOICE",
    }
}

const fn field(name: &'static str, column: &'static str, kind: Type) -> FieldSpec {
    FieldSpec { name, column, kind }
}

const fn named(name: &'static str, column: &'static str, collection: &'static str) -> FieldSpec {
    field(name, column, Type::Name { collection, town: "e.town" })
}

/// What a List may ask for.
pub(super) const FILTER: &[FieldSpec] = &[
    named("training_session", "e.session::text", "trainingSessions"),
    named("worker", "e.worker", "workers"),
    named("person", "e.person", "people"),
    named("committee", "e.committee", "committees"),
    field("role", "e.role", Type::Enum(Role::NAMES)),
    field("basis", "e.basis", Type::Enum(Basis::NAMES)),
    field("state", "e.state", Type::Enum(State::NAMES)),
];

/// A learner without what only Get shows.
pub(super) fn enrolment(row: &Row) -> pb::Enrolment {
    let state = format!("ENROLMENT_STATE_{}", row.state);
    let basis = format!("ENROLMENT_BASIS_{}", row.basis);
    let of = |collection: &str, id: &str| match id {
        "" => String::new(),
        id => format!("towns/{}/{collection}/{id}", row.town),
    };
    let certificate = row.certificate.map(|id| id.to_string()).unwrap_or_default();
    pb::Enrolment {
        name: row.name(),
        training_session: of("trainingSessions", &row.session.to_string()),
        worker: of("workers", row.worker.as_deref().unwrap_or_default()),
        person: of("people", &row.person),
        role: course::role(&row.role).into(),
        committee: of("committees", &row.committee),
        basis: pb::EnrolmentBasis::from_str_name(&basis).unwrap_or_default().into(),
        state: pb::EnrolmentState::from_str_name(&state).unwrap_or_default().into(),
        attended_minutes: row.attended.unwrap_or_default(),
        certificate: of("certificates", &certificate),
        feedback: row.score.unwrap_or_default(),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        ..Default::default()
    }
}

/// The attempts of a learner.
pub(super) fn attempts(attempts: &[Attempt]) -> Result<Vec<pb::ExamAttempt>, Refusal> {
    let attempt = |attempt: &Attempt| {
        Ok(pb::ExamAttempt {
            number: attempt.n,
            take_date: Some(wire::to_date(history::day(&attempt.taken_on)?)),
            mark: attempt.mark,
            passed: attempt.passed,
        })
    };
    attempts.iter().map(attempt).collect()
}
