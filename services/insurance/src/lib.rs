//! The insurance service: programmes, policies, cover, incidents, claims, adjudication, outreach (Work points 3.4).

pub mod adjudication;
mod campaign;
mod claim;
mod cover;
pub mod document;
mod incident;
mod payment_file;
pub mod plans;
mod policy;
mod programme;
pub mod reasons;
mod report;
pub mod terms;

use std::sync::Arc;

use chassis::{
    context::Context,
    governance::Governance,
    imports::Sheets,
    objects::Objects,
    operations::{Job, Jobs, Worker},
    platform::{MESSAGE, Shared, rows},
};
use contracts::linli::insurance::v1 as pb;
use tonic::service::Routes;

/// The migrations of this service's schema.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The tables that it imports and exports, each after those that it requires.
pub fn tables() -> Sheets {
    Vec::new().into()
}

/// What its workers do; files lie in `objects`.
pub fn jobs(objects: &Objects) -> Jobs {
    Jobs::from([
        ("readjudicate", Arc::new(claim::Readjudicate) as Arc<dyn Job>),
        (claim::reencrypt::KIND, Arc::new(claim::reencrypt::Reencrypt(objects.clone())) as Arc<dyn Job>),
        (document::SWEEP, Arc::new(document::Sweep(objects.clone())) as Arc<dyn Job>),
    ])
}

/// Its gRPC services. `governance` is asked for people, residences and working days; files lie in `objects`; `mark` is what exported
/// files say of a demonstration.
pub fn routes(
    context: &Context,
    worker: &Worker,
    governance: &Governance,
    objects: &Objects,
    mark: Option<&'static str>,
) -> Routes {
    let states = vec![
        rows(&programme::rules::TABLE),
        rows(&policy::rules::TABLE),
        rows(&document::rules::TABLE),
        rows(&campaign::rules::TABLE),
        rows(&incident::rules::TABLE),
        rows(&claim::rules::TABLE),
    ];
    let routes = Routes::new(pb::document_service_server::DocumentServiceServer::new(document::Documents {
        context: context.clone(),
        objects: objects.clone(),
        worker: worker.clone(),
    }))
    .add_service(pb::programme_service_server::ProgrammeServiceServer::new(programme::Programmes(
        context.clone(),
    )))
    .add_service(pb::policy_service_server::PolicyServiceServer::new(policy::Policies {
        context: context.clone(),
        governance: governance.clone(),
    }))
    .add_service(pb::campaign_service_server::CampaignServiceServer::new(campaign::Campaigns {
        context: context.clone(),
        governance: governance.clone(),
    }))
    .add_service(pb::cover_service_server::CoverServiceServer::new(cover::Covers {
        context: context.clone(),
        governance: governance.clone(),
    }))
    .add_service(pb::incident_service_server::IncidentServiceServer::new(incident::Incidents {
        context: context.clone(),
        governance: governance.clone(),
    }))
    .add_service(pb::claim_settings_service_server::ClaimSettingsServiceServer::new(
        claim::settings::ClaimSettings(context.clone()),
    ))
    .add_service(pb::claim_service_server::ClaimServiceServer::new(claim::Claims {
        context: context.clone(),
        governance: governance.clone(),
        worker: worker.clone(),
    }))
    .add_service(pb::insurance_report_service_server::InsuranceReportServiceServer::new(report::Reports {
        context: context.clone(),
        governance: governance.clone(),
    }))
    .add_service(
        pb::payment_file_service_server::PaymentFileServiceServer::new(payment_file::PaymentFiles {
            context: context.clone(),
            governance: governance.clone(),
        })
        .max_decoding_message_size(MESSAGE),
    );
    let shared = Shared { sheets: tables(), mark, reasons: reasons::ALL, tables: states };
    shared.add_to(routes, context, worker)
}
