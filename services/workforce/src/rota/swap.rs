//! Swaps 换班: one proposes, the other agrees, a third approves, and then the duties change hands.

use chassis::{
    actor::{Actor, another},
    call::Call,
    comment, fields,
    identity::Scope,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    name::{DutyName, DutySwapName, TownName, WorkerName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode, hand,
    plan::Policy,
    rules::{SWAPS, SwapState, SwapVerb as Do, Verb as RotaVerb},
    store::{self, duties, swaps},
};
use crate::reasons::{DUTY_NOT_HELD, DUTY_NOT_IN_FORCE, DUTY_SWAP_OPEN, DUTY_SWAP_STALE};

/// Whether the caller is the person, an id.
pub(super) fn is_caller(call: &Call, town: &str, person: &str) -> bool {
    call.person() == Some(&encode::below(town, "people", person))
}

/// Whether the caller holds the permission for all committees of a swap.
fn sees_all(scope: &Scope, row: &swaps::Row) -> bool {
    scope.is_town()
        || (!row.committees.is_empty()
            && row.committees.iter().all(|committee| scope.holds_committee(committee)))
}

/// What keeps the caller from a step of a swap.
#[derive(Debug)]
pub(super) enum Kept {
    /// It is somebody else's.
    NotHis,
    /// He is one of the two.
    FourEyes(Refusal),
}

/// What keeps the caller from a verb: whose step it is, and four eyes.
pub(super) fn kept(call: &Call, row: &swaps::Row, scope: &Scope, verb: Do) -> Option<Kept> {
    let own = is_caller(call, &row.town, &row.person);
    let other = is_caller(call, &row.town, &row.other_person);
    let his = match verb {
        Do::Create => true,
        Do::Withdraw => own,
        Do::Consent => other,
        // the proposer takes his own back
        Do::Reject => other || (!own && sees_all(scope, row)),
        Do::Approve => sees_all(scope, row),
    };
    if !his {
        return Some(Kept::NotHis);
    }
    if verb != Do::Approve {
        return None;
    }
    let (proposer, consenter) = (row.proposer(), row.consenter());
    // the persons of both workers too: whoever agreed for one of them under another login is still he
    let person = |id: &str| Actor::new("-", encode::below(&row.town, "people", id));
    let (one, two) = (person(&row.person), person(&row.other_person));
    let former = [("create", &proposer), ("consent", &consenter), ("create", &one), ("consent", &two)];
    another(&row.name(), verb.name(), &Actor::of(call), &former).err().map(Kept::FourEyes)
}

/// A swap, locked, whose state knows `verb` and whose step it is for the caller.
async fn lock(work: &mut Work, (name, etag, verb): (&str, &str, Do)) -> Result<swaps::Row, Refusal> {
    let name: DutySwapName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.may(call.permission(), name.town());
    store::lock(work.sql(), name.town()).await?;
    let row = swaps::get(work.sql(), &name, &Scope::Town).await?;
    let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/DutySwap", name.to_string()))?;
    let is_his = is_caller(&call, &row.town, &row.person) || is_caller(&call, &row.town, &row.other_person);
    if !is_his && !sees_all(&scope, &row) {
        return Err(call.denied());
    }
    check_etag(&row.name(), etag, row.version)?;
    transition(&SWAPS, &row.name(), row.state()?, verb)?;
    match kept(&call, &row, &scope, verb) {
        None => Ok(row),
        Some(Kept::NotHis) => Err(call.denied()),
        Some(Kept::FourEyes(refusal)) => Err(refusal),
    }
}

fn change(row: &swaps::Row, verb: Do, from: &'static str, comment: &str) -> Result<Change, Refusal> {
    let event = match verb {
        Do::Create => "dutySwap.proposed",
        Do::Consent => "dutySwap.consented",
        Do::Approve => "dutySwap.approved",
        Do::Reject => "dutySwap.rejected",
        Do::Withdraw => "dutySwap.withdrawn",
    };
    Ok(Change {
        resource: row.name(),
        version: row.version,
        verb: verb.name(),
        from_state: from,
        to_state: row.state()?.name(),
        comment: comment.to_owned(),
        event,
        data: json!({
            "duty_swap": row.name(),
            "duty": duties::name(&row.town, row.duty),
            "other_duty": row.other_duty.map(|id| duties::name(&row.town, id)),
            "worker": encode::below(&row.town, "workers", &row.worker),
            "other_worker": encode::below(&row.town, "workers", &row.other_worker),
            "state": row.state()?.name(),
        }),
    })
}

fn record(row: &swaps::Row, changes: Vec<Change>, verb: Do) -> Result<Record<pb::DutySwap>, Refusal> {
    Ok(Record {
        town: row.town.clone(),
        resource: row.name(),
        summary: format!("{} {}", verb.name(), row.name()),
        changes,
        answer: encode::swap(row)?,
    })
}

async fn reread(work: &mut Work, town: &str, id: Uuid) -> Result<swaps::Row, Refusal> {
    let name = DutySwapName::new(town, id.to_string()).map_err(Refusal::internal)?;
    let found = swaps::get(work.sql(), &name, &Scope::Town).await?;
    found.ok_or_else(|| Refusal::internal("a swap vanished"))
}

/// The duties of a swap, the second where one comes back.
struct Pair {
    duty: duties::Row,
    other: Option<duties::Row>,
}

impl Pair {
    fn ids(&self) -> Vec<Uuid> {
        [Some(self.duty.id), self.other.as_ref().map(|other| other.id)].into_iter().flatten().collect()
    }
}

/// What stands in the way of either once the duties have changed hands; the names of what is accepted, for each duty.
async fn need_possible(
    work: &mut Work,
    (pair, worker, other_worker): (&Pair, &str, &str),
    accepted: Option<&[i32]>,
) -> Result<Vec<Vec<String>>, Refusal> {
    let ids = pair.ids();
    let mut hands = vec![(&pair.duty, other_worker)];
    hands.extend(pair.other.as_ref().map(|other| (other, worker)));
    let mut all = Vec::new();
    for of in hands {
        let (policy, _): (Policy, _) = hand_rota(work, of.0).await?;
        let found = hand::in_the_way(work, of, (&policy, &ids)).await?;
        // what can be accepted is told to who approves
        let soft = [pb::DutyObstacle::Resting.into()];
        all.push(hand::need_acceptable(of, &found, accepted.unwrap_or(&soft))?);
    }
    Ok(all)
}

async fn hand_rota(work: &mut Work, duty: &duties::Row) -> Result<(Policy, store::Row), Refusal> {
    super::acts::rota_of(work, (&duty.town, duty.rota), RotaVerb::Assign).await
}

/// CreateDutySwap.
pub(super) struct Create;

/// What a request to swap names.
struct Asked {
    duty: DutyName,
    other_worker: WorkerName,
    other_duty: Option<DutyName>,
}

fn read(town: &TownName, given: &pb::DutySwap) -> Result<Asked, Refusal> {
    let mut faults = Faults::default();
    let duty = faults.take(fields::in_town("duty_swap.duty", &given.duty, town.town(), DutyName::town));
    let worker = ("duty_swap.other_worker", &given.other_worker);
    let other_worker = faults.take(fields::in_town(worker.0, worker.1, town.town(), WorkerName::town));
    let other_duty = match given.other_duty.is_empty() {
        true => Some(None),
        false => {
            let name = ("duty_swap.other_duty", &given.other_duty);
            faults.take(fields::in_town(name.0, name.1, town.town(), DutyName::town)).map(Some)
        }
    };
    if given.duty == given.other_duty {
        let (zh, en) = ("与 duty 相同", "the same as duty");
        faults.push(FieldFault::new("duty_swap.other_duty", "REPEATED", zh, en));
    }
    let ((duty, other_worker), other_duty) = faults.finish(duty.zip(other_worker).zip(other_duty))?;
    Ok(Asked { duty, other_worker, other_duty })
}

/// A duty in force with a worker.
async fn in_force(work: &mut Work, name: &DutyName) -> Result<duties::Row, Refusal> {
    let call = work.call().clone();
    let scope = call.may(call.permission(), name.town());
    let found = hand::find(work, name).await?;
    let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Duty", name.to_string()))?;
    let refused = |reason| Err(Refusal::new(reason).with("name", found.name()));
    match (found.is_in_force(), &found.worker) {
        (false, _) => refused(&DUTY_NOT_IN_FORCE),
        (true, None) => refused(&DUTY_NOT_HELD),
        (true, Some(_)) => Ok(found),
    }
}

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateDutySwapRequest;
    type Answer = pb::DutySwap;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::DutySwap>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        let default = pb::DutySwap::default();
        let asked = read(&town, request.duty_swap.as_ref().unwrap_or(&default))?;
        store::lock(work.sql(), town.town()).await?;
        // whose duty it isn't learns nothing of it
        let found = hand::find(work, &asked.duty).await?;
        let own =
            found.and_then(|duty| duty.person).is_some_and(|person| is_caller(&call, town.town(), &person));
        if !own {
            return Err(call.denied());
        }
        let duty = in_force(work, &asked.duty).await?;
        let other = match &asked.other_duty {
            None => None,
            Some(name) => Some(in_force(work, name).await?),
        };
        let other_worker = asked.other_worker.worker();
        let worker = duty.worker.clone().unwrap_or_default();
        if worker == other_worker
            || other.as_ref().is_some_and(|other| other.worker.as_deref() != Some(other_worker))
        {
            let (zh, en) = ("不是对方的值班", "isn't the other worker's");
            return Err(Refusal::one(FieldFault::new("duty_swap.other_worker", "NOT_HELD", zh, en)));
        }
        if let Some(open) = swaps::open(work.sql(), town.town(), duty.id).await? {
            let open = swaps::name(town.town(), open);
            return Err(Refusal::new(&DUTY_SWAP_OPEN).with("name", duty.name()).with("other", open));
        }
        let pair = Pair { duty, other };
        need_possible(work, (&pair, &worker, other_worker), None).await?;
        let new = swaps::New {
            town: town.town(),
            id: Uuid::now_v7(),
            duty: pair.duty.id,
            worker: &worker,
            other_worker,
            other_duty: pair.other.as_ref().map(|other| other.id),
        };
        swaps::create(work.sql(), &new, &Actor::of(&call)).await?;
        let row = reread(work, town.town(), new.id).await?;
        record(&row, vec![change(&row, Do::Create, "", &request.comment)?], Do::Create)
    }
}

