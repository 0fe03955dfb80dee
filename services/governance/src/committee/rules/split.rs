//! What goes where when a committee is split: each estate, block and body to one committee at most, no block cut, and no
//! household lost between the declared counts.

use std::collections::{BTreeMap, BTreeSet};

/// What a committee holds on the day of the split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Ids of its estates.
    pub estates: BTreeSet<String>,
    /// Its blocks, with the estates in which their buildings lie.
    pub blocks: BTreeMap<String, BTreeSet<String>>,
    /// Ids of its own bodies (not those of its estates).
    pub bodies: BTreeSet<String>,
    /// The declared count of households of that day, when there is one.
    pub households: Option<i32>,
}

/// What is asked to go to a committee; what is decided to go has the same shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// The id of the committee that takes it.
    pub committee: String,
    /// Ids of estates.
    pub estates: BTreeSet<String>,
    /// Ids of blocks.
    pub blocks: BTreeSet<String>,
    /// Ids of bodies.
    pub bodies: BTreeSet<String>,
    /// Declared households.
    pub households: i32,
}

/// Why a committee can't be split so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Ids that are named twice.
    Twice(Vec<String>),
    /// Ids that the committee doesn't hold.
    Foreign(Vec<String>),
    /// A committee to which nothing goes.
    Nothing(String),
    /// Blocks whose buildings would come to several committees, or that are named for another than their buildings'.
    Cut(Vec<String>),
    /// Parts and remainder don't add up to the declared count.
    Count {
        /// What was declared.
        declared: i32,
        /// What the parts and the remainder make.
        given: i64,
    },
}

/// What goes where: the estates and bodies that were named, and each block where all of its buildings go.
///
/// # Errors
/// The first flaw, in the order of [`Flaw`].
pub fn decide(holdings: &Holdings, asked: &[Share], remaining: i32) -> Result<Vec<Share>, Flaw> {
    named_once(asked)?;
    owned(holdings, asked)?;
    let empty = |share: &&Share| share.estates.len() + share.blocks.len() + share.bodies.len() == 0;
    if let Some(share) = asked.iter().find(empty) {
        return Err(Flaw::Nothing(share.committee.clone()));
    }
    let mut shares = asked.to_vec();
    place_blocks(&holdings.blocks, &mut shares)?;
    let given = asked.iter().map(|share| i64::from(share.households)).sum::<i64>() + i64::from(remaining);
    match holdings.households {
        Some(declared) if i64::from(declared) != given => Err(Flaw::Count { declared, given }),
        _ => Ok(shares),
    }
}

fn named_once(asked: &[Share]) -> Result<(), Flaw> {
    let mut twice = BTreeSet::new();
    let mut once = |kind: &str, ids: &mut dyn Iterator<Item = &String>| {
        let mut seen = BTreeSet::new();
        twice.extend(ids.filter(|id| !seen.insert(*id)).map(|id| format!("{kind}/{id}")));
    };
    once("committees", &mut asked.iter().map(|share| &share.committee));
    once("estates", &mut asked.iter().flat_map(|share| &share.estates));
    once("blocks", &mut asked.iter().flat_map(|share| &share.blocks));
    once("bodies", &mut asked.iter().flat_map(|share| &share.bodies));
    if twice.is_empty() { Ok(()) } else { Err(Flaw::Twice(twice.into_iter().collect())) }
}

fn owned(holdings: &Holdings, asked: &[Share]) -> Result<(), Flaw> {
    let mut foreign = Vec::new();
    for share in asked {
        let estates = share.estates.iter().filter(|id| !holdings.estates.contains(*id));
        foreign.extend(estates.map(|id| format!("estates/{id}")));
        let blocks = share.blocks.iter().filter(|id| !holdings.blocks.contains_key(*id));
        foreign.extend(blocks.map(|id| format!("blocks/{id}")));
        let bodies = share.bodies.iter().filter(|id| !holdings.bodies.contains(*id));
        foreign.extend(bodies.map(|id| format!("bodies/{id}")));
    }
    if foreign.is_empty() { Ok(()) } else { Err(Flaw::Foreign(foreign)) }
}

