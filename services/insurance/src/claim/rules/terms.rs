//! The terms of the steps: which runs in which state, and how its working days are counted.

use jiff::civil::Date;
use kernel::{
    calendar::{Calendar, Term},
    named,
};

use super::State;

named! {
    /// A term 期限 of the settings.
    pub(crate) Leg {
        /// From the report to the acceptance.
        Accept = "accept",
        /// From the acceptance to the survey.
        Survey = "survey",
        /// From the survey to the assessment.
        Assess = "assess",
        /// From the assessment, or the appeal, to the decision.
        Adjudicate = "adjudicate",
        /// From the decision to the notice.
        Publish = "publish",
        /// From an objection to its answer.
        Answer = "answer",
        /// From the end of the notice to the payment.
        Pay = "pay",
        /// From the payment to the end.
        Close = "close",
    }
}

/// The term that runs in a state; none where nobody is waited for.
pub(crate) fn leg(state: State) -> Option<Leg> {
    match state {
        State::Reported => Some(Leg::Accept),
        State::Accepted => Some(Leg::Survey),
        State::Surveyed => Some(Leg::Assess),
        State::Assessed | State::Appealed => Some(Leg::Adjudicate),
        State::Adjudicated => Some(Leg::Publish),
        State::Notice => Some(Leg::Pay),
        State::Objected => Some(Leg::Answer),
        State::Paid => Some(Leg::Close),
        State::DocumentsRequested | State::Closed | State::Withdrawn | State::Dismissed => None,
    }
}

/// What the days of a claim's open steps are counted from: a first day, and how many working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    /// Where it stands.
    pub(crate) state: State,
    /// Of whose turn it is.
    pub(crate) term: Option<(Date, u32)>,
    /// Of the notice.
    pub(crate) notice: Option<(Date, u32)>,
    /// Of the appeal.
    pub(crate) appeal: Option<(Date, u32)>,
}

impl Running {
    /// The end of the notice while it is open.
    pub(crate) fn notice_term(&self, days: &Calendar) -> Option<Term> {
        let (from, n) = self.notice.filter(|_| matches!(self.state, State::Notice | State::Objected))?;
        Some(days.term(from, n))
    }

    /// The end of the appeal while it is open.
    pub(crate) fn appeal_term(&self, days: &Calendar) -> Option<Term> {
        let open = matches!(self.state, State::Adjudicated | State::Notice | State::Objected | State::Paid);
        let (from, n) = self.appeal.filter(|_| open)?;
        Some(days.term(from, n))
    }

    /// Until when whose turn it is is in time. The payment's term runs from the end of the notice on.
    pub(crate) fn term(&self, days: &Calendar) -> Option<Term> {
        let (from, n) = self.term?;
        let notice = self.notice_term(days).filter(|_| self.state == State::Notice);
        let term = days.term(notice.map_or(from, |notice| from.max(notice.due)), n);
        let provisional = term.provisional || notice.is_some_and(|notice| notice.provisional);
        Some(Term { provisional, ..term })
    }
}

/// The working days that are left of a term when its clock stops on `today`; none of one that is over.
pub(crate) fn left(term: Option<(Date, u32)>, today: Date, days: &Calendar) -> u32 {
    let Some((from, n)) = term else { return 0 };
    let passed = from
        .tomorrow()
        .map_or(0, |first| days.working_days_between(first, today.tomorrow().unwrap_or(today)));
    n.saturating_sub(passed)
}
