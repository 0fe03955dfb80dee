//! Grants to self-governance projects 自治项目 from the service fund or the town's pool (Work points 2.3).

mod acts;
pub mod rules;
pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    governance::Governance,
    identity::Scope,
    listing::{self, Asked},
    refusal::Refusal,
    state::{Hindrance, available_unless},
    timeline, wire,
    work::{mutate, mutate_given},
};
use contracts::linli::{
    common::v1::Obstacle,
    funding::v1::{self as pb, project_grant_service_server::ProjectGrantService},
};
use kernel::{
    etag::Etag,
    filter::{FieldSpec, Kind},
    money::Fen,
    name::{CommitteeName, ProjectGrantName, TownName},
    state::Named,
};
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use self::{
    rules::{Source, State, TABLE, Verb},
    store::Grant,
};
use crate::{actor::Actor, delegation::day, ledger::store as ledger, money::to_money};

const fn field(name: &'static str, column: &'static str, kind: Kind) -> FieldSpec {
    FieldSpec { name, column, kind }
}

const FILTER: &[FieldSpec] = &[
    field("state", "g.state", Kind::Enum(State::NAMES)),
    field("project", "g.project", Kind::Name { collection: "projects", town: "g.town" }),
    field("committee", "g.committee", Kind::Name { collection: "committees", town: "g.town" }),
    field("source", "g.source", Kind::Enum(Source::NAMES)),
    field("fiscal_year", "g.fiscal_year", Kind::Integer),
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct ProjectGrants {
    /// What handlers share.
    pub context: Context,
    /// Whom it asks for committees.
    pub governance: Governance,
}

/// A grant as a List shows it.
fn encode(grant: &Grant) -> Result<pb::ProjectGrant, Refusal> {
    let of = |kind: &str, id: &str| format!("towns/{}/{kind}/{id}", grant.town);
    let date = |text: &Option<String>| text.as_deref().map(|text| day(text).map(wire::to_date)).transpose();
    let source = pb::ProjectGrantSource::from_str_name(&format!("PROJECT_GRANT_SOURCE_{}", grant.source));
    let state = pb::ProjectGrantState::from_str_name(&format!("PROJECT_GRANT_STATE_{}", grant.state));
    Ok(pb::ProjectGrant {
        name: grant.name(),
        project: of("projects", &grant.project),
        committee: of("committees", &grant.committee),
        source: source.unwrap_or_default().into(),
        fiscal_year: grant.fiscal_year,
        amount: Some(to_money(grant.amount())),
        purpose: grant.purpose.clone(),
        evidence: grant.evidence.clone(),
        state: state.unwrap_or_default().into(),
        propose_date: Some(wire::to_date(day(&grant.proposed_on)?)),
        decide_date: date(&grant.decided_on)?,
        close_date: date(&grant.closed_on)?,
        reason: grant.reason.clone(),
        returned_amount: Some(to_money(Fen::of(grant.returned_fen))),
        proposer: grant.proposed_by.clone(),
        granter: grant.granted_by.clone(),
        etag: Etag::of(grant.version).to_string(),
        create_time: Some(wire::to_timestamp(grant.created)),
        update_time: Some(wire::to_timestamp(grant.updated)),
        ..Default::default()
    })
}

/// A grant with what was spent of it.
async fn view(sql: &mut PgConnection, grant: &Grant) -> Result<pb::ProjectGrant, Refusal> {
    let mut answer = encode(grant)?;
    let granted = match grant.state()? {
        State::Granted | State::Closed => grant.amount(),
        State::Proposed | State::Rejected | State::Withdrawn => return Ok(answer),
    };
    let accounts = ledger::since(sql, &grant.town, &grant.account()?).await?;
    let left = match grant.state()? {
        // what lies there now belongs to a later grant of the project
        State::Closed => Fen::ZERO,
        _ => Fen::sum(accounts.iter().map(|account| account.balance)).map_err(Refusal::internal)?,
    };
    let spent = granted.checked_sub(left).and_then(|rest| rest.checked_sub(Fen::of(grant.returned_fen)));
    answer.account = accounts.last().map(|account| account.name(&grant.town)).unwrap_or_default();
    answer.left_amount = Some(to_money(left));
    answer.spent_amount = Some(to_money(spent.map_err(Refusal::internal)?));
    Ok(answer)
}

impl ProjectGrants {
    async fn read(&self, call: &Call, name: &str) -> Result<pb::ProjectGrant, Refusal> {
        let name: ProjectGrantName = wire::name("name", name)?;
        let scope = call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        let found = store::get(read.sql(), &name, &scope, false).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/ProjectGrant", name.to_string()))?;
        let mut answer = view(read.sql(), &found).await?;
        let sees = |scope: &Scope| scope.is_town() || scope.ids().1.contains(&found.committee);
        let who = Actor::of(call);
        let hindered = |verb: Verb| match verb {
            Verb::Grant => {
                acts::need_another(&found, &who).err().map(|why| Hindrance::of(Obstacle::FourEyes, &why))
            }
            Verb::Withdraw => {
                acts::need_proposer(&found, &who).err().map(|why| Hindrance::of(Obstacle::Missing, &why))
            }
            Verb::Create | Verb::Reject | Verb::Close => None,
        };
        answer.available_actions =
            available_unless(&TABLE, found.state()?, call, name.town(), sees, hindered);
        answer.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(answer)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListProjectGrantsRequest,
    ) -> Result<pb::ListProjectGrantsResponse, Refusal> {
        let (asked, paging) = Asked::read(&self.context, call, listing::request_undated!(request), FILTER)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Grant> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |grant| vec![grant.id.to_string()]);
        let project_grants = found.iter().map(encode).collect::<Result<_, _>>()?;
        Ok(pb::ListProjectGrantsResponse { project_grants, next_page_token })
    }

    async fn create(
        &self,
        request: Request<pb::CreateProjectGrantRequest>,
    ) -> Result<Response<pb::ProjectGrant>, Status> {
        let (call, asked) = (Call::of(&request)?, request.get_ref());
        let town: TownName = wire::name("parent", &asked.parent)?;
        let scope = call.scope(town.town())?;
        let committee =
            asked.project_grant.as_ref().map(|grant| grant.committee.as_str()).unwrap_or_default();
        let known = match CommitteeName::parse(committee) {
            // whoever may not propose there learns nothing of what governance has
            Ok(name)
                if name.town() == town.town()
                    && (scope.is_town() || scope.ids().1.iter().any(|id| id == name.committee())) =>
            {
                self.governance.committee(&name).await?.is_some()
            }
            _ => true,
        };
        mutate_given::<acts::Create>(&self.context, &acts::Known(known), request).await
    }
}

