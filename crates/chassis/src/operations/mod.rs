//! Long-running operations: stored in Postgres, taken up by any replica under a lease, resumed after a kill.
//!
//! A job does its work in units of work of its own and keeps, in the same transactions, how far it is (`cursor`). A
//! worker that dies leaves a lease that runs out; the next one goes on at the cursor.

mod service;
pub mod store;
mod worker;

pub use service::{Operations, any, encode, encode_row, name};
pub use worker::{Job, Jobs, Progress, Running, Worker};
