//! The life of a claim, who may take which step, and when one is due. Pure; the database checks the same.

use chassis::actor::{Actor, did};
use jiff::civil::Date;
use kernel::{
    calendar::{Calendar, Term},
    named,
    state::{Row, Table},
};

use crate::adjudication::Outcome;

named! {
    /// Where a claim stands.
    pub(crate) State {
        /// Reported 已报案.
        Reported = "REPORTED",
        /// Accepted 已受理.
        Accepted = "ACCEPTED",
        /// Surveyed 已查勘.
        Surveyed = "SURVEYED",
        /// The loss is assessed 已定损.
        Assessed = "ASSESSED",
        /// Adjudicated 已核赔.
        Adjudicated = "ADJUDICATED",
        /// In public notice 公示中.
        Notice = "NOTICE",
        /// An objection is open 有异议.
        Objected = "OBJECTED",
        /// Paid 已赔付.
        Paid = "PAID",
        /// Closed 已结案.
        Closed = "CLOSED",
        /// Documents were asked for 待补正.
        DocumentsRequested = "DOCUMENTS_REQUESTED",
        /// Appealed 复议中.
        Appealed = "APPEALED",
        /// Taken back 已撤回.
        Withdrawn = "WITHDRAWN",
        /// A double or a mistake 不予受理.
        Dismissed = "DISMISSED",
    }
}

named! {
    /// What can be done with a claim.
    pub(crate) Verb {
        /// Report it 报案.
        Report = "report",
        /// Change what is claimed, for whom 修改.
        Update = "update",
        /// Accept it 受理.
        Accept = "accept",
        /// End what is none 不予受理.
        Dismiss = "dismiss",
        /// Ask for documents 补正.
        RequestDocuments = "requestDocuments",
        /// Go on 恢复办理.
        Resume = "resume",
        /// Survey 查勘.
        Survey = "survey",
        /// Assess the loss 定损.
        Assess = "assess",
        /// Adjudicate 核赔.
        Adjudicate = "adjudicate",
        /// Begin the notice 公示.
        PublishNotice = "publishNotice",
        /// Object 提出异议.
        Object = "object",
        /// Answer an objection 答复异议.
        AnswerObjection = "answerObjection",
        /// Appeal 申请复议.
        Appeal = "appeal",
        /// Record what the insurer paid 赔付.
        Pay = "pay",
        /// Confirm that it came 到账确认.
        ConfirmPayment = "confirmPayment",
        /// Close 结案.
        Close = "close",
        /// Take it back 撤回.
        Withdraw = "withdraw",
        /// Decide afresh 重新核赔.
        Reopen = "reopen",
    }
}

type Life = Row<State, Verb>;

const NOT_DECIDED_AGAINST: &[&str] = &["nothing is paid", "neither rejected nor appealed"];

const fn life(
    from: State,
    verb: Verb,
    to: State,
    permission: &'static str,
    guards: &'static [&'static str],
) -> Life {
    Row::new(Some(from), verb, to, permission, guards)
}

const fn updated(state: State) -> Life {
    life(state, Verb::Update, state, "insurance.claims.update", &[])
}

const fn asked(from: State) -> Life {
    life(from, Verb::RequestDocuments, State::DocumentsRequested, "insurance.claims.requestDocuments", &[])
}

const fn adjudicated(from: State) -> Life {
    let guards: &[&str] = &[
        "neither reporter, surveyor nor assessor, nor party to the claim",
        "after an appeal nobody who decided before",
        "the required documents, or a decision without them",
    ];
    life(from, Verb::Adjudicate, State::Adjudicated, "insurance.claims.adjudicate", guards)
}

const fn appealed(from: State) -> Life {
    let guards: &[&str] = &["not all is approved", "within the term", "the first appeal", "nothing is paid"];
    life(from, Verb::Appeal, State::Appealed, "insurance.claims.appeal", guards)
}

const fn withdrawn(from: State) -> Life {
    life(from, Verb::Withdraw, State::Withdrawn, "insurance.claims.withdraw", NOT_DECIDED_AGAINST)
}

