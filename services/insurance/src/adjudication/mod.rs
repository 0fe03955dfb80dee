//! Adjudication 核赔: what each programme pays of one claim. Pure and deterministic: the same facts give the same decision, to the fen,
//! with a trace of codes and numbers whose words are rendered later (`words.rs`).
//!
//! Programmes are asked in the order of their ranks. The first pays by its own deductible, share and limits; the next sees what is left
//! of the loss. Fixed benefits aren't losses; of several for one person and event, the highest is paid.

pub mod caps;
#[cfg(test)]
mod expected;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod trace;
pub mod words;

use jiff::civil::Date;
use kernel::{
    money::{Fen, Ppm},
    named,
};

use crate::terms::{Benefit, Form, InsuredBy, Object, Residence, Terms};
pub use caps::{Cap, Caps};
pub use trace::{Rule, Step, Trace};

named! {
    /// What came of a claim, or of its line under one programme.
    pub Outcome {
        /// It pays 赔付.
        Approved = "APPROVED",
        /// Some programme pays, and another one that covers the peril doesn't 部分赔付.
        InPart = "IN_PART",
        /// Nothing is paid 拒赔.
        Rejected = "REJECTED",
        /// A line alone: the programme doesn't know the peril 不属保障责任.
        NotCovered = "NOT_COVERED",
    }
}

named! {
    /// A dwelling on the day of an event that met it.
    pub Dwelling {
        /// It wasn't there.
        Absent = "ABSENT",
        /// The insured didn't live in it.
        OfOthers = "OF_OTHERS",
        /// It was there, and he lived in it.
        There = "THERE",
    }
}

/// What is known of the loss, once for all programmes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The day of the event.
    pub event_on: Date,
    /// The day of the report.
    pub reported_on: Date,
    /// The loss as it was assessed 定损; nothing where the benefit is fixed.
    pub assessed: Fen,
    /// The grade of disability, 1 to 10.
    pub grade: Option<u8>,
    /// Where the insured lived on the day of the event: one row for each ground.
    pub residences: Vec<Residence>,
    /// The dwelling that the event met 房屋; nothing where none is named.
    pub dwelling: Option<Dwelling>,
    /// Whether it happened in a place of the town that policies insure 场所, such as the public area of an estate.
    pub in_place: bool,
    /// Whether the documents that the peril asks for are there.
    pub documents_complete: bool,
    /// What was paid in fixed benefits before, to this person for this event, over all programmes.
    pub fixed_before: Fen,
}

/// A programme's policy as the claim meets it.
#[derive(Clone, Copy, Debug)]
pub struct Cover<'a> {
    /// The rank of the programme: lower pays first.
    pub rank: i32,
    /// The first day of the policy.
    pub from: Date,
    /// The first day no longer.
    pub to: Date,
    /// What the version in force on the day of the event promises.
    pub terms: &'a Terms,
    /// The benefit of the peril, when there is one.
    pub benefit: Option<&'a Benefit>,
    /// What limits it, with what was used before.
    pub caps: Caps,
}

/// What one programme pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What came of it: APPROVED, REJECTED, NOT_COVERED.
    pub outcome: Outcome,
    /// The rule that decided, where it pays nothing.
    pub rule: Option<Rule>,
    /// The loss as this programme sees it: what those before it left.
    pub seen: Fen,
    /// The benefit before limits.
    pub covered: Fen,
    /// The benefit.
    pub approved: Fen,
    /// How it came about.
    pub trace: Trace,
}

/// What all programmes pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What came of the claim.
    pub outcome: Outcome,
    /// The rule that decided, where some programme that covers the peril pays nothing, or all pay nothing.
    pub rule: Option<Rule>,
    /// The sum of the lines.
    pub approved: Fen,
    /// One line for each cover, in the order of ranks.
    pub lines: Vec<Line>,
}

