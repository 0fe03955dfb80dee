//! What the database of the ledger refuses behind the service's back, by the constraint's name.

use chassis::seal;
use contracts::linli::funding::v1 as pb;
use jiff::civil::date;

use crate::harness::{Service, service};

/// An entry of these postings, as SQL.
fn entry(kind: &str, postings: &[(&str, i64)]) -> String {
    let id = uuid::Uuid::now_v7();
    let rows = postings
        .iter()
        .enumerate()
        .map(|(n, (account, fen))| format!("('malu', '{id}', {}, '{account}', {fen}, '2020-06-01')", n + 1));
    format!(
        "with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                 values ('malu', '{id}', '{kind}', '{id}', 2020, '2020-06-01', 's', 'd', {}, 'p'))
         insert into posting (town, entry, n, account, amount_fen, booked_on) values {}",
        postings.len().max(2),
        rows.collect::<Vec<_>>().join(", ")
    )
}

fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn no_entry_is_unbalanced_crosses_funds_or_overdraws() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let one = service.give("c1", "WORK", 2020, 100).await;
    let two = service.give("c2", "WORK", 2020, 100).await;
    let fund = service.give("c1", "SERVICE", 2020, 100).await;
    let (one, two, fund) = (id(&one), id(&two), id(&fund));
    service
        .sql(
            "insert into account (town, id, kind, fund, fiscal_year, committee, category) values
              ('malu', '00000000-0000-0000-0000-000000000001', 'EXPENDITURE', 'WORK', 2020, 'c1', 'OFFICE')",
        )
        .await;
    let spent = "00000000-0000-0000-0000-000000000001";
    for (sql, constraint) in [
        (entry("TRANSFER", &[(one, -5), (two, 4)]), "entry_balanced"),
        (entry("TRANSFER", &[(one, -5)]), "entry_whole"),
        (entry("ALLOCATION", &[(one, -5), (fund, 5)]), "entry_within_one_fund"),
        (entry("ALLOCATION", &[(one, -5), (two, 5)]), "entry_within_one_committee"),
        (entry("ALLOCATION", &[(one, -5), (spent, 5)]), "entry_spends_as_an_expense"),
        (entry("EXPENSE", &[(one, -5), (two, 5)]), "entry_within_one_committee"),
        (entry("TRANSFER", &[(one, -101), (two, 101)]), "account_not_overdrawn"),
        (entry("EXPENSE", &[(one, 1), (spent, -1)]), "account_not_overdrawn"),
    ] {
        assert_eq!(service.constraint(&sql).await, constraint, "{sql}");
    }
    service.sql(&entry("EXPENSE", &[(one, -40), (spent, 40)])).await;
    assert_eq!(service.number(&format!("select balance_fen from account where id = '{one}'")).await, 60);
    // what the fund's list doesn't hold has no account to go to
    let sql = "insert into account (town, id, kind, fund, fiscal_year, committee, category) values
               ('malu', gen_random_uuid(), 'EXPENDITURE', 'SERVICE', 2020, 'c1', 'OFFICE')";
    assert_eq!(service.constraint(sql).await, "account_category_allowed");
    let alone = "insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                 values ('malu', gen_random_uuid(), 'TRANSFER', 'k', 2020, '2020-06-01', 's', 'd', 2, 'p')";
    assert_eq!(service.constraint(alone).await, "entry_whole");
}

#[tokio::test]
async fn what_is_booked_stays_and_closed_years_take_nothing() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let (one, two) = (service.give("c1", "WORK", 2020, 100).await, service.give("c2", "WORK", 2020, 7).await);
    let (one, two) = (id(&one), id(&two));
    for sql in [
        "update entry set description = 'x'",
        "delete from entry",
        "truncate posting cascade",
        "update posting set amount_fen = amount_fen * 2",
        "delete from posting",
        "delete from hold",
    ] {
        assert_eq!(service.constraint(sql).await, "ledger_never_changes", "{sql}");
    }
    let hold = |state: &str| {
        format!(
            "insert into hold (town, id, account, amount_fen, state, key, subject, purpose, held_on, held_by)
             values ('malu', gen_random_uuid(), '{one}', 60, '{state}', gen_random_uuid()::text, 's', 'p', '2020-06-01', 'p')"
        )
    };
    assert_eq!(service.constraint(&hold("VOIDED")).await, "hold_resolved_as_its_state_says");
    service.sql(&hold("HELD")).await;
    assert_eq!(service.constraint(&hold("HELD")).await, "account_not_overdrawn");
    assert_eq!(
        service.constraint(&entry("TRANSFER", &[(one, -41), (two, 41)])).await,
        "account_not_overdrawn"
    );
    assert_eq!(service.constraint("update hold set amount_fen = 1").await, "hold_resolved_once");
    assert_eq!(
        service
            .constraint("update hold set state = 'VOIDED', resolved_on = '2020-06-01', amount_fen = 1")
            .await,
        "ledger_never_changes"
    );
    service.sql("update hold set state = 'VOIDED', resolved_on = '2020-06-01'").await;
    assert_eq!(service.constraint("update hold set state = 'EXPIRED'").await, "hold_resolved_once");
    let close = "update fiscal_year set state = 'CLOSED' where year = 2020";
    assert_eq!(service.constraint(close).await, "fiscal_year_closes_empty");
    let closing = "update fiscal_year set state = 'CLOSING', proposed_by = 'p', proposed_on = '2020-12-01' where year = 2020";
    service.sql(closing).await;
    assert_eq!(service.constraint(&entry("TRANSFER", &[(one, -1), (two, 1)])).await, "fiscal_year_open");
    assert_eq!(service.constraint(&hold("HELD")).await, "fiscal_year_open");
}

