//! What the tables refuse whoever writes, the service or a hand at psql.

use jiff::civil::date;

use super::fire;
use crate::harness::{Service, service};

async fn noticed(service: &Service) -> String {
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.noticed(&service.adjudicate(&claim).await.unwrap()).await;
    claim.name.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn nothing_is_paid_but_what_stands_decided() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let id = noticed(&service).await;
    let pay = |programme: &str, insurer: &str, fen: i64, by: &str, on: &str| {
        format!(
            "insert into claim_payment (town, claim, programme, decision, insurer, amount_fen, paid_on, reference, recorded_by)
                 values ('malu', '{id}', '{programme}', 1, '{insurer}', {fen}, '{on}', 'x', '{by}');
             update claim set paid_fen = paid_fen + {fen} where id = '{id}'"
        )
    };
    for (sql, wanted) in [
        (pay("cci", "o-insurer-0", 1_00, "hand", "2020-03-31"), "claim_payment_pays_what_is_decided"),
        (pay("cci", "o-insurer-1", 30_000_00, "hand", "2020-03-31"), "claim_payment_pays_what_is_decided"),
        (pay("cci", "o-insurer-0", 30_000_00, "hand", "2020-02-18"), "claim_noticed_before_it_is_paid"),
        (
            pay("cci", "o-insurer-0", 30_000_00, "urn:linli:development|adjudicator", "2020-03-31"),
            "claim_paid_by_another",
        ),
        (format!("update claim set paid_fen = 1 where id = '{id}'"), "claim_counts_its_payments"),
        (format!("update claim set state = 'PAID' where id = '{id}'"), "claim_paid_as_its_state_says"),
        (format!("update claim set insured = 'r-2' where id = '{id}'"), "claim_identity_stays"),
        (
            format!(
                "update claim set adjudicated_by = assessed_by, adjudicated_person = assessed_person where id = '{id}'"
            ),
            "claim_adjudicated_by_another",
        ),
        (
            format!("update claim set approved_fen = 99999999 where id = '{id}'"),
            "claim_stands_by_its_decision",
        ),
        (format!("update claim set state = 'OBJECTED' where id = '{id}'"), "claim_open_objection"),
        (format!("delete from claim where id = '{id}'"), "claim_is_kept"),
        (format!("update claim_line set approved_fen = 1 where claim = '{id}'"), "claim_line_never_changes"),
        (
            format!("update claim_decision set approved_fen = 1 where claim = '{id}'"),
            "claim_decision_never_changes",
        ),
        (
            format!("update claim_beneficiary set share_ppm = 999999 where claim = '{id}'"),
            "beneficiaries_share_the_whole",
        ),
    ] {
        assert_eq!(service.constraint(&sql).await, wanted, "{sql}");
    }
    // an objection that is open holds the payment, whatever the state says
    let object = format!(
        "insert into claim_objection (town, id, claim, text_sealed, data_key, objected_on, objected_by) values ('malu', gen_random_uuid(), '{id}', '', 1, '2020-02-20', 'x');
         update claim set state = 'OBJECTED', open_objections = 1 where id = '{id}'"
    );
    service.sql(&object).await;
    assert_eq!(
        service.constraint(&pay("cci", "o-insurer-0", 30_000_00, "hand", "2020-03-31")).await,
        "claim_objected_is_not_paid"
    );
}

#[tokio::test]
async fn no_limit_is_passed_and_no_line_pays_without_drawing_on_it() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let id = noticed(&service).await;
    let draw = |cap: &str, fen: i64| {
        format!(
            "insert into claim_draw (town, claim, decision, policy, version, cap, peril, subject, year, amount_fen)
                 values ('malu', '{id}', 1, 'li-2020', 1, '{cap}', '', 'r-9', 2020, {fen})"
        )
    };
    assert_eq!(service.constraint(&draw("PERSON_YEAR", 250_000_01)).await, "claim_draw_once");
    let decide = |fen: i64, draws: &str| {
        format!(
            "insert into claim_decision (town, claim, n, outcome, assessed_fen, documents_complete, approved_fen, facts, decided_on, decided_by)
                 values ('malu', '{id}', 2, 'APPROVED', 8000000, true, {fen}, '{{}}', '2020-03-01', 'hand');
             insert into claim_line (town, claim, decision, n, programme, policy, version, insurer, outcome, loss, seen_fen, covered_fen, approved_fen, trace)
                 values ('malu', '{id}', 2, 1, 'cci', 'cci-2020', 1, 'o-insurer-0', 'APPROVED', true, 8000000, {fen}, {fen}, '[]');
             {draws}"
        )
    };
    let draws = |fen: i64| {
        format!(
            "insert into claim_draw (town, claim, decision, policy, version, cap, peril, subject, year, amount_fen) values
                 ('malu', '{id}', 2, 'cci-2020', 1, 'BENEFIT_HOUSEHOLD_YEAR', 'FIRE', 'h-1', 2020, {fen}),
                 ('malu', '{id}', 2, 'cci-2020', 1, 'YEAR', '', '', 2020, {fen})"
        )
    };
    assert_eq!(service.constraint(&decide(1_00, "select 1")).await, "claim_line_draws_what_it_pays");
    // 30,000 of 30,000 are drawn by the first decision
    assert_eq!(service.constraint(&decide(1_00, &draws(1_00))).await, "cap_not_exceeded");
    // and are given back by whoever took them, no more
    let back = format!(
        "insert into claim_draw (town, claim, decision, policy, version, cap, peril, subject, year, amount_fen)
             values ('malu', '{id}', 1, 'cci-2020', 1, 'BENEFIT_HOUSEHOLD_YEAR', 'FIRE', 'h-1', 2020, -3000001)"
    );
    assert_eq!(service.constraint(&back).await, "claim_draw_gives_back_what_it_took");
    let role = "set local role linli_insurance;";
    for sql in [
        "update cap_used set used_fen = 0",
        "insert into claim_leg values ('malu', gen_random_uuid(), 1, 'PAID', '2020-01-01', null, null)",
        "delete from claim_draw",
    ] {
        let refused = service.try_sql(&format!("{role} {sql}")).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{sql}: {refused}");
    }
}
