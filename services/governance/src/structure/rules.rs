//! What a structure lacks 短板, and since when (Work points 1.1-1.3, 2.1, 2.3): read from lines of days, without I/O.

mod facts;
mod sweep;

use std::collections::HashMap;

use jiff::{ToSpan, civil::Date};
use kernel::{named, periods::Period};

pub use facts::{Block, Body, Owner, Place, Requirement, Settings, Snapshot, Undivided};
pub use sweep::{run_from, run_to, short};

named! {
    /// What finds that something is missing.
    Rule {
        /// Fewer bodies of a kind than a level must have.
        BodyMissing = "BODY_MISSING",
        /// More bodies of a kind than a level can have.
        BodyTooMany = "BODY_TOO_MANY",
        /// Vacant seats 缺额.
        SeatVacant = "SEAT_VACANT",
        /// Every seat is vacant since the terms ended 届满未换届.
        TermOver = "TERM_OVER",
        /// Fewer members than the quorum.
        NoQuorum = "NO_QUORUM",
        /// Terms end within the notice 即将届满.
        TermEnding = "TERM_ENDING",
        /// A founded committee without a partition 未划分区块.
        NotDivided = "NOT_DIVIDED",
        /// A block with fewer forces than it should gather 力量不足.
        BlockForces = "BLOCK_FORCES",
        /// A director covers until the hand-over 待交接.
        HandoverPending = "HANDOVER_PENDING",
    }
}

/// The clause behind the rules about blocks.
const BLOCKS: &str = "Work points 1.3";

/// One thing that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What found it.
    pub rule: Rule,
    /// The collection of the resource that it is about: `bodies`; `towns` for the town.
    pub collection: &'static str,
    /// The resource's id.
    pub id: String,
    /// Its name as shown.
    pub display_name: String,
    /// The name of what it belongs to, for bodies and blocks, which bear the same names in many places.
    pub of: Option<String>,
    /// Where it lies.
    pub place: Place,
    /// The kind of body, as required.
    pub kind: Option<(String, String, String)>,
    /// How many there are.
    pub actual: i32,
    /// How many there should be.
    pub wanted: i32,
    /// Since when.
    pub since: Option<Date>,
    /// Until when it can be mended.
    pub due: Option<Date>,
    /// Vacant seats with since when; seats whose terms end.
    pub seats: Vec<(i32, Option<Date>)>,
    /// The clause.
    pub clause: String,
}

impl Finding {
    /// By what findings are sorted: what is above committees first, then by committee, rule, resource and day.
    pub fn key(&self) -> [String; 5] {
        let rule = kernel::state::Named::name(self.rule);
        let order = <Rule as kernel::state::Named>::ALL.iter().position(|other| *other == self.rule);
        let due = self.due.map(|due| due.to_string()).unwrap_or_default();
        let kind = self.kind.as_ref().map(|(kind, ..)| kind.as_str()).unwrap_or_default();
        [
            self.place.committee.clone().unwrap_or_default(),
            format!("{:02} {rule}", order.unwrap_or_default()),
            format!("{}/{}", self.collection, self.id),
            kind.to_owned(),
            due,
        ]
    }
}

/// What a check looks up again and again.
struct Index<'a> {
    /// Owners by level and id.
    owners: HashMap<(&'a str, &'a str), &'a Owner>,
    /// Bodies with the days on which they were an owner's, by level, kind and owner.
    owned: HashMap<[&'a str; 3], Vec<(&'a str, Period)>>,
    /// Requirements by level and kind.
    requirements: HashMap<(&'a str, &'a str), &'a Requirement>,
    /// The days of blocks, by committee.
    blocks: HashMap<&'a str, Vec<Period>>,
}

impl<'a> Index<'a> {
    fn of(snapshot: &'a Snapshot) -> Index<'a> {
        let owners = snapshot.owners.iter().map(|owner| ((owner.level, owner.id.as_str()), owner));
        let requirements =
            snapshot.requirements.iter().map(|need| ((need.level.as_str(), need.kind.as_str()), need));
        let mut index = Index {
            owners: owners.collect(),
            owned: HashMap::new(),
            requirements: requirements.collect(),
            blocks: HashMap::new(),
        };
        for body in &snapshot.bodies {
            for (days, owner) in &body.owned {
                let key = [body.level.as_str(), body.kind.as_str(), owner.as_str()];
                index.owned.entry(key).or_default().push((&body.id, *days));
            }
        }
        for (days, committee) in snapshot.blocks.iter().flat_map(|block| &block.owned) {
            index.blocks.entry(committee).or_default().push(*days);
        }
        index
    }
}

/// Everything that is missing on `day`, sorted by [`Finding::key`].
pub fn check(snapshot: &Snapshot, day: Date, settings: Settings) -> Vec<Finding> {
    let (index, mut found) = (Index::of(snapshot), Vec::new());
    for owner in snapshot.owners.iter().filter(|owner| owner.must) {
        bodies_of(snapshot, &index, owner, day, &mut found);
        if owner.level == "COMMITTEE" {
            division_of(snapshot, &index, owner, day, &mut found);
        }
    }
    for body in &snapshot.bodies {
        if let Some((owner, seats, quorum)) = on(body, &index, day) {
            let need = index.requirements.get(&(body.level.as_str(), body.kind.as_str())).copied();
            let named = Named { body, owner, need };
            seats_of(&named, (seats, quorum), day, settings.term_notice_days, &mut found);
        }
    }
    for block in &snapshot.blocks {
        forces_of(&index, block, day, settings.block_forces, &mut found);
    }
    found.sort_by_cached_key(Finding::key);
    found
}

/// Owner, seats and quorum of a body that exists on the day.
fn on<'a>(body: &Body, index: &Index<'a>, day: Date) -> Option<(&'a Owner, i32, i32)> {
    let (_, id) = body.owned.iter().find(|(days, _)| days.contains(day))?;
    let (_, seats, quorum) = body.sized.iter().find(|(days, ..)| days.contains(day))?;
    let owner = index.owners.get(&(body.level.as_str(), id.as_str()))?;
    Some((owner, *seats, *quorum))
}

