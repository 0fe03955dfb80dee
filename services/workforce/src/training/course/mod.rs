//! Courses 课程 and what a year asks of a role.

mod acts;
mod encode;
pub(super) mod store;
mod target;

pub(super) use encode::{kind, read_role, role};

use chassis::{
    call::Call,
    context::Context,
    fields,
    governance::Governance,
    listing::{self, Asked},
    refusal::Refusal,
    state::available,
    timeline, wire,
    work::mutate,
};
use contracts::linli::workforce::v1::{self as pb, course_service_server::CourseService};
use kernel::name::{CourseName, OrganisationName, TownName};
use tonic::{Request, Response, Status};

use self::store::Row;
use super::rules::COURSE;
use crate::reasons::PEER_UNKNOWN;

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Courses {
    /// What handlers share.
    pub(crate) context: Context,
    /// Whom it asks for organisations.
    pub(crate) governance: Governance,
}

impl Courses {
    async fn read(&self, call: &Call, name: &str) -> Result<pb::Course, Refusal> {
        let name: CourseName = wire::name("name", name)?;
        let scope = call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        let found = store::find(read.sql(), name.town(), name.course(), false).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Course", name.to_string()))?;
        let mut answer = encode::course(&found);
        let whole = |scope: &chassis::identity::Scope| scope.is_town();
        answer.available_actions = available(&COURSE, found.state()?, call, name.town(), whole);
        answer.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(answer)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListCoursesRequest,
    ) -> Result<pb::ListCoursesResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::FILTER)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Row> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.id.clone()]);
        Ok(pb::ListCoursesResponse { courses: found.iter().map(encode::course).collect(), next_page_token })
    }

    /// Refuses an organisation that governance doesn't know; what is no name is told with the other faults of the request.
    async fn need_provider(&self, call: &Call, request: &pb::CreateCourseRequest) -> Result<(), Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        call.whole_town(town.town())?;
        let given = request.course.as_ref().map(|course| course.provider.as_str()).unwrap_or_default();
        let provider: Result<OrganisationName, _> =
            fields::in_town("", given, town.town(), OrganisationName::town);
        let Ok(provider) = provider else { return Ok(()) };
        match self.governance.organisation(&provider).await? {
            Some(_) => Ok(()),
            None => Err(Refusal::new(&PEER_UNKNOWN).with("name", provider)),
        }
    }
}

#[tonic::async_trait]
impl CourseService for Courses {
    async fn get_course(
        &self,
        request: Request<pb::GetCourseRequest>,
    ) -> Result<Response<pb::Course>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, &request.get_ref().name).await?))
    }

    async fn list_courses(
        &self,
        request: Request<pb::ListCoursesRequest>,
    ) -> Result<Response<pb::ListCoursesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_course(
        &self,
        request: Request<pb::CreateCourseRequest>,
    ) -> Result<Response<pb::Course>, Status> {
        self.need_provider(&Call::of(&request)?, request.get_ref()).await?;
        mutate::<acts::Create>(&self.context, request).await
    }

    async fn update_course(
        &self,
        request: Request<pb::UpdateCourseRequest>,
    ) -> Result<Response<pb::Course>, Status> {
        mutate::<acts::Update>(&self.context, request).await
    }

    async fn open_course(
        &self,
        request: Request<pb::OpenCourseRequest>,
    ) -> Result<Response<pb::Course>, Status> {
        mutate::<acts::Open>(&self.context, request).await
    }

    async fn close_course(
        &self,
        request: Request<pb::CloseCourseRequest>,
    ) -> Result<Response<pb::Course>, Status> {
        mutate::<acts::Close>(&self.context, request).await
    }

    async fn set_training_target(
        &self,
        request: Request<pb::SetTrainingTargetRequest>,
    ) -> Result<Response<pb::TrainingTarget>, Status> {
        mutate::<target::Set>(&self.context, request).await
    }

    async fn list_training_targets(
        &self,
        request: Request<pb::ListTrainingTargetsRequest>,
    ) -> Result<Response<pb::ListTrainingTargetsResponse>, Status> {
        Ok(Response::new(target::page(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }
}
