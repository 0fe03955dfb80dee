//! Stewardships of governance against the workers: a steward is an active worker of the block's committee.

use std::collections::HashMap;

use contracts::linli::{governance::v1 as governance, workforce::v1 as pb};

use super::store::{End, Standing};

/// A block with its steward, as governance has them on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    pub(crate) name: &'a str,
    pub(crate) committee: &'a str,
    pub(crate) stewardship: &'a governance::Stewardship,
}

/// What doesn't fit of one block, when something doesn't. Cover for leave fits though the steward is away.
fn mismatch(block: &Block<'_>, standing: Option<&Standing>) -> Option<pb::StewardMismatchKind> {
    use pb::StewardMismatchKind as Kind;
    let Some(standing) = standing else { return Some(Kind::WorkerUnknown) };
    let committee = block.committee.rsplit('/').next().unwrap_or_default();
    if !standing.employed {
        Some(Kind::NotEmployed)
    } else if standing.committee.is_empty() {
        Some(Kind::NoPost)
    } else if standing.committee != committee {
        Some(Kind::OtherCommittee)
    } else if standing.away {
        Some(Kind::Away)
    } else {
        None
    }
}

/// Everything that doesn't fit, by block; then the posts that ended and whose blocks aren't covered yet.
pub(crate) fn mismatches(
    town: &str,
    blocks: &[Block<'_>],
    standings: &[Standing],
    open: &[End],
) -> Vec<pb::StewardMismatch> {
    let by_worker: HashMap<String, &Standing> =
        standings.iter().map(|its| (format!("towns/{town}/workers/{}", its.worker), its)).collect();
    let of_blocks = blocks.iter().filter_map(|block| {
        let worker = &block.stewardship.worker;
        let kind = mismatch(block, by_worker.get(worker).copied())?;
        Some(pb::StewardMismatch {
            kind: kind.into(),
            stewardship: block.stewardship.name.clone(),
            block: block.name.to_owned(),
            committee: block.committee.to_owned(),
            worker: worker.clone(),
            since_date: block.stewardship.start_date,
        })
    });
    let ended = open.iter().map(|end| {
        let kind = match end.state.as_str() {
            "NO_DIRECTOR" => pb::StewardMismatchKind::NoDirector,
            _ => pb::StewardMismatchKind::CoverPending,
        };
        pb::StewardMismatch {
            kind: kind.into(),
            committee: format!("towns/{town}/committees/{}", end.committee),
            worker: format!("towns/{town}/workers/{}", end.worker),
            since_date: end.day.parse().ok().map(chassis::wire::to_date),
            ..Default::default()
        }
    });
    of_blocks.chain(ended).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mismatch_has_its_kind() {
        let stewardship = |worker: &str| governance::Stewardship {
            name: "towns/malu/stewardships/s".to_owned(),
            worker: format!("towns/malu/workers/{worker}"),
            ..Default::default()
        };
        let standing = |worker: &str, employed, committee: &str, away| Standing {
            worker: worker.to_owned(),
            employed,
            committee: committee.to_owned(),
            away,
        };
        let standings = [
            standing("fits", true, "c1", false),
            standing("left", false, "", false),
            standing("gap", true, "", false),
            standing("moved", true, "c2", false),
            standing("away", true, "c1", true),
        ];
        let held = ["fits", "left", "gap", "moved", "away", "nobody"].map(stewardship);
        let blocks: Vec<Block<'_>> = held
            .iter()
            .map(|stewardship| Block {
                name: "towns/malu/blocks/b",
                committee: "towns/malu/committees/c1",
                stewardship,
            })
            .collect();
        let end = End {
            worker: "left".to_owned(),
            committee: "c1".to_owned(),
            day: "2020-10-01".to_owned(),
            state: "PENDING".to_owned(),
            request_id: uuid::Uuid::nil(),
        };
        let found = mismatches(
            "malu",
            &blocks,
            &standings,
            &[end.clone(), End { state: "NO_DIRECTOR".to_owned(), ..end }],
        );
        use pb::StewardMismatchKind as Kind;
        let kinds: Vec<Kind> = found.iter().map(pb::StewardMismatch::kind).collect();
        let expected = [
            Kind::NotEmployed,
            Kind::NoPost,
            Kind::OtherCommittee,
            Kind::Away,
            Kind::WorkerUnknown,
            Kind::CoverPending,
            Kind::NoDirector,
        ];
        assert_eq!(kinds, expected);
    }
}
