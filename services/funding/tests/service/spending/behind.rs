//! What the database refuses behind the service's back, by the constraint's name.

use jiff::civil::date;

use super::{APPLICANT, NEIGHBOUR, REVIEWER, Step, application, funded, office, voucher};
use crate::harness::with;
use contracts::linli::funding::v1 as pb;

fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn four_people_and_a_state_with_its_columns() {
    let service = funded(date(2020, 6, 1)).await;
    let approved = service.approved_expense(5_000).await;
    let of = id(&approved.name);
    for (set, constraint) in [
        ("approved_by = applied_by", "expense_four_people"),
        ("approved_person = 'towns/malu/people/w-007'", "expense_four_people"),
        ("reviewed_person = 'towns/malu/people/town-officer-1'", "expense_four_people"),
        ("paid_by = 'x', paid_person = 'towns/malu/people/w-001', state = 'PAYING'", "expense_four_people"),
        ("state = 'PAYING'", "expense_payer_as_its_state_says"),
        ("state = 'PAID', paid_by = 'x'", "expense_paid_as_its_state_says"),
        ("state = 'APPLIED', approved_by = null", "expense_reviewed_as_its_state_says"),
        ("approved_by = null", "expense_approved_as_its_state_says"),
        ("notice_required = true", "expense_notice_as_its_state_says"),
        (
            "state = 'OBJECTED', approved_by = null, notice_ends = '2020-07-01'",
            "expense_objected_as_its_state_says",
        ),
        ("disclosure = 'x'", "expense_disclosed_as_its_state_says"),
        ("settled_fen = 1", "expense_settled_as_its_state_says"),
        ("category = 'GOLD'", "expense_category_allowed"),
        ("committee = 'c2'", "expense_identity_stays"),
        ("applied_by = 'x'", "expense_identity_stays"),
        ("amount_fen = 1", "expense_holds_its_money"),
        ("state = 'WITHDRAWN'", "expense_holds_its_money"),
        ("state = 'PAYING', paid_by = 'x'", "expense_pays_by_its_line"),
        ("open_objections = 1", "expense_objected_as_its_state_says"),
    ] {
        let sql = format!("update expense set {set} where id = '{of}'");
        assert_eq!(service.constraint(&sql).await, constraint, "{set}");
    }
    let void = format!(
        "update hold set state = 'VOIDED', resolved_on = '2020-06-01' where id = '{}'",
        id(&approved.hold)
    );
    assert_eq!(service.constraint(&void).await, "expense_holds_its_money");
    assert_eq!(service.constraint("delete from expense").await, "expense_is_kept");
    let again = "insert into expense select * from expense";
    assert_eq!(service.constraint(again).await, "expense_pkey");
    let number = "insert into expense (town, id, number, number_year, state, committee, fund, fiscal_year, category, amount_fen, purpose, applied_on,
         account, hold, payee_sealed, data_key, policy, notice_required, notice_days, since, applied_by)
         select town, gen_random_uuid(), number, number_year, 'APPLIED', committee, fund, fiscal_year, category, amount_fen, purpose, applied_on,
         account, gen_random_uuid(), payee_sealed, data_key, policy, notice_required, notice_days, since, applied_by from expense";
    assert_eq!(service.constraint(number).await, "expense_number_once");
    let year = number.replace(
        "gen_random_uuid(), number, number_year",
        "gen_random_uuid(), '支-2021-000001', number_year",
    );
    assert_eq!(service.constraint(&year).await, "expense_number_is_of_its_year");
}

