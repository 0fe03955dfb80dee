//! The growth plan 优能 of each worker: a path of steps, done by themselves where a certificate shows it.

mod acts;
mod rules;
mod store;

use chassis::{as_of::AsOf, call::Call, context::Context, history, refusal::Refusal, wire, work::mutate};
use contracts::linli::workforce::v1::{self as pb, growth_service_server::GrowthService};
use jiff::civil::Date;
use kernel::{etag::Etag, name::WorkerName, state::Named};
use tonic::{Request, Response, Status};

use self::{
    rules::{State, Step},
    store::Row,
};
use crate::worker;

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Growth {
    /// What handlers share.
    pub(crate) context: Context,
}

/// A step with how far it is on a day.
fn encode(row: &Row, state: State, day: Date) -> Result<pb::GrowthStep, Refusal> {
    let enum_name = |prefix: &str, name: &str| format!("{prefix}_{name}");
    let course = row.course.as_ref().map(|id| format!("towns/{}/courses/{id}", row.town));
    let certificate = enum_name("CERTIFICATE_KIND", row.certificate_kind.as_deref().unwrap_or("UNSPECIFIED"));
    let kind = enum_name("GROWTH_STEP_KIND", &row.kind);
    let state = enum_name("GROWTH_STEP_STATE", state.name());
    let done = row.step()?.done.filter(|done| *done <= day);
    Ok(pb::GrowthStep {
        name: row.name(),
        worker: format!("towns/{}/workers/{}", row.town, row.worker),
        kind: pb::GrowthStepKind::from_str_name(&kind).unwrap_or_default().into(),
        course: course.unwrap_or_default(),
        certificate_kind: pb::CertificateKind::from_str_name(&certificate).unwrap_or_default().into(),
        title: row.title.clone(),
        due_date: Some(wire::to_date(history::day(&row.due)?)),
        state: pb::GrowthStepState::from_str_name(&state).unwrap_or_default().into(),
        done_date: done.map(wire::to_date),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
    })
}

/// How far each of the steps of a path is on a day.
fn standing(rows: &[Row], day: Date) -> Result<Vec<State>, Refusal> {
    let steps = rows.iter().map(Row::step).collect::<Result<Vec<Step>, _>>()?;
    Ok(rules::path(&steps, day))
}

impl Growth {
    async fn plan(&self, call: &Call, request: &pb::GetGrowthPlanRequest) -> Result<pb::GrowthPlan, Refusal> {
        let name: WorkerName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let day = AsOf::of(call, request.as_of_date.as_ref(), None)?.day;
        let mut read = self.context.db.read().await?;
        let view = worker::store::get(read.sql(), &name, &scope, call.today()).await?;
        view.ok_or_else(|| call.missing(&scope, "linli.dev/Worker", name.to_string()))?;
        let rows = store::path(read.sql(), &name).await?;
        let states = standing(&rows, day)?;
        let steps = rows.iter().zip(&states).map(|(row, state)| encode(row, *state, day));
        let count = |wanted| chassis::fields::number(states.iter().filter(|state| **state == wanted).count());
        Ok(pb::GrowthPlan {
            worker: name.to_string(),
            growth_steps: steps.collect::<Result<_, _>>()?,
            done: count(State::Done),
            late: count(State::Late),
        })
    }
}

#[tonic::async_trait]
impl GrowthService for Growth {
    async fn get_growth_plan(
        &self,
        request: Request<pb::GetGrowthPlanRequest>,
    ) -> Result<Response<pb::GrowthPlan>, Status> {
        Ok(Response::new(self.plan(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_growth_step(
        &self,
        request: Request<pb::CreateGrowthStepRequest>,
    ) -> Result<Response<pb::GrowthStep>, Status> {
        mutate::<acts::Create>(&self.context, request).await
    }

    async fn complete_growth_step(
        &self,
        request: Request<pb::CompleteGrowthStepRequest>,
    ) -> Result<Response<pb::GrowthStep>, Status> {
        mutate::<acts::Complete>(&self.context, request).await
    }

    async fn cancel_growth_step(
        &self,
        request: Request<pb::CancelGrowthStepRequest>,
    ) -> Result<Response<pb::GrowthStep>, Status> {
        mutate::<acts::Cancel>(&self.context, request).await
    }
}
