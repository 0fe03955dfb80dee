//! The life of an expense, who may take which step, and when one is due. Pure; the database checks the same.

use jiff::civil::Date;
use kernel::{
    money::Fen,
    named,
    state::{Row, Table},
};

use crate::{
    actor::{Actor, did},
    policy::rules::Leg,
};

named! {
    /// Where an expense stands.
    pub(crate) State {
        /// Applied for 已申请.
        Applied = "APPLIED",
        /// Reviewed by the committee 已审核.
        Reviewed = "REVIEWED",
        /// In public notice 公示中.
        Notice = "NOTICE",
        /// An objection is open 有异议.
        Objected = "OBJECTED",
        /// Approved by the town 已批准.
        Approved = "APPROVED",
        /// In a payment batch 付款中.
        Paying = "PAYING",
        /// Paid 已付款.
        Paid = "PAID",
        /// Settled against vouchers 已核销.
        Settled = "SETTLED",
        /// Disclosed 已公开.
        Disclosed = "DISCLOSED",
        /// Sent back to its applicant 退回修改.
        RevisionRequested = "REVISION_REQUESTED",
        /// Rejected 已驳回.
        Rejected = "REJECTED",
        /// Withdrawn 已撤回.
        Withdrawn = "WITHDRAWN",
    }
}

named! {
    /// What can be done with an expense.
    pub(crate) Verb {
        /// Apply for it 申请.
        Apply = "apply",
        /// Apply again 修改.
        Revise = "revise",
        /// Review it 审核.
        Review = "review",
        /// Begin the notice 公示.
        PublishNotice = "publishNotice",
        /// Object 提出异议.
        Object = "object",
        /// Answer an objection 答复异议.
        AnswerObjection = "answerObjection",
        /// Approve it 批准.
        Approve = "approve",
        /// Send it back 退回修改.
        RequestRevision = "requestRevision",
        /// Reject it 驳回.
        Reject = "reject",
        /// Take it back 撤回.
        Withdraw = "withdraw",
        /// Pay it on its own 付款.
        Pay = "pay",
        /// Put it into a payment batch 批量付款.
        Batch = "batch",
        /// The bank has paid it 回单成功.
        Reconcile = "reconcile",
        /// The bank has not paid it, or the batch was given up 退出批次.
        Release = "release",
        /// Settle it 核销.
        Settle = "settle",
        /// Disclose it 公开.
        Disclose = "disclose",
    }
}

type Life = Row<State, Verb>;

const NOT_THE_APPLICANT: &[&str] = &["another person than the applicant", "a reason"];
const THE_APPLICANT: &[&str] = &["the applicant"];

const fn sent_back(from: State) -> Life {
    Row::new(
        Some(from),
        Verb::RequestRevision,
        State::RevisionRequested,
        "funding.expenses.requestRevision",
        NOT_THE_APPLICANT,
    )
}

const fn rejected(from: State) -> Life {
    Row::new(Some(from), Verb::Reject, State::Rejected, "funding.expenses.reject", NOT_THE_APPLICANT)
}

const fn withdrawn(from: State) -> Life {
    Row::new(Some(from), Verb::Withdraw, State::Withdrawn, "funding.expenses.withdraw", THE_APPLICANT)
}

const fn approved(from: State) -> Life {
    Row::new(
        Some(from),
        Verb::Approve,
        State::Approved,
        "funding.expenses.approve",
        &["neither applicant nor reviewer", "a notice that is asked for is over", "no open objection"],
    )
}

