//! Pay 薪酬 (Work points 4.1): scales as data, a run for each month, statements explained line by line, differences instead of corrections.

mod explain;
pub(crate) mod lives;
mod rules;
#[cfg(test)]
mod rules_tests;
mod run;
mod scale;
mod statement;

use std::sync::Arc;

use chassis::{
    call::Call,
    context::Context,
    operations::{Job, Worker as Jobs},
    work::mutate,
};
use contracts::linli::workforce::v1::{self as pb, pay_service_server::PayService};
use tonic::{Request, Response, Status};

pub use rules::{
    Because, Certificate, Duty, Earlier, Facts, Held, Inputs, Line, Part, PayError, Scale, Scales, compute,
    difference, statement, total,
};

/// What its operations do, by kind.
pub(crate) fn jobs() -> [(&'static str, Arc<dyn Job>); 1] {
    [(run::job::KIND, Arc::new(run::job::Pay))]
}

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Pay {
    /// What handlers share.
    pub(crate) context: Context,
    /// What works in the background, to be woken.
    pub(crate) jobs: Jobs,
    /// What exported files say of a demonstration.
    pub(crate) mark: Option<&'static str>,
}

#[tonic::async_trait]
impl PayService for Pay {
    async fn get_pay_scale(
        &self,
        request: Request<pb::GetPayScaleRequest>,
    ) -> Result<Response<pb::PayScale>, Status> {
        Ok(Response::new(scale::get(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_pay_scales(
        &self,
        request: Request<pb::ListPayScalesRequest>,
    ) -> Result<Response<pb::ListPayScalesResponse>, Status> {
        Ok(Response::new(scale::page(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_pay_scale(
        &self,
        request: Request<pb::CreatePayScaleRequest>,
    ) -> Result<Response<pb::PayScale>, Status> {
        mutate::<scale::acts::Create>(&self.context, request).await
    }

    async fn update_pay_scale(
        &self,
        request: Request<pb::UpdatePayScaleRequest>,
    ) -> Result<Response<pb::PayScale>, Status> {
        mutate::<scale::acts::Update>(&self.context, request).await
    }

    async fn approve_pay_scale(
        &self,
        request: Request<pb::ApprovePayScaleRequest>,
    ) -> Result<Response<pb::PayScale>, Status> {
        mutate::<scale::acts::Approve>(&self.context, request).await
    }

    async fn get_pay_run(
        &self,
        request: Request<pb::GetPayRunRequest>,
    ) -> Result<Response<pb::PayRun>, Status> {
        Ok(Response::new(run::get(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_pay_runs(
        &self,
        request: Request<pb::ListPayRunsRequest>,
    ) -> Result<Response<pb::ListPayRunsResponse>, Status> {
        Ok(Response::new(run::page(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_pay_run(
        &self,
        request: Request<pb::CreatePayRunRequest>,
    ) -> Result<Response<pb::PayRun>, Status> {
        let answer = mutate::<run::acts::Create>(&self.context, request).await;
        self.jobs.wake();
        answer
    }

    async fn approve_pay_run(
        &self,
        request: Request<pb::ApprovePayRunRequest>,
    ) -> Result<Response<pb::PayRun>, Status> {
        mutate::<run::acts::Approve>(&self.context, request).await
    }

    async fn cancel_pay_run(
        &self,
        request: Request<pb::CancelPayRunRequest>,
    ) -> Result<Response<pb::PayRun>, Status> {
        mutate::<run::acts::Cancel>(&self.context, request).await
    }

    async fn export_pay_run(
        &self,
        request: Request<pb::ExportPayRunRequest>,
    ) -> Result<Response<pb::ExportPayRunResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(statement::file(&self.context, &call, self.mark, request.get_ref()).await?))
    }

    async fn get_pay_statement(
        &self,
        request: Request<pb::GetPayStatementRequest>,
    ) -> Result<Response<pb::PayStatement>, Status> {
        Ok(Response::new(statement::get(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_own_pay_statement(
        &self,
        request: Request<pb::GetOwnPayStatementRequest>,
    ) -> Result<Response<pb::PayStatement>, Status> {
        Ok(Response::new(statement::own(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_pay_statements(
        &self,
        request: Request<pb::ListPayStatementsRequest>,
    ) -> Result<Response<pb::ListPayStatementsResponse>, Status> {
        Ok(Response::new(statement::page(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }
}
