//! The last traces of this process, bounded, so that a call can be looked at without a collector.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use serde::{Deserialize, Serialize};

/// Spans of one trace that are kept at most.
const SPANS: usize = 1_000;
/// Characters of one attribute that are kept at most.
const ATTRIBUTE: usize = 2_000;

/// Names and values.
pub type Attributes = Vec<(String, String)>;

/// A span as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredSpan {
    /// The process: `linli`, `governance`.
    pub process: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// The span above; all zeros at the root.
    pub parent_span_id: String,
    /// What it is of.
    pub name: String,
    /// `server`, `client`, `internal`.
    pub kind: String,
    /// When it began, in nanoseconds since 1970.
    pub start_ns: u64,
    /// How long it took, in nanoseconds.
    pub duration_ns: u64,
    /// Its attributes.
    pub attributes: Attributes,
    /// What happened in it: name, nanoseconds since 1970, attributes.
    pub events: Vec<(String, u64, Attributes)>,
    /// Whether it failed.
    pub failed: bool,
}

#[derive(Debug, Default)]
struct Kept {
    traces: HashMap<String, Vec<StoredSpan>>,
    order: VecDeque<String>,
}

/// The last traces of this process.
#[derive(Clone, Debug)]
pub struct TraceStore {
    kept: Arc<Mutex<Kept>>,
    limit: usize,
}

impl TraceStore {
    /// A store of `limit` traces.
    pub fn new(limit: usize) -> TraceStore {
        TraceStore { kept: Arc::default(), limit }
    }

    /// The spans of a trace, in no order.
    pub fn get(&self, trace_id: &str) -> Option<Vec<StoredSpan>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).traces.get(trace_id).cloned()
    }

    /// The newest traces: id, name of the outermost span, its duration in nanoseconds, how many spans.
    pub fn recent(&self, most: usize) -> Vec<(String, String, u64, usize)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = kept.order.iter().rev().take(most);
        newest
            .filter_map(|id| {
                let spans = kept.traces.get(id)?;
                let outermost = spans.iter().max_by_key(|span| span.duration_ns)?;
                Some((id.clone(), outermost.name.clone(), outermost.duration_ns, spans.len()))
            })
            .collect()
    }

    fn add(&self, trace_id: String, span: StoredSpan) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.traces.contains_key(&trace_id) {
            if kept.order.len() >= self.limit
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.traces.remove(&oldest);
            }
            kept.order.push_back(trace_id.clone());
        }
        let spans = kept.traces.entry(trace_id).or_default();
        if spans.len() < SPANS {
            spans.push(span);
        }
    }

    /// What the tracer hands its finished spans to.
    pub(super) fn exporter(&self, process: &str) -> StoreExporter {
        StoreExporter { store: self.clone(), process: process.to_owned() }
    }
}

#[derive(Debug)]
pub(super) struct StoreExporter {
    store: TraceStore,
    process: String,
}

impl SpanExporter for StoreExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in batch {
            self.store.add(span.span_context.trace_id().to_string(), stored(&self.process, span));
        }
        Ok(())
    }
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn attributes(all: &[opentelemetry::KeyValue]) -> Attributes {
    all.iter()
        .map(|pair| (pair.key.to_string(), pair.value.to_string().chars().take(ATTRIBUTE).collect()))
        .collect()
}

fn stored(process: &str, span: SpanData) -> StoredSpan {
    let (start, end) = (nanoseconds(span.start_time), nanoseconds(span.end_time));
    StoredSpan {
        process: process.to_owned(),
        span_id: span.span_context.span_id().to_string(),
        parent_span_id: span.parent_span_id.to_string(),
        name: span.name.to_string(),
        kind: format!("{:?}", span.span_kind).to_lowercase(),
        start_ns: start,
        duration_ns: end.saturating_sub(start),
        attributes: attributes(&span.attributes),
        events: span
            .events
            .iter()
            .map(|e| (e.name.to_string(), nanoseconds(e.timestamp), attributes(&e.attributes)))
            .collect(),
        failed: matches!(span.status, opentelemetry::trace::Status::Error { .. }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::telemetry) fn span(id: &str, parent: &str, name: &str, start_ns: u64) -> StoredSpan {
        StoredSpan {
            process: "linli".to_owned(),
            span_id: id.to_owned(),
            parent_span_id: parent.to_owned(),
            name: name.to_owned(),
            kind: "internal".to_owned(),
            start_ns,
            duration_ns: 1_500_000,
            attributes: Vec::new(),
            events: Vec::new(),
            failed: false,
        }
    }

    #[test]
    fn the_oldest_trace_makes_room() {
        let store = TraceStore::new(2);
        for id in ["a", "b", "c"] {
            store.add(id.to_owned(), span("1", "0", id, 0));
        }
        assert!(store.get("a").is_none() && store.get("b").is_some());
        assert_eq!(store.recent(1)[0].0, "c");
        for _ in 0..2 * SPANS {
            store.add("c".to_owned(), span("1", "0", "c", 0));
        }
        assert_eq!(store.get("c").unwrap().len(), SPANS);
    }
}
