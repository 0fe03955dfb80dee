//! Bodies: party branch, 居委会, 业委会, 社区代表会议, 联席会议, 专项工作组 and the others (Work points 1.1-1.3, 2.1, 2.3).

pub(crate) mod acts;
mod kinds;
pub mod rules;
pub(crate) mod store;

pub use kinds::BodyKinds;

use chassis::{
    call::Call, context::Context, identity::Scope, refusal::Refusal, state::available, timeline, wire,
    work::mutate,
};
use contracts::linli::governance::v1::{self as pb, body_service_server::BodyService};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    name::BodyName,
};
use store::{Seen, View};
use tonic::{Request, Response, Status};

use crate::{
    as_of::AsOf,
    listing::{self, Asked},
    store::{day, period},
};

const FILTER: &[FieldSpec] = &[
    FieldSpec { name: "display_name", column: "p.display_name", kind: Kind::Text },
    FieldSpec { name: "kind", column: "o.kind", kind: Kind::Text },
    FieldSpec { name: "level", column: "o.level", kind: Kind::Enum(rules::LEVELS) },
    FieldSpec {
        name: "community",
        column: "p.community",
        kind: Kind::Name { collection: "communities", town: "p.town" },
    },
    FieldSpec {
        name: "committee",
        column: "p.committee",
        kind: Kind::Name { collection: "committees", town: "p.town" },
    },
    FieldSpec {
        name: "estate",
        column: "p.estate",
        kind: Kind::Name { collection: "estates", town: "p.town" },
    },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Bodies(pub Context);

/// The name of what a body belongs to: community, committee, estate, else the town.
pub(crate) fn owner_name(town: &str, [community, committee, estate]: [&Option<String>; 3]) -> String {
    let below = [("communities", community), ("committees", committee), ("estates", estate)];
    let found =
        below.into_iter().find_map(|(kind, id)| id.as_ref().map(|id| format!("towns/{town}/{kind}/{id}")));
    found.unwrap_or_else(|| format!("towns/{town}"))
}

/// A body without actions and timeline.
pub(crate) fn encode(view: &View) -> Result<pb::Body, Refusal> {
    Ok(pb::Body {
        name: format!("towns/{}/bodies/{}", view.town, view.id),
        display_name: view.display_name.clone(),
        level: pb::BodyLevel::from_str_name(&format!("BODY_LEVEL_{}", view.level)).unwrap_or_default().into(),
        owner: owner_name(&view.town, [&view.community, &view.committee, &view.estate]),
        kind: view.kind.clone(),
        seats: view.seats,
        quorum: view.quorum,
        start_date: Some(wire::to_date(day(&view.starts)?)),
        end_date: view.ends.as_deref().map(day).transpose()?.map(wire::to_date),
        seated: i32::try_from(view.seated).unwrap_or(i32::MAX),
        term_end_date: view.term_ends.as_deref().map(day).transpose()?.map(wire::to_date),
        etag: Etag::of(view.version).to_string(),
        create_time: Some(wire::to_timestamp(view.created)),
        update_time: Some(wire::to_timestamp(view.updated)),
        available_actions: Vec::new(),
        timeline: Vec::new(),
    })
}

impl Bodies {
    async fn read(&self, call: &Call, request: &pb::GetBodyRequest) -> Result<pb::Body, Refusal> {
        let name: BodyName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let view = store::get(read.sql(), &name, &scope, (&as_of, call.today()), Seen::Publicly).await?;
        let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Body", name.to_string()))?;
        let state = rules::state(period(&view.starts, view.ends.as_deref())?);
        let sees = |scope: &Scope| sees(scope, &view);
        let available_actions = available(&rules::TABLE, state, call, name.town(), sees);
        let timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(pb::Body { available_actions, timeline, ..encode(&view)? })
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListBodiesRequest,
    ) -> Result<pb::ListBodiesResponse, Refusal> {
        let (asked, paging) = Asked::read(&self.0, call, listing::request!(request), FILTER)?;
        let mut views = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut views, |view| vec![view.id.clone()]);
        let bodies = views.iter().map(encode).collect::<Result<_, _>>()?;
        Ok(pb::ListBodiesResponse { bodies, next_page_token })
    }
}

/// Whether a scope holds a body that the caller sees already; of an estate's the act itself tells.
fn sees(scope: &Scope, view: &View) -> bool {
    let (communities, committees, _) = scope.ids();
    let of = |ids: &[String], id: &Option<String>| id.as_ref().is_some_and(|id| ids.contains(id));
    scope.is_town()
        || of(communities, &view.community)
        || of(committees, &view.committee)
        || (view.estate.is_some() && !(communities.is_empty() && committees.is_empty()))
}

#[tonic::async_trait]
impl BodyService for Bodies {
    async fn get_body(&self, request: Request<pb::GetBodyRequest>) -> Result<Response<pb::Body>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_bodies(
        &self,
        request: Request<pb::ListBodiesRequest>,
    ) -> Result<Response<pb::ListBodiesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_body(
        &self,
        request: Request<pb::CreateBodyRequest>,
    ) -> Result<Response<pb::Body>, Status> {
        mutate::<acts::Create>(&self.0, request).await
    }

    async fn update_body(
        &self,
        request: Request<pb::UpdateBodyRequest>,
    ) -> Result<Response<pb::Body>, Status> {
        mutate::<acts::Update>(&self.0, request).await
    }

    async fn dissolve_body(
        &self,
        request: Request<pb::DissolveBodyRequest>,
    ) -> Result<Response<pb::Body>, Status> {
        mutate::<acts::Dissolve>(&self.0, request).await
    }
}
