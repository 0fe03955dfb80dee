//! Where money with an earmark came from: the entries that brought it, in the order of its way. Pure.

use std::collections::HashSet;

use kernel::money::Fen;
use uuid::Uuid;

/// An entry that moved money from one account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) entry: Uuid,
    /// In the order in which they were booked.
    pub(crate) ord: i64,
    pub(crate) kind: String,
    pub(crate) booked_on: String,
    pub(crate) subject: String,
    pub(crate) description: String,
    pub(crate) from: Uuid,
    pub(crate) to: Uuid,
    pub(crate) amount: Fen,
}

/// The steps that lead to `account`, source first: the account farthest from it leads, and what came to one account stands in the
/// order of its booking. Each step stands there once, however many ways pass over it; steps that lead elsewhere are left out.
pub(crate) fn in_order(account: Uuid, steps: Vec<Step>) -> Vec<Step> {
    let (mut reached, mut layer) = (HashSet::from([account]), vec![account]);
    let mut distance: Vec<(usize, Step)> = Vec::new();
    let mut left = steps;
    let mut depth = 0;
    while !layer.is_empty() {
        let (here, others): (Vec<Step>, Vec<Step>) =
            left.into_iter().partition(|step| layer.contains(&step.to));
        left = others;
        layer = here.iter().map(|step| step.from).filter(|from| reached.insert(*from)).collect();
        distance.extend(here.into_iter().map(|step| (depth, step)));
        depth += 1;
    }
    distance.sort_by_key(|(depth, step)| (std::cmp::Reverse(*depth), step.ord, step.to));
    distance.into_iter().map(|(_, step)| step).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(ord: i64, from: u128, to: u128) -> Step {
        Step {
            entry: Uuid::from_u128(ord as u128 + 1_000),
            ord,
            kind: "DELEGATION".to_owned(),
            booked_on: String::new(),
            subject: String::new(),
            description: String::new(),
            from: Uuid::from_u128(from),
            to: Uuid::from_u128(to),
            amount: Fen::of(1),
        }
    }

    #[test]
    fn a_task_is_followed_from_the_department_to_the_committee() {
        // department 1 → task 2 → committee 3; another task 9 is none of it
        let steps = vec![step(3, 2, 3), step(1, 1, 2), step(2, 1, 2), step(4, 1, 9)];
        let way: Vec<i64> = in_order(Uuid::from_u128(3), steps).iter().map(|step| step.ord).collect();
        assert_eq!(way, [1, 2, 3]);
    }

    proptest! {
        /// In any tangle, circles too: it ends, every step stands there once, and a step to the account itself is last in depth.
        #[test]
        fn every_way_ends_and_no_step_is_told_twice(edges in prop::collection::vec((0u128..8, 0u128..8), 0..40)) {
            let steps: Vec<Step> = edges.iter().enumerate().map(|(n, (from, to))| step(n as i64, *from, *to)).collect();
            let way = in_order(Uuid::from_u128(0), steps.clone());
            let mut seen = HashSet::new();
            prop_assert!(way.iter().all(|step| seen.insert(step.ord)));
            // a plain search says which accounts lead there
            let mut leads = HashSet::from([Uuid::from_u128(0)]);
            while let Some(more) = steps.iter().find(|step| leads.contains(&step.to) && !leads.contains(&step.from)) {
                leads.insert(more.from);
            }
            prop_assert_eq!(way.len(), steps.iter().filter(|step| leads.contains(&step.to)).count());
            let first_direct = way.iter().position(|step| step.to == Uuid::from_u128(0)).unwrap_or(way.len());
            prop_assert!(way[first_direct..].iter().all(|step| step.to == Uuid::from_u128(0)));
        }
    }
}
