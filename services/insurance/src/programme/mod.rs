//! Programmes 险种: the schemes under which policies are signed (Work points 3.4).

mod acts;
pub(crate) mod rules;
pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    identity::Scope,
    listing::{self, Asked},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::mutate,
};
use contracts::linli::{
    common::v1::Obstacle,
    insurance::v1::{self as pb, programme_service_server::ProgrammeService},
};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    name::ProgrammeName,
    state::Named,
};
use tonic::{Request, Response, Status};

use self::{
    rules::{State, TABLE, Verb},
    store::Stored,
};

/// What a List may ask for.
const FILTER: &[FieldSpec] = &[
    FieldSpec {
        name: "state",
        column: "(case when g.deleted is null then 'ACTIVE' else 'DELETED' end)",
        kind: Kind::Enum(State::NAMES),
    },
    FieldSpec { name: "rank", column: "g.rank", kind: Kind::Integer },
    FieldSpec { name: "display_name", column: "g.display_name", kind: Kind::Text },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub(crate) struct Programmes(pub(crate) Context);

/// A programme without what only Get shows.
fn encode(stored: &Stored) -> pb::Programme {
    let state = match stored.state() {
        State::Active => pb::ProgrammeState::Active,
        State::Deleted => pb::ProgrammeState::Deleted,
    };
    pb::Programme {
        name: stored.name(),
        display_name: stored.display_name.clone(),
        rank: stored.rank,
        state: state.into(),
        etag: Etag::of(stored.version).to_string(),
        create_time: Some(wire::to_timestamp(stored.created)),
        update_time: Some(wire::to_timestamp(stored.updated)),
        ..Default::default()
    }
}

impl Programmes {
    async fn read(&self, call: &Call, request: &pb::GetProgrammeRequest) -> Result<pb::Programme, Refusal> {
        let name: ProgrammeName = wire::name("name", &request.name)?;
        // a programme is the town's: whoever may read programmes anywhere in it may read this one
        let scope = call.scope(name.town())?;
        let mut read = self.0.db.read().await?;
        let found = store::get(read.sql(), &name, false).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Programme", name.to_string()))?;
        let policy = store::policy_of(read.sql(), &name, false).await?;
        let hindered = |verb: Verb| match verb {
            Verb::Delete => {
                let why = acts::in_use(&name.to_string(), name.town(), policy.as_ref()?);
                Some(Hindrance::of(Obstacle::Missing, &why))
            }
            Verb::Create | Verb::Update | Verb::Undelete => None,
        };
        let mut programme = encode(&found);
        programme.available_actions =
            available_unless(&TABLE, found.state(), call, name.town(), Scope::is_town, hindered);
        programme.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(programme)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListProgrammesRequest,
    ) -> Result<pb::ListProgrammesResponse, Refusal> {
        let (asked, paging) = Asked::read(&self.0, call, listing::request_undated!(request), FILTER)?;
        let mut found = store::list(self.0.db.read().await?.sql(), &asked).await?;
        let next_page_token = paging.next(&mut found, |stored| vec![stored.id.clone()]);
        Ok(pb::ListProgrammesResponse { programmes: found.iter().map(encode).collect(), next_page_token })
    }
}

#[tonic::async_trait]
impl ProgrammeService for Programmes {
    async fn get_programme(
        &self,
        request: Request<pb::GetProgrammeRequest>,
    ) -> Result<Response<pb::Programme>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_programmes(
        &self,
        request: Request<pb::ListProgrammesRequest>,
    ) -> Result<Response<pb::ListProgrammesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_programme(
        &self,
        request: Request<pb::CreateProgrammeRequest>,
    ) -> Result<Response<pb::Programme>, Status> {
        mutate::<acts::Create>(&self.0, request).await
    }

    async fn update_programme(
        &self,
        request: Request<pb::UpdateProgrammeRequest>,
    ) -> Result<Response<pb::Programme>, Status> {
        mutate::<acts::Update>(&self.0, request).await
    }

    async fn delete_programme(
        &self,
        request: Request<pb::DeleteProgrammeRequest>,
    ) -> Result<Response<pb::Programme>, Status> {
        mutate::<acts::Delete>(&self.0, request).await
    }

    async fn undelete_programme(
        &self,
        request: Request<pb::UndeleteProgrammeRequest>,
    ) -> Result<Response<pb::Programme>, Status> {
        mutate::<acts::Undelete>(&self.0, request).await
    }
}
