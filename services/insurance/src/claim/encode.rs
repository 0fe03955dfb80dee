//! Claims on the wire.

use chassis::{
    actor::Actor, amount::to_money, call::Call, identity::Scope, refusal::Refusal, state::available_unless,
    vault::Vault, wire,
};
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::{etag::Etag, money::Fen, state::Named};
use sqlx::PgConnection;

use super::{
    paid,
    rules::{self, Facts, TABLE, Verb},
    settings, sight, snapshot, spoken,
    store::{self, Beneficiary, Decision, Line, Objection, Payment, Row, day},
};
use crate::{adjudication::words::words, document};

type Money = Option<contracts::google::r#type::Money>;

fn money(fen: Option<i64>) -> Money {
    fen.map(|fen| to_money(Fen::of(fen)))
}

fn date(text: Option<&str>) -> Result<Option<contracts::google::r#type::Date>, Refusal> {
    Ok(text.map(day).transpose()?.map(wire::to_date))
}

fn named(town: &str, kind: &str, id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("towns/{town}/{kind}/{id}") }
}

fn outcome(text: Option<&str>) -> i32 {
    let outcome = text.and_then(|text| pb::ClaimOutcome::from_str_name(&format!("CLAIM_OUTCOME_{text}")));
    outcome.unwrap_or_default().into()
}

/// A claim with its payee masked, without what stands in other tables.
pub(crate) fn claim(row: &Row, vault: &Vault) -> Result<pb::Claim, Refusal> {
    let town = &row.town;
    let signed = |by: &Option<String>| by.clone().unwrap_or_default();
    Ok(pb::Claim {
        name: row.name(),
        number: row.number.clone(),
        incident: format!("towns/{town}/incidents/{}", row.incident),
        insured: named(town, "people", &row.insured),
        claimant: named(town, "people", &row.claimant),
        household: named(town, "households", &row.household),
        claimed_amount: money(row.claimed_fen),
        report_date: date(Some(&row.reported_on))?,
        payee: Some(row.payee(vault)?.masked()),
        state: pb::ClaimState::from_str_name(&format!("CLAIM_STATE_{}", row.state))
            .unwrap_or_default()
            .into(),
        peril: row.peril.clone(),
        happen_date: date(Some(&row.happened_on))?,
        place: row.place.clone(),
        committee: named(town, "committees", &row.committee),
        insurers: row.insurers.iter().map(|id| named(town, "organisations", id)).collect(),
        assessed_amount: money(row.assessed_fen),
        disability_grade: row.grade.unwrap_or_default(),
        outcome: outcome(row.outcome.as_deref()),
        rule: row.rule.clone().unwrap_or_default(),
        approved_amount: money(row.decision.map(|_| row.approved_fen)),
        paid_amount: money(row.decision.map(|_| row.paid_fen)),
        notice_end_date: date(row.notice_ends.as_deref())?,
        appeal_end_date: date(row.appeal_ends.as_deref())?,
        appealed: row.appealed,
        open_objections: row.open_objections,
        requested_documents: row.requested_kinds.clone(),
        reporter: row.reported_by.clone(),
        surveyor: signed(&row.surveyed_by),
        assessor: signed(&row.assessed_by),
        adjudicator: signed(&row.adjudicated_by),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        ..Default::default()
    })
}

fn beneficiary(town: &str, one: &Beneficiary) -> pb::Beneficiary {
    pb::Beneficiary {
        person: named(town, "people", &one.person),
        share_ppm: one.share_ppm,
        relation: one.relation.clone(),
    }
}

/// For whom it waits today.
fn waiting(row: &Row, facts: &Facts, today: Date) -> Result<Option<pb::ClaimWaiting>, Refusal> {
    let Some((role, verb)) = rules::waiting(facts, today) else { return Ok(None) };
    let due = row.due.as_deref().map(day).transpose()?;
    // the residents have until the notice is over; what follows it has a term of its own
    let shown = if verb == Verb::Object { facts.notice_ends } else { due };
    Ok(Some(pb::ClaimWaiting {
        role: role.to_owned(),
        verb: verb.name().to_owned(),
        since_date: date(Some(&row.since))?,
        due_date: shown.map(wire::to_date),
        provisional: row.due_provisional,
        overdue_days: shown.map_or(0, |due| (today - due).get_days()).max(0),
    }))
}

