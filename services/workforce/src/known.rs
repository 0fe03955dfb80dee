//! What governance knows of what a request names. Read before a unit of work, never within one.

use chassis::{governance::Governance, refusal::Refusal};
use kernel::{
    ids::CitizenId,
    name::{CommitteeName, PersonName, TownName},
};

use crate::reasons::{CITIZEN_ID_INVALID, CITIZEN_UNKNOWN, PEER_UNKNOWN};

/// A person by the identity number, with what the number says; the number itself is kept nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The person.
    pub(crate) person: PersonName,
    /// The identity number, until the request is over.
    pub(crate) citizen: CitizenId,
}

/// The person of an identity number.
///
/// # Errors
/// CITIZEN_ID_INVALID, CITIZEN_UNKNOWN; UNAVAILABLE while governance can't be asked.
pub(crate) async fn citizen(
    governance: &Governance,
    town: &TownName,
    field: &'static str,
    number: &str,
) -> Result<Found, Refusal> {
    let Ok(citizen) = CitizenId::parse(number) else {
        return Err(Refusal::new(&CITIZEN_ID_INVALID).with("field", field));
    };
    let person = governance.person_of(town, citizen.reveal()).await?;
    let person = person.ok_or_else(|| Refusal::new(&CITIZEN_UNKNOWN).with("field", field))?;
    Ok(Found { person, citizen })
}

/// Refuses a committee that governance doesn't know; what is no name is told with the other faults of the request.
///
/// # Errors
/// PEER_UNKNOWN; UNAVAILABLE while governance can't be asked.
pub(crate) async fn need_committee(governance: &Governance, name: &str) -> Result<(), Refusal> {
    let Ok(committee) = CommitteeName::parse(name) else { return Ok(()) };
    match governance.committee(&committee).await? {
        Some(_) => Ok(()),
        None => Err(Refusal::new(&PEER_UNKNOWN).with("name", committee)),
    }
}
