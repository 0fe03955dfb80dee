//! Handing over, covering, correcting, and the director's cover.

use chassis::{
    identity::Scope,
    refusal::{Faults, Refusal},
    state::transition,
    wire,
    work::{Record, Verb, Work},
};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    name::{BlockName, CommitteeName, TownName},
    periods::Splice,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode::{self, Steward},
    rules::{self, Facts, HandOver, Kind},
    store,
};
use crate::{
    as_of::AsOf,
    block::{
        edit::{Locked, change, lock, need_committee},
        rules::{TABLE, Verb as Do},
    },
    fields::{self, committee_id},
    reasons::NOTHING_TO_COVER,
    store::stamp,
};

/// What is recorded with the new line of a block.
struct Told<'a> {
    verb: Do,
    event: &'static str,
    comment: &'a str,
    day: Date,
}

/// Writes the new line and yields the record; the answer is the stewardship of the day.
async fn write(
    work: &mut Work,
    locked: &Locked,
    splice: &Splice<Uuid, Facts>,
    told: Told<'_>,
) -> Result<Record<pb::Stewardship>, Refusal> {
    let at = stamp(work.sql()).await?;
    store::write(work.sql(), &locked.name, splice, &at, told.comment).await?;
    let data = json!({"block": locked.name.to_string(), "effective_date": told.day.to_string()});
    let change = change(work, locked, told.verb, told.event, told.comment, data).await?;
    let answer = steward_of(work, &locked.name, told.day).await?;
    Ok(Record {
        town: locked.name.town().to_owned(),
        resource: locked.name.to_string(),
        summary: format!("{} {}", change.verb, locked.name),
        changes: vec![change],
        answer,
    })
}

async fn steward_of(work: &mut Work, block: &BlockName, day: Date) -> Result<pb::Stewardship, Refusal> {
    let today = work.call().today();
    let view = store::on(work.sql(), block, &Scope::Town, &AsOf::now(day), today).await?;
    encode::stewardship(&view.ok_or_else(|| Refusal::internal(format!("{block} has no steward on {day}")))?)
}

/// HandOverBlock.
pub(super) struct HandOverVerb;

#[tonic::async_trait]
impl Verb for HandOverVerb {
    type Request = pb::HandOverBlockRequest;
    type Answer = pb::Stewardship;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Stewardship>, Refusal> {
        let locked = lock(work, &request.name, &request.etag).await?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::HandOver)?;
        let town = locked.name.town();
        let mut faults = Faults::default();
        let steward = faults.take(Steward::parse("steward", town, request.steward.as_ref()));
        let effective = faults.take(wire::required_date("effective_date", request.effective_date.as_ref()));
        let former_end = faults.take(wire::date("former_end_date", request.former_end_date.as_ref()));
        let cover =
            request.cover.as_ref().map(|cover| Steward::parse("cover", town, Some(cover))).transpose();
        let cover = faults.take(cover);
        let (((steward, effective), former_end), cover) =
            faults.finish(steward.zip(effective).zip(former_end).zip(cover))?;
        let said = HandOver {
            effective,
            former_end: former_end.unwrap_or(effective),
            steward: steward.facts(Kind::Regular),
            cover: cover.map(|cover| cover.facts(Kind::Cover)),
        };
        let line = store::believed(work.sql(), &locked.name).await?;
        let splice = rules::hand_over(&locked.name.to_string(), locked.head.life, &line, &said)?;
        let told =
            Told { verb: Do::HandOver, event: "block.handedOver", comment: &request.comment, day: effective };
        write(work, &locked, &splice, told).await
    }
}

/// CoverBlock.
pub(super) struct CoverVerb;

#[tonic::async_trait]
impl Verb for CoverVerb {
    type Request = pb::CoverBlockRequest;
    type Answer = pb::Stewardship;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Stewardship>, Refusal> {
        let locked = lock(work, &request.name, &request.etag).await?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::Cover)?;
        let mut faults = Faults::default();
        let steward = faults.take(Steward::parse("steward", locked.name.town(), request.steward.as_ref()));
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::required_date("end_date", request.end_date.as_ref()));
        let ((steward, start), end) = faults.finish(steward.zip(start).zip(end))?;
        let days = fields::period(start, Some(end))?;
        let line = store::believed(work.sql(), &locked.name).await?;
        let splice = rules::replace(
            &locked.name.to_string(),
            locked.head.life,
            &line,
            days,
            &steward.facts(Kind::Cover),
        )?;
        let told = Told { verb: Do::Cover, event: "block.covered", comment: &request.comment, day: start };
        write(work, &locked, &splice, told).await
    }
}

