//! Runs over their layers: computed from governance's committees, explained, seen by whom they concern.

use contracts::linli::funding::v1::{self as pb, AllocationWarningKind, ExplanationKind};
use jiff::civil::date;
use tonic::Code;

use crate::{
    allocating::{Step, adjustment, funding, policy_2020, yuan},
    harness::{Service, reason, service},
};

/// An independent calculation of 2020, line by line.
const EXPECTED: &str = include_str!("../../../../deploy/demo/funding/funding_expected_2020.csv");
/// The committees that it is of.
const COMMITTEES: &str = include_str!("../../../../deploy/demo/committees.csv");

#[tokio::test]
async fn the_worked_cases_come_out_with_their_explanation() {
    let service = funding().await;
    let run = service.computed("li").await;
    let summary = run.summary.as_ref().unwrap();
    assert_eq!((summary.committees, summary.skipped_committees, summary.exceptions_open), (3, 1, 0));
    let totals: Vec<_> = summary.totals.iter().map(|its| (its.fund(), yuan(its.amount.as_ref()))).collect();
    assert_eq!(
        totals,
        [(pb::Fund::Work, "335100.00".to_owned()), (pb::Fund::Service, "450000.00".to_owned())]
    );
    for (committee, work) in [("c1", "100000.00"), ("c2", "100100.00"), ("c3", "135000.00")] {
        let allocation = service.allocation(&run.name, committee, "WORK").await;
        assert_eq!(yuan(allocation.amount.as_ref()), work);
        assert_eq!(yuan(allocation.difference.as_ref()), work);
        let allocation = service.allocation(&run.name, committee, "SERVICE").await;
        assert_eq!(yuan(allocation.amount.as_ref()), "150000.00");
        assert_eq!(allocation.lines.len(), 3, "the supplement is the work fund's alone");
    }
    let why = service.allocation(&run.name, "c3", "WORK").await;
    let basis = why.basis.clone().unwrap();
    assert_eq!(
        (basis.households, basis.household_threshold, basis.households_above_threshold, basis.months),
        (Some(2350), 2000, 350, 12)
    );
    let supplement = why.lines.iter().find(|line| line.kind() == ExplanationKind::Supplement).unwrap();
    assert_eq!(supplement.text_zh, "2350 户，超过 2000 户 350 户 × 100.00 元");
    assert_eq!(supplement.text_en, "2350 households, 350 above 2000, at 100.00 yuan");
    assert_eq!((why.policy_version, why.policy.as_str()), (1, "towns/malu/fundingPolicies/2020-1"));
    assert!(why.warnings.is_empty() && !why.exception_needed);
}

