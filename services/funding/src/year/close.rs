//! The operation `close_year`: works through the accounts of a year in chunks. How far it is stands in the unit of work that books a
//! chunk, so a killed one goes on where it stopped, and no account is worked off twice.

use chassis::{
    operations::{Job, Progress, Running, any, name as operation_name},
    refusal::Refusal,
    state::transition,
    work::{Change, Record, Work},
};
use contracts::linli::funding::v1 as pb;
use kernel::{money::Fen, name::FiscalYearName};
use prost_types::Any;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    acts::{change, lock_next_year, need_next_year, number},
    carry,
    rules::{Class, Fate, State, TABLE, Verb, book_day, target},
    store::{self, Year},
};
use crate::{
    ledger::{
        rules::{Entry, For, Key},
        store::{self as ledger, Account},
    },
    money::to_money,
};

/// Accounts that one transaction works off.
const CHUNK: i64 = 200;

/// How far the end of a year is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The last account that is done.
    after: Uuid,
    accounts: i64,
    carried: i64,
    returned: i64,
    total: i64,
}

impl Cursor {
    fn add(&mut self, account: &Account, fate: Fate) -> Result<(), Refusal> {
        let sum = |so_far: i64| Fen::of(so_far).checked_add(account.balance).map_err(Refusal::internal);
        match fate {
            Fate::Carried => self.carried = sum(self.carried)?.fen(),
            Fate::Returned => self.returned = sum(self.returned)?.fen(),
        }
        self.accounts += 1;
        self.after = account.id;
        Ok(())
    }

    fn progress(&self) -> Result<Progress, Refusal> {
        let cursor = serde_json::to_value(self).map_err(Refusal::internal)?;
        Ok(Progress { cursor, done: self.accounts, total: self.total })
    }
}

/// Does it.
pub(crate) struct CloseYear;

#[tonic::async_trait]
impl Job for CloseYear {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let name = String::from_utf8(running.input.clone()).map_err(Refusal::internal)?;
        let name = FiscalYearName::parse(&name).map_err(Refusal::internal)?;
        let mut cursor: Cursor = serde_json::from_value(running.stored.cursor.clone()).unwrap_or_default();
        let mut begun = false;
        loop {
            let mut work = Work::plain(&running.context.db, &running.call).await?;
            let year = locked(&mut work, &name).await?;
            if year.state()? == State::Closed {
                // the last unit was committed before its worker could say so
                return Ok(Some(any(&report(&name, &cursor))));
            }
            if !begun {
                // said before anything is booked; each chunk sees to the year that it carries into
                need_next_year(&mut work, &year).await?;
                begun = true;
            }
            if cursor.total == 0 {
                cursor.total = store::remaining(work.sql(), &year.town, year.year).await?;
            }
            let of = (year.town.as_str(), year.year);
            let accounts = store::next(work.sql(), of, cursor.after, CHUNK).await?;
            let over = accounts.is_empty();
            let mut changes = Vec::new();
            if over {
                changes.push(closed(&mut work, &year).await?);
            } else {
                chunk(&mut work, &year, &accounts, &mut cursor).await?;
            }
            let stop = running.keep(&mut work, &cursor.progress()?).await?;
            work.commit(record(running, &name, accounts.len(), changes)).await?;
            if over {
                return Ok(Some(any(&report(&name, &cursor))));
            }
            if stop {
                return Ok(None);
            }
        }
    }
}

/// The year, locked for the time of a chunk.
async fn locked(work: &mut Work, name: &FiscalYearName) -> Result<Year, Refusal> {
    let gone = || Refusal::not_found("linli.dev/FiscalYear", name.to_string());
    let number = number(name).ok_or_else(gone)?;
    store::get(work.sql(), name.town(), number, true).await?.ok_or_else(gone)
}

/// Books what becomes of some accounts.
async fn chunk(
    work: &mut Work,
    year: &Year,
    accounts: &[Account],
    cursor: &mut Cursor,
) -> Result<(), Refusal> {
    let carried = carry::carried(work.sql(), &year.town, year.year).await?;
    let mut ways = Vec::new();
    for account in accounts {
        let class = Class::of(&account.key)
            .ok_or_else(|| Refusal::internal("an account that no year's end asks about"))?;
        let fate = class.fate(account.key.fund, |fund| carried.contains(&fund));
        ways.push((account, fate, target(&account.key, fate)));
    }
    if ways.iter().any(|(_, fate, _)| *fate == Fate::Carried) {
        lock_next_year(work, year).await?;
    }
    let mut keys: Vec<Key> = ways.iter().map(|(_, _, to)| to.clone()).collect();
    keys.sort();
    keys.dedup();
    let targets = ledger::open(work.sql(), &year.town, &keys).await?;
    let today = work.call().today();
    let mut entries = Vec::new();
    for (account, fate, to) in ways {
        let to = targets.iter().find(|target| target.key == to);
        let to = to.ok_or_else(|| Refusal::internal("a target that was not opened"))?;
        let what = For {
            kind: fate.entry(),
            key: &format!("year/{}/{}", year.year, account.id),
            fiscal_year: year.year,
            booked_on: book_day(year.year, today),
            subject: &year.name(),
            description: match fate {
                Fate::Carried => "年终结转下年",
                Fate::Returned => "年终收回",
            },
        };
        entries.push(Entry::simple(what, account.id, to.id, account.balance));
        cursor.add(account, fate)?;
    }
    ledger::post(work, &year.town, &entries).await
}

/// Closes the year; the database sees that nothing is left.
async fn closed(work: &mut Work, year: &Year) -> Result<Change, Refusal> {
    let to = transition(&TABLE, &year.name(), year.state()?, Verb::Close)?;
    let version = store::close(work.sql(), year).await?;
    change(year, version, Verb::Close, to, "")
}

fn record(
    running: &Running,
    name: &FiscalYearName,
    accounts: usize,
    changes: Vec<Change>,
) -> Record<pb::CloseYearReport> {
    let summary = if changes.is_empty() {
        format!("work off {accounts} accounts of {name}")
    } else {
        format!("close {name}")
    };
    Record {
        town: name.town().to_owned(),
        resource: operation_name(running.context.service, running.stored.id),
        summary,
        changes,
        answer: pb::CloseYearReport::default(),
    }
}

fn report(name: &FiscalYearName, cursor: &Cursor) -> pb::CloseYearReport {
    pb::CloseYearReport {
        fiscal_year: name.to_string(),
        accounts: cursor.accounts,
        carried_amount: Some(to_money(Fen::of(cursor.carried))),
        returned_amount: Some(to_money(Fen::of(cursor.returned))),
    }
}
