//! Entries: booked in one statement however many they are, and read again.

use chassis::{refusal::Refusal, work::Work};
use kernel::{money::Fen, state::Named};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{named, open, refused_booking, year};
use crate::{
    actor::Actor,
    ledger::rules::{Entry, EntryKind, For, Key},
};

/// Books `entries`: entries with their postings in one statement, balances by the trigger, under the accounts' locks.
///
/// # Errors
/// BALANCE_INSUFFICIENT, FISCAL_YEAR_CLOSED, AMOUNT_OVERFLOW, ENTRY_WRITTEN for a key that was used; INTERNAL for one that isn't
/// balanced.
pub(crate) async fn post(work: &mut Work, town: &str, entries: &[Entry]) -> Result<(), Refusal> {
    let actor = Actor::of(work.call());
    post_as(work.sql(), &actor, town, entries).await
}

/// The same outside a unit of work, for measurements.
///
/// # Errors
/// Those of [`post`].
pub(crate) async fn post_as(
    sql: &mut PgConnection,
    actor: &Actor,
    town: &str,
    entries: &[Entry],
) -> Result<(), Refusal> {
    // the trigger would say the same; said here, nothing of a wrong batch reaches the database
    if let Some(entry) = entries.iter().find(|entry| !entry.is_balanced()) {
        return Err(Refusal::internal(format!("the postings of {} don't add up to zero", entry.key)));
    }
    let (mut of, mut n, mut accounts, mut amounts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut counts = Vec::with_capacity(entries.len());
    for entry in entries {
        counts.push(i16::try_from(entry.postings.len()).map_err(Refusal::internal)?);
        for (number, (account, amount)) in (1i16..).zip(&entry.postings) {
            of.push(entry.id);
            n.push(number);
            accounts.push(*account);
            amounts.push(amount.fen());
        }
    }
    let text = |of: fn(&Entry) -> String| entries.iter().map(of).collect::<Vec<_>>();
    let done = sqlx::query!(
        r#"with at as (select clock_timestamp() as instant),
                given as (select * from unnest($2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[],
                                               $10::uuid[], $11::smallint[])
                              as e (id, kind, key, fiscal_year, booked_on, subject, description, evidence, reverses, postings)),
                booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, evidence, reverses, postings,
                                              principal, person, recorded)
                           select $1, id, kind, key, fiscal_year, booked_on::date, subject, description, evidence, reverses, postings, $12, $13,
                                  instant from given, at)
           insert into posting (town, entry, n, account, amount_fen, booked_on, recorded)
           select $1, p.entry, p.n, p.account, p.amount_fen, g.booked_on::date, at.instant
           from unnest($14::uuid[], $15::smallint[], $16::uuid[], $17::bigint[]) as p (entry, n, account, amount_fen)
           join given g on g.id = p.entry, at"#,
        town,
        &entries.iter().map(|entry| entry.id).collect::<Vec<_>>(),
        &text(|entry| entry.kind.name().to_owned()),
        &text(|entry| entry.key.clone()),
        &entries.iter().map(|entry| entry.fiscal_year).collect::<Vec<_>>(),
        &text(|entry| entry.booked_on.to_string()),
        &text(|entry| entry.subject.clone()),
        &text(|entry| entry.description.clone()),
        &text(|entry| entry.evidence.clone()),
        &entries.iter().map(|entry| entry.reverses).collect::<Vec<_>>() as &[Option<Uuid>],
        &counts,
        actor.principal,
        actor.person,
        &of,
        &n,
        &accounts,
        &amounts,
    );
    let Err(error) = done.execute(sql).await else { return Ok(()) };
    let taken = entries.iter().flat_map(|entry| &entry.postings).find(|(_, amount)| *amount < Fen::ZERO);
    let (account, amount) =
        taken.map_or((None, Fen::ZERO), |(id, amount)| (Some(*id), Fen::of(-amount.fen())));
    let (year, key) = entries.first().map_or((0, ""), |entry| (entry.fiscal_year, entry.key.as_str()));
    Err(refused_booking(error.into(), town, (account, amount), year, key))
}

/// Books one movement between the accounts of two keys; those that are missing are made.
///
/// # Errors
/// FISCAL_YEAR_CLOSED, FISCAL_YEAR_NOT_OPEN; those of [`post`].
pub(crate) async fn book(
    work: &mut Work,
    town: &str,
    (what, evidence): (For<'_>, &str),
    (from, to): (&Key, &Key),
    amount: Fen,
) -> Result<(), Refusal> {
    year::need_open(work.sql(), town, what.fiscal_year).await?;
    let accounts = open(work.sql(), town, &[from.clone(), to.clone()]).await?;
    let [from, to] = accounts.as_slice() else {
        return Err(Refusal::internal("two accounts were asked for"));
    };
    let mut entry = Entry::simple(what, from.id, to.id, amount);
    evidence.clone_into(&mut entry.evidence);
    post(work, town, &[entry]).await
}

/// An entry as it was booked.
#[derive(Clone, Debug)]
pub(crate) struct Booked {
    /// The entry.
    pub(crate) entry: Entry,
    /// Who booked it.
    pub(crate) by: Actor,
    /// The entry that took it back.
    pub(crate) reversed_by: Option<Uuid>,
}

/// An entry by its id.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn booked(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<Option<Booked>, Refusal> {
    let row = sqlx::query!(
        r#"select e.kind, e.key, e.fiscal_year, e.booked_on::text as "booked_on!", e.subject, e.description, e.evidence, e.reverses,
                  e.principal, e.person, (select b.id from entry b where b.town = e.town and b.reverses = e.id) as reversed_by
           from entry e where e.town = $1 and e.id = $2"#,
        town,
        id,
    );
    let Some(row) = row.fetch_optional(&mut *sql).await? else { return Ok(None) };
    let postings = sqlx::query!(
        "select account, amount_fen from posting where town = $1 and entry = $2 order by n",
        town,
        id
    );
    let postings = postings.fetch_all(sql).await?;
    let entry = Entry {
        id,
        kind: named::<EntryKind>(&row.kind)?,
        key: row.key,
        fiscal_year: row.fiscal_year,
        booked_on: row.booked_on.parse().map_err(Refusal::internal)?,
        subject: row.subject,
        description: row.description,
        evidence: row.evidence,
        reverses: row.reverses,
        postings: postings.into_iter().map(|row| (row.account, Fen::of(row.amount_fen))).collect(),
    };
    Ok(Some(Booked { entry, by: Actor::new(row.principal, row.person), reversed_by: row.reversed_by }))
}
