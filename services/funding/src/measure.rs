//! What measurements ask of the ledger without a call around it.

use chassis::refusal::Refusal;
use jiff::civil::Date;
use kernel::money::Fen;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    actor::Actor,
    ledger::{
        rules::{Entry, EntryKind, For},
        store,
    },
};

/// A transfer between two accounts of one fund.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// Whose money it is.
    pub from: Uuid,
    /// Who gets it.
    pub into: Uuid,
    /// How much, in fen.
    pub fen: i64,
}

/// Books transfers as the service does: one statement however many they are.
///
/// # Errors
/// What the ledger refused.
pub async fn transfer(
    sql: &mut PgConnection,
    town: &str,
    day: Date,
    transfers: &[Transfer],
) -> Result<(), Refusal> {
    let entries: Vec<Entry> = transfers
        .iter()
        .map(|transfer| {
            let key = format!("measure/{}", Uuid::now_v7());
            let what = For {
                kind: EntryKind::Transfer,
                key: &key,
                fiscal_year: day.year().into(),
                booked_on: day,
                subject: "measure",
                description: "measure",
            };
            Entry::simple(what, transfer.from, transfer.into, Fen::of(transfer.fen))
        })
        .collect();
    store::post_as(sql, &Actor::new("measure", ""), town, &entries).await
}
