//! SplitCommittee: estates go to other committees, with what lies in them; the committee keeps the rest and its name.

use std::collections::BTreeMap;

use chassis::{
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work},
};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{BlockName, BodyName, CommitteeName, EstateName},
    state::Named,
};
use serde_json::json;

use super::{
    carry,
    edit::{Locked, lock, record},
    encode,
    rules::{
        TABLE, Verb as Do,
        split::{self, Flaw, Holdings, Share},
    },
    store,
    transitions::{check_day, needed},
};
use crate::{
    as_of::AsOf,
    block,
    body::store::LINE as BODIES,
    building,
    estate::store::LINE as ESTATES,
    fields::{self, in_town, some},
    line::Carry,
    reasons::{MERGE_INTO_ITSELF, SPLIT_COUNT, SPLIT_CUTS_BLOCK, SPLIT_FOREIGN, SPLIT_NOTHING, SPLIT_TWICE},
};

/// SplitCommittee.
pub(super) struct Split;

/// What is asked, by ids, in the order of the committees' names.
fn parse(name: &CommitteeName, request: &pb::SplitCommitteeRequest) -> Result<Vec<Share>, Refusal> {
    let (town, mut faults) = (name.town(), Faults::default());
    let mut shares = Vec::with_capacity(request.parts.len());
    for (n, part) in request.parts.iter().enumerate() {
        let field = |what: &str, m: usize| format!("parts[{n}].{what}[{m}]");
        let committee =
            faults.take(fields::committee_id(&format!("parts[{n}].committee"), town, &part.committee));
        let estates =
            part.estates.iter().enumerate().filter_map(|(m, text)| {
                faults.take(in_town(&field("estates", m), text, town, EstateName::town))
            });
        let estates: Vec<EstateName> = estates.collect();
        let blocks =
            part.blocks.iter().enumerate().filter_map(|(m, text)| {
                faults.take(in_town(&field("blocks", m), text, town, BlockName::town))
            });
        let blocks: Vec<BlockName> = blocks.collect();
        let bodies =
            part.bodies.iter().enumerate().filter_map(|(m, text)| {
                faults.take(in_town(&field("bodies", m), text, town, BodyName::town))
            });
        let bodies: Vec<BodyName> = bodies.collect();
        if committee.as_deref() == Some(name.committee()) {
            faults.push(FieldFault::new(
                format!("parts[{n}].committee"),
                MERGE_INTO_ITSELF.name,
                "须为另一个居委会",
                "another committee",
            ));
        }
        shares.extend(committee.map(|committee| Share {
            committee,
            estates: estates.iter().map(|name| name.estate().to_owned()).collect(),
            blocks: blocks.iter().map(|name| name.block().to_owned()).collect(),
            bodies: bodies.iter().map(|name| name.body().to_owned()).collect(),
            households: part.households,
        }));
    }
    faults.finish(Some(()))?;
    shares.sort_by(|a, b| a.committee.cmp(&b.committee));
    Ok(shares)
}

fn refused(name: &CommitteeName, flaw: Flaw) -> Refusal {
    let town = name.town();
    let names = |ids: &[String]| {
        let names: Vec<String> = ids.iter().map(|id| format!("towns/{town}/{id}")).collect();
        some(&names)
    };
    match flaw {
        Flaw::Twice(ids) => Refusal::new(&SPLIT_TWICE).with("resources", names(&ids)),
        Flaw::Foreign(ids) => Refusal::new(&SPLIT_FOREIGN).with("name", name).with("resources", names(&ids)),
        Flaw::Nothing(id) => {
            Refusal::new(&SPLIT_NOTHING).with("committee", format!("towns/{town}/committees/{id}"))
        }
        Flaw::Cut(ids) => Refusal::new(&SPLIT_CUTS_BLOCK).with("blocks", some(&ids)),
        Flaw::Count { declared, given } => {
            Refusal::new(&SPLIT_COUNT).with("declared", declared).with("given", given)
        }
    }
}

/// What the committee holds on the day or later, locked.
async fn holdings(work: &mut Work, name: &CommitteeName, day: Date) -> Result<Holdings, Refusal> {
    let (town, id) = (name.town(), name.committee());
    let estates = ESTATES.lock_where(work.sql(), town, "committee", id, day).await?;
    let bodies = BODIES.lock_where(work.sql(), town, "committee", id, day).await?;
    let ids = block::lock_of_committee(work.sql(), town, id, day).await?;
    let mut blocks: BTreeMap<String, _> = ids.into_iter().map(|id| (id, Default::default())).collect();
    for (block, its) in building::store::estates_of_blocks(work.sql(), name, day).await? {
        blocks.insert(block, its.into_iter().collect());
    }
    let view = store::get(work.sql(), name, &chassis::identity::Scope::Town, &AsOf::now(day)).await?;
    Ok(Holdings {
        estates: estates.into_iter().collect(),
        blocks,
        bodies: bodies.into_iter().collect(),
        households: view.and_then(|view| view.count),
    })
}

