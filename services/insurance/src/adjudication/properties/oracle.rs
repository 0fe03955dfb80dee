//! The rules read again, slowly and in exact fractions: programmes by rank, the first that fails of what must hold, the benefit rounded
//! half up to the fen once, the least that any limit leaves.

use super::{
    super::*,
    worlds::{Programme, World},
};

/// A fraction of fen that is never below zero.
#[derive(Clone, Copy)]
struct Exact {
    over: i128,
    under: i128,
}

impl Exact {
    fn whole(fen: i128) -> Exact {
        Exact { over: fen, under: 1 }
    }

    fn times(self, share: Ppm) -> Exact {
        Exact { over: self.over * i128::from(share.parts()), under: self.under * 1_000_000 }
    }

    /// The nearest fen, the higher one of two.
    fn fen(self) -> i128 {
        let down = self.over / self.under;
        if (self.over - down * self.under) * 2 >= self.under { down + 1 } else { down }
    }
}

/// What a line comes to.
pub(super) struct ToldLine {
    pub(super) outcome: Outcome,
    pub(super) rule: Option<Rule>,
    pub(super) seen: i128,
    pub(super) covered: i128,
    pub(super) approved: i128,
}

/// What a claim comes to.
pub(super) struct Told {
    pub(super) outcome: Outcome,
    pub(super) rule: Option<Rule>,
    pub(super) approved: i128,
    pub(super) lines: Vec<ToldLine>,
}

fn fen(amount: Fen) -> i128 {
    i128::from(amount.fen())
}

/// Whole days from one day to another.
fn apart(from: Date, to: Date) -> i64 {
    i64::from(from.until(to).unwrap().get_days())
}

/// The rules that refuse whatever the loss, in their order, each with whether it does.
fn refusals(facts: &Facts, programme: &Programme, benefit: &Benefit) -> Vec<(bool, Rule)> {
    let insured: Vec<&Residence> = facts
        .residences
        .iter()
        .filter(|residence| programme.terms.grounds.contains(&residence.ground))
        .collect();
    let waiting = i64::from(benefit.waiting_days);
    let long_enough = insured.iter().any(|residence| apart(residence.since, facts.event_on) >= waiting);
    let resident = benefit.insured_by == InsuredBy::Residence;
    let dwelling = if benefit.object == Object::Dwelling { facts.dwelling } else { None };
    let late = apart(facts.event_on, facts.reported_on) > i64::from(programme.terms.report_within_days);
    let graded = match benefit.form {
        Form::ByGrade { .. } => facts.grade.is_some_and(|grade| (1..=10).contains(&grade)),
        Form::Fixed(_) | Form::Loss { .. } => true,
    };
    vec![
        (facts.event_on < programme.from, Rule::EventBeforePolicy),
        (facts.event_on >= programme.to, Rule::EventAfterPolicy),
        (resident && dwelling == Some(Dwelling::Absent), Rule::NotInPlace),
        (resident && facts.residences.is_empty(), Rule::NotResidentOnDay),
        (dwelling == Some(Dwelling::OfOthers), Rule::NotInDwelling),
        (resident && insured.is_empty(), Rule::GroundNotCovered),
        (resident && !long_enough, Rule::WithinWaitingDays),
        (!resident && dwelling != Some(Dwelling::There) && !facts.in_place, Rule::NotInPlace),
        (late, Rule::ReportedLate),
        (!facts.documents_complete, Rule::DocumentsMissing),
        (!graded, Rule::GradeMissing),
    ]
}

/// What a programme pays of a loss of which `loss` is left, when `fixed` was paid in fixed benefits.
fn line(facts: &Facts, programme: &Programme, loss: i128, fixed: i128) -> ToldLine {
    let nothing = |outcome, rule| ToldLine { outcome, rule: Some(rule), seen: loss, covered: 0, approved: 0 };
    let Some(benefit) = programme.benefit() else {
        return nothing(Outcome::NotCovered, Rule::PerilNotCovered);
    };
    if let Some((_, rule)) = refusals(facts, programme, benefit).into_iter().find(|(fails, _)| *fails) {
        return nothing(Outcome::Rejected, rule);
    }
    let covered = match benefit.form {
        Form::Fixed(sum) => (fen(sum) - fixed).max(0),
        Form::ByGrade { sum, parts } => {
            let share = parts[usize::from(facts.grade.unwrap()) - 1];
            (Exact::whole(fen(sum)).times(share).fen() - fixed).max(0)
        }
        Form::Loss { deductible, share } => Exact::whole((loss - fen(deductible)).max(0)).times(share).fen(),
    };
    let limits = [
        benefit.limit_person_year,
        benefit.limit_household_year,
        benefit.limit_event,
        programme.terms.limit_person_year,
        programme.terms.limit_household_year,
        programme.terms.limit_event,
        programme.terms.limit_year,
    ];
    let left =
        limits.iter().zip(programme.used).filter_map(|(limit, used)| Some(fen((*limit)?) - i128::from(used)));
    let approved = left.fold(covered, i128::min).max(0);
    let (outcome, rule) = match (approved, covered) {
        (1.., _) => (Outcome::Approved, None),
        (_, 1..) => (Outcome::Rejected, Some(Rule::CapExhausted)),
        _ => (Outcome::Rejected, Some(Rule::NothingLeft)),
    };
    ToldLine { outcome, rule, seen: loss, covered, approved }
}

/// What a claim comes to under its programmes.
pub(super) fn oracle(world: &World) -> Told {
    let (mut loss, mut fixed) = (fen(world.facts.assessed), fen(world.facts.fixed_before));
    let mut lines: Vec<ToldLine> = Vec::new();
    for programme in super::ranked(world) {
        let line = line(&world.facts, programme, loss, fixed);
        if super::is_loss(programme) {
            loss -= line.approved;
        } else {
            fixed += line.approved;
        }
        lines.push(line);
    }
    let approved: i128 = lines.iter().map(|line| line.approved).sum();
    let refused = lines.iter().find(|line| line.outcome == Outcome::Rejected).and_then(|line| line.rule);
    let why = lines.iter().filter(|line| line.outcome == Outcome::Rejected).filter_map(|line| line.rule);
    let short = why.into_iter().find(|rule| *rule != Rule::NothingLeft);
    let (outcome, rule) = match (approved > 0, short) {
        (true, None) => (Outcome::Approved, None),
        (true, Some(rule)) => (Outcome::InPart, Some(rule)),
        (false, _) => (Outcome::Rejected, refused.or(Some(Rule::PerilNotCovered))),
    };
    Told { outcome, rule, approved, lines }
}
