//! A service as its callers see it: near (its layered routes, in this process) or far (a channel); generated
//! clients take either.

use std::convert::Infallible;

use tonic::{Status, body::Body, transport::Endpoint};
use tower::{Layer, Service, ServiceExt, util::BoxCloneSyncService};

use crate::telemetry::Trace;

/// Something that answers gRPC requests: a channel or the layered routes of a service in this process.
pub type Peer = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Status>;

/// The peer behind `url` (`http://host:port` or `https://…`). Connects when it is first called, and again after
/// a loss.
///
/// # Errors
/// When `url` is not a URL.
pub fn far(url: &str) -> Result<Peer, tonic::transport::Error> {
    let channel = Endpoint::from_shared(url.to_owned())?.tcp_nodelay(true).connect_lazy();
    Ok(Peer::new(channel.map_err(|error| Status::unavailable(error.to_string()))))
}

/// The peer that answers in this process. Extensions that belong to one hop (the connection, the caller found by
/// an earlier layer) do not travel with the request.
pub fn near<S>(service: S) -> Peer
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let service = service.map_err(|never: Infallible| match never {});
    Peer::new(service.map_request(|mut request: http::Request<Body>| {
        request.extensions_mut().clear();
        request
    }))
}

/// A peer within the span of `service`'s call to it, which carries the trace on.
pub fn traced(peer: Peer, service: &'static str) -> Peer {
    Peer::new(Trace::client(service).layer(peer))
}
