//! Governance away: whatever rests on what it says is refused with a reason and changes nothing; when it is back, the same call is done.

use contracts::linli::insurance::v1::{self as pb, cover_service_client::CoverServiceClient};
use jiff::civil::date;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    campaigns,
    claims::{As, Event, fire, step},
    harness::{Service, date as wire, fen, reason, service, uuid},
    incidents, policies,
};

/// Refused for the time being, with the peer's name and when to come again; nothing has changed.
async fn away(service: &Service, before: &str, what: &str, answer: Result<(), Status>) {
    let status = answer.expect_err(what);
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "UNAVAILABLE"), "{what}");
    let details = status.get_error_details();
    assert_eq!(
        details.error_info().unwrap().metadata.get("peer").map(String::as_str),
        Some("governance"),
        "{what}"
    );
    assert!(details.retry_info().is_some(), "{what}");
    assert_eq!(service.dump().await, before, "{what}");
}

#[tokio::test]
async fn what_rests_on_governance_waits_for_it_and_nothing_else_does() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let reported = service.incident(fire(date(2020, 2, 14))).await;
    let pending =
        pb::Incident { person: "towns/malu/people/r-3".to_owned(), place: place("h-2"), ..incidents::fire() };
    let pending = incidents::report(&service, pending).await;
    let injury = Event {
        peril: "PUBLIC_AREA_INJURY",
        on: date(2020, 2, 10),
        place: "e-1",
        person: "r-1",
        household: "h-1",
    };
    let assessed = service.assessed(injury, Some(1_000_00), 0).await;
    let payable = Event { person: "r-2", ..injury };
    let payable = service.assessed(payable, Some(1_000_00), 0).await;
    let payable = service.noticed(&service.adjudicate(&payable).await.unwrap()).await;
    let visited = incidents::get(&service, &reported).await;
    // whoever calls is known: his roles are remembered
    let (adjudicator, payer) = (service.adjudicate_call(&assessed), service.pay_call(&payable));
    let new = service.claim_draft(&reported, fire(date(2020, 2, 14)), Some(80_000_00));

    let calls = async |times: &str| {
        let before = service.dump().await;
        let mut all: Vec<(&str, Result<(), Status>)> = Vec::new();
        let mut client = incidents::client(&service);
        let another = pb::Incident { person: "towns/malu/people/r-2".to_owned(), ..incidents::fire() };
        all.push(("CreateIncident", incidents::try_report(&service, another).await.map(drop)));
        let verify = step!(VerifyIncidentRequest, pending);
        all.push((
            "VerifyIncident",
            client.verify_incident(service.of_committee("verifier", "c1", verify)).await.map(drop),
        ));
        let visitor = incidents::assignment(&visited, "towns/malu/people/steward");
        all.push((
            "AssignVisit",
            client.assign_visit(service.of_committee("reporter", "c1", visitor)).await.map(drop),
        ));
        let cover = pb::CheckCoverRequest {
            parent: "towns/malu".to_owned(),
            person: "towns/malu/people/r-1".to_owned(),
            date: Some(wire(date(2020, 2, 14))),
            peril: "DEATH".to_owned(),
            ..Default::default()
        };
        let mut covers = CoverServiceClient::new(service.peer.clone());
        all.push(("CheckCover", covers.check_cover(service.officer("reader", cover)).await.map(drop)));
        all.push(("CreateClaim", service.report(new.clone()).await.map(drop)));
        let request = service.officer("adjudicator", adjudicator.clone());
        all.push(("AdjudicateClaim", service.claims().adjudicate_claim(request).await.map(drop)));
        let request = service.by(As::Adjuster("payer", "o-insurer-0"), payer.clone());
        all.push(("PayClaim", service.claims().pay_claim(request).await.map(drop)));
        all.push(("CreatePolicy", policies::draft_of_2021(&service).await));
        all.push(("CreateCampaign", campaigns::try_plan(&service).await));
        (before, all, times.to_owned())
    };
    // whoever is to call has called before
    for (who, role, area) in
        [("reporter", "committee-officer", "committee:c1"), ("verifier", "committee-officer", "committee:c1")]
    {
        let token = service.token(who, role, area);
        let list = pb::ListClaimsRequest { parent: "towns/malu".to_owned(), ..Default::default() };
        service.claims().list_claims(crate::harness::with(list, &token)).await.unwrap();
    }
    for who in ["adjudicator", "reader", "reporter", "li", "o-1"] {
        let list = pb::ListClaimsRequest { parent: "towns/malu".to_owned(), ..Default::default() };
        service.claims().list_claims(service.officer(who, list)).await.unwrap();
    }
    let list = pb::ListClaimsRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    service.claims().list_claims(service.by(As::Adjuster("payer", "o-insurer-0"), list)).await.unwrap();

    service.governance_away(true);
    let (before, all, _) = calls("away").await;
    for (what, answer) in all {
        away(&service, &before, what, answer).await;
    }
    // what rests on the working days alone goes on, and so does reading
    let read = service.read(&assessed).await;
    assert_eq!(read.etag, assessed.etag);
    let ask = step!(RequestClaimDocumentsRequest, read, kinds: vec!["INVOICES".to_owned()]);
    let asked = service.claims().request_claim_documents(service.officer("adjudicator", ask)).await.unwrap();
    let resume = step!(ResumeClaimRequest, asked.get_ref());
    let resumed =
        service.claims().resume_claim(service.officer("reader", resume)).await.unwrap().into_inner();

    service.governance_away(false);
    let again = service.adjudicate(&resumed).await;
    assert!(again.is_ok(), "{again:?}");
    let (_, all, _) = calls("back").await;
    for (what, answer) in all {
        // the claim that was adjudicated meanwhile is another version
        let expected = if what == "AdjudicateClaim" { Some("ETAG_MISMATCH") } else { None };
        assert_eq!(answer.err().map(|status| reason(&status)).as_deref(), expected, "{what}");
    }
}

fn place(household: &str) -> Option<pb::incident::Place> {
    Some(pb::incident::Place::PlaceHousehold(format!("towns/malu/households/{household}")))
}

impl Service {
    fn adjudicate_call(&self, claim: &pb::Claim) -> pb::AdjudicateClaimRequest {
        step!(AdjudicateClaimRequest, claim, without_documents: false)
    }

    fn pay_call(&self, claim: &pb::Claim) -> pb::PayClaimRequest {
        step!(PayClaimRequest, claim, programme: "towns/malu/programmes/cci".to_owned(), amount: Some(fen(1_000_00)), pay_date: None,
            payment_reference: uuid())
    }
}
