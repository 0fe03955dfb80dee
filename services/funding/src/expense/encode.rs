//! Expenses on the wire.

use chassis::{refusal::Refusal, vault::Vault, wire};
use contracts::linli::funding::v1 as pb;
use jiff::civil::Date;
use kernel::{etag::Etag, money::Fen, state::Named};
use uuid::Uuid;

use super::{
    provenance::Step,
    rules::{self, Party},
    sealed::objection_place,
    store::{Objection, Row, Voucher, day},
};
use crate::{ledger::rules::Earmark, money::to_money};

fn optional(town: &str, kind: &str, id: Option<Uuid>) -> String {
    id.map(|id| format!("towns/{town}/{kind}/{id}")).unwrap_or_default()
}

fn money(fen: Option<i64>) -> Option<contracts::google::r#type::Money> {
    fen.map(|fen| to_money(Fen::of(fen)))
}

fn date(text: Option<&str>) -> Result<Option<contracts::google::r#type::Date>, Refusal> {
    Ok(text.map(day).transpose()?.map(wire::to_date))
}

/// The earmark as it is shown.
pub(crate) fn earmark(town: &str, text: Option<&str>) -> String {
    text.and_then(|text| text.parse::<Earmark>().ok()).map(|earmark| earmark.name(town)).unwrap_or_default()
}

/// An expense with its payee masked, without what stands in other tables.
pub(crate) fn expense(row: &Row, vault: &Vault, today: Date) -> Result<pb::Expense, Refusal> {
    let town = &row.town;
    Ok(pb::Expense {
        name: row.name(),
        number: row.number.clone(),
        committee: format!("towns/{town}/committees/{}", row.committee),
        fund: pb::Fund::from_str_name(&format!("FUND_{}", row.fund)).unwrap_or_default().into(),
        fiscal_year: row.fiscal_year,
        earmark: earmark(town, row.earmark.as_deref()),
        category: row.category.clone(),
        amount: Some(to_money(row.amount())),
        purpose: row.purpose.clone(),
        payee: Some(row.payee(vault)?.masked()),
        apply_date: date(Some(&row.applied_on))?,
        state: pb::ExpenseState::from_str_name(&format!("EXPENSE_STATE_{}", row.state))
            .unwrap_or_default()
            .into(),
        revision: row.revision,
        notice_required: row.notice_required,
        notice_end_date: date(row.notice_ends.as_deref())?,
        policy: row.policy.clone(),
        account: optional(town, "accounts", Some(row.account)),
        hold: optional(town, "holds", Some(row.hold)),
        entry: optional(town, "entries", row.entry),
        pay_date: date(row.paid_on.as_deref())?,
        bank_reference: row.bank_reference.clone(),
        payment_failure: row.payment_failure.clone(),
        settled_amount: money(row.settled_fen),
        refund_amount: money(row.settled_fen.zip(row.paid_fen).map(|(settled, paid)| paid - settled)),
        refund_entry: optional(town, "entries", row.refund_entry),
        refund_reference: row.refund_reference.clone(),
        disclosure: row.disclosure.clone(),
        // the board's service takes it from the outbox once it is there
        disclosure_pending: !row.disclosure.is_empty(),
        applicant: row.applied_by.clone(),
        reviewer: row.reviewed_by.clone().unwrap_or_default(),
        approver: row.approved_by.clone().unwrap_or_default(),
        payer: row.paid_by.clone().unwrap_or_default(),
        waiting_for: waiting(row, today)?,
        open_objections: row.open_objections,
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        ..Default::default()
    })
}

/// For whom it waits today.
fn waiting(row: &Row, today: Date) -> Result<Option<pb::WaitingFor>, Refusal> {
    let facts = row.facts()?;
    let Some((party, verb)) = rules::waiting(&facts, today) else { return Ok(None) };
    let due = row.due.as_deref().map(day).transpose()?;
    // the residents have until the notice is over; what follows it has a term of its own
    let shown = if party == Party::Public { facts.notice_ends } else { due };
    let late = shown.map_or(0, |due| (today - due).get_days()).max(0);
    Ok(Some(pb::WaitingFor {
        party: pb::WaitingParty::from_str_name(&format!("WAITING_PARTY_{}", party.name()))
            .unwrap_or_default()
            .into(),
        role: party.role().to_owned(),
        verb: verb.name().to_owned(),
        since_date: date(Some(&row.since))?,
        due_date: shown.map(wire::to_date),
        provisional: row.due_provisional,
        overdue_days: late,
    }))
}

/// A voucher.
pub(crate) fn voucher(voucher: &Voucher) -> Result<pb::Voucher, Refusal> {
    Ok(pb::Voucher {
        number: voucher.number.clone(),
        issuer: voucher.issuer.clone(),
        issue_date: date(Some(&voucher.issued_on))?,
        amount: Some(to_money(Fen::of(voucher.amount_fen))),
        sha256: voucher.sha256.as_ref().map(hex::encode).unwrap_or_default(),
    })
}

/// An objection without its words.
pub(crate) fn objection(objection: &Objection) -> Result<pb::ExpenseObjection, Refusal> {
    Ok(pb::ExpenseObjection {
        id: objection.id.to_string(),
        state: pb::ObjectionState::from_str_name(&format!("OBJECTION_STATE_{}", objection.state))
            .unwrap_or_default()
            .into(),
        text: String::new(),
        object_date: date(Some(&objection.objected_on))?,
        objector: objection.objected_by.clone(),
        answer: String::new(),
        answer_date: date(objection.answered_on.as_deref())?,
        answerer: objection.answered_by.clone().unwrap_or_default(),
        revision: objection.revision,
        masked: true,
    })
}

/// An objection with its words, for who may see them, after the reading was kept.
pub(crate) fn revealed_objection(
    vault: &Vault,
    expense: &str,
    kept: &Objection,
) -> Result<pb::ExpenseObjection, Refusal> {
    let open =
        |column: &str, sealed: &[u8]| vault.open_text(&objection_place(expense, kept.id, column), sealed);
    Ok(pb::ExpenseObjection {
        text: open("text", &kept.text_sealed)?,
        answer: kept.answer_sealed.as_deref().map_or(Ok(String::new()), |sealed| open("answer", sealed))?,
        masked: false,
        ..objection(kept)?
    })
}

/// Where the money came from.
pub(crate) fn provenance(row: &Row, steps: Vec<Step>) -> Result<pb::Provenance, Refusal> {
    let steps = steps.into_iter().map(|step| {
        Ok(pb::ProvenanceStep {
            entry: optional(&row.town, "entries", Some(step.entry)),
            kind: step.kind,
            book_date: date(Some(&step.booked_on))?,
            amount: Some(to_money(step.amount)),
            from_account: optional(&row.town, "accounts", Some(step.from)),
            to_account: optional(&row.town, "accounts", Some(step.to)),
            subject: step.subject,
            description: step.description,
        })
    });
    Ok(pb::Provenance {
        source: earmark(&row.town, row.earmark.as_deref()),
        steps: steps.collect::<Result<_, Refusal>>()?,
    })
}