const fn reopened(from: State) -> Life {
    life(
        from,
        Verb::Reopen,
        State::Assessed,
        "insurance.claims.reopen",
        &["nothing is paid", "no open objection", "a reason"],
    )
}

/// The life of a claim.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "claim",
    rows: &[
        Row::new(None, Verb::Report, State::Reported, "insurance.claims.create", &[]),
        updated(State::Reported),
        updated(State::Accepted),
        updated(State::Surveyed),
        updated(State::DocumentsRequested),
        life(
            State::Reported,
            Verb::Accept,
            State::Accepted,
            "insurance.claims.accept",
            &["no other claim is accepted for the same loss", "the incident is verified"],
        ),
        life(State::Reported, Verb::Dismiss, State::Dismissed, "insurance.claims.dismiss", &["a reason"]),
        asked(State::Accepted),
        asked(State::Surveyed),
        asked(State::Assessed),
        asked(State::Appealed),
        life(
            State::DocumentsRequested,
            Verb::Resume,
            State::Accepted,
            "insurance.claims.update",
            &["to where it stopped"],
        ),
        life(
            State::Accepted,
            Verb::Survey,
            State::Surveyed,
            "insurance.claims.survey",
            &["no party to the claim"],
        ),
        life(
            State::Surveyed,
            Verb::Assess,
            State::Assessed,
            "insurance.claims.assess",
            &["no party to the claim"],
        ),
        life(
            State::Assessed,
            Verb::Assess,
            State::Assessed,
            "insurance.claims.assess",
            &["no party to the claim"],
        ),
        life(
            State::Appealed,
            Verb::Assess,
            State::Appealed,
            "insurance.claims.assess",
            &["no party to the claim"],
        ),
        adjudicated(State::Assessed),
        adjudicated(State::Appealed),
        life(
            State::Adjudicated,
            Verb::PublishNotice,
            State::Notice,
            "insurance.claims.publish",
            &["something is to be paid"],
        ),
        life(
            State::Notice,
            Verb::Object,
            State::Objected,
            "insurance.claims.object",
            &["the notice is not over"],
        ),
        life(
            State::Objected,
            Verb::Object,
            State::Objected,
            "insurance.claims.object",
            &["the notice is not over"],
        ),
        life(
            State::Objected,
            Verb::AnswerObjection,
            State::Notice,
            "insurance.claims.answer",
            &["neither who adjudicated nor who objected", "the last open one; else it stays OBJECTED"],
        ),
        appealed(State::Adjudicated),
        appealed(State::Notice),
        life(
            State::Notice,
            Verb::Pay,
            State::Paid,
            "insurance.payments.create",
            &[
                "the notice is over",
                "another than who adjudicated",
                "adjudicated again with the same result",
                "the last line; else it stays NOTICE",
            ],
        ),
        life(
            State::Notice,
            Verb::ConfirmPayment,
            State::Notice,
            "insurance.claims.confirm",
            &["another than who recorded the payment"],
        ),
        life(
            State::Paid,
            Verb::ConfirmPayment,
            State::Paid,
            "insurance.claims.confirm",
            &["another than who recorded the payment"],
        ),
        life(
            State::Paid,
            Verb::Close,
            State::Closed,
            "insurance.claims.close",
            &["every payment is confirmed"],
        ),
        life(
            State::Adjudicated,
            Verb::Close,
            State::Closed,
            "insurance.claims.close",
            &["nothing is to be paid", "the term of the appeal is over, or the appeal is decided"],
        ),
        withdrawn(State::Reported),
        withdrawn(State::Accepted),
        withdrawn(State::Surveyed),
        withdrawn(State::Assessed),
        withdrawn(State::DocumentsRequested),
        withdrawn(State::Adjudicated),
        withdrawn(State::Appealed),
        withdrawn(State::Notice),
        withdrawn(State::Objected),
        reopened(State::Adjudicated),
        reopened(State::Notice),
        reopened(State::Objected),
        reopened(State::Closed),
    ],
};

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
    /// Who adjudicated last.
    pub(crate) adjudicator: Option<Actor>,
    /// Insured, claimant and beneficiaries, as names of persons.
    pub(crate) parties: Vec<String>,
    /// Whether anything was paid.
    pub(crate) paid: bool,
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
    /// It was rejected or appealed: what follows is an appeal, or the end.
    Decided,
    /// A payment isn't confirmed.
    Unconfirmed,
}

