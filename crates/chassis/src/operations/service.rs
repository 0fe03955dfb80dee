//! The RPCs of operations, the same in every service.

use std::time::Duration;

use contracts::{
    google::longrunning as lro,
    linli::platform::v1::{self as pb, operation_service_server::OperationService},
};
use kernel::{
    etag::Etag,
    name::{OperationName, TownName},
};
use prost::{Message, Name};
use prost_types::Any;
use serde_json::json;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    Worker,
    store::{self, Stored},
};
use crate::{
    call::Call,
    context::Context,
    paging::Paging,
    refusal::{Refusal, WRONG_STATE},
    wire,
    work::{Change, Record, Verb, Work, check_etag, mutate},
};

/// The gRPC service.
#[derive(Clone)]
pub struct Operations {
    /// What handlers share.
    pub context: Context,
    /// The worker, to be woken.
    pub worker: Worker,
}

/// An operation on the wire.
pub fn encode(service: &str, stored: &Stored) -> Result<lro::Operation, Refusal> {
    let state =
        pb::OperationState::from_str_name(&format!("OPERATION_STATE_{}", stored.state)).unwrap_or_default();
    let metadata = pb::OperationMetadata {
        kind: stored.kind.clone(),
        town: format!("towns/{}", stored.town),
        principal: stored.principal.clone(),
        state: state.into(),
        done_units: stored.done_units,
        total_units: stored.total_units,
        create_time: Some(wire::to_timestamp(stored.created_us)),
        update_time: Some(wire::to_timestamp(stored.updated_us)),
        attempts: stored.attempts,
        cancel_requested: stored.cancel,
        etag: Etag::of(stored.version).to_string(),
    };
    let result = match (&stored.response, &stored.error) {
        (Some(bytes), _) => {
            Some(lro::operation::Result::Response(Any::decode(bytes.as_slice()).map_err(Refusal::internal)?))
        }
        (None, Some(bytes)) => Some(lro::operation::Result::Error(
            contracts::google::rpc::Status::decode(bytes.as_slice()).map_err(Refusal::internal)?,
        )),
        (None, None) => None,
    };
    Ok(lro::Operation {
        name: name(service, stored.id),
        metadata: Some(any(&metadata)),
        done: result.is_some(),
        result,
    })
}

/// `services/{service}/operations/{id}`.
pub fn name(service: &str, id: Uuid) -> String {
    format!("services/{service}/operations/{id}")
}

/// A message as `Any`, with the type URL that JSON knows.
pub fn any<M: Message + Name>(message: &M) -> Any {
    Any { type_url: format!("type.googleapis.com/{}", M::full_name()), value: message.encode_to_vec() }
}

/// The operation of a name, when the caller may see its town.
async fn find(sql: &mut PgConnection, call: &Call, text: &str) -> Result<Stored, Refusal> {
    let name: OperationName = wire::name("name", text)?;
    let found = match Uuid::parse_str(name.operation()) {
        Ok(id) => store::get(sql, id).await?,
        Err(_) => None,
    };
    // whoever sees no town whole learns nothing of what exists
    match found {
        Some(stored) if call.may(call.permission(), &stored.town).is_town() => Ok(stored),
        Some(_) => Err(call.denied()),
        None if call.may(call.permission(), "-").is_town() => {
            Err(Refusal::not_found("linli.dev/Operation", name.to_string()))
        }
        None => Err(call.denied()),
    }
}

impl Operations {
    async fn one(&self, call: &Call, name: &str) -> Result<Stored, Refusal> {
        find(self.context.db.read().await?.sql(), call, name).await
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListOperationsRequest,
    ) -> Result<pb::ListOperationsResponse, Refusal> {
        let town: TownName = wire::name("town", &request.town)?;
        call.whole_town(town.town())?;
        let paging =
            Paging::open(&self.context, call, &[town.town()], request.page_size, &request.page_token)?;
        let before = match paging.after.as_slice() {
            [at, id] => at.parse().ok().zip(Uuid::parse_str(id).ok()),
            _ => None,
        };
        let mut found =
            store::list(self.context.db.read().await?.sql(), town.town(), before, paging.limit()).await?;
        let next_page_token =
            paging.next(&mut found, |stored| vec![stored.created_us.to_string(), stored.id.to_string()]);
        let operations =
            found.iter().map(|stored| encode(self.context.service, stored)).collect::<Result<_, _>>()?;
        Ok(pb::ListOperationsResponse { operations, next_page_token })
    }

