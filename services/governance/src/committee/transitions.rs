//! Founding, moving, merging and dissolving committees.

use chassis::{
    identity::Scope,
    refusal::{FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work},
};
use contracts::{google::r#type as google, linli::governance::v1 as pb};
use jiff::civil::Date;
use kernel::{
    name::{BlockName, CommitteeName},
    periods::{Period, amend},
    state::Named,
};
use serde_json::json;

use super::{
    edit::{Locked, Told, lock, need_community, not_future, record, write},
    encode,
    rules::{self, Patch, State, TABLE, Verb as Do},
    store::{self, Count},
};
use crate::{
    as_of::AsOf,
    block,
    building::{self, store::LINE as BUILDINGS},
    estate::store::LINE as ESTATES,
    reasons::{
        BAD_ORDER_OF_DATES, LATER_CHANGE, MERGE_INTO_ITSELF, MIXED_PARTITION, OPEN_BLOCKS, OPEN_ESTATES,
        OUTSIDE_LIFE, TARGET_NOT_FOUNDED,
    },
    store::stamp,
};

fn needed(field: &'static str, date: Option<&google::Date>) -> Result<Date, Refusal> {
    wire::required_date(field, date).map_err(|fault| Refusal::fields(vec![fault]))
}

fn one<T>(result: Result<T, FieldFault>) -> Result<T, Refusal> {
    result.map_err(|fault| Refusal::fields(vec![fault]))
}

/// The day of a transition lies within the committee's life, and nothing came after it.
fn check_day(locked: &Locked, day: Date) -> Result<(), Refusal> {
    let Some(_) = rules::on(&locked.line, day) else {
        let first = locked.line.first().map(|row| row.period.from()).unwrap_or_default();
        return Err(Refusal::new(&OUTSIDE_LIFE)
            .with("name", &locked.name)
            .with("period", Period::since(first)));
    };
    match rules::later_transition(&locked.line, day) {
        Some(date) => Err(Refusal::new(&LATER_CHANGE).with("name", &locked.name).with("date", date)),
        None => Ok(()),
    }
}

/// FoundCommittee.
pub(super) struct Found;

#[tonic::async_trait]
impl Verb for Found {
    type Request = pb::FoundCommitteeRequest;
    type Answer = pb::Committee;

    fn intent(request: &Self::Request) -> (&str, bool) {
        (&request.request_id, request.validate_only)
    }

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let day = needed("founding_date", request.founding_date.as_ref())?;
        let locked = lock(work, &request.name, &request.etag).await?;
        let to = transition(&TABLE, &locked.name.to_string(), locked.state, Do::Found)?;
        not_future(work.call(), "founding_date", day)?;
        if let Some(began) = locked.head.preparation_start.filter(|began| *began >= day) {
            return Err(Refusal::new(&BAD_ORDER_OF_DATES)
                .with("field", "founding_date")
                .with("date", day)
                .with("after", began));
        }
        let splice = rules::enter(&locked.line, day, to, None);
        let told = Told {
            verb: Do::Found,
            to,
            comment: &request.comment,
            event: "committee.founded",
            day,
            founding: Some(day),
        };
        let (change, answer) = write(work, &locked, &splice, told).await?;
        Ok(record(&locked, change, answer))
    }
}

/// MoveCommittee.
pub(super) struct Move;

#[tonic::async_trait]
impl Verb for Move {
    type Request = pb::MoveCommitteeRequest;
    type Answer = pb::Committee;

