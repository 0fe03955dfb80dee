//! What is refused, with its own reason and nothing stored.

use contracts::linli::insurance::v1::{self as pb, incident::Place};
use jiff::civil::date;
use tonic_types::StatusExt;

use super::{
    assignment, client, creation, fire, insured, report, try_close, try_reopen, try_report, verify, visit,
};
use crate::harness::{self, fen, reason};

fn fields(status: &tonic::Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

#[tokio::test]
async fn a_bad_report_is_refused_with_all_its_faults_and_nothing_is_stored() {
    let service = insured(date(2020, 2, 15)).await;
    let before = service.dump().await;
    let bad = pb::Incident {
        peril: "fire".to_owned(),
        happen_date: Some(harness::date(date(2020, 2, 16))),
        place: Some(Place::PlaceText("路口 310199195112050137".to_owned())),
        description: "\u{200B}".to_owned(),
        source: pb::IncidentSource::Unspecified.into(),
        person: "towns/other/people/r-1".to_owned(),
        household: "h-1".to_owned(),
        estimated_loss: Some(fen(-1)),
        ..Default::default()
    };
    let refused = try_report(&service, bad).await.unwrap_err();
    assert_eq!(reason(&refused), "BAD_REQUEST");
    assert_eq!(
        fields(&refused),
        [
            "incident.peril",
            "incident.happen_date",
            "incident.place_text",
            "incident.description",
            "incident.source",
            "incident.person",
            "incident.household",
            "incident.estimated_loss"
        ]
    );
    assert!(!format!("{refused:?}").contains("310199195112050137"));
    let one = |change: fn(&mut pb::Incident)| {
        let mut incident = fire();
        change(&mut incident);
        try_report(&service, incident)
    };
    let reasons = [
        one(|it| it.happen_date = Some(harness::date(date(2020, 2, 16)))).await,
        one(|it| it.person = "towns/malu/people/nobody".to_owned()).await,
        one(|it| it.place = Some(Place::PlaceHousehold("towns/malu/households/h-9".to_owned()))).await,
        one(|it| it.household = "towns/malu/households/h-9".to_owned()).await,
        one(|it| it.place = Some(Place::PlaceEstate("towns/malu/estates/e-9".to_owned()))).await,
        one(|it| it.place = None).await,
        one(|it| it.estimated_loss = Some(fen(0))).await,
        one(|it| it.report_date = Some(harness::date(date(2020, 2, 13)))).await,
        one(|it| it.report_date = Some(harness::date(date(2020, 2, 16)))).await,
        one(|it| {
            it.source = pb::IncidentSource::Finding.into();
            it.source_reference = "towns/other/findings/f".to_owned();
        })
        .await,
        one(|it| it.event = "towns/malu/incidents/0190b5a0-0000-7000-8000-000000000000".to_owned()).await,
    ];
    let reasons: Vec<String> = reasons.into_iter().map(|one| reason(&one.unwrap_err())).collect();
    assert_eq!(
        reasons,
        [
            "EVENT_IN_FUTURE",
            "PEER_UNKNOWN",
            "PEER_UNKNOWN",
            "PEER_UNKNOWN",
            "PEER_UNKNOWN",
            "BAD_REQUEST",
            "AMOUNT_NOT_POSITIVE",
            "BAD_REQUEST",
            "BAD_REQUEST",
            "BAD_REQUEST",
            "PERMISSION_DENIED"
        ]
    );
    assert_eq!(before, service.dump().await);
}

#[tokio::test]
async fn the_same_event_is_reported_once_while_it_is_open() {
    let service = insured(date(2020, 2, 15)).await;
    let first = report(&service, fire()).await;
    let known = try_report(&service, pb::Incident { description: "又报一次".to_owned(), ..fire() })
        .await
        .unwrap_err();
    assert_eq!(reason(&known), "INCIDENT_KNOWN");
    let metadata = known.get_error_details().error_info().unwrap().metadata.clone();
    assert_eq!((&metadata["name"], &metadata["number"]), (&first.name, &first.number));
    // another person, day, peril or place is another incident
    report(&service, pb::Incident { person: "towns/malu/people/r-2".to_owned(), ..fire() }).await;
    report(&service, pb::Incident { happen_date: Some(harness::date(date(2020, 2, 13))), ..fire() }).await;
    report(&service, pb::Incident { peril: "DEATH".to_owned(), ..fire() }).await;
    // of a dwelling also where nobody is named; of a place nobody can tell
    let nobody = || pb::Incident { person: String::new(), ..fire() };
    report(&service, nobody()).await;
    assert_eq!(reason(&try_report(&service, nobody()).await.unwrap_err()), "INCIDENT_KNOWN");
    let estate =
        || pb::Incident { place: Some(Place::PlaceEstate("towns/malu/estates/e-1".to_owned())), ..nobody() };
    report(&service, estate()).await;
    report(&service, estate()).await;
    // one that is closed may be reported again, and then opens no more
    let closed = try_close(&service, &first, "误报").await.unwrap();
    report(&service, fire()).await;
    assert_eq!(reason(&try_reopen(&service, &closed, "并非误报").await.unwrap_err()), "INCIDENT_KNOWN");
}

#[tokio::test]
async fn of_many_reports_at_once_one_is_kept() {
    let service = insured(date(2020, 2, 15)).await;
    let all = (0..8).map(|_| try_report(&service, fire()));
    let done = futures_util::future::join_all(all).await;
    let kept = done.iter().filter(|one| one.is_ok()).count();
    assert_eq!(kept, 1);
    for refused in done.into_iter().filter_map(Result::err) {
        assert!(["INCIDENT_KNOWN", "CONFLICT"].contains(&reason(&refused).as_str()), "{refused:?}");
    }
    assert_eq!(service.number("select count(*) from incident").await, 1);
}

#[tokio::test]
async fn a_bad_visit_is_refused_and_nothing_is_stored() {
    let service = insured(date(2020, 2, 20)).await;
    let reported = report(&service, fire()).await;
    let early = visit(&reported, pb::VisitResult::WillClaim, "");
    let early = client(&service).record_visit(service.of_committee("x", "c1", early)).await.unwrap_err();
    assert_eq!(reason(&early), "WRONG_STATE");
    let verified = verify(&service, &reported).await;
    let before = service.dump().await;
    let mut bad = visit(&verified, pb::VisitResult::Other, "");
    bad.visit_date = Some(harness::date(date(2020, 2, 21)));
    let bad = client(&service).record_visit(service.of_committee("x", "c1", bad)).await.unwrap_err();
    assert_eq!(fields(&bad), ["visitor", "visit_date", "text"]);
    let unknown = assignment(&verified, "towns/malu/people/nobody");
    let unknown = client(&service).assign_visit(service.of_committee("x", "c1", unknown)).await.unwrap_err();
    assert_eq!(reason(&unknown), "PEER_UNKNOWN");
    let mut late = assignment(&verified, "towns/malu/committees/c1");
    late.visit_due_date = Some(harness::date(date(2020, 2, 19)));
    let late = client(&service).assign_visit(service.of_committee("x", "c1", late)).await.unwrap_err();
    assert_eq!(fields(&late), ["visitor", "visit_due_date"]);
    assert_eq!(before, service.dump().await);
    // a creation without a request id never comes so far
    let mut bare = creation(fire());
    bare.request_id.clear();
    let bare = client(&service).create_incident(service.of_committee("x", "c1", bare)).await.unwrap_err();
    assert_eq!(reason(&bare), "BAD_REQUEST");
}
