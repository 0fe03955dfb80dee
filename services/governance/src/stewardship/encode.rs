//! Stewardships on the wire.

use chassis::{
    refusal::{FieldFault, Refusal},
    wire,
};
use contracts::linli::governance::v1 as pb;
use kernel::{
    etag::Etag,
    name::{PersonName, WorkerName},
};

use super::{
    rules::{Facts, Kind},
    store::View,
};
use crate::{fields::same_town, store::day};

/// The fields of a filter.
pub(super) const FILTER: &[kernel::filter::FieldSpec] = {
    use kernel::filter::{FieldSpec, Kind};
    const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
        FieldSpec { name, column, kind }
    }
    &[
        field("block", "s.block", Kind::Name { collection: "blocks", town: "s.town" }),
        field("person", "s.person", Kind::Text),
        field("worker", "s.worker", Kind::Text),
        field("kind", "s.kind", Kind::Enum(&["REGULAR", "COVER", "DIRECTOR_COVER"])),
        field("handover_pending", "s.handover_pending", Kind::Bool),
        field("start_date", "lower(s.valid)", Kind::Date),
    ]
};

/// A stewardship.
pub(crate) fn stewardship(view: &View) -> Result<pb::Stewardship, Refusal> {
    Ok(pb::Stewardship {
        name: format!("towns/{}/stewardships/{}", view.town, view.id),
        block: format!("towns/{}/blocks/{}", view.town, view.block),
        person: view.person.clone(),
        worker: view.worker.clone(),
        kind: pb::StewardshipKind::from_str_name(&format!("STEWARDSHIP_KIND_{}", view.kind))
            .unwrap_or_default()
            .into(),
        start_date: Some(wire::to_date(day(&view.starts)?)),
        end_date: view.ends.as_deref().map(day).transpose()?.map(wire::to_date),
        record_time: Some(wire::to_timestamp(view.recorded)),
        superseded_time: view.superseded.map(wire::to_timestamp),
        reason: view.reason.clone(),
        handover_pending: view.handover_pending,
        block_etag: Etag::of(view.block_version).to_string(),
    })
}

/// Somebody who is to be steward.
#[derive(Clone, Debug)]
pub(crate) struct Steward {
    pub(crate) person: String,
    pub(crate) worker: String,
}

impl Steward {
    /// Of a request.
    pub(crate) fn parse(field: &str, town: &str, given: Option<&pb::Steward>) -> Result<Steward, FieldFault> {
        let given = given.ok_or_else(|| FieldFault::new(field, "REQUIRED", "必填", "required"))?;
        let worker: WorkerName = wire::parsed(&format!("{field}.worker"), &given.worker)?;
        same_town(&format!("{field}.worker"), town, worker.town())?;
        if !given.person.is_empty() {
            let person: PersonName = wire::parsed(&format!("{field}.person"), &given.person)?;
            same_town(&format!("{field}.person"), town, person.town())?;
        }
        Ok(Steward { person: given.person.clone(), worker: given.worker.clone() })
    }

    /// As the facts of some days.
    pub(crate) fn facts(&self, kind: Kind) -> Facts {
        Facts::new(&self.person, &self.worker, kind)
    }
}
