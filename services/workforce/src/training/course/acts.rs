//! Drafting, changing, opening and closing courses.

use chassis::{
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    name::{CourseName, TownName},
    state::Named,
};
use serde_json::json;

use super::{
    encode,
    store::{self, Row},
};
use crate::{
    reasons::COURSE_IS_ASKED,
    training::rules::{COURSE, CourseState, CourseVerb as Do},
};

fn event(verb: Do) -> &'static str {
    match verb {
        Do::Create => "course.drafted",
        Do::Update => "course.changed",
        Do::Open => "course.opened",
        Do::Close => "course.closed",
    }
}

async fn record(
    work: &mut Work,
    name: &CourseName,
    (verb, from): (Do, &'static str),
    comment: &str,
) -> Result<Record<pb::Course>, Refusal> {
    let row = store::find(work.sql(), name.town(), name.course(), false).await?;
    let row = row.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let change = Change {
        resource: name.to_string(),
        version: row.version,
        verb: verb.name(),
        from_state: from,
        to_state: row.state()?.name(),
        comment: comment.to_owned(),
        event: event(verb),
        data: json!({
            "course": name.to_string(),
            "kind": row.kind,
            "state": row.state,
            "mandatory_roles": row.roles,
        }),
    };
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", verb.name()),
        changes: vec![change],
        answer: encode::course(&row),
    })
}

/// A course, locked, whose state knows `verb`; the state after it.
async fn lock(
    work: &mut Work,
    name: &CourseName,
    etag: &str,
    verb: Do,
) -> Result<(Row, CourseState), Refusal> {
    work.call().whole_town(name.town())?;
    let row = store::find(work.sql(), name.town(), name.course(), true).await?;
    let row = row.ok_or_else(|| Refusal::not_found("linli.dev/Course", name.to_string()))?;
    check_etag(&name.to_string(), etag, row.version)?;
    let next = transition(&COURSE, &name.to_string(), row.state()?, verb)?;
    Ok((row, next))
}

/// CreateCourse.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateCourseRequest;
    type Answer = pb::Course;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Course>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let default = pb::Course::default();
        let given = request.course.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let name = CourseName::new(town.town(), &request.course_id);
        let name = faults.take(
            name.map_err(|error| FieldFault::new("course_id", "FORMAT", "编号格式不符", error.to_string())),
        );
        let plan = encode::read(town.town(), given, &mut faults);
        let (name, plan) = faults.finish(name.zip(plan))?;
        if !store::create(work.sql(), &name, &plan).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &name));
        }
        record(work, &name, (Do::Create, ""), &request.comment).await
    }
}

/// UpdateCourse: for sessions that are planned from now on.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateCourseRequest;
    type Answer = pb::Course;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Course>, Refusal> {
        let default = pb::Course::default();
        let given = request.course.as_ref().unwrap_or(&default);
        let name: CourseName = wire::name("course.name", &given.name)?;
        let (row, _) = lock(work, &name, &given.etag, Do::Update).await?;
        let mask = wire::mask(request.update_mask.as_ref(), encode::CHANGEABLE).map_err(Refusal::one)?;
        let mut faults = Faults::default();
        let plan = encode::read(name.town(), &encode::merged(&row, given, &mask), &mut faults);
        let plan = faults.finish(plan)?;
        if row.pass_mark > 0 && plan.exam.pass_mark == 0 {
            need_not_asked(work, &name).await?;
        }
        store::update(work.sql(), &name, &plan).await?;
        record(work, &name, (Do::Update, row.state()?.name()), &request.comment).await
    }
}

/// Refuses that a course loses its exam that a target asks for.
async fn need_not_asked(work: &mut Work, name: &CourseName) -> Result<(), Refusal> {
    match store::target_of(work.sql(), name).await? {
        None => Ok(()),
        Some(target) => {
            let target = format!("towns/{}/trainingTargets/{target}", name.town());
            Err(Refusal::new(&COURSE_IS_ASKED).with("name", name).with("target", target))
        }
    }
}

async fn move_on(
    work: &mut Work,
    (name, etag): (&str, &str),
    verb: Do,
    comment: &str,
) -> Result<Record<pb::Course>, Refusal> {
    let name: CourseName = wire::name("name", name)?;
    let (row, next) = lock(work, &name, etag, verb).await?;
    store::move_to(work.sql(), &name, next).await?;
    record(work, &name, (verb, row.state()?.name()), comment).await
}

/// OpenCourse.
pub(super) struct Open;

#[tonic::async_trait]
impl Verb for Open {
    type Request = pb::OpenCourseRequest;
    type Answer = pb::Course;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Course>, Refusal> {
        move_on(work, (&request.name, &request.etag), Do::Open, &request.comment).await
    }
}

/// CloseCourse.
pub(super) struct Close;

#[tonic::async_trait]
impl Verb for Close {
    type Request = pb::CloseCourseRequest;
    type Answer = pb::Course;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Course>, Refusal> {
        move_on(work, (&request.name, &request.etag), Do::Close, &request.comment).await
    }
}
