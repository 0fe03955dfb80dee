//! What a service stands on: configuration, telemetry, layers, identity, errors, Postgres and the unit of work.

pub mod ambient;
pub mod peer;
pub mod refusal;
