//! gRPC, gRPC-Web and REST/JSON in front of the services, on one port. It holds no domain code: paths, schemas and
//! the service of each method come from the descriptor set.

mod admit;
mod backends;
mod limits;
mod openapi;
mod proxy;
mod rest;
mod template;

pub use backends::Backends;

use std::{num::NonZeroU32, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware,
    response::{Html, Redirect, Response},
    routing::get,
};
use chassis::{identity::Verifier, telemetry::Trace};
use http::{HeaderName, HeaderValue, Method, header};
use prost_reflect::DescriptorPool;
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowOrigin, CorsLayer};

use limits::Rates;
use proxy::Proxy;
use rest::Rest;

/// How the gateway is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes of a REST body at most.
    pub max_body: usize,
    /// Calls a second for each caller; twice as many at once.
    pub rate: NonZeroU32,
    /// Origins of browsers that may call; loopback ones when `None`.
    pub origins: Option<Vec<String>>,
    /// What every page says: 示例数据.
    pub banner: Option<String>,
}

/// The gateway over `backends`.
///
/// # Errors
/// When the contracts contradict themselves (two methods at one path).
pub fn gateway(settings: &Settings, backends: &Backends, verifier: Verifier) -> Result<Router, String> {
    let pool = DescriptorPool::decode(contracts::DESCRIPTORS).map_err(|error| error.to_string())?;
    let document = openapi::document(&pool, settings.banner.as_deref())?.to_string();
    let rest = Arc::new(Rest::new(&pool, backends.clone(), settings.max_body)?);
    let proxy = Arc::new(Proxy { pool, backends: backends.clone() });
    let gate = Arc::new(admit::Gate { verifier, rates: Rates::new(settings.rate) });
    let pages = Router::new()
        .route("/", get(async || Redirect::temporary("/docs")))
        .route("/docs", get(async || Html(include_str!("docs.html"))))
        .route("/openapi.json", get(async move || ([(header::CONTENT_TYPE, "application/json")], document)));
    let calls = Router::new()
        .fallback(move |request: Request| dispatch(request, rest.clone(), proxy.clone()))
        .layer(middleware::from_fn_with_state(gate, admit::admit));
    let own = own_services()?;
    Ok(pages
        .merge(own)
        .fallback_service(calls)
        .layer(middleware::from_fn(admit::surround))
        .layer(cors(settings))
        .layer(Trace::edge("gateway")))
}

async fn dispatch(request: Request, rest: Arc<Rest>, proxy: Arc<Proxy>) -> Response {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .map(|value| value.as_bytes().to_vec())
        .unwrap_or_default();
    if kind.starts_with(b"application/grpc-web") {
        let inner = tower::service_fn(move |request: http::Request<tonic::body::Body>| {
            let proxy = proxy.clone();
            async move { Ok::<_, std::convert::Infallible>(proxy.handle(request.map(Body::new)).await) }
        });
        let web = GrpcWebLayer::new().layer(inner);
        return match web.oneshot(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        };
    }
    if kind.starts_with(b"application/grpc") {
        proxy.handle(request).await
    } else {
        rest.handle(request).await
    }
}

/// Health and reflection, answered here.
fn own_services() -> Result<Router, String> {
    let v1 = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(contracts::DESCRIPTORS);
    let old = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(contracts::DESCRIPTORS);
    let (_, health) = tonic_health::server::health_reporter();
    let routes = tonic::service::Routes::new(health)
        .add_service(v1.build_v1().map_err(|error| error.to_string())?)
        .add_service(old.build_v1alpha().map_err(|error| error.to_string())?);
    Ok(routes.into_axum_router().reset_fallback())
}

fn cors(settings: &Settings) -> CorsLayer {
    let exposed = [
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "linli-trace-id",
        "linli-replayed",
        "etag",
    ];
    let origins = match &settings.origins {
        Some(origins) => {
            AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
        }
        None => AllowOrigin::predicate(|origin, _| is_loopback(origin)),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers(tower_http::cors::AllowHeaders::mirror_request())
        .expose_headers(exposed.map(HeaderName::from_static))
}

fn is_loopback(origin: &HeaderValue) -> bool {
    let host = origin.to_str().ok().and_then(|origin| origin.split("://").nth(1)).unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| host == *local || host.strip_prefix(local).is_some_and(|rest| rest.starts_with(':')))
}
