//! What the tables hold of claims, decisions, payments and objections, each by its name.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;

use super::{Event, fire, step};
use crate::harness::{Service, service};

fn id(claim: &pb::Claim) -> &str {
    claim.name.rsplit('/').next().unwrap()
}

/// Asks for each constraint by its name.
async fn held(service: &Service, all: &[(&str, String)]) {
    for (wanted, sql) in all {
        assert_eq!(service.constraint(sql).await, *wanted, "{sql}");
    }
}

/// A claim that is written by hand for the incident of another: `object`, its household, its report, its number.
fn written(of: &str, (object, household): (&str, &str), reported: &str, number: &str) -> String {
    format!(
        "insert into claim (town, id, number, state, incident, event, peril, object, happened_on, reported_on, place_kind, place, insured, claimant,
                            household, payee_sealed, data_key, since, reported_by)
         select 'malu', gen_random_uuid(), '{number}', 'REPORTED', incident, event, peril, '{object}', happened_on, '{reported}',
                 place_kind, place, 'r-5', 'r-5', '{household}', 'x', 1, '{reported}', 'hand' from claim where id = '{of}'"
    )
}

/// A decision by hand, the second of a claim.
fn decided(claim: &str, (outcome, rule, fen): (&str, &str, i64), (by, person): (&str, &str)) -> String {
    format!(
        "insert into claim_decision (town, claim, n, outcome, rule, assessed_fen, documents_complete, approved_fen, facts, decided_on, decided_by, decided_person)
         values ('malu', '{claim}', 2, '{outcome}', {rule}, 8000000, true, {fen}, '{{}}', '2020-03-01', '{by}', '{person}')"
    )
}

/// A line by hand: its decision and programme, and outcome, rule, what is covered and approved.
fn line(claim: &str, (decision, programme): (i64, &str), said: &str) -> String {
    format!(
        "insert into claim_line (town, claim, decision, n, programme, policy, version, insurer, loss, seen_fen, trace, outcome, rule, covered_fen, approved_fen)
         values ('malu', '{claim}', {decision}, 9, '{programme}', 'cci-2020', 1, 'o-insurer-0', true, 8000000, '[]', {said})"
    )
}

#[tokio::test]
async fn a_claim_stands_by_what_was_reported_and_decided() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let event = Event { peril: "PUBLIC_AREA_INJURY", place: "e-1", ..fire(date(2020, 2, 14)) };
    let gone = service.claim(event, Some(1_000_00)).await;
    let withdraw = step!(WithdrawClaimRequest, gone);
    service.claims().withdraw_claim(service.officer("reporter", withdraw)).await.unwrap();
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.noticed(&service.adjudicate(&claim).await.unwrap()).await;
    let (one, number, reported) = (id(&claim), claim.number.as_str(), "2020-02-17");
    let set = |what: &str| format!("update claim set {what} where id = '{one}'");
    let hand = ("hand", "");
    held(
        &service,
        &[
            ("claim_names_the_dwelling", written(one, ("DWELLING", ""), reported, "民-2020-000099")),
            (
                "claim_reported_after_the_event",
                written(one, ("PERSON", ""), "2020-02-13", "民-2020-000099"),
            ),
            ("claim_number_once", written(one, ("PERSON", ""), reported, number)),
            ("beneficiaries_share_the_whole", written(one, ("PERSON", ""), reported, "民-2020-000099")),
            (
                "claim_beneficiary_once",
                format!("insert into claim_beneficiary values ('malu', '{one}', 2, 'r-1', 1, 'SELF')"),
            ),
            ("claim_ended_stays", format!("update claim set state = 'REPORTED' where id = '{}'", id(&gone))),
            ("claim_resumes_where_it_stopped", set("resumes = 'ACCEPTED', left_days = 1")),
            ("claim_assessed_before_it_is_decided", set("assessed_by = null")),
            ("claim_assessed_within_what_is_claimed", set("claimed_fen = 7999999")),
            ("claim_decided_as_its_state_says", set("outcome = null")),
            ("claim_noticed_as_its_state_says", set("notice_ends = null")),
            ("claim_paid_within_the_decision", set("paid_fen = approved_fen + 1")),
            (
                "claim_gives_back_what_is_reversed",
                set("state = 'ASSESSED', decision = null, outcome = null, rule = null, approved_fen = 0, adjudicated_by = null,
                     notice_from = null, notice_days = null, notice_ends = null"),
            ),
            ("claim_decision_pays_as_it_says", decided(one, ("REJECTED", "'CAP_EXHAUSTED'", 1), hand)),
            ("claim_decision_pays_as_it_says", decided(one, ("APPROVED", "'CAP_EXHAUSTED'", 1), hand)),
            ("claim_line_once", line(one, (1, "cci"), "'REJECTED', 'CAP_EXHAUSTED', 0, 0")),
            ("claim_line_pays_as_it_says", line(one, (1, "x"), "'APPROVED', null, 0, 0")),
            ("claim_line_within_its_benefit", line(one, (1, "x"), "'APPROVED', null, 1, 2")),
            (
                "claim_lines_make_the_decision",
                format!(
                    "{}; {}",
                    decided(one, ("IN_PART", "'CAP_EXHAUSTED'", 5), hand),
                    line(one, (2, "x"), "'REJECTED', 'CAP_EXHAUSTED', 0, 0")
                ),
            ),
            ("cap_not_below_zero", "update cap_used set used_fen = -1".to_owned()),
        ],
    )
    .await;
}

