//! Opening, renaming, moving and closing blocks.

use chassis::{
    identity::Scope,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{BlockName, CommitteeName, TownName},
    periods::{Period, Splice, amend, truncate},
    state::Named,
};
use serde_json::json;

use super::{
    encode,
    rules::{self, Facts, State, TABLE, Verb as Do},
    store::{self, Head},
};
use crate::{
    as_of::AsOf,
    building,
    committee::{self, rules::State as CommitteeState},
    fields, force,
    line::Carry,
    reasons::{BLOCK_HAS_BUILDINGS, OUTSIDE_LIFE, TARGET_NOT_FOUNDED, UNKNOWN_PARENT},
    stewardship::{self, Steward, rules as stewards},
    store::stamp,
};

/// A block that is locked.
pub(crate) struct Locked {
    pub(crate) name: BlockName,
    pub(crate) head: Head,
    pub(crate) state: State,
}

/// Locks a block within the caller's areas and checks its etag.
pub(crate) async fn lock(work: &mut Work, name: &str, etag: &str) -> Result<Locked, Refusal> {
    let name: BlockName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let head = store::lock(work.sql(), &name, &scope, call.today()).await?;
    let head = head.ok_or_else(|| call.missing(&scope, "linli.dev/Block", name.to_string()))?;
    check_etag(&name.to_string(), etag, head.version)?;
    let state = rules::state(head.life);
    Ok(Locked { name, head, state })
}

/// Locks a block whatever the caller's areas, for an import that was permitted in the whole town.
pub(crate) async fn lock_as(work: &mut Work, name: BlockName) -> Result<Locked, Refusal> {
    let today = work.call().today();
    let head = store::lock(work.sql(), &name, &Scope::Town, today).await?;
    let head =
        head.ok_or_else(|| Refusal::new(&UNKNOWN_PARENT).with("field", "block").with("name", &name))?;
    let state = rules::state(head.life);
    Ok(Locked { name, head, state })
}

/// The next version and the change that tells of it.
pub(crate) async fn change(
    work: &mut Work,
    locked: &Locked,
    verb: Do,
    event: &'static str,
    comment: &str,
    data: serde_json::Value,
) -> Result<Change, Refusal> {
    let version = store::bump(work.sql(), &locked.name, None).await?;
    let to = TABLE.next(locked.state, verb).unwrap_or(locked.state);
    Ok(Change {
        resource: locked.name.to_string(),
        version,
        verb: verb.name(),
        from_state: locked.state.name(),
        to_state: to.name(),
        comment: comment.to_owned(),
        event,
        data,
    })
}

/// The block as it is on `day`, for an answer.
async fn shown(work: &mut Work, name: &BlockName, day: Date) -> Result<pb::Block, Refusal> {
    let today = work.call().today();
    let view = store::get(work.sql(), name, &Scope::Town, &AsOf::now(day), today).await?;
    encode::block(&view.ok_or_else(|| Refusal::internal(format!("{name} is nothing on {day}")))?, today)
}

/// A block that is to be opened.
pub(crate) struct New {
    pub(crate) name: BlockName,
    pub(crate) facts: Facts,
    pub(crate) life: Period,
}

impl New {
    /// Stores head and period; the stewardships follow in the same transaction, or it won't commit.
    pub(crate) async fn store(&self, work: &mut Work, at: &str) -> Result<(), Refusal> {
        if !store::create(work.sql(), &self.name, self.life).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &self.name));
        }
        let splice = Splice { close: Vec::new(), insert: vec![(self.life, self.facts.clone())] };
        store::write(work.sql(), &self.name, &splice, at, "").await
    }

    /// The change that tells of it.
    pub(crate) fn change(&self, verb: &'static str) -> Change {
        Change {
            resource: self.name.to_string(),
            version: 1,
            verb,
            from_state: "",
            to_state: State::Open.name(),
            comment: String::new(),
            event: "block.created",
            data: json!({"block": self.name.to_string(), "committee": self.facts.committee, "start_date": self.life.from().to_string()}),
        }
    }
}

/// Refuses a committee that isn't there, or can't have blocks on the day.
pub(crate) async fn need_committee(
    work: &mut Work,
    scope: &Scope,
    name: &CommitteeName,
    day: Date,
) -> Result<(), Refusal> {
    let as_of = AsOf::now(day);
    let view = committee::store::get(work.sql(), name, scope, &as_of).await?;
    let Some(view) = view else {
        let call = work.call().clone();
        return Err(match scope {
            Scope::Town => Refusal::new(&UNKNOWN_PARENT).with("field", "committee").with("name", name),
            Scope::None | Scope::Areas { .. } => call.denied(),
        });
    };
    match CommitteeState::from_name(&view.state) {
        Some(CommitteeState::Preparing | CommitteeState::Founded) => Ok(()),
        Some(CommitteeState::Merged | CommitteeState::Dissolved) | None => {
            Err(Refusal::new(&TARGET_NOT_FOUNDED).with("name", name).with("state", view.state))
        }
    }
}

/// CreateBlock.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateBlockRequest;
    type Answer = pb::Block;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Block>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = work.call().scope(town.town())?;
        let (new, committee, steward) = parse(town.town(), request)?;
        need_committee(work, &scope, &committee, new.life.from()).await?;
        let at = stamp(work.sql()).await?;
        new.store(work, &at).await?;
        let facts = steward.facts(stewards::Kind::Regular);
        let splice = Splice { close: Vec::new(), insert: vec![(new.life, facts)] };
        stewardship::store::write(work.sql(), &new.name, &splice, &at, "").await?;
        let answer = shown(work, &new.name, new.life.from()).await?;
        Ok(Record {
            town: town.town().to_owned(),
            resource: new.name.to_string(),
            summary: format!("create {}", new.name),
            changes: vec![new.change("create")],
            answer,
        })
    }
}