/// The life of an expense.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "expense",
    rows: &[
        Row::new(
            None,
            Verb::Apply,
            State::Applied,
            "funding.expenses.create",
            &["the fund pays the category", "the money is there, and held"],
        ),
        Row::new(
            Some(State::RevisionRequested),
            Verb::Revise,
            State::Applied,
            "funding.expenses.update",
            &["the applicant", "the new amount is there, and held in place of the old"],
        ),
        Row::new(
            Some(State::Applied),
            Verb::Review,
            State::Reviewed,
            "funding.expenses.review",
            &["another person than the applicant"],
        ),
        Row::new(Some(State::Reviewed), Verb::PublishNotice, State::Notice, "funding.expenses.publish", &[]),
        Row::new(
            Some(State::Notice),
            Verb::Object,
            State::Objected,
            "funding.expenses.object",
            &["the notice is not over"],
        ),
        Row::new(
            Some(State::Objected),
            Verb::Object,
            State::Objected,
            "funding.expenses.object",
            &["the notice is not over"],
        ),
        Row::new(
            Some(State::Objected),
            Verb::AnswerObjection,
            State::Notice,
            "funding.expenses.answer",
            &["neither the applicant nor who objected", "the last open one; else it stays OBJECTED"],
        ),
        approved(State::Reviewed),
        approved(State::Notice),
        sent_back(State::Applied),
        sent_back(State::Reviewed),
        sent_back(State::Notice),
        sent_back(State::Objected),
        sent_back(State::Approved),
        rejected(State::Applied),
        rejected(State::Reviewed),
        rejected(State::Notice),
        rejected(State::Objected),
        rejected(State::Approved),
        rejected(State::RevisionRequested),
        withdrawn(State::Applied),
        withdrawn(State::Reviewed),
        withdrawn(State::Notice),
        withdrawn(State::Objected),
        withdrawn(State::Approved),
        withdrawn(State::RevisionRequested),
        Row::new(
            Some(State::Approved),
            Verb::Pay,
            State::Paid,
            "funding.expenses.pay",
            &["neither applicant, reviewer nor approver"],
        ),
        Row::new(
            Some(State::Approved),
            Verb::Batch,
            State::Paying,
            "",
            &["neither applicant, reviewer nor approver"],
        ),
        Row::new(Some(State::Paying), Verb::Reconcile, State::Paid, "", &["by the return file of its batch"]),
        Row::new(
            Some(State::Paying),
            Verb::Release,
            State::Approved,
            "",
            &["by the return file of its batch, or with the batch"],
        ),
        Row::new(
            Some(State::Paid),
            Verb::Settle,
            State::Settled,
            "funding.expenses.settle",
            &["no more vouchers than was paid", "none that was used before"],
        ),
        Row::new(
            Some(State::Settled),
            Verb::Disclose,
            State::Disclosed,
            "funding.expenses.disclose",
            &["the name of the disclosure"],
        ),
    ],
};

/// What the steps of an expense rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Where it stands.
    pub(crate) state: State,
    /// Who applied.
    pub(crate) applicant: Actor,
    /// Who reviewed.
    pub(crate) reviewer: Option<Actor>,
    /// Who approved.
    pub(crate) approver: Option<Actor>,
    /// Whether the policy asks for a notice.
    pub(crate) notice_required: bool,
    /// The last day of the notice.
    pub(crate) notice_ends: Option<Date>,
    /// Objections that wait for an answer.
    pub(crate) open_objections: i32,
}

/// Why a step that the state knows isn't open to somebody today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// He did this step already; another person is needed.
    FourEyes(&'static str),
    /// Only the applicant does this.
    OnlyApplicant,
    /// A notice comes first.
    NoticeRequired,
    /// The notice lasts until this day.
    NoticeRunning(Date),
    /// The notice was over on this day.
    NoticeOver(Date),
    /// So many objections wait for an answer.
    ObjectionOpen(i32),
}

impl Facts {
    /// The steps that were taken, with who took them.
    pub(crate) fn former(&self) -> Vec<(&'static str, &Actor)> {
        let mut all = vec![("apply", &self.applicant)];
        all.extend(self.reviewer.as_ref().map(|who| ("review", who)));
        all.extend(self.approver.as_ref().map(|who| ("approve", who)));
        all
    }

