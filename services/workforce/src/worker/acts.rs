//! Hiring, changing, confirming, leaving, and corrections of the days.

use chassis::{
    actor::{Actor, another},
    comment, fields,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, VerbGiven, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{TownName, WorkerName},
    periods::{Believed, Splice},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode,
    rules::{Days, Misfit, State, TABLE, Verb as Do},
    store::{self, LINE, New, View},
};
use crate::{
    absence,
    known::Found,
    posting::{
        acts::{tell_of_end, write_line},
        encode as posts,
        rules::{Facts, fit},
    },
    reasons::{BORN_AFTER_HIRING, NOT_ON_PROBATION, WORKER_EMPLOYED, WORKER_TOO_YOUNG},
};

/// The reasons that are told as such when nothing else is wrong with a request.
static OWN: &[&chassis::refusal::Reason] = &[&BORN_AFTER_HIRING, &WORKER_TOO_YOUNG];

/// A worker of the caller's areas, locked, with the line of posts that is believed.
pub(crate) struct Locked {
    pub(crate) name: WorkerName,
    pub(crate) view: View,
    pub(crate) line: Vec<Believed<Uuid, Facts>>,
}

/// Locks a worker, as of today, whose state knows `verb`.
///
/// # Errors
/// NOT_FOUND, PERMISSION_DENIED, ETAG_MISMATCH, WRONG_STATE.
pub(crate) async fn lock(work: &mut Work, name: &str, etag: &str, verb: Do) -> Result<Locked, Refusal> {
    let name: WorkerName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    LINE.lock(work.sql(), name.town(), name.worker()).await?;
    let view = store::get(work.sql(), &name, &scope, call.today()).await?;
    let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Worker", name.to_string()))?;
    check_etag(&name.to_string(), etag, view.version)?;
    transition(&TABLE, &name.to_string(), view.state()?, verb)?;
    let line = LINE.believed::<Facts>(work.sql(), name.town(), name.worker()).await?;
    Ok(Locked { name, view, line })
}

/// What a step is told as.
pub(crate) struct Told<'a> {
    pub(crate) verb: Do,
    pub(crate) from: &'static str,
    pub(crate) comment: &'a str,
}

/// The change that tells of a worker as he is now; it names resources and days, and nothing personal.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn change(
    work: &mut Work,
    name: &WorkerName,
    told: Told<'_>,
) -> Result<(View, Change), Refusal> {
    let today = work.call().today();
    let view = store::get(work.sql(), name, &chassis::identity::Scope::Town, today).await?;
    let view = view.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let days = view.days()?;
    let committee = view.committee.as_deref().unwrap_or_default();
    let change = Change {
        resource: name.to_string(),
        version: view.version,
        verb: told.verb.name(),
        from_state: told.from,
        to_state: view.state()?.name(),
        comment: told.comment.to_owned(),
        event: event(told.verb),
        data: json!({
            "worker": name.to_string(),
            "person": format!("towns/{}/people/{}", view.town, view.person),
            "committee": posts::committee(&view.town, committee),
            "post": view.post.as_deref().unwrap_or_default(),
            "state": view.state()?.name(),
            "hire_date": days.hired.to_string(),
            "end_date": days.left.map(|day| day.to_string()),
        }),
    };
    Ok((view, change))
}

fn event(verb: Do) -> &'static str {
    match verb {
        Do::Create => "worker.hired",
        Do::Update | Do::Begin | Do::GoOnLeave => "worker.changed",
        Do::Confirm => "worker.confirmed",
        Do::EndEmployment => "worker.left",
        Do::Correct => "worker.corrected",
        Do::AssignPost => "posting.assigned",
        Do::Transfer => "posting.transferred",
        Do::EndPosting => "posting.ended",
        Do::CorrectPosting => "posting.corrected",
    }
}

async fn record(work: &mut Work, name: &WorkerName, told: Told<'_>) -> Result<Record<pb::Worker>, Refusal> {
    let summary = format!("{} {name}", told.verb.name());
    let (view, change) = change(work, name, told).await?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary,
        changes: vec![change],
        answer: encode::worker(&view)?,
    })
}

/// What doesn't fit among the days of an employment, as a fault of the field that says it. Nothing of the birth is repeated.
fn fault(misfit: Misfit, prefix: &str) -> FieldFault {
    let field = |name: &str| format!("{prefix}{name}");
    match misfit {
        Misfit::BornAfterHiring => {
            FieldFault::new(field("hire_date"), "BORN_AFTER_HIRING", "不晚于出生日期", "not after the birth")
        }
        Misfit::TooYoung(_) => {
            FieldFault::new(field("hire_date"), "WORKER_TOO_YOUNG", "未满 16 周岁", "not yet 16 years old")
        }
        Misfit::Probation => {
            let (zh, en) = ("应晚于 hire_date", "must come after hire_date");
            FieldFault::new(field("probation_end_date"), "ORDER", zh, en)
        }
        Misfit::Confirmed => {
            let (zh, en) = ("应在在职期间内", "must lie within the employment");
            FieldFault::new(field("confirm_date"), "ORDER", zh, en)
        }
        Misfit::Left => {
            FieldFault::new(field("end_date"), "ORDER", "应晚于 hire_date", "must come after hire_date")
        }
    }
}

