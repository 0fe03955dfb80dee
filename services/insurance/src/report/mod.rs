//! The questions that people ask of the insurance (Work points 3.4).

mod benefits;
pub(crate) mod caps;
mod encode;
mod legs;
pub(crate) mod rules;
pub(crate) mod store;

use chassis::{
    call::Call,
    context::Context,
    fields,
    governance::Governance,
    identity::Scope,
    listing::{self, Asked},
    paging::Paging,
    refusal::{Faults, Refusal},
    wire,
};
use contracts::linli::insurance::v1::{self as pb, insurance_report_service_server::InsuranceReportService};
use kernel::{
    filter::{FieldSpec, Kind},
    name::{ProgrammeName, TownName},
};
use tonic::{Request, Response, Status};

use self::store::{Days, LossRatio, Policies, Rejections, Unclaimed, Waiting};
use crate::incident::rules::{UNCLAIMED_AFTER, verified_until};

/// The fields by which rejections are filtered.
const REJECTIONS: &[FieldSpec] = &[
    FieldSpec {
        name: "committee",
        column: "x.committee",
        kind: Kind::Name { collection: "committees", town: "x.town" },
    },
    FieldSpec { name: "peril", column: "x.peril", kind: Kind::Text },
];

/// The gRPC service.
#[derive(Clone, Debug)]
pub(crate) struct Reports {
    /// What handlers share.
    pub(crate) context: Context,
    /// Who knows committees and working days.
    pub(crate) governance: Governance,
}

/// The town that is asked about, and what the caller sees of it.
fn within(call: &Call, parent: &str) -> Result<(TownName, Scope), Refusal> {
    let town: TownName = wire::name("parent", parent)?;
    let scope = call.scope(town.town())?;
    Ok((town, scope))
}

/// The year that is asked about: that of today when none is said.
fn year(call: &Call, asked: i32) -> i32 {
    if asked == 0 { call.today().year().into() } else { asked }
}

/// The days of a year.
fn days_of(year: i32) -> Result<Days, Refusal> {
    rules::year(year).ok_or_else(|| Refusal::field("year", "RANGE", "没有这一年", "no such year"))
}

/// What a List without an order is asked.
fn listed<'a>(parent: &'a str, page: (i32, &'a str), filter: &'a str) -> listing::Request<'a> {
    let (page_size, page_token) = page;
    listing::Request {
        parent,
        page_size,
        page_token,
        filter,
        order_by: "",
        as_of_date: None,
        read_time: None,
    }
}

