//! Why somebody is on duty, or nobody: for each duty of a finished rota.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::named;
use serde::{Deserialize, Serialize};

use super::{Duty, Input, Obstacle, Slot, Window, unrested};

named! {
    /// Why it is he.
    pub Choice {
        /// Nobody else could.
        OnlyOne = "ONLY_ONE",
        /// Of those who could he had the fewest duties.
        Fewest = "FEWEST",
        /// Of those with the fewest duties his last was longest ago.
        LongestSince = "LONGEST_SINCE",
        /// So that later duties can be covered and numbers come out even.
        LookingAhead = "LOOKING_AHEAD",
        /// Nobody could.
        Nobody = "NOBODY",
        /// Put in or taken out by hand.
        ByHand = "BY_HAND",
    }
}

/// Why a worker couldn't.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hindered {
    /// The worker's id.
    pub worker: String,
    /// What kept him from it, by name.
    pub obstacle: String,
    /// The other duty, where one kept him from it.
    pub other: Option<String>,
}

/// Why somebody is on duty, or nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Why it is he, by name.
    pub choice: String,
    /// How many could.
    pub able: u32,
    /// His duties in the year before this one.
    pub before: u32,
    /// Those who couldn't.
    pub hindered: Vec<Hindered>,
}

/// What a worker does on the way through a rota.
#[derive(Default)]
struct Doing {
    /// Whole-day duties, sorted.
    days: Vec<Date>,
    /// All days with a duty, sorted.
    taken: Vec<Date>,
}

fn put(all: &mut Vec<Date>, day: Date) {
    let at = all.partition_point(|other| *other < day);
    all.insert(at, day);
}

/// Numbers of duties, and the last, of each candidate of each committee: whole days and windows apart.
type Counts<'a> = BTreeMap<(usize, &'a str, bool), (u32, Option<Date>)>;

/// The duties of a rota with their reasons.
pub(super) fn explained(input: &Input, slots: &[Slot], chosen: &BTreeMap<usize, usize>) -> Vec<Duty> {
    // all that everybody does: for those whom a duty to come keeps from one that nobody takes
    let mut whole: BTreeMap<&str, Doing> = BTreeMap::new();
    for standing in &input.standing {
        take(&mut whole, &standing.worker, standing.day, standing.window);
    }
    let mut so_far: BTreeMap<&str, Doing> = BTreeMap::new();
    for standing in &input.standing {
        take(&mut so_far, &standing.worker, standing.day, standing.window);
    }
    for (slot, candidate) in chosen {
        let slot = &slots[*slot];
        let worker = &input.committees[slot.committee].candidates[*candidate].worker;
        take(&mut whole, worker, input.days[slot.day].0, slot.window);
    }
    let mut counts: Counts<'_> = BTreeMap::new();
    let mut duties = Vec::with_capacity(slots.len());
    for (n, slot) in slots.iter().enumerate() {
        let candidate = chosen.get(&n).copied();
        let why = match candidate {
            Some(candidate) => why(input, slot, candidate, (&so_far, &counts)),
            None => nobody(input, slot, &whole),
        };
        let (day, kind) = input.days[slot.day];
        if let Some(candidate) = candidate {
            let its = &input.committees[slot.committee].candidates[candidate];
            take(&mut so_far, &its.worker, day, slot.window);
            let whole_day = slot.window == Window::Day;
            let count = counts.entry((slot.committee, &its.worker, whole_day)).or_default();
            *count = (count.0 + 1, Some(day));
        }
        let (committee, window, seat) = (slot.committee, slot.window, slot.seat);
        duties.push(Duty { committee, day, kind, window, seat, candidate, why });
    }
    duties
}

fn take<'a>(doing: &mut BTreeMap<&'a str, Doing>, worker: &'a str, day: Date, window: Window) {
    let its = doing.entry(worker).or_default();
    put(&mut its.taken, day);
    if window == Window::Day {
        put(&mut its.days, day);
    }
}

/// What keeps a candidate from a slot beside what everybody does.
fn hindered(
    input: &Input,
    slot: &Slot,
    candidate: usize,
    doing: &BTreeMap<&str, Doing>,
) -> Option<(Obstacle, Option<Date>)> {
    let day = input.days[slot.day].0;
    let candidate = &input.committees[slot.committee].candidates[candidate];
    if let Some(obstacle) = candidate.obstacle(day) {
        return Some((obstacle, None));
    }
    let its = doing.get(candidate.worker.as_str())?;
    if its.taken.binary_search(&day).is_ok() {
        return Some((Obstacle::OnDuty, Some(day)));
    }
    let near = (slot.window == Window::Day).then(|| unrested(&input.policy, &its.days, day)).flatten()?;
    Some((Obstacle::Resting, Some(near)))
}

fn told(worker: &str, (obstacle, other): (Obstacle, Option<Date>)) -> Hindered {
    use kernel::state::Named;
    Hindered {
        worker: worker.to_owned(),
        obstacle: obstacle.name().to_owned(),
        other: other.map(|day| day.to_string()),
    }
}

fn nobody(input: &Input, slot: &Slot, whole: &BTreeMap<&str, Doing>) -> Why {
    use kernel::state::Named;
    let candidates = &input.committees[slot.committee].candidates;
    let all = candidates.iter().enumerate().filter_map(|(n, candidate)| {
        let why = hindered(input, slot, n, whole)?;
        Some(told(&candidate.worker, why))
    });
    Why { choice: Choice::Nobody.name().to_owned(), able: 0, before: 0, hindered: all.collect() }
}

fn why(
    input: &Input,
    slot: &Slot,
    chosen: usize,
    (so_far, counts): (&BTreeMap<&str, Doing>, &Counts<'_>),
) -> Why {
    use kernel::state::Named;
    let candidates = &input.committees[slot.committee].candidates;
    let whole_day = slot.window == Window::Day;
    let state = |n: usize| {
        let its = &candidates[n];
        let before = if whole_day { its.days_before } else { its.windows_before };
        let count = counts.get(&(slot.committee, its.worker.as_str(), whole_day)).copied();
        let (given, last) = count.unwrap_or_default();
        (before + given, last)
    };
    let (mut able, mut why_not) = (Vec::new(), Vec::new());
    for (n, candidate) in candidates.iter().enumerate() {
        match hindered(input, slot, n, so_far).filter(|_| n != chosen) {
            None => able.push(n),
            Some(why) => why_not.push(told(&candidate.worker, why)),
        }
    }
    let (before, last) = state(chosen);
    let others = || able.iter().filter(|n| **n != chosen).map(|n| state(*n));
    let choice = if able.len() == 1 {
        Choice::OnlyOne
    } else if others().all(|(count, _)| count > before) {
        Choice::Fewest
    } else if others().all(|(count, its)| count > before || (count == before && its >= last)) {
        Choice::LongestSince
    } else {
        Choice::LookingAhead
    };
    Why {
        choice: choice.name().to_owned(),
        able: u32::try_from(able.len()).unwrap_or(u32::MAX),
        before,
        hindered: why_not,
    }
}
