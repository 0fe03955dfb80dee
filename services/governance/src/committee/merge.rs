//! MergeCommittee: the one is MERGED from the day on; what it holds goes over.

use chassis::{
    refusal::Refusal,
    state::transition,
    wire,
    work::{Record, Verb, Work},
};
use contracts::linli::governance::v1 as pb;
use kernel::name::CommitteeName;

use super::{
    carry,
    edit::{Told, lock, record, write},
    rules::{self, TABLE, Verb as Do},
    transitions::{check_day, needed, one},
};
use crate::{block, fields, line::Carry, reasons::MERGE_INTO_ITSELF};

/// MergeCommittee.
pub(super) struct Merge;

#[tonic::async_trait]
impl Verb for Merge {
    type Request = pb::MergeCommitteeRequest;
    type Answer = pb::Committee;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Committee>, Refusal> {
        let day = needed("effective_date", request.effective_date.as_ref())?;
        let name: CommitteeName = wire::name("name", &request.name)?;
        work.call().scope(name.town())?;
        let into =
            CommitteeName::new(name.town(), one(fields::committee_id("into", name.town(), &request.into))?)
                .map_err(|error| Refusal::field("into", "FORMAT", "名称格式不符", error.to_string()))?;
        if name == into {
            return Err(Refusal::new(&MERGE_INTO_ITSELF).with("name", name));
        }
        // the two are locked in the order of their names, so that two mergers can't wait for each other
        let (locked, target) = if name < into {
            let locked = lock(work, &request.name, &request.etag).await?;
            (locked, lock(work, &request.into, "").await?)
        } else {
            let target = lock(work, &request.into, "").await?;
            (lock(work, &request.name, &request.etag).await?, target)
        };
        let over = Carry { from: &name, into: &into, day, comment: &request.comment };
        let to = transition(&TABLE, &name.to_string(), locked.state, Do::Merge)?;
        check_day(&locked, day)?;
        carry::check_target(&target, &over)?;
        carry::need_nothing_expected(work, &locked, day).await?;
        for party in [&name, &into] {
            carry::need_no_later_count(work, &over, party).await?;
        }
        carry::need_same_division(work, &over, None).await?;
        let blocks = block::lock_of_committee(work.sql(), name.town(), name.committee(), day).await?;
        let mut changes = carry::blocks(work, &over, blocks).await?;
        changes.extend(carry::places(work, &over, None).await?);
        changes.extend(carry::bodies(work, &over, None).await?);
        if let Some(mine) = carry::declared(work, &name, &over).await? {
            let theirs = carry::declared(work, &into, &over).await?.unwrap_or(0);
            changes.push(carry::count(work, &target, &over, (mine.saturating_add(theirs), "merge")).await?);
        }
        let splice = rules::enter(&locked.line, day, to, Some(into.committee()));
        let told = Told {
            verb: Do::Merge,
            to,
            comment: &request.comment,
            event: "committee.merged",
            day,
            founding: None,
        };
        let (change, answer) = write(work, &locked, &splice, told).await?;
        let mut record = record(&locked, change, answer);
        record.changes.extend(changes);
        Ok(record)
    }
}
