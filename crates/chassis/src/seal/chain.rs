//! The hash chain of audit records, and its verification.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use crate::refusal::Refusal;

/// The columns of a record, in the order in which they are hashed. Instants as microseconds since 1970.
const COLUMNS: &str = "a.town, a.id, (extract(epoch from a.recorded) * 1000000)::bigint as recorded, a.principal, a.person, \
                       a.method, a.resource, a.trace_id, a.request_id, a.summary";

/// Seals the records that are pending. Yields how many.
pub(super) async fn seal(sql: &mut PgConnection, batch: i64) -> Result<i64, Refusal> {
    let pending = sqlx::query(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from audit_pending p join audit a using (town, id) order by p.ord limit $1"
    )))
    .bind(batch)
    .fetch_all(&mut *sql)
    .await?;
    let mut heads: BTreeMap<String, (i64, Vec<u8>)> = BTreeMap::new();
    for row in &pending {
        let (town, id): (String, Uuid) = (row.try_get("town")?, row.try_get("id")?);
        if !heads.contains_key(&town) {
            heads.insert(town.clone(), head(sql, &town).await?);
        }
        let (seq, hash) = heads.entry(town.clone()).or_default();
        *hash = link(hash, row)?;
        *seq += 1;
        sqlx::query("insert into audit_seal (town, seq, id, hash) values ($1, $2, $3, $4)")
            .bind(&town)
            .bind(*seq)
            .bind(id)
            .bind(&*hash)
            .execute(&mut *sql)
            .await?;
        sqlx::query("delete from audit_pending where town = $1 and id = $2")
            .bind(&town)
            .bind(id)
            .execute(&mut *sql)
            .await?;
    }
    Ok(i64::try_from(pending.len()).unwrap_or(batch))
}

/// The last link of a town's chain; number 0 and 32 zero bytes before the first.
async fn head(sql: &mut PgConnection, town: &str) -> Result<(i64, Vec<u8>), Refusal> {
    let row = sqlx::query("select seq, hash from audit_seal where town = $1 order by seq desc limit 1")
        .bind(town)
        .fetch_optional(sql)
        .await?;
    Ok(match row {
        Some(row) => (row.try_get("seq")?, row.try_get("hash")?),
        None => (0, vec![0; 32]),
    })
}

/// A link of a hash chain: SHA-256 of the hash before and every field of a record, each with its length before it.
#[derive(Clone, Debug)]
pub struct Link(Sha256);

impl Link {
    /// A link behind the hash `before`.
    pub fn behind(before: &[u8]) -> Link {
        Link(Sha256::new().chain_update(before))
    }

    /// Adds a field.
    pub fn field(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// The hash.
    pub fn hash(self) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

/// The link of a record.
fn link(before: &[u8], row: &PgRow) -> Result<Vec<u8>, Refusal> {
    let id: Uuid = row.try_get("id")?;
    let recorded: i64 = row.try_get("recorded")?;
    let request_id: Option<Uuid> = row.try_get("request_id")?;
    let mut link = Link::behind(before);
    let mut field = |bytes: &[u8]| link.field(bytes);
    field(row.try_get::<&str, _>("town")?.as_bytes());
    field(id.as_bytes());
    field(&recorded.to_be_bytes());
    for column in ["principal", "person", "method", "resource", "trace_id"] {
        field(row.try_get::<&str, _>(column)?.as_bytes());
    }
    field(request_id.as_ref().map_or(&[][..], |id| id.as_bytes()));
    field(row.try_get::<&str, _>("summary")?.as_bytes());
    Ok(link.hash())
}

/// What became of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Seals that were looked at.
    pub records: i64,
    /// Records that wait for their seal.
    pub unsealed: i64,
    /// The first place that is off and what is wrong there: CHANGED, MISSING, REORDERED, UNSEALED.
    pub fault: Option<(i64, &'static str)>,
    /// The hash at the end, hexadecimal.
    pub head: String,
    /// When it was verified.
    pub at: Timestamp,
}

/// Recomputes the chain of `town`.
///
/// # Errors
/// UNAVAILABLE without a connection.
pub async fn verify(sql: &mut PgConnection, town: &str) -> Result<Verification, Refusal> {
    const PAGE: i64 = 1_000;
    let mut result = Verification {
        records: 0,
        unsealed: 0,
        fault: None,
        head: String::new(),
        at: crate::clock::recorded_now(),
    };
    let mut hash = vec![0; 32];
    loop {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "select s.seq, s.hash, a.id is null as gone, {COLUMNS}
             from audit_seal s left join audit a using (town, id) where s.town = $1 and s.seq > $2 order by s.seq limit {PAGE}"
        )))
        .bind(town)
        .bind(result.records)
        .fetch_all(&mut *sql)
        .await?;
        for row in &rows {
            let seq: i64 = row.try_get("seq")?;
            let fault = if seq != result.records + 1 || row.try_get("gone")? {
                Some("MISSING")
            } else {
                hash = link(&hash, row)?;
                (hash != row.try_get::<Vec<u8>, _>("hash")?).then_some("CHANGED")
            };
            if let Some(fault) = fault {
                result.fault = Some((result.records + 1, fault));
                return Ok(result);
            }
            result.records = seq;
        }
        if rows.len() < PAGE as usize {
            break;
        }
    }
    result.head = hex::encode(hash);
    finish(sql, town, result).await
}

/// What stands outside the chain: records that wait, and records that nobody will ever seal.
async fn finish(
    sql: &mut PgConnection,
    town: &str,
    mut result: Verification,
) -> Result<Verification, Refusal> {
    let row = sqlx::query(
        "select (select count(*) from audit_pending where town = $1) as waiting,
                (select count(*) from audit where town = $1) as all_records",
    )
    .bind(town)
    .fetch_one(sql)
    .await?;
    result.unsealed = row.try_get("waiting")?;
    if row.try_get::<i64, _>("all_records")? > result.records + result.unsealed {
        result.fault = Some((result.records + 1, "UNSEALED"));
    }
    Ok(result)
}
