//! Declared household counts.

use chassis::{
    refusal::{Faults, Refusal},
    wire,
    work::{Change, Record, Verb, Work},
};
use contracts::linli::governance::v1 as pb;
use kernel::state::Named;
use serde_json::json;

use super::{
    edit::{lock, not_future},
    encode,
    store::{self, Count},
};
use crate::store::stamp;

/// RecordHouseholdCount.
pub(super) struct RecordCount;

#[tonic::async_trait]
impl Verb for RecordCount {
    type Request = pb::RecordHouseholdCountRequest;
    type Answer = pb::HouseholdCount;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::HouseholdCount>, Refusal> {
        let default = pb::HouseholdCount::default();
        let given = request.household_count.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let valid = faults.take(wire::required_date("household_count.valid_date", given.valid_date.as_ref()));
        let reported = faults.take(wire::date("household_count.report_date", given.report_date.as_ref()));
        let (valid_on, reported_on) = faults.finish(valid.zip(reported))?;
        let locked = lock(work, &request.parent, "").await?;
        not_future(work.call(), "valid_date", valid_on)?;
        let count = Count {
            valid_on,
            households: given.households,
            source: given.source.clone(),
            reason: given.reason.clone(),
            reported_on,
        };
        if given.reason.trim().is_empty()
            && store::counted_on(work.sql(), &locked.name, valid_on)
                .await?
                .is_some_and(|known| known != given.households)
        {
            return Err(Refusal::field(
                "household_count.reason",
                "REQUIRED",
                "更正已申报的户数须写明理由",
                "a correction of a declared count needs its reason",
            ));
        }
        let at = stamp(work.sql()).await?;
        store::record_count(work.sql(), &locked.name, &count, &at).await?;
        let version = store::bump(work.sql(), &locked.name, None).await?;
        let recorded = chassis::clock::recorded_now().as_microsecond();
        let change = Change {
            resource: locked.name.to_string(),
            version,
            verb: "count",
            from_state: locked.state.name(),
            to_state: locked.state.name(),
            comment: count.reason.clone(),
            event: "committee.counted",
            data: json!({"committee": locked.name.to_string(), "households": count.households, "valid_date": valid_on.to_string()}),
        };
        Ok(Record {
            town: locked.name.town().to_owned(),
            resource: locked.name.to_string(),
            summary: format!("count {} households in {}", count.households, locked.name),
            changes: vec![change],
            answer: encode::household_count(&count, recorded),
        })
    }
}
