//! The year of `expenses.csv`: every row comes out as its `expected` column says, every refusal with the reason of its note.

use contracts::{google::r#type::Money, linli::funding::v1 as pb};
use jiff::{
    ToSpan,
    civil::{Date, date},
};
use tonic::Status;

use super::{CASHIER, NEIGHBOUR, Step, payee, voucher};
use crate::harness::{Service, date as wire, reason, service, uuid};

const FILE: &str = include_str!("../../data/expenses.csv");

/// A row of the file.
struct Row<'a> {
    code: &'a str,
    committee: &'a str,
    fund: &'a str,
    category: &'a str,
    amount: &'a str,
    applied_on: Date,
    purpose: &'a str,
    people: [&'a str; 4],
    expected: &'a str,
    note: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let rows = FILE.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.splitn(13, ',').collect();
        Row {
            code: cells[0],
            committee: cells[1],
            fund: cells[2],
            category: cells[3],
            amount: cells[4],
            applied_on: cells[5].parse().unwrap(),
            purpose: cells[6],
            people: [cells[7], cells[8], cells[9], cells[10]],
            expected: cells[11],
            note: cells[12],
        }
    });
    rows.collect()
}

/// An amount as it is written, whatever is wrong with it.
fn money(text: &str) -> Money {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let nanos: i32 = format!("{part:0<9}").parse().unwrap();
    Money {
        currency_code: "CNY".to_owned(),
        units: sign * whole.parse::<i64>().unwrap(),
        nanos: i32::try_from(sign).unwrap() * nanos,
    }
}

/// Whoever acts for the committee or the town, in the role that the step needs.
fn acting<'a>(who: &'a str, town: &'static str) -> (&'a str, &'static str) {
    (who, if who.starts_with("town-") { town } else { "committee-officer" })
}

