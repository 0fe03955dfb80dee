//! What somebody may try: pay while an objection is open, decide what he assessed, claim one loss twice, pass a limit by a detour.

use contracts::linli::insurance::v1 as pb;
use jiff::{ToSpan, civil::date};
use tonic::{Response, Status};
use tonic_types::StatusExt;

use super::{As, Event, after, approved, fire, incident_of, step};
use crate::harness::{Service, date as wire, fen, reason, service, uuid};

impl Service {
    async fn assess_by(&self, who: &str, claim: &pb::Claim, loss: i64) -> pb::Claim {
        let request = step!(AssessClaimRequest, claim, assessed_amount: Some(fen(loss)), disability_grade: 0);
        self.claims().assess_claim(self.officer(who, request)).await.unwrap().into_inner()
    }
}

/// The first field that a refusal finds fault with, and why.
fn fault(status: &Status) -> (String, String) {
    let details = status.get_error_details();
    let first = details.bad_request().and_then(|bad| bad.field_violations.first().cloned()).unwrap();
    (first.field, first.reason)
}

#[tokio::test]
async fn a_payment_is_not_dated_back_into_an_open_objection() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.adjudicate(&claim).await.unwrap();
    let publish = step!(PublishClaimNoticeRequest, claim);
    let claim = service
        .claims()
        .publish_claim_notice(service.officer("publisher", publish))
        .await
        .unwrap()
        .into_inner();
    let object = step!(ObjectToClaimRequest, claim, text: "损失与现场不符".to_owned());
    let by = service.by(As::Committee("neighbour", "c1"), object);
    let claim = service.claims().object_to_claim(by).await.unwrap().into_inner();
    // the notice is over, and the objection is answered days later
    let open = after(&claim);
    let answered = open.checked_add(3.days()).unwrap();
    service.clock.set(answered).unwrap();
    let answer = step!(AnswerClaimObjectionRequest, claim, objection: claim.objections[0].id.clone(), answer: "已复核".to_owned());
    let claim = service
        .claims()
        .answer_claim_objection(service.officer("answerer", answer))
        .await
        .unwrap()
        .into_inner();
    let pay = async |claim: &pb::Claim, on| {
        let request = step!(PayClaimRequest, claim, programme: "towns/malu/programmes/cci".to_owned(), amount: Some(fen(30_000_00)),
            pay_date: Some(wire(on)), payment_reference: "r-1".to_owned());
        service
            .claims()
            .pay_claim(service.by(As::Adjuster("payer", "o-insurer-0"), request))
            .await
            .map(Response::into_inner)
    };
    let before = service.dump().await;
    for on in [open, answered.yesterday().unwrap()] {
        let held = pay(&claim, on).await.unwrap_err();
        assert_eq!(fault(&held), ("pay_date".to_owned(), "OBJECTED".to_owned()), "{on}");
    }
    assert_eq!(service.dump().await, before);
    // nor behind the service's back
    let id = claim.name.rsplit('/').next().unwrap();
    let sql = format!(
        "insert into claim_payment (town, claim, programme, decision, insurer, amount_fen, paid_on, reference, recorded_by)
         values ('malu', '{id}', 'cci', 1, 'o-insurer-0', 3000000, '{open}', 'r', 'x')"
    );
    assert_eq!(service.constraint(&sql).await, "claim_noticed_before_it_is_paid");
    pay(&claim, answered).await.unwrap();
}

