//! The unit of work: one transaction that carries the idempotency record, the locks and the etag check, the state
//! change, its history, the audit record and the outgoing event. Beginning one yields either the work or the first
//! answer to a replay; committing consumes it and asks for the [`Record`], so that none is forgotten.

mod idempotency;
mod record;
#[cfg(test)]
mod tests;
mod verb;

pub use record::{Change, Record};
pub use verb::{Verb, VerbGiven, check_etag, mutate, mutate_given};

use std::future::Future;

use prost::Message;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::{
    call::Call,
    db::{Db, is_lost},
    refusal::{CONFLICT, Refusal, UNAVAILABLE},
    vault::Vault,
};

/// What beginning yields.
#[derive(Debug)]
pub enum Begun<R> {
    /// The work is yours to do.
    New(Work),
    /// The call was answered before; this is that answer.
    Replay(R),
}

/// The answer of a mutation, and whether it is the repetition of an earlier one.
#[derive(Debug)]
pub struct Done<R> {
    /// The answer.
    pub answer: R,
    /// Whether it was given before, under the same request id.
    pub replayed: bool,
}

/// A unit of work under way. Dropped without a commit, it leaves no trace.
#[derive(Debug)]
pub struct Work {
    tx: Transaction<'static, Postgres>,
    db: Db,
    call: Call,
    request_id: Option<Uuid>,
    dry: bool,
}

/// What a mutation says of itself in its request.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// `request_id`, empty when not given.
    pub request_id: &'a str,
    /// `validate_only`.
    pub validate_only: bool,
    /// SHA-256 of the request.
    pub hash: [u8; 32],
}

impl<'a> Intent<'a> {
    /// The intent of `request`.
    pub fn of<M: Message>(request: &M, request_id: &'a str, validate_only: bool) -> Intent<'a> {
        use sha2::{Digest, Sha256};
        Intent { request_id, validate_only, hash: Sha256::digest(request.encode_to_vec()).into() }
    }
}

impl Work {
    /// Begins, or finds the first answer to a request id.
    ///
    /// # Errors
    /// REQUEST_ID_REUSED when the id was used for another request; UNAVAILABLE without a connection.
    pub async fn begin<R: Message + Default>(
        db: &Db,
        call: &Call,
        intent: Intent<'_>,
    ) -> Result<Begun<R>, Refusal> {
        let mut tx = db.begin().await?;
        let request_id = Uuid::parse_str(intent.request_id).ok();
        if let Some(id) = request_id
            && !intent.validate_only
            && let Some(answer) = idempotency::claim(&mut tx, db.vault(), call, id, &intent.hash).await?
        {
            let answer = R::decode(answer.as_slice()).map_err(Refusal::internal)?;
            return Ok(Begun::Replay(answer));
        }
        Ok(Begun::New(Work { tx, db: db.clone(), call: call.clone(), request_id, dry: intent.validate_only }))
    }

    /// Begins work that nobody repeats by a request id: a part of an operation, a reading that is audited.
    ///
    /// # Errors
    /// UNAVAILABLE without a connection.
    pub async fn plain(db: &Db, call: &Call) -> Result<Work, Refusal> {
        Ok(Work { tx: db.begin().await?, db: db.clone(), call: call.clone(), request_id: None, dry: false })
    }

    /// The connection, for a store.
    pub fn sql(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// What seals and opens personal data.
    pub fn vault(&self) -> &Vault {
        self.db.vault()
    }

    /// The call that this work is for.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Writes `record` beside the state and commits; with `validate_only` everything is written, the deferred
    /// constraints are checked, and it is rolled back.
    ///
    /// # Errors
    /// What a deferred constraint refused; UNAVAILABLE when the connection was lost and the commit did not happen.
    pub async fn commit<R: Message>(mut self, record: Record<R>) -> Result<Done<R>, Refusal> {
        record::write(&mut self.tx, &self.call, self.request_id, &record).await?;
        if self.dry {
            sqlx::query("set constraints all immediate").execute(&mut *self.tx).await?;
            self.tx.rollback().await?;
            return Ok(Done { answer: record.answer, replayed: false });
        }
        let id = self.request_id.unwrap_or_else(Uuid::now_v7);
        idempotency::answer(&mut self.tx, self.db.vault(), &self.call, id, &record.answer.encode_to_vec())
            .await?;
        match self.tx.commit().await {
            Ok(()) => Ok(Done { answer: record.answer, replayed: false }),
            Err(error) if is_lost(&error) => resolve(&self.db, &self.call, id, record.answer, error).await,
            Err(error) => Err(error.into()),
        }
    }
}

/// The connection was lost while committing: the idempotency record, written in the same transaction, says whether
/// it happened.
async fn resolve<R>(
    db: &Db,
    call: &Call,
    id: Uuid,
    answer: R,
    error: sqlx::Error,
) -> Result<Done<R>, Refusal> {
    const TRIES: u32 = 5;
    for attempt in 0..TRIES {
        match idempotency::is_committed(db, call, id).await {
            Ok(true) => return Ok(Done { answer, replayed: false }),
            // the server may still be busy with the commit of the lost session: `claim` of a retry waits for it
            Ok(false) => return Err(Refusal::new(&CONFLICT).because(error)),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100 << attempt)).await,
        }
    }
    Err(Refusal::new(&UNAVAILABLE).with("peer", "database").because(error))
}

/// Runs `attempt` again while it collides with other calls (serialisation failure, deadlock), three times at most.
///
/// # Errors
/// Those of the last attempt.
pub async fn bounded<T, F, A>(mut attempt: A) -> Result<T, Refusal>
where
    A: FnMut() -> F,
    F: Future<Output = Result<T, Refusal>>,
{
    const ATTEMPTS: u32 = 3;
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(refusal) if is_collision(&refusal) => {}
            done => return done,
        }
    }
    attempt().await
}

fn is_collision(refusal: &Refusal) -> bool {
    std::ptr::eq(refusal.reason(), &CONFLICT)
}
