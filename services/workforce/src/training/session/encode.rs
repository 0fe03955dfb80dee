//! Sessions on the wire.

use chassis::{fields::number, history, refusal::Refusal, wire};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind as Type},
    state::Named,
};

use super::store::Row;
use crate::training::{
    course,
    rules::{Kind, SessionState},
};

const fn field(name: &'static str, column: &'static str, kind: Type) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// What a List may ask for.
pub(super) const FILTER: &[FieldSpec] = &[
    field("course", "s.course", Type::Name { collection: "courses", town: "s.town" }),
    field("kind", "s.kind", Type::Enum(Kind::NAMES)),
    field("state", "s.state", Type::Enum(SessionState::NAMES)),
    field("start_date", "s.day", Type::Date),
    field("enrolment_end_date", "s.enrol_until", Type::Date),
];

/// A session without what only Get shows.
pub(super) fn session(row: &Row) -> Result<pb::TrainingSession, Refusal> {
    let state = format!("TRAINING_SESSION_STATE_{}", row.state);
    Ok(pb::TrainingSession {
        name: row.name(),
        course: format!("towns/{}/courses/{}", row.town, row.course),
        start_time: Some(wire::to_timestamp(row.starts)),
        end_time: Some(wire::to_timestamp(row.ends)),
        enrolment_end_date: Some(wire::to_date(history::day(&row.enrol_until)?)),
        place: row.place.clone(),
        capacity: row.capacity,
        waiting_list: row.queues,
        kind: course::kind(&row.kind).into(),
        title: row.title.clone(),
        minutes: row.minutes,
        pass_mark: row.pass_mark,
        attempts: row.attempts,
        valid_months: row.valid_months,
        enrolled: number(row.enrolled),
        waiting: number(row.waiting),
        feedbacks: number(row.feedbacks),
        feedback_tenths: row.feedback_tenths,
        state: pb::TrainingSessionState::from_str_name(&state).unwrap_or_default().into(),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        ..Default::default()
    })
}
