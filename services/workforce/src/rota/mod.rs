//! The rota 值班: who is on duty on weekends, holidays and in the staggered hours of working days (Work points 4.1).

mod acts;
mod encode;
mod hand;
pub mod plan;
mod publish;
pub(crate) mod rules;
mod store;
mod swap;

use chassis::{
    actor::Actor,
    call::Call,
    context::Context,
    governance::Governance,
    identity::Scope,
    listing::{self, Asked},
    refusal::{FieldFault, Refusal},
    state::{Hindrance, available_unless},
    timeline, wire,
    work::{mutate, mutate_given},
};
use contracts::linli::{
    common::v1::Obstacle as Hinders,
    workforce::v1::{self as pb, rota_service_server::RotaService},
};
use jiff::civil::Date;
use kernel::{
    name::{CommitteeName, DutyName, DutySwapName, RotaName},
    state::Named,
};
use tonic::{Request, Response, Status};

use self::{
    acts::Known,
    rules::{SWAPS, SwapVerb, TABLE, Verb},
    store::{Row, Terms, duties, swaps},
    swap::Kept,
};

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Rotas {
    /// What handlers share.
    pub(crate) context: Context,
    /// Whom it asks for committees and working days.
    pub(crate) governance: Governance,
}

impl Rotas {
    /// What a rota rests on that governance knows, asked before anything is locked.
    async fn known(&self, call: &Call, request: &pb::GenerateRotaRequest) -> Result<Known, Refusal> {
        let calendar = self.governance.calendar().await?;
        let mut unknown = Vec::new();
        for name in &request.committees {
            // what is no name, or lies outside the caller's areas, is refused by the work
            let Ok(committee) = CommitteeName::parse(name) else { continue };
            let scope = call.may(call.permission(), committee.town());
            if scope.holds_committee(committee.committee())
                && self.governance.committee(&committee).await?.is_none()
            {
                unknown.push(name.clone());
            }
        }
        Ok(Known { calendar, unknown })
    }

    async fn rota(&self, call: &Call, request: &pb::GetRotaRequest) -> Result<pb::Rota, Refusal> {
        let name: RotaName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let calendar = self.governance.calendar().await?;
        let mut read = self.context.db.read().await?;
        let row = store::get(read.sql(), &name, &scope, &calendar).await?;
        let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Rota", name.to_string()))?;
        let mut answer = encode::rota(&row)?;
        for (duty, wrong) in publish::broken(read.sql(), &row, call.today()).await? {
            answer.broken_duties.push(pb::BrokenDuty {
                duty: duty.name(),
                date: Some(wire::to_date(duty.day()?)),
                worker: encode::below(&row.town, "workers", duty.worker.as_deref().unwrap_or_default()),
                obstacles: wrong.iter().map(|one| encode::obstacle(one.name())).collect(),
            });
        }
        let four_eyes = publish::need_another(read.sql(), &row, &Actor::of(call)).await.err();
        let hindered = |verb: Verb| match (verb, &four_eyes) {
            (Verb::Publish, Some(why)) => Some(Hindrance::of(Hinders::FourEyes, why)),
            _ => None,
        };
        let all = |scope: &Scope| row.committees.iter().all(|committee| scope.holds_committee(committee));
        answer.available_actions = available_unless(&TABLE, row.state()?, call, &row.town, all, hindered);
        answer.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(answer)
    }

    async fn rotas(
        &self,
        call: &Call,
        request: &pb::ListRotasRequest,
    ) -> Result<pb::ListRotasResponse, Refusal> {
        let committee = match request.committee.is_empty() {
            true => None,
            false => Some(wire::name::<CommitteeName>("committee", &request.committee)?),
        };
        let own = format!("{} {} {}", request.filter, request.calendar_changed, request.committee);
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read_bound(&self.context, call, asked, encode::ROTAS, &own)?;
        let calendar = self.governance.calendar().await?;
        let committee = committee.as_ref().map(CommitteeName::committee);
        let mut query = store::list_query(&asked, &calendar, request.calendar_changed, committee);
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Row> = query.build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
        let rotas = found.iter().map(encode::rota).collect::<Result<_, _>>()?;
        Ok(pb::ListRotasResponse { rotas, next_page_token })
    }

