//! What an adjuster of one insurer sees while the other insurer has claims: his own, and nothing of the other's, by no list, report or total.

use std::fmt::Debug;

use contracts::linli::insurance::v1::{
    self as pb, campaign_service_client::CampaignServiceClient, cover_service_client::CoverServiceClient,
    document_service_client::DocumentServiceClient, incident_service_client::IncidentServiceClient,
    payment_file_service_client::PaymentFileServiceClient,
};
use jiff::civil::date;
use tonic::{Request, Status};

use crate::{
    claims::{As, Event, fire, in_fen, step},
    harness::{Service, fen, reason, service, uuid},
};

const TOWN: &str = "towns/malu";

/// An insurer with what is his alone, and what is the other's.
#[derive(Clone, Copy)]
struct Side {
    insurer: &'static str,
    others: [&'static str; 3],
}

const CCI: Side = Side { insurer: "o-insurer-0", others: ["o-insurer-1", "programmes/li", "li-2020"] };
const LI: Side = Side { insurer: "o-insurer-1", others: ["o-insurer-0", "programmes/cci", "cci-2020"] };

impl Side {
    fn by<T>(self, service: &Service, message: T) -> Request<T> {
        service.by(As::Adjuster("looker", self.insurer), message)
    }

    /// Refuses an answer that tells of the other.
    fn alone<T: Debug>(self, answer: Result<tonic::Response<T>, Status>) -> T {
        let answer = answer.unwrap().into_inner();
        let told = format!("{answer:?}");
        for other in self.others {
            assert!(!told.contains(other), "{other} in {told}");
        }
        answer
    }

    async fn list(self, service: &Service, filter: &str) -> Vec<pb::Claim> {
        let request = pb::ListClaimsRequest {
            parent: TOWN.to_owned(),
            filter: filter.to_owned(),
            ..Default::default()
        };
        self.alone(service.claims().list_claims(self.by(service, request)).await).claims
    }
}

/// A claim with the outcome, the rule, the amounts to be paid and paid, as somebody sees them.
fn seen(claim: &pb::Claim) -> (&str, &str, i64, i64) {
    let outcome = claim.outcome().as_str_name().trim_start_matches("CLAIM_OUTCOME_");
    let (approved, paid) = (claim.approved_amount.as_ref(), claim.paid_amount.as_ref());
    (outcome, &claim.rule, in_fen(approved), in_fen(paid))
}

/// A fire that both pay, of which one has; an injury that the first pays and the second doesn't; a burst pipe that the first covers, a death that
/// the second does; a fire before both policies.
async fn year() -> (Service, Vec<pb::Claim>) {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let early = Event { person: "r-3", place: "h-2", household: "h-2", ..fire(date(2019, 12, 31)) };
    let early = service.assessed(early, Some(7_000_00), 0).await;
    let early = service.adjudicate(&early).await.unwrap();
    let on = date(2020, 2, 14);
    let injury = Event { peril: "PUBLIC_AREA_INJURY", on, place: "e-1", person: "r-6", household: "" };
    let injury = service.assessed(injury, Some(1_000_00), 0).await;
    let injury = service.adjudicate(&injury).await.unwrap();
    let pipe =
        service.assessed(Event { peril: "BURST_PIPE", ..fire(date(2020, 2, 13)) }, Some(1_200_00), 0).await;
    let pipe = service.adjudicate(&pipe).await.unwrap();
    let death = Event { peril: "DEATH", on, place: "e-2", person: "r-4", household: "h-2" };
    let death = service.assessed(death, None, 0).await;
    let death = service.adjudicate(&death).await.unwrap();
    let burnt = service.assessed(fire(on), Some(80_000_00), 0).await;
    let burnt = service.noticed(&service.adjudicate(&burnt).await.unwrap()).await;
    let burnt = service.pay(&burnt, "cci", 30_000_00).await.unwrap();
    (service, vec![burnt, injury, pipe, death, early])
}

#[tokio::test]
async fn an_adjuster_sees_his_own_claims_as_his_own_lines_make_them() {
    let (service, all) = year().await;
    let [burnt, injury, pipe, death, early] = all.as_slice() else { unreachable!() };
    let of_cci = [
        (injury, ("APPROVED", "", 1_000_00, 0)),
        (pipe, ("APPROVED", "", 800_00, 0)),
        (burnt, ("APPROVED", "", 30_000_00, 30_000_00)),
    ];
    let of_li = [
        (injury, ("REJECTED", "NOT_RESIDENT_ON_DAY", 0, 0)),
        (death, ("APPROVED", "", 200_000_00, 0)),
        (burnt, ("APPROVED", "", 40_000_00, 0)),
    ];
    for (side, wanted) in [(CCI, of_cci), (LI, of_li)] {
        let listed = side.list(&service, "").await;
        let names = |claims: &[pb::Claim]| claims.iter().map(|claim| claim.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&listed), wanted.map(|(claim, _)| claim.name.clone()));
        for ((claim, wanted), listed) in wanted.iter().zip(&listed) {
            assert_eq!(seen(listed), *wanted, "{}", claim.peril);
            let request = pb::GetClaimRequest { name: claim.name.clone() };
            let its = side.alone(service.claims().get_claim(side.by(&service, request)).await);
            assert_eq!(seen(&its), *wanted, "{}", claim.peril);
            for decision in &its.decisions {
                assert_eq!(in_fen(decision.approved_amount.as_ref()), wanted.2);
                assert_eq!(decision.rule, wanted.1);
            }
        }
        // a filter looks at what is shown
        assert!(side.list(&service, "outcome = IN_PART").await.is_empty());
        let rejected = side.list(&service, "outcome = REJECTED").await;
        assert_eq!(rejected.len(), usize::from(side.insurer == LI.insurer));
        assert_eq!(side.list(&service, "rule = NOT_RESIDENT_ON_DAY").await.len(), rejected.len());
    }
    // the town sees the whole
    assert_eq!(seen(&service.read(injury).await), ("IN_PART", "NOT_RESIDENT_ON_DAY", 1_000_00, 0));
    assert_eq!(seen(&service.read(burnt).await), ("APPROVED", "", 70_000_00, 30_000_00));
    assert_eq!(seen(&service.read(early).await), ("REJECTED", "EVENT_BEFORE_POLICY", 0, 0));
    assert!(early.insurers.is_empty());
}

