//! Insurance over its layers, with a real governance as its peer, against real Postgres: databases for each test.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]
#![expect(
    clippy::inconsistent_digit_grouping,
    reason = "amounts in fen are written as yuan and fen: 80_000_00"
)]

mod access;
mod away;
mod campaigns;
mod claims;
mod cover;
mod documents;
mod dwellings;
mod events;
mod harness;
mod incidents;
mod policies;
mod replays;
mod reports;
mod rotation;
mod sequences;
mod sight;
