//! Cover checks: the first and the last day, who moved away, grounds, waiting days, dwellings of others, places.

use chassis::peer::Peer;
use contracts::linli::insurance::v1::{self as pb, cover_service_client::CoverServiceClient};
use jiff::civil::{Date, date};
use tonic::Status;

use crate::harness::{self, Service, reason, service};

/// Whom, where, on which day, what.
#[derive(Clone, Copy, Default)]
struct Asked<'a> {
    person: &'a str,
    household: &'a str,
    estate: &'a str,
    peril: &'a str,
}

fn name(collection: &str, id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("towns/malu/{collection}/{id}") }
}

async fn try_check(service: &Service, asked: Asked<'_>, day: Date) -> Result<pb::CoverCheck, Status> {
    let request = pb::CheckCoverRequest {
        parent: "towns/malu".to_owned(),
        person: name("people", asked.person),
        household: name("households", asked.household),
        estate: name("estates", asked.estate),
        date: Some(harness::date(day)),
        peril: asked.peril.to_owned(),
    };
    let mut client: CoverServiceClient<Peer> = CoverServiceClient::new(service.peer.clone());
    client.check_cover(service.of_committee("asker", "c1", request)).await.map(tonic::Response::into_inner)
}

/// What the first and the second scheme say: the rule that says no, empty when it is covered.
async fn says(service: &Service, asked: Asked<'_>, day: Date) -> [String; 2] {
    let check = try_check(service, asked, day).await.unwrap();
    assert_eq!(check.covered, check.programmes.iter().any(|one| one.covered));
    for one in &check.programmes {
        assert_eq!(one.covered, one.reason.is_empty(), "{one:?}");
        assert_eq!(one.covered, one.reason_zh.is_empty() && one.reason_en.is_empty(), "{one:?}");
        let last = one.trace.last().map(|step| step.rule.clone()).unwrap_or_default();
        assert!(one.covered || last == one.reason, "{one:?}");
    }
    let mut reasons = check.programmes.into_iter().map(|one| one.reason);
    [reasons.next().unwrap(), reasons.next().unwrap()]
}

fn who<'a>(person: &'a str, peril: &'static str) -> Asked<'a> {
    Asked { person, peril, ..Asked::default() }
}

/// Changes what was signed, which only the owner of the tables can.
async fn rewrite(service: &Service, sql: &str) {
    service
        .sql(&format!("set session_replication_role = replica; {sql}; set session_replication_role = origin"))
        .await;
}

#[tokio::test]
async fn the_first_and_the_last_day_are_covered_and_those_beside_them_not() {
    let service = service(date(2020, 10, 1)).await;
    let asked = who("r-1", "FIRE");
    let none = try_check(&service, asked, date(2020, 5, 1)).await.unwrap();
    assert!(!none.covered && none.programmes.is_empty());
    assert_eq!(none.explanation_en, "not covered: the town has signed no policy");

    service.schemes().await;
    assert_eq!(says(&service, asked, date(2020, 1, 1)).await, ["", ""]);
    assert_eq!(says(&service, asked, date(2020, 12, 31)).await, ["", ""]);
    assert_eq!(
        says(&service, asked, date(2019, 12, 31)).await,
        ["EVENT_BEFORE_POLICY", "EVENT_BEFORE_POLICY"]
    );
    assert_eq!(says(&service, asked, date(2021, 1, 1)).await, ["EVENT_AFTER_POLICY", "EVENT_AFTER_POLICY"]);
    // a peril that one scheme doesn't know, and one that none does
    assert_eq!(says(&service, who("r-1", "BURST_PIPE"), date(2020, 5, 1)).await, ["", "PERIL_NOT_COVERED"]);
    assert_eq!(
        says(&service, who("r-1", "WAR"), date(2020, 5, 1)).await,
        ["PERIL_NOT_COVERED", "PERIL_NOT_COVERED"]
    );
    let check = try_check(&service, who("r-1", "DEATH"), date(2020, 5, 1)).await.unwrap();
    assert_eq!(check.explanation_zh, "民生综合保险 承保；社区综合保险：不属于本保险的保障责任");
    let its = &check.programmes[1];
    assert_eq!(
        (its.programme.as_str(), its.policy.as_str(), its.policy_version),
        ("towns/malu/programmes/li", "towns/malu/policies/li-2020", 1)
    );
    let rules: Vec<&str> = its.trace.iter().map(|step| step.rule.as_str()).collect();
    assert_eq!(rules, ["IN_PERIOD", "RESIDENT_ON_DAY"]);
    assert_eq!(its.trace[1].text_zh, "出险日 2020-05-01 居住在本镇（自 2013-08-12 起）");
}

#[tokio::test]
async fn a_resident_is_covered_from_the_day_on_which_he_came_until_the_day_before_he_left() {
    let service = service(date(2020, 10, 1)).await;
    service.schemes().await;
    let death = |person, day| says(&service, who(person, "DEATH"), day);
    assert_eq!(death("r-4", date(2020, 3, 2)).await[1], "");
    assert_eq!(death("r-4", date(2020, 3, 3)).await[1], "NOT_RESIDENT_ON_DAY");
    assert_eq!(death("r-5", date(2020, 5, 31)).await[1], "NOT_RESIDENT_ON_DAY");
    assert_eq!(death("r-5", date(2020, 6, 1)).await[1], "");
    assert_eq!(death("r-6", date(2020, 6, 1)).await[1], "NOT_RESIDENT_ON_DAY");
}

