//! Who did a step, and four eyes: maker and checker are different persons, whatever roles, groups or delegations they act by.

use chassis::{call::Call, refusal::Refusal};

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
