//! What the database keeps, whoever writes.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;

use super::{client, fire, insured, report, verify, visit};

const COPY: &str = "insert into incident (town, id, number, number_year, state, peril, happened_on, place_kind, place, description, data_key, source,
        person, household, committee, event, reported_on, reported_by)
    select town, 'aaaaaaaa-0000-7000-8000-000000000000', '险-2020-000999', 2020, 'REPORTED', peril, happened_on, place_kind, place, description, data_key,
        source, person, household, committee, EVENT, reported_on, 'x' from incident where number = '险-2020-000001'";

#[tokio::test]
async fn an_incident_stays_what_it_is() {
    let service = insured(date(2020, 2, 20)).await;
    let verified = verify(&service, &report(&service, fire()).await).await;
    let made = service.of_committee("x", "c1", {
        let mut made = visit(&verified, pb::VisitResult::Other, "说");
        made.visitor = "towns/malu/people/steward".to_owned();
        made
    });
    client(&service).record_visit(made).await.unwrap();
    let own = COPY.replace("EVENT", "'aaaaaaaa-0000-7000-8000-000000000000'");
    let elsewhere =
        own.replace("-2020-000999", "-2019-000999").replace("'REPORTED', peril", "'REPORTED', 'X'");
    for (sql, constraint) in [
        (own.as_str(), "incident_known"),
        (elsewhere.as_str(), "incident_number_is_of_its_year"),
        ("update incident set person = 'r-2'", "incident_identity_stays"),
        ("update incident set happened_on = happened_on - 1", "incident_identity_stays"),
        ("update incident set description = ''", "incident_identity_stays"),
        ("update incident set state = 'NOT_COVERED', covered = false", "incident_state_goes_its_way"),
        ("update incident set state = 'CLAIMED'", "incident_claimed_as_its_state_says"),
        ("update incident set claim = 'x'", "incident_claimed_as_its_state_says"),
        ("update incident set covered = false", "incident_verified_as_its_state_says"),
        ("update incident set verified_on = null", "incident_verified_as_its_state_says"),
        ("update incident set visits = 0", "incident_counts_never_fall"),
        ("delete from incident", "incident_is_kept"),
        ("update incident_cover set rule = ''", "incident_cover_never_changes"),
        ("delete from incident_cover", "incident_cover_never_changes"),
        ("update incident_visit set result = 'DECLINES'", "incident_visit_never_changes"),
        ("update incident_visit set text_sealed = null, data_key = data_key + 1", "incident_visit_never_changes"),
        ("delete from incident_visit", "incident_visit_is_kept"),
        ("insert into incident_visit (town, incident, n, visited_on, visitor, result, data_key, recorded_by)
          select town, id, 2, '2020-02-20', 'x', 'OTHER', 1, 'x' from incident", "visit_of_another_kind_says_what"),
    ] {
        assert_eq!(service.constraint(sql).await, constraint, "{sql}");
    }
    // with another key the same may be sealed anew
    service.sql("update incident set data_key = data_key + 1, description = '\\x01'").await;
    service.sql("update incident_visit set data_key = data_key + 1, text_sealed = '\\x01'").await;
}

#[tokio::test]
async fn an_event_stands_for_itself() {
    let service = insured(date(2020, 2, 20)).await;
    let first = report(&service, fire()).await;
    let second =
        pb::Incident { person: "towns/malu/people/r-2".to_owned(), event: first.name.clone(), ..fire() };
    let second = report(&service, second).await;
    // one that names a member of an event joins the event
    let third =
        pb::Incident { person: "towns/malu/people/steward".to_owned(), event: second.name.clone(), ..fire() };
    assert_eq!(report(&service, third).await.event, first.name);
    let (_, id) = second.name.rsplit_once('/').unwrap();
    let chained = COPY.replace("EVENT", &format!("'{id}'")).replace("source, person", "source, 'somebody'");
    assert_eq!(service.constraint(&chained).await, "incident_event_stands_for_itself");
}
