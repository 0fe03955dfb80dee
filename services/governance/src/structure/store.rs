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

use kernel::name::CommitteeName;
use sqlx::{Postgres, QueryBuilder};

use crate::as_of::AsOf;

/// The statements of a committee's card, by what they read, for plans.
pub(crate) fn card_statements(
    name: &CommitteeName,
    as_of: &AsOf,
) -> Vec<(&'static str, QueryBuilder<Postgres>)> {
    let (scope, ids) = (chassis::identity::Scope::Town, [name.committee().to_owned()]);
    let committee = Some(name.committee());
    let target = Target { town: name.town(), scope: &scope, as_of, community: None, committee };
    vec![
        ("card: residents", residents_query(name, as_of)),
        ("card: blocks", card::blocks_on_card_query(name, as_of)),
        ("card: estates", card::estates_on_card_query(name, as_of)),
        ("card: bodies", card::bodies_on_card_query(name, as_of)),
        ("check: committees", load::committees_query(&target)),
        ("check: estates", load::estates_query(&target, &ids)),
        ("check: bodies", load::bodies_query(&target, [&[], &ids, &ids])),
        ("check: terms", load::terms_query(&target, &ids)),
        ("check: blocks", load::blocks_query(&target, &ids)),
        ("check: forces", load::forces_query(&target, &ids)),
        ("check: undivided", load::undivided_query(&target, &ids)),
    ]
}
