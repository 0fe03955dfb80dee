//! Outreach 宣传: campaigns over boards, screens, leaflets and posters, where they were placed, and what people know of the insurance
//! (Work points 3.4).

mod acts;
mod cover;
mod encode;
mod record;
pub(crate) mod rules;
mod store;

use chassis::{
    call::Call,
    context::Context,
    governance::Governance,
    identity::Scope,
    listing::{self, Asked},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::{mutate, mutate_given},
};
use contracts::linli::{
    common::v1::{AvailableAction, Obstacle},
    insurance::v1::{self as pb, campaign_service_server::CampaignService},
};
use kernel::name::{CampaignName, TownName};
use tonic::{Request, Response, Status};

use self::{
    record::Estate,
    rules::{TABLE, Verb},
    store::{Campaign, Hold, placements::Placement, samples::Sample},
};

/// The gRPC service.
#[derive(Clone, Debug)]
pub(crate) struct Campaigns {
    /// What handlers share.
    pub(crate) context: Context,
    /// Whom it asks for committees and estates.
    pub(crate) governance: Governance,
}

/// Why the caller may not do with all of a campaign what he may do with a part of it.
fn hindrance(call: &Call, campaign: &Campaign, verb: Verb) -> Option<Hindrance> {
    let permission = TABLE.rows.iter().find(|row| row.verb == verb)?.permission;
    let scope = call.may(permission, &campaign.town);
    if verb.is_about_the_whole()
        && !campaign.committees.iter().all(|committee| scope.holds_committee(committee))
    {
        let (zh, en) = ("活动涉及其他居委会", "the campaign is for other committees too");
        return Some(Hindrance::new(Obstacle::Permission, zh, en));
    }
    let early = (verb == Verb::Start).then(|| acts::need_begun(campaign, call.today()).err()).flatten();
    early.map(|why| Hindrance::of(Obstacle::Missing, &why))
}

fn actions(call: &Call, campaign: &Campaign) -> Result<Vec<AvailableAction>, Refusal> {
    let some = |scope: &Scope| campaign.committees.iter().any(|committee| scope.holds_committee(committee));
    let hindered = |verb: Verb| hindrance(call, campaign, verb);
    Ok(available_unless(&TABLE, campaign.state()?, call, &campaign.town, some, hindered))
}

impl Campaigns {
    async fn read(&self, call: &Call, name: &str) -> Result<pb::Campaign, Refusal> {
        let name: CampaignName = wire::name("name", name)?;
        let scope = call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        let found = store::get(read.sql(), &name, &scope, Hold::No).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Campaign", name.to_string()))?;
        let mut answer = encode::campaign(&found)?;
        encode::stand(&mut answer, name.town(), &store::standing(read.sql(), &found, &scope).await?);
        answer.available_actions = actions(call, &found)?;
        answer.timeline = timeline::read(read.sql(), name.town(), &found.name()).await?;
        Ok(answer)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListCampaignsRequest,
    ) -> Result<pb::ListCampaignsResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::CAMPAIGNS)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Campaign> =
            store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |campaign| vec![campaign.id.to_string()]);
        let campaigns = found.iter().map(encode::campaign).collect::<Result<_, _>>()?;
        Ok(pb::ListCampaignsResponse { campaigns, next_page_token })
    }

    async fn placements(
        &self,
        call: &Call,
        request: &pb::ListPlacementsRequest,
    ) -> Result<pb::ListPlacementsResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::PLACEMENTS)?;
        let mut read = self.context.db.read().await?;
        let mut query = store::placements::list_query(&asked);
        let mut found: Vec<Placement> = query.build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |placement| vec![placement.id.to_string()]);
        let placements = found.iter().map(encode::placement).collect::<Result<_, _>>()?;
        Ok(pb::ListPlacementsResponse { placements, next_page_token })
    }

    async fn samples(
        &self,
        call: &Call,
        request: &pb::ListAwarenessSamplesRequest,
    ) -> Result<pb::ListAwarenessSamplesResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::SAMPLES)?;
        let mut read = self.context.db.read().await?;
        let mut query = store::samples::list_query(&asked);
        let mut found: Vec<Sample> = query.build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |sample| vec![sample.id.to_string()]);
        let awareness_samples = found.iter().map(encode::sample).collect::<Result<_, _>>()?;
        Ok(pb::ListAwarenessSamplesResponse { awareness_samples, next_page_token })
    }

    /// The committees of a plan that governance doesn't know.
    async fn unknown(
        &self,
        call: &Call,
        town: Option<TownName>,
        given: Option<&pb::Campaign>,
    ) -> Result<acts::Unknown, Refusal> {
        let names = given.map(|campaign| campaign.committees.as_slice()).unwrap_or_default();
        // what is no town's name is told with the other faults of the request
        let Some(town) = town else { return Ok(acts::Unknown::none()) };
        let scope = call.scope(town.town())?;
        acts::unknown(&self.governance, (&town, &scope, call.today()), names).await
    }
}

