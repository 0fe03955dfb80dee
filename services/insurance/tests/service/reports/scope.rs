//! Who is told what.

use super::*;

#[tokio::test]
async fn a_committee_is_told_of_its_own_and_an_insurer_of_his_policies() {
    let (service, _) = year().await;
    let first = As::Committee("neighbour", "c1");
    let second = As::Committee("neighbour", "c2");
    let (cci, li) = (As::Adjuster("a", "o-insurer-0"), As::Adjuster("b", "o-insurer-1"));

    // what a policy pays lies in all areas
    for who in [first, second] {
        let denied = service.reports().get_loss_ratios(service.by(who, loss_ratios())).await.unwrap_err();
        assert_eq!(reason(&denied), "PERMISSION_DENIED");
    }
    for (who, policy) in [(cci, "towns/malu/policies/cci-2020"), (li, "towns/malu/policies/li-2020")] {
        let own =
            service.reports().get_loss_ratios(service.by(who, loss_ratios())).await.unwrap().into_inner();
        assert_eq!(own.loss_ratios.iter().map(|one| one.policy.as_str()).collect::<Vec<_>>(), [policy]);
    }

    for (who, many) in [(first, 0), (second, 0), (cci, 0), (li, 1)] {
        let found = service.reports().list_rejection_reasons(service.by(who, rejections())).await;
        assert_eq!(found.unwrap().into_inner().rejection_reasons.len(), many);
    }

    let of_town = ("c1", [2, 0, 74_106_66, 70_000_00, 2, 1]);
    let none = |id| (id, [0; 6]);
    let waits = ("c2", [1, 0, 0, 0, 0, 0]);
    for (who, wanted, elsewhere) in [
        (first, vec![of_town], None),
        (second, vec![waits], None),
        (cci, vec![("c1", [2, 0, 34_106_66, 30_000_00, 2, 1]), waits, none("c3")], None),
        (
            li,
            vec![("c1", [1, 0, 40_000_00, 40_000_00, 1, 1]), waits, none("c3")],
            Some(("", [1, 1, 0, 0, 0, 0])),
        ),
    ] {
        let found = service.reports().list_benefits_by_committee(service.by(who, benefits())).await;
        let found = found.unwrap().into_inner();
        assert_eq!(found.benefits.iter().map(got).collect::<Vec<_>>(), wanted);
        assert_eq!(found.no_committee.as_ref().map(got), elsewhere);
    }

    // an insurer has no incidents
    for (who, many) in [(first, 1), (second, 0), (cci, 0)] {
        let found = service.reports().list_unclaimed_by_committee(service.by(who, unclaimed())).await;
        assert_eq!(found.unwrap().into_inner().unclaimed_counts.len(), many);
    }

    for (who, wanted) in [(first, vec!["cci", "li"]), (second, vec![]), (cci, vec!["cci"]), (li, vec!["li"])]
    {
        let found = service.reports().list_exhausted_caps(service.by(who, caps(600_000))).await;
        let found = found.unwrap().into_inner().exhausted_caps;
        let policies: Vec<_> = found.iter().map(|one| one.policy.clone()).collect();
        let wanted: Vec<_> = wanted.iter().map(|id| format!("towns/malu/policies/{id}-2020")).collect();
        assert_eq!(policies, wanted);
    }
}

#[tokio::test]
async fn another_town_is_told_nothing_and_an_empty_one_has_nothing() {
    let (service, _) = year().await;
    let denied = service.reports().list_exhausted_caps(service.of_other(caps(1))).await.unwrap_err();
    assert_eq!(reason(&denied), "PERMISSION_DENIED");
    let denied =
        service.reports().list_benefits_by_committee(service.of_other(benefits())).await.unwrap_err();
    assert_eq!(reason(&denied), "PERMISSION_DENIED");

    let parent = || "towns/other".to_owned();
    let mut reports = service.reports();
    let ratios = pb::GetLossRatiosRequest { parent: parent(), ..loss_ratios() };
    let ratios = reports.get_loss_ratios(service.of_other(ratios)).await.unwrap().into_inner();
    assert_eq!((ratios.year, ratios.loss_ratios.len()), (2020, 0));
    let period = legs(date(2020, 1, 1), date(2021, 1, 1));
    let period = pb::GetLegDurationsRequest { parent: parent(), ..period };
    let found = reports.get_leg_durations(service.of_other(period)).await.unwrap().into_inner();
    assert!(found.legs.is_empty());
    let reasons = pb::ListRejectionReasonsRequest { parent: parent(), ..rejections() };
    let found = reports.list_rejection_reasons(service.of_other(reasons)).await.unwrap().into_inner();
    assert_eq!(found, pb::ListRejectionReasonsResponse::default());
    let asked = pb::ListBenefitsByCommitteeRequest { parent: parent(), ..benefits() };
    let found = reports.list_benefits_by_committee(service.of_other(asked)).await.unwrap().into_inner();
    assert_eq!(found, pb::ListBenefitsByCommitteeResponse::default());
    let asked = pb::ListUnclaimedByCommitteeRequest { parent: parent(), min_days: Some(0), ..unclaimed() };
    let found = reports.list_unclaimed_by_committee(service.of_other(asked)).await.unwrap().into_inner();
    assert_eq!(found, pb::ListUnclaimedByCommitteeResponse::default());
    let asked = pb::ListExhaustedCapsRequest { parent: parent(), ..caps(1) };
    let found = reports.list_exhausted_caps(service.of_other(asked)).await.unwrap().into_inner();
    assert_eq!(found, pb::ListExhaustedCapsResponse::default());
}

impl Service {
    /// A request of an officer of the other town.
    fn of_other<T>(&self, message: T) -> tonic::Request<T> {
        harness::with(message, &self.token("stranger", "town-officer", "other"))
    }
}
