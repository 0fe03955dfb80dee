//! Grants to projects: with an account of their own, from the service fund or the pool.

use std::sync::Arc;

use chassis::peer::Peer;
use contracts::linli::funding::v1::{self as pb, project_grant_service_client::ProjectGrantServiceClient};
use jiff::civil::date;
use tokio::{sync::Barrier, task::JoinSet};
use tonic::{Code, Status};

use crate::harness::{Service, fen, reason, service, uuid};

fn client(service: &Service) -> ProjectGrantServiceClient<Peer> {
    ProjectGrantServiceClient::new(service.peer.clone())
}

fn proposal(
    project: &str,
    committee: &str,
    source: pb::ProjectGrantSource,
    amount: i64,
) -> pb::CreateProjectGrantRequest {
    pb::CreateProjectGrantRequest {
        parent: "towns/malu".to_owned(),
        project_grant: Some(pb::ProjectGrant {
            project: format!("towns/malu/projects/{project}"),
            committee: format!("towns/malu/committees/{committee}"),
            source: source.into(),
            fiscal_year: 2020,
            amount: Some(fen(amount)),
            purpose: "楼道共治".to_owned(),
            ..Default::default()
        }),
        request_id: uuid(),
        validate_only: false,
    }
}

async fn propose(
    service: &Service,
    who: &str,
    request: pb::CreateProjectGrantRequest,
) -> Result<pb::ProjectGrant, Status> {
    let done = client(service).create_project_grant(service.of_committee(who, "c1", request)).await;
    done.map(tonic::Response::into_inner)
}

async fn give(service: &Service, who: &str, grant: &pb::ProjectGrant) -> Result<pb::ProjectGrant, Status> {
    let request = pb::GrantProjectGrantRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    client(service).grant_project_grant(service.officer(who, request)).await.map(tonic::Response::into_inner)
}

async fn close(service: &Service, who: &str, grant: &pb::ProjectGrant) -> Result<pb::ProjectGrant, Status> {
    let request = pb::CloseProjectGrantRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    client(service).close_project_grant(service.officer(who, request)).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_project_gets_its_money_from_the_service_fund_and_gives_the_rest_back() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let fund = service.give("c1", "SERVICE", 2020, 1_500_000).await;
    let request = proposal("p-1", "c1", pb::ProjectGrantSource::ServiceFund, 500_000);
    let grant = propose(&service, "w-1", request.clone()).await.unwrap();
    assert_eq!(grant.state(), pb::ProjectGrantState::Proposed);
    let second =
        propose(&service, "w-1", pb::CreateProjectGrantRequest { request_id: uuid(), ..request }).await;
    assert_eq!(reason(&second.unwrap_err()), "GRANT_OPEN");
    assert_eq!(reason(&give(&service, "w-1", &grant).await.unwrap_err()), "MAKER_IS_CHECKER");
    let given = give(&service, "o-1", &grant).await.unwrap();
    assert_eq!(
        (given.state(), given.left_amount.clone()),
        (pb::ProjectGrantState::Granted, Some(fen(500_000)))
    );
    let id = |name: &str| name.rsplit('/').next().unwrap().to_owned();
    let balance = |name: &str| format!("select balance_fen from account where id = '{}'", id(name));
    assert_eq!(service.number(&balance(&fund)).await, 1_000_000);
    assert_eq!(service.number(&balance(&given.account)).await, 500_000);

    service
        .sql(&format!(
            "insert into hold (town, id, account, amount_fen, key, subject, purpose, held_on, held_by)
             values ('malu', gen_random_uuid(), '{}', 10, 'k', 's', 'p', '2020-06-01', 'p')",
            id(&given.account)
        ))
        .await;
    assert_eq!(reason(&close(&service, "o-1", &given).await.unwrap_err()), "OPEN_HOLDS");
    service.sql("update hold set state = 'VOIDED', resolved_on = '2020-06-01'").await;
    let closed = close(&service, "o-1", &given).await.unwrap();
    assert_eq!((closed.state(), closed.returned_amount), (pb::ProjectGrantState::Closed, Some(fen(500_000))));
    assert_eq!((closed.spent_amount, closed.left_amount), (Some(fen(0)), Some(fen(0))));
    assert_eq!(service.number(&balance(&fund)).await, 1_500_000);
}

