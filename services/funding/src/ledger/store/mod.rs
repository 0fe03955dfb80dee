//! The SQL of the ledger. Balances move by the triggers of `0001_ledger.sql`; here rows are written and read.

mod aside;
mod entries;
mod holds;
pub(crate) mod opening;
pub(crate) mod seal;
pub(crate) mod verify;
pub(crate) mod views;
pub(crate) mod year;

pub(crate) use aside::{Aside, post_aside, set_aside};
pub(crate) use entries::{book, booked, post, post_as};
pub(crate) use holds::{Held, NewHold, Outcome, expire_due, get_hold, hold, resolve};

use chassis::{
    refusal::{AMOUNT_OVERFLOW, Refusal},
    work::Work,
};
use kernel::{money::Fen, state::Named};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rules::{AccountKind, Earmark, Fund, Key};
use crate::reasons::{BALANCE_INSUFFICIENT, EARMARK_NOT_ALLOWED, ENTRY_WRITTEN, FISCAL_YEAR_CLOSED};

/// An account with its balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its id.
    pub(crate) id: Uuid,
    /// What it is of.
    pub(crate) key: Key,
    /// The sum of its postings.
    pub(crate) balance: Fen,
    /// What open holds have set aside.
    pub(crate) held: Fen,
}

impl Account {
    /// What can be used.
    pub(crate) fn available(&self) -> Fen {
        self.balance.checked_sub(self.held).unwrap_or_default()
    }

    /// Its name.
    pub(crate) fn name(&self, town: &str) -> String {
        account_name(town, self.id)
    }

    /// Refuses more than can be used, with the figures; the constraint beneath holds under the lock. When it isn't enough, what has
    /// expired by today is let go first.
    ///
    /// # Errors
    /// BALANCE_INSUFFICIENT.
    pub(crate) async fn need(&self, work: &mut Work, town: &str, amount: Fen) -> Result<(), Refusal> {
        if amount <= self.available() {
            return Ok(());
        }
        let today = work.call().today();
        expire_due(work.sql(), town, self.id, today).await?;
        let now = by_id(work.sql(), town, self.id).await?.unwrap_or_else(|| self.clone());
        if amount <= now.available() {
            return Ok(());
        }
        Err(Refusal::new(&BALANCE_INSUFFICIENT)
            .with("account", self.name(town))
            .with("amount", amount)
            .with("available", now.available()))
    }
}

/// `towns/{town}/accounts/{account}`.
pub(crate) fn account_name(town: &str, id: Uuid) -> String {
    format!("towns/{town}/accounts/{id}")
}

/// Text of the table as what it stands for; the table's checks hold it there.
pub(crate) fn named<N: Named>(text: &str) -> Result<N, Refusal> {
    N::from_name(text).ok_or_else(|| Refusal::internal(format!("{text} in the ledger")))
}

/// An account as the table keeps it.
struct Row {
    id: Uuid,
    kind: String,
    fund: String,
    fiscal_year: i32,
    committee: Option<String>,
    earmark: Option<String>,
    category: Option<String>,
    balance_fen: i64,
    held_fen: i64,
}

impl Row {
    fn account(self) -> Result<Account, Refusal> {
        let earmark = self.earmark.map(|text| text.parse::<Earmark>());
        let key = Key {
            kind: named::<AccountKind>(&self.kind)?,
            fund: named::<Fund>(&self.fund)?,
            fiscal_year: self.fiscal_year,
            committee: self.committee,
            earmark: earmark.transpose().map_err(Refusal::internal)?,
            category: self.category,
        };
        Ok(Account { id: self.id, key, balance: Fen::of(self.balance_fen), held: Fen::of(self.held_fen) })
    }
}

fn texts<T>(keys: &[Key], of: impl Fn(&Key) -> T) -> Vec<T> {
    keys.iter().map(of).collect()
}

/// The accounts of `keys` that are there, in whatever order.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn find_all(
    sql: &mut PgConnection,
    town: &str,
    keys: &[Key],
) -> Result<Vec<Account>, Refusal> {
    let rows = sqlx::query_as!(
        Row,
        "select id, kind, fund, fiscal_year, committee, earmark, category, balance_fen, held_fen
         from account where town = $1 and key = any($2)",
        town,
        &texts(keys, ToString::to_string),
    );
    rows.fetch_all(sql).await?.into_iter().map(Row::account).collect()
}

/// The account of a key, when it is there.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn find(sql: &mut PgConnection, town: &str, key: &Key) -> Result<Option<Account>, Refusal> {
    Ok(find_all(sql, town, std::slice::from_ref(key)).await?.into_iter().next())
}

