//! The end of a fiscal year: proposed by one, approved by another, worked off once, whoever is killed on the way.

use chassis::peer::Peer;
use contracts::linli::{
    funding::v1::{
        self as pb, fiscal_year_service_client::FiscalYearServiceClient,
        funding_policy_service_client::FundingPolicyServiceClient,
    },
    platform::v1::{self as platform, operation_service_client::OperationServiceClient},
};
use jiff::civil::date;
use tonic::Status;

use crate::harness::{Service, fen, reason, service, uuid};
use crate::spending::{APPLICANT, Step, funded, voucher};

const YEAR: &str = "towns/malu/fiscalYears/2020";

fn client(service: &Service) -> FiscalYearServiceClient<Peer> {
    FiscalYearServiceClient::new(service.peer.clone())
}

/// The policy of a year, written by one officer and published by another: it opens the year.
async fn policy(service: &Service, year: i32) {
    policy_that_carries(service, year, &[pb::Fund::Service]).await;
}

/// The same, which carries what is left of some funds over for one year.
async fn policy_that_carries(service: &Service, year: i32, carried: &[pb::Fund]) {
    let one_year = |fund: &pb::Fund| pb::FundCarryOver {
        fund: (*fund).into(),
        carry_over: pb::CarryOver::OneYear.into(),
    };
    let category = |fund: pb::Fund, id: &str| pb::FundCategory {
        fund: fund.into(),
        category: id.to_owned(),
        display_name: id.to_owned(),
        allowed: true,
    };
    let day = |year: i32, month, day| Some(contracts::google::r#type::Date { year, month, day });
    let policy = pb::FundingPolicy {
        display_name: "经费办法".to_owned(),
        fiscal_year: year,
        effective_date: day(year, 1, 1),
        households_as_of_date: day(year - 1, 12, 31),
        work_floor: Some(fen(10_000_000)),
        service_floor: Some(fen(15_000_000)),
        household_threshold: 2_000,
        supplement_per_household: Some(fen(10_000)),
        growth_index_ppm: 1_000_000,
        growth_applies_to: vec![pb::GrowthBase::Floor.into()],
        eligible_kinds: vec![pb::CommitteeKind::ResidentsCommittee.into()],
        pro_rating: Some(pb::ProRating { unit: pb::ProRatingUnit::Month.into(), month_counts_until_day: 15 }),
        carry_overs: carried.iter().map(one_year).collect(),
        public_notice_working_days: 5,
        categories: vec![category(pb::Fund::Work, "OFFICE"), category(pb::Fund::Service, "ACTIVITY")],
        ..Default::default()
    };
    let mut policies = FundingPolicyServiceClient::new(service.peer.clone());
    let request = pb::CreateFundingPolicyRequest {
        parent: "towns/malu".to_owned(),
        funding_policy_id: format!("policy-{year}"),
        funding_policy: Some(policy),
        request_id: uuid(),
        ..Default::default()
    };
    let draft = policies.create_funding_policy(service.officer("p-1", request)).await.unwrap().into_inner();
    let request = pb::PublishFundingPolicyRequest {
        name: draft.name,
        etag: draft.etag,
        request_id: uuid(),
        ..Default::default()
    };
    policies.publish_funding_policy(service.officer("p-2", request)).await.unwrap();
}

async fn get(service: &Service) -> pb::FiscalYear {
    seen_by(service, "o-1").await
}

async fn seen_by(service: &Service, who: &str) -> pb::FiscalYear {
    let request = pb::GetFiscalYearRequest { name: YEAR.to_owned() };
    client(service).get_fiscal_year(service.officer(who, request)).await.unwrap().into_inner()
}

async fn propose(service: &Service, who: &str) -> Result<pb::FiscalYear, Status> {
    let etag = get(service).await.etag;
    let request = pb::ProposeFiscalYearCloseRequest {
        name: YEAR.to_owned(),
        etag,
        request_id: uuid(),
        ..Default::default()
    };
    client(service)
        .propose_fiscal_year_close(service.officer(who, request))
        .await
        .map(tonic::Response::into_inner)
}

async fn approve(service: &Service, who: &str) -> Result<String, Status> {
    let etag = get(service).await.etag;
    let request = pb::ApproveFiscalYearCloseRequest {
        name: YEAR.to_owned(),
        etag,
        request_id: uuid(),
        ..Default::default()
    };
    let done = client(service).approve_fiscal_year_close(service.officer(who, request)).await;
    done.map(|operation| operation.into_inner().name)
}

async fn cancel(service: &Service) -> Result<pb::FiscalYear, Status> {
    let etag = get(service).await.etag;
    let request = pb::CancelFiscalYearCloseRequest {
        name: YEAR.to_owned(),
        etag,
        request_id: uuid(),
        ..Default::default()
    };
    client(service)
        .cancel_fiscal_year_close(service.officer("o-1", request))
        .await
        .map(tonic::Response::into_inner)
}

/// Money of each kind in 2020, whose policy carries the service fund over.
async fn filled(service: &Service) {
    filled_by(service, &[pb::Fund::Service]).await;
}

/// The same by a policy that carries these funds over.
async fn filled_by(service: &Service, carried: &[pb::Fund]) {
    policy_that_carries(service, 2020, carried).await;
    service.give("c1", "WORK", 2020, 100).await;
    service.give("c1", "SERVICE", 2020, 200).await;
    service.give("c2", "SERVICE", 2020, 30).await;
    service
        .sql(
            "insert into account (town, id, kind, fund, fiscal_year) values ('malu', gen_random_uuid(), 'APPROPRIATION', 'PROJECT_POOL', 2020),
                 ('malu', gen_random_uuid(), 'POOL', 'PROJECT_POOL', 2020);
             insert into account (town, id, kind, fund, fiscal_year, earmark) values
                 ('malu', gen_random_uuid(), 'DEPARTMENT', 'DELEGATED', 2020, 'delegation:d'), ('malu', gen_random_uuid(), 'TASK', 'DELEGATED', 2020, 'delegation:d');
             insert into account (town, id, kind, fund, fiscal_year, committee, earmark) values
                 ('malu', gen_random_uuid(), 'COMMITTEE', 'SERVICE', 2020, 'c1', 'carried'), ('malu', gen_random_uuid(), 'COMMITTEE', 'SERVICE', 2020, 'c1', 'project:p'),
                 ('malu', gen_random_uuid(), 'COMMITTEE', 'DELEGATED', 2020, 'c1', 'delegation:d')",
        )
        .await;
    let of = |kind: &str, fund: &str, earmark: &str| {
        format!(
            "(select id from account where kind = '{kind}' and fund = '{fund}' and fiscal_year = 2020 and coalesce(earmark, '') = '{earmark}' and coalesce(committee, 'c1') = 'c1')"
        )
    };
    for (kind, from, to, fen) in [
        ("ALLOCATION", of("APPROPRIATION", "PROJECT_POOL", ""), of("POOL", "PROJECT_POOL", ""), 1_000),
        ("GRANT", of("COMMITTEE", "SERVICE", ""), of("COMMITTEE", "SERVICE", "project:p"), 50),
        ("OPENING", of("COMMITTEE", "SERVICE", ""), of("COMMITTEE", "SERVICE", "carried"), 7),
        (
            "DELEGATION",
            of("DEPARTMENT", "DELEGATED", "delegation:d"),
            of("TASK", "DELEGATED", "delegation:d"),
            90,
        ),
        (
            "DELEGATION",
            of("TASK", "DELEGATED", "delegation:d"),
            of("COMMITTEE", "DELEGATED", "delegation:d"),
            60,
        ),
    ] {
        let entry = uuid();
        service
            .sql(&format!(
                "with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                         values ('malu', '{entry}', '{kind}', 'test/{entry}', 2020, '2020-02-01', 's', 'd', 2, 'p'))
                 insert into posting (town, entry, n, account, amount_fen, booked_on)
                     values ('malu', '{entry}', 1, {from}, -{fen}, '2020-02-01'), ('malu', '{entry}', 2, {to}, {fen}, '2020-02-01')"
            ))
            .await;
    }
}

fn told(lines: &[pb::YearEndLine]) -> Vec<String> {
    let amount = |money: &Option<contracts::google::r#type::Money>| {
        let money = money.clone().unwrap();
        money.units * 100 + i64::from(money.nanos / 10_000_000)
    };
    let line = |line: &pb::YearEndLine| {
        let (carried, returned) = (amount(&line.carried_amount), amount(&line.returned_amount));
        format!("{} {} {}: {carried} + {returned}", line.fund().as_str_name(), line.earmark, line.accounts)
    };
    lines.iter().map(line).collect()
}

