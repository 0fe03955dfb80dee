//! Covered incidents without a claim, and who is to visit the family.

use contracts::linli::insurance::v1::{self as pb, incident::Place};
use jiff::civil::date;

use super::{assignment, client, creation, fire, insured, report, verify, visit};
use crate::harness::{Service, reason};

async fn unclaimed(service: &Service, min_days: Option<i32>) -> Vec<pb::UnclaimedIncident> {
    let request =
        pb::ListUnclaimedIncidentsRequest { parent: "towns/malu".to_owned(), min_days, ..Default::default() };
    let answer = client(service).list_unclaimed_incidents(service.officer("reader", request)).await;
    answer.unwrap().into_inner().unclaimed_incidents
}

fn names(all: &[pb::UnclaimedIncident]) -> Vec<String> {
    all.iter().filter_map(|one| one.incident.as_ref()).map(|incident| incident.name.clone()).collect()
}

#[tokio::test]
async fn a_covered_incident_without_a_claim_is_listed_with_who_is_to_visit_the_family() {
    let service = insured(date(2020, 2, 20)).await;
    let verified = verify(&service, &report(&service, fire()).await).await;
    // not verified, and not covered: neither is listed
    report(&service, pb::Incident { peril: "TYPHOON".to_owned(), ..fire() }).await;
    verify(&service, &report(&service, pb::Incident { peril: "WAR".to_owned(), ..fire() }).await).await;
    service.clock.set(date(2020, 2, 26)).unwrap();
    assert!(unclaimed(&service, None).await.is_empty());
    assert_eq!(names(&unclaimed(&service, Some(6)).await), std::slice::from_ref(&verified.name));
    service.clock.set(date(2020, 2, 27)).unwrap();
    let listed = unclaimed(&service, None).await;
    assert_eq!(names(&listed), std::slice::from_ref(&verified.name));
    let one = &listed[0];
    assert_eq!((one.waiting_days, one.block_title.as_str()), (7, "一区块"));
    assert_eq!(
        [&one.block, &one.steward_person, &one.steward_worker, &one.visitor],
        [
            "towns/malu/blocks/b-1",
            "towns/malu/people/steward",
            "towns/malu/workers/w-1",
            "towns/malu/people/steward"
        ]
    );
    assert!(one.stewardship.starts_with("towns/malu/stewardships/") && one.visits.is_empty());
    assert!(one.incident.as_ref().is_some_and(|incident| incident.masked && incident.description.is_empty()));

    let sent = assignment(&verified, "towns/malu/workers/w-9");
    let sent =
        client(&service).assign_visit(service.of_committee("x", "c1", sent)).await.unwrap().into_inner();
    service.clock.set(date(2020, 3, 5)).unwrap();
    let listed = unclaimed(&service, None).await;
    assert_eq!((listed[0].visitor.as_str(), listed[0].visit_overdue), ("towns/malu/workers/w-9", false));
    service.clock.set(date(2020, 3, 6)).unwrap();
    assert!(unclaimed(&service, None).await[0].visit_overdue);
    let made = visit(&sent, pb::VisitResult::Declines, "不要");
    client(&service).record_visit(service.of_committee("x", "c1", made)).await.unwrap();
    let listed = unclaimed(&service, None).await;
    assert_eq!((listed[0].visits.len(), listed[0].visit_overdue), (1, false));
    assert_eq!(
        (listed[0].visits[0].result(), listed[0].visits[0].text.as_str()),
        (pb::VisitResult::Declines, "")
    );

    // a claim takes it from the list
    service
        .sql("update incident set state = 'CLAIMED', claim = 'towns/malu/claims/x' where state = 'VERIFIED'")
        .await;
    assert!(unclaimed(&service, None).await.is_empty());
}

#[tokio::test]
async fn the_steward_is_the_one_of_today_and_his_absence_is_no_fault() {
    let service = insured(date(2020, 8, 1)).await;
    // of a household without a block, and one of nobody's household
    let typhoon = pb::Incident {
        peril: "TYPHOON".to_owned(),
        person: "towns/malu/people/r-5".to_owned(),
        happen_date: Some(crate::harness::date(date(2020, 7, 1))),
        place: Some(Place::PlaceHousehold("towns/malu/households/h-3".to_owned())),
        ..fire()
    };
    let fall = pb::Incident {
        peril: "PUBLIC_AREA_INJURY".to_owned(),
        person: String::new(),
        place: Some(Place::PlaceEstate("towns/malu/estates/e-2".to_owned())),
        ..fire()
    };
    for incident in [typhoon, fall] {
        let request = service.of_committee("r", "c2", creation(incident));
        let reported = client(&service).create_incident(request).await.unwrap().into_inner();
        let request = pb::VerifyIncidentRequest {
            name: reported.name,
            etag: reported.etag,
            request_id: crate::harness::uuid(),
            ..Default::default()
        };
        client(&service).verify_incident(service.of_committee("v", "c2", request)).await.unwrap();
    }
    let listed = unclaimed(&service, Some(0)).await;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|one| one.visitor.is_empty() && one.stewardship.is_empty()));

    // handed over since
    let mine = verify(&service, &report(&service, fire()).await).await;
    service
        .governance_sql(
            "update stewardship set recorded = tstzrange(lower(recorded), now() + interval '1 millisecond') where block = 'b-1';
             insert into stewardship (town, id, block, valid, recorded, person, worker, kind) values
                 ('malu', gen_random_uuid(), 'b-1', '[2010-01-01,2020-08-01)', tstzrange(now() + interval '1 millisecond', null), 'towns/malu/people/steward', 'towns/malu/workers/w-1', 'REGULAR'),
                 ('malu', gen_random_uuid(), 'b-1', '[2020-08-01,)', tstzrange(now() + interval '1 millisecond', null), '', 'towns/malu/workers/w-2', 'REGULAR')",
        )
        .await;
    let listed = unclaimed(&service, Some(0)).await;
    let its = listed.iter().find(|one| names(std::slice::from_ref(one)) == [mine.name.clone()]).unwrap();
    assert_eq!((its.visitor.as_str(), its.steward_person.as_str()), ("towns/malu/workers/w-2", ""));
}

#[tokio::test]
async fn pages_follow_one_another_and_belong_to_their_question() {
    let service = insured(date(2020, 2, 20)).await;
    let mut all = Vec::new();
    for peril in ["FIRE", "TYPHOON", "BURST_PIPE"] {
        let one = report(&service, pb::Incident { peril: peril.to_owned(), ..fire() }).await;
        all.push(verify(&service, &one).await.name);
    }
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListUnclaimedIncidentsRequest {
            parent: "towns/malu".to_owned(),
            page_size: 1,
            page_token: token.clone(),
            min_days: Some(0),
            ..Default::default()
        };
        let page = client(&service).list_unclaimed_incidents(service.officer("reader", request)).await;
        let page = page.unwrap().into_inner();
        seen.extend(names(&page.unclaimed_incidents));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
        let other = pb::ListUnclaimedIncidentsRequest {
            parent: "towns/malu".to_owned(),
            page_size: 1,
            page_token: token.clone(),
            min_days: Some(1),
            ..Default::default()
        };
        let refused = client(&service).list_unclaimed_incidents(service.officer("reader", other)).await;
        assert_eq!(reason(&refused.unwrap_err()), "PAGE_TOKEN_INVALID");
    }
    assert_eq!(seen, all);
}
