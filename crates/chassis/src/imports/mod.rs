//! Import and export of master data as tables: one machinery, the tables are the service's own.
//!
//! A file's rows are applied in sets where their table takes sets; where one is refused, one by one, each within a
//! savepoint and with its deferred constraints checked, so that every faulty row is found in one run. ATOMIC stores all or nothing in one transaction; GOOD_ROWS_ONLY commits in
//! chunks together with how far it is, so that a killed import goes on where it stopped.

mod batch;
mod file;
mod job;
mod part;
mod service;

pub use job::ImportJob;
pub use service::Imports;

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use kernel::name::TownName;
use sqlx::PgConnection;
use tabular::{Column, Fault, Field, Row, Table};

use crate::{
    refusal::Refusal,
    vault::Vault,
    work::{Change, Work},
};

/// A row that could not be applied.
#[derive(Debug)]
pub enum RowError {
    /// What is wrong with it.
    Faults(Vec<Fault>),
    /// What a rule or the database said.
    Refused(Refusal),
}

impl From<Refusal> for RowError {
    fn from(refusal: Refusal) -> RowError {
        RowError::Refused(refusal)
    }
}

impl From<Vec<Fault>> for RowError {
    fn from(faults: Vec<Fault>) -> RowError {
        RowError::Faults(faults)
    }
}

/// What a row did.
#[derive(Debug)]
pub enum Applied {
    /// It was new.
    Created(Vec<Change>),
    /// It changed something.
    Updated(Vec<Change>),
    /// It changed nothing.
    Unchanged,
}

/// What became of the rows of a set, in their order.
pub type Outcomes = Vec<Result<Applied, RowError>>;

/// The tables of one import, by name.
pub type Tables = BTreeMap<&'static str, Table>;

/// A table that can be imported and exported.
#[tonic::async_trait]
pub trait Sheet: Send + Sync {
    /// Its name: `committees`.
    fn name(&self) -> &'static str;
    /// Its columns.
    fn columns(&self) -> &'static [Column];
    /// What each column holds, in the order of the columns.
    fn about(&self) -> &'static [&'static str];
    /// The column that is unique within a file.
    fn key(&self) -> Option<&'static str>;
    /// Tables that must be imported before it or with it.
    fn requires(&self) -> &'static [&'static str];
    /// What another service says against rows of a table: asked once, before the first unit of work and never within. A row with such a
    /// fault is not applied.
    async fn ask(&self, _town: &TownName, _table: &Table) -> Result<Vec<Fault>, Refusal> {
        Ok(Vec::new())
    }
    /// Applies a row. `all` are the tables that come with it.
    async fn apply(
        &self,
        work: &mut Work,
        town: &TownName,
        row: &Row,
        all: &Tables,
    ) -> Result<Applied, RowError>;
    /// Whether its rows can be applied in sets: [`Sheet::apply_set`].
    fn takes_sets(&self) -> bool {
        false
    }
    /// Applies rows that stand one behind the other in a few statements; yields what [`Sheet::apply`] would have made of
    /// each, in their order. `None` leaves the rows to [`Sheet::apply`]; what was written is then rolled back, as it is
    /// when the database refuses.
    async fn apply_set(
        &self,
        _work: &mut Work,
        _town: &TownName,
        _rows: &[Row],
        _all: &Tables,
    ) -> Result<Option<Outcomes>, Refusal> {
        Ok(None)
    }
    /// The permission that clear text of its personal columns needs; none when it has no such columns.
    fn clear_permission(&self) -> Option<&'static str> {
        None
    }
    /// The rows of a town.
    async fn export(&self, export: &mut Export<'_>) -> Result<Vec<Vec<Field>>, Refusal>;
}

/// What an export reads from, and how.
#[derive(Debug)]
pub struct Export<'a> {
    /// The connection.
    pub sql: &'a mut PgConnection,
    /// What opens personal data.
    pub vault: &'a Vault,
    /// The town.
    pub town: &'a TownName,
    /// The day: what is in force on it.
    pub day: Date,
    /// Whether personal columns are shown in clear; with stars otherwise.
    pub clear: bool,
    /// The key of the last row of the part before; none for the first part.
    pub after: Option<String>,
    /// Rows of a part at most. A table that can have more cuts itself with [`Export::cut`].
    pub most: usize,
    /// The key of the last row of this part, when more follow.
    pub next: Option<String>,
}

impl Export<'_> {
    /// One row more than a part takes, to see whether more follow.
    pub fn limit(&self) -> i64 {
        i64::try_from(self.most).unwrap_or(i64::MAX - 1) + 1
    }

    /// Cuts `rows`, read with [`Export::limit`], to a part, and keeps where the next one begins.
    pub fn cut<T>(&mut self, rows: &mut Vec<T>, key: impl Fn(&T) -> String) {
        if rows.len() > self.most {
            rows.truncate(self.most);
            self.next = rows.last().map(key);
        }
    }
}

/// What the sealed input of an import belongs to.
pub fn input_place(operation: uuid::Uuid) -> String {
    format!("operation {operation} input")
}

/// The tables of a service, each after those that it requires.
pub type Sheets = Arc<[Arc<dyn Sheet>]>;
