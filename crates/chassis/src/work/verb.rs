//! A mutation as its service writes it: decode, decide, store; the rest is here.

use kernel::etag::Etag;
use prost::Message;
use tonic::{Request, Response, Status};

use super::{Begun, Done, Intent, Record, Work, bounded};
use crate::{
    call::Call,
    context::Context,
    refusal::{ETAG_MISMATCH, Refusal},
};

/// The usual [`Verb::intent`]: of a request with `request_id` and `validate_only`.
#[macro_export]
macro_rules! intent {
    () => {
        fn intent(request: &Self::Request) -> (&str, bool) {
            (&request.request_id, request.validate_only)
        }
    };
}

/// One mutating RPC.
#[tonic::async_trait]
pub trait Verb {
    /// Its request.
    type Request: Message + 'static;
    /// Its answer.
    type Answer: Message + Default + 'static;

    /// `request_id` and `validate_only` of the request.
    fn intent(request: &Self::Request) -> (&str, bool);

    /// Decodes, decides and stores within `work`. May run again when it collides with another call.
    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<Self::Answer>, Refusal>;
}

/// A mutating RPC whose decision rests on what was read from a peer before the unit of work began: a calendar, a committee. No
/// peer is called while rows are locked.
#[tonic::async_trait]
pub trait VerbGiven {
    /// What was read.
    type Given: Send + Sync;
    /// Its request.
    type Request: Message + 'static;
    /// Its answer.
    type Answer: Message + Default + 'static;

    /// `request_id` and `validate_only` of the request.
    fn intent(request: &Self::Request) -> (&str, bool);

    /// Decodes, decides and stores within `work`. May run again when it collides with another call.
    async fn act(
        work: &mut Work,
        given: &Self::Given,
        request: &Self::Request,
    ) -> Result<Record<Self::Answer>, Refusal>;
}

#[tonic::async_trait]
impl<V: Verb> VerbGiven for V {
    type Given = ();
    type Request = V::Request;
    type Answer = V::Answer;

    fn intent(request: &Self::Request) -> (&str, bool) {
        V::intent(request)
    }

    async fn act(
        work: &mut Work,
        (): &Self::Given,
        request: &Self::Request,
    ) -> Result<Record<Self::Answer>, Refusal> {
        V::act(work, request).await
    }
}

/// Runs a mutation: replayed when it was answered before, retried when it collides, committed with its record.
///
/// # Errors
/// The refusal as a status with its details.
pub async fn mutate<V: Verb>(
    context: &Context,
    request: Request<V::Request>,
) -> Result<Response<V::Answer>, Status> {
    mutate_given::<V>(context, &(), request).await
}

/// The same, with what was read from a peer.
///
/// # Errors
/// The refusal as a status with its details.
pub async fn mutate_given<V: VerbGiven>(
    context: &Context,
    given: &V::Given,
    request: Request<V::Request>,
) -> Result<Response<V::Answer>, Status> {
    let call = Call::of(&request)?;
    let asked = request.into_inner();
    let done = bounded(|| attempt::<V>(context, given, &call, &asked)).await?;
    let mut response = Response::new(done.answer);
    if done.replayed {
        response.metadata_mut().insert("linli-replayed", tonic::metadata::MetadataValue::from_static("true"));
    }
    Ok(response)
}

async fn attempt<V: VerbGiven>(
    context: &Context,
    given: &V::Given,
    call: &Call,
    asked: &V::Request,
) -> Result<Done<V::Answer>, Refusal> {
    let (request_id, validate_only) = V::intent(asked);
    match Work::begin(&context.db, call, Intent::of(asked, request_id, validate_only)).await? {
        Begun::Replay(answer) => Ok(Done { answer, replayed: true }),
        Begun::New(mut work) => {
            let record = V::act(&mut work, given, asked).await?;
            work.commit(record).await
        }
    }
}

/// Checks the etag that a caller gave against the version of the locked row; an empty one is not checked.
///
/// # Errors
/// ETAG_MISMATCH with the etag as it is now.
pub fn check_etag(name: &str, given: &str, version: i64) -> Result<(), Refusal> {
    if given.is_empty() {
        return Ok(());
    }
    let now = Etag::of(version);
    match Etag::parse(given) {
        Ok(etag) if etag == now => Ok(()),
        Ok(_) => Err(Refusal::new(&ETAG_MISMATCH).with("name", name).with("etag", now)),
        Err(error) => Err(Refusal::field("etag", "FORMAT", "不是有效的 etag", error.to_string())),
    }
}
