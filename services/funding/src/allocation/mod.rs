//! Allocation runs 经费核定 and allocations: what the formula gives every committee, approved and released (Work points 3.3).

mod acts;
mod compute;
pub(crate) mod encode;
mod explain;
mod release;
pub(crate) mod rules;
mod runs;
pub(crate) mod store;
mod taking;
mod transitions;

pub use runs::AllocationRuns;

use std::{collections::HashMap, sync::Arc};

use chassis::{
    call::Call,
    context::Context,
    governance::Governance,
    identity::Scope,
    listing::{self, Asked},
    operations::Job,
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::mutate,
};
use contracts::linli::{
    common::v1::{AvailableAction, Obstacle},
    funding::v1::{self as pb, allocation_service_server::AllocationService},
};
use kernel::name::AllocationName;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use self::{
    encode::Grounds,
    rules::{ALLOCATIONS, AllocationState, AllocationVerb},
    store::{Adjustment, Allocation},
};
use crate::{actor::Actor, ledger::store::named, policy};

/// What its operations do, by kind.
pub(crate) fn jobs(governance: &Governance) -> [(&'static str, Arc<dyn Job>); 2] {
    [
        (compute::KIND, Arc::new(compute::Allocate(governance.clone()))),
        (release::KIND, Arc::new(release::Release)),
    ]
}

/// The gRPC service of allocations.
#[derive(Clone, Debug)]
pub struct Allocations(pub Context);

/// Allocations with their explanations: their policies and adjustments are read once for all of them.
pub(crate) async fn whole(
    sql: &mut PgConnection,
    town: &str,
    found: &[Allocation],
) -> Result<Vec<pb::Allocation>, Refusal> {
    let mut policies = HashMap::new();
    for allocation in found {
        if !policies.contains_key(&allocation.policy) {
            let policy = policy::store::by_id(sql, town, &allocation.policy).await?;
            policies.insert(allocation.policy.clone(), policy);
        }
    }
    let ids: Vec<String> = found.iter().map(|allocation| allocation.id.clone()).collect();
    let mut adjustments: HashMap<String, Vec<Adjustment>> = HashMap::new();
    for adjustment in store::adjustments(sql, town, &ids).await? {
        adjustments.entry(adjustment.allocation.clone()).or_default().push(adjustment);
    }
    let encoded = found.iter().map(|allocation| {
        let policy = policies.get(&allocation.policy);
        let policy = policy.ok_or_else(|| Refusal::internal("an allocation without its policy"))?;
        let adjustments = adjustments.get(&allocation.id).map(Vec::as_slice).unwrap_or_default();
        encode::allocation(town, allocation, Grounds { policy, adjustments })
    });
    encoded.collect()
}

/// What the caller can do with an allocation now.
fn actions(
    call: &Call,
    name: &AllocationName,
    of: &Allocation,
    adjustments: &[Adjustment],
) -> Result<Vec<AvailableAction>, Refusal> {
    let (state, who) = (named::<AllocationState>(&of.state)?, Actor::of(call));
    let hindered = |verb: AllocationVerb| {
        let wrong_state = acts::need_computed(name, of).err().map(|why| Hindrance::of(Obstacle::State, &why));
        let of_exception = || {
            let missing = acts::need_below(name, of).err().map(|why| Hindrance::of(Obstacle::Missing, &why));
            missing.or_else(|| {
                let another = acts::need_another(name, of, adjustments, &who);
                another.err().map(|why| Hindrance::of(Obstacle::FourEyes, &why))
            })
        };
        match verb {
            AllocationVerb::GrantException => wrong_state.or_else(of_exception),
            AllocationVerb::Adjust | AllocationVerb::Compute | AllocationVerb::Release => wrong_state,
        }
    };
    Ok(available_unless(&ALLOCATIONS, state, call, name.town(), Scope::is_town, hindered))
}

impl Allocations {
    async fn read(&self, call: &Call, request: &pb::GetAllocationRequest) -> Result<pb::Allocation, Refusal> {
        let name: AllocationName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let missing = || call.missing(&scope, "linli.dev/Allocation", name.to_string());
        let mut read = self.0.db.read().await?;
        let found = store::get(read.sql(), &name, &scope).await?.ok_or_else(missing)?;
        let shown = whole(read.sql(), name.town(), std::slice::from_ref(&found)).await?;
        let adjustments =
            store::adjustments(read.sql(), name.town(), std::slice::from_ref(&found.id)).await?;
        Ok(pb::Allocation {
            available_actions: actions(call, &name, &found, &adjustments)?,
            timeline: timeline::read(read.sql(), name.town(), &name.to_string()).await?,
            ..shown.into_iter().next().ok_or_else(missing)?
        })
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListAllocationsRequest,
    ) -> Result<pb::ListAllocationsResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.0, call, asked, encode::ALLOCATIONS)?;
        let mut read = self.0.db.read().await?;
        let mut found = store::list(read.sql(), &asked).await?;
        let next_page_token = paging.next(&mut found, |allocation| vec![allocation.id.clone()]);
        let allocations = whole(read.sql(), &asked.town, &found).await?;
        Ok(pb::ListAllocationsResponse { allocations, next_page_token })
    }
}

#[tonic::async_trait]
impl AllocationService for Allocations {
    async fn get_allocation(
        &self,
        request: Request<pb::GetAllocationRequest>,
    ) -> Result<Response<pb::Allocation>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_allocations(
        &self,
        request: Request<pb::ListAllocationsRequest>,
    ) -> Result<Response<pb::ListAllocationsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn adjust_allocation(
        &self,
        request: Request<pb::AdjustAllocationRequest>,
    ) -> Result<Response<pb::Allocation>, Status> {
        mutate::<acts::Adjust>(&self.0, request).await
    }

    async fn grant_allocation_exception(
        &self,
        request: Request<pb::GrantAllocationExceptionRequest>,
    ) -> Result<Response<pb::Allocation>, Status> {
        mutate::<acts::GrantException>(&self.0, request).await
    }
}
