//! Incidents on the wire.

use chassis::{amount::to_money, refusal::Refusal, vault::Vault, wire};
use contracts::{google::r#type as google, linli::insurance::v1 as pb};
use kernel::{etag::Etag, money::Fen};
use uuid::Uuid;

use super::{
    rules::{PlaceKind, Source},
    sealed::{description_place, visit_place},
    store::{Row, Visit, day, name_of},
};

/// A name of governance, or nothing where none is named.
fn named(town: &str, collection: &str, id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("towns/{town}/{collection}/{id}") }
}

fn date(text: Option<&str>) -> Result<Option<google::Date>, Refusal> {
    Ok(text.map(day).transpose()?.map(wire::to_date))
}

fn place(row: &Row) -> Result<pb::incident::Place, Refusal> {
    Ok(match row.place_kind()? {
        PlaceKind::Household => {
            pb::incident::Place::PlaceHousehold(named(&row.town, "households", &row.place))
        }
        PlaceKind::Estate => pb::incident::Place::PlaceEstate(named(&row.town, "estates", &row.place)),
        PlaceKind::Text => pb::incident::Place::PlaceText(row.place.clone()),
    })
}

fn state(row: &Row) -> pb::IncidentState {
    pb::IncidentState::from_str_name(&format!("INCIDENT_STATE_{}", row.state)).unwrap_or_default()
}

fn source(row: &Row) -> pb::IncidentSource {
    pb::IncidentSource::from_str_name(&format!("INCIDENT_SOURCE_{}", row.source)).unwrap_or_default()
}

/// An incident masked, without what stands in other tables.
///
/// # Errors
/// INTERNAL when the row can't be read.
pub(super) fn incident(row: &Row) -> Result<pb::Incident, Refusal> {
    let town = &row.town;
    let finding = kernel::state::Named::name(Source::Finding);
    Ok(pb::Incident {
        name: row.name(),
        number: row.number.clone(),
        peril: row.peril.clone(),
        happen_date: date(Some(&row.happened_on))?,
        place: Some(place(row)?),
        description: String::new(),
        source: source(row).into(),
        source_reference: row.source_reference.clone(),
        // the service of findings takes it from the outbox once it is there
        source_pending: row.source == finding && !row.source_reference.is_empty(),
        person: named(town, "people", &row.person),
        household: named(town, "households", &row.household),
        estimated_loss: row.loss_fen.map(|fen| to_money(Fen::of(fen))),
        event: name_of(town, row.event),
        report_date: date(Some(&row.reported_on))?,
        reporter: row.reported_by.clone(),
        committee: named(town, "committees", &row.committee),
        block: named(town, "blocks", &row.block),
        state: state(row).into(),
        verify_date: date(row.verified_on.as_deref())?,
        verifier: row.verified_by.clone().unwrap_or_default(),
        covered: row.covered.unwrap_or_default(),
        claim: row.claim.clone(),
        visitor: row.visitor.clone(),
        visit_due_date: date(row.visit_due.as_deref())?,
        visit_count: row.visits,
        masked: true,
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        ..Default::default()
    })
}

/// What happened, in clear.
///
/// # Errors
/// INTERNAL when it can't be opened.
pub(super) fn description(row: &Row, vault: &Vault) -> Result<String, Refusal> {
    vault.open_text(&description_place(&row.name()), &row.description)
}

/// A visit without its words.
///
/// # Errors
/// INTERNAL when the row can't be read.
pub(super) fn visit(visit: &Visit) -> Result<pb::IncidentVisit, Refusal> {
    Ok(pb::IncidentVisit {
        sequence: visit.n,
        visit_date: date(Some(&visit.visited_on))?,
        visitor: visit.visitor.clone(),
        result: pb::VisitResult::from_str_name(&format!("VISIT_RESULT_{}", visit.result))
            .unwrap_or_default()
            .into(),
        text: String::new(),
        recorder: visit.recorded_by.clone(),
        record_time: Some(wire::to_timestamp(visit.created)),
    })
}

/// A visit with its words, for who may see them, after the reading was kept.
///
/// # Errors
/// INTERNAL when they can't be opened.
pub(super) fn revealed_visit(town: &str, vault: &Vault, kept: &Visit) -> Result<pb::IncidentVisit, Refusal> {
    let place = visit_place(town, kept.incident, kept.n);
    let text = match kept.text_sealed.as_deref() {
        None => String::new(),
        Some(sealed) => vault.open_text(&place, sealed)?,
    };
    Ok(pb::IncidentVisit { text, ..visit(kept)? })
}

/// The visits of one incident among those of several.
///
/// # Errors
/// INTERNAL when a row can't be read.
pub(super) fn visits_of(incident: Uuid, all: &[Visit]) -> Result<Vec<pb::IncidentVisit>, Refusal> {
    all.iter().filter(|its| its.incident == incident).map(visit).collect()
}
