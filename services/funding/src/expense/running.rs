//! What the days of an expense's open steps are counted from, and how. Pure.

use jiff::civil::Date;
use kernel::calendar::{Calendar, Term};

use super::rules::State;

/// What the days of an expense's open steps are counted from: a first day, and how many working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    /// Where it stands.
    pub(crate) state: State,
    /// Of whose turn it is.
    pub(crate) term: Option<(Date, u32)>,
    /// Of the notice.
    pub(crate) notice: Option<(Date, u32)>,
}

impl Running {
    /// The end of the notice while it is open: until the town has decided.
    pub(crate) fn notice_term(&self, days: &Calendar) -> Option<Term> {
        let (from, n) = self.notice.filter(|_| matches!(self.state, State::Notice | State::Objected))?;
        Some(days.term(from, n))
    }

    /// Until when whose turn it is is in time. The approval's term runs from the end of the notice on.
    pub(crate) fn term(&self, days: &Calendar) -> Option<Term> {
        let (from, n) = self.term?;
        let notice = self.notice_term(days).filter(|_| self.state == State::Notice);
        let term = days.term(notice.map_or(from, |notice| from.max(notice.due)), n);
        let provisional = term.provisional || notice.is_some_and(|notice| notice.provisional);
        Some(Term { provisional, ..term })
    }
}
