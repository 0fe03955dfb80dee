//! Statements: what was there, what moved it, what is left; and opening balances, with which books begin.

use chassis::peer::Peer;
use contracts::linli::{
    funding::v1::{
        self as pb, report_service_client::ReportServiceClient,
        statement_service_client::StatementServiceClient,
    },
    platform::v1::{
        self as platform, import_service_client::ImportServiceClient,
        operation_service_client::OperationServiceClient,
    },
};
use jiff::civil::date;
use tonic::Code;

use crate::harness::{Service, fen, service, uuid};
use crate::spending::{APPLICANT, funded, office};

const NAME: &str = "towns/malu/committees/c1/statement";

fn client(service: &Service) -> StatementServiceClient<Peer> {
    StatementServiceClient::new(service.peer.clone())
}

async fn statement(service: &Service, quarter: i32) -> pb::Statement {
    let request = pb::GetStatementRequest { name: NAME.to_owned(), fiscal_year: 2020, quarter };
    client(service).get_statement(service.of_committee("w-1", "c1", request)).await.unwrap().into_inner()
}

/// Pays from an account on a day, as an expense does; below zero a refund.
async fn spend(service: &Service, account: &str, category: &str, amount: i64, day: &str) {
    let (account, entry) = (account.rsplit('/').next().unwrap(), uuid());
    let (kind, out) = (if amount > 0 { "EXPENSE" } else { "REFUND" }, -amount);
    service
        .sql(&format!(
            "insert into account (town, id, kind, fund, fiscal_year, committee, earmark, category)
                 select town, gen_random_uuid(), 'EXPENDITURE', fund, fiscal_year, committee, earmark, '{category}' from account where id = '{account}'
                 on conflict do nothing;
             with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                     values ('malu', '{entry}', '{kind}', 'test/{entry}', 2020, '{day}', 'towns/malu/expenses/x', 'test', 2, 'test'))
             insert into posting (town, entry, n, account, amount_fen, booked_on)
                 values ('malu', '{entry}', 1, '{account}', {out}, '{day}'),
                        ('malu', '{entry}', 2, (select e.id from account e join account a on a.id = '{account}' where e.kind = 'EXPENDITURE'
                             and e.fund = a.fund and e.committee = a.committee and e.category = '{category}'), {amount}, '{day}')"
        ))
        .await;
}

fn lines(section: &pb::StatementSection) -> Vec<String> {
    let amount = |money: &Option<contracts::google::r#type::Money>| {
        let money = money.clone().unwrap();
        money.units * 100 + i64::from(money.nanos / 10_000_000)
    };
    let mut all = vec![format!("opening {}", amount(&section.opening_amount))];
    for line in &section.lines {
        let kind = line.kind().as_str_name().trim_start_matches("MOVEMENT_KIND_").to_owned();
        all.push(format!(
            "{kind} {} {} in {}",
            line.category_display_name,
            amount(&line.amount),
            line.entries.len()
        ));
    }
    all.push(format!("closing {} held {}", amount(&section.closing_amount), amount(&section.held_amount)));
    all
}

async fn filled(service: &Service) -> String {
    service.year(2020).await;
    let work = service.give("c1", "WORK", 2020, 10_000_000).await;
    spend(service, &work, "OFFICE", 128_000, "2020-02-03").await;
    spend(service, &work, "OFFICE", 50_000, "2020-06-30").await;
    spend(service, &work, "OFFICE", -1_000, "2020-07-01").await;
    let id = work.rsplit('/').next().unwrap();
    service
        .sql(&format!(
            "insert into hold (town, id, account, amount_fen, key, subject, purpose, held_on, held_by)
             values ('malu', gen_random_uuid(), '{id}', 700, 'k', 's', 'p', '2020-05-01', 'p');
             update hold set state = 'VOIDED', resolved_on = '2020-07-02'"
        ))
        .await;
    work
}

