//! Towns 镇: the tenants.

pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    identity::{Area, Scope, allows},
    paging::Paging,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag, mutate},
};
use contracts::linli::governance::v1::{self as pb, town_service_server::TownService};
use kernel::{etag::Etag, name::TownName};
use serde_json::json;
use tonic::{Request, Response, Status};

use crate::fields::display;
use store::Town;

/// The town under which what belongs to no town is recorded: the national calendar.
pub const NATIONAL: &str = "national";

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Towns(pub Context);

fn encode(town: &Town) -> pb::Town {
    pb::Town {
        name: format!("towns/{}", town.town),
        display_name: town.display_name.clone(),
        district: town.district.clone(),
        administrative_code: town.administrative_code.clone(),
        demonstration: town.demonstration,
        etag: Etag::of(town.version).to_string(),
        create_time: Some(wire::to_timestamp(town.created)),
        update_time: Some(wire::to_timestamp(town.updated)),
    }
}

/// The change that tells of a town.
pub(crate) fn change(town: &Town, verb: &'static str, event: &'static str) -> Change {
    Change {
        resource: format!("towns/{}", town.town),
        version: town.version,
        verb,
        from_state: "",
        to_state: "",
        comment: String::new(),
        event,
        data: json!({"town": format!("towns/{}", town.town)}),
    }
}

fn record(town: &Town, verb: &'static str, event: &'static str) -> Record<pb::Town> {
    let change = change(town, verb, event);
    Record {
        town: town.town.clone(),
        resource: change.resource.clone(),
        summary: format!("{verb} {}", change.resource),
        changes: vec![change],
        answer: encode(town),
    }
}

impl Towns {
    async fn read(&self, call: &Call, request: &pb::GetTownRequest) -> Result<pb::Town, Refusal> {
        let name: TownName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let town = store::get(self.0.db.read().await?.sql(), name.town()).await?;
        Ok(encode(&town.ok_or_else(|| call.missing(&scope, "linli.dev/Town", name.to_string()))?))
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListTownsRequest,
    ) -> Result<pb::ListTownsResponse, Refusal> {
        let areas = call
            .grants()
            .iter()
            .filter(|grant| allows(grant.role, call.permission()))
            .map(|grant| &grant.area);
        let everywhere = areas.clone().any(|area| *area == Area::Everywhere);
        let own: Vec<String> = areas.filter_map(|area| area.town().map(str::to_owned)).collect();
        let paging = Paging::open(&self.0, call, &[], request.page_size, &request.page_token)?;
        let towns = (!everywhere).then_some(own.as_slice());
        let mut towns =
            store::list(self.0.db.read().await?.sql(), towns, paging.after_first(), paging.limit()).await?;
        let next_page_token = paging.next(&mut towns, |town| vec![town.town.clone()]);
        Ok(pb::ListTownsResponse { towns: towns.iter().map(encode).collect(), next_page_token })
    }
}

struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateTownRequest;
    type Answer = pb::Town;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Town>, Refusal> {
        let default = pb::Town::default();
        let given = request.town.as_ref().unwrap_or(&default);
        // only who holds it everywhere: the town's own officers can't make another one
        if work.call().may(work.call().permission(), "-") != Scope::Town {
            return Err(work.call().denied());
        }
        let mut faults = Faults::default();
        if request.town_id == NATIONAL {
            faults.push(FieldFault::new("town_id", "RESERVED", "该编号为系统保留", "this id is reserved"));
        }
        let name = TownName::new(&request.town_id);
        let name = faults.take(
            name.map_err(|error| FieldFault::new("town_id", "FORMAT", "编号格式不符", error.to_string())),
        );
        let display_name = faults.take(display("town.display_name", &given.display_name));
        let (name, display_name) = faults.finish(name.zip(display_name))?;
        let new = Town {
            town: name.town().to_owned(),
            display_name,
            district: given.district.clone(),
            administrative_code: given.administrative_code.clone(),
            demonstration: false,
            version: 1,
            created: 0,
            updated: 0,
        };
        if !store::create(work.sql(), &new).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", name));
        }
        let town = store::get(work.sql(), name.town()).await?.unwrap_or(new);
        Ok(record(&town, "create", "town.created"))
    }
}

struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateTownRequest;
    type Answer = pb::Town;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Town>, Refusal> {
        let default = pb::Town::default();
        let given = request.town.as_ref().unwrap_or(&default);
        let name: TownName = wire::name("town.name", &given.name)?;
        let call = work.call().clone();
        call.whole_town(name.town())?;
        let town = store::lock(work.sql(), name.town()).await?;
        let mut town = town.ok_or_else(|| Refusal::not_found("linli.dev/Town", name.to_string()))?;
        check_etag(&name.to_string(), &given.etag, town.version)?;
        let mut faults = Faults::default();
        let paths = faults.take(wire::mask(
            request.update_mask.as_ref(),
            &["display_name", "district", "administrative_code"],
        ));
        for path in paths.iter().flatten() {
            match *path {
                "display_name" => {
                    town.display_name =
                        faults.take(display("town.display_name", &given.display_name)).unwrap_or_default()
                }
                "district" => given.district.clone_into(&mut town.district),
                _ => given.administrative_code.clone_into(&mut town.administrative_code),
            }
        }
        if town.demonstration && !town.display_name.contains("示例数据") {
            faults.push(FieldFault::new(
                "town.display_name",
                "DEMONSTRATION",
                "示例镇的名称须含“示例数据”",
                "the name of a demonstration town says 示例数据",
            ));
        }
        faults.finish(Some(()))?;
        town.version = store::update(work.sql(), &town).await?;
        Ok(record(&town, "update", "town.updated"))
    }
}

#[tonic::async_trait]
impl TownService for Towns {
    async fn get_town(&self, request: Request<pb::GetTownRequest>) -> Result<Response<pb::Town>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_towns(
        &self,
        request: Request<pb::ListTownsRequest>,
    ) -> Result<Response<pb::ListTownsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_town(
        &self,
        request: Request<pb::CreateTownRequest>,
    ) -> Result<Response<pb::Town>, Status> {
        mutate::<Create>(&self.0, request).await
    }

    async fn update_town(
        &self,
        request: Request<pb::UpdateTownRequest>,
    ) -> Result<Response<pb::Town>, Status> {
        mutate::<Update>(&self.0, request).await
    }
}
