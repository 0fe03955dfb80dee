//! What goes over when committees are merged or split: blocks with their stewards, estates, buildings with their
//! households, bodies with their members, and the declared count.

use chassis::{
    identity::Scope,
    refusal::Refusal,
    work::{Change, Work},
};
use jiff::civil::Date;
use kernel::{
    name::{BlockName, CommitteeName},
    periods::Period,
    state::Named,
};
use serde_json::json;

use super::{
    edit::Locked,
    rules::{self, State},
    store::{self, Count},
};
use crate::{
    as_of::AsOf,
    block,
    body::store::LINE as BODIES,
    building::{self, store::LINE as BUILDINGS},
    estate::store::LINE as ESTATES,
    line::{Carry, Line},
    reasons::{LATER_CHANGE, LATER_COUNT, MIXED_PARTITION, TARGET_NOT_FOUNDED},
    store::stamp,
};

/// The other committee is founded on the day, and stays so.
pub(super) fn check_target(target: &Locked, carry: &Carry<'_>) -> Result<(), Refusal> {
    let state = rules::on(&target.line, carry.day).map_or("-", |facts| facts.state.name());
    if state != State::Founded.name() || target.state != State::Founded {
        let state = if state == State::Founded.name() { target.state.name() } else { state };
        return Err(Refusal::new(&TARGET_NOT_FOUNDED).with("name", &target.name).with("state", state));
    }
    Ok(())
}

/// Refuses to end a committee to which something of another one is to come later.
pub(super) async fn need_nothing_expected(work: &mut Work, of: &Locked, day: Date) -> Result<(), Refusal> {
    match store::expects(work.sql(), &of.name, day).await? {
        Some(date) => Err(Refusal::new(&LATER_CHANGE).with("name", &of.name).with("date", date)),
        None => Ok(()),
    }
}

/// Whether the buildings that go over lie in blocks, and those that are there; refuses one of each.
pub(super) async fn need_same_division(
    work: &mut Work,
    carry: &Carry<'_>,
    only: Option<&[String]>,
) -> Result<(), Refusal> {
    let since = Period::since(carry.day);
    let (within, without) = building::store::divided(work.sql(), carry.from, since, only).await?;
    let (theirs, others) = building::store::divided(work.sql(), carry.into, since, None).await?;
    if (within > 0 && !others.is_empty()) || (theirs > 0 && !without.is_empty()) {
        return Err(Refusal::new(&MIXED_PARTITION).with("name", carry.from).with("into", carry.into));
    }
    Ok(())
}

/// The blocks go over, with their stewards.
pub(super) async fn blocks(
    work: &mut Work,
    carry: &Carry<'_>,
    ids: Vec<String>,
) -> Result<Vec<Change>, Refusal> {
    let mut changes = Vec::with_capacity(ids.len());
    for id in ids {
        let name = BlockName::new(carry.from.town(), id).map_err(Refusal::internal)?;
        changes.push(block::move_to(work, &name, carry).await?);
    }
    Ok(changes)
}

/// How the heads of a line are told of: the collection in their names, the word for one, the event.
struct Told {
    collection: &'static str,
    word: &'static str,
    event: &'static str,
}

async fn line(
    work: &mut Work,
    line: &Line,
    carry: &Carry<'_>,
    only: Option<&[String]>,
    told: Told,
) -> Result<Vec<Change>, Refusal> {
    let (town, from) = (carry.from.town(), carry.from.committee());
    line.lock_where(work.sql(), town, "committee", from, carry.day).await?;
    let at = stamp(work.sql()).await?;
    let over = line.carry(work.sql(), carry, only, &at).await?;
    let into = carry.into.to_string();
    let changes = over.into_iter().map(|(id, version)| {
        let resource = format!("towns/{town}/{}/{id}", told.collection);
        Change {
            version,
            verb: "move",
            from_state: "",
            to_state: "",
            comment: carry.comment.to_owned(),
            event: told.event,
            data: json!({told.word: resource, "committee": into, "effective_date": carry.day.to_string()}),
            resource,
        }
    });
    Ok(changes.collect())
}

/// Estates and buildings, and with them the households, go over: all of them, or those named.
pub(super) async fn places(
    work: &mut Work,
    carry: &Carry<'_>,
    only: Option<(&[String], &[String])>,
) -> Result<Vec<Change>, Refusal> {
    let (estates, buildings) = only.unzip();
    let told = Told { collection: "estates", word: "estate", event: "estate.moved" };
    let mut changes = line(work, &ESTATES, carry, estates, told).await?;
    let told = Told { collection: "buildings", word: "building", event: "building.moved" };
    changes.extend(line(work, &BUILDINGS, carry, buildings, told).await?);
    Ok(changes)
}

/// Bodies of the committee go over, with their members: all of them, or those named. Those of estates follow the estate.
pub(super) async fn bodies(
    work: &mut Work,
    carry: &Carry<'_>,
    only: Option<&[String]>,
) -> Result<Vec<Change>, Refusal> {
    let told = Told { collection: "bodies", word: "body", event: "body.moved" };
    line(work, &BODIES, carry, only, told).await
}

/// The declared count of a committee on a day.
pub(super) async fn declared(
    work: &mut Work,
    name: &CommitteeName,
    carry: &Carry<'_>,
) -> Result<Option<i32>, Refusal> {
    let as_of = AsOf::now(carry.day);
    Ok(store::get(work.sql(), name, &Scope::Town, &as_of).await?.and_then(|view| view.count))
}

/// Refuses a day before a count that is declared already: it would undo what goes over, or have it twice.
pub(super) async fn need_no_later_count(
    work: &mut Work,
    carry: &Carry<'_>,
    of: &CommitteeName,
) -> Result<(), Refusal> {
    match store::counted_after(work.sql(), of, carry.day).await? {
        Some(date) => Err(Refusal::new(&LATER_COUNT).with("name", of).with("date", date)),
        None => Ok(()),
    }
}

/// From the day on a committee has so many households, because of the carrying.
pub(super) async fn count(
    work: &mut Work,
    of: &Locked,
    carry: &Carry<'_>,
    (households, source): (i32, &'static str),
) -> Result<Change, Refusal> {
    let other = if of.name == *carry.from { carry.into } else { carry.from };
    let count = Count {
        valid_on: carry.day,
        households,
        source: source.to_owned(),
        reason: other.to_string(),
        reported_on: None,
    };
    let at = stamp(work.sql()).await?;
    store::record_count(work.sql(), &of.name, &count, &at).await?;
    let version = store::bump(work.sql(), &of.name, None).await?;
    Ok(Change {
        resource: of.name.to_string(),
        version,
        verb: if of.name == *carry.from { "cede" } else { "absorb" },
        from_state: of.state.name(),
        to_state: of.state.name(),
        comment: other.to_string(),
        event: "committee.counted",
        data: json!({
            "committee": of.name.to_string(), "households": households, "valid_date": carry.day.to_string(),
            "source": source, "other": other.to_string(),
        }),
    })
}
