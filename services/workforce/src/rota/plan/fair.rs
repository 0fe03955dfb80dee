//! Numbers of duties that differ by one at most within a committee, where that is possible.

use kernel::named;

use super::{
    relax::relax,
    search::{Bound, Outcome, search},
    steps::{Part, Problem, Step},
};

/// Tries of a search for even numbers, and of those for less even ones.
const TRIES: [u32; 4] = [60_000, 10_000, 10_000, 10_000];

named! {
    /// Whether numbers of duties came out even.
    pub Evenness {
        /// They differ by one at most.
        Even = "EVEN",
        /// They can't: leave, dates or duties before stand in the way.
        Impossible = "IMPOSSIBLE",
        /// They don't, and it isn't known whether they could.
        NotFound = "NOT_FOUND",
    }
}

/// How even the numbers of duties of a committee are, those of the year before included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fairness {
    /// The committee, by its place in the input.
    pub committee: usize,
    /// Whole days, or the windows of staggered hours.
    pub whole_days: bool,
    /// Duties of the rota that need somebody.
    pub duties: u32,
    /// Of them, those that nobody can take.
    pub uncovered: u32,
    /// The fewest duties that somebody has who could take one.
    pub least: u32,
    /// The most duties that somebody has who could take one.
    pub most: u32,
    /// Whether they came out even.
    pub evenness: Evenness,
}

/// Who is on duty at each step.
#[derive(Debug)]
pub(super) struct Solved {
    /// The member of each step, none where nobody can be.
    pub(super) chosen: Vec<Option<usize>>,
    /// Whether it is certain that numbers can't be even.
    certain: bool,
}

/// The number to which everybody of a committee can be raised, and what each can have.
struct Level {
    bounds: Vec<Bound>,
    /// Whether somebody can't reach what the others have, or has more already.
    uneven: bool,
}

/// The most duties that a member could take if he alone were asked.
fn capacity(problem: &Problem, member: usize) -> u32 {
    let mut last = super::steps::Last::NONE;
    let mut count = 0;
    for step in problem.steps.iter().filter(|step| !step.is_standing()) {
        // with longer runs the first that fits needn't be the best: every day counts then
        let fits = problem.rest.in_a_row > 1 || last.fits(step.day, false, problem.rest);
        if fits && last.day != step.day && step.options.contains(&member) {
            last = last.then(step.day, false);
            count += 1;
        }
    }
    count
}

/// The bounds that make numbers even, `slack` wider on both sides.
fn level(problem: &Problem, slack: u32) -> Level {
    let capacity: Vec<u32> = (0..problem.members.len()).map(|member| capacity(problem, member)).collect();
    let mut bounds = vec![Bound { least: 0, most: u32::MAX }; problem.members.len()];
    let mut uneven = false;
    for committee in 0..problem.committees {
        let of = |member: &usize| problem.members[*member].committee == Some(committee);
        let members: Vec<usize> =
            (0..problem.members.len()).filter(of).filter(|member| capacity[*member] > 0).collect();
        let duties = problem.steps.iter().filter(|step| step.committee == Some(committee)).count();
        let before = |member: &usize| problem.members[*member].before;
        let total = members.iter().map(before).sum::<u32>() + u32::try_from(duties).unwrap_or(u32::MAX);
        // what each has at least when all are raised to `level`
        let raised = |member: &usize, level: u32| {
            before(member).max(level.min(before(member).saturating_add(capacity[*member])))
        };
        let sum = |level: u32| members.iter().map(|member| raised(member, level)).sum::<u32>();
        // the lowest level that gives away as many duties as can be
        let most_given = (0..=total).map(sum).take_while(|sum| *sum <= total).last().unwrap_or_default();
        let low = (0..=total).find(|level| sum(*level) == most_given).unwrap_or_default();
        for member in members.iter().copied() {
            let least = raised(&member, low.saturating_sub(slack));
            let most = before(&member).max(low.saturating_add(1 + slack));
            let its = raised(&member, low);
            uneven |= its > low + 1 || its + 1 < low || (its < low && total > sum(low));
            bounds[member] = Bound { least, most };
        }
    }
    Level { bounds, uneven }
}

