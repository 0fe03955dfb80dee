//! Giving posts, moving, ending, correcting; quotas.

use chassis::{
    comment, fields, history,
    operations::store as operations,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work},
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{TownName, WorkerName},
    periods::{Period, Splice},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    TELL, encode,
    rules::{self, Facts, Misfit},
    store,
};
use crate::{
    reasons::{NO_POST_HELD, OUTSIDE_EMPLOYMENT, POST_QUOTA_FULL, POSTS_OVERLAP},
    worker::{
        acts::{Locked, Told, change, lock},
        rules::Verb as Do,
        store::LINE,
    },
};

/// What doesn't fit, as it is refused.
fn refusal(name: &str, town: &str, misfit: Misfit) -> Refusal {
    match misfit {
        Misfit::Outside(days) => Refusal::new(&OUTSIDE_EMPLOYMENT).with("name", name).with("days", days),
        Misfit::Overlap { days, held } => Refusal::new(&POSTS_OVERLAP)
            .with("name", name)
            .with("days", days)
            .with("committee", encode::committee(town, &held.committee))
            .with("post", held.post),
        Misfit::NoPost(day) => Refusal::new(&NO_POST_HELD).with("name", name).with("date", day),
    }
}

/// Refuses what was just written when more hold the post than its quota allows; nobody else takes a place until this is over.
///
/// # Errors
/// POST_QUOTA_FULL with the first day.
async fn need_quota(work: &mut Work, town: &str, facts: &Facts, since: Date) -> Result<(), Refusal> {
    match store::over_quota(work.sql(), town, facts, since).await? {
        None => Ok(()),
        Some(day) => Err(Refusal::new(&POST_QUOTA_FULL)
            .with("committee", encode::committee(town, &facts.committee))
            .with("post", &facts.post)
            .with("date", day)),
    }
}

/// Has governance told, in the background, of a post that is over on a day: its blocks are covered by the director.
pub(crate) async fn tell_of_end(
    work: &mut Work,
    locked: &Locked,
    splice: &Splice<Uuid, Facts>,
    day: Date,
) -> Result<(), Refusal> {
    let closed = |id: &Uuid| splice.close.contains(id);
    let Some(committee) = rules::ended(&locked.line, &splice.insert, closed, day) else { return Ok(()) };
    store::note_end(work.sql(), &locked.name, &committee, day).await?;
    begin_to_tell(work, locked.name.town()).await
}

/// Begins the operation that tells governance of a town's posts that ended.
pub(crate) async fn begin_to_tell(work: &mut Work, town: &str) -> Result<(), Refusal> {
    operations::begin(work, town, Uuid::now_v7(), TELL, town.as_bytes()).await?;
    Ok(())
}

/// Writes how a line of posts changes, within the quotas. Every gap has `reason`.
///
/// # Errors
/// POST_QUOTA_FULL.
pub(crate) async fn write_line(
    work: &mut Work,
    name: &WorkerName,
    splice: &Splice<Uuid, Facts>,
    reason: &str,
) -> Result<(), Refusal> {
    let at = history::stamp(work.sql()).await?;
    LINE.write(work.sql(), name.town(), name.worker(), splice, &at, reason).await?;
    for (period, facts) in splice.insert.iter().filter(|(_, facts)| facts.is_post()) {
        need_quota(work, name.town(), facts, period.from()).await?;
    }
    Ok(())
}

/// Writes how a line of posts changes, tells of it, and answers with the entry of the day.
async fn write(
    work: &mut Work,
    locked: &Locked,
    splice: Splice<Uuid, Facts>,
    (told, day): (Told<'_>, Date),
) -> Result<Record<pb::Posting>, Refusal> {
    let name = &locked.name;
    if !splice.is_empty() {
        // the verb, where no reason is given
        let reason = if told.comment.is_empty() { told.verb.name() } else { told.comment };
        write_line(work, name, &splice, reason).await?;
        LINE.bump(work.sql(), name.town(), name.worker()).await?;
        tell_of_end(work, locked, &splice, day).await?;
    }
    let held = store::on(work.sql(), name, day).await?;
    let held = held.ok_or_else(|| Refusal::internal(format!("{name} has no entry on {day}")))?;
    let summary = format!("{} {name} from {day}", told.verb.name());
    let (_, mut change) = change(work, name, told).await?;
    change.data["posting"] = held.name().into();
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary,
        changes: vec![change],
        answer: encode::posting(&held)?,
    })
}

fn life(locked: &Locked) -> Result<Period, Refusal> {
    locked.view.days()?.period().ok_or_else(|| Refusal::internal("no day of employment"))
}

/// AssignPost 任命.
pub(super) struct Assign;

