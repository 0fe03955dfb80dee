//! Beginning, approving and giving up a pay run.

use std::collections::HashSet;

use chassis::{
    actor::{Actor, another},
    comment, fields,
    operations::store as operations,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{PayRunName, TownName, WorkerName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode, job,
    store::{self, InTheWay, Run, Told},
};
use crate::{
    pay::{
        lives::{RUNS, RunVerb as Do},
        scale,
    },
    reasons::{PAY_MONTH_APPROVED, PAY_RUN_OPEN, PAY_SCALE_MISSING},
};

/// The change that tells of a run's step; it names no amount.
pub(super) fn change(
    name: &PayRunName,
    run: &Run,
    (verb, from, event): (Do, &'static str, &'static str),
    comment: &str,
) -> Result<Change, Refusal> {
    Ok(Change {
        resource: name.to_string(),
        version: run.version,
        verb: verb.name(),
        from_state: from,
        to_state: run.state()?.name(),
        comment: comment.to_owned(),
        event,
        data: json!({
            "pay_run": name.to_string(),
            "month": run.month()?.to_string(),
            "pay_scale": scale::encode::name(name.town(), &run.scale),
            "state": run.state()?.name(),
        }),
    })
}

async fn record(
    work: &mut Work,
    name: &PayRunName,
    told: (Do, &'static str, &'static str),
    comment: &str,
) -> Result<Record<pb::PayRun>, Refusal> {
    let service = work.call().service();
    let run = store::get(work.sql(), name, false).await?;
    let run = run.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", told.0.name()),
        changes: vec![change(name, &run, told, comment)?],
        answer: encode::run(service, &run)?,
    })
}

/// A run of the caller's town, locked.
async fn lock(work: &mut Work, name: &PayRunName, etag: &str) -> Result<Run, Refusal> {
    work.call().whole_town(name.town())?;
    let found = store::get(work.sql(), name, true).await?;
    let found = found.ok_or_else(|| Refusal::not_found("linli.dev/PayRun", name.to_string()))?;
    check_etag(&name.to_string(), etag, found.version)?;
    Ok(found)
}

/// CreatePayRun.
pub(crate) struct Create;

/// The month that a request begins; none that is still to come.
fn read_month(given: &pb::PayRun, today: Date) -> Result<Date, FieldFault> {
    match scale::encode::read_month("pay_run.month", given.month.as_ref())? {
        month if month <= today => Ok(month),
        _ => {
            let (zh, en) = ("不能是以后的月份", "must not be a month that is still to come");
            Err(FieldFault::new("pay_run.month", "FUTURE", zh, en))
        }
    }
}

/// A row of duties: of the run's month, or of an earlier one.
fn read_duty(faults: &mut Faults, town: &str, n: usize, given: &pb::PayDuty, month: Date) -> Option<Told> {
    let field = |name: &str| format!("pay_run.duties[{n}].{name}");
    let worker = faults.take(fields::in_town(&field("worker"), &given.worker, town, WorkerName::town));
    let its_month = match given.month.as_ref() {
        None => Some(month),
        given => faults.take(scale::encode::read_month(&field("month"), given)),
    };
    if its_month.is_some_and(|its| its > month) {
        let (zh, en) = ("不能晚于核算月份", "must not come after the month of the run");
        faults.push(FieldFault::new(field("month"), "ORDER", zh, en));
    }
    let days = its_month.map_or(31, |its| i32::from(its.days_in_month()));
    if given.rest_days + given.holiday_days > days {
        let (zh, en) = ("超过当月天数", "more days than the month has");
        faults.push(FieldFault::new(field("rest_days"), "RANGE", zh, en));
    }
    let (worker, month) = worker.zip(its_month)?;
    Some(Told {
        worker: worker.worker().to_owned(),
        month,
        rest_days: given.rest_days,
        holiday_days: given.holiday_days,
    })
}

/// The duties of a request: each worker and month once, every worker known.
async fn read_duties(
    work: &mut Work,
    faults: &mut Faults,
    town: &str,
    given: &[pb::PayDuty],
    month: Date,
) -> Result<Vec<Told>, Refusal> {
    let read: Vec<(usize, Told)> = given
        .iter()
        .enumerate()
        .filter_map(|(n, duty)| Some((n, read_duty(faults, town, n, duty, month)?)))
        .collect();
    let workers: Vec<String> = read.iter().map(|(_, told)| told.worker.clone()).collect();
    let known: HashSet<String> = store::known(work.sql(), town, &workers).await?.into_iter().collect();
    let mut seen = HashSet::new();
    for (n, told) in &read {
        if !known.contains(&told.worker) {
            let field = format!("pay_run.duties[{n}].worker");
            faults.push(FieldFault::new(field, "UNKNOWN", "没有该社工", "there is no such worker"));
        }
        if !seen.insert((told.worker.as_str(), told.month)) {
            let field = format!("pay_run.duties[{n}]");
            faults.push(FieldFault::new(field, "TWICE", "重复", "given twice"));
        }
    }
    Ok(read.into_iter().map(|(_, told)| told).collect())
}