#[tokio::test]
async fn an_adjuster_acts_on_no_claim_that_his_policies_do_not_meet() {
    let (service, all) = year().await;
    let [_, _, pipe, death, early] = all.as_slice() else { unreachable!() };
    let fresh = Event { person: "r-3", place: "h-2", household: "h-2", ..fire(date(2019, 12, 30)) };
    let fresh = service.assessed(fresh, Some(7_000_00), 0).await;
    let before = service.dump().await;
    for (side, claims) in [(CCI, [death, early, &fresh]), (LI, [pipe, early, &fresh])] {
        for claim in claims {
            let mut client = service.claims();
            let name = claim.name.clone();
            let get = client.get_claim(side.by(&service, pb::GetClaimRequest { name: name.clone() })).await;
            assert_eq!(reason(&get.unwrap_err()), "PERMISSION_DENIED");
            let reveal = pb::RevealClaimRequest { name, purpose: "核对".to_owned() };
            assert_eq!(
                reason(&client.reveal_claim(side.by(&service, reveal)).await.unwrap_err()),
                "PERMISSION_DENIED"
            );
            let survey = step!(SurveyClaimRequest, claim, survey: "x".to_owned());
            let survey = client.survey_claim(side.by(&service, survey)).await;
            assert_eq!(reason(&survey.unwrap_err()), "PERMISSION_DENIED");
            let assess = step!(AssessClaimRequest, claim, assessed_amount: Some(fen(1)), disability_grade: 0);
            let assess = client.assess_claim(side.by(&service, assess)).await;
            assert_eq!(reason(&assess.unwrap_err()), "PERMISSION_DENIED");
            let decide = step!(AdjudicateClaimRequest, claim, without_documents: true);
            let decide = client.adjudicate_claim(side.by(&service, decide)).await;
            assert_eq!(reason(&decide.unwrap_err()), "PERMISSION_DENIED");
            let pay = step!(PayClaimRequest, claim, programme: format!("{TOWN}/programmes/li"), amount: Some(fen(1)),
                pay_date: None, payment_reference: "x".to_owned());
            let pay = client.pay_claim(side.by(&service, pay)).await;
            assert_eq!(reason(&pay.unwrap_err()), "PERMISSION_DENIED");
        }
    }
    assert_eq!(service.dump().await, before);
    // what no policy meets is for the town to decide
    service.adjudicate(&fresh).await.unwrap();
}