    async fn policies(
        &self,
        call: &Call,
        request: &pb::ListRotaPoliciesRequest,
    ) -> Result<pb::ListRotaPoliciesResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::POLICIES)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Terms> =
            store::policies_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
        let rota_policies = found.iter().map(encode::policy).collect::<Result<_, _>>()?;
        Ok(pb::ListRotaPoliciesResponse { rota_policies, next_page_token })
    }

    async fn duty(&self, call: &Call, request: &pb::GetDutyRequest) -> Result<pb::Duty, Refusal> {
        let name: DutyName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let found = duties::get(self.context.db.read().await?.sql(), &name, &scope).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Duty", name.to_string()))?;
        encode::duty(&found)
    }

    async fn duties(
        &self,
        call: &Call,
        request: &pb::ListDutiesRequest,
    ) -> Result<pb::ListDutiesResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::DUTIES)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<duties::Row> =
            duties::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
        let duties = found.iter().map(encode::duty).collect::<Result<_, _>>()?;
        Ok(pb::ListDutiesResponse { duties, next_page_token })
    }

    async fn hours(
        &self,
        call: &Call,
        request: &pb::ListDutyHoursRequest,
    ) -> Result<pb::ListDutyHoursResponse, Refusal> {
        let (from, to) = period(request)?;
        let own = format!("{} {from} {to}", request.filter);
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read_bound(&self.context, call, asked, encode::HOURS, &own)?;
        let mut read = self.context.db.read().await?;
        let mut query = duties::hours_query(&asked, from, to);
        let mut found: Vec<duties::Hours> = query.build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.worker.clone()]);
        let duty_hours = found.iter().map(|row| encode::hours_of(&asked.town, row)).collect();
        Ok(pb::ListDutyHoursResponse { duty_hours, next_page_token })
    }

    async fn swap(&self, call: &Call, request: &pb::GetDutySwapRequest) -> Result<pb::DutySwap, Refusal> {
        let name: DutySwapName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        let row = swaps::get(read.sql(), &name, &scope).await?;
        let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/DutySwap", name.to_string()))?;
        let mut answer = encode::swap(&row)?;
        let hindered = |verb: SwapVerb| {
            let permission = SWAPS.rows.iter().find(|row| row.verb == verb).map_or("", |row| row.permission);
            match swap::kept(call, &row, &call.may(permission, &row.town), verb)? {
                Kept::NotHis => {
                    let (zh, en) = ("应由他人办理", "it is somebody else's step");
                    Some(Hindrance::new(Hinders::Permission, zh, en))
                }
                Kept::FourEyes(why) => Some(Hindrance::of(Hinders::FourEyes, &why)),
            }
        };
        let some = |scope: &Scope| row.committees.iter().any(|committee| scope.holds_committee(committee));
        answer.available_actions = available_unless(&SWAPS, row.state()?, call, &row.town, some, hindered);
        answer.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        Ok(answer)
    }

    async fn swaps(
        &self,
        call: &Call,
        request: &pb::ListDutySwapsRequest,
    ) -> Result<pb::ListDutySwapsResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (asked, paging) = Asked::read(&self.context, call, asked, encode::SWAPS)?;
        let mut read = self.context.db.read().await?;
        let mut found: Vec<swaps::Row> =
            swaps::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
        let duty_swaps = found.iter().map(encode::swap).collect::<Result<_, _>>()?;
        Ok(pb::ListDutySwapsResponse { duty_swaps, next_page_token })
    }
}

/// The days of a request for hours.
fn period(request: &pb::ListDutyHoursRequest) -> Result<(Date, Date), Refusal> {
    let from = wire::required_date("start_date", request.start_date.as_ref()).map_err(Refusal::one)?;
    let to = wire::required_date("end_date", request.end_date.as_ref()).map_err(Refusal::one)?;
    if from < to {
        return Ok((from, to));
    }
    let (zh, en) = ("应晚于 start_date", "must come after start_date");
    Err(Refusal::one(FieldFault::new("end_date", "ORDER", zh, en)))
}

