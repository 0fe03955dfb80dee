//! Runs over their layers: computed from governance's committees, explained, adjusted, excepted, approved by another.

use std::sync::Arc;

use contracts::linli::{
    common::v1::{CallerRelationship, Obstacle},
    funding::v1::{self as pb, AllocationRunState, AllocationWarningKind, ExplanationKind},
};
use jiff::civil::date;
use tokio::{sync::Barrier, task::JoinSet};
use tonic::Code;

use crate::{
    allocating::{Step, adjustment, policy_2020, yuan},
    harness::{Service, date as wire, reason, service, uuid, with},
};

/// An independent calculation of 2020, line by line.
const EXPECTED: &str = include_str!("../data/funding_expected_2020.csv");
/// The committees that it is of.
const COMMITTEES: &str = include_str!("../../../../deploy/demo/committees.csv");

/// Funding on a day of 2020, with the policy of the year and counts of 2,000, 2,001 and 2,350 households.
async fn funding() -> Service {
    let service = service(date(2020, 6, 1)).await;
    service.policy("2020-1", policy_2020()).await;
    for (committee, households) in [("c1", 2000), ("c2", 2001), ("c3", 2350)] {
        service.count(committee, date(2019, 12, 31), households).await;
    }
    service
}

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
async fn who_made_a_run_does_not_decide_it_through_whatever_login() {
    let service = funding().await;
    let run = service.computed("li").await;
    let allocation = service.allocation(&run.name, "c3", "WORK").await;
    service.adjust("zhao", &allocation, 100).await.unwrap();
    let run = service.step("sun", Step::Submit, &service.run("li", &run.name).await).await.unwrap();

    for (who, step) in [("li", "create"), ("sun", "submit"), ("zhao", "adjust")] {
        for (verb, wanted) in [(Step::Approve, "approve"), (Step::Reject, "reject")] {
            let status = service.step(who, verb, &run).await.unwrap_err();
            assert_eq!(reason(&status), "MAKER_IS_CHECKER", "{who} {verb:?}");
            let seen = service.run(who, &run.name).await;
            let action = seen.available_actions.iter().find(|action| action.verb == wanted).unwrap();
            assert_eq!((action.allowed, action.obstacle()), (false, Obstacle::FourEyes), "{who} {step}");
        }
        // another login of the same person
        let again = service.login(&format!("{who}-2"), who, "town-officer", "malu");
        let request = pb::ApproveAllocationRunRequest {
            name: run.name.clone(),
            etag: run.etag.clone(),
            request_id: uuid(),
            ..Default::default()
        };
        let status = service.runs().approve_allocation_run(with(request, &again)).await.unwrap_err();
        assert_eq!(reason(&status), "MAKER_IS_CHECKER", "{who} again");
    }

    let waiting = async |who: &str, relationship: CallerRelationship| {
        let request = pb::ListAllocationRunsRequest {
            parent: "towns/malu".to_owned(),
            caller_relationship: relationship.into(),
            ..Default::default()
        };
        let page = service.runs().list_allocation_runs(service.officer(who, request)).await.unwrap();
        page.into_inner().allocation_runs.len()
    };
    for who in ["li", "sun", "zhao"] {
        assert_eq!(waiting(who, CallerRelationship::CanApprove).await, 0, "{who}");
    }
    assert_eq!(waiting("wang", CallerRelationship::CanApprove).await, 1);
    assert_eq!(waiting("li", CallerRelationship::Created).await, 1);
    let approved = service.step("wang", Step::Approve, &run).await.unwrap();
    assert_eq!(approved.state(), AllocationRunState::Approved);
    assert_eq!(waiting("wang", CallerRelationship::HasApproved).await, 1);
    assert_eq!(waiting("wang", CallerRelationship::CanApprove).await, 0);
}