/// Each block goes where its buildings go; one without buildings where it is named, else it stays.
fn place_blocks(blocks: &BTreeMap<String, BTreeSet<String>>, shares: &mut [Share]) -> Result<(), Flaw> {
    let mut cut = Vec::new();
    for (block, estates) in blocks {
        let goes = |estate: &String| shares.iter().position(|share| share.estates.contains(estate));
        let places: BTreeSet<Option<usize>> = estates.iter().map(goes).collect();
        let named = shares.iter().position(|share| share.blocks.contains(block));
        match (places.len(), places.first().copied().flatten()) {
            (0, _) => {}
            (1, place) if named.is_none() || named == place => {
                if let Some(place) = place {
                    shares[place].blocks.insert(block.clone());
                }
            }
            _ => cut.push(block.clone()),
        }
    }
    if cut.is_empty() { Ok(()) } else { Err(Flaw::Cut(cut)) }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, collection::btree_set, collection::vec, prelude::*};

    use super::*;

    fn holdings() -> impl Strategy<Value = Holdings> {
        let sets = (btree_set("e[1-4]", 0..4), btree_set("o[1-3]", 0..3), prop::option::of(0..60i32));
        (sets, btree_map("b[1-4]", btree_set("e[1-4]", 0..3), 0..4)).prop_map(
            |((estates, bodies, households), blocks)| {
                let of = |its: BTreeSet<String>| its.intersection(&estates).cloned().collect();
                let blocks = blocks.into_iter().map(|(block, its)| (block, of(its))).collect();
                Holdings { estates, blocks, bodies, households }
            },
        )
    }

    fn share() -> impl Strategy<Value = Share> {
        let sets = (btree_set("e[1-5]", 0..3), btree_set("b[1-5]", 0..2), btree_set("o[1-4]", 0..2));
        ("c[1-3]", sets, 0..30i32).prop_map(|(committee, (estates, blocks, bodies), households)| Share {
            committee,
            estates,
            blocks,
            bodies,
            households,
        })
    }

    /// Where a building of an estate, a block without buildings and a body would come to, by reading the request alone.
    fn place<'a>(asked: &'a [Share], of: impl Fn(&Share) -> bool + 'a) -> Vec<&'a str> {
        asked.iter().filter(|share| of(share)).map(|share| share.committee.as_str()).collect()
    }

    /// Whether the split is sound, piece by piece.
    fn sound(holdings: &Holdings, asked: &[Share], remaining: i32) -> bool {
        let committees: Vec<&str> = asked.iter().map(|share| share.committee.as_str()).collect();
        let once = committees.iter().all(|id| committees.iter().filter(|other| *other == id).count() == 1);
        let pieces = ["e1", "e2", "e3", "e4", "e5", "b1", "b2", "b3", "b4", "b5", "o1", "o2", "o3", "o4"];
        let good = pieces.iter().all(|id| {
            let id = (*id).to_owned();
            let named = place(asked, |share| {
                share.estates.contains(&id) || share.blocks.contains(&id) || share.bodies.contains(&id)
            });
            let held = holdings.estates.contains(&id)
                || holdings.blocks.contains_key(&id)
                || holdings.bodies.contains(&id);
            named.len() <= 1 && (named.is_empty() || held)
        });
        let whole = holdings.blocks.iter().all(|(block, estates)| {
            let named = place(asked, |share| share.blocks.contains(block));
            let of: Vec<Vec<&str>> =
                estates.iter().map(|estate| place(asked, |share| share.estates.contains(estate))).collect();
            of.windows(2).all(|pair| pair[0] == pair[1])
                && (named.is_empty() || of.first().is_none_or(|first| *first == named))
        });
        let filled = asked
            .iter()
            .all(|share| !(share.estates.is_empty() && share.blocks.is_empty() && share.bodies.is_empty()));
        let sum: i64 = asked.iter().map(|share| i64::from(share.households)).sum();
        let counted = holdings.households.is_none_or(|count| i64::from(count) == sum + i64::from(remaining));
        once && good && whole && filled && counted
    }

    proptest! {
        #[test]
        fn each_piece_goes_to_one_committee_and_no_block_is_cut(
            holdings in holdings(), asked in vec(share(), 1..4), off in 0..3i32,
        ) {
            let sum: i32 = asked.iter().map(|share| share.households).sum();
            let remaining = holdings.households.map_or(off, |count| count.saturating_sub(sum).max(0) + off / 2);
            let decided = decide(&holdings, &asked, remaining);
            prop_assert_eq!(decided.is_ok(), sound(&holdings, &asked, remaining), "{:?}", decided);
            for share in decided.unwrap_or_default() {
                for (block, estates) in &holdings.blocks {
                    let follows = !estates.is_empty() && estates.is_subset(&share.estates);
                    let named = asked.iter().any(|a| a.committee == share.committee && a.blocks.contains(block));
                    prop_assert_eq!(share.blocks.contains(block), follows || named);
                }
            }
        }
    }
}
