//! Pay: scales, runs, statements, differences.

use std::sync::Arc;

use contracts::linli::workforce::v1::{self as pb, pay_service_client::PayServiceClient};
use jiff::civil::{Date, date};
use sqlx::{Connection, PgConnection, Row, types::Json};
use tokio::sync::Barrier;
use tonic::Status;
use workforce::pay::{Inputs, Scale, Scales, statement};

use crate::harness::{self, *};

const TODAY: Date = date(2020, 11, 10);

fn client(service: &Service) -> PayServiceClient<chassis::peer::Peer> {
    PayServiceClient::new(service.peer.clone())
}

fn day(year: i16, month: i8, day: i8) -> Option<contracts::google::r#type::Date> {
    Some(harness::date(date(year, month, day)))
}

/// The scale of the demonstration data.
fn scale(from: Date) -> pb::PayScale {
    let grade = |post: pb::Post, steps: [i64; 5]| pb::PayGrade {
        post: post.into(),
        steps: steps.iter().map(|yuan| fen(yuan * 100)).collect(),
    };
    let certificate = |kind: pb::CertificateKind, yuan: i64| pb::PayCertificateAllowance {
        kind: kind.into(),
        amount: Some(fen(yuan * 100)),
    };
    let duty = |kind: pb::DutyKind, yuan: i64| pb::PayDutyAllowance {
        kind: kind.into(),
        amount: Some(fen(yuan * 100)),
    };
    pb::PayScale {
        display_name: "薪酬标准".to_owned(),
        start_date: Some(harness::date(from)),
        grades: vec![
            grade(pb::Post::Worker, [4200, 4400, 4600, 4850, 5100]),
            grade(pb::Post::Steward, [4500, 4700, 4950, 5200, 5500]),
            grade(pb::Post::Director, [5400, 5700, 6000, 6350, 6700]),
            grade(pb::Post::Secretary, [5600, 5900, 6250, 6600, 7000]),
        ],
        step_every_months: 36,
        certificate_allowances: vec![
            certificate(pb::CertificateKind::AssistantSocialWorker, 200),
            certificate(pb::CertificateKind::SocialWorker, 400),
            certificate(pb::CertificateKind::SeniorSocialWorker, 800),
        ],
        duty_allowances: vec![duty(pb::DutyKind::Rest, 150), duty(pb::DutyKind::Holiday, 300)],
        probation_percent: 80,
        ..Default::default()
    }
}

async fn draft(service: &Service, id: &str, scale: pb::PayScale) -> Result<pb::PayScale, Status> {
    let request = pb::CreatePayScaleRequest {
        parent: "towns/malu".to_owned(),
        pay_scale_id: id.to_owned(),
        pay_scale: Some(scale),
        request_id: uuid(),
        ..Default::default()
    };
    client(service).create_pay_scale(service.officer("clerk", request)).await.map(tonic::Response::into_inner)
}

async fn approve_scale(service: &Service, who: &str, id: &str) -> Result<pb::PayScale, Status> {
    let name = format!("towns/malu/payScales/{id}");
    let request = pb::ApprovePayScaleRequest { name, request_id: uuid(), ..Default::default() };
    client(service).approve_pay_scale(service.officer(who, request)).await.map(tonic::Response::into_inner)
}

async fn in_force(service: &Service, id: &str, scale: pb::PayScale) {
    draft(service, id, scale).await.unwrap();
    approve_scale(service, "chief", id).await.unwrap();
}

fn beginning(month: Date, duties: Vec<pb::PayDuty>) -> pb::CreatePayRunRequest {
    pb::CreatePayRunRequest {
        parent: "towns/malu".to_owned(),
        pay_run: Some(pb::PayRun { month: Some(harness::date(month)), duties, ..Default::default() }),
        request_id: uuid(),
        ..Default::default()
    }
}

async fn begin(service: &Service, month: Date, duties: Vec<pb::PayDuty>) -> Result<pb::PayRun, Status> {
    let request = service.officer("clerk", beginning(month, duties));
    client(service).create_pay_run(request).await.map(tonic::Response::into_inner)
}

