//! What stands in the way of a verb beside state and permission: another person must do it, something must come first.

use chassis::ambient::{Ambient, Language};
use contracts::linli::common::v1::{AvailableAction, Obstacle};

/// Marks `verb` as blocked when it is allowed so far; in the caller's language.
pub(crate) fn block(actions: &mut [AvailableAction], verb: &str, obstacle: Obstacle, zh: &str, en: &str) {
    for action in actions.iter_mut().filter(|action| action.allowed && action.verb == verb) {
        action.allowed = false;
        action.obstacle = obstacle.into();
        let chinese = Ambient::current().language == Language::Chinese;
        action.explanation = if chinese { zh } else { en }.to_owned();
    }
}
