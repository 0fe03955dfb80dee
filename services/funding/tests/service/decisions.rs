//! Runs decided: adjusted, excepted, submitted, approved by another, sent back, rejected; many at once; what is refused leaves nothing.

use std::sync::Arc;

use contracts::linli::{
    common::v1::{CallerRelationship, Obstacle},
    funding::v1::{self as pb, AllocationRunState, AllocationWarningKind, ExplanationKind},
};
use jiff::civil::date;
use tokio::{sync::Barrier, task::JoinSet};
use tonic::Code;

use crate::{
    allocating::{Step, adjustment, funding, yuan},
    harness::{date as wire, reason, uuid, with},
};

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
    let asked = pb::ListAllocationRunsRequest {
        parent: "towns/malu".to_owned(),
        caller_relationship: CallerRelationship::CanApprove.into(),
        ..Default::default()
    };
    let auditor = service.token("auditor-1", "auditor", "malu");
    let page = service.runs().list_allocation_runs(crate::harness::with(asked, &auditor)).await.unwrap();
    assert!(page.into_inner().allocation_runs.is_empty(), "an auditor approves nothing");
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
