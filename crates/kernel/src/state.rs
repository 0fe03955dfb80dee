//! State tables: the life of a resource, declared once. The code runs it, the docs print it, an RPC lists it.

use std::fmt::Write;

/// A set of states or verbs with names.
pub trait Named: Copy + Eq + Sized + 'static {
    /// All of them.
    const ALL: &'static [Self];
    /// The names of all of them, for filters and files.
    const NAMES: &'static [&'static str];
    /// The name on the wire: `PREPARING`, `found`.
    fn name(self) -> &'static str;
    /// The one with this name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.name() == name)
    }
}

/// Declares an enum with names: `named! { /// Docs. State { Preparing = "PREPARING", … } }`; public, unless a
/// visibility stands before its name.
#[macro_export]
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($rest:tt)+ }) => {
        $crate::named! { $(#[$doc])* pub $name { $($rest)+ } }
    };
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$vdoc])* $variant),+ }

        impl $crate::state::Named for $name {
            const ALL: &'static [Self] = &[$($name::$variant),+];
            const NAMES: &'static [&'static str] = &[$($text),+];
            fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }
    };
}

/// One transition.
#[derive(Clone, Copy, Debug)]
pub struct Row<S: 'static, V: 'static> {
    /// The state before; `None` for a creation.
    pub from: Option<S>,
    /// The verb.
    pub verb: V,
    /// The state after.
    pub to: S,
    /// The permission that it takes; empty where it follows from something else, such as an operation, and is no verb of a caller.
    pub permission: &'static str,
    /// What else must hold, for people.
    pub guards: &'static [&'static str],
}

impl<S, V> Row<S, V> {
    /// A transition.
    pub const fn new(
        from: Option<S>,
        verb: V,
        to: S,
        permission: &'static str,
        guards: &'static [&'static str],
    ) -> Self
    where
        S: Copy,
        V: Copy,
    {
        Row { from, verb, to, permission, guards }
    }

    /// Whether it is a verb of callers.
    pub const fn is_called(&self) -> bool {
        !self.permission.is_empty()
    }
}

/// The transitions of a resource.
#[derive(Debug)]
pub struct Table<S: 'static, V: 'static> {
    /// The resource: `committee`.
    pub resource: &'static str,
    /// The transitions.
    pub rows: &'static [Row<S, V>],
}

/// A verb that the state doesn't know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{verb} is not possible while {from}; allowed: {}", allowed.join(", "))]
pub struct WrongState {
    /// The state that it is in.
    pub from: &'static str,
    /// The verb that was asked for.
    pub verb: &'static str,
    /// The verbs that the state allows.
    pub allowed: Vec<&'static str>,
}

impl<S: Named, V: Named> Table<S, V> {
    /// The state after `verb`.
    ///
    /// # Errors
    /// When `from` doesn't know the verb, with those that it knows.
    pub fn next(&self, from: S, verb: V) -> Result<S, WrongState> {
        let row = self.rows.iter().find(|row| row.from == Some(from) && row.verb == verb);
        row.map(|row| row.to).ok_or_else(|| WrongState {
            from: from.name(),
            verb: verb.name(),
            allowed: self.allowed(from).filter(|row| row.is_called()).map(|row| row.verb.name()).collect(),
        })
    }

    /// The transitions that `from` allows.
    pub fn allowed(&self, from: S) -> impl Iterator<Item = &'static Row<S, V>> {
        self.rows.iter().filter(move |row| row.from == Some(from))
    }

    /// The table as a Mermaid state diagram.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("stateDiagram-v2\n");
        for row in self.rows {
            let from = row.from.map_or("[*]", Named::name);
            // writing to a String does not fail
            let _ = writeln!(text, "    {from} --> {}: {}", row.to.name(), row.verb.name());
        }
        text
    }

    /// What is wrong with the table itself: a transition given twice, a state that no way from a creation leads to.
    pub fn faults(&self) -> Vec<String> {
        let twice = self.rows.iter().enumerate().filter(|(i, row)| {
            self.rows[..*i].iter().any(|other| other.from == row.from && other.verb == row.verb)
        });
        let mut faults: Vec<String> =
            twice.map(|(_, row)| format!("{} given twice", row.verb.name())).collect();
        let reached = self.reachable();
        let lost = S::ALL.iter().filter(|state| !reached.contains(state));
        faults.extend(lost.map(|state| format!("nothing leads to {}", state.name())));
        faults
    }

    /// The states that a resource can come to from its creation.
    fn reachable(&self) -> Vec<S> {
        let mut reached = Vec::new();
        loop {
            let open = |row: &&Row<S, V>| {
                row.from.is_none_or(|from| reached.contains(&from)) && !reached.contains(&row.to)
            };
            match self.rows.iter().find(open) {
                Some(row) => reached.push(row.to),
                None => return reached,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    named! {
        /// Lights.
        pub(super) Light {
            /// Stop.
            Red = "RED",
            /// Go.
            Green = "GREEN",
        }
    }
    named! {
        /// Verbs.
        pub(super) Turn {
            /// Make.
            Make = "make",
            /// Switch.
            Switch = "switch",
        }
    }

    const LIGHTS: Table<Light, Turn> = Table {
        resource: "light",
        rows: &[
            Row { from: None, verb: Turn::Make, to: Light::Red, permission: "p", guards: &[] },
            Row {
                from: Some(Light::Red),
                verb: Turn::Switch,
                to: Light::Green,
                permission: "p",
                guards: &[],
            },
        ],
    };

    #[test]
    fn the_wrong_state_names_what_is_allowed() {
        assert_eq!(LIGHTS.next(Light::Red, Turn::Switch), Ok(Light::Green));
        let wrong = LIGHTS.next(Light::Green, Turn::Switch).unwrap_err();
        assert_eq!((wrong.from, wrong.allowed.len()), ("GREEN", 0));
        assert!(LIGHTS.faults().is_empty());
        assert_eq!(LIGHTS.to_mermaid().lines().count(), 3);
        assert_eq!(Turn::from_name("switch"), Some(Turn::Switch));
    }

    #[test]
    fn a_circle_apart_and_a_transition_given_twice_are_faults() {
        const MAKE: Row<Light, Turn> =
            Row { from: None, verb: Turn::Make, to: Light::Red, permission: "p", guards: &[] };
        const AGAIN: Row<Light, Turn> = Row {
            from: Some(Light::Green),
            verb: Turn::Switch,
            to: Light::Green,
            permission: "p",
            guards: &[],
        };
        let apart: Table<Light, Turn> = Table { resource: "light", rows: &[MAKE, MAKE, AGAIN] };
        assert_eq!(apart.faults(), ["make given twice", "nothing leads to GREEN"]);
    }
}
