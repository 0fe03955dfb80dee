//! What the tests of the chassis and of services share: a database of their own, calls, many at once.

use std::sync::Arc;

use devdb::{TestCluster, TestDatabase};
use kernel::page::PageKey;

use crate::{
    call::{Call, Caller},
    clock::Clock,
    context::Context,
    db::{Db, PoolSettings, Schema, migrate},
    identity::{Grant, Grants, role},
    vault::Vault,
};

/// A database of one test, migrated, seen with the service's own role.
#[derive(Clone, Debug)]
pub struct TestDb {
    /// What handlers share.
    pub context: Context,
    /// The database itself.
    pub database: TestDatabase,
}

impl TestDb {
    /// A new one, cloned from a template.
    ///
    /// # Panics
    /// When there is no Postgres: no test could run.
    pub async fn new(schema: &Schema) -> TestDb {
        let migrating = schema.clone();
        let key = schema.fingerprint();
        let made = TestCluster::shared().database(&key, |url| async move {
            migrate(&url, &migrating)
                .await
                .map_err(|refusal| format!("{refusal}: {:?}", std::error::Error::source(&refusal)))
        });
        let database = made.await.unwrap_or_else(|error| panic!("a test database: {error}"));
        let settings = PoolSettings { connections: 8, ..PoolSettings::default() };
        let vault = Vault::random().unwrap_or_else(|error| panic!("{error}"));
        let db =
            Db::open(&database.owner_url, schema, &settings, vault).unwrap_or_else(|error| panic!("{error}"));
        TestDb { context: Context { service: schema.name, db, pages: PageKey::new([7; 32]) }, database }
    }
}

/// A call of `method` by `subject`, who holds `role_id` in `area`.
///
/// # Panics
/// For a role or an area that isn't one.
pub fn call(subject: &str, role_id: &str, area: &str, method: &str, permission: &str, clock: &Clock) -> Call {
    let (Some(role), Ok(area)) = (role(role_id), area.parse()) else { panic!("{role_id} in {area}") };
    let grants = Arc::new(Grants { person: None, grants: vec![Grant { role, area }] });
    Call::new(
        Caller { principal: format!("urn:test|{subject}"), grants },
        "test",
        method,
        permission,
        clock.clone(),
    )
}
