//! Money set aside by sets: what an operation is going to take is held when it is begun, and posted as it is booked.

use chassis::{refusal::Refusal, work::Work};
use jiff::civil::Date;
use kernel::money::Fen;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Account, by_id, expire_due, refused_booking};
use crate::{actor::Actor, ledger::rules::Entry};

/// What is set aside for an entry that is still to be booked.
#[derive(Clone, Debug)]
pub(crate) struct Aside {
    /// The account whose money it is.
    pub(crate) account: Uuid,
    /// How much.
    pub(crate) amount: Fen,
    /// The key of the entry: the hold's own key.
    pub(crate) key: String,
    /// The resource that the entry is about.
    pub(crate) subject: String,
}

/// Sets money aside, in one statement; first lets go what has expired on the accounts.
///
/// # Errors
/// BALANCE_INSUFFICIENT with the first account that hasn't got it; FISCAL_YEAR_CLOSED, ENTRY_WRITTEN for a key that was used.
pub(crate) async fn set_aside(
    work: &mut Work,
    town: &str,
    (purpose, fiscal_year): (&str, i32),
    all: &[Aside],
) -> Result<(), Refusal> {
    let (actor, today) = (Actor::of(work.call()), work.call().today());
    for account in with_due_holds(work.sql(), town, all, today).await? {
        expire_due(work.sql(), town, account, today).await?;
    }
    if let Some((account, amount)) = short(work.sql(), town, all).await? {
        account.need(work, town, amount).await?;
    }
    let done = sqlx::query!(
        "insert into hold (town, id, account, amount_fen, key, subject, purpose, held_on, held_by, held_person)
         select $1, id, account, amount_fen, key, subject, $7, $8::text::date, $9, $10
         from unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[]) as a (id, account, amount_fen, key, subject)",
        town,
        &all.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>(),
        &all.iter().map(|aside| aside.account).collect::<Vec<_>>(),
        &all.iter().map(|aside| aside.amount.fen()).collect::<Vec<_>>(),
        &all.iter().map(|aside| aside.key.clone()).collect::<Vec<_>>(),
        &all.iter().map(|aside| aside.subject.clone()).collect::<Vec<_>>(),
        purpose,
        today.to_string(),
        actor.principal,
        actor.person,
    );
    let Err(error) = done.execute(work.sql()).await else { return Ok(()) };
    let first = all.first();
    let of = first.map_or((None, Fen::ZERO), |aside| (Some(aside.account), aside.amount));
    let key = first.map_or("", |aside| aside.key.as_str());
    Err(refused_booking(error.into(), town, of, fiscal_year, key))
}

/// Posts what was set aside for `entries`, which are booked behind it in the same unit of work.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn post_aside(work: &mut Work, town: &str, entries: &[Entry]) -> Result<(), Refusal> {
    let (actor, today) = (Actor::of(work.call()), work.call().today());
    let done = sqlx::query!(
        "update hold h set state = 'POSTED', posted_fen = h.amount_fen, entry = e.id, resolved_on = $4::text::date, resolved_by = $5,
                resolved_person = $6, version = h.version + 1, updated = clock_timestamp()
         from unnest($2::uuid[], $3::text[]) as e (id, key) where h.town = $1 and h.key = e.key and h.state = 'HELD'",
        town,
        &entries.iter().map(|entry| entry.id).collect::<Vec<_>>(),
        &entries.iter().map(|entry| entry.key.clone()).collect::<Vec<_>>(),
        today.to_string(),
        actor.principal,
        actor.person,
    );
    done.execute(work.sql()).await?;
    Ok(())
}

/// The accounts with holds whose last day is over.
async fn with_due_holds(
    sql: &mut PgConnection,
    town: &str,
    all: &[Aside],
    today: Date,
) -> Result<Vec<Uuid>, Refusal> {
    let found = sqlx::query_scalar!(
        "select distinct account from hold where town = $1 and account = any($2) and state = 'HELD' and expires_on < $3::text::date",
        town,
        &all.iter().map(|aside| aside.account).collect::<Vec<_>>(),
        today.to_string(),
    );
    Ok(found.fetch_all(sql).await?)
}

/// The first account that hasn't got what is to be set aside, and how much that is.
async fn short(sql: &mut PgConnection, town: &str, all: &[Aside]) -> Result<Option<(Account, Fen)>, Refusal> {
    let found = sqlx::query!(
        r#"select c.id, a.amount_fen as "amount!" from unnest($2::uuid[], $3::bigint[]) as a (account, amount_fen)
           join account c on c.town = $1 and c.id = a.account where c.balance_fen - c.held_fen < a.amount_fen order by c.id limit 1"#,
        town,
        &all.iter().map(|aside| aside.account).collect::<Vec<_>>(),
        &all.iter().map(|aside| aside.amount.fen()).collect::<Vec<_>>(),
    );
    let Some(row) = found.fetch_optional(&mut *sql).await? else { return Ok(None) };
    Ok(by_id(sql, town, row.id).await?.map(|account| (account, Fen::of(row.amount))))
}
