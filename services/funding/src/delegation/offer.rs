//! An offer as it is read from a request: every fault of it at once.

use std::collections::BTreeSet;

use chassis::{
    fields,
    refusal::{AMOUNT_OVERFLOW, Faults, FieldFault, Refusal},
    wire,
};
use contracts::linli::funding::v1 as pb;
use jiff::civil::Date;
use kernel::{
    money::Fen,
    name::{DelegationName, OrganisationName, TownName},
};
use uuid::Uuid;

use super::{acts::name_of, given::Given, rules::is_funded, store::Offer};
use crate::money;

/// Working days for the answer, when not said.
const REPLY_DAYS: u32 = 5;

/// A new delegation.
pub(super) struct New {
    pub(super) name: DelegationName,
    pub(super) offer: Offer,
    /// Id, committee and money of each share.
    pub(super) shares: Vec<(Uuid, String, Fen)>,
}

/// The number of a document that proves money.
pub(super) fn evidence(field: &str, text: &str) -> Result<String, FieldFault> {
    fields::display(field, text)
}

/// The refusal of a sum that is too large.
pub(super) fn too_much() -> Refusal {
    Refusal::new(&AMOUNT_OVERFLOW).with("field", "delegation.offers")
}

/// Reads what is offered to whom.
fn shares(faults: &mut Faults, town: &str, given: &[pb::DelegationOffer]) -> Vec<(Uuid, String, Fen)> {
    if given.is_empty() {
        faults.push(FieldFault::new(
            "delegation.offers",
            "REQUIRED",
            "至少一个居委会",
            "one committee at least",
        ));
    }
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (n, offer) in given.iter().enumerate() {
        let field = format!("delegation.offers[{n}].committee");
        let committee = faults.take(fields::committee_id(&field, town, &offer.committee));
        let amount = format!("delegation.offers[{n}].amount");
        let amount = faults.take(money::amount_or_nothing(&amount, offer.amount.as_ref()));
        let Some((committee, amount)) = committee.zip(amount) else { continue };
        if !seen.insert(committee.clone()) {
            faults.push(FieldFault::new(
                field,
                "REPEATED",
                "同一居委会重复",
                "this committee stands there twice",
            ));
        }
        all.push((Uuid::now_v7(), committee, amount));
    }
    all
}

/// Reads a request to offer a task.
///
/// # Errors
/// Every field that can't be read.
pub(super) fn read(
    town: &TownName,
    request: &pb::CreateDelegationRequest,
    given: &Given,
    today: Date,
) -> Result<New, Refusal> {
    let default = pb::Delegation::default();
    let asked = request.delegation.as_ref().unwrap_or(&default);
    let mut faults = Faults::default();
    let name = faults.take(name_of(town, &request.delegation_id));
    let department = faults.take(fields::display("delegation.department", &asked.department));
    let title = faults.take(fields::display("delegation.display_name", &asked.display_name));
    let organisation = match asked.organisation.as_str() {
        "" => Some(None),
        text => faults
            .take(fields::in_town("delegation.organisation", text, town.town(), OrganisationName::town))
            .map(|name| Some(name.organisation().to_owned())),
    };
    if given.organisation_unknown {
        let (zh, en) = ("没有该组织", "there is no such organisation");
        faults.push(FieldFault::new("delegation.organisation", "UNKNOWN", zh, en));
    }
    let offered_on = faults.take(wire::date("delegation.offer_date", asked.offer_date.as_ref()));
    let shares = shares(&mut faults, town.town(), &asked.offers);
    let proof = if shares.iter().any(|(_, _, amount)| is_funded(*amount)) || !asked.evidence.is_empty() {
        faults.take(evidence("delegation.evidence", &asked.evidence))
    } else {
        Some(String::new())
    };
    let all = name.zip(department).zip(title).zip(organisation).zip(offered_on).zip(proof);
    let (((((name, department), title), organisation), offered_on), evidence) = money::finish(faults, all)?;
    let offered_on = offered_on.unwrap_or(today);
    if offered_on > today {
        return Err(Refusal::field(
            "delegation.offer_date",
            "FUTURE",
            "不能晚于今天",
            "must not lie in the future",
        ));
    }
    let days = match u32::try_from(asked.reply_working_days) {
        Ok(0) | Err(_) => REPLY_DAYS,
        Ok(days) => days,
    };
    let term = given.calendar.term(offered_on, days);
    let offer = Offer {
        department,
        organisation,
        title,
        description: asked.description.trim().to_owned(),
        fiscal_year: asked.fiscal_year,
        offered_on,
        reply_days: i32::try_from(days).map_err(Refusal::internal)?,
        reply_due: term.due,
        due_provisional: term.provisional,
        evidence,
    };
    Ok(New { name, offer, shares })
}
