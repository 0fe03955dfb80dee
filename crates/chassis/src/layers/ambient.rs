//! Language and trace id around the call; errors that are not ours get the details that every error has.

use axum::{extract::Request, middleware::Next, response::Response};
use http::header::ACCEPT_LANGUAGE;
use tonic::{Code, Status};

use crate::{
    ambient::{Ambient, Language},
    refusal::{
        BUSY, DEADLINE, INTERNAL, INVALID_ENCODING, Reason, Refusal, UNAUTHENTICATED, UNAVAILABLE,
        UNKNOWN_METHOD,
    },
    telemetry,
};

pub(super) async fn surround(request: Request, next: Next) -> Response {
    let accept = request.headers().get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
    let ambient = Ambient { language: Language::preferred(accept), trace_id: telemetry::current_trace_id() };
    let method = request.uri().path().trim_start_matches('/').to_owned();
    ambient.scope(async { complete(next.run(request).await, &method) }).await
}

/// An error that some library answered gets reason, text and trace id like ours.
fn complete(response: Response, method: &str) -> Response {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != Code::Ok && status.details().is_empty() => {
            let foreign = Refusal::new(reason_for(status.code()));
            let refusal = match status.code() {
                Code::Unimplemented => foreign.with("method", telemetry::method_name(method)),
                Code::InvalidArgument | Code::OutOfRange => foreign.with("cause", status.message()),
                Code::Unavailable => foreign.with("peer", method),
                Code::Unauthenticated => foreign.with("cause", "refused"),
                _ => foreign.because(status.message().to_owned()),
            };
            Status::from(refusal).into_http()
        }
        _ => response,
    }
}

fn reason_for(code: Code) -> &'static Reason {
    match code {
        Code::Unimplemented => &UNKNOWN_METHOD,
        Code::InvalidArgument | Code::OutOfRange => &INVALID_ENCODING,
        Code::DeadlineExceeded | Code::Cancelled => &DEADLINE,
        Code::ResourceExhausted => &BUSY,
        Code::Unavailable => &UNAVAILABLE,
        Code::Unauthenticated => &UNAUTHENTICATED,
        Code::Ok
        | Code::Unknown
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Internal
        | Code::DataLoss => &INTERNAL,
    }
}

pub(super) async fn unknown_method(request: Request) -> Response {
    let method = telemetry::method_name(request.uri().path());
    Status::from(Refusal::new(&UNKNOWN_METHOD).with("method", method)).into_http()
}
