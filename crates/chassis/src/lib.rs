//! What a service stands on: configuration, telemetry, layers, identity, errors, Postgres and the unit of work.

pub mod admin;
pub mod ambient;
pub mod call;
pub mod clock;
pub mod config;
pub mod context;
pub mod db;
pub mod identity;
pub mod imports;
pub mod layers;
pub mod operations;
pub mod paging;
pub mod peer;
pub mod platform;
pub mod refusal;
pub mod seal;
pub mod serve;
pub mod state;
pub mod telemetry;
pub mod testing;
pub mod timeline;
pub mod validate;
pub mod vault;
pub mod wire;
pub mod work;
