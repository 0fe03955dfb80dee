//! Committees on the wire.

use chassis::{refusal::Refusal, wire};
use contracts::linli::governance::v1 as pb;
use kernel::etag::Etag;

use super::store::{Count, View};
use crate::store::day;

/// The fields of a filter.
pub(super) const FILTER: &[kernel::filter::FieldSpec] = {
    use kernel::filter::{FieldSpec, Kind};
    const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
        FieldSpec { name, column, kind }
    }
    &[
        field("display_name", "p.display_name", Kind::Text),
        field("kind", "c.kind", Kind::Enum(&["RESIDENTS_COMMITTEE", "VILLAGERS_COMMITTEE"])),
        field("state", "p.state", Kind::Enum(&["PREPARING", "FOUNDED", "MERGED", "DISSOLVED"])),
        field("community", "p.community", Kind::Name { collection: "communities", town: "p.town" }),
        field("management_class", "p.management_class", Kind::Enum(&["A", "B", "C"])),
        field("difficulty", "p.difficulty", Kind::Enum(&["NORMAL", "HARD"])),
        field("founding_date", "c.founding_date", Kind::Date),
    ]
};

/// `committees/…` of a view.
pub(crate) fn name(view: &View) -> String {
    format!("towns/{}/committees/{}", view.town, view.id)
}

/// A committee without actions and timeline.
pub(crate) fn committee(view: &View) -> Result<pb::Committee, Refusal> {
    let date =
        |text: &Option<String>| text.as_deref().map(day).transpose().map(|date| date.map(wire::to_date));
    Ok(pb::Committee {
        name: name(view),
        display_name: view.display_name.clone(),
        kind: pb::CommitteeKind::from_str_name(&format!("COMMITTEE_KIND_{}", view.kind))
            .unwrap_or_default()
            .into(),
        community: format!("towns/{}/communities/{}", view.town, view.community),
        state: pb::CommitteeState::from_str_name(&format!("COMMITTEE_STATE_{}", view.state))
            .unwrap_or_default()
            .into(),
        preparation_start_date: date(&view.preparation_start)?,
        founding_date: date(&view.founding_date)?,
        management_class: pb::ManagementClass::from_str_name(&format!(
            "MANAGEMENT_CLASS_{}",
            view.management_class
        ))
        .unwrap_or_default()
        .into(),
        difficulty: pb::Difficulty::from_str_name(&format!("DIFFICULTY_{}", view.difficulty))
            .unwrap_or_default()
            .into(),
        household_count: newest_count(view)?,
        merged_into: view
            .merged_into
            .as_ref()
            .map(|id| format!("towns/{}/committees/{id}", view.town))
            .unwrap_or_default(),
        period_start_date: Some(wire::to_date(day(&view.period_from)?)),
        period_end_date: date(&view.period_to)?,
        etag: Etag::of(view.version).to_string(),
        create_time: Some(wire::to_timestamp(view.created)),
        update_time: Some(wire::to_timestamp(view.updated)),
        available_actions: Vec::new(),
        timeline: Vec::new(),
        successors: Vec::new(),
    })
}

fn newest_count(view: &View) -> Result<Option<pb::HouseholdCount>, Refusal> {
    let (Some(valid_on), Some(households), Some(recorded)) =
        (&view.count_valid, view.count, view.count_recorded)
    else {
        return Ok(None);
    };
    let count = Count {
        valid_on: day(valid_on)?,
        households,
        source: view.count_source.clone().unwrap_or_default(),
        reason: view.count_reason.clone().unwrap_or_default(),
        reported_on: view.count_reported.as_deref().map(day).transpose()?,
    };
    Ok(Some(household_count(&count, recorded)))
}

/// A declared count.
pub(crate) fn household_count(count: &Count, recorded: i64) -> pb::HouseholdCount {
    pb::HouseholdCount {
        valid_date: Some(wire::to_date(count.valid_on)),
        households: count.households,
        source: count.source.clone(),
        reason: count.reason.clone(),
        report_date: count.reported_on.map(wire::to_date),
        record_time: Some(wire::to_timestamp(recorded)),
    }
}

/// The bare name of a class: `A`; nothing when not said.
pub(crate) fn class(value: i32) -> String {
    bare(pb::ManagementClass::try_from(value).unwrap_or_default().as_str_name(), "MANAGEMENT_CLASS_")
}

/// The bare name of a difficulty: `HARD`; nothing when not said.
pub(crate) fn difficulty(value: i32) -> String {
    bare(pb::Difficulty::try_from(value).unwrap_or_default().as_str_name(), "DIFFICULTY_")
}

fn bare(name: &str, prefix: &str) -> String {
    let bare = name.strip_prefix(prefix).unwrap_or(name);
    if bare == "UNSPECIFIED" { String::new() } else { bare.to_owned() }
}