/// Moves a swap to its next state.
async fn step(
    work: &mut Work,
    (row, verb): (&swaps::Row, Do),
    comment: &str,
) -> Result<(swaps::Row, Change), Refusal> {
    let to: SwapState = transition(&SWAPS, &row.name(), row.state()?, verb)?;
    let who = Actor::of(work.call());
    swaps::set_state(work.sql(), row, to, &who).await?;
    let now = reread(work, &row.town, row.id).await?;
    let told = change(&now, verb, row.state()?.name(), comment)?;
    Ok((now, told))
}

/// ConsentDutySwap 同意.
pub(super) struct Consent;

#[tonic::async_trait]
impl Verb for Consent {
    type Request = pb::ConsentDutySwapRequest;
    type Answer = pb::DutySwap;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::DutySwap>, Refusal> {
        let row = lock(work, (&request.name, &request.etag, Do::Consent)).await?;
        let (now, told) = step(work, (&row, Do::Consent), &request.comment).await?;
        record(&now, vec![told], Do::Consent)
    }
}

/// RejectDutySwap 拒绝.
pub(super) struct Reject;

#[tonic::async_trait]
impl Verb for Reject {
    type Request = pb::RejectDutySwapRequest;
    type Answer = pb::DutySwap;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::DutySwap>, Refusal> {
        let row = lock(work, (&request.name, &request.etag, Do::Reject)).await?;
        let reason = comment::reason(&request.comment, &row.name(), Do::Reject.name())?;
        let (now, told) = step(work, (&row, Do::Reject), reason).await?;
        record(&now, vec![told], Do::Reject)
    }
}

