//! A rota as steps to decide one after the other: who is on duty at each, and what that leaves for the next.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};

use super::{Committee, Input, Slot, Standing, Window};

/// The days since 1970-01-01.
pub(super) fn ordinal(day: Date) -> i32 {
    (day - date(1970, 1, 1)).get_days()
}

/// The rule of rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// Free days after the last of some in a row.
    pub(super) days: i32,
    /// In a row, at most.
    pub(super) in_a_row: u32,
}

/// What is known of a worker on the way through the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Last {
    /// The day of the last duty.
    pub(super) day: i32,
    /// How many in a row it ended.
    pub(super) run: u32,
    /// Whether it stands in another rota.
    pub(super) standing: bool,
    /// Whether all of those in a row do.
    pub(super) all_standing: bool,
}

impl Last {
    /// No duty yet.
    pub(super) const NONE: Last = Last { day: i32::MIN / 2, run: 0, standing: false, all_standing: false };

    /// Whether a duty on `day` fits behind it. Two that stand elsewhere are there already, fit or not.
    pub(super) fn fits(self, day: i32, standing: bool, rest: Rest) -> bool {
        let gap = day - self.day - 1;
        match gap {
            0 => self.run < rest.in_a_row || (standing && self.all_standing),
            gap => (gap > 0 && gap >= rest.days) || (standing && self.standing),
        }
    }

    /// After a duty on `day`.
    pub(super) fn then(self, day: i32, standing: bool) -> Last {
        match day - self.day {
            1 => Last { day, run: self.run + 1, standing, all_standing: standing && self.all_standing },
            _ => Last { day, run: 1, standing, all_standing: standing },
        }
    }

    /// What of it still matters for a duty on `day` or later; zero when nothing does.
    pub(super) fn key(self, day: i32, rest: Rest) -> u32 {
        let gap = day - self.day - 1;
        if gap >= rest.days.max(1) || (gap == 0 && rest.in_a_row == u32::MAX) {
            return 0;
        }
        let run = if gap <= 0 { self.run.min(63) } else { 0 };
        let gap = u32::try_from(gap + 2).unwrap_or_default();
        1 + gap * 4 * 64 + run * 4 + u32::from(self.standing) * 2 + u32::from(self.all_standing)
    }
}

/// A worker as a candidate of one committee.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// The worker, by place.
    pub(super) worker: usize,
    /// The committee, by place in the group; none for duties that stand elsewhere.
    pub(super) committee: Option<usize>,
    /// Duties in the year before.
    pub(super) before: u32,
}

/// One duty to be given.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Its day.
    pub(super) day: i32,
    /// The committee, by place in the group; none for a duty that stands elsewhere.
    pub(super) committee: Option<usize>,
    /// The members whom nothing but other duties keeps from it.
    pub(super) options: Vec<usize>,
}

impl Step {
    /// Whether it stands in another rota.
    pub(super) fn is_standing(&self) -> bool {
        self.committee.is_none()
    }
}

/// Steps with the rule that holds among them.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) rest: Rest,
    pub(super) workers: usize,
    pub(super) committees: usize,
    pub(super) members: Vec<Member>,
    pub(super) steps: Vec<Step>,
}

impl Problem {
    /// The same with some of its steps only.
    pub(super) fn with(&self, steps: Vec<Step>) -> Problem {
        Problem { steps, members: self.members.clone(), ..*self }
    }
}

/// What is looked up while parts are made.
#[derive(Debug)]
pub(super) struct Index<'a> {
    input: &'a Input,
    slots: &'a [Slot],
    /// The slots of each committee.
    slots_of: Vec<Vec<usize>>,
    /// What stands elsewhere, by worker.
    standing: BTreeMap<&'a str, Vec<&'a Standing>>,
}

impl<'a> Index<'a> {
    /// Of an input and the slots that it asks for.
    pub(super) fn of(input: &'a Input, slots: &'a [Slot]) -> Index<'a> {
        let mut slots_of = vec![Vec::new(); input.committees.len()];
        for (n, slot) in slots.iter().enumerate() {
            slots_of[slot.committee].push(n);
        }
        let mut standing: BTreeMap<&str, Vec<&Standing>> = BTreeMap::new();
        for one in &input.standing {
            standing.entry(&one.worker).or_default().push(one);
        }
        Index { input, slots, slots_of, standing }
    }
}

/// The part of a rota that is planned at once, with the way back to the slots.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) problem: Problem,
    pub(super) whole_days: bool,
    /// The committees of the group.
    pub(super) group: Vec<usize>,
    /// The slot of each step; none for duties that stand elsewhere.
    slots: Vec<Option<usize>>,
    /// Committee and candidate of each member.
    candidates: Vec<Option<(usize, usize)>>,
}

