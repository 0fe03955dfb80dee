//! The built binary, over the network, as its users meet it.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

mod canaries;
mod inputs;
mod processes;
mod running;