const EXPECTED: &[&str] = &[
    "FUND_WORK FREE 1: 0 + 100",
    "FUND_SERVICE FREE 2: 173 + 0",
    "FUND_SERVICE CARRIED 1: 0 + 7",
    "FUND_SERVICE PROJECT 1: 50 + 0",
    "FUND_DELEGATED DELEGATION 1: 60 + 0",
    "FUND_DELEGATED TASK 1: 30 + 0",
    "FUND_PROJECT_POOL POOL 1: 0 + 1000",
];

#[tokio::test]
async fn a_year_ends_by_its_policy_and_leaves_nothing_behind() {
    let service = service(date(2021, 1, 15)).await;
    filled(&service).await;
    assert_eq!(told(&get(&service).await.plan), EXPECTED);
    let hold = "insert into hold (town, id, account, amount_fen, key, subject, purpose, held_on, held_by)
                select 'malu', gen_random_uuid(), id, 10, 'k', 'towns/malu/expenses/x', 'p', '2020-06-01', 'p' from account where fund = 'WORK' and kind = 'COMMITTEE'";
    service.sql(hold).await;
    let held = get(&service).await;
    assert_eq!((held.obstacle_count, held.obstacles[0].subject.as_str()), (1, "towns/malu/expenses/x"));
    assert_eq!(reason(&propose(&service, "o-1").await.unwrap_err()), "YEAR_NOT_READY");
    service.sql("update hold set state = 'VOIDED', resolved_on = '2020-06-01'").await;

    propose(&service, "o-1").await.unwrap();
    assert_eq!(service.constraint(&hold.replace("'k'", "'l'")).await, "fiscal_year_open");
    assert_eq!(cancel(&service).await.unwrap().state(), pb::FiscalYearState::Open);
    propose(&service, "o-1").await.unwrap();
    assert_eq!(reason(&approve(&service, "o-1").await.unwrap_err()), "MAKER_IS_CHECKER");
    assert_eq!(reason(&approve(&service, "o-2").await.unwrap_err()), "NEXT_YEAR_NOT_OPEN");
    policy(&service, 2021).await;
    let operation = approve(&service, "o-2").await.unwrap();
    assert_eq!(reason(&cancel(&service).await.unwrap_err()), "YEAR_END_APPROVED");
    assert_eq!(reason(&approve(&service, "o-3").await.unwrap_err()), "YEAR_END_APPROVED");
    assert!(service.worker.pass().await.unwrap());
    let closed = get(&service).await;
    assert_eq!((closed.state(), closed.operation), (pb::FiscalYearState::Closed, operation.clone()));
    assert_eq!(told(&closed.done), EXPECTED);
    assert!(closed.plan.is_empty());
    let left = "select count(*) from account where fiscal_year = 2020 and kind in ('COMMITTEE', 'POOL', 'TASK') and balance_fen <> 0";
    assert_eq!(service.number(left).await, 0);
    let next = "select sum(balance_fen)::bigint from account where fiscal_year = 2021 and kind in ('COMMITTEE', 'TASK')";
    assert_eq!(service.number(next).await, 173 + 50 + 60 + 30);
    assert_eq!(
        service
            .number("select count(*) from entry where key like 'year/%' and booked_on <> '2020-12-31'")
            .await,
        0
    );
    assert_eq!(service.number("select sum(amount_fen)::bigint from posting").await, 0);

    let request = platform::GetOperationRequest { name: operation };
    let mut operations = OperationServiceClient::new(service.peer.clone());
    let done = operations.get_operation(service.officer("o-1", request)).await.unwrap().into_inner();
    let Some(contracts::google::longrunning::operation::Result::Response(report)) = done.result else {
        panic!("{done:?}")
    };
    let report: pb::CloseYearReport = prost::Message::decode(report.value.as_slice()).unwrap();
    assert_eq!(
        (report.accounts, report.carried_amount, report.returned_amount),
        (8, Some(fen(313)), Some(fen(1_107)))
    );
}

