//! Holds: money set aside, resolved once.

use chassis::{refusal::Refusal, work::Work};
use jiff::civil::Date;
use kernel::{money::Fen, state::Named};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Account, named, refused_booking};
use crate::{actor::Actor, ledger::rules::HoldState};

/// A hold as it is to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewHold<'a> {
    /// Its id.
    pub(crate) id: Uuid,
    /// The account whose money it is.
    pub(crate) account: &'a Account,
    /// How much.
    pub(crate) amount: Fen,
    /// What makes it this one and no other.
    pub(crate) key: &'a str,
    /// The resource that holds.
    pub(crate) subject: &'a str,
    /// What for, in words, free of personal data.
    pub(crate) purpose: &'a str,
    /// The last day on which it can be posted.
    pub(crate) expires_on: Option<Date>,
    /// Where a person may post it.
    pub(crate) into: Option<Uuid>,
}

/// A hold.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) id: Uuid,
    pub(crate) account: Uuid,
    pub(crate) into: Option<Uuid>,
    pub(crate) amount: Fen,
    pub(crate) state: HoldState,
    pub(crate) subject: String,
    pub(crate) purpose: String,
    pub(crate) expires_on: Option<Date>,
    pub(crate) by: Actor,
    pub(crate) version: i64,
}

/// What becomes of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Posted by this entry, which is booked behind it in the same unit of work; what is left is free again.
    Posted {
        /// How much.
        amount: Fen,
        /// The entry.
        entry: Uuid,
    },
    /// Given up.
    Voided,
}

/// Lets go what should be resolved by now: holds of `account` whose last day is over on `today`.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn expire_due(
    sql: &mut PgConnection,
    town: &str,
    account: Uuid,
    today: Date,
) -> Result<u64, Refusal> {
    let done = sqlx::query!(
        "update hold set state = 'EXPIRED', resolved_on = $3::text::date, version = version + 1, updated = clock_timestamp()
         where town = $1 and account = $2 and state = 'HELD' and expires_on < $3::text::date",
        town,
        account,
        today.to_string(),
    );
    Ok(done.execute(sql).await?.rows_affected())
}

/// Sets money aside; first lets go what has expired on the account.
///
/// # Errors
/// BALANCE_INSUFFICIENT, FISCAL_YEAR_CLOSED, AMOUNT_OVERFLOW, ENTRY_WRITTEN for a key that was used.
pub(crate) async fn hold(work: &mut Work, town: &str, new: &NewHold<'_>) -> Result<(), Refusal> {
    let (actor, today) = (Actor::of(work.call()), work.call().today());
    expire_due(work.sql(), town, new.account.id, today).await?;
    let done = sqlx::query!(
        "insert into hold (town, id, account, amount_fen, into_account, key, subject, purpose, expires_on, held_on, held_by, held_person)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::date, $10::text::date, $11, $12)",
        town,
        new.id,
        new.account.id,
        new.amount.fen(),
        new.into,
        new.key,
        new.subject,
        new.purpose,
        new.expires_on.map(|day| day.to_string()),
        today.to_string(),
        actor.principal,
        actor.person,
    );
    let Err(error) = done.execute(work.sql()).await else { return Ok(()) };
    let of = (Some(new.account.id), new.amount);
    Err(refused_booking(error.into(), town, of, new.account.key.fiscal_year, new.key))
}

/// Resolves a hold that is still open. `false` when it was resolved before, whoever did it.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn resolve(
    work: &mut Work,
    town: &str,
    id: Uuid,
    outcome: Outcome,
) -> Result<bool, Refusal> {
    let (actor, today) = (Actor::of(work.call()), work.call().today());
    let (state, posted, entry) = match outcome {
        Outcome::Posted { amount, entry } => (HoldState::Posted, amount, Some(entry)),
        Outcome::Voided => (HoldState::Voided, Fen::ZERO, None),
    };
    let done = sqlx::query!(
        "update hold set state = $3, posted_fen = $4, entry = $5, resolved_on = $6::text::date, resolved_by = $7, resolved_person = $8,
                version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 and state = 'HELD'",
        town,
        id,
        state.name(),
        posted.fen(),
        entry,
        today.to_string(),
        actor.principal,
        actor.person,
    );
    Ok(done.execute(work.sql()).await?.rows_affected() == 1)
}

/// A hold, locked until the end of the transaction.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn get_hold(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<Option<Held>, Refusal> {
    let row = sqlx::query!(
        "select id, account, into_account, amount_fen, state, subject, purpose, expires_on::text as expires_on, held_by, held_person,
                version
         from hold where town = $1 and id = $2 for update",
        town,
        id,
    );
    let Some(row) = row.fetch_optional(sql).await? else { return Ok(None) };
    Ok(Some(Held {
        id: row.id,
        account: row.account,
        into: row.into_account,
        amount: Fen::of(row.amount_fen),
        state: named(&row.state)?,
        subject: row.subject,
        purpose: row.purpose,
        expires_on: row.expires_on.map(|day| day.parse()).transpose().map_err(Refusal::internal)?,
        by: Actor::new(row.held_by, row.held_person),
        version: row.version,
    }))
}
