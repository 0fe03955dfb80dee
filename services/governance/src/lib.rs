//! The governance service: the structure of the town (Work points 1.1-1.3, 3.1, 3.2), its calendar and its roles.

mod as_of;
pub mod block;
pub mod committee;
pub mod reasons;
pub mod stewardship;
mod store;

/// The migrations of this service's schema.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();
