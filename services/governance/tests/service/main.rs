//! Governance over its layers, against real Postgres: a database for each test.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

mod access;
mod behind;
mod bodies;
mod canaries;
mod client;
mod forces;
mod harness;
mod imports;
mod mergers;
mod peers;
mod people;
mod places;
mod plans;
mod races;
mod sequences;
mod sets;
mod structure;
mod workbooks;
