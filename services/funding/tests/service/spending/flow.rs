//! An expense from application to disclosure, and what callers see of it on the way.

use contracts::linli::{
    common::v1::{CallerRelationship, Obstacle},
    funding::v1 as pb,
};
use jiff::civil::date;

use super::{
    APPLICANT, APPROVER, CASHIER, NEIGHBOUR, REVIEWER, Step, application, funded, office, payee, voucher,
};
use crate::harness::{Service, date as wire, fen, reason, service, uuid, with};

fn action(expense: &pb::Expense, verb: &str) -> (bool, Obstacle) {
    let action = expense.available_actions.iter().find(|action| action.verb == verb).unwrap();
    (action.allowed, action.obstacle())
}

#[tokio::test]
async fn from_application_to_disclosure_with_a_refund() {
    let service = funded(date(2020, 6, 1)).await;
    let applied = service.apply(APPLICANT, office(128_000)).await.unwrap();
    assert_eq!(service.purse(&applied.account).await, (10_000_000, 128_000));
    let reviewed = service.walk_on(REVIEWER, &applied, Step::Review).await.unwrap();
    let approved = service.walk_on(APPROVER, &reviewed, Step::Approve).await.unwrap();
    let paid = service.walk_on(CASHIER, &approved, Step::Pay("20200603-1".to_owned())).await.unwrap();
    assert_eq!(service.purse(&paid.account).await, (9_872_000, 0));
    assert!(
        paid.entry.contains("/entries/")
            && paid.pay_date.is_some()
            && paid.payer.ends_with("|town-cashier-1")
    );
    let over = vec![voucher("v-1", 100_000), voucher("v-2", 28_001)];
    let refused = service.walk_on(REVIEWER, &paid, Step::Settle(over, String::new())).await.unwrap_err();
    assert_eq!(reason(&refused), "VOUCHERS_EXCEED_PAYMENT");
    let short = vec![voucher("v-1", 100_000), voucher("v-2", 8_000)];
    let unsaid =
        service.walk_on(REVIEWER, &paid, Step::Settle(short.clone(), String::new())).await.unwrap_err();
    assert_eq!(reason(&unsaid), "BAD_REQUEST");
    let settled = service.walk_on(REVIEWER, &paid, Step::Settle(short, "r-1".to_owned())).await.unwrap();
    assert_eq!(
        (settled.settled_amount.clone(), settled.refund_amount.clone()),
        (Some(fen(108_000)), Some(fen(20_000)))
    );
    assert_eq!(service.purse(&paid.account).await, (9_892_000, 0));
    let disclosed = service
        .walk_on(REVIEWER, &settled, Step::Disclose("towns/malu/disclosures/d-1".to_owned()))
        .await
        .unwrap();
    assert_eq!((disclosed.state(), disclosed.disclosure_pending), (pb::ExpenseState::Disclosed, true));
    let shown = service.expense(APPROVER, &disclosed.name).await;
    let verbs: Vec<&str> = shown.timeline.iter().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["apply", "review", "approve", "pay", "settle", "disclose"]);
    assert_eq!(shown.vouchers.len(), 2);
    assert!(shown.waiting_for.is_none() && shown.available_actions.iter().all(|action| !action.allowed));
    let told = "select count(*) from event where type = 'linli.funding.expense.disclosed.v1' and data ->> 'disclosure' = 'towns/malu/disclosures/d-1'";
    assert_eq!(service.number(told).await, 1);
    // a voucher of another expense is used; another issuer has numbers of his own
    let again = service.paid(1_000).await;
    let used = service
        .walk_on(REVIEWER, &again, Step::Settle(vec![voucher("v-1", 1_000)], String::new()))
        .await
        .unwrap_err();
    assert_eq!(reason(&used), "VOUCHER_USED");
    let elsewhere = pb::Voucher { issuer: "另一家文具店".to_owned(), ..voucher("v-1", 1_000) };
    service.walk_on(REVIEWER, &again, Step::Settle(vec![elsewhere], String::new())).await.unwrap();
    service.sound().await;
}

#[tokio::test]
async fn a_payment_that_the_bank_sent_back_is_settled_by_its_refund_alone() {
    let service = funded(date(2020, 6, 1)).await;
    let paid = service.paid(50_000).await;
    let nothing =
        service.walk_on(REVIEWER, &paid, Step::Settle(Vec::new(), String::new())).await.unwrap_err();
    assert_eq!(reason(&nothing), "BAD_REQUEST");
    let settled =
        service.walk_on(REVIEWER, &paid, Step::Settle(Vec::new(), "退票-1".to_owned())).await.unwrap();
    assert_eq!((settled.settled_amount, settled.refund_amount), (Some(fen(0)), Some(fen(50_000))));
    assert_eq!(service.purse(&paid.account).await, (10_000_000, 0));
    service.sound().await;
}

