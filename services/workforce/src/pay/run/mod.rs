//! Pay runs 月度薪酬核算: begun for a month, computed in the background, approved by somebody else.

pub(crate) mod acts;
pub(crate) mod encode;
pub(crate) mod facts;
pub(crate) mod job;
pub(crate) mod store;

use chassis::{
    actor::Actor,
    call::Call,
    context::Context,
    identity::Scope,
    listing::{self, Asked},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
};
use contracts::linli::{common::v1::Obstacle, workforce::v1 as pb};
use kernel::name::PayRunName;

use super::lives::{RUNS, RunVerb};

/// GetPayRun.
pub(super) async fn get(
    context: &Context,
    call: &Call,
    request: &pb::GetPayRunRequest,
) -> Result<pb::PayRun, Refusal> {
    let name: PayRunName = wire::name("name", &request.name)?;
    call.whole_town(name.town())?;
    let mut read = context.db.read().await?;
    let found = store::get(read.sql(), &name, false).await?;
    let found = found.ok_or_else(|| Refusal::not_found("linli.dev/PayRun", name.to_string()))?;
    let (who, beginner) = (Actor::of(call), found.beginner());
    let hindered = |verb: RunVerb| match verb {
        RunVerb::Approve => {
            let refused = acts::need_another(&name, &beginner, &who).err();
            refused.map(|why| Hindrance::of(Obstacle::FourEyes, &why))
        }
        RunVerb::Create | RunVerb::Compute | RunVerb::Cancel | RunVerb::Export => None,
    };
    let sums = store::sums(read.sql(), &name).await?;
    Ok(pb::PayRun {
        available_actions: available_unless(
            &RUNS,
            found.state()?,
            call,
            name.town(),
            Scope::is_town,
            hindered,
        ),
        timeline: timeline::read(read.sql(), name.town(), &name.to_string()).await?,
        ..encode::summed(call.service(), &found, &sums)?
    })
}

/// ListPayRuns.
pub(super) async fn page(
    context: &Context,
    call: &Call,
    request: &pb::ListPayRunsRequest,
) -> Result<pb::ListPayRunsResponse, Refusal> {
    let (asked, paging) = Asked::read(context, call, listing::request_undated!(request), encode::FILTER)?;
    call.whole_town(&asked.town)?;
    let mut read = context.db.read().await?;
    let mut found: Vec<store::Run> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
    let next_page_token = paging.next(&mut found, |run| vec![run.id.clone()]);
    let pay_runs = found.iter().map(|run| encode::run(call.service(), run)).collect::<Result<_, _>>()?;
    Ok(pb::ListPayRunsResponse { pay_runs, next_page_token })
}
