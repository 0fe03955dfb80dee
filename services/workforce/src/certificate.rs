//! Certificates 证书: of the professional exam, of courses passed here, of others. What was declared void stays readable.

pub(crate) mod store;

pub(crate) use store::holding;

use chassis::{
    call::Call,
    comment,
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
    name::{CertificateName, TownName, WorkerName},
    named,
    periods::Period,
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use self::store::{New, Row};
use crate::{
    reasons::{CERTIFICATE_NUMBER_USED, CERTIFICATE_VOID},
    worker,
};

named! {
    /// What a certificate is of.
    pub(crate) Kind {
        /// Onboarding training 上岗培训: nobody keeps duty alone before.
        Onboarding = "ONBOARDING",
        /// Assistant social worker 助理社会工作师.
        AssistantSocialWorker = "ASSISTANT_SOCIAL_WORKER",
        /// Social worker 社会工作师.
        SocialWorker = "SOCIAL_WORKER",
        /// Senior social worker 高级社会工作师.
        SeniorSocialWorker = "SENIOR_SOCIAL_WORKER",
        /// A course passed 课程结业.
        Course = "COURSE",
        /// Something else 其他.
        Other = "OTHER",
    }
}

const fn field(name: &'static str, column: &'static str, kind: Type) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// What a List may ask for.
const FILTER: &[FieldSpec] = &[
    field("worker", "c.worker", Type::Name { collection: "workers", town: "c.town" }),
    field("person", "c.person", Type::Name { collection: "people", town: "c.town" }),
    field("kind", "c.kind", Type::Enum(Kind::NAMES)),
    field("obtain_date", "lower(c.valid)", Type::Date),
    field("expire_date", "upper(c.valid)", Type::Date),
    field("voided", "(c.voided is not null)", Type::Bool),
];

fn encode(row: &Row) -> Result<pb::Certificate, Refusal> {
    let day = |text: &str| history::day(text).map(wire::to_date);
    let kind = format!("CERTIFICATE_KIND_{}", row.kind);
    let named = |collection: &str, id: &Option<String>| match id {
        Some(id) => format!("towns/{}/{collection}/{id}", row.town),
        None => String::new(),
    };
    Ok(pb::Certificate {
        name: row.name(),
        worker: named("workers", &row.worker),
        person: format!("towns/{}/people/{}", row.town, row.person),
        kind: pb::CertificateKind::from_str_name(&kind).unwrap_or_default().into(),
        title: row.title.clone(),
        course: named("courses", &row.course),
        number: row.number.clone(),
        obtain_date: Some(day(&row.starts)?),
        expire_date: row.ends.as_deref().map(day).transpose()?,
        voided: row.voided,
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
    })
}

/// A page of certificates.
pub(crate) async fn page(
    context: &Context,
    call: &Call,
    request: &pb::ListCertificatesRequest,
) -> Result<pb::ListCertificatesResponse, Refusal> {
    let (asked, paging) = Asked::read(context, call, listing::request_undated!(request), FILTER)?;
    let mut read = context.db.read().await?;
    let mut found: Vec<Row> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
    let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
    let certificates = found.iter().map(encode).collect::<Result<_, _>>()?;
    Ok(pb::ListCertificatesResponse { certificates, next_page_token })
}

/// The change that tells of a certificate; it names resources and days, and nothing personal.
///
/// # Errors
/// When a day of the row can't be read.
pub(crate) fn change(
    row: &Row,
    (verb, event): (&'static str, &'static str),
    comment: &str,
) -> Result<Change, Refusal> {
    let its = encode(row)?;
    Ok(Change {
        resource: row.name(),
        version: row.version,
        verb,
        from_state: "",
        to_state: "",
        comment: comment.to_owned(),
        event,
        data: json!({
            "certificate": its.name,
            "worker": its.worker,
            "person": its.person,
            "kind": row.kind,
            "obtain_date": row.starts,
            "expire_date": row.ends,
        }),
    })
}

fn record(
    row: &Row,
    told: (&'static str, &'static str),
    comment: &str,
) -> Result<Record<pb::Certificate>, Refusal> {
    Ok(Record {
        town: row.town.clone(),
        resource: row.name(),
        summary: format!("{} {}", told.0, row.name()),
        changes: vec![change(row, told, comment)?],
        answer: encode(row)?,
    })
}

/// What a request says of a certificate.
struct Given {
    worker: WorkerName,
    kind: Kind,
    title: String,
    number: String,
    days: Period,
}

/// The number of a certificate, which is no identity number; empty without one.
///
/// # Errors
/// A fault of the field.
pub(crate) fn number(field: &str, text: &str) -> Result<String, FieldFault> {
    match text.trim() {
        "" => Ok(String::new()),
        text if kernel::ids::holds_number(text) => {
            Err(FieldFault::new(field, "PERSONAL", "不得含证件号码", "must hold no identity number"))
        }
        text => fields::reference(field, text),
    }
}

fn read(town: &str, given: &pb::Certificate) -> Result<Given, Refusal> {
    let mut faults = Faults::default();
    let worker = faults.take(fields::in_town("certificate.worker", &given.worker, town, WorkerName::town));
    let kind = Kind::from_name(given.kind().as_str_name().trim_start_matches("CERTIFICATE_KIND_"));
    let kind =
        faults.take(kind.ok_or_else(|| FieldFault::new("certificate.kind", "REQUIRED", "必填", "required")));
    let needs_title = kind.is_some_and(|kind| matches!(kind, Kind::Course | Kind::Other));
    let title = match given.title.trim().is_empty() && !needs_title {
        true => Some(String::new()),
        false => faults.take(fields::display("certificate.title", &given.title)),
    };
    let number = faults.take(number("certificate.number", &given.number));
    let start = faults.take(wire::required_date("certificate.obtain_date", given.obtain_date.as_ref()));
    let end = faults.take(wire::date("certificate.expire_date", given.expire_date.as_ref()));
    let days = start.zip(end).and_then(|(start, end)| {
        let order = |error: kernel::periods::EmptyPeriod| {
            FieldFault::new("certificate.expire_date", "ORDER", "应晚于 obtain_date", error.to_string())
        };
        faults.take(Period::new(start, end).map_err(order))
    });
    let all = worker.zip(kind).zip(title).zip(number).zip(days);
    let ((((worker, kind), title), number), days) = faults.finish(all)?;
    Ok(Given { worker, kind, title, number, days })
}

/// CreateCertificate.
pub(crate) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateCertificateRequest;
    type Answer = pb::Certificate;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Certificate>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        let scope = call.scope(town.town())?;
        let default = pb::Certificate::default();
        let given = read(town.town(), request.certificate.as_ref().unwrap_or(&default))?;
        let view = worker::store::get(work.sql(), &given.worker, &scope, call.today()).await?;
        let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Worker", given.worker.to_string()))?;
        if let Some(other) = store::of_number(work.sql(), town.town(), given.kind, &given.number).await? {
            let other = format!("{town}/certificates/{other}");
            return Err(Refusal::new(&CERTIFICATE_NUMBER_USED).with("other", other));
        }
        let new = New {
            id: Uuid::now_v7(),
            person: view.person,
            worker: Some(view.id),
            kind: given.kind,
            title: given.title,
            course: None,
            number: given.number,
            days: given.days,
        };
        store::create(work.sql(), town.town(), &new).await?;
        let row = store::of(work.sql(), town.town(), new.id).await?;
        record(&row, ("create", "certificate.recorded"), &request.comment)
    }
}

/// VoidCertificate.
pub(crate) struct Void;

#[tonic::async_trait]
impl Verb for Void {
    type Request = pb::VoidCertificateRequest;
    type Answer = pb::Certificate;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Certificate>, Refusal> {
        let name: CertificateName = wire::name("name", &request.name)?;
        let call = work.call().clone();
        call.whole_town(name.town())?;
        let reason = comment::reason(&request.comment, &request.name, "void")?;
        let missing = || Refusal::not_found("linli.dev/Certificate", name.to_string());
        let id = Uuid::parse_str(name.certificate()).map_err(|_| missing())?;
        let row = store::find(work.sql(), name.town(), id, true).await?.ok_or_else(missing)?;
        check_etag(&request.name, &request.etag, row.version)?;
        if row.voided {
            return Err(Refusal::new(&CERTIFICATE_VOID).with("name", &name));
        }
        store::void(work.sql(), name.town(), id, reason).await?;
        let row = store::of(work.sql(), name.town(), id).await?;
        record(&row, ("void", "certificate.voided"), reason)
    }
}
