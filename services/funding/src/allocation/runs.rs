//! The gRPC service of runs.

use chassis::{
    call::Call,
    context::Context,
    identity::Scope,
    listing,
    operations::Worker,
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::mutate,
};
use contracts::linli::{
    common::v1::{AvailableAction, CallerRelationship},
    funding::v1::{self as pb, allocation_run_service_server::AllocationRunService},
};
use kernel::name::AllocationRunName;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::{
    encode,
    rules::{RUNS, RunState, RunVerb},
    store::run::{self as store, Relationship, Run},
    transitions,
};
use crate::{actor::Actor, ledger::store::named};

/// The gRPC service.
#[derive(Clone)]
pub struct AllocationRuns {
    /// What handlers share.
    pub context: Context,
    /// The worker, to be woken.
    pub worker: Worker,
}

/// A run with its sums and warnings.
pub(super) async fn summed(
    sql: &mut PgConnection,
    service: &str,
    name: &AllocationRunName,
    run: &Run,
) -> Result<pb::AllocationRun, Refusal> {
    let sums = store::sums(sql, name).await?;
    let left_out = match run.former_runs.is_empty() {
        true => 0,
        false => store::left_out(sql, name, run.fiscal_year).await?,
    };
    Ok(pb::AllocationRun {
        summary: Some(encode::summary(run, &sums)?),
        warnings: encode::run_warnings(run, &sums, left_out),
        ..encode::run(service, run)?
    })
}

/// What the caller can do with a run now.
async fn actions(
    sql: &mut PgConnection,
    call: &Call,
    name: &AllocationRunName,
    run: &Run,
) -> Result<Vec<AvailableAction>, Refusal> {
    let state: RunState = named(&run.state)?;
    let (who, grounds) = (Actor::of(call), transitions::Grounds::of(sql, name).await?);
    let hindered = |verb: RunVerb| {
        let hindrance = grounds.need(name, run, verb, &who).err();
        hindrance.map(|(obstacle, why)| Hindrance::of(obstacle, &why))
    };
    Ok(available_unless(&RUNS, state, call, name.town(), Scope::is_town, hindered))
}

/// The runs that stand so to the caller.
fn relationship(call: &Call, town: &str, asked: CallerRelationship) -> Relationship {
    match asked {
        CallerRelationship::Unspecified => Relationship::Any,
        CallerRelationship::Created => Relationship::Created,
        CallerRelationship::HasApproved => Relationship::HasApproved,
        CallerRelationship::CanApprove => {
            let row = RUNS.rows.iter().find(|row| row.verb == RunVerb::Approve);
            match row.is_some_and(|row| call.may(row.permission, town).is_town()) {
                true => Relationship::CanApprove,
                false => Relationship::Nothing,
            }
        }
    }
}

impl AllocationRuns {
    async fn read(
        &self,
        call: &Call,
        request: &pb::GetAllocationRunRequest,
    ) -> Result<pb::AllocationRun, Refusal> {
        let name: AllocationRunName = wire::name("name", &request.name)?;
        call.whole_town(name.town())?;
        let mut read = self.context.db.read().await?;
        let run = store::get(read.sql(), &name, false).await?;
        let run = run.ok_or_else(|| Refusal::not_found("linli.dev/AllocationRun", name.to_string()))?;
        Ok(pb::AllocationRun {
            available_actions: actions(read.sql(), call, &name, &run).await?,
            timeline: timeline::read(read.sql(), name.town(), &name.to_string()).await?,
            ..summed(read.sql(), call.service(), &name, &run).await?
        })
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListAllocationRunsRequest,
    ) -> Result<pb::ListAllocationRunsResponse, Refusal> {
        let bound = format!("{} {}", request.filter, request.caller_relationship().as_str_name());
        let asked = listing::request_undated!(request);
        let (asked, paging) = listing::Asked::read_bound(&self.context, call, asked, encode::RUNS, &bound)?;
        call.whole_town(&asked.town)?;
        let relationship = relationship(call, &asked.town, request.caller_relationship());
        let mut query = store::list_query(&asked, relationship, &Actor::of(call));
        let mut found: Vec<Run> =
            query.build_query_as().fetch_all(self.context.db.read().await?.sql()).await?;
        let next_page_token = paging.next(&mut found, |run| vec![run.id.clone()]);
        let allocation_runs =
            found.iter().map(|run| encode::run(call.service(), run)).collect::<Result<_, _>>()?;
        Ok(pb::ListAllocationRunsResponse { allocation_runs, next_page_token })
    }
}

#[tonic::async_trait]
impl AllocationRunService for AllocationRuns {
    async fn get_allocation_run(
        &self,
        request: Request<pb::GetAllocationRunRequest>,
    ) -> Result<Response<pb::AllocationRun>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_allocation_runs(
        &self,
        request: Request<pb::ListAllocationRunsRequest>,
    ) -> Result<Response<pb::ListAllocationRunsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_allocation_run(
        &self,
        request: Request<pb::CreateAllocationRunRequest>,
    ) -> Result<Response<pb::AllocationRun>, Status> {
        let answer = mutate::<transitions::Create>(&self.context, request).await;
        self.worker.wake();
        answer
    }

    async fn submit_allocation_run(
        &self,
        request: Request<pb::SubmitAllocationRunRequest>,
    ) -> Result<Response<pb::AllocationRun>, Status> {
        mutate::<transitions::Submit>(&self.context, request).await
    }

    async fn approve_allocation_run(
        &self,
        request: Request<pb::ApproveAllocationRunRequest>,
    ) -> Result<Response<pb::AllocationRun>, Status> {
        mutate::<transitions::Approve>(&self.context, request).await
    }

    async fn request_allocation_run_revision(
        &self,
        request: Request<pb::RequestAllocationRunRevisionRequest>,
    ) -> Result<Response<pb::AllocationRun>, Status> {
        mutate::<transitions::RequestRevision>(&self.context, request).await
    }

    async fn reject_allocation_run(
        &self,
        request: Request<pb::RejectAllocationRunRequest>,
    ) -> Result<Response<pb::AllocationRun>, Status> {
        mutate::<transitions::Reject>(&self.context, request).await
    }

    async fn cancel_allocation_run(
        &self,
        request: Request<pb::CancelAllocationRunRequest>,
    ) -> Result<Response<pb::AllocationRun>, Status> {
        mutate::<transitions::Cancel>(&self.context, request).await
    }

    async fn release_allocation_run(
        &self,
        request: Request<pb::ReleaseAllocationRunRequest>,
    ) -> Result<Response<pb::AllocationRun>, Status> {
        let answer = mutate::<transitions::Release>(&self.context, request).await;
        self.worker.wake();
        answer
    }
}
