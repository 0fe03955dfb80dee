//! The contracts as Rust: generated messages, clients and servers, and the descriptor set with comments and options.

#![allow(clippy::len_without_is_empty, clippy::doc_lazy_continuation, reason = "generated code")]

pub mod codec;

/// The compiled `FileDescriptorSet` of all contracts, imports and source information included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/linli.binpb"));

include!(concat!(env!("OUT_DIR"), "/linli.rs"));
