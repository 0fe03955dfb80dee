//! Releases: each allocation is booked once, whatever is killed, however many work at it; a later run books the difference.

use std::sync::Arc;

use contracts::linli::funding::v1::{self as pb, AllocationRunState, AllocationWarningKind};
use jiff::civil::date;
use tonic::Code;

use crate::{
    allocating::{Step, funding, policy_2020, yuan},
    harness::{Service, fen, reason},
};

impl Service {
    async fn verify(&self) {
        let request = pb::VerifyLedgerRequest { name: "towns/malu".to_owned() };
        let verified = self.ledger().verify_ledger(self.officer("o", request)).await.unwrap().into_inner();
        assert!(verified.intact, "{verified:?}");
    }

    /// As when a worker was killed and its lease ran out.
    async fn lose_the_lease(&self) {
        self.sql("update operation set lease_until = now() - interval '1 second' where state = 'RUNNING'")
            .await;
    }
}

#[tokio::test]
async fn a_release_books_each_allocation_and_the_project_pool() {
    let service = funding().await;
    let run = service.released().await;
    assert!(run.release_time.is_some());
    for (committee, work) in [("c1", 10_000_000), ("c2", 10_010_000), ("c3", 13_500_000)] {
        assert_eq!(service.balance(committee, "WORK").await, work);
        assert_eq!(service.balance(committee, "SERVICE").await, 15_000_000);
    }
    assert_eq!(service.number("select balance_fen from account where kind = 'POOL'").await, 5_000_000);
    let allocation = service.allocation(&run.name, "c3", "WORK").await;
    assert_eq!(allocation.state(), pb::AllocationState::Released);
    let request = pb::GetEntryRequest { name: allocation.entry.clone() };
    let entry = service.ledger().get_entry(service.officer("li", request)).await.unwrap().into_inner();
    assert_eq!((entry.subject, entry.kind), (allocation.name, pb::EntryKind::Allocation.into()));
    assert_eq!(run.summary.unwrap().released, 6);
    let events = "select count(*) from event where type = 'linli.funding.allocation.released.v1'";
    assert_eq!(service.number(events).await, 6);
    let audits = "select count(*) from audit where summary like 'release %'";
    assert_eq!(service.number(audits).await, 2, "the call and one unit of work");
    service.verify().await;
}

#[tokio::test]
async fn a_released_run_changes_for_nobody() {
    let service = funding().await;
    let run = service.released().await;
    let before = service.dump().await;
    for step in
        [Step::Submit, Step::Approve, Step::RequestRevision, Step::Reject, Step::Cancel, Step::Release]
    {
        assert_eq!(reason(&service.step("wang", step, &run).await.unwrap_err()), "WRONG_STATE", "{step:?}");
    }
    let allocation = service.allocation(&run.name, "c1", "WORK").await;
    assert_eq!(reason(&service.adjust("zhao", &allocation, 1).await.unwrap_err()), "WRONG_STATE");
    assert_eq!(service.dump().await, before);
    for (sql, constraint) in [
        ("update allocation set display_name = 'x'", "allocation_never_changes"),
        (
            "update allocation set state = 'COMPUTED', released = null, entry = null",
            "allocation_never_changes",
        ),
        ("delete from allocation", "allocation_never_changes"),
        ("update allocation_run set purpose = 'x'", "run_never_changes"),
        ("update allocation_run set state = 'CANCELLED', released = null", "run_never_changes"),
        ("truncate allocation_run cascade", "allocation_never_changes"),
    ] {
        assert_eq!(service.constraint(sql).await, constraint, "{sql}");
    }
}

#[tokio::test]
async fn a_correction_of_a_count_is_booked_by_another_run_as_the_difference() {
    let service = funding().await;
    let first = service.released().await;
    // recorded later: what was released stands
    service.count("c3", date(2019, 12, 31), 2300).await;
    service.count("c1", date(2019, 12, 31), 2010).await;
    assert_eq!(service.balance("c3", "WORK").await, 13_500_000);

    let second = service.computed("li").await;
    assert_eq!(second.former_runs, std::slice::from_ref(&first.name));
    let total = &second.summary.as_ref().unwrap().totals[0];
    assert_eq!(yuan(total.difference.as_ref()), "-4000.00");
    let allocation = service.allocation(&second.name, "c3", "WORK").await;
    assert_eq!(
        [&allocation.amount, &allocation.former_amount, &allocation.difference].map(|its| yuan(its.as_ref())),
        ["130000.00", "135000.00", "-5000.00"]
    );
    let second = service.approved(&second).await;
    service.step("li", Step::Release, &second).await.unwrap();
    assert!(service.worker.pass().await.unwrap());
    assert_eq!(service.balance("c3", "WORK").await, 13_000_000);
    assert_eq!(service.balance("c1", "WORK").await, 10_100_000);
    assert_eq!(service.balance("c2", "WORK").await, 10_010_000);
    assert_eq!(service.number("select balance_fen from account where kind = 'POOL'").await, 5_000_000);
    let unbooked = "select count(*) from allocation where state = 'RELEASED' and entry is null";
    assert_eq!(service.number(unbooked).await, 4, "what doesn't differ is not booked");
    service.verify().await;

    // a third run that changes nothing books nothing
    let entries = service.number("select count(*) from entry").await;
    service.released().await;
    assert_eq!(service.number("select count(*) from entry").await, entries);
}

