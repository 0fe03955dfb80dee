//! Limits that are used up.

use super::*;

async fn exhausted(service: &Service, request: pb::ListExhaustedCapsRequest) -> Vec<pb::ExhaustedCap> {
    let found = service.reports().list_exhausted_caps(service.officer("reader", request)).await;
    found.unwrap().into_inner().exhausted_caps
}

fn burnt() -> pb::ExhaustedCap {
    pb::ExhaustedCap {
        policy: "towns/malu/policies/cci-2020".to_owned(),
        kind: pb::CapKind::BenefitHouseholdYear.into(),
        peril: "FIRE".to_owned(),
        subject: "towns/malu/households/h-1".to_owned(),
        year: 2020,
        policy_version: 1,
        limit_amount: money(30_000_00),
        used_amount: money(30_000_00),
        left_amount: money(0),
        used_ppm: 1_000_000,
    }
}

#[tokio::test]
async fn limits_are_told_of_when_they_are_used_up_or_nearly() {
    let (service, claims) = year().await;
    assert_eq!(exhausted(&service, caps(0)).await, [burnt()]);
    assert_eq!(exhausted(&service, caps(1_000_000)).await, [burnt()]);
    let second = pb::ExhaustedCap {
        policy: "towns/malu/policies/li-2020".to_owned(),
        limit_amount: money(60_000_00),
        used_amount: money(40_000_00),
        left_amount: money(20_000_00),
        used_ppm: 666_666,
        ..burnt()
    };
    assert_eq!(exhausted(&service, caps(666_666)).await, [burnt(), second.clone()]);
    assert_eq!(exhausted(&service, caps(666_667)).await, [burnt()]);
    // all of them: each limit that was drawn on, but for what fixed benefits share; the policy's own has no subject
    let all = exhausted(&service, caps(1)).await;
    let drawn = "select count(*) from cap_used where used_fen > 0 and cap <> 'FIXED_EVENT'";
    assert_eq!(i64::try_from(all.len()).unwrap(), service.number(drawn).await);
    let own: Vec<_> = all.iter().filter(|one| one.kind() == pb::CapKind::Year).collect();
    assert!(own.len() == 2 && own.iter().all(|one| one.subject.is_empty() && one.peril.is_empty()));
    assert_eq!((own[0].used_ppm, in_fen(own[0].used_amount.as_ref())), (11_368, 34_106_66));
    let person = all.iter().find(|one| one.kind() == pb::CapKind::PersonYear).unwrap();
    assert_eq!(person.subject, claims[0].insured);

    let (mut paged, mut token) = (Vec::new(), String::new());
    loop {
        let page = pb::ListExhaustedCapsRequest { page_size: 2, page_token: token, ..caps(1) };
        let page = service.reports().list_exhausted_caps(service.officer("reader", page)).await;
        let page = page.unwrap().into_inner();
        paged.extend(page.exhausted_caps);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all);
    for (filter, wanted) in [
        ("kind = BENEFIT_HOUSEHOLD_YEAR AND peril = FIRE", vec![burnt(), second.clone()]),
        ("policy = \"towns/malu/policies/li-2020\" AND peril = FIRE", vec![second.clone()]),
        ("peril = RESCUE", vec![]),
    ] {
        let asked = pb::ListExhaustedCapsRequest { filter: filter.to_owned(), ..caps(1) };
        assert_eq!(exhausted(&service, asked).await, wanted, "{filter}");
    }
    assert!(exhausted(&service, pb::ListExhaustedCapsRequest { year: 2019, ..caps(1) }).await.is_empty());
}

#[tokio::test]
async fn the_limit_is_that_of_the_last_version_that_drew() {
    let (service, _) = year().await;
    // an endorsement doubles the limit; until somebody draws by it, the old one is used up
    service
        .sql(
            "set local session_replication_role = replica;
             insert into policy_version (town, policy, n, from_day, state, insured, grounds, report_within_days, limit_year_fen, written_by,
                                         written_person, signed_by, signed_on)
                 select town, policy, 2, '2020-06-01', 'SIGNED', insured, grounds, 30, limit_year_fen, written_by, written_person, signed_by, signed_on
                 from policy_version where policy = 'cci-2020';
             insert into policy_benefit (town, policy, version, n, peril, object, insured_by, form, deductible_fen, share_ppm, limit_household_year_fen)
                 select town, policy, 2, n, peril, object, insured_by, form, deductible_fen, share_ppm, limit_household_year_fen * 2
                 from policy_benefit where policy = 'cci-2020' and peril = 'FIRE'",
        )
        .await;
    assert_eq!(exhausted(&service, caps(0)).await, [burnt()]);
    service
        .sql(
            "set local session_replication_role = replica;
             insert into claim_draw (town, claim, decision, policy, version, cap, peril, subject, year, amount_fen)
                 select town, id, 1, 'cci-2020', 2, 'BENEFIT_HOUSEHOLD_YEAR', 'FIRE', 'h-1', 2020, 1 from claim where peril = 'HIT_AND_RUN'",
        )
        .await;
    assert!(exhausted(&service, caps(0)).await.is_empty());
    let half = exhausted(
        &service,
        pb::ListExhaustedCapsRequest { filter: "peril = FIRE".to_owned(), ..caps(500_000) },
    )
    .await;
    let wanted = pb::ExhaustedCap {
        policy_version: 2,
        limit_amount: money(60_000_00),
        left_amount: money(30_000_00),
        used_ppm: 500_000,
        ..burnt()
    };
    assert_eq!(half[0], wanted);
}
