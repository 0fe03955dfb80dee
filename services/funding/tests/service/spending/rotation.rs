//! A new key seals anew what an older one sealed, and everything still opens.

use contracts::{
    google::longrunning::operation,
    linli::{
        funding::v1 as pb,
        platform::v1::{GetOperationRequest, operation_service_client::OperationServiceClient},
    },
};
use jiff::civil::date;
use prost::Message;
use tonic::Code;

use super::{APPLICANT, APPROVER, NEIGHBOUR, REVIEWER, Step, application, funded, office, payee};
use crate::harness::{uuid, with};

#[tokio::test]
async fn payees_and_objections_are_sealed_with_the_key_of_now() {
    let service = funded(date(2020, 6, 1)).await;
    service.apply(APPLICANT, office(100)).await.unwrap();
    let aid = application("c1", pb::Fund::Service, "AID", 100_000);
    let applied = service.apply(APPLICANT, aid).await.unwrap();
    let reviewed = service.walk_on(REVIEWER, &applied, Step::Review).await.unwrap();
    let noticed = service.walk_on(REVIEWER, &reviewed, Step::Publish).await.unwrap();
    let objected = service.walk_on(NEIGHBOUR, &noticed, Step::Object("问一".to_owned())).await.unwrap();
    let first = service.expense(REVIEWER, &objected.name).await.objections[0].id.clone();
    let answered =
        service.walk_on(REVIEWER, &objected, Step::Answer(first, "答一".to_owned())).await.unwrap();
    let objected = service.walk_on(NEIGHBOUR, &answered, Step::Object("问二".to_owned())).await.unwrap();
    // as an older key would have left it
    service.sql("update expense set data_key = 9; update expense_objection set data_key = 9").await;

    let request = pb::ReencryptExpensesRequest { parent: "towns/malu".to_owned(), request_id: uuid() };
    let small = service.expenses().reencrypt_expenses(with(request.clone(), &service.of(APPLICANT))).await;
    assert_eq!(small.unwrap_err().code(), Code::PermissionDenied);
    let begun = service
        .expenses()
        .reencrypt_expenses(with(request, &service.of(APPROVER)))
        .await
        .unwrap()
        .into_inner();
    assert!(service.worker.pass().await.unwrap());
    let asked = GetOperationRequest { name: begun.name };
    let done = OperationServiceClient::new(service.peer.clone())
        .get_operation(with(asked, &service.of(APPROVER)))
        .await
        .unwrap();
    let Some(operation::Result::Response(any)) = done.into_inner().result else { panic!("not done") };
    assert_eq!(
        pb::ReencryptExpensesReport::decode(any.value.as_slice()).unwrap(),
        pb::ReencryptExpensesReport { expenses: 2, objections: 2, key: 1 }
    );
    let old = "select (select count(*) from expense where data_key <> 1) + (select count(*) from expense_objection where data_key <> 1)";
    assert_eq!(service.number(old).await, 0);

    let reveal = pb::RevealExpenseRequest { name: objected.name.clone(), purpose: "核对".to_owned() };
    let clear =
        service.expenses().reveal_expense(with(reveal, &service.of(APPROVER))).await.unwrap().into_inner();
    assert_eq!((clear.payee, clear.etag), (Some(payee()), objected.etag));
    let words: Vec<_> = clear.objections.iter().map(|one| (one.text.as_str(), one.answer.as_str())).collect();
    assert_eq!(words, [("问一", "答一"), ("问二", "")]);

    // with the key, nothing else changes; without it, nothing
    let said = "update expense_objection set text_sealed = '\\x00'";
    assert_eq!(service.constraint(said).await, "objection_stays");
    let forged = "update expense_objection set text_sealed = '\\x00', data_key = 3, objected_by = 'x'";
    assert_eq!(service.constraint(forged).await, "objection_stays");
    service.sound().await;
}