#[tokio::test]
async fn what_was_known_when_a_run_began_counts() {
    let service = funding().await;
    let run = service.begin("li").await.unwrap();
    // corrected after the run began, before its committees are read
    service.count("c3", date(2019, 12, 31), 2300).await;
    assert!(service.worker.pass().await.unwrap());
    let allocation = service.allocation(&run.name, "c3", "WORK").await;
    assert_eq!(yuan(allocation.amount.as_ref()), "135000.00");
}

#[tokio::test]
async fn a_committee_that_is_gone_keeps_what_it_has_and_the_run_says_so() {
    let service = funding().await;
    service.released().await;
    service
        .governance_sql(
            "update committee_period set recorded = tstzrange(lower(recorded), clock_timestamp()) where committee = 'c2';
             insert into committee_period (town, id, committee, valid, recorded, display_name, community, state) values
                 ('malu', gen_random_uuid(), 'c2', '[2016-01-01,2020-05-01)', tstzrange(clock_timestamp(), null), '二', 'a', 'FOUNDED'),
                 ('malu', gen_random_uuid(), 'c2', '[2020-05-01,)', tstzrange(clock_timestamp(), null), '二', 'a', 'DISSOLVED')",
        )
        .await;
    let second = service.released().await;
    let left: Vec<_> = second.warnings.iter().map(pb::AllocationWarning::kind).collect();
    assert_eq!(left, [AllocationWarningKind::CommitteesLeftOut]);
    assert_eq!(service.balance("c2", "WORK").await, 10_010_000);
}

#[tokio::test]
async fn what_a_committee_no_longer_has_is_not_taken_back() {
    let service = funding().await;
    service.released().await;
    service.count("c3", date(2019, 12, 31), 2000).await;
    let run = service.computed("li").await;
    let run = service.approved(&run).await;
    // it spends all but 20,000
    service
        .sql(
            "insert into account (town, id, kind, fund, fiscal_year, committee, category) values
                 ('malu', '00000000-0000-0000-0000-000000000001', 'EXPENDITURE', 'WORK', 2020, 'c3', 'OFFICE');
             with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                 values ('malu', '00000000-0000-0000-0000-000000000002', 'EXPENSE', 'k', 2020, '2020-06-01', 's', 'd', 2, 'p'))
             insert into posting (town, entry, n, account, amount_fen, booked_on)
                 select 'malu', '00000000-0000-0000-0000-000000000002'::uuid, 1::smallint, id, -11500000, '2020-06-01'::date from account
                     where committee = 'c3' and fund = 'WORK' and kind = 'COMMITTEE'
                 union all select 'malu', '00000000-0000-0000-0000-000000000002', 2, '00000000-0000-0000-0000-000000000001', 11500000, '2020-06-01'",
        )
        .await;
    let before = service.dump().await;
    let status = service.step("li", Step::Release, &run).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "BALANCE_INSUFFICIENT"));
    assert_eq!(service.dump().await, before);
}

