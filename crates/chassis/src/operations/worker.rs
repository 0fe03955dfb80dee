//! The worker: takes operations up, one after the other.

use std::{collections::HashMap, sync::Arc, time::Duration};

use prost::Message;
use prost_types::Any;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::Instrument;
use uuid::Uuid;

use super::store::{self, Stored};
use crate::{
    call::Call,
    clock::Clock,
    context::Context,
    refusal::{CONFLICT, Refusal},
    telemetry,
    work::Work,
};

/// How often an idle worker looks, beside being told.
const IDLE: Duration = Duration::from_secs(1);
/// How often one that keeps failing for reasons of ours is taken up.
const ATTEMPTS: i32 = 5;

/// How far an operation is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Where to go on; the job's own affair.
    pub cursor: Value,
    /// Units done.
    pub done: i64,
    /// Units in all; 0 while not known.
    pub total: i64,
}

/// An operation at work.
#[derive(Debug)]
pub struct Running {
    /// What the handlers of the service share.
    pub context: Context,
    /// The call that began it.
    pub call: Call,
    /// The operation as it was taken up.
    pub stored: Stored,
    /// What it works on.
    pub input: Vec<u8>,
    worker: Uuid,
}

impl Running {
    /// Keeps `progress` within `work`: committed with it, or not at all. `true` when stopping was asked for.
    ///
    /// # Errors
    /// CONFLICT when another worker has taken over: the work must be dropped.
    pub async fn keep(&self, work: &mut Work, progress: &Progress) -> Result<bool, Refusal> {
        store::keep(work.sql(), self.stored.id, self.worker, progress)
            .await?
            .ok_or_else(|| Refusal::new(&CONFLICT))
    }
}

/// What an operation of some kind does.
#[tonic::async_trait]
pub trait Job: Send + Sync {
    /// Does it, from where the cursor says. `None` when it stopped because that was asked for.
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal>;
}

/// The jobs of a service, by kind.
pub type Jobs = HashMap<&'static str, Arc<dyn Job>>;

/// Takes up operations. Cheap to clone.
#[derive(Clone)]
pub struct Worker {
    context: Context,
    clock: Clock,
    jobs: Arc<Jobs>,
    wake: Arc<Notify>,
    id: Uuid,
}

impl Worker {
    /// A worker for these jobs.
    pub fn new(context: Context, clock: Clock, jobs: Jobs) -> Worker {
        Worker { context, clock, jobs: Arc::new(jobs), wake: Arc::new(Notify::new()), id: Uuid::new_v4() }
    }

    /// Says that there is something to do.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Works until `stop`; what is under way then is taken up by the next process when the lease runs out.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let done = tokio::select! {
                () = stop.cancelled() => break,
                done = self.pass() => done,
            };
            match done {
                Ok(true) => continue,
                Ok(false) => {}
                Err(refusal) => {
                    tracing::warn!(error = %refusal, "operations can't be taken up; it will be tried again")
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
    }

    /// Takes one up and does it. `false` when there is none.
    ///
    /// # Errors
    /// UNAVAILABLE without a connection.
    pub async fn pass(&self) -> Result<bool, Refusal> {
        let mut tx = self.context.db.begin().await?;
        let Some(stored) = store::take(&mut tx, self.id).await? else { return Ok(false) };
        let input = store::input(&mut tx, stored.id).await?;
        tx.commit().await?;
        let span = tracing::info_span!("operation", otel.name = %stored.kind, service = self.context.service, operation = %stored.id);
        telemetry::continue_from(&span, &stored.traceparent);
        self.work(stored, input).instrument(span).await?;
        Ok(true)
    }

    async fn work(&self, stored: Stored, input: Vec<u8>) -> Result<(), Refusal> {
        let (id, attempts) = (stored.id, stored.attempts);
        let call = stored.caller.0.clone().recall(self.context.service, self.clock.clone());
        let done = match self.jobs.get(stored.kind.as_str()).cloned() {
            Some(job) => {
                let running = Running { context: self.context.clone(), call, stored, input, worker: self.id };
                tokio::select! {
                    done = job.run(&running) => done,
                    lost = self.hold(id) => Err(lost),
                }
            }
            None => Err(Refusal::internal(format!("no job {}", stored.kind))),
        };
        let mut tx = self.context.db.begin().await?;
        match done {
            Ok(Some(answer)) => {
                store::end(&mut tx, id, self.id, "SUCCEEDED", Some(&answer.encode_to_vec()), None).await?
            }
            Ok(None) => store::end(&mut tx, id, self.id, "CANCELLED", None, Some(&cancelled())).await?,
            // another worker has it, or will have it when the lease runs out
            Err(refusal) if is_passing(&refusal) && attempts < ATTEMPTS => {
                tracing::warn!(error = %refusal, "an operation will be taken up again");
            }
            Err(refusal) => {
                let status = Status::from(refusal);
                store::end(&mut tx, id, self.id, "FAILED", None, Some(&wire(&status))).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }
}

impl Worker {
    /// Keeps the lease while a job is at work, however long one of its transactions takes; ends when another worker has taken
    /// over.
    async fn hold(&self, id: Uuid) -> Refusal {
        loop {
            tokio::time::sleep(Duration::from_secs_f64(store::LEASE / 3.0)).await;
            match self.renew(id).await {
                Ok(true) => {}
                Ok(false) => return Refusal::new(&CONFLICT),
                Err(refusal) => {
                    tracing::warn!(error = %refusal, "a lease was not kept; it will be tried again")
                }
            }
        }
    }

    async fn renew(&self, id: Uuid) -> Result<bool, Refusal> {
        let mut tx = self.context.db.begin().await?;
        let kept = store::renew(&mut tx, id, self.id).await?;
        tx.commit().await?;
        Ok(kept)
    }
}

fn is_passing(refusal: &Refusal) -> bool {
    matches!(
        refusal.reason().code,
        tonic::Code::Unavailable | tonic::Code::Aborted | tonic::Code::DeadlineExceeded
    )
}

/// A status as `google.rpc.Status`, details and all.
fn wire(status: &Status) -> Vec<u8> {
    if !status.details().is_empty() {
        return status.details().to_vec();
    }
    contracts::google::rpc::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: Vec::new(),
    }
    .encode_to_vec()
}

fn cancelled() -> Vec<u8> {
    wire(&Status::cancelled("stopped on request"))
}
