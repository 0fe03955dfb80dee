//! Drafting a policy, changing the draft, taking it away.

use chassis::{
    actor::Actor,
    refusal::{ALREADY_EXISTS, CONFLICT, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, VerbGiven, Work, check_etag},
};
use contracts::linli::insurance::v1 as pb;
use kernel::{
    name::{PolicyName, TownName},
    state::Named,
};

use super::{
    decode, encode,
    insurer::{Insurer, need_insurer},
    rules::{Contract, Head, State, TABLE, Verb as Do},
    store::{
        self, Stored,
        write::{self, Draft},
    },
};
use crate::{
    programme::store as programmes,
    reasons::{POLICY_NUMBER_TAKEN, PROGRAMME_UNKNOWN},
};

/// A policy that is locked for a step.
pub(super) struct Locked {
    pub(super) name: PolicyName,
    pub(super) stored: Stored,
    /// Its state today.
    pub(super) from: State,
    /// The state that the step brings it into.
    pub(super) to: State,
}

/// A policy of the caller's town, locked, that knows the verb.
pub(super) async fn lock(work: &mut Work, name: &str, etag: &str, verb: Do) -> Result<Locked, Refusal> {
    let name: PolicyName = wire::name("name", name)?;
    let call = work.call().clone();
    call.whole_town(name.town())?;
    let stored = store::get(work.sql(), &name, &call.scope(name.town())?, true).await?;
    let stored = stored.ok_or_else(|| Refusal::not_found("linli.dev/Policy", name.to_string()))?;
    check_etag(&name.to_string(), etag, stored.version)?;
    let from = stored.state_on(call.today());
    let to = transition(&TABLE, &name.to_string(), from, verb)?;
    Ok(Locked { name, stored, from, to })
}

/// A step of a policy's life, and the event that tells of it.
pub(super) struct Step<'a> {
    pub(super) verb: Do,
    pub(super) from: &'static str,
    pub(super) event: &'static str,
    pub(super) comment: &'a str,
}

/// The record of a step that was stored.
pub(super) async fn record(
    work: &mut Work,
    name: &PolicyName,
    step: Step<'_>,
) -> Result<Record<pb::Policy>, Refusal> {
    let call = work.call().clone();
    let stored = store::get(work.sql(), name, &call.scope(name.town())?, false).await?;
    let stored = stored.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let today = call.today();
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", step.verb.name()),
        changes: vec![Change {
            resource: name.to_string(),
            version: stored.version,
            verb: step.verb.name(),
            from_state: step.from,
            to_state: stored.state_on(today).name(),
            comment: step.comment.to_owned(),
            event: step.event,
            data: encode::told(&stored, today),
        }],
        answer: encode::policy(&stored, today),
    })
}

/// Refuses a number that another policy of the insurer has.
async fn need_number(work: &mut Work, name: &PolicyName, head: &Head) -> Result<(), Refusal> {
    let Some(other) = store::of_number(work.sql(), name, head).await? else { return Ok(()) };
    Err(Refusal::new(&POLICY_NUMBER_TAKEN)
        .with_typed("number", &head.number)
        .with("other", format!("towns/{}/policies/{other}", name.town())))
}

/// The first version of a draft, as it is to be written.
fn first<'a>(head: &Head, contract: &'a Contract) -> Draft<'a> {
    Draft { n: 1, from: head.days.from, reason: "", contract }
}

/// CreatePolicy.
pub(super) struct Create;

