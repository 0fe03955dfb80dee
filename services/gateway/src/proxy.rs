//! gRPC passed on: bodies unopened, but for the few methods that every service has.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use bytes::{Buf, Bytes, BytesMut};
use chassis::{
    refusal::{INVALID_ENCODING, Refusal, UNKNOWN_METHOD},
    telemetry::method_name,
};
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use prost_reflect::{DescriptorPool, DynamicMessage};
use tonic::Status;
use tower::ServiceExt;

use crate::backends::{Backends, method_of};

/// The bytes of a message that is opened at most.
const OPENED: usize = 16 << 20;

/// Passes gRPC on.
pub(crate) struct Proxy {
    pub(crate) pool: DescriptorPool,
    pub(crate) backends: Backends,
}

impl Proxy {
    /// Answers a request.
    pub(crate) async fn handle(self: Arc<Self>, request: Request<Body>) -> Response {
        match self.pass(request).await {
            Ok(response) => response,
            Err(status) => status.into_http(),
        }
    }

    async fn pass(&self, request: Request<Body>) -> Result<Response, Status> {
        let path = request.uri().path().to_owned();
        let (peer, request) = if Backends::is_shared(&path) {
            self.open(&path, request).await?
        } else {
            let peer = self.backends.by_package(&path);
            let unknown = || Refusal::new(&UNKNOWN_METHOD).with("method", method_name(&path));
            (peer.ok_or_else(unknown)?, request.map(tonic::body::Body::new))
        };
        Ok(peer.oneshot(request).await?.map(Body::new))
    }

    /// Reads the one message of a request, to see which service it is for.
    async fn open(
        &self,
        path: &str,
        request: Request<Body>,
    ) -> Result<(chassis::peer::Peer, Request<tonic::body::Body>), Status> {
        let method = method_of(&self.pool, path)
            .ok_or_else(|| Refusal::new(&UNKNOWN_METHOD).with("method", method_name(path)))?;
        let (head, body) = request.into_parts();
        let broken = |cause: &str| Status::from(Refusal::new(&INVALID_ENCODING).with("cause", cause));
        let bytes = Limited::new(body, OPENED)
            .collect()
            .await
            .map_err(|_| broken("the message is too long or broke off"))?
            .to_bytes();
        let message = unframe(bytes.clone()).ok_or_else(|| broken("not one uncompressed gRPC message"))?;
        let message = DynamicMessage::decode(method.input(), message)
            .map_err(|_| broken("not a message of the method"))?;
        let peer = self.backends.for_message(&method, &message)?;
        Ok((peer, Request::from_parts(head, tonic::body::Body::new(Full::new(bytes)))))
    }
}

/// The message in a gRPC frame: a flag, four bytes of length, the bytes.
fn unframe(bytes: Bytes) -> Option<Bytes> {
    let mut frame = BytesMut::from(bytes);
    if frame.len() < 5 || frame.get_u8() != 0 {
        return None;
    }
    let length = frame.get_u32() as usize;
    (length == frame.len()).then(|| frame.freeze())
}