#[tokio::test]
async fn other_people_answer_and_decide_anew() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let adjudicator = ("urn:linli:development|adjudicator", "towns/malu/people/adjudicator");
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.noticed(&service.adjudicate(&claim).await.unwrap()).await;
    let one = id(&claim);
    let object = format!(
        "insert into claim_objection (town, id, claim, text_sealed, data_key, objected_on, objected_by)
             values ('malu', gen_random_uuid(), '{one}', 'x', 1, '2020-02-20', 'y');
         update claim set state = 'OBJECTED', open_objections = 1 where id = '{one}'"
    );
    service.sql(&object).await;
    let answer = |by: &str, person: &str| {
        format!(
            "update claim_objection set state = 'ANSWERED', answer_sealed = 'x', answered_on = '2020-02-21', answered_by = '{by}', answered_person = '{person}'"
        )
    };
    // one that is a day early: rejected, and appealed
    let early = service.assessed(fire(date(2019, 12, 31)), Some(1_000_00), 0).await;
    let early = service.adjudicate(&early).await.unwrap();
    let appeal = step!(AppealClaimRequest, early, appeal: "请复议".to_owned());
    service.claims().appeal_claim(service.officer("clerk", appeal)).await.unwrap();
    let again = decided(id(&early), ("REJECTED", "'CAP_EXHAUSTED'", 0), adjudicator);
    held(
        &service,
        &[
            ("claim_objection_answered_by_no_adjudicator", answer(adjudicator.0, adjudicator.1)),
            ("claim_objection_answered_by_another", answer("y", "")),
            (
                "claim_objection_answered_as_its_state_says",
                "update claim_objection set state = 'ANSWERED'".to_owned(),
            ),
            ("claim_open_objection", "update claim_objection set state = 'OVERTAKEN'".to_owned()),
            ("claim_appeal_decided_by_another", again),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_was_paid_stands_until_it_is_confirmed_and_then_closed() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.noticed(&service.adjudicate(&claim).await.unwrap()).await;
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    service.pay(&claim, "li", 40_000_00).await.unwrap();
    let one = id(&claim);
    // what a trigger would refuse first is written as a replica would
    let replica = "set local session_replication_role = replica;";
    held(
        &service,
        &[
            ("claim_payment_stays", "update claim_payment set reference = 'y' where programme = 'cci'".to_owned()),
            (
                "claim_payment_confirmed_whole",
                format!("{replica} update claim_payment set confirmed_on = paid_on"),
            ),
            (
                "claim_payment_confirmed_by_another",
                format!("{replica} update claim_payment set confirmed_on = paid_on, confirmed_by = recorded_by"),
            ),
            (
                "claim_payment_reference_once",
                format!(
                    "{replica} insert into claim_payment (town, claim, n, programme, decision, insurer, amount_fen, paid_on, reference, recorded_by)
                     select town, claim, 9, 'x', decision, insurer, amount_fen, paid_on, reference, recorded_by from claim_payment where programme = 'cci'"
                ),
            ),
            (
                "claim_confirmed_before_it_is_closed",
                format!("update claim set state = 'CLOSED' where id = '{one}'"),
            ),
            (
                "payment_file_line_says_why",
                "insert into payment_file (town, id, insurer, sha256, received_on, received_by)
                     values ('malu', '00000000-0000-7000-8000-000000000009', 'o-insurer-0', sha256('x'), '2020-03-01', 'x');
                 insert into payment_file_line (town, file, n, row, claim_number, programme, amount_fen, paid_on, reference, result)
                     values ('malu', '00000000-0000-7000-8000-000000000009', 1, 2, '民-2020-000001', 'cci', 1, '2020-03-01', 'r', 'REFUSED')"
                    .to_owned(),
            ),
        ],
    )
    .await;
}
