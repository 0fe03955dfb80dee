//! A later paper moves open terms, with the reason, and leaves closed ones alone: whoever comes first after it has the town's open
//! terms counted again, before anything is decided or shown by them.

use chassis::{
    call::Call,
    context::Context,
    db::Read,
    governance::Governance,
    refusal::{Refusal, UNAVAILABLE},
    work::{Change, Record, Work, bounded},
};
use contracts::linli::insurance::v1 as pb;
use kernel::{calendar::Calendar, state::Named};
use serde_json::json;

use super::{
    edit::Days,
    store::{self, Row},
};

/// Claims that one transaction counts again.
const CHUNK: i64 = 500;

/// Counts the open terms of a town again that were counted with fewer papers.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn recount(
    context: &Context,
    call: &Call,
    town: &str,
    days: &Calendar,
) -> Result<(), Refusal> {
    let papers = i32::try_from(days.papers()).map_err(Refusal::internal)?;
    while store::counted_before(context.db.read().await?.sql(), town, papers).await? {
        bounded(|| chunk(context, call, (town, papers), days)).await?;
    }
    Ok(())
}

/// A view of the database to show something from, with the open terms counted by all papers: asked of the view itself, so that a town whose
/// terms are counted costs one statement. While governance can't be asked, the days that are stored are shown.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn for_reading(
    context: &Context,
    governance: &Governance,
    call: &Call,
    town: &str,
) -> Result<Read, Refusal> {
    let days: Days = match governance.calendar().await {
        Ok(days) => days,
        Err(refusal) if std::ptr::eq(refusal.reason(), &UNAVAILABLE) => return context.db.read().await,
        Err(refusal) => return Err(refusal),
    };
    let papers = i32::try_from(days.papers()).map_err(Refusal::internal)?;
    let mut read = context.db.read().await?;
    if !store::counted_before(read.sql(), town, papers).await? {
        return Ok(read);
    }
    drop(read);
    recount(context, call, town, &days).await?;
    context.db.read().await
}

async fn chunk(
    context: &Context,
    call: &Call,
    (town, papers): (&str, i32),
    days: &Calendar,
) -> Result<(), Refusal> {
    let mut work = Work::plain(&context.db, call).await?;
    let mut rows = store::lock_counted_before(work.sql(), town, papers, CHUNK).await?;
    let mut changes = Vec::new();
    for row in &mut rows {
        let before = Ends::of(row);
        row.count(days)?;
        if Ends::of(row) != before {
            row.version += 1;
            changes.push(moved(row, &before, days)?);
        }
    }
    store::recounted(work.sql(), &rows).await?;
    let record = Record {
        town: town.to_owned(),
        resource: format!("towns/{town}"),
        summary: format!(
            "count the terms of {} claims by {papers} papers: {} moved",
            rows.len(),
            changes.len()
        ),
        changes,
        answer: pb::Claim::default(),
    };
    work.commit(record).await?;
    Ok(())
}

/// The days on which the terms of a claim end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ends {
    due: Option<String>,
    notice: Option<String>,
    appeal: Option<String>,
}

impl Ends {
    fn of(row: &Row) -> Ends {
        Ends { due: row.due.clone(), notice: row.notice_ends.clone(), appeal: row.appeal_ends.clone() }
    }
}

/// What is told of a term that moved: from where to where, and by which paper.
fn moved(row: &Row, before: &Ends, days: &Calendar) -> Result<Change, Refusal> {
    let state = row.state()?;
    let paper = days.last_paper().map(|code| format!("calendarPapers/{code}")).unwrap_or_default();
    Ok(Change {
        resource: row.name(),
        version: row.version,
        verb: "recount",
        from_state: state.name(),
        to_state: state.name(),
        comment: paper.clone(),
        event: "claim.termMoved",
        data: json!({
            "claim": row.name(), "number": row.number, "paper": paper, "due_before": before.due, "due": row.due,
            "notice_end_before": before.notice, "notice_end": row.notice_ends,
            "appeal_end_before": before.appeal, "appeal_end": row.appeal_ends,
        }),
    })
}
