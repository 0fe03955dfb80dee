//! Payment batches: the bank file, and return files of every kind.

use std::sync::Arc;

use contracts::linli::funding::v1::{self as pb, ReconcileOutcome as Outcome};
use jiff::civil::date;
use tokio::{sync::Barrier, task::JoinSet};
use tonic::{Response, Status};

use super::{APPLICANT, APPROVER, CASHIER, REVIEWER, Step, funded, office, payee};
use crate::harness::{Service, reason, uuid, with};

impl Service {
    async fn batch(&self, who: (&str, &str), expenses: &[&pb::Expense]) -> Result<pb::PaymentBatch, Status> {
        let request = pb::CreatePaymentBatchRequest {
            parent: "towns/malu".to_owned(),
            expenses: expenses.iter().map(|expense| expense.name.clone()).collect(),
            request_id: uuid(),
            ..Default::default()
        };
        self.batches().create_payment_batch(with(request, &self.of(who))).await.map(Response::into_inner)
    }

    async fn export(
        &self,
        who: (&str, &str),
        batch: &pb::PaymentBatch,
    ) -> Result<pb::ExportPaymentBatchResponse, Status> {
        let request = pb::ExportPaymentBatchRequest {
            name: batch.name.clone(),
            etag: batch.etag.clone(),
            request_id: uuid(),
            ..Default::default()
        };
        self.batches().export_payment_batch(with(request, &self.of(who))).await.map(Response::into_inner)
    }

    async fn reconcile(
        &self,
        batch: &pb::PaymentBatch,
        file: &str,
    ) -> Result<pb::ReconcilePaymentBatchResponse, Status> {
        let request = pb::ReconcilePaymentBatchRequest {
            name: batch.name.clone(),
            etag: batch.etag.clone(),
            request_id: uuid(),
            content: file.to_owned().into_bytes().into(),
            ..Default::default()
        };
        self.batches()
            .reconcile_payment_batch(with(request, &self.of(CASHIER)))
            .await
            .map(Response::into_inner)
    }

    async fn cancel(&self, batch: &pb::PaymentBatch) -> Result<pb::PaymentBatch, Status> {
        let request = pb::CancelPaymentBatchRequest {
            name: batch.name.clone(),
            etag: batch.etag.clone(),
            request_id: uuid(),
            ..Default::default()
        };
        self.batches().cancel_payment_batch(with(request, &self.of(CASHIER))).await.map(Response::into_inner)
    }

    async fn states(&self, expenses: &[pb::Expense]) -> Vec<pb::ExpenseState> {
        let mut states = Vec::new();
        for expense in expenses {
            states.push(self.expense(APPROVER, &expense.name).await.state());
        }
        states
    }
}

const HEAD: &str = "line,expense,amount_yuan,result,bank_reference,reason\r\n";

fn outcomes(answer: &pb::ReconcilePaymentBatchResponse) -> Vec<Outcome> {
    answer.lines.iter().map(pb::ReconciledLine::outcome).collect()
}

