//! Drafting, changing, taking away and publishing a policy.

use chassis::{
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::funding::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{FundingPolicyName, TownName},
    state::Named,
};

use super::{
    encode,
    rules::{Policy, State, TABLE, Terms, Verb as Do},
    store::{self, Stored},
};
use crate::{
    actor::{self, Actor},
    ledger::store::year,
    money,
    reasons::{POLICY_NOT_DUE, POLICY_OF_ANOTHER_YEAR},
    year::opened,
};

/// The policy that a request writes, with every fault of it.
fn decode(name: &str, given: &pb::FundingPolicy, mut faults: Faults) -> Result<Terms, Refusal> {
    let terms = encode::read(&mut faults, "funding_policy", given);
    if let Some(terms) = &terms
        && let Err(found) = Policy::new(name, 0, terms.clone())
    {
        encode::field_faults("funding_policy", found).into_iter().for_each(|fault| faults.push(fault));
    }
    money::finish(faults, terms)
}

/// A policy of the caller's town, locked.
async fn lock(work: &mut Work, name: &FundingPolicyName, etag: &str) -> Result<Stored, Refusal> {
    work.call().whole_town(name.town())?;
    let found = store::get(work.sql(), name, true).await?;
    let found = found.ok_or_else(|| Refusal::not_found("linli.dev/FundingPolicy", name.to_string()))?;
    check_etag(&name.to_string(), etag, found.version)?;
    Ok(found)
}

async fn reread(work: &mut Work, name: &FundingPolicyName) -> Result<Stored, Refusal> {
    let found = store::get(work.sql(), name, false).await?;
    found.ok_or_else(|| Refusal::internal(format!("{name} vanished")))
}

/// A step of a policy's life, and the event that tells of it.
struct Step<'a> {
    verb: Do,
    from: &'static str,
    event: &'static str,
    comment: &'a str,
}

fn change(name: &FundingPolicyName, stored: &Stored, step: &Step<'_>) -> Change {
    Change {
        resource: name.to_string(),
        version: stored.version,
        verb: step.verb.name(),
        from_state: step.from,
        to_state: stored.state.name(),
        comment: step.comment.to_owned(),
        event: step.event,
        data: encode::told(name, stored),
    }
}

async fn record(
    work: &mut Work,
    name: &FundingPolicyName,
    step: Step<'_>,
) -> Result<Record<pb::FundingPolicy>, Refusal> {
    let stored = reread(work, name).await?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", step.verb.name()),
        changes: vec![change(name, &stored, &step)],
        answer: encode::policy(name.town(), &stored),
    })
}

/// CreateFundingPolicy.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateFundingPolicyRequest;
    type Answer = pb::FundingPolicy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::FundingPolicy>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let default = pb::FundingPolicy::default();
        let given = request.funding_policy.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let name = FundingPolicyName::new(town.town(), &request.funding_policy_id);
        let name = faults.take(name.map_err(|error| {
            FieldFault::new("funding_policy_id", "FORMAT", "编号格式不符", error.to_string())
        }));
        let terms = decode(&request.funding_policy_id, given, faults)?;
        let name = name.ok_or_else(|| Refusal::internal("a name without a fault"))?;
        let by = Actor::of(work.call());
        if !store::create(work.sql(), &name, &terms, &by).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &name));
        }
        let step = Step { verb: Do::Create, from: "", event: "policy.drafted", comment: "" };
        record(work, &name, step).await
    }
}

/// UpdateFundingPolicy.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateFundingPolicyRequest;
    type Answer = pb::FundingPolicy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::FundingPolicy>, Refusal> {
        let default = pb::FundingPolicy::default();
        let given = request.funding_policy.as_ref().unwrap_or(&default);
        let name: FundingPolicyName = wire::name("funding_policy.name", &given.name)?;
        let found = lock(work, &name, &given.etag).await?;
        transition(&TABLE, &name.to_string(), found.state, Do::Update)?;
        let fields = wire::mask(request.update_mask.as_ref(), encode::CHANGEABLE)
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let year = found.policy.fiscal_year();
        if request.update_mask.is_none() && given.fiscal_year != 0 && given.fiscal_year != year {
            return Err(Refusal::new(&POLICY_OF_ANOTHER_YEAR).with("name", &name).with("year", year));
        }
        let whole = encode::updated(encode::policy(name.town(), &found), given, &fields);
        let terms = decode(name.funding_policy(), &whole, Faults::default())?;
        let by = Actor::of(work.call());
        store::update(work.sql(), &name, &terms, &by).await?;
        let step = Step {
            verb: Do::Update,
            from: found.state.name(),
            event: "policy.changed",
            comment: &request.comment,
        };
        record(work, &name, step).await
    }
}

