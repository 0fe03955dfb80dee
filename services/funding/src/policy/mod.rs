//! Funding policies 经费政策: the formula, the rules of use and the terms of a year (Work points 3.3).

mod acts;
pub(crate) mod encode;
pub(crate) mod rules;
pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    identity::Scope,
    listing::{self, Asked},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::mutate,
};
use contracts::linli::{
    common::v1::Obstacle,
    funding::v1::{self as pb, funding_policy_service_server::FundingPolicyService},
};
use kernel::{name::FundingPolicyName, state::Named};
use tonic::{Request, Response, Status};

use crate::actor::Actor;
use rules::{TABLE, Verb};

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct FundingPolicies(pub Context);

impl FundingPolicies {
    async fn read(
        &self,
        call: &Call,
        request: &pb::GetFundingPolicyRequest,
    ) -> Result<pb::FundingPolicy, Refusal> {
        let name: FundingPolicyName = wire::name("name", &request.name)?;
        // a policy is the town's: whoever may read policies anywhere in it may read this one
        let scope = call.scope(name.town())?;
        let mut read = self.0.db.read().await?;
        let found = store::get(read.sql(), &name, false).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/FundingPolicy", name.to_string()))?;
        let mut policy = encode::policy(name.town(), &found);
        let who = Actor::of(call);
        let year = found.policy.fiscal_year();
        let supersedes = store::in_force(read.sql(), name.town(), year).await?.is_some();
        let too_early = || {
            let refused = acts::need_due(&name, &found, call.today()).err().filter(|_| supersedes);
            refused.map(|why| Hindrance::of(Obstacle::Missing, &why))
        };
        let hindered = |verb: Verb| match verb {
            Verb::Publish => acts::need_another(&name, &found, &who)
                .err()
                .map(|why| Hindrance::of(Obstacle::FourEyes, &why))
                .or_else(too_early),
            Verb::Create | Verb::Update | Verb::Delete | Verb::Undelete | Verb::Supersede => None,
        };
        let mut actions = available_unless(&TABLE, found.state, call, name.town(), Scope::is_town, hindered);
        actions.retain(|action| action.verb != Verb::Supersede.name());
        policy.available_actions = actions;
        policy.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(policy)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListFundingPoliciesRequest,
    ) -> Result<pb::ListFundingPoliciesResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.0, call, asked, encode::FILTER)?;
        let mut found = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut found, |stored| vec![stored.policy.id.clone()]);
        let funding_policies = found.iter().map(|stored| encode::policy(&asked.town, stored)).collect();
        Ok(pb::ListFundingPoliciesResponse { funding_policies, next_page_token })
    }
}

#[tonic::async_trait]
impl FundingPolicyService for FundingPolicies {
    async fn get_funding_policy(
        &self,
        request: Request<pb::GetFundingPolicyRequest>,
    ) -> Result<Response<pb::FundingPolicy>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_funding_policies(
        &self,
        request: Request<pb::ListFundingPoliciesRequest>,
    ) -> Result<Response<pb::ListFundingPoliciesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_funding_policy(
        &self,
        request: Request<pb::CreateFundingPolicyRequest>,
    ) -> Result<Response<pb::FundingPolicy>, Status> {
        mutate::<acts::Create>(&self.0, request).await
    }

    async fn update_funding_policy(
        &self,
        request: Request<pb::UpdateFundingPolicyRequest>,
    ) -> Result<Response<pb::FundingPolicy>, Status> {
        mutate::<acts::Update>(&self.0, request).await
    }

    async fn delete_funding_policy(
        &self,
        request: Request<pb::DeleteFundingPolicyRequest>,
    ) -> Result<Response<pb::FundingPolicy>, Status> {
        mutate::<acts::Delete>(&self.0, request).await
    }

    async fn undelete_funding_policy(
        &self,
        request: Request<pb::UndeleteFundingPolicyRequest>,
    ) -> Result<Response<pb::FundingPolicy>, Status> {
        mutate::<acts::Undelete>(&self.0, request).await
    }

    async fn publish_funding_policy(
        &self,
        request: Request<pb::PublishFundingPolicyRequest>,
    ) -> Result<Response<pb::FundingPolicy>, Status> {
        mutate::<acts::Publish>(&self.0, request).await
    }
}
