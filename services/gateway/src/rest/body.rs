//! Bodies read within bounds; fields that HTTP carries in headers.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use chassis::refusal::{Faults, FieldFault, INVALID_ENCODING, Refusal};
use http::{HeaderMap, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use tonic::Status;

use super::error::edge;

/// How long a body may take to arrive.
const WITHIN: Duration = Duration::from_secs(15);

/// The body, when it is JSON (or nothing), not compressed, and not too large or slow.
pub(super) async fn read(head: &Parts, body: Body, limit: usize) -> Result<Bytes, Status> {
    let encoded = head.headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity");
    if encoded {
        return Err(edge(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a compressed body"));
    }
    let collected = tokio::time::timeout(WITHIN, Limited::new(body, limit).collect()).await;
    let bytes = match collected {
        Err(_) => return Err(edge(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(edge(StatusCode::PAYLOAD_TOO_LARGE, &format!("a body of more than {limit} bytes")));
        }
        Ok(Err(_)) => return Err(Refusal::new(&INVALID_ENCODING).with("cause", "the body broke off").into()),
        Ok(Ok(collected)) => collected.to_bytes(),
    };
    let json = head.headers.get(header::CONTENT_TYPE).is_none_or(|value| {
        let kind = value.as_bytes().split(|b| *b == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
    });
    if !bytes.is_empty() && !json {
        return Err(edge(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a body that is not application/json"));
    }
    Ok(bytes)
}

/// `Idempotency-Key` is `request_id`, `If-Match` is `etag`; a body that says otherwise is refused.
/// A PATCH carries its etag within the resource that is its body: `resource` names that field.
pub(super) fn from_headers(
    message: &mut DynamicMessage,
    resource: Option<&str>,
    headers: &HeaderMap,
    faults: &mut Faults,
) {
    if let Some(resource) = resource
        && message.descriptor().get_field_by_name("etag").is_none()
        && let Some(Value::Message(inner)) = message.get_field_by_name_mut(resource)
    {
        from_headers(inner, None, headers, faults);
    }
    for (header, field) in [("idempotency-key", "request_id"), ("if-match", "etag")] {
        let Some(value) = headers.get(header).and_then(|value| value.to_str().ok()) else { continue };
        let Some(descriptor) = message.descriptor().get_field_by_name(field) else { continue };
        let value = value.trim_matches('"');
        let given = message.get_field(&descriptor).as_str().unwrap_or_default().to_owned();
        if given.is_empty() {
            message.set_field(&descriptor, Value::String(value.to_owned()));
        } else if given.trim_matches('"') != value {
            faults.push(FieldFault::new(
                field,
                "CONFLICT",
                format!("与 {header} 头不一致"),
                format!("differs from the header {header}"),
            ));
        }
    }
}

/// AIP-134: without a mask, a PATCH changes the fields that stand in its body.
pub(super) fn derive_mask(message: &mut DynamicMessage, resource: &str, bytes: &[u8]) {
    let Some(mask) = message.descriptor().get_field_by_name("update_mask") else { return };
    if message.has_field(&mask) {
        return;
    }
    let Some(inner) = message.descriptor().get_field_by_name(resource) else { return };
    let prost_reflect::Kind::Message(inner) = inner.kind() else { return };
    let Ok(serde_json::Value::Object(body)) = serde_json::from_slice(bytes) else { return };
    let paths = body
        .keys()
        .filter_map(|key| inner.get_field_by_json_name(key).or_else(|| inner.get_field_by_name(key)));
    // the name says which, the etag says what was seen: neither is a change
    let paths = paths.map(|field| field.name().to_owned()).filter(|name| name != "name" && name != "etag");
    let paths: Vec<Value> = paths.map(Value::String).collect();
    if let Value::Message(mask) = message.get_field_mut(&mask) {
        mask.set_field_by_name("paths", Value::List(paths));
    }
}