    async fn wait(&self, call: &Call, request: &pb::WaitOperationRequest) -> Result<Stored, Refusal> {
        let asked = request
            .timeout
            .and_then(|timeout| Duration::try_from(timeout).ok())
            .unwrap_or(Duration::from_secs(10));
        let until = tokio::time::Instant::now() + asked.min(Duration::from_secs(30));
        let mut pause = Duration::from_millis(20);
        loop {
            let stored = self.one(call, &request.name).await?;
            let over = stored.response.is_some() || stored.error.is_some();
            if over || tokio::time::Instant::now() + pause > until {
                return Ok(stored);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    async fn rows(
        &self,
        call: &Call,
        request: &pb::ListOperationRowsRequest,
    ) -> Result<pb::ListOperationRowsResponse, Refusal> {
        let mut read = self.context.db.read().await?;
        let stored = find(read.sql(), call, &request.parent).await?;
        let paging =
            Paging::open(&self.context, call, &[&request.parent], request.page_size, &request.page_token)?;
        let after = paging.after_first().and_then(|n| n.parse().ok()).unwrap_or(-1);
        let mut rows = store::rows(read.sql(), &stored.town, stored.id, after, paging.limit()).await?;
        let next_page_token = paging.next(&mut rows, |(n, _)| vec![n.to_string()]);
        Ok(pb::ListOperationRowsResponse {
            rows: rows.into_iter().map(|(_, row)| encode_row(row)).collect(),
            next_page_token,
        })
    }
}

/// A result on the wire.
pub fn encode_row(row: store::RowResult) -> pb::OperationRow {
    pb::OperationRow {
        file: row.file,
        row: row.row,
        column: row.col,
        value: row.value,
        reason: row.reason,
        severity: if row.fault { pb::Severity::Fault } else { pb::Severity::Warning }.into(),
        message_zh: row.zh,
        message_en: row.en,
    }
}

async fn act(
    work: &mut Work,
    name: &str,
    etag: &str,
    comment: &str,
    verb: &'static str,
) -> Result<Record<lro::Operation>, Refusal> {
    let call = work.call().clone();
    let stored = find(work.sql(), &call, name).await?;
    check_etag(name, etag, stored.version)?;
    let open = matches!(stored.state.as_str(), "PENDING" | "RUNNING");
    let ended = matches!(stored.state.as_str(), "FAILED" | "CANCELLED");
    let (possible, allowed) = if verb == "cancel" {
        (open, if ended { "resume" } else { "-" })
    } else {
        // without what it works on it can't go on
        (ended && stored.has_input, if open { "cancel" } else { "-" })
    };
    if !possible {
        return Err(Refusal::new(&WRONG_STATE)
            .with("name", name)
            .with("state", &stored.state)
            .with("verb", verb)
            .with("allowed", allowed));
    }
    if verb == "cancel" {
        store::cancel(work.sql(), stored.id).await?;
    } else {
        store::resume(work.sql(), stored.id).await?;
    }
    let after = find(work.sql(), &call, name).await?;
    let state = |text: &str| {
        ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
            .into_iter()
            .find(|s| *s == text)
            .unwrap_or("")
    };
    let change = Change {
        resource: name.to_owned(),
        version: after.version,
        verb,
        from_state: state(&stored.state),
        to_state: state(&after.state),
        comment: comment.to_owned(),
        event: if verb == "cancel" { "operation.cancelled" } else { "operation.resumed" },
        data: json!({"operation": name}),
    };
    Ok(Record {
        town: after.town.clone(),
        resource: name.to_owned(),
        summary: format!("{verb} {name}"),
        changes: vec![change],
        answer: encode(call.service(), &after)?,
    })
}

struct Cancel;

#[tonic::async_trait]
impl Verb for Cancel {
    type Request = pb::CancelOperationRequest;
    type Answer = lro::Operation;
    fn intent(request: &Self::Request) -> (&str, bool) {
        (&request.request_id, false)
    }
    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<lro::Operation>, Refusal> {
        act(work, &request.name, &request.etag, &request.comment, "cancel").await
    }
}

struct Resume;

#[tonic::async_trait]
impl Verb for Resume {
    type Request = pb::ResumeOperationRequest;
    type Answer = lro::Operation;
    fn intent(request: &Self::Request) -> (&str, bool) {
        (&request.request_id, false)
    }
    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<lro::Operation>, Refusal> {
        act(work, &request.name, &request.etag, &request.comment, "resume").await
    }
}

#[tonic::async_trait]
impl OperationService for Operations {
    async fn get_operation(
        &self,
        request: Request<pb::GetOperationRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let stored = self.one(&Call::of(&request)?, &request.get_ref().name).await?;
        Ok(Response::new(encode(self.context.service, &stored)?))
    }

    async fn list_operations(
        &self,
        request: Request<pb::ListOperationsRequest>,
    ) -> Result<Response<pb::ListOperationsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn wait_operation(
        &self,
        request: Request<pb::WaitOperationRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let stored = self.wait(&Call::of(&request)?, request.get_ref()).await?;
        Ok(Response::new(encode(self.context.service, &stored)?))
    }

    async fn cancel_operation(
        &self,
        request: Request<pb::CancelOperationRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        mutate::<Cancel>(&self.context, request).await
    }

    async fn resume_operation(
        &self,
        request: Request<pb::ResumeOperationRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let answer = mutate::<Resume>(&self.context, request).await;
        self.worker.wake();
        answer
    }

    async fn list_operation_rows(
        &self,
        request: Request<pb::ListOperationRowsRequest>,
    ) -> Result<Response<pb::ListOperationRowsResponse>, Status> {
        Ok(Response::new(self.rows(&Call::of(&request)?, request.get_ref()).await?))
    }
}
