//! What a service can answer and refuse: reasons and state tables, for people and programs.

use contracts::linli::platform::v1::{self as pb, catalogue_service_server::CatalogueService};
use kernel::state::{Named, Table};
use tonic::{Request, Response, Status};

use crate::{
    refusal::{self, Reason},
    telemetry::code_name,
};

/// A state table without its types.
pub type StateRows = pb::StateTable;

/// A state table for the catalogue.
pub fn rows<S: Named, V: Named>(table: &Table<S, V>) -> StateRows {
    let transitions = table.rows.iter().map(|row| pb::Transition {
        from_state: row.from.map_or("", Named::name).to_owned(),
        verb: row.verb.name().to_owned(),
        to_state: row.to.name().to_owned(),
        permission: row.permission.to_owned(),
        guards: row.guards.iter().map(ToString::to_string).collect(),
    });
    pb::StateTable {
        resource: table.resource.to_owned(),
        transitions: transitions.collect(),
        mermaid: table.to_mermaid(),
    }
}

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// The reasons that are the service's own.
    pub reasons: &'static [&'static Reason],
    /// Its state tables.
    pub tables: Vec<StateRows>,
}

fn encode(reason: &Reason) -> pb::Reason {
    pb::Reason {
        reason: reason.name.to_owned(),
        domain: reason.domain.to_owned(),
        code: code_name(reason.code).to_owned(),
        metadata_keys: reason.metadata.iter().map(ToString::to_string).collect(),
        message_zh: reason.zh.to_owned(),
        message_en: reason.en.to_owned(),
        next_zh: reason.next_zh.to_owned(),
        next_en: reason.next_en.to_owned(),
    }
}

#[tonic::async_trait]
impl CatalogueService for Catalogue {
    async fn list_reasons(
        &self,
        _: Request<pb::ListReasonsRequest>,
    ) -> Result<Response<pb::ListReasonsResponse>, Status> {
        let all = refusal::ALL.iter().chain(self.reasons);
        Ok(Response::new(pb::ListReasonsResponse {
            reasons: all.map(|reason| encode(reason)).collect(),
            next_page_token: String::new(),
        }))
    }

    async fn list_state_tables(
        &self,
        _: Request<pb::ListStateTablesRequest>,
    ) -> Result<Response<pb::ListStateTablesResponse>, Status> {
        Ok(Response::new(pb::ListStateTablesResponse {
            state_tables: self.tables.clone(),
            next_page_token: String::new(),
        }))
    }
}
