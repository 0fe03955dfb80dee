//! Who may take which step of a claim, and when. Pure; the database checks the same.

mod life;
mod terms;

pub(crate) use life::{State, TABLE, Verb};
pub(crate) use terms::{Leg, Running, left, leg};

use chassis::actor::{Actor, did};
use jiff::civil::Date;

use crate::adjudication::Outcome;

/// What the steps of a claim rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Where it stands.
    pub(crate) state: State,
    /// What was decided last.
    pub(crate) outcome: Option<Outcome>,
    /// Who reported it.
    pub(crate) reporter: Actor,
    /// Who changed last what is claimed, or who is paid.
    pub(crate) changer: Option<Actor>,
    /// Who surveyed.
    pub(crate) surveyor: Option<Actor>,
    /// Who assessed last.
    pub(crate) assessor: Option<Actor>,
    /// Who took which step before those above, where it is known: earlier assessors and, after an appeal, earlier deciders.
    pub(crate) earlier: Vec<(&'static str, Actor)>,
    /// Who adjudicated last.
    pub(crate) adjudicator: Option<Actor>,
    /// Insured, claimant and beneficiaries, as names of persons.
    pub(crate) parties: Vec<String>,
    /// Whether anything was paid.
    pub(crate) paid: bool,
    /// Whether all that the decision in force approves was paid.
    pub(crate) paid_whole: bool,
    /// Payments that the household hasn't confirmed.
    pub(crate) unconfirmed: bool,
    /// Whether it was appealed.
    pub(crate) appealed: bool,
    /// The last day of the notice.
    pub(crate) notice_ends: Option<Date>,
    /// The last day of the appeal.
    pub(crate) appeal_ends: Option<Date>,
    /// Objections that wait for an answer.
    pub(crate) open_objections: i32,
}

