//! What every step of an expense does: lock, enter the next state, tell of it.

use std::sync::Arc;

use chassis::{
    identity::Scope,
    refusal::Refusal,
    state::transition,
    wire,
    work::{Change, Record, Work, check_etag},
};
use contracts::linli::funding::v1 as pb;
use jiff::civil::Date;
use kernel::{calendar::Calendar, name::ExpenseName, state::Named};
use serde_json::{Value, json};

use super::{
    encode,
    rules::{self, Facts, State, TABLE, Verb},
    spoken,
    store::{self, Row},
};
use crate::{
    actor::Actor,
    ledger::store::{Outcome, resolve},
    policy::{self, rules::Policy},
};

/// What a step with a term is given: the working days.
pub(crate) type Days = Arc<Calendar>;

/// An expense that is locked.
#[derive(Debug)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) row: Row,
    pub(crate) facts: Facts,
}

impl Locked {
    /// A row that is locked.
    pub(crate) fn of(row: Row) -> Result<Locked, Refusal> {
        Ok(Locked { name: row.name(), facts: row.facts()?, row })
    }

    /// The town.
    pub(crate) fn town(&self) -> &str {
        &self.row.town
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

/// Locks an expense within the caller's areas and checks its etag.
///
/// # Errors
/// NOT_FOUND, PERMISSION_DENIED, ETAG_MISMATCH.
pub(crate) async fn lock(work: &mut Work, name: &str, etag: &str) -> Result<Locked, Refusal> {
    let name: ExpenseName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let row = store::get(work.sql(), &name, &scope, true).await?;
    let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Expense", name.to_string()))?;
    check_etag(&row.name(), etag, row.version)?;
    Locked::of(row)
}

/// The policy in force for the year of an expense.
///
/// # Errors
/// INTERNAL when the year has none: nothing was ever applied for without one.
pub(crate) async fn policy_of(work: &mut Work, row: &Row) -> Result<Policy, Refusal> {
    let policy = policy::store::in_force(work.sql(), &row.town, row.fiscal_year).await?;
    policy.ok_or_else(|| Refusal::internal(format!("no policy for {} of {}", row.fiscal_year, row.town)))
}

/// Enters `to` today: its term runs from there, by the policy in force and the working days.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn enter(
    work: &mut Work,
    locked: &mut Locked,
    to: State,
    days: &Calendar,
) -> Result<(), Refusal> {
    let term = match rules::leg(to) {
        None => None,
        Some(leg) => Some(policy_of(work, &locked.row).await?.days(leg)),
    };
    let today = work.call().today();
    locked.row.enter(to, today, term, days)
}

/// What an event tells of an expense: nothing personal.
fn data(row: &Row) -> Value {
    json!({
        "expense": row.name(), "number": row.number, "state": row.state, "committee": format!("towns/{}/committees/{}", row.town, row.committee),
        "fund": row.fund, "fiscal_year": row.fiscal_year, "category": row.category, "amount_fen": row.amount_fen,
    })
}

/// A step as it is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) verb: Verb,
    pub(crate) event: &'static str,
    pub(crate) comment: &'a str,
}

/// Saves what a step changed; the change that tells of it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn save(work: &mut Work, locked: &mut Locked, told: Told<'_>) -> Result<Change, Refusal> {
    store::save(work.sql(), &mut locked.row).await?;
    let mut data = data(&locked.row);
    if !locked.row.disclosure.is_empty() {
        data["disclosure"] = json!(locked.row.disclosure);
    }
    Ok(Change {
        resource: locked.name.clone(),
        version: locked.row.version,
        verb: told.verb.name(),
        from_state: locked.facts.state.name(),
        to_state: locked.row.state()?.name(),
        comment: told.comment.to_owned(),
        event: told.event,
        data,
    })
}

/// The change that tells of an application.
pub(crate) fn applied(row: &Row, comment: &str) -> Change {
    Change {
        resource: row.name(),
        version: row.version,
        verb: Verb::Apply.name(),
        from_state: "",
        to_state: State::Applied.name(),
        comment: comment.to_owned(),
        event: "expense.applied",
        data: data(row),
    }
}

/// Saves a step and answers with the expense.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn finish(
    work: &mut Work,
    mut locked: Locked,
    told: Told<'_>,
) -> Result<Record<pb::Expense>, Refusal> {
    let change = save(work, &mut locked, told).await?;
    record(work, &locked.row, change)
}

/// The record of a step of one expense.
///
/// # Errors
/// INTERNAL when its payee can't be opened.
pub(crate) fn record(work: &Work, row: &Row, change: Change) -> Result<Record<pb::Expense>, Refusal> {
    Ok(Record {
        town: row.town.clone(),
        resource: row.name(),
        summary: format!("{} {}", change.verb, row.name()),
        changes: vec![change],
        answer: encode::expense(row, work.vault(), work.call().today())?,
    })
}

/// Sets the money of an expense free.
///
/// # Errors
/// INTERNAL when it was free before: the table keeps an expense and its hold together.
pub(crate) async fn set_free(work: &mut Work, row: &Row) -> Result<(), Refusal> {
    if resolve(work, &row.town, row.hold, Outcome::Voided).await? {
        return Ok(());
    }
    Err(Refusal::internal(format!("the hold of {} was resolved before", row.name())))
}

/// Whether a scope holds an expense of `committee`.
pub(crate) fn sees(scope: &Scope, committee: &str) -> bool {
    scope.is_town() || scope.ids().1.iter().any(|id| id == committee)
}