#[tonic::async_trait]
impl ProjectGrantService for ProjectGrants {
    async fn get_project_grant(
        &self,
        request: Request<pb::GetProjectGrantRequest>,
    ) -> Result<Response<pb::ProjectGrant>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, &request.get_ref().name).await?))
    }

    async fn list_project_grants(
        &self,
        request: Request<pb::ListProjectGrantsRequest>,
    ) -> Result<Response<pb::ListProjectGrantsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_project_grant(
        &self,
        request: Request<pb::CreateProjectGrantRequest>,
    ) -> Result<Response<pb::ProjectGrant>, Status> {
        self.create(request).await
    }

    async fn grant_project_grant(
        &self,
        request: Request<pb::GrantProjectGrantRequest>,
    ) -> Result<Response<pb::ProjectGrant>, Status> {
        mutate::<acts::Give>(&self.context, request).await
    }

    async fn reject_project_grant(
        &self,
        request: Request<pb::RejectProjectGrantRequest>,
    ) -> Result<Response<pb::ProjectGrant>, Status> {
        mutate::<acts::Reject>(&self.context, request).await
    }

    async fn withdraw_project_grant(
        &self,
        request: Request<pb::WithdrawProjectGrantRequest>,
    ) -> Result<Response<pb::ProjectGrant>, Status> {
        mutate::<acts::Withdraw>(&self.context, request).await
    }

    async fn close_project_grant(
        &self,
        request: Request<pb::CloseProjectGrantRequest>,
    ) -> Result<Response<pb::ProjectGrant>, Status> {
        mutate::<acts::Close>(&self.context, request).await
    }
}
