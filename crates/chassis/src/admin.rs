//! The admin port: live, ready, metrics; in development the last traces and the clock.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;

use crate::{
    clock::Clock,
    refusal::Refusal,
    telemetry::{TraceStore, metrics, render},
};

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>> + Send + Sync>;

/// What the admin port shows.
#[derive(Clone, Default)]
pub struct Admin {
    checks: Vec<(String, Check)>,
    traces: Option<TraceStore>,
    clock: Option<Clock>,
    banner: Option<String>,
}

impl Admin {
    /// Adds something that must work before calls are taken.
    #[must_use]
    pub fn check<F>(mut self, name: impl Into<String>, check: impl Fn() -> F + Send + Sync + 'static) -> Admin
    where
        F: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.checks.push((name.into(), Arc::new(move || Box::pin(check()))));
        self
    }

    /// Shows the last traces.
    #[must_use]
    pub fn traces(mut self, store: Option<TraceStore>) -> Admin {
        self.traces = store;
        self
    }

    /// Lets business time be set: for development only.
    #[must_use]
    pub fn settable_clock(mut self, clock: Clock) -> Admin {
        self.clock = Some(clock);
        self
    }

    /// What every page says.
    #[must_use]
    pub fn banner(mut self, banner: Option<String>) -> Admin {
        self.banner = banner;
        self
    }

    /// The port's routes.
    pub fn router(self) -> Router {
        let mut router = Router::new()
            .route("/live", get(async || "live\n"))
            .route("/ready", get(ready))
            .route("/metrics", get(metrics_text));
        if self.traces.is_some() {
            router =
                router.route("/", get(recent)).route("/traces", get(recent)).route("/traces/{id}", get(one));
        }
        if self.clock.is_some() {
            router = router.route("/clock", get(clock).merge(post(set_clock)));
        }
        router.with_state(Arc::new(self))
    }
}

async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    let mut checks = serde_json::Map::new();
    let mut good = true;
    for (name, check) in &admin.checks {
        let done = check().await;
        good &= done.is_ok();
        checks.insert(name.clone(), done.map_or_else(|refusal| refusal.reason().name, |()| "ok").into());
    }
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"ready": good, "checks": checks}))).into_response()
}

async fn metrics_text() -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], metrics().text()).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn page(admin: &Admin, title: &str, body: &str) -> Html<String> {
    let banner = admin
        .banner
        .as_deref()
        .map(|banner| format!("<p><strong>{}</strong></p>", escape(banner)))
        .unwrap_or_default();
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>{title}</title><style>body{{font:15px/1.5 system-ui,sans-serif;margin:1rem 2rem}}\
         pre{{font:13px ui-monospace,monospace;overflow:auto}}td{{padding:.1rem .8rem .1rem 0}}</style><h1>{title}</h1>{banner}{body}",
        title = escape(title)
    ))
}

async fn recent(State(admin): State<Arc<Admin>>) -> Html<String> {
    let traces = admin.traces.as_ref().map(|store| store.recent(200)).unwrap_or_default();
    let rows = traces.iter().map(|(id, name, ns, spans)| {
        format!(
            "<tr><td><a href=\"/traces/{id}\"><code>{id}</code></a><td>{}<td>{:.2} ms<td>{spans}",
            escape(name),
            *ns as f64 / 1e6
        )
    });
    page(&admin, "Traces", &format!("<table>{}</table>", rows.collect::<String>()))
}

#[derive(Deserialize)]
struct Format {
    #[serde(default)]
    format: String,
}

async fn one(
    State(admin): State<Arc<Admin>>,
    Path(id): Path<String>,
    Query(Format { format }): Query<Format>,
) -> Response {
    let Some(spans) = admin.traces.as_ref().and_then(|store| store.get(&id)) else {
        return (StatusCode::NOT_FOUND, "no such trace is kept here\n").into_response();
    };
    match format.as_str() {
        "json" => Json(spans).into_response(),
        "text" => render(&spans).into_response(),
        _ => page(&admin, &format!("Trace {id}"), &format!("<pre>{}</pre>", escape(&render(&spans))))
            .into_response(),
    }
}

async fn clock(State(admin): State<Arc<Admin>>) -> Response {
    let today = admin.clock.as_ref().map(Clock::today);
    Json(json!({"today": today.map(|date| date.to_string())})).into_response()
}

#[derive(Deserialize)]
struct Set {
    today: Date,
}

async fn set_clock(State(admin): State<Arc<Admin>>, Json(set): Json<Set>) -> Response {
    match admin.clock.as_ref().map(|clock| clock.set(set.today)) {
        Some(Ok(())) => clock(State(admin)).await,
        Some(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