#[tokio::test]
async fn below_the_floor_needs_an_exception_by_another_which_the_next_adjustment_voids() {
    let service = funding().await;
    let run = service.computed("li").await;
    let allocation = service.allocation(&run.name, "c1", "WORK").await;
    let low = service.adjust("zhao", &allocation, -1).await.unwrap();
    assert!(low.exception_needed);
    assert_eq!(low.lines.last().unwrap().kind(), ExplanationKind::Adjustment);
    assert_eq!(low.lines.last().unwrap().reason, "上年结余");
    assert!(low.warnings.iter().any(|its| its.kind() == AllocationWarningKind::BelowFloor));
    let run = service.run("li", &run.name).await;
    assert_eq!(run.summary.as_ref().unwrap().exceptions_open, 1);
    let submit = run.available_actions.iter().find(|action| action.verb == "submit").unwrap();
    assert_eq!((submit.allowed, submit.obstacle()), (false, Obstacle::Missing));
    assert_eq!(reason(&service.step("li", Step::Submit, &run).await.unwrap_err()), "EXCEPTION_NEEDED");

    // neither who adjusted it nor who began the run
    for who in ["zhao", "li"] {
        assert_eq!(reason(&service.except(who, &low).await.unwrap_err()), "MAKER_IS_CHECKER", "{who}");
    }
    let excepted = service.except("sun", &low).await.unwrap();
    assert!(!excepted.exception_needed && excepted.floor_exception.is_some());
    assert_eq!(reason(&service.except("qian", &excepted).await.unwrap_err()), "EXCEPTION_NOT_NEEDED");

    let lower = service.adjust("zhao", &excepted, -1).await.unwrap();
    assert!(lower.exception_needed && lower.floor_exception.is_none(), "it was for the amount that was seen");
    let excepted = service.except("sun", &lower).await.unwrap();
    assert_eq!(yuan(excepted.twelve_month_amount.as_ref()), "99999.98");
    let run = service.step("li", Step::Submit, &run).await.unwrap();
    assert_eq!((run.state(), run.summary.unwrap().exceptions_granted), (AllocationRunState::Submitted, 1));

    // submitted amounts stay
    let status = service.adjust("zhao", &excepted, 1).await.unwrap_err();
    assert_eq!(reason(&status), "RUN_NOT_COMPUTED");
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
async fn a_run_is_sent_back_rejected_or_cancelled_and_then_another_begins() {
    let service = funding().await;
    let run = service.computed("li").await;
    let status = service.begin("li").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "RUN_OPEN"));
    let run = service.step("li", Step::Submit, &run).await.unwrap();
    let run = service.step("wang", Step::RequestRevision, &run).await.unwrap();
    assert_eq!(run.state(), AllocationRunState::Computed);
    let run = service.step("sun", Step::Submit, &run).await.unwrap();
    // who submitted it before it was sent back is still one who submitted it
    assert_eq!(reason(&service.step("li", Step::Approve, &run).await.unwrap_err()), "MAKER_IS_CHECKER");
    let run = service.step("wang", Step::Reject, &run).await.unwrap();
    assert_eq!(run.state(), AllocationRunState::Rejected);
    assert_eq!(reason(&service.step("li", Step::Cancel, &run).await.unwrap_err()), "WRONG_STATE");

    let second = service.begin("li").await.unwrap();
    let cancelled = service.step("li", Step::Cancel, &second).await.unwrap();
    assert_eq!(cancelled.state(), AllocationRunState::Cancelled);
    // its operation stops, and stores nothing
    assert!(service.worker.pass().await.unwrap());
    let count = format!("select count(*) from allocation where run = '{}'", id(&second.name));
    assert_eq!(service.number(&count).await, 0);
    assert_eq!(service.computed("li").await.former_runs.len(), 0);
}

fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_approvals_one_stands() {
    let service = Arc::new(funding().await);
    let run = service.computed("li").await;
    let run = Arc::new(service.step("li", Step::Submit, &run).await.unwrap());
    let (barrier, mut tasks) = (Arc::new(Barrier::new(64)), JoinSet::new());
    for n in 0..64 {
        let (service, run, barrier) = (service.clone(), run.clone(), barrier.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            service.step(&format!("approver-{n}"), Step::Approve, &run).await
        });
    }
    let mut won = 0;
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(run) => {
                assert_eq!(run.state(), AllocationRunState::Approved);
                won += 1;
            }
            Err(status) => {
                assert!(matches!(status.code(), Code::Aborted | Code::FailedPrecondition), "{status:?}")
            }
        }
    }
    assert_eq!(won, 1);
    let approvals = "select count(*) from history where verb = 'approve'";
    assert_eq!(service.number(approvals).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_runs_of_a_year_one_is_open() {
    let service = Arc::new(funding().await);
    let (barrier, mut tasks) = (Arc::new(Barrier::new(64)), JoinSet::new());
    for _ in 0..64 {
        let (service, barrier) = (service.clone(), barrier.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            service.begin("li").await
        });
    }
    let mut begun = 0;
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(_) => begun += 1,
            Err(status) => assert_eq!(reason(&status), "RUN_OPEN"),
        }
    }
    assert_eq!((begun, service.number("select count(*) from operation").await), (1, 1));
}