#[tokio::test]
async fn whoever_assessed_first_does_not_decide_after_another_assessed_anew() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.assess_by("second", &claim, 70_000_00).await;
    let before = service.dump().await;
    for who in ["assessor", "second"] {
        let request = step!(AdjudicateClaimRequest, claim, without_documents: false);
        let own = service.claims().adjudicate_claim(service.officer(who, request)).await.unwrap_err();
        assert_eq!(reason(&own), "MAKER_IS_CHECKER", "{who}");
    }
    assert_eq!(service.dump().await, before);
    // who sees the claim is told so before he tries
    let request = pb::GetClaimRequest { name: claim.name.clone() };
    let seen = service.claims().get_claim(service.officer("assessor", request)).await.unwrap().into_inner();
    let action = seen.available_actions.iter().find(|action| action.verb == "adjudicate").unwrap();
    assert!(!action.allowed, "{action:?}");
    let id = claim.name.rsplit('/').next().unwrap();
    let sql = format!(
        "insert into claim_decision (town, claim, n, outcome, rule, assessed_fen, documents_complete, approved_fen, facts, decided_on, decided_by, decided_person)
         select 'malu', '{id}', 1, 'REJECTED', 'CAP_EXHAUSTED', 7000000, true, 0, '{{}}', '2020-02-17', a.assessed_by, a.assessed_person
         from claim_assessment a where a.claim = '{id}' and a.n = 1"
    );
    assert_eq!(service.constraint(&sql).await, "claim_decided_by_no_assessor");
    service.adjudicate(&claim).await.unwrap();
}

#[tokio::test]
async fn what_is_claimed_is_not_lowered_below_what_was_assessed() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let ask = step!(RequestClaimDocumentsRequest, claim, kinds: vec!["INVOICES".to_owned()]);
    let claim = service
        .claims()
        .request_claim_documents(service.officer("acceptor", ask))
        .await
        .unwrap()
        .into_inner();
    let change = async |claim: &pb::Claim, claimed: Option<i64>| {
        let request = pb::UpdateClaimRequest {
            claim: Some(pb::Claim { claimed_amount: claimed.map(fen), ..claim.clone() }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["claimed_amount".to_owned()] }),
            request_id: uuid(),
            ..Default::default()
        };
        service.claims().update_claim(service.officer("clerk", request)).await.map(Response::into_inner)
    };
    let before = service.dump().await;
    for claimed in [Some(79_999_99), Some(90_000_00)] {
        let less = change(&claim, claimed).await.unwrap_err();
        assert_eq!(reason(&less), "BAD_REQUEST", "{claimed:?}");
    }
    assert_eq!(service.dump().await, before);
    let id = claim.name.rsplit('/').next().unwrap();
    let refused =
        service.constraint(&format!("update claim set claimed_fen = 7999999 where id = '{id}'")).await;
    assert_eq!(refused, "claim_assessed_within_what_is_claimed");
}

#[tokio::test]
async fn one_fire_of_one_dwelling_is_one_loss_wherever_it_is_said_to_have_been() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let first = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    for place in ["e-1", "我家厨房"] {
        let event = Event { place, person: "r-2", ..fire(date(2020, 2, 14)) };
        let again = service.claim(event, Some(80_000_00)).await;
        assert_eq!(again.duplicate_of, first.name, "{place}");
        let accept = step!(AcceptClaimRequest, again);
        let double = service.claims().accept_claim(service.officer("acceptor", accept)).await.unwrap_err();
        assert_eq!(reason(&double), "DUPLICATE_CLAIM", "{place}");
        let id = again.name.rsplit('/').next().unwrap();
        let refused =
            service.constraint(&format!("update claim set state = 'ACCEPTED' where id = '{id}'")).await;
        assert_eq!(refused, "claim_once", "{place}");
    }
    // another dwelling in the same estate burnt too
    let event = Event { place: "e-1", person: "r-3", household: "h-2", ..fire(date(2020, 2, 14)) };
    service.assessed(event, Some(80_000_00), 0).await;
}

/// Both policies from July to June.
const FROM_JULY: &str = "
    set local session_replication_role = replica;
    update policy set starts = '2020-07-01', ends = '2021-07-01';
    update policy_version set from_day = '2020-07-01', limit_person_year_fen = 30000000, limit_year_fen = case policy when 'cci-2020' then 1000000 else 50000000 end";

