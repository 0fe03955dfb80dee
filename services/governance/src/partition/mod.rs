//! The partition 分块 of a committee: which building lies in which block (Work points 1.3).

pub(crate) mod rules;
pub(crate) mod store;

use std::collections::{BTreeMap, BTreeSet};

use chassis::{
    call::Call,
    context::Context,
    refusal::{Faults, Refusal},
    wire,
    work::{Change, Record, Verb, Work, mutate},
};
use contracts::linli::governance::v1::{self as pb, partition_service_server::PartitionService};
use jiff::civil::Date;
use kernel::{
    etag::Etag,
    name::{BlockName, BuildingName, CommitteeName},
    periods::{Period, amend, gaps},
};
use rules::Flaw;
use serde_json::json;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use crate::{
    as_of::AsOf,
    block,
    building::store::{Facts, LINE},
    committee::{self, edit::Locked},
    fields::{in_town, some},
    reasons::{BLOCK_ELSEWHERE, NOT_OF_COMMITTEE, PARTITION_GAP, PARTITION_OVERLAP},
    store::stamp,
};

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Partitions(pub Context);

/// A partition as it is on a day.
pub(crate) async fn shown(
    sql: &mut PgConnection,
    committee: &CommitteeName,
    as_of: &AsOf,
    version: i64,
) -> Result<pb::Partition, Refusal> {
    let of = |kind: &str, id: &str| format!("towns/{}/{kind}/{id}", committee.town());
    let mut shares: Vec<pb::PartitionShare> = Vec::new();
    for row in store::placed(sql, committee, as_of).await? {
        let block = row.block.as_ref().map(|id| of("blocks", id)).unwrap_or_default();
        if shares.last().is_none_or(|share| share.block != block) {
            let display_name = row.block_name.clone().unwrap_or_default();
            shares.push(pb::PartitionShare { block, display_name, ..Default::default() });
        }
        if let Some(share) = shares.last_mut() {
            share.buildings.push(of("buildings", &row.building));
            share.households =
                share.households.saturating_add(i32::try_from(row.households).unwrap_or(i32::MAX));
        }
    }
    Ok(pb::Partition {
        committee: committee.to_string(),
        divided: shares.first().is_some_and(|share| !share.block.is_empty()),
        shares,
        etag: Etag::of(version).to_string(),
    })
}

/// What a drawing names: the ids of the buildings of each block.
struct Drawing {
    day: Date,
    shares: Vec<(BlockName, Vec<String>)>,
}

fn parse(town: &str, request: &pb::DrawPartitionRequest) -> Result<Drawing, Refusal> {
    let mut faults = Faults::default();
    let day = faults.take(wire::required_date("effective_date", request.effective_date.as_ref()));
    let mut shares = Vec::with_capacity(request.shares.len());
    for (n, share) in request.shares.iter().enumerate() {
        let block = faults.take(in_town(&format!("shares[{n}].block"), &share.block, town, BlockName::town));
        let its = share.buildings.iter().enumerate().filter_map(|(m, text)| {
            let field = format!("shares[{n}].buildings[{m}]");
            faults.take(in_town(&field, text, town, BuildingName::town))
        });
        let its: Vec<String> = its.map(|name| name.building().to_owned()).collect();
        shares.extend(block.map(|block| (block, its)));
    }
    let day = faults.finish(day)?;
    Ok(Drawing { day, shares })
}

/// Refuses a block that isn't the committee's on every day from `day` on.
async fn need_block(
    work: &mut Work,
    block: &BlockName,
    committee: &CommitteeName,
    day: Date,
) -> Result<(), Refusal> {
    let line = block::store::believed(work.sql(), block).await?;
    let its = line.iter().filter(|row| row.value.committee == committee.committee());
    let parts: Vec<Period> = its.map(|row| row.period).collect();
    if gaps(Period::since(day), &parts).is_empty() {
        return Ok(());
    }
    Err(Refusal::new(&BLOCK_ELSEWHERE).with("name", block).with("committee", committee).with("date", day))
}