#[tokio::test]
async fn a_revision_holds_anew_in_one_unit_of_work() {
    let service = funded(date(2020, 6, 1)).await;
    let applied = service.apply(APPLICANT, office(9_000_000)).await.unwrap();
    let sent = service.walk_on(APPROVER, &applied, Step::SendBack).await.unwrap();
    assert_eq!(service.purse(&sent.account).await, (10_000_000, 9_000_000));
    assert_eq!(sent.waiting_for.as_ref().unwrap().party(), pb::WaitingParty::Applicant);
    let other = service.walk_on(REVIEWER, &sent, Step::Revise(Some(1))).await.unwrap_err();
    assert_eq!(reason(&other), "NOT_THE_APPLICANT");
    let before = service.dump().await;
    let dear = service.walk_on(APPLICANT, &sent, Step::Revise(Some(10_000_001))).await.unwrap_err();
    assert_eq!(reason(&dear), "BALANCE_INSUFFICIENT");
    assert_eq!(service.dump().await, before);
    // more than was free beside the old hold: the old one makes room
    let revised = service.walk_on(APPLICANT, &sent, Step::Revise(Some(9_500_000))).await.unwrap();
    assert_eq!((revised.revision, revised.state()), (2, pb::ExpenseState::Applied));
    assert_eq!(service.purse(&sent.account).await, (10_000_000, 9_500_000));
    let withdrawn = service.walk_on(APPLICANT, &revised, Step::Withdraw).await.unwrap();
    assert_eq!(service.purse(&withdrawn.account).await, (10_000_000, 0));
    service.sound().await;
}

#[tokio::test]
async fn actions_say_who_may_and_what_is_missing() {
    let service = funded(date(2020, 6, 1)).await;
    let applied =
        service.apply(APPLICANT, application("c1", pb::Fund::Service, "AID", 300_000)).await.unwrap();
    let own = service.expense(APPLICANT, &applied.name).await;
    assert_eq!(action(&own, "review"), (false, Obstacle::FourEyes));
    assert_eq!(action(&own, "withdraw"), (true, Obstacle::Unspecified));
    assert_eq!(action(&own, "approve"), (false, Obstacle::State));
    let neighbour = service.expense(NEIGHBOUR, &applied.name).await;
    assert_eq!(action(&neighbour, "review"), (false, Obstacle::Permission));
    // the committee's review is the committee's
    let town = service.expense(APPROVER, &applied.name).await;
    assert_eq!(action(&town, "review"), (false, Obstacle::Permission));
    let refused = service.walk_on(APPROVER, &applied, Step::Review).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    let reviewed = service.walk_on(REVIEWER, &applied, Step::Review).await.unwrap();
    let town = service.expense(APPROVER, &applied.name).await;
    assert_eq!(action(&town, "approve"), (false, Obstacle::Missing));
    assert_eq!(town.waiting_for.as_ref().unwrap().verb, "publishNotice");
    let noticed = service.walk_on(REVIEWER, &reviewed, Step::Publish).await.unwrap();
    let waits = noticed.waiting_for.clone().unwrap();
    assert_eq!((waits.party(), waits.due_date), (pb::WaitingParty::Public, noticed.notice_end_date));
    assert_eq!(
        action(&service.expense(APPROVER, &applied.name).await, "approve"),
        (false, Obstacle::Missing)
    );
    service.clock.set(date(2020, 6, 9)).unwrap();
    let over = service.expense(APPROVER, &applied.name).await;
    assert_eq!(action(&over, "approve"), (true, Obstacle::Unspecified));
    assert_eq!(over.waiting_for.unwrap().party(), pb::WaitingParty::Town);
    // whoever reviewed doesn't approve, whatever role he comes in
    assert_eq!(
        action(&service.expense((REVIEWER.0, "town-officer"), &applied.name).await, "approve"),
        (false, Obstacle::FourEyes)
    );
}

