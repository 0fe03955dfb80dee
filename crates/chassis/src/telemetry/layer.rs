//! Trace context in and out, and the span of a call, in one layer for servers, clients and the REST edge.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use http::{HeaderMap, HeaderValue};
use opentelemetry::{
    global,
    propagation::{Extractor, Injector},
};
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use super::metrics::metrics;

/// The header that carries the trace id of an answer.
pub const TRACE_HEADER: &str = "linli-trace-id";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Server,
    Client,
    Edge,
}

/// The layer. Put it outermost.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    side: Side,
    service: &'static str,
}

impl Trace {
    /// On the side of a service that answers gRPC.
    pub fn server(service: &'static str) -> Trace {
        Trace { side: Side::Server, service }
    }

    /// On the side of a caller of gRPC.
    pub fn client(service: &'static str) -> Trace {
        Trace { side: Side::Client, service }
    }

    /// At the edge, where HTTP comes in.
    pub fn edge(service: &'static str) -> Trace {
        Trace { side: Side::Edge, service }
    }

    fn span<B>(self, request: &http::Request<B>) -> Span {
        let grpc = is_grpc(request.headers());
        let path = method_name(request.uri().path());
        match self.side {
            // a REST path may hold what must not be in a trace: the route is recorded when it is known
            Side::Edge if !grpc => {
                tracing::info_span!("http", otel.name = %request.method(), otel.kind = "server", otel.status_code = Empty,
                service = self.service, http.request.method = %request.method(), http.route = Empty, http.response.status_code = Empty,
                rpc.status_code = Empty, error.r#type = Empty)
            }
            Side::Edge | Side::Server => tracing::info_span!(
                "rpc",
                otel.name = path,
                otel.kind = "server",
                otel.status_code = Empty,
                service = self.service,
                rpc.system.name = "grpc",
                rpc.method = path,
                rpc.status_code = Empty,
                error.r#type = Empty
            ),
            Side::Client => tracing::info_span!(
                "call",
                otel.name = path,
                otel.kind = "client",
                otel.status_code = Empty,
                service = self.service,
                rpc.system.name = "grpc",
                rpc.method = path,
                rpc.status_code = Empty,
                error.r#type = Empty
            ),
        }
    }
}

/// The method that a path of gRPC names, for spans, logs and errors; `_OTHER` when it reads like none: whoever mistakes
/// the port may have anything in his path.
pub fn method_name(path: &str) -> &str {
    let method = path.trim_start_matches('/');
    let (service, name) = method.split_once('/').unwrap_or_default();
    let good = [service, name].into_iter().all(kernel::text::is_field_path);
    if good { method } else { "_OTHER" }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(http::header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"application/grpc"))
}

impl<S> Layer<S> for Trace {
    type Service = Traced<S>;
    fn layer(&self, inner: S) -> Traced<S> {
        Traced { inner, trace: *self }
    }
}

/// A service within its [`Trace`].
#[derive(Clone, Debug)]
pub struct Traced<S> {
    inner: S,
    trace: Trace,
}

impl<S, A, B> Service<http::Request<A>> for Traced<S>
where
    S: Service<http::Request<A>, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send,
    A: Send + 'static,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<A>) -> Self::Future {
        let trace = self.trace;
        let span = trace.span(&request);
        match trace.side {
            Side::Server | Side::Edge => {
                let parent = global::get_text_map_propagator(|p| p.extract(&Headers(request.headers())));
                let _ = span.set_parent(parent);
            }
            Side::Client => {
                let context = span.context();
                global::get_text_map_propagator(|p| {
                    p.inject_context(&context, &mut HeadersMut(request.headers_mut()))
                });
            }
        }
        let method = method_name(request.uri().path()).to_owned();
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone); // the one that is ready
        let work = async move {
            let start = Instant::now();
            let mut answer = inner.call(request).await;
            if let Ok(answer) = &mut answer {
                let code = record(answer, trace.side);
                metrics().observe_call(trace.side == Side::Client, &method, code, start.elapsed());
            }
            answer
        };
        Box::pin(work.instrument(span))
    }
}

/// Notes the status in the span, and the trace id in what goes back.
fn record<B>(answer: &mut http::Response<B>, side: Side) -> &'static str {
    let span = Span::current();
    // tonic answers unary errors with trailers only, whose status stands in the headers; REST has its HTTP status
    let code = Status::from_header_map(answer.headers()).map(|status| status.code());
    let http = answer.status();
    let name = code_name(code.unwrap_or(Code::Ok));
    if side == Side::Edge {
        span.record("http.response.status_code", http.as_u16());
        if let Some(route) = answer.extensions().get::<Route>() {
            span.record("http.route", route.0.as_str());
            span.record("otel.name", route.0.as_str());
        }
    }
    span.record("rpc.status_code", name);
    let ours = matches!(
        code,
        Some(
            Code::Unknown
                | Code::DeadlineExceeded
                | Code::Unimplemented
                | Code::Internal
                | Code::Unavailable
                | Code::DataLoss
        )
    );
    let failed = if side == Side::Client {
        code.is_some_and(|c| c != Code::Ok)
    } else {
        ours || http.is_server_error()
    };
    if failed {
        span.record("error.type", name);
        span.record("otel.status_code", "ERROR");
    }
    if side != Side::Client
        && let Ok(value) = HeaderValue::try_from(super::current_trace_id())
        && !value.is_empty()
    {
        answer.headers_mut().insert(TRACE_HEADER, value);
    }
    name
}

/// The template of the path that answered, for the span: an extension of the response.
#[derive(Clone, Debug)]
pub struct Route(pub String);

/// The name of a code as the semantic conventions write it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }
    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(key), Ok(value)) = (http::HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(key, value);
        }
    }
}

/// Log lines as JSON objects with the trace id.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> fmt::Result {
        let mut line = serde_json::Map::new();
        line.insert("time".to_owned(), crate::clock::recorded_now().to_string().into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        let trace_id = super::current_trace_id();
        if !trace_id.is_empty() {
            line.insert("trace_id".to_owned(), trace_id.into());
        }
        event.record(&mut Fields(&mut line));
        writeln!(writer, "{}", serde_json::Value::Object(line))
    }
}

struct Fields<'a>(&'a mut serde_json::Map<String, serde_json::Value>);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_u64(&mut self, field: &tracing::field::Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_i64(&mut self, field: &tracing::field::Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_bool(&mut self, field: &tracing::field::Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}