#[tokio::test]
async fn what_is_refused_changes_no_byte() {
    let service = funding().await;
    let run = service.computed("li").await;
    let allocation = service.allocation(&run.name, "c1", "WORK").await;
    let before = service.dump().await;
    let adjust = async |change: fn(&mut pb::AdjustAllocationRequest)| {
        let mut request = adjustment(&allocation, -100);
        change(&mut request);
        let answer = service.allocations().adjust_allocation(service.officer("zhao", request)).await;
        let status = answer.unwrap_err();
        assert_eq!(service.dump().await, before, "{status:?}");
        reason(&status)
    };
    assert_eq!(adjust(|it| it.etag = "v9".to_owned()).await, "ETAG_MISMATCH");
    assert_eq!(adjust(|it| it.reason = "  ".to_owned()).await, "BAD_REQUEST");
    assert_eq!(adjust(|it| it.amount.as_mut().unwrap().units = 0).await, "BAD_REQUEST");
    assert_eq!(adjust(|it| it.amount.as_mut().unwrap().units = -100_001).await, "ADJUSTMENT_BELOW_ZERO");
    assert_eq!(adjust(|it| it.amount.as_mut().unwrap().units = i64::MAX).await, "AMOUNT_OVERFLOW");
    assert_eq!(adjust(|it| it.amount.as_mut().unwrap().units = i64::MAX / 200).await, "AMOUNT_OVERFLOW");
    assert_eq!(adjust(|it| it.amount.as_mut().unwrap().nanos = -1).await, "AMOUNT_NOT_IN_FEN");
    assert_eq!(
        adjust(|it| it.amount.as_mut().unwrap().currency_code = "USD".to_owned()).await,
        "AMOUNT_CURRENCY"
    );
    assert_eq!(adjust(|it| it.name = "towns/malu/allocations/none".to_owned()).await, "NOT_FOUND");
    let begin = async |change: fn(&mut pb::AllocationRun)| {
        let mut given = pb::AllocationRun { fiscal_year: 2020, ..Default::default() };
        change(&mut given);
        let request = pb::CreateAllocationRunRequest {
            parent: "towns/malu".to_owned(),
            allocation_run: Some(given),
            request_id: uuid(),
            ..Default::default()
        };
        let answer = service.runs().create_allocation_run(service.officer("li", request)).await;
        let status = answer.unwrap_err();
        assert_eq!(service.dump().await, before, "{status:?}");
        reason(&status)
    };
    assert_eq!(begin(|it| it.fiscal_year = 2021).await, "POLICY_NOT_PUBLISHED");
    assert_eq!(begin(|it| it.as_of_date = Some(wire(date(2021, 1, 1)))).await, "BAD_REQUEST");
    let future = |it: &mut pb::AllocationRun| {
        it.read_time = Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 });
    };
    assert_eq!(begin(future).await, "BAD_REQUEST");
    assert_eq!(begin(|_| ()).await, "RUN_OPEN");
    for (step, wanted) in [
        (Step::Approve, "WRONG_STATE"),
        (Step::Release, "WRONG_STATE"),
        (Step::Reject, "WRONG_STATE"),
        (Step::RequestRevision, "WRONG_STATE"),
    ] {
        assert_eq!(reason(&service.step("wang", step, &run).await.unwrap_err()), wanted);
        assert_eq!(service.dump().await, before);
    }
    let stale = pb::AllocationRun { etag: "v1".to_owned(), ..run.clone() };
    assert_eq!(reason(&service.step("li", Step::Submit, &stale).await.unwrap_err()), "ETAG_MISMATCH");
    let dry = pb::SubmitAllocationRunRequest {
        name: run.name.clone(),
        etag: run.etag.clone(),
        request_id: uuid(),
        validate_only: true,
        ..Default::default()
    };
    service.runs().submit_allocation_run(service.officer("li", dry)).await.unwrap();
    assert_eq!(service.dump().await, before);
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
async fn the_database_keeps_the_word_of_a_run_behind_the_services_back() {
    let service = funding().await;
    let run = service.computed("li").await;
    let allocation = service.allocation(&run.name, "c1", "WORK").await;
    service.adjust("zhao", &allocation, -1).await.unwrap();
    let (run_id, its) = (id(&run.name), id(&allocation.name));
    let line = |by: &str| {
        format!(
            "insert into allocation_adjustment (town, allocation, n, run, amount_fen, reason, adjusted_by)
             values ('malu', '{its}', 2, '{run_id}', 1, '{by}', 'x')"
        )
    };
    let excepted = "update allocation set excepted = now(), excepted_by = 'x', exception_reason = 'y' where exception_needed";
    let approve = |by: &str, person: &str| {
        format!(
            "{excepted};
             update allocation_run set state = 'SUBMITTED', submitted_by = array['s'], submitted_person = array['sp'];
             update allocation_run set state = 'APPROVED', approved_by = '{by}', approved_person = '{person}'"
        )
    };
    for (sql, constraint) in [
        ("update allocation set floor_fen = 1".to_owned(), "allocation_never_changes"),
        ("update allocation set state = 'RELEASED', released = now()".to_owned(), "allocation_released_as_its_state_says"),
        ("update allocation set adjustment_fen = 5".to_owned(), "adjustments_add_up"),
        ("update allocation set adjustment_fen = -99999999999".to_owned(), "allocation_not_below_zero"),
        ("delete from allocation".to_owned(), "allocation_never_changes"),
        ("truncate allocation cascade".to_owned(), "allocation_never_changes"),
        ("update allocation_adjustment set reason = 'x'".to_owned(), "allocation_never_changes"),
        (line("x"), "adjustments_add_up"),
        (line(" "), "adjustment_has_a_reason"),
        (
            format!("update allocation set excepted = now(), excepted_by = d.adjusted_by, exception_reason = 'x'
                     from allocation_adjustment d where d.allocation = id and id = '{its}'"),
            "exception_by_another",
        ),
        (
            format!("update allocation set excepted = now(), excepted_by = 'x', excepted_person = 'towns/malu/people/li', exception_reason = 'x'
                     where id = '{its}'"),
            "exception_by_another",
        ),
        ("update allocation_run set state = 'SUBMITTED', submitted_by = array['x']".to_owned(), "run_keeps_its_floors"),
        (format!("{excepted}; update allocation_run set state = 'SUBMITTED'"), "run_decided_as_its_state_says"),
        ("update allocation_run set state = 'RELEASED', released = now()".to_owned(), "run_goes_its_way"),
        ("update allocation_run set state = 'RELEASING', submitted_by = array['x'], approved_by = 'y'".to_owned(), "run_goes_its_way"),
        ("update allocation_run set read_time = now()".to_owned(), "run_never_changes"),
        ("delete from allocation_run".to_owned(), "run_never_changes"),
        (approve("s", ""), "run_approved_by_another"),
        (approve("other", "sp"), "run_approved_by_another"),
        (approve("other", "towns/malu/people/li"), "run_approved_by_another"),
        (approve("other", "towns/malu/people/zhao"), "run_approved_by_another"),
        (
            "insert into allocation_run (town, id, fiscal_year, policy, as_of, households_as_of, read_time, pool_fen, pool_former_fen, former_runs,
                                         operation, created_by)
             values ('malu', 'x', 2020, '2020-1', '2020-06-01', '2019-12-31', now(), 0, 0, '{}', gen_random_uuid(), 'x')".to_owned(),
            "run_one_open",
        ),
    ] {
        assert_eq!(service.constraint(&sql).await, constraint, "{sql}");
    }
    service.sql(&approve("other", "towns/malu/people/wang")).await;
}
