//! Proposing, giving up and approving the end of a year.

use chassis::{
    fields,
    operations::{self, encode, store as stored},
    refusal::Refusal,
    state::transition,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::{google::longrunning as lro, linli::funding::v1 as pb};
use kernel::{name::FiscalYearName, state::Named};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    carry,
    rules::{Fate, State, TABLE, Verb as Do},
    store::{self, Year, year_name},
};
use crate::{
    actor::{Actor, another},
    reasons::{EARLIER_YEAR_OPEN, NEXT_YEAR_NOT_OPEN, YEAR_END_APPROVED, YEAR_NOT_READY},
};

/// Obstacles that a refusal names at most.
const NAMED: i64 = 100;

/// The year of a name.
pub(super) fn number(name: &FiscalYearName) -> Option<i32> {
    name.fiscal_year().parse().ok().filter(|year| (2000..=2200).contains(year))
}

/// The change that tells of a year.
pub(super) fn change(
    year: &Year,
    version: i64,
    verb: Do,
    to: State,
    comment: &str,
) -> Result<Change, Refusal> {
    let event = match verb {
        Do::Open => "fiscalYear.opened",
        Do::Propose => "fiscalYear.closeProposed",
        Do::CancelClose => "fiscalYear.closeCancelled",
        Do::ApproveClose => "fiscalYear.closeApproved",
        Do::Close => "fiscalYear.closed",
    };
    Ok(Change {
        resource: year.name(),
        version,
        verb: verb.name(),
        from_state: year.state()?.name(),
        to_state: to.name(),
        comment: comment.to_owned(),
        event,
        data: json!({"fiscal_year": year.name(), "year": year.year, "state": to.name()}),
    })
}

/// The change that tells of a year that was opened just now.
pub(crate) async fn opened(sql: &mut PgConnection, town: &str, year: i32) -> Result<Change, Refusal> {
    let found = store::get(sql, town, year, false).await?;
    let found = found.ok_or_else(|| Refusal::internal(format!("{} vanished", year_name(town, year))))?;
    let told = change(&found, found.version, Do::Open, found.state()?, "")?;
    Ok(Change { from_state: "", ..told })
}

async fn lock(work: &mut Work, name: &str, etag: &str, verb: Do) -> Result<(Year, State), Refusal> {
    let name: FiscalYearName = wire::name("name", name)?;
    let call = work.call().clone();
    call.whole_town(name.town())?;
    let missing = || Refusal::not_found("linli.dev/FiscalYear", name.to_string());
    let number = number(&name).ok_or_else(missing)?;
    let year = store::get(work.sql(), name.town(), number, true).await?.ok_or_else(missing)?;
    check_etag(&year.name(), etag, year.version)?;
    let to = transition(&TABLE, &year.name(), year.state()?, verb)?;
    Ok((year, to))
}

/// Refuses while something of the year is open.
async fn need_ready(work: &mut Work, year: &Year) -> Result<(), Refusal> {
    let today = work.call().today();
    store::expire_due(work.sql(), year, today).await?;
    let open = store::obstacles(work.sql(), &year.town, year.year, NAMED).await?;
    let Some(first) = open.first() else { return Ok(()) };
    let names: Vec<String> = open.iter().map(|one| one.name.clone()).collect();
    Err(Refusal::new(&YEAR_NOT_READY)
        .with("year", year.year)
        .with("count", first.many)
        .with("names", fields::some(&names)))
}

/// Refuses when something is to be carried over into a year that isn't open.
pub(super) async fn need_next_year(work: &mut Work, year: &Year) -> Result<(), Refusal> {
    let carried = carry::carried(work.sql(), &year.town, year.year).await?;
    let left = store::left(work.sql(), &year.town, year.year).await?;
    let fate = |(fund, class, ..): &super::rules::Left| class.fate(*fund, |fund| carried.contains(&fund));
    if left.iter().any(|line| fate(line) == Fate::Carried) {
        lock_next_year(work, year).await?;
    }
    Ok(())
}

/// Holds the next year open until the end of the transaction, so that nothing is carried into one that is closing meanwhile.
pub(super) async fn lock_next_year(work: &mut Work, year: &Year) -> Result<(), Refusal> {
    let next = year.year + 1;
    if store::lock_open(work.sql(), &year.town, next).await? {
        return Ok(());
    }
    Err(Refusal::new(&NEXT_YEAR_NOT_OPEN).with("year", year.year).with("next", next))
}

