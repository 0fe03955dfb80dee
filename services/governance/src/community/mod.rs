//! Communities 镇管社区.

pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    identity::Scope,
    paging::{self, Paging},
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag, mutate},
};
use contracts::linli::governance::v1::{self as pb, community_service_server::CommunityService};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind, Predicate},
    name::{CommunityName, TownName},
};
use serde_json::json;
use tonic::{Request, Response, Status};

use crate::fields::display;
use store::{Asked, Community};

const FILTER: &[FieldSpec] =
    &[FieldSpec { name: "display_name", column: "c.display_name", kind: Kind::Text }];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Communities(pub Context);

fn encode(community: &Community) -> pb::Community {
    pb::Community {
        name: format!("towns/{}/communities/{}", community.town, community.id),
        display_name: community.display_name.clone(),
        etag: Etag::of(community.version).to_string(),
        create_time: Some(wire::to_timestamp(community.created)),
        update_time: Some(wire::to_timestamp(community.updated)),
    }
}

/// One community that the caller sees.
pub(crate) async fn one(
    sql: &mut sqlx::PgConnection,
    name: &CommunityName,
    scope: &Scope,
    lock: bool,
) -> Result<Option<Community>, Refusal> {
    let filter = Predicate::And(Vec::new());
    let asked = Asked {
        town: name.town(),
        id: Some(name.community()),
        scope,
        filter: &filter,
        descending: false,
        after: None,
        limit: 1,
        lock,
    };
    Ok(store::list(sql, &asked).await?.pop())
}

/// The change that tells of a community.
pub(crate) fn change(name: &CommunityName, version: i64, verb: &'static str, event: &'static str) -> Change {
    Change {
        resource: name.to_string(),
        version,
        verb,
        from_state: "",
        to_state: "",
        comment: String::new(),
        event,
        data: json!({"community": name.to_string()}),
    }
}

async fn record(
    work: &mut Work,
    name: &CommunityName,
    version: i64,
    verb: &'static str,
    event: &'static str,
) -> Result<Record<pb::Community>, Refusal> {
    let community = one(work.sql(), name, &Scope::Town, false).await?;
    let community = community.ok_or_else(|| Refusal::not_found("linli.dev/Community", name.to_string()))?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{verb} {name}"),
        changes: vec![change(name, version, verb, event)],
        answer: encode(&community),
    })
}

impl Communities {
    async fn read(&self, call: &Call, request: &pb::GetCommunityRequest) -> Result<pb::Community, Refusal> {
        let name: CommunityName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let community = one(self.0.db.read().await?.sql(), &name, &scope, false).await?;
        Ok(encode(&community.ok_or_else(|| call.missing(&scope, "linli.dev/Community", name.to_string()))?))
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListCommunitiesRequest,
    ) -> Result<pb::ListCommunitiesResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let order = paging::order_by(&request.order_by, &["name"])?;
        let filter = paging::filter(&request.filter, FILTER)?;
        let paging = Paging::open(
            &self.0,
            call,
            &[town.town(), &request.filter, &request.order_by],
            request.page_size,
            &request.page_token,
        )?;
        let asked = Asked {
            town: town.town(),
            id: None,
            scope: &scope,
            filter: &filter,
            descending: order.descending,
            after: paging.after_first(),
            limit: paging.limit(),
            lock: false,
        };
        let mut found = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut found, |community| vec![community.id.clone()]);
        Ok(pb::ListCommunitiesResponse { communities: found.iter().map(encode).collect(), next_page_token })
    }
}

struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateCommunityRequest;
    type Answer = pb::Community;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Community>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let mut faults = Faults::default();
        let name = CommunityName::new(town.town(), &request.community_id);
        let name =
            faults.take(name.map_err(|error| {
                FieldFault::new("community_id", "FORMAT", "编号格式不符", error.to_string())
            }));
        let given = request.community.as_ref().map(|given| given.display_name.as_str()).unwrap_or_default();
        let display_name = faults.take(display("community.display_name", given));
        let (name, display_name) = faults.finish(name.zip(display_name))?;
        if !store::create(work.sql(), &name, &display_name).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", name));
        }
        record(work, &name, 1, "create", "community.created").await
    }
}

struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateCommunityRequest;
    type Answer = pb::Community;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Community>, Refusal> {
        let default = pb::Community::default();
        let given = request.community.as_ref().unwrap_or(&default);
        let name: CommunityName = wire::name("community.name", &given.name)?;
        let call = work.call().clone();
        let scope = call.scope(name.town())?;
        let found = one(work.sql(), &name, &scope, true).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Community", name.to_string()))?;
        check_etag(&name.to_string(), &given.etag, found.version)?;
        let mut faults = Faults::default();
        faults.take(wire::mask(request.update_mask.as_ref(), &["display_name"]));
        let display_name = faults.take(display("community.display_name", &given.display_name));
        let display_name = faults.finish(display_name)?;
        let version = store::update(work.sql(), &name, &display_name).await?;
        record(work, &name, version, "update", "community.updated").await
    }
}

#[tonic::async_trait]
impl CommunityService for Communities {
    async fn get_community(
        &self,
        request: Request<pb::GetCommunityRequest>,
    ) -> Result<Response<pb::Community>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_communities(
        &self,
        request: Request<pb::ListCommunitiesRequest>,
    ) -> Result<Response<pb::ListCommunitiesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_community(
        &self,
        request: Request<pb::CreateCommunityRequest>,
    ) -> Result<Response<pb::Community>, Status> {
        mutate::<Create>(&self.0, request).await
    }

    async fn update_community(
        &self,
        request: Request<pb::UpdateCommunityRequest>,
    ) -> Result<Response<pb::Community>, Status> {
        mutate::<Update>(&self.0, request).await
    }
}