#[tokio::test]
async fn a_statement_adds_up_and_every_line_leads_to_its_entries() {
    let service = service(date(2020, 10, 1)).await;
    let account = filled(&service).await;
    let first = statement(&service, 1).await;
    assert_eq!((first.committee_display_name.as_str(), first.provisional), ("居委会 c1", false));
    assert_eq!(
        lines(&first.sections[0]),
        ["opening 0", "RELEASED  10000000 in 1", "SPENT 办公用品 -128000 in 1", "closing 9872000 held 0"]
    );
    assert_eq!(
        lines(&statement(&service, 2).await.sections[0]),
        ["opening 9872000", "SPENT 办公用品 -50000 in 1", "closing 9822000 held 700"]
    );
    assert_eq!(
        lines(&statement(&service, 3).await.sections[0]),
        ["opening 9822000", "REFUNDED 办公用品 1000 in 1", "closing 9823000 held 0"]
    );
    let year = statement(&service, 0).await;
    assert!(year.provisional);
    assert_eq!((year.spent_amount, year.closing_amount), (Some(fen(177_000)), Some(fen(9_823_000))));
    // the filter of a line lists what it adds up
    for section in first.sections.iter().chain(&year.sections) {
        for line in &section.lines {
            let request = pb::ListEntriesRequest {
                parent: "towns/malu".to_owned(),
                filter: line.entries_filter.clone(),
                account: line.account.clone(),
                ..Default::default()
            };
            let request = service.of_committee("w-1", "c1", request);
            let listed = service.ledger().list_entries(request).await.unwrap().into_inner();
            let names: Vec<String> = listed.entries.into_iter().map(|entry| entry.name).collect();
            assert_eq!(names.len(), line.entry_count as usize, "{line:?}");
            assert!(line.entries.iter().all(|entry| names.contains(entry)), "{line:?}");
        }
    }
    let request = pb::GetStatementRequest { name: NAME.to_owned(), fiscal_year: 2020, quarter: 1 };
    let outside =
        client(&service).get_statement(service.of_committee("w-2", "c2", request)).await.unwrap_err();
    assert_eq!(outside.code(), Code::PermissionDenied);
    let unknown = "towns/malu/committees/c9/statement".to_owned();
    let request = pb::GetStatementRequest { name: unknown, fiscal_year: 2020, quarter: 1 };
    let unknown = client(&service).get_statement(service.officer("o-1", request)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    let request = pb::GetSpendableRequest { name: "towns/malu/committees/c1".to_owned(), fiscal_year: 0 };
    let mut reports = ReportServiceClient::new(service.peer.clone());
    let spendable =
        reports.get_spendable(service.of_committee("w-1", "c1", request)).await.unwrap().into_inner();
    assert_eq!((spendable.open, spendable.available), (true, Some(fen(9_823_000))));
    assert_eq!(spendable.accounts[0].account, account);
    let request = pb::GetSpendingRequest { parent: "towns/malu".to_owned(), fiscal_year: 2020 };
    let spending = reports.get_spending(service.officer("o-1", request)).await.unwrap().into_inner();
    assert_eq!(
        (spending.lines.len(), spending.lines[0].share_ppm, spending.total),
        (1, 1_000_000, Some(fen(177_000)))
    );
}

#[tokio::test]
async fn a_statement_goes_out_as_a_workbook_and_as_a_page_that_runs_nothing() {
    let service = service(date(2020, 10, 1)).await;
    filled(&service).await;
    service
        .governance_sql("set local session_replication_role = replica; update committee_period set display_name = '=1+1<script>' where committee = 'c1'")
        .await;
    let export = async |format: pb::StatementFormat| {
        let request = pb::ExportStatementRequest {
            name: NAME.to_owned(),
            fiscal_year: 2020,
            quarter: 2,
            format: format.into(),
        };
        client(&service).export_statement(service.officer("o-1", request)).await.unwrap().into_inner()
    };
    let page = export(pb::StatementFormat::Html).await;
    let html = String::from_utf8(page.content.to_vec()).unwrap();
    assert_eq!(page.file_name, "malu-c1-statement-2020-q2.html");
    assert!(
        html.contains("@page{size:A4") && html.contains("98,220.00") && html.contains("第二季度"),
        "{html}"
    );
    assert!(!html.contains("<script") && html.contains("default-src 'none'"), "{html}");
    let book = export(pb::StatementFormat::Xlsx).await;
    assert_eq!(book.file_name, "malu-c1-statement-2020-q2.xlsx");
    let columns = ["经费", "项目", "类别", "金额（元）"].map(|name| tabular::Column {
        name,
        required: true,
        max_chars: 200,
        personal: false,
    });
    let table =
        tabular::read_table(&book.content, "statement", &columns, tabular::Limits::default()).unwrap();
    let rows: Vec<String> = table.rows.iter().map(|row| row.cells.join(" ")).collect();
    assert_eq!(
        rows,
        [
            "工作经费 期初余额  98720",
            "工作经费 支出 办公用品 -500",
            "工作经费 期末余额  98220",
            "工作经费 其中：冻结  7"
        ]
    );
}

#[tokio::test]
async fn a_demonstration_says_so() {
    let service = service(date(2020, 10, 1)).await;
    filled(&service).await;
    let marked = funding::statement::Statements {
        context: service.db.context.clone(),
        governance: service.governance.clone(),
        mark: Some("示例数据"),
    };
    use contracts::linli::funding::v1::statement_service_server::StatementService;
    let mut request = tonic::Request::new(pb::ExportStatementRequest {
        name: NAME.to_owned(),
        fiscal_year: 2020,
        quarter: 0,
        format: pb::StatementFormat::Html.into(),
    });
    let permission = "funding.statements.get";
    let call = chassis::testing::call("o", "town-officer", "towns/malu", "m", permission, &service.clock);
    request.extensions_mut().insert(call);
    let page = marked.export_statement(request).await.unwrap().into_inner();
    assert!(page.file_name.contains("示例数据"));
    assert!(String::from_utf8(page.content.to_vec()).unwrap().contains("<p class=\"mark\">示例数据</p>"));
}

async fn import(service: &Service, rows: &str) -> platform::ImportReport {
    let content = format!("committee,fund,fiscal_year,earmark,amount_yuan,evidence\r\n{rows}");
    let request = platform::ImportTablesRequest {
        parent: "services/funding".to_owned(),
        town: "towns/malu".to_owned(),
        files: vec![platform::ImportFile {
            table: "opening_balances".to_owned(),
            file_name: "opening_balances.csv".to_owned(),
            content: content.into_bytes().into(),
            first_row: 0,
        }],
        mode: platform::ImportMode::Atomic.into(),
        request_id: uuid(),
        validate_only: false,
    };
    let mut imports = ImportServiceClient::new(service.peer.clone());
    let begun = imports.import_tables(service.officer("o-1", request)).await.unwrap().into_inner();
    assert!(service.worker.pass().await.unwrap());
    let mut operations = OperationServiceClient::new(service.peer.clone());
    let request = platform::GetOperationRequest { name: begun.name };
    let done = operations.get_operation(service.officer("o-1", request)).await.unwrap().into_inner();
    let Some(contracts::google::longrunning::operation::Result::Response(report)) = done.result else {
        panic!("{done:?}")
    };
    prost::Message::decode(report.value.as_ref()).unwrap()
}

#[tokio::test]
async fn opening_balances_are_booked_once_with_their_evidence() {
    let service = service(date(2020, 1, 2)).await;
    service.year(2020).await;
    let rows = "c1,WORK,2020,,1234.56,决算〔2019〕1号\r\nc1,SERVICE,2020,carried,5.00,决算〔2019〕1号\r\n,PROJECT_POOL,2020,,1000.00,决算〔2019〕2号\r\n";
    let report = import(&service, rows).await;
    assert!(report.stored, "{report:?}");
    assert_eq!(service.number("select count(*) from entry where kind = 'OPENING' and evidence <> '' and key like 'opening/%'").await, 3);
    assert_eq!(
        service.number("select balance_fen from account where kind = 'COMMITTEE' and fund = 'WORK'").await,
        123_456
    );
    assert_eq!(service.number("select balance_fen from account where kind = 'POOL'").await, 100_000);
    assert_eq!(service.number("select sum(amount_fen)::bigint from posting").await, 0);
    let again = import(&service, rows).await;
    assert_eq!((again.tables[0].created, again.tables[0].unchanged), (0, 3));
    assert_eq!(service.number("select count(*) from entry").await, 3);
    let other = import(&service, "c1,WORK,2020,,1234.57,决算〔2019〕1号\r\n").await;
    assert_eq!((other.stored, other.rows[0].reason.as_str()), (false, "BOOKED_ALREADY"));
    for (row, reason) in [
        ("c1,WORK,2021,,1.00,x", "FISCAL_YEAR_NOT_OPEN"),
        ("c1,DELEGATED,2020,delegation:d,1.00,x", "NOT_ALLOWED"),
        ("c1,WORK,2020,,0.00,x", "FORMAT"),
        ("c1,WORK,2020,,1.005,x", "FORMAT"),
        ("c1,WORK,2020,,1.00,", "REQUIRED"),
    ] {
        let report = import(&service, &format!("{row}\r\n")).await;
        assert_eq!((report.stored, report.rows[0].reason.as_str()), (false, reason), "{row} {report:?}");
    }
    assert_eq!(service.number("select count(*) from entry").await, 3);
}

#[tokio::test]
async fn who_waits_for_whom_and_since_when() {
    let service = funded(date(2020, 6, 1)).await;
    service.apply(APPLICANT, office(1_000)).await.unwrap();
    service.apply(APPLICANT, office(2_000)).await.unwrap();
    service.approved_expense(3_000).await;
    let mut reports = ReportServiceClient::new(service.peer.clone());
    let asked = || pb::GetWaitingRequest { parent: "towns/malu".to_owned() };
    let waiting = reports.get_waiting(service.officer("o-1", asked())).await.unwrap().into_inner();
    let told = |waiting: &pb::Waiting| -> Vec<String> {
        let line = |line: &pb::WaitingLine| {
            let party = line.party().as_str_name().trim_start_matches("PARTY_").to_owned();
            format!(
                "{party} {} {} {:?} {}",
                line.state,
                line.count,
                line.amount.as_ref().unwrap().units,
                line.overdue_count
            )
        };
        waiting.lines.iter().map(line).collect()
    };
    assert_eq!(told(&waiting), ["COMMITTEE APPLIED 2 30 0", "CASHIER APPROVED 1 30 0"]);
    assert_eq!(waiting.count, 3);
    let mine = reports.get_waiting(service.of_committee("w-2", "c2", asked())).await.unwrap().into_inner();
    assert!(mine.lines.is_empty());

    service.clock.set(date(2020, 7, 1)).unwrap();
    let overdue = async |page_token: String| {
        let request = pb::ListOverdueExpensesRequest {
            parent: "towns/malu".to_owned(),
            page_size: 2,
            page_token,
            ..Default::default()
        };
        ReportServiceClient::new(service.peer.clone())
            .list_overdue_expenses(service.officer("o-1", request))
            .await
            .unwrap()
            .into_inner()
    };
    let first = overdue(String::new()).await;
    assert_eq!(first.overdue_expenses.len(), 2);
    assert!(first.overdue_expenses[0].days_overdue > 20, "{first:?}");
    let second = overdue(first.next_page_token).await;
    assert_eq!((second.overdue_expenses.len(), second.next_page_token.as_str()), (1, ""));
    let late = reports.get_waiting(service.officer("o-1", asked())).await.unwrap().into_inner();
    assert_eq!(told(&late), ["COMMITTEE APPLIED 2 30 2", "CASHIER APPROVED 1 30 1"]);
    let request = pb::ListPendingHandOversRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let pending =
        reports.list_pending_hand_overs(service.officer("o-1", request)).await.unwrap().into_inner();
    assert!(pending.pending_hand_overs.is_empty());
}

/// Takes the opening balance of a committee's account back, as another officer.
async fn take_back(service: &Service, key: &str) {
    let id: String = {
        use sqlx::{Connection, Row};
        let mut owner = sqlx::PgConnection::connect(&service.db.database.owner_url).await.unwrap();
        let row = sqlx::query(
            "select id::text from funding.entry where key like $1 and reverses is null order by ord desc limit 1",
        );
        row.bind(key).fetch_one(&mut owner).await.unwrap().get(0)
    };
    let get = pb::GetEntryRequest { name: format!("towns/malu/entries/{id}") };
    let entry = service.ledger().get_entry(service.officer("o-2", get)).await.unwrap().into_inner();
    let request = pb::ReverseEntryRequest {
        name: entry.name,
        etag: entry.etag,
        request_id: uuid(),
        comment: "录入有误".to_owned(),
        validate_only: false,
    };
    service.ledger().reverse_entry(service.officer("o-2", request)).await.unwrap();
}

/// The rows of the table as it is exported.
async fn exported(service: &Service) -> Vec<String> {
    let request = platform::ExportTableRequest {
        parent: "services/funding".to_owned(),
        town: "towns/malu".to_owned(),
        table: "opening_balances".to_owned(),
        ..Default::default()
    };
    let mut imports = ImportServiceClient::new(service.peer.clone());
    let file = imports.export_table(service.officer("o-1", request)).await.unwrap().into_inner();
    let text = String::from_utf8(file.content.to_vec()).unwrap();
    text.trim_end().lines().skip(1).map(str::to_owned).collect()
}

#[tokio::test]
async fn an_opening_balance_that_was_taken_back_can_be_imported_again() {
    let service = service(date(2020, 1, 2)).await;
    service.year(2020).await;
    let wrong = "c1,WORK,2020,,7.00,决算〔2019〕1号\r\n";
    assert!(import(&service, wrong).await.stored);
    take_back(&service, "opening/%").await;
    assert_eq!(service.balance("c1", "WORK").await, 0);
    // corrected, then as it was at first
    let right = import(&service, "c1,WORK,2020,,8.00,决算〔2019〕1号\r\n").await;
    assert_eq!((right.stored, right.tables[0].created), (true, 1), "{right:?}");
    assert_eq!(service.balance("c1", "WORK").await, 800);
    take_back(&service, "opening/%").await;
    let again = import(&service, wrong).await;
    assert_eq!((again.stored, again.tables[0].created), (true, 1), "{again:?}");
    assert_eq!(service.balance("c1", "WORK").await, 700);
    // what stands is booked once
    assert_eq!(import(&service, wrong).await.tables[0].unchanged, 1);
    let other = import(&service, "c1,WORK,2020,,8.00,决算〔2019〕1号\r\n").await;
    assert_eq!((other.stored, other.rows[0].reason.as_str()), (false, "BOOKED_ALREADY"));
    assert_eq!(exported(&service).await, ["c1,WORK,2020,,7.00,决算〔2019〕1号"]);
}

#[tokio::test]
async fn an_opening_balance_of_a_committee_that_nobody_knows_is_refused() {
    let service = service(date(2020, 1, 2)).await;
    service.year(2020).await;
    let report = import(&service, "c-typo,WORK,2020,,7.00,x\r\nc1,WORK,2020,,7.00,x\r\n").await;
    let told: Vec<_> = report.rows.iter().map(|row| (row.row, row.reason.as_str())).collect();
    assert_eq!((report.stored, told), (false, vec![(2, "COMMITTEE_NOT_FOUND")]), "{report:?}");
    assert_eq!(service.number("select count(*) from entry").await, 0);
}
