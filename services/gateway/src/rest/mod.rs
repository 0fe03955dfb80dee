//! REST/JSON ↔ gRPC, from the descriptor set alone.

mod bind;
mod body;
mod codec;
mod error;
mod json;

pub(crate) use error::respond;
use error::with_http;

use std::sync::Arc;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use chassis::{
    refusal::{Faults, FieldFault, INVALID_ENCODING, Refusal, UNKNOWN_METHOD},
    telemetry::Route,
};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, Request, header};
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MethodDescriptor, ReflectMessage,
    SerializeOptions, Value,
};
use tonic::{Status, client::Grpc};

use crate::{
    backends::Backends,
    template::{Leaf, Trie},
};
use codec::BytesCodec;

/// Headers that go on to the service.
const FORWARDED: [HeaderName; 5] = [
    header::AUTHORIZATION,
    header::ACCEPT_LANGUAGE,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("grpc-timeout"),
];

struct Binding {
    method: MethodDescriptor,
    path: http::uri::PathAndQuery,
    body: Part,
}

enum Part {
    Nothing,
    All,
    Field(FieldDescriptor),
}

/// The REST face of the services.
pub(crate) struct Rest {
    trie: Trie<Binding>,
    backends: Backends,
    max_body: usize,
}

impl Rest {
    /// Reads `google.api.http` of every method in `pool`.
    pub(crate) fn new(pool: &DescriptorPool, backends: Backends, max_body: usize) -> Result<Rest, String> {
        let mut trie = Trie::default();
        for (method, verb, template, part) in bindings(pool)? {
            let body = match part.as_str() {
                "" => Part::Nothing,
                "*" => Part::All,
                name => Part::Field(
                    method
                        .input()
                        .get_field_by_name(name)
                        .ok_or_else(|| format!("{template}: no field {name}"))?,
                ),
            };
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            let path = path.parse().map_err(|error| format!("{path}: {error}"))?;
            trie.insert(&verb, &template, Binding { method, path, body })?;
        }
        Ok(Rest { trie, backends, max_body })
    }

    /// Answers a request.
    pub(crate) async fn handle(self: Arc<Self>, request: Request<Body>) -> Response {
        let (head, body) = request.into_parts();
        let (leaf, segments) = match self.trie.find(head.method.as_str(), head.uri.path()) {
            Ok(found) => found,
            Err(allowed) => return not_found(&head, &self.trie.masked(head.uri.path()), &allowed),
        };
        let answer = match self.call(&head, body, leaf, &segments).await {
            Ok(answer) => answer,
            Err(status) => respond(&status),
        };
        let mut answer = answer;
        answer.extensions_mut().insert(Route(format!("{} {}", head.method, leaf.template)));
        answer
    }

    async fn call(
        &self,
        head: &http::request::Parts,
        body: Body,
        leaf: &Leaf<Binding>,
        segments: &[&str],
    ) -> Result<Response, Status> {
        let bytes = body::read(head, body, self.max_body).await?;
        let binding = &leaf.value;
        let message = compose(head, &bytes, leaf, segments)?;
        let peer = self.backends.for_message(&binding.method, &message)?;
        let mut request = tonic::Request::new(Bytes::from(message.encode_to_vec()));
        forward(&head.headers, &mut request);
        let mut grpc = Grpc::new(peer).max_decoding_message_size(64 << 20);
        grpc.ready().await?;
        if binding.method.is_server_streaming() {
            let stream = grpc.server_streaming(request, binding.path.clone(), BytesCodec).await?.into_inner();
            return Ok(lines(stream, binding.method.clone()));
        }
        let answer = grpc.unary(request, binding.path.clone(), BytesCodec).await?;
        let (metadata, bytes, _) = answer.into_parts();
        let message = decode(&binding.method, bytes)?;
        let mut response = Response::new(Body::from(to_json(&message)?));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        if let Some(etag) = etag(&message) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        if let Some(replayed) =
            metadata.get("linli-replayed").and_then(|v| header::HeaderValue::from_bytes(v.as_bytes()).ok())
        {
            response.headers_mut().insert("linli-replayed", replayed);
        }
        Ok(response)
    }
}

/// Every binding of every method: verb, template, body. The `additional_bindings` of a method follow its own.
pub(crate) fn bindings(
    pool: &DescriptorPool,
) -> Result<Vec<(MethodDescriptor, String, String, String)>, String> {
    let http =
        pool.get_extension_by_name("google.api.http").ok_or("google.api.http is not in the descriptors")?;
    let mut all = Vec::new();
    for method in pool
        .services()
        .filter(|s| s.full_name().starts_with("linli."))
        .flat_map(|s| s.methods().collect::<Vec<_>>())
    {
        let options = method.options();
        let rule = options.get_extension(&http);
        let Some(rule) = rule.as_message().filter(|_| options.has_extension(&http)) else { continue };
        let more = rule.get_field_by_name("additional_bindings");
        let more = more.as_ref().and_then(|list| list.as_list()).unwrap_or_default();
        for rule in [rule].into_iter().chain(more.iter().filter_map(|rule| rule.as_message())) {
            let (verb, template, body) =
                binding(rule).ok_or_else(|| format!("{}: no path", method.full_name()))?;
            all.push((method.clone(), verb, template, body));
        }
    }
    Ok(all)
}