#[tokio::test]
async fn what_a_grant_may_not_be_is_refused_by_its_reason() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    service.give("c1", "SERVICE", 2020, 1_000).await;
    let before = service.dump().await;
    let source = pb::ProjectGrantSource::ServiceFund;
    for (request, expected) in [
        (proposal("p-1", "c1", source, 0), "AMOUNT_NOT_POSITIVE"),
        (proposal("P 1", "c1", source, 1), "BAD_REQUEST"),
        (proposal("p-1", "c2", source, 1), "PERMISSION_DENIED"),
    ] {
        assert_eq!(reason(&propose(&service, "w-1", request).await.unwrap_err()), expected);
    }
    let unknown = proposal("p-1", "c9", source, 1);
    let unknown = client(&service).create_project_grant(service.officer("o-1", unknown)).await.unwrap_err();
    assert_eq!(reason(&unknown), "COMMITTEE_NOT_FOUND");
    assert_eq!(service.dump().await, before, "a refusal changes nothing");
    let grant = propose(&service, "w-1", proposal("p-1", "c1", source, 1_001)).await.unwrap();
    assert_eq!(reason(&give(&service, "o-1", &grant).await.unwrap_err()), "BALANCE_INSUFFICIENT");
    let pool = propose(&service, "w-1", proposal("p-1", "c1", pb::ProjectGrantSource::ProjectPool, 5))
        .await
        .unwrap();
    assert_eq!(reason(&give(&service, "o-1", &pool).await.unwrap_err()), "ACCOUNT_NOT_FOUND");
    let reject = pb::RejectProjectGrantRequest {
        name: pool.name,
        etag: pool.etag,
        request_id: uuid(),
        comment: "不符合".to_owned(),
        validate_only: false,
    };
    let rejected =
        client(&service).reject_project_grant(service.officer("o-1", reject)).await.unwrap().into_inner();
    assert_eq!(rejected.state(), pb::ProjectGrantState::Rejected);
    let over = give(&service, "o-1", &rejected).await.unwrap_err();
    assert_eq!((over.code(), reason(&over).as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
}

#[tokio::test]
async fn behind_the_services_back_a_grant_stays_what_it_is() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    service.give("c1", "SERVICE", 2020, 1_000).await;
    let source = pb::ProjectGrantSource::ServiceFund;
    let grant = propose(&service, "w-1", proposal("p-1", "c1", source, 400)).await.unwrap();
    propose(&service, "w-1", proposal("p-2", "c1", source, 7)).await.unwrap();
    give(&service, "o-1", &grant).await.unwrap();
    let copy = "insert into project_grant (town, id, project, committee, source, fiscal_year, amount_fen, purpose, proposed_by, proposed_on)
                select town, gen_random_uuid(), project, committee, source, fiscal_year, amount_fen, purpose, proposed_by, proposed_on
                from project_grant where project = 'p-1'";
    let granted = "state = 'GRANTED', decided_on = '2020-06-01', granted_by = ";
    for (sql, constraint) in [
        (copy.to_owned(), "project_grant_one_open"),
        ("update project_grant set amount_fen = 5".to_owned(), "project_grant_keeps_its_proposal"),
        ("delete from project_grant".to_owned(), "project_grant_keeps_its_proposal"),
        (
            format!("update project_grant set {granted} proposed_by where project = 'p-2'"),
            "project_grant_granted_by_another",
        ),
        (
            format!("update project_grant set {granted} 'x', granted_person = proposed_person where project = 'p-2'"),
            "project_grant_granted_by_another",
        ),
        // without its money
        (format!("update project_grant set {granted} 'x' where project = 'p-2'"), "project_grant_money_matches"),
        (
            "update project_grant set state = 'CLOSED', closed_on = '2020-06-01', closed_by = 'x' where project = 'p-1'".to_owned(),
            "project_grant_closes_empty",
        ),
        (
            "update project_grant set state = 'REJECTED', decided_on = '2020-06-01' where project = 'p-2'".to_owned(),
            "project_grant_rejected_with_reason",
        ),
        (
            "update project_grant set state = 'PROPOSED', decided_on = null, granted_by = '' where project = 'p-1'".to_owned(),
            "project_grant_keeps_its_proposal",
        ),
    ] {
        assert_eq!(service.constraint(&sql).await, constraint, "{sql}");
    }
}

