//! What other services of the suite ask governance.

use contracts::linli::governance::v1::{self as pb, role_binding_service_client::RoleBindingServiceClient};
use jiff::{Timestamp, civil::date};
use tonic::Code;

use crate::harness::{Service, date as wire, reason, service, with};

/// A service's own account.
fn account<T>(service: &Service, message: T) -> tonic::Request<T> {
    with(message, &service.token("service-funding", "service", "everywhere"))
}

async fn resolve(
    service: &Service,
    request: pb::ResolveGrantsRequest,
) -> Result<pb::ResolveGrantsResponse, tonic::Status> {
    let mut client = RoleBindingServiceClient::new(service.peer.clone());
    client.resolve_grants(account(service, request)).await.map(tonic::Response::into_inner)
}

fn told(answer: &pb::ResolveGrantsResponse) -> Vec<String> {
    let mut told: Vec<String> =
        answer.grants.iter().map(|grant| format!("{} {}", grant.role, grant.area)).collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_role_in_a_community_comes_with_its_committees_of_today() {
    let service = service(date(2020, 6, 1)).await;
    for id in ["c1", "c2"] {
        service.committee(id, date(2016, 1, 1)).await;
    }
    // one that went to another community in March
    let period = "'c3', tstzrange(now(), null), '丙', 'FOUNDED'";
    service
        .sql(&format!(
            "insert into committee (town, id, kind, founding_date) values ('malu', 'c3', 'RESIDENTS_COMMITTEE', '2016-01-01');
             insert into committee_period (town, id, committee, recorded, display_name, state, community, valid) values
             ('malu', gen_random_uuid(), {period}, 'a', '[2016-01-01,2020-03-01)'),
             ('malu', gen_random_uuid(), {period}, 'b', '[2020-03-01,)')"
        ))
        .await;
    service
        .sql(
            "insert into role_binding (town, id, member, role, area, person) values
             ('malu', 'a', 'principal:https://id|li', 'community-officer', 'towns/malu/communities/a', 'towns/malu/people/li'),
             ('malu', 'b', 'group:auditors', 'auditor', 'towns/malu', ''),
             ('malu', 'c', 'principal:https://id|other', 'administrator', 'everywhere', '')",
        )
        .await;
    let request = pb::ResolveGrantsRequest {
        issuer: "https://id".to_owned(),
        subject: "li".to_owned(),
        groups: vec!["auditors".to_owned(), "administrator@everywhere".to_owned()],
        person: "towns/malu/people/somebody-else".to_owned(),
    };
    let answer = resolve(&service, request.clone()).await.unwrap();
    assert_eq!(answer.person, "towns/malu/people/li", "a token of another issuer names no person");
    let expected = [
        "auditor towns/malu",
        "community-officer towns/malu/committees/c1",
        "community-officer towns/malu/committees/c2",
        "community-officer towns/malu/communities/a",
    ];
    assert_eq!(told(&answer), expected, "and its groups no roles");

    // the tokens of the development issuer say it themselves, here as in governance's own layers
    let developed = pb::ResolveGrantsRequest {
        issuer: chassis::identity::DEV_ISSUER.to_owned(),
        groups: vec!["town-officer@malu".to_owned()],
        ..request.clone()
    };
    let answer = resolve(&service, developed).await.unwrap();
    assert_eq!(
        (answer.person.as_str(), told(&answer)),
        ("towns/malu/people/somebody-else", vec!["town-officer towns/malu".to_owned()])
    );

    let mut client = RoleBindingServiceClient::new(service.peer.clone());
    for (role, area) in [("service", "malu"), ("administrator", "malu"), ("town-officer", "everywhere")] {
        let asked = with(request.clone(), &service.token("x", role, area));
        let refused = client.resolve_grants(asked).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::PermissionDenied, "PERMISSION_DENIED"),
            "{role} in {area}"
        );
    }
}

async fn record(service: &Service, committee: &str, day: jiff::civil::Date, households: i32, reason: &str) {
    let count = pb::HouseholdCount {
        valid_date: Some(wire(day)),
        households,
        reason: reason.to_owned(),
        ..Default::default()
    };
    let parent = format!("towns/malu/committees/{committee}");
    let request =
        pb::RecordHouseholdCountRequest { parent, household_count: Some(count), ..Default::default() };
    service.committees().record_household_count(service.officer(request)).await.unwrap();
}

#[tokio::test]
async fn a_list_of_committees_shows_the_counts_of_the_day_that_is_asked_for() {
    let service = service(date(2020, 6, 1)).await;
    for id in ["c1", "c2", "c3", "c4"] {
        service.committee(id, date(2016, 1, 1)).await;
    }
    record(&service, "c1", date(2018, 12, 31), 1_900, "").await;
    record(&service, "c1", date(2019, 12, 31), 2_000, "").await;
    record(&service, "c1", date(2020, 5, 1), 2_100, "").await;
    record(&service, "c2", date(2020, 3, 1), 500, "").await;
    record(&service, "c2", date(2020, 4, 1), 600, "").await;
    record(&service, "c4", date(2019, 12, 31), 2_350, "").await;
    let before = Timestamp::from_microsecond(chassis::clock::recorded_now().as_microsecond()).unwrap();
    record(&service, "c1", date(2019, 12, 31), 2_001, "清点有误").await;

    let ask = |day: Option<jiff::civil::Date>, read_time| pb::ListCommitteesRequest {
        parent: "towns/malu".to_owned(),
        household_count_date: day.map(wire),
        read_time,
        page_size: 10,
        ..Default::default()
    };
    let counts = async |request: pb::ListCommitteesRequest| {
        let page = service.committees().list_committees(service.officer(request)).await.unwrap().into_inner();
        let count =
            |committee: &pb::Committee| committee.household_count.as_ref().map(|count| count.households);
        page.committees.iter().map(count).collect::<Vec<_>>()
    };
    let day = Some(date(2019, 12, 31));
    assert_eq!(counts(ask(day, None)).await, [Some(2_001), Some(500), None, Some(2_350)]);
    let read_time = prost_types::Timestamp { seconds: before.as_second(), nanos: before.subsec_nanosecond() };
    assert_eq!(counts(ask(day, Some(read_time))).await, [Some(2_000), Some(500), None, Some(2_350)]);
    assert_eq!(counts(ask(None, None)).await, [Some(2_100), Some(600), None, Some(2_350)], "today's");
    let early = pb::ListCommitteesRequest { as_of_date: Some(wire(date(2019, 6, 1))), ..ask(None, None) };
    assert_eq!(
        counts(early).await,
        [Some(1_900), None, None, None],
        "and none of a later day unless asked for"
    );

    let page =
        |token: String, day| pb::ListCommitteesRequest { page_size: 1, page_token: token, ..ask(day, None) };
    let first = service
        .committees()
        .list_committees(service.officer(page(String::new(), day)))
        .await
        .unwrap()
        .into_inner();
    let second = page(first.next_page_token.clone(), day);
    assert!(service.committees().list_committees(service.officer(second)).await.is_ok());
    let other = page(first.next_page_token, None);
    let refused = service.committees().list_committees(service.officer(other)).await.unwrap_err();
    assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
}
