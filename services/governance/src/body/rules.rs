//! The life of a body, and what it is on some days.

use jiff::civil::Date;
use kernel::{
    named,
    periods::Period,
    state::{Row, Table},
};
use serde::{Deserialize, Serialize};

named! {
    /// The states of a body.
    State {
        /// It works.
        Active = "ACTIVE",
        /// It exists no longer.
        Dissolved = "DISSOLVED",
    }
}

named! {
    /// What can be done with a body.
    Verb {
        /// Founded.
        Create = "create",
        /// Renamed, or its seats changed.
        Update = "update",
        /// Somebody takes a seat 任职, 补选.
        Seat = "seat",
        /// A term ends before its time 辞职, 罢免.
        EndMembership = "endMembership",
        /// Who sat on days past corrected.
        CorrectMembership = "correctMembership",
        /// Dissolved.
        Dissolve = "dissolve",
    }
}

/// The life of a body.
pub static TABLE: Table<State, Verb> = Table {
    resource: "body",
    rows: &[
        Row::new(
            None,
            Verb::Create,
            State::Active,
            "governance.bodies.create",
            &["a kind that its level can have", "a quorum within its seats"],
        ),
        Row::new(
            Some(State::Active),
            Verb::Update,
            State::Active,
            "governance.bodies.update",
            &["no seat taken away that is held"],
        ),
        Row::new(
            Some(State::Active),
            Verb::Seat,
            State::Active,
            "governance.bodies.seat",
            &["a vacant seat", "a person who holds no other seat of it", "one chair at a time"],
        ),
        Row::new(
            Some(State::Active),
            Verb::EndMembership,
            State::Active,
            "governance.bodies.seat",
            &["a reason"],
        ),
        Row::new(
            Some(State::Active),
            Verb::CorrectMembership,
            State::Active,
            "governance.bodies.correct",
            &["a reason"],
        ),
        Row::new(
            Some(State::Dissolved),
            Verb::CorrectMembership,
            State::Dissolved,
            "governance.bodies.correct",
            &["a reason"],
        ),
        Row::new(Some(State::Active), Verb::Dissolve, State::Dissolved, "governance.bodies.dissolve", &[]),
    ],
};

/// Where a body can belong, by the names in store and files.
pub const LEVELS: &[&str] = &["TOWN", "COMMUNITY", "COMMITTEE", "ESTATE"];

/// What is said of a body on some days. It belongs to the town when it belongs to nothing below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The name as shown.
    pub display_name: String,
    /// Seats.
    pub seats: i32,
    /// Members who must be present.
    pub quorum: i32,
    /// The id of its community.
    pub community: Option<String>,
    /// The id of its committee.
    pub committee: Option<String>,
    /// The id of its estate.
    pub estate: Option<String>,
}

/// The state for what is done next: a body whose end is set is dissolved.
pub fn state(life: Period) -> State {
    if life.to().is_some() { State::Dissolved } else { State::Active }
}

/// The first day of a body that an import names without one: that of its earliest term, else today.
pub fn first_day(terms: impl IntoIterator<Item = Date>, today: Date) -> Date {
    terms.into_iter().min().map_or(today, |first| first.min(today))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
    }
}
