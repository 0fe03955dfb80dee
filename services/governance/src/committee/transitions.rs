//! Founding, moving and dissolving committees.

use chassis::{
    refusal::{FieldFault, Refusal},
    state::transition,
    wire,
    work::{Record, Verb, Work},
};
use contracts::{google::r#type as google, linli::governance::v1 as pb};
use jiff::civil::Date;
use kernel::periods::{Period, amend};

use super::{
    carry,
    edit::{Locked, Told, lock, need_community, not_future, record, write},
    rules::{self, Patch, TABLE, Verb as Do},
};
use crate::{
    block,
    body::store::LINE as BODIES,
    estate::store::LINE as ESTATES,
    fields,
    reasons::{BAD_ORDER_OF_DATES, LATER_CHANGE, OPEN_BLOCKS, OPEN_BODIES, OPEN_ESTATES, OUTSIDE_LIFE},
};

pub(super) fn needed(field: &'static str, date: Option<&google::Date>) -> Result<Date, Refusal> {
    wire::required_date(field, date).map_err(|fault| Refusal::fields(vec![fault]))
}

pub(super) fn one<T>(result: Result<T, FieldFault>) -> Result<T, Refusal> {
    result.map_err(|fault| Refusal::fields(vec![fault]))
}

/// The day of a transition lies within the committee's life, and nothing came after it.
pub(super) fn check_day(locked: &Locked, day: Date) -> Result<(), Refusal> {
    let Some(_) = rules::on(&locked.line, day) else {
        let first = locked.line.first().map(|row| row.period.from()).unwrap_or_default();
        return Err(Refusal::new(&OUTSIDE_LIFE)
            .with("name", &locked.name)
            .with("period", Period::since(first)));
    };
    match rules::later_transition(&locked.line, day) {
        Some(date) => Err(Refusal::new(&LATER_CHANGE).with("name", &locked.name).with("date", date)),
        None => Ok(()),
    }
}

/// FoundCommittee.
pub(super) struct Found;

#[tonic::async_trait]
impl Verb for Found {
    type Request = pb::FoundCommitteeRequest;
    type Answer = pb::Committee;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let day = needed("founding_date", request.founding_date.as_ref())?;
        let locked = lock(work, &request.name, &request.etag).await?;
        let to = transition(&TABLE, &locked.name.to_string(), locked.state, Do::Found)?;
        not_future(work.call(), "founding_date", day)?;
        if let Some(began) = locked.head.preparation_start.filter(|began| *began >= day) {
            return Err(Refusal::new(&BAD_ORDER_OF_DATES)
                .with("field", "founding_date")
                .with("date", day)
                .with("after", began));
        }
        let splice = rules::enter(&locked.line, day, to, None);
        let told = Told {
            verb: Do::Found,
            to,
            comment: &request.comment,
            event: "committee.founded",
            day,
            founding: Some(day),
        };
        let (change, answer) = write(work, &locked, &splice, told).await?;
        Ok(record(&locked, change, answer))
    }
}

/// MoveCommittee.
pub(super) struct Move;

#[tonic::async_trait]
impl Verb for Move {
    type Request = pb::MoveCommitteeRequest;
    type Answer = pb::Committee;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let day = needed("effective_date", request.effective_date.as_ref())?;
        let locked = lock(work, &request.name, &request.etag).await?;
        let community = one(fields::community_id("community", locked.name.town(), &request.community))?;
        let to = transition(&TABLE, &locked.name.to_string(), locked.state, Do::Move)?;
        need_community(work, locked.name.town(), &community).await?;
        check_day(&locked, day).or_else(|refusal| {
            if std::ptr::eq(refusal.reason(), &LATER_CHANGE) { Ok(()) } else { Err(refusal) }
        })?;
        let patch = Patch { community: Some(community), ..Patch::default() };
        let splice = amend(&locked.line, Period::since(day), |facts| patch.apply(facts));
        let told = Told {
            verb: Do::Move,
            to,
            comment: &request.comment,
            event: "committee.moved",
            day,
            founding: None,
        };
        let (change, answer) = write(work, &locked, &splice, told).await?;
        Ok(record(&locked, change, answer))
    }
}

/// DissolveCommittee.
pub(super) struct Dissolve;

#[tonic::async_trait]
impl Verb for Dissolve {
    type Request = pb::DissolveCommitteeRequest;
    type Answer = pb::Committee;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let day = needed("effective_date", request.effective_date.as_ref())?;
        let locked = lock(work, &request.name, &request.etag).await?;
        let to = transition(&TABLE, &locked.name.to_string(), locked.state, Do::Dissolve)?;
        check_day(&locked, day)?;
        let blocks =
            block::lock_of_committee(work.sql(), locked.name.town(), locked.name.committee(), day).await?;
        if !blocks.is_empty() {
            return Err(Refusal::new(&OPEN_BLOCKS).with("name", &locked.name).with("blocks", blocks.len()));
        }
        let estates =
            ESTATES.lock_where(work.sql(), locked.name.town(), "committee", locked.name.committee(), day);
        let estates = estates.await?;
        if !estates.is_empty() {
            return Err(Refusal::new(&OPEN_ESTATES)
                .with("name", &locked.name)
                .with("estates", estates.len()));
        }
        let bodies =
            BODIES.lock_where(work.sql(), locked.name.town(), "committee", locked.name.committee(), day);
        let bodies = bodies.await?;
        if !bodies.is_empty() {
            return Err(Refusal::new(&OPEN_BODIES).with("name", &locked.name).with("bodies", bodies.len()));
        }
        carry::need_nothing_expected(work, &locked, day).await?;
        let splice = rules::enter(&locked.line, day, to, None);
        let told = Told {
            verb: Do::Dissolve,
            to,
            comment: &request.comment,
            event: "committee.dissolved",
            day,
            founding: None,
        };
        let (change, answer) = write(work, &locked, &splice, told).await?;
        Ok(record(&locked, change, answer))
    }
}
