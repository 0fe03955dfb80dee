//! What the tests of policies and allocations share: the policy of 2020, runs brought from state to state, committees with counts.

use chassis::peer::Peer;
use contracts::linli::funding::v1::{
    self as pb, allocation_run_service_client::AllocationRunServiceClient,
    allocation_service_client::AllocationServiceClient,
    funding_policy_service_client::FundingPolicyServiceClient,
};
use jiff::civil::{Date, date};
use tonic::{Request, Status};

use crate::harness::{Service, date as wire, fen, service, uuid};

/// A row of the list of categories.
fn category(fund: pb::Fund, id: &str, name: &str, allowed: bool) -> pb::FundCategory {
    pb::FundCategory { fund: fund.into(), category: id.to_owned(), display_name: name.to_owned(), allowed }
}

/// The policy of 2020 (Work points 3.3).
pub(crate) fn policy_2020() -> pb::FundingPolicy {
    pb::FundingPolicy {
        display_name: "2020年居委会经费办法".to_owned(),
        fiscal_year: 2020,
        effective_date: Some(wire(date(2020, 1, 1))),
        households_as_of_date: Some(wire(date(2019, 12, 31))),
        work_floor: Some(fen(10_000_000)),
        service_floor: Some(fen(15_000_000)),
        household_threshold: 2000,
        supplement_per_household: Some(fen(10_000)),
        uplifts: vec![
            pb::Uplift {
                difficulty: pb::Difficulty::Hard.into(),
                work_fund: Some(fen(800_000)),
                service_fund: Some(fen(1_200_000)),
                ..Default::default()
            },
            pb::Uplift {
                management_class: pb::ManagementClass::C.into(),
                kind: pb::CommitteeKind::ResidentsCommittee.into(),
                work_fund: Some(fen(300_000)),
                service_fund: Some(fen(500_000)),
                ..Default::default()
            },
        ],
        growth_index_ppm: 1_000_000,
        growth_applies_to: vec![pb::GrowthBase::Floor.into(), pb::GrowthBase::Uplift.into()],
        eligible_kinds: vec![pb::CommitteeKind::ResidentsCommittee.into()],
        pro_rating: Some(pb::ProRating { unit: pb::ProRatingUnit::Month.into(), month_counts_until_day: 15 }),
        carry_overs: vec![pb::FundCarryOver {
            fund: pb::Fund::Service.into(),
            carry_over: pb::CarryOver::OneYear.into(),
        }],
        public_notice_above: Some(fen(2_000_000)),
        public_notice_always_for: vec!["AID".to_owned()],
        public_notice_working_days: 5,
        categories: vec![
            category(pb::Fund::Work, "OFFICE", "办公用品", true),
            category(pb::Fund::Work, "PAY", "津贴补贴", false),
            category(pb::Fund::Service, "ACTIVITY", "睦邻活动、社区日", true),
            category(pb::Fund::Service, "AID", "帮困慰问", true),
            category(pb::Fund::Service, "OFFICE", "办公用品", false),
        ],
        project_pool: Some(fen(5_000_000)),
        ..Default::default()
    }
}

/// Funding on a day of 2020, with the policy of the year and counts of 2,000, 2,001 and 2,350 households.
pub(crate) async fn funding() -> Service {
    let service = service(date(2020, 6, 1)).await;
    service.policy("2020-1", policy_2020()).await;
    for (committee, households) in [("c1", 2000), ("c2", 2001), ("c3", 2350)] {
        service.count(committee, date(2019, 12, 31), households).await;
    }
    service
}

/// The step of a run that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Submit,
    Approve,
    RequestRevision,
    Reject,
    Cancel,
    Release,
}

impl Service {
    pub(crate) fn policies(&self) -> FundingPolicyServiceClient<Peer> {
        FundingPolicyServiceClient::new(self.peer.clone())
    }

    pub(crate) fn runs(&self) -> AllocationRunServiceClient<Peer> {
        AllocationRunServiceClient::new(self.peer.clone())
    }

    pub(crate) fn allocations(&self) -> AllocationServiceClient<Peer> {
        AllocationServiceClient::new(self.peer.clone())
    }