#[tokio::test]
async fn terms_are_counted_in_working_days_and_overdue_is_a_comparison() {
    let service = service(date(2020, 9, 25)).await;
    service
        .governance_sql(
            "insert into calendar_paper (id, title, issued) values ('p2020', '2020', '2019-11-21');
             insert into calendar_paper_day (paper, day, kind) values ('p2020', '2020-01-01', 'HOLIDAY'), ('p2020', '2020-09-27', 'MAKE_UP_WORK');
             insert into calendar_paper_day (paper, day, kind) select 'p2020', d::date, 'HOLIDAY' from generate_series('2020-10-01'::date, '2020-10-08', '1 day') d",
        )
        .await;
    service.policy_of(2020).await;
    service.give("c1", "WORK", 2020, 10_000_000).await;
    let applied = service.apply(APPLICANT, office(100)).await.unwrap();
    let waits = applied.waiting_for.unwrap();
    assert_eq!(
        (waits.party(), waits.role.as_str(), waits.verb.as_str()),
        (pb::WaitingParty::Committee, "committee-officer", "review")
    );
    // Friday 25 September and five working days: Sunday the 27th is one of them, the first eight of October are not
    assert_eq!(
        (waits.due_date, waits.overdue_days, waits.provisional),
        (Some(wire(date(2020, 10, 9))), 0, false)
    );
    let overdue = async |service: &Service| {
        list(service, APPROVER, "overdue = true", CallerRelationship::Unspecified).await.len()
    };
    service.clock.set(date(2020, 10, 9)).unwrap();
    assert_eq!(overdue(&service).await, 0);
    service.clock.set(date(2020, 10, 12)).unwrap();
    assert_eq!(overdue(&service).await, 1);
    assert_eq!(service.expense(APPROVER, &applied.name).await.waiting_for.unwrap().overdue_days, 3);
}

async fn list(
    service: &Service,
    who: (&str, &str),
    filter: &str,
    relation: CallerRelationship,
) -> Vec<String> {
    let request = pb::ListExpensesRequest {
        parent: "towns/malu".to_owned(),
        filter: filter.to_owned(),
        caller_relationship: relation.into(),
        ..Default::default()
    };
    let page = service.expenses().list_expenses(with(request, &service.of(who))).await.unwrap().into_inner();
    page.expenses.into_iter().map(|expense| expense.name).collect()
}

