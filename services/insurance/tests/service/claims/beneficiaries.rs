//! Beneficiaries are people that governance knows, whenever they are named.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;

use super::fire;
use crate::harness::{reason, service, uuid};

fn share(person: &str) -> pb::Beneficiary {
    pb::Beneficiary {
        person: format!("towns/malu/people/{person}"),
        share_ppm: 1_000_000,
        relation: "SPOUSE".to_owned(),
    }
}

#[tokio::test]
async fn a_beneficiary_whom_governance_does_not_know_is_refused_at_the_report_and_later() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let event = fire(date(2020, 2, 14));
    let incident = service.incident(event).await;
    let draft = |person| pb::Claim {
        beneficiaries: vec![share(person)],
        ..service.claim_draft(&incident, event, Some(1_000_00))
    };
    let before = service.dump().await;
    assert_eq!(reason(&service.report(draft("nobody")).await.unwrap_err()), "PEER_UNKNOWN");
    assert_eq!(service.dump().await, before);
    let claim = service.report(draft("r-1")).await.unwrap();
    let update = |person, paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let request = pb::UpdateClaimRequest {
            claim: Some(pb::Claim { beneficiaries: vec![share(person)], ..claim.clone() }),
            update_mask: Some(prost_types::FieldMask { paths }),
            request_id: uuid(),
            ..Default::default()
        };
        service.officer("reporter", request)
    };
    let before = service.dump().await;
    let unknown = service.claims().update_claim(update("nobody", &["beneficiaries"])).await.unwrap_err();
    assert_eq!(reason(&unknown), "PEER_UNKNOWN");
    assert_eq!(service.dump().await, before);
    // one who lives nowhere is known all the same
    let claim = service.claims().update_claim(update("r-6", &["beneficiaries"])).await.unwrap().into_inner();
    assert_eq!(claim.beneficiaries[0].person, "towns/malu/people/r-6");
}