    /// What keeps `who` from `verb` on `today`, beside state and permission.
    pub(crate) fn hindrance(&self, verb: Verb, who: &Actor, today: Date) -> Option<Hindrance> {
        let another = || did(who, &self.former()).map(Hindrance::FourEyes);
        match verb {
            Verb::Review | Verb::Reject | Verb::RequestRevision | Verb::AnswerObjection => {
                did(who, &[("apply", &self.applicant)]).map(Hindrance::FourEyes)
            }
            Verb::Approve => another().or_else(|| self.notice_hindrance(today)),
            Verb::Pay | Verb::Batch | Verb::Reconcile => another(),
            Verb::Withdraw | Verb::Revise => (!who.is(&self.applicant)).then_some(Hindrance::OnlyApplicant),
            Verb::Object => self.notice_ends.filter(|end| today > *end).map(Hindrance::NoticeOver),
            Verb::Apply | Verb::PublishNotice | Verb::Release | Verb::Settle | Verb::Disclose => None,
        }
    }

    fn notice_hindrance(&self, today: Date) -> Option<Hindrance> {
        if self.open_objections > 0 {
            return Some(Hindrance::ObjectionOpen(self.open_objections));
        }
        match self.notice_ends {
            None if self.notice_required => Some(Hindrance::NoticeRequired),
            Some(end) if today <= end => Some(Hindrance::NoticeRunning(end)),
            None | Some(_) => None,
        }
    }
}

/// The state after an objection was answered, when `open` of them are left.
pub(crate) fn after_answer(open: i32) -> State {
    if open > 0 { State::Objected } else { State::Notice }
}

/// The term that runs in a state; none where nobody is waited for.
pub(crate) fn leg(state: State) -> Option<Leg> {
    match state {
        State::Applied | State::RevisionRequested => Some(Leg::Review),
        State::Reviewed | State::Notice | State::Objected => Some(Leg::Approve),
        State::Approved | State::Paying => Some(Leg::Pay),
        State::Paid => Some(Leg::Settle),
        State::Settled => Some(Leg::Disclose),
        State::Disclosed | State::Rejected | State::Withdrawn => None,
    }
}

named! {
    /// Whose turn it is.
    pub(crate) Party {
        /// Who applied.
        Applicant = "APPLICANT",
        /// The committee.
        Committee = "COMMITTEE",
        /// The residents, until the notice is over.
        Public = "PUBLIC",
        /// The town.
        Town = "TOWN",
        /// The town's cashier.
        Cashier = "CASHIER",
        /// The bank.
        Bank = "BANK",
    }
}

impl Party {
    /// The role that usually acts; none for people without one.
    pub(crate) fn role(self) -> &'static str {
        match self {
            Party::Committee => "committee-officer",
            Party::Town => "town-officer",
            Party::Cashier => "town-cashier",
            Party::Applicant | Party::Public | Party::Bank => "",
        }
    }
}

/// Who is to do what with an expense today.
pub(crate) fn waiting(facts: &Facts, today: Date) -> Option<(Party, Verb)> {
    Some(match facts.state {
        State::Applied => (Party::Committee, Verb::Review),
        State::Reviewed if facts.notice_required && facts.notice_ends.is_none() => {
            (Party::Committee, Verb::PublishNotice)
        }
        State::Reviewed => (Party::Town, Verb::Approve),
        State::Notice if facts.notice_ends.is_some_and(|end| today <= end) => (Party::Public, Verb::Object),
        State::Notice => (Party::Town, Verb::Approve),
        State::Objected => (Party::Committee, Verb::AnswerObjection),
        State::Approved => (Party::Cashier, Verb::Pay),
        State::Paying => (Party::Bank, Verb::Reconcile),
        State::Paid => (Party::Committee, Verb::Settle),
        State::Settled => (Party::Committee, Verb::Disclose),
        State::RevisionRequested => (Party::Applicant, Verb::Revise),
        State::Disclosed | State::Rejected | State::Withdrawn => return None,
    })
}

/// What the vouchers prove and what they leave of what was paid; nothing when they are more than that.
pub(crate) fn settle(paid: Fen, vouchers: &[Fen]) -> Option<(Fen, Fen)> {
    let proved = Fen::sum(vouchers.iter().copied()).ok()?;
    let rest = paid.checked_sub(proved).ok()?;
    (rest >= Fen::ZERO).then_some((proved, rest))
}

/// `支-2020-000001`.
pub(crate) fn number(year: i16, n: i32) -> String {
    format!("支-{year:04}-{n:06}")
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