async fn approve(service: &Service, who: &str, name: &str) -> Result<pb::PayRun, Status> {
    let request =
        pb::ApprovePayRunRequest { name: name.to_owned(), request_id: uuid(), ..Default::default() };
    client(service).approve_pay_run(service.officer(who, request)).await.map(tonic::Response::into_inner)
}

async fn get(service: &Service, name: &str) -> pb::PayRun {
    let request = pb::GetPayRunRequest { name: name.to_owned() };
    client(service).get_pay_run(service.officer("clerk", request)).await.unwrap().into_inner()
}

/// A run of a month, computed and approved; its name.
async fn run(service: &Service, month: Date, duties: Vec<pb::PayDuty>) -> String {
    let name = begin(service, month, duties).await.unwrap().name;
    service.work().await;
    approve(service, "chief", &name).await.unwrap();
    name
}

async fn statements(service: &Service, run: &str) -> Vec<pb::PayStatement> {
    let request = pb::ListPayStatementsRequest {
        parent: "towns/malu".to_owned(),
        filter: format!("pay_run = \"{run}\""),
        ..Default::default()
    };
    let found = client(service).list_pay_statements(service.officer("clerk", request)).await.unwrap();
    let mut found = found.into_inner().pay_statements;
    found.sort_by(|one, other| one.worker.cmp(&other.worker));
    found
}

fn in_fen(money: Option<&contracts::google::r#type::Money>) -> i64 {
    money.map_or(0, |money| money.units * 100 + i64::from(money.nanos / 10_000_000))
}

/// The lines of a statement: what and how much.
fn lines(of: &pb::PayStatement) -> Vec<String> {
    let told = of.lines.iter().map(|line| {
        let kind = line.kind().as_str_name().trim_start_matches("PAY_LINE_KIND_");
        format!("{kind} {}", in_fen(line.amount.as_ref()))
    });
    told.collect()
}

fn duty(n: u16, month: Option<Date>, rest_days: i32, holiday_days: i32) -> pb::PayDuty {
    pb::PayDuty {
        worker: format!("towns/malu/workers/w-{n}"),
        month: month.map(harness::date),
        rest_days,
        holiday_days,
    }
}

