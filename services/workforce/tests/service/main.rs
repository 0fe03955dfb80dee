//! Workforce over its layers, with a real governance as its peer, against real Postgres: databases for each test.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

mod composition;
mod harness;
mod pay;
mod postings;
mod rotas;
mod training;
mod workers;
