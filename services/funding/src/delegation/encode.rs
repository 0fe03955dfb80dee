//! Delegations and their shares on the wire.

use std::collections::BTreeMap;

use chassis::{refusal::Refusal, wire};
use contracts::linli::funding::v1 as pb;
use jiff::civil::Date;
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    money::Fen,
    state::Named,
};
use uuid::Uuid;

use super::{
    rules::{Of, Provenance, State, Step, Sum, provenance},
    store::{Delegation, NAMED, Share},
};
use crate::{ledger::store::account_name, money::to_money};

const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// The fields of a filter over delegations.
pub(super) const FILTER: &[FieldSpec] = &[
    field("department", "d.department", Kind::Text),
    field("organisation", "d.organisation", Kind::Name { collection: "organisations", town: "d.town" }),
    field("display_name", "d.title", Kind::Text),
    field("fiscal_year", "d.fiscal_year", Kind::Integer),
    field("offer_date", "d.offered_on", Kind::Date),
];

/// The fields of a filter over shares.
pub(super) const SHARE_FILTER: &[FieldSpec] = &[
    field("state", "s.state", Kind::Enum(State::NAMES)),
    field("delegation", "s.delegation", Kind::Name { collection: "delegations", town: "s.town" }),
    field("committee", "s.committee", Kind::Name { collection: "committees", town: "s.town" }),
    field("fiscal_year", "d.fiscal_year", Kind::Integer),
    field("reply_due_date", "d.reply_due", Kind::Date),
];

/// A date of the store.
pub(crate) fn day(text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(Refusal::internal)
}

fn optional_day(text: Option<&String>) -> Result<Option<contracts::google::r#type::Date>, Refusal> {
    text.map(|text| day(text).map(wire::to_date)).transpose()
}

/// A delegation without its shares.
pub(super) fn delegation(found: &Delegation) -> Result<pb::Delegation, Refusal> {
    let organisation =
        found.organisation.as_ref().map(|id| format!("towns/{}/organisations/{id}", found.town));
    Ok(pb::Delegation {
        name: format!("towns/{}/delegations/{}", found.town, found.id),
        department: found.department.clone(),
        organisation: organisation.unwrap_or_default(),
        display_name: found.title.clone(),
        description: found.description.clone(),
        fiscal_year: found.fiscal_year,
        offer_date: Some(wire::to_date(day(&found.offered_on)?)),
        reply_working_days: found.reply_days,
        reply_due_date: Some(wire::to_date(day(&found.reply_due)?)),
        reply_due_provisional: found.due_provisional,
        evidence: found.evidence.clone(),
        etag: Etag::of(found.version).to_string(),
        create_time: Some(wire::to_timestamp(found.created)),
        principal: found.offered_by.clone(),
        ..Default::default()
    })
}

/// A share as a List shows it.
pub(super) fn share(found: &Share, today: Date) -> Result<pb::DelegationShare, Refusal> {
    let state = pb::DelegationShareState::from_str_name(&format!("DELEGATION_SHARE_STATE_{}", found.state));
    let due = day(&found.reply_due)?;
    Ok(pb::DelegationShare {
        name: found.name(),
        delegation: found.delegation_name(),
        committee: format!("towns/{}/committees/{}", found.town, found.committee),
        amount: Some(to_money(found.amount())),
        state: state.unwrap_or_default().into(),
        department: found.department.clone(),
        display_name: found.title.clone(),
        fiscal_year: found.fiscal_year,
        reply_due_date: Some(wire::to_date(due)),
        reply_overdue: found.state()? == State::Offered && due < today,
        decide_date: optional_day(found.decided_on.as_ref())?,
        settle_date: optional_day(found.settled_on.as_ref())?,
        reason: found.reason.clone(),
        etag: Etag::of(found.version).to_string(),
        create_time: Some(wire::to_timestamp(found.created)),
        update_time: Some(wire::to_timestamp(found.updated)),
        ..Default::default()
    })
}

/// What the ledger says of a task beside its sums.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Its sums.
    pub(super) sums: Vec<Sum>,
    /// What is held, by committee.
    pub(super) held: Vec<(String, Fen)>,
    /// The names of categories.
    pub(super) categories: BTreeMap<String, String>,
}

/// The provenance of a share.
pub(super) fn traced(
    found: &Share,
    books: &Books,
) -> Result<(Provenance, pb::DelegationProvenance), Refusal> {
    let (name, delegation) = (found.name(), found.delegation_name());
    let of =
        Of { share: &name, delegation: &delegation, committee: &found.committee, amount: found.amount() };
    let rules = provenance(of, &books.sums).map_err(Refusal::internal)?;
    let held = books.held.iter().find(|(committee, _)| *committee == found.committee);
    let entry = |id: &Uuid| format!("towns/{}/entries/{id}", found.town);
    let most = usize::try_from(NAMED).unwrap_or_default();
    let names = |ids: &[Uuid]| ids.iter().take(most).map(entry).collect();
    let step = |step: &Step, category: &str| pb::DelegationProvenanceStep {
        amount: Some(to_money(step.amount)),
        entries: names(&step.entries),
        category: category.to_owned(),
        category_display_name: books.categories.get(category).cloned().unwrap_or_default(),
    };
    let wire = pb::DelegationProvenance {
        offered: Some(step(&rules.offered, "")),
        accepted: Some(step(&rules.accepted, "")),
        spent: rules.spent.iter().map(|(category, spent)| step(spent, category)).collect(),
        returned: Some(step(&rules.returned, "")),
        left: Some(to_money(rules.left)),
        held: Some(to_money(held.map(|(_, held)| *held).unwrap_or_default())),
        carried_entries: names(&rules.carried),
    };
    Ok((rules, wire))
}

/// The name of the account that has a share's money now.
pub(super) fn account(town: &str, accounts: &[crate::ledger::store::Account]) -> String {
    accounts.last().map(|account| account_name(town, account.id)).unwrap_or_default()
}
