//! Policies 保单: one year's contract under a programme (Work points 3.4).

mod acts;
mod decode;
mod encode;
mod insurer;
pub(crate) mod rules;
mod sign;
pub(crate) mod store;

use chassis::{
    actor::Actor,
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
    common::v1::Obstacle,
    insurance::v1::{self as pb, policy_service_server::PolicyService},
};
use kernel::name::{PolicyName, TownName};
use tonic::{Request, Response, Status};

use self::{
    insurer::Insurer,
    rules::{State, TABLE, Verb},
    store::Stored,
};

/// The gRPC service.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    /// What handlers share.
    pub(crate) context: Context,
    /// Whom it asks for insurers.
    pub(crate) governance: Governance,
}

/// What keeps the caller from a verb that state and permission allow; `other` is a policy in the way.
fn hindrance(stored: &Stored, verb: Verb, who: &Actor, other: Option<&String>) -> Option<Hindrance> {
    let missing =
        |refused: Result<(), Refusal>| refused.err().map(|why| Hindrance::of(Obstacle::Missing, &why));
    match verb {
        Verb::Sign => match sign::need_pending(stored) {
            Err(why) => Some(Hindrance::of(Obstacle::Missing, &why)),
            Ok(version) => {
                let refused = sign::need_another(stored, version, who).err();
                let refused = refused.map(|why| Hindrance::of(Obstacle::FourEyes, &why));
                refused.or_else(|| missing(sign::need_free(stored, other.cloned())))
            }
        },
        Verb::Endorse | Verb::Terminate => missing(sign::need_none_pending(stored)),
        Verb::DiscardEndorsement => missing(sign::need_pending(stored).map(|_| ())),
        Verb::MarkInstalmentPaid if !sign::has_open_instalments(stored) => {
            let (zh, en) = ("没有待缴的保费", "no instalment waits to be paid");
            Some(Hindrance::new(Obstacle::Missing, zh, en))
        }
        Verb::Create | Verb::Update | Verb::Delete | Verb::Undelete | Verb::MarkInstalmentPaid => None,
        Verb::Begin | Verb::Expire => None,
    }
}

impl Policies {
    async fn read(&self, call: &Call, request: &pb::GetPolicyRequest) -> Result<pb::Policy, Refusal> {
        let name: PolicyName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        let found = store::get(read.sql(), &name, &scope, false).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Policy", name.to_string()))?;
        let (who, today) = (Actor::of(call), call.today());
        let state = found.state_on(today);
        let other = match state {
            State::Draft => store::overlapping(read.sql(), &found).await?,
            _ => None,
        };
        let mut policy = encode::policy(&found, today);
        let hindered = |verb| hindrance(&found, verb, &who, other.as_ref());
        policy.available_actions =
            available_unless(&TABLE, state, call, name.town(), Scope::is_town, hindered);
        policy.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(policy)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListPoliciesRequest,
    ) -> Result<pb::ListPoliciesResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::FILTER)?;
        let mut found = store::list(self.context.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut found, |stored| vec![stored.id.clone()]);
        let policies = found.iter().map(|stored| encode::row(stored, asked.today)).collect();
        Ok(pb::ListPoliciesResponse { policies, next_page_token })
    }

    /// The insurer that a new policy names.
    async fn insurer_of_new(
        &self,
        call: &Call,
        request: &pb::CreatePolicyRequest,
    ) -> Result<Option<Insurer>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        call.whole_town(town.town())?;
        let named = request.policy.as_ref().map(|policy| policy.insurer.as_str()).unwrap_or_default();
        Insurer::read(&self.governance, town.town(), named).await
    }

    /// The insurer that a policy is to have after an update: the one that it names, or else the one that is stored.
    async fn insurer_of_changed(
        &self,
        call: &Call,
        request: &pb::UpdatePolicyRequest,
    ) -> Result<Option<Insurer>, Refusal> {
        let default = pb::Policy::default();
        let given = request.policy.as_ref().unwrap_or(&default);
        let name: PolicyName = wire::name("name", &given.name)?;
        call.whole_town(name.town())?;
        let fields = wire::mask(request.update_mask.as_ref(), encode::CHANGEABLE);
        if fields.is_ok_and(|fields| fields.contains(&"insurer")) {
            return Insurer::read(&self.governance, name.town(), &given.insurer).await;
        }
        let stored = store::insurer_of(self.context.db.read().await?.sql(), &name).await?;
        let Some(stored) = stored else { return Ok(None) };
        let stored = format!("towns/{}/organisations/{stored}", name.town());
        Insurer::read(&self.governance, name.town(), &stored).await
    }
}

#[tonic::async_trait]
impl PolicyService for Policies {
    async fn get_policy(
        &self,
        request: Request<pb::GetPolicyRequest>,
    ) -> Result<Response<pb::Policy>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_policies(
        &self,
        request: Request<pb::ListPoliciesRequest>,
    ) -> Result<Response<pb::ListPoliciesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_policy(
        &self,
        request: Request<pb::CreatePolicyRequest>,
    ) -> Result<Response<pb::Policy>, Status> {
        let given = self.insurer_of_new(&Call::of(&request)?, request.get_ref()).await?;
        mutate_given::<acts::Create>(&self.context, &given, request).await
    }

    async fn update_policy(
        &self,
        request: Request<pb::UpdatePolicyRequest>,
    ) -> Result<Response<pb::Policy>, Status> {
        let given = self.insurer_of_changed(&Call::of(&request)?, request.get_ref()).await?;
        mutate_given::<acts::Update>(&self.context, &given, request).await
    }

    async fn delete_policy(
        &self,
        request: Request<pb::DeletePolicyRequest>,
    ) -> Result<Response<pb::Policy>, Status> {
        mutate::<acts::Delete>(&self.context, request).await
    }

    async fn undelete_policy(
        &self,
        request: Request<pb::UndeletePolicyRequest>,
    ) -> Result<Response<pb::Policy>, Status> {
        mutate::<acts::Undelete>(&self.context, request).await
    }

    async fn sign_policy(
        &self,
        request: Request<pb::SignPolicyRequest>,
    ) -> Result<Response<pb::Policy>, Status> {
        mutate::<sign::Sign>(&self.context, request).await
    }

    async fn endorse_policy(
        &self,
        request: Request<pb::EndorsePolicyRequest>,
    ) -> Result<Response<pb::Policy>, Status> {
        mutate::<sign::Endorse>(&self.context, request).await
    }

    async fn discard_endorsement(
        &self,
        request: Request<pb::DiscardEndorsementRequest>,
    ) -> Result<Response<pb::Policy>, Status> {
        mutate::<sign::Discard>(&self.context, request).await
    }

    async fn terminate_policy(
        &self,
        request: Request<pb::TerminatePolicyRequest>,
    ) -> Result<Response<pb::Policy>, Status> {
        mutate::<sign::Terminate>(&self.context, request).await
    }

    async fn mark_instalment_paid(
        &self,
        request: Request<pb::MarkInstalmentPaidRequest>,
    ) -> Result<Response<pb::Policy>, Status> {
        mutate::<sign::MarkPaid>(&self.context, request).await
    }
}