fn parse(town: &str, request: &pb::CreateBlockRequest) -> Result<(New, CommitteeName, Steward), Refusal> {
    let default = pb::Block::default();
    let given = request.block.as_ref().unwrap_or(&default);
    let mut faults = Faults::default();
    let name = BlockName::new(town, &request.block_id);
    let name = faults
        .take(name.map_err(|error| FieldFault::new("block_id", "FORMAT", "编号格式不符", error.to_string())));
    let display_name = faults.take(fields::display("block.display_name", &given.display_name));
    let committee = faults.take(fields::committee_id("block.committee", town, &given.committee));
    let start = faults.take(wire::required_date("block.start_date", given.start_date.as_ref()));
    let steward = faults.take(Steward::parse("steward", town, request.steward.as_ref()));
    let all = name.zip(display_name).zip(committee).zip(start).zip(steward);
    let ((((name, display_name), committee), start), steward) = faults.finish(all)?;
    let parent = CommitteeName::new(town, &committee).map_err(Refusal::internal)?;
    Ok((New { name, facts: Facts { committee, display_name }, life: Period::since(start) }, parent, steward))
}

/// UpdateBlock.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateBlockRequest;
    type Answer = pb::Block;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Block>, Refusal> {
        let default = pb::Block::default();
        let given = request.block.as_ref().unwrap_or(&default);
        let locked = lock(work, &given.name, &given.etag).await?;
        let mut faults = Faults::default();
        faults.take(wire::mask(request.update_mask.as_ref(), &["display_name"]));
        let display_name = faults.take(fields::display("block.display_name", &given.display_name));
        let display_name = faults.finish(display_name)?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::Update)?;
        let today = work.call().today().max(locked.head.life.from());
        let line = store::believed(work.sql(), &locked.name).await?;
        let splice = amend(&line, Period::since(today), |facts| Facts {
            display_name: display_name.clone(),
            ..facts.clone()
        });
        let at = stamp(work.sql()).await?;
        store::write(work.sql(), &locked.name, &splice, &at, "").await?;
        let change =
            change(work, &locked, Do::Update, "block.updated", "", json!({"block": locked.name.to_string()}))
                .await?;
        finish(work, &locked, change, today).await
    }
}

async fn finish(
    work: &mut Work,
    locked: &Locked,
    change: Change,
    day: Date,
) -> Result<Record<pb::Block>, Refusal> {
    let answer = shown(work, &locked.name, day).await?;
    Ok(Record {
        town: locked.name.town().to_owned(),
        resource: locked.name.to_string(),
        summary: format!("{} {}", change.verb, locked.name),
        changes: vec![change],
        answer,
    })
}

/// CloseBlock.
pub(super) struct Close;

#[tonic::async_trait]
impl Verb for Close {
    type Request = pb::CloseBlockRequest;
    type Answer = pb::Block;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Block>, Refusal> {
        let end = wire::required_date("end_date", request.end_date.as_ref())
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let locked = lock(work, &request.name, &request.etag).await?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::Close)?;
        if end <= locked.head.life.from() {
            return Err(Refusal::new(&OUTSIDE_LIFE)
                .with("name", &locked.name)
                .with("period", locked.head.life));
        }
        let its = building::store::in_block(work.sql(), locked.name.town(), locked.name.block(), end).await?;
        if its > 0 {
            return Err(Refusal::new(&BLOCK_HAS_BUILDINGS).with("name", &locked.name).with("buildings", its));
        }
        let at = stamp(work.sql()).await?;
        let line = stewardship::store::believed(work.sql(), &locked.name).await?;
        stewardship::store::write(work.sql(), &locked.name, &truncate(&line, end), &at, &request.comment)
            .await?;
        let forces = force::store::believed(work.sql(), &locked.name).await?;
        force::store::write(work.sql(), &locked.name, &truncate(&forces, end), &at, &request.comment).await?;
        let line = store::believed(work.sql(), &locked.name).await?;
        store::write(work.sql(), &locked.name, &truncate(&line, end), &at, &request.comment).await?;
        let version = store::bump(work.sql(), &locked.name, Some(end)).await?;
        let change = Change {
            resource: locked.name.to_string(),
            version,
            verb: Do::Close.name(),
            from_state: locked.state.name(),
            to_state: State::Closed.name(),
            comment: request.comment.clone(),
            event: "block.closed",
            data: json!({"block": locked.name.to_string(), "end_date": end.to_string()}),
        };
        finish(work, &locked, change, end.yesterday().unwrap_or(end)).await
    }
}

/// Moves a locked block to another committee from a day on, with a merger. Its stewards stay.
pub(crate) async fn move_to(work: &mut Work, name: &BlockName, carry: &Carry<'_>) -> Result<Change, Refusal> {
    let (from, into) = (carry.from.committee(), carry.into.committee());
    let line = store::believed(work.sql(), name).await?;
    let splice = amend(&line, Period::since(carry.day), |facts| {
        if facts.committee == from {
            Facts { committee: into.to_owned(), ..facts.clone() }
        } else {
            facts.clone()
        }
    });
    let at = stamp(work.sql()).await?;
    store::write(work.sql(), name, &splice, &at, carry.comment).await?;
    let version = store::bump(work.sql(), name, None).await?;
    Ok(Change {
        resource: name.to_string(),
        version,
        verb: "move",
        from_state: State::Open.name(),
        to_state: State::Open.name(),
        comment: carry.comment.to_owned(),
        event: "block.moved",
        data: json!({"block": name.to_string(), "from": from, "into": into, "effective_date": carry.day.to_string()}),
    })
}
