//! Learners in sessions 报名, from enrolment to the certificate.

mod acts;
mod encode;
mod exam;
mod learner;
mod store;

pub(super) use acts::{Attend, Create, GiveFeedback, Withdraw, withdraw_all};
pub(super) use exam::RecordAttempt;
pub(super) use learner::need_known;

use chassis::{
    actor::{Actor, another},
    call::Call,
    context::Context,
    listing::{self, Asked},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
};
use contracts::linli::{common::v1::Obstacle, workforce::v1 as pb};
use kernel::{name::EnrolmentName, state::Named};

use self::store::Row;
use super::{
    rules::{ENROLMENT, Verb},
    session::store::{self as sessions, Row as Session},
};

/// Why the caller can't do with an enrolment what its state allows.
fn hindrance(call: &Call, row: &Row, session: &Session, verb: Verb) -> Option<Hindrance> {
    let missing = |tried: Result<(), Refusal>| tried.err().map(|why| Hindrance::of(Obstacle::Missing, &why));
    match verb {
        Verb::Withdraw => missing(acts::need_planned(session)),
        Verb::RecordAttendance => missing(acts::need_held(session)),
        Verb::RecordExamAttempt => missing(exam::need_exam(session)).or_else(|| {
            let who = Actor::of(call);
            let four_eyes = another(&row.name(), verb.name(), &who, &[("learn", &row.learner())]);
            four_eyes.err().map(|why| Hindrance::of(Obstacle::FourEyes, &why))
        }),
        Verb::GiveFeedback => missing(acts::need_no_feedback(row)),
        Verb::Create | Verb::Wait | Verb::MoveUp | Verb::Miss | Verb::Pass | Verb::Fail => None,
    }
}

/// An enrolment with its attempts and what the caller can do.
pub(super) async fn read(context: &Context, call: &Call, name: &str) -> Result<pb::Enrolment, Refusal> {
    let name: EnrolmentName = wire::name("name", name)?;
    let scope = call.scope(name.town())?;
    let mut read = context.db.read().await?;
    let found = store::get(read.sql(), &name, &scope).await?;
    let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Enrolment", name.to_string()))?;
    let session = sessions::get(read.sql(), &found.session()?).await?;
    let session = session.ok_or_else(|| Refusal::internal(format!("{name} has no session")))?;
    let mut answer = encode::enrolment(&found);
    answer.exam_attempts = encode::attempts(&store::attempts(read.sql(), &found).await?)?;
    let sees = |scope: &chassis::identity::Scope| found.is_seen(scope);
    let hindered = |verb: Verb| hindrance(call, &found, &session, verb);
    answer.available_actions =
        available_unless(&ENROLMENT, found.state()?, call, name.town(), sees, hindered);
    answer.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
    Ok(answer)
}

/// A page of enrolments.
pub(super) async fn page(
    context: &Context,
    call: &Call,
    request: &pb::ListEnrolmentsRequest,
) -> Result<pb::ListEnrolmentsResponse, Refusal> {
    let asked = listing::request_undated!(request);
    let (asked, paging) = Asked::read(context, call, asked, encode::FILTER)?;
    let mut read = context.db.read().await?;
    let mut found: Vec<Row> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
    let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
    Ok(pb::ListEnrolmentsResponse {
        enrolments: found.iter().map(encode::enrolment).collect(),
        next_page_token,
    })
}