    /// Drafts a policy.
    pub(crate) async fn draft(
        &self,
        who: &str,
        id: &str,
        policy: pb::FundingPolicy,
    ) -> Result<pb::FundingPolicy, Status> {
        let request = pb::CreateFundingPolicyRequest {
            parent: "towns/malu".to_owned(),
            funding_policy_id: id.to_owned(),
            funding_policy: Some(policy),
            request_id: uuid(),
            ..Default::default()
        };
        let answer = self.policies().create_funding_policy(self.officer(who, request)).await;
        Ok(answer?.into_inner())
    }

    /// Publishes a draft.
    pub(crate) async fn publish(
        &self,
        who: &str,
        policy: &pb::FundingPolicy,
    ) -> Result<pb::FundingPolicy, Status> {
        let request = pb::PublishFundingPolicyRequest {
            name: policy.name.clone(),
            etag: policy.etag.clone(),
            request_id: uuid(),
            ..Default::default()
        };
        let answer = self.policies().publish_funding_policy(self.officer(who, request)).await;
        Ok(answer?.into_inner())
    }

    /// A policy of 2020, drafted by `li` and published by `wang`.
    pub(crate) async fn policy(&self, id: &str, policy: pb::FundingPolicy) -> pb::FundingPolicy {
        let draft = self.draft("li", id, policy).await.unwrap();
        self.publish("wang", &draft).await.unwrap()
    }

    /// A declared count of a committee, recorded now.
    pub(crate) async fn count(&self, committee: &str, day: Date, households: i32) {
        self.governance_sql(&format!(
            "update household_count set recorded = tstzrange(lower(recorded), clock_timestamp())
                 where committee = '{committee}' and valid_on = '{day}' and upper_inf(recorded);
             insert into household_count (town, id, committee, valid_on, recorded, households)
                 values ('malu', gen_random_uuid(), '{committee}', '{day}', tstzrange(clock_timestamp(), null), {households})"
        ))
        .await;
    }

    /// `many` more residents' committees, `m00001` …, with a count each.
    pub(crate) async fn many(&self, many: usize) {
        self.governance_sql(&format!(
            "insert into committee (town, id, kind, founding_date)
                 select 'malu', 'm' || lpad(n::text, 5, '0'), 'RESIDENTS_COMMITTEE', '2016-01-01' from generate_series(1, {many}) n;
             insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
                 select town, gen_random_uuid(), id, '[2016-01-01,)', tstzrange(now(), null), '居委会 ' || id, 'a', 'FOUNDED'
                 from committee where id like 'm%';
             insert into household_count (town, id, committee, valid_on, recorded, households)
                 select town, gen_random_uuid(), id, '2019-12-31', tstzrange(now(), null), 2000 + substr(id, 2)::int from committee where id like 'm%'"
        ))
        .await;
    }

    /// Begins a run of 2020.
    pub(crate) async fn begin(&self, who: &str) -> Result<pb::AllocationRun, Status> {
        let request = pb::CreateAllocationRunRequest {
            parent: "towns/malu".to_owned(),
            allocation_run: Some(pb::AllocationRun { fiscal_year: 2020, ..Default::default() }),
            request_id: uuid(),
            ..Default::default()
        };
        Ok(self.runs().create_allocation_run(self.officer(who, request)).await?.into_inner())
    }

    /// A run as it is now.
    pub(crate) async fn run(&self, who: &str, name: &str) -> pb::AllocationRun {
        let request = pb::GetAllocationRunRequest { name: name.to_owned() };
        self.runs().get_allocation_run(self.officer(who, request)).await.unwrap().into_inner()
    }

    /// A run of 2020 that is computed.
    pub(crate) async fn computed(&self, who: &str) -> pb::AllocationRun {
        let run = self.begin(who).await.unwrap();
        assert!(self.worker.pass().await.unwrap());
        let run = self.run(who, &run.name).await;
        assert_eq!(run.state(), pb::AllocationRunState::Computed);
        run
    }

