//! A worker for every step within bounds on everybody's number of duties: tried in the order that keeps numbers even, taken back
//! where it leads nowhere. What has failed once isn't tried again.

use std::collections::HashSet;

use super::steps::{Last, Problem};

/// How many duties a member has at the end, those before included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) least: u32,
    pub(super) most: u32,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The member of each step.
    Found(Vec<usize>),
    /// There is none: everything was tried.
    Impossible,
    /// Not found within the number of tries.
    GaveUp,
}

/// A step that is decided, and what else may be tried there.
struct Frame {
    /// What may be tried, the best last.
    left: Vec<usize>,
    /// Who was taken, and the state of the worker before.
    taken: Option<(usize, Last)>,
}

struct Search<'a> {
    problem: &'a Problem,
    bounds: &'a [Bound],
    last: Vec<Last>,
    counts: Vec<u32>,
    /// Steps still open to each member.
    open: Vec<u32>,
    /// Steps left of each committee.
    steps: Vec<u32>,
    /// What members of each committee lack to their least number.
    lacking: Vec<u32>,
    failed: HashSet<Vec<u32>>,
}

/// Searches, with so many tries at most.
pub(super) fn search(problem: &Problem, bounds: &[Bound], tries: u32) -> Outcome {
    let mut search = Search::of(problem, bounds);
    let mut frames: Vec<Frame> = Vec::with_capacity(problem.steps.len());
    let mut tried = 0;
    if !search.is_open() {
        return Outcome::Impossible;
    }
    loop {
        let at = frames.len();
        if at == problem.steps.len() {
            return Outcome::Found(frames.iter().filter_map(|frame| Some(frame.taken?.0)).collect());
        }
        let left = match search.failed.is_empty() || !search.failed.contains(&search.key(at)) {
            true => search.order(at),
            false => Vec::new(),
        };
        frames.push(Frame { left, taken: None });
        // the last step at which something is left to try
        loop {
            let at = frames.len() - 1;
            let Some(frame) = frames.last_mut() else { return Outcome::Impossible };
            if let Some((member, before)) = frame.taken.take() {
                search.give_back(at, member, before);
            }
            match frame.left.pop() {
                Some(member) => {
                    tried += 1;
                    if tried > tries {
                        return Outcome::GaveUp;
                    }
                    let before = search.take(at, member);
                    frame.taken = Some((member, before));
                    if search.is_well(at) {
                        break;
                    }
                }
                None => {
                    let key = search.key(at);
                    search.failed.insert(key);
                    frames.pop();
                    if frames.is_empty() {
                        return Outcome::Impossible;
                    }
                }
            }
        }
    }
}

impl<'a> Search<'a> {
    fn of(problem: &'a Problem, bounds: &'a [Bound]) -> Search<'a> {
        let mut open = vec![0; problem.members.len()];
        let mut steps = vec![0; problem.committees];
        for step in &problem.steps {
            for member in &step.options {
                open[*member] += 1;
            }
            if let Some(committee) = step.committee {
                steps[committee] += 1;
            }
        }
        let mut lacking = vec![0; problem.committees];
        for (member, bound) in problem.members.iter().zip(bounds) {
            if let Some(committee) = member.committee {
                lacking[committee] += bound.least.saturating_sub(member.before);
            }
        }
        let counts = problem.members.iter().map(|member| member.before).collect();
        let last = vec![Last::NONE; problem.workers];
        Search { problem, bounds, last, counts, open, steps, lacking, failed: HashSet::new() }
    }

    /// Whether the bounds can be met at all, as far as numbers say.
    fn is_open(&self) -> bool {
        let mut members = 0..self.counts.len();
        self.lacking.iter().zip(&self.steps).all(|(lacking, steps)| lacking <= steps)
            && members.all(|member| self.need(member) <= self.open[member])
    }

    /// What a member lacks to his least number.
    fn need(&self, member: usize) -> u32 {
        self.bounds[member].least.saturating_sub(self.counts[member])
    }

    /// What matters of the way to a step for the rest of it.
    fn key(&self, at: usize) -> Vec<u32> {
        let (day, rest) = (self.problem.steps[at].day, self.problem.rest);
        let mut key = Vec::with_capacity(1 + self.last.len() + self.counts.len());
        key.push(u32::try_from(at).unwrap_or(u32::MAX));
        key.extend(self.last.iter().map(|last| last.key(day, rest)));
        key.extend(&self.counts);
        key
    }

    /// Who may be taken at a step, the best last: whoever needs the greatest part of what is still open to him, then who has the
    /// fewest duties, then whose last is longest ago.
    fn order(&self, at: usize) -> Vec<usize> {
        let step = &self.problem.steps[at];
        let fits = |member: &&usize| {
            let last = self.last[self.problem.members[**member].worker];
            last.fits(step.day, step.is_standing(), self.problem.rest)
                && self.counts[**member] < self.bounds[**member].most
        };
        let mut free: Vec<usize> = step.options.iter().filter(fits).copied().collect();
        let share = |member: usize| (u64::from(self.need(member)), u64::from(self.open[member].max(1)));
        free.sort_by(|one, other| {
            let ((need, open), (its_need, its_open)) = (share(*one), share(*other));
            let day = |member: usize| self.last[self.problem.members[member].worker].day;
            (need * its_open)
                .cmp(&(its_need * open))
                .then_with(|| self.counts[*other].cmp(&self.counts[*one]))
                .then_with(|| day(*other).cmp(&day(*one)))
                .then_with(|| other.cmp(one))
        });
        free
    }

    /// Takes a member for a step; the state of the worker before.
    fn take(&mut self, at: usize, member: usize) -> Last {
        let step = &self.problem.steps[at];
        for option in &step.options {
            self.open[*option] -= 1;
        }
        if let Some(committee) = step.committee {
            self.steps[committee] -= 1;
            self.lacking[committee] -= u32::from(self.need(member) > 0);
            self.counts[member] += 1;
        }
        let worker = self.problem.members[member].worker;
        let before = self.last[worker];
        self.last[worker] = before.then(step.day, step.is_standing());
        before
    }

    fn give_back(&mut self, at: usize, member: usize, before: Last) {
        let step = &self.problem.steps[at];
        for option in &step.options {
            self.open[*option] += 1;
        }
        if let Some(committee) = step.committee {
            self.steps[committee] += 1;
            self.counts[member] -= 1;
            self.lacking[committee] += u32::from(self.need(member) > 0);
        }
        self.last[self.problem.members[member].worker] = before;
    }

    /// Whether everybody can still come to his least number after a step.
    fn is_well(&self, at: usize) -> bool {
        let step = &self.problem.steps[at];
        step.committee.is_none_or(|committee| self.lacking[committee] <= self.steps[committee])
            && step.options.iter().all(|member| self.need(*member) <= self.open[*member])
    }
}
