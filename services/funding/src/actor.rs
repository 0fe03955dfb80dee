//! Who did a step, and four eyes: maker and checker are different persons, whatever roles, groups or delegations they act by.

use chassis::{
    ambient::{Ambient, Language},
    call::Call,
    refusal::Refusal,
};
use contracts::linli::common::v1::{AvailableAction, Obstacle};

use crate::reasons::MAKER_IS_CHECKER;

/// Who did a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    /// `issuer|subject`.
    pub(crate) principal: String,
    /// His person as a name; empty when he is mapped to none.
    pub(crate) person: String,
}

impl Actor {
    /// The caller.
    pub(crate) fn of(call: &Call) -> Actor {
        Actor { principal: call.principal().to_owned(), person: call.person().unwrap_or_default().to_owned() }
    }

    /// Of the columns of a table.
    pub(crate) fn new(principal: impl Into<String>, person: impl Into<String>) -> Actor {
        Actor { principal: principal.into(), person: person.into() }
    }

    /// Whether both are one human: the same person, or the same principal.
    pub(crate) fn is(&self, other: &Actor) -> bool {
        self.principal == other.principal || (!self.person.is_empty() && self.person == other.person)
    }
}

/// The step of `former` that `now` did already, when there is one.
pub(crate) fn did<'a>(now: &Actor, former: &[(&'a str, &Actor)]) -> Option<&'a str> {
    former.iter().find(|(_, who)| who.is(now)).map(|(step, _)| *step)
}

/// Refuses `verb` on `name` to whoever did one of the `former` steps.
///
/// # Errors
/// MAKER_IS_CHECKER with the step.
pub(crate) fn another(name: &str, verb: &str, now: &Actor, former: &[(&str, &Actor)]) -> Result<(), Refusal> {
    match did(now, former) {
        None => Ok(()),
        Some(step) => Err(Refusal::new(&MAKER_IS_CHECKER)
            .with("name", name)
            .with("verb", verb)
            .with("former", step)
            .violating("FOUR_EYES", name, format!("{verb}: {step}"))),
    }
}

/// Tells the caller that `verb` needs somebody else, because he did the step `former`; what stands in the way otherwise is said first.
pub(crate) fn four_eyes(actions: &mut [AvailableAction], verb: &str, former: &str) {
    let text = match Ambient::current().language {
        Language::Chinese => format!("须由他人办理：您已办理 {former}"),
        Language::English => format!("needs somebody else: you did {former} already"),
    };
    obstruct(actions, verb, Obstacle::FourEyes, text);
}

/// Tells the caller what stands in the way of `verb`, unless something does already.
pub(crate) fn obstruct(actions: &mut [AvailableAction], verb: &str, obstacle: Obstacle, text: String) {
    for action in actions.iter_mut().filter(|action| action.verb == verb && action.allowed) {
        action.allowed = false;
        action.obstacle = obstacle.into();
        action.explanation.clone_from(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_human_is_found_through_two_logins() {
        let maker = Actor::new("urn:a|x", "towns/malu/people/p");
        let again = Actor::new("urn:b|y", "towns/malu/people/p");
        let nobody_known = Actor::new("urn:b|y", "");
        assert!(again.is(&maker) && again.is(&nobody_known) && !nobody_known.is(&maker));
        assert_eq!(
            another("n", "approve", &again, &[("apply", &maker)]).unwrap_err().reason().name,
            "MAKER_IS_CHECKER"
        );
        assert!(another("n", "approve", &nobody_known, &[("apply", &maker)]).is_ok());
    }
}
