//! What the handlers of a service share.

use kernel::page::PageKey;

use crate::db::Db;

/// What the handlers of a service share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// The service: `governance`.
    pub service: &'static str,
    /// Its database.
    pub db: Db,
    /// The key of its page tokens; the same in every replica.
    pub pages: PageKey,
}