fn need_fit(days: Days, birth: Date, prefix: &str) -> Result<(), Refusal> {
    match days.misfit(birth) {
        None => Ok(()),
        Some(misfit) => Err(Refusal::fields(vec![fault(misfit, prefix)]).by_its_own(OWN)),
    }
}

async fn need_employed_once(
    work: &mut Work,
    name: &WorkerName,
    person: &str,
    days: Days,
) -> Result<(), Refusal> {
    match store::employed(work.sql(), name.town(), person, days, name.worker()).await? {
        None => Ok(()),
        Some(other) => {
            Err(Refusal::new(&WORKER_EMPLOYED)
                .with("other", format!("towns/{}/workers/{other}", name.town())))
        }
    }
}

/// CreateWorker: hired.
pub(super) struct Create;

/// What a request to hire says.
struct Hiring {
    name: WorkerName,
    display_name: String,
    schooling: &'static str,
    days: Days,
    first: Facts,
}

fn read(town: &TownName, request: &pb::CreateWorkerRequest) -> Result<Hiring, Refusal> {
    let default = pb::Worker::default();
    let given = request.worker.as_ref().unwrap_or(&default);
    let mut faults = Faults::default();
    let name = WorkerName::new(town.town(), &request.worker_id);
    let name = faults.take(
        name.map_err(|error| FieldFault::new("worker_id", "FORMAT", "编号格式不符", error.to_string())),
    );
    let display_name = faults.take(fields::display("worker.display_name", &given.display_name));
    let schooling = faults.take(encode::read_schooling("worker.schooling", given.schooling()));
    let hired = faults.take(wire::required_date("worker.hire_date", given.hire_date.as_ref()));
    let probation = faults.take(wire::date("worker.probation_end_date", given.probation_end_date.as_ref()));
    let first = match &given.posting {
        None => Some(Facts::gap()),
        Some(posting) => {
            faults.take_all(posts::facts("worker.posting", town.town(), &posting.committee, posting.post))
        }
    };
    let all = name.zip(display_name).zip(schooling).zip(hired).zip(probation).zip(first);
    let (((((name, display_name), schooling), hired), probation_ends), first) = faults.finish(all)?;
    let confirmed = probation_ends.is_none().then_some(hired);
    let days = Days { hired, probation_ends, confirmed, left: None };
    Ok(Hiring { name, display_name, schooling: schooling.name(), days, first })
}

#[tonic::async_trait]
impl VerbGiven for Create {
    type Given = Option<Found>;
    type Request = pb::CreateWorkerRequest;
    type Answer = pb::Worker;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        found: &Option<Found>,
        request: &Self::Request,
    ) -> Result<Record<pb::Worker>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        call.whole_town(town.town())?;
        let hiring = read(&town, request)?;
        let found = found.as_ref().ok_or_else(|| Refusal::internal("nobody was looked up"))?;
        let birth = found.citizen.birth_date();
        need_fit(hiring.days, birth, "worker.")?;
        let person = found.person.person().to_owned();
        need_employed_once(work, &hiring.name, &person, hiring.days).await?;
        let new = New {
            name: hiring.name.clone(),
            person,
            display_name: hiring.display_name,
            birth,
            sex: encode::sex_of(&found.citizen).name(),
            schooling: hiring.schooling,
            days: hiring.days,
        };
        if !store::create(work.sql(), &new, &Actor::of(&call)).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &hiring.name));
        }
        let life = hiring.days.period().ok_or_else(|| Refusal::internal("no day of employment"))?;
        let splice = Splice { close: Vec::new(), insert: vec![(life, hiring.first)] };
        write_line(work, &hiring.name, &splice, "hired").await?;
        record(work, &hiring.name, Told { verb: Do::Create, from: "", comment: &request.comment }).await
    }
}

/// UpdateWorker.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateWorkerRequest;
    type Answer = pb::Worker;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Worker>, Refusal> {
        let default = pb::Worker::default();
        let given = request.worker.as_ref().unwrap_or(&default);
        let locked = lock(work, &given.name, &given.etag, Do::Update).await?;
        let mask = wire::mask(request.update_mask.as_ref(), &["display_name", "schooling"])
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let mut faults = Faults::default();
        let display_name = match mask.contains(&"display_name") {
            true => faults.take(fields::display("worker.display_name", &given.display_name)),
            false => Some(locked.view.display_name.clone()),
        };
        let schooling = match mask.contains(&"schooling") {
            true => faults
                .take(encode::read_schooling("worker.schooling", given.schooling()))
                .map(|its| its.name().to_owned()),
            false => Some(locked.view.schooling.clone()),
        };
        let (display_name, schooling) = faults.finish(display_name.zip(schooling))?;
        store::update(work.sql(), &locked.name, &display_name, &schooling).await?;
        let from = locked.view.state()?.name();
        record(work, &locked.name, Told { verb: Do::Update, from, comment: &request.comment }).await
    }
}