/// A payment or a reversal.
fn payment(town: &str, all: &[Payment], one: &Payment) -> Result<pb::ClaimPayment, Refusal> {
    Ok(pb::ClaimPayment {
        number: one.n,
        programme: named(town, "programmes", &one.programme),
        insurer: named(town, "organisations", &one.insurer),
        decision: one.decision,
        amount: money(Some(one.amount_fen)),
        pay_date: date(Some(&one.paid_on))?,
        payment_reference: one.reference.clone(),
        recorder: one.recorded_by.clone(),
        confirm_date: date(one.confirmed_on.as_deref())?,
        reverses: one.reverses.unwrap_or_default(),
        reversed_by: paid::reversed_by(all, one.n).unwrap_or_default(),
    })
}

/// A line with the `payments` of its claim that are shown with it.
fn line(town: &str, line: &Line, payments: &[Payment]) -> Result<pb::ClaimLine, Refusal> {
    let payment = paid::standing(payments).filter(|one| one.programme == line.programme).last();
    let trace = snapshot::trace_of(&line.trace).into_iter().map(|step| {
        let said = words(step);
        pb::TraceStep {
            rule: step.rule.name().to_owned(),
            input: step.input,
            effect: step.effect,
            clause: step.rule.clause().to_owned(),
            text_zh: said.zh,
            text_en: said.en,
        }
    });
    Ok(pb::ClaimLine {
        programme: named(town, "programmes", &line.programme),
        policy: named(town, "policies", &line.policy),
        policy_version: line.version,
        insurer: named(town, "organisations", &line.insurer),
        outcome: outcome(Some(&line.outcome)),
        rule: line.rule.clone().unwrap_or_default(),
        claimed_amount: money(line.claimed_fen),
        assessed_amount: money(Some(line.seen_fen)),
        covered_amount: money(Some(line.covered_fen)),
        approved_amount: money(Some(line.approved_fen)),
        paid_amount: money(Some(paid::by_programme(payments, &line.programme).fen())),
        pay_date: date(payment.map(|payment| payment.paid_on.as_str()))?,
        payment_reference: payment.map(|payment| payment.reference.clone()).unwrap_or_default(),
        confirm_date: date(payment.and_then(|payment| payment.confirmed_on.as_deref()))?,
        trace: trace.collect(),
    })
}

fn decision(row: &Row, kept: &Decision, lines: Vec<pb::ClaimLine>) -> Result<pb::ClaimDecision, Refusal> {
    Ok(pb::ClaimDecision {
        number: kept.n,
        outcome: outcome(Some(&kept.outcome)),
        rule: kept.rule.clone().unwrap_or_default(),
        approved_amount: money(Some(kept.approved_fen)),
        assessed_amount: money(Some(kept.assessed_fen)),
        disability_grade: kept.grade.unwrap_or_default(),
        documents_complete: kept.documents_complete,
        decide_date: date(Some(&kept.decided_on))?,
        adjudicator: kept.decided_by.clone(),
        in_force: row.decision == Some(kept.n),
        lines,
    })
}

/// An objection without its words.
fn objection(kept: &Objection) -> Result<pb::ClaimObjection, Refusal> {
    let state = pb::ClaimObjectionState::from_str_name(&format!("CLAIM_OBJECTION_STATE_{}", kept.state));
    Ok(pb::ClaimObjection {
        id: kept.id.to_string(),
        state: state.unwrap_or_default().into(),
        text: String::new(),
        object_date: date(Some(&kept.objected_on))?,
        objector: kept.objected_by.clone(),
        answer: String::new(),
        answer_date: date(kept.answered_on.as_deref())?,
        answerer: kept.answered_by.clone().unwrap_or_default(),
        masked: true,
    })
}

/// An objection with its words, for who may see them, after the reading was kept.
pub(crate) fn revealed_objection(
    vault: &Vault,
    claim: &str,
    kept: &Objection,
) -> Result<pb::ClaimObjection, Refusal> {
    let open = |column: &str, sealed: &[u8]| vault.open_text(&place(claim, Some(kept.id), column), sealed);
    Ok(pb::ClaimObjection {
        text: open("text", &kept.text_sealed)?,
        answer: kept.answer_sealed.as_deref().map_or(Ok(String::new()), |sealed| open("answer", sealed))?,
        masked: false,
        ..objection(kept)?
    })
}

/// Where words of a claim, or of its objection, are sealed for.
pub(crate) fn place(claim: &str, objection: Option<uuid::Uuid>, column: &str) -> String {
    match objection {
        Some(id) => format!("{claim} objection {id} {column}"),
        None => format!("{claim} {column}"),
    }
}