#[tokio::test]
async fn what_was_paid_stays_and_vouchers_prove_no_more() {
    let service = funded(date(2020, 6, 1)).await;
    let paid = service.paid(5_000).await;
    let of = id(&paid.name);
    for set in [
        "amount_fen = 1",
        "category = 'UTILITIES'",
        "purpose = 'x'",
        "paid_on = '2020-01-01'",
        "bank_reference = 'x'",
        "approved_by = 'x'",
        "entry = null",
        "state = 'APPROVED'",
        "state = 'WITHDRAWN'",
    ] {
        let sql = format!("update expense set {set} where id = '{of}'");
        assert_eq!(service.constraint(&sql).await, "expense_decided_stays", "{set}");
    }
    assert_eq!(
        service
            .constraint(&format!("update expense set account = gen_random_uuid() where id = '{of}'"))
            .await,
        "expense_identity_stays"
    );
    let add = |n: i32, number: &str, fen: i64, scan: &str| {
        format!(
            "insert into expense_voucher (town, expense, n, number, issuer, issued_on, amount_fen, sha256)
             values ('malu', '{of}', {n}, '{number}', '嘉定文具有限公司', '2020-06-01', {fen}, {scan})"
        )
    };
    assert_eq!(service.constraint(&add(1, "a", 5_001, "null")).await, "vouchers_within_payment");
    assert_eq!(service.constraint(&add(1, "a", 0, "null")).await, "expense_voucher_amount_fen_check");
    let settled = service
        .walk_on(REVIEWER, &paid, Step::Settle(vec![voucher("inv-1", 5_000)], String::new()))
        .await
        .unwrap();
    assert_eq!(service.constraint(&add(2, "inv-1", 1, "null")).await, "voucher_used_once");
    assert_eq!(service.constraint(&add(2, "inv-2", 1, "null")).await, "vouchers_within_payment");
    let scan = "decode(repeat('ab', 32), 'hex')";
    let twice = format!("{}; {}", add(2, "inv-2", 1, scan), add(3, "inv-3", 1, scan));
    assert_eq!(service.constraint(&twice).await, "voucher_scan_used_once");
    assert_eq!(service.constraint("delete from expense_voucher").await, "expense_is_kept");
    let less = format!("update expense set settled_fen = 1 where id = '{}'", id(&settled.name));
    assert_eq!(service.constraint(&less).await, "expense_decided_stays");
}

#[tokio::test]
async fn an_expense_has_its_own_account_and_its_entries_move_what_it_says() {
    let service = funded(date(2020, 6, 1)).await;
    let approved = service.approved_expense(5_000).await;
    let of = id(&approved.name);
    let another = |column: &str, value: &str| {
        let columns = ["committee", "fund", "fiscal_year", "earmark", "account"];
        let values = columns.map(|one| if one == column { value } else { one }).join(", ");
        format!(
            "insert into expense (town, id, number, number_year, state, committee, fund, fiscal_year, earmark, account, category, amount_fen, purpose,
                 applied_on, hold, payee_sealed, data_key, policy, notice_required, notice_days, since, applied_by)
             select town, gen_random_uuid(), '支-2020-000099', 2020, 'APPLIED', {values}, category, amount_fen, purpose, applied_on,
                 gen_random_uuid(), payee_sealed, data_key, policy, notice_required, notice_days, since, applied_by from expense"
        )
    };
    for (column, value) in [
        ("committee", "'c2'"),
        ("fund", "'SERVICE'"),
        ("fiscal_year", "2021"),
        ("earmark", "'carried'"),
        ("account", "(select id from account where kind = 'APPROPRIATION' and fund = 'WORK')"),
    ] {
        assert_eq!(service.constraint(&another(column, value)).await, "expense_has_its_account", "{column}");
    }
    // a hold is posted by what takes its money, and by no other entry
    let other = "(select id from entry where kind = 'ALLOCATION' limit 1)";
    let by_another = format!(
        "update hold set state = 'POSTED', posted_fen = 5000, entry = {other}, resolved_on = '2020-06-01' where id = '{}'",
        id(&approved.hold)
    );
    assert_eq!(service.constraint(&by_another).await, "expense_holds_its_money");
    let free = "insert into hold (town, id, account, amount_fen, key, subject, purpose, held_on, held_by)
        select 'malu', '00000000-0000-0000-0000-0000000000aa', account, 700, 'k', 's', 'p', '2020-06-01', 'p' from expense;
        update hold set state = 'POSTED', posted_fen = 700, entry = (select id from entry where kind = 'ALLOCATION' limit 1),
            resolved_on = '2020-06-01' where key = 'k'";
    assert_eq!(service.constraint(free).await, "hold_is_what_its_entry_takes");
    // paid by an entry that takes as much from the account and brings it elsewhere than to what was spent on its category
    let elsewhere = format!(
        "insert into account (town, id, kind, fund, fiscal_year, committee, category)
             values ('malu', '00000000-0000-0000-0000-0000000000bb', 'EXPENDITURE', 'WORK', 2020, 'c1', 'UTILITIES');
         update hold set state = 'POSTED', posted_fen = 5000, entry = '00000000-0000-0000-0000-0000000000cc', resolved_on = '2020-06-01'
             where id = '{}';
         with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
             values ('malu', '00000000-0000-0000-0000-0000000000cc', 'EXPENSE', 'x', 2020, '2020-06-01', 's', 'd', 2, 'p'))
         insert into posting (town, entry, n, account, amount_fen, booked_on)
             select town, '00000000-0000-0000-0000-0000000000cc'::uuid, 1, account, -5000, '2020-06-01'::date from expense union all
             select 'malu', '00000000-0000-0000-0000-0000000000cc', 2, '00000000-0000-0000-0000-0000000000bb', 5000, '2020-06-01';
         update expense set state = 'PAID', paid_by = 'x', paid_on = '2020-06-01', paid_fen = 5000, bank_reference = 'b',
             entry = '00000000-0000-0000-0000-0000000000cc' where id = '{of}'",
        id(&approved.hold)
    );
    assert_eq!(service.constraint(&elsewhere).await, "expense_books_what_it_pays");
    let right = elsewhere.replace("'UTILITIES'", "'OFFICE'");
    service.sql(&right).await;
}

