//! The forces 力量 gathered in a block under its steward: organisations and people between two dates (Work points 1.3).

pub(crate) mod acts;
pub mod rules;
pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    paging::{self, Paging},
    refusal::Refusal,
    wire,
    work::mutate,
};
use contracts::linli::governance::v1::{self as pb, block_force_service_server::BlockForceService};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    name::{BlockForceName, TownName},
    state::Named,
};
use store::View;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{as_of::AsOf, store::day};

const FILTER: &[FieldSpec] = &[
    FieldSpec { name: "block", column: "f.block", kind: Kind::Name { collection: "blocks", town: "f.town" } },
    FieldSpec { name: "kind", column: "f.kind", kind: Kind::Enum(rules::Kind::NAMES) },
    FieldSpec {
        name: "organisation",
        column: "f.organisation",
        kind: Kind::Name { collection: "organisations", town: "f.town" },
    },
    FieldSpec {
        name: "person",
        column: "f.person",
        kind: Kind::Name { collection: "people", town: "f.town" },
    },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct BlockForces(pub Context);

/// A force on the wire.
pub(crate) fn encode(view: &View) -> Result<pb::BlockForce, Refusal> {
    let of = |kind: &str, id: &str| format!("towns/{}/{kind}/{id}", view.town);
    let or_empty = |kind: &str, id: &Option<String>| id.as_ref().map(|id| of(kind, id)).unwrap_or_default();
    let kind = pb::BlockForceKind::from_str_name(&format!("BLOCK_FORCE_KIND_{}", view.kind));
    let dimension = |name: &String| {
        let dimension = pb::ForceDimension::from_str_name(&format!("FORCE_DIMENSION_{name}"));
        i32::from(dimension.unwrap_or_default())
    };
    Ok(pb::BlockForce {
        name: of("blockForces", &view.id.to_string()),
        block: of("blocks", &view.block),
        kind: kind.unwrap_or_default().into(),
        organisation: or_empty("organisations", &view.organisation),
        person: or_empty("people", &view.person),
        contributions: view.contributions.iter().map(dimension).collect(),
        start_date: Some(wire::to_date(day(&view.starts)?)),
        end_date: view.ends.as_deref().map(day).transpose()?.map(wire::to_date),
        record_time: Some(wire::to_timestamp(view.recorded)),
        supersede_time: view.superseded.map(wire::to_timestamp),
        reason: view.reason.clone(),
        block_etag: Etag::of(view.block_version).to_string(),
    })
}

impl BlockForces {
    async fn read(&self, call: &Call, request: &pb::GetBlockForceRequest) -> Result<pb::BlockForce, Refusal> {
        let name: BlockForceName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let view = store::get(self.0.db.read().await?.sql(), &name, &scope, call.today()).await?;
        encode(&view.ok_or_else(|| call.missing(&scope, "linli.dev/BlockForce", name.to_string()))?)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListBlockForcesRequest,
    ) -> Result<pb::ListBlockForcesResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let filter = paging::filter(&request.filter, FILTER)?;
        let bound = [town.town(), &request.filter, &as_of.key()];
        let paging = Paging::open(&self.0, call, &bound, request.page_size, &request.page_token)?;
        let after = match paging.after.as_slice() {
            [block, id] => Uuid::parse_str(id).ok().map(|id| (block.as_str(), id)),
            _ => None,
        };
        let asked = store::Asked {
            town: town.town(),
            scope: &scope,
            today: call.today(),
            as_of: &as_of,
            filter: &filter,
            after,
            limit: paging.limit(),
        };
        let mut views = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut views, |view| vec![view.block.clone(), view.id.to_string()]);
        let block_forces = views.iter().map(encode).collect::<Result<_, _>>()?;
        Ok(pb::ListBlockForcesResponse { block_forces, next_page_token })
    }
}

#[tonic::async_trait]
impl BlockForceService for BlockForces {
    async fn get_block_force(
        &self,
        request: Request<pb::GetBlockForceRequest>,
    ) -> Result<Response<pb::BlockForce>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_block_forces(
        &self,
        request: Request<pb::ListBlockForcesRequest>,
    ) -> Result<Response<pb::ListBlockForcesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn join_block(
        &self,
        request: Request<pb::JoinBlockRequest>,
    ) -> Result<Response<pb::BlockForce>, Status> {
        mutate::<acts::Join>(&self.0, request).await
    }

    async fn leave_block(
        &self,
        request: Request<pb::LeaveBlockRequest>,
    ) -> Result<Response<pb::BlockForce>, Status> {
        mutate::<acts::Leave>(&self.0, request).await
    }

    async fn correct_block_force(
        &self,
        request: Request<pb::CorrectBlockForceRequest>,
    ) -> Result<Response<pb::BlockForce>, Status> {
        mutate::<acts::Correct>(&self.0, request).await
    }
}
