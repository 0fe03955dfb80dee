//! A partition: each building of a committee in exactly one block (Work points 1.3).

use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Buildings that are named twice.
    Overlap(Vec<String>),
    /// Buildings of another committee.
    Foreign(Vec<String>),
    /// Buildings in no block.
    Gap(Vec<String>),
}

/// The block of each building of a committee, when the shares leave none out, name none twice and none of another's.
pub(crate) fn decide<'a>(
    buildings: &BTreeSet<String>,
    shares: impl IntoIterator<Item = (&'a str, &'a [String])>,
) -> Result<BTreeMap<String, String>, Flaw> {
    let (mut drawn, mut twice, mut foreign) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for (block, its) in shares {
        for building in its {
            if !buildings.contains(building) {
                foreign.insert(building.clone());
            } else if drawn.insert(building.clone(), block.to_owned()).is_some() {
                twice.insert(building.clone());
            }
        }
    }
    let list = |set: BTreeSet<String>| set.into_iter().collect::<Vec<_>>();
    if !twice.is_empty() {
        return Err(Flaw::Overlap(list(twice)));
    }
    if !foreign.is_empty() {
        return Err(Flaw::Foreign(list(foreign)));
    }
    let left: Vec<String> = buildings.iter().filter(|id| !drawn.contains_key(*id)).cloned().collect();
    if left.is_empty() { Ok(drawn) } else { Err(Flaw::Gap(left)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Counted the slow way, building by building.
    fn oracle(buildings: &BTreeSet<String>, shares: &[(String, Vec<String>)]) -> bool {
        let all: Vec<&String> = shares.iter().flat_map(|(_, its)| its).collect();
        buildings.iter().all(|id| all.iter().filter(|named| **named == id).count() == 1)
            && all.iter().all(|named| buildings.contains(*named))
    }

    proptest! {
        #[test]
        fn drawn_exactly_when_each_is_named_once(
            buildings in prop::collection::btree_set("[a-d]", 0..4),
            shares in prop::collection::vec(("[x-z]", prop::collection::vec("[a-e]", 0..3)), 0..4),
        ) {
            let given = shares.iter().map(|(block, its)| (block.as_str(), its.as_slice()));
            let drawn = decide(&buildings, given);
            prop_assert_eq!(drawn.is_ok(), oracle(&buildings, &shares));
            if let Ok(drawn) = drawn {
                prop_assert_eq!(drawn.keys().cloned().collect::<BTreeSet<_>>(), buildings);
            }
        }
    }
}
