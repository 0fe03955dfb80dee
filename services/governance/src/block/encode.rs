//! Blocks on the wire.

use chassis::{refusal::Refusal, wire};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::etag::Etag;

use super::store::View;
use crate::{
    stewardship,
    store::{day, period},
};

/// The fields of a filter.
pub(super) const FILTER: &[kernel::filter::FieldSpec] = {
    use kernel::filter::{FieldSpec, Kind};
    &[
        FieldSpec { name: "display_name", column: "p.display_name", kind: Kind::Text },
        FieldSpec {
            name: "committee",
            column: "p.committee",
            kind: Kind::Name { collection: "committees", town: "p.town" },
        },
        FieldSpec { name: "start_date", column: "lower(b.life)", kind: Kind::Date },
    ]
};

/// A block without actions and timeline; its state is that of `today`.
pub(crate) fn block(view: &View, today: Date) -> Result<pb::Block, Refusal> {
    let life = period(&view.starts, view.ends.as_deref())?;
    let state = super::rules::state_on(life, today);
    Ok(pb::Block {
        name: format!("towns/{}/blocks/{}", view.town, view.id),
        display_name: view.display_name.clone(),
        committee: format!("towns/{}/committees/{}", view.town, view.committee),
        state: match state {
            super::rules::State::Open => pb::BlockState::Open,
            super::rules::State::Closed => pb::BlockState::Closed,
        }
        .into(),
        start_date: Some(wire::to_date(day(&view.starts)?)),
        end_date: view.ends.as_deref().map(day).transpose()?.map(wire::to_date),
        steward: steward(view).map(|view| stewardship::encode::stewardship(&view)).transpose()?,
        etag: Etag::of(view.version).to_string(),
        create_time: Some(wire::to_timestamp(view.created)),
        update_time: Some(wire::to_timestamp(view.updated)),
        available_actions: Vec::new(),
        timeline: Vec::new(),
    })
}

fn steward(view: &View) -> Option<stewardship::store::View> {
    Some(stewardship::store::View {
        town: view.town.clone(),
        id: view.steward_id?,
        block: view.id.clone(),
        person: view.person.clone()?,
        worker: view.worker.clone()?,
        kind: view.kind.clone()?,
        handover_pending: view.handover_pending?,
        reason: view.reason.clone()?,
        starts: view.steward_from.clone()?,
        ends: view.steward_to.clone(),
        recorded: view.steward_recorded?,
        superseded: view.steward_superseded,
        block_version: view.version,
    })
}
