//! Buildings 楼: in one committee on every day, and in one block of it once the committee is divided.

pub(crate) mod acts;
pub(crate) mod store;

use chassis::{call::Call, context::Context, refusal::Refusal, wire, work::mutate};
use contracts::linli::governance::v1::{self as pb, building_service_server::BuildingService};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    name::BuildingName,
};
use store::View;
use tonic::{Request, Response, Status};

use crate::{
    as_of::AsOf,
    listing::{self, Asked},
    store::day,
};

const FILTER: &[FieldSpec] = &[
    FieldSpec { name: "display_name", column: "p.display_name", kind: Kind::Text },
    FieldSpec {
        name: "estate",
        column: "b.estate",
        kind: Kind::Name { collection: "estates", town: "b.town" },
    },
    FieldSpec {
        name: "committee",
        column: "p.committee",
        kind: Kind::Name { collection: "committees", town: "p.town" },
    },
    FieldSpec { name: "block", column: "p.block", kind: Kind::Name { collection: "blocks", town: "p.town" } },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Buildings(pub Context);

/// A building on the wire.
pub(crate) fn encode(view: &View) -> Result<pb::Building, Refusal> {
    let of = |kind: &str, id: &str| format!("towns/{}/{kind}/{id}", view.town);
    Ok(pb::Building {
        name: of("buildings", &view.id),
        display_name: view.display_name.clone(),
        estate: of("estates", &view.estate),
        committee: of("committees", &view.committee),
        block: view.block.as_ref().map(|id| of("blocks", id)).unwrap_or_default(),
        start_date: Some(wire::to_date(day(&view.starts)?)),
        etag: Etag::of(view.version).to_string(),
        create_time: Some(wire::to_timestamp(view.created)),
        update_time: Some(wire::to_timestamp(view.updated)),
    })
}

impl Buildings {
    async fn read(&self, call: &Call, request: &pb::GetBuildingRequest) -> Result<pb::Building, Refusal> {
        let name: BuildingName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let view = store::get(self.0.db.read().await?.sql(), &name, &scope, &as_of, call.today()).await?;
        encode(&view.ok_or_else(|| call.missing(&scope, "linli.dev/Building", name.to_string()))?)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListBuildingsRequest,
    ) -> Result<pb::ListBuildingsResponse, Refusal> {
        let (asked, paging) = Asked::read(&self.0, call, listing::request!(request), FILTER)?;
        let mut views = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut views, |view| vec![view.id.clone()]);
        let buildings = views.iter().map(encode).collect::<Result<_, _>>()?;
        Ok(pb::ListBuildingsResponse { buildings, next_page_token })
    }
}

#[tonic::async_trait]
impl BuildingService for Buildings {
    async fn get_building(
        &self,
        request: Request<pb::GetBuildingRequest>,
    ) -> Result<Response<pb::Building>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_buildings(
        &self,
        request: Request<pb::ListBuildingsRequest>,
    ) -> Result<Response<pb::ListBuildingsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_building(
        &self,
        request: Request<pb::CreateBuildingRequest>,
    ) -> Result<Response<pb::Building>, Status> {
        mutate::<acts::Create>(&self.0, request).await
    }

    async fn update_building(
        &self,
        request: Request<pb::UpdateBuildingRequest>,
    ) -> Result<Response<pb::Building>, Status> {
        mutate::<acts::Update>(&self.0, request).await
    }
}
