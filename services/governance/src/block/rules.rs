//! The life of a block 区块: opened with its first steward, closed on a day.

use jiff::civil::Date;
use kernel::{
    named,
    periods::{Believed, Period},
    state::{Row, Table},
};
use uuid::Uuid;

named! {
    /// The states of a block.
    State {
        /// It has a steward on every day.
        Open = "OPEN",
        /// It exists no longer.
        Closed = "CLOSED",
    }
}

named! {
    /// What can be done with a block.
    Verb {
        /// Opened.
        Create = "create",
        /// Renamed.
        Update = "update",
        /// Handed over 交接.
        HandOver = "handOver",
        /// Covered during leave 代管.
        Cover = "cover",
        /// Its stewards of days past corrected.
        CorrectSteward = "correctSteward",
        /// A force 力量 joins it.
        Join = "join",
        /// A force leaves it.
        Leave = "leave",
        /// Its forces of days past corrected.
        CorrectForce = "correctForce",
        /// Closed 撤销.
        Close = "close",
    }
}

/// The life of a block.
pub static TABLE: Table<State, Verb> = Table {
    resource: "block",
    rows: &[
        Row::new(
            None,
            Verb::Create,
            State::Open,
            "governance.blocks.create",
            &["a first steward", "the committee is founded or in preparation"],
        ),
        Row::new(Some(State::Open), Verb::Update, State::Open, "governance.blocks.update", &[]),
        Row::new(
            Some(State::Open),
            Verb::HandOver,
            State::Open,
            "governance.stewardships.handOver",
            &["no day without a steward"],
        ),
        Row::new(Some(State::Open), Verb::Cover, State::Open, "governance.stewardships.cover", &[]),
        Row::new(
            Some(State::Open),
            Verb::CorrectSteward,
            State::Open,
            "governance.stewardships.correct",
            &["a reason"],
        ),
        Row::new(
            Some(State::Closed),
            Verb::CorrectSteward,
            State::Closed,
            "governance.stewardships.correct",
            &["a reason"],
        ),
        Row::new(
            Some(State::Open),
            Verb::Join,
            State::Open,
            "governance.blocks.update",
            &["gathered there once on a day"],
        ),
        Row::new(Some(State::Open), Verb::Leave, State::Open, "governance.blocks.update", &["a reason"]),
        Row::new(
            Some(State::Open),
            Verb::CorrectForce,
            State::Open,
            "governance.blocks.correct",
            &["a reason"],
        ),
        Row::new(
            Some(State::Closed),
            Verb::CorrectForce,
            State::Closed,
            "governance.blocks.correct",
            &["a reason"],
        ),
        Row::new(Some(State::Open), Verb::Close, State::Closed, "governance.blocks.close", &[]),
    ],
};

/// What is said of a block on some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The id of its committee.
    pub committee: String,
    /// The name as shown.
    pub display_name: String,
}

/// The rows of a block that are believed now.
pub type Line = [Believed<Uuid, Facts>];

/// The state on `day`.
pub fn state_on(life: Period, day: Date) -> State {
    if life.to().is_some_and(|to| to <= day) { State::Closed } else { State::Open }
}

/// The state for what is done next: a block whose end is set is closed, even when the day is still to come.
pub fn state(life: Period) -> State {
    if life.to().is_some() { State::Closed } else { State::Open }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
    }
}
