//! The governance service: the structure of the town (Work points 1.1-1.3, 3.1, 3.2), its calendar and its roles.

pub mod access;
mod as_of;
pub mod block;
pub mod calendar;
pub mod committee;
pub mod community;
pub mod reasons;
pub mod stewardship;
mod store;
pub mod town;

use chassis::context::Context;
use contracts::linli::governance::v1 as pb;
use tonic::service::Routes;

/// The migrations of this service's schema.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The gRPC services that are governance's own.
pub fn routes(context: &Context) -> Routes {
    Routes::new(pb::town_service_server::TownServiceServer::new(town::Towns(context.clone())))
        .add_service(pb::community_service_server::CommunityServiceServer::new(community::Communities(context.clone())))
        .add_service(pb::committee_service_server::CommitteeServiceServer::new(committee::Committees(context.clone())))
        .add_service(pb::block_service_server::BlockServiceServer::new(block::Blocks(context.clone())))
        .add_service(pb::stewardship_service_server::StewardshipServiceServer::new(stewardship::Stewardships(context.clone())))
        .add_service(pb::role_binding_service_server::RoleBindingServiceServer::new(access::RoleBindings(context.clone())))
        .add_service(pb::calendar_service_server::CalendarServiceServer::new(calendar::Calendars(context.clone())))
}
