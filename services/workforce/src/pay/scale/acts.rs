//! Drafting, writing and approving a pay scale.

use chassis::{
    actor::{Actor, another},
    amount::finish,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    name::{PayScaleName, TownName},
    state::Named,
};
use serde_json::json;

use super::{
    encode,
    store::{self, Row},
};
use crate::pay::lives::{SCALES, ScaleVerb as Do};

/// A scale of the caller's town whose state knows `verb`, locked.
async fn lock(work: &mut Work, name: &PayScaleName, etag: &str, verb: Do) -> Result<Row, Refusal> {
    work.call().whole_town(name.town())?;
    let found = store::get(work.sql(), name, true).await?;
    let found = found.ok_or_else(|| Refusal::not_found("linli.dev/PayScale", name.to_string()))?;
    check_etag(&name.to_string(), etag, found.version)?;
    transition(&SCALES, &name.to_string(), found.state()?, verb)?;
    Ok(found)
}

/// What is recorded of a step; it names no amount.
async fn record(
    work: &mut Work,
    name: &PayScaleName,
    (verb, from, event): (Do, &'static str, &'static str),
    comment: &str,
) -> Result<Record<pb::PayScale>, Refusal> {
    let row = store::get(work.sql(), name, false).await?;
    let row = row.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    let change = Change {
        resource: name.to_string(),
        version: row.version,
        verb: verb.name(),
        from_state: from,
        to_state: row.state()?.name(),
        comment: comment.to_owned(),
        event,
        data: json!({
            "pay_scale": name.to_string(),
            "state": row.state()?.name(),
            "start_date": row.since()?.to_string(),
        }),
    };
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", verb.name()),
        changes: vec![change],
        answer: encode::scale(&row)?,
    })
}

/// CreatePayScale.
pub(crate) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreatePayScaleRequest;
    type Answer = pb::PayScale;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::PayScale>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let mut faults = Faults::default();
        let name = PayScaleName::new(town.town(), &request.pay_scale_id);
        let name =
            faults.take(name.map_err(|error| {
                FieldFault::new("pay_scale_id", "FORMAT", "编号格式不符", error.to_string())
            }));
        let default = pb::PayScale::default();
        let written = encode::read(&mut faults, request.pay_scale.as_ref().unwrap_or(&default));
        let (name, written) = finish(faults, name.zip(written))?;
        let by = Actor::of(work.call());
        if !store::create(work.sql(), &name, &written, &by).await? {
            return Err(Refusal::new(&ALREADY_EXISTS).with("name", &name));
        }
        record(work, &name, (Do::Create, "", "payScale.drafted"), &request.comment).await
    }
}

/// UpdatePayScale.
pub(crate) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdatePayScaleRequest;
    type Answer = pb::PayScale;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::PayScale>, Refusal> {
        let default = pb::PayScale::default();
        let given = request.pay_scale.as_ref().unwrap_or(&default);
        let name: PayScaleName = wire::name("pay_scale.name", &given.name)?;
        let found = lock(work, &name, &given.etag, Do::Update).await?;
        let mut faults = Faults::default();
        let written = encode::read(&mut faults, given);
        let written = finish(faults, written)?;
        let by = Actor::of(work.call());
        store::update(work.sql(), &name, &written, &by).await?;
        let from = found.state()?.name();
        record(work, &name, (Do::Update, from, "payScale.changed"), &request.comment).await
    }
}

/// Refuses approval to whoever wrote some of the scale, or can't be told from who did.
pub(super) fn need_another(name: &PayScaleName, row: &Row, who: &Actor) -> Result<(), Refusal> {
    let wrote = row.written_by.contains(&who.principal)
        || (!who.person.is_empty() && row.written_person.contains(&who.person));
    let unknown = Actor::new("", "");
    let wrote = wrote.then_some(("write", who));
    let nobody_known = row.written_person.iter().any(String::is_empty) || who.person.is_empty();
    let former: Vec<(&str, &Actor)> =
        wrote.into_iter().chain(nobody_known.then_some(("write", &unknown))).collect();
    another(&name.to_string(), Do::Approve.name(), who, &former)
}

/// ApprovePayScale.
pub(crate) struct Approve;

#[tonic::async_trait]
impl Verb for Approve {
    type Request = pb::ApprovePayScaleRequest;
    type Answer = pb::PayScale;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::PayScale>, Refusal> {
        let name: PayScaleName = wire::name("name", &request.name)?;
        let found = lock(work, &name, &request.etag, Do::Approve).await?;
        let by = Actor::of(work.call());
        need_another(&name, &found, &by)?;
        store::approve(work.sql(), &name, &by).await?;
        let from = found.state()?.name();
        record(work, &name, (Do::Approve, from, "payScale.approved"), &request.comment).await
    }
}
