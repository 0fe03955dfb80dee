//! The commands, one file each.

pub(crate) mod bootstrap;
pub(crate) mod clock;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod migrate;
pub(crate) mod token;
pub(crate) mod trace;
