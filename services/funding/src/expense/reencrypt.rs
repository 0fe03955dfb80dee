//! Sealing with the key of now whatever an older one sealed.

use chassis::{
    operations::{Job, Progress, Running, any, encode, name, store as operations},
    payee::Payee,
    refusal::Refusal,
    wire,
    work::{Record, Verb, Work},
};
use contracts::{google::longrunning as lro, linli::funding::v1 as pb};
use kernel::name::TownName;
use prost_types::Any;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{sealed::objection_place, store};

/// Rows that one transaction seals anew.
const CHUNK: i64 = 500;

/// ReencryptExpenses begins it.
pub(super) struct Begin;

#[tonic::async_trait]
impl Verb for Begin {
    type Request = pb::ReencryptExpensesRequest;
    type Answer = lro::Operation;

    fn intent(request: &Self::Request) -> (&str, bool) {
        (&request.request_id, false)
    }

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<lro::Operation>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        call.whole_town(town.town())?;
        let id = Uuid::now_v7();
        let stored = operations::begin(work, town.town(), id, "reencrypt", town.town().as_bytes()).await?;
        Ok(Record {
            town: town.town().to_owned(),
            resource: name(call.service(), id),
            summary: format!("begin the re-encryption of payees and objections of {town}"),
            changes: Vec::new(),
            answer: encode(call.service(), &stored)?,
        })
    }
}

/// How far it came: expenses first, then their objections.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    after: Uuid,
    expenses: i64,
    expenses_done: bool,
    objections: i64,
}

/// Does it in chunks; one that was killed goes on behind the last chunk.
pub(crate) struct Reencrypt;

#[tonic::async_trait]
impl Job for Reencrypt {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let town = String::from_utf8(running.input.clone()).map_err(Refusal::internal)?;
        let mut cursor: Cursor = serde_json::from_value(running.stored.cursor.clone()).unwrap_or_default();
        let key = running.context.db.vault().sealing();
        loop {
            let mut work = Work::plain(&running.context.db, &running.call).await?;
            let done = chunk(&mut work, &town, key, &mut cursor).await?;
            let over = cursor.expenses_done && done < CHUNK;
            if cursor.expenses_done {
                cursor.objections += done;
            } else {
                cursor.expenses += done;
                if done < CHUNK {
                    (cursor.expenses_done, cursor.after) = (true, Uuid::nil());
                }
            }
            let all = cursor.expenses + cursor.objections;
            let stop =
                running.keep(&mut work, &Progress { cursor: json!(cursor), done: all, total: 0 }).await?;
            let record = Record {
                town: town.clone(),
                resource: name(running.context.service, running.stored.id),
                summary: format!("re-encrypt {done} rows with key {key}"),
                changes: Vec::new(),
                answer: pb::ReencryptExpensesReport::default(),
            };
            work.commit(record).await?;
            if over {
                let report = pb::ReencryptExpensesReport {
                    expenses: cursor.expenses,
                    objections: cursor.objections,
                    key,
                };
                return Ok(Some(any(&report)));
            }
            if stop {
                return Ok(None);
            }
        }
    }
}

async fn chunk(work: &mut Work, town: &str, key: u32, cursor: &mut Cursor) -> Result<i64, Refusal> {
    let vault = work.vault().clone();
    let number = i32::try_from(key).map_err(Refusal::internal)?;
    let of = (town, number, cursor.after);
    let mut done = 0;
    if cursor.expenses_done {
        for row in store::objections_sealed_otherwise(work.sql(), of, CHUNK).await? {
            let expense = format!("towns/{town}/expenses/{}", row.expense);
            let again = |column: &str, sealed: &[u8]| {
                let place = objection_place(&expense, row.id, column);
                vault.seal(&place, vault.open_text(&place, sealed)?.as_bytes())
            };
            let text = again("text", &row.text_sealed)?;
            let answer = row.answer_sealed.as_deref().map(|sealed| again("answer", sealed)).transpose()?;
            store::reseal_objection(work.sql(), (town, row.id), &text, answer.as_deref(), number).await?;
            cursor.after = row.id;
            done += 1;
        }
        return Ok(done);
    }
    for (id, sealed) in store::payees_sealed_otherwise(work.sql(), of, CHUNK).await? {
        let expense = format!("towns/{town}/expenses/{id}");
        let sealed = Payee::open(&vault, &expense, &sealed)?.seal(&vault, &expense)?;
        store::reseal_payee(work.sql(), (town, id), &sealed, number).await?;
        cursor.after = id;
        done += 1;
    }
    Ok(done)
}
