//! What a check looks at: what must be, and lines of days.

use jiff::civil::Date;
use kernel::periods::Period;

/// How many bodies of a kind each owner at a level must and can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The kind: `PROJECT_GROUP`.
    pub kind: String,
    /// TOWN, COMMUNITY, COMMITTEE or ESTATE.
    pub level: String,
    /// At least.
    pub minimum: i32,
    /// At most; any number when `None`.
    pub maximum: Option<i32>,
    /// The clause.
    pub clause: String,
    /// The Chinese term.
    pub zh: String,
    /// The English term.
    pub en: String,
}

/// Where something belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The id of the community; none for what is the town's.
    pub community: Option<String>,
    /// The id of the committee; none above committees.
    pub committee: Option<String>,
}

/// What must have bodies: the town, a community, a founded committee, an estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// TOWN, COMMUNITY, COMMITTEE or ESTATE.
    pub level: &'static str,
    /// Its id; that of the town for the town.
    pub id: String,
    /// Its name as shown.
    pub display_name: String,
    /// Where it lies.
    pub place: Place,
    /// Since which day it must have them, when that is known.
    pub since: Option<Date>,
    /// Whether it must have any: a committee in preparation 筹建 need not yet.
    pub must: bool,
}

/// A body with its past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// Where it belongs: level and id of its owner, with the days; on days of the past perhaps another.
    pub owned: Vec<(Period, String)>,
    /// Its level.
    pub level: String,
    /// Its name as shown on the day.
    pub display_name: String,
    /// Seats and quorum, with the days.
    pub sized: Vec<(Period, i32, i32)>,
    /// Who holds which seat on which days.
    pub terms: Vec<(i32, Period)>,
}

/// A block with its past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its id.
    pub id: String,
    /// Its name as shown on the day.
    pub display_name: String,
    /// The committee of which it is, with the days.
    pub owned: Vec<(Period, String)>,
    /// The days of each force in it.
    pub forces: Vec<Period>,
    /// Since when a director covers it until a hand-over.
    pub pending: Option<Date>,
}

/// Buildings of a committee in no block, on the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undivided {
    /// The committee.
    pub committee: String,
    /// How many.
    pub buildings: i32,
    /// Since when the first of them.
    pub since: Date,
}

/// What a check looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// What each level must have.
    pub requirements: Vec<Requirement>,
    /// What must have bodies.
    pub owners: Vec<Owner>,
    /// Bodies of these owners, past ones too.
    pub bodies: Vec<Body>,
    /// Blocks of these committees, past ones too.
    pub blocks: Vec<Block>,
    /// Buildings in no block.
    pub undivided: Vec<Undivided>,
}

/// What a town asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Terms that end within so many days are found.
    pub term_notice_days: i32,
    /// Forces that a block should gather.
    pub block_forces: i32,
}
