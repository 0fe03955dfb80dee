//! What a year asks of a role 学时要求.

use chassis::{
    call::Call,
    context::Context,
    fields,
    listing::{self, Asked},
    refusal::{Faults, Refusal},
    wire,
    work::{Change, Record, Verb, Work},
};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind as Type},
    name::{CourseName, TownName},
    state::Named,
};
use serde_json::json;

use super::{encode, store};
use crate::{
    reasons::COURSE_WITHOUT_EXAM,
    training::{lacking::Target, rules::Role},
};

const FILTER: &[FieldSpec] = &[
    FieldSpec { name: "role", column: "t.role", kind: Type::Enum(Role::NAMES) },
    FieldSpec { name: "from_year", column: "t.from_year", kind: Type::Integer },
];

fn course(town: &str, id: &str) -> String {
    format!("towns/{town}/courses/{id}")
}

/// A page of targets.
pub(super) async fn page(
    context: &Context,
    call: &Call,
    request: &pb::ListTrainingTargetsRequest,
) -> Result<pb::ListTrainingTargetsResponse, Refusal> {
    let (asked, paging) = Asked::read(context, call, listing::request_undated!(request), FILTER)?;
    let mut read = context.db.read().await?;
    let mut found: Vec<store::TargetRow> =
        store::targets_query(&asked).build_query_as().fetch_all(read.sql()).await?;
    let next_page_token = paging.next(&mut found, |row| vec![row.id.clone()]);
    let target = |row: &store::TargetRow| pb::TrainingTarget {
        name: format!("towns/{}/trainingTargets/{}", row.town, row.id),
        role: encode::role(&row.role).into(),
        from_year: row.from_year,
        minutes: row.minutes,
        courses: row.courses.iter().map(|id| course(&row.town, id)).collect(),
        etag: Etag::of(row.version).to_string(),
    };
    Ok(pb::ListTrainingTargetsResponse {
        training_targets: found.iter().map(target).collect(),
        next_page_token,
    })
}

fn read(town: &str, request: &pb::SetTrainingTargetRequest) -> Result<Target, Refusal> {
    let mut faults = Faults::default();
    let role = faults.take(encode::read_role("role", request.role));
    let courses: Vec<Option<CourseName>> = request
        .courses
        .iter()
        .enumerate()
        .map(|(n, text)| faults.take(fields::in_town(&format!("courses[{n}]"), text, town, CourseName::town)))
        .collect();
    let courses: Option<Vec<CourseName>> = courses.into_iter().collect();
    let (role, courses) = faults.finish(role.zip(courses))?;
    let mut courses: Vec<String> = courses.iter().map(|name| name.course().to_owned()).collect();
    courses.sort();
    courses.dedup();
    Ok(Target { role, from_year: request.from_year, minutes: request.minutes, courses })
}

/// SetTrainingTarget.
pub(super) struct Set;

#[tonic::async_trait]
impl Verb for Set {
    type Request = pb::SetTrainingTargetRequest;
    type Answer = pb::TrainingTarget;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::TrainingTarget>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let target = read(town.town(), request)?;
        let without = store::without_exam(work.sql(), town.town(), &target.courses).await?;
        if !without.is_empty() {
            let names: Vec<String> = without.iter().map(|id| course(town.town(), id)).collect();
            return Err(Refusal::new(&COURSE_WITHOUT_EXAM).with("courses", fields::some(&names)));
        }
        let version = store::set_target(work.sql(), town.town(), &target).await?;
        let id = target.role.name().to_lowercase().replace('_', "-");
        let name = format!("{town}/trainingTargets/{id}-{}", target.from_year);
        let change = Change {
            resource: name.clone(),
            version,
            verb: "set",
            from_state: "",
            to_state: "",
            comment: request.comment.clone(),
            event: "trainingTarget.set",
            data: json!({
                "training_target": name,
                "role": target.role.name(),
                "from_year": target.from_year,
                "minutes": target.minutes,
                "courses": request.courses,
            }),
        };
        Ok(Record {
            town: town.town().to_owned(),
            resource: name.clone(),
            summary: format!("{name} asks {} minutes a year", target.minutes),
            changes: vec![change],
            answer: pb::TrainingTarget {
                name,
                role: request.role,
                from_year: request.from_year,
                minutes: request.minutes,
                courses: request.courses.clone(),
                etag: Etag::of(version).to_string(),
            },
        })
    }
}
