//! What an offer rests on, read from governance before the unit of work begins: the calendar, the committees, the department.

use std::{collections::BTreeSet, sync::Arc};

use chassis::{
    governance::{CommitteesAsked, Governance},
    refusal::Refusal,
};
use contracts::linli::funding::v1 as pb;
use jiff::civil::Date;
use kernel::{
    calendar::Calendar,
    name::{CommitteeName, OrganisationName, TownName},
};

/// From how many committees on all of a town are read in pages, in place of each alone.
const MANY: usize = 20;

/// What was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// The working days.
    pub(super) calendar: Arc<Calendar>,
    /// The committees that the town doesn't have, by name.
    pub(super) unknown: BTreeSet<String>,
    /// Whether the town doesn't have the organisation.
    pub(super) organisation_unknown: bool,
}

/// Reads it. Names that are none are left to the reader of the request.
///
/// # Errors
/// UNAVAILABLE when governance can't be asked.
pub(super) async fn read(
    governance: &Governance,
    request: &pb::CreateDelegationRequest,
    today: Date,
) -> Result<Given, Refusal> {
    let default = pb::Delegation::default();
    let asked = request.delegation.as_ref().unwrap_or(&default);
    let Ok(town) = TownName::parse(&request.parent) else { return Ok(Given::default()) };
    let names = asked.offers.iter().filter_map(|offer| CommitteeName::parse(&offer.committee).ok());
    let names: BTreeSet<CommitteeName> = names.filter(|name| name.town() == town.town()).collect();
    let organisation = OrganisationName::parse(&asked.organisation).ok();
    let organisation_unknown = match organisation.filter(|name| name.town() == town.town()) {
        Some(name) => governance.organisation(&name).await?.is_none(),
        None => false,
    };
    let known = if names.len() > MANY {
        all(governance, &town, today).await?
    } else {
        each(governance, &names).await?
    };
    let unknown = names.iter().map(ToString::to_string).filter(|name| !known.contains(name)).collect();
    Ok(Given { calendar: governance.calendar().await?, unknown, organisation_unknown })
}

async fn each(governance: &Governance, names: &BTreeSet<CommitteeName>) -> Result<BTreeSet<String>, Refusal> {
    let mut known = BTreeSet::new();
    for name in names {
        known.extend(governance.committee(name).await?.map(|committee| committee.name));
    }
    Ok(known)
}

async fn all(governance: &Governance, town: &TownName, today: Date) -> Result<BTreeSet<String>, Refusal> {
    let (mut known, mut page_token) = (BTreeSet::new(), String::new());
    loop {
        let asked = CommitteesAsked {
            town: town.clone(),
            as_of_date: today,
            household_count_date: None,
            read_time: None,
            page_token,
        };
        let page = governance.committees(asked).await?;
        known.extend(page.committees.into_iter().map(|committee| committee.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(known);
        }
    }
}
