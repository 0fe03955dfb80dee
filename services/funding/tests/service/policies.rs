//! Policies: written by one, published by another, never changed afterwards.

use std::sync::Arc;

use contracts::linli::{
    common::v1::Obstacle,
    funding::v1::{self as pb, FundingPolicyState, fiscal_year_service_client::FiscalYearServiceClient},
};
use jiff::civil::date;
use tokio::{sync::Barrier, task::JoinSet};
use tonic::Code;
use tonic_types::StatusExt;

use crate::{
    allocating::policy_2020,
    harness::{date as wire, fen, reason, service, uuid, with},
    spending::{APPLICANT, Step, application},
};

#[tokio::test]
async fn a_policy_is_drafted_changed_published_and_superseded() {
    let service = service(date(2020, 6, 1)).await;
    let draft = service.draft("li", "2020-1", policy_2020()).await.unwrap();
    assert_eq!((draft.state(), draft.version), (FundingPolicyState::Draft, 0));
    let given = policy_2020();
    assert_eq!(draft.uplifts, given.uplifts);
    assert_eq!(draft.categories, given.categories);
    assert_eq!(draft.expense_terms.unwrap().settle_working_days, 20, "the usual number");

    let request = pb::UpdateFundingPolicyRequest {
        funding_policy: Some(pb::FundingPolicy {
            name: draft.name.clone(),
            etag: draft.etag.clone(),
            growth_index_ppm: 1_050_000,
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["growth_index_ppm".to_owned()] }),
        request_id: uuid(),
        ..Default::default()
    };
    let changed = service.policies().update_funding_policy(service.officer("zhao", request)).await;
    let changed = changed.unwrap().into_inner();
    assert_eq!((changed.growth_index_ppm, changed.uplifts.len()), (1_050_000, 2));

    // whoever wrote some of it may not publish it
    for who in ["li", "zhao"] {
        let status = service.publish(who, &changed).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "MAKER_IS_CHECKER"));
    }
    let published = service.publish("wang", &changed).await.unwrap();
    assert_eq!((published.state(), published.version), (FundingPolicyState::Published, 1));
    assert!(published.publish_time.is_some());
    let allowed = "select count(*) from allowed_category where fiscal_year = 2020 and fund = ";
    for (fund, count) in [("'WORK'", 1), ("'SERVICE'", 2), ("'DELEGATED'", 3), ("'PROJECT_POOL'", 2)] {
        assert_eq!(service.number(&format!("{allowed}{fund}")).await, count, "{fund}");
    }
    assert_eq!(
        service.number("select count(*) from fiscal_year where year = 2020 and state = 'OPEN'").await,
        1
    );

    let mut next = policy_2020();
    next.categories.retain(|row| row.category != "AID");
    next.public_notice_always_for.clear();
    let next = service.policy("2020-2", next).await;
    assert_eq!((next.version, next.supersedes.as_str()), (2, published.name.as_str()));
    assert_eq!(service.number(&format!("{allowed}'SERVICE'")).await, 1, "what is allowed no longer is gone");
    let request = pb::GetFundingPolicyRequest { name: published.name.clone() };
    let former = service.policies().get_funding_policy(service.officer("li", request)).await.unwrap();
    let former = former.into_inner();
    assert_eq!((former.state(), &former.superseded_by), (FundingPolicyState::Superseded, &next.name));
    let verbs: Vec<_> = former.timeline.iter().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["create", "update", "publish", "supersede"]);
}

