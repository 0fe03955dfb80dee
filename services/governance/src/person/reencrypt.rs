//! Sealing with the key of now whatever an older one sealed.

use chassis::{
    operations::{Job, Progress, Running, any, encode, name, store as operations},
    refusal::Refusal,
    wire,
    work::{Record, Verb, Work},
};
use contracts::{google::longrunning as lro, linli::governance::v1 as pb};
use kernel::name::{PersonName, TownName};
use prost_types::Any;
use serde_json::json;
use uuid::Uuid;

use super::{sealed::Clear, store};

/// People that one transaction seals anew.
const CHUNK: i64 = 500;

/// ReencryptPeople begins it.
pub(super) struct Begin;

#[tonic::async_trait]
impl Verb for Begin {
    type Request = pb::ReencryptPeopleRequest;
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
            summary: format!("begin the re-encryption of {town}"),
            changes: Vec::new(),
            answer: encode(call.service(), &stored)?,
        })
    }
}

/// Does it in chunks; one that was killed goes on behind the last chunk.
pub(crate) struct Reencrypt;

#[tonic::async_trait]
impl Job for Reencrypt {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let town = String::from_utf8(running.input.clone()).map_err(Refusal::internal)?;
        let cursor = &running.stored.cursor;
        let mut after = cursor.get("after").and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let mut people = cursor.get("people").and_then(serde_json::Value::as_i64).unwrap_or(0);
        let key = running.context.db.vault().sealing();
        loop {
            let mut work = Work::plain(&running.context.db, &running.call).await?;
            let done = chunk(&mut work, &town, key, &mut after).await?;
            people += done;
            let progress =
                Progress { cursor: json!({"after": after, "people": people}), done: people, total: 0 };
            let stop = running.keep(&mut work, &progress).await?;
            let record = Record {
                town: town.clone(),
                resource: name(running.context.service, running.stored.id),
                summary: format!("re-encrypt {done} people with key {key}"),
                changes: Vec::new(),
                answer: pb::ReencryptReport::default(),
            };
            work.commit(record).await?;
            if done < CHUNK {
                return Ok(Some(any(&pb::ReencryptReport { people, key })));
            }
            if stop {
                return Ok(None);
            }
        }
    }
}

async fn chunk(work: &mut Work, town: &str, key: u32, after: &mut String) -> Result<i64, Refusal> {
    let vault = work.vault().clone();
    let number = i32::try_from(key).map_err(Refusal::internal)?;
    let rows = store::sealed_otherwise(work.sql(), town, number, after, CHUNK).await?;
    let mut done = 0;
    for (id, full_name, citizen) in rows {
        let name = PersonName::new(town, &id).map_err(Refusal::internal)?;
        let sealed = Clear::open(&vault, &name, &full_name, &citizen)?.seal(&vault, &name)?;
        store::reseal(work.sql(), &name, &sealed).await?;
        *after = id;
        done += 1;
    }
    Ok(done)
}
