//! What every service answers beside its own: events, audit, catalogue.

mod audit;
mod catalogue;
mod events;

pub use audit::Audit;
pub use catalogue::{Catalogue, StateRows, rows};
pub use events::Events;