#[tokio::test]
async fn the_services_role_moves_no_balance_by_hand() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    service.give("c1", "WORK", 2020, 100).await;
    for sql in [
        "update account set balance_fen = 1",
        "delete from account",
        "update entry set description = 'x'",
        "delete from posting",
        "delete from entry_seal",
        "update hold set amount_fen = 1",
        "insert into account (town, id, kind, fund, fiscal_year, committee, balance_fen) values ('malu', gen_random_uuid(), 'COMMITTEE', 'WORK', 2020, 'c9', 5)",
    ] {
        let refused = service.constraint(&format!("set local role linli_funding; {sql}")).await;
        assert!(refused.starts_with("permission denied"), "{sql}: {refused}");
    }
}

/// A temporary table of the same name is nobody's way round a trigger.
#[tokio::test]
async fn the_triggers_see_no_temporary_table() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let (one, two) =
        (service.give("c1", "WORK", 2020, 100).await, service.give("c2", "WORK", 2020, 100).await);
    let make = "create temp table account (like funding.account including defaults)";
    let moves =
        entry("TRANSFER", &[(id(&one), -5), (id(&two), 5)]).replace("into entry", "into funding.entry");
    service.sql(&format!("{make}; {}", moves.replace("into posting", "into funding.posting"))).await;
    assert_eq!(service.number("select balance_fen from account where committee = 'c2'").await, 105);
}

#[tokio::test]
async fn money_of_a_task_or_a_project_is_not_transferred() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let one = service.give("c1", "SERVICE", 2020, 100).await;
    let project = |n: u32, committee: &str| {
        format!(
            "insert into account (town, id, kind, fund, fiscal_year, committee, earmark) values
             ('malu', '00000000-0000-0000-0000-00000000000{n}', 'COMMITTEE', 'SERVICE', 2020, '{committee}', 'project:p')"
        )
    };
    service.sql(&format!("{}; {}", project(1, "c1"), project(2, "c2"))).await;
    let (first, second) = ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002");
    service.sql(&entry("GRANT", &[(id(&one), -50), (first, 50)])).await;
    let sql = entry("TRANSFER", &[(first, -5), (second, 5)]);
    assert_eq!(service.constraint(&sql).await, "entry_transfers_between_committees");
}

async fn verified(service: &Service) -> pb::VerifyLedgerResponse {
    let request = pb::VerifyLedgerRequest { name: "towns/malu".to_owned() };
    service.ledger().verify_ledger(service.officer("o", request)).await.unwrap().into_inner()
}

#[tokio::test]
async fn verification_names_the_first_row_that_is_off() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let accounts = [service.give("c1", "WORK", 2020, 100).await, service.give("c2", "WORK", 2020, 7).await];
    let waiting = verified(&service).await;
    assert_eq!((waiting.intact, waiting.entries, waiting.sealed, waiting.unsealed), (true, 2, 0, 2));
    while seal::pass(&service.db.context.db, funding::SEALERS).await.unwrap() > 0 {}
    let sealed = verified(&service).await;
    assert_eq!((sealed.intact, sealed.sealed, sealed.unsealed, sealed.head_hash.len()), (true, 2, 0, 64));

    // somebody with the owner's rights takes the triggers away
    let entry = "(select id from entry order by ord limit 1)";
    let tampering = [
        (format!("update entry set description = 'x' where id = {entry}"), pb::LedgerFault::ChainChanged),
        (
            format!("update account set balance_fen = 8 where id = '{}'", id(&accounts[1])),
            pb::LedgerFault::Balance,
        ),
        (
            format!("update posting set amount_fen = 101 where entry = {entry} and amount_fen = 100"),
            pb::LedgerFault::EntryUnbalanced,
        ),
        (format!("delete from posting where entry = {entry} and n = 2"), pb::LedgerFault::EntryIncomplete),
        (format!("delete from entry_seal where entry = {entry}"), pb::LedgerFault::ChainMissing),
    ];
    for (sql, fault) in tampering {
        let tables = "entry, posting, account, entry_seal".split(", ");
        let kept: String = tables.clone().map(|t| format!("create table kept_{t} as table {t};")).collect();
        service.sql(&format!("{kept} set local session_replication_role = replica; {sql}")).await;
        let found = verified(&service).await;
        assert_eq!((found.intact, found.fault()), (false, fault), "{sql}");
        assert!(!found.first_bad_row.is_empty());
        let back = "set local session_replication_role = replica;
            delete from entry_seal; delete from posting; delete from entry; delete from account;
            insert into account (town, id, kind, fund, fiscal_year, committee, earmark, category, balance_fen, held_fen, version, created)
                select town, id, kind, fund, fiscal_year, committee, earmark, category, balance_fen, held_fen, version, created from kept_account; insert into entry overriding system value select * from kept_entry;
            insert into posting select * from kept_posting; insert into entry_seal select * from kept_entry_seal;
            drop table kept_entry, kept_posting, kept_account, kept_entry_seal";
        service.sql(back).await;
        assert!(verified(&service).await.intact);
    }
}