#[tokio::test]
async fn nothing_is_approved_past_an_open_objection() {
    let service = funded(date(2020, 6, 1)).await;
    let applied = service.apply(APPLICANT, application("c1", pb::Fund::Service, "AID", 1_000)).await.unwrap();
    let reviewed = service.walk_on(REVIEWER, &applied, Step::Review).await.unwrap();
    let noticed = service.walk_on(REVIEWER, &reviewed, Step::Publish).await.unwrap();
    let objected = service.walk_on(NEIGHBOUR, &noticed, Step::Object("不公平".to_owned())).await.unwrap();
    let of = id(&objected.name);
    for (set, constraint) in [
        ("state = 'APPROVED', approved_by = 'x'", "expense_objected_as_its_state_says"),
        ("state = 'APPROVED', approved_by = 'x', open_objections = 0", "expense_open_objection"),
        ("state = 'PAYING', approved_by = 'x', paid_by = 'y', open_objections = 0", "expense_open_objection"),
        ("state = 'NOTICE', open_objections = 0", "expense_open_objection"),
    ] {
        let sql = format!("update expense set {set} where id = '{of}'");
        assert_eq!(service.constraint(&sql).await, constraint, "{set}");
    }
    for (sql, constraint) in [
        ("update expense_objection set state = 'OVERTAKEN'", "expense_open_objection"),
        ("update expense_objection set text_sealed = '\\x00'", "objection_stays"),
        ("update expense_objection set state = 'ANSWERED'", "objection_answered_as_its_state_says"),
        (
            "update expense_objection set state = 'ANSWERED', answer_sealed = '\\x00', answered_on = '2020-06-02', answered_by = 'x', answered_person = objected_person",
            "objection_answered_by_another",
        ),
        (
            "update expense_objection set state = 'ANSWERED', answer_sealed = '\\x00', answered_on = '2020-06-02', answered_by = 'x',
                 answered_person = (select applied_person from expense)",
            "objection_answered_by_no_applicant",
        ),
        ("delete from expense_objection", "expense_is_kept"),
    ] {
        assert_eq!(service.constraint(sql).await, constraint, "{sql}");
    }
}

