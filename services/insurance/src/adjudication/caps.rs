//! Limits 限额 and what was used of them before.

use kernel::{money::Fen, named};

use super::{Rule, Trace};
use crate::terms::{Benefit, Terms};

named! {
    /// What a limit is of.
    pub Cap {
        /// One benefit, a person and year.
        BenefitPersonYear = "BENEFIT_PERSON_YEAR",
        /// One benefit, a household and year.
        BenefitHouseholdYear = "BENEFIT_HOUSEHOLD_YEAR",
        /// One benefit, an event.
        BenefitEvent = "BENEFIT_EVENT",
        /// The policy, a person and year.
        PersonYear = "PERSON_YEAR",
        /// The policy, a household and year.
        HouseholdYear = "HOUSEHOLD_YEAR",
        /// The policy, an event.
        Event = "EVENT",
        /// The policy, its year.
        Year = "YEAR",
    }
}

/// How many kinds of limits there are.
pub const CAPS: usize = 7;

impl Cap {
    /// All of them, in the order in which they cut.
    pub const ORDER: [Cap; CAPS] = [
        Cap::BenefitPersonYear,
        Cap::BenefitHouseholdYear,
        Cap::BenefitEvent,
        Cap::PersonYear,
        Cap::HouseholdYear,
        Cap::Event,
        Cap::Year,
    ];

    /// The rule that tells of it.
    pub fn rule(self) -> Rule {
        match self {
            Cap::BenefitPersonYear => Rule::CapBenefitPersonYear,
            Cap::BenefitHouseholdYear => Rule::CapBenefitHouseholdYear,
            Cap::BenefitEvent => Rule::CapBenefitEvent,
            Cap::PersonYear => Rule::CapPersonYear,
            Cap::HouseholdYear => Rule::CapHouseholdYear,
            Cap::Event => Rule::CapEvent,
            Cap::Year => Rule::CapYear,
        }
    }

    /// The limit of this kind that a benefit and its policy set.
    pub fn limit(self, benefit: &Benefit, terms: &Terms) -> Option<Fen> {
        match self {
            Cap::BenefitPersonYear => benefit.limit_person_year,
            Cap::BenefitHouseholdYear => benefit.limit_household_year,
            Cap::BenefitEvent => benefit.limit_event,
            Cap::PersonYear => terms.limit_person_year,
            Cap::HouseholdYear => terms.limit_household_year,
            Cap::Event => terms.limit_event,
            Cap::Year => terms.limit_year,
        }
    }
}

/// What is left of each limit; nothing where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps([Option<Fen>; CAPS]);

impl Caps {
    /// The limits of a benefit, less what `used` says was drawn on each before.
    pub fn of(benefit: &Benefit, terms: &Terms, used: impl Fn(Cap) -> Fen) -> Caps {
        Caps(Cap::ORDER.map(|cap| {
            let limit = cap.limit(benefit, terms)?;
            Some(Fen::of(limit.fen().saturating_sub(used(cap).fen()).max(0)))
        }))
    }

    /// What a benefit comes to within them, and whether one of them left nothing of it. Only those that cut are traced.
    pub(super) fn cut(&self, due: Fen, trace: &mut Trace) -> (Fen, bool) {
        let (mut within, mut exhausted) = (due, false);
        for (cap, left) in Cap::ORDER.into_iter().zip(self.0) {
            let Some(left) = left.filter(|left| *left < within) else { continue };
            trace.push(cap.rule(), left.fen(), left.fen());
            within = left;
            exhausted = left == Fen::ZERO;
        }
        (within, exhausted)
    }
}
