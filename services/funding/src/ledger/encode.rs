//! The ledger on the wire.

use std::collections::HashMap;

use chassis::{refusal::Refusal, wire};
use contracts::linli::funding::v1 as pb;
use kernel::{etag::Etag, money::Fen};
use uuid::Uuid;

use super::{
    rules::Earmark,
    store::views::{AccountView, EntryView, HoldView, PostingView},
};
use crate::money::to_money;

/// A fund on the wire.
pub(crate) fn fund(name: &str) -> i32 {
    pb::Fund::from_str_name(&format!("FUND_{name}")).unwrap_or_default().into()
}

fn account_kind(name: &str) -> i32 {
    pb::AccountKind::from_str_name(&format!("ACCOUNT_KIND_{name}")).unwrap_or_default().into()
}

fn committee(town: &str, id: Option<&String>) -> String {
    id.map(|id| format!("towns/{town}/committees/{id}")).unwrap_or_default()
}

/// An earmark of the table as it is shown.
pub(crate) fn earmark(town: &str, text: Option<&String>) -> Result<String, Refusal> {
    let earmark = text.map(|text| text.parse::<Earmark>()).transpose().map_err(Refusal::internal)?;
    Ok(earmark.map(|earmark| earmark.name(town)).unwrap_or_default())
}

fn date(text: &str) -> Result<contracts::google::r#type::Date, Refusal> {
    Ok(wire::to_date(text.parse().map_err(Refusal::internal)?))
}

/// An account; held and available only when the balance is that of now.
pub(crate) fn account(town: &str, view: &AccountView, now: bool) -> Result<pb::Account, Refusal> {
    let (balance, held) = (Fen::of(view.balance_fen), Fen::of(view.held_fen));
    let available = balance.checked_sub(held).map_err(Refusal::internal)?;
    Ok(pb::Account {
        name: format!("towns/{town}/accounts/{}", view.id),
        kind: account_kind(&view.kind),
        fund: fund(&view.fund),
        fiscal_year: view.fiscal_year,
        committee: committee(town, view.committee.as_ref()),
        earmark: earmark(town, view.earmark.as_ref())?,
        category: view.category.clone().unwrap_or_default(),
        balance: Some(to_money(balance)),
        held: now.then(|| to_money(held)),
        available: now.then(|| to_money(available)),
        create_time: Some(wire::to_timestamp(view.created)),
    })
}

fn posting(town: &str, view: &PostingView) -> Result<pb::Posting, Refusal> {
    Ok(pb::Posting {
        account: format!("towns/{town}/accounts/{}", view.account),
        kind: account_kind(&view.kind),
        fund: fund(&view.fund),
        fiscal_year: view.fiscal_year,
        committee: committee(town, view.committee.as_ref()),
        earmark: earmark(town, view.earmark.as_ref())?,
        category: view.category.clone().unwrap_or_default(),
        amount: Some(to_money(Fen::of(view.amount_fen))),
    })
}

/// Entries with their postings.
pub(crate) fn entries(
    town: &str,
    views: &[EntryView],
    postings: &[PostingView],
) -> Result<Vec<pb::Entry>, Refusal> {
    let mut of: HashMap<Uuid, Vec<&PostingView>> = HashMap::new();
    for posting in postings {
        of.entry(posting.entry).or_default().push(posting);
    }
    let name = |id: &Uuid| format!("towns/{town}/entries/{id}");
    let one = |view: &EntryView| {
        let its = of.get(&view.id).map(Vec::as_slice).unwrap_or_default();
        Ok(pb::Entry {
            name: name(&view.id),
            kind: pb::EntryKind::from_str_name(&format!("ENTRY_KIND_{}", view.kind))
                .unwrap_or_default()
                .into(),
            key: view.key.clone(),
            fiscal_year: view.fiscal_year,
            book_date: Some(date(&view.booked_on)?),
            subject: view.subject.clone(),
            description: view.description.clone(),
            evidence: view.evidence.clone(),
            reverses: view.reverses.as_ref().map(name).unwrap_or_default(),
            reversed_by: view.reversed_by.as_ref().map(name).unwrap_or_default(),
            postings: its.iter().map(|view| posting(town, view)).collect::<Result<_, _>>()?,
            principal: view.principal.clone(),
            record_time: Some(wire::to_timestamp(view.recorded)),
            sequence: view.sequence.unwrap_or_default(),
            etag: Etag::of(1).to_string(),
        })
    };
    views.iter().map(one).collect()
}

/// A hold.
pub(crate) fn hold(town: &str, view: &HoldView) -> Result<pb::Hold, Refusal> {
    let account = |id: &Uuid| format!("towns/{town}/accounts/{id}");
    Ok(pb::Hold {
        name: format!("towns/{town}/holds/{}", view.id),
        account: account(&view.account),
        into_account: view.into_account.as_ref().map(account).unwrap_or_default(),
        amount: Some(to_money(Fen::of(view.amount_fen))),
        purpose: view.purpose.clone(),
        expire_date: view.expires_on.as_deref().map(date).transpose()?,
        state: pb::HoldState::from_str_name(&format!("HOLD_STATE_{}", view.state)).unwrap_or_default().into(),
        posted_amount: (view.posted_fen > 0).then(|| to_money(Fen::of(view.posted_fen))),
        entry: view.entry.map(|id| format!("towns/{town}/entries/{id}")).unwrap_or_default(),
        subject: view.subject.clone(),
        principal: view.held_by.clone(),
        hold_date: Some(date(&view.held_on)?),
        resolve_date: view.resolved_on.as_deref().map(date).transpose()?,
        etag: Etag::of(view.version).to_string(),
        create_time: Some(wire::to_timestamp(view.created)),
        available_actions: Vec::new(),
        timeline: Vec::new(),
    })
}