/// Locks the committee and those that take its parts, in the order of their names.
async fn lock_all(
    work: &mut Work,
    request: &pb::SplitCommitteeRequest,
    name: &CommitteeName,
    shares: &[Share],
) -> Result<(Locked, Vec<Locked>), Refusal> {
    let mut ids: Vec<&str> = shares.iter().map(|share| share.committee.as_str()).collect();
    ids.push(name.committee());
    ids.sort_unstable();
    ids.dedup();
    let (mut own, mut takers) = (None, Vec::new());
    for id in ids {
        if id == name.committee() {
            own = Some(lock(work, &request.name, &request.etag).await?);
        } else {
            takers.push(lock(work, &format!("towns/{}/committees/{id}", name.town()), "").await?);
        }
    }
    let own = own.ok_or_else(|| Refusal::internal("the committee was not locked"))?;
    Ok((own, takers))
}

/// One part goes over: places, blocks, bodies and the count.
async fn hand(
    work: &mut Work,
    taker: &Locked,
    carry: &Carry<'_>,
    share: &Share,
) -> Result<Vec<Change>, Refusal> {
    let list = |ids: &std::collections::BTreeSet<String>| ids.iter().cloned().collect::<Vec<_>>();
    let (estates, bodies) = (list(&share.estates), list(&share.bodies));
    let buildings = building::store::of_estates(work.sql(), carry.from.town(), &estates).await?;
    carry::check_target(taker, carry)?;
    carry::need_no_later_count(work, carry, carry.into).await?;
    carry::need_same_division(work, carry, Some(&buildings)).await?;
    let theirs = carry::declared(work, carry.into, carry).await?.unwrap_or(0);
    let mut changes = carry::blocks(work, carry, list(&share.blocks)).await?;
    changes.extend(carry::places(work, carry, Some((&estates, &buildings))).await?);
    changes.extend(carry::bodies(work, carry, Some(&bodies)).await?);
    let households = theirs.saturating_add(share.households);
    changes.push(carry::count(work, taker, carry, (households, "split")).await?);
    store::note_split(work.sql(), carry, share.households).await?;
    Ok(changes)
}

#[tonic::async_trait]
impl Verb for Split {
    type Request = pb::SplitCommitteeRequest;
    type Answer = pb::Committee;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let day = needed("effective_date", request.effective_date.as_ref())?;
        let name: CommitteeName = wire::name("name", &request.name)?;
        work.call().scope(name.town())?;
        let asked = parse(&name, request)?;
        let (locked, takers) = lock_all(work, request, &name, &asked).await?;
        let to = transition(&TABLE, &name.to_string(), locked.state, Do::Split)?;
        check_day(&locked, day)?;
        let holdings = holdings(work, &name, day).await?;
        let remaining = request.remaining_households;
        let shares = split::decide(&holdings, &asked, remaining).map_err(|flaw| refused(&name, flaw))?;
        let mut changes = Vec::new();
        for (share, taker) in shares.iter().zip(&takers) {
            let carry = Carry { from: &name, into: &taker.name, day, comment: &request.comment };
            changes.extend(hand(work, taker, &carry, share).await?);
        }
        let first = takers.first().ok_or_else(|| Refusal::internal("a split into nothing"))?;
        let carry = Carry { from: &name, into: &first.name, day, comment: &request.comment };
        carry::need_no_later_count(work, &carry, &name).await?;
        let counted = carry::count(work, &locked, &carry, (remaining, "split")).await?;
        let parts = shares.iter().map(|share| {
            json!({"committee": format!("towns/{}/committees/{}", name.town(), share.committee), "estates": share.estates,
                   "blocks": share.blocks, "bodies": share.bodies, "households": share.households})
        });
        let own = Change {
            resource: name.to_string(),
            version: store::bump(work.sql(), &name, None).await?,
            verb: Do::Split.name(),
            from_state: locked.state.name(),
            to_state: to.name(),
            comment: request.comment.clone(),
            event: "committee.split",
            data: json!({
                "committee": name.to_string(), "effective_date": day.to_string(), "remaining_households": remaining,
                "parts": parts.collect::<Vec<_>>(),
            }),
        };
        changes.push(counted);
        let view = store::get(work.sql(), &name, &chassis::identity::Scope::Town, &AsOf::now(day)).await?;
        let view = view.ok_or_else(|| Refusal::internal(format!("{name} is nothing on {day}")))?;
        let mut record = record(&locked, own, encode::committee(&view)?);
        record.changes.extend(changes);
        Ok(record)
    }
}