fn certificate(n: u16, from: Date) -> pb::CreateCertificateRequest {
    pb::CreateCertificateRequest {
        parent: "towns/malu".to_owned(),
        certificate: Some(pb::Certificate {
            worker: format!("towns/malu/workers/w-{n}"),
            kind: pb::CertificateKind::SocialWorker.into(),
            obtain_date: Some(harness::date(from)),
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    }
}

async fn transfer(service: &Service, n: u16, post: pb::Post, from: Date) {
    let request = pb::TransferWorkerRequest {
        name: format!("towns/malu/workers/w-{n}"),
        committee: "towns/malu/committees/c1".to_owned(),
        post: post.into(),
        start_date: Some(harness::date(from)),
        request_id: uuid(),
        ..Default::default()
    };
    postings(service).transfer_worker(service.officer("clerk", request)).await.unwrap();
}

#[tokio::test]
async fn a_scale_is_approved_by_another_and_never_changes() {
    let service = service(TODAY).await;
    let before = service.dump().await;
    let mut bad = scale(date(2020, 1, 2));
    bad.grades.pop();
    bad.grades[0].steps[1] = fen(1);
    bad.certificate_allowances[0].kind = pb::CertificateKind::Onboarding.into();
    bad.duty_allowances[1].kind = pb::DutyKind::Rest.into();
    let refused = draft(&service, "s-2020", bad).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        [
            "pay_scale.start_date",
            "pay_scale.grades[0].steps[1]",
            "pay_scale.grades",
            "pay_scale.certificate_allowances[0].kind",
            "pay_scale.duty_allowances[1].kind",
        ]
    );
    assert_eq!(service.dump().await, before);

    let drafted = draft(&service, "s-2020", scale(date(2020, 1, 1))).await.unwrap();
    let rewritten = pb::PayScale { display_name: "二零二零".to_owned(), ..drafted };
    let request = pb::UpdatePayScaleRequest {
        pay_scale: Some(rewritten.clone()),
        request_id: uuid(),
        ..Default::default()
    };
    client(&service).update_pay_scale(service.officer("second", request)).await.unwrap();
    let before = service.dump().await;
    for writer in ["clerk", "second"] {
        assert_eq!(reason(&approve_scale(&service, writer, "s-2020").await.unwrap_err()), "MAKER_IS_CHECKER");
    }
    assert_eq!(service.dump().await, before);
    let approved = approve_scale(&service, "chief", "s-2020").await.unwrap();
    assert_eq!((approved.state(), approved.display_name.as_str()), (pb::PayScaleState::Approved, "二零二零"));
    assert_eq!(in_fen(approved.grades[3].steps.last()), 510_000);
    let request = pb::UpdatePayScaleRequest {
        pay_scale: Some(pb::PayScale { etag: String::new(), ..rewritten }),
        request_id: uuid(),
        ..Default::default()
    };
    let late = client(&service).update_pay_scale(service.officer("clerk", request)).await.unwrap_err();
    assert_eq!(reason(&late), "WRONG_STATE");
    let behind = [
        ("update pay_scale set terms = '{}'", "pay_scale_approved_never_changes"),
        ("delete from pay_scale", "pay_scale_is_kept"),
        (
            "insert into pay_scale (town, id, display_name, from_month, terms, state, written_by, written_person, approved_by, approved)
             values ('malu', 'x', 'x', '2020-01-01', '{}', 'APPROVED', '{a,b}', '{x,y}', 'b', now())",
            "pay_scale_approved_by_another",
        ),
    ];
    for (sql, name) in behind {
        assert_eq!(service.constraint(sql).await, name, "{sql}");
    }
}

#[tokio::test]
async fn a_month_is_explained_line_by_line_and_approved_by_another() {
    let service = service(TODAY).await;
    in_force(&service, "s-2020", scale(date(2020, 1, 1))).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    hire(&service, 2, "c2", pb::Post::Secretary).await;
    transfer(&service, 1, pb::Post::Steward, date(2020, 10, 12)).await;
    let with_certificate = certificate(1, date(2020, 10, 31));
    workers(&service).create_certificate(service.officer("clerk", with_certificate)).await.unwrap();

    let begun = begin(&service, date(2020, 10, 1), vec![duty(1, None, 2, 1)]).await.unwrap();
    assert_eq!(begun.state(), pb::PayRunState::Computing);
    assert_eq!(reason(&approve(&service, "chief", &begun.name).await.unwrap_err()), "WRONG_STATE");
    service.work().await;
    let computed = get(&service, &begun.name).await;
    assert_eq!((computed.state(), computed.statements), (pb::PayRunState::Computed, 2));
    let may: Vec<(String, bool)> =
        computed.available_actions.iter().map(|action| (action.verb.clone(), action.allowed)).collect();
    assert_eq!(
        may,
        [("approve".to_owned(), false), ("cancel".to_owned(), true), ("export".to_owned(), false)]
    );

    let found = statements(&service, &begun.name).await;
    // 4,200 × 11/31, 4,500 × 20/31, 400 × 1/31, 2 × 150, 1 × 300
    assert_eq!(
        lines(&found[0]),
        [
            "BASE 149032",
            "BASE 290323",
            "CERTIFICATE_ALLOWANCE 1290",
            "DUTY_ALLOWANCE 30000",
            "DUTY_ALLOWANCE 30000"
        ]
    );
    assert_eq!(in_fen(found[0].total_amount.as_ref()), 500_645);
    assert_eq!(found[0].lines[1].text_zh, "基本工资：小管家 1 级，每月 4500.00 元，2020-10-12 起 20/31 天");
    assert_eq!(found[0].lines[4].text_en, "duty: 1 holidays × 300.00 yuan");
    assert_eq!(lines(&found[1]), ["BASE 560000"]);
    assert_eq!(in_fen(computed.total_amount.as_ref()), 1_060_645);

    let before = service.dump().await;
    assert_eq!(reason(&approve(&service, "clerk", &begun.name).await.unwrap_err()), "MAKER_IS_CHECKER");
    let export = || pb::ExportPayRunRequest { name: begun.name.clone() };
    let early = client(&service).export_pay_run(service.officer("chief", export())).await.unwrap_err();
    assert_eq!(reason(&early), "WRONG_STATE");
    assert_eq!(service.dump().await, before);
    approve(&service, "chief", &begun.name).await.unwrap();

    let book =
        client(&service).export_pay_run(service.officer("chief", export())).await.unwrap().into_inner();
    assert_eq!(book.file_name, "malu-pay-2020-10.xlsx");
    let columns = ["工号", "基本工资（元）", "值班津贴（元）", "应发合计（元）"]
        .map(|name| tabular::Column { name, required: true, max_chars: 200, personal: false });
    let table = tabular::read_table(&book.content, "pay", &columns, tabular::Limits::default()).unwrap();
    let rows: Vec<String> = table.rows.iter().map(|row| row.cells.join(" ")).collect();
    assert_eq!(rows, ["w-1 4393.55 600 5006.45", "w-2 5600 0 5600"]);
    assert_eq!(service.number("select count(*) from audit where method like '%ExportPayRun'").await, 1);
    // no amount is told to anybody who reads events or the timeline
    let told = "select count(*) from event where data::text ~ '(1060645|500645|5006.45|10606|fen|amount)'";
    assert_eq!(service.number(told).await, 0);
}

#[tokio::test]
async fn a_worker_reads_his_own_statement_once_it_is_approved_and_nobody_elses() {
    let service = service(TODAY).await;
    in_force(&service, "s-2020", scale(date(2020, 1, 1))).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    hire(&service, 2, "c1", pb::Post::Worker).await;
    let name = begin(&service, date(2020, 10, 1), Vec::new()).await.unwrap().name;
    service.work().await;
    let found = statements(&service, &name).await;
    let read = async |who: &str, of: usize| {
        let token = service.token(who, "resident", &format!("person:{who}"));
        let request = pb::GetPayStatementRequest { name: found[of].name.clone() };
        client(&service).get_pay_statement(with(request, &token)).await.map_err(|refused| reason(&refused))
    };
    let own = async |who: &str| {
        let token = service.token(who, "resident", &format!("person:{who}"));
        let request =
            pb::GetOwnPayStatementRequest { parent: "towns/malu".to_owned(), month: day(2020, 10, 17) };
        client(&service)
            .get_own_pay_statement(with(request, &token))
            .await
            .map_err(|refused| reason(&refused))
    };
    assert_eq!(read("w-1", 0).await.unwrap_err(), "PERMISSION_DENIED");
    assert_eq!(own("w-1").await.unwrap_err(), "NOT_FOUND");
    approve(&service, "chief", &name).await.unwrap();
    assert_eq!(lines(read("w-1", 0).await.unwrap().get_ref()), ["BASE 420000"]);
    assert_eq!(own("w-1").await.unwrap().get_ref().name, found[0].name);
    assert_eq!(read("w-1", 1).await.unwrap_err(), "PERMISSION_DENIED");

    let request = pb::GetPayStatementRequest { name: found[0].name.clone() };
    let request = service.of_committee("officer", "c1", request);
    let refused = client(&service).get_pay_statement(request).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    let request = service.of_committee("officer", "c1", pb::GetPayRunRequest { name: name.clone() });
    assert_eq!(reason(&client(&service).get_pay_run(request).await.unwrap_err()), "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_correction_is_a_difference_in_the_next_month_and_rewrites_nothing() {
    let service = service(TODAY).await;
    in_force(&service, "s-2020", scale(date(2020, 1, 1))).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    let september = run(&service, date(2020, 9, 1), vec![duty(1, None, 1, 0)]).await;
    let before = statements(&service, &september).await;
    assert_eq!(lines(&before[0]), ["BASE 420000", "DUTY_ALLOWANCE 15000"]);

    // steward since the middle of September, a certificate since July (August was never run), a duty more
    transfer(&service, 1, pb::Post::Steward, date(2020, 9, 16)).await;
    let late = certificate(1, date(2020, 7, 1));
    workers(&service).create_certificate(service.officer("clerk", late)).await.unwrap();
    let more = vec![duty(1, Some(date(2020, 9, 1)), 2, 0)];
    let october = run(&service, date(2020, 10, 1), more).await;
    assert_eq!(statements(&service, &september).await, before);
    let found = statements(&service, &october).await;
    // 2,100 + 2,250 + 400 + 300 − 4,350
    assert_eq!(lines(&found[0]), ["BASE 450000", "CERTIFICATE_ALLOWANCE 40000", "DIFFERENCE 70000"]);
    assert_eq!(found[0].lines[2].text_zh, "补差：2020 年 9 月应发 5050.00 元，已发 4350.00 元");
    assert_eq!(found[0].lines[2].month, day(2020, 9, 1));
    assert_eq!(in_fen(get(&service, &october).await.difference_amount.as_ref()), 70_000);

    // what was settled comes no second time; a scale that holds back in time is paid for the months that were run
    let mut raised = scale(date(2020, 10, 1));
    raised.grades[1].steps[0] = fen(460_000);
    in_force(&service, "s-2020b", raised).await;
    let november = run(&service, date(2020, 11, 1), Vec::new()).await;
    let found = statements(&service, &november).await;
    assert_eq!(lines(&found[0]), ["BASE 460000", "CERTIFICATE_ALLOWANCE 40000", "DIFFERENCE 10000"]);
    assert_eq!(found[0].lines[2].month, day(2020, 10, 1));
}

#[tokio::test]
async fn runs_come_one_after_the_other_and_a_bad_request_stores_nothing() {
    let service = service(TODAY).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    let before = service.dump().await;
    let none = begin(&service, date(2020, 10, 1), Vec::new()).await.unwrap_err();
    assert_eq!(reason(&none), "PAY_SCALE_MISSING");
    let duties = vec![
        duty(1, None, 20, 12),
        duty(9, None, 1, 0),
        duty(1, Some(date(2020, 10, 1)), 1, 0),
        duty(1, Some(date(2020, 11, 1)), 1, 0),
        duty(1, Some(date(2020, 9, 5)), 1, 0),
    ];
    let refused = begin(&service, date(2020, 10, 1), duties).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        [
            "pay_run.duties[0].rest_days",
            "pay_run.duties[3].month",
            "pay_run.duties[4].month",
            "pay_run.duties[1].worker",
            "pay_run.duties[2]",
        ]
    );
    let future = begin(&service, date(2020, 12, 1), Vec::new()).await.unwrap_err();
    assert_eq!(fields(&future), ["pay_run.month"]);
    assert_eq!(service.dump().await, before);

    in_force(&service, "s-2020", scale(date(2020, 10, 1))).await;
    let early = begin(&service, date(2020, 9, 1), Vec::new()).await.unwrap_err();
    assert_eq!(reason(&early), "PAY_SCALE_MISSING");
    let name = begin(&service, date(2020, 10, 1), Vec::new()).await.unwrap().name;
    let second = begin(&service, date(2020, 11, 1), Vec::new()).await.unwrap_err();
    assert_eq!(reason(&second), "PAY_RUN_OPEN");
    let cancel = |comment: &str| pb::CancelPayRunRequest {
        name: name.clone(),
        request_id: uuid(),
        comment: comment.to_owned(),
        ..Default::default()
    };
    let cancelled = client(&service)
        .cancel_pay_run(service.officer("clerk", cancel("duties were missing")))
        .await
        .unwrap();
    assert_eq!(cancelled.get_ref().state(), pb::PayRunState::Cancelled);
    // the operation finds it given up
    service.work().await;
    assert_eq!(service.number("select count(*) from pay_statement").await, 0);
    run(&service, date(2020, 10, 1), Vec::new()).await;
    let again = begin(&service, date(2020, 10, 1), Vec::new()).await.unwrap_err();
    assert_eq!(reason(&again), "PAY_MONTH_APPROVED");
}

#[tokio::test]
async fn of_sixty_four_who_begin_at_once_one_does() {
    let service = Arc::new(service(TODAY).await);
    in_force(&service, "s-2020", scale(date(2020, 1, 1))).await;
    let barrier = Arc::new(Barrier::new(64));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (service, barrier) = (service.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                begin(&service, date(2020, 10, 1), Vec::new()).await.map_err(|refused| reason(&refused))
            })
        })
        .collect();
    let mut begun = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => begun += 1,
            Err(why) => assert_eq!(why, "PAY_RUN_OPEN"),
        }
    }
    assert_eq!((begun, service.number("select count(*) from pay_run").await), (1, 1));
}

