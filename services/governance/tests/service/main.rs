//! Governance over its layers, against real Postgres: a database for each test.

mod access;
mod behind;
mod harness;
mod imports;
mod plans;
mod races;
mod sequences;