#[tokio::test]
async fn no_report_counts_what_is_the_others() {
    let (service, _) = year().await;
    let parent = || TOWN.to_owned();
    for side in [CCI, LI] {
        let cci = side.insurer == CCI.insurer;
        let mut reports = service.reports();
        let ratios = pb::GetLossRatiosRequest { parent: parent(), ..Default::default() };
        let ratios = side.alone(reports.get_loss_ratios(side.by(&service, ratios)).await).loss_ratios;
        assert_eq!(ratios.len(), 1);

        let asked = pb::ListBenefitsByCommitteeRequest { parent: parent(), ..Default::default() };
        let found = side.alone(reports.list_benefits_by_committee(side.by(&service, asked)).await);
        let got: Vec<_> = found
            .benefits
            .iter()
            .map(|one| {
                let amounts = (in_fen(one.approved_amount.as_ref()), in_fen(one.paid_amount.as_ref()));
                (one.claims, one.rejected_claims, amounts, one.households, one.paid_households)
            })
            .collect();
        let wanted = if cci {
            [(3, 0, (31_800_00, 30_000_00), 2, 1), (0, 0, (0, 0), 0, 0), (0, 0, (0, 0), 0, 0)]
        } else {
            [(2, 1, (40_000_00, 0), 1, 0), (1, 0, (200_000_00, 0), 1, 0), (0, 0, (0, 0), 0, 0)]
        };
        assert_eq!(got, wanted);

        let asked = pb::ListRejectionReasonsRequest { parent: parent(), ..Default::default() };
        let found =
            side.alone(reports.list_rejection_reasons(side.by(&service, asked)).await).rejection_reasons;
        let rules: Vec<_> = found.iter().map(|one| (one.programme.as_str(), one.rule.as_str())).collect();
        let own = [("towns/malu/programmes/li", "NOT_RESIDENT_ON_DAY")];
        assert_eq!(rules, if cci { &[] } else { own.as_slice() });

        let asked = pb::GetLegDurationsRequest {
            parent: parent(),
            start_date: Some(crate::harness::date(date(2020, 1, 1))),
            end_date: Some(crate::harness::date(date(2021, 1, 1))),
            committee: String::new(),
        };
        let legs = side.alone(reports.get_leg_durations(side.by(&service, asked)).await).legs;
        // three claims were reported, accepted, surveyed and assessed; one was noticed
        assert!(legs.iter().all(|leg| leg.count == 3 || leg.count == 1), "{legs:?}");

        let asked = pb::ListExhaustedCapsRequest { parent: parent(), min_used_ppm: 1, ..Default::default() };
        let found = side.alone(reports.list_exhausted_caps(side.by(&service, asked)).await).exhausted_caps;
        assert!(!found.is_empty());
        let asked = pb::ListUnclaimedByCommitteeRequest { parent: parent(), ..Default::default() };
        let found = side.alone(reports.list_unclaimed_by_committee(side.by(&service, asked)).await);
        assert!(found.unclaimed_counts.is_empty());
    }
}