impl Reports {
    async fn loss_ratios(
        &self,
        call: &Call,
        request: &pb::GetLossRatiosRequest,
    ) -> Result<pb::LossRatios, Refusal> {
        let (town, scope) = within(call, &request.parent)?;
        // what a policy pays lies in all areas of the town
        if !scope.is_town() && scope.organisations().is_empty() {
            return Err(call.denied());
        }
        let mut faults = Faults::default();
        let programme = match request.programme.as_str() {
            "" => Some(None),
            name => faults
                .take(fields::in_town("programme", name, town.town(), ProgrammeName::town))
                .map(|name: ProgrammeName| Some(name.programme().to_owned())),
        };
        let programme = faults.finish(programme)?;
        let year = year(call, request.year);
        let bound = [town.town(), &year.to_string(), &request.programme];
        let paging = Paging::open(&self.context, call, &bound, request.page_size, &request.page_token)?;
        let asked = Policies {
            town: town.town(),
            scope: &scope,
            days: days_of(year)?,
            programme,
            after: paging.after_first().map(str::to_owned),
            limit: paging.limit(),
        };
        let mut read = self.context.db.read().await?;
        let mut found: Vec<LossRatio> = store::rows(read.sql(), store::loss_ratios_query(&asked)).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.policy.clone()]);
        let loss_ratios = found.iter().map(|row| encode::loss_ratio(&town, row)).collect::<Result<_, _>>()?;
        Ok(pb::LossRatios { year, loss_ratios, next_page_token })
    }

    async fn rejections(
        &self,
        call: &Call,
        request: &pb::ListRejectionReasonsRequest,
    ) -> Result<pb::ListRejectionReasonsResponse, Refusal> {
        let (town, _) = within(call, &request.parent)?;
        let year = year(call, request.year);
        let (days, bound) = (days_of(year)?, format!("{} {year}", request.filter));
        let asked = listed(&request.parent, (request.page_size, &request.page_token), &request.filter);
        let (asked, paging) = Asked::read_bound(&self.context, call, asked, REJECTIONS, &bound)?;
        let after = match paging.after.as_slice() {
            [programme, rule] => Some((programme.clone(), rule.clone())),
            _ => None,
        };
        let query = store::rejections_query(&asked, days, after);
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Rejections> = store::rows(read.sql(), query).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.programme.clone(), row.rule.clone()]);
        let shown = found.iter().map(|row| encode::rejection(&town, row, days, &request.filter));
        Ok(pb::ListRejectionReasonsResponse { rejection_reasons: shown.collect(), next_page_token })
    }

    async fn unclaimed(
        &self,
        call: &Call,
        request: &pb::ListUnclaimedByCommitteeRequest,
    ) -> Result<pb::ListUnclaimedByCommitteeResponse, Refusal> {
        let (town, scope) = within(call, &request.parent)?;
        let min_days = request.min_days.unwrap_or(UNCLAIMED_AFTER);
        let happened = if request.year == 0 { None } else { Some(days_of(request.year)?) };
        let bound = [town.town(), &request.year.to_string(), &min_days.to_string()];
        let paging = Paging::open(&self.context, call, &bound, request.page_size, &request.page_token)?;
        let today = call.today();
        let asked = Waiting {
            town: town.town(),
            scope: &scope,
            today,
            until: verified_until(today, min_days),
            happened,
            after: paging.after_first().map(str::to_owned),
            limit: paging.limit(),
        };
        let mut read = self.context.db.read().await?;
        let mut found: Vec<Unclaimed> = store::rows(read.sql(), store::unclaimed_query(&asked)).await?;
        let next_page_token = paging.next(&mut found, |row| vec![row.committee.clone()]);
        let shown = found.iter().map(|row| encode::unclaimed(&town, row, today));
        let unclaimed_counts = shown.collect::<Result<_, _>>()?;
        Ok(pb::ListUnclaimedByCommitteeResponse { unclaimed_counts, next_page_token })
    }
}

#[tonic::async_trait]
impl InsuranceReportService for Reports {
    async fn get_loss_ratios(
        &self,
        request: Request<pb::GetLossRatiosRequest>,
    ) -> Result<Response<pb::LossRatios>, Status> {
        Ok(Response::new(self.loss_ratios(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn get_leg_durations(
        &self,
        request: Request<pb::GetLegDurationsRequest>,
    ) -> Result<Response<pb::LegDurations>, Status> {
        Ok(Response::new(self.legs(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_rejection_reasons(
        &self,
        request: Request<pb::ListRejectionReasonsRequest>,
    ) -> Result<Response<pb::ListRejectionReasonsResponse>, Status> {
        Ok(Response::new(self.rejections(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_benefits_by_committee(
        &self,
        request: Request<pb::ListBenefitsByCommitteeRequest>,
    ) -> Result<Response<pb::ListBenefitsByCommitteeResponse>, Status> {
        Ok(Response::new(self.by_committee(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_unclaimed_by_committee(
        &self,
        request: Request<pb::ListUnclaimedByCommitteeRequest>,
    ) -> Result<Response<pb::ListUnclaimedByCommitteeResponse>, Status> {
        Ok(Response::new(self.unclaimed(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_exhausted_caps(
        &self,
        request: Request<pb::ListExhaustedCapsRequest>,
    ) -> Result<Response<pb::ListExhaustedCapsResponse>, Status> {
        Ok(Response::new(self.exhausted_caps(&Call::of(&request)?, request.get_ref()).await?))
    }
}
