//! A payee, an objection and its answer as canaries: whatever is called, rightly or wrongly, they turn up in no log, span, error, page
//! token, event or row in clear.

use std::{
    io,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use contracts::linli::funding::v1 as pb;
use jiff::civil::date;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tonic::{Response, Status};
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

use super::{APPLICANT, APPROVER, CASHIER, NEIGHBOUR, REVIEWER, Step, application, funded, voucher};
use crate::harness::{Service, uuid, with};

const NAME: &str = "慕容金丝雀";
const BANK: &str = "金丝雀银行笼中支行";
const ACCOUNT: &str = "6228480402564890018";
const OBJECTION: &str = "慕容金丝雀并不困难，住址不实";
const ANSWER: &str = "已与慕容金丝雀核实";

fn sings(text: &str) -> bool {
    text.contains("金丝雀") || text.contains(ACCOUNT) || text.contains("住址不实")
}

fn silent(text: &str, place: &str) {
    if sings(text) {
        let at = text.find("金丝雀").or_else(|| text.find(ACCOUNT)).unwrap_or_default();
        let around: String =
            text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("a canary in {place}, after: {around}");
    }
}

/// What is logged in this process: every event and every span, with its fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Listens, to the tests beside this one too: a subscriber of one thread misses what another thread reached first.
fn listen() -> Lines {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("debug,chassis=trace,funding=trace,kernel=trace,tabular=trace"))
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    lines
}

/// Every table of the service as text; bytes as the text that they might be.
async fn stored(service: &Service) -> Vec<(String, String)> {
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    let tables = "select table_name::text from information_schema.tables where table_schema = 'funding'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut owner).await.unwrap();
    let mut all = Vec::new();
    for table in tables {
        let rows = format!("select to_jsonb(t)::text from funding.{table} t");
        for row in sqlx::query(AssertSqlSafe(rows)).fetch_all(&mut owner).await.unwrap() {
            let text: String = row.get(0);
            for bytes in text.split("\\\\x").skip(1) {
                let hex: String = bytes.chars().take_while(char::is_ascii_hexdigit).collect();
                let bytes = hex::decode(&hex).unwrap_or_default();
                all.push((table.clone(), String::from_utf8_lossy(&bytes).into_owned()));
            }
            all.push((table.clone(), text));
        }
    }
    all
}

fn canary() -> contracts::linli::common::v1::Payee {
    contracts::linli::common::v1::Payee {
        display_name: NAME.to_owned(),
        bank: BANK.to_owned(),
        account_number: ACCOUNT.to_owned(),
        masked: false,
    }
}

fn aid() -> pb::CreateExpenseRequest {
    let mut request = application("c1", pb::Fund::Service, "AID", 10_000);
    request.expense.as_mut().unwrap().payee = Some(canary());
    request
}

/// An expense with an objection and its answer, up to its approval.
async fn lived(service: &Service) -> pb::Expense {
    let applied = service.apply(APPLICANT, aid()).await.unwrap();
    let reviewed = service.walk_on(REVIEWER, &applied, Step::Review).await.unwrap();
    let noticed = service.walk_on(REVIEWER, &reviewed, Step::Publish).await.unwrap();
    let objected = service.walk_on(NEIGHBOUR, &noticed, Step::Object(OBJECTION.to_owned())).await.unwrap();
    let objection = service.expense(REVIEWER, &objected.name).await.objections[0].id.clone();
    let answered =
        service.walk_on(REVIEWER, &objected, Step::Answer(objection, ANSWER.to_owned())).await.unwrap();
    service.clock.set(date(2020, 7, 1)).unwrap();
    let approved = service.walk_on(APPROVER, &answered, Step::Approve).await.unwrap();
    service.clock.set(date(2020, 6, 1)).unwrap();
    approved
}

/// What is refused with a canary in its hands.
async fn wrongs(service: &Service, approved: &pb::Expense) -> Vec<Status> {
    let mut refused = Vec::new();
    let mut wrong = async |change: &dyn Fn(&mut pb::Expense)| {
        let mut request = aid();
        change(request.expense.as_mut().unwrap());
        refused.push(service.apply(APPLICANT, request).await.unwrap_err());
    };
    wrong(&|expense| expense.payee.as_mut().unwrap().account_number = format!("{ACCOUNT}x")).await;
    wrong(&|expense| expense.payee.as_mut().unwrap().account_number = NAME.to_owned()).await;
    wrong(&|expense| expense.payee.as_mut().unwrap().display_name = format!("{NAME}\u{200B}")).await;
    wrong(&|expense| expense.payee.as_mut().unwrap().display_name = format!("{NAME}*")).await;
    wrong(&|expense| expense.committee = NAME.to_owned()).await;
    wrong(&|expense| expense.category = NAME.to_owned()).await;
    wrong(&|expense| expense.earmark = NAME.to_owned()).await;
    wrong(&|expense| expense.amount = Some(crate::harness::fen(999_999_999))).await;
    for step in [
        Step::Object(OBJECTION.to_owned()),
        Step::Object(format!("{OBJECTION}\u{200B}")),
        Step::Answer(uuid(), ANSWER.to_owned()),
        Step::Disclose(NAME.to_owned()),
        Step::Settle(vec![voucher("v-1", 1)], String::new()),
    ] {
        refused.push(service.walk_on(REVIEWER, approved, step).await.unwrap_err());
    }
    let filter = pb::ListExpensesRequest {
        parent: "towns/malu".to_owned(),
        filter: format!("payee = {NAME}"),
        ..Default::default()
    };
    refused.push(service.expenses().list_expenses(with(filter, &service.of(APPROVER))).await.unwrap_err());
    let order = pb::ListExpensesRequest {
        parent: "towns/malu".to_owned(),
        order_by: NAME.to_owned(),
        ..Default::default()
    };
    refused.push(service.expenses().list_expenses(with(order, &service.of(APPROVER))).await.unwrap_err());
    refused
}

