//! The workforce service: community workers, training, rota, appraisal, awards (Work points 4.1-4.3).

mod absence;
mod certificate;
mod composition;
mod known;
pub mod pay;
mod posting;
pub mod reasons;
pub mod rota;
mod training;
mod worker;

use std::sync::Arc;

use chassis::{
    context::Context,
    governance::Governance,
    imports::Sheets,
    operations::{Job, Jobs, Worker},
    platform::{Shared, rows},
};
use contracts::linli::workforce::v1 as pb;
use tonic::service::Routes;

/// The migrations of this service's schema.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The tables that it imports and exports, each after those that it requires.
pub fn tables() -> Sheets {
    Vec::new().into()
}

/// What its workers do; `governance` is told of posts that ended.
pub fn jobs(governance: &Governance) -> Jobs {
    let mut jobs = Jobs::from([(posting::TELL, Arc::new(posting::Tell(governance.clone())) as Arc<dyn Job>)]);
    jobs.extend(pay::jobs());
    jobs
}

/// Its gRPC services. `governance` is asked for people, committees and working days; `mark` is what exported files say of a
/// demonstration.
pub fn routes(
    context: &Context,
    worker: &Worker,
    governance: &Governance,
    mark: Option<&'static str>,
) -> Routes {
    let states = vec![
        rows(&worker::rules::TABLE),
        rows(&rota::rules::TABLE),
        rows(&rota::rules::SWAPS),
        rows(&pay::lives::SCALES),
        rows(&pay::lives::RUNS),
        rows(&training::rules::COURSE),
        rows(&training::rules::SESSION),
        rows(&training::rules::ENROLMENT),
        rows(&training::professional::rules::TABLE),
    ];
    let routes =
        Routes::new(pb::worker_service_server::WorkerServiceServer::new(worker::Workers {
            context: context.clone(),
            governance: governance.clone(),
            jobs: worker.clone(),
        }))
        .add_service(pb::posting_service_server::PostingServiceServer::new(posting::Postings {
            context: context.clone(),
            governance: governance.clone(),
            jobs: worker.clone(),
        }))
        .add_service(pb::pay_service_server::PayServiceServer::new(pay::Pay {
            context: context.clone(),
            jobs: worker.clone(),
            mark,
        }))
        .add_service(pb::composition_service_server::CompositionServiceServer::new(
            composition::Compositions { context: context.clone(), governance: governance.clone() },
        ))
        .add_service(pb::rota_service_server::RotaServiceServer::new(rota::Rotas {
            context: context.clone(),
            governance: governance.clone(),
        }))
        .add_service(pb::course_service_server::CourseServiceServer::new(training::Courses {
            context: context.clone(),
            governance: governance.clone(),
        }))
        .add_service(pb::training_service_server::TrainingServiceServer::new(
            training::Trainings { context: context.clone(), governance: governance.clone() },
        ));
    let routes =
        routes.add_service(pb::professional_exam_service_server::ProfessionalExamServiceServer::new(
            training::professional::Exams { context: context.clone() },
        ));
    let routes =
        routes.add_service(pb::growth_service_server::GrowthServiceServer::new(training::growth::Growth {
            context: context.clone(),
        }));
    let shared = Shared { sheets: tables(), mark, reasons: reasons::ALL, tables: states };
    shared.add_to(routes, context, worker)
}