#[tokio::test]
async fn an_end_that_is_killed_goes_on_where_it_stopped() {
    let service = service(date(2021, 1, 15)).await;
    policy(&service, 2020).await;
    policy(&service, 2021).await;
    // more accounts than a chunk takes
    service
        .sql(
            "insert into account (town, id, kind, fund, fiscal_year) values ('malu', gen_random_uuid(), 'APPROPRIATION', 'SERVICE', 2020);
             insert into account (town, id, kind, fund, fiscal_year, committee) select 'malu', gen_random_uuid(), 'COMMITTEE', 'SERVICE', 2020, 'x' || n from generate_series(1, 450) n;
             create temporary table given as select gen_random_uuid() as entry, id as account from account where kind = 'COMMITTEE';
             with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                     select 'malu', entry, 'ALLOCATION', 'test/' || entry, 2020, '2020-02-01', 's', 'd', 2, 'p' from given)
             insert into posting (town, entry, n, account, amount_fen, booked_on)
                 select 'malu', entry, 1, account, 5, date '2020-02-01' from given
                 union all select 'malu', entry, 2, (select id from account where kind = 'APPROPRIATION'), -5, date '2020-02-01' from given",
        )
        .await;
    propose(&service, "o-1").await.unwrap();
    approve(&service, "o-2").await.unwrap();
    // the second chunk meets a database that refuses it: the first one stands
    service
        .sql(
            "create function stop() returns trigger language plpgsql as $$ begin
                 if (select count(*) from entry where key like 'year/%') > 200 then raise exception using errcode = '40001', message = 'killed'; end if;
                 return null; end $$;
             create trigger stop after insert on entry for each statement execute function stop()",
        )
        .await;
    assert!(service.worker.pass().await.unwrap());
    assert_eq!(service.number("select count(*) from entry where key like 'year/%'").await, 200);
    assert_eq!(get(&service).await.state(), pb::FiscalYearState::Closing);
    service
        .sql("drop trigger stop on entry; update operation set lease_until = now() - interval '1 second'")
        .await;
    let another = chassis::operations::Worker::new(
        service.db.context.clone(),
        service.clock.clone(),
        funding::jobs(&service.governance),
    );
    assert!(another.pass().await.unwrap());
    assert_eq!(get(&service).await.state(), pb::FiscalYearState::Closed);
    assert_eq!(service.number("select count(*) from entry where key like 'year/%'").await, 450);
    let carried =
        "select sum(balance_fen)::bigint from account where fiscal_year = 2021 and earmark = 'carried'";
    assert_eq!(service.number(carried).await, 450 * 5);
}

