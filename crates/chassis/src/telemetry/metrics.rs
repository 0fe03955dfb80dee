//! Metrics in the OpenMetrics text format.

use std::{
    fmt,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    rpc_method: String,
    rpc_status_code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatementLabels {
    db_operation_name: String,
}

/// The metrics of a process.
pub struct Metrics {
    registry: Mutex<Registry>,
    server: Family<CallLabels, Histogram>,
    client: Family<CallLabels, Histogram>,
    statements: Family<StatementLabels, Histogram>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

static METRICS: OnceLock<Metrics> = OnceLock::new();

/// The metrics of this process.
pub fn metrics() -> &'static Metrics {
    METRICS.get_or_init(Metrics::new)
}

fn histogram() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0])
}

impl Metrics {
    fn new() -> Metrics {
        let mut registry = Registry::default();
        let (server, client) = (
            Family::new_with_constructor(histogram as fn() -> Histogram),
            Family::new_with_constructor(histogram as fn() -> Histogram),
        );
        let statements = Family::new_with_constructor(histogram as fn() -> Histogram);
        registry.register(
            "rpc_server_call_duration_seconds",
            "How long calls took that were answered here",
            server.clone(),
        );
        registry.register(
            "rpc_client_call_duration_seconds",
            "How long calls took that were made here",
            client.clone(),
        );
        registry.register(
            "db_client_operation_duration_seconds",
            "How long SQL statements took",
            statements.clone(),
        );
        let start = Gauge::<i64>::default();
        start.set(crate::clock::recorded_now().as_second());
        registry.register(
            "process_start_time_seconds",
            "When this process began, in seconds since 1970",
            start,
        );
        Metrics { registry: Mutex::new(registry), server, client, statements }
    }

    /// Notes a call. Methods that are not of our contracts share one label, so that nobody can fill the memory.
    pub(super) fn observe_call(&self, client: bool, method: &str, code: &'static str, took: Duration) {
        let known = method.starts_with("linli.") && method.len() < 100 && code != "UNIMPLEMENTED";
        let rpc_method = if known { method.to_owned() } else { "_OTHER".to_owned() };
        let family = if client { &self.client } else { &self.server };
        family.get_or_create(&CallLabels { rpc_method, rpc_status_code: code }).observe(took.as_secs_f64());
    }

    /// Notes a statement.
    pub(super) fn observe_statement(&self, operation: &str, took: Duration) {
        let known = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK", "SET"]
            .contains(&operation);
        let db_operation_name = if known { operation.to_owned() } else { "_OTHER".to_owned() };
        self.statements.get_or_create(&StatementLabels { db_operation_name }).observe(took.as_secs_f64());
    }

    /// All metrics as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        match encode(&mut text, &registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}