impl Facts {
    /// The steps that were taken before a decision, with who took them.
    fn prepared(&self) -> Vec<(&'static str, &Actor)> {
        let mut all = vec![("report", &self.reporter)];
        all.extend(self.changer.as_ref().map(|who| ("update", who)));
        all.extend(self.surveyor.as_ref().map(|who| ("survey", who)));
        all.extend(self.assessor.as_ref().map(|who| ("assess", who)));
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
        did(who, &former).map(Hindrance::FourEyes)
    }

    /// What keeps `who` from `verb` on `today`, beside state and permission.
    pub(crate) fn hindrance(&self, verb: Verb, who: &Actor, today: Date) -> Option<Hindrance> {
        match verb {
            // the loss of an appeal isn't set by who decided before
            Verb::Assess if self.state == State::Appealed => self.own(who).or_else(|| self.decided_by(who)),
            Verb::Survey | Verb::Assess => self.own(who),
            Verb::Adjudicate => self.own(who).or_else(|| did(who, &self.prepared()).map(Hindrance::FourEyes)),
            Verb::PublishNotice => {
                (self.outcome == Some(Outcome::Rejected)).then_some(Hindrance::NothingToPay)
            }
            Verb::Object => self.notice_ends.filter(|end| today > *end).map(Hindrance::NoticeOver),
            Verb::AnswerObjection => self.own(who).or_else(|| self.decided_by(who)),
            Verb::Appeal => self.appeal_hindrance(today),
            Verb::Pay => {
                self.own(who).or_else(|| self.decided_by(who)).or_else(|| self.notice_hindrance(today))
            }
            Verb::Close => self.close_hindrance(today),
            Verb::Withdraw => self.withdraw_hindrance(),
            Verb::Reopen => self.paid.then_some(Hindrance::PaidAlready).or_else(|| self.open_hindrance()),
            Verb::Report
            | Verb::Update
            | Verb::Accept
            | Verb::Dismiss
            | Verb::RequestDocuments
            | Verb::Resume
            | Verb::ConfirmPayment => None,
        }
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
        if self.paid {
            return Some(Hindrance::PaidAlready);
        }
        self.appeal_ends.filter(|end| today > *end).map(Hindrance::AppealOver)
    }

    fn close_hindrance(&self, today: Date) -> Option<Hindrance> {
        if self.state == State::Paid {
            return self.unconfirmed.then_some(Hindrance::Unconfirmed);
        }
        if self.outcome != Some(Outcome::Rejected) {
            return Some(Hindrance::Unconfirmed);
        }
        self.appeal_ends.filter(|end| !self.appealed && today <= *end).map(Hindrance::AppealOpen)
    }
}

/// The state after an objection was answered, when `open` of them are left.
pub(crate) fn after_answer(open: i32) -> State {
    if open > 0 { State::Objected } else { State::Notice }
}

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

/// Who is to do what with a claim today: the role that usually acts, and the verb.
pub(crate) fn waiting(facts: &Facts, today: Date) -> Option<(&'static str, Verb)> {
    Some(match facts.state {
        State::Reported => ("town-officer", Verb::Accept),
        State::Accepted => ("town-officer", Verb::Survey),
        State::Surveyed => ("adjuster", Verb::Assess),
        State::Assessed | State::Appealed => ("adjuster", Verb::Adjudicate),
        State::Adjudicated if facts.outcome == Some(Outcome::Rejected) => ("town-officer", Verb::Close),
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
        let open = matches!(self.state, State::Adjudicated | State::Notice | State::Objected);
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

/// `民-2020-000123`.
pub(crate) fn number(year: i16, n: i32) -> String {
    format!("民-{year:04}-{n:06}")
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
