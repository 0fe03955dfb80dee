//! Stewardships 小管家: one steward for each block on every day.

pub(crate) mod encode;
pub mod rules;
pub(crate) mod store;

mod acts;

pub(crate) use encode::Steward;
pub(crate) use store::push_scope;

use chassis::{
    call::Call,
    context::Context,
    paging::{self, Paging},
    refusal::{Faults, Refusal},
    wire,
    work::mutate,
};
use contracts::linli::governance::v1::{self as pb, stewardship_service_server::StewardshipService};
use kernel::name::{BlockName, StewardshipName, TownName};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::as_of::AsOf;

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Stewardships(pub Context);

impl Stewardships {
    async fn read(
        &self,
        call: &Call,
        request: &pb::GetStewardshipRequest,
    ) -> Result<pb::Stewardship, Refusal> {
        let name: StewardshipName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let view = store::get(self.0.db.read().await?.sql(), &name, &scope, call.today()).await?;
        encode::stewardship(
            &view.ok_or_else(|| call.missing(&scope, "linli.dev/Stewardship", name.to_string()))?,
        )
    }

    async fn on(&self, call: &Call, request: &pb::LookUpStewardRequest) -> Result<pb::Stewardship, Refusal> {
        let name: BlockName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let view = store::on(self.0.db.read().await?.sql(), &name, &scope, &as_of, call.today()).await?;
        encode::stewardship(
            &view.ok_or_else(|| call.missing(&scope, "linli.dev/Stewardship", name.to_string()))?,
        )
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListStewardshipsRequest,
    ) -> Result<pb::ListStewardshipsResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let mut faults = Faults::default();
        let day = faults.take(wire::date("as_of_date", request.as_of_date.as_ref()));
        let day = faults.finish(day)?;
        let as_of = AsOf::of(call, None, request.read_time.as_ref())?;
        let order = paging::order_by(&request.order_by, &["start_date"])?;
        let filter = paging::filter(&request.filter, encode::FILTER)?;
        let asked_day = day.map(|day| day.to_string()).unwrap_or_default();
        let bound = [town.town(), &request.filter, &request.order_by, &asked_day, &as_of.instant()];
        let paging = Paging::open(&self.0, call, &bound, request.page_size, &request.page_token)?;
        let after = match paging.after.as_slice() {
            [start, id] => Uuid::parse_str(id).ok().map(|id| (start.as_str(), id)),
            _ => None,
        };
        let asked = store::Asked {
            town: town.town(),
            scope: &scope,
            today: call.today(),
            day,
            as_of: &as_of,
            filter: &filter,
            descending: order.descending,
            after,
            limit: paging.limit(),
        };
        let mut views = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut views, |view| vec![view.starts.clone(), view.id.to_string()]);
        Ok(pb::ListStewardshipsResponse {
            stewardships: views.iter().map(encode::stewardship).collect::<Result<_, _>>()?,
            next_page_token,
        })
    }
}

#[tonic::async_trait]
impl StewardshipService for Stewardships {
    async fn get_stewardship(
        &self,
        request: Request<pb::GetStewardshipRequest>,
    ) -> Result<Response<pb::Stewardship>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_stewardships(
        &self,
        request: Request<pb::ListStewardshipsRequest>,
    ) -> Result<Response<pb::ListStewardshipsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn look_up_steward(
        &self,
        request: Request<pb::LookUpStewardRequest>,
    ) -> Result<Response<pb::Stewardship>, Status> {
        Ok(Response::new(self.on(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn hand_over_block(
        &self,
        request: Request<pb::HandOverBlockRequest>,
    ) -> Result<Response<pb::Stewardship>, Status> {
        mutate::<acts::HandOverVerb>(&self.0, request).await
    }

    async fn cover_block(
        &self,
        request: Request<pb::CoverBlockRequest>,
    ) -> Result<Response<pb::Stewardship>, Status> {
        mutate::<acts::CoverVerb>(&self.0, request).await
    }

    async fn correct_steward(
        &self,
        request: Request<pb::CorrectStewardRequest>,
    ) -> Result<Response<pb::Stewardship>, Status> {
        mutate::<acts::CorrectVerb>(&self.0, request).await
    }

    async fn end_steward_post(
        &self,
        request: Request<pb::EndStewardPostRequest>,
    ) -> Result<Response<pb::EndStewardPostResponse>, Status> {
        mutate::<acts::EndPost>(&self.0, request).await
    }
}
