//! Leave 请假: days on which a worker is away. What was taken back stays readable.

mod store;

pub(crate) use store::end_all;

use chassis::{
    call::Call,
    context::Context,
    fields, history,
    listing::{self, Asked},
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind as Type},
    name::{AbsenceName, TownName, WorkerName},
    named,
    periods::{Period, gaps},
    state::Named,
    text::{display_name, is_invisible},
};
use serde_json::json;
use uuid::Uuid;

use self::store::Row;
use crate::{
    reasons::{ABSENCE_CANCELLED, ABSENCE_OVERLAP, OUTSIDE_EMPLOYMENT},
    worker,
};

named! {
    /// Why a worker is away.
    pub(crate) Kind {
        /// Annual leave 年休假.
        AnnualLeave = "ANNUAL_LEAVE",
        /// Sick leave 病假.
        SickLeave = "SICK_LEAVE",
        /// Maternity leave 产假.
        MaternityLeave = "MATERNITY_LEAVE",
        /// Personal leave 事假.
        PersonalLeave = "PERSONAL_LEAVE",
        /// An exam 考试.
        Exam = "EXAM",
        /// Training elsewhere 培训.
        Training = "TRAINING",
        /// Something else 其他.
        Other = "OTHER",
    }
}

/// Characters of a note, at most.
const NOTE: usize = 500;

const fn field(name: &'static str, column: &'static str, kind: Type) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// What a List may ask for.
const FILTER: &[FieldSpec] = &[
    field("worker", "a.worker", Type::Name { collection: "workers", town: "a.town" }),
    field("kind", "a.kind", Type::Enum(Kind::NAMES)),
    field("start_date", "lower(a.valid)", Type::Date),
    field("end_date", "upper(a.valid)", Type::Date),
    field("cancelled", "(a.cancelled is not null)", Type::Bool),
];

fn encode(row: &Row) -> Result<pb::Absence, Refusal> {
    let day = |text: &str| history::day(text).map(wire::to_date);
    let kind = format!("ABSENCE_KIND_{}", row.kind);
    Ok(pb::Absence {
        name: row.name(),
        worker: format!("towns/{}/workers/{}", row.town, row.worker),
        kind: pb::AbsenceKind::from_str_name(&kind).unwrap_or_default().into(),
        start_date: Some(day(&row.starts)?),
        end_date: row.ends.as_deref().map(day).transpose()?,
        cancelled: row.cancelled,
        note: row.note.clone(),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
    })
}

/// A page of absences.
pub(crate) async fn page(
    context: &Context,
    call: &Call,
    request: &pb::ListAbsencesRequest,
) -> Result<pb::ListAbsencesResponse, Refusal> {
    let (asked, paging) = Asked::read(context, call, listing::request_undated!(request), FILTER)?;
    let mut read = context.db.read().await?;
    let mut found: Vec<Row> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
    let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
    let absences = found.iter().map(encode).collect::<Result<_, _>>()?;
    Ok(pb::ListAbsencesResponse { absences, next_page_token })
}

/// A worker of the caller's areas, locked, with the employment.
async fn lock(work: &mut Work, name: &WorkerName) -> Result<Period, Refusal> {
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    worker::store::LINE.lock(work.sql(), name.town(), name.worker()).await?;
    let view = worker::store::get(work.sql(), name, &scope, call.today()).await?;
    let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Worker", name.to_string()))?;
    view.days()?.period().ok_or_else(|| Refusal::internal("no day of employment"))
}

fn record(town: &str, row: &Row, verb: &'static str, comment: &str) -> Result<Record<pb::Absence>, Refusal> {
    // why somebody is away is nobody's business but the town's: it is no part of the event
    let change = Change {
        resource: row.name(),
        version: row.version,
        verb,
        from_state: "",
        to_state: "",
        comment: comment.to_owned(),
        event: if row.cancelled { "absence.cancelled" } else { "absence.recorded" },
        data: json!({
            "absence": row.name(),
            "worker": format!("towns/{town}/workers/{}", row.worker),
            "start_date": row.starts,
            "end_date": row.ends,
            "cancelled": row.cancelled,
        }),
    };
    Ok(Record {
        town: town.to_owned(),
        resource: row.name(),
        summary: format!("{verb} {}", row.name()),
        changes: vec![change],
        answer: encode(row)?,
    })
}

/// What a request says of days of leave.
struct New {
    worker: WorkerName,
    kind: Kind,
    days: Period,
    note: String,
}

