//! Opening balances as they were booked.

use chassis::refusal::Refusal;
use kernel::{money::Fen, state::Named};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ledger::rules::{AccountKind, EntryKind};

/// What was booked for an account already.
#[derive(Debug, Default)]
pub(crate) struct Booked {
    /// How often, counting what was taken back.
    pub(crate) times: usize,
    /// What stands: the amount and its evidence.
    pub(crate) stands: Option<(Fen, String)>,
}

impl Booked {
    /// The key of the next one.
    pub(crate) fn next_key(&self, account: Uuid) -> String {
        match self.times {
            0 => format!("opening/{account}"),
            times => format!("opening/{account}/{}", times + 1),
        }
    }
}

/// What was booked for the account of this name.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn booked(sql: &mut PgConnection, town: &str, account: &str) -> Result<Booked, Refusal> {
    let rows = sqlx::query!(
        r#"select p.amount_fen, e.evidence,
                  exists (select from entry b where b.town = e.town and b.reverses = e.id) as "reversed!"
           from entry e join posting p on p.town = e.town and p.entry = e.id and p.amount_fen > 0
           where e.town = $1 and e.subject = $2 and e.kind = $3 and e.reverses is null"#,
        town,
        account,
        EntryKind::Opening.name(),
    );
    let rows = rows.fetch_all(sql).await?;
    let times = rows.len();
    let stands = rows.into_iter().find(|row| !row.reversed);
    Ok(Booked { times, stands: stands.map(|row| (Fen::of(row.amount_fen), row.evidence)) })
}

/// An opening balance that stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) id: Uuid,
    pub(crate) committee: Option<String>,
    pub(crate) fund: String,
    pub(crate) fiscal_year: i32,
    pub(crate) earmark: Option<String>,
    pub(crate) amount: Fen,
    pub(crate) evidence: String,
}

/// The opening balances of a town that stand, behind the entry `after`.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn standing(
    sql: &mut PgConnection,
    town: &str,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Standing>, Refusal> {
    let rows = sqlx::query!(
        "select e.id, a.committee, a.fund, a.fiscal_year, a.earmark, p.amount_fen, e.evidence
             from entry e join posting p on p.town = e.town and p.entry = e.id join account a on a.town = p.town and a.id = p.account
             where e.town = $1 and e.kind = $2 and e.reverses is null and a.kind <> $3 and e.id > $4 and p.amount_fen > 0
                 and not exists (select from entry b where b.town = e.town and b.reverses = e.id)
             order by e.id limit $5",
        town,
        EntryKind::Opening.name(),
        AccountKind::Opening.name(),
        after,
        limit,
    );
    let rows = rows.fetch_all(sql).await?.into_iter().map(|row| Standing {
        id: row.id,
        committee: row.committee,
        fund: row.fund,
        fiscal_year: row.fiscal_year,
        earmark: row.earmark,
        amount: Fen::of(row.amount_fen),
        evidence: row.evidence,
    });
    Ok(rows.collect())
}
