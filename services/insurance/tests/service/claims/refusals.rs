//! Bad input: its own reason, and nothing stored.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;
use tonic::Status;
use tonic_types::StatusExt;

use super::{As, Event, fire, step};
use crate::harness::{Service, fen, reason, service, uuid};

/// Asks for a refusal that leaves every byte as it was.
async fn refused<T: std::fmt::Debug>(service: &Service, before: &str, answer: Result<T, Status>) -> String {
    let status = answer.unwrap_err();
    assert_eq!(service.dump().await, before, "{}", reason(&status));
    reason(&status)
}

#[tokio::test]
async fn a_claim_that_is_none_is_refused_by_its_own_reason() {
    let service = service(date(2020, 10, 5)).await;
    service.schemes().await;
    let event = fire(date(2020, 10, 3));
    let incident = service.incident(event).await;
    let good = || service.claim_draft(&incident, event, Some(3_000_00));
    let before = service.dump().await;
    let tried = [
        // another's dwelling
        (pb::Claim { insured: "towns/malu/people/r-3".to_owned(), ..good() }, "CLAIM_INCIDENT_OF_ANOTHER"),
        (
            pb::Claim { household: "towns/malu/households/h-2".to_owned(), ..good() },
            "CLAIMANT_NOT_OF_HOUSEHOLD",
        ),
        (pb::Claim { claimant: "towns/malu/people/nobody".to_owned(), ..good() }, "PEER_UNKNOWN"),
        (
            pb::Claim { report_date: Some(crate::harness::date(date(2020, 10, 2))), ..good() },
            "CLAIM_BEFORE_EVENT",
        ),
        (
            pb::Claim {
                insured: String::new(),
                insured_citizen_id: "310199195112050138".to_owned(),
                ..good()
            },
            "CITIZEN_ID_INVALID",
        ),
        (
            pb::Claim {
                insured: String::new(),
                insured_citizen_id: "310199195112050137".to_owned(),
                ..good()
            },
            "CITIZEN_UNKNOWN",
        ),
        (pb::Claim { claimed_amount: Some(fen(0)), ..good() }, "AMOUNT_NOT_POSITIVE"),
        (pb::Claim { incident: format!("towns/malu/incidents/{}", uuid()), ..good() }, "NOT_FOUND"),
    ];
    for (claim, wanted) in tried {
        assert_eq!(refused(&service, &before, service.report(claim).await).await, wanted);
    }
    // every fault at once
    let bad = pb::Claim {
        insured: "x".to_owned(),
        household: "towns/other/households/h-1".to_owned(),
        report_date: Some(crate::harness::date(date(2020, 10, 6))),
        beneficiaries: vec![pb::Beneficiary {
            person: "towns/malu/people/r-1".to_owned(),
            share_ppm: 999_999,
            relation: "self".to_owned(),
        }],
        payee: Some(contracts::linli::common::v1::Payee { account_number: "1".to_owned(), ..super::payee() }),
        ..good()
    };
    let status = service.report(bad).await.unwrap_err();
    let fields: Vec<String> = status
        .get_error_details()
        .bad_request()
        .unwrap()
        .field_violations
        .iter()
        .map(|one| one.field.clone())
        .collect();
    for field in [
        "claim.insured",
        "claim.household",
        "claim.report_date",
        "claim.beneficiaries",
        "claim.beneficiaries[0].relation",
        "claim.payee.account_number",
    ] {
        assert!(fields.iter().any(|found| found == field), "{field} in {fields:?}");
    }
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn steps_out_of_turn_or_by_the_wrong_people_are_refused() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.claim(fire(date(2020, 2, 14)), Some(1_000_00)).await;
    let before = service.dump().await;
    let early = service.adjudicate(&claim).await;
    assert_eq!(refused(&service, &before, early).await, "WRONG_STATE");
    let claim = service.assess(claim, Some(900_00), 0).await;
    let before = service.dump().await;
    let more = step!(AssessClaimRequest, claim, assessed_amount: Some(fen(1_000_01)), disability_grade: 0);
    let more = service.claims().assess_claim(service.officer("assessor", more)).await;
    assert_eq!(refused(&service, &before, more).await, "ASSESSED_ABOVE_CLAIMED");
    for (who, wanted) in [
        ("reporter", "MAKER_IS_CHECKER"),
        ("surveyor", "MAKER_IS_CHECKER"),
        ("assessor", "MAKER_IS_CHECKER"),
        ("r-1", "CLAIM_OF_ONES_OWN"),
    ] {
        let request = step!(AdjudicateClaimRequest, claim, without_documents: false);
        let own = service.claims().adjudicate_claim(service.officer(who, request)).await;
        assert_eq!(refused(&service, &before, own).await, wanted, "{who}");
    }
    let claim = service.adjudicate(&claim).await.unwrap();
    let appeal = step!(AppealClaimRequest, claim, appeal: "嫌少".to_owned());
    let none = service.claims().appeal_claim(service.officer("reader", appeal)).await.unwrap_err();
    assert_eq!(reason(&none), "NOTHING_TO_APPEAL");
    let claim = service.noticed(&claim).await;
    let before = service.dump().await;
    let wrong = service.pay(&claim, "cci", 1_00).await;
    assert_eq!(refused(&service, &before, wrong).await, "AMOUNT_DIFFERS");
    let stale = pb::Claim { etag: kernel::etag::Etag::of(1).to_string(), ..claim.clone() };
    let stale = service.pay(&stale, "cci", 240_00).await;
    assert_eq!(refused(&service, &before, stale).await, "ETAG_MISMATCH");
    let own = step!(PayClaimRequest, claim, programme: "towns/malu/programmes/cci".to_owned(), amount: Some(fen(240_00)), pay_date: None,
        payment_reference: "r".to_owned());
    let own = service.claims().pay_claim(service.by(As::Adjuster("adjudicator", "o-insurer-0"), own)).await;
    assert_eq!(refused(&service, &before, own).await, "MAKER_IS_CHECKER");
}