#[tokio::test]
async fn lists_by_field_by_relation_and_in_both_directions() {
    use CallerRelationship::{CanApprove, Created, HasApproved, Unspecified};
    let service = funded(date(2020, 6, 1)).await;
    let one = service.apply(APPLICANT, office(100)).await.unwrap().name;
    service.clock.set(date(2020, 6, 2)).unwrap();
    let request = application("c2", pb::Fund::Service, "AID", 200);
    let two = service
        .walk_on(REVIEWER, &service.apply(APPLICANT, request).await.unwrap(), Step::Review)
        .await
        .unwrap()
        .name;
    let three = service.apply(REVIEWER, office(300)).await.unwrap();
    let four = service.approved_expense(400).await.name;
    let all = [one.clone(), two.clone(), three.name.clone(), four.clone()];
    for (filter, expected) in [
        ("", vec![0, 1, 2, 3]),
        ("state = APPLIED", vec![0, 2]),
        ("committee = towns/malu/committees/c2", vec![1]),
        ("fund = SERVICE AND category = AID AND fiscal_year = 2020", vec![1]),
        ("apply_date >= 2020-06-02 AND apply_date < 2020-06-03", vec![1, 2, 3]),
        ("number = \"支-2020-000003\"", vec![2]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|at: usize| all[at].clone()).collect();
        assert_eq!(list(&service, APPROVER, filter, Unspecified).await, expected, "{filter}");
    }
    for (who, relation, expected) in [
        (APPLICANT, Created, vec![0, 1, 3]),
        // his own he doesn't review
        (APPLICANT, CanApprove, vec![2]),
        (REVIEWER, CanApprove, vec![0]),
        (REVIEWER, HasApproved, vec![1, 3]),
        // the town reviews nothing; the second needs a notice first
        (("town-officer-2", "town-officer"), CanApprove, vec![]),
        (CASHIER, CanApprove, vec![3]),
        (APPROVER, HasApproved, vec![3]),
        (NEIGHBOUR, CanApprove, vec![]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|at: usize| all[at].clone()).collect();
        assert_eq!(list(&service, who, "", relation).await, expected, "{who:?} {relation:?}");
    }
    // pages downwards, and tokens that belong to what was asked
    let ask = |token: String, relation: CallerRelationship| pb::ListExpensesRequest {
        parent: "towns/malu".to_owned(),
        page_size: 3,
        page_token: token,
        order_by: "name desc".to_owned(),
        caller_relationship: relation.into(),
        ..Default::default()
    };
    let token = service.of(APPROVER);
    let first = service
        .expenses()
        .list_expenses(with(ask(String::new(), Unspecified), &token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        first.expenses.iter().map(|expense| &expense.name).collect::<Vec<_>>(),
        [&four, &three.name, &two]
    );
    let next = first.next_page_token;
    let second = service
        .expenses()
        .list_expenses(with(ask(next.clone(), Unspecified), &token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((second.expenses[0].name.as_str(), second.next_page_token.as_str()), (one.as_str(), ""));
    let wrong = service.expenses().list_expenses(with(ask(next, Created), &token)).await.unwrap_err();
    assert_eq!(reason(&wrong), "PAGE_TOKEN_INVALID");
    // an officer of a committee sees his own alone
    let token = service.token("w-009", "committee-officer", "committee:c2");
    let request = pb::ListExpensesRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let seen = service.expenses().list_expenses(with(request, &token)).await.unwrap().into_inner().expenses;
    assert_eq!(seen.iter().map(|expense| expense.name.as_str()).collect::<Vec<_>>(), [two.as_str()]);
    for name in [one.as_str(), "towns/malu/expenses/none"] {
        let request = pb::GetExpenseRequest { name: name.to_owned() };
        let refused = service.expenses().get_expense(with(request, &token)).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::PermissionDenied, "{name}");
    }
}

#[tokio::test]
async fn money_with_an_earmark_shows_where_it_came_from() {
    let service = funded(date(2020, 6, 1)).await;
    service
        .sql(
            "insert into account (town, id, kind, fund, fiscal_year, committee, earmark) values
                 ('malu', '00000000-0000-0000-0000-00000000000a', 'DEPARTMENT', 'DELEGATED', 2020, null, 'delegation:t-1'),
                 ('malu', '00000000-0000-0000-0000-00000000000b', 'TASK', 'DELEGATED', 2020, null, 'delegation:t-1'),
                 ('malu', '00000000-0000-0000-0000-00000000000c', 'COMMITTEE', 'DELEGATED', 2020, 'c1', 'delegation:t-1')",
        )
        .await;
    for (n, from, to) in [(1, 'a', 'b'), (2, 'b', 'c')] {
        let (entry, id) = (uuid(), |which: char| format!("00000000-0000-0000-0000-00000000000{which}"));
        service
            .sql(&format!(
                "with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                     values ('malu', '{entry}', 'DELEGATION', 'd/{n}', 2020, '2020-05-0{n}', 'towns/malu/delegations/t-1', '人口普查', 2, 'p'))
                 insert into posting (town, entry, n, account, amount_fen, booked_on) values
                     ('malu', '{entry}', 1, '{}', -50000, '2020-05-0{n}'), ('malu', '{entry}', 2, '{}', 50000, '2020-05-0{n}')",
                id(from),
                id(to)
            ))
            .await;
    }
    let mut request = application("c1", pb::Fund::Delegated, "OFFICE", 10_000);
    request.expense.as_mut().unwrap().earmark = "towns/malu/delegations/t-1".to_owned();
    let applied = service.apply(APPLICANT, request).await.unwrap();
    let provenance = service.expense(APPROVER, &applied.name).await.provenance.unwrap();
    assert_eq!(provenance.source, "towns/malu/delegations/t-1");
    let way: Vec<(&str, &str, &str)> = provenance
        .steps
        .iter()
        .map(|step| {
            (
                step.kind.as_str(),
                &step.from_account[step.from_account.len() - 1..],
                &step.to_account[step.to_account.len() - 1..],
            )
        })
        .collect();
    assert_eq!(way, [("DELEGATION", "a", "b"), ("DELEGATION", "b", "c")]);
    // filters take what is shown
    for filter in ["earmark = \"towns/malu/delegations/t-1\"", "earmark != \"\""] {
        let found = list(&service, APPROVER, filter, CallerRelationship::Unspecified).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), [&applied.name], "{filter}");
    }
    let holds = pb::ListHoldsRequest {
        parent: "towns/malu".to_owned(),
        filter: format!("account = {}", applied.account),
        ..Default::default()
    };
    let holds =
        service.ledger().list_holds(with(holds, &service.of(APPROVER))).await.unwrap().into_inner().holds;
    assert_eq!(holds.iter().map(|hold| &hold.name).collect::<Vec<_>>(), [&applied.hold]);
    // free money has no provenance; money of another task has no account
    let free = service.apply(APPLICANT, office(100)).await.unwrap();
    assert!(service.expense(APPROVER, &free.name).await.provenance.is_none());
    let mut request = application("c1", pb::Fund::Delegated, "OFFICE", 10_000);
    request.expense.as_mut().unwrap().earmark = "towns/malu/delegations/t-2".to_owned();
    assert_eq!(reason(&service.apply(APPLICANT, request).await.unwrap_err()), "ACCOUNT_NOT_FOUND");
}

