//! The insurer's payment file.

use contracts::linli::insurance::v1::{self as pb, payment_file_service_client::PaymentFileServiceClient};
use jiff::civil::date;
use pb::{ClaimState, PaymentLineResult};

use super::{As, fire, in_fen};
use crate::harness::{reason, service, uuid};

#[tokio::test]
async fn a_file_is_matched_line_by_line_and_read_once() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.noticed(&service.adjudicate(&claim).await.unwrap()).await;
    let today = super::after(&claim);
    let number = &claim.number;
    let file = format!(
        "claim_number,programme,amount_yuan,paid_on,reference\r\n{number},cci,30000.00,{today},r-1\r\n{number},li,40000.00,{today},r-2\r\n{number},cci,30000.00,{today},r-3\r\n民-2020-999999,cci,1.00,{today},r-4\r\n"
    );
    let request = |insurer: &str, content: &str| pb::CreatePaymentFileRequest {
        parent: "towns/malu".to_owned(),
        insurer: format!("towns/malu/organisations/{insurer}"),
        content: content.as_bytes().to_vec().into(),
        request_id: uuid(),
        validate_only: false,
    };
    let mut client = PaymentFileServiceClient::new(service.peer.clone());
    let own = As::Adjuster("payer", "o-insurer-0");
    let other = client.create_payment_file(service.by(own, request("o-insurer-1", &file))).await.unwrap_err();
    assert_eq!(reason(&other), "PERMISSION_DENIED");
    let read = client
        .create_payment_file(service.by(own, request("o-insurer-0", &file)))
        .await
        .unwrap()
        .into_inner();
    let results: Vec<(PaymentLineResult, &str)> =
        read.lines.iter().map(|line| (line.result(), line.reason.as_str())).collect();
    assert_eq!(
        results,
        [
            (PaymentLineResult::Matched, ""),
            // the other insurer's
            (PaymentLineResult::Refused, "PAYMENT_NOT_OF_CLAIM"),
            (PaymentLineResult::Refused, "PAYMENT_MADE"),
            (PaymentLineResult::Refused, "NOT_FOUND"),
        ]
    );
    assert_eq!((read.matched, read.refused, in_fen(read.amount.as_ref())), (1, 3, 30_000_00));
    assert!(
        read.lines
            .iter()
            .all(|line| (line.result() == PaymentLineResult::Refused) != line.explanation.is_empty())
    );
    // lines that were refused may be tried again; what was paid is known
    let again = client.create_payment_file(service.by(own, request("o-insurer-0", &file))).await.unwrap();
    assert_eq!((again.get_ref().known, again.get_ref().matched, again.get_ref().refused), (1, 0, 3));
    // the same line in a later file is known, not paid twice
    let later = format!("{file}民-2020-999998,cci,1.00,{today},r-5\r\n");
    let later = client
        .create_payment_file(service.by(own, request("o-insurer-0", &later)))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((later.known, later.matched), (1, 0));
    let second = As::Adjuster("payer", "o-insurer-1");
    let file = format!(
        "claim_number,programme,amount_yuan,paid_on,reference\r\n{number},li,40000.00,{today},r-1\r\n"
    );
    client.create_payment_file(service.by(second, request("o-insurer-1", &file))).await.unwrap();
    let again =
        client.create_payment_file(service.by(second, request("o-insurer-1", &file))).await.unwrap_err();
    assert_eq!(reason(&again), "PAYMENT_FILE_KNOWN");
    assert_eq!(service.read(&claim).await.state(), ClaimState::Paid);
    let list = pb::ListPaymentFilesRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let seen = client.list_payment_files(service.by(second, list)).await.unwrap().into_inner();
    assert_eq!(seen.payment_files.len(), 1);
    let bad = client
        .create_payment_file(service.by(own, request("o-insurer-0", "a,b\r\n1,2\r\n")))
        .await
        .unwrap_err();
    assert_eq!(reason(&bad), "PAYMENT_FILE_UNREADABLE");
}
