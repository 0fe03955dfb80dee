//! Who may not decide, and what may not be put away or taken back.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;

use super::{As, approved, fire, payee, step};
use crate::harness::{Service, reason, service, uuid};

impl Service {
    /// Begins the notice.
    async fn published(&self, claim: &pb::Claim) -> pb::Claim {
        let publish = step!(PublishClaimNoticeRequest, claim);
        let claim = self.claims().publish_claim_notice(self.officer("publisher", publish)).await;
        claim.unwrap().into_inner()
    }

    async fn withdrawn(&self, claim: &pb::Claim) -> Result<(), tonic::Status> {
        let withdraw = step!(WithdrawClaimRequest, claim);
        self.claims().withdraw_claim(self.officer("reporter", withdraw)).await.map(drop)
    }
}

#[tokio::test]
async fn whoever_says_who_is_paid_does_not_decide_how_much() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.claim(fire(date(2020, 2, 14)), Some(80_000_00)).await;
    let other = contracts::linli::common::v1::Payee { display_name: "孙乙丑".to_owned(), ..payee() };
    let update = pb::UpdateClaimRequest {
        claim: Some(pb::Claim { payee: Some(other), ..claim }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["payee".to_owned()] }),
        request_id: uuid(),
        ..Default::default()
    };
    let claim = service.claims().update_claim(service.officer("clerk", update)).await.unwrap().into_inner();
    let claim = service.assess(claim, Some(80_000_00), 0).await;
    let before = service.dump().await;
    let own = step!(AdjudicateClaimRequest, claim, without_documents: false);
    let own = service.claims().adjudicate_claim(service.officer("clerk", own)).await.unwrap_err();
    assert_eq!(reason(&own), "MAKER_IS_CHECKER");
    assert_eq!(service.dump().await, before);
    let claim = service.adjudicate(&claim).await.unwrap();
    let id = claim.name.rsplit('/').next().unwrap();
    let sql = format!(
        "update claim set adjudicated_by = changed_by, adjudicated_person = changed_person where id = '{id}'"
    );
    assert_eq!(service.constraint(&sql).await, "claim_adjudicated_by_another");
}

#[tokio::test]
async fn an_open_objection_is_answered_and_not_put_away() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.published(&service.adjudicate(&claim).await.unwrap()).await;
    let object = step!(ObjectToClaimRequest, claim, text: "损失与现场不符".to_owned());
    let by = service.by(As::Committee("neighbour", "c1"), object);
    let claim = service.claims().object_to_claim(by).await.unwrap().into_inner();
    let before = service.dump().await;
    let reopen = |claim: &pb::Claim| {
        let why = "漏看了材料".to_owned();
        service.officer("chief", pb::ReopenClaimRequest { comment: why, ..step!(ReopenClaimRequest, claim) })
    };
    let open = service.claims().reopen_claim(reopen(&claim)).await.unwrap_err();
    assert_eq!(reason(&open), "CLAIM_OBJECTED");
    assert_eq!(service.dump().await, before);
    let (objection, text) = (claim.objections[0].id.clone(), "已复核".to_owned());
    let answer = step!(AnswerClaimObjectionRequest, claim, objection: objection, answer: text);
    let claim = service.claims().answer_claim_objection(service.officer("answerer", answer)).await;
    let claim = service.claims().reopen_claim(reopen(claim.unwrap().get_ref())).await.unwrap();
    assert_eq!(claim.get_ref().state(), pb::ClaimState::Assessed);
}

#[tokio::test]
async fn what_was_decided_against_somebody_is_not_taken_back_and_reported_anew() {
    let service = service(date(2020, 1, 2)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2019, 12, 31)), Some(7_000_00), 0).await;
    let rejected = service.adjudicate(&claim).await.unwrap();
    let before = service.dump().await;
    let refused = service.withdrawn(&rejected).await.unwrap_err();
    assert_eq!(reason(&refused), "CLAIM_DECIDED");
    assert_eq!(service.dump().await, before);
    let appeal = step!(AppealClaimRequest, rejected, appeal: "请复议".to_owned());
    let appealed =
        service.claims().appeal_claim(service.officer("reporter", appeal)).await.unwrap().into_inner();
    let before = service.dump().await;
    let refused = service.withdrawn(&appealed).await.unwrap_err();
    assert_eq!(reason(&refused), "CLAIM_DECIDED");
    assert_eq!(service.dump().await, before);
    // nor is the same loss accepted a second time
    let again = service
        .report(service.claim_draft(&rejected.incident, fire(date(2019, 12, 31)), Some(7_000_00)))
        .await;
    let again = again.unwrap();
    let accept = step!(AcceptClaimRequest, again);
    let double = service.claims().accept_claim(service.officer("acceptor", accept)).await.unwrap_err();
    assert_eq!(reason(&double), "DUPLICATE_CLAIM");
}

#[tokio::test]
async fn the_sum_insured_cuts_the_loss_that_a_programme_sees() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    // the first scheme insures 5,000 yuan, the second one sets no sum, so that any loss may be claimed
    service
        .sql("set local session_replication_role = replica; update policy_benefit set sum_insured_fen = 500000 where policy = 'cci-2020' and peril = 'FIRE'")
        .await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.adjudicate(&claim).await.unwrap();
    // 60% of 5,000 above 500; then 80% of what is left of the loss, up to 60,000
    assert_eq!(approved(&claim), [2_700_00, 60_000_00]);
}
