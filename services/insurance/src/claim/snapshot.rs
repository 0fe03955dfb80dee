//! What a decision rests on, kept beside it: the same snapshot gives the same decision, today and in ten years. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::{money::Fen, state::Named};
use serde::{Deserialize, Serialize};

use crate::{
    adjudication::{Cap, Caps, Cover, Decision, Dwelling, Facts, Step, adjudicate},
    cover,
    terms::{Ground, Residence, Terms},
};

/// A residence of the insured on the day of the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Home {
    ground: String,
    since: Date,
}

/// A policy as the claim met it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Met {
    pub(crate) programme: String,
    pub(crate) policy: String,
    pub(crate) version: i32,
    pub(crate) insurer: String,
    pub(crate) rank: i32,
    pub(crate) from: Date,
    pub(crate) to: Date,
    /// What was drawn on each of its limits before, in fen.
    pub(crate) used: BTreeMap<String, i64>,
}

/// The facts of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) peril: String,
    pub(crate) event_on: Date,
    pub(crate) reported_on: Date,
    pub(crate) assessed_fen: i64,
    pub(crate) grade: Option<u8>,
    homes: Vec<Home>,
    /// The dwelling that it met, as governance had it: whether it was there, and whether the insured lived in it.
    #[serde(default)]
    dwelling: Option<String>,
    /// Whether it happened in an insured place.
    pub(crate) in_place: bool,
    pub(crate) documents_complete: bool,
    /// Fixed benefits that were paid before to the person for the event.
    pub(crate) fixed_before_fen: i64,
    pub(crate) met: Vec<Met>,
}

impl Snapshot {
    /// The facts of a claim, without what it meets.
    pub(crate) fn new(
        peril: &str,
        (event_on, reported_on): (Date, Date),
        (assessed_fen, grade): (i64, Option<u8>),
        event: &cover::Met,
        documents_complete: bool,
    ) -> Snapshot {
        let home = |home: &Residence| Home { ground: home.ground.name().to_owned(), since: home.since };
        Snapshot {
            peril: peril.to_owned(),
            event_on,
            reported_on,
            assessed_fen,
            grade,
            homes: event.residences.iter().flatten().map(home).collect(),
            dwelling: event.dwelling.map(|dwelling| dwelling.name().to_owned()),
            in_place: event.in_estate,
            documents_complete,
            fixed_before_fen: 0,
            met: Vec::new(),
        }
    }

    fn facts(&self) -> Facts {
        let residence =
            |home: &Home| Some(Residence { ground: Ground::from_name(&home.ground)?, since: home.since });
        Facts {
            event_on: self.event_on,
            reported_on: self.reported_on,
            assessed: Fen::of(self.assessed_fen),
            grade: self.grade,
            residences: self.homes.iter().filter_map(residence).collect(),
            dwelling: self.dwelling.as_deref().and_then(Dwelling::from_name),
            in_place: self.in_place,
            documents_complete: self.documents_complete,
            fixed_before: Fen::of(self.fixed_before_fen),
        }
    }

    /// The decision that follows; `terms` knows what a version of a policy promises. Nothing when it doesn't know one.
    pub(crate) fn decide<'a>(&self, terms: impl Fn(&str, i32) -> Option<&'a Terms>) -> Option<Decision> {
        let cover = |met: &Met| {
            let terms = terms(&met.policy, met.version)?;
            let benefit = terms.benefit(&self.peril);
            let used = |cap: Cap| Fen::of(met.used.get(cap.name()).copied().unwrap_or(0));
            let caps = benefit.map(|benefit| Caps::of(benefit, terms, used)).unwrap_or_default();
            Some(Cover { rank: met.rank, from: met.from, to: met.to, terms, benefit, caps })
        };
        let mut covers = self.met.iter().map(cover).collect::<Option<Vec<_>>>()?;
        Some(adjudicate(&self.facts(), &mut covers))
    }
}

/// A trace as a line keeps it: `[["DEDUCTIBLE", 50000, 7950000], …]`.
pub(crate) fn trace_json(steps: &[Step]) -> serde_json::Value {
    let step = |step: &Step| serde_json::json!([step.rule.name(), step.input, step.effect]);
    serde_json::Value::Array(steps.iter().map(step).collect())
}

/// The steps of a line that was kept; those of a rule that isn't known any more are left out.
pub(crate) fn trace_of(kept: &serde_json::Value) -> Vec<Step> {
    let steps = kept.as_array().map(Vec::as_slice).unwrap_or_default();
    let step = |step: &serde_json::Value| {
        let rule = crate::adjudication::Rule::from_name(step.get(0)?.as_str()?)?;
        Some(Step { rule, input: step.get(1)?.as_i64()?, effect: step.get(2)?.as_i64()? })
    };
    steps.iter().filter_map(step).collect()
}