#[tokio::test]
async fn no_file_policy_or_incident_of_the_other_is_shown() {
    let (service, all) = year().await;
    let parent = || TOWN.to_owned();
    for claim in [&all[2], &all[3]] {
        let document = pb::Document {
            owner: claim.name.clone(),
            kind: "PHOTOS".to_owned(),
            file_name: "现场.png".to_owned(),
            media_type: pb::DocumentMediaType::Png.into(),
            size_bytes: 9,
            sha256: "0".repeat(64),
            ..Default::default()
        };
        let request = pb::CreateDocumentRequest {
            parent: parent(),
            document: Some(document),
            request_id: uuid(),
            ..Default::default()
        };
        let mut client = DocumentServiceClient::new(service.peer.clone());
        client.create_document(service.officer("clerk", request)).await.unwrap();
    }
    let file = pb::CreatePaymentFileRequest {
        parent: parent(),
        insurer: format!("{TOWN}/organisations/o-insurer-1"),
        content: format!(
            "claim_number,programme,amount_yuan,paid_on,reference\r\n{},li,1.00,2020-02-17,x\r\n",
            all[0].number
        )
        .into_bytes()
        .into(),
        request_id: uuid(),
        ..Default::default()
    };
    let mut files = PaymentFileServiceClient::new(service.peer.clone());
    let file = files.create_payment_file(LI.by(&service, file)).await.unwrap().into_inner();
    let get = pb::GetPaymentFileRequest { name: file.name };
    let hidden = files.get_payment_file(CCI.by(&service, get)).await.unwrap_err();
    assert_eq!(reason(&hidden), "PERMISSION_DENIED");

    for (side, own) in [(CCI, &all[2]), (LI, &all[3])] {
        let list = pb::ListDocumentsRequest { parent: parent(), ..Default::default() };
        let mut documents = DocumentServiceClient::new(service.peer.clone());
        let found = side.alone(documents.list_documents(side.by(&service, list)).await).documents;
        assert_eq!(found.iter().map(|one| &one.owner).collect::<Vec<_>>(), [&own.name]);
        let list = pb::ListPaymentFilesRequest { parent: parent(), ..Default::default() };
        let found = side.alone(files.list_payment_files(side.by(&service, list)).await).payment_files;
        assert_eq!(found.len(), usize::from(side.insurer == LI.insurer));
        let list = pb::ListPoliciesRequest { parent: parent(), ..Default::default() };
        let found = side.alone(service.policies().list_policies(side.by(&service, list)).await).policies;
        assert_eq!(found.len(), 1);

        // what is no insurer's
        let mut incidents = IncidentServiceClient::new(service.peer.clone());
        let list = pb::ListIncidentsRequest { parent: parent(), ..Default::default() };
        let denied = incidents.list_incidents(side.by(&service, list)).await.unwrap_err();
        assert_eq!(reason(&denied), "PERMISSION_DENIED");
        let list = pb::ListUnclaimedIncidentsRequest { parent: parent(), ..Default::default() };
        let denied = incidents.list_unclaimed_incidents(side.by(&service, list)).await.unwrap_err();
        assert_eq!(reason(&denied), "PERMISSION_DENIED");
        let mut campaigns = CampaignServiceClient::new(service.peer.clone());
        let list = pb::ListCampaignsRequest { parent: parent(), ..Default::default() };
        let denied = campaigns.list_campaigns(side.by(&service, list)).await.unwrap_err();
        assert_eq!(reason(&denied), "PERMISSION_DENIED");
        let check = pb::CheckCoverRequest {
            parent: parent(),
            person: format!("{TOWN}/people/r-1"),
            peril: "FIRE".to_owned(),
            ..Default::default()
        };
        let mut cover = CoverServiceClient::new(service.peer.clone());
        let denied = cover.check_cover(side.by(&service, check)).await.unwrap_err();
        assert_eq!(reason(&denied), "PERMISSION_DENIED");
        let request = pb::ReadjudicateClaimsRequest { parent: parent(), year: 2020, request_id: uuid() };
        let denied = service.claims().readjudicate_claims(side.by(&service, request)).await.unwrap_err();
        assert_eq!(reason(&denied), "PERMISSION_DENIED");
    }
}
