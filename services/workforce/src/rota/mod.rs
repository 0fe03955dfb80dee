//! The rota 值班.

pub mod plan;
