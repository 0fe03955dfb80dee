//! Courses on the wire.

use std::collections::BTreeSet;

use chassis::{
    fields,
    refusal::{Faults, FieldFault},
    wire,
};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind as Type},
    name::OrganisationName,
    state::Named,
};

use super::store::{Plan, Row};
use crate::training::{
    examination::{Exam, Misfit, misfits},
    rules::{CourseState, Kind, Role},
};

const fn field(name: &'static str, column: &'static str, kind: Type) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// What a List may ask for.
pub(super) const FILTER: &[FieldSpec] = &[
    field("kind", "c.kind", Type::Enum(Kind::NAMES)),
    field("state", "c.state", Type::Enum(CourseState::NAMES)),
    field("title", "c.title", Type::Text),
    field("provider", "c.provider", Type::Name { collection: "organisations", town: "c.town" }),
];

/// A kind on the wire.
pub(in crate::training) fn kind(name: &str) -> pb::CourseKind {
    pb::CourseKind::from_str_name(&format!("COURSE_KIND_{name}")).unwrap_or_default()
}

/// A role on the wire.
pub(in crate::training) fn role(name: &str) -> pb::LearnerRole {
    pb::LearnerRole::from_str_name(&format!("LEARNER_ROLE_{name}")).unwrap_or_default()
}

/// A role as a request says it.
pub(in crate::training) fn read_role(field: &str, given: i32) -> Result<Role, FieldFault> {
    let name = pb::LearnerRole::try_from(given).unwrap_or_default().as_str_name();
    Role::from_name(name.trim_start_matches("LEARNER_ROLE_"))
        .ok_or_else(|| FieldFault::new(field, "REQUIRED", "必填", "required"))
}

/// A course without what only Get shows.
pub(super) fn course(row: &Row) -> pb::Course {
    let state = format!("COURSE_STATE_{}", row.state);
    let provider = match row.provider.as_str() {
        "" => String::new(),
        id => format!("towns/{}/organisations/{id}", row.town),
    };
    pb::Course {
        name: row.name(),
        kind: kind(&row.kind).into(),
        title: row.title.clone(),
        minutes: row.minutes,
        capacity: row.capacity,
        pass_mark: row.pass_mark,
        attempts: row.attempts,
        valid_months: row.valid_months,
        mandatory_roles: row.roles.iter().map(|name| role(name).into()).collect(),
        provider,
        state: pb::CourseState::from_str_name(&state).unwrap_or_default().into(),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        ..Default::default()
    }
}

/// What doesn't fit, as a fault of the field that says it.
fn fault(misfit: Misfit) -> FieldFault {
    let fault = |field: &str, reason, zh: &str, en: &str| FieldFault::new(field, reason, zh, en);
    match misfit {
        Misfit::AskedWithoutExam => {
            let (zh, en) =
                ("必修课程须设合格分", "a course that is asked of somebody needs an exam with a pass mark");
            fault("course.pass_mark", "REQUIRED", zh, en)
        }
        Misfit::HalfAnExam => {
            let (zh, en) =
                ("合格分与考核次数须同时设置", "pass mark and attempts go together, both or neither");
            fault("course.attempts", "EXAM", zh, en)
        }
        Misfit::MonthsWithoutExam => {
            let (zh, en) = ("无考核则无证书有效期", "without exam there is no certificate that could expire");
            fault("course.valid_months", "EXAM", zh, en)
        }
        Misfit::Provider => {
            let (zh, en) = (
                "陪伴课程须由社会组织承办，其他课程不填",
                "a companion course names the organisation that gives it, others name none",
            );
            fault("course.provider", "PROVIDER", zh, en)
        }
    }
}

fn positive(field: &str, given: i32) -> Result<i32, FieldFault> {
    if given > 0 {
        Ok(given)
    } else {
        Err(FieldFault::new(field, "REQUIRED", "须大于 0", "must be above 0"))
    }
}

/// What a request says of a course, or a course with what an update changes; every field that doesn't fit is noted.
pub(super) fn read(town: &str, given: &pb::Course, faults: &mut Faults) -> Option<Plan> {
    let kind = Kind::from_name(given.kind().as_str_name().trim_start_matches("COURSE_KIND_"));
    let kind =
        faults.take(kind.ok_or_else(|| FieldFault::new("course.kind", "REQUIRED", "必填", "required")));
    let title = faults.take(fields::display("course.title", &given.title));
    let minutes = faults.take(positive("course.minutes", given.minutes));
    let capacity = faults.take(positive("course.capacity", given.capacity));
    let roles: Vec<_> = given
        .mandatory_roles
        .iter()
        .enumerate()
        .map(|(n, role)| faults.take(read_role(&format!("course.mandatory_roles[{n}]"), *role)))
        .collect();
    let roles: Option<BTreeSet<Role>> = roles.into_iter().collect();
    let provider = match given.provider.as_str() {
        "" => Some(String::new()),
        text => faults
            .take(fields::in_town("course.provider", text, town, OrganisationName::town))
            .map(|name: OrganisationName| name.organisation().to_owned()),
    };
    let exam =
        Exam { pass_mark: given.pass_mark, attempts: given.attempts, valid_months: given.valid_months };
    let provided = !given.provider.is_empty();
    if let Some(kind) = kind {
        for misfit in misfits(kind, exam, !given.mandatory_roles.is_empty(), provided) {
            faults.push(fault(misfit));
        }
    }
    let ((((kind, title), minutes), capacity), (roles, provider)) =
        kind.zip(title).zip(minutes).zip(capacity).zip(roles.zip(provider))?;
    Some(Plan { kind, title, minutes, capacity, exam, roles: roles.into_iter().collect(), provider })
}

/// A course as it would be with the fields of the mask changed.
pub(super) fn merged(now: &Row, given: &pb::Course, mask: &[&str]) -> pb::Course {
    let mut merged = course(now);
    for field in mask {
        match *field {
            "title" => merged.title.clone_from(&given.title),
            "minutes" => merged.minutes = given.minutes,
            "capacity" => merged.capacity = given.capacity,
            "pass_mark" => merged.pass_mark = given.pass_mark,
            "attempts" => merged.attempts = given.attempts,
            "valid_months" => merged.valid_months = given.valid_months,
            _ => merged.mandatory_roles.clone_from(&given.mandatory_roles),
        }
    }
    merged
}

/// The fields that an update may change.
pub(super) const CHANGEABLE: &[&str] =
    &["title", "minutes", "capacity", "pass_mark", "attempts", "valid_months", "mandatory_roles"];