#[tokio::test]
async fn behind_the_services_back_a_year_ends_by_two_people() {
    let service = service(date(2021, 1, 15)).await;
    service.year(2020).await;
    let account = service.give("c1", "WORK", 2020, 100).await;
    let account = account.rsplit('/').next().unwrap();
    let closing = "state = 'CLOSING', proposed_by = 'p', proposed_on = '2021-01-15'";
    let approved = "approved_on = '2021-01-15', operation = gen_random_uuid(), approved_by =";
    let alone = "update fiscal_year set state = 'CLOSING'".to_owned();
    assert_eq!(service.constraint(&alone).await, "fiscal_year_ends_as_its_state_says");
    let hold = format!(
        "insert into hold (town, id, account, amount_fen, key, subject, purpose, held_on, held_by)
         values ('malu', gen_random_uuid(), '{account}', 10, 'k', 's', 'p', '2020-06-01', 'p')"
    );
    service.sql(&hold).await;
    assert_eq!(
        service.constraint(&format!("update fiscal_year set {closing}")).await,
        "fiscal_year_ends_without_holds"
    );
    service.sql("update hold set state = 'VOIDED', resolved_on = '2020-06-01'").await;
    service.sql(&format!("update fiscal_year set {closing}")).await;
    for (sql, constraint) in [
        (format!("update fiscal_year set {approved} 'p'"), "fiscal_year_approved_by_another"),
        (
            format!("update fiscal_year set proposed_person = 'x', approved_person = 'x', {approved} 'q'"),
            "fiscal_year_approved_by_another",
        ),
        ("update fiscal_year set state = 'CLOSED'".to_owned(), "fiscal_year_closes_empty"),
    ] {
        assert_eq!(service.constraint(&sql).await, constraint, "{sql}");
    }
    service.sql(&format!("update fiscal_year set {approved} 'q'")).await;
    let undone = "update fiscal_year set state = 'OPEN', proposed_by = '', proposed_on = null, approved_by = '', approved_on = null, operation = null";
    assert_eq!(service.constraint(undone).await, "fiscal_year_end_goes_on");
}

