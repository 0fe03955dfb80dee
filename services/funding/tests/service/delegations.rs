//! Tasks that departments hand down: the money comes with the task or the task isn't taken on.

use std::sync::Arc;

use chassis::peer::Peer;
use contracts::linli::{
    common::v1::Obstacle,
    funding::v1::{self as pb, delegation_service_client::DelegationServiceClient},
};
use jiff::civil::date;
use tokio::{sync::Barrier, task::JoinSet};
use tonic::{Code, Request, Status};

use crate::harness::{Service, date as wire, fen, reason, service, uuid, with};

fn client(service: &Service) -> DelegationServiceClient<Peer> {
    DelegationServiceClient::new(service.peer.clone())
}

fn department<T>(service: &Service, message: T) -> Request<T> {
    with(message, &service.token("d-1", "department", "malu"))
}

fn offer(id: &str, shares: &[(&str, i64)]) -> pb::CreateDelegationRequest {
    let offers = shares.iter().map(|(committee, amount)| pb::DelegationOffer {
        committee: format!("towns/malu/committees/{committee}"),
        amount: Some(fen(*amount)),
    });
    pb::CreateDelegationRequest {
        parent: "towns/malu".to_owned(),
        delegation_id: id.to_owned(),
        delegation: Some(pb::Delegation {
            department: "区统计局(示例)".to_owned(),
            display_name: "入户登记".to_owned(),
            fiscal_year: 2020,
            evidence: "马统〔2020〕1号".to_owned(),
            offers: offers.collect(),
            ..Default::default()
        }),
        request_id: uuid(),
        validate_only: false,
    }
}

async fn create(service: &Service, id: &str, shares: &[(&str, i64)]) -> pb::Delegation {
    client(service).create_delegation(department(service, offer(id, shares))).await.unwrap().into_inner()
}

