//! Who did a step, and four eyes: maker and checker are different persons, whatever roles, groups or delegations they act by.

use crate::{
    call::Call,
    refusal::{MAKER_IS_CHECKER, PERSON_NEEDED, Refusal},
};

/// Who did a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `issuer|subject`.
    pub principal: String,
    /// His person as a name; empty when he is mapped to none.
    pub person: String,
}

impl Actor {
    /// The caller.
    pub fn of(call: &Call) -> Actor {
        Actor { principal: call.principal().to_owned(), person: call.person().unwrap_or_default().to_owned() }
    }

    /// Of the columns of a table.
    pub fn new(principal: impl Into<String>, person: impl Into<String>) -> Actor {
        Actor { principal: principal.into(), person: person.into() }
    }

    /// Whether both may be one human: they are, or who one of them is isn't known.
    pub fn may_be(&self, other: &Actor) -> bool {
        self.is(other) || self.person.is_empty() || other.person.is_empty()
    }

    /// Whether both are one human: the same person, or the same principal.
    pub fn is(&self, other: &Actor) -> bool {
        self.principal == other.principal || (!self.person.is_empty() && self.person == other.person)
    }
}

/// The step of `former` that `now` did already, or may have done, when there is one.
pub fn did<'a>(now: &Actor, former: &[(&'a str, &Actor)]) -> Option<&'a str> {
    former.iter().find(|(_, who)| who.may_be(now)).map(|(step, _)| *step)
}

/// Refuses `verb` on `name` to whoever did one of the `former` steps, and to whoever can't be told from them because a login is
/// mapped to no person.
///
/// # Errors
/// MAKER_IS_CHECKER, PERSON_NEEDED, with the step.
pub fn another(name: &str, verb: &str, now: &Actor, former: &[(&str, &Actor)]) -> Result<(), Refusal> {
    let Some(step) = did(now, former) else { return Ok(()) };
    let same = former.iter().any(|(_, who)| who.is(now));
    Err(Refusal::new(if same { &MAKER_IS_CHECKER } else { &PERSON_NEEDED })
        .with("name", name)
        .with("verb", verb)
        .with("former", step)
        .violating("FOUR_EYES", name, format!("{verb}: {step}")))
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
        // who isn't known may be anybody
        let unknown = another("n", "approve", &nobody_known, &[("apply", &maker)]).unwrap_err();
        assert_eq!(unknown.reason().name, "PERSON_NEEDED");
        let other = Actor::new("urn:b|z", "towns/malu/people/q");
        assert!(another("n", "approve", &other, &[("apply", &maker)]).is_ok());
    }
}
