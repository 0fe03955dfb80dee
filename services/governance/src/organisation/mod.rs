//! Organisations 组织: property companies, units, social organisations, insurers, groups.

pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag, mutate},
};
use contracts::linli::governance::v1::{self as pb, organisation_service_server::OrganisationService};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    ids::CreditCode,
    name::{OrganisationName, TownName},
};
use serde_json::json;
use store::{Facts, Organisation};
use tonic::{Request, Response, Status};

use crate::{
    fields::display,
    listing::{self, Asked},
};

/// The kinds by their names in store and files.
pub(crate) const KINDS: &[&str] = &["PROPERTY_COMPANY", "INSURER", "SOCIAL_ORGANISATION", "UNIT", "GROUP"];

const FILTER: &[FieldSpec] = &[
    FieldSpec { name: "display_name", column: "o.display_name", kind: Kind::Text },
    FieldSpec { name: "kind", column: "o.kind", kind: Kind::Text },
    FieldSpec { name: "unified_social_credit_code", column: "o.credit_code", kind: Kind::Text },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Organisations(pub Context);

fn encode(organisation: &Organisation) -> pb::Organisation {
    let kind = pb::OrganisationKind::from_str_name(&format!("ORGANISATION_KIND_{}", organisation.kind));
    pb::Organisation {
        name: format!("towns/{}/organisations/{}", organisation.town, organisation.id),
        display_name: organisation.display_name.clone(),
        kind: kind.unwrap_or_default().into(),
        unified_social_credit_code: organisation.credit_code.clone().unwrap_or_default(),
        etag: Etag::of(organisation.version).to_string(),
        create_time: Some(wire::to_timestamp(organisation.created)),
        update_time: Some(wire::to_timestamp(organisation.updated)),
    }
}

fn kind(field: &str, given: i32) -> Result<&'static str, FieldFault> {
    let name = pb::OrganisationKind::try_from(given).unwrap_or_default().as_str_name();
    let found = KINDS.iter().find(|kind| name.strip_prefix("ORGANISATION_KIND_") == Some(kind));
    found.copied().ok_or_else(|| FieldFault::new(field, "REQUIRED", "必填", "required"))
}

/// The credit code; only a group may have none.
fn code(field: &str, text: &str, kind: Option<&str>) -> Result<Option<String>, FieldFault> {
    if text.is_empty() && kind == Some("GROUP") {
        return Ok(None);
    }
    let code = CreditCode::parse(text);
    code.map(|code| Some(code.to_string()))
        .map_err(|error| FieldFault::new(field, "CREDIT_CODE", "统一社会信用代码有误", error.to_string()))
}

/// The change that tells of an organisation.
pub(crate) fn change(name: &OrganisationName, version: i64, verb: &'static str) -> Change {
    Change {
        resource: name.to_string(),
        version,
        verb,
        from_state: "",
        to_state: "",
        comment: String::new(),
        event: if version == 1 { "organisation.created" } else { "organisation.updated" },
        data: json!({"organisation": name.to_string()}),
    }
}

async fn record(
    work: &mut Work,
    name: &OrganisationName,
    version: i64,
    verb: &'static str,
) -> Result<Record<pb::Organisation>, Refusal> {
    let organisation = store::get(work.sql(), name, false).await?;
    let organisation = organisation.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{verb} {name}"),
        changes: vec![change(name, version, verb)],
        answer: encode(&organisation),
    })
}

struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateOrganisationRequest;
    type Answer = pb::Organisation;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Organisation>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let default = pb::Organisation::default();
        let given = request.organisation.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let name = OrganisationName::new(town.town(), &request.organisation_id);
        let name = faults.take(name.map_err(|error| {
            FieldFault::new("organisation_id", "FORMAT", "编号格式不符", error.to_string())
        }));
        let display_name = faults.take(display("organisation.display_name", &given.display_name));
        let kind = faults.take(kind("organisation.kind", given.kind));
        let credit = "organisation.unified_social_credit_code";
        let credit_code = faults.take(code(credit, &given.unified_social_credit_code, kind));
        let all = name.zip(display_name).zip(kind).zip(credit_code);
        let (((name, display_name), kind), credit_code) = faults.finish(all)?;
        let taken = Refusal::new(&ALREADY_EXISTS).with("name", &name);
        if !store::create(work.sql(), &name, &Facts { display_name, kind, credit_code }).await? {
            return Err(taken);
        }
        record(work, &name, 1, "create").await
    }
}

struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateOrganisationRequest;
    type Answer = pb::Organisation;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Organisation>, Refusal> {
        let default = pb::Organisation::default();
        let given = request.organisation.as_ref().unwrap_or(&default);
        let name: OrganisationName = wire::name("organisation.name", &given.name)?;
        let call = work.call().clone();
        call.whole_town(name.town())?;
        let found = store::get(work.sql(), &name, true).await?;
        let found = found.ok_or_else(|| Refusal::not_found("linli.dev/Organisation", name.to_string()))?;
        check_etag(&name.to_string(), &given.etag, found.version)?;
        let mut faults = Faults::default();
        let fields = faults.take(wire::mask(request.update_mask.as_ref(), &["display_name", "kind"]));
        let changes = |field| fields.as_ref().is_some_and(|fields| fields.contains(&field));
        let display_name = if changes("display_name") {
            faults.take(display("organisation.display_name", &given.display_name))
        } else {
            Some(found.display_name)
        };
        let kind = if changes("kind") {
            faults.take(kind("organisation.kind", given.kind)).map(str::to_owned)
        } else {
            Some(found.kind)
        };
        let (display_name, kind) = faults.finish(display_name.zip(kind))?;
        let version = store::update(work.sql(), &name, &display_name, &kind).await?;
        record(work, &name, version, "update").await
    }
}

#[tonic::async_trait]
impl OrganisationService for Organisations {
    async fn get_organisation(
        &self,
        request: Request<pb::GetOrganisationRequest>,
    ) -> Result<Response<pb::Organisation>, Status> {
        let call = Call::of(&request)?;
        let name: OrganisationName = wire::name("name", &request.get_ref().name)?;
        let scope = call.scope(name.town())?;
        let found = store::get(self.0.db.read().await?.sql(), &name, false).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Organisation", name.to_string()))?;
        Ok(Response::new(encode(&found)))
    }

    async fn list_organisations(
        &self,
        request: Request<pb::ListOrganisationsRequest>,
    ) -> Result<Response<pb::ListOrganisationsResponse>, Status> {
        let (call, request) = (Call::of(&request)?, request.get_ref());
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.0, &call, asked, FILTER)?;
        let mut found = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut found, |organisation| vec![organisation.id.clone()]);
        let organisations = found.iter().map(encode).collect();
        Ok(Response::new(pb::ListOrganisationsResponse { organisations, next_page_token }))
    }

    async fn create_organisation(
        &self,
        request: Request<pb::CreateOrganisationRequest>,
    ) -> Result<Response<pb::Organisation>, Status> {
        mutate::<Create>(&self.0, request).await
    }

    async fn update_organisation(
        &self,
        request: Request<pb::UpdateOrganisationRequest>,
    ) -> Result<Response<pb::Organisation>, Status> {
        mutate::<Update>(&self.0, request).await
    }
}