/// Takes a draft away, or brings it back.
async fn put(
    work: &mut Work,
    (name, etag, comment): (&str, &str, &str),
    verb: Do,
    event: &'static str,
) -> Result<Record<pb::FundingPolicy>, Refusal> {
    let name: FundingPolicyName = wire::name("name", name)?;
    let found = lock(work, &name, etag).await?;
    let to = transition(&TABLE, &name.to_string(), found.state, verb)?;
    store::set_state(work.sql(), &name, to).await?;
    record(work, &name, Step { verb, from: found.state.name(), event, comment }).await
}

/// DeleteFundingPolicy.
pub(super) struct Delete;

#[tonic::async_trait]
impl Verb for Delete {
    type Request = pb::DeleteFundingPolicyRequest;
    type Answer = pb::FundingPolicy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::FundingPolicy>, Refusal> {
        let asked = (request.name.as_str(), request.etag.as_str(), request.comment.as_str());
        put(work, asked, Do::Delete, "policy.deleted").await
    }
}

/// UndeleteFundingPolicy.
pub(super) struct Undelete;

#[tonic::async_trait]
impl Verb for Undelete {
    type Request = pb::UndeleteFundingPolicyRequest;
    type Answer = pb::FundingPolicy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::FundingPolicy>, Refusal> {
        let asked = (request.name.as_str(), request.etag.as_str(), request.comment.as_str());
        put(work, asked, Do::Undelete, "policy.undeleted").await
    }
}

/// Refuses publication to whoever wrote some of the policy.
pub(super) fn need_another(name: &FundingPolicyName, stored: &Stored, who: &Actor) -> Result<(), Refusal> {
    let wrote = stored.is_written_by(who).then_some(("write", who));
    // whoever can't be told from the writers isn't another one
    let unknown = Actor::new("", "");
    let unknown = who.person.is_empty().then_some(("write", &unknown));
    let former: Vec<(&str, &Actor)> = wrote.into_iter().chain(unknown).collect();
    actor::another(&name.to_string(), Do::Publish.name(), who, &former)
}

/// Refuses to supersede a policy before the day from which the new one is applied: what is in force is applied until then.
pub(super) fn need_due(name: &FundingPolicyName, stored: &Stored, today: Date) -> Result<(), Refusal> {
    let due = stored.policy.terms().effective_from;
    if due <= today {
        return Ok(());
    }
    Err(Refusal::new(&POLICY_NOT_DUE).with("name", name).with("due", due))
}

/// PublishFundingPolicy.
pub(super) struct Publish;

#[tonic::async_trait]
impl Verb for Publish {
    type Request = pb::PublishFundingPolicyRequest;
    type Answer = pb::FundingPolicy;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::FundingPolicy>, Refusal> {
        let name: FundingPolicyName = wire::name("name", &request.name)?;
        let found = lock(work, &name, &request.etag).await?;
        let town = name.town();
        transition(&TABLE, &name.to_string(), found.state, Do::Publish)?;
        let by = Actor::of(work.call());
        need_another(&name, &found, &by)?;
        let fiscal_year = found.policy.fiscal_year();
        let opened = match year::open(work.sql(), town, fiscal_year).await? {
            true => Some(opened(work.sql(), town, fiscal_year).await?),
            false => None,
        };
        year::need_open(work.sql(), town, fiscal_year).await?;
        let former = supersede(work, town, fiscal_year).await?;
        if former.is_some() {
            need_due(&name, &found, work.call().today())?;
        }
        let former_id = former.as_ref().map(|(name, _)| name.funding_policy());
        store::publish(work.sql(), &name, former_id, &by).await?;
        store::allow(work.sql(), town, &found.policy).await?;
        let step = Step {
            verb: Do::Publish,
            from: found.state.name(),
            event: "policy.published",
            comment: &request.comment,
        };
        let mut record = record(work, &name, step).await?;
        // the former first: its place is free before the new one takes it
        record.changes.splice(0..0, opened.into_iter().chain(former.map(|(_, change)| change)));
        Ok(record)
    }
}

/// Takes the policy in force, when there is one, out of force.
async fn supersede(
    work: &mut Work,
    town: &str,
    fiscal_year: i32,
) -> Result<Option<(FundingPolicyName, Change)>, Refusal> {
    let Some(former) = store::published(work.sql(), town, fiscal_year, true).await? else { return Ok(None) };
    let name = FundingPolicyName::new(town, &former.policy.id).map_err(Refusal::internal)?;
    let to = transition(&TABLE, &name.to_string(), former.state, Do::Supersede)?;
    store::set_state(work.sql(), &name, to).await?;
    let after = reread(work, &name).await?;
    let step =
        Step { verb: Do::Supersede, from: State::Published.name(), event: "policy.superseded", comment: "" };
    let change = change(&name, &after, &step);
    Ok(Some((name, change)))
}