/// Adjudicates a claim under `covers`, whatever their order.
pub fn adjudicate(facts: &Facts, covers: &mut [Cover<'_>]) -> Decision {
    covers.sort_by_key(|cover| cover.rank);
    let (mut left, mut fixed) = (facts.assessed, facts.fixed_before);
    let mut lines = Vec::with_capacity(covers.len());
    for cover in covers.iter() {
        let line = line(facts, cover, left, fixed);
        match cover.benefit {
            Some(benefit) if benefit.form.is_loss() => left = floor(left, line.approved),
            _ => fixed = add(fixed, line.approved),
        }
        lines.push(line);
    }
    let approved = lines.iter().fold(Fen::ZERO, |sum, line| add(sum, line.approved));
    let refused = lines.iter().find(|line| line.outcome == Outcome::Rejected);
    // where the programmes before left nothing of the loss, nothing is refused by those behind
    let short =
        lines.iter().find(|line| line.outcome == Outcome::Rejected && line.rule != Some(Rule::NothingLeft));
    let outcome = match (approved > Fen::ZERO, short) {
        (true, None) => Outcome::Approved,
        (true, Some(_)) => Outcome::InPart,
        (false, _) => Outcome::Rejected,
    };
    let rule = match outcome {
        Outcome::Approved => None,
        Outcome::InPart => short.and_then(|line| line.rule),
        _ => refused.or(lines.first()).and_then(|line| line.rule).or(Some(Rule::PerilNotCovered)),
    };
    Decision { outcome, rule, approved, lines }
}

/// The sum of a fixed benefit before limits; nothing for a share of a loss, or where the grade isn't known.
pub fn fixed_sum(benefit: &Benefit, grade: Option<u8>) -> Option<Fen> {
    match benefit.form {
        Form::Fixed(sum) => Some(sum),
        Form::ByGrade { sum, parts } => {
            let grade = usize::from(grade?).checked_sub(1)?;
            parts.get(grade).map(|share| part(sum, *share))
        }
        Form::Loss { .. } => None,
    }
}

/// Whether a policy covers an event at all, whatever the loss: the rule that says no, and the steps that were taken.
pub fn covers(facts: &Facts, cover: &Cover<'_>) -> (Option<Rule>, Trace) {
    let mut trace = Trace::default();
    let Some(benefit) = cover.benefit else {
        trace.push(Rule::PerilNotCovered, 0, 0);
        return (Some(Rule::PerilNotCovered), trace);
    };
    match covered(facts, cover, benefit, &mut trace) {
        Ok(()) => (None, trace),
        Err((rule, input, effect)) => {
            trace.push(rule, input, effect);
            (Some(rule), trace)
        }
    }
}

/// Amounts of a decision never leave 64 bits: each is at most a loss or a sum insured, and those are bounded when they are written.
fn add(one: Fen, other: Fen) -> Fen {
    Fen::of(one.fen().saturating_add(other.fen()))
}

fn floor(from: Fen, less: Fen) -> Fen {
    Fen::of(from.fen().saturating_sub(less.fen()).max(0))
}

/// Half up to the fen, once.
fn part(amount: Fen, share: Ppm) -> Fen {
    amount.checked_rate(share).unwrap_or(Fen::ZERO)
}

fn line(facts: &Facts, cover: &Cover<'_>, seen: Fen, fixed: Fen) -> Line {
    let mut trace = Trace::default();
    let refused = |rule: Rule, outcome, mut trace: Trace, a: i64, b: i64| {
        trace.push(rule, a, b);
        Line { outcome, rule: Some(rule), seen, covered: Fen::ZERO, approved: Fen::ZERO, trace }
    };
    let Some(benefit) = cover.benefit else {
        return refused(Rule::PerilNotCovered, Outcome::NotCovered, trace, 0, 0);
    };
    if let Err((rule, a, b)) = covered(facts, cover, benefit, &mut trace) {
        return refused(rule, Outcome::Rejected, trace, a, b);
    }
    let due = match due(facts, benefit, seen, fixed, &mut trace) {
        Ok(due) => due,
        Err((rule, a, b)) => return refused(rule, Outcome::Rejected, trace, a, b),
    };
    let (approved, exhausted) = cover.caps.cut(due, &mut trace);
    let (outcome, rule) = match (approved > Fen::ZERO, exhausted) {
        (true, _) => (Outcome::Approved, None),
        (false, true) => (Outcome::Rejected, Some(Rule::CapExhausted)),
        (false, false) => (Outcome::Rejected, Some(Rule::NothingLeft)),
    };
    trace.push(rule.unwrap_or(Rule::Approved), due.fen(), approved.fen());
    Line { outcome, rule, seen, covered: due, approved, trace }
}

type Refused = (Rule, i64, i64);

/// Whether the policy covers the event: period, residence, waiting days, report, documents; the first that fails decides.
fn covered(facts: &Facts, cover: &Cover<'_>, benefit: &Benefit, trace: &mut Trace) -> Result<(), Refused> {
    let day = facts.event_on;
    let number = |day: Date| i64::from(days(day));
    if day < cover.from {
        return Err((Rule::EventBeforePolicy, number(day), number(cover.from)));
    }
    if day >= cover.to {
        return Err((Rule::EventAfterPolicy, number(day), number(cover.to)));
    }
    trace.push(Rule::InPeriod, number(day), number(cover.to));
    match benefit.insured_by {
        InsuredBy::Residence => resident(facts, cover, benefit, trace)?,
        InsuredBy::Place => placed(facts, benefit, trace)?,
    }
    let (late, term) =
        (i64::from(days(facts.reported_on) - days(day)), i64::from(cover.terms.report_within_days));
    if late > term {
        return Err((Rule::ReportedLate, late, term));
    }
    trace.push(Rule::ReportedInTime, late, term);
    if !facts.documents_complete {
        return Err((Rule::DocumentsMissing, 0, 0));
    }
    Ok(())
}

/// The dwelling, where the benefit is about one.
fn dwelling(facts: &Facts, benefit: &Benefit) -> Option<Dwelling> {
    facts.dwelling.filter(|_| benefit.object == Object::Dwelling)
}

/// What is insured is the place: the dwelling for those who live in it, else the public area of an estate.
fn placed(facts: &Facts, benefit: &Benefit, trace: &mut Trace) -> Result<(), Refused> {
    let day = i64::from(days(facts.event_on));
    match dwelling(facts, benefit) {
        Some(Dwelling::OfOthers) => return Err((Rule::NotInDwelling, day, 0)),
        Some(Dwelling::There) => {}
        Some(Dwelling::Absent) | None if facts.in_place => {}
        Some(Dwelling::Absent) | None => return Err((Rule::NotInPlace, day, 0)),
    }
    trace.push(Rule::InPlace, day, 0);
    Ok(())
}

/// Who is insured is a resident: of a dwelling, in it.
fn resident(facts: &Facts, cover: &Cover<'_>, benefit: &Benefit, trace: &mut Trace) -> Result<(), Refused> {
    let day = days(facts.event_on);
    let dwelling = dwelling(facts, benefit);
    if dwelling == Some(Dwelling::Absent) {
        return Err((Rule::NotInPlace, i64::from(day), 0));
    }
    if facts.residences.is_empty() {
        return Err((Rule::NotResidentOnDay, i64::from(day), 0));
    }
    if dwelling == Some(Dwelling::OfOthers) {
        return Err((Rule::NotInDwelling, i64::from(day), 0));
    }
    let insured = facts.residences.iter().filter(|residence| cover.terms.grounds.contains(&residence.ground));
    let Some(since) = insured.map(|residence| days(residence.since)).min() else {
        return Err((Rule::GroundNotCovered, i64::from(day), 0));
    };
    let (lived, waiting) = (i64::from(day - since), i64::from(benefit.waiting_days));
    if lived < waiting {
        return Err((Rule::WithinWaitingDays, lived, waiting));
    }
    trace.push(Rule::ResidentOnDay, i64::from(day), i64::from(since));
    Ok(())
}

/// The benefit before limits.
fn due(facts: &Facts, benefit: &Benefit, seen: Fen, fixed: Fen, trace: &mut Trace) -> Result<Fen, Refused> {
    let highest = |sum: Fen, trace: &mut Trace| {
        if fixed > Fen::ZERO {
            trace.push(Rule::HighestFixed, fixed.fen(), floor(sum, fixed).fen());
        }
        floor(sum, fixed)
    };
    match benefit.form {
        Form::Fixed(sum) => {
            trace.push(Rule::FixedSum, sum.fen(), sum.fen());
            Ok(highest(sum, trace))
        }
        Form::ByGrade { sum, parts } => {
            let grade = facts.grade.and_then(|grade| usize::from(grade).checked_sub(1));
            let Some(share) = grade.and_then(|grade| parts.get(grade)) else {
                return Err((Rule::GradeMissing, 0, 0));
            };
            let due = part(sum, *share);
            trace.push(Rule::GradeShare, share.parts(), due.fen());
            Ok(highest(due, trace))
        }
        Form::Loss { deductible, share } => {
            if seen < facts.assessed {
                trace.push(Rule::LeftOfLoss, facts.assessed.fen(), seen.fen());
            }
            // no policy bears more of a loss than the sum that it insures
            let borne = benefit.sum_insured.map_or(seen, |sum| seen.min(sum));
            let above = floor(borne, deductible);
            trace.push(Rule::Deductible, deductible.fen(), above.fen());
            let due = part(above, share);
            trace.push(Rule::Share, share.parts(), due.fen());
            Ok(due)
        }
    }
}

/// Days since the first of January 1970, as traces keep a date.
pub fn days(day: Date) -> i32 {
    const FIRST: Date = Date::constant(1970, 1, 1);
    let span = day.duration_since(FIRST).as_secs() / 86_400;
    i32::try_from(span).unwrap_or(i32::MAX)
}
