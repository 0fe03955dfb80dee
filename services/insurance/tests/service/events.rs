//! One event is one, however its place is written: for limits, for duplicates, and for whoever reports at the same time.

use std::sync::Arc;

use contracts::linli::insurance::v1::{self as pb, incident_service_client::IncidentServiceClient};
use jiff::civil::{Date, date};
use tokio::sync::Barrier;
use tonic::Status;

use crate::{
    claims::{Event, approved, step},
    harness::{self, Service, reason, service, uuid},
};

const ON: Date = date(2020, 4, 11);
/// One place, written by several hands.
const WRITTEN: [&str; 4] =
    ["胜辛路 No.88号 门口", "胜辛路　ＮＯ.８８号门口", " 胜辛路no．88号 门口 ", "胜辛路NO.88号门口"];

/// A car that met somebody at a place in words.
fn car(person: &'static str, place: &'static str) -> Event<'static> {
    Event { peril: "HIT_AND_RUN", on: ON, place, person, household: "" }
}

fn told(event: Event<'_>, of: &str) -> pb::Incident {
    let person = match event.person {
        "" => String::new(),
        id => format!("towns/malu/people/{id}"),
    };
    pb::Incident {
        peril: event.peril.to_owned(),
        happen_date: Some(harness::date(event.on)),
        place: Some(pb::incident::Place::PlaceText(event.place.to_owned())),
        description: "肇事逃逸".to_owned(),
        source: pb::IncidentSource::Police.into(),
        person,
        event: of.to_owned(),
        ..Default::default()
    }
}

async fn tell(service: &Service, incident: pb::Incident) -> Result<pb::Incident, Status> {
    let request = pb::CreateIncidentRequest {
        parent: "towns/malu".to_owned(),
        incident: Some(incident),
        request_id: uuid(),
        ..Default::default()
    };
    let mut client = IncidentServiceClient::new(service.peer.clone());
    Ok(client.create_incident(service.officer("reporter", request)).await?.into_inner())
}

async fn insured() -> Service {
    let service = service(date(2020, 4, 13)).await;
    service.schemes().await;
    service
}

#[tokio::test]
async fn a_place_written_otherwise_is_the_same_place() {
    let service = insured().await;
    let first = tell(&service, told(car("r-1", WRITTEN[0]), "")).await.unwrap();
    let before = service.dump().await;
    for place in WRITTEN {
        let again = tell(&service, told(car("r-1", place), "")).await.unwrap_err();
        assert_eq!(reason(&again), "INCIDENT_KNOWN", "{place}");
    }
    assert_eq!(service.dump().await, before);
    // whom else it met, and by whatever peril, is of the same event
    let other = tell(&service, told(car("r-2", WRITTEN[1]), "")).await.unwrap();
    assert_eq!(other.event, first.name);
    let death = Event { peril: "DEATH", ..car("r-1", WRITTEN[2]) };
    assert_eq!(tell(&service, told(death, "")).await.unwrap().event, first.name);
    // another day, another place
    let later = Event { on: date(2020, 4, 12), ..car("r-1", WRITTEN[0]) };
    let later = tell(&service, told(later, "")).await.unwrap();
    assert_eq!(later.event, later.name);
    let elsewhere = tell(&service, told(car("r-1", "胜辛路89号门口"), "")).await.unwrap();
    assert_eq!(elsewhere.event, elsewhere.name);
}

#[tokio::test]
async fn an_event_has_one_day_and_a_place_one_event_a_day() {
    let service = insured().await;
    let first = tell(&service, told(car("r-1", WRITTEN[0]), "")).await.unwrap();
    let elsewhere = tell(&service, told(car("r-2", "胜辛路89号门口"), "")).await.unwrap();
    let before = service.dump().await;
    let later = Event { on: date(2020, 4, 12), ..car("r-3", "胜辛路90号") };
    let other_day = tell(&service, told(later, &first.name)).await.unwrap_err();
    assert_eq!(reason(&other_day), "EVENT_OF_ANOTHER_DAY");
    let other_event = tell(&service, told(car("r-3", WRITTEN[1]), &elsewhere.name)).await.unwrap_err();
    assert_eq!(reason(&other_event), "EVENT_KNOWN");
    assert_eq!(service.dump().await, before);
    // an event that reached over two places
    let both = tell(&service, told(car("r-3", "胜辛路90号"), &first.name)).await.unwrap();
    assert_eq!(both.event, first.name);

    // and behind the service's back
    let copy = |set: &str| {
        format!(
            "insert into incident select i.* from jsonb_populate_record(null::incident,
                 (select to_jsonb(x) - 'place_key' || '{{\"id\": \"aaaaaaaa-0000-7000-8000-000000000000\", \"number\": \"险-2020-000999\", \"person\": \"r-5\", {set}}}'
                  from incident x where id = '{}')) i",
            id(&first.name)
        )
    };
    for (set, constraint) in [
        (format!("\"event\": \"{}\"", id(&elsewhere.name)), "incident_is_one_event"),
        ("\"happened_on\": \"2020-04-12\"".to_owned(), "incident_is_of_the_day_of_its_event"),
    ] {
        let columns = "town, id, number, number_year, state, peril, happened_on, place_kind, place, description, data_key, source, person, event,
             reported_on, reported_by";
        let sql =
            copy(&set).replace("incident select i.*", &format!("incident ({columns}) select {columns}"));
        assert_eq!(service.constraint(&sql).await, constraint);
    }
}

fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn a_limit_of_an_event_is_one_however_the_event_is_written() {
    let service = insured().await;
    // as it would have been signed
    service
        .sql("set local session_replication_role = replica; update policy_benefit set limit_event_fen = 500000 where peril = 'HIT_AND_RUN'")
        .await;
    let mut paid = Vec::new();
    for (person, place) in [("r-1", WRITTEN[0]), ("r-2", WRITTEN[1]), ("r-3", WRITTEN[2])] {
        let claim = service.assessed(car(person, place), Some(4_000_00), 0).await;
        let claim = service.adjudicate(&claim).await.unwrap();
        paid.push(*approved(&claim).last().unwrap());
    }
    assert_eq!(paid, [4_000_00, 1_000_00, 0]);
}

#[tokio::test]
async fn a_loss_is_claimed_once_however_its_place_is_written() {
    let service = insured().await;
    // of which nobody knew yet whom it met
    let mut reported = Vec::new();
    for place in [WRITTEN[0], WRITTEN[1]] {
        let incident = service.verified(told(car("", place), "")).await;
        let draft = service.claim_draft(&incident, car("r-1", place), Some(4_000_00));
        reported.push(service.report(draft).await.unwrap());
    }
    let accept = step!(AcceptClaimRequest, reported[0]);
    service.claims().accept_claim(service.officer("acceptor", accept)).await.unwrap();
    assert_eq!(service.read(&reported[1]).await.duplicate_of, reported[0].name);
    let before = service.dump().await;
    let accept = step!(AcceptClaimRequest, reported[1]);
    let twice = service.claims().accept_claim(service.officer("acceptor", accept)).await.unwrap_err();
    assert_eq!(reason(&twice), "DUPLICATE_CLAIM");
    assert_eq!(service.dump().await, before);
    let behind = format!("update claim set state = 'ACCEPTED' where id = '{}'", id(&reported[1].name));
    assert_eq!(service.constraint(&behind).await, "claim_once");
}

#[tokio::test]
async fn a_claim_is_of_the_day_of_its_incident() {
    let service = insured().await;
    let event = car("r-1", WRITTEN[0]);
    let incident = service.incident(event).await;
    let before = service.dump().await;
    let other = pb::Claim {
        happen_date: Some(harness::date(date(2020, 4, 12))),
        ..service.claim_draft(&incident, event, Some(4_000_00))
    };
    assert_eq!(reason(&service.report(other).await.unwrap_err()), "CLAIM_OF_ANOTHER_DAY");
    assert_eq!(service.dump().await, before);
    let same = pb::Claim {
        happen_date: Some(harness::date(ON)),
        ..service.claim_draft(&incident, event, Some(4_000_00))
    };
    service.report(same).await.unwrap();
    // and behind the service's back
    let columns = "town, number, state, incident, event, peril, object, reported_on, place_kind, place, insured, claimant, payee_sealed,
        data_key, since, reported_by";
    let copy = format!(
        "insert into claim ({columns}, id, happened_on) select {}, gen_random_uuid(), happened_on - 1 from claim",
        columns.replace("number", "'民-2020-000999'")
    );
    assert_eq!(service.constraint(&copy).await, "claim_is_of_its_incident");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_reports_of_one_event_one_is_kept() {
    const MANY: usize = 64;
    let service = Arc::new(insured().await);
    let barrier = Arc::new(Barrier::new(MANY));
    let tasks: Vec<_> = (0..MANY)
        .map(|n| {
            let (service, barrier) = (service.clone(), barrier.clone());
            tokio::spawn(async move {
                let incident = told(car("r-1", WRITTEN[n % WRITTEN.len()]), "");
                barrier.wait().await;
                tell(&service, incident).await.map_err(|status| reason(&status))
            })
        })
        .collect();
    let mut kept = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => kept += 1,
            Err(reason) => assert_eq!(reason, "INCIDENT_KNOWN"),
        }
    }
    assert_eq!(kept, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_claims_given_up_at_once_the_last_frees_the_incident() {
    const MANY: usize = 16;
    let service = Arc::new(insured().await);
    let event = car("r-1", WRITTEN[0]);
    let incident = service.incident(event).await;
    let mut claims = Vec::new();
    for _ in 0..MANY {
        claims.push(service.report(service.claim_draft(&incident, event, Some(1_000_00))).await.unwrap());
    }
    let barrier = Arc::new(Barrier::new(MANY));
    let tasks: Vec<_> = claims
        .into_iter()
        .map(|claim| {
            let (service, barrier) = (service.clone(), barrier.clone());
            tokio::spawn(async move {
                let withdraw = step!(WithdrawClaimRequest, claim);
                barrier.wait().await;
                service.claims().withdraw_claim(service.officer("reporter", withdraw)).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        service.number("select count(*) from incident where state = 'VERIFIED' and claim = ''").await,
        1
    );
}
