//! What claims do to the incident that they are of, within their own unit of work.

use chassis::{
    refusal::Refusal,
    state::transition,
    work::{Change, Work},
};
use kernel::name::IncidentName;
use uuid::Uuid;

use super::{
    edit::{Locked, Told, save},
    rules::{State, TABLE, Verb},
    store::{self, Row, name_of},
};

/// Locks an incident of a town, whoever sees it: the claim has answered for that.
async fn lock(work: &mut Work, town: &str, id: Uuid) -> Result<Locked, Refusal> {
    let name = IncidentName::new(town, id.to_string()).map_err(Refusal::internal)?;
    let row = store::get(work.sql(), &name, &chassis::identity::Scope::Town, true).await?;
    Locked::of(row.ok_or_else(|| Refusal::not_found("linli.dev/Incident", name.to_string()))?)
}

/// Holds an incident until the end of the transaction: claims of it are opened and given up one after the other.
///
/// # Errors
/// NOT_FOUND; what Postgres answered.
pub(crate) async fn hold(work: &mut Work, town: &str, id: Uuid) -> Result<(), Refusal> {
    lock(work, town, id).await.map(drop)
}

/// VERIFIED → CLAIMED, by the claim of this name.
pub(super) async fn claim(work: &mut Work, locked: &mut Locked, claim: &str) -> Result<Change, Refusal> {
    let to = locked.next(Verb::Claim)?;
    locked.row.claim = claim.to_owned();
    save(work, locked, to, Told { verb: Verb::Claim, event: "incident.claimed", comment: "" }).await
}

/// Opens a claim, by its name, on an incident that is locked from here on: VERIFIED becomes CLAIMED, which the change tells of; REPORTED
/// and NOT_COVERED stay and note the claim, CLAIMED stays. The change belongs into the claim's record.
///
/// # Errors
/// WRONG_STATE for one that is closed; NOT_FOUND.
pub(crate) async fn open_claim(
    work: &mut Work,
    town: &str,
    id: Uuid,
    name: &str,
) -> Result<(Row, Option<Change>), Refusal> {
    let mut locked = lock(work, town, id).await?;
    match locked.state {
        State::Verified => {
            let change = claim(work, &mut locked, name).await?;
            Ok((locked.row, Some(change)))
        }
        State::Reported | State::NotCovered => {
            if locked.row.claim.is_empty() {
                locked.row.claim = name.to_owned();
                store::note_claim(work.sql(), &locked.row).await?;
            }
            Ok((locked.row, None))
        }
        State::Claimed => Ok((locked.row, None)),
        State::Closed => Err(transition(&TABLE, &name_of(town, id), State::Closed, Verb::Claim)
            .err()
            .unwrap_or_else(|| Refusal::internal("a closed incident takes a claim"))),
    }
}

/// The last open claim of an incident was withdrawn or dismissed: CLAIMED becomes VERIFIED, which the change tells of; other states only
/// forget the claim. That no other claim is open is the caller's to know.
///
/// # Errors
/// NOT_FOUND; what Postgres answered.
pub(crate) async fn claim_gone(work: &mut Work, town: &str, id: Uuid) -> Result<Option<Change>, Refusal> {
    let mut locked = lock(work, town, id).await?;
    locked.row.claim.clear();
    if locked.state != State::Claimed {
        store::note_claim(work.sql(), &locked.row).await?;
        return Ok(None);
    }
    let to = locked.next(Verb::ReleaseClaim)?;
    let told = Told { verb: Verb::ReleaseClaim, event: "incident.claimGone", comment: "" };
    Ok(Some(save(work, &mut locked, to, told).await?))
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
