//! The hash chain of the ledger: entries with their postings, in the order in which they became visible.

use chassis::{refusal::Refusal, seal::Link};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// Entries that one pass takes at most.
const BATCH: i64 = 1_000;

/// What is hashed of an entry. Instants as microseconds since 1970.
#[derive(Debug, FromRow)]
pub(crate) struct Sealable {
    pub(crate) town: String,
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) fiscal_year: i32,
    pub(crate) booked_on: String,
    pub(crate) subject: String,
    pub(crate) description: String,
    pub(crate) evidence: String,
    pub(crate) reverses: Option<Uuid>,
    pub(crate) principal: String,
    pub(crate) person: String,
    pub(crate) recorded: i64,
    pub(crate) accounts: Vec<Uuid>,
    pub(crate) amounts: Vec<i64>,
}

/// The columns of an entry `e` that are hashed.
pub(crate) const COLUMNS: &str = "e.town, e.id, e.kind, e.key, e.fiscal_year, e.booked_on::text as booked_on, e.subject, e.description, e.evidence,
    e.reverses, e.principal, e.person, (extract(epoch from e.recorded) * 1000000)::bigint as recorded,
    array(select p.account from posting p where p.town = e.town and p.entry = e.id order by p.n) as accounts,
    array(select p.amount_fen from posting p where p.town = e.town and p.entry = e.id order by p.n) as amounts";

/// The link of an entry with its postings.
pub(crate) fn link(before: &[u8], entry: &Sealable) -> Vec<u8> {
    let mut link = Link::behind(before);
    let mut field = |bytes: &[u8]| link.field(bytes);
    field(entry.id.as_bytes());
    let texts = [&entry.town, &entry.kind, &entry.key, &entry.booked_on, &entry.subject, &entry.description];
    texts.into_iter().for_each(|text| field(text.as_bytes()));
    [&entry.evidence, &entry.principal, &entry.person].into_iter().for_each(|text| field(text.as_bytes()));
    field(&entry.fiscal_year.to_be_bytes());
    field(entry.reverses.as_ref().map_or(&[][..], |id| id.as_bytes()));
    field(&entry.recorded.to_be_bytes());
    for (account, amount) in entry.accounts.iter().zip(&entry.amounts) {
        field(account.as_bytes());
        field(&amount.to_be_bytes());
    }
    link.hash()
}

/// Seals the entries that are pending, in the transaction of the service's sealer. Yields how many it took.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn pass(sql: &mut PgConnection) -> Result<i64, Refusal> {
    let pending: Vec<Sealable> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from (select town, entry, ord from entry_pending order by ord limit $1) p
         join entry e on e.town = p.town and e.id = p.entry order by p.ord"
    )))
    .bind(BATCH)
    .fetch_all(&mut *sql)
    .await?;
    let mut heads: std::collections::BTreeMap<&str, (i64, Vec<u8>)> = std::collections::BTreeMap::new();
    let (mut towns, mut numbers, mut ids, mut hashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for entry in &pending {
        if !heads.contains_key(entry.town.as_str()) {
            heads.insert(&entry.town, head(sql, &entry.town).await?);
        }
        let (number, hash) = heads.entry(&entry.town).or_default();
        *hash = link(hash, entry);
        *number += 1;
        towns.push(entry.town.clone());
        numbers.push(*number);
        ids.push(entry.id);
        hashes.push(hash.clone());
    }
    sqlx::query!(
        "with sealed as (delete from entry_pending where (town, entry) in (select * from unnest($1::text[], $3::uuid[])))
         insert into entry_seal (town, seq, entry, hash) select * from unnest($1::text[], $2::bigint[], $3::uuid[], $4::bytea[])",
        &towns,
        &numbers,
        &ids,
        &hashes,
    )
    .execute(sql)
    .await?;
    Ok(i64::try_from(pending.len()).unwrap_or(BATCH))
}

/// The last link of a town's chain; number 0 and 32 zero bytes before the first.
async fn head(sql: &mut PgConnection, town: &str) -> Result<(i64, Vec<u8>), Refusal> {
    let row =
        sqlx::query!("select seq, hash from entry_seal where town = $1 order by seq desc limit 1", town);
    Ok(row.fetch_optional(sql).await?.map_or((0, vec![0; 32]), |row| (row.seq, row.hash)))
}
