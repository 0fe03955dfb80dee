//! The gRPC services that every service of the suite has.

use contracts::linli::platform::v1 as pb;
use tonic::service::Routes;

use super::{Audit, Catalogue, Events, StateRows};
use crate::{
    context::Context,
    imports::{Imports, Sheets},
    operations::{Operations, Worker},
    refusal::Reason,
};

/// Bytes of a request at most where files are brought.
pub const MESSAGE: usize = 16 << 20;

/// What a service brings to the services that every one has.
pub struct Shared {
    /// The tables that it imports and exports.
    pub sheets: Sheets,
    /// What exported files say of a demonstration.
    pub mark: Option<&'static str>,
    /// Its reasons.
    pub reasons: &'static [&'static Reason],
    /// Its state tables.
    pub tables: Vec<StateRows>,
}

impl Shared {
    /// `routes` with operations, imports and exports, events, audit and catalogue.
    pub fn add_to(self, routes: Routes, context: &Context, worker: &Worker) -> Routes {
        let Shared { sheets, mark, reasons, tables } = self;
        let imports = Imports { context: context.clone(), worker: worker.clone(), sheets, mark };
        let operations = Operations { context: context.clone(), worker: worker.clone() };
        routes
            .add_service(pb::operation_service_server::OperationServiceServer::new(operations))
            .add_service(
                pb::import_service_server::ImportServiceServer::new(imports)
                    .max_decoding_message_size(MESSAGE)
                    .max_encoding_message_size(4 * MESSAGE),
            )
            .add_service(pb::event_service_server::EventServiceServer::new(Events(context.clone())))
            .add_service(pb::audit_service_server::AuditServiceServer::new(Audit(context.clone())))
            .add_service(pb::catalogue_service_server::CatalogueServiceServer::new(Catalogue {
                reasons,
                tables,
            }))
    }
}
