//! Uploads that nobody finished.

use contracts::{
    google::longrunning::operation,
    linli::{
        insurance::v1 as pb,
        platform::v1::{GetOperationRequest, operation_service_client::OperationServiceClient},
    },
};
use prost::Message;

use super::{CLAIM, Caller, declared, filing, picture};
use crate::harness::{Service, reason, uuid};

/// Sweeps; what the operation reports.
async fn sweep(service: &Service, officer: &Caller<'_>) -> pb::SweepDocumentsReport {
    let request = pb::SweepDocumentsRequest { parent: "towns/malu".to_owned(), request_id: uuid() };
    let begun = service.documents().sweep_documents(officer.ask(request)).await.unwrap().into_inner();
    assert!(service.worker.pass().await.unwrap());
    let asked = officer.ask(GetOperationRequest { name: begun.name });
    let done = OperationServiceClient::new(service.peer.clone()).get_operation(asked).await.unwrap();
    let Some(operation::Result::Response(any)) = done.into_inner().result else { panic!("not done") };
    pb::SweepDocumentsReport::decode(any.value.as_slice()).unwrap()
}

#[tokio::test]
async fn what_nobody_finished_is_given_up_after_a_day_and_cleared() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(100_000));
    let officer = Caller { service: &service, token: service.token("officer", "town-officer", "malu") };
    let kept = clerk.store(CLAIM, &content).await;
    let old = clerk.send(declared(CLAIM, &content), &content).await.unwrap();
    let fresh = clerk.send(declared(CLAIM, &content), &content).await.unwrap();
    let small = pb::SweepDocumentsRequest { parent: "towns/malu".to_owned(), request_id: uuid() };
    let refused = service.documents().sweep_documents(clerk.ask(small)).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    let nothing = pb::SweepDocumentsReport { given_up: 0, cleared: 0 };
    assert_eq!(sweep(&service, &officer).await, nothing);
    let aged = format!(
        "update document set updated = updated - interval '25 hours' where id in ('{}', '{}')",
        old.name.rsplit_once('/').unwrap().1,
        kept.name.rsplit_once('/').unwrap().1,
    );
    service.sql(&aged).await;
    assert_eq!(service.objects().len(), 3);
    assert_eq!(sweep(&service, &officer).await, pb::SweepDocumentsReport { given_up: 1, cleared: 1 });
    assert_eq!(service.objects().len(), 2);
    let gone = clerk.get(&old.name).await.unwrap();
    assert_eq!((gone.state(), gone.file_name.as_str()), (pb::DocumentState::Deleted, ""));
    clerk.finish(&fresh.name).await.unwrap();
    assert_eq!(clerk.read(&kept.name).await.unwrap(), content);
    assert_eq!(sweep(&service, &officer).await, nothing);
}

#[tokio::test]
async fn what_could_not_be_taken_away_goes_with_the_next_sweep() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(100_000));
    let officer = Caller { service: &service, token: service.token("officer", "town-officer", "malu") };
    let sent = clerk.send(declared(CLAIM, &content), &content).await.unwrap();
    clerk.delete(&sent.name).await.unwrap();
    assert_eq!(service.number("select count(*) from document where cleared").await, 1);
    // as if the store had failed then
    let file = service.files().join("malu").join(sent.name.rsplit_once('/').unwrap().1).join("0-x");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, b"sealed").unwrap();
    service.sql("update document set cleared = false").await;
    assert_eq!(sweep(&service, &officer).await, pb::SweepDocumentsReport { given_up: 0, cleared: 1 });
    assert!(service.objects().is_empty());
}