/// WithdrawDutySwap 撤回.
pub(super) struct Withdraw;

#[tonic::async_trait]
impl Verb for Withdraw {
    type Request = pb::WithdrawDutySwapRequest;
    type Answer = pb::DutySwap;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::DutySwap>, Refusal> {
        let row = lock(work, (&request.name, &request.etag, Do::Withdraw)).await?;
        let (now, told) = step(work, (&row, Do::Withdraw), &request.comment).await?;
        record(&now, vec![told], Do::Withdraw)
    }
}

/// ApproveDutySwap 批准.
pub(super) struct Approve;

/// The duties of a swap, each still with the worker that it had.
async fn pair(work: &mut Work, row: &swaps::Row) -> Result<Pair, Refusal> {
    let stale = || Refusal::new(&DUTY_SWAP_STALE).with("name", row.name());
    let still = |duty: duties::Row, worker: &str| match duty.is_in_force()
        && duty.worker.as_deref() == Some(worker)
    {
        true => Ok(duty),
        false => Err(stale()),
    };
    let duty = still(duties::of(work.sql(), &row.town, row.duty).await?, &row.worker)?;
    let other = match row.other_duty {
        None => None,
        Some(id) => Some(still(duties::of(work.sql(), &row.town, id).await?, &row.other_worker)?),
    };
    Ok(Pair { duty, other })
}

#[tonic::async_trait]
impl Verb for Approve {
    type Request = pb::ApproveDutySwapRequest;
    type Answer = pb::DutySwap;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::DutySwap>, Refusal> {
        let row = lock(work, (&request.name, &request.etag, Do::Approve)).await?;
        let who = Actor::of(work.call());
        let pair = pair(work, &row).await?;
        let workers = (&pair, row.worker.as_str(), row.other_worker.as_str());
        let accepted = need_possible(work, workers, Some(&request.accepted_violations)).await?;
        let mut hands = vec![(&pair.duty, row.other_worker.as_str())];
        hands.extend(pair.other.as_ref().map(|other| (other, row.worker.as_str())));
        // both are free before either is given: they may be of one day
        for (duty, _) in &hands {
            duties::assign(work.sql(), duty, None, &[], &who).await?;
        }
        let mut changes = Vec::new();
        for ((duty, worker), accepted) in hands.iter().zip(&accepted) {
            duties::assign(work.sql(), duty, Some(worker), accepted, &who).await?;
            let now = duties::of(work.sql(), &duty.town, duty.id).await?;
            changes.push(hand::change(&now, "swap", &request.comment));
        }
        let (now, told) = step(work, (&row, Do::Approve), &request.comment).await?;
        changes.push(told);
        record(&now, changes, Do::Approve)
    }
}