/// Workers behind the service's back, all in post.
const MANY: &str = "insert into worker (town, id, person, display_name, birth, sex, schooling, hired_on, confirmed_on, recorded_by)
    select 'malu', 'm-' || lpad(n::text, 5, '0'), 'p-' || n, '示例', '1980-01-01', 'F', 'BACHELOR', date '2012-01-01' + n, date '2012-01-01' + n, 'x'
        from generate_series(1, 1200) n;
    insert into posting (town, id, worker, kind, committee, post, valid, recorded)
    select 'malu', gen_random_uuid(), id, 'POST', 'c1', 'WORKER', daterange(hired_on, null), tstzrange(now(), null) from worker";

#[tokio::test]
async fn a_run_that_is_killed_goes_on_and_pays_each_worker_once() {
    let service = service(TODAY).await;
    in_force(&service, "s-2020", scale(date(2020, 1, 1))).await;
    service.sql(MANY).await;
    let name = begin(&service, date(2020, 10, 1), Vec::new()).await.unwrap().name;
    // the second part meets a database that refuses it: the first one stands
    service
        .sql(
            "create function stop() returns trigger language plpgsql as $$ begin
                 if (select count(*) from pay_statement) > 500 then raise exception using errcode = '40001', message = 'killed'; end if;
                 return null; end $$;
             create trigger stop after insert on pay_statement for each statement execute function stop()",
        )
        .await;
    assert!(service.worker.pass().await.unwrap());
    assert_eq!(service.number("select count(*) from pay_statement").await, 500);
    assert_eq!(get(&service, &name).await.state(), pb::PayRunState::Computing);
    service
        .sql("drop trigger stop on pay_statement; update operation set lease_until = now() - interval '1 second'")
        .await;
    let another = chassis::operations::Worker::new(
        service.db.context.clone(),
        service.clock.clone(),
        workforce::jobs(&service.governance),
    );
    assert!(another.pass().await.unwrap());
    let computed = get(&service, &name).await;
    assert_eq!((computed.state(), computed.statements), (pb::PayRunState::Computed, 1200));
    assert_eq!(service.number("select count(distinct worker) from pay_statement").await, 1200);
    assert_eq!(service.number("select done_units from operation where kind = 'pay'").await, 1200);
}

