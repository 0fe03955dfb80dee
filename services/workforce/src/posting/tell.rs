//! Telling governance of posts that ended: the committee's director covers their blocks. What can't be told waits, and is listed.

use chassis::{
    governance::Governance,
    history,
    operations::{Job, Running, any, name},
    refusal::Refusal,
    wire,
    work::{Change, Record, Work},
};
use contracts::linli::{governance::v1 as governance, workforce::v1 as pb};
use prost_types::Any;
use serde_json::json;

use super::{encode, store};

/// The kind of the operation.
pub(crate) const TELL: &str = "tell_post_ends";

/// Does it, post by post; governance does each once, by its request id.
pub(crate) struct Tell(pub(crate) Governance);

/// What became of a post that ended.
enum Became {
    /// Governance knows; so many blocks are covered.
    Told(usize),
    /// The committee has nobody to cover.
    NoDirector,
}

impl Tell {
    async fn tell(&self, running: &Running, town: &str, end: &store::End) -> Result<Became, Refusal> {
        let mut read = running.context.db.read().await?;
        let director = store::director(read.sql(), town, &end.committee, &end.day).await?;
        drop(read);
        let Some((worker, person)) = director else { return Ok(Became::NoDirector) };
        let request = governance::EndStewardPostRequest {
            parent: format!("towns/{town}"),
            worker: format!("towns/{town}/workers/{}", end.worker),
            end_date: Some(wire::to_date(history::day(&end.day)?)),
            director: Some(governance::Steward {
                person: format!("towns/{town}/people/{person}"),
                worker: format!("towns/{town}/workers/{worker}"),
            }),
            request_id: end.request_id.to_string(),
            comment: "the post ended".to_owned(),
            validate_only: false,
            committee: encode::committee(town, &end.committee),
        };
        Ok(Became::Told(self.0.end_steward_post(request).await?))
    }
}

/// The change that tells what became of a post.
fn change(town: &str, end: &store::End, (state, version): (&str, i64), covers: i32) -> Change {
    Change {
        resource: format!("towns/{town}/postEnds/{}", end.request_id),
        version,
        verb: "tellPostEnd",
        from_state: "",
        to_state: "",
        comment: String::new(),
        event: "posting.end_told",
        data: json!({
            "worker": format!("towns/{town}/workers/{}", end.worker),
            "committee": encode::committee(town, &end.committee),
            "end_date": end.day,
            "state": state,
            "covers": covers,
        }),
    }
}

#[tonic::async_trait]
impl Job for Tell {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let town = String::from_utf8(running.input.clone()).map_err(Refusal::internal)?;
        let open = store::open_ends(running.context.db.read().await?.sql(), &town).await?;
        let mut report = pb::PostEndsReport::default();
        for end in &open {
            let (state, covers) = match self.tell(running, &town, end).await? {
                Became::Told(covers) => ("TOLD", i32::try_from(covers).unwrap_or(i32::MAX)),
                Became::NoDirector => ("NO_DIRECTOR", 0),
            };
            report.told += i32::from(state == "TOLD");
            report.covers += covers;
            report.without_director += i32::from(state != "TOLD");
            if state == end.state {
                continue;
            }
            let mut work = Work::plain(&running.context.db, &running.call).await?;
            let version = store::keep_end(work.sql(), &town, end, state, covers).await?;
            let record = Record {
                town: town.clone(),
                resource: name(running.context.service, running.stored.id),
                summary: format!("post of towns/{town}/workers/{} that ended: {state}", end.worker),
                changes: vec![change(&town, end, (state, version), covers)],
                answer: pb::PostEndsReport::default(),
            };
            work.commit(record).await?;
        }
        Ok(Some(any(&report)))
    }
}