#[tonic::async_trait]
impl VerbGiven for Create {
    type Given = Option<Insurer>;
    type Request = pb::CreatePolicyRequest;
    type Answer = pb::Policy;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        given: &Self::Given,
        request: &Self::Request,
    ) -> Result<Record<pb::Policy>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let default = pb::Policy::default();
        let asked = request.policy.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let name = PolicyName::new(town.town(), &request.policy_id);
        let name = faults.take(
            name.map_err(|error| FieldFault::new("policy_id", "FORMAT", "编号格式不符", error.to_string())),
        );
        let programme = decode::programme(&mut faults, town.town(), asked);
        let head = decode::head(&mut faults, town.town(), asked);
        let contract = decode::contract(&mut faults, "policy.terms", asked.terms.as_ref(), true);
        let all = name.zip(programme).zip(head.zip(contract));
        let ((name, programme), (head, contract)) = decode::finish(faults, all)?;
        need_insurer(given.as_ref(), town.town(), &head)?;
        if !programmes::lives(work.sql(), town.town(), &programme).await? {
            let programme = format!("{town}/programmes/{programme}");
            return Err(Refusal::new(&PROGRAMME_UNKNOWN).with("programme", programme));
        }
        need_number(work, &name, &head).await?;
        if !write::create(work.sql(), &name, &programme, &head).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &name));
        }
        let by = Actor::of(work.call());
        write::draft(work.sql(), &name, first(&head, &contract), &by).await?;
        let step = Step { verb: Do::Create, from: "", event: "policy.drafted", comment: "" };
        record(work, &name, step).await
    }
}

/// UpdatePolicy.
pub(super) struct Update;

#[tonic::async_trait]
impl VerbGiven for Update {
    type Given = Option<Insurer>;
    type Request = pb::UpdatePolicyRequest;
    type Answer = pb::Policy;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        given: &Self::Given,
        request: &Self::Request,
    ) -> Result<Record<pb::Policy>, Refusal> {
        let default = pb::Policy::default();
        let asked = request.policy.as_ref().unwrap_or(&default);
        let Locked { name, stored, from, .. } = lock(work, &asked.name, &asked.etag, Do::Update).await?;
        let fields = wire::mask(request.update_mask.as_ref(), encode::CHANGEABLE)
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let whole = encode::updated(encode::policy(&stored, work.call().today()), asked, &fields);
        let mut faults = Faults::default();
        let head = decode::head(&mut faults, name.town(), &whole);
        let contract = decode::contract(&mut faults, "policy.terms", whole.terms.as_ref(), true);
        let (head, contract) = decode::finish(faults, head.zip(contract))?;
        // the insurer was asked for before the policy was locked
        if given.as_ref().is_some_and(|insurer| insurer.id() != head.insurer) {
            return Err(Refusal::new(&CONFLICT));
        }
        need_insurer(given.as_ref(), name.town(), &head)?;
        need_number(work, &name, &head).await?;
        let by = Actor::of(work.call());
        write::update(work.sql(), &name, &head).await?;
        write::draft(work.sql(), &name, first(&head, &contract), &by).await?;
        let step =
            Step { verb: Do::Update, from: from.name(), event: "policy.changed", comment: &request.comment };
        record(work, &name, step).await
    }
}

/// DeletePolicy.
pub(super) struct Delete;

#[tonic::async_trait]
impl Verb for Delete {
    type Request = pb::DeletePolicyRequest;
    type Answer = pb::Policy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Policy>, Refusal> {
        let Locked { name, from, to, .. } = lock(work, &request.name, &request.etag, Do::Delete).await?;
        write::step(work.sql(), &name, Some(to)).await?;
        let step =
            Step { verb: Do::Delete, from: from.name(), event: "policy.deleted", comment: &request.comment };
        record(work, &name, step).await
    }
}

/// UndeletePolicy.
pub(super) struct Undelete;

#[tonic::async_trait]
impl Verb for Undelete {
    type Request = pb::UndeletePolicyRequest;
    type Answer = pb::Policy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Policy>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Undelete).await?;
        let Locked { name, stored, from, to } = locked;
        need_number(work, &name, &stored.head).await?;
        if !programmes::lives(work.sql(), name.town(), &stored.programme).await? {
            let programme = format!("towns/{}/programmes/{}", name.town(), stored.programme);
            return Err(Refusal::new(&PROGRAMME_UNKNOWN).with("programme", programme));
        }
        write::step(work.sql(), &name, Some(to)).await?;
        let comment = &request.comment;
        let step = Step { verb: Do::Undelete, from: from.name(), event: "policy.undeleted", comment };
        record(work, &name, step).await
    }
}