/// An account by its id.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn by_id(sql: &mut PgConnection, town: &str, id: Uuid) -> Result<Option<Account>, Refusal> {
    let row = sqlx::query_as!(
        Row,
        "select id, kind, fund, fiscal_year, committee, earmark, category, balance_fen, held_fen
         from account where town = $1 and id = $2",
        town,
        id,
    );
    row.fetch_optional(sql).await?.map(Row::account).transpose()
}

/// A committee's accounts with this earmark from the year of `key` on: one a year, the last of them has what is left.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn since(sql: &mut PgConnection, town: &str, key: &Key) -> Result<Vec<Account>, Refusal> {
    let rows = sqlx::query_as!(
        Row,
        "select id, kind, fund, fiscal_year, committee, earmark, category, balance_fen, held_fen from account
         where town = $1 and kind = $2 and fund = $3 and committee = $4 and earmark = $5 and fiscal_year >= $6 order by fiscal_year",
        town,
        key.kind.name(),
        key.fund.name(),
        key.committee.as_deref(),
        key.earmark.as_ref().map(ToString::to_string),
        key.fiscal_year,
    );
    rows.fetch_all(sql).await?.into_iter().map(Row::account).collect()
}

/// The accounts of `keys` in their order; those that are missing are made.
///
/// # Errors
/// EARMARK_NOT_ALLOWED for an expenditure that no policy allows; what Postgres answered.
pub(crate) async fn open(sql: &mut PgConnection, town: &str, keys: &[Key]) -> Result<Vec<Account>, Refusal> {
    let done = sqlx::query!(
        "insert into account (town, id, kind, fund, fiscal_year, committee, earmark, category)
         select $1, id, kind, fund, fiscal_year, committee, earmark, category
         from unnest($2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[])
              as k (id, kind, fund, fiscal_year, committee, earmark, category)
         order by kind, fund, fiscal_year, committee, earmark, category
         on conflict do nothing",
        town,
        &texts(keys, |_| Uuid::now_v7()),
        &texts(keys, |key| key.kind.name().to_owned()),
        &texts(keys, |key| key.fund.name().to_owned()),
        &texts(keys, |key| key.fiscal_year),
        &texts(keys, |key| key.committee.clone()) as &[Option<String>],
        &texts(keys, |key| key.earmark.as_ref().map(ToString::to_string)) as &[Option<String>],
        &texts(keys, |key| key.category.clone()) as &[Option<String>],
    );
    if let Err(error) = done.execute(&mut *sql).await {
        let spending = keys.iter().find(|key| key.category.is_some());
        return Err(refused(error.into(), |constraint| match (constraint, spending) {
            ("account_category_allowed", Some(key)) => Some(
                Refusal::new(&EARMARK_NOT_ALLOWED)
                    .with("fund", key.fund.name())
                    .with("category", key.category.as_deref().unwrap_or_default()),
            ),
            _ => None,
        }));
    }
    let found = find_all(sql, town, keys).await?;
    let mut by_key: std::collections::HashMap<&Key, &Account> = found.iter().map(|a| (&a.key, a)).collect();
    let in_order = keys.iter().map(|key| by_key.remove(key).cloned());
    in_order
        .map(|account| {
            account.ok_or_else(|| Refusal::internal("an account vanished, or was asked for twice"))
        })
        .collect()
}

/// What the database refused, as a refusal of ours: by the constraint, else by `own`.
fn refused(refusal: Refusal, own: impl Fn(&str) -> Option<Refusal>) -> Refusal {
    let Some(constraint) = refusal.constraint() else { return refusal };
    match own(constraint) {
        Some(ours) => ours.because(refusal),
        None => refusal,
    }
}

/// The same for what books or holds `amount` on `account`, in the fiscal year.
fn refused_booking(
    refusal: Refusal,
    town: &str,
    (account, amount): (Option<Uuid>, Fen),
    fiscal_year: i32,
    key: &str,
) -> Refusal {
    if refusal.is_out_of_range() {
        return Refusal::new(&AMOUNT_OVERFLOW).with("field", "amount").because(refusal);
    }
    refused(refusal, |constraint| match constraint {
        "account_not_overdrawn" => Some(
            Refusal::new(&BALANCE_INSUFFICIENT)
                .with("account", account.map(|id| account_name(town, id)).unwrap_or_default())
                .with("amount", amount),
        ),
        "fiscal_year_open" => Some(Refusal::new(&FISCAL_YEAR_CLOSED).with("year", fiscal_year)),
        "entry_key" | "hold_key" => Some(Refusal::new(&ENTRY_WRITTEN).with("key", key)),
        _ => None,
    })
}
