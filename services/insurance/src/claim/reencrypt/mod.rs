//! Sealing with the key of now whatever an older one sealed: the columns of the tables first, then the parts of files.

mod store;

use chassis::{
    objects::Objects,
    operations::{Job, Progress, Running, any, encode, name, store as operations},
    refusal::Refusal,
    vault::Vault,
    wire,
    work::{Record, Verb, Work},
};
use contracts::{google::longrunning as lro, linli::insurance::v1 as pb};
use kernel::name::TownName;
use prost_types::Any;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use self::store::{Row, Table};
use super::encode::place;
use crate::{
    document::reseal::{self, Left},
    incident::{description_place, visit_place},
};

/// The kind of the operation.
pub(crate) const KIND: &str = "reencrypt";
/// Rows that one transaction seals anew.
const CHUNK: i64 = 500;

/// The tables in the order in which they are gone through.
const TABLES: [Table; 5] = [
    Table {
        name: "claim",
        owner: "id",
        id: "id",
        n: "0",
        columns: &["payee_sealed", "survey_sealed", "appeal_sealed"],
    },
    Table {
        name: "claim_objection",
        owner: "claim",
        id: "id",
        n: "0",
        columns: &["text_sealed", "answer_sealed"],
    },
    Table { name: "incident", owner: "id", id: "id", n: "0", columns: &["description"] },
    Table { name: "incident_visit", owner: "incident", id: "incident", n: "n", columns: &["text_sealed"] },
    Table { name: "document", owner: "id", id: "id", n: "0", columns: &["file_name_sealed"] },
];

/// Where a column of a row is sealed for.
fn sealed_for(town: &str, table: &Table, row: &Row, column: &str) -> String {
    let column = column.trim_end_matches("_sealed");
    match table.name {
        "claim_objection" => place(&format!("towns/{town}/claims/{}", row.owner), Some(row.id), column),
        "incident" => description_place(&format!("towns/{town}/incidents/{}", row.id)),
        "incident_visit" => visit_place(town, row.owner, row.n),
        "document" => format!("towns/{town}/documents/{} {column}", row.id),
        _ => place(&format!("towns/{town}/claims/{}", row.id), None, column),
    }
}

/// ReencryptClaims begins it.
pub(super) struct Begin;

#[tonic::async_trait]
impl Verb for Begin {
    type Request = pb::ReencryptClaimsRequest;
    type Answer = lro::Operation;

    fn intent(request: &Self::Request) -> (&str, bool) {
        (&request.request_id, false)
    }

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<lro::Operation>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        call.whole_town(town.town())?;
        let id = Uuid::now_v7();
        let stored = operations::begin(work, town.town(), id, KIND, town.town().as_bytes()).await?;
        Ok(Record {
            town: town.town().to_owned(),
            resource: name(call.service(), id),
            summary: format!("begin the re-encryption of claims, incidents and documents of {town}"),
            changes: Vec::new(),
            answer: encode(call.service(), &stored)?,
        })
    }
}

/// How far it came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The table that it is at; behind the last one, the parts of files.
    table: usize,
    after: (Uuid, i32),
    /// Rows of each table, then parts.
    done: [i64; TABLES.len() + 1],
    unreadable: i64,
    /// Parts that are sealed anew already and to be taken away.
    left: Vec<Left>,
}

impl Cursor {
    fn report(&self, key: u32) -> pb::ReencryptClaimsReport {
        let [claims, objections, incidents, visits, documents, parts] = self.done;
        let unreadable_parts = self.unreadable;
        pb::ReencryptClaimsReport {
            claims,
            objections,
            incidents,
            visits,
            documents,
            parts,
            unreadable_parts,
            key,
        }
    }
}

/// Does it in chunks; one that was killed goes on behind the last chunk. Files lie in the object store.
pub(crate) struct Reencrypt(pub(crate) Objects);

#[tonic::async_trait]
impl Job for Reencrypt {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let town = String::from_utf8(running.input.clone()).map_err(Refusal::internal)?;
        let mut cursor: Cursor = serde_json::from_value(running.stored.cursor.clone()).unwrap_or_default();
        let vault = running.context.db.vault();
        let (number, key) = (vault.sealing(), vault.sealing_column()?);
        loop {
            // whatever is asked of the object store is asked before rows are locked
            let parts = match TABLES.get(cursor.table) {
                Some(_) => None,
                None => {
                    reseal::take_away(&self.0, &town, &cursor.left).await?;
                    Some(reseal::step(&running.context, &self.0, (&town, key), cursor.after).await?)
                }
            };
            let mut work = Work::plain(&running.context.db, &running.call).await?;
            let (rows, over) = match (&parts, TABLES.get(cursor.table)) {
                (Some(step), _) => {
                    cursor.left = reseal::record(&mut work, (&town, key), step).await?;
                    cursor.after = step.reached.unwrap_or(cursor.after);
                    cursor.unreadable += step.unreadable;
                    (step.seen - step.unreadable, step.seen == 0)
                }
                (None, Some(table)) => (chunk(&mut work, table, (&town, key), &mut cursor).await?, false),
                (None, None) => (0, true),
            };
            if let Some(done) = cursor.done.get_mut(cursor.table) {
                *done += rows;
            }
            if parts.is_none() && rows < CHUNK {
                (cursor.table, cursor.after) = (cursor.table + 1, (Uuid::nil(), -1));
            }
            let all = cursor.done.iter().sum();
            let stop =
                running.keep(&mut work, &Progress { cursor: json!(cursor), done: all, total: 0 }).await?;
            let record = Record {
                town: town.clone(),
                resource: name(running.context.service, running.stored.id),
                summary: format!("re-encrypt {rows} rows with key {number}"),
                changes: Vec::new(),
                answer: pb::ReencryptClaimsReport::default(),
            };
            work.commit(record).await?;
            if over {
                return Ok(Some(any(&cursor.report(number))));
            }
            if stop {
                return Ok(None);
            }
        }
    }
}

fn again(vault: &Vault, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Refusal> {
    vault.seal(place, &vault.open(place, sealed)?)
}

/// Seals the next rows of a table anew; how many.
async fn chunk(
    work: &mut Work,
    table: &Table,
    (town, key): (&str, i32),
    cursor: &mut Cursor,
) -> Result<i64, Refusal> {
    let vault = work.vault().clone();
    let rows = store::sealed_otherwise(work.sql(), table, (town, key), cursor.after, CHUNK).await?;
    let count = i64::try_from(rows.len()).map_err(Refusal::internal)?;
    for mut row in rows {
        let mut sealed = Vec::new();
        for (column, value) in table.columns.iter().zip(&row.sealed) {
            let place = sealed_for(town, table, &row, column);
            sealed.push(value.as_deref().map(|value| again(&vault, &place, value)).transpose()?);
        }
        row.sealed = sealed;
        store::reseal(work.sql(), table, (town, key), &row).await?;
        cursor.after = (row.id, row.n);
    }
    Ok(count)
}
