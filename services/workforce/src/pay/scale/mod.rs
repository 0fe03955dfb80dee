//! Pay scales 薪酬标准: drafted, written, approved by somebody else.

pub(crate) mod acts;
pub(crate) mod encode;
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
use kernel::name::PayScaleName;

use super::lives::{SCALES, ScaleVerb};

/// GetPayScale.
pub(super) async fn get(
    context: &Context,
    call: &Call,
    request: &pb::GetPayScaleRequest,
) -> Result<pb::PayScale, Refusal> {
    let name: PayScaleName = wire::name("name", &request.name)?;
    call.whole_town(name.town())?;
    let mut read = context.db.read().await?;
    let found = store::get(read.sql(), &name, false).await?;
    let found = found.ok_or_else(|| Refusal::not_found("linli.dev/PayScale", name.to_string()))?;
    let who = Actor::of(call);
    let hindered = |verb: ScaleVerb| match verb {
        ScaleVerb::Approve => {
            let refused = acts::need_another(&name, &found, &who).err();
            refused.map(|why| Hindrance::of(Obstacle::FourEyes, &why))
        }
        ScaleVerb::Create | ScaleVerb::Update => None,
    };
    Ok(pb::PayScale {
        available_actions: available_unless(
            &SCALES,
            found.state()?,
            call,
            name.town(),
            Scope::is_town,
            hindered,
        ),
        timeline: timeline::read(read.sql(), name.town(), &name.to_string()).await?,
        ..encode::scale(&found)?
    })
}

/// ListPayScales.
pub(super) async fn page(
    context: &Context,
    call: &Call,
    request: &pb::ListPayScalesRequest,
) -> Result<pb::ListPayScalesResponse, Refusal> {
    let (asked, paging) = Asked::read(context, call, listing::request_undated!(request), encode::FILTER)?;
    call.whole_town(&asked.town)?;
    let mut read = context.db.read().await?;
    let mut found: Vec<store::Row> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
    let next_page_token = paging.next(&mut found, |row| vec![row.id.clone()]);
    let pay_scales = found.iter().map(encode::scale).collect::<Result<_, _>>()?;
    Ok(pb::ListPayScalesResponse { pay_scales, next_page_token })
}