    /// A step of a run by somebody with a token.
    pub(crate) async fn step(
        &self,
        who: &str,
        step: Step,
        run: &pb::AllocationRun,
    ) -> Result<pb::AllocationRun, Status> {
        let (name, etag, request_id) = (run.name.clone(), run.etag.clone(), uuid());
        let comment = "因故".to_owned();
        let mut runs = self.runs();
        macro_rules! ask {
            ($method:ident, $request:ident) => {
                runs.$method(
                    self.officer(who, pb::$request { name, etag, request_id, comment, ..Default::default() }),
                )
                .await
            };
        }
        let answer = match step {
            Step::Submit => ask!(submit_allocation_run, SubmitAllocationRunRequest),
            Step::Approve => ask!(approve_allocation_run, ApproveAllocationRunRequest),
            Step::RequestRevision => {
                ask!(request_allocation_run_revision, RequestAllocationRunRevisionRequest)
            }
            Step::Reject => ask!(reject_allocation_run, RejectAllocationRunRequest),
            Step::Cancel => ask!(cancel_allocation_run, CancelAllocationRunRequest),
            Step::Release => ask!(release_allocation_run, ReleaseAllocationRunRequest),
        };
        Ok(answer?.into_inner())
    }

    /// A computed run, submitted by `li` and approved by `wang`.
    pub(crate) async fn approved(&self, run: &pb::AllocationRun) -> pb::AllocationRun {
        let run = self.step("li", Step::Submit, run).await.unwrap();
        self.step("wang", Step::Approve, &run).await.unwrap()
    }

    /// A run of 2020 from its beginning to its release.
    pub(crate) async fn released(&self) -> pb::AllocationRun {
        let run = self.computed("li").await;
        let run = self.approved(&run).await;
        let run = self.step("li", Step::Release, &run).await.unwrap();
        assert!(self.worker.pass().await.unwrap());
        let run = self.run("li", &run.name).await;
        assert_eq!(run.state(), pb::AllocationRunState::Released);
        run
    }

    /// The allocation of a committee and a fund in a run.
    pub(crate) async fn allocation(&self, run: &str, committee: &str, fund: &str) -> pb::Allocation {
        let filter = format!(
            "allocation_run = \"{run}\" AND committee = \"towns/malu/committees/{committee}\" AND fund = {fund}"
        );
        let request =
            pb::ListAllocationsRequest { parent: "towns/malu".to_owned(), filter, ..Default::default() };
        let page = self.allocations().list_allocations(self.officer("li", request)).await.unwrap();
        let [one] = <[_; 1]>::try_from(page.into_inner().allocations).unwrap();
        let request = pb::GetAllocationRequest { name: one.name };
        self.allocations().get_allocation(self.officer("li", request)).await.unwrap().into_inner()
    }

    /// Adjusts an allocation by so many fen.
    pub(crate) async fn adjust(
        &self,
        who: &str,
        allocation: &pb::Allocation,
        by: i64,
    ) -> Result<pb::Allocation, Status> {
        let request = adjustment(allocation, by);
        Ok(self.allocations().adjust_allocation(self.officer(who, request)).await?.into_inner())
    }

    /// Grants an exception.
    pub(crate) async fn except(
        &self,
        who: &str,
        allocation: &pb::Allocation,
    ) -> Result<pb::Allocation, Status> {
        let request = pb::GrantAllocationExceptionRequest {
            name: allocation.name.clone(),
            etag: allocation.etag.clone(),
            request_id: uuid(),
            reason: "并入邻近居委会办公".to_owned(),
            ..Default::default()
        };
        let request: Request<_> = self.officer(who, request);
        Ok(self.allocations().grant_allocation_exception(request).await?.into_inner())
    }

    /// The balance of a committee's account of a fund in 2020, in fen; nothing when there is no account.
    pub(crate) async fn balance(&self, committee: &str, fund: &str) -> i64 {
        self.number(&format!(
            "select coalesce(sum(balance_fen), 0)::bigint from account
             where kind = 'COMMITTEE' and committee = '{committee}' and fund = '{fund}' and fiscal_year = 2020"
        ))
        .await
    }
}

/// An adjustment of an allocation.
pub(crate) fn adjustment(allocation: &pb::Allocation, by: i64) -> pb::AdjustAllocationRequest {
    pb::AdjustAllocationRequest {
        name: allocation.name.clone(),
        etag: allocation.etag.clone(),
        request_id: uuid(),
        reason: "上年结余".to_owned(),
        amount: Some(fen(by)),
        ..Default::default()
    }
}

/// An amount in words: `100000.00`.
pub(crate) fn yuan(money: Option<&contracts::google::r#type::Money>) -> String {
    let money = money.unwrap();
    kernel::money::Fen::parse(&money.currency_code, money.units, money.nanos).unwrap().to_string()
}