/// The committees of the demonstration in governance, beside those of the harness.
async fn demonstration(service: &Service) {
    let quoted = |text: &str| if text.is_empty() { "null".to_owned() } else { format!("'{text}'") };
    let (mut heads, mut periods, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for line in COMMITTEES.lines().skip(1).filter(|line| !line.is_empty()) {
        let row: Vec<&str> = line.split(',').collect();
        let first = if row[6].is_empty() { row[7] } else { row[6] };
        heads.push(format!("('malu', '{}', '{}', {}, {})", row[0], row[3], quoted(row[6]), quoted(row[7])));
        periods.push(format!(
            "('malu', gen_random_uuid(), '{}', '[{first},)', tstzrange(now(), null), '{}', 'a', '{}', '{}', '{}')",
            row[0], row[2], row[5], row[10], row[11]
        ));
        counts.push(format!(
            "('malu', gen_random_uuid(), '{}', '{}', tstzrange(now(), null), {})",
            row[0], row[9], row[8]
        ));
    }
    service
        .governance_sql(&format!(
            "insert into committee (town, id, kind, preparation_start, founding_date) values {};
             insert into committee_period (town, id, committee, valid, recorded, display_name, community, state, management_class, difficulty)
                 values {};
             insert into household_count (town, id, committee, valid_on, recorded, households) values {}",
            heads.join(", "),
            periods.join(", "),
            counts.join(", ")
        ))
        .await;
}

#[tokio::test]
async fn the_42_committees_of_the_demonstration_get_what_was_computed_apart() {
    let service = service(date(2020, 11, 24)).await;
    service.policy("2020-1", policy_2020()).await;
    demonstration(&service).await;
    let run = service.computed("li").await;
    let mut compared = 0;
    for line in EXPECTED.lines().skip(1).filter(|line| !line.is_empty()) {
        let wanted: Vec<&str> = line.split(',').collect();
        let work = service.allocation(&run.name, wanted[0], "WORK").await;
        let service_fund = service.allocation(&run.name, wanted[0], "SERVICE").await;
        let of = |allocation: &pb::Allocation, kind| {
            let line = allocation.lines.iter().find(|line| line.kind() == kind).unwrap();
            yuan(line.amount.as_ref())
        };
        let basis = work.basis.as_ref().unwrap();
        let found = [
            basis.households.unwrap().to_string(),
            basis.months.to_string(),
            basis.households_above_threshold.to_string(),
            of(&work, ExplanationKind::Floor),
            of(&work, ExplanationKind::Uplift),
            of(&work, ExplanationKind::Supplement),
            yuan(work.amount.as_ref()),
            of(&service_fund, ExplanationKind::Floor),
            of(&service_fund, ExplanationKind::Uplift),
            yuan(service_fund.amount.as_ref()),
        ];
        assert_eq!(found.as_slice(), &wanted[1..], "{}", wanted[0]);
        let later = basis.household_count_date.unwrap().year > 2019;
        let warned = work.warnings.iter().any(|its| its.kind() == AllocationWarningKind::LaterHouseholdCount);
        assert_eq!(later, warned, "{}", wanted[0]);
        compared += 1;
    }
    assert_eq!(compared, 42);
    let summary = run.summary.unwrap();
    assert_eq!((summary.committees, summary.skipped_committees), (45, 13));
    assert_eq!(summary.committees_without_count, 3, "those of the harness have none");
}

#[tokio::test]
async fn a_first_year_in_part_is_tested_on_twelve_months() {
    let service = service(date(2020, 11, 24)).await;
    service.policy("2020-1", policy_2020()).await;
    demonstration(&service).await;
    let run = service.computed("li").await;
    let allocation = service.allocation(&run.name, "310114106048", "WORK").await;
    assert_eq!(
        (yuan(allocation.amount.as_ref()), yuan(allocation.twelve_month_amount.as_ref())),
        ("75000.00".to_owned(), "100000.00".to_owned())
    );
    assert!(!allocation.exception_needed);
    assert_eq!(allocation.lines[0].text_zh, "保底 100000.00 元；按 9/12 个月折算");
    assert!(service.adjust("zhao", &allocation, -1).await.unwrap().exception_needed);
}

#[tokio::test]
async fn a_run_by_a_policy_that_was_superseded_is_not_submitted() {
    let service = funding().await;
    let run = service.computed("li").await;
    service.policy("2020-2", policy_2020()).await;
    let run = service.run("li", &run.name).await;
    assert!(run.warnings.iter().any(|its| its.kind() == AllocationWarningKind::PolicySuperseded));
    let status = service.step("li", Step::Submit, &run).await.unwrap_err();
    assert_eq!(reason(&status), "POLICY_SUPERSEDED");
}

#[tokio::test]
async fn a_committee_sees_its_own_allocations_and_no_run() {
    let service = funding().await;
    let run = service.computed("li").await;
    let request = || pb::ListAllocationsRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let page = service.allocations().list_allocations(service.of_committee("m", "c1", request())).await;
    let seen = page.unwrap().into_inner().allocations;
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|its| its.committee == "towns/malu/committees/c1"));
    let other = service.allocation(&run.name, "c2", "WORK").await;
    let get = pb::GetAllocationRequest { name: other.name };
    let status =
        service.allocations().get_allocation(service.of_committee("m", "c1", get)).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let get = pb::GetAllocationRunRequest { name: run.name };
    let status = service.runs().get_allocation_run(service.of_committee("m", "c1", get)).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_request_id_gives_its_first_answer_and_no_other() {
    let service = funding().await;
    let run = service.computed("li").await;
    let allocation = service.allocation(&run.name, "c1", "WORK").await;
    let request = adjustment(&allocation, 100);
    let first = service.allocations().adjust_allocation(service.officer("zhao", request.clone())).await;
    let first = first.unwrap().into_inner();
    let before = service.dump().await;
    let again = service.allocations().adjust_allocation(service.officer("zhao", request.clone())).await;
    let again = again.unwrap();
    assert_eq!(again.metadata().get("linli-replayed").unwrap(), "true");
    assert_eq!(again.into_inner(), first);
    let other = pb::AdjustAllocationRequest { reason: "另一个理由".to_owned(), ..request };
    let status = service.allocations().adjust_allocation(service.officer("zhao", other)).await.unwrap_err();
    assert_eq!(reason(&status), "REQUEST_ID_REUSED");
    assert_eq!(service.dump().await, before);
}