fn note(text: &str) -> Result<String, FieldFault> {
    let fault = |zh: &str, en: &str| Err(FieldFault::new("absence.note", "TEXT", zh, en));
    match text.trim() {
        "" => Ok(String::new()),
        text if kernel::ids::holds_number(text) => fault("不得含证件号码", "must hold no identity number"),
        text if text.chars().any(is_invisible) => {
            fault("含不可见字符", "holds characters that nobody can see")
        }
        text => match display_name(text, NOTE) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => fault("最多 500 个字符", "500 characters at most"),
        },
    }
}

fn read(town: &str, given: &pb::Absence) -> Result<New, Refusal> {
    let mut faults = Faults::default();
    let worker = faults.take(fields::in_town("absence.worker", &given.worker, town, WorkerName::town));
    let kind = Kind::from_name(given.kind().as_str_name().trim_start_matches("ABSENCE_KIND_"));
    let kind =
        faults.take(kind.ok_or_else(|| FieldFault::new("absence.kind", "REQUIRED", "必填", "required")));
    let start = faults.take(wire::required_date("absence.start_date", given.start_date.as_ref()));
    let end = faults.take(wire::date("absence.end_date", given.end_date.as_ref()));
    let note = faults.take(note(&given.note));
    let days = start.zip(end).and_then(|(start, end)| {
        let order = |error: kernel::periods::EmptyPeriod| {
            FieldFault::new("absence.end_date", "ORDER", "应晚于 start_date", error.to_string())
        };
        faults.take(Period::new(start, end).map_err(order))
    });
    let (((worker, kind), days), note) = faults.finish(worker.zip(kind).zip(days).zip(note))?;
    Ok(New { worker, kind, days, note })
}

/// CreateAbsence 请假.
pub(crate) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateAbsenceRequest;
    type Answer = pb::Absence;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Absence>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().scope(town.town())?;
        let default = pb::Absence::default();
        let new = read(town.town(), request.absence.as_ref().unwrap_or(&default))?;
        let life = lock(work, &new.worker).await?;
        let days = match new.days.to() {
            None => Period::new(new.days.from(), life.to()).unwrap_or(new.days),
            Some(_) => new.days,
        };
        if let Some(outside) = gaps(days, &[life]).first() {
            return Err(Refusal::new(&OUTSIDE_EMPLOYMENT).with("name", &new.worker).with("days", outside));
        }
        if let Some(other) = store::overlapping(work.sql(), &new.worker, days).await? {
            let other = format!("{town}/absences/{other}");
            return Err(Refusal::new(&ABSENCE_OVERLAP).with("name", &new.worker).with("other", other));
        }
        let id = Uuid::now_v7();
        store::create(work.sql(), &new.worker, id, (new.kind, days), &new.note).await?;
        let row = store::of(work.sql(), town.town(), id).await?;
        record(town.town(), &row, "create", &request.comment)
    }
}

/// CancelAbsence 销假.
pub(crate) struct Cancel;

#[tonic::async_trait]
impl Verb for Cancel {
    type Request = pb::CancelAbsenceRequest;
    type Answer = pb::Absence;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Absence>, Refusal> {
        let name: AbsenceName = wire::name("name", &request.name)?;
        let call = work.call().clone();
        let scope = call.scope(name.town())?;
        let from = wire::date("from_date", request.from_date.as_ref()).map_err(Refusal::one)?;
        let missing = || call.missing(&scope, "linli.dev/Absence", name.to_string());
        let id = Uuid::parse_str(name.absence()).map_err(|_| missing())?;
        let row = store::find(work.sql(), name.town(), id).await?.ok_or_else(missing)?;
        let worker = WorkerName::new(name.town(), &row.worker).map_err(Refusal::internal)?;
        lock(work, &worker).await?;
        // read again: somebody else may have had the lock
        let row = store::of(work.sql(), name.town(), id).await?;
        check_etag(&request.name, &request.etag, row.version)?;
        if row.cancelled {
            return Err(Refusal::new(&ABSENCE_CANCELLED).with("name", &name));
        }
        store::cancel(work.sql(), name.town(), id).await?;
        // the days before it are leave still, under a name of their own
        let rest = match from {
            Some(from) => Period::new(history::day(&row.starts)?, Some(from)).ok(),
            None => None,
        };
        if let Some(rest) = rest {
            let kind = Kind::from_name(&row.kind).ok_or_else(|| Refusal::internal("kind"))?;
            store::create(work.sql(), &worker, Uuid::now_v7(), (kind, rest), &row.note).await?;
        }
        let row = store::of(work.sql(), name.town(), id).await?;
        record(name.town(), &row, "cancel", &request.comment)
    }
}