/// Refuses a run while another is open, or one was approved of the month or a later one.
async fn need_next(work: &mut Work, town: &str, month: Date) -> Result<(), Refusal> {
    let Some(InTheWay { id, approved }) = store::in_the_way(work.sql(), town, month).await? else {
        return Ok(());
    };
    let reason = if approved { &PAY_MONTH_APPROVED } else { &PAY_RUN_OPEN };
    Err(Refusal::new(reason).with("name", encode::name(town, &id)).with("month", month))
}

/// The scale that holds for a month.
async fn scale_of(work: &mut Work, town: &str, month: Date) -> Result<String, Refusal> {
    for row in scale::store::approved(work.sql(), town).await?.into_iter().rev() {
        if row.since()? <= month {
            return Ok(row.id);
        }
    }
    Err(Refusal::new(&PAY_SCALE_MISSING).with("month", month))
}

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreatePayRunRequest;
    type Answer = pb::PayRun;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::PayRun>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let default = pb::PayRun::default();
        let given = request.pay_run.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let month = faults.take(read_month(given, work.call().today()));
        let told = match month {
            Some(month) => read_duties(work, &mut faults, town.town(), &given.duties, month).await?,
            None => Vec::new(),
        };
        let month = faults.finish(month)?;
        need_next(work, town.town(), month).await?;
        let scale = scale_of(work, town.town(), month).await?;
        let (id, operation) = (Uuid::now_v7().to_string(), Uuid::now_v7());
        let name = PayRunName::new(town.town(), id).map_err(Refusal::internal)?;
        let by = Actor::of(work.call());
        let made = store::create(work.sql(), &name, (month, &scale, operation), &by).await;
        made.map_err(|refusal| match refusal.constraint() {
            // another one was begun meanwhile
            Some("pay_run_one_open") => {
                Refusal::new(&PAY_RUN_OPEN).with("name", "-").with("month", month).because(refusal)
            }
            _ => refusal,
        })?;
        store::tell(work.sql(), &name, &told).await?;
        operations::begin(work, town.town(), operation, job::KIND, name.to_string().as_bytes()).await?;
        record(work, &name, (Do::Create, "", "payRun.begun"), &request.comment).await
    }
}

/// Refuses approval to whoever began the run.
pub(super) fn need_another(name: &PayRunName, beginner: &Actor, who: &Actor) -> Result<(), Refusal> {
    another(&name.to_string(), Do::Approve.name(), who, &[("create", beginner)])
}

/// ApprovePayRun.
pub(crate) struct Approve;

#[tonic::async_trait]
impl Verb for Approve {
    type Request = pb::ApprovePayRunRequest;
    type Answer = pb::PayRun;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::PayRun>, Refusal> {
        let name: PayRunName = wire::name("name", &request.name)?;
        let run = lock(work, &name, &request.etag).await?;
        let from = run.state()?;
        let to = transition(&RUNS, &name.to_string(), from, Do::Approve)?;
        let by = Actor::of(work.call());
        need_another(&name, &run.beginner(), &by)?;
        store::step(work.sql(), &name, to, Some(&by)).await?;
        record(work, &name, (Do::Approve, from.name(), "payRun.approved"), &request.comment).await
    }
}

/// CancelPayRun.
pub(crate) struct Cancel;

#[tonic::async_trait]
impl Verb for Cancel {
    type Request = pb::CancelPayRunRequest;
    type Answer = pb::PayRun;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::PayRun>, Refusal> {
        let name: PayRunName = wire::name("name", &request.name)?;
        let run = lock(work, &name, &request.etag).await?;
        let from = run.state()?;
        let to = transition(&RUNS, &name.to_string(), from, Do::Cancel)?;
        let reason = comment::reason(&request.comment, &request.name, Do::Cancel.name())?;
        store::step(work.sql(), &name, to, None).await?;
        record(work, &name, (Do::Cancel, from.name(), "payRun.cancelled"), reason).await
    }
}