    fn intent(request: &Self::Request) -> (&str, bool) {
        (&request.request_id, request.validate_only)
    }

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let day = needed("effective_date", request.effective_date.as_ref())?;
        let locked = lock(work, &request.name, &request.etag).await?;
        let community = one(encode::community_id("community", locked.name.town(), &request.community))?;
        let to = transition(&TABLE, &locked.name.to_string(), locked.state, Do::Move)?;
        need_community(work, locked.name.town(), &community).await?;
        check_day(&locked, day).or_else(|refusal| {
            if std::ptr::eq(refusal.reason(), &LATER_CHANGE) { Ok(()) } else { Err(refusal) }
        })?;
        let patch = Patch { community: Some(community), ..Patch::default() };
        let splice = amend(&locked.line, Period::since(day), |facts| patch.apply(facts));
        let told = Told {
            verb: Do::Move,
            to,
            comment: &request.comment,
            event: "committee.moved",
            day,
            founding: None,
        };
        let (change, answer) = write(work, &locked, &splice, told).await?;
        Ok(record(&locked, change, answer))
    }
}

/// DissolveCommittee.
pub(super) struct Dissolve;

#[tonic::async_trait]
impl Verb for Dissolve {
    type Request = pb::DissolveCommitteeRequest;
    type Answer = pb::Committee;

    fn intent(request: &Self::Request) -> (&str, bool) {
        (&request.request_id, request.validate_only)
    }

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let day = needed("effective_date", request.effective_date.as_ref())?;
        let locked = lock(work, &request.name, &request.etag).await?;
        let to = transition(&TABLE, &locked.name.to_string(), locked.state, Do::Dissolve)?;
        check_day(&locked, day)?;
        let blocks =
            block::lock_of_committee(work.sql(), locked.name.town(), locked.name.committee(), day).await?;
        if !blocks.is_empty() {
            return Err(Refusal::new(&OPEN_BLOCKS).with("name", &locked.name).with("blocks", blocks.len()));
        }
        let estates =
            ESTATES.lock_where(work.sql(), locked.name.town(), "committee", locked.name.committee(), day);
        let estates = estates.await?;
        if !estates.is_empty() {
            return Err(Refusal::new(&OPEN_ESTATES)
                .with("name", &locked.name)
                .with("estates", estates.len()));
        }
        let splice = rules::enter(&locked.line, day, to, None);
        let told = Told {
            verb: Do::Dissolve,
            to,
            comment: &request.comment,
            event: "committee.dissolved",
            day,
            founding: None,
        };
        let (change, answer) = write(work, &locked, &splice, told).await?;
        Ok(record(&locked, change, answer))
    }
}

/// MergeCommittee: the one is MERGED from the day on; its blocks, with their stewards, and its count go over.
pub(super) struct Merge;

#[tonic::async_trait]
impl Verb for Merge {
    type Request = pb::MergeCommitteeRequest;
    type Answer = pb::Committee;

    fn intent(request: &Self::Request) -> (&str, bool) {
        (&request.request_id, request.validate_only)
    }

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let day = needed("effective_date", request.effective_date.as_ref())?;
        let name: CommitteeName = wire::name("name", &request.name)?;
        work.call().scope(name.town())?;
        let into =
            CommitteeName::new(name.town(), one(encode::committee_id("into", name.town(), &request.into))?)
                .map_err(|error| Refusal::field("into", "FORMAT", "名称格式不符", error.to_string()))?;
        if name == into {
            return Err(Refusal::new(&MERGE_INTO_ITSELF).with("name", name));
        }
        // the two are locked in the order of their names, so that two mergers can't wait for each other
        let (locked, target) = if name < into {
            let locked = lock(work, &request.name, &request.etag).await?;
            (locked, lock(work, &request.into, "").await?)
        } else {
            let target = lock(work, &request.into, "").await?;
            (lock(work, &request.name, &request.etag).await?, target)
        };
        let to = transition(&TABLE, &name.to_string(), locked.state, Do::Merge)?;
        check_day(&locked, day)?;
        check_target(&target, day)?;
        need_same_division(work, &name, &into, day).await?;
        let mut changes = carry_blocks(work, &name, &into, day, &request.comment).await?;
        carry_places(work, &name, &into, day, &request.comment).await?;
        changes.extend(carry_count(work, &name, &target, day).await?);
        let splice = rules::enter(&locked.line, day, to, Some(into.committee()));
        let told = Told {
            verb: Do::Merge,
            to,
            comment: &request.comment,
            event: "committee.merged",
            day,
            founding: None,
        };
        let (change, answer) = write(work, &locked, &splice, told).await?;
        let mut record = record(&locked, change, answer);
        record.changes.extend(changes);
        Ok(record)
    }
}

