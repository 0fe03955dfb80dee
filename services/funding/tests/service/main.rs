//! Funding over its layers, with a real governance as its peer, against real Postgres: databases for each test.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

mod access;
mod allocating;
mod allocations;
mod behind;
mod decisions;
mod delegations;
mod grants;
mod harness;
mod ledger;
mod policies;
mod releases;
mod sequences;
mod spending;
mod statements;
mod years;
