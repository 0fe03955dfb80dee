//! What the tests of the chassis and of services share: a database of their own, calls, many at once, a walk over every RPC.

pub mod ear;
mod raw;
pub mod walk;

use std::sync::Arc;

use devdb::{TestCluster, TestDatabase};
use kernel::{name::TownName, page::PageKey};
use tabular::{Column, Field, Row};

use crate::{
    call::{Call, Caller},
    clock::Clock,
    context::Context,
    db::{Db, PoolSettings, Schema, migrate},
    identity::{Grant, Grants, role},
    imports::{Applied, Export, RowError, Sheet, Sheets, Tables},
    refusal::Refusal,
    vault::Vault,
    work::Work,
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
    let person = Some(format!("towns/malu/people/{subject}"));
    let grants = Arc::new(Grants { person, grants: vec![Grant { role, area }] });
    Call::new(
        Caller { principal: format!("urn:test|{subject}"), grants },
        "test",
        method,
        permission,
        clock.clone(),
    )
}

/// The same tables, whose rows are applied one by one: what their sets are measured against.
pub fn one_by_one(sheets: &Sheets) -> Sheets {
    sheets.iter().map(|sheet| Arc::new(OneByOne(sheet.clone())) as Arc<dyn Sheet>).collect()
}

struct OneByOne(Arc<dyn Sheet>);

#[tonic::async_trait]
impl Sheet for OneByOne {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn columns(&self) -> &'static [Column] {
        self.0.columns()
    }
    fn about(&self) -> &'static [&'static str] {
        self.0.about()
    }
    fn key(&self) -> Option<&'static str> {
        self.0.key()
    }
    fn requires(&self) -> &'static [&'static str] {
        self.0.requires()
    }
    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        all: &Tables,
    ) -> Result<Applied, RowError> {
        self.0.apply(work, town, row, all).await
    }
    fn clear_permission(&self) -> Option<&'static str> {
        self.0.clear_permission()
    }
    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal> {
        self.0.export(export).await
    }
}
