//! The layers of every service, near and far: one list, one order.
//!
//! Outermost first: trace (span, trace id) → ambient (language; completes errors) → panics → deadline →
//! load (in flight at once) → identity and permission → the routes. Validation of the contract's rules follows
//! in the codec, after the layers, so nobody learns of fields without a permission.

mod ambient;
mod guard;
mod permit;

pub use permit::{Gatekeeper, Permissions};

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{Router, middleware};
use tonic::body::Body;
use tower::ServiceExt;

use crate::{peer::Peer, telemetry};

/// What the layers need to know.
#[derive(Clone, Debug)]
pub struct Layers {
    /// The service: `governance`.
    pub service: &'static str,
    /// Who may call what.
    pub gatekeeper: Arc<Gatekeeper>,
    /// Calls in flight at once; more are answered BUSY.
    pub in_flight: usize,
    /// The longest deadline that a caller may set, and the one that he gets when he sets none.
    pub deadline: Duration,
}

/// The routes of a service within its layers, as an HTTP router and as a [`Peer`].
pub fn layered(routes: tonic::service::Routes, layers: &Layers) -> Router {
    let limit = guard::InFlight::new(layers.in_flight);
    routes
        .into_axum_router()
        .fallback(ambient::unknown_method)
        .layer(middleware::from_fn_with_state(layers.gatekeeper.clone(), permit::admit))
        .layer(middleware::from_fn_with_state(limit, guard::in_flight))
        .layer(middleware::from_fn_with_state(layers.deadline, guard::deadline))
        .layer(middleware::from_fn(guard::panics))
        .layer(middleware::from_fn(ambient::surround))
        .layer(telemetry::Trace::server(layers.service))
}

/// The router as a near peer.
pub fn near(router: Router) -> Peer {
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let router = router.clone();
        async move {
            let answer = router.oneshot(request.map(axum::body::Body::new)).await;
            answer.map(|answer| answer.map(Body::new))
        }
    });
    crate::peer::near(ServiceExt::<http::Request<Body>>::map_err(service, |never: Infallible| never))
}
