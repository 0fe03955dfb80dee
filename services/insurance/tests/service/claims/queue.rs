//! The queues of whoever decides: what he reported, what waits for him, what he decided.

use contracts::linli::{common::v1::CallerRelationship, insurance::v1 as pb};
use jiff::civil::date;

use super::{As, Event, fire, step};
use crate::harness::{Service, service};

/// The perils of the claims with which the caller has to do so.
async fn queue(service: &Service, who: As<'_>, asked: CallerRelationship) -> Vec<String> {
    let request = pb::ListClaimsRequest {
        parent: "towns/malu".to_owned(),
        caller_relationship: asked.into(),
        ..Default::default()
    };
    let page = service.claims().list_claims(service.by(who, request)).await.unwrap().into_inner();
    page.claims.into_iter().map(|claim| claim.peril).collect()
}

#[tokio::test]
async fn a_queue_holds_what_its_owner_may_decide_and_nothing_else() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let on = date(2020, 2, 14);
    service.assessed(fire(on), Some(1_000_00), 0).await;
    let pipe = service.assessed(Event { peril: "BURST_PIPE", ..fire(on) }, Some(10_00), 0).await;
    let death = Event { peril: "DEATH", place: "胜辛路", ..fire(on) };
    service.assessed(death, None, 0).await;
    service
        .claim(Event { peril: "TYPHOON", person: "r-3", place: "h-2", household: "h-2", on }, Some(1_00))
        .await;
    let asks = |who, asked| queue(&service, who, asked);
    let (can, has) = (CallerRelationship::CanApprove, CallerRelationship::HasApproved);
    let (cci, li) = ("o-insurer-0", "o-insurer-1");
    assert_eq!(asks(As::Adjuster("new", cci), can).await, ["FIRE", "BURST_PIPE"]);
    assert_eq!(asks(As::Adjuster("new", li), can).await, ["FIRE", "DEATH"]);
    // who took a step before, and whose claim it is
    for who in ["reporter", "surveyor", "assessor", "r-1"] {
        assert!(asks(As::Adjuster(who, cci), can).await.is_empty(), "{who}");
    }
    // whoever may not adjudicate
    assert!(asks(As::Committee("new", "c1"), can).await.is_empty());
    assert_eq!(asks(As::Committee("reporter", "c1"), CallerRelationship::Created).await.len(), 4);
    assert!(asks(As::Committee("acceptor", "c1"), CallerRelationship::Created).await.is_empty());

    let decide = step!(AdjudicateClaimRequest, pipe, without_documents: false);
    let decided = service.claims().adjudicate_claim(service.by(As::Adjuster("new", cci), decide)).await;
    let decided = decided.unwrap().into_inner();
    assert_eq!(decided.outcome(), pb::ClaimOutcome::Rejected);
    assert_eq!(asks(As::Adjuster("new", cci), can).await, ["FIRE"]);
    assert_eq!(asks(As::Adjuster("new", cci), has).await, ["BURST_PIPE"]);
    assert!(asks(As::Adjuster("other", cci), has).await.is_empty());
    // an appeal is for others
    let appeal = step!(AppealClaimRequest, decided, appeal: "请复核".to_owned());
    service.claims().appeal_claim(service.by(As::Committee("neighbour", "c1"), appeal)).await.unwrap();
    assert_eq!(asks(As::Adjuster("new", cci), can).await, ["FIRE"]);
    assert_eq!(asks(As::Adjuster("other", cci), can).await, ["FIRE", "BURST_PIPE"]);
}
