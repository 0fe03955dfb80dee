//! Committees 居委会, 村委会 and those in preparation 筹建.

pub(crate) mod edit;
pub(crate) mod encode;
pub mod rules;
pub(crate) mod store;

mod carry;
mod count;
mod lineage;
mod merge;
mod split;
mod transitions;

use chassis::{
    call::Call,
    context::Context,
    identity::Scope,
    paging::{self, Paging},
    refusal::Refusal,
    state::available,
    timeline, wire,
    work::mutate,
};
use contracts::linli::governance::v1::{self as pb, committee_service_server::CommitteeService};
use kernel::name::{CommitteeName, TownName};
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use crate::as_of::AsOf;

/// How many are counted exactly.
const COUNTED: i64 = 10_000;

/// The gRPC service.
#[derive(Clone, Debug)]
pub struct Committees(pub Context);

impl Committees {
    async fn read(&self, call: &Call, request: &pb::GetCommitteeRequest) -> Result<pb::Committee, Refusal> {
        let name: CommitteeName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let view = store::get(read.sql(), &name, &scope, &as_of).await?;
        let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Committee", name.to_string()))?;
        let mut committee = encode::committee(&view)?;
        // verbs are judged by what the line ends in: a merger that is due closes the committee for others now
        let line = store::believed(read.sql(), &name).await?;
        if let Some(state) = rules::last(&line).map(|facts| facts.state) {
            let sees = |scope: &Scope| sees(scope, &view.community, &view.id);
            committee.available_actions = available(&rules::TABLE, state, call, name.town(), sees);
        }
        committee.timeline = timeline::read(read.sql(), name.town(), &name.to_string()).await?;
        committee.successors = successors(read.sql(), &name, &as_of).await?;
        Ok(committee)
    }

    async fn resolve(
        &self,
        call: &Call,
        request: &pb::ResolveCommitteeRequest,
    ) -> Result<pb::CommitteeLineage, Refusal> {
        let name: CommitteeName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let mut read = self.0.db.read().await?;
        let view = store::get(read.sql(), &name, &scope, &as_of).await?;
        view.ok_or_else(|| call.missing(&scope, "linli.dev/Committee", name.to_string()))?;
        lineage::lineage(read.sql(), &name, &as_of).await
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListCommitteesRequest,
    ) -> Result<pb::ListCommitteesResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), request.read_time.as_ref())?;
        let order = paging::order_by(&request.order_by, &["name"])?;
        let filter = paging::filter(&request.filter, encode::FILTER)?;
        let counted = wire::date("household_count_date", request.household_count_date.as_ref())
            .map_err(|fault| Refusal::fields(vec![fault]))?;
        let counted_key = counted.map(|day| day.to_string()).unwrap_or_default();
        let bound = [town.town(), &request.filter, &request.order_by, &as_of.key(), &counted_key];
        let paging = Paging::open(&self.0, call, &bound, request.page_size, &request.page_token)?;
        let asked = store::Asked {
            town: town.town(),
            scope: &scope,
            as_of: &as_of,
            counted,
            filter: &filter,
            descending: order.descending,
            after: paging.after_first(),
            limit: paging.limit(),
        };
        let mut read = self.0.db.read().await?;
        let mut views = store::list(read.sql(), &asked).await?;
        let next_page_token = paging.next(&mut views, |view| vec![view.id.clone()]);
        let total =
            if request.include_total_size { store::count(read.sql(), &asked, COUNTED).await? } else { 0 };
        Ok(pb::ListCommitteesResponse {
            committees: views.iter().map(encode::committee).collect::<Result<_, _>>()?,
            next_page_token,
            total_size: i32::try_from(total.min(COUNTED)).unwrap_or(i32::MAX),
            total_size_estimated: total > COUNTED,
        })
    }

    async fn counts(
        &self,
        call: &Call,
        request: &pb::ListHouseholdCountsRequest,
    ) -> Result<pb::ListHouseholdCountsResponse, Refusal> {
        let name: CommitteeName = wire::name("parent", &request.parent)?;
        let scope = call.scope(name.town())?;
        let as_of = AsOf::of(call, None, request.read_time.as_ref())?;
        let paging = Paging::open(
            &self.0,
            call,
            &[&request.parent, &as_of.instant()],
            request.page_size,
            &request.page_token,
        )?;
        let mut read = self.0.db.read().await?;
        let seen = store::get(read.sql(), &name, &scope, &AsOf::now(call.today())).await?;
        seen.ok_or_else(|| call.missing(&scope, "linli.dev/Committee", name.to_string()))?;
        let mut counts =
            store::counts(read.sql(), &name, &as_of, paging.after_first(), paging.limit()).await?;
        let next_page_token = paging.next(&mut counts, |(count, _)| vec![count.valid_on.to_string()]);
        let household_counts =
            counts.iter().map(|(count, recorded)| encode::household_count(count, *recorded)).collect();
        Ok(pb::ListHouseholdCountsResponse { household_counts, next_page_token })
    }
}