async fn accept(
    service: &Service,
    who: &str,
    share: &pb::DelegationShare,
) -> Result<pb::DelegationShare, Status> {
    let request = pb::AcceptDelegationShareRequest {
        name: share.name.clone(),
        etag: share.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    let committee = share.committee.rsplit('/').next().unwrap();
    let request = service.of_committee(who, committee, request);
    client(service).accept_delegation_share(request).await.map(tonic::Response::into_inner)
}

async fn settle(
    service: &Service,
    who: &str,
    share: &pb::DelegationShare,
) -> Result<pb::DelegationShare, Status> {
    let request = pb::SettleDelegationShareRequest {
        name: share.name.clone(),
        etag: share.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    client(service)
        .settle_delegation_share(service.officer(who, request))
        .await
        .map(tonic::Response::into_inner)
}

async fn decline(
    service: &Service,
    share: &pb::DelegationShare,
    why: &str,
) -> Result<pb::DelegationShare, Status> {
    let request = pb::DeclineDelegationShareRequest {
        name: share.name.clone(),
        etag: share.etag.clone(),
        request_id: uuid(),
        comment: why.to_owned(),
        validate_only: false,
    };
    let committee = share.committee.rsplit('/').next().unwrap();
    let request = service.of_committee("w-1", committee, request);
    client(service).decline_delegation_share(request).await.map(tonic::Response::into_inner)
}

/// Spends from the account of a share, as a paid expense does.
async fn spend(service: &Service, account: &str, amount: i64) {
    let (account, to, entry) = (account.rsplit('/').next().unwrap(), uuid(), uuid());
    service
        .sql(&format!(
            "insert into allowed_category (town, fiscal_year, fund, category, display_name)
                 select 'malu', fiscal_year, 'DELEGATED', 'OFFICE', '办公用品' from account where id = '{account}' on conflict do nothing;
             insert into account (town, id, kind, fund, fiscal_year, committee, earmark, category)
                 select town, '{to}', 'EXPENDITURE', fund, fiscal_year, committee, earmark, 'OFFICE' from account where id = '{account}';
             with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                     values ('malu', '{entry}', 'EXPENSE', 'test/{entry}', 2020, '2020-09-10', 'towns/malu/expenses/x', 'test', 2, 'test'))
             insert into posting (town, entry, n, account, amount_fen, booked_on)
                 values ('malu', '{entry}', 1, '{account}', -{amount}, '2020-09-10'), ('malu', '{entry}', 2, '{to}', {amount}, '2020-09-10')"
        ))
        .await;
}

#[tokio::test]
async fn a_task_comes_down_with_its_money_and_what_is_left_goes_back() {
    let service = service(date(2020, 9, 1)).await;
    service.year(2020).await;
    let made = create(&service, "d-01", &[("c1", 1_200_000), ("c2", 1_200_000)]).await;
    assert_eq!((made.shares.len(), made.offered_amount), (2, Some(fen(2_400_000))));
    assert_eq!(made.reply_due_date, Some(wire(date(2020, 9, 8))));
    let task = "select balance_fen from account where kind = 'TASK'";
    assert_eq!(service.number(task).await, 2_400_000);

    let taken = accept(&service, "w-1", &made.shares[0]).await.unwrap();
    assert_eq!(taken.state(), pb::DelegationShareState::Accepted);
    spend(&service, &taken.account, 987_654).await;
    let own = settle(&service, "w-1", &taken).await.unwrap_err();
    assert_eq!(reason(&own), "MAKER_IS_CHECKER");
    let done = settle(&service, "o-1", &taken).await.unwrap();
    let traced = done.provenance.unwrap();
    let step = |step: Option<pb::DelegationProvenanceStep>| {
        let step = step.unwrap();
        (step.amount, step.entries.len())
    };
    assert_eq!(step(traced.offered), (Some(fen(1_200_000)), 1));
    assert_eq!(step(traced.accepted), (Some(fen(1_200_000)), 1));
    assert_eq!(traced.spent.len(), 1);
    assert_eq!(
        (traced.spent[0].amount.clone(), traced.spent[0].category.as_str()),
        (Some(fen(987_654)), "OFFICE")
    );
    assert_eq!(traced.spent[0].category_display_name, "办公用品");
    assert_eq!(step(traced.returned), (Some(fen(212_346)), 1));
    assert_eq!(traced.left, Some(fen(0)));
    assert_eq!(
        service.number("select balance_fen from account where kind = 'DEPARTMENT'").await,
        212_346 - 2_400_000
    );
    assert_eq!(service.number(task).await, 1_200_000);

    let request = pb::GetDelegationRequest { name: made.name.clone() };
    let seen = client(&service)
        .get_delegation(service.of_committee("w-2", "c2", request.clone()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        seen.shares.iter().map(|share| share.committee.as_str()).collect::<Vec<_>>(),
        ["towns/malu/committees/c2"]
    );
    let outside =
        client(&service).get_delegation(service.of_committee("w-3", "c3", request)).await.unwrap_err();
    assert_eq!(outside.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn an_unfunded_offer_can_be_declined_and_never_accepted_until_its_money_comes() {
    let service = service(date(2020, 7, 15)).await;
    service.year(2020).await;
    let made = create(&service, "d-03", &[("c1", 0), ("c2", 80_000)]).await;
    let before = service.dump().await;
    let refused = accept(&service, "w-1", &made.shares[0]).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "DELEGATION_UNFUNDED")
    );
    let silent = decline(&service, &made.shares[1], "").await.unwrap_err();
    assert_eq!(silent.code(), Code::InvalidArgument);
    assert_eq!(reason(&decline(&service, &made.shares[1], "  ").await.unwrap_err()), "REASON_REQUIRED");
    assert_eq!(service.dump().await, before, "a refusal changes nothing");

    let back = decline(&service, &made.shares[1], "重复填报").await.unwrap();
    assert_eq!((back.state(), back.reason.as_str()), (pb::DelegationShareState::Declined, "重复填报"));
    assert_eq!(back.provenance.unwrap().returned.unwrap().amount, Some(fen(80_000)));
    assert_eq!(
        service.number("select coalesce(sum(balance_fen), 0)::bigint from account where kind = 'TASK'").await,
        0
    );

    let request = pb::FundDelegationShareRequest {
        name: made.shares[0].name.clone(),
        etag: made.shares[0].etag.clone(),
        request_id: uuid(),
        amount: Some(fen(50_000)),
        evidence: "马办〔2020〕7号".to_owned(),
        ..Default::default()
    };
    let funded = client(&service)
        .fund_delegation_share(department(&service, request.clone()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(funded.amount, Some(fen(50_000)));
    let again = pb::FundDelegationShareRequest { etag: funded.etag.clone(), request_id: uuid(), ..request };
    let again = client(&service).fund_delegation_share(department(&service, again)).await.unwrap_err();
    assert_eq!(reason(&again), "DELEGATION_FUNDED");
    assert_eq!(accept(&service, "w-1", &funded).await.unwrap().state(), pb::DelegationShareState::Accepted);
}

#[tokio::test]
async fn who_offered_a_task_does_not_take_it_on_and_the_town_does_not_answer_for_a_committee() {
    let service = service(date(2020, 9, 1)).await;
    service.year(2020).await;
    let made = create(&service, "d-1", &[("c1", 1_000)]).await;
    let before = service.dump().await;
    // the person of the department, with the role of the committee
    assert_eq!(reason(&accept(&service, "d-1", &made.shares[0]).await.unwrap_err()), "MAKER_IS_CHECKER");
    let request = pb::AcceptDelegationShareRequest {
        name: made.shares[0].name.clone(),
        etag: made.shares[0].etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    let town = client(&service).accept_delegation_share(service.officer("o-1", request)).await.unwrap_err();
    assert_eq!(reason(&town), "PERMISSION_DENIED");
    assert_eq!(service.dump().await, before, "a refusal changes nothing");
    accept(&service, "w-1", &made.shares[0]).await.unwrap();
}

#[tokio::test]
async fn bad_offers_are_refused_each_by_its_reason_and_store_nothing() {
    let service = service(date(2020, 7, 15)).await;
    service.year(2020).await;
    create(&service, "d-00", &[("c1", 100)]).await;
    let before = service.dump().await;
    let amount = |units, nanos, currency: &str| {
        let mut request = offer("d-x", &[("c1", 1)]);
        let money = contracts::google::r#type::Money { currency_code: currency.to_owned(), units, nanos };
        request.delegation.as_mut().unwrap().offers[0].amount = Some(money);
        request
    };
    let year = |year| {
        let mut request = offer("d-x", &[("c1", 1)]);
        request.delegation.as_mut().unwrap().fiscal_year = year;
        request
    };
    for (request, expected) in [
        (amount(-1, 0, "CNY"), "AMOUNT_NEGATIVE"),
        (amount(1, 5_000_000, "CNY"), "AMOUNT_NOT_IN_FEN"),
        (amount(i64::MAX, 0, "CNY"), "AMOUNT_OVERFLOW"),
        (amount(1, 0, "USD"), "AMOUNT_CURRENCY"),
        (offer("d-x", &[("c9", 1)]), "COMMITTEE_NOT_FOUND"),
        (offer("d-x", &[("c1", 1), ("c1", 2)]), "BAD_REQUEST"),
        (offer("d-x", &[]), "BAD_REQUEST"),
        (offer("d-00", &[("c1", 1)]), "ALREADY_EXISTS"),
        (offer("d-x", &[("c1", i64::MAX), ("c2", i64::MAX)]), "AMOUNT_OVERFLOW"),
        (year(2021), "FISCAL_YEAR_NOT_OPEN"),
        (year(2019), "FISCAL_YEAR_CLOSED"),
    ] {
        let refused = client(&service).create_delegation(department(&service, request.clone())).await;
        assert_eq!(reason(&refused.expect_err(expected)), expected, "{request:?}");
    }
    let mine = client(&service)
        .create_delegation(service.of_committee("w-1", "c1", offer("d-x", &[("c1", 1)])))
        .await;
    assert_eq!(mine.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(service.dump().await, before, "a refusal changes nothing");
    let dry = pb::CreateDelegationRequest { validate_only: true, ..offer("d-x", &[("c1", 1)]) };
    client(&service).create_delegation(department(&service, dry)).await.unwrap();
    assert_eq!(service.dump().await, before, "validate_only stores nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_accepts_of_one_share_one_is_one() {
    let service = Arc::new(service(date(2020, 9, 1)).await);
    service.year(2020).await;
    let share = create(&service, "d-1", &[("c1", 1_000)]).await.shares.remove(0);
    let barrier = Arc::new(Barrier::new(64));
    let mut tasks = JoinSet::new();
    for n in 0..64 {
        let (service, barrier, share) = (service.clone(), barrier.clone(), share.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            accept(&service, &format!("w-{n}"), &share).await
        });
    }
    let (mut won, mut lost) = (0, 0);
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(_) => won += 1,
            Err(status) => {
                assert_eq!(
                    (status.code(), reason(&status).as_str()),
                    (Code::Aborted, "ETAG_MISMATCH"),
                    "{status:?}"
                );
                lost += 1;
            }
        }
    }
    assert_eq!((won, lost), (1, 63));
    assert_eq!(service.number("select count(*) from entry where key like 'delegation/%/accepted'").await, 1);
    assert_eq!(service.number("select balance_fen from account where kind = 'COMMITTEE'").await, 1_000);
}

#[tokio::test]
async fn behind_the_services_back_a_share_stays_what_it_is() {
    let service = service(date(2020, 9, 1)).await;
    service.year(2020).await;
    let made = create(&service, "d-1", &[("c1", 1_000), ("c2", 0)]).await;
    accept(&service, "w-1", &made.shares[0]).await.unwrap();
    let accepted = "accepted_by = 'p', decided_on = '2020-09-01'";
    let second = "insert into delegation_share (town, id, delegation, committee, amount_fen, offered_by, offered_person)
        select town, gen_random_uuid(), id, 'c1', 0, offered_by, offered_person from delegation";
    for (sql, constraint) in [
        (second.to_owned(), "delegation_share_once"),
        (
            format!("update delegation_share set state = 'ACCEPTED', {accepted} where committee = 'c2'"),
            "delegation_share_accepted_is_funded",
        ),
        ("update delegation_share set amount_fen = 5 where committee = 'c1'".to_owned(), "delegation_keeps_its_offer"),
        ("update delegation_share set committee = 'c3' where committee = 'c2'".to_owned(), "delegation_keeps_its_offer"),
        ("delete from delegation_share".to_owned(), "delegation_keeps_its_offer"),
        ("update delegation set department = 'x'".to_owned(), "delegation_keeps_its_offer"),
        (
            "update delegation_share set state = 'DECLINED', decided_on = '2020-09-01' where committee = 'c2'".to_owned(),
            "delegation_share_declined_with_reason",
        ),
        (
            "update delegation_share set state = 'SETTLED', settled_by = accepted_by, settled_on = '2020-09-02' where committee = 'c1'"
                .to_owned(),
            "delegation_share_settled_by_another",
        ),
        (
            "update delegation_share set amount_fen = 5, evidence = 'x' where committee = 'c2';
             update delegation_share set state = 'ACCEPTED', accepted_by = 'q', accepted_person = offered_person, decided_on = '2020-09-01'
                 where committee = 'c2'"
                .to_owned(),
            "delegation_share_accepted_by_another",
        ),
        ("update delegation_share set offered_by = 'q' where committee = 'c2'".to_owned(), "delegation_keeps_its_offer"),
        (
            "update delegation_share set state = 'OFFERED', accepted_by = '', accepted_person = '', decided_on = null where committee = 'c1'"
                .to_owned(),
            "delegation_share_course",
        ),
        // money that nobody booked
        (
            "update delegation_share set amount_fen = 5, evidence = 'x' where committee = 'c2'".to_owned(),
            "delegation_money_matches",
        ),
    ] {
        assert_eq!(service.constraint(&sql).await, constraint, "{sql}");
    }
}

#[tokio::test]
async fn a_department_acts_on_its_own_tasks_and_the_town_on_all() {
    let service = service(date(2020, 9, 1)).await;
    service.year(2020).await;
    let made = create(&service, "d-1", &[("c1", 0), ("c2", 500)]).await;
    let (unfunded, funded) = (&made.shares[0], &made.shares[1]);
    let taken = accept(&service, "w-1", funded).await.unwrap();
    let fund = || pb::FundDelegationShareRequest {
        name: unfunded.name.clone(),
        etag: unfunded.etag.clone(),
        request_id: uuid(),
        amount: Some(fen(100)),
        evidence: "马办〔2020〕7号".to_owned(),
        ..Default::default()
    };
    let withdraw = || pb::WithdrawDelegationShareRequest {
        name: unfunded.name.clone(),
        etag: unfunded.etag.clone(),
        request_id: uuid(),
        comment: "撤回".to_owned(),
        validate_only: false,
    };
    let settle = || pb::SettleDelegationShareRequest {
        name: taken.name.clone(),
        etag: taken.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    let before = service.dump().await;
    let stranger = service.token("d-2", "department", "malu");
    for refused in [
        client(&service).fund_delegation_share(with(fund(), &stranger)).await.unwrap_err(),
        client(&service).withdraw_delegation_share(with(withdraw(), &stranger)).await.unwrap_err(),
        client(&service).settle_delegation_share(with(settle(), &stranger)).await.unwrap_err(),
    ] {
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::PermissionDenied, "PERMISSION_DENIED")
        );
    }
    assert_eq!(service.dump().await, before, "a refusal changes nothing");
    let seen = pb::GetDelegationShareRequest { name: unfunded.name.clone() };
    let obstacle = async |token: &str| {
        let seen =
            client(&service).get_delegation_share(with(seen.clone(), token)).await.unwrap().into_inner();
        seen.available_actions.iter().find(|action| action.verb == "withdraw").unwrap().obstacle()
    };
    assert_eq!(obstacle(&stranger).await, Obstacle::Permission);
    // another login of the same person is the same department's
    let own = service.login("d-1-again", "d-1", "department", "malu");
    assert_eq!(obstacle(&own).await, Obstacle::Unspecified);
    client(&service).withdraw_delegation_share(with(withdraw(), &own)).await.unwrap();
    client(&service).settle_delegation_share(service.officer("o-1", settle())).await.unwrap();
}

#[tokio::test]
async fn events_tell_amounts_in_whole_fen() {
    let service = service(date(2020, 9, 1)).await;
    service.year(2020).await;
    let made = create(&service, "d-1", &[("c1", 123_456)]).await;
    accept(&service, "w-1", &made.shares[0]).await.unwrap();
    let told = "select count(*) from event where data ? 'amount_fen' and jsonb_typeof(data -> 'amount_fen') = 'number'
        and (data ->> 'amount_fen')::bigint = 123456";
    assert_eq!(service.number(told).await, 3);
    assert_eq!(service.number("select count(*) from event where data ? 'amount'").await, 0);
}
