//! Uploads that nobody finished: given up after a day, and their parts taken out of the object store.

use chassis::{
    objects::Objects,
    operations::{Job, Progress, Running, any, encode, name, store as operations},
    refusal::Refusal,
    wire,
    work::{Record, Verb, Work},
};
use contracts::{google::longrunning as lro, linli::insurance::v1 as pb};
use kernel::name::TownName;
use prost_types::Any;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{acts::give_up, parts, store};

/// The kind of the operation.
pub(crate) const KIND: &str = "sweep_documents";
/// Documents that one transaction works on.
const CHUNK: i64 = 100;

/// SweepDocuments begins it.
pub(super) struct Begin;

#[tonic::async_trait]
impl Verb for Begin {
    type Request = pb::SweepDocumentsRequest;
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
            summary: format!("begin to sweep the uploads of {town}"),
            changes: Vec::new(),
            answer: encode(call.service(), &stored)?,
        })
    }
}

/// How far it came: uploads are given up first, then what lies of them is taken away.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    after: Uuid,
    given_up: i64,
    all_given_up: bool,
    cleared: i64,
}

/// Does it in chunks; one that was killed goes on behind the last chunk.
pub(crate) struct Sweep(pub(crate) Objects);

#[tonic::async_trait]
impl Job for Sweep {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let town = String::from_utf8(running.input.clone()).map_err(Refusal::internal)?;
        let mut cursor: Cursor = serde_json::from_value(running.stored.cursor.clone()).unwrap_or_default();
        loop {
            // whatever is asked of the object store is asked before rows are locked
            let gone = match cursor.all_given_up {
                true => Some(self.clear(running, &town, &mut cursor).await?),
                false => None,
            };
            let mut work = Work::plain(&running.context.db, &running.call).await?;
            let (mut changes, mut over) = (Vec::new(), false);
            match gone {
                Some((ids, last)) => {
                    store::set_cleared(work.sql(), &town, &ids).await?;
                    cursor.cleared += i64::try_from(ids.len()).unwrap_or_default();
                    over = last;
                }
                None => {
                    let stale = store::stale(work.sql(), &town, CHUNK).await?;
                    cursor.all_given_up = (stale.len() as i64) < CHUNK;
                    for mut row in stale {
                        changes.extend(give_up(&mut work, &mut row).await?.changes);
                        cursor.given_up += 1;
                    }
                }
            }
            let done = cursor.given_up + cursor.cleared;
            let stop = running.keep(&mut work, &Progress { cursor: json!(cursor), done, total: 0 }).await?;
            let record = Record {
                town: town.clone(),
                resource: name(running.context.service, running.stored.id),
                summary: format!(
                    "sweep uploads: {} given up, {} cleared so far",
                    cursor.given_up, cursor.cleared
                ),
                changes,
                answer: pb::SweepDocumentsReport::default(),
            };
            work.commit(record).await?;
            if over {
                let report = pb::SweepDocumentsReport { given_up: cursor.given_up, cleared: cursor.cleared };
                return Ok(Some(any(&report)));
            }
            if stop {
                return Ok(None);
            }
        }
    }
}

impl Sweep {
    /// Takes away what lies of the next ones that were given up: those of which nothing does any more, and whether these were the last.
    async fn clear(
        &self,
        running: &Running,
        town: &str,
        cursor: &mut Cursor,
    ) -> Result<(Vec<Uuid>, bool), Refusal> {
        let mut read = running.context.db.read().await?;
        let rows = store::uncleared(read.sql(), (town, cursor.after), CHUNK).await?;
        drop(read);
        let mut gone = Vec::new();
        for row in &rows {
            cursor.after = row.id;
            if parts::clear(&self.0, row).await {
                gone.push(row.id);
            }
        }
        Ok((gone, (rows.len() as i64) < CHUNK))
    }
}
