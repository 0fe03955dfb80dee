//! The professional exam of social workers 社会工作者职业资格: registration for a year, result, certificate.

mod acts;
pub(crate) mod rules;
mod store;

use chassis::{
    actor::{Actor, another},
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
    workforce::v1::{self as pb, professional_exam_service_server::ProfessionalExamService},
};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind as Type},
    name::ExamRegistrationName,
    state::Named,
};
use tonic::{Request, Response, Status};

use self::{
    rules::{Level, State, TABLE, Verb},
    store::Row,
};

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Exams {
    /// What handlers share.
    pub(crate) context: Context,
}

const fn field(name: &'static str, column: &'static str, kind: Type) -> FieldSpec {
    FieldSpec { name, column, kind }
}

const FILTER: &[FieldSpec] = &[
    field("worker", "r.worker", Type::Name { collection: "workers", town: "r.town" }),
    field("level", "r.level", Type::Enum(Level::NAMES)),
    field("exam_year", "r.exam_year", Type::Integer),
    field("state", "r.state", Type::Enum(State::NAMES)),
];

/// A registration without what only Get shows.
fn encode(row: &Row) -> pb::ExamRegistration {
    let state = format!("EXAM_REGISTRATION_STATE_{}", row.state);
    let level = format!("CERTIFICATE_KIND_{}", row.level);
    let certificate = row.certificate.map(|id| format!("towns/{}/certificates/{id}", row.town));
    pb::ExamRegistration {
        name: row.name(),
        worker: format!("towns/{}/workers/{}", row.town, row.worker),
        level: pb::CertificateKind::from_str_name(&level).unwrap_or_default().into(),
        exam_year: row.exam_year,
        state: pb::ExamRegistrationState::from_str_name(&state).unwrap_or_default().into(),
        certificate: certificate.unwrap_or_default(),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        ..Default::default()
    }
}

impl Exams {
    async fn read(&self, call: &Call, name: &str) -> Result<pb::ExamRegistration, Refusal> {
        let name: ExamRegistrationName = wire::name("name", name)?;
        let scope = call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        let found = store::get(read.sql(), &name, (&scope, call.today()), false).await?;
        let missing = || call.missing(&scope, "linli.dev/ExamRegistration", name.to_string());
        let found = found.ok_or_else(missing)?;
        let hindered = |verb: Verb| {
            let who = Actor::of(call);
            let tried = || another(&found.name(), verb.name(), &who, &[("learn", &found.learner())]);
            let why = (verb == Verb::RecordExamResult).then(|| tried().err())??;
            Some(Hindrance::of(Obstacle::FourEyes, &why))
        };
        let mut answer = encode(&found);
        // whoever sees it sees the worker
        let sees = |its: &Scope| its.is_town() || *its == scope;
        answer.available_actions =
            available_unless(&TABLE, found.state()?, call, name.town(), sees, hindered);
        answer.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(answer)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListExamRegistrationsRequest,
    ) -> Result<pb::ListExamRegistrationsResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.context, call, asked, FILTER)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Row> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
        let exam_registrations = found.iter().map(encode).collect();
        Ok(pb::ListExamRegistrationsResponse { exam_registrations, next_page_token })
    }
}

#[tonic::async_trait]
impl ProfessionalExamService for Exams {
    async fn get_exam_registration(
        &self,
        request: Request<pb::GetExamRegistrationRequest>,
    ) -> Result<Response<pb::ExamRegistration>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, &request.get_ref().name).await?))
    }

    async fn list_exam_registrations(
        &self,
        request: Request<pb::ListExamRegistrationsRequest>,
    ) -> Result<Response<pb::ListExamRegistrationsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_exam_registration(
        &self,
        request: Request<pb::CreateExamRegistrationRequest>,
    ) -> Result<Response<pb::ExamRegistration>, Status> {
        mutate::<acts::Create>(&self.context, request).await
    }

    async fn withdraw_exam_registration(
        &self,
        request: Request<pb::WithdrawExamRegistrationRequest>,
    ) -> Result<Response<pb::ExamRegistration>, Status> {
        mutate::<acts::Withdraw>(&self.context, request).await
    }

    async fn record_exam_result(
        &self,
        request: Request<pb::RecordExamResultRequest>,
    ) -> Result<Response<pb::ExamRegistration>, Status> {
        mutate::<acts::RecordResult>(&self.context, request).await
    }
}
