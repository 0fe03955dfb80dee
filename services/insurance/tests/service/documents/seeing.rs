//! Who sees a document, who read it, and what counts.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;
use tonic::Code;

use super::{CAMPAIGN, CLAIM, Caller, INCIDENT, PART, declared, filing, picture};
use crate::harness::reason;

#[tokio::test]
async fn whoever_does_not_see_the_owner_sees_no_document() {
    let service = filing().await;
    let content = picture(100_000);
    let (ours, theirs) = (service.clerk("c1"), service.clerk("c2"));
    let stored = ours.store(CLAIM, &content).await;
    let pending = ours.create(declared(CLAIM, &content)).await.unwrap();
    let evidence = ours.store(CAMPAIGN, &content).await;
    let visit = theirs.store(INCIDENT, &content).await;
    let (before, files) = (service.dump().await, service.objects());
    let nothing = CLAIM.replace("0001", "0009");
    for owner in [CLAIM, nothing.as_str(), "towns/malu/claims/x"] {
        let refused = theirs.create(declared(owner, &content)).await.unwrap_err();
        assert_eq!(reason(&refused), "PERMISSION_DENIED", "{owner}");
    }
    for refused in [
        theirs.get(&stored.name).await.unwrap_err(),
        theirs.write(&pending.name, 0, &content).await.unwrap_err(),
        theirs.finish(&pending.name).await.unwrap_err(),
        theirs.delete(&pending.name).await.unwrap_err(),
        theirs.void(&stored, "不要了").await.unwrap_err(),
        theirs.read(&stored.name).await.unwrap_err(),
        theirs.get(&stored.name.replace("documents/0", "documents/1")).await.unwrap_err(),
        ours.read(&visit.name).await.unwrap_err(),
    ] {
        assert_eq!(reason(&refused), "PERMISSION_DENIED");
    }
    assert_eq!((service.dump().await, service.objects()), (before, files));
    let names = |list: Vec<pb::Document>| list.into_iter().map(|document| document.name).collect::<Vec<_>>();
    assert_eq!(names(ours.list("").await.unwrap()), [stored.name.as_str(), &pending.name, &evidence.name]);
    assert_eq!(names(theirs.list("").await.unwrap()), [evidence.name.as_str(), &visit.name]);
    let filter = format!("owner = \"{CLAIM}\" AND state = STORED AND kind = PHOTOS");
    assert_eq!(names(ours.list(&filter).await.unwrap()), [stored.name.as_str()]);
    // an adjuster sees the files of the claims under his insurer's policies, and reads them
    let adjuster = |insurer: &str| Caller {
        service: &service,
        token: service.token("adjuster", "adjuster", &format!("organisation:{insurer}")),
    };
    let (his, other) = (adjuster("o-insurer-0"), adjuster("o-insurer-1"));
    assert_eq!(names(his.list("").await.unwrap()), [stored.name.as_str(), &pending.name]);
    assert_eq!(his.read(&stored.name).await.unwrap(), content);
    assert!(other.list("").await.unwrap().is_empty());
    assert_eq!(reason(&other.read(&stored.name).await.unwrap_err()), "PERMISSION_DENIED");
    let town = Caller { service: &service, token: service.token("officer", "town-officer", "malu") };
    assert_eq!(town.list("").await.unwrap().len(), 4);
    assert_eq!(reason(&town.create(declared(&nothing, &content)).await.unwrap_err()), "NOT_FOUND");
}

#[tokio::test]
async fn a_stored_document_is_evidence_and_a_void_one_no_longer_counts() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(100_000));
    let stored = clerk.store(CLAIM, &content).await;
    assert_eq!(reason(&clerk.delete(&stored.name).await.unwrap_err()), "WRONG_STATE");
    assert_eq!(reason(&clerk.write(&stored.name, 100_000, &content).await.unwrap_err()), "WRONG_STATE");
    assert_eq!(reason(&clerk.finish(&stored.name).await.unwrap_err()), "WRONG_STATE");
    let kinds = async || {
        let mut read = service.db.context.db.read().await.unwrap();
        let claim = uuid::Uuid::parse_str(CLAIM.rsplit_once('/').unwrap().1).unwrap();
        insurance::document::kinds_stored(read.sql(), "malu", "CLAIM", claim).await.unwrap()
    };
    clerk.store(CLAIM, &content).await;
    clerk.create(pb::Document { kind: "INVOICES".to_owned(), ..declared(CLAIM, &content) }).await.unwrap();
    let id = clerk
        .send(pb::Document { kind: "ID".to_owned(), ..declared(CLAIM, &content) }, &content)
        .await
        .unwrap();
    let id = clerk.finish(&id.name).await.unwrap();
    assert_eq!(kinds().await, ["ID", "PHOTOS"]);
    assert_eq!(clerk.void(&id, " ").await.unwrap_err().code(), Code::InvalidArgument);
    let void = clerk.void(&id, "上传错了人").await.unwrap();
    assert_eq!(void.state(), pb::DocumentState::Void);
    assert_eq!(kinds().await, ["PHOTOS"]);
    assert_eq!(clerk.read(&void.name).await.unwrap(), content);
    assert_eq!(reason(&clerk.void(&void, "再次").await.unwrap_err()), "WRONG_STATE");
}

#[tokio::test]
async fn each_first_reading_is_kept_with_its_purpose() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(PART + 5));
    let name = clerk.store(CLAIM, &content).await.name;
    let readings = async || {
        let sql = "select count(*) from audit where method like '%ReadDocument' and summary like '%核对损失'";
        service.number(sql).await
    };
    let nameless = pb::ReadDocumentRequest { name: name.clone(), purpose: " ".to_owned(), offset: 0 };
    let refused = service.documents().read_document(clerk.ask(nameless)).await.unwrap_err();
    assert_eq!((refused.code(), readings().await), (Code::InvalidArgument, 0));
    clerk.read(&name).await.unwrap();
    assert_eq!(readings().await, 1);
    // whoever begins in the middle is seen too, and the next stretch is the same reading
    let town = Caller { service: &service, token: service.token("officer", "town-officer", "malu") };
    town.stretch(&name, 77).await.unwrap();
    town.stretch(&name, PART as i64).await.unwrap();
    assert_eq!(readings().await, 2);
    service.clock.set(date(2020, 6, 2)).unwrap();
    town.stretch(&name, 77).await.unwrap();
    clerk.read(&name).await.unwrap();
    assert_eq!(readings().await, 4);
}
