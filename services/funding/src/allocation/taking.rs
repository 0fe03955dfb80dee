//! What a run takes back: set aside when its release begins, so that nobody spends it before its operation books it, however often that
//! is killed.

use chassis::{refusal::Refusal, work::Work};
use kernel::{money::Fen, name::AllocationRunName, state::Named};
use uuid::Uuid;

use super::{
    encode,
    store::{
        run::Run,
        set::{self, Taking},
    },
};
use crate::ledger::{
    rules::{Fund, Key},
    store::{self as ledger, Aside},
};

/// Committees whose money one statement sets aside.
const SET: i64 = 1_000;

/// Why it is held.
const PURPOSE: &str = "经费核定收回";

/// The key under which an allocation is booked once.
pub(super) fn key(run: &str, committee: &str, fund: Fund) -> String {
    format!("allocation/{run}/{committee}/{}", fund.name())
}

/// The key under which the project pool's difference is booked once.
pub(super) fn pool_key(run: &str) -> String {
    format!("pool/{run}")
}

/// Sets aside all that a run takes back, from committees and from the project pool.
///
/// # Errors
/// BALANCE_INSUFFICIENT with the first account that hasn't got it any more.
pub(super) async fn set_aside(work: &mut Work, name: &AllocationRunName, run: &Run) -> Result<(), Refusal> {
    let town = name.town();
    let mut after = Uuid::nil();
    loop {
        let takings = set::takings(work.sql(), name, after, SET).await?;
        let Some(last) = takings.last() else { break };
        after = last.account;
        let aside: Vec<Aside> = takings.iter().map(|taking| of_committee(town, run, taking)).collect();
        ledger::set_aside(work, town, (PURPOSE, run.fiscal_year), &aside).await?;
    }
    let taken = run.pool_former_fen - run.pool_fen;
    if taken <= 0 {
        return Ok(());
    }
    let pool = ledger::open(work.sql(), town, &[Key::pool(run.fiscal_year)]).await?;
    let pool = pool.first().ok_or_else(|| Refusal::internal("one account was asked for"))?;
    let aside =
        Aside { account: pool.id, amount: Fen::of(taken), key: pool_key(&run.id), subject: name.to_string() };
    ledger::set_aside(work, town, (PURPOSE, run.fiscal_year), &[aside]).await
}

fn of_committee(town: &str, run: &Run, taking: &Taking) -> Aside {
    Aside {
        account: taking.account,
        amount: taking.taken,
        key: key(&run.id, &taking.committee, taking.fund),
        subject: encode::allocation_name(town, &taking.id),
    }
}