/// The names of those to which a committee or parts of it went by the day.
pub(crate) async fn successors(
    sql: &mut PgConnection,
    name: &CommitteeName,
    as_of: &AsOf,
) -> Result<Vec<String>, Refusal> {
    let steps = store::steps(sql, name.town(), &[name.committee().to_owned()], as_of).await?;
    let mut all: Vec<&store::Step> = steps.iter().collect();
    all.sort_by(|a, b| (&a.day, &a.successor).cmp(&(&b.day, &b.successor)));
    let mut names: Vec<String> = Vec::new();
    for step in all {
        let name = format!("towns/{}/committees/{}", name.town(), step.successor);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether a scope holds a committee.
fn sees(scope: &Scope, community: &str, committee: &str) -> bool {
    let (communities, committees, _) = scope.ids();
    scope.is_town()
        || communities.iter().any(|id| id == community)
        || committees.iter().any(|id| id == committee)
}

#[tonic::async_trait]
impl CommitteeService for Committees {
    async fn get_committee(
        &self,
        request: Request<pb::GetCommitteeRequest>,
    ) -> Result<Response<pb::Committee>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_committees(
        &self,
        request: Request<pb::ListCommitteesRequest>,
    ) -> Result<Response<pb::ListCommitteesResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_committee(
        &self,
        request: Request<pb::CreateCommitteeRequest>,
    ) -> Result<Response<pb::Committee>, Status> {
        mutate::<edit::Create>(&self.0, request).await
    }

    async fn update_committee(
        &self,
        request: Request<pb::UpdateCommitteeRequest>,
    ) -> Result<Response<pb::Committee>, Status> {
        mutate::<edit::Update>(&self.0, request).await
    }

    async fn found_committee(
        &self,
        request: Request<pb::FoundCommitteeRequest>,
    ) -> Result<Response<pb::Committee>, Status> {
        mutate::<transitions::Found>(&self.0, request).await
    }

    async fn move_committee(
        &self,
        request: Request<pb::MoveCommitteeRequest>,
    ) -> Result<Response<pb::Committee>, Status> {
        mutate::<transitions::Move>(&self.0, request).await
    }

    async fn merge_committee(
        &self,
        request: Request<pb::MergeCommitteeRequest>,
    ) -> Result<Response<pb::Committee>, Status> {
        mutate::<merge::Merge>(&self.0, request).await
    }

    async fn split_committee(
        &self,
        request: Request<pb::SplitCommitteeRequest>,
    ) -> Result<Response<pb::Committee>, Status> {
        mutate::<split::Split>(&self.0, request).await
    }

    async fn resolve_committee(
        &self,
        request: Request<pb::ResolveCommitteeRequest>,
    ) -> Result<Response<pb::CommitteeLineage>, Status> {
        Ok(Response::new(self.resolve(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn dissolve_committee(
        &self,
        request: Request<pb::DissolveCommitteeRequest>,
    ) -> Result<Response<pb::Committee>, Status> {
        mutate::<transitions::Dissolve>(&self.0, request).await
    }

    async fn correct_committee(
        &self,
        request: Request<pb::CorrectCommitteeRequest>,
    ) -> Result<Response<pb::Committee>, Status> {
        mutate::<edit::Correct>(&self.0, request).await
    }

    async fn record_household_count(
        &self,
        request: Request<pb::RecordHouseholdCountRequest>,
    ) -> Result<Response<pb::HouseholdCount>, Status> {
        mutate::<count::RecordCount>(&self.0, request).await
    }

    async fn list_household_counts(
        &self,
        request: Request<pb::ListHouseholdCountsRequest>,
    ) -> Result<Response<pb::ListHouseholdCountsResponse>, Status> {
        Ok(Response::new(self.counts(&Call::of(&request)?, request.get_ref()).await?))
    }
}
