//! The SQL of the structure check, the card, the town at a glance and the search for names.

mod card;
mod load;
mod names;
mod settings;

pub(crate) use card::{
    Resident, blocks_on_card, bodies_on_card, communities, declared, estates_on_card, residents_query,
};
pub(crate) use load::{Target, load};
pub(crate) use names::{Named, names};
pub(crate) use settings::{Kept, kept, lock_settings, save_settings};