#[tokio::test]
async fn four_eyes_see_one_person_behind_two_logins() {
    let service = service(date(2020, 6, 1)).await;
    let draft = service.draft("li", "2020-1", policy_2020()).await.unwrap();
    let request = |token: &str| {
        let request = pb::PublishFundingPolicyRequest {
            name: draft.name.clone(),
            etag: draft.etag.clone(),
            request_id: uuid(),
            ..Default::default()
        };
        with(request, token)
    };
    // another login of the same person
    let again = service.login("li-2", "li", "town-officer", "malu");
    let status = service.policies().publish_funding_policy(request(&again)).await.unwrap_err();
    assert_eq!(reason(&status), "MAKER_IS_CHECKER");
    let details = status.get_error_details();
    assert_eq!(details.precondition_failure().unwrap().violations[0].r#type, "FOUR_EYES");

    // who asks learns it before
    let get = pb::GetFundingPolicyRequest { name: draft.name.clone() };
    let seen = service.policies().get_funding_policy(with(get, &again)).await.unwrap().into_inner();
    let publish = seen.available_actions.iter().find(|action| action.verb == "publish").unwrap();
    assert_eq!((publish.allowed, publish.obstacle()), (false, Obstacle::FourEyes));
}

#[tokio::test]
async fn every_fault_is_named_at_once_and_nothing_is_stored() {
    let service = service(date(2020, 6, 1)).await;
    let before = service.dump().await;
    let mut policy = policy_2020();
    policy.effective_date = Some(wire(date(2021, 1, 1)));
    policy.uplifts[0].work_fund = Some(fen(0));
    policy.uplifts[0].service_fund = None;
    policy.categories.push(policy.categories[0].clone());
    policy.public_notice_always_for.push("NOBODY".to_owned());
    let status = service.draft("li", "2020-1", policy).await.unwrap_err();
    let details = status.get_error_details();
    let fields: Vec<_> =
        details.bad_request().unwrap().field_violations.iter().map(|its| its.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "funding_policy.effective_date",
            "funding_policy.uplifts[0]",
            "funding_policy.categories[5]",
            "funding_policy.public_notice_always_for[1]"
        ]
    );
    for (amount, wanted) in [
        (fen(-1), "AMOUNT_NEGATIVE"),
        (
            contracts::google::r#type::Money { currency_code: "USD".to_owned(), units: 1, nanos: 0 },
            "AMOUNT_CURRENCY",
        ),
        (
            contracts::google::r#type::Money { currency_code: "CNY".to_owned(), units: 1, nanos: 1 },
            "AMOUNT_NOT_IN_FEN",
        ),
    ] {
        let policy = pb::FundingPolicy { work_floor: Some(amount), ..policy_2020() };
        let status = service.draft("li", "2020-1", policy).await.unwrap_err();
        assert_eq!(reason(&status), wanted);
    }
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn a_published_policy_changes_for_nobody() {
    let service = service(date(2020, 6, 1)).await;
    let published = service.policy("2020-1", policy_2020()).await;
    let before = service.dump().await;
    let request = pb::UpdateFundingPolicyRequest {
        funding_policy: Some(pb::FundingPolicy { name: published.name.clone(), ..policy_2020() }),
        request_id: uuid(),
        ..Default::default()
    };
    let status = service.policies().update_funding_policy(service.officer("li", request)).await.unwrap_err();
    assert_eq!(reason(&status), "WRONG_STATE");
    let request = pb::DeleteFundingPolicyRequest { name: published.name.clone(), ..Default::default() };
    let status = service.policies().delete_funding_policy(service.officer("li", request)).await.unwrap_err();
    assert_eq!(reason(&status), "WRONG_STATE");
    for sql in [
        "update policy set work_floor_fen = 1",
        "update policy set published_by = 'somebody'",
        "update policy set state = 'DRAFT', published = null, number = 0, published_by = ''",
        "delete from policy",
        "truncate policy cascade",
        "update policy_uplift set work_fen = 1",
        "delete from policy_category",
        "truncate policy_carry_over",
        "insert into policy_category values ('malu', '2020-1', 9, 'SERVICE', 'HOSPITALITY', '接待', true)",
    ] {
        assert_eq!(service.constraint(sql).await, "policy_never_changes", "{sql}");
    }
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn the_database_keeps_one_policy_in_force_published_by_another() {
    let service = service(date(2020, 6, 1)).await;
    service.policy("2020-1", policy_2020()).await;
    let draft = service.draft("li", "2020-2", policy_2020()).await.unwrap();
    assert_eq!(draft.version, 0);
    let published = "update policy set state = 'PUBLISHED', published = now(), number = 2, published_by = ";
    for (sql, constraint) in [
        (format!("{published}'x' where id = '2020-2'"), "policy_one_in_force"),
        (format!("{published}written_by[1] where id = '2020-2'"), "policy_published_by_another"),
        (
            format!("{published}'x', published_person = 'towns/malu/people/li' where id = '2020-2'"),
            "policy_published_by_another",
        ),
        (format!("{published}'' where id = '2020-2'"), "policy_published_as_its_state_says"),
        ("update policy set written_by = '{x}' where id = '2020-2'".to_owned(), "policy_never_changes"),
        (
            "update policy set effective_from = '2021-01-01' where id = '2020-2'".to_owned(),
            "policy_within_its_year",
        ),
        (
            "insert into policy_uplift (town, policy, n, work_fen, service_fen) values ('malu', '2020-2', 9, 1, 0)".to_owned(),
            "policy_uplift_has_a_condition",
        ),
        (
            "insert into policy_uplift (town, policy, n, difficulty, work_fen, service_fen) values ('malu', '2020-2', 9, 'HARD', 1, 0)".to_owned(),
            "policy_uplift_once",
        ),
    ] {
        assert_eq!(service.constraint(&sql).await, constraint, "{sql}");
    }
}

#[tokio::test]
async fn a_draft_is_taken_away_and_comes_back() {
    let service = service(date(2020, 6, 1)).await;
    let draft = service.draft("li", "2020-1", policy_2020()).await.unwrap();
    let request = pb::DeleteFundingPolicyRequest { name: draft.name.clone(), ..Default::default() };
    let gone = service.policies().delete_funding_policy(service.officer("wang", request)).await.unwrap();
    let gone = gone.into_inner();
    assert_eq!(gone.state(), FundingPolicyState::Deleted);
    assert_eq!(reason(&service.publish("wang", &gone).await.unwrap_err()), "WRONG_STATE");
    let request = pb::UndeleteFundingPolicyRequest {
        name: gone.name.clone(),
        etag: gone.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    let back = service.policies().undelete_funding_policy(service.officer("wang", request)).await.unwrap();
    assert_eq!(back.into_inner().state(), FundingPolicyState::Draft);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_publications_of_a_year_one_stands_and_each_has_its_number() {
    let service = Arc::new(service(date(2020, 6, 1)).await);
    let mut drafts = Vec::new();
    for n in 0..8 {
        drafts.push(service.draft("li", &format!("p{n}"), policy_2020()).await.unwrap());
    }
    let drafts = Arc::new(drafts);
    let (barrier, mut tasks) = (Arc::new(Barrier::new(64)), JoinSet::new());
    for n in 0..64 {
        let (service, drafts, barrier) = (service.clone(), drafts.clone(), barrier.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            service.publish("wang", &drafts[n % 8]).await
        });
    }
    let mut published = Vec::new();
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(policy) => published.push(policy.version),
            Err(status) => {
                assert!(matches!(status.code(), Code::Aborted | Code::FailedPrecondition), "{status:?}")
            }
        }
    }
    published.sort_unstable();
    let numbers: Vec<i32> = (1..=i32::try_from(published.len()).unwrap()).collect();
    assert!(!published.is_empty());
    assert_eq!(published, numbers);
    assert_eq!(service.number("select count(*) from policy where state = 'PUBLISHED'").await, 1);
}

#[tokio::test]
async fn a_policy_may_drop_a_category_that_somebody_applied_for() {
    let service = service(date(2020, 6, 1)).await;
    service.policy("2020-1", policy_2020()).await;
    for (committee, fund) in [("c1", "WORK"), ("c1", "SERVICE")] {
        service.give(committee, fund, 2020, 10_000_000).await;
    }
    let aid = service.apply(APPLICANT, application("c1", pb::Fund::Service, "AID", 1_000)).await.unwrap();
    let mut next = policy_2020();
    next.categories.retain(|row| row.category != "AID");
    next.public_notice_always_for.clear();
    assert_eq!(service.policy("2020-2", next).await.state(), FundingPolicyState::Published);
    let refused =
        service.apply(APPLICANT, application("c1", pb::Fund::Service, "AID", 1_000)).await.unwrap_err();
    assert_eq!(reason(&refused), "EARMARK_NOT_ALLOWED");
    // what was applied for under the former policy has its way to the end
    let withdrawn = service.walk_on(APPLICANT, &aid, Step::Withdraw).await.unwrap();
    assert_eq!(withdrawn.state(), pb::ExpenseState::Withdrawn);
}

#[tokio::test]
async fn a_year_is_opened_by_its_first_policy_and_tells_so_once() {
    let service = service(date(2020, 6, 1)).await;
    service.policy("2020-1", policy_2020()).await;
    service.policy("2020-2", policy_2020()).await;
    let events = "select count(*) from event where type = 'linli.funding.fiscalYear.opened.v1' and resource = 'towns/malu/fiscalYears/2020'";
    assert_eq!(service.number(events).await, 1);
    let request = pb::GetFiscalYearRequest { name: "towns/malu/fiscalYears/2020".to_owned() };
    let mut years = FiscalYearServiceClient::new(service.peer.clone());
    let year = years.get_fiscal_year(service.officer("li", request)).await.unwrap().into_inner();
    let told: Vec<_> = year.timeline.iter().map(|its| (its.verb.as_str(), its.to_state.as_str())).collect();
    assert_eq!(told, [("open", "OPEN")]);
}

#[tokio::test]
async fn a_policy_supersedes_another_from_its_day_on() {
    let service = service(date(2020, 6, 1)).await;
    service.policy("2020-1", policy_2020()).await;
    let mut later = policy_2020();
    later.effective_date = Some(wire(date(2020, 7, 1)));
    let draft = service.draft("li", "2020-2", later).await.unwrap();
    let before = service.dump().await;
    let refused = service.publish("wang", &draft).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "POLICY_NOT_DUE"));
    assert_eq!(service.dump().await, before);
    let get = pb::GetFundingPolicyRequest { name: draft.name.clone() };
    let seen =
        service.policies().get_funding_policy(service.officer("wang", get)).await.unwrap().into_inner();
    let publish = seen.available_actions.iter().find(|action| action.verb == "publish").unwrap();
    assert_eq!((publish.allowed, publish.obstacle()), (false, Obstacle::Missing));
    service.clock.set(date(2020, 7, 1)).unwrap();
    assert_eq!(service.publish("wang", &draft).await.unwrap().state(), FundingPolicyState::Published);
}
