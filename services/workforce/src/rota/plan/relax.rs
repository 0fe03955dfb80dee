//! The fewest steps left without anybody: forward over all states that matter for rest, each kept once, in its most even form.

use std::collections::HashMap;

use super::steps::{Last, Problem};

/// States kept of each step, at most.
const WIDTH: usize = 1_024;

/// A way to a step.
#[derive(Clone, Debug)]
struct Way {
    last: Vec<Last>,
    counts: Vec<u32>,
    /// Steps left without anybody.
    missing: u32,
    /// The sum of the squares of numbers of duties: the less, the more even.
    uneven: u64,
    /// The last decision on it.
    decision: usize,
}

/// A decision and the one before it.
#[derive(Clone, Copy, Debug)]
struct Decision {
    before: usize,
    member: Option<usize>,
}

/// The member of each step, none where there is none, and whether fewer can't be left without anybody.
pub(super) fn relax(problem: &Problem) -> (Vec<Option<usize>>, bool) {
    let counts: Vec<u32> = problem.members.iter().map(|member| member.before).collect();
    let uneven = counts.iter().map(|count| u64::from(*count).pow(2)).sum();
    let last = vec![Last::NONE; problem.workers];
    let mut ways = vec![Way { last, counts, missing: 0, uneven, decision: 0 }];
    let mut decisions = vec![Decision { before: 0, member: None }];
    let mut exact = true;
    for step in &problem.steps {
        let mut best: HashMap<Vec<u32>, Way> = HashMap::new();
        for way in &ways {
            let fits = |member: &&usize| {
                let last = way.last[problem.members[**member].worker];
                last.fits(step.day, step.is_standing(), problem.rest)
            };
            let choices: Vec<Option<usize>> = match step.is_standing() {
                // what stands elsewhere is on duty, whether that fits or not
                true => vec![step.options.first().copied()],
                false => step.options.iter().filter(fits).map(|member| Some(*member)).chain([None]).collect(),
            };
            for member in choices {
                let next = onward(problem, way, (step.day, step.is_standing()), member);
                let key: Vec<u32> = next.last.iter().map(|last| last.key(step.day, problem.rest)).collect();
                let better = |old: &Way| (next.missing, next.uneven) < (old.missing, old.uneven);
                if best.get(&key).is_none_or(better) {
                    decisions.push(Decision { before: way.decision, member });
                    best.insert(key, Way { decision: decisions.len() - 1, ..next });
                }
            }
        }
        ways = best.into_values().collect();
        // the order of a hash map is none
        ways.sort_by_key(|way| (way.missing, way.uneven, way.decision));
        exact &= ways.len() <= WIDTH;
        ways.truncate(WIDTH);
    }
    let best = ways.first().map_or(0, |way| way.decision);
    (back(&decisions, best, problem.steps.len()), exact)
}

/// A way one decision on. Whoever was put beside a duty that stands elsewhere and doesn't fit before it makes a way that is worse than
/// any other.
fn onward(problem: &Problem, way: &Way, (day, standing): (i32, bool), member: Option<usize>) -> Way {
    const MISFIT: u32 = 100_000;
    let mut next = way.clone();
    let Some(member) = member else {
        next.missing += 1;
        return next;
    };
    let last = &mut next.last[problem.members[member].worker];
    if standing && !last.fits(day, standing, problem.rest) {
        next.missing += MISFIT;
    }
    *last = last.then(day, standing);
    if !standing {
        let count = &mut next.counts[member];
        next.uneven += u64::from(*count) * 2 + 1;
        *count += 1;
    }
    next
}

fn back(decisions: &[Decision], from: usize, steps: usize) -> Vec<Option<usize>> {
    let mut members = Vec::with_capacity(steps);
    let mut at = from;
    for _ in 0..steps {
        let decision = decisions[at];
        members.push(decision.member);
        at = decision.before;
    }
    members.reverse();
    members
}
