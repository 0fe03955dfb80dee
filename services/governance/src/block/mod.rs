//! Blocks 区块.

pub(crate) mod edit;
pub(crate) mod encode;
pub mod rules;
pub(crate) mod store;

pub(crate) use edit::move_to;
pub(crate) use store::lock_of_committee;

use chassis::{
    call::Call,
    context::Context,
    identity::Scope,
    paging::{self, Paging},
    refusal::Refusal,
    state::available,
    timeline, wire,
    work::mutate,
};
use contracts::linli::governance::v1::{self as pb, block_service_server::BlockService};
use kernel::name::{BlockName, TownName};
use tonic::{Request, Response, Status};

use crate::{as_of::AsOf, store::period};

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Blocks(pub Context);

impl Blocks {
    async fn read(&self, call: &Call, request: &pb::GetBlockRequest) -> Result<pb::Block, Refusal> {
        let name: BlockName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let view = store::get(read.sql(), &name, &scope, &as_of, call.today()).await?;
        let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Block", name.to_string()))?;
        let mut block = encode::block(&view, call.today())?;
        let state = rules::state(period(&view.starts, view.ends.as_deref())?);
        let sees = |scope: &Scope| sees(scope, &view);
        block.available_actions = available(&rules::TABLE, state, call, name.town(), sees);
        block.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(block)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListBlocksRequest,
    ) -> Result<pb::ListBlocksResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let order = paging::order_by(&request.order_by, &["name"])?;
        let filter = paging::filter(&request.filter, encode::FILTER)?;
        let bound = [town.town(), &request.filter, &request.order_by, &as_of.key()];
        let paging = Paging::open(&self.0, call, &bound, request.page_size, &request.page_token)?;
        let asked = store::Asked {
            town: town.town(),
            scope: &scope,
            today: call.today(),
            as_of: &as_of,
            filter: &filter,
            descending: order.descending,
            after: paging.after_first(),
            limit: paging.limit(),
        };
        let mut views = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut views, |view| vec![view.id.clone()]);
        let blocks = views.iter().map(|view| encode::block(view, call.today())).collect::<Result<_, _>>()?;
        Ok(pb::ListBlocksResponse { blocks, next_page_token })
    }
}

/// Whether a scope holds a block that the caller sees already: by itself or its committee; by its community when the
/// scope is one of communities, which the read has tested.
fn sees(scope: &Scope, view: &store::View) -> bool {
    let (communities, committees, blocks) = scope.ids();
    scope.is_town()
        || !communities.is_empty()
        || committees.contains(&view.committee)
        || blocks.contains(&view.id)
}

#[tonic::async_trait]
impl BlockService for Blocks {
    async fn get_block(&self, request: Request<pb::GetBlockRequest>) -> Result<Response<pb::Block>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_blocks(
        &self,
        request: Request<pb::ListBlocksRequest>,
    ) -> Result<Response<pb::ListBlocksResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_block(
        &self,
        request: Request<pb::CreateBlockRequest>,
    ) -> Result<Response<pb::Block>, Status> {
        mutate::<edit::Create>(&self.0, request).await
    }

    async fn update_block(
        &self,
        request: Request<pb::UpdateBlockRequest>,
    ) -> Result<Response<pb::Block>, Status> {
        mutate::<edit::Update>(&self.0, request).await
    }

    async fn close_block(
        &self,
        request: Request<pb::CloseBlockRequest>,
    ) -> Result<Response<pb::Block>, Status> {
        mutate::<edit::Close>(&self.0, request).await
    }
}