fn collection(level: &str) -> &'static str {
    match level {
        "COMMUNITY" => "communities",
        "COMMITTEE" => "committees",
        "ESTATE" => "estates",
        _ => "towns",
    }
}

/// Kinds of which an owner has too few or too many.
fn bodies_of(snapshot: &Snapshot, index: &Index<'_>, owner: &Owner, day: Date, found: &mut Vec<Finding>) {
    for need in snapshot.requirements.iter().filter(|need| need.level == owner.level) {
        let key = [owner.level, need.kind.as_str(), owner.id.as_str()];
        let its = index.owned.get(&key).map(Vec::as_slice).unwrap_or_default();
        let days: Vec<Period> = its.iter().map(|(_, days)| *days).collect();
        let there = days.iter().filter(|days| days.contains(day)).count();
        let actual = i32::try_from(there).unwrap_or(i32::MAX);
        let finding = |rule, wanted, since| Finding {
            rule,
            collection: collection(owner.level),
            id: owner.id.clone(),
            display_name: owner.display_name.clone(),
            of: None,
            place: owner.place.clone(),
            kind: Some((need.kind.clone(), need.zh.clone(), need.en.clone())),
            actual,
            wanted,
            since,
            due: None,
            seats: Vec::new(),
            clause: need.clause.clone(),
        };
        let minimum = usize::try_from(need.minimum).unwrap_or(0);
        if let Some(since) = short(&days, minimum, owner.since, day) {
            found.push(finding(Rule::BodyMissing, need.minimum, since));
        }
        if let Some(maximum) = need.maximum.filter(|maximum| actual > *maximum) {
            // since the last of those that are there came; a rename begins no new life
            let life = |id: &str| -> Vec<Period> {
                its.iter().filter(|(other, _)| *other == id).map(|(_, days)| *days).collect()
            };
            let there = its.iter().filter(|(_, days)| days.contains(day));
            let mut came: Vec<Date> = there.filter_map(|(id, _)| run_from(&life(id), day)).collect();
            came.sort_unstable();
            let since = came.get(usize::try_from(maximum).unwrap_or(0)).copied();
            found.push(finding(Rule::BodyTooMany, maximum, since));
        }
    }
}

/// A body with what tells of it.
struct Named<'a> {
    body: &'a Body,
    owner: &'a Owner,
    need: Option<&'a Requirement>,
}

impl Named<'_> {
    fn finding(&self, rule: Rule, (actual, wanted): (i32, i32), since: Option<Date>) -> Finding {
        let need = self.need;
        Finding {
            rule,
            collection: "bodies",
            id: self.body.id.clone(),
            display_name: self.body.display_name.clone(),
            of: Some(self.owner.display_name.clone()),
            place: self.owner.place.clone(),
            kind: need.map(|need| (need.kind.clone(), need.zh.clone(), need.en.clone())),
            actual,
            wanted,
            since,
            due: None,
            seats: Vec::new(),
            clause: need.map(|need| need.clause.clone()).unwrap_or_default(),
        }
    }
}

/// Vacant seats, terms that are over or will be, a quorum that can't be reached.
fn seats_of(
    named: &Named<'_>,
    (seats, quorum): (i32, i32),
    day: Date,
    notice: i32,
    found: &mut Vec<Finding>,
) {
    let body = named.body;
    let of = |seat: i32| -> Vec<Period> {
        body.terms.iter().filter(|(its, _)| *its == seat).map(|(_, days)| *days).collect()
    };
    let exists = |seat: i32| -> Option<Date> {
        let days: Vec<Period> =
            body.sized.iter().filter(|(_, seats, _)| *seats >= seat).map(|(days, ..)| *days).collect();
        run_from(&days, day)
    };
    let vacant: Vec<(i32, Option<Date>)> = (1..=seats)
        .filter_map(|seat| short(&of(seat), 1, exists(seat), day).map(|since| (seat, since)))
        .collect();
    let seated = seats - i32::try_from(vacant.len()).unwrap_or(seats);
    let since = vacant.iter().filter_map(|(_, since)| *since).min();
    let over = body.terms.iter().filter_map(|(_, days)| days.to()).filter(|to| *to <= day).max();
    if seated == 0 && over.is_some() {
        found.push(Finding { seats: vacant, ..named.finding(Rule::TermOver, (0, seats), over) });
        return;
    }
    if !vacant.is_empty() {
        let finding = named.finding(Rule::SeatVacant, (seated, seats), since);
        found.push(Finding { seats: vacant, ..finding });
    }
    let terms: Vec<Period> = body.terms.iter().map(|(_, days)| *days).collect();
    let asked: Vec<Period> =
        body.sized.iter().filter(|(.., needed)| *needed >= quorum).map(|(days, ..)| *days).collect();
    if let Some(since) = short(&terms, usize::try_from(quorum).unwrap_or(0), run_from(&asked, day), day) {
        found.push(named.finding(Rule::NoQuorum, (seated, quorum), since));
    }
    ending(named, (seats, seated), day, notice, found);
}

