//! The trace of a decision: codes and numbers in a row of fixed length, so that a million a second can be made.

use kernel::named;

named! {
    /// A rule that was applied.
    pub Rule {
        /// The event lies in the policy's period: its day, the first day no longer (days since 1970).
        InPeriod = "IN_PERIOD",
        /// The event came before the policy: its day, the first day of the policy.
        EventBeforePolicy = "EVENT_BEFORE_POLICY",
        /// The event came after the policy: its day, the first day no longer.
        EventAfterPolicy = "EVENT_AFTER_POLICY",
        /// The insured lived in the town: the day, since when.
        ResidentOnDay = "RESIDENT_ON_DAY",
        /// He did not: the day.
        NotResidentOnDay = "NOT_RESIDENT_ON_DAY",
        /// He did on a ground that the policy doesn't cover: the day.
        GroundNotCovered = "GROUND_NOT_COVERED",
        /// He hadn't lived there long enough: days, days asked for.
        WithinWaitingDays = "WITHIN_WAITING_DAYS",
        /// The place is what is insured: the day.
        InPlace = "IN_PLACE",
        /// It happened neither in a place of the town nor in a dwelling that was there: the day.
        NotInPlace = "NOT_IN_PLACE",
        /// The insured lived in the town and not in the dwelling that it met: the day.
        NotInDwelling = "NOT_IN_DWELLING",
        /// Reported in time: after so many days, of so many.
        ReportedInTime = "REPORTED_IN_TIME",
        /// Reported late: after so many days, of so many.
        ReportedLate = "REPORTED_LATE",
        /// Documents that the peril asks for are missing.
        DocumentsMissing = "DOCUMENTS_MISSING",
        /// The policy doesn't know the peril.
        PerilNotCovered = "PERIL_NOT_COVERED",
        /// A grade of disability is needed and not known.
        GradeMissing = "GRADE_MISSING",
        /// What programmes before left of the loss: the loss, what is left (fen).
        LeftOfLoss = "LEFT_OF_LOSS",
        /// The deductible: what it is, what is left above it (fen).
        Deductible = "DEDUCTIBLE",
        /// The share: parts per million, what it comes to (fen).
        Share = "SHARE",
        /// A fixed sum (fen).
        FixedSum = "FIXED_SUM",
        /// A part by grade: parts per million, what it comes to (fen).
        GradeShare = "GRADE_SHARE",
        /// Of fixed benefits for one person and event the highest is paid: what was paid, what is left (fen).
        HighestFixed = "HIGHEST_FIXED",
        /// The benefit's limit of a person and year: what is left of it, what it leaves (fen).
        CapBenefitPersonYear = "CAP_BENEFIT_PERSON_YEAR",
        /// The benefit's limit of a household and year.
        CapBenefitHouseholdYear = "CAP_BENEFIT_HOUSEHOLD_YEAR",
        /// The benefit's limit of an event.
        CapBenefitEvent = "CAP_BENEFIT_EVENT",
        /// The policy's limit of a person and year.
        CapPersonYear = "CAP_PERSON_YEAR",
        /// The policy's limit of a household and year.
        CapHouseholdYear = "CAP_HOUSEHOLD_YEAR",
        /// The policy's limit of an event.
        CapEvent = "CAP_EVENT",
        /// The policy's limit of its year.
        CapYear = "CAP_YEAR",
        /// A limit leaves nothing: the benefit before limits, nothing (fen).
        CapExhausted = "CAP_EXHAUSTED",
        /// Deductible or earlier payments leave nothing: nothing, nothing (fen).
        NothingLeft = "NOTHING_LEFT",
        /// What is paid: before limits, after them (fen).
        Approved = "APPROVED",
    }
}

/// One rule with its numbers; what they are stands with the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The rule.
    pub rule: Rule,
    /// What went in.
    pub input: i64,
    /// What came out.
    pub effect: i64,
}

/// A line takes each rule once at most: period, residence, report, documents, three of the benefit, the highest fixed, seven limits, the sum.
const MOST: usize = 17;

/// The steps of a line, in their order; the last is the rule that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    steps: [Step; MOST],
    len: usize,
}

impl Default for Trace {
    fn default() -> Trace {
        Trace { steps: [Step { rule: Rule::InPeriod, input: 0, effect: 0 }; MOST], len: 0 }
    }
}

impl Trace {
    /// Appends a step.
    pub fn push(&mut self, rule: Rule, input: i64, effect: i64) {
        if let Some(step) = self.steps.get_mut(self.len) {
            *step = Step { rule, input, effect };
            self.len += 1;
        }
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps[..self.len]
    }
}