#[tokio::test]
async fn a_proposal_is_withdrawn_by_its_proposer_alone() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let request = proposal("p-1", "c1", pb::ProjectGrantSource::ServiceFund, 500);
    let grant = propose(&service, "w-1", request).await.unwrap();
    let withdraw = || pb::WithdrawProjectGrantRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    let by_another =
        client(&service).withdraw_project_grant(service.of_committee("w-2", "c1", withdraw())).await;
    assert_eq!(reason(&by_another.unwrap_err()), "NOT_THE_APPLICANT");
    let get = pb::GetProjectGrantRequest { name: grant.name.clone() };
    let seen = client(&service).get_project_grant(service.of_committee("w-2", "c1", get)).await.unwrap();
    let seen = seen.into_inner().available_actions.into_iter().find(|action| action.verb == "withdraw");
    assert!(!seen.unwrap().allowed);
    let done = client(&service).withdraw_project_grant(service.of_committee("w-1", "c1", withdraw())).await;
    assert_eq!(done.unwrap().into_inner().state(), pb::ProjectGrantState::Withdrawn);
}

/// The money of the town's pool, as a released run gives it; the account's id.
async fn pool(service: &Service, amount: i64) -> String {
    let (account, entry) = (uuid(), uuid());
    service
        .sql(&format!(
            "insert into account (town, id, kind, fund, fiscal_year) values ('malu', '{account}', 'POOL', 'PROJECT_POOL', 2020);
             insert into account (town, id, kind, fund, fiscal_year) values ('malu', gen_random_uuid(), 'APPROPRIATION', 'PROJECT_POOL', 2020);
             with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                     values ('malu', '{entry}', 'ALLOCATION', 'test/{entry}', 2020, '2020-01-10', 'test', 'test', 2, 'test'))
             insert into posting (town, entry, n, account, amount_fen, booked_on)
                 values ('malu', '{entry}', 1, '{account}', {amount}, '2020-01-10'),
                        ('malu', '{entry}', 2, (select id from account where kind = 'APPROPRIATION' and fund = 'PROJECT_POOL'), -{amount}, '2020-01-10')"
        ))
        .await;
    account
}

#[tokio::test]
async fn the_pool_gives_to_a_project_and_gets_the_rest_back() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let pool = pool(&service, 900_000).await;
    let balance = format!("select balance_fen from account where id = '{pool}'");
    let request = proposal("p-1", "c1", pb::ProjectGrantSource::ProjectPool, 300_000);
    let grant = propose(&service, "w-1", request).await.unwrap();
    let given = give(&service, "o-1", &grant).await.unwrap();
    assert_eq!(service.number(&balance).await, 600_000);
    let account = given.account.rsplit('/').next().unwrap();
    let its = format!(
        "select count(*) from account where id = '{account}' and fund = 'PROJECT_POOL' and committee = 'c1' and earmark = 'project:p-1' and balance_fen = 300000"
    );
    assert_eq!(service.number(&its).await, 1);
    let closed = close(&service, "o-1", &given).await.unwrap();
    assert_eq!((closed.returned_amount, closed.left_amount), (Some(fen(300_000)), Some(fen(0))));
    assert_eq!(service.number(&balance).await, 900_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_grants_of_one_proposal_one_gives() {
    let service = Arc::new(service(date(2020, 6, 1)).await);
    service.year(2020).await;
    service.give("c1", "SERVICE", 2020, 1_000).await;
    let request = proposal("p-1", "c1", pb::ProjectGrantSource::ServiceFund, 400);
    let grant = propose(&service, "w-1", request).await.unwrap();
    let barrier = Arc::new(Barrier::new(64));
    let mut tasks = JoinSet::new();
    for n in 0..64 {
        let (service, barrier, grant) = (service.clone(), barrier.clone(), grant.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            give(&service, &format!("o-{n}"), &grant).await
        });
    }
    let mut won = 0;
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(_) => won += 1,
            Err(status) => {
                assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "ETAG_MISMATCH"))
            }
        }
    }
    assert_eq!(won, 1);
    assert_eq!(service.number("select count(*) from entry where kind = 'GRANT'").await, 1);
}
