//! Incidents 出险: reported → verified → claimed or not covered → closed; known before the family asks (Work points 3.4).

mod acts;
mod claims;
mod edit;
mod encode;
mod report;
pub(crate) mod rules;
mod sealed;
pub(crate) mod store;
mod unclaimed;
mod visits;

pub(crate) use claims::{claim_gone, hold, open_claim};
pub(crate) use sealed::{description_place, visit_place};

use chassis::{
    call::Call,
    context::Context,
    governance::Governance,
    listing,
    refusal::Refusal,
    state::available,
    timeline, wire,
    work::{Record, Work, mutate, mutate_given},
};
use contracts::linli::insurance::v1::{self as pb, incident_service_server::IncidentService};
use kernel::name::IncidentName;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use self::{edit::sees, rules::TABLE, store::Row};

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Incidents {
    /// What handlers share.
    pub(crate) context: Context,
    /// Who knows people, households, estates and stewards.
    pub(crate) governance: Governance,
}

impl Incidents {
    /// An incident that the caller may see.
    async fn row(&self, sql: &mut PgConnection, call: &Call, name: &IncidentName) -> Result<Row, Refusal> {
        let scope = call.scope(name.town())?;
        let row = store::get(sql, name, &scope, false).await?;
        row.ok_or_else(|| call.missing(&scope, "linli.dev/Incident", name.to_string()))
    }

    async fn read(&self, call: &Call, request: &pb::GetIncidentRequest) -> Result<pb::Incident, Refusal> {
        let name: IncidentName = wire::name("name", &request.name)?;
        call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        let row = self.row(read.sql(), call, &name).await?;
        let mut incident = whole(read.sql(), &row).await?;
        incident.description = encode::description(&row, self.context.db.vault())?;
        incident.masked = false;
        incident.available_actions =
            available(&TABLE, row.state()?, call, &row.town, |scope| sees(scope, &row));
        incident.timeline = timeline::read(read.sql(), name.town(), &row.name()).await?;
        Ok(incident)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListIncidentsRequest,
    ) -> Result<pb::ListIncidentsResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (page, paging) = listing::Asked::read(&self.context, call, asked, store::FILTER)?;
        let mut rows = store::list(self.context.db.read().await?.sql(), &page).await?;
        let next_page_token = paging.next(&mut rows, |row| vec![row.id.to_string()]);
        let incidents = rows.iter().map(encode::incident).collect::<Result<_, _>>()?;
        Ok(pb::ListIncidentsResponse { incidents, next_page_token })
    }

    /// Keeps the reading before anything is shown.
    async fn reveal(
        &self,
        call: &Call,
        request: &pb::RevealIncidentRequest,
    ) -> Result<pb::Incident, Refusal> {
        let name: IncidentName = wire::name("name", &request.name)?;
        call.scope(name.town())?;
        let purpose = request.purpose.split_whitespace().collect::<Vec<_>>().join(" ");
        if purpose.is_empty() {
            return Err(Refusal::field("purpose", "REQUIRED", "须写明用途", "say what for"));
        }
        let mut work = Work::plain(&self.context.db, call).await?;
        let row = self.row(work.sql(), call, &name).await?;
        let mut incident = whole(work.sql(), &row).await?;
        let visits = store::visits(work.sql(), &row.town, row.id).await?;
        work.commit(Record {
            town: row.town.clone(),
            resource: row.name(),
            summary: format!("read description and visits of {} in clear: {purpose}", row.name()),
            changes: Vec::new(),
            // the answer of a reading is never kept
            answer: pb::Incident::default(),
        })
        .await?;
        let vault = self.context.db.vault();
        incident.description = encode::description(&row, vault)?;
        incident.masked = false;
        let clear = visits.iter().map(|visit| encode::revealed_visit(&row.town, vault, visit));
        incident.visits = clear.collect::<Result<_, _>>()?;
        Ok(incident)
    }
}

/// An incident with what stands in other tables, masked.
async fn whole(sql: &mut PgConnection, row: &Row) -> Result<pb::Incident, Refusal> {
    let mut incident = encode::incident(row)?;
    // of one that was opened again, what was said before doesn't count until it is verified
    if row.verified_on.is_some() {
        let lines = store::cover(&mut *sql, &row.town, row.id, row.verification).await?;
        incident.programmes = lines.iter().map(|line| crate::cover::encode::line(&row.town, line)).collect();
    }
    let visits = store::visits(sql, &row.town, row.id).await?;
    incident.visits = encode::visits_of(row.id, &visits)?;
    Ok(incident)
}

#[tonic::async_trait]
impl IncidentService for Incidents {
    async fn get_incident(
        &self,
        request: Request<pb::GetIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_incidents(
        &self,
        request: Request<pb::ListIncidentsRequest>,
    ) -> Result<Response<pb::ListIncidentsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_unclaimed_incidents(
        &self,
        request: Request<pb::ListUnclaimedIncidentsRequest>,
    ) -> Result<Response<pb::ListUnclaimedIncidentsResponse>, Status> {
        Ok(Response::new(self.page_unclaimed(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_incident(
        &self,
        request: Request<pb::CreateIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        let known = report::before(&self.governance, &Call::of(&request)?, request.get_ref()).await?;
        mutate_given::<report::Report>(&self.context, &known, request).await
    }

    async fn verify_incident(
        &self,
        request: Request<pb::VerifyIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        let call = Call::of(&request)?;
        let known = acts::before(&self.context, &self.governance, &call, &request.get_ref().name).await?;
        mutate_given::<acts::Verify>(&self.context, &known, request).await
    }

    async fn close_incident(
        &self,
        request: Request<pb::CloseIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        mutate::<acts::Close>(&self.context, request).await
    }

    async fn reopen_incident(
        &self,
        request: Request<pb::ReopenIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        mutate::<acts::Reopen>(&self.context, request).await
    }

    async fn assign_visit(
        &self,
        request: Request<pb::AssignVisitRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        let known = visits::before(&self.governance, &Call::of(&request)?, request.get_ref()).await?;
        mutate_given::<visits::Assign>(&self.context, &known, request).await
    }

    async fn record_visit(
        &self,
        request: Request<pb::RecordVisitRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        mutate::<visits::RecordVisit>(&self.context, request).await
    }

    async fn reveal_incident(
        &self,
        request: Request<pb::RevealIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        let (call, request) = (Call::of(&request)?, request.into_inner());
        Ok(Response::new(self.reveal(&call, &request).await?))
    }
}