#[tokio::test]
async fn a_return_file_is_matched_line_by_line_and_reading_it_again_changes_nothing() {
    use pb::ExpenseState::{Approved, Paid, Paying};
    let service = funded(date(2020, 6, 1)).await;
    let mut expenses = Vec::new();
    for n in 1..=5 {
        expenses.push(service.approved_expense(n * 10_000).await);
    }
    let batch = service.batch(CASHIER, &expenses.iter().collect::<Vec<_>>()).await.unwrap();
    assert_eq!(
        (batch.number.as_str(), batch.line_count, batch.total.clone()),
        ("付-2020-000001", 5, Some(crate::harness::fen(150_000)))
    );
    assert_eq!(service.states(&expenses).await, [Paying; 5]);
    let early = service.reconcile(&batch, HEAD).await.unwrap_err();
    assert_eq!(reason(&early), "WRONG_STATE");
    let exported = service.export(CASHIER, &batch).await.unwrap();
    let again = service.export(CASHIER, exported.payment_batch.as_ref().unwrap()).await.unwrap();
    assert_eq!(
        (again.content.clone(), again.sha256.clone()),
        (exported.content.clone(), exported.sha256.clone())
    );
    let text = String::from_utf8(exported.content.to_vec()).unwrap();
    assert_eq!(text.lines().count(), 6);
    assert!(
        text.contains(",钱甲子文具店,6222021001123456789,工商银行嘉定支行,100.00,打印耗材\r\n"),
        "{text}"
    );
    let numbers: Vec<&str> = expenses.iter().map(|expense| expense.number.as_str()).collect();
    // the first is paid, the second not, the third of another amount, a ninth is unknown, the first repeats; two are missing
    let file = format!(
        "{HEAD}1,,100.00,SUCCESS,r-1,\r\n,{},200.00,FAILED,,户名不符:钱甲子文具店 6222021001123456789\r\n3,{},299.99,SUCCESS,r-3,\r\n9,,1.00,SUCCESS,r-9,\r\n1,,100.00,SUCCESS,r-1,\r\n",
        numbers[1], numbers[2]
    );
    let batch = exported.payment_batch.unwrap();
    let answer = service.reconcile(&batch, &file).await.unwrap();
    assert_eq!(
        outcomes(&answer),
        [
            Outcome::Paid,
            Outcome::Failed,
            Outcome::AmountDiffers,
            Outcome::UnknownLine,
            Outcome::Repeated,
            Outcome::Missing,
            Outcome::Missing
        ]
    );
    assert_eq!((answer.difference_count, answer.paid_total.clone()), (5, Some(crate::harness::fen(10_000))));
    assert_eq!(service.states(&expenses).await, [Paid, Approved, Paying, Paying, Paying]);
    let failed = service.expense(APPROVER, &expenses[1].name).await;
    assert_eq!((failed.payment_failure.as_str(), failed.payer.as_str()), ("户名不符:… …", ""));
    let batch = answer.payment_batch.unwrap();
    assert_eq!(
        (batch.state(), batch.paid_count, batch.failed_count, batch.pending_count),
        (pb::PaymentBatchState::Exported, 1, 1, 3)
    );
    // the same file again: nothing but the audit knows of it
    let kept = async |service: &Service| {
        let dump = service.dump().await;
        dump.split("== ")
            .filter(|part| !["audit", "idempotency"].iter().any(|table| part.starts_with(table)))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let before = kept(&service).await;
    let repeated = service.reconcile(&batch, &file).await.unwrap();
    assert_eq!(outcomes(&repeated)[..2], [Outcome::Repeated, Outcome::Repeated]);
    assert_eq!(kept(&service).await, before);
    // what was missing comes in a second file; the failed one is paid in another batch
    let second = format!(
        "{HEAD}3,,300.00,SUCCESS,r-3,\r\n4,,400.00,SUCCESS,r-4,\r\n5,,500.00,FAILED,,账号错误\r\n1,,100.00,FAILED,,退汇\r\n"
    );
    let answer = service.reconcile(&batch, &second).await.unwrap();
    assert_eq!(outcomes(&answer), [Outcome::Paid, Outcome::Paid, Outcome::Failed, Outcome::Contradicts]);
    let batch = answer.payment_batch.unwrap();
    assert_eq!(batch.state(), pb::PaymentBatchState::Reconciled);
    let before = kept(&service).await;
    let last = service.reconcile(&batch, &second).await.unwrap();
    assert_eq!(outcomes(&last)[..3], [Outcome::Repeated; 3]);
    assert_eq!(kept(&service).await, before);
    let third = service.batch(CASHIER, &[&expenses[1], &expenses[4]]).await.unwrap();
    assert_eq!(third.number, "付-2020-000002");
    let third = service.export(CASHIER, &third).await.unwrap().payment_batch.unwrap();
    service
        .reconcile(&third, &format!("{HEAD}1,,200.00,SUCCESS,q-1,\r\n2,,500.00,SUCCESS,q-2,\r\n"))
        .await
        .unwrap();
    assert_eq!(service.states(&expenses).await, [Paid; 5]);
    assert_eq!(service.number("select count(*) from entry where kind = 'EXPENSE'").await, 5);
    service.sound().await;
}

#[tokio::test]
async fn a_line_stays_as_it_was_gathered_and_what_the_bank_answered_is_not_handed_out_again() {
    let service = funded(date(2020, 6, 1)).await;
    let expenses = [
        service.approved_expense(10_000).await,
        service.approved_expense(20_000).await,
        service.approved_expense(30_000).await,
    ];
    let batch = service.batch(CASHIER, &expenses.iter().collect::<Vec<_>>()).await.unwrap();
    let exported = service.export(CASHIER, &batch).await.unwrap();
    let first = exported.payment_batch.unwrap();
    let file = format!("{HEAD}1,,100.00,FAILED,,户名不符\r\n2,,200.00,SUCCESS,r-2,\r\n");
    service.reconcile(&first, &file).await.unwrap();
    // the first goes back to its applicant, who names another payee
    let failed = service.expense(APPROVER, &expenses[0].name).await;
    let sent = service.walk_on(APPROVER, &failed, Step::SendBack).await.unwrap();
    let request = pb::ReviseExpenseRequest {
        name: sent.name.clone(),
        etag: sent.etag.clone(),
        request_id: uuid(),
        purpose: "另一用途".to_owned(),
        payee: Some(contracts::linli::common::v1::Payee { display_name: "周丙寅".to_owned(), ..payee() }),
        ..Default::default()
    };
    service.expenses().revise_expense(with(request, &service.of(APPLICANT))).await.unwrap();
    let read = pb::GetPaymentBatchRequest { name: first.name.clone() };
    let shown =
        service.batches().get_payment_batch(with(read, &service.of(CASHIER))).await.unwrap().into_inner();
    assert_eq!(shown.lines[0].payee.as_ref().unwrap().display_name, "钱*****");
    let again = service.export(CASHIER, &shown).await.unwrap();
    let text = String::from_utf8(again.content.to_vec()).unwrap();
    assert_eq!(
        (text.lines().count(), again.line_count, again.total),
        (2, 1, Some(crate::harness::fen(30_000)))
    );
    assert!(text.contains("\r\n3,") && again.sha256 != exported.sha256, "{text}");
    assert_eq!(again.payment_batch.unwrap().export_sha256, exported.sha256, "what the bank got first stays");
    service.sound().await;
}

#[tokio::test]
async fn one_reference_for_several_lines_is_paid_and_listed() {
    let service = funded(date(2020, 6, 1)).await;
    let expenses = [service.approved_expense(100).await, service.approved_expense(200).await];
    let batch = service.batch(CASHIER, &expenses.iter().collect::<Vec<_>>()).await.unwrap();
    let batch = service.export(CASHIER, &batch).await.unwrap().payment_batch.unwrap();
    let file = format!("{HEAD}1,,1.00,SUCCESS,r-1,\r\n2,,2.00,SUCCESS,r-1,\r\n");
    let answer = service.reconcile(&batch, &file).await.unwrap();
    assert_eq!(outcomes(&answer), [Outcome::Paid, Outcome::RepeatedReference]);
    assert_eq!((answer.difference_count, answer.paid_total.clone()), (1, Some(crate::harness::fen(300))));
    assert_eq!(service.states(&expenses).await, [pb::ExpenseState::Paid; 2]);
    service.sound().await;
}

#[tokio::test]
async fn a_batch_that_was_not_exported_is_given_up() {
    let service = funded(date(2020, 6, 1)).await;
    let expenses = [service.approved_expense(100).await, service.approved_expense(200).await];
    let batch = service.batch(CASHIER, &[&expenses[0], &expenses[1]]).await.unwrap();
    let twice = service.batch(CASHIER, &[&expenses[0]]).await.unwrap_err();
    assert_eq!(reason(&twice), "WRONG_STATE");
    let cancelled = service.cancel(&batch).await.unwrap();
    assert_eq!(cancelled.state(), pb::PaymentBatchState::Cancelled);
    assert_eq!(service.states(&expenses).await, [pb::ExpenseState::Approved; 2]);
    let again = service.batch(CASHIER, &[&expenses[1]]).await.unwrap();
    let exported = service.export(CASHIER, &again).await.unwrap().payment_batch.unwrap();
    assert_eq!(reason(&service.cancel(&exported).await.unwrap_err()), "WRONG_STATE");
    service.sound().await;
}

#[tokio::test]
async fn nobody_pays_what_he_applied_for_reviewed_or_approved() {
    let service = funded(date(2020, 6, 1)).await;
    let expense = service.approved_expense(100).await;
    let before = service.dump().await;
    for who in [APPLICANT, REVIEWER, APPROVER] {
        let refused = service.batch((who.0, "town-cashier"), &[&expense]).await.unwrap_err();
        assert_eq!(reason(&refused), "MAKER_IS_CHECKER", "{who:?}");
    }
    assert_eq!(reason(&service.batch(APPROVER, &[&expense]).await.unwrap_err()), "PERMISSION_DENIED");
    assert_eq!(reason(&service.batch(CASHIER, &[]).await.unwrap_err()), "BAD_REQUEST");
    assert_eq!(reason(&service.batch(CASHIER, &[&expense, &expense]).await.unwrap_err()), "BAD_REQUEST");
    let gone = pb::Expense { name: format!("towns/malu/expenses/{}", uuid()), ..Default::default() };
    assert_eq!(reason(&service.batch(CASHIER, &[&expense, &gone]).await.unwrap_err()), "NOT_FOUND");
    let applied = service.apply(APPLICANT, office(100)).await;
    assert_eq!(
        service
            .batch(CASHIER, &[&expense, &applied.unwrap()])
            .await
            .map_err(|status| reason(&status))
            .unwrap_err(),
        "WRONG_STATE"
    );
    let withdrawn = service.number("select count(*) from expense where state = 'PAYING'").await;
    assert_eq!(withdrawn, 0);
    assert!(!before.is_empty());
    let batch = service.batch(CASHIER, &[&expense]).await.unwrap();
    let refused = service.export((APPROVER.0, "town-cashier"), &batch).await.unwrap_err();
    assert_eq!(reason(&refused), "MAKER_IS_CHECKER");
    let shown = pb::GetPaymentBatchRequest { name: batch.name.clone() };
    let token = service.of((APPROVER.0, "town-cashier"));
    let shown = service.batches().get_payment_batch(with(shown, &token)).await.unwrap().into_inner();
    let export = shown.available_actions.iter().find(|action| action.verb == "export").unwrap();
    assert_eq!(export.obstacle(), contracts::linli::common::v1::Obstacle::FourEyes);
    assert!(shown.lines[0].payee.as_ref().unwrap().masked);
    let list = pb::ListPaymentBatchesRequest {
        parent: "towns/malu".to_owned(),
        filter: "state = DRAFT".to_owned(),
        ..Default::default()
    };
    let listed = service.batches().list_payment_batches(with(list, &token)).await.unwrap().into_inner();
    assert_eq!(listed.payment_batches.len(), 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_changes_nothing() {
    let service = funded(date(2020, 6, 1)).await;
    let expense = service.approved_expense(100).await;
    let batch = service.batch(CASHIER, &[&expense]).await.unwrap();
    let batch = service.export(CASHIER, &batch).await.unwrap().payment_batch.unwrap();
    let before = service.dump().await;
    for file in [
        "",
        "x\r\n1\r\n",
        &format!("{HEAD}1,,1.00,SUCCESS,,\r\n"),
        &format!("{HEAD}1,,1.00,SUCCESS,r,\r\n2,,a,SUCCESS,r,\r\n"),
        &format!("{HEAD}1,,\"1"),
    ] {
        let refused = service.reconcile(&batch, file).await.expect_err(file);
        assert!(
            ["RETURN_FILE_UNREADABLE", "BAD_REQUEST"].contains(&reason(&refused).as_str()),
            "{file}: {refused:?}"
        );
    }
    assert_eq!(service.dump().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_readings_of_a_file_one_posts() {
    let service = Arc::new(funded(date(2020, 6, 1)).await);
    let (one, two) = (service.approved_expense(100).await, service.approved_expense(200).await);
    let batch = service.batch(CASHIER, &[&one, &two]).await.unwrap();
    let batch = service.export(CASHIER, &batch).await.unwrap().payment_batch.unwrap();
    let barrier = Arc::new(Barrier::new(64));
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let (service, barrier, batch) = (service.clone(), barrier.clone(), batch.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            service
                .reconcile(&batch, &format!("{HEAD}1,,1.00,SUCCESS,r-1,\r\n2,,2.00,SUCCESS,r-2,\r\n"))
                .await
        });
    }
    let mut won = 0;
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(_) => won += 1,
            Err(status) => assert_eq!(reason(&status), "ETAG_MISMATCH"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(service.number("select count(*) from entry where kind = 'EXPENSE'").await, 2);
    service.sound().await;
}
