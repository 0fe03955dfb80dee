//! Postgres as the services see it: a pool that hands out reads and units of work, and nothing else.

mod migrate;

pub use migrate::{Schema, migrate};

use std::time::Duration;

use sqlx::{
    PgConnection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    refusal::{Refusal, UNAVAILABLE},
    vault::Vault,
};

/// The database of one service, seen with the service's own role, with the keys of what is sealed in it.
#[derive(Clone, Debug)]
pub struct Db {
    pool: PgPool,
    vault: Vault,
}

/// How the pool is made.
#[derive(Clone, Debug)]
pub struct PoolSettings {
    /// Connections at most.
    pub connections: u32,
    /// How long a call waits for one before UNAVAILABLE.
    pub acquire: Duration,
    /// The longest that one statement may take.
    pub statement: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        PoolSettings { connections: 16, acquire: Duration::from_secs(5), statement: Duration::from_secs(10) }
    }
}

impl Db {
    /// A pool on `url` that works as the role of `schema`. When the URL logs in as somebody else (the owner, in
    /// development), each connection takes on the role at its start.
    ///
    /// # Errors
    /// When the URL can't be parsed.
    pub fn open(url: &str, schema: &Schema, settings: &PoolSettings, vault: Vault) -> sqlx::Result<Db> {
        let options: PgConnectOptions = url.parse()?;
        let timeout = settings.statement.as_millis().to_string();
        let options = options.application_name(&format!("linli {}", schema.name)).options([
            ("role", schema.role.as_str()),
            ("search_path", &format!("{},public", schema.name)),
            ("statement_timeout", &timeout),
            ("idle_in_transaction_session_timeout", &timeout),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(settings.acquire)
            .test_before_acquire(true)
            .connect_lazy_with(options);
        Ok(Db { pool, vault })
    }

    /// What seals and opens personal data.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// A read: one snapshot for all of its statements, nothing can be written.
    ///
    /// # Errors
    /// UNAVAILABLE when no connection can be had.
    pub async fn read(&self) -> Result<Read, Refusal> {
        let tx = self
            .pool
            .begin_with("begin isolation level repeatable read read only")
            .await
            .map_err(unreachable)?;
        Ok(Read { tx })
    }

    /// A transaction for the chassis itself (sealer, operations); services use a unit of work.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, Refusal> {
        self.pool.begin().await.map_err(unreachable)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// UNAVAILABLE when it doesn't.
    pub async fn ping(&self) -> Result<(), Refusal> {
        sqlx::query("select 1").execute(&self.pool).await.map_err(unreachable)?;
        Ok(())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A read-only view of the database at one instant.
#[derive(Debug)]
pub struct Read {
    tx: Transaction<'static, Postgres>,
}

impl Read {
    /// The connection, for a store.
    pub fn sql(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}

fn unreachable(error: sqlx::Error) -> Refusal {
    Refusal::new(&UNAVAILABLE).with("peer", "database").retry_after(Duration::from_secs(1)).because(error)
}

/// A storage error as a refusal: what a constraint or lock refused is the caller's business, a lost connection is
/// worth a retry, the rest is ours.
impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Refusal {
        if is_lost(&error) {
            return unreachable(error);
        }
        let code = error.as_database_error().and_then(|e| e.code().map(std::borrow::Cow::into_owned));
        match code.as_deref() {
            // serialization_failure, deadlock_detected, lock_not_available, exclusion and unique violations that
            // a rule did not foresee (two calls at once)
            Some("40001" | "40P01" | "55P03" | "23P01" | "23505") => {
                Refusal::new(&crate::refusal::CONFLICT).because(error)
            }
            Some("57014") => Refusal::new(&crate::refusal::DEADLINE).because(error),
            _ => Refusal::internal(error),
        }
    }
}

/// Whether the connection was lost, so that the fate of what was under way is not known.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // admin_shutdown, crash_shutdown, cannot_connect_now
        sqlx::Error::Database(e) => matches!(e.code().as_deref(), Some("57P01" | "57P02" | "57P03")),
        _ => false,
    }
}
