//! The life of a claim: its states, its verbs, and which leads where.

use kernel::{
    named,
    state::{Row, Table},
};

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
        /// Take a payment back 冲正.
        ReversePayment = "reversePayment",
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
        "no programme below what it has paid",
    ];
    life(from, Verb::Adjudicate, State::Adjudicated, "insurance.claims.adjudicate", guards)
}

const fn appealed(from: State) -> Life {
    let guards: &[&str] = &["not all is approved", "within the term", "the first appeal"];
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
        &["open, or nothing is paid", "no open objection", "a reason"],
    )
}

const fn confirmed(state: State) -> Life {
    let guards: &[&str] = &["another than who recorded the payment"];
    life(state, Verb::ConfirmPayment, state, "insurance.claims.confirm", guards)
}

const fn reversed(from: State, to: State) -> Life {
    let guards: &[&str] =
        &["neither who recorded the payment nor who confirmed it, nor party to the claim", "a reason"];
    life(from, Verb::ReversePayment, to, "insurance.payments.reverse", guards)
}

const fn closed_as_paid(from: State) -> Life {
    let guards: &[&str] = &["more is paid than would be decided", "every payment is confirmed", "a reason"];
    life(from, Verb::Close, State::Closed, "insurance.claims.close", guards)
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
        appealed(State::Paid),
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
        confirmed(State::Notice),
        confirmed(State::Paid),
        confirmed(State::Objected),
        confirmed(State::Assessed),
        confirmed(State::Appealed),
        confirmed(State::Adjudicated),
        reversed(State::Notice, State::Notice),
        reversed(State::Objected, State::Objected),
        reversed(State::Assessed, State::Assessed),
        reversed(State::Appealed, State::Appealed),
        reversed(State::Adjudicated, State::Adjudicated),
        reversed(State::Paid, State::Notice),
        reversed(State::Closed, State::Closed),
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
            &[
                "nothing is left to be paid",
                "every payment is confirmed",
                "the term of the appeal is over, or the appeal is decided",
            ],
        ),
        closed_as_paid(State::Assessed),
        closed_as_paid(State::Appealed),
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