/// 1,503 committees: two pages of governance, four units of work of a release.
async fn large() -> Arc<Service> {
    let service = Arc::new(funding().await);
    service.many(1_500).await;
    service
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_again_and_again_is_computed_and_booked_once() {
    let service = large().await;
    let run = service.begin("li").await.unwrap();
    let mut attempts = 0;
    kill_until(&service, "COMPUTED", &mut attempts).await;
    let run = service.run("li", &run.name).await;
    let summary = run.summary.as_ref().unwrap();
    assert_eq!((summary.committees, summary.skipped_committees), (1_503, 1));

    let run = service.approved(&run).await;
    service.step("li", Step::Release, &run).await.unwrap();
    kill_until(&service, "RELEASED", &mut attempts).await;
    assert!(attempts > 2, "it was killed at least once");
    booked_once(&service).await;
}

/// Takes the operation up and drops it after a little more each time, until the run has come to `state`.
async fn kill_until(service: &Arc<Service>, state: &str, attempts: &mut usize) {
    let reached = format!("select count(*) from allocation_run where state = '{state}'");
    for queries in 1.. {
        *attempts += 1;
        let worker = service.another_worker();
        let task = tokio::spawn(async move { worker.pass().await });
        for _ in 0..queries {
            service.number("select count(*) from allocation").await;
        }
        task.abort();
        let _ = task.await;
        if service.number(&reached).await == 1 {
            return;
        }
        // what it had committed is whole: no allocation is marked without its entry, none is booked twice
        let torn = "select count(*) from allocation a where (a.state = 'RELEASED') <> exists (
                        select from entry e where e.town = a.town and e.subject = 'towns/malu/allocations/' || a.id)";
        assert_eq!(service.number(torn).await, 0);
        service.lose_the_lease().await;
    }
}