/// Finds who is on duty: everywhere if that can be, evenly if that can be.
pub(super) fn solve(problem: &Problem) -> Solved {
    // where nobody can be, nobody is asked
    let open = |n: &usize| !problem.steps[*n].options.is_empty();
    let mut asked: Vec<usize> = (0..problem.steps.len()).filter(open).collect();
    let mut part = problem.with(steps_of(problem, &asked));
    let mut certain = false;
    if let Some(found) = even(&part, 0, &mut certain) {
        return spread(problem, &asked, found, certain);
    }
    let (relaxed, _) = relax(&part);
    let missing = relaxed.iter().any(Option::is_none);
    if missing {
        asked = asked.iter().zip(&relaxed).filter(|(_, member)| member.is_some()).map(|(n, _)| *n).collect();
        part = problem.with(steps_of(problem, &asked));
    }
    for slack in if missing { 0..4 } else { 1..4 } {
        if let Some(found) = even(&part, slack, &mut certain) {
            return spread(problem, &asked, found, certain);
        }
    }
    let found = relaxed.into_iter().flatten().collect();
    spread(problem, &asked, found, certain)
}

fn steps_of(problem: &Problem, asked: &[usize]) -> Vec<Step> {
    asked.iter().map(|n| problem.steps[*n].clone()).collect()
}

/// Members for all steps, with numbers even but for `slack`; `certain` becomes true when it is known that they can't be even.
fn even(problem: &Problem, slack: u32, certain: &mut bool) -> Option<Vec<usize>> {
    let level = level(problem, slack);
    *certain |= slack == 0 && level.uneven;
    let tries = TRIES.get(slack as usize).copied().unwrap_or_default();
    match search(problem, &level.bounds, tries) {
        Outcome::Found(members) => Some(members),
        Outcome::Impossible => {
            *certain |= slack == 0;
            None
        }
        Outcome::GaveUp => None,
    }
}

fn spread(problem: &Problem, asked: &[usize], found: Vec<usize>, certain: bool) -> Solved {
    let mut chosen = vec![None; problem.steps.len()];
    for (step, member) in asked.iter().zip(found) {
        chosen[*step] = Some(member);
    }
    Solved { chosen, certain }
}

/// How even the numbers of each committee of a part are.
pub(super) fn fairness(part: &Part, solved: &Solved) -> Vec<Fairness> {
    let problem = &part.problem;
    let mut counts: Vec<u32> = problem.members.iter().map(|member| member.before).collect();
    let mut could = vec![false; counts.len()];
    let mut duties = vec![(0, 0); problem.committees];
    for (step, chosen) in problem.steps.iter().zip(&solved.chosen) {
        let Some(committee) = step.committee else { continue };
        duties[committee].0 += 1;
        match chosen {
            Some(member) => counts[*member] += 1,
            None => duties[committee].1 += 1,
        }
        for member in &step.options {
            could[*member] = true;
        }
    }
    let of_committee = |(place, committee): (usize, &usize)| {
        let members = || {
            let all = problem.members.iter().enumerate();
            all.filter(|(n, member)| member.committee == Some(place) && could[*n]).map(|(n, _)| counts[n])
        };
        let (least, most) = (members().min().unwrap_or_default(), members().max().unwrap_or_default());
        let evenness = match most - least {
            0 | 1 => Evenness::Even,
            _ if solved.certain => Evenness::Impossible,
            _ => Evenness::NotFound,
        };
        let (duties, uncovered) = duties[place];
        Fairness {
            committee: *committee,
            whole_days: part.whole_days,
            duties,
            uncovered,
            least,
            most,
            evenness,
        }
    };
    part.group.iter().enumerate().map(of_committee).collect()
}