/// The committees in groups that share no worker.
pub(super) fn groups(committees: &[Committee]) -> Vec<Vec<usize>> {
    let mut leader: Vec<usize> = (0..committees.len()).collect();
    fn find(leader: &mut [usize], mut one: usize) -> usize {
        while leader[one] != one {
            leader[one] = leader[leader[one]];
            one = leader[one];
        }
        one
    }
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (n, committee) in committees.iter().enumerate() {
        for candidate in &committee.candidates {
            let other = *first.entry(&candidate.worker).or_insert(n);
            let (one, other) = (find(&mut leader, n), find(&mut leader, other));
            leader[one.max(other)] = one.min(other);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for n in 0..committees.len() {
        groups.entry(find(&mut leader, n)).or_default().push(n);
    }
    groups.into_values().collect()
}

impl Part {
    /// The whole days, or the windows, of a group of committees.
    pub(super) fn of(index: &Index<'_>, group: &[usize], whole_days: bool) -> Part {
        let input = index.input;
        let mut workers: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut members, mut candidates) = (Vec::new(), Vec::new());
        let mut first = BTreeMap::new();
        for (place, committee) in group.iter().enumerate() {
            first.insert(*committee, (place, members.len()));
            for (n, candidate) in input.committees[*committee].candidates.iter().enumerate() {
                let next = workers.len();
                let worker = *workers.entry(&candidate.worker).or_insert(next);
                let before = if whole_days { candidate.days_before } else { candidate.windows_before };
                members.push(Member { worker, committee: Some(place), before });
                candidates.push(Some((*committee, n)));
            }
        }
        let rest = match whole_days {
            true => Rest {
                days: i32::try_from(input.policy.rest_days).unwrap_or(i32::MAX / 4),
                in_a_row: input.policy.in_a_row.max(1),
            },
            false => Rest { days: 0, in_a_row: u32::MAX },
        };
        let mut taken: BTreeSet<(usize, Date)> = BTreeSet::new();
        let mut steps: Vec<(Option<usize>, Step)> = Vec::new();
        let elsewhere = |(name, worker): (&&str, &usize)| (*worker, index.standing.get(*name));
        let elsewhere: Vec<_> = workers.iter().map(elsewhere).collect();
        let elsewhere = elsewhere.into_iter().filter_map(|(worker, all)| Some((worker, all?)));
        for (worker, standing) in
            elsewhere.flat_map(|(worker, all)| all.iter().map(move |one| (worker, *one)))
        {
            taken.insert((worker, standing.day));
            if whole_days && standing.window == Window::Day {
                members.push(Member { worker, committee: None, before: 0 });
                candidates.push(None);
                let options = vec![members.len() - 1];
                steps.push((None, Step { day: ordinal(standing.day), committee: None, options }));
            }
        }
        for n in group.iter().flat_map(|committee| &index.slots_of[*committee]).copied() {
            let slot = index.slots[n];
            let Some((place, offset)) = first.get(&slot.committee).copied() else { continue };
            if (slot.window == Window::Day) != whole_days {
                continue;
            }
            let day = input.days[slot.day].0;
            let free = |(at, candidate): (usize, &super::Candidate)| {
                let member = offset + at;
                let free =
                    candidate.obstacle(day).is_none() && !taken.contains(&(members[member].worker, day));
                free.then_some(member)
            };
            let options = input.committees[slot.committee].candidates.iter().enumerate().filter_map(free);
            let step = Step { day: ordinal(day), committee: Some(place), options: options.collect() };
            steps.push((Some(n), step));
        }
        // duties that stand elsewhere come first on their day; the order of slots stays
        steps.sort_by_key(|(slot, step)| (step.day, *slot));
        let (slots, steps) = steps.into_iter().unzip();
        let committees = group.len();
        let problem = Problem { rest, workers: workers.len(), committees, members, steps };
        Part { problem, whole_days, group: group.to_vec(), slots, candidates }
    }

    /// The candidate of each slot whose step has one.
    pub(super) fn chosen(&self, chosen: &[Option<usize>]) -> Vec<(usize, usize)> {
        let pairs = self.slots.iter().zip(chosen);
        let of = |(slot, member): (&Option<usize>, &Option<usize>)| {
            let (_, candidate) = self.candidates[(*member)?]?;
            Some(((*slot)?, candidate))
        };
        pairs.filter_map(of).collect()
    }
}
