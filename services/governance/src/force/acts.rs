//! Joining a block, leaving it, and correcting who was gathered there.

use chassis::{
    identity::Scope,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work},
};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{BlockForceName, BlockName, OrganisationName, PersonName},
    periods::Splice,
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    rules::{self, Dimension, Facts, Flaw, Kind, Who},
    store,
};
use crate::{
    block::{
        edit::{Locked, change, lock},
        rules::{TABLE, Verb as Do},
    },
    fields::{self, in_town},
    organisation, person,
    reasons::{FORCE_THERE, OUTSIDE_LIFE, UNKNOWN_PARENT},
    store::stamp,
};

/// A flaw as a refusal.
pub(crate) fn refused(locked: &Locked, who: &Who, flaw: Flaw) -> Refusal {
    match flaw {
        Flaw::OutsideLife => {
            Refusal::new(&OUTSIDE_LIFE).with("name", &locked.name).with("period", locked.head.life)
        }
        Flaw::There(days) => Refusal::new(&FORCE_THERE)
            .with("name", &locked.name)
            .with("force", who.name(locked.name.town()))
            .with("period", days),
    }
}

/// Who is meant: an organisation or a person, one of them.
fn who(faults: &mut Faults, town: &str, organisation: &str, person: &str) -> Option<Who> {
    if organisation.is_empty() == person.is_empty() {
        faults.push(FieldFault::new(
            "organisation",
            "ONE_OF",
            "organisation 与 person 须且只能填一项",
            "name an organisation or a person, one of them",
        ));
        return None;
    }
    if person.is_empty() {
        let name = faults.take(in_town("organisation", organisation, town, OrganisationName::town))?;
        return Some(Who::Organisation(name.organisation().to_owned()));
    }
    let name = faults.take(in_town("person", person, town, PersonName::town))?;
    Some(Who::Person(name.person().to_owned()))
}

/// The kind that is said, when one is.
fn kind(faults: &mut Faults, given: i32, who: Option<&Who>) -> Option<Kind> {
    let name = pb::BlockForceKind::try_from(given).unwrap_or_default().as_str_name();
    let kind = Kind::from_name(name.trim_start_matches("BLOCK_FORCE_KIND_"))?;
    if who.is_some_and(|who| !kind.fits(who)) {
        faults.push(FieldFault::new(
            "kind",
            "FITS_NOT",
            "能人、网格员须填 person，组织类须填 organisation",
            "residents and officers are people, the other kinds organisations",
        ));
    }
    Some(kind)
}

/// What it brings: one dimension at least.
fn dimensions(faults: &mut Faults, given: &[i32]) -> Vec<Dimension> {
    let read = given.iter().filter_map(|number| {
        let name = pb::ForceDimension::try_from(*number).unwrap_or_default().as_str_name();
        Dimension::from_name(name.trim_start_matches("FORCE_DIMENSION_"))
    });
    let dimensions = rules::in_order(read.collect());
    if dimensions.is_empty() {
        let (zh, en) = ("须填资源、信息、服务中至少一项", "one dimension at least");
        faults.push(FieldFault::new("contributions", "REQUIRED", zh, en));
    }
    dimensions
}

/// Notes a reason that says nothing.
fn need_reason(faults: &mut Faults, reason: &str) {
    if reason.trim().is_empty() {
        faults.push(FieldFault::new("reason", "REQUIRED", "须写明理由", "say why"));
    }
}

/// Whether the town has the organisation or person.
pub(crate) async fn is_known(work: &mut Work, town: &str, who: &Who) -> Result<bool, Refusal> {
    match who {
        Who::Organisation(id) => {
            let name = OrganisationName::new(town, id).map_err(Refusal::internal)?;
            Ok(organisation::store::get(work.sql(), &name, false).await?.is_some())
        }
        Who::Person(id) => {
            let name = PersonName::new(town, id).map_err(Refusal::internal)?;
            Ok(person::store::lock(work.sql(), &name).await?.is_some())
        }
    }
}

async fn need_known(work: &mut Work, town: &str, who: &Who) -> Result<(), Refusal> {
    if is_known(work, town, who).await? {
        return Ok(());
    }
    let field = match who {
        Who::Organisation(_) => "organisation",
        Who::Person(_) => "person",
    };
    Err(Refusal::new(&UNKNOWN_PARENT).with("field", field).with("name", who.name(town)))
}

/// What is told of a force: ids and days, nothing personal.
pub(crate) struct Told<'a> {
    pub(crate) verb: Do,
    pub(crate) event: &'static str,
    pub(crate) who: &'a Who,
    pub(crate) day: Date,
    pub(crate) reason: &'a str,
}

/// Writes the new rows with the change that tells of them; the ids of the rows.
pub(crate) async fn write(
    work: &mut Work,
    locked: &Locked,
    splice: &Splice<Uuid, Facts>,
    told: Told<'_>,
) -> Result<(Vec<Uuid>, Change), Refusal> {
    let at = stamp(work.sql()).await?;
    let ids = store::write(work.sql(), &locked.name, splice, &at, told.reason).await?;
    let force = told.who.name(locked.name.town());
    let data =
        json!({"block": locked.name.to_string(), "force": force, "effective_date": told.day.to_string()});
    let change = change(work, locked, told.verb, told.event, told.reason, data).await?;
    Ok((ids, change))
}

