//! Recording, changing, taking away a programme.

use chassis::{
    fields,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::insurance::v1 as pb;
use kernel::{
    name::{ProgrammeName, TownName},
    state::Named,
};
use serde_json::json;

use super::{
    rules::{Programme, TABLE, Verb as Do},
    store::{self, Stored},
};
use crate::reasons::{PROGRAMME_IN_USE, PROGRAMME_RANK_TAKEN};

/// The programme that a request writes; the contract's rules hold its rank.
fn read(faults: &mut Faults, given: &pb::Programme) -> Option<Programme> {
    let display_name = faults.take(fields::display("programme.display_name", &given.display_name));
    if given.rank < 1 {
        faults.push(FieldFault::new("programme.rank", "REQUIRED", "必填", "required"));
    }
    Some(Programme { display_name: display_name?, rank: given.rank })
}

/// A programme of the caller's town, locked, that knows the verb.
async fn lock(work: &mut Work, name: &str, etag: &str, verb: Do) -> Result<(ProgrammeName, Stored), Refusal> {
    let name: ProgrammeName = wire::name("name", name)?;
    work.call().whole_town(name.town())?;
    let found = store::get(work.sql(), &name, true).await?;
    let found = found.ok_or_else(|| Refusal::not_found("linli.dev/Programme", name.to_string()))?;
    check_etag(&name.to_string(), etag, found.version)?;
    transition(&TABLE, &name.to_string(), found.state(), verb)?;
    Ok((name, found))
}

async fn need_rank(work: &mut Work, name: &ProgrammeName, rank: i32) -> Result<(), Refusal> {
    let Some(other) = store::of_rank(work.sql(), name, rank).await? else { return Ok(()) };
    Err(Refusal::new(&PROGRAMME_RANK_TAKEN)
        .with("rank", rank)
        .with("other", format!("towns/{}/programmes/{other}", name.town())))
}

/// Refuses what a programme with policies, or with `signed` ones, doesn't allow.
async fn need_unused(work: &mut Work, name: &ProgrammeName, signed: bool) -> Result<(), Refusal> {
    match store::policy_of(work.sql(), name, signed).await? {
        None => Ok(()),
        Some(policy) => Err(in_use(&name.to_string(), name.town(), &policy)),
    }
}

/// PROGRAMME_IN_USE.
pub(super) fn in_use(name: &str, town: &str, policy: &str) -> Refusal {
    Refusal::new(&PROGRAMME_IN_USE)
        .with("name", name)
        .with("policy", format!("towns/{town}/policies/{policy}"))
}

async fn record(
    work: &mut Work,
    name: &ProgrammeName,
    (verb, from, comment): (Do, &'static str, &str),
) -> Result<Record<pb::Programme>, Refusal> {
    let stored = store::get(work.sql(), name, false).await?;
    let stored = stored.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let event = match verb {
        Do::Create => "programme.created",
        Do::Update => "programme.changed",
        Do::Delete => "programme.deleted",
        Do::Undelete => "programme.undeleted",
    };
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", verb.name()),
        changes: vec![Change {
            resource: name.to_string(),
            version: stored.version,
            verb: verb.name(),
            from_state: from,
            to_state: stored.state().name(),
            comment: comment.to_owned(),
            event,
            data: json!({ "programme": stored.name(), "rank": stored.rank, "state": stored.state().name() }),
        }],
        answer: super::encode(&stored),
    })
}

/// CreateProgramme.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreateProgrammeRequest;
    type Answer = pb::Programme;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Programme>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let default = pb::Programme::default();
        let mut faults = Faults::default();
        let programme = read(&mut faults, request.programme.as_ref().unwrap_or(&default));
        let name = ProgrammeName::new(town.town(), &request.programme_id);
        let name =
            faults.take(name.map_err(|error| {
                FieldFault::new("programme_id", "FORMAT", "编号格式不符", error.to_string())
            }));
        let (name, programme) = faults.finish(name.zip(programme))?;
        need_rank(work, &name, programme.rank).await?;
        if !store::create(work.sql(), &name, &programme).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &name));
        }
        record(work, &name, (Do::Create, "", "")).await
    }
}

/// UpdateProgramme.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateProgrammeRequest;
    type Answer = pb::Programme;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Programme>, Refusal> {
        let default = pb::Programme::default();
        let given = request.programme.as_ref().unwrap_or(&default);
        let (name, stored) = lock(work, &given.name, &given.etag, Do::Update).await?;
        let fields = wire::mask(request.update_mask.as_ref(), &["display_name", "rank"])
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let mut whole = super::encode(&stored);
        if fields.contains(&"display_name") {
            whole.display_name.clone_from(&given.display_name);
        }
        if fields.contains(&"rank") {
            whole.rank = given.rank;
        }
        let mut faults = Faults::default();
        let programme = read(&mut faults, &whole);
        let programme = faults.finish(programme)?;
        if programme.rank != stored.rank {
            need_unused(work, &name, true).await?;
            need_rank(work, &name, programme.rank).await?;
        }
        store::update(work.sql(), &name, &programme).await?;
        record(work, &name, (Do::Update, stored.state().name(), &request.comment)).await
    }
}

/// DeleteProgramme.
pub(super) struct Delete;

#[tonic::async_trait]
impl Verb for Delete {
    type Request = pb::DeleteProgrammeRequest;
    type Answer = pb::Programme;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Programme>, Refusal> {
        let (name, stored) = lock(work, &request.name, &request.etag, Do::Delete).await?;
        need_unused(work, &name, false).await?;
        let to = transition(&TABLE, &name.to_string(), stored.state(), Do::Delete)?;
        store::put(work.sql(), &name, to).await?;
        record(work, &name, (Do::Delete, stored.state().name(), &request.comment)).await
    }
}

/// UndeleteProgramme.
pub(super) struct Undelete;

#[tonic::async_trait]
impl Verb for Undelete {
    type Request = pb::UndeleteProgrammeRequest;
    type Answer = pb::Programme;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Programme>, Refusal> {
        let (name, stored) = lock(work, &request.name, &request.etag, Do::Undelete).await?;
        need_rank(work, &name, stored.rank).await?;
        let to = transition(&TABLE, &name.to_string(), stored.state(), Do::Undelete)?;
        store::put(work.sql(), &name, to).await?;
        record(work, &name, (Do::Undelete, stored.state().name(), &request.comment)).await
    }
}