async fn decisions(
    sql: &mut PgConnection,
    scope: &Scope,
    row: &Row,
    lines: &[Line],
    payments: &[Payment],
) -> Result<Vec<pb::ClaimDecision>, Refusal> {
    let kept = store::decisions(sql, &row.town, row.id).await?;
    let of = |kept: &Decision| {
        let own = lines.iter().filter(|one| one.decision == kept.n && sight::sees(scope, row, &one.insurer));
        // what is paid counts for the decision in force, by whichever one it was paid
        let paid = if row.decision == Some(kept.n) { payments } else { &[] };
        let told = own.clone().map(|one| line(&row.town, one, paid)).collect::<Result<_, _>>()?;
        let whole = decision(row, kept, told)?;
        if sight::sees_all(scope, row) {
            return Ok(whole);
        }
        let own = sight::Own::of(own);
        Ok(pb::ClaimDecision {
            outcome: outcome(own.outcome),
            rule: own.rule.unwrap_or_default(),
            approved_amount: money(Some(own.approved.fen())),
            ..whole
        })
    };
    kept.iter().map(of).collect()
}

async fn required(sql: &mut PgConnection, row: &Row) -> Result<Vec<pb::RequiredDocument>, Refusal> {
    let settings = settings::read(&mut *sql, &row.town).await?;
    let stored = document::kinds_stored(sql, &row.town, "CLAIM", row.id).await?;
    let kinds = settings.required(&row.peril);
    Ok(kinds
        .map(|kind| pb::RequiredDocument {
            kind: kind.to_owned(),
            stored: stored.iter().any(|has| has == kind),
        })
        .collect())
}

/// Who assessed, and after an appeal who decided, however long ago.
async fn earlier(sql: &mut PgConnection, row: &Row) -> Result<Vec<(&'static str, Actor)>, Refusal> {
    let assessors = store::assessors(&mut *sql, &row.town, row.id).await?;
    let mut all: Vec<_> = assessors.into_iter().map(|who| (Verb::Assess.name(), who)).collect();
    if row.appealed {
        let decisions = store::decisions(sql, &row.town, row.id).await?;
        let deciders = decisions.iter().map(|one| Actor::new(&one.decided_by, &one.decided_person));
        all.extend(deciders.map(|who| (Verb::Adjudicate.name(), who)));
    }
    Ok(all)
}

/// A claim with what stands in other tables and what the caller may do; without its timeline, which a step in progress isn't in yet.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn whole(
    sql: &mut PgConnection,
    vault: &Vault,
    call: &Call,
    row: &Row,
) -> Result<pb::Claim, Refusal> {
    let (who, today) = (Actor::of(call), call.today());
    let scope = call.scope(&row.town)?;
    let beneficiaries = store::beneficiaries(&mut *sql, &row.town, row.id).await?;
    let payments = store::payments(&mut *sql, &row.town, row.id).await?;
    let objections = store::objections(&mut *sql, &row.town, row.id).await?;
    let mut facts = row.facts(&beneficiaries, paid::unconfirmed(&payments))?;
    facts.earlier = earlier(&mut *sql, row).await?;
    let lines = match row.decision {
        None if facts.state == rules::State::Reported => Vec::new(),
        _ => store::lines(&mut *sql, &row.town, row.id).await?,
    };
    let (name, mut whole) = (row.name(), claim(&sight::own_row(&scope, row, &lines, &payments), vault)?);
    whole.beneficiaries = beneficiaries.iter().map(|one| beneficiary(&row.town, one)).collect();
    whole.decisions = decisions(&mut *sql, &scope, row, &lines, &payments).await?;
    let own = payments.iter().filter(|one| sight::sees(&scope, row, &one.insurer));
    whole.payments = own.map(|one| payment(&row.town, &payments, one)).collect::<Result<_, _>>()?;
    whole.objections = objections.iter().map(objection).collect::<Result<_, _>>()?;
    whole.required_documents = required(&mut *sql, row).await?;
    whole.waiting_for = waiting(row, &facts, today)?;
    if facts.state == rules::State::Reported {
        let twin = store::twin(&mut *sql, row).await?;
        whole.duplicate_of = twin.map(|id| format!("towns/{}/claims/{id}", row.town)).unwrap_or_default();
    }
    let hindered =
        |verb: Verb| facts.hindrance(verb, &who, today).map(|hindrance| spoken::told(&name, verb, hindrance));
    whole.available_actions =
        available_unless(&TABLE, facts.state, call, &row.town, |scope| sight::holds(scope, row), hindered);
    Ok(whole)
}