#[tonic::async_trait]
impl CampaignService for Campaigns {
    async fn get_campaign(
        &self,
        request: Request<pb::GetCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, &request.get_ref().name).await?))
    }

    async fn list_campaigns(
        &self,
        request: Request<pb::ListCampaignsRequest>,
    ) -> Result<Response<pb::ListCampaignsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_campaign(
        &self,
        request: Request<pb::CreateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        let (call, asked) = (Call::of(&request)?, request.get_ref());
        let town = TownName::parse(&asked.parent).ok();
        let unknown = self.unknown(&call, town, asked.campaign.as_ref()).await?;
        mutate_given::<acts::Create>(&self.context, &unknown, request).await
    }

    async fn update_campaign(
        &self,
        request: Request<pb::UpdateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        let (call, given) = (Call::of(&request)?, request.get_ref().campaign.as_ref());
        let name = given.and_then(|campaign| CampaignName::parse(&campaign.name).ok());
        let town = name.and_then(|name| TownName::new(name.town()).ok());
        let unknown = self.unknown(&call, town, given).await?;
        mutate_given::<acts::Update>(&self.context, &unknown, request).await
    }

    async fn start_campaign(
        &self,
        request: Request<pb::StartCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        mutate::<acts::Start>(&self.context, request).await
    }

    async fn complete_campaign(
        &self,
        request: Request<pb::CompleteCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        mutate::<acts::Complete>(&self.context, request).await
    }

    async fn cancel_campaign(
        &self,
        request: Request<pb::CancelCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        mutate::<acts::Cancel>(&self.context, request).await
    }

    async fn record_placement(
        &self,
        request: Request<pb::RecordPlacementRequest>,
    ) -> Result<Response<pb::Placement>, Status> {
        let (call, asked) = (Call::of(&request)?, request.get_ref());
        let name = CampaignName::parse(&asked.name).ok();
        let town = name.and_then(|name| TownName::new(name.town()).ok());
        let estate = match town {
            Some(town) => {
                let scope = call.scope(town.town())?;
                let about = (&town, &scope, call.today());
                record::estate(&self.governance, about, asked.placement.as_ref()).await?
            }
            None => Estate::NotAsked,
        };
        mutate_given::<record::Place>(&self.context, &estate, request).await
    }

    async fn remove_placement(
        &self,
        request: Request<pb::RemovePlacementRequest>,
    ) -> Result<Response<pb::Placement>, Status> {
        mutate::<record::Remove>(&self.context, request).await
    }

    async fn list_placements(
        &self,
        request: Request<pb::ListPlacementsRequest>,
    ) -> Result<Response<pb::ListPlacementsResponse>, Status> {
        Ok(Response::new(self.placements(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn record_awareness_sample(
        &self,
        request: Request<pb::RecordAwarenessSampleRequest>,
    ) -> Result<Response<pb::AwarenessSample>, Status> {
        mutate::<record::Sample>(&self.context, request).await
    }

    async fn list_awareness_samples(
        &self,
        request: Request<pb::ListAwarenessSamplesRequest>,
    ) -> Result<Response<pb::ListAwarenessSamplesResponse>, Status> {
        Ok(Response::new(self.samples(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_outreach_coverage(
        &self,
        request: Request<pb::GetOutreachCoverageRequest>,
    ) -> Result<Response<pb::OutreachCoverage>, Status> {
        Ok(Response::new(self.coverage(&Call::of(&request)?, request.get_ref()).await?))
    }
}
