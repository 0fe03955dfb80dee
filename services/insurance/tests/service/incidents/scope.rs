//! Who sees which incident.

use contracts::linli::insurance::v1::{self as pb, incident::Place};
use jiff::civil::date;
use tonic::{Request, Response};

use super::{client, creation, fire, insured, report, verify};
use crate::harness::{Service, reason, uuid, with};

async fn listed(service: &Service, filter: &str, token: &str) -> Vec<String> {
    let request = pb::ListIncidentsRequest {
        parent: "towns/malu".to_owned(),
        filter: filter.to_owned(),
        ..Default::default()
    };
    let page = client(service).list_incidents(with(request, token)).await.map(Response::into_inner).unwrap();
    assert!(page.incidents.iter().all(|one| one.masked && one.description.is_empty()));
    page.incidents.into_iter().map(|one| one.number).collect()
}

#[tokio::test]
async fn an_officer_of_another_committee_sees_nothing_and_a_steward_his_block() {
    let service = insured(date(2020, 2, 20)).await;
    let verified = verify(&service, &report(&service, fire()).await).await;
    let others = service.token("other", "committee-officer", "committee:c2");
    let own = service.token("own", "committee-officer", "committee:c1");
    let steward = service.token("steward", "steward", "block:b-1");
    assert_eq!(listed(&service, "", &own).await.len(), 1);
    assert_eq!(listed(&service, "", &steward).await.len(), 1);
    assert!(listed(&service, "", &others).await.is_empty());

    let name = verified.name.clone();
    let get = pb::GetIncidentRequest { name: name.clone() };
    let refused = client(&service).get_incident(with(get.clone(), &others)).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    client(&service).get_incident(with(get, &steward)).await.unwrap();
    let close = pb::CloseIncidentRequest {
        name: name.clone(),
        etag: verified.etag.clone(),
        request_id: uuid(),
        comment: "x".to_owned(),
        ..Default::default()
    };
    let refused = client(&service).close_incident(with(close.clone(), &others)).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    // a steward reports and reads, and closes nothing
    let refused = client(&service).close_incident(with(close, &steward)).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    let reveal = pb::RevealIncidentRequest { name, purpose: "x".to_owned() };
    let refused = client(&service).reveal_incident(with(reveal, &others)).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    let unclaimed = pb::ListUnclaimedIncidentsRequest {
        parent: "towns/malu".to_owned(),
        min_days: Some(0),
        ..Default::default()
    };
    let page = client(&service).list_unclaimed_incidents(with(unclaimed.clone(), &others)).await.unwrap();
    assert!(page.into_inner().unclaimed_incidents.is_empty());
    let page = client(&service).list_unclaimed_incidents(with(unclaimed, &own)).await.unwrap();
    assert_eq!(page.into_inner().unclaimed_incidents.len(), 1);
}

#[tokio::test]
async fn a_report_lies_in_the_callers_area() {
    let service = insured(date(2020, 2, 20)).await;
    let create = |token: &str, incident: pb::Incident| -> Request<pb::CreateIncidentRequest> {
        with(creation(incident), token)
    };
    let others = service.token("other", "committee-officer", "committee:c2");
    let refused = client(&service).create_incident(create(&others, fire())).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    // a street lies nowhere: the home of the person tells the committee, and without one only the town reports it
    let street = |person: &str| pb::Incident {
        place: Some(Place::PlaceText("胜辛路".to_owned())),
        person: person.to_owned(),
        peril: "DEATH".to_owned(),
        ..fire()
    };
    let own = service.token("own", "committee-officer", "committee:c1");
    let reported = client(&service).create_incident(create(&own, street("towns/malu/people/r-3"))).await;
    let reported = reported.unwrap().into_inner();
    assert_eq!(
        (reported.committee.as_str(), reported.block.as_str()),
        ("towns/malu/committees/c1", "towns/malu/blocks/b-1")
    );
    let refused = client(&service).create_incident(create(&own, street("towns/malu/people/r-6"))).await;
    assert_eq!(reason(&refused.unwrap_err()), "PERMISSION_DENIED");
    let town = service.token("town", "town-officer", "malu");
    let reported = client(&service).create_incident(create(&town, street("towns/malu/people/r-6"))).await;
    assert_eq!(reported.unwrap().into_inner().committee, "");
    // a steward in his own block
    let steward = service.token("steward", "steward", "block:b-1");
    client(&service).create_incident(create(&steward, fire())).await.unwrap();
}

#[tokio::test]
async fn a_list_is_filtered() {
    let service = insured(date(2020, 2, 20)).await;
    verify(&service, &report(&service, fire()).await).await;
    report(
        &service,
        pb::Incident { peril: "DEATH".to_owned(), person: "towns/malu/people/r-2".to_owned(), ..fire() },
    )
    .await;
    let token = service.token("town", "town-officer", "malu");
    let (one, two) = ("险-2020-000001", "险-2020-000002");
    for (filter, wanted) in [
        ("state = VERIFIED", vec![one]),
        ("state = REPORTED", vec![two]),
        ("peril = \"DEATH\"", vec![two]),
        ("committee = \"towns/malu/committees/c1\"", vec![one, two]),
        ("committee = \"towns/malu/committees/c2\"", vec![]),
        ("happen_date = 2020-02-14", vec![one, two]),
        ("happen_date > 2020-02-14", vec![]),
        ("person = \"towns/malu/people/r-2\"", vec![two]),
        ("household = \"towns/malu/households/h-1\"", vec![one, two]),
        ("source = FIRE_SERVICE covered = true", vec![one]),
        ("number = \"险-2020-000002\"", vec![two]),
    ] {
        assert_eq!(listed(&service, filter, &token).await, wanted, "{filter}");
    }
}