/// Verb, template and body of a rule.
fn binding(rule: &DynamicMessage) -> Option<(String, String, String)> {
    let text = |name: &str| {
        rule.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let verb = ["get", "put", "post", "delete", "patch"].iter().find(|verb| rule.has_field_by_name(verb))?;
    Some((verb.to_uppercase(), text(verb), text("body")))
}

fn not_found(head: &http::request::Parts, path: &str, allowed: &[&str]) -> Response {
    let path: String = path.chars().take(200).collect();
    let refusal = Refusal::new(&UNKNOWN_METHOD).with("method", format!("{} {path}", head.method));
    let http =
        if allowed.is_empty() { http::StatusCode::NOT_FOUND } else { http::StatusCode::METHOD_NOT_ALLOWED };
    let mut response = respond(&with_http(Status::from(refusal), http));
    if let Ok(value) = header::HeaderValue::from_str(&allowed.join(", "))
        && !allowed.is_empty()
    {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// The message that body, query, path and headers make.
fn compose(
    head: &http::request::Parts,
    bytes: &Bytes,
    leaf: &Leaf<Binding>,
    segments: &[&str],
) -> Result<DynamicMessage, Refusal> {
    let input = leaf.value.method.input();
    let mut message = match &leaf.value.body {
        Part::All if !bytes.is_empty() => json::read(input, bytes, "")?,
        Part::Field(field) if !bytes.is_empty() => {
            let Kind::Message(inner) = field.kind() else {
                return Err(Refusal::internal("a body that is no message"));
            };
            let mut message = DynamicMessage::new(input);
            message.set_field(field, Value::Message(json::read(inner, bytes, field.name())?));
            message
        }
        Part::Nothing if !bytes.is_empty() => {
            return Err(Refusal::field(
                "body",
                "NOT_EXPECTED",
                "此方法没有请求体",
                "this method takes no body",
            ));
        }
        Part::Nothing | Part::All | Part::Field(_) => DynamicMessage::new(input),
    };
    let mut faults = Faults::default();
    if !matches!(leaf.value.body, Part::All) {
        for (key, value) in form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
            faults.take(bind::bind(&mut message, &key, &value));
        }
    } else if head.uri.query().is_some_and(|query| !query.is_empty()) {
        faults.push(FieldFault::new(
            "query",
            "NOT_EXPECTED",
            "参数应放在请求体中",
            "fields belong into the body",
        ));
    }
    for variable in &leaf.variables {
        let raw = segments[variable.from..variable.to.unwrap_or(segments.len())].join("/");
        let text = percent_encoding::percent_decode_str(&raw).decode_utf8();
        let text =
            text.map_err(|_| Refusal::new(&INVALID_ENCODING).with("cause", "the path is not UTF-8"))?;
        faults.take(bind::bind(&mut message, &variable.field.join("."), &text));
    }
    let resource = match &leaf.value.body {
        Part::Field(field) => Some(field.name().to_owned()),
        Part::Nothing | Part::All => None,
    };
    body::from_headers(&mut message, resource.as_deref(), &head.headers, &mut faults);
    if let Part::Field(field) = &leaf.value.body
        && head.method == http::Method::PATCH
    {
        body::derive_mask(&mut message, field.name(), bytes);
    }
    faults.finish(Some(message))
}

fn forward(headers: &HeaderMap, request: &mut tonic::Request<Bytes>) {
    let mut map = std::mem::take(request.metadata_mut()).into_headers();
    for name in FORWARDED {
        for value in headers.get_all(&name) {
            map.append(name.clone(), value.clone());
        }
    }
    *request.metadata_mut() = tonic::metadata::MetadataMap::from_headers(map);
}

fn decode(method: &MethodDescriptor, bytes: Bytes) -> Result<DynamicMessage, Status> {
    DynamicMessage::decode(method.output(), bytes).map_err(|error| Refusal::internal(error).into())
}

pub(super) fn to_json(message: &DynamicMessage) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::with_capacity(512);
    let options = SerializeOptions::new().skip_default_fields(false);
    message
        .serialize_with_options(&mut serde_json::Serializer::new(&mut out), &options)
        .map_err(Refusal::internal)?;
    Ok(out)
}

fn etag(message: &DynamicMessage) -> Option<header::HeaderValue> {
    let field = message.descriptor().get_field_by_name("etag")?;
    let value = message.get_field(&field);
    let text = value.as_str().filter(|text| !text.is_empty())?;
    header::HeaderValue::from_str(&format!("\"{text}\"")).ok()
}

/// A stream as JSON lines.
fn lines(stream: tonic::Streaming<Bytes>, method: MethodDescriptor) -> Response {
    let lines = stream.map(move |item| {
        let text = item
            .and_then(|bytes| decode(&method, bytes))
            .and_then(|message| to_json(&message).map_err(Status::from));
        let mut line = text.unwrap_or_else(|status| error::body(&status).to_string().into_bytes());
        line.push(b'\n');
        Ok::<_, std::convert::Infallible>(Bytes::from(line))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/x-ndjson"));
    response
}
