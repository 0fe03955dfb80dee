//! Dwellings: what governance says of them is looked at when a claim is decided and paid, and cover checks say the same.

use contracts::linli::insurance::v1::{self as pb, cover_service_client::CoverServiceClient};
use jiff::{ToSpan, civil::date};

use crate::{
    claims::{Event, fire},
    harness::{self, Service, reason, service},
};

const MOVED_AWAY: &str = "update residence set recorded = tstzrange(lower(recorded), clock_timestamp()) where person = 'r-1';
    insert into residence (town, id, person, household, ground, valid, recorded)
        values ('malu', gen_random_uuid(), 'r-1', 'h-2', 'REGISTERED', '[2013-08-12,)', tstzrange(clock_timestamp(), null))";

/// The register is corrected: `r-1` lived in `h-2` all the time.
async fn correct(service: &mut Service) {
    service.governance_sql(MOVED_AWAY).await;
    service.fail_over();
}

#[tokio::test]
async fn a_dwelling_that_was_never_his_is_refused_when_the_claim_is_decided() {
    let mut service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    correct(&mut service).await;
    let claim = service.adjudicate(&claim).await.unwrap();
    assert_eq!((claim.outcome(), claim.rule.as_str()), (pb::ClaimOutcome::Rejected, "NOT_IN_DWELLING"));
    let kept = "select count(*) from claim_decision where facts ->> 'dwelling' = 'OF_OTHERS'";
    assert_eq!(service.number(kept).await, 1);
}

#[tokio::test]
async fn a_dwelling_that_was_never_his_is_not_paid() {
    let mut service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.adjudicate(&claim).await.unwrap();
    let kept = "select count(*) from claim_decision where facts ->> 'dwelling' = 'THERE'";
    assert_eq!(service.number(kept).await, 1);
    let claim = service.noticed(&claim).await;
    correct(&mut service).await;
    let before = service.dump().await;
    let stopped = service.pay(&claim, "cci", 30_000_00).await.unwrap_err();
    assert_eq!(reason(&stopped), "PAYMENT_DIFFERS");
    assert_eq!(service.dump().await, before);
}

async fn check(service: &Service, event: Event<'_>) -> Vec<bool> {
    let name = |kind: &str, id: &str| match id {
        "" => String::new(),
        id => format!("towns/malu/{kind}/{id}"),
    };
    let estate = if event.place.starts_with("e-") { event.place } else { "" };
    let request = pb::CheckCoverRequest {
        parent: "towns/malu".to_owned(),
        person: name("people", event.person),
        household: name("households", event.household),
        estate: name("estates", estate),
        date: Some(harness::date(event.on)),
        peril: event.peril.to_owned(),
    };
    let mut client = CoverServiceClient::new(service.peer.clone());
    let check = client.check_cover(service.officer("asker", request)).await.unwrap().into_inner();
    check.programmes.iter().map(|one| one.covered).collect()
}

/// What adjudication covers under each programme: whatever is not refused for a reason of cover.
async fn covered(service: &Service, event: Event<'_>) -> Option<Vec<bool>> {
    let incident = service.incident(event).await;
    let claim = match service.report(service.claim_draft(&incident, event, Some(1_000_00))).await {
        Ok(claim) => claim,
        Err(status) => {
            assert_eq!(reason(&status), "CLAIMANT_NOT_OF_HOUSEHOLD", "{}", status.message());
            return None;
        }
    };
    let claim = service.assess(claim, Some(1_000_00), 7).await;
    let claim = service.adjudicate(&claim).await.unwrap();
    let lines = &claim.decisions[0].lines;
    Some(
        lines
            .iter()
            .map(|line| matches!(line.rule.as_str(), "" | "NOTHING_LEFT" | "CAP_EXHAUSTED"))
            .collect(),
    )
}

#[tokio::test]
async fn a_check_of_cover_says_what_adjudication_covers() {
    let service = service(date(2020, 6, 20)).await;
    service.schemes().await;
    // a dwelling that is insured itself, as it would have been signed
    service
        .sql(
            "set local session_replication_role = replica;
              update policy_benefit set insured_by = 'PLACE' where policy = 'cci-2020' and peril = 'TYPHOON'",
        )
        .await;
    let perils = ["FIRE", "TYPHOON", "PUBLIC_AREA_INJURY", "DISABILITY"];
    let people = ["r-1", "r-3", "r-4", "r-6"];
    let places = [("h-1", "h-1"), ("h-2", "h-2"), ("e-1", "h-1"), ("e-2", "h-2"), ("胜辛路", "h-1")];
    let (mut same, mut refused) = (0, 0);
    for (n, person) in people.into_iter().enumerate() {
        for peril in perils {
            for (m, (place, household)) in places.into_iter().enumerate() {
                // a day for each: of one day a dwelling has one loss
                let on = date(2020, 6, 1) + i64::try_from(n * 5 + m).unwrap().days();
                let event = Event { peril, on, place, person, household };
                let said = check(&service, event).await;
                match covered(&service, event).await {
                    Some(lines) => {
                        assert_eq!(said, lines, "{peril} {person} {place} {household}");
                        same += 1;
                    }
                    // what isn't claimed at all isn't covered either
                    None => {
                        assert!(said.iter().all(|yes| !yes), "{peril} {person} {place} {household}");
                        refused += 1;
                    }
                }
            }
        }
    }
    assert_eq!((same, refused), (50, 30));
}