#[tonic::async_trait]
impl RotaService for Rotas {
    async fn get_rota(&self, request: Request<pb::GetRotaRequest>) -> Result<Response<pb::Rota>, Status> {
        Ok(Response::new(self.rota(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_rotas(
        &self,
        request: Request<pb::ListRotasRequest>,
    ) -> Result<Response<pb::ListRotasResponse>, Status> {
        Ok(Response::new(self.rotas(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_rota_policies(
        &self,
        request: Request<pb::ListRotaPoliciesRequest>,
    ) -> Result<Response<pb::ListRotaPoliciesResponse>, Status> {
        Ok(Response::new(self.policies(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_duty(&self, request: Request<pb::GetDutyRequest>) -> Result<Response<pb::Duty>, Status> {
        Ok(Response::new(self.duty(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_duties(
        &self,
        request: Request<pb::ListDutiesRequest>,
    ) -> Result<Response<pb::ListDutiesResponse>, Status> {
        Ok(Response::new(self.duties(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_duty_hours(
        &self,
        request: Request<pb::ListDutyHoursRequest>,
    ) -> Result<Response<pb::ListDutyHoursResponse>, Status> {
        Ok(Response::new(self.hours(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_duty_swap(
        &self,
        request: Request<pb::GetDutySwapRequest>,
    ) -> Result<Response<pb::DutySwap>, Status> {
        Ok(Response::new(self.swap(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_duty_swaps(
        &self,
        request: Request<pb::ListDutySwapsRequest>,
    ) -> Result<Response<pb::ListDutySwapsResponse>, Status> {
        Ok(Response::new(self.swaps(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_rota_policy(
        &self,
        request: Request<pb::CreateRotaPolicyRequest>,
    ) -> Result<Response<pb::RotaPolicy>, Status> {
        mutate::<acts::CreatePolicy>(&self.context, request).await
    }

    async fn generate_rota(
        &self,
        request: Request<pb::GenerateRotaRequest>,
    ) -> Result<Response<pb::Rota>, Status> {
        let known = self.known(&Call::of(&request)?, request.get_ref()).await?;
        mutate_given::<acts::Generate>(&self.context, &known, request).await
    }

    async fn publish_rota(
        &self,
        request: Request<pb::PublishRotaRequest>,
    ) -> Result<Response<pb::Rota>, Status> {
        let calendar = self.governance.calendar().await?;
        mutate_given::<publish::Publish>(&self.context, &calendar, request).await
    }

    async fn discard_rota(
        &self,
        request: Request<pb::DiscardRotaRequest>,
    ) -> Result<Response<pb::Rota>, Status> {
        let calendar = self.governance.calendar().await?;
        mutate_given::<publish::Discard>(&self.context, &calendar, request).await
    }

    async fn assign_duty(
        &self,
        request: Request<pb::AssignDutyRequest>,
    ) -> Result<Response<pb::Duty>, Status> {
        mutate::<hand::Assign>(&self.context, request).await
    }

    async fn unassign_duty(
        &self,
        request: Request<pb::UnassignDutyRequest>,
    ) -> Result<Response<pb::Duty>, Status> {
        mutate::<hand::Unassign>(&self.context, request).await
    }

    async fn create_duty_swap(
        &self,
        request: Request<pb::CreateDutySwapRequest>,
    ) -> Result<Response<pb::DutySwap>, Status> {
        mutate::<swap::Create>(&self.context, request).await
    }

    async fn consent_duty_swap(
        &self,
        request: Request<pb::ConsentDutySwapRequest>,
    ) -> Result<Response<pb::DutySwap>, Status> {
        mutate::<swap::Consent>(&self.context, request).await
    }

    async fn approve_duty_swap(
        &self,
        request: Request<pb::ApproveDutySwapRequest>,
    ) -> Result<Response<pb::DutySwap>, Status> {
        mutate::<swap::Approve>(&self.context, request).await
    }

    async fn reject_duty_swap(
        &self,
        request: Request<pb::RejectDutySwapRequest>,
    ) -> Result<Response<pb::DutySwap>, Status> {
        mutate::<swap::Reject>(&self.context, request).await
    }

    async fn withdraw_duty_swap(
        &self,
        request: Request<pb::WithdrawDutySwapRequest>,
    ) -> Result<Response<pb::DutySwap>, Status> {
        mutate::<swap::Withdraw>(&self.context, request).await
    }
}