fn refused(committee: &CommitteeName, flaw: Flaw) -> Refusal {
    match flaw {
        Flaw::Overlap(ids) => Refusal::new(&PARTITION_OVERLAP).with("buildings", some(&ids)),
        Flaw::Foreign(ids) => {
            Refusal::new(&NOT_OF_COMMITTEE).with("name", committee).with("buildings", some(&ids))
        }
        Flaw::Gap(ids) => Refusal::new(&PARTITION_GAP).with("buildings", some(&ids)),
    }
}

/// Puts each building into its block from the day on, as long as it is of the committee.
async fn draw(
    work: &mut Work,
    locked: &Locked,
    day: Date,
    drawn: &BTreeMap<String, String>,
    comment: &str,
) -> Result<(), Refusal> {
    let (town, committee) = (locked.name.town(), locked.name.committee());
    let at = stamp(work.sql()).await?;
    for (id, block) in drawn {
        let line = LINE.believed::<Facts>(work.sql(), town, id).await?;
        let splice = amend(&line, Period::since(day), |facts| {
            let block = if facts.committee == committee { Some(block.clone()) } else { facts.block.clone() };
            Facts { block, ..facts.clone() }
        });
        if !splice.is_empty() {
            LINE.write(work.sql(), town, id, &splice, &at, comment).await?;
            LINE.bump(work.sql(), town, id).await?;
        }
    }
    Ok(())
}

struct Draw;

#[tonic::async_trait]
impl Verb for Draw {
    type Request = pb::DrawPartitionRequest;
    type Answer = pb::Partition;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Partition>, Refusal> {
        let locked = committee::edit::lock(work, &request.name, &request.etag).await?;
        let name = &locked.name;
        let Drawing { day, shares } = parse(name.town(), request)?;
        for (block, _) in &shares {
            need_block(work, block, name, day).await?;
        }
        let ids = LINE.lock_where(work.sql(), name.town(), "committee", name.committee(), day).await?;
        let buildings: BTreeSet<String> = ids.into_iter().collect();
        let given = shares.iter().map(|(block, its)| (block.block(), its.as_slice()));
        let drawn = rules::decide(&buildings, given).map_err(|flaw| refused(name, flaw))?;
        draw(work, &locked, day, &drawn, &request.comment).await?;
        let version = committee::store::bump(work.sql(), name, None).await?;
        let state = kernel::state::Named::name(locked.state);
        let blocks: Vec<String> = shares.iter().map(|(block, _)| block.to_string()).collect();
        let change = Change {
            resource: name.to_string(),
            version,
            verb: "drawPartition",
            from_state: state,
            to_state: state,
            comment: request.comment.clone(),
            event: "partition.drawn",
            data: json!({"committee": name.to_string(), "effective_date": day.to_string(), "blocks": blocks}),
        };
        Ok(Record {
            town: name.town().to_owned(),
            resource: name.to_string(),
            summary: format!("draw the partition of {name}"),
            changes: vec![change],
            answer: shown(work.sql(), name, &AsOf::now(day), version).await?,
        })
    }
}

#[tonic::async_trait]
impl PartitionService for Partitions {
    async fn get_partition(
        &self,
        request: Request<pb::GetPartitionRequest>,
    ) -> Result<Response<pb::Partition>, Status> {
        let (call, request) = (Call::of(&request)?, request.get_ref());
        let name: CommitteeName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(&call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let view = committee::store::get(read.sql(), &name, &scope, &as_of).await?;
        let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Committee", name.to_string()))?;
        Ok(Response::new(shown(read.sql(), &name, &as_of, view.version).await?))
    }

    async fn draw_partition(
        &self,
        request: Request<pb::DrawPartitionRequest>,
    ) -> Result<Response<pb::Partition>, Status> {
        mutate::<Draw>(&self.0, request).await
    }
}