#[tokio::test]
async fn what_may_still_move_money_stands_in_the_way_by_its_name() {
    let service = funded(date(2020, 6, 1)).await;
    let paid = service.paid(128_000).await;
    let shown = get(&service).await;
    let kinds: Vec<_> = shown.obstacles.iter().map(|one| (one.kind.as_str(), one.name.as_str())).collect();
    assert_eq!(kinds, [("EXPENSE", paid.name.as_str())]);
    let before = service.dump().await;
    let refused = propose(&service, "o-1").await.unwrap_err();
    assert_eq!(reason(&refused), "YEAR_NOT_READY");
    let details = tonic_types::StatusExt::get_error_details(&refused);
    assert_eq!(details.error_info().unwrap().metadata["names"], paid.name);
    assert_eq!(service.dump().await, before, "a refusal changes nothing");
    let alone = "update fiscal_year set state = 'CLOSING', proposed_by = 'p', proposed_on = '2020-12-01'";
    assert_eq!(service.constraint(alone).await, "fiscal_year_ends_without_expenses");
    service
        .walk_on(APPLICANT, &paid, Step::Settle(vec![voucher("v-1", 128_000)], String::new()))
        .await
        .unwrap();
    assert_eq!(propose(&service, "o-1").await.unwrap().state(), pb::FiscalYearState::Closing);
}

#[tokio::test]
async fn the_project_pool_ends_as_the_policy_says() {
    let service = service(date(2021, 1, 15)).await;
    filled_by(&service, &[pb::Fund::ProjectPool]).await;
    policy(&service, 2021).await;
    let pool = |lines: &[pb::YearEndLine]| {
        told(lines).into_iter().filter(|line| line.starts_with("FUND_PROJECT_POOL")).collect::<Vec<_>>()
    };
    assert_eq!(pool(&get(&service).await.plan), ["FUND_PROJECT_POOL POOL 1: 1000 + 0"]);
    propose(&service, "o-1").await.unwrap();
    approve(&service, "o-2").await.unwrap();
    assert!(service.worker.pass().await.unwrap());
    let closed = get(&service).await;
    assert_eq!(closed.state(), pb::FiscalYearState::Closed);
    assert_eq!(pool(&closed.done), ["FUND_PROJECT_POOL POOL 1: 1000 + 0"]);
    let next = "select balance_fen from account where kind = 'POOL' and fiscal_year = ";
    assert_eq!(service.number(&format!("{next}2021")).await, 1_000);
    assert_eq!(service.number(&format!("{next}2020")).await, 0);
}

/// How the last operation of a kind ended.
async fn ended(service: &Service, state: &str) -> i64 {
    let ended = format!(
        "select count(*) from (select state from operation where kind = 'close_year' order by created desc limit 1) o where state = '{state}'"
    );
    service.number(&ended).await
}

