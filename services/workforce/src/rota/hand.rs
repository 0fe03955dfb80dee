//! Duties given and taken by hand 改派.

use chassis::{
    actor::Actor,
    comment, fields,
    identity::Scope,
    refusal::Refusal,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use jiff::{ToSpan, civil::Date};
use kernel::{
    name::{DutyName, WorkerName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{self, rota_of},
    encode,
    plan::{Obstacle, Policy},
    rules::{State, Verb as Do, is_hard, violations},
    store::{self, Row as Rota, duties, facts},
};
use crate::reasons::{DUTY_IMPOSSIBLE, DUTY_NOT_HELD, DUTY_VIOLATES};

/// A duty of the caller's areas, locked, with its rota, whose state knows `verb`.
struct Locked {
    duty: duties::Row,
    rota: Rota,
    policy: Policy,
}

async fn lock(work: &mut Work, (name, etag, verb): (&str, &str, Do)) -> Result<Locked, Refusal> {
    let name: DutyName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    store::lock(work.sql(), name.town()).await?;
    let duty = duties::get(work.sql(), &name, &scope).await?;
    let duty = duty.ok_or_else(|| call.missing(&scope, "linli.dev/Duty", name.to_string()))?;
    check_etag(&duty.name(), etag, duty.version)?;
    let (policy, rota) = rota_of(work, (&duty.town, duty.rota), verb).await?;
    Ok(Locked { duty, rota, policy })
}

/// What stands in the way of a worker on a duty, beside all that he does but the duties `but`.
pub(super) async fn in_the_way(
    work: &mut Work,
    (duty, worker): (&duties::Row, &str),
    (policy, but): (&Policy, &[Uuid]),
) -> Result<Vec<Obstacle>, Refusal> {
    let day: Date = duty.day()?;
    let committees = [duty.committee.clone()];
    let of = facts::Asked {
        town: &duty.town,
        committees: &committees,
        from: day,
        to: day.saturating_add(1.day()),
    };
    let candidates = facts::candidates(work.sql(), of).await?;
    let others = facts::others(work.sql(), (&duty.town, worker, day), (duty.rota, but)).await?;
    Ok(violations(policy, duty.given(worker)?, &candidates, &others))
}

fn names(obstacles: &[Obstacle]) -> Vec<String> {
    obstacles.iter().map(|one| one.name().to_owned()).collect()
}

/// Refuses what nobody can accept, and what wasn't named; the names of what was.
pub(super) fn need_acceptable(
    (duty, worker): (&duties::Row, &str),
    found: &[Obstacle],
    accepted: &[i32],
) -> Result<Vec<String>, Refusal> {
    let accepted = encode::obstacles(accepted);
    let refused = |reason: &'static chassis::refusal::Reason, why: &[Obstacle]| {
        Refusal::new(reason)
            .with("name", duty.name())
            .with("worker", encode::below(&duty.town, "workers", worker))
            .with("violations", names(why).join(", "))
    };
    let hard: Vec<Obstacle> = found.iter().copied().filter(|one| is_hard(*one)).collect();
    if !hard.is_empty() {
        return Err(refused(&DUTY_IMPOSSIBLE, &hard));
    }
    let unnamed: Vec<Obstacle> = found.iter().copied().filter(|one| !accepted.contains(one)).collect();
    if !unnamed.is_empty() {
        return Err(refused(&DUTY_VIOLATES, &unnamed));
    }
    Ok(names(found))
}

/// A duty that changed hands, told: resources and days alone.
pub(super) fn change(row: &duties::Row, verb: &'static str, comment: &str) -> Change {
    let worker = row.worker.as_deref().map(|id| encode::below(&row.town, "workers", id));
    Change {
        resource: row.name(),
        version: row.version,
        verb,
        from_state: "",
        to_state: "",
        comment: comment.to_owned(),
        event: if worker.is_some() { "duty.assigned" } else { "duty.unassigned" },
        data: json!({
            "duty": row.name(),
            "rota": store::name(&row.town, row.rota),
            "committee": encode::below(&row.town, "committees", &row.committee),
            "date": row.day,
            "window": row.part,
            "worker": worker,
            "in_force": row.is_in_force(),
        }),
    }
}

/// Writes who is on a duty; what is told of it and of its rota.
async fn write(
    work: &mut Work,
    locked: &Locked,
    (worker, accepted): (Option<&str>, &[String]),
    (verb, comment): (Do, &str),
) -> Result<Record<pb::Duty>, Refusal> {
    let comment = match locked.rota.state()? {
        // what people rely on changes for a reason
        State::Published => comment::reason(comment, &locked.duty.name(), verb.name())?,
        State::Draft | State::Superseded | State::Discarded => comment,
    };
    let who = Actor::of(work.call());
    duties::assign(work.sql(), &locked.duty, worker, accepted, &who).await?;
    store::touch(work.sql(), &locked.duty.town, locked.duty.rota).await?;
    let from = locked.rota.state()?.name();
    let (_, rota) = rota_of(work, (&locked.duty.town, locked.duty.rota), verb).await?;
    let duty = duties::of(work.sql(), &locked.duty.town, locked.duty.id).await?;
    Ok(Record {
        town: duty.town.clone(),
        resource: duty.name(),
        summary: format!("{} {}", verb.name(), duty.name()),
        changes: vec![change(&duty, verb.name(), comment), acts::change(&rota, verb, from, comment)?],
        answer: encode::duty(&duty)?,
    })
}

/// AssignDuty 改派.
pub(super) struct Assign;

#[tonic::async_trait]
impl Verb for Assign {
    type Request = pb::AssignDutyRequest;
    type Answer = pb::Duty;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Duty>, Refusal> {
        let locked = lock(work, (&request.name, &request.etag, Do::Assign)).await?;
        let worker = fields::in_town("worker", &request.worker, &locked.duty.town, WorkerName::town);
        let worker: WorkerName = worker.map_err(Refusal::one)?;
        let worker = worker.worker();
        let of = (&locked.duty, worker);
        let found = in_the_way(work, of, (&locked.policy, &[locked.duty.id])).await?;
        let accepted = need_acceptable(of, &found, &request.accepted_violations)?;
        write(work, &locked, (Some(worker), &accepted), (Do::Assign, &request.comment)).await
    }
}

/// UnassignDuty 撤派.
pub(super) struct Unassign;

#[tonic::async_trait]
impl Verb for Unassign {
    type Request = pb::UnassignDutyRequest;
    type Answer = pb::Duty;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Duty>, Refusal> {
        let locked = lock(work, (&request.name, &request.etag, Do::Unassign)).await?;
        if locked.duty.worker.is_none() {
            return Err(Refusal::new(&DUTY_NOT_HELD).with("name", locked.duty.name()));
        }
        write(work, &locked, (None, &[]), (Do::Unassign, &request.comment)).await
    }
}

/// A duty by its name, whoever asks.
pub(super) async fn find(work: &mut Work, name: &DutyName) -> Result<Option<duties::Row>, Refusal> {
    duties::get(work.sql(), name, &Scope::Town).await
}
