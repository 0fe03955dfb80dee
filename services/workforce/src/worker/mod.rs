//! Community workers 社区工作者: who they are, from when until when they work here (Work points 4.1).

pub(crate) mod acts;
pub(crate) mod encode;
pub(crate) mod rules;
pub(crate) mod store;

use chassis::{
    actor::{Actor, another},
    as_of::AsOf,
    call::Call,
    context::Context,
    governance::Governance,
    identity::Scope,
    listing::{self, Asked},
    operations::Worker as Jobs,
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::{mutate, mutate_given},
};
use contracts::linli::{
    common::v1::{AvailableAction, Obstacle},
    workforce::v1::{self as pb, worker_service_server::WorkerService},
};
use kernel::{
    name::{TownName, WorkerName},
    state::Named,
};
use tonic::{Request, Response, Status};

use self::{
    rules::{TABLE, Verb},
    store::View,
};
use crate::{absence, certificate, known};

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Workers {
    /// What handlers share.
    pub(crate) context: Context,
    /// Whom it asks for people and committees.
    pub(crate) governance: Governance,
    /// What works in the background, to be woken.
    pub(crate) jobs: Jobs,
}

/// What the caller can do with a worker now.
fn actions(call: &Call, view: &View) -> Result<Vec<AvailableAction>, Refusal> {
    let held = view.committee.as_deref();
    let sees = |scope: &Scope| scope.is_town() || held.is_some_and(|its| scope.holds_committee(its));
    let recorder = view.recorder();
    let hindered = |verb: Verb| {
        let four_eyes = || another(&view.name(), verb.name(), &Actor::of(call), &[("record", &recorder)]);
        let why = (verb == Verb::Confirm).then(|| four_eyes().err()).flatten()?;
        Some(Hindrance::of(Obstacle::FourEyes, &why))
    };
    Ok(available_unless(&TABLE, view.state()?, call, &view.town, sees, hindered))
}

impl Workers {
    async fn read(&self, call: &Call, request: &pb::GetWorkerRequest) -> Result<pb::Worker, Refusal> {
        let name: WorkerName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), None)?;
        let mut read = self.context.db.read().await?;
        let found = store::get(read.sql(), &name, &scope, as_of.day).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Worker", name.to_string()))?;
        let mut answer = encode::worker(&found)?;
        answer.certificates = certificate::holding(read.sql(), &name, as_of.day).await?;
        answer.available_actions = actions(call, &found)?;
        answer.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(answer)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListWorkersRequest,
    ) -> Result<pb::ListWorkersResponse, Refusal> {
        let asked = listing::Request {
            as_of_date: request.as_of_date.as_ref(),
            ..listing::request_undated!(request)
        };
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::FILTER)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<View> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |view| vec![view.id.clone()]);
        let workers = found.iter().map(encode::worker).collect::<Result<_, _>>()?;
        Ok(pb::ListWorkersResponse { workers, next_page_token })
    }

    /// Whom a request to hire names, and whether governance knows the committee.
    async fn found(
        &self,
        call: &Call,
        request: &pb::CreateWorkerRequest,
    ) -> Result<Option<known::Found>, Refusal> {
        // what is no town's name, or not the caller's town, is refused by the work
        let Ok(town) = TownName::parse(&request.parent) else { return Ok(None) };
        if call.whole_town(town.town()).is_err() {
            return Ok(None);
        }
        let default = pb::Worker::default();
        let given = request.worker.as_ref().unwrap_or(&default);
        let found = known::citizen(&self.governance, &town, "worker.citizen_id", &given.citizen_id).await?;
        if let Some(posting) = &given.posting {
            known::need_committee(&self.governance, &posting.committee).await?;
        }
        Ok(Some(found))
    }
}

#[tonic::async_trait]
impl WorkerService for Workers {
    async fn get_worker(
        &self,
        request: Request<pb::GetWorkerRequest>,
    ) -> Result<Response<pb::Worker>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_workers(
        &self,
        request: Request<pb::ListWorkersRequest>,
    ) -> Result<Response<pb::ListWorkersResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_worker(
        &self,
        request: Request<pb::CreateWorkerRequest>,
    ) -> Result<Response<pb::Worker>, Status> {
        let found = self.found(&Call::of(&request)?, request.get_ref()).await?;
        mutate_given::<acts::Create>(&self.context, &found, request).await
    }

    async fn update_worker(
        &self,
        request: Request<pb::UpdateWorkerRequest>,
    ) -> Result<Response<pb::Worker>, Status> {
        mutate::<acts::Update>(&self.context, request).await
    }

    async fn confirm_worker(
        &self,
        request: Request<pb::ConfirmWorkerRequest>,
    ) -> Result<Response<pb::Worker>, Status> {
        mutate::<acts::Confirm>(&self.context, request).await
    }

    async fn end_employment(
        &self,
        request: Request<pb::EndEmploymentRequest>,
    ) -> Result<Response<pb::Worker>, Status> {
        let answer = mutate::<acts::End>(&self.context, request).await;
        self.jobs.wake();
        answer
    }

    async fn correct_worker(
        &self,
        request: Request<pb::CorrectWorkerRequest>,
    ) -> Result<Response<pb::Worker>, Status> {
        let answer = mutate::<acts::Correct>(&self.context, request).await;
        self.jobs.wake();
        answer
    }

    async fn create_absence(
        &self,
        request: Request<pb::CreateAbsenceRequest>,
    ) -> Result<Response<pb::Absence>, Status> {
        mutate::<absence::Create>(&self.context, request).await
    }

    async fn cancel_absence(
        &self,
        request: Request<pb::CancelAbsenceRequest>,
    ) -> Result<Response<pb::Absence>, Status> {
        mutate::<absence::Cancel>(&self.context, request).await
    }

    async fn list_absences(
        &self,
        request: Request<pb::ListAbsencesRequest>,
    ) -> Result<Response<pb::ListAbsencesResponse>, Status> {
        Ok(Response::new(absence::page(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_certificate(
        &self,
        request: Request<pb::CreateCertificateRequest>,
    ) -> Result<Response<pb::Certificate>, Status> {
        mutate::<certificate::Create>(&self.context, request).await
    }

    async fn void_certificate(
        &self,
        request: Request<pb::VoidCertificateRequest>,
    ) -> Result<Response<pb::Certificate>, Status> {
        mutate::<certificate::Void>(&self.context, request).await
    }

    async fn list_certificates(
        &self,
        request: Request<pb::ListCertificatesRequest>,
    ) -> Result<Response<pb::ListCertificatesResponse>, Status> {
        Ok(Response::new(certificate::page(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }
}
