//! The ledger recomputed from its postings.

use chassis::refusal::Refusal;
use sqlx::PgConnection;
use uuid::Uuid;

use super::seal::{COLUMNS, Sealable, link};

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verified {
    pub(crate) entries: i64,
    pub(crate) postings: i64,
    pub(crate) accounts: i64,
    /// The sum of all postings, in fen.
    pub(crate) total: i64,
    pub(crate) sealed: i64,
    pub(crate) unsealed: i64,
    pub(crate) head: String,
    /// The first row that is off, and what is wrong there.
    pub(crate) fault: Option<(Row, Fault)>,
}

/// A row of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// An entry.
    Entry(Uuid),
    /// An account.
    Account(Uuid),
}

kernel::named! {
    /// What is wrong.
    pub(crate) Fault {
        /// Postings don't add up to zero.
        Unbalanced = "ENTRY_UNBALANCED",
        /// Postings are missing.
        Incomplete = "ENTRY_INCOMPLETE",
        /// The balance isn't the sum of the postings.
        Balance = "BALANCE",
        /// What is held isn't the sum of the open holds.
        Held = "HELD",
        /// Below the limit.
        Overdrawn = "OVERDRAWN",
        /// Changed after it was sealed.
        Changed = "CHAIN_CHANGED",
        /// Sealed, and gone.
        Missing = "CHAIN_MISSING",
        /// Waits for no seal and has none.
        Unsealed = "CHAIN_UNSEALED",
    }
}

/// Recomputes everything of a town, within the snapshot of the read.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn verify(sql: &mut PgConnection, town: &str) -> Result<Verified, Refusal> {
    let mut found = counted(&mut *sql, town).await?;
    found.fault = match first_bad_entry(&mut *sql, town).await? {
        Some(fault) => Some(fault),
        None => first_bad_account(&mut *sql, town).await?,
    };
    let chain = chain(&mut *sql, town, &mut found).await?;
    if found.fault.is_none() {
        found.fault = chain;
    }
    if found.fault.is_none() {
        found.fault = never_sealed(sql, town).await?;
    }
    Ok(found)
}

async fn counted(sql: &mut PgConnection, town: &str) -> Result<Verified, Refusal> {
    let row = sqlx::query!(
        r#"select (select count(*) from entry where town = $1) as "entries!", (select count(*) from account where town = $1) as "accounts!",
                  (select count(*) from entry_pending where town = $1) as "unsealed!", count(*) as "postings!",
                  coalesce(sum(amount_fen), 0)::bigint as "total!"
           from posting where town = $1"#,
        town
    );
    let row = row.fetch_one(sql).await?;
    Ok(Verified {
        entries: row.entries,
        postings: row.postings,
        accounts: row.accounts,
        total: row.total,
        unsealed: row.unsealed,
        ..Verified::default()
    })
}

async fn first_bad_entry(sql: &mut PgConnection, town: &str) -> Result<Option<(Row, Fault)>, Refusal> {
    let row = sqlx::query!(
        r#"select e.id, coalesce(p.n, 0) <> e.postings as "incomplete!"
           from entry e left join (select entry, count(*) as n, sum(amount_fen) as total from posting where town = $1 group by entry) p
                on p.entry = e.id
           where e.town = $1 and (coalesce(p.n, 0) <> e.postings or p.total <> 0) order by e.ord limit 1"#,
        town
    );
    let row = row.fetch_optional(sql).await?;
    Ok(row
        .map(|row| (Row::Entry(row.id), if row.incomplete { Fault::Incomplete } else { Fault::Unbalanced })))
}

async fn first_bad_account(sql: &mut PgConnection, town: &str) -> Result<Option<(Row, Fault)>, Refusal> {
    let row = sqlx::query!(
        r#"select a.id, coalesce(p.total, 0) <> a.balance_fen as "balance!", coalesce(h.total, 0) <> a.held_fen as "held!"
           from account a
           left join (select account, sum(amount_fen) as total from posting where town = $1 group by account) p on p.account = a.id
           left join (select account, sum(amount_fen) as total from hold where town = $1 and state = 'HELD' group by account) h
                on h.account = a.id
           where a.town = $1 and (coalesce(p.total, 0) <> a.balance_fen or coalesce(h.total, 0) <> a.held_fen
                or (a.kind not in ('APPROPRIATION', 'DEPARTMENT', 'OPENING') and a.balance_fen < a.held_fen))
           order by a.created, a.id limit 1"#,
        town
    );
    let fault = |balance, held| match (balance, held) {
        (true, _) => Fault::Balance,
        (false, true) => Fault::Held,
        (false, false) => Fault::Overdrawn,
    };
    Ok(row.fetch_optional(sql).await?.map(|row| (Row::Account(row.id), fault(row.balance, row.held))))
}

#[derive(sqlx::FromRow)]
struct Link {
    seq: i64,
    entry: Uuid,
    hash: Vec<u8>,
}

async fn chain(
    sql: &mut PgConnection,
    town: &str,
    found: &mut Verified,
) -> Result<Option<(Row, Fault)>, Refusal> {
    const PAGE: i64 = 1_000;
    let mut hash = vec![0; 32];
    loop {
        let links: Vec<Link> = sqlx::query_as(
            "select seq, entry, hash from entry_seal where town = $1 and seq > $2 order by seq limit $3",
        )
        .bind(town)
        .bind(found.sealed)
        .bind(PAGE)
        .fetch_all(&mut *sql)
        .await?;
        let ids: Vec<Uuid> = links.iter().map(|link| link.entry).collect();
        let sealed: Vec<Sealable> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from entry e where e.town = $1 and e.id = any($2)"
        )))
        .bind(town)
        .bind(&ids)
        .fetch_all(&mut *sql)
        .await?;
        let sealed: std::collections::HashMap<Uuid, Sealable> =
            sealed.into_iter().map(|entry| (entry.id, entry)).collect();
        for its in &links {
            let Some(entry) = sealed.get(&its.entry).filter(|_| its.seq == found.sealed + 1) else {
                return Ok(Some((Row::Entry(its.entry), Fault::Missing)));
            };
            hash = link(&hash, entry);
            if hash != its.hash {
                return Ok(Some((Row::Entry(its.entry), Fault::Changed)));
            }
            found.sealed = its.seq;
        }
        if links.len() < PAGE as usize {
            found.head = hex::encode(hash);
            return Ok(None);
        }
    }
}

async fn never_sealed(sql: &mut PgConnection, town: &str) -> Result<Option<(Row, Fault)>, Refusal> {
    let id = sqlx::query_scalar!(
        "select e.id from entry e where e.town = $1
         and not exists (select from entry_seal s where s.town = e.town and s.entry = e.id)
         and not exists (select from entry_pending p where p.town = e.town and p.entry = e.id) order by e.ord limit 1",
        town
    );
    Ok(id.fetch_optional(sql).await?.map(|id| (Row::Entry(id), Fault::Unsealed)))
}