/// ConfirmWorker 转正.
pub(super) struct Confirm;

#[tonic::async_trait]
impl Verb for Confirm {
    type Request = pb::ConfirmWorkerRequest;
    type Answer = pb::Worker;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Worker>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Confirm).await?;
        let (call, name) = (work.call().clone(), locked.name.to_string());
        let day = wire::date("confirm_date", request.confirm_date.as_ref()).map_err(Refusal::one)?;
        let mut days = locked.view.days()?;
        if let Some(since) = days.confirmed {
            return Err(Refusal::new(&NOT_ON_PROBATION).with("name", name).with("date", since));
        }
        let who = Actor::of(&call);
        another(&name, Do::Confirm.name(), &who, &[("record", &locked.view.recorder())])?;
        days.confirmed = Some(day.unwrap_or_else(|| call.today()));
        need_fit(days, locked.view.birth()?, "")?;
        store::set_days(work.sql(), &locked.name, days, Some(&who), &request.comment).await?;
        let from = locked.view.state()?.name();
        record(work, &locked.name, Told { verb: Do::Confirm, from, comment: &request.comment }).await
    }
}

/// Fits posts and leave to other days of employment; governance is told of a post that ends by it.
async fn fit_posts(work: &mut Work, locked: &Locked, days: Days, reason: &str) -> Result<(), Refusal> {
    let life = days.period().ok_or_else(|| Refusal::internal("no day of employment"))?;
    let splice = fit(&locked.line, life);
    write_line(work, &locked.name, &splice, reason).await?;
    if let Some(day) = days.left {
        absence::end_all(work.sql(), &locked.name, day).await?;
        tell_of_end(work, locked, &splice, day).await?;
    }
    Ok(())
}

/// EndEmployment 离职.
pub(super) struct End;

#[tonic::async_trait]
impl Verb for End {
    type Request = pb::EndEmploymentRequest;
    type Answer = pb::Worker;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Worker>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::EndEmployment).await?;
        let name = locked.name.to_string();
        let reason = comment::reason(&request.comment, &name, Do::EndEmployment.name())?;
        let end = wire::required_date("end_date", request.end_date.as_ref()).map_err(Refusal::one)?;
        let mut days = locked.view.days()?;
        days.left = Some(end);
        // who leaves on probation is never confirmed
        days.confirmed =
            days.confirmed.filter(|confirmed| days.probation_ends.is_none() || *confirmed <= end);
        need_fit(days, locked.view.birth()?, "")?;
        store::set_days(work.sql(), &locked.name, days, None, reason).await?;
        fit_posts(work, &locked, days, reason).await?;
        let from = locked.view.state()?.name();
        record(work, &locked.name, Told { verb: Do::EndEmployment, from, comment: reason }).await
    }
}

/// CorrectWorker 更正.
pub(super) struct Correct;

/// The days as a correction has them.
fn corrected(mut days: Days, request: &pb::CorrectWorkerRequest) -> Result<Days, Refusal> {
    let mut faults = Faults::default();
    let hired = faults.take(wire::date("hire_date", request.hire_date.as_ref()));
    let confirmed = faults.take(wire::date("confirm_date", request.confirm_date.as_ref()));
    let left = faults.take(wire::date("end_date", request.end_date.as_ref()));
    if request.still_employed && request.end_date.is_some() {
        let (zh, en) = ("不能与 end_date 同时填写", "not together with end_date");
        faults.push(FieldFault::new("still_employed", "CONFLICT", zh, en));
    }
    let ((hired, confirmed), left) = faults.finish(hired.zip(confirmed).zip(left))?;
    days.hired = hired.unwrap_or(days.hired);
    days.left = if request.still_employed { None } else { left.or(days.left) };
    days.confirmed = match days.probation_ends {
        // without probation the first day confirms
        None => Some(days.hired),
        Some(_) => confirmed.or(days.confirmed),
    };
    Ok(days)
}

#[tonic::async_trait]
impl Verb for Correct {
    type Request = pb::CorrectWorkerRequest;
    type Answer = pb::Worker;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Worker>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Correct).await?;
        let name = locked.name.to_string();
        let reason = comment::reason(&request.comment, &name, Do::Correct.name())?;
        let before = locked.view.days()?;
        let days = corrected(before, request)?;
        need_fit(days, locked.view.birth()?, "")?;
        need_employed_once(work, &locked.name, &locked.view.person, days).await?;
        let who = Actor::of(work.call());
        let confirms = days.probation_ends.is_some() && days.confirmed != before.confirmed;
        if confirms {
            another(&name, Do::Confirm.name(), &who, &[("record", &locked.view.recorder())])?;
        }
        store::set_days(work.sql(), &locked.name, days, confirms.then_some(&who), reason).await?;
        if (days.hired, days.left) != (before.hired, before.left) {
            fit_posts(work, &locked, days, reason).await?;
        }
        let from: State = locked.view.state()?;
        record(work, &locked.name, Told { verb: Do::Correct, from: from.name(), comment: reason }).await
    }
}