#[tokio::test]
async fn the_same_loss_is_accepted_once_and_the_double_dismissed() {
    let service = service(date(2020, 5, 29)).await;
    service.schemes().await;
    let event = Event {
        peril: "PUBLIC_AREA_INJURY",
        on: date(2020, 5, 20),
        place: "e-1",
        person: "r-1",
        household: "h-1",
    };
    let first = service.assessed(event, Some(26_000_00), 0).await;
    let again = service.report(service.claim_draft(&first.incident, event, Some(26_000_00))).await.unwrap();
    assert_eq!(again.duplicate_of, first.name);
    let accept = step!(AcceptClaimRequest, again);
    let double = service.claims().accept_claim(service.officer("acceptor", accept)).await.unwrap_err();
    assert_eq!(reason(&double), "DUPLICATE_CLAIM");
    let silent = step!(DismissClaimRequest, again);
    let silent = service.claims().dismiss_claim(service.officer("acceptor", silent)).await.unwrap_err();
    assert_eq!(reason(&silent), "REASON_REQUIRED");
    let dismiss =
        pb::DismissClaimRequest { comment: "重复报案".to_owned(), ..step!(DismissClaimRequest, again) };
    let again =
        service.claims().dismiss_claim(service.officer("acceptor", dismiss)).await.unwrap().into_inner();
    assert_eq!(again.state(), pb::ClaimState::Dismissed);
    let first = service.adjudicate(&first).await.unwrap();
    assert_eq!(super::approved(&first), [20_000_00, 4_800_00]);
}

#[tokio::test]
async fn an_event_that_no_policy_covers_is_stored_and_rejected() {
    let service = service(date(2020, 3, 3)).await;
    service.schemes().await;
    let early = service.assessed(fire(date(2019, 12, 31)), Some(7_000_00), 0).await;
    let early = service.adjudicate(&early).await.unwrap();
    assert_eq!((early.outcome(), early.rule.as_str()), (pb::ClaimOutcome::Rejected, "EVENT_BEFORE_POLICY"));
    // he left on that very day: half-open
    let event = Event {
        peril: "PUBLIC_AREA_INJURY",
        on: date(2020, 3, 3),
        place: "e-1",
        person: "r-4",
        household: "h-2",
    };
    let gone = service.assessed(event, Some(1_000_00), 0).await;
    let gone = service.adjudicate(&gone).await.unwrap();
    assert_eq!(gone.decisions[0].lines[1].rule, "NOT_RESIDENT_ON_DAY");
}

#[tokio::test]
async fn a_loss_above_the_sum_insured_is_refused() {
    let service = service(date(2020, 4, 13)).await;
    // a version that is signed never changes: as it would have been signed
    service.schemes().await;
    service.sql("set local session_replication_role = replica; update policy_benefit set sum_insured_fen = 500000 where peril = 'BURST_PIPE'").await;
    let event = Event { peril: "BURST_PIPE", ..fire(date(2020, 4, 11)) };
    let incident = service.incident(event).await;
    let before = service.dump().await;
    let above = service.report(service.claim_draft(&incident, event, Some(5_000_01))).await;
    assert_eq!(refused(&service, &before, above).await, "CLAIM_ABOVE_SUM_INSURED");
    let claim = service.report(service.claim_draft(&incident, event, Some(5_000_00))).await.unwrap();
    let before = service.dump().await;
    let update = pb::UpdateClaimRequest {
        claim: Some(pb::Claim { claimed_amount: Some(fen(6_000_00)), ..claim }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["claimed_amount".to_owned()] }),
        request_id: uuid(),
        ..Default::default()
    };
    let above = service.claims().update_claim(service.officer("reporter", update)).await;
    assert_eq!(refused(&service, &before, above).await, "CLAIM_ABOVE_SUM_INSURED");
}