async fn owner(service: &Service) -> PgConnection {
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    sqlx::query("set search_path = workforce, public").execute(&mut owner).await.unwrap();
    owner
}

#[tokio::test]
async fn stored_inputs_give_every_statement_again_to_the_fen() {
    let service = service(TODAY).await;
    in_force(&service, "s-2020", scale(date(2020, 1, 1))).await;
    service.sql(MANY).await;
    hire(&service, 1, "c1", pb::Post::Director).await;
    run(&service, date(2020, 9, 1), vec![duty(1, None, 3, 1)]).await;
    transfer(&service, 1, pb::Post::Worker, date(2020, 9, 9)).await;
    service.sql("update posting set recorded = tstzrange(lower(recorded), now()) where worker like 'm-%1';
        insert into posting (town, id, worker, kind, committee, post, valid, recorded)
        select town, gen_random_uuid(), worker, kind, committee, 'STEWARD', valid, tstzrange(now(), null) from posting where worker like 'm-%1'").await;
    run(&service, date(2020, 10, 1), Vec::new()).await;

    let mut owner = owner(&service).await;
    let mut scales = Scales::new();
    for row in sqlx::query("select id, terms from pay_scale").fetch_all(&mut owner).await.unwrap() {
        scales.insert(row.get("id"), row.get::<Json<Scale>, _>("terms").0);
    }
    let stored = "select s.inputs, s.total_fen, array(select amount_fen from pay_line l where l.statement = s.id order by n) as amounts
        from pay_statement s";
    let rows = sqlx::query(stored).fetch_all(&mut owner).await.unwrap();
    assert_eq!(rows.len(), 2 * 1201);
    let mut differences = 0;
    for row in rows {
        let inputs = row.get::<Json<Inputs>, _>("inputs").0;
        let again: Vec<i64> = statement(&scales, &inputs).unwrap().iter().map(|line| line.fen).collect();
        assert_eq!(again, row.get::<Vec<i64>, _>("amounts"));
        assert_eq!(again.iter().sum::<i64>(), row.get::<i64, _>("total_fen"));
        differences += inputs.earlier.len();
    }
    assert_eq!(differences, 121);
}

#[tokio::test]
async fn what_was_approved_is_held_by_the_database_too() {
    let service = service(TODAY).await;
    in_force(&service, "s-2020", scale(date(2020, 1, 1))).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    hire(&service, 2, "c1", pb::Post::Worker).await;
    run(&service, date(2020, 9, 1), vec![duty(1, None, 1, 0)]).await;
    let run_of = "(select id from pay_run where state = 'APPROVED')";
    let begin_again = |month: &str, state: &str| {
        format!(
            "insert into pay_run (town, id, month, scale, operation, begun_by, state) values ('malu', 'x', '{month}', 's-2020', gen_random_uuid(), 'x', '{state}')"
        )
    };
    let decided = "pay_run_decided_never_changes";
    let behind = [
        ("update pay_run set state = 'COMPUTING', approved = null, approved_by = ''".to_owned(), decided),
        ("delete from pay_run".to_owned(), "pay_run_is_kept"),
        ("update pay_statement set total_fen = 1".to_owned(), "pay_statement_never_changes"),
        ("update pay_line set amount_fen = 1".to_owned(), "pay_line_never_changes"),
        ("update pay_duty set rest_days = 2".to_owned(), "pay_duty_never_changes"),
        (
            format!(
                "insert into pay_duty (town, run, worker, month, rest_days, holiday_days) values ('malu', {run_of}, 'w-2', '2020-09-01', 1, 0)"
            ),
            "pay_written_while_computing",
        ),
        (
            "insert into pay_line (town, statement, n, kind, month, amount_fen, input)
             select town, id, 9, 'BASE', month, 1, '{}' from pay_statement limit 1"
                .to_owned(),
            "pay_written_while_computing",
        ),
        (begin_again("2020-08-01", "COMPUTING"), "pay_run_after_the_last"),
        (begin_again("2020-09-01", "COMPUTING"), "pay_run_after_the_last"),
        (begin_again("2020-10-01", "APPROVED"), "pay_run_approved_by_somebody"),
        (
            format!(
                "{}; insert into pay_statement (town, id, run, worker, month, inputs, total_fen) values ('malu', gen_random_uuid(), 'x', 'w-1', '2020-10-01', '{{}}', 1)",
                begin_again("2020-10-01", "COMPUTING")
            ),
            "pay_lines_add_up",
        ),
        (
            format!(
                "{}; insert into pay_statement (town, id, run, worker, month, inputs, total_fen) values ('malu', gen_random_uuid(), 'x', 'w-1', '2020-11-01', '{{}}', 0)",
                begin_again("2020-10-01", "COMPUTING")
            ),
            "pay_statement_of_its_month",
        ),
    ];
    for (sql, name) in behind {
        assert_eq!(service.constraint(&sql).await, name, "{sql}");
    }
}

#[tokio::test]
async fn who_had_left_pays_back_what_was_too_much_and_gets_nothing_else() {
    let service = service(TODAY).await;
    in_force(&service, "s-2020", scale(date(2020, 1, 1))).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    hire(&service, 2, "c1", pb::Post::Worker).await;
    run(&service, date(2020, 9, 1), Vec::new()).await;
    let left = pb::EndEmploymentRequest {
        name: "towns/malu/workers/w-2".to_owned(),
        end_date: day(2020, 9, 16),
        comment: "moved away".to_owned(),
        request_id: uuid(),
        ..Default::default()
    };
    workers(&service).end_employment(service.officer("clerk", left)).await.unwrap();
    let october = run(&service, date(2020, 10, 1), Vec::new()).await;
    let found = statements(&service, &october).await;
    assert_eq!(lines(&found[0]), ["BASE 420000"]);
    assert_eq!(lines(&found[1]), ["DIFFERENCE -210000"]);
    assert_eq!(in_fen(found[1].total_amount.as_ref()), -210_000);
    let november = run(&service, date(2020, 11, 1), Vec::new()).await;
    assert_eq!(statements(&service, &november).await.len(), 1);
}