#[tokio::test]
async fn an_end_that_was_killed_behind_its_last_unit_of_work_has_succeeded() {
    let service = service(date(2021, 1, 15)).await;
    filled(&service).await;
    policy(&service, 2021).await;
    propose(&service, "o-1").await.unwrap();
    approve(&service, "o-2").await.unwrap();
    assert!(service.worker.pass().await.unwrap());
    // as if the worker had died before it could say that it was done
    service
        .sql(&format!(
            "update operation set state = 'RUNNING', response = null, input = convert_to('{YEAR}', 'UTF8'), lease_owner = gen_random_uuid(),
                    lease_until = now() - interval '1 second' where kind = 'close_year'"
        ))
        .await;
    assert!(service.another_worker().pass().await.unwrap());
    assert_eq!(ended(&service, "SUCCEEDED").await, 1);
    assert_eq!(get(&service).await.state(), pb::FiscalYearState::Closed);
}

#[tokio::test]
async fn an_end_whose_operation_failed_is_approved_again_and_goes_on() {
    let service = service(date(2021, 1, 15)).await;
    filled(&service).await;
    policy(&service, 2021).await;
    propose(&service, "o-1").await.unwrap();
    let first = approve(&service, "o-2").await.unwrap();
    service
        .sql(
            "create function stop() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
             create trigger stop after insert on entry for each statement execute function stop()",
        )
        .await;
    assert!(service.worker.pass().await.unwrap());
    assert_eq!(ended(&service, "FAILED").await, 1);
    service.sql("drop trigger stop on entry").await;
    let shown = seen_by(&service, "o-3").await;
    let approvable = shown.available_actions.iter().find(|action| action.verb == "approveClose").unwrap();
    assert!(approvable.allowed, "{approvable:?}");
    assert_eq!(reason(&cancel(&service).await.unwrap_err()), "YEAR_END_APPROVED");
    let second = approve(&service, "o-3").await.unwrap();
    assert_ne!(first, second);
    assert_eq!(reason(&approve(&service, "o-3").await.unwrap_err()), "YEAR_END_APPROVED");
    assert!(service.worker.pass().await.unwrap());
    let closed = get(&service).await;
    assert_eq!((closed.state(), closed.operation.as_str()), (pb::FiscalYearState::Closed, second.as_str()));
    assert_eq!(closed.approver, shown.approver, "who approved it stays");
    assert_eq!(told(&closed.done), EXPECTED);
}

#[tokio::test]
async fn years_end_in_their_order() {
    let service = service(date(2021, 1, 15)).await;
    filled(&service).await;
    policy(&service, 2021).await;
    let mut years = client(&service);
    let of = |etag: String| pb::ProposeFiscalYearCloseRequest {
        name: "towns/malu/fiscalYears/2021".to_owned(),
        etag,
        request_id: uuid(),
        ..Default::default()
    };
    let request = pb::GetFiscalYearRequest { name: "towns/malu/fiscalYears/2021".to_owned() };
    let next = years.get_fiscal_year(service.officer("o-1", request)).await.unwrap().into_inner();
    let shown = next.available_actions.iter().find(|action| action.verb == "propose").unwrap();
    assert!(!shown.allowed);
    let before = service.dump().await;
    let refused = years.propose_fiscal_year_close(service.officer("o-1", of(next.etag.clone()))).await;
    assert_eq!(reason(&refused.unwrap_err()), "EARLIER_YEAR_OPEN");
    assert_eq!(service.dump().await, before);
    let behind = "update fiscal_year set state = 'CLOSING', proposed_by = 'p', proposed_on = '2021-01-15' where year = 2021";
    assert_eq!(service.constraint(behind).await, "fiscal_year_ends_in_order");
    propose(&service, "o-1").await.unwrap();
    approve(&service, "o-2").await.unwrap();
    assert_eq!(service.constraint(behind).await, "fiscal_year_ends_in_order");
    assert!(service.worker.pass().await.unwrap());
    let proposed = years.propose_fiscal_year_close(service.officer("o-1", of(next.etag))).await.unwrap();
    assert_eq!(proposed.into_inner().state(), pb::FiscalYearState::Closing);
}
