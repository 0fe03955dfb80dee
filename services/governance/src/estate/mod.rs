//! Estates 小区.

pub(crate) mod acts;
pub(crate) mod store;

use chassis::{call::Call, context::Context, refusal::Refusal, timeline, wire, work::mutate};
use contracts::linli::governance::v1::{self as pb, estate_service_server::EstateService};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    name::EstateName,
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
        name: "committee",
        column: "p.committee",
        kind: Kind::Name { collection: "committees", town: "p.town" },
    },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Estates(pub Context);

/// An estate without its timeline.
pub(crate) fn encode(view: &View) -> Result<pb::Estate, Refusal> {
    let of = |kind: &str, id: &str| format!("towns/{}/{kind}/{id}", view.town);
    Ok(pb::Estate {
        name: of("estates", &view.id),
        display_name: view.display_name.clone(),
        committee: of("committees", &view.committee),
        property_company: view
            .property_company
            .as_ref()
            .map(|id| of("organisations", id))
            .unwrap_or_default(),
        start_date: Some(wire::to_date(day(&view.starts)?)),
        etag: Etag::of(view.version).to_string(),
        create_time: Some(wire::to_timestamp(view.created)),
        update_time: Some(wire::to_timestamp(view.updated)),
        timeline: Vec::new(),
    })
}

impl Estates {
    async fn read(&self, call: &Call, request: &pb::GetEstateRequest) -> Result<pb::Estate, Refusal> {
        let name: EstateName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let view = store::get(read.sql(), &name, &scope, &as_of, call.today()).await?;
        let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Estate", name.to_string()))?;
        let timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(pb::Estate { timeline, ..encode(&view)? })
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListEstatesRequest,
    ) -> Result<pb::ListEstatesResponse, Refusal> {
        let (asked, paging) = Asked::read(&self.0, call, listing::request!(request), FILTER)?;
        let mut views = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut views, |view| vec![view.id.clone()]);
        let estates = views.iter().map(encode).collect::<Result<_, _>>()?;
        Ok(pb::ListEstatesResponse { estates, next_page_token })
    }
}

#[tonic::async_trait]
impl EstateService for Estates {
    async fn get_estate(
        &self,
        request: Request<pb::GetEstateRequest>,
    ) -> Result<Response<pb::Estate>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_estates(
        &self,
        request: Request<pb::ListEstatesRequest>,
    ) -> Result<Response<pb::ListEstatesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_estate(
        &self,
        request: Request<pb::CreateEstateRequest>,
    ) -> Result<Response<pb::Estate>, Status> {
        mutate::<acts::Create>(&self.0, request).await
    }

    async fn update_estate(
        &self,
        request: Request<pb::UpdateEstateRequest>,
    ) -> Result<Response<pb::Estate>, Status> {
        mutate::<acts::Update>(&self.0, request).await
    }

    async fn move_estate(
        &self,
        request: Request<pb::MoveEstateRequest>,
    ) -> Result<Response<pb::Estate>, Status> {
        mutate::<acts::Move>(&self.0, request).await
    }
}