async fn booked_once(service: &Service) {
    assert_eq!(service.number("select count(*) from allocation where state = 'RELEASED'").await, 3_006);
    let entries = "select count(*) from entry where key like 'allocation/%'";
    assert_eq!(service.number(entries).await, 3_006);
    let off = "select count(*) from allocation a where not exists (
                   select from account c where c.committee = a.committee and c.fund = a.fund and c.balance_fen = a.amount_fen)";
    assert_eq!(service.number(off).await, 0);
    let events = "select count(distinct resource) - count(*) from event where type = 'linli.funding.allocation.released.v1'";
    assert_eq!(service.number(events).await, 0, "told once each");
    service.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_page_of_governance_is_too_old_begins_again_and_keeps_what_it_has() {
    let service = large().await;
    let run = service.begin("li").await.unwrap();
    let worker = service.another_worker();
    let task = tokio::spawn(async move { worker.pass().await });
    while service.number("select count(*) from allocation").await == 0 {}
    task.abort();
    let _ = task.await;
    // as after a day: the token of the page before leads nowhere
    service
        .sql(
            "update operation set cursor = cursor || '{\"page_token\": \"old\"}', lease_until = now() - interval '1 second'
             where state = 'RUNNING'",
        )
        .await;
    service.worker.pass().await.unwrap();
    let summary = service.run("li", &run.name).await.summary.unwrap();
    assert_eq!((summary.committees, summary.skipped_committees), (1_503, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_at_one_run_book_each_allocation_once() {
    let service = large().await;
    let run = service.computed("li").await;
    let run = service.approved(&run).await;
    let run = service.step("li", Step::Release, &run).await.unwrap();
    let (one, other) = (service.another_worker(), service.another_worker());
    let first = tokio::spawn(async move { one.pass().await });
    // the second takes over while the first is still at work
    while service.number("select count(*) from operation where kind = 'release' and state = 'PENDING'").await
        > 0
    {}
    service.lose_the_lease().await;
    let second = tokio::spawn(async move { other.pass().await });
    let _ = (first.await.unwrap(), second.await.unwrap());
    while service.run("li", &run.name).await.state() != AllocationRunState::Released {
        service.lose_the_lease().await;
        service.worker.pass().await.unwrap();
    }
    booked_once(&service).await;
}

#[tokio::test]
async fn a_release_that_failed_goes_on_by_another_release() {
    let service = funding().await;
    let run = service.computed("li").await;
    let run = service.approved(&run).await;
    // the year closes after the release was asked for
    let run = service.step("li", Step::Release, &run).await.unwrap();
    assert_eq!(reason(&service.step("li", Step::Release, &run).await.unwrap_err()), "OPERATION_RUNNING");
    service.sql("update fiscal_year set state = 'CLOSING', proposed_by = 'x', proposed_on = '2020-06-01' where year = 2020").await;
    assert!(service.worker.pass().await.unwrap());
    let failed = "select count(*) from operation where kind = 'release' and state = 'FAILED'";
    assert_eq!(service.number(failed).await, 1);
    assert_eq!(reason(&service.step("li", Step::Release, &run).await.unwrap_err()), "FISCAL_YEAR_CLOSED");
    assert_eq!(service.balance("c1", "WORK").await, 0);
    service
        .sql("update fiscal_year set state = 'OPEN', proposed_by = '', proposed_on = null where year = 2020")
        .await;
    let run = service.step("li", Step::Release, &run).await.unwrap();
    assert!(service.worker.pass().await.unwrap());
    assert_eq!(service.run("li", &run.name).await.state(), AllocationRunState::Released);
    assert_eq!(service.balance("c1", "WORK").await, 10_000_000);
}

#[tokio::test]
async fn the_project_pool_follows_the_policy_in_force() {
    let service = funding().await;
    service.released().await;
    let mut more = policy_2020();
    more.project_pool = Some(fen(7_000_000));
    service.policy("2020-2", more).await;
    let second = service.released().await;
    assert_eq!(yuan(second.former_project_pool.as_ref()), "50000.00");
    assert_eq!(service.number("select balance_fen from account where kind = 'POOL'").await, 7_000_000);
}

#[tokio::test]
async fn what_a_run_takes_back_is_set_aside_when_its_release_begins() {
    let service = funding().await;
    service.released().await;
    service.count("c3", date(2019, 12, 31), 2000).await;
    let mut less = policy_2020();
    less.project_pool = Some(fen(4_000_000));
    service.policy("2020-2", less).await;
    let run = service.computed("li").await;
    let run = service.approved(&run).await;
    let run = service.step("li", Step::Release, &run).await.unwrap();
    // before the operation is taken up somebody would spend what is taken back
    let spend = |of: &str, fen: i64| {
        format!(
            "insert into hold (town, id, account, amount_fen, key, subject, purpose, held_on, held_by)
                 select 'malu', gen_random_uuid(), id, {fen}, '{of}', 's', 'p', '2020-06-01', 'p' from account where {of} and fiscal_year = 2020"
        )
    };
    let (c3, pool) = ("committee = $$c3$$ and fund = $$WORK$$", "kind = $$POOL$$");
    assert_eq!(service.constraint(&spend(c3, 10_000_001)).await, "account_not_overdrawn");
    assert_eq!(service.constraint(&spend(pool, 4_000_001)).await, "account_not_overdrawn");
    service.sql(&spend(c3, 10_000_000)).await;
    // an operation that failed in between goes on with what is set aside
    service.sql("create function stop() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
                 create trigger stop after insert on entry for each statement execute function stop()").await;
    assert!(service.worker.pass().await.unwrap());
    service.sql("drop trigger stop on entry").await;
    let run = service.step("li", Step::Release, &service.run("li", &run.name).await).await.unwrap();
    assert!(service.worker.pass().await.unwrap());
    assert_eq!(service.run("li", &run.name).await.state(), AllocationRunState::Released);
    assert_eq!(service.balance("c3", "WORK").await, 10_000_000);
    assert_eq!(service.number("select balance_fen from account where kind = 'POOL'").await, 4_000_000);
    let holds = "select count(*) from hold h join entry e on e.town = h.town and e.id = h.entry and e.key = h.key where h.state = 'POSTED'";
    assert_eq!(service.number(holds).await, 2);
    assert_eq!(service.number("select sum(held_fen)::bigint from account").await, 10_000_000);
    service.verify().await;
}

#[tokio::test]
async fn a_computation_that_was_killed_behind_its_last_unit_of_work_has_succeeded() {
    let service = funding().await;
    let run = service.computed("li").await;
    service
        .sql(&format!(
            "update operation set state = 'RUNNING', response = null, input = convert_to('{}', 'UTF8'), lease_owner = gen_random_uuid(),
                    lease_until = now() - interval '1 second' where kind = 'allocate'",
            run.name
        ))
        .await;
    assert!(service.another_worker().pass().await.unwrap());
    let succeeded = "select count(*) from operation where kind = 'allocate' and state = 'SUCCEEDED'";
    assert_eq!(service.number(succeeded).await, 1);
    assert_eq!(service.run("li", &run.name).await.etag, run.etag);
}

#[tokio::test]
async fn whoever_sends_a_run_back_or_rejects_it_says_why() {
    let service = funding().await;
    let run = service.computed("li").await;
    let run = service.step("li", Step::Submit, &run).await.unwrap();
    let (name, etag) = (run.name.clone(), run.etag.clone());
    let before = service.dump().await;
    let request = pb::RejectAllocationRunRequest {
        name: name.clone(),
        etag: etag.clone(),
        request_id: crate::harness::uuid(),
        comment: " ".to_owned(),
        ..Default::default()
    };
    let refused = service.runs().reject_allocation_run(service.officer("wang", request)).await.unwrap_err();
    assert_eq!(reason(&refused), "REASON_REQUIRED");
    let request = pb::RequestAllocationRunRevisionRequest {
        name,
        etag,
        request_id: crate::harness::uuid(),
        comment: " ".to_owned(),
        ..Default::default()
    };
    let refused = service.runs().request_allocation_run_revision(service.officer("wang", request)).await;
    assert_eq!(reason(&refused.unwrap_err()), "REASON_REQUIRED");
    assert_eq!(service.dump().await, before);
}
