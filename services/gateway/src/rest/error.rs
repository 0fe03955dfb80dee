//! Errors as AIP-193 has them in JSON, with the same details as on gRPC.

use std::sync::LazyLock;

use axum::{body::Body, response::Response};
use chassis::refusal::{BUSY, INVALID_ENCODING, Refusal};
use http::{StatusCode, header};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::{Value, json};
use tonic::{Code, Status, metadata::MetadataValue};

/// The HTTP status that an error of the edge wants beside its code.
const STATUS: &str = "linli-http-status";

static STATUS_TYPE: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(contracts::DESCRIPTORS).ok()?;
    pool.get_message_by_name("google.rpc.Status")
});

/// An error of HTTP itself.
pub(crate) fn edge(http: StatusCode, cause: &str) -> Status {
    let refusal = match http {
        StatusCode::SERVICE_UNAVAILABLE => Refusal::new(&BUSY),
        _ => Refusal::new(&INVALID_ENCODING).with("cause", cause),
    };
    with_http(Status::from(refusal), http)
}

/// An error that HTTP calls by a status of its own.
pub(super) fn with_http(mut status: Status, http: StatusCode) -> Status {
    if let Ok(value) = MetadataValue::try_from(http.as_str()) {
        status.metadata_mut().insert(STATUS, value);
    }
    status
}

/// The HTTP status of a code (google.rpc.Code).
fn http_status(status: &Status) -> StatusCode {
    if let Some(own) =
        status.metadata().get(STATUS).and_then(|value| StatusCode::from_bytes(value.as_bytes()).ok())
    {
        return own;
    }
    let number = match status.code() {
        Code::Ok => 200,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        Code::Cancelled => 499,
        Code::Unknown | Code::Internal | Code::DataLoss => 500,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
    };
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The JSON of an error.
pub(super) fn body(status: &Status) -> Value {
    let code = http_status(status).as_u16();
    let name = chassis::telemetry::code_name(status.code());
    json!({"error": {"code": code, "message": status.message(), "status": name, "details": details(status)}})
}

fn details(status: &Status) -> Value {
    let message = STATUS_TYPE.clone().and_then(|kind| DynamicMessage::decode(kind, status.details()).ok());
    let json = message.and_then(|message| serde_json::to_value(message).ok());
    json.and_then(|mut json| json.get_mut("details").map(Value::take)).unwrap_or_else(|| json!([]))
}

/// The answer for an error.
pub(crate) fn respond(status: &Status) -> Response {
    let mut response = Response::new(Body::from(body(status).to_string()));
    *response.status_mut() = http_status(status);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    if status.code() == Code::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    }
    response
}
