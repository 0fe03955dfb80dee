//! Bad input: every fault at once, each alone by its own reason, nothing stored.

use contracts::linli::insurance::v1::{self as pb, benefit::Form};
use jiff::civil::date;
use tonic::Code;
use tonic_types::StatusExt;

use super::data::{cci_2020, li_2020};
use crate::harness::{date as wire, fen, reason, service};

#[tokio::test]
async fn every_fault_is_named_at_once_and_nothing_is_stored() {
    let service = service(date(2020, 3, 1)).await;
    service.both_programmes().await;
    let before = service.dump().await;
    let mut policy = li_2020();
    policy.insurer_credit_code = "91310199MA9002017X".to_owned();
    policy.end_date = Some(wire(date(2021, 1, 2)));
    let terms = policy.terms.as_mut().unwrap();
    terms.grounds.clear();
    terms.report_within_days = 4_000;
    terms.limit_year = Some(fen(-1));
    terms.benefits[0].peril = "death".to_owned();
    let Some(Form::ByGrade(grades)) = &mut terms.benefits[1].form else { panic!() };
    grades.parts_ppm[9] = 1_000_001;
    let Some(Form::Loss(loss)) = &mut terms.benefits[2].form else { panic!() };
    loss.share_ppm = 1_200_000;
    terms.benefits[3].form = None;
    terms.benefits[4].peril = "HIT_AND_RUN".to_owned();
    let premium = terms.premium.as_mut().unwrap();
    premium.shares[2].share_ppm = 50_000;
    premium.shares[1].bearer = "DISTRICT".to_owned();
    let status = service.draft("li", "li-2020", policy).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "BAD_REQUEST"));
    let details = status.get_error_details();
    let mut fields: Vec<_> =
        details.bad_request().unwrap().field_violations.iter().map(|its| its.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "policy.end_date",
            "policy.insurer_credit_code",
            "policy.terms.benefits[0].peril",
            "policy.terms.benefits[1].by_grade.parts_ppm[9]",
            "policy.terms.benefits[2].loss.share_ppm",
            "policy.terms.benefits[3]",
            "policy.terms.benefits[4].peril",
            "policy.terms.grounds",
            "policy.terms.limit_year",
            "policy.terms.premium.shares",
            "policy.terms.premium.shares[1].bearer",
            "policy.terms.report_within_days",
        ]
    );
    assert_eq!(service.dump().await, before);
}

fn spoilt(spoil: impl FnOnce(&mut pb::Policy, &mut pb::PolicyTerms)) -> pb::Policy {
    let mut policy = cci_2020();
    let mut terms = policy.terms.take().unwrap();
    spoil(&mut policy, &mut terms);
    policy.terms = Some(terms);
    policy
}

#[tokio::test]
async fn each_fault_alone_has_its_own_reason() {
    let service = service(date(2020, 3, 1)).await;
    service.both_programmes().await;
    let before = service.dump().await;
    let organisation = |id: &str| format!("towns/malu/organisations/{id}");
    let cases = [
        // the code of the other insurer with another check character
        (
            spoilt(|policy, _| policy.insurer_credit_code = "91310199MA9002009E".to_owned()),
            "CREDIT_CODE_INVALID",
        ),
        (
            spoilt(|policy, _| policy.insurer_credit_code = "91310199MA9002017E".to_owned()),
            "INSURER_CODE_DIFFERS",
        ),
        (spoilt(|policy, _| policy.insurer = organisation("o-nobody")), "PEER_UNKNOWN"),
        (
            spoilt(|policy, _| {
                policy.insurer = organisation("o-property-1");
                policy.insurer_credit_code = "91310199MA9001014X".to_owned();
            }),
            "NOT_AN_INSURER",
        ),
        (spoilt(|policy, _| policy.end_date = policy.start_date), "POLICY_PERIOD_INVALID"),
        (spoilt(|policy, _| policy.programme = "towns/malu/programmes/none".to_owned()), "PROGRAMME_UNKNOWN"),
        (
            spoilt(|_, terms| {
                let Some(Form::Loss(loss)) = &mut terms.benefits[0].form else { panic!() };
                loss.share_ppm = 1_000_001;
            }),
            "PERCENT_OUT_OF_RANGE",
        ),
        (
            spoilt(|_, terms| terms.premium.as_mut().unwrap().shares[0].share_ppm = 499_999),
            "PREMIUM_SHARES_NOT_WHOLE",
        ),
        (
            spoilt(|_, terms| terms.premium.as_mut().unwrap().instalments[0].amount = Some(fen(1))),
            "INSTALMENTS_NOT_THE_PREMIUM",
        ),
        (spoilt(|_, terms| terms.benefits[1].peril = "FIRE".to_owned()), "BENEFIT_TWICE"),
        (spoilt(|_, terms| terms.limit_event = Some(fen(0))), "AMOUNT_NOT_POSITIVE"),
        (spoilt(|_, terms| terms.limit_event = Some(fen(10_000_000_000_001))), "BAD_REQUEST"),
    ];
    for (policy, wanted) in cases {
        let status = service.draft("li", "cci-2020", policy).await.unwrap_err();
        assert_eq!(reason(&status), wanted, "{status:?}");
    }
    assert_eq!(service.dump().await, before);

    service.draft("li", "cci-2020", cci_2020()).await.unwrap();
    let before = service.dump().await;
    let status = service.draft("li", "cci-b", cci_2020()).await.unwrap_err();
    assert_eq!(reason(&status), "POLICY_NUMBER_TAKEN");
    let other = pb::Policy { number: "X".to_owned(), ..cci_2020() };
    let status = service.draft("li", "cci-2020", other).await.unwrap_err();
    assert_eq!(reason(&status), "ALREADY_EXISTS");
    assert_eq!(service.dump().await, before);
}
