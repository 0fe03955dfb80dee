//! Every decision of a year made again from the facts that it rested on, in chunks: memory stays flat, and a run that was killed goes on
//! behind its last chunk.

use std::collections::HashMap;

use chassis::{
    amount::to_money,
    operations::{Job, Progress, Running, any, encode, name, store as operations},
    refusal::Refusal,
    wire,
    work::{Record, Verb, Work},
};
use contracts::{google::longrunning as lro, linli::insurance::v1 as pb};
use jiff::civil::Date;
use kernel::{money::Fen, name::TownName, state::Named};
use prost_types::Any;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    snapshot::Snapshot,
    store::{self, Rested},
};
use crate::{policy::store::covering::terms_of, terms::Terms};

/// Claims of one transaction.
const CHUNK: i64 = 2_000;
/// Claims that a report names at most.
const NAMED: usize = 100;

#[derive(Serialize, Deserialize)]
struct Input {
    town: String,
    year: i32,
}

/// ReadjudicateClaims begins it.
pub(super) struct Begin;

#[tonic::async_trait]
impl Verb for Begin {
    type Request = pb::ReadjudicateClaimsRequest;
    type Answer = lro::Operation;

    fn intent(request: &Self::Request) -> (&str, bool) {
        (&request.request_id, false)
    }

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<lro::Operation>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let call = work.call().clone();
        call.whole_town(town.town())?;
        let id = Uuid::now_v7();
        let input = Input { town: town.town().to_owned(), year: request.year };
        let input = serde_json::to_vec(&input).map_err(Refusal::internal)?;
        let stored = operations::begin(work, town.town(), id, "readjudicate", &input).await?;
        Ok(Record {
            town: town.town().to_owned(),
            resource: name(call.service(), id),
            summary: format!("begin to adjudicate the claims of {} in {town} again", request.year),
            changes: Vec::new(),
            answer: encode(call.service(), &stored)?,
        })
    }
}

/// How far it came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The claim that was reached, by the day of its event; none at the beginning.
    reached: Option<(Date, Uuid)>,
    decisions: i64,
    same: i64,
    approved_fen: i64,
    different: Vec<Uuid>,
    differ: i64,
}

/// What versions of policies promise, as far as they were met.
#[derive(Default)]
struct Known(HashMap<(String, i32), Terms>);

impl Known {
    async fn learn(&mut self, work: &mut Work, town: &str, snapshot: &Snapshot) -> Result<(), Refusal> {
        for met in &snapshot.met {
            let key = (met.policy.clone(), met.version);
            if !self.0.contains_key(&key)
                && let Some(terms) = terms_of(work.sql(), town, &met.policy, met.version).await?
            {
                self.0.insert(key, terms);
            }
        }
        Ok(())
    }

    /// Whether a decision comes out as it stands.
    fn agrees(&self, kept: &Rested) -> bool {
        let again = kept.facts.decide(|policy, version| self.0.get(&(policy.to_owned(), version)));
        again.is_some_and(|again| {
            again.outcome.name() == kept.outcome
                && again.approved.fen() == kept.approved_fen
                && again.rule.map(Named::name) == kept.rule.as_deref()
        })
    }
}

/// Does it.
pub(crate) struct Readjudicate;

#[tonic::async_trait]
impl Job for Readjudicate {
    async fn run(&self, running: &Running) -> Result<Option<Any>, Refusal> {
        let input: Input = serde_json::from_slice(&running.input).map_err(Refusal::internal)?;
        let mut cursor: Cursor = serde_json::from_value(running.stored.cursor.clone()).unwrap_or_default();
        let mut known = Known::default();
        loop {
            let mut work = Work::plain(&running.context.db, &running.call).await?;
            let before = cursor.decisions;
            let claims = chunk(&mut work, &input, &mut known, &mut cursor).await?;
            let progress = Progress { cursor: json!(cursor), done: cursor.decisions, total: 0 };
            let stop = running.keep(&mut work, &progress).await?;
            let record = Record {
                town: input.town.clone(),
                resource: name(running.context.service, running.stored.id),
                summary: format!("adjudicate {} decisions again", cursor.decisions - before),
                changes: Vec::new(),
                answer: pb::ReadjudicationReport::default(),
            };
            work.commit(record).await?;
            if claims < CHUNK {
                return Ok(Some(any(&report(&input.town, &cursor))));
            }
            if stop {
                return Ok(None);
            }
        }
    }
}

fn report(town: &str, cursor: &Cursor) -> pb::ReadjudicationReport {
    pb::ReadjudicationReport {
        decisions: cursor.decisions,
        same: cursor.same,
        different: cursor.differ,
        claims: cursor.different.iter().map(|id| format!("towns/{town}/claims/{id}")).collect(),
        approved_amount: Some(to_money(Fen::of(cursor.approved_fen))),
    }
}

/// The decisions on the next claims; how many claims that were.
async fn chunk(
    work: &mut Work,
    input: &Input,
    known: &mut Known,
    cursor: &mut Cursor,
) -> Result<i64, Refusal> {
    let first = i16::try_from(input.year).ok().and_then(|year| Date::new(year, 1, 1).ok());
    let first = first.ok_or_else(|| Refusal::internal(format!("year {}", input.year)))?;
    let behind = cursor.reached.unwrap_or((first, Uuid::nil()));
    let claims = store::claims_after(work.sql(), (&input.town, input.year), behind, CHUNK).await?;
    cursor.reached = claims.last().copied().or(cursor.reached);
    let ids: Vec<Uuid> = claims.iter().map(|(_, id)| *id).collect();
    for one in store::decisions_of(work.sql(), &input.town, &ids).await? {
        known.learn(work, &input.town, &one.facts).await?;
        if known.agrees(&one) {
            cursor.same += 1;
        } else {
            cursor.differ += 1;
            if cursor.different.len() < NAMED && cursor.different.last() != Some(&one.claim) {
                cursor.different.push(one.claim);
            }
        }
        cursor.approved_fen += one.approved_fen;
        cursor.decisions += 1;
    }
    i64::try_from(claims.len()).map_err(Refusal::internal)
}
