//! Answers on the wire.

use chassis::{amount::to_money, refusal::Refusal, wire};
use contracts::linli::insurance::v1 as pb;
use jiff::civil::Date;
use kernel::{money::Fen, name::TownName, state::Named};

use super::{
    rules::{self, Legs},
    store::{LossRatio, Rejections, Unclaimed},
};
use crate::{adjudication::Rule, claim::rules::State, policy::store::day};

/// The name of something of a town; empty for nothing.
pub(super) fn named(town: &TownName, kind: &str, id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("{town}/{kind}/{id}") }
}

/// A count of the rules on the wire.
fn count(many: u64) -> i64 {
    i64::try_from(many).unwrap_or(i64::MAX)
}

pub(super) fn loss_ratio(town: &TownName, row: &LossRatio) -> Result<pb::LossRatio, Refusal> {
    Ok(pb::LossRatio {
        policy: named(town, "policies", &row.policy),
        policy_number: row.number.clone(),
        programme: named(town, "programmes", &row.programme),
        insurer: named(town, "organisations", &row.insurer),
        start_date: Some(wire::to_date(day(&row.starts)?)),
        end_date: Some(wire::to_date(day(&row.ends)?)),
        premium_amount: Some(to_money(Fen::of(row.premium_fen))),
        approved_amount: Some(to_money(Fen::of(row.approved_fen))),
        paid_amount: Some(to_money(Fen::of(row.paid_fen))),
        open_amount: Some(to_money(Fen::of(row.open_fen))),
        approved_claims: row.approved,
        rejected_claims: row.rejected,
        undecided_claims: row.undecided,
        paid_ratio_ppm: rules::ratio_ppm(row.paid_fen, row.premium_fen),
        approved_ratio_ppm: rules::ratio_ppm(row.approved_fen, row.premium_fen),
    })
}

pub(super) fn leg(state: State, legs: &Legs) -> pb::LegDuration {
    let at = |histogram: &rules::Histogram, percent| histogram.percentile(percent).unwrap_or_default();
    let named = pb::ClaimState::from_str_name(&format!("CLAIM_STATE_{}", state.name()));
    pb::LegDuration {
        state: named.unwrap_or_default().into(),
        count: count(legs.days.total()),
        median_days: at(&legs.days, 50),
        p90_days: at(&legs.days, 90),
        median_working_days: at(&legs.working_days, 50),
        p90_working_days: at(&legs.working_days, 90),
        term_count: count(legs.with_term),
        over_term_count: count(legs.over_term),
        over_term_ppm: rules::ratio_ppm(count(legs.over_term), count(legs.with_term)),
    }
}

/// What rejects, with the `days` of the events and the filter that was asked with.
pub(super) fn rejection(
    town: &TownName,
    row: &Rejections,
    (from, to): (Date, Date),
    filter: &str,
) -> pb::RejectionReason {
    let whole = row.programme.is_empty();
    let its = format!(
        "outcome = REJECTED AND rule = {} AND happen_date >= {from} AND happen_date < {to}",
        row.rule
    );
    let claims_filter = match (whole, filter.trim()) {
        (false, _) => String::new(),
        (true, "") => its,
        (true, filter) => format!("{its} AND ({filter})"),
    };
    pb::RejectionReason {
        programme: named(town, "programmes", &row.programme),
        rule: row.rule.clone(),
        clause: Rule::from_name(&row.rule).map(Rule::clause).unwrap_or_default().to_owned(),
        claims: row.claims,
        claimed_amount: Some(to_money(Fen::of(row.claimed_fen))),
        claims_filter,
    }
}

pub(super) fn unclaimed(
    town: &TownName,
    row: &Unclaimed,
    today: Date,
) -> Result<pb::UnclaimedCount, Refusal> {
    let [verified, oldest] = row.oldest.as_slice() else {
        return Err(Refusal::internal(format!("the oldest of {}", row.committee)));
    };
    let verified = day(verified)?;
    Ok(pb::UnclaimedCount {
        committee: named(town, "committees", &row.committee),
        count: row.many,
        unvisited_count: row.unvisited,
        overdue_visit_count: row.overdue,
        oldest_incident: named(town, "incidents", oldest),
        oldest_verify_date: Some(wire::to_date(verified)),
        waiting_days: rules::days(verified, today),
    })
}
