//! What may happen.

use proptest::prelude::*;

/// Who acts: officers, who are nobody's party, and one who is insured himself.
pub(super) const WHO: [&str; 6] = ["o-0", "o-1", "o-2", "o-3", "o-4", "r-1"];

/// People with the households that they belong to.
pub(super) const PEOPLE: [(&str, &str); 6] =
    [("r-1", "h-1"), ("r-2", "h-1"), ("r-3", "h-2"), ("r-4", "h-2"), ("r-5", "h-3"), ("r-6", "")];

pub(super) const PERILS: [&str; 10] = [
    "FIRE",
    "TYPHOON",
    "BURST_PIPE",
    "PUBLIC_AREA_INJURY",
    "DEATH",
    "DISABILITY",
    "HIT_AND_RUN",
    "RESCUE",
    "DROWNING",
    "EARTHQUAKE",
];

/// A step of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Do {
    Accept,
    Dismiss,
    Ask,
    Resume,
    Update,
    Survey,
    Assess,
    Adjudicate,
    Publish,
    Object,
    Answer,
    Appeal,
    Confirm,
    Close,
    Withdraw,
    Reopen,
    Reverse,
}

/// What somebody does, or what happens. Things by their places in lists, taken as often as need be; amounts in yuan.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// A loss is reported: a new one, or `again` one of an event that is known, by whom and where it may be; as a part of an earlier event.
    Report {
        person: usize,
        peril: usize,
        place: usize,
        day: usize,
        claimed: i64,
        again: Option<usize>,
        part_of: Option<usize>,
    },
    /// So many steps that a claim waits for.
    Onward { claim: usize, steps: u8, who: usize, amount: i64 },
    /// Any step, whether it is its turn or not, by anybody; `stale` by what he saw long ago.
    Step { claim: usize, verb: Do, who: usize, amount: i64, stale: bool },
    /// A payment: `off` by so many fen, dated so many days ago, by an adjuster of the line's insurer or another one.
    Pay { claim: usize, programme: usize, off: i64, ago: i8, right: bool, who: usize },
    /// Days pass.
    Days(i8),
    /// The register is corrected: somebody lived elsewhere, or until another day.
    Move { person: usize, household: usize, until: Option<usize> },
    /// An endorsement of a limit, from a day, and its signature.
    Endorse { policy: usize, limit: usize, yuan: Option<i64>, from: usize, signer: usize },
    /// A policy ends before its time.
    Terminate { policy: usize, ahead: i8 },
}

fn verb() -> impl Strategy<Value = Do> {
    prop::sample::select(vec![
        Do::Accept,
        Do::Dismiss,
        Do::Ask,
        Do::Resume,
        Do::Update,
        Do::Update,
        Do::Survey,
        Do::Assess,
        Do::Assess,
        Do::Adjudicate,
        Do::Adjudicate,
        Do::Publish,
        Do::Object,
        Do::Object,
        Do::Object,
        Do::Answer,
        Do::Appeal,
        Do::Appeal,
        Do::Confirm,
        Do::Close,
        Do::Withdraw,
        Do::Reopen,
        Do::Reverse,
    ])
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let any = 0..64usize;
    let who = 0..WHO.len();
    let report = (
        any.clone(),
        any.clone(),
        0..4usize,
        0..8usize,
        1..90_000i64,
        prop::option::weighted(0.3, any.clone()),
        prop::option::weighted(0.3, any.clone()),
    )
        .prop_map(|(person, peril, place, day, claimed, again, part_of)| Act::Report {
            person,
            peril,
            place,
            day,
            claimed,
            again,
            part_of,
        });
    let onward = (any.clone(), 1..8u8, who.clone(), 0..90_000i64)
        .prop_map(|(claim, steps, who, amount)| Act::Onward { claim, steps, who, amount });
    let step = (any.clone(), verb(), who.clone(), 0..90_000i64, prop::bool::weighted(0.05))
        .prop_map(|(claim, verb, who, amount, stale)| Act::Step { claim, verb, who, amount, stale });
    let pay = (
        any.clone(),
        0..2usize,
        prop::sample::select(vec![0, 0, 0, 0, 1, -1]),
        0..12i8,
        prop::bool::weighted(0.9),
        who.clone(),
    )
        .prop_map(|(claim, programme, off, ago, right, who)| Act::Pay {
            claim,
            programme,
            off,
            ago,
            right,
            who,
        });
    let moved = (0..5usize, 0..3usize, prop::option::of(0..8usize))
        .prop_map(|(person, household, until)| Act::Move { person, household, until });
    let endorse =
        (0..2usize, any.clone(), prop::option::weighted(0.9, 1_000..500_000i64), 0..8usize, 0..3usize)
            .prop_map(|(policy, limit, yuan, from, signer)| Act::Endorse {
                policy,
                limit,
                yuan,
                from,
                signer,
            });
    prop_oneof![
        12 => report,
        40 => onward,
        26 => step,
        10 => pay,
        7 => (1..12i8).prop_map(Act::Days),
        2 => moved,
        4 => endorse,
        1 => (0..2usize, -1..40i8).prop_map(|(policy, ahead)| Act::Terminate { policy, ahead }),
    ]
}
