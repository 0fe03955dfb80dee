//! Who comes in: tokens that don't hold are turned away here already, and nobody calls too often. Services verify
//! again.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use chassis::{
    ambient::{Ambient, Language},
    identity::{Unverified, Verifier, bearer},
    refusal::{Refusal, UNAUTHENTICATED, UNAVAILABLE},
    telemetry,
};
use http::header;
use tonic::Status;

use crate::{limits::Rates, rest};

pub(crate) struct Gate {
    pub(crate) verifier: Verifier,
    pub(crate) rates: Rates,
}

/// Language and trace id around whatever is answered here.
pub(crate) async fn surround(request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let ambient = Ambient { language: Language::preferred(accept), trace_id: telemetry::current_trace_id() };
    ambient.scope(next.run(request)).await
}

pub(crate) async fn admit(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let grpc = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    let headers = request.headers().clone();
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address.ip().to_string());
    let refused = match gate.caller(&headers, peer).await {
        Ok(caller) => gate.rates.admit(&caller).err(),
        Err(refusal) => Some(refusal),
    };
    match refused.map(Status::from) {
        None => next.run(request).await,
        Some(status) if grpc => status.into_http(),
        Some(status) => rest::respond(&status),
    }
}

impl Gate {
    /// The principal of a token, else the address; methods that want a token refuse whoever has none.
    async fn caller(&self, headers: &header::HeaderMap, peer: Option<String>) -> Result<String, Refusal> {
        let verified = match bearer(headers) {
            Ok(token) => self.verifier.verify(token).await,
            Err(unverified) => Err(unverified),
        };
        match verified {
            Ok(identity) => Ok(identity.principal()),
            Err(Unverified::Missing) => Ok(peer.unwrap_or_default()),
            Err(Unverified::KeysUnavailable) => {
                Err(Refusal::new(&UNAVAILABLE).with("peer", "issuer").retry_after(Duration::from_secs(5)))
            }
            Err(other) => Err(Refusal::new(&UNAUTHENTICATED).with("cause", other.cause())),
        }
    }
}