/// The other committee is founded on the day, and stays so.
fn check_target(target: &Locked, day: Date) -> Result<(), Refusal> {
    let state = rules::on(&target.line, day).map_or("-", |facts| facts.state.name());
    if state != State::Founded.name() || target.state != State::Founded {
        let state = if state == State::Founded.name() { target.state.name() } else { state };
        return Err(Refusal::new(&TARGET_NOT_FOUNDED).with("name", &target.name).with("state", state));
    }
    Ok(())
}

async fn carry_blocks(
    work: &mut Work,
    from: &CommitteeName,
    into: &CommitteeName,
    day: Date,
    comment: &str,
) -> Result<Vec<Change>, Refusal> {
    let ids = block::lock_of_committee(work.sql(), from.town(), from.committee(), day).await?;
    let mut changes = Vec::with_capacity(ids.len());
    for id in ids {
        let name = BlockName::new(from.town(), id).map_err(Refusal::internal)?;
        changes.push(block::move_to(work, &name, from.committee(), into.committee(), day, comment).await?);
    }
    Ok(changes)
}

/// Both are divided into blocks or neither is: a merger leaves no building out.
async fn need_same_division(
    work: &mut Work,
    from: &CommitteeName,
    into: &CommitteeName,
    day: Date,
) -> Result<(), Refusal> {
    let (mine, left) = building::store::divided(work.sql(), from, Period::since(day)).await?;
    let (theirs, others) = building::store::divided(work.sql(), into, Period::since(day)).await?;
    if (mine > 0 && !others.is_empty()) || (theirs > 0 && !left.is_empty()) {
        return Err(Refusal::new(&MIXED_PARTITION).with("name", from).with("into", into));
    }
    Ok(())
}

/// Estates and buildings, and with them the households, are of the other committee from the day on.
async fn carry_places(
    work: &mut Work,
    from: &CommitteeName,
    into: &CommitteeName,
    day: Date,
    comment: &str,
) -> Result<(), Refusal> {
    let at = stamp(work.sql()).await?;
    for line in [&ESTATES, &BUILDINGS] {
        let names = (from.town(), from.committee(), into.committee());
        line.lock_where(work.sql(), from.town(), "committee", from.committee(), day).await?;
        line.carry(work.sql(), names, day, &at, comment).await?;
    }
    Ok(())
}

/// The other committee's count from the day on is the sum of the two that were declared.
async fn carry_count(
    work: &mut Work,
    from: &CommitteeName,
    target: &Locked,
    day: Date,
) -> Result<Option<Change>, Refusal> {
    let as_of = AsOf::now(day);
    let of = async |work: &mut Work, name: &CommitteeName| -> Result<Option<i32>, Refusal> {
        Ok(store::get(work.sql(), name, &Scope::Town, &as_of).await?.and_then(|view| view.count))
    };
    let (mine, theirs) = (of(work, from).await?, of(work, &target.name).await?);
    let Some(mine) = mine else { return Ok(None) };
    let households = mine.saturating_add(theirs.unwrap_or(0));
    let count = Count {
        valid_on: day,
        households,
        source: "merge".to_owned(),
        reason: from.to_string(),
        reported_on: None,
    };
    let at = stamp(work.sql()).await?;
    store::record_count(work.sql(), &target.name, &count, &at).await?;
    let version = store::bump(work.sql(), &target.name, None).await?;
    Ok(Some(Change {
        resource: target.name.to_string(),
        version,
        verb: "absorb",
        from_state: target.state.name(),
        to_state: target.state.name(),
        comment: from.to_string(),
        event: "committee.counted",
        data: json!({"committee": target.name.to_string(), "households": households, "valid_date": day.to_string(), "absorbed": from.to_string()}),
    }))
}