#[tokio::test]
async fn bad_requests_are_told_field_by_field() {
    let service = funded(date(2020, 6, 1)).await;
    let before = service.dump().await;
    let wrong = |change: fn(&mut pb::Expense)| {
        let mut request = office(100);
        change(request.expense.as_mut().unwrap());
        request
    };
    for (request, expected) in [
        (
            wrong(|expense| expense.amount.as_mut().unwrap().currency_code = "USD".to_owned()),
            "AMOUNT_CURRENCY",
        ),
        (wrong(|expense| expense.fiscal_year = 2019), "FISCAL_YEAR_CLOSED"),
        (wrong(|expense| expense.fiscal_year = 2031), "FISCAL_YEAR_NOT_OPEN"),
        (wrong(|expense| expense.earmark = "carried".to_owned()), "ACCOUNT_NOT_FOUND"),
        (wrong(|expense| expense.earmark = "x".to_owned()), "BAD_REQUEST"),
        (wrong(|expense| expense.payee = None), "BAD_REQUEST"),
        (wrong(|expense| expense.apply_date = Some(wire(date(2020, 6, 2)))), "BAD_REQUEST"),
        (wrong(|expense| expense.category = "office".to_owned()), "BAD_REQUEST"),
        (wrong(|expense| expense.category = "GOLD".to_owned()), "EARMARK_NOT_ALLOWED"),
        (wrong(|expense| expense.committee = "towns/other/committees/c1".to_owned()), "BAD_REQUEST"),
    ] {
        let shown = format!("{request:?}");
        let refused = service.apply(APPLICANT, request).await.expect_err(&shown);
        assert_eq!(reason(&refused), expected, "{refused:?}");
    }
    assert_eq!(service.dump().await, before);
    let applied = service.apply(APPLICANT, office(100)).await.unwrap();
    let stale = pb::Expense { etag: "v9".to_owned(), ..applied.clone() };
    assert_eq!(reason(&service.walk_on(REVIEWER, &stale, Step::Review).await.unwrap_err()), "ETAG_MISMATCH");
    let silent = service.walk_on(APPROVER, &applied, Step::Reject(" ".to_owned())).await.unwrap_err();
    assert_eq!(reason(&silent), "BAD_REQUEST");
}

#[tokio::test]
async fn a_payee_is_masked_and_each_reading_in_clear_is_audited() {
    let service = funded(date(2020, 6, 1)).await;
    let applied = service.apply(APPLICANT, office(100)).await.unwrap();
    let shown = service.expense(APPROVER, &applied.name).await.payee.unwrap();
    assert_eq!((shown.display_name.as_str(), shown.masked), ("钱*****", true));
    let reveal =
        |purpose: &str| pb::RevealExpenseRequest { name: applied.name.clone(), purpose: purpose.to_owned() };
    let read =
        async |who, purpose| service.expenses().reveal_expense(with(reveal(purpose), &service.of(who))).await;
    assert_eq!(read(CASHIER, "核对账号").await.unwrap().into_inner().payee, Some(payee()));
    assert_eq!(reason(&read(CASHIER, " ").await.unwrap_err()), "BAD_REQUEST");
    assert_eq!(reason(&read(NEIGHBOUR, "好奇").await.unwrap_err()), "PERMISSION_DENIED");
    let audited = "select count(*) from audit where method like '%RevealExpense' and person = 'towns/malu/people/town-cashier-1'";
    assert_eq!(service.number(audited).await, 1);
    // what for is told by the audit, without who is paid
    let purpose = "给 钱甲子文具店\n6222021001123456789 补录回单";
    read(CASHIER, purpose).await.unwrap();
    let told = "select count(*) from audit where method like '%RevealExpense' and (summary like '%in clear: 核对账号' or summary like '%: 给 … … 补录回单')";
    assert_eq!(service.number(told).await, 2);
}