async fn apply(service: &Service, row: &Row<'_>) -> Result<pb::Expense, Status> {
    service.clock.set(row.applied_on.max(date(2020, 6, 1))).unwrap();
    let request = pb::CreateExpenseRequest {
        parent: "towns/malu".to_owned(),
        expense: Some(pb::Expense {
            committee: format!("towns/malu/committees/{}", row.committee),
            fund: pb::Fund::from_str_name(&format!("FUND_{}", row.fund)).unwrap().into(),
            category: row.category.to_owned(),
            amount: Some(money(row.amount)),
            purpose: row.purpose.to_owned(),
            payee: Some(payee()),
            apply_date: Some(wire(row.applied_on)),
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    };
    service.apply(acting(row.people[0], "town-officer"), request).await
}

/// Takes the way of an expense as far as it goes; each step that is refused leaves every byte as it was.
async fn live(service: &Service, row: &Row<'_>) -> Result<pb::Expense, Status> {
    let before = service.dump().await;
    let mut expense = match apply(service, row).await {
        Ok(expense) => expense,
        Err(refused) => {
            assert_eq!(service.dump().await, before, "{}", row.code);
            return Err(refused);
        }
    };
    let [_, reviewer, approver, payer] = row.people;
    let (reviewer, approver, payer) =
        ((reviewer, "committee-officer"), acting(approver, "town-officer"), (payer, "town-cashier"));
    match row.expected {
        "REJECTED" => return service.walk_on(approver, &expense, Step::Reject(row.note.to_owned())).await,
        "WITHDRAWN" => {
            return service.walk_on(acting(row.people[0], "town-officer"), &expense, Step::Withdraw).await;
        }
        _ => {}
    }
    let whole = [
        (reviewer, Step::Review),
        (reviewer, Step::Publish),
        (approver, Step::Approve),
        (payer, Step::Pay(format!("bank-{}", row.code))),
        (reviewer, Step::Settle(vec![], String::new())),
    ];
    for (who, step) in whole {
        let step = match step {
            Step::Publish if !expense.notice_required => continue,
            Step::Settle(..) => {
                let full = pb::Voucher { amount: expense.amount.clone(), ..voucher(row.code, 0) };
                Step::Settle(vec![full], String::new())
            }
            step => step,
        };
        let (before, published) = (service.dump().await, matches!(step, Step::Publish));
        expense = match service.walk_on(who, &expense, step).await {
            Ok(expense) => expense,
            Err(refused) => {
                assert_eq!(service.dump().await, before, "{}", row.code);
                return Err(refused);
            }
        };
        if published && row.expected == "OBJECTED" {
            return service.walk_on(NEIGHBOUR, &expense, Step::Object("名单是否公示？".to_owned())).await;
        }
        if let Some(end) = expense.notice_end_date.filter(|_| published) {
            let end = date(
                i16::try_from(end.year).unwrap(),
                i8::try_from(end.month).unwrap(),
                i8::try_from(end.day).unwrap(),
            );
            service.clock.set(end + 1.day()).unwrap();
        }
    }
    Ok(expense)
}

/// The committees of the file, and their money of 2020.
async fn town() -> Service {
    let service = service(date(2020, 6, 1)).await;
    service
        .governance_sql(
            "insert into committee (town, id, kind, founding_date) values ('malu', '310114106001', 'RESIDENTS_COMMITTEE', '2016-01-01'),
                 ('malu', '310114106026', 'RESIDENTS_COMMITTEE', '2016-01-01'), ('malu', '310114106045', 'RESIDENTS_COMMITTEE', '2016-01-01'),
                 ('malu', '310114106201', 'VILLAGERS_COMMITTEE', '2016-01-01');
             insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
                 select town, gen_random_uuid(), id, '[2016-01-01,)', tstzrange(now(), null), '居委会 ' || id, 'a', 'FOUNDED' from committee
                 where id like '310114106%'",
        )
        .await;
    service.policy_of(2020).await;
    for committee in ["310114106001", "310114106026", "310114106045"] {
        service.give(committee, "WORK", 2020, 10_000_000).await;
        service.give(committee, "SERVICE", 2020, 15_000_000).await;
    }
    service
}

#[tokio::test]
async fn every_row_of_the_file_comes_out_as_expected() {
    let service = town().await;
    let rows = rows();
    assert_eq!(rows.len(), 40);
    let mut spent = 0;
    for row in &rows {
        match (row.expected, live(&service, row).await) {
            ("REFUSED", Err(refused)) => assert_eq!(reason(&refused), row.note, "{}: {refused:?}", row.code),
            ("REFUSED", Ok(expense)) => panic!("{} is {:?}, not refused", row.code, expense.state()),
            (expected, Ok(expense)) => {
                assert_eq!(
                    expense.state().as_str_name(),
                    format!("EXPENSE_STATE_{expected}"),
                    "{}",
                    row.code
                );
                assert!(expense.number.starts_with("支-2020-"), "{}", expense.number);
                if expected == "SETTLED" {
                    let money = expense.settled_amount.unwrap();
                    spent += money.units * 100 + i64::from(money.nanos / 10_000_000);
                }
            }
            (expected, Err(refused)) => panic!("{} should be {expected}: {refused:?}", row.code),
        }
        service.sound().await;
    }
    let booked = "select sum(balance_fen)::bigint from account where kind = 'EXPENDITURE'";
    assert_eq!(service.number(booked).await, spent);
}

#[tokio::test]
async fn an_objection_is_answered_and_then_it_is_paid() {
    let service = town().await;
    let rows = rows();
    let row = rows.iter().find(|row| row.expected == "OBJECTED").unwrap();
    let objected = live(&service, row).await.unwrap();
    let (reviewer, approver) = ((row.people[1], "committee-officer"), acting(row.people[2], "town-officer"));
    let refused = service.walk_on(approver, &objected, Step::Approve).await.unwrap_err();
    assert_eq!(reason(&refused), "OBJECTION_OPEN");
    let shown = service.expense(reviewer, &objected.name).await;
    let objection = shown.objections[0].id.clone();
    let answer = |who| service.walk_on(who, &shown, Step::Answer(objection.clone(), "名单已张贴".to_owned()));
    let own = answer((NEIGHBOUR.0, "committee-officer")).await.unwrap_err();
    assert_eq!(reason(&own), "MAKER_IS_CHECKER");
    let applicant = answer((row.people[0], "committee-officer")).await.unwrap_err();
    assert_eq!(reason(&applicant), "MAKER_IS_CHECKER");
    assert_eq!(reason(&answer(approver).await.unwrap_err()), "PERMISSION_DENIED");
    let answered = answer(reviewer).await.unwrap();
    assert_eq!((answered.state(), answered.open_objections), (pb::ExpenseState::Notice, 0));
    let early = service.walk_on(approver, &answered, Step::Approve).await.unwrap_err();
    assert_eq!(reason(&early), "NOTICE_RUNNING");
    service.clock.set(row.applied_on + 10.days()).unwrap();
    let late = service.walk_on(NEIGHBOUR, &answered, Step::Object("还有问题".to_owned())).await.unwrap_err();
    assert_eq!(reason(&late), "NOTICE_OVER");
    let approved = service.walk_on(approver, &answered, Step::Approve).await.unwrap();
    let paid = service.walk_on(CASHIER, &approved, Step::Pay("b".to_owned())).await.unwrap();
    assert_eq!(paid.state(), pb::ExpenseState::Paid);
    service.sound().await;
}
