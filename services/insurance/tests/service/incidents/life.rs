//! The life of an incident.

use contracts::linli::insurance::v1::{self as pb, IncidentState, incident::Place};
use jiff::civil::date;
use tonic::Response;

use super::{
    assignment, client, creation, fire, get, insured, report, try_close, try_reopen, try_verify, verify,
    visit,
};
use crate::harness::{self, reason};

fn can(incident: &pb::Incident) -> Vec<&str> {
    let open = incident.available_actions.iter().filter(|action| action.allowed);
    open.map(|action| action.verb.as_str()).collect()
}

#[tokio::test]
async fn an_incident_is_reported_verified_closed_and_opened_again() {
    let service = insured(date(2020, 2, 15)).await;
    let reported = report(&service, fire()).await;
    assert_eq!(reported.number, "险-2020-000001");
    assert_eq!(reported.state(), IncidentState::Reported);
    assert_eq!(
        (reported.committee.as_str(), reported.block.as_str(), reported.household.as_str()),
        ("towns/malu/committees/c1", "towns/malu/blocks/b-1", "towns/malu/households/h-1")
    );
    assert_eq!(reported.event, reported.name);
    assert_eq!(reported.report_date, Some(harness::date(date(2020, 2, 15))));
    assert!(reported.masked && reported.description.is_empty());

    let verified = verify(&service, &reported).await;
    assert_eq!((verified.state(), verified.covered), (IncidentState::Verified, true));
    let shown = get(&service, &reported.name).await;
    assert_eq!(shown.description, "厨房起火");
    assert_eq!(can(&shown), ["verify", "assignVisit", "recordVisit", "close", "reopen"][1..4]);
    let programmes: Vec<(&str, bool)> =
        shown.programmes.iter().map(|one| (one.policy.as_str(), one.covered)).collect();
    assert_eq!(programmes, [("towns/malu/policies/cci-2020", true), ("towns/malu/policies/li-2020", true)]);
    assert!(shown.programmes[0].trace.iter().any(|step| step.text_en.contains("since 2013-08-12")));
    let verbs: Vec<&str> = shown.timeline.iter().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["report", "verify"]);

    // no reason, the wrong state, an old etag
    assert_eq!(reason(&try_close(&service, &verified, " ").await.unwrap_err()), "REASON_REQUIRED");
    assert_eq!(reason(&try_verify(&service, &verified).await.unwrap_err()), "WRONG_STATE");
    assert_eq!(reason(&try_close(&service, &reported, "x").await.unwrap_err()), "ETAG_MISMATCH");

    let closed = try_close(&service, &verified, "家属放弃").await.unwrap();
    assert_eq!(closed.state(), IncidentState::Closed);
    // what was found stays with it
    assert_eq!(get(&service, &closed.name).await.programmes.len(), 2);
    let opened = try_reopen(&service, &closed, "家属改变主意").await.unwrap();
    assert_eq!(opened.state(), IncidentState::Reported);
    assert!(get(&service, &opened.name).await.programmes.is_empty());
    let again = verify(&service, &opened).await;
    assert_eq!(again.state(), IncidentState::Verified);
    assert_eq!(service.number("select count(*) from incident_cover where verification = 2").await, 2);
}

#[tokio::test]
async fn what_no_programme_covers_is_told_with_its_reasons() {
    let service = insured(date(2020, 3, 10)).await;
    let gone = pb::Incident {
        person: "towns/malu/people/r-4".to_owned(),
        peril: "DEATH".to_owned(),
        happen_date: Some(harness::date(date(2020, 3, 3))),
        place: Some(Place::PlaceText("胜辛路".to_owned())),
        household: "towns/malu/households/h-2".to_owned(),
        ..fire()
    };
    let reported = report(&service, gone).await;
    let found = verify(&service, &reported).await;
    assert_eq!((found.state(), found.covered), (IncidentState::NotCovered, false));
    let shown = get(&service, &found.name).await;
    let reasons: Vec<&str> = shown.programmes.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["PERIL_NOT_COVERED", "NOT_RESIDENT_ON_DAY"]);
    assert_eq!(shown.programmes[1].reason_zh, "出险日 2020-03-03 不在本镇居住");
    assert_eq!(shown.timeline[1].verb, "findNotCovered");
    // nobody is sent to a family that gets nothing
    let sent = assignment(&shown, "towns/malu/people/steward");
    let refused = client(&service).assign_visit(service.of_committee("x", "c1", sent)).await.unwrap_err();
    assert_eq!(reason(&refused), "WRONG_STATE");
}

#[tokio::test]
async fn the_cover_is_that_of_the_day_of_the_event_whatever_comes_later() {
    let service = insured(date(2020, 3, 1)).await;
    let death = pb::Incident {
        person: "towns/malu/people/r-4".to_owned(),
        peril: "DEATH".to_owned(),
        happen_date: Some(harness::date(date(2020, 2, 28))),
        place: Some(Place::PlaceHousehold("towns/malu/households/h-2".to_owned())),
        ..fire()
    };
    let reported = report(&service, death).await;
    // half a year later he lives elsewhere and every reporting term is over, which is the claim's affair
    service.clock.set(date(2020, 9, 1)).unwrap();
    assert_eq!(verify(&service, &reported).await.state(), IncidentState::Verified);
}

