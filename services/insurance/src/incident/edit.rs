//! What every step of an incident does: lock, enter the next state, tell of it.

use chassis::{
    identity::Scope,
    refusal::Refusal,
    state::transition,
    wire,
    work::{Change, Record, Work, check_etag},
};
use contracts::linli::insurance::v1 as pb;
use kernel::{name::IncidentName, state::Named};
use serde_json::{Value, json};

use super::{
    encode,
    rules::{State, TABLE, Verb},
    store::{self, Row},
};

/// An incident that is locked.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) name: String,
    pub(super) row: Row,
    pub(super) state: State,
}

impl Locked {
    /// A row that is locked.
    pub(super) fn of(row: Row) -> Result<Locked, Refusal> {
        Ok(Locked { name: row.name(), state: row.state()?, row })
    }

    /// The state after `verb`.
    ///
    /// # Errors
    /// WRONG_STATE.
    pub(super) fn next(&self, verb: Verb) -> Result<State, Refusal> {
        transition(&TABLE, &self.name, self.state, verb)
    }
}

/// Locks an incident within the caller's areas and checks its etag.
///
/// # Errors
/// PERMISSION_DENIED, NOT_FOUND, ETAG_MISMATCH.
pub(super) async fn lock(work: &mut Work, name: &str, etag: &str) -> Result<Locked, Refusal> {
    let name: IncidentName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let row = store::get(work.sql(), &name, &scope, true).await?;
    let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Incident", name.to_string()))?;
    check_etag(&row.name(), etag, row.version)?;
    Locked::of(row)
}

/// Whether a scope holds an incident.
pub(super) fn sees(scope: &Scope, row: &Row) -> bool {
    let (_, committees, blocks) = scope.ids();
    scope.is_town()
        || committees.contains(&row.committee)
        || (!row.block.is_empty() && blocks.contains(&row.block))
}

/// What an event tells of an incident: nothing personal, and not whom it met.
pub(super) fn data(row: &Row) -> Value {
    let town = &row.town;
    let committee = match row.committee.as_str() {
        "" => String::new(),
        id => format!("towns/{town}/committees/{id}"),
    };
    json!({
        "incident": row.name(), "number": row.number, "state": row.state, "peril": row.peril, "happen_date": row.happened_on,
        "committee": committee, "event": store::name_of(town, row.event), "source": row.source, "covered": row.covered, "claim": row.claim,
    })
}

/// A step as it is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub(super) verb: Verb,
    pub(super) event: &'static str,
    pub(super) comment: &'a str,
}

/// Enters `to` and saves what else the step changed; the change that tells of it.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn save(
    work: &mut Work,
    locked: &mut Locked,
    to: State,
    told: Told<'_>,
) -> Result<Change, Refusal> {
    locked.row.state = to.name().to_owned();
    store::save(work.sql(), &mut locked.row).await?;
    let from = std::mem::replace(&mut locked.state, to);
    Ok(Change {
        resource: locked.name.clone(),
        version: locked.row.version,
        verb: told.verb.name(),
        from_state: from.name(),
        to_state: to.name(),
        comment: told.comment.to_owned(),
        event: told.event,
        data: data(&locked.row),
    })
}

/// The record of the steps of one incident.
///
/// # Errors
/// INTERNAL when the row can't be read.
pub(super) fn record(row: &Row, changes: Vec<Change>) -> Result<Record<pb::Incident>, Refusal> {
    let verbs: Vec<&str> = changes.iter().map(|change| change.verb).collect();
    Ok(Record {
        town: row.town.clone(),
        resource: row.name(),
        summary: format!("{} {}", verbs.join(", "), row.name()),
        changes,
        answer: encode::incident(row)?,
    })
}

/// Saves a step and answers with the incident.
///
/// # Errors
/// What Postgres answered.
pub(super) async fn finish(
    work: &mut Work,
    mut locked: Locked,
    to: State,
    told: Told<'_>,
) -> Result<Record<pb::Incident>, Refusal> {
    let change = save(work, &mut locked, to, told).await?;
    record(&locked.row, vec![change])
}