#[tokio::test]
async fn grounds_and_waiting_days_are_those_of_the_policy() {
    let service = service(date(2020, 10, 1)).await;
    service.schemes().await;
    rewrite(&service, "update policy_version set grounds = '{REGISTERED}' where policy = 'li-2020'").await;
    let death = |person, day| says(&service, who(person, "DEATH"), day);
    assert_eq!(death("r-1", date(2020, 5, 1)).await[1], "");
    assert_eq!(death("r-3", date(2020, 5, 1)).await[1], "GROUND_NOT_COVERED");

    rewrite(
        &service,
        "update policy_benefit set waiting_days = 30 where policy = 'li-2020' and peril = 'DEATH'",
    )
    .await;
    // resident since 1 June
    assert_eq!(death("r-5", date(2020, 6, 30)).await[1], "WITHIN_WAITING_DAYS");
    assert_eq!(death("r-5", date(2020, 7, 1)).await[1], "");
    // who moves within the town keeps the days that he lived there before, unless there was a day between
    service
        .governance_sql(
            "insert into residence (town, id, person, household, ground, valid, recorded) values
                 ('malu', gen_random_uuid(), 'r-6', 'h-1', 'REGISTERED', '[2019-02-01,2020-08-01)', tstzrange(now(), null)),
                 ('malu', gen_random_uuid(), 'r-6', 'h-3', 'REGISTERED', '[2020-08-01,2020-09-01)', tstzrange(now(), null)),
                 ('malu', gen_random_uuid(), 'r-6', 'h-2', 'REGISTERED', '[2020-09-02,)', tstzrange(now(), null))",
        )
        .await;
    assert_eq!(death("r-6", date(2020, 8, 2)).await[1], "");
    assert_eq!(death("r-6", date(2020, 9, 1)).await[1], "NOT_RESIDENT_ON_DAY");
    assert_eq!(death("r-6", date(2020, 9, 3)).await[1], "WITHIN_WAITING_DAYS");
}

#[tokio::test]
async fn a_dwelling_is_covered_itself_and_for_those_who_live_in_it() {
    let service = service(date(2020, 10, 1)).await;
    service.schemes().await;
    let day = date(2020, 5, 1);
    let fire = |person, household| Asked { person, household, peril: "FIRE", ..Asked::default() };
    assert_eq!(says(&service, fire("", "h-1"), day).await, ["", ""]);
    assert_eq!(says(&service, fire("r-1", "h-1"), day).await, ["", ""]);
    assert_eq!(says(&service, fire("r-1", "h-2"), day).await, ["NOT_IN_DWELLING", "NOT_IN_DWELLING"]);
    assert_eq!(says(&service, fire("r-6", "h-2"), day).await, ["NOT_RESIDENT_ON_DAY", "NOT_RESIDENT_ON_DAY"]);
    // before the building was there
    assert_eq!(says(&service, fire("", "h-1"), date(2009, 5, 1)).await[0], "EVENT_BEFORE_POLICY");
    // the ground of a dwelling doesn't matter while nobody is named
    rewrite(&service, "update policy_version set grounds = '{REGISTERED}' where policy = 'li-2020'").await;
    assert_eq!(says(&service, fire("", "h-2"), day).await, ["", ""]);
    assert_eq!(says(&service, fire("r-3", "h-2"), day).await, ["", "GROUND_NOT_COVERED"]);
    // a person is insured, and none is named
    let nobody = Asked { household: "h-1", peril: "DEATH", ..Asked::default() };
    assert_eq!(says(&service, nobody, day).await[1], "NOT_RESIDENT_ON_DAY");
}

#[tokio::test]
async fn a_place_is_insured_whoever_is_there_and_only_the_place() {
    let service = service(date(2020, 10, 1)).await;
    service.schemes().await;
    let day = date(2020, 5, 1);
    let injury = |person, estate| Asked { person, estate, peril: "PUBLIC_AREA_INJURY", ..Asked::default() };
    // the first scheme insures the place, the second one residents
    assert_eq!(says(&service, injury("r-6", "e-1"), day).await, ["", "NOT_RESIDENT_ON_DAY"]);
    assert_eq!(says(&service, injury("r-1", "e-1"), day).await, ["", ""]);
    assert_eq!(says(&service, injury("", "e-1"), day).await, ["", "NOT_RESIDENT_ON_DAY"]);
    assert_eq!(says(&service, injury("r-1", ""), day).await, ["NOT_IN_PLACE", ""]);
}

#[tokio::test]
async fn what_cannot_be_checked_is_refused_all_at_once() {
    use tonic_types::StatusExt;
    let service = service(date(2020, 10, 1)).await;
    service.schemes().await;
    let day = date(2020, 5, 1);
    let unknown = try_check(&service, who("nobody", "FIRE"), day).await.unwrap_err();
    assert_eq!(reason(&unknown), "PEER_UNKNOWN");
    let unknown = Asked { person: "r-1", household: "h-9", peril: "FIRE", ..Asked::default() };
    assert_eq!(reason(&try_check(&service, unknown, day).await.unwrap_err()), "PEER_UNKNOWN");
    let bad = Asked { peril: "fire", ..Asked::default() };
    let bad = try_check(&service, bad, day).await.unwrap_err();
    let fields = bad.get_error_details().bad_request().unwrap().field_violations.clone();
    let fields: Vec<&str> = fields.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["peril", "person"]);
    // an adjuster checks no cover, and nobody that of another town
    let asked = |town: &str| pb::CheckCoverRequest {
        parent: format!("towns/{town}"),
        person: format!("towns/{town}/people/r-1"),
        peril: "FIRE".to_owned(),
        ..Default::default()
    };
    let request = asked("malu");
    let mut client: CoverServiceClient<Peer> = CoverServiceClient::new(service.peer.clone());
    let refused = client.check_cover(service.adjuster("x", "o-insurer-0", request)).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    let request = asked("other");
    let refused = client.check_cover(service.officer("x", request)).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
}
