//! Traces, logs and metrics: one set-up for every process.

mod layer;
mod metrics;
mod sql;
mod store;
mod tree;

pub use layer::{Route, TRACE_HEADER, Trace, code_name, method_name};
pub use metrics::{Metrics, metrics};
pub use store::{Attributes, StoredSpan, TraceStore};
pub use tree::render;

use std::sync::OnceLock;

use opentelemetry::{
    global,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt};

/// How telemetry is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the process in traces: `linli`, `governance`.
    pub service: String,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// Whether logs are JSON (else for people).
    pub json: bool,
    /// Where spans go by OTLP over gRPC; nowhere when `None`.
    pub otlp: Option<String>,
    /// How many traces are kept in the process; none when 0.
    pub kept_traces: usize,
}

/// What a process has set up. Dropped at the end, after `shutdown`.
#[derive(Clone, Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
    store: Option<TraceStore>,
}

static INSTALLED: OnceLock<Telemetry> = OnceLock::new();

/// Sets up telemetry for the process; a second call yields what the first one did.
///
/// # Errors
/// When the exporter can't be made of the endpoint, or the filter is not one.
pub fn init(settings: &Settings) -> Result<Telemetry, Box<dyn std::error::Error + Send + Sync>> {
    if let Some(installed) = INSTALLED.get() {
        return Ok(installed.clone());
    }
    let store = (settings.kept_traces > 0).then(|| TraceStore::new(settings.kept_traces));
    let resource = Resource::builder().with_service_name(settings.service.clone()).build();
    let mut builder = SdkTracerProvider::builder().with_resource(resource);
    if let Some(endpoint) = &settings.otlp {
        use opentelemetry_otlp::WithExportConfig;
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
        builder = builder.with_batch_exporter(exporter);
    }
    if let Some(store) = &store {
        builder = builder.with_simple_exporter(store.exporter(&settings.service));
    }
    let provider = builder.build();
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(provider.clone());

    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("linli"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_filter(EnvFilter::new("info,h2=off,hyper=off,tonic=off,sqlx=off"));
    let statements =
        sql::SqlSpans::new(provider.tracer("sqlx")).with_filter(EnvFilter::new("info,sqlx::query=debug"));
    let filter = EnvFilter::try_new(&settings.log)?;
    let format = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if settings.json {
        format.event_format(layer::JsonLines).with_filter(filter).boxed()
    } else {
        format.compact().with_target(false).with_filter(filter).boxed()
    };
    let subscriber = tracing_subscriber::registry().with(spans).with(statements).with(lines);
    // in tests another subscriber may be there already; spans then go there
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(INSTALLED.get_or_init(|| Telemetry { provider, store }).clone())
}

impl Telemetry {
    /// The traces that this process keeps.
    pub fn store(&self) -> Option<&TraceStore> {
        self.store.as_ref()
    }

    /// Sends what waits to be sent.
    pub fn shutdown(&self) {
        if let Err(error) = self.provider.force_flush() {
            tracing::debug!(error = %error, "spans were not all sent");
        }
    }
}

/// The trace id of the present span, 32 hexadecimal digits; empty outside one.
pub fn current_trace_id() -> String {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    if span.is_valid() { span.trace_id().to_string() } else { String::new() }
}

/// The present span as a W3C `traceparent`; empty outside one.
pub fn current_traceparent() -> String {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    if !span.is_valid() {
        return String::new();
    }
    format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
}

/// Makes `span` a child of a W3C `traceparent` that was kept, for work that goes on later.
pub fn continue_from(span: &Span, traceparent: &str) {
    let headers = std::collections::HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(&headers));
    let _ = span.set_parent(parent);
}