/// CorrectSteward.
pub(super) struct CorrectVerb;

#[tonic::async_trait]
impl Verb for CorrectVerb {
    type Request = pb::CorrectStewardRequest;
    type Answer = pb::Stewardship;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Stewardship>, Refusal> {
        let locked = lock(work, &request.name, &request.etag).await?;
        transition(&TABLE, &locked.name.to_string(), locked.state, Do::CorrectSteward)?;
        let mut faults = Faults::default();
        let steward = faults.take(Steward::parse("steward", locked.name.town(), request.steward.as_ref()));
        let start = faults.take(wire::required_date("start_date", request.start_date.as_ref()));
        let end = faults.take(wire::date("end_date", request.end_date.as_ref()));
        fields::need_reason_to_correct(&mut faults, "comment", &request.comment);
        let ((steward, start), end) = faults.finish(steward.zip(start).zip(end))?;
        let days = fields::period(start, end)?;
        let kind = match request.kind() {
            pb::StewardshipKind::Unspecified | pb::StewardshipKind::Regular => Kind::Regular,
            pb::StewardshipKind::Cover => Kind::Cover,
            pb::StewardshipKind::DirectorCover => Kind::DirectorCover,
        };
        let line = store::believed(work.sql(), &locked.name).await?;
        let splice =
            rules::replace(&locked.name.to_string(), locked.head.life, &line, days, &steward.facts(kind))?;
        let told = Told {
            verb: Do::CorrectSteward,
            event: "block.stewardCorrected",
            comment: &request.comment,
            day: start,
        };
        write(work, &locked, &splice, told).await
    }
}

/// EndStewardPost.
pub(super) struct EndPost;

#[tonic::async_trait]
impl Verb for EndPost {
    type Request = pb::EndStewardPostRequest;
    type Answer = pb::EndStewardPostResponse;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        request: &Self::Request,
    ) -> Result<Record<pb::EndStewardPostResponse>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = work.call().scope(town.town())?;
        let mut faults = Faults::default();
        let worker = pb::Steward { person: String::new(), worker: request.worker.clone() };
        let worker = faults.take(Steward::parse("worker", town.town(), Some(&worker)));
        let director = faults.take(Steward::parse("director", town.town(), request.director.as_ref()));
        let day = faults.take(wire::required_date("end_date", request.end_date.as_ref()));
        let committee = faults.take(committee_id("committee", town.town(), &request.committee));
        let (((worker, director), day), committee) =
            faults.finish(worker.zip(director).zip(day).zip(committee))?;
        let name = CommitteeName::new(town.town(), &committee).map_err(Refusal::internal)?;
        need_committee(work, &scope, &name, day).await?;
        let blocks = store::blocks_of(work.sql(), town.town(), &committee, &worker.worker, day).await?;
        if blocks.is_empty() {
            return Err(Refusal::new(&NOTHING_TO_COVER).with("worker", worker.worker));
        }
        let (mut covers, mut changes) = (Vec::new(), Vec::new());
        for id in blocks {
            let block = format!("towns/{}/blocks/{id}", town.town());
            let locked = lock(work, &block, "").await?;
            let line = store::believed(work.sql(), &locked.name).await?;
            let splice = rules::end_post(&line, &worker.worker, day, &director.facts(Kind::DirectorCover))?;
            let first = splice
                .insert
                .iter()
                .find(|(_, facts)| facts.handover_pending)
                .map_or(day, |(period, _)| period.from());
            let told = Told {
                verb: Do::Cover,
                event: "block.directorCovers",
                comment: &request.comment,
                day: first.max(day),
            };
            let mut record = write(work, &locked, &splice, told).await?;
            covers.push(record.answer);
            changes.append(&mut record.changes);
        }
        Ok(Record {
            town: town.town().to_owned(),
            resource: worker.worker.clone(),
            summary: format!("the post of {} ended on {day}: {} cover(s)", worker.worker, covers.len()),
            changes,
            answer: pb::EndStewardPostResponse { covers },
        })
    }
}