#[tokio::test]
async fn visits_append_and_their_words_are_read_with_a_purpose_alone() {
    let service = insured(date(2020, 2, 20)).await;
    let verified = verify(&service, &report(&service, fire()).await).await;
    let sent = service.of_committee("x", "c1", assignment(&verified, "towns/malu/people/steward"));
    let sent = client(&service).assign_visit(sent).await.unwrap().into_inner();
    assert_eq!(sent.visitor, "towns/malu/people/steward");
    assert_eq!(sent.visit_due_date, Some(harness::date(date(2020, 2, 27))));
    let first = visit(&sent, pb::VisitResult::NotAtHome, "");
    let first =
        client(&service).record_visit(service.of_committee("x", "c1", first)).await.unwrap().into_inner();
    let mut second = visit(&first, pb::VisitResult::WillClaim, "钱甲子说周一来报案");
    second.visitor = "towns/malu/workers/w-1".to_owned();
    let second =
        client(&service).record_visit(service.of_committee("x", "c1", second)).await.unwrap().into_inner();
    assert_eq!(second.visit_count, 2);

    let shown = get(&service, &second.name).await;
    let visits: Vec<(i32, &str, &str)> =
        shown.visits.iter().map(|one| (one.sequence, one.visitor.as_str(), one.text.as_str())).collect();
    assert_eq!(visits, [(1, "towns/malu/people/steward", ""), (2, "towns/malu/workers/w-1", "")]);
    let asked =
        |purpose: &str| pb::RevealIncidentRequest { name: shown.name.clone(), purpose: purpose.to_owned() };
    let refused = client(&service).reveal_incident(service.officer("x", asked(" "))).await.unwrap_err();
    assert_eq!(reason(&refused), "BAD_REQUEST");
    let clear = client(&service).reveal_incident(service.officer("x", asked("回访"))).await.unwrap();
    assert_eq!(clear.into_inner().visits[1].text, "钱甲子说周一来报案");
    let audited =
        "select count(*) from audit where summary like 'read description and visits of % in clear: 回访'";
    assert_eq!(service.number(audited).await, 1);

    // neither words nor description stand in clear anywhere, and whom it met in no event
    let dump = service.dump().await;
    assert!(!dump.contains("钱甲子") && !dump.contains("厨房起火"));
    let told =
        "select count(*) from event where data::text like '%people/%' or data::text like '%households/%'";
    assert_eq!(service.number(told).await, 0);
    assert_eq!(
        service.number("select count(*) from event where type like 'linli.insurance.incident.%'").await,
        5
    );
}

#[tokio::test]
async fn a_finding_is_taken_by_its_name_and_pending() {
    let service = insured(date(2020, 5, 21)).await;
    let finding = "towns/malu/findings/f-1".to_owned();
    let fall = pb::Incident {
        peril: "PUBLIC_AREA_INJURY".to_owned(),
        place: Some(Place::PlaceEstate("towns/malu/estates/e-1".to_owned())),
        source: pb::IncidentSource::Finding.into(),
        source_reference: finding.clone(),
        household: "towns/malu/households/h-1".to_owned(),
        ..fire()
    };
    let reported = report(&service, fall.clone()).await;
    assert!(reported.source_pending);
    assert_eq!(reported.block, "towns/malu/blocks/b-1");
    let told = format!("select count(*) from event where data ->> 'finding' = '{finding}'");
    assert_eq!(service.number(&told).await, 1);
    // another person, the same event
    let other =
        pb::Incident { person: "towns/malu/people/r-2".to_owned(), event: reported.name.clone(), ..fall };
    let other = report(&service, other).await;
    assert_eq!((other.event, other.number.as_str()), (reported.name, "险-2020-000002"));
}

#[tokio::test]
async fn a_call_may_be_repeated_and_one_that_only_checks_stores_nothing() {
    let service = insured(date(2020, 2, 15)).await;
    let before = service.dump().await;
    let mut only = creation(fire());
    only.validate_only = true;
    client(&service).create_incident(service.of_committee("r", "c1", only)).await.unwrap();
    assert_eq!(before, service.dump().await);
    let request = creation(fire());
    let first = client(&service).create_incident(service.of_committee("r", "c1", request.clone())).await;
    let again = client(&service).create_incident(service.of_committee("r", "c1", request)).await.unwrap();
    assert!(again.metadata().contains_key("linli-replayed"));
    assert_eq!(first.map(Response::into_inner).unwrap(), again.into_inner());
    let known = client(&service).create_incident(service.of_committee("r", "c1", creation(fire()))).await;
    assert_eq!(reason(&known.unwrap_err()), "INCIDENT_KNOWN");
}

#[tokio::test]
async fn what_was_claimed_before_it_was_verified_goes_on_to_the_claim() {
    let service = insured(date(2020, 2, 15)).await;
    let reported = report(&service, fire()).await;
    service.sql("update incident set claim = 'towns/malu/claims/early'").await;
    let claimed = verify(&service, &reported).await;
    assert_eq!(
        (claimed.state(), claimed.claim.as_str()),
        (IncidentState::Claimed, "towns/malu/claims/early")
    );
    let shown = get(&service, &claimed.name).await;
    let steps: Vec<(&str, &str)> =
        shown.timeline.iter().map(|entry| (entry.verb.as_str(), entry.to_state.as_str())).collect();
    assert_eq!(steps, [("report", "REPORTED"), ("verify", "VERIFIED"), ("claim", "CLAIMED")]);
    assert_eq!(shown.timeline[2].version, 3);
}
