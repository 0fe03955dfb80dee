//! What stands in the cells of a payment file: numbers and codes, and no words.

use contracts::linli::insurance::v1::{self as pb, payment_file_service_client::PaymentFileServiceClient};
use jiff::civil::date;
use tonic_types::StatusExt;

use super::{As, fire};
use crate::harness::{reason, service, uuid};

pub(super) const HEAD: &str = "claim_number,programme,amount_yuan,paid_on,reference\r\n";

pub(super) fn file(insurer: &str, content: &str) -> pb::CreatePaymentFileRequest {
    pb::CreatePaymentFileRequest {
        parent: "towns/malu".to_owned(),
        insurer: format!("towns/malu/organisations/{insurer}"),
        content: content.as_bytes().to_vec().into(),
        request_id: uuid(),
        validate_only: false,
    }
}

#[tokio::test]
async fn a_name_or_identity_number_in_a_cell_is_kept_and_told_nowhere() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.noticed(&service.adjudicate(&claim).await.unwrap()).await;
    let (number, today) = (&claim.number, super::after(&claim));
    let mut client = PaymentFileServiceClient::new(service.peer.clone());
    // the log of this process is looked through for this name by the canaries of documents
    for canary in ["钱甲子金丝雀", "310199195112050137", "Qian Jiazi Canary"] {
        let before = service.dump().await;
        for (cell, line) in [
            ("claim_number", format!("{canary},cci,30000.00,{today},r-1")),
            ("programme", format!("{number},{canary},30000.00,{today},r-1")),
            ("programme", format!("{number},towns/malu/programmes/{canary},30000.00,{today},r-1")),
            ("reference", format!("{number},cci,30000.00,{today},{canary}")),
            ("amount_yuan", format!("{number},cci,{canary},{today},r-1")),
            ("paid_on", format!("{number},cci,30000.00,{canary},r-1")),
        ] {
            let request = file("o-insurer-0", &format!("{HEAD}{line}\r\n"));
            let told = client.create_payment_file(service.by(As::Adjuster("payer", "o-insurer-0"), request));
            let told = told.await.unwrap_err();
            assert_eq!(reason(&told), "PAYMENT_FILE_UNREADABLE", "{line}");
            let details = told.get_error_details();
            let fields: Vec<&str> = details
                .bad_request()
                .unwrap()
                .field_violations
                .iter()
                .map(|one| one.field.as_str())
                .collect();
            assert_eq!(fields, [format!("content.rows[2].{cell}")]);
            assert!(!format!("{told:?} {details:?}").contains(canary), "{line}");
        }
        let after = service.dump().await;
        assert_eq!(after, before);
        assert!(!after.contains(canary));
    }
    // nor behind the service's back
    let line = |number: &str, programme: &str, reference: &str| {
        format!(
            "insert into payment_file (town, id, insurer, sha256, received_on, received_by)
                 values ('malu', '00000000-0000-7000-8000-000000000001', 'o-insurer-0', sha256(''), '2020-03-01', 'x');
             insert into payment_file_line (town, file, n, row, claim_number, programme, amount_fen, paid_on, reference, result)
                 values ('malu', '00000000-0000-7000-8000-000000000001', 1, 2, '{number}', '{programme}', 1, '2020-03-01', '{reference}', 'MATCHED')"
        )
    };
    for sql in [line("钱甲子", "cci", "r"), line(number, "钱甲子", "r"), line(number, "cci", "钱甲子")]
    {
        assert_eq!(service.constraint(&sql).await, "payment_file_line_keeps_no_words");
    }
}