/// Terms that end within the notice with nobody to follow, by the day on which they end.
fn ending(named: &Named<'_>, (seats, seated): (i32, i32), day: Date, notice: i32, found: &mut Vec<Finding>) {
    let terms = &named.body.terms;
    let last = day.saturating_add(i64::from(notice).days());
    // a seat that is no longer there on that day, as of a body that is to be dissolved, needs nobody
    let needed = |seat: i32, to: Date| {
        named.body.sized.iter().any(|(days, seats, _)| days.contains(to) && *seats >= seat)
    };
    let held = |seat: i32| -> Vec<Period> {
        terms.iter().filter(|(its, _)| *its == seat).map(|(_, days)| *days).collect()
    };
    let mut ends: Vec<(Date, i32, Date)> = (1..=seats)
        .filter_map(|seat| {
            let days = held(seat);
            Some((run_to(&days, day)?, seat, run_from(&days, day)?))
        })
        .filter(|(to, seat, _)| *to <= last && needed(*seat, *to))
        .collect();
    ends.sort_unstable();
    for group in ends.chunk_by(|a, b| a.0 == b.0) {
        let (to, leaving) = (group[0].0, i32::try_from(group.len()).unwrap_or(seated));
        let began = group.iter().map(|(.., from)| *from).min().unwrap_or(to);
        let since = to.saturating_sub(i64::from(notice).days()).max(began);
        found.push(Finding {
            due: Some(to),
            seats: group.iter().map(|(_, seat, _)| (*seat, None)).collect(),
            ..named.finding(Rule::TermEnding, (seated - leaving, seats), Some(since))
        });
    }
}

/// A committee without blocks (none of one), or with buildings in none (so many of none).
fn division_of(snapshot: &Snapshot, index: &Index<'_>, owner: &Owner, day: Date, found: &mut Vec<Finding>) {
    let days = index.blocks.get(owner.id.as_str()).map(Vec::as_slice).unwrap_or_default();
    let undivided = snapshot.undivided.iter().find(|undivided| undivided.committee == owner.id);
    let (actual, wanted, since) = match (short(days, 1, owner.since, day), undivided) {
        (Some(since), _) => (0, 1, since),
        (None, Some(left)) => (left.buildings, 0, Some(left.since)),
        (None, None) => return,
    };
    found.push(Finding {
        rule: Rule::NotDivided,
        collection: "committees",
        id: owner.id.clone(),
        display_name: owner.display_name.clone(),
        of: None,
        place: owner.place.clone(),
        kind: None,
        actual,
        wanted,
        since,
        due: None,
        seats: Vec::new(),
        clause: BLOCKS.to_owned(),
    });
}

/// A block with too few forces, or that waits for its hand-over.
fn forces_of(index: &Index<'_>, block: &Block, day: Date, wanted: i32, found: &mut Vec<Finding>) {
    let Some((_, committee)) = block.owned.iter().find(|(days, _)| days.contains(day)) else { return };
    let owner = index.owners.get(&("COMMITTEE", committee.as_str()));
    let place = owner
        .map(|owner| owner.place.clone())
        .unwrap_or_else(|| Place { community: None, committee: Some(committee.clone()) });
    let finding = |rule, (actual, wanted), since| Finding {
        rule,
        collection: "blocks",
        id: block.id.clone(),
        display_name: block.display_name.clone(),
        of: owner.map(|owner| owner.display_name.clone()),
        place: place.clone(),
        kind: None,
        actual,
        wanted,
        since,
        due: None,
        seats: Vec::new(),
        clause: BLOCKS.to_owned(),
    };
    let there = block.forces.iter().filter(|days| days.contains(day)).count();
    let life: Vec<Period> = block.owned.iter().map(|(days, _)| *days).collect();
    let needed = usize::try_from(wanted).unwrap_or(0);
    if let Some(since) = short(&block.forces, needed, run_from(&life, day), day) {
        let actual = i32::try_from(there).unwrap_or(i32::MAX);
        found.push(finding(Rule::BlockForces, (actual, wanted), since));
    }
    if let Some(since) = block.pending {
        found.push(finding(Rule::HandoverPending, (0, 1), Some(since)));
    }
}

#[cfg(test)]
mod tests;
