//! SQL statements as spans, without touching a query: sqlx tells of each as an event with its duration; this layer
//! makes a span of it that ends now and began so long ago, child of the span in which it ran. Values are bound, so a
//! statement's text never holds one.

use std::{sync::OnceLock, time::Duration};

use opentelemetry::{
    KeyValue,
    trace::{Span as _, SpanKind, Tracer},
};
use tracing::{
    Dispatch, Event, Subscriber,
    dispatcher::WeakDispatch,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::metrics::metrics;

pub(super) struct SqlSpans<T> {
    tracer: T,
    dispatch: OnceLock<WeakDispatch>,
}

impl<T> SqlSpans<T> {
    pub(super) fn new(tracer: T) -> Self {
        SqlSpans { tracer, dispatch: OnceLock::new() }
    }
}

#[derive(Default)]
struct Statement {
    summary: String,
    text: String,
    rows: u64,
    elapsed: f64,
}

impl Visit for Statement {
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.trim().clone_into(&mut self.text),
            _ => {}
        }
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = value;
        }
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.elapsed = value;
        }
    }
}

impl<T, S> Layer<S> for SqlSpans<T>
where
    T: Tracer + Send + Sync + 'static,
    T::Span: Send + Sync,
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    #[expect(clippy::disallowed_methods, reason = "a span's end is the real clock's")]
    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        let mut statement = Statement::default();
        event.record(&mut statement);
        let Some(parent) = cx
            .event_span(event)
            .zip(self.dispatch.get().and_then(WeakDispatch::upgrade))
            .and_then(|(span, dispatch)| tracing_opentelemetry::get_otel_context(&span.id(), &dispatch))
        else {
            return; // outside any call: background work has its own span or none
        };
        // sqlx gives the text only when it is longer than its summary
        let text = if statement.text.is_empty() { statement.summary } else { statement.text };
        let operation = text.split_whitespace().next().unwrap_or("").to_uppercase();
        metrics().observe_statement(&operation, Duration::from_secs_f64(statement.elapsed.max(0.0)));
        let end = std::time::SystemTime::now();
        let attributes = [
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.operation.name", operation.clone()),
            KeyValue::new("db.query.text", text),
            KeyValue::new("db.response.returned_rows", i64::try_from(statement.rows).unwrap_or(i64::MAX)),
        ];
        let mut span = self
            .tracer
            .span_builder(operation)
            .with_kind(SpanKind::Client)
            .with_start_time(end - Duration::from_secs_f64(statement.elapsed.max(0.0)))
            .with_attributes(attributes)
            .start_with_context(&self.tracer, &parent);
        span.end_with_timestamp(end);
    }
}