#[tonic::async_trait]
impl Verb for Assign {
    type Request = pb::AssignPostRequest;
    type Answer = pb::Posting;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Posting>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::AssignPost).await?;
        let (town, name) = (locked.name.town(), locked.name.to_string());
        let mut faults = Faults::default();
        let facts = faults.take_all(encode::facts("", town, &request.committee, request.post));
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::date("end_date", request.end_date.as_ref()));
        let ((facts, start), end) = faults.finish(facts.zip(start).zip(end))?;
        let days = fields::period(start, end)?;
        let splice = rules::assign(&locked.line, life(&locked)?, days, facts);
        let splice = splice.map_err(|misfit| refusal(&name, town, misfit))?;
        let from = locked.view.state()?.name();
        let told = Told { verb: Do::AssignPost, from, comment: &request.comment };
        write(work, &locked, splice, (told, start)).await
    }
}

/// TransferWorker 调动.
pub(super) struct Transfer;

#[tonic::async_trait]
impl Verb for Transfer {
    type Request = pb::TransferWorkerRequest;
    type Answer = pb::Posting;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Posting>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::Transfer).await?;
        let (town, name) = (locked.name.town(), locked.name.to_string());
        let mut faults = Faults::default();
        let facts = faults.take_all(encode::facts("", town, &request.committee, request.post));
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let (facts, start) = faults.finish(facts.zip(start))?;
        let splice = rules::transfer(&locked.line, life(&locked)?, start, facts);
        let splice = splice.map_err(|misfit| refusal(&name, town, misfit))?;
        let from = locked.view.state()?.name();
        let told = Told { verb: Do::Transfer, from, comment: &request.comment };
        write(work, &locked, splice, (told, start)).await
    }
}

/// EndPosting 免职.
pub(super) struct End;

#[tonic::async_trait]
impl Verb for End {
    type Request = pb::EndPostingRequest;
    type Answer = pb::Posting;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Posting>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::EndPosting).await?;
        let name = locked.name.to_string();
        let comment = comment::reason(&request.comment, &name, Do::EndPosting.name())?;
        let day = wire::required_date("end_date", request.end_date.as_ref()).map_err(Refusal::one)?;
        let splice = rules::end(&locked.line, life(&locked)?, day);
        let splice = splice.map_err(|misfit| refusal(&name, locked.name.town(), misfit))?;
        let from = locked.view.state()?.name();
        write(work, &locked, splice, (Told { verb: Do::EndPosting, from, comment }, day)).await
    }
}

/// CorrectPosting 更正.
pub(super) struct Correct;

/// What a correction says of the days: a post, or that none was held.
fn said(town: &str, request: &pb::CorrectPostingRequest) -> Result<Facts, Vec<FieldFault>> {
    match request.committee.is_empty() && request.post() == pb::Post::Unspecified {
        true => Ok(Facts::gap()),
        false => encode::facts("", town, &request.committee, request.post),
    }
}

#[tonic::async_trait]
impl Verb for Correct {
    type Request = pb::CorrectPostingRequest;
    type Answer = pb::Posting;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Posting>, Refusal> {
        let locked = lock(work, &request.name, &request.etag, Do::CorrectPosting).await?;
        let (town, name) = (locked.name.town(), locked.name.to_string());
        let comment = comment::reason(&request.comment, &name, Do::CorrectPosting.name())?;
        let mut faults = Faults::default();
        let facts = faults.take_all(said(town, request));
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::date("end_date", request.end_date.as_ref()));
        let ((facts, start), end) = faults.finish(facts.zip(start).zip(end))?;
        let days = fields::period(start, end)?;
        let splice = rules::correct(&locked.line, life(&locked)?, days, facts);
        let splice = splice.map_err(|misfit| refusal(&name, town, misfit))?;
        let from = locked.view.state()?.name();
        write(work, &locked, splice, (Told { verb: Do::CorrectPosting, from, comment }, start)).await
    }
}

/// SetPostQuota 岗位职数.
pub(super) struct SetQuota;

#[tonic::async_trait]
impl Verb for SetQuota {
    type Request = pb::SetPostQuotaRequest;
    type Answer = pb::PostQuota;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::PostQuota>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().whole_town(town.town())?;
        let mut faults = Faults::default();
        let facts = faults.take_all(encode::facts("", town.town(), &request.committee, request.post));
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let (facts, start) = faults.finish(facts.zip(start))?;
        let version = store::set_quota(work.sql(), town.town(), &facts, start, request.persons).await?;
        need_quota(work, town.town(), &facts, start).await?;
        let resource = format!("{town}/postQuotas/{}-{}-{start}", facts.committee, facts.post.to_lowercase());
        let change = Change {
            resource: resource.clone(),
            version,
            verb: "set",
            from_state: "",
            to_state: "",
            comment: request.comment.clone(),
            event: "quota.set",
            data: json!({
                "committee": request.committee,
                "post": facts.post,
                "persons": request.persons,
                "start_date": start.to_string(),
            }),
        };
        Ok(Record {
            town: town.town().to_owned(),
            resource,
            summary: format!("{} may hold the post {} of {}", request.persons, facts.post, request.committee),
            changes: vec![change],
            answer: pb::PostQuota {
                committee: request.committee.clone(),
                post: request.post,
                persons: request.persons,
                start_date: request.start_date,
                ..Default::default()
            },
        })
    }
}
