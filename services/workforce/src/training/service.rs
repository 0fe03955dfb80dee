//! The gRPC service of sessions, learners and gaps.

use chassis::{call::Call, context::Context, governance::Governance, work::mutate};
use contracts::linli::workforce::v1::{self as pb, training_service_server::TrainingService};
use tonic::{Request, Response, Status};

use super::{enrolment, gaps, session};

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Trainings {
    /// What handlers share.
    pub(crate) context: Context,
    /// Whom it asks for people and committees.
    pub(crate) governance: Governance,
}

#[tonic::async_trait]
impl TrainingService for Trainings {
    async fn get_training_session(
        &self,
        request: Request<pb::GetTrainingSessionRequest>,
    ) -> Result<Response<pb::TrainingSession>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(session::read(&self.context, &call, &request.get_ref().name).await?))
    }

    async fn list_training_sessions(
        &self,
        request: Request<pb::ListTrainingSessionsRequest>,
    ) -> Result<Response<pb::ListTrainingSessionsResponse>, Status> {
        Ok(Response::new(session::page(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_training_session(
        &self,
        request: Request<pb::CreateTrainingSessionRequest>,
    ) -> Result<Response<pb::TrainingSession>, Status> {
        mutate::<session::acts::Create>(&self.context, request).await
    }

    async fn hold_training_session(
        &self,
        request: Request<pb::HoldTrainingSessionRequest>,
    ) -> Result<Response<pb::TrainingSession>, Status> {
        mutate::<session::acts::Hold>(&self.context, request).await
    }

    async fn cancel_training_session(
        &self,
        request: Request<pb::CancelTrainingSessionRequest>,
    ) -> Result<Response<pb::TrainingSession>, Status> {
        mutate::<session::acts::Cancel>(&self.context, request).await
    }

    async fn get_enrolment(
        &self,
        request: Request<pb::GetEnrolmentRequest>,
    ) -> Result<Response<pb::Enrolment>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(enrolment::read(&self.context, &call, &request.get_ref().name).await?))
    }

    async fn list_enrolments(
        &self,
        request: Request<pb::ListEnrolmentsRequest>,
    ) -> Result<Response<pb::ListEnrolmentsResponse>, Status> {
        Ok(Response::new(enrolment::page(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_enrolment(
        &self,
        request: Request<pb::CreateEnrolmentRequest>,
    ) -> Result<Response<pb::Enrolment>, Status> {
        enrolment::need_known(&self.governance, &Call::of(&request)?, request.get_ref()).await?;
        mutate::<enrolment::Create>(&self.context, request).await
    }

    async fn withdraw_enrolment(
        &self,
        request: Request<pb::WithdrawEnrolmentRequest>,
    ) -> Result<Response<pb::Enrolment>, Status> {
        mutate::<enrolment::Withdraw>(&self.context, request).await
    }

    async fn record_attendance(
        &self,
        request: Request<pb::RecordAttendanceRequest>,
    ) -> Result<Response<pb::Enrolment>, Status> {
        mutate::<enrolment::Attend>(&self.context, request).await
    }

    async fn record_exam_attempt(
        &self,
        request: Request<pb::RecordExamAttemptRequest>,
    ) -> Result<Response<pb::Enrolment>, Status> {
        mutate::<enrolment::RecordAttempt>(&self.context, request).await
    }

    async fn give_feedback(
        &self,
        request: Request<pb::GiveFeedbackRequest>,
    ) -> Result<Response<pb::Enrolment>, Status> {
        mutate::<enrolment::GiveFeedback>(&self.context, request).await
    }

    async fn list_training_gaps(
        &self,
        request: Request<pb::ListTrainingGapsRequest>,
    ) -> Result<Response<pb::ListTrainingGapsResponse>, Status> {
        Ok(Response::new(gaps::page(&self.context, &Call::of(&request)?, request.get_ref()).await?))
    }
}