async fn record(
    work: &mut Work,
    block: &BlockName,
    id: Option<Uuid>,
    change: Change,
) -> Result<Record<pb::BlockForce>, Refusal> {
    let answer = match id {
        None => pb::BlockForce { block: block.to_string(), ..Default::default() },
        Some(id) => {
            let today = work.call().today();
            let name = BlockForceName::new(block.town(), id.to_string()).map_err(Refusal::internal)?;
            let view = store::get(work.sql(), &name, &Scope::Town, today).await?;
            super::encode(&view.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?)?
        }
    };
    Ok(Record {
        town: block.town().to_owned(),
        resource: block.to_string(),
        summary: format!("{} {block}", change.verb),
        changes: vec![change],
        answer,
    })
}

/// JoinBlock.
pub(super) struct Join;

#[tonic::async_trait]
impl Verb for Join {
    type Request = pb::JoinBlockRequest;
    type Answer = pb::BlockForce;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::BlockForce>, Refusal> {
        let locked = lock(work, &request.name, &request.etag).await?;
        let town = locked.name.town();
        let mut faults = Faults::default();
        let who = who(&mut faults, town, &request.organisation, &request.person);
        let kind = kind(&mut faults, request.kind, who.as_ref());
        let contributions = dimensions(&mut faults, &request.contributions);
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::date("end_date", request.end_date.as_ref()));
        let (((who, kind), start), end) = faults.finish(who.zip(kind).zip(start).zip(end))?;
        let period = fields::period(start, end)?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::Join)?;
        need_known(work, town, &who).await?;
        let line = store::believed(work.sql(), &locked.name).await?;
        let facts = Facts { kind, who: who.clone(), contributions };
        let splice = rules::join(&line, locked.head.life, period, facts)
            .map_err(|flaw| refused(&locked, &who, flaw))?;
        let told = Told {
            verb: Do::Join,
            event: "block.forceJoined",
            who: &who,
            day: start,
            reason: &request.comment,
        };
        let (ids, change) = write(work, &locked, &splice, told).await?;
        record(work, &locked.name, ids.first().copied(), change).await
    }
}

/// LeaveBlock.
pub(super) struct Leave;

#[tonic::async_trait]
impl Verb for Leave {
    type Request = pb::LeaveBlockRequest;
    type Answer = pb::BlockForce;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::BlockForce>, Refusal> {
        let name: BlockForceName = wire::name("name", &request.name)?;
        let call = work.call().clone();
        let scope = call.scope(name.town())?;
        let missing = || call.missing(&scope, "linli.dev/BlockForce", name.to_string());
        let view = store::get(work.sql(), &name, &scope, call.today()).await?.ok_or_else(missing)?;
        let block = format!("towns/{}/blocks/{}", view.town, view.block);
        let locked = lock(work, &block, &request.etag).await?;
        let mut faults = Faults::default();
        need_reason(&mut faults, &request.reason);
        let day = faults.take(wire::required_date("end_date", request.end_date.as_ref()));
        let day = faults.finish(day)?;
        let line = store::believed(work.sql(), &locked.name).await?;
        let row = line.iter().find(|row| row.id == view.id).ok_or_else(missing)?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::Leave)?;
        let splice = rules::leave(row, day)
            .ok_or_else(|| Refusal::new(&OUTSIDE_LIFE).with("name", &name).with("period", row.period))?;
        let told = Told {
            verb: Do::Leave,
            event: "block.forceLeft",
            who: &row.value.who,
            day,
            reason: &request.reason,
        };
        let (ids, change) = write(work, &locked, &splice, told).await?;
        record(work, &locked.name, ids.first().copied(), change).await
    }
}

/// CorrectBlockForce.
pub(super) struct Correct;

#[tonic::async_trait]
impl Verb for Correct {
    type Request = pb::CorrectBlockForceRequest;
    type Answer = pb::BlockForce;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::BlockForce>, Refusal> {
        let locked = lock(work, &request.name, &request.etag).await?;
        let town = locked.name.town();
        let mut faults = Faults::default();
        need_reason(&mut faults, &request.reason);
        let who = who(&mut faults, town, &request.organisation, &request.person);
        let really = kind(&mut faults, request.kind, who.as_ref())
            .map(|kind| (kind, dimensions(&mut faults, &request.contributions)));
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::date("end_date", request.end_date.as_ref()));
        let ((who, start), end) = faults.finish(who.zip(start).zip(end))?;
        let (period, gathered) = (fields::period(start, end)?, really.is_some());
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::CorrectForce)?;
        need_known(work, town, &who).await?;
        let line = store::believed(work.sql(), &locked.name).await?;
        let splice = rules::correct(&line, locked.head.life, period, &who, really)
            .map_err(|flaw| refused(&locked, &who, flaw))?;
        let at = splice.insert.iter().position(|(its, _)| gathered && its.contains(start));
        let told = Told {
            verb: Do::CorrectForce,
            event: "block.forceCorrected",
            who: &who,
            day: start,
            reason: &request.reason,
        };
        let (ids, change) = write(work, &locked, &splice, told).await?;
        record(work, &locked.name, at.and_then(|at| ids.get(at).copied()), change).await
    }
}
