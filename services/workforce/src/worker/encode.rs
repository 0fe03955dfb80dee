//! Workers on the wire.

use chassis::{
    refusal::{FieldFault, Refusal},
    wire,
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    ids::CitizenId,
    state::Named,
};

use super::{
    rules::{Schooling, Sex, State},
    store::{STATE, View},
};
use crate::posting::{encode as posts, rules::Post};

const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// What a List may ask for.
pub(crate) const FILTER: &[FieldSpec] = &[
    field("state", STATE, Kind::Enum(State::NAMES)),
    field("committee", "p.committee", Kind::Name { collection: "committees", town: "w.town" }),
    field("post", "p.post", Kind::Enum(Post::NAMES)),
    field("schooling", "w.schooling", Kind::Enum(Schooling::NAMES)),
    field("sex", "(case w.sex when 'F' then 'FEMALE' else 'MALE' end)", Kind::Enum(&["FEMALE", "MALE"])),
    field("display_name", "w.display_name", Kind::Text),
    field("hire_date", "w.hired_on", Kind::Date),
];

/// A schooling as a request names it.
pub(crate) fn read_schooling(field: &str, given: pb::Schooling) -> Result<Schooling, FieldFault> {
    Schooling::from_name(given.as_str_name().trim_start_matches("SCHOOLING_"))
        .ok_or_else(|| FieldFault::new(field, "REQUIRED", "必填", "required"))
}

/// A schooling by its name here.
pub(crate) fn schooling(name: &str) -> pb::Schooling {
    pb::Schooling::from_str_name(&format!("SCHOOLING_{name}")).unwrap_or_default()
}

/// A sex by its name here.
pub(crate) fn sex(name: &str) -> pb::Sex {
    if name == Sex::Female.name() { pb::Sex::Female } else { pb::Sex::Male }
}

/// As the identity number says.
pub(crate) fn sex_of(citizen: &CitizenId) -> Sex {
    // GB 11643-1999: the seventeenth digit is odd for men
    let odd = citizen.reveal().as_bytes().get(16).is_some_and(|digit| digit % 2 == 1);
    if odd { Sex::Male } else { Sex::Female }
}

fn optional(day: Option<Date>) -> Option<contracts::google::r#type::Date> {
    day.map(wire::to_date)
}

/// A worker without what only Get shows.
pub(crate) fn worker(view: &View) -> Result<pb::Worker, Refusal> {
    let days = view.days()?;
    let state = format!("WORKER_STATE_{}", view.state()?.name());
    Ok(pb::Worker {
        name: view.name(),
        display_name: view.display_name.clone(),
        person: format!("towns/{}/people/{}", view.town, view.person),
        sex: sex(&view.sex).into(),
        birth_year: view.birth()?.year().into(),
        schooling: schooling(&view.schooling).into(),
        hire_date: Some(wire::to_date(days.hired)),
        probation_end_date: optional(days.probation_ends),
        confirm_date: optional(days.confirmed),
        end_date: optional(days.left),
        state: pb::WorkerState::from_str_name(&state).unwrap_or_default().into(),
        posting: view.posting().as_ref().map(posts::posting).transpose()?,
        etag: Etag::of(view.version).to_string(),
        create_time: Some(wire::to_timestamp(view.created)),
        update_time: Some(wire::to_timestamp(view.updated)),
        ..Default::default()
    })
}
