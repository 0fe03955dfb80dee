//! Panics caught, deadlines kept, calls in flight bounded.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tonic::Status;

use crate::refusal::{BUSY, DEADLINE, Refusal};

pub(super) async fn panics(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "panic".to_owned());
            Status::from(Refusal::internal(text)).into_http()
        }
    }
}

/// `grpc-timeout` as the protocol spells it: at most eight digits and a unit.
fn asked(request: &Request) -> Option<Duration> {
    let text = request.headers().get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = (digits.len() <= 8).then(|| digits.parse().ok()).flatten()?;
    match unit {
        "H" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        "M" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

pub(super) async fn deadline(State(most): State<Duration>, request: Request, next: Next) -> Response {
    let within = asked(&request).map_or(most, |asked| asked.min(most));
    match tokio::time::timeout(within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Status::from(Refusal::new(&DEADLINE)).into_http(),
    }
}

#[derive(Clone, Debug)]
pub(super) struct InFlight(Arc<Semaphore>);

impl InFlight {
    pub(super) fn new(most: usize) -> InFlight {
        InFlight(Arc::new(Semaphore::new(most)))
    }
}

pub(super) async fn in_flight(State(limit): State<InFlight>, request: Request, next: Next) -> Response {
    match limit.0.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => Status::from(Refusal::new(&BUSY).retry_after(Duration::from_millis(500))).into_http(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_as_the_protocol_spells_it() {
        let of = |text: &str| {
            asked(
                &http::Request::builder()
                    .header("grpc-timeout", text)
                    .body(axum::body::Body::empty())
                    .unwrap(),
            )
        };
        assert_eq!(of("250m"), Some(Duration::from_millis(250)));
        assert_eq!(of("2S"), Some(Duration::from_secs(2)));
        assert_eq!(of("123456789S"), None);
        assert_eq!(of("9é"), None);
        assert_eq!(of(""), None);
    }
}
