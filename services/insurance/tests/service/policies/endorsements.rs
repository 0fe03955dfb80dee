//! What becomes of a policy in force: endorsements, instalments.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;

use super::data::cci_2020;
use crate::harness::{date as wire, fen, reason, service, uuid};

#[tokio::test]
async fn an_endorsement_holds_from_its_day_once_another_signed_it() {
    let service = service(date(2020, 3, 1)).await;
    service.schemes().await;
    let policy = service.policy("cci-2020").await;
    let mut terms = policy.terms.clone().unwrap();
    terms.benefits.push(pb::Benefit {
        peril: "GAS_LEAK".to_owned(),
        object: pb::BenefitObject::Person.into(),
        form: Some(pb::benefit::Form::Fixed(pb::FixedSum { sum: Some(fen(5_000_000)) })),
        waiting_days: 30,
        ..Default::default()
    });
    let premium = terms.premium.as_mut().unwrap();
    premium.instalments = vec![pb::Instalment {
        due_date: Some(wire(date(2020, 8, 1))),
        amount: Some(fen(6_000_000)),
        ..Default::default()
    }];
    for on in [date(2019, 12, 31), date(2021, 1, 1)] {
        let status = service.endorse("li", &policy, on, terms.clone()).await.unwrap_err();
        assert_eq!(reason(&status), "ENDORSEMENT_OUTSIDE_PERIOD", "{on}");
    }
    let status = service.sign("wang", &policy).await.unwrap_err();
    assert_eq!(reason(&status), "ENDORSEMENT_MISSING");

    let drafted = service.endorse("li", &policy, date(2020, 7, 1), terms.clone()).await.unwrap();
    assert_eq!((drafted.versions.len(), drafted.version), (2, 1));
    assert_eq!(drafted.premium_total, policy.premium_total, "nothing is added before it is signed");
    let status = service.endorse("li", &drafted, date(2020, 8, 1), terms.clone()).await.unwrap_err();
    assert_eq!(reason(&status), "ENDORSEMENT_PENDING");
    let status = service.terminate(&drafted, date(2020, 8, 1)).await.unwrap_err();
    assert_eq!(reason(&status), "ENDORSEMENT_PENDING");

    // thrown away, and drafted again
    let request = pb::DiscardEndorsementRequest {
        name: drafted.name.clone(),
        etag: drafted.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    };
    let bare =
        service.policies().discard_endorsement(service.officer("zhao", request)).await.unwrap().into_inner();
    assert_eq!(bare.versions.len(), 1);
    let drafted = service.endorse("li", &bare, date(2020, 7, 1), terms).await.unwrap();
    let signed = service.sign("wang", &drafted).await.unwrap();
    assert_eq!(signed.premium_total, Some(fen(60_000_000)));

    for (today, version, benefits) in
        [(date(2020, 6, 30), 1, 4), (date(2020, 7, 1), 2, 5), (date(2021, 5, 1), 2, 5)]
    {
        service.clock.set(today).unwrap();
        let policy = service.policy("cci-2020").await;
        assert_eq!((policy.version, policy.terms.unwrap().benefits.len()), (version, benefits), "{today}");
    }
    let verbs = service.policy("cci-2020").await.timeline;
    let verbs: Vec<_> = verbs.iter().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["endorse", "discardEndorsement", "endorse", "sign"]);
}

#[tokio::test]
async fn an_instalment_is_paid_once() {
    let service = service(date(2020, 3, 1)).await;
    service.both_programmes().await;
    let signed = service.signed("cci-2020", cci_2020()).await;
    assert_eq!(signed.instalments.len(), 2);
    let pay = async |policy: &pb::Policy, number, on| {
        let request = pb::MarkInstalmentPaidRequest {
            name: policy.name.clone(),
            etag: policy.etag.clone(),
            request_id: uuid(),
            number,
            pay_date: Some(wire(on)),
            reference: "回单-1".to_owned(),
            ..Default::default()
        };
        service.policies().mark_instalment_paid(service.officer("li", request)).await
    };
    let refused = pay(&signed, 1, date(2020, 3, 2)).await.unwrap_err();
    assert_eq!(reason(&refused), "BAD_REQUEST", "not in the future");
    let refused = pay(&signed, 3, date(2020, 3, 1)).await.unwrap_err();
    assert_eq!(reason(&refused), "INSTALMENT_UNKNOWN");
    let paid = pay(&signed, 1, date(2020, 2, 28)).await.unwrap().into_inner();
    assert_eq!(
        (paid.instalments[0].pay_date, paid.instalments[0].reference.as_str(), paid.instalments[1].pay_date),
        (Some(wire(date(2020, 2, 28))), "回单-1", None)
    );
    let refused = pay(&paid, 1, date(2020, 3, 1)).await.unwrap_err();
    assert_eq!(reason(&refused), "INSTALMENT_PAID");
    assert_ne!(paid.etag, signed.etag);
}
