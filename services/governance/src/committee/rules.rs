//! The life of a committee: 筹建 → 成立 → 并入 or 撤销, and what is said of it on which days.

pub mod split;

use jiff::civil::Date;
use kernel::{
    named,
    periods::{Believed, Period, Splice, amend},
    state::{Row, Table},
};
use uuid::Uuid;

named! {
    /// The states of a committee.
    State {
        /// In preparation 筹建.
        Preparing = "PREPARING",
        /// Founded 已成立.
        Founded = "FOUNDED",
        /// Merged into another 已并入.
        Merged = "MERGED",
        /// Dissolved 已撤销.
        Dissolved = "DISSOLVED",
    }
}

named! {
    /// What can be done with a committee.
    Verb {
        /// Recorded.
        Create = "create",
        /// Founded 成立.
        Found = "found",
        /// Moved to another community.
        Move = "move",
        /// Merged into another 并入.
        Merge = "merge",
        /// A part goes to others 分设.
        Split = "split",
        /// Dissolved 撤销.
        Dissolve = "dissolve",
        /// Changed from a day on.
        Update = "update",
        /// Corrected on days past.
        Correct = "correct",
    }
}

/// The life of a committee.
pub static TABLE: Table<State, Verb> = Table {
    resource: "committee",
    rows: &[
        Row::new(
            None,
            Verb::Create,
            State::Preparing,
            "governance.committees.create",
            &["the community exists"],
        ),
        Row::new(
            Some(State::Preparing),
            Verb::Found,
            State::Founded,
            "governance.committees.found",
            &["after the preparation began, not after today"],
        ),
        Row::new(
            Some(State::Preparing),
            Verb::Dissolve,
            State::Dissolved,
            "governance.committees.dissolve",
            &["no open block, estate or body"],
        ),
        Row::new(
            Some(State::Founded),
            Verb::Dissolve,
            State::Dissolved,
            "governance.committees.dissolve",
            &["no open block, estate or body"],
        ),
        Row::new(
            Some(State::Founded),
            Verb::Merge,
            State::Merged,
            "governance.committees.merge",
            &["the other one is founded on that day"],
        ),
        Row::new(
            Some(State::Founded),
            Verb::Split,
            State::Founded,
            "governance.committees.split",
            &["those that take a part are founded on that day", "no block is cut", "the counts add up"],
        ),
        Row::new(
            Some(State::Preparing),
            Verb::Move,
            State::Preparing,
            "governance.committees.move",
            &["the community exists"],
        ),
        Row::new(
            Some(State::Founded),
            Verb::Move,
            State::Founded,
            "governance.committees.move",
            &["the community exists"],
        ),
        Row::new(Some(State::Preparing), Verb::Update, State::Preparing, "governance.committees.update", &[]),
        Row::new(Some(State::Founded), Verb::Update, State::Founded, "governance.committees.update", &[]),
        Row::new(
            Some(State::Preparing),
            Verb::Correct,
            State::Preparing,
            "governance.committees.correct",
            &["a reason"],
        ),
        Row::new(
            Some(State::Founded),
            Verb::Correct,
            State::Founded,
            "governance.committees.correct",
            &["a reason"],
        ),
        Row::new(
            Some(State::Merged),
            Verb::Correct,
            State::Merged,
            "governance.committees.correct",
            &["a reason"],
        ),
        Row::new(
            Some(State::Dissolved),
            Verb::Correct,
            State::Dissolved,
            "governance.committees.correct",
            &["a reason"],
        ),
    ],
};

/// What is said of a committee on some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The name as shown.
    pub display_name: String,
    /// The id of its community.
    pub community: String,
    /// The state.
    pub state: State,
    /// `A`, `B`, `C` or nothing (分类管理).
    pub management_class: String,
    /// `NORMAL`, `HARD` or nothing.
    pub difficulty: String,
    /// The id of the committee that it was merged into.
    pub merged_into: Option<String>,
}

/// A change of some facts; `None` leaves one alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// The name as shown.
    pub display_name: Option<String>,
    /// The id of its community.
    pub community: Option<String>,
    /// The class.
    pub management_class: Option<String>,
    /// The difficulty.
    pub difficulty: Option<String>,
}

impl Patch {
    /// The facts with this change.
    pub fn apply(&self, facts: &Facts) -> Facts {
        let pick = |new: &Option<String>, old: &String| new.clone().unwrap_or_else(|| old.clone());
        Facts {
            display_name: pick(&self.display_name, &facts.display_name),
            community: pick(&self.community, &facts.community),
            management_class: pick(&self.management_class, &facts.management_class),
            difficulty: pick(&self.difficulty, &facts.difficulty),
            ..facts.clone()
        }
    }
}

