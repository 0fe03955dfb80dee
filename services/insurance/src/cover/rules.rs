//! Whether an event is covered, under each programme. Pure: over the cover rules of adjudication, by who lived where and what place it
//! met. The reporting term and documents are a claim's affair.

use jiff::civil::Date;
use kernel::money::Fen;

use crate::{
    adjudication::{Cover, Dwelling, Facts, Rule, Step, caps::Caps, covers},
    policy::store::covering::Covering,
    terms::{Benefit, InsuredBy, Object, Residence},
};

/// Whom and what an event met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    /// The residences of the person on the day; `None` when nobody is named.
    pub(crate) residences: Option<Vec<Residence>>,
    /// The dwelling; `None` when none is named.
    pub(crate) dwelling: Option<Dwelling>,
    /// Whether it happened in a public area of an estate of the town.
    pub(crate) in_estate: bool,
}

impl Met {
    /// The facts of an event of which nothing but whom and what it met is known: reported in time, with its documents.
    fn facts(&self, day: Date) -> Facts {
        Facts {
            event_on: day,
            reported_on: day,
            assessed: Fen::ZERO,
            grade: None,
            residences: self.residences.clone().unwrap_or_default(),
            dwelling: self.dwelling,
            in_place: self.in_estate,
            documents_complete: true,
            fixed_before: Fen::ZERO,
        }
    }
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

/// Whether a dwelling alone is asked about: it is insured for whoever lives in it.
fn is_dwelling_alone(met: &Met, benefit: &Benefit) -> bool {
    met.residences.is_none() && benefit.object == Object::Dwelling && met.dwelling == Some(Dwelling::There)
}

/// What a programme says of an event of `peril` on `day`.
pub(crate) fn judge(met: &Met, day: Date, peril: &str, covering: &Covering) -> Line {
    let benefit = covering.terms.benefit(peril);
    let alone = benefit.filter(|benefit| is_dwelling_alone(met, benefit));
    let alone = alone.map(|benefit| Benefit { insured_by: InsuredBy::Place, ..benefit.clone() });
    let facts = met.facts(day);
    let cover = Cover {
        rank: covering.rank,
        from: covering.from,
        to: covering.to,
        terms: &covering.terms,
        benefit: alone.as_ref().or(benefit),
        caps: Caps::default(),
    };
    let (rule, trace) = covers(&facts, &cover);
    // the report is a claim's affair
    let steps = trace.steps().iter().filter(|step| step.rule != Rule::ReportedInTime).copied().collect();
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