#[tokio::test]
async fn the_year_of_a_limit_is_the_year_of_its_policy() {
    let service = service(date(2020, 12, 31)).await;
    service.schemes().await;
    service.sql(FROM_JULY).await;
    let pipe = |on, person, household| Event { peril: "BURST_PIPE", on, place: household, person, household };
    let first = service.assessed(pipe(date(2020, 12, 30), "r-1", "h-1"), Some(12_700_00), 0).await;
    assert_eq!(approved(&service.adjudicate(&first).await.unwrap())[0], 10_000_00);
    service.clock.set(date(2021, 1, 4)).unwrap();
    // the policy's 10,000 yuan are used up, and New Year doesn't bring them back
    let second = service.assessed(pipe(date(2021, 1, 2), "r-3", "h-2"), Some(12_700_00), 0).await;
    let second = service.adjudicate(&second).await.unwrap();
    assert_eq!((approved(&second)[0], second.rule.as_str()), (0, "CAP_EXHAUSTED"));
    assert_eq!(
        service.number("select count(distinct year) from cap_used where policy = 'cci-2020'").await,
        1
    );
}

#[tokio::test]
async fn one_event_is_not_spread_over_two_years() {
    let service = service(date(2020, 12, 31)).await;
    service.schemes().await;
    service.sql(FROM_JULY).await;
    let hurt =
        Event {
            peril: "DISABILITY", on: date(2020, 12, 30), place: "河道", person: "r-1", household: "h-1"
        };
    let claim = service.assessed(hurt, None, 1).await;
    assert_eq!(approved(&service.adjudicate(&claim).await.unwrap()), [0, 200_000_00]);
    // he died of it in the new year: an event has one day, and the benefits of one event aren't drawn in two years
    service.clock.set(date(2021, 1, 4)).unwrap();
    let dead = Event { peril: "DEATH", on: date(2021, 1, 2), ..hurt };
    let incident = pb::Incident { event: claim.incident.clone(), ..incident_of(dead) };
    let request = pb::CreateIncidentRequest {
        parent: "towns/malu".to_owned(),
        incident: Some(incident),
        request_id: uuid(),
        ..Default::default()
    };
    let mut incidents = pb::incident_service_client::IncidentServiceClient::new(service.peer.clone());
    let refused = incidents.create_incident(service.officer("reporter", request)).await.unwrap_err();
    assert_eq!(reason(&refused), "EVENT_OF_ANOTHER_DAY");
}

#[tokio::test]
async fn nobody_draws_on_the_limit_of_a_household_that_he_is_not_of() {
    let service = service(date(2020, 7, 20)).await;
    service.schemes().await;
    service
        .sql("set local session_replication_role = replica; update policy_version set limit_household_year_fen = 100000 where policy = 'li-2020'")
        .await;
    let hit = Event {
        peril: "HIT_AND_RUN",
        on: date(2020, 7, 15),
        place: "胜辛路",
        person: "r-1",
        household: "h-1",
    };
    let first = service.assessed(hit, Some(1_000_00), 0).await;
    assert_eq!(approved(&service.adjudicate(&first).await.unwrap()), [0, 1_000_00]);
    let other = Event { person: "r-2", ..hit };
    let incident = service.incident(Event { household: "", ..other }).await;
    // of the same household, whether he says another one or none
    for household in ["h-2", ""] {
        let said = service.claim_draft(&incident, Event { household, ..other }, Some(1_000_00));
        let claim = service.report(said).await.unwrap();
        assert_eq!(claim.household, "towns/malu/households/h-1", "{household}");
        let withdraw = step!(WithdrawClaimRequest, claim);
        service.claims().withdraw_claim(service.officer("reporter", withdraw)).await.unwrap();
    }
    let none = service.claim_draft(&incident, Event { household: "h-2", ..other }, Some(1_000_00));
    let claim = service.report(none).await.unwrap();
    let claim = service.assess(claim, Some(1_000_00), 0).await;
    assert_eq!(approved(&service.adjudicate(&claim).await.unwrap()), [0, 0]);
}