/// Refuses to end a year while one before may still carry money into it.
pub(super) fn need_earlier_closed(year: &Year, earlier: Option<i32>) -> Result<(), Refusal> {
    match earlier {
        None => Ok(()),
        Some(earlier) => {
            Err(Refusal::new(&EARLIER_YEAR_OPEN).with("year", year.year).with("earlier", earlier))
        }
    }
}

/// Refuses to approve to who proposed.
pub(super) fn need_another(year: &Year, who: &Actor) -> Result<(), Refusal> {
    another(&year.name(), Do::ApproveClose.name(), who, &[(Do::Propose.name(), &year.proposed())])
}

/// Refuses what comes too late: the end is approved.
pub(super) fn need_unapproved(year: &Year) -> Result<(), Refusal> {
    if year.is_approved() {
        return Err(Refusal::new(&YEAR_END_APPROVED).with("year", year.year));
    }
    Ok(())
}

/// Whether the operation that does the end has still to do it, or has done it.
pub(super) async fn is_under_way(sql: &mut PgConnection, year: &Year) -> Result<bool, Refusal> {
    let Some(id) = year.operation else { return Ok(false) };
    let operation = stored::get(sql, id).await?;
    Ok(operation.is_some_and(|operation| operation.is_open() || operation.response.is_some()))
}

async fn record(
    work: &mut Work,
    before: &Year,
    (version, verb, to): (i64, Do, State),
    comment: &str,
) -> Result<Record<pb::FiscalYear>, Refusal> {
    let now = store::get(work.sql(), &before.town, before.year, false).await?;
    let now = now.ok_or_else(|| Refusal::internal(format!("{} vanished", before.name())))?;
    Ok(Record {
        town: before.town.clone(),
        resource: before.name(),
        summary: format!("{} {}", verb.name(), before.name()),
        changes: vec![change(before, version, verb, to, comment)?],
        answer: super::view(work.sql(), &now).await?,
    })
}

/// ProposeFiscalYearClose.
pub(super) struct Propose;

#[tonic::async_trait]
impl Verb for Propose {
    type Request = pb::ProposeFiscalYearCloseRequest;
    type Answer = pb::FiscalYear;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::FiscalYear>, Refusal> {
        let (year, to) = lock(work, &request.name, &request.etag, Do::Propose).await?;
        need_earlier_closed(&year, store::earlier_open(work.sql(), &year).await?)?;
        need_ready(work, &year).await?;
        let call = work.call().clone();
        let version = store::propose(work.sql(), &year, &Actor::of(&call), call.today()).await?;
        record(work, &year, (version, Do::Propose, to), &request.comment).await
    }
}

/// CancelFiscalYearClose.
pub(super) struct Cancel;

#[tonic::async_trait]
impl Verb for Cancel {
    type Request = pb::CancelFiscalYearCloseRequest;
    type Answer = pb::FiscalYear;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::FiscalYear>, Refusal> {
        let (year, to) = lock(work, &request.name, &request.etag, Do::CancelClose).await?;
        need_unapproved(&year)?;
        let version = store::cancel(work.sql(), &year).await?;
        record(work, &year, (version, Do::CancelClose, to), &request.comment).await
    }
}

/// ApproveFiscalYearClose.
pub(super) struct Approve;

#[tonic::async_trait]
impl Verb for Approve {
    type Request = pb::ApproveFiscalYearCloseRequest;
    type Answer = lro::Operation;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<lro::Operation>, Refusal> {
        let (year, to) = lock(work, &request.name, &request.etag, Do::ApproveClose).await?;
        // an approved end whose operation has ended without success goes on by another one
        if is_under_way(work.sql(), &year).await? {
            need_unapproved(&year)?;
        }
        let call = work.call().clone();
        let actor = Actor::of(&call);
        need_another(&year, &actor)?;
        need_ready(work, &year).await?;
        need_next_year(work, &year).await?;
        let (id, input) = (Uuid::now_v7(), year_name(&year.town, year.year));
        let operation = stored::begin(work, &year.town, id, "close_year", input.as_bytes()).await?;
        let version = if year.is_approved() {
            store::go_on(work.sql(), &year, id).await?
        } else {
            store::approve(work.sql(), &year, (&actor, call.today()), id).await?
        };
        let mut told = change(&year, version, Do::ApproveClose, to, &request.comment)?;
        if let Some(data) = told.data.as_object_mut() {
            data.insert("operation".to_owned(), json!(operations::name(call.service(), id)));
        }
        Ok(Record {
            town: year.town.clone(),
            resource: year.name(),
            summary: format!("approveClose {}", year.name()),
            changes: vec![told],
            answer: encode(call.service(), &operation)?,
        })
    }
}
