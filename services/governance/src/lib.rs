//! The governance service: the structure of the town (Work points 1.1-1.3, 3.1, 3.2), its calendar and its roles.

pub mod access;
pub mod block;
pub mod body;
pub mod building;
pub mod calendar;
pub mod committee;
pub mod community;
pub mod demo;
pub mod estate;
pub mod force;
pub mod household;
mod listing;
pub mod membership;
pub mod organisation;
pub mod partition;
pub mod person;
pub mod plans;
pub mod reasons;
pub mod residence;
mod sheets;
pub mod stewardship;
pub mod structure;
pub mod town;

use std::sync::Arc;

use chassis::{
    as_of,
    context::Context,
    fields, history as store,
    identity::Directory,
    imports::ImportJob,
    line,
    operations::{Job, Jobs, Worker},
    platform::{Shared, rows},
};
use contracts::linli::governance::v1 as pb;
use tonic::service::Routes;

/// The migrations of this service's schema.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The tables that it imports and exports, each after those that it requires.
pub fn tables() -> chassis::imports::Sheets {
    sheets::sheets()
}

/// What its workers do.
pub fn jobs() -> Jobs {
    Jobs::from([
        ("import", Arc::new(ImportJob(sheets::sheets())) as Arc<dyn Job>),
        ("reencrypt", Arc::new(person::Reencrypt) as Arc<dyn Job>),
    ])
}

/// Its gRPC services. `directory` is the one that its layers go by, but which remembers nothing: the other services, who are told
/// by it, remember themselves. `mark` is what exported files say of a demonstration.
pub fn routes(
    context: &Context,
    worker: &Worker,
    directory: Arc<dyn Directory>,
    mark: Option<&'static str>,
) -> Routes {
    let tables = vec![rows(&committee::rules::TABLE), rows(&block::rules::TABLE), rows(&body::rules::TABLE)];
    let routes = Routes::new(pb::town_service_server::TownServiceServer::new(town::Towns(context.clone())))
        .add_service(pb::community_service_server::CommunityServiceServer::new(community::Communities(
            context.clone(),
        )))
        .add_service(pb::committee_service_server::CommitteeServiceServer::new(committee::Committees(
            context.clone(),
        )))
        .add_service(pb::block_service_server::BlockServiceServer::new(block::Blocks(context.clone())))
        .add_service(pb::stewardship_service_server::StewardshipServiceServer::new(
            stewardship::Stewardships(context.clone()),
        ))
        .add_service(pb::block_force_service_server::BlockForceServiceServer::new(force::BlockForces(
            context.clone(),
        )))
        .add_service(pb::organisation_service_server::OrganisationServiceServer::new(
            organisation::Organisations(context.clone()),
        ))
        .add_service(pb::estate_service_server::EstateServiceServer::new(estate::Estates(context.clone())))
        .add_service(pb::building_service_server::BuildingServiceServer::new(building::Buildings(
            context.clone(),
        )))
        .add_service(pb::household_service_server::HouseholdServiceServer::new(household::Households(
            context.clone(),
        )))
        .add_service(pb::partition_service_server::PartitionServiceServer::new(partition::Partitions(
            context.clone(),
        )))
        .add_service(pb::person_service_server::PersonServiceServer::new(person::People {
            context: context.clone(),
            worker: worker.clone(),
        }))
        .add_service(pb::residence_service_server::ResidenceServiceServer::new(residence::Residences(
            context.clone(),
        )))
        .add_service(pb::body_kind_service_server::BodyKindServiceServer::new(body::BodyKinds(
            context.clone(),
        )))
        .add_service(pb::structure_service_server::StructureServiceServer::new(structure::Structures(
            context.clone(),
        )))
        .add_service(pb::body_service_server::BodyServiceServer::new(body::Bodies(context.clone())))
        .add_service(pb::membership_service_server::MembershipServiceServer::new(membership::Memberships(
            context.clone(),
        )))
        .add_service(pb::role_binding_service_server::RoleBindingServiceServer::new(access::RoleBindings {
            context: context.clone(),
            directory,
        }))
        .add_service(pb::calendar_service_server::CalendarServiceServer::new(calendar::Calendars(
            context.clone(),
        )));
    let shared = Shared { sheets: sheets::sheets(), mark, reasons: reasons::ALL, tables };
    shared.add_to(routes, context, worker)
}