fn files(batch: &pb::PaymentBatch) -> [(bool, pb::ReconcilePaymentBatchRequest); 4] {
    let head = "line,expense,amount_yuan,result,bank_reference,reason\r\n";
    let file = |good: bool, content: String| {
        let request = pb::ReconcilePaymentBatchRequest {
            name: batch.name.clone(),
            request_id: uuid(),
            content: content.into_bytes().into(),
            etag: batch.etag.clone(),
            ..Default::default()
        };
        (good, request)
    };
    [
        file(false, format!("{NAME},{ACCOUNT}\r\n{NAME},{ACCOUNT}\r\n")),
        file(false, format!("{head}{NAME},{ACCOUNT},{NAME},{ACCOUNT},{NAME},{ACCOUNT}\r\n")),
        file(false, format!("{head}1,,100.00,{NAME},{ACCOUNT},{NAME}\r\n")),
        file(true, format!("{head}1,,100.00,FAILED,,户名{NAME}与账号{ACCOUNT}不符\r\n")),
    ]
}

#[tokio::test]
async fn nobody_who_is_paid_or_spoken_of_turns_up_where_only_ids_belong() {
    assert!(sings(OBJECTION) && sings(ANSWER) && sings(BANK));
    let service = funded(date(2020, 6, 1)).await;
    let lines = listen();
    let approved = lived(&service).await;
    let mut refused = wrongs(&service, &approved).await;
    let token = service.of(CASHIER);
    let reveal = pb::RevealExpenseRequest { name: approved.name.clone(), purpose: "核对".to_owned() };
    let clear = service.expenses().reveal_expense(with(reveal.clone(), &token)).await.unwrap().into_inner();
    assert_eq!(clear.payee, Some(canary()));
    assert_eq!((clear.objections[0].text.as_str(), clear.objections[0].answer.as_str()), (OBJECTION, ANSWER));
    refused.push(service.expenses().reveal_expense(with(reveal, &service.of(NEIGHBOUR))).await.unwrap_err());
    let create = pb::CreatePaymentBatchRequest {
        parent: "towns/malu".to_owned(),
        expenses: vec![approved.name.clone()],
        request_id: uuid(),
        ..Default::default()
    };
    let batch = service.batches().create_payment_batch(with(create, &token)).await.unwrap().into_inner();
    let export = pb::ExportPaymentBatchRequest {
        name: batch.name,
        etag: batch.etag,
        request_id: uuid(),
        ..Default::default()
    };
    let exported = service.batches().export_payment_batch(with(export, &token)).await.unwrap().into_inner();
    assert!(sings(std::str::from_utf8(&exported.content).unwrap()));
    for (good, request) in files(&exported.payment_batch.unwrap()) {
        match service.batches().reconcile_payment_batch(with(request, &token)).await.map(Response::into_inner)
        {
            Ok(answer) if good => silent(&format!("{answer:?}"), "the answer to a return file"),
            Err(status) if !good => refused.push(status),
            other => panic!("{other:?}"),
        }
    }
    let second = lived(&service).await;
    // whoever sees it masked sees nothing of it
    silent(&format!("{:?}", service.expense(APPROVER, &second.name).await), "a masked expense");
    let list =
        pb::ListExpensesRequest { parent: "towns/malu".to_owned(), page_size: 1, ..Default::default() };
    let page = service.expenses().list_expenses(with(list, &token)).await.unwrap().into_inner();
    silent(&format!("{page:?}"), "a list");
    silent(&String::from_utf8_lossy(&BASE64.decode(&page.next_page_token).unwrap()), "an opened page token");
    while chassis::seal::pass(&service.db.context.db, &[]).await.unwrap() > 0 {}
    for status in &refused {
        silent(status.message(), "a refusal");
        silent(&String::from_utf8_lossy(status.details()), "the details of a refusal");
        silent(&format!("{:?}", status.metadata()), "the metadata of a refusal");
    }
    assert!(refused.len() > 15);
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for sign in ["sqlx::query", "linli.funding.v1.ExpenseService/RevealExpense", "event recorded", "refused"]
    {
        assert!(logged.contains(sign), "{sign} is not logged: nothing was listened to");
    }
    silent(&logged, "the log");
    let rows = stored(&service).await;
    for table in [
        "event",
        "history",
        "audit",
        "expense",
        "expense_objection",
        "payment_line",
        "entry",
        "hold",
        "idempotency",
    ] {
        assert!(rows.iter().any(|(name, _)| name == table), "{table} is empty");
    }
    for (table, text) in rows {
        silent(&text, &table);
    }
}
