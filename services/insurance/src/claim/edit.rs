//! What every step of a claim does: lock, enter the next state, tell of it.

use std::sync::Arc;

use chassis::{
    actor::Actor,
    refusal::Refusal,
    state::transition,
    wire,
    work::{Change, Record, Work, check_etag},
};
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::{calendar::Calendar, name::ClaimName, state::Named};
use serde_json::{Value, json};

use super::{
    encode, paid,
    rules::{self, Facts, State, TABLE, Verb},
    settings, spoken,
    store::{self, Payment, Row},
};

/// What a step with a term is given: the working days.
pub(crate) type Days = Arc<Calendar>;

/// A claim that is locked.
#[derive(Debug)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) row: Row,
    pub(crate) facts: Facts,
    pub(crate) payments: Vec<Payment>,
}

impl Locked {
    /// A row that is locked, with what its steps rest on.
    ///
    /// # Errors
    /// What Postgres answered.
    pub(crate) async fn of(work: &mut Work, row: Row) -> Result<Locked, Refusal> {
        let beneficiaries = store::beneficiaries(work.sql(), &row.town, row.id).await?;
        let payments = store::payments(work.sql(), &row.town, row.id).await?;
        let facts = row.facts(&beneficiaries, paid::unconfirmed(&payments))?;
        Ok(Locked { name: row.name(), row, facts, payments })
    }

    /// The state after `verb`, when state and people allow it to `who` today.
    ///
    /// # Errors
    /// WRONG_STATE, and what keeps somebody from a step.
    pub(crate) fn next(&self, verb: Verb, who: &Actor, today: Date) -> Result<State, Refusal> {
        let to = transition(&TABLE, &self.name, self.facts.state, verb)?;
        spoken::need_open(&self.name, &self.facts, verb, who, today)?;
        Ok(to)
    }
}

/// Locks a claim within the caller's areas and checks its etag.
///
/// # Errors
/// NOT_FOUND, PERMISSION_DENIED, ETAG_MISMATCH.
pub(crate) async fn lock(work: &mut Work, name: &str, etag: &str) -> Result<Locked, Refusal> {
    let name: ClaimName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let row = store::get(work.sql(), &name, &scope, true).await?;
    let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Claim", name.to_string()))?;
    check_etag(&row.name(), etag, row.version)?;
    Locked::of(work, row).await
}

/// Enters `to` today: its term runs from there, by the settings and the working days.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn enter(work: &mut Work, row: &mut Row, to: State, days: &Calendar) -> Result<(), Refusal> {
    let term = match rules::leg(to) {
        None => None,
        Some(leg) => Some(settings::read(work.sql(), &row.town).await?.days(leg)),
    };
    let today = work.call().today();
    row.enter(to, today, term, days)
}

/// What an event tells of a claim: nothing personal.
fn data(row: &Row) -> Value {
    json!({
        "claim": row.name(), "number": row.number, "state": row.state, "incident": format!("towns/{}/incidents/{}", row.town, row.incident),
        "peril": row.peril, "outcome": row.outcome, "rule": row.rule, "approved_fen": row.approved_fen, "paid_fen": row.paid_fen,
    })
}

/// A step as it is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) verb: Verb,
    pub(crate) event: &'static str,
    pub(crate) comment: &'a str,
}

/// The change that tells of a step from `from`.
///
/// # Errors
/// INTERNAL when the state is none.
pub(crate) fn change(row: &Row, from: &'static str, told: Told<'_>) -> Result<Change, Refusal> {
    Ok(Change {
        resource: row.name(),
        version: row.version,
        verb: told.verb.name(),
        from_state: from,
        to_state: row.state()?.name(),
        comment: told.comment.to_owned(),
        event: told.event,
        data: data(row),
    })
}

/// Saves what a step changed; the change that tells of it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn save(work: &mut Work, locked: &mut Locked, told: Told<'_>) -> Result<Change, Refusal> {
    store::save(work.sql(), &mut locked.row).await?;
    change(&locked.row, locked.facts.state.name(), told)
}

/// Saves a step and answers with the claim. `others` are changes of other resources, told after it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn finish_with(
    work: &mut Work,
    mut locked: Locked,
    told: Told<'_>,
    others: impl IntoIterator<Item = Change>,
) -> Result<Record<pb::Claim>, Refusal> {
    let mut changes = vec![save(work, &mut locked, told).await?];
    changes.extend(others);
    record(work, &locked.row, changes).await
}

/// Saves a step and answers with the claim.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn finish(
    work: &mut Work,
    locked: Locked,
    told: Told<'_>,
) -> Result<Record<pb::Claim>, Refusal> {
    finish_with(work, locked, told, None).await
}

/// The record of a step of one claim.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn record(
    work: &mut Work,
    row: &Row,
    changes: Vec<Change>,
) -> Result<Record<pb::Claim>, Refusal> {
    let call = work.call().clone();
    let vault = work.vault().clone();
    let answer = encode::whole(work.sql(), &vault, &call, row).await?;
    let verb = changes.first().map_or("record", |change| change.verb);
    Ok(Record {
        town: row.town.clone(),
        resource: row.name(),
        summary: format!("{verb} {}", row.name()),
        changes,
        answer,
    })
}