/// The rows of a committee that are believed now.
pub type Line = [Believed<Uuid, Facts>];

/// The facts on `day`.
pub fn on(line: &Line, day: Date) -> Option<&Facts> {
    line.iter().find(|row| row.period.contains(day)).map(|row| &row.value)
}

/// The facts at the end of the line: what holds until something new is said.
pub fn last(line: &Line) -> Option<&Facts> {
    line.iter().find(|row| row.period.to().is_none()).map(|row| &row.value)
}

/// What is said of a committee when it is recorded: in preparation from one day, founded from another.
pub fn beginning(preparation: Option<Date>, founding: Option<Date>, facts: &Facts) -> Vec<(Period, Facts)> {
    let with = |state| Facts { state, ..facts.clone() };
    let preparing = preparation
        .and_then(|from| Period::new(from, founding).ok())
        .map(|period| (period, with(State::Preparing)));
    let founded = founding.map(|from| (Period::since(from), with(State::Founded)));
    preparing.into_iter().chain(founded).collect()
}

/// The line after the state changes on `day`, for good.
pub fn enter(line: &Line, day: Date, state: State, merged_into: Option<&str>) -> Splice<Uuid, Facts> {
    amend(line, Period::since(day), |facts| Facts {
        state,
        merged_into: merged_into.map(str::to_owned),
        ..facts.clone()
    })
}

/// The first change of state after `day`: a transition may not be put before one.
pub fn later_transition(line: &Line, day: Date) -> Option<Date> {
    let then = on(line, day)?.state;
    line.iter()
        .filter(|row| row.period.from() > day && row.value.state != then)
        .map(|row| row.period.from())
        .min()
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};
    use kernel::periods::gaps;
    use proptest::prelude::*;

    use super::*;

    fn facts() -> Facts {
        Facts {
            display_name: "育兰社区居委会".to_owned(),
            community: "a".to_owned(),
            state: State::Preparing,
            management_class: "B".to_owned(),
            difficulty: "NORMAL".to_owned(),
            merged_into: None,
        }
    }

    fn rows(parts: Vec<(Period, Facts)>) -> Vec<Believed<Uuid, Facts>> {
        parts.into_iter().map(|(period, value)| Believed { id: Uuid::new_v4(), period, value }).collect()
    }

    fn apply(line: &mut Vec<Believed<Uuid, Facts>>, splice: Splice<Uuid, Facts>) {
        line.retain(|row| !splice.close.contains(&row.id));
        line.extend(rows(splice.insert));
    }

    #[test]
    fn the_table_is_whole() {
        assert!(TABLE.faults().is_empty(), "{:?}", TABLE.faults());
        for state in [State::Merged, State::Dissolved] {
            assert_eq!(TABLE.allowed(state).map(|row| row.verb).collect::<Vec<_>>(), [Verb::Correct]);
        }
    }

    proptest! {
        /// Whatever is founded, moved, corrected, merged: every day from the first has one state, and states only go forward.
        #[test]
        fn every_day_has_one_state(founded in 1i64..100, moves in prop::collection::vec((0i64..300, 0u8..3), 0..8), merged in 101i64..300) {
            let start = date(2020, 1, 1);
            let mut line = rows(beginning(Some(start), Some(start + founded.days()), &facts()));
            for (day, to) in moves {
                let patch = Patch { community: Some(to.to_string()), ..Patch::default() };
                let splice = amend(&line, Period::since(start + day.days()), |facts| patch.apply(facts));
                apply(&mut line, splice);
            }
            let splice = enter(&line, start + merged.days(), State::Merged, Some("b"));
            apply(&mut line, splice);
            let parts: Vec<Period> = line.iter().map(|row| row.period).collect();
            prop_assert!(gaps(Period::since(start), &parts).is_empty());
            let mut before = State::Preparing;
            for n in 0..400 {
                let day = start + n.days();
                prop_assert_eq!(line.iter().filter(|row| row.period.contains(day)).count(), 1);
                let state = on(&line, day).unwrap().state;
                prop_assert!(state >= before);
                let expected = if n < founded { State::Preparing } else if n < merged { State::Founded } else { State::Merged };
                prop_assert_eq!(state, expected);
                before = state;
            }
            prop_assert_eq!(later_transition(&line, start), Some(start + founded.days()));
        }
    }
}