#[tokio::test]
async fn an_expense_is_in_one_live_batch_and_a_line_is_resolved_once() {
    let service = funded(date(2020, 6, 1)).await;
    let (one, two) = (service.approved_expense(5_000).await, service.approved_expense(6_000).await);
    let request = pb::CreatePaymentBatchRequest {
        parent: "towns/malu".to_owned(),
        expenses: vec![one.name.clone(), two.name.clone()],
        request_id: crate::harness::uuid(),
        ..Default::default()
    };
    let token = service.of(super::CASHIER);
    let batch = service.batches().create_payment_batch(with(request, &token)).await.unwrap().into_inner();
    let of = id(&batch.name);
    let free = service.approved_expense(7_000).await;
    let line = |batch: &str, n: i32, expense: &pb::Expense| {
        format!(
            "insert into payment_line (town, batch, n, expense, amount_fen, purpose, payee_sealed, data_key, applied_by, reviewed_by, approved_by)
                 select town, '{batch}', {n}, id, amount_fen, purpose, payee_sealed, data_key, applied_by, reviewed_by, approved_by
                 from expense where id = '{}'",
            id(&expense.name)
        )
    };
    for (sql, constraint) in [
        (
            format!(
                "insert into payment_batch (town, id, number, state, made_on, made_by) values ('malu', '{of}', '付-2020-000009', 'DRAFT', '2020-06-01', 'x') on conflict do nothing;
                 insert into payment_batch (town, id, number, state, made_on, made_by) values ('malu', '00000000-0000-0000-0000-000000000001', '付-2020-000009', 'DRAFT', '2020-06-01', 'x');
                 {}",
                line("00000000-0000-0000-0000-000000000001", 1, &one)
            ),
            "payment_line_one_live",
        ),
        (
            line(of, 3, &free),
            "expense_pays_by_its_line",
        ),
        (
            format!("update expense set purpose = 'x' where id = '{}'", id(&one.name)),
            "expense_pays_by_its_line",
        ),
        ("update payment_line set purpose = 'x'".to_owned(), "payment_line_stays"),
        ("update payment_line set payee_sealed = '\\x00'".to_owned(), "payment_line_stays"),
        ("update payment_line set approved_by = 'x'".to_owned(), "payment_line_stays"),
        ("update payment_line set amount_fen = 1".to_owned(), "payment_line_stays"),
        ("update payment_line set state = 'FAILED'".to_owned(), "payment_line_resolved_as_its_state_says"),
        ("update payment_line set state = 'FAILED', resolved_on = '2020-06-01'".to_owned(), "payment_lines_as_the_batch_says"),
        ("update payment_batch set state = 'CANCELLED'".to_owned(), "payment_lines_as_the_batch_says"),
        ("update payment_batch set state = 'EXPORTED'".to_owned(), "payment_batch_exported_as_its_state_says"),
        ("update payment_batch set number = '付-2020-000007'".to_owned(), "payment_batch_stays"),
        ("delete from payment_line".to_owned(), "payment_is_kept"),
        ("delete from payment_batch".to_owned(), "payment_is_kept"),
        (format!("update expense set state = 'APPROVED', paid_by = null where id = '{}'", id(&one.name)), "expense_pays_by_its_line"),
        (
            "insert into payment_batch (town, id, number, state, made_on, made_by) values ('malu', gen_random_uuid(), '付-2020-000001', 'DRAFT', '2020-06-01', 'x')".to_owned(),
            "payment_number_once",
        ),
        (
            "insert into payment_batch (town, id, number, state, made_on, made_by) values ('malu', gen_random_uuid(), '付-2020-000003', 'DRAFT', '2020-06-01', 'x')".to_owned(),
            "payment_lines_as_the_batch_says",
        ),
    ] {
        assert_eq!(service.constraint(&sql).await, constraint, "{sql}");
    }
    let office = service.apply(APPLICANT, office(100)).await.unwrap();
    assert_eq!(office.state(), pb::ExpenseState::Applied);
}
