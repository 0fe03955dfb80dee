//! Sessions of courses 培训班次.

pub(super) mod acts;
mod encode;
pub(super) mod store;

use chassis::{
    call::Call,
    context::Context,
    identity::Scope,
    listing::{self, Asked},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
};
use contracts::linli::{common::v1::Obstacle, workforce::v1 as pb};
use kernel::name::TrainingSessionName;

use self::store::Row;
use super::rules::{SESSION, SessionVerb};

/// A session with what the caller can do.
pub(super) async fn read(context: &Context, call: &Call, name: &str) -> Result<pb::TrainingSession, Refusal> {
    let name: TrainingSessionName = wire::name("name", name)?;
    let scope = call.scope(name.town())?;
    let mut read = context.db.read().await?;
    let found = store::get(read.sql(), &name).await?;
    let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/TrainingSession", name.to_string()))?;
    let mut answer = encode::session(&found)?;
    let early = |verb: SessionVerb| {
        let why = (verb == SessionVerb::Hold).then(|| acts::need_begun(&found, call.today()).err())??;
        Some(Hindrance::of(Obstacle::Missing, &why))
    };
    answer.available_actions =
        available_unless(&SESSION, found.state()?, call, name.town(), Scope::is_town, early);
    answer.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
    Ok(answer)
}

/// A page of sessions.
pub(super) async fn page(
    context: &Context,
    call: &Call,
    request: &pb::ListTrainingSessionsRequest,
) -> Result<pb::ListTrainingSessionsResponse, Refusal> {
    let asked = listing::request_undated!(request);
    let (asked, paging) = Asked::read(context, call, asked, encode::FILTER)?;
    let mut read = context.db.read().await?;
    let mut found: Vec<Row> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
    let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
    let training_sessions = found.iter().map(encode::session).collect::<Result<_, _>>()?;
    Ok(pb::ListTrainingSessionsResponse { training_sessions, next_page_token })
}
