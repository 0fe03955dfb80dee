//! Whether an event is covered, under each programme. Pure: over the cover rules of adjudication, by who lived where and what place it
//! met. The reporting term and documents are a claim's affair.

use jiff::civil::Date;
use kernel::money::Fen;

use crate::{
    adjudication::{Cover, Facts, Rule, Step, caps::Caps, covers, days},
    policy::store::covering::Covering,
    terms::{Benefit, InsuredBy, Object, Residence},
};

/// A dwelling on the day of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dwelling {
    /// It wasn't there.
    Absent,
    /// The person who is named didn't live in it.
    OfOthers,
    /// It was there, and he lived in it when one is named.
    There,
}

/// Whom and what an event met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Met {
    /// The residences of the person on the day; `None` when nobody is named.
    pub(crate) residences: Option<Vec<Residence>>,
    /// The dwelling; `None` when none is named.
    pub(crate) dwelling: Option<Dwelling>,
    /// Whether it happened in a public area of an estate of the town.
    pub(crate) in_estate: bool,
}

/// What one programme says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The programme's id.
    pub(crate) programme: String,
    /// Its name.
    pub(crate) title: String,
    /// The policy's id.
    pub(crate) policy: String,
    /// The version of the policy.
    pub(crate) version: i32,
    /// The rank of the programme.
    pub(crate) rank: i32,
    /// The rule that says no; `None` when it is covered.
    pub(crate) rule: Option<Rule>,
    /// The steps that were taken.
    pub(crate) steps: Vec<Step>,
}

/// What makes an event somebody's cover under a benefit.
enum Basis {
    /// These residences count.
    Residences(Vec<Residence>),
    /// The place itself counts.
    Place,
    /// It isn't covered, by this rule.
    No(Rule),
}

fn basis(met: &Met, benefit: &Benefit) -> Basis {
    let lived = || Basis::Residences(met.residences.clone().unwrap_or_default());
    match (benefit.insured_by, benefit.object, met.dwelling) {
        (InsuredBy::Place, Object::Dwelling, Some(Dwelling::There)) => Basis::Place,
        (InsuredBy::Place, Object::Dwelling, Some(Dwelling::OfOthers)) => Basis::No(Rule::NotInDwelling),
        (InsuredBy::Place, _, _) if met.in_estate => Basis::Place,
        (InsuredBy::Place, _, _) => Basis::No(Rule::NotInPlace),
        (InsuredBy::Residence, Object::Dwelling, Some(Dwelling::Absent)) => Basis::No(Rule::NotInPlace),
        (InsuredBy::Residence, Object::Dwelling, Some(Dwelling::OfOthers)) if !lives(met) => lived(),
        (InsuredBy::Residence, Object::Dwelling, Some(Dwelling::OfOthers)) => Basis::No(Rule::NotInDwelling),
        // a dwelling of the town, whoever lives in it
        (InsuredBy::Residence, Object::Dwelling, Some(Dwelling::There)) if met.residences.is_none() => {
            Basis::Place
        }
        (InsuredBy::Residence, _, _) => lived(),
    }
}

/// Whether the person lived in the town at all.
fn lives(met: &Met) -> bool {
    met.residences.as_ref().is_some_and(|all| !all.is_empty())
}

/// What a programme says of an event of `peril` on `day`.
pub(crate) fn judge(met: &Met, day: Date, peril: &str, covering: &Covering) -> Line {
    let benefit = covering.terms.benefit(peril);
    let basis = benefit.map(|benefit| basis(met, benefit));
    let (residences, insured_by) = match &basis {
        Some(Basis::Residences(all)) => (all.clone(), InsuredBy::Residence),
        Some(Basis::Place | Basis::No(_)) | None => (Vec::new(), InsuredBy::Place),
    };
    let seen = benefit.map(|benefit| Benefit { insured_by, ..benefit.clone() });
    let facts = Facts {
        event_on: day,
        reported_on: day,
        assessed: Fen::ZERO,
        grade: None,
        residences,
        in_place: true,
        documents_complete: true,
        fixed_before: Fen::ZERO,
    };
    let cover = Cover {
        rank: covering.rank,
        from: covering.from,
        to: covering.to,
        terms: &covering.terms,
        benefit: seen.as_ref(),
        caps: Caps::default(),
    };
    let (mut rule, trace) = covers(&facts, &cover);
    // the report is a claim's affair, and a place that isn't insured is not told as one
    let refused = matches!(basis, Some(Basis::No(_))) && rule.is_none();
    let told = |step: &&Step| step.rule != Rule::ReportedInTime && !(refused && step.rule == Rule::InPlace);
    let mut steps: Vec<Step> = trace.steps().iter().filter(told).copied().collect();
    if let (Some(Basis::No(no)), None) = (&basis, rule) {
        steps.push(Step { rule: *no, input: i64::from(days(day)), effect: 0 });
        rule = Some(*no);
    }
    Line {
        programme: covering.programme.clone(),
        title: covering.title.clone(),
        policy: covering.policy.clone(),
        version: covering.version,
        rank: covering.rank,
        rule,
        steps,
    }
}

/// What all programmes say, in the order in which they pay.
pub(crate) fn judge_all(met: &Met, day: Date, peril: &str, coverings: &[Covering]) -> Vec<Line> {
    let mut lines: Vec<Line> = coverings.iter().map(|one| judge(met, day, peril, one)).collect();
    lines.sort_by(|one, other| (one.rank, &one.programme).cmp(&(other.rank, &other.programme)));
    lines
}

/// Whether some programme covers it.
pub(crate) fn is_covered(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.rule.is_none())
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
