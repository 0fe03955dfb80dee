//! What a decision rests on stays.

use contracts::linli::insurance::v1::{self as pb, DocumentState};
use jiff::civil::date;

use super::{Caller, declared, picture};
use crate::{
    claims::{fire, step},
    harness::{reason, service},
};

#[tokio::test]
async fn a_document_of_a_claim_that_is_decided_is_void_only_when_the_claim_is_opened_again() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.claim(fire(date(2020, 2, 14)), Some(1_000_00)).await;
    let officer = Caller { service: &service, token: service.token("clerk", "town-officer", "malu") };
    let content = picture(1000);
    let (early, late) =
        (officer.store(&claim.name, &content).await, officer.store(&claim.name, &content).await);
    // as long as nothing is decided
    officer.void(&early, "重复").await.unwrap();
    let claim = service.adjudicate(&service.assess(claim, Some(1_000_00), 0).await).await.unwrap();
    let before = service.dump().await;
    assert_eq!(reason(&officer.void(&late, "不要了").await.unwrap_err()), "DOCUMENT_DECIDED_ON");
    assert_eq!(service.dump().await, before);
    assert_eq!(
        service.constraint("update document set state = 'VOID' where state = 'STORED'").await,
        "document_stays_while_decided"
    );
    let claim = service.noticed(&claim).await;
    assert_eq!(reason(&officer.void(&late, "不要了").await.unwrap_err()), "DOCUMENT_DECIDED_ON");
    // an upload that isn't finished was never a part of it
    let pending = officer.create(declared(&claim.name, &content)).await.unwrap();
    officer.delete(&pending.name).await.unwrap();

    let reopen =
        pb::ReopenClaimRequest { comment: "材料有误".to_owned(), ..step!(ReopenClaimRequest, claim) };
    service.claims().reopen_claim(service.officer("reopener", reopen)).await.unwrap();
    assert_eq!(officer.void(&late, "材料有误").await.unwrap().state(), DocumentState::Void);
}