/// Why a step that the state knows isn't open to somebody today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// He did this step already; another person is needed.
    FourEyes(&'static str),
    /// Who is needed must be another than who did this step, and one of the logins is mapped to no person.
    PersonNeeded(&'static str),
    /// The claim is his own.
    Own,
    /// Nothing is to be paid.
    NothingToPay,
    /// All is approved: there is nothing to appeal against.
    NothingToAppeal,
    /// It was appealed already.
    AppealedBefore,
    /// The term of the appeal was over on this day.
    AppealOver(Date),
    /// It may still be appealed until this day.
    AppealOpen(Date),
    /// The notice lasts until this day.
    NoticeRunning(Date),
    /// The notice was over on this day.
    NoticeOver(Date),
    /// So many objections wait for an answer.
    ObjectionOpen(i32),
    /// Something was paid.
    PaidAlready,
    /// No payment stands.
    NothingPaid,
    /// It was rejected or appealed: what follows is an appeal, or the end.
    Decided,
    /// A payment isn't confirmed.
    Unconfirmed,
}

/// What keeps `who` from a step that must be another's than the `former` ones.
fn four_eyes(who: &Actor, former: &[(&'static str, &Actor)]) -> Option<Hindrance> {
    let own = former.iter().find(|(_, one)| one.is(who)).map(|(step, _)| Hindrance::FourEyes(step));
    own.or_else(|| did(who, former).map(Hindrance::PersonNeeded))
}

impl Facts {
    /// The steps that were taken before a decision, with who took them.
    fn prepared(&self) -> Vec<(&'static str, &Actor)> {
        let mut all = vec![("report", &self.reporter)];
        all.extend(self.changer.as_ref().map(|who| ("update", who)));
        all.extend(self.surveyor.as_ref().map(|who| ("survey", who)));
        all.extend(self.assessor.as_ref().map(|who| ("assess", who)));
        all.extend(self.earlier.iter().map(|(step, who)| (*step, who)));
        if self.appealed {
            all.extend(self.adjudicator.as_ref().map(|who| ("adjudicate", who)));
        }
        all
    }

    fn own(&self, who: &Actor) -> Option<Hindrance> {
        self.parties.contains(&who.person).then_some(Hindrance::Own)
    }

    fn decided_by(&self, who: &Actor) -> Option<Hindrance> {
        let former: Vec<_> = self.adjudicator.iter().map(|former| ("adjudicate", former)).collect();
        four_eyes(who, &former)
    }

    /// What keeps `who` from `verb` on `today`, beside state and permission.
    pub(crate) fn hindrance(&self, verb: Verb, who: &Actor, today: Date) -> Option<Hindrance> {
        match verb {
            // while a decision holds until the next one, the loss isn't set by who decided
            Verb::Assess => self.own(who).or_else(|| self.decided_by(who)),
            Verb::Survey => self.own(who),
            Verb::Adjudicate => self.own(who).or_else(|| four_eyes(who, &self.prepared())),
            Verb::PublishNotice => self.nothing_left().then_some(Hindrance::NothingToPay),
            Verb::Object => self.notice_ends.filter(|end| today > *end).map(Hindrance::NoticeOver),
            Verb::AnswerObjection => self.own(who).or_else(|| self.decided_by(who)),
            Verb::Appeal => self.appeal_hindrance(today),
            Verb::Pay => {
                self.own(who).or_else(|| self.decided_by(who)).or_else(|| self.notice_hindrance(today))
            }
            Verb::Close => self.close_hindrance(today),
            Verb::Withdraw => self.withdraw_hindrance(),
            Verb::ReversePayment => self.own(who).or_else(|| (!self.paid).then_some(Hindrance::NothingPaid)),
            Verb::Reopen => {
                let ended = self.paid && self.state == State::Closed;
                ended.then_some(Hindrance::PaidAlready).or_else(|| self.open_hindrance())
            }
            Verb::Report
            | Verb::Update
            | Verb::Accept
            | Verb::Dismiss
            | Verb::RequestDocuments
            | Verb::Resume
            | Verb::ConfirmPayment => None,
        }
    }

    /// Whether nothing is to be paid any more by the decision in force.
    fn nothing_left(&self) -> bool {
        self.outcome == Some(Outcome::Rejected) || self.paid_whole
    }

    /// Objections are answered, never put away with the decision that they are about.
    fn open_hindrance(&self) -> Option<Hindrance> {
        (self.open_objections > 0).then_some(Hindrance::ObjectionOpen(self.open_objections))
    }

    /// Whoever takes a claim back after it was rejected or appealed would be judged anew by reporting it again.
    fn withdraw_hindrance(&self) -> Option<Hindrance> {
        if self.paid {
            return Some(Hindrance::PaidAlready);
        }
        (self.appealed || self.outcome == Some(Outcome::Rejected)).then_some(Hindrance::Decided)
    }

    fn notice_hindrance(&self, today: Date) -> Option<Hindrance> {
        if let Some(open) = self.open_hindrance() {
            return Some(open);
        }
        self.notice_ends.filter(|end| today <= *end).map(Hindrance::NoticeRunning)
    }

    fn appeal_hindrance(&self, today: Date) -> Option<Hindrance> {
        if self.outcome == Some(Outcome::Approved) {
            return Some(Hindrance::NothingToAppeal);
        }
        if self.appealed {
            return Some(Hindrance::AppealedBefore);
        }
        self.appeal_ends.filter(|end| today > *end).map(Hindrance::AppealOver)
    }

    fn close_hindrance(&self, today: Date) -> Option<Hindrance> {
        if self.unconfirmed {
            return Some(Hindrance::Unconfirmed);
        }
        if self.state == State::Paid || self.paid && matches!(self.state, State::Assessed | State::Appealed) {
            return None;
        }
        if self.state != State::Adjudicated || !self.nothing_left() {
            return Some(Hindrance::Unconfirmed);
        }
        self.appeal_ends.filter(|end| !self.appealed && today <= *end).map(Hindrance::AppealOpen)
    }
}

/// The state after an objection was answered, when `open` of them are left.
pub(crate) fn after_answer(open: i32) -> State {
    if open > 0 { State::Objected } else { State::Notice }
}

/// Who is to do what with a claim today: the role that usually acts, and the verb.
pub(crate) fn waiting(facts: &Facts, today: Date) -> Option<(&'static str, Verb)> {
    Some(match facts.state {
        State::Reported => ("town-officer", Verb::Accept),
        State::Accepted => ("town-officer", Verb::Survey),
        State::Surveyed => ("adjuster", Verb::Assess),
        State::Assessed | State::Appealed => ("adjuster", Verb::Adjudicate),
        State::Adjudicated if facts.paid_whole && facts.unconfirmed => ("", Verb::ConfirmPayment),
        State::Adjudicated if facts.nothing_left() => ("town-officer", Verb::Close),
        State::Adjudicated => ("town-officer", Verb::PublishNotice),
        State::Notice if facts.notice_ends.is_some_and(|end| today <= end) => ("", Verb::Object),
        State::Notice => ("adjuster", Verb::Pay),
        State::Objected => ("town-officer", Verb::AnswerObjection),
        State::Paid if facts.unconfirmed => ("", Verb::ConfirmPayment),
        State::Paid => ("town-officer", Verb::Close),
        State::DocumentsRequested => ("", Verb::Resume),
        State::Closed | State::Withdrawn | State::Dismissed => return None,
    })
}

/// `民-2020-000123`.
pub(crate) fn number(year: i16, n: i32) -> String {
    format!("民-{year:04}-{n:06}")
}

/// Whether text is the number of a claim.
pub(crate) fn is_number(text: &str) -> bool {
    let digits =
        |part: &str, many: usize| part.len() == many && part.bytes().all(|sign| sign.is_ascii_digit());
    let parts = text.strip_prefix("民-").and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(year, n)| digits(year, 4) && digits(n, 6))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
