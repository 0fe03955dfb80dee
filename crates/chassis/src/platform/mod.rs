//! What every service answers beside its own: events, audit, catalogue.

mod audit;
mod catalogue;
mod events;
mod shared;

pub use audit::Audit;
pub use catalogue::{Catalogue, StateRows, rows};
pub use events::Events;
pub use shared::{MESSAGE, Shared};
