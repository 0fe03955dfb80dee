//! A claim that is paid in part: decided anew, appealed, closed with what was paid.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;
use pb::{ClaimOutcome, ClaimState};

use super::{As, Event, approved, in_fen, step};
use crate::harness::{Service, fen, reason, service};

/// Decided anew, with a reason.
async fn reopened(service: &Service, claim: &pb::Claim) -> pb::Claim {
    let reopen =
        pb::ReopenClaimRequest { comment: "事实已更正".to_owned(), ..step!(ReopenClaimRequest, claim) };
    service.claims().reopen_claim(service.officer("opener", reopen)).await.unwrap().into_inner()
}

async fn appealed(service: &Service, claim: &pb::Claim) -> pb::Claim {
    let appeal = step!(AppealClaimRequest, claim, appeal: "民生综合保险也应赔付".to_owned());
    let by = service.by(As::Committee("neighbour", "c1"), appeal);
    service.claims().appeal_claim(by).await.unwrap().into_inner()
}

async fn assessed_anew(service: &Service, claim: &pb::Claim, loss: i64) -> pb::Claim {
    let assess = step!(AssessClaimRequest, claim, assessed_amount: Some(fen(loss)), disability_grade: 0);
    service.claims().assess_claim(service.officer("assessor", assess)).await.unwrap().into_inner()
}

async fn decided_by_another(service: &Service, claim: &pb::Claim) -> Result<pb::Claim, tonic::Status> {
    let request = step!(AdjudicateClaimRequest, claim, without_documents: false);
    Ok(service.claims().adjudicate_claim(service.officer("second", request)).await?.into_inner())
}

/// Drawn on the year's limit of a policy.
async fn drawn(service: &Service, policy: &str) -> i64 {
    let sql = format!("select used_fen from cap_used where policy = '{policy}-2020' and cap = 'YEAR'");
    service.number(&sql).await
}

/// What the report says of either policy: approved, paid, open.
async fn reported(service: &Service) -> Vec<[i64; 3]> {
    let request = pb::GetLossRatiosRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let all =
        service.reports().get_loss_ratios(service.officer("reader", request)).await.unwrap().into_inner();
    let amounts = |one: &pb::LossRatio| {
        [&one.approved_amount, &one.paid_amount, &one.open_amount].map(|money| in_fen(money.as_ref()))
    };
    all.loss_ratios.iter().map(amounts).collect()
}

/// The register as corrected: nobody lived there.
async fn gone(service: &Service) {
    service.governance_sql("update residence set recorded = tstzrange(lower(recorded), now()) where town = 'malu' and person = 'r-1'").await;
}

#[tokio::test]
async fn the_difference_is_decided_anew_and_what_was_paid_counts() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.fire_noticed().await;
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let claim = reopened(&service, &claim).await;
    // what is paid stays drawn, and shown, while it isn't decided
    assert_eq!((claim.state(), in_fen(claim.paid_amount.as_ref())), (ClaimState::Assessed, 30_000_00));
    assert_eq!(drawn(&service, "cci").await, 30_000_00);
    let own = step!(AssessClaimRequest, claim, assessed_amount: Some(fen(1_00)), disability_grade: 0);
    let own = service.claims().assess_claim(service.officer("adjudicator", own)).await.unwrap_err();
    assert_eq!(reason(&own), "MAKER_IS_CHECKER");
    let claim = assessed_anew(&service, &claim, 60_000_00).await;
    let claim = service.adjudicate(&claim).await.unwrap();
    assert_eq!(approved(&claim), [30_000_00, 24_000_00]);
    assert_eq!((drawn(&service, "cci").await, drawn(&service, "li").await), (30_000_00, 24_000_00));
    let claim = service.noticed(&claim).await;
    let made = service.pay_as(&claim, "cci", 30_000_00, "r-2").await.unwrap_err();
    assert_eq!(reason(&made), "PAYMENT_MADE");
    let claim = service.pay(&claim, "li", 24_000_00).await.unwrap();
    // who pays sees what he paid; the town all of it
    assert_eq!((claim.state(), in_fen(claim.paid_amount.as_ref())), (ClaimState::Paid, 24_000_00));
    assert_eq!(in_fen(service.read(&claim).await.paid_amount.as_ref()), 54_000_00);
    // the report counts what was paid by an earlier decision
    assert_eq!(reported(&service).await, [[30_000_00, 30_000_00, 0], [24_000_00, 24_000_00, 0]]);
    let claim = service.confirm(&claim).await.unwrap();
    service.close(&claim, "").await.unwrap();
}

#[tokio::test]
async fn where_nothing_is_left_to_be_paid_it_is_closed() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.fire_noticed().await;
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let claim = reopened(&service, &claim).await;
    // the other scheme never knew fires: its version as it would have been signed
    service.sql("set local session_replication_role = replica; delete from policy_benefit where policy = 'li-2020' and peril = 'FIRE'").await;
    let claim = service.adjudicate(&claim).await.unwrap();
    assert_eq!((claim.outcome(), approved(&claim)), (ClaimOutcome::Approved, vec![30_000_00, 0]));
    assert_eq!(drawn(&service, "li").await, 0);
    assert_eq!(claim.waiting_for.as_ref().unwrap().verb, "confirmPayment");
    let publish = step!(PublishClaimNoticeRequest, claim);
    let none = service.claims().publish_claim_notice(service.officer("publisher", publish)).await;
    assert_eq!(reason(&none.unwrap_err()), "NOTHING_TO_PAY");
    let early = service.close(&claim, "").await.unwrap_err();
    assert_eq!(reason(&early), "PAYMENT_UNCONFIRMED");
    let claim = service.confirm(&claim).await.unwrap();
    let claim = service.close(&claim, "").await.unwrap();
    assert_eq!((claim.state(), in_fen(claim.paid_amount.as_ref())), (ClaimState::Closed, 30_000_00));
}

#[tokio::test]
async fn what_would_be_decided_below_what_is_paid_is_reversed_or_closed_with_it() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.fire_noticed().await;
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let claim = service.confirm(&claim).await.unwrap();
    let claim = reopened(&service, &claim).await;
    let before = service.dump().await;
    // as long as it can be decided, it is
    let decide = service.close(&claim, "不再核定").await.unwrap_err();
    assert_eq!(reason(&decide), "CLAIM_TO_BE_DECIDED");
    gone(&service).await;
    let above = service.adjudicate(&claim).await.unwrap_err();
    assert_eq!(reason(&above), "PAID_ABOVE_DECISION");
    let silent = service.close(&claim, "").await.unwrap_err();
    assert_eq!(reason(&silent), "REASON_REQUIRED");
    assert_eq!(service.dump().await, before);
    let closed = service.close(&claim, "已付款项无法追回").await.unwrap();
    assert_eq!((closed.state(), in_fen(closed.paid_amount.as_ref())), (ClaimState::Closed, 30_000_00));
    // what won't be paid is free for others
    assert_eq!((drawn(&service, "cci").await, drawn(&service, "li").await), (30_000_00, 0));
    assert_eq!(reported(&service).await, [[30_000_00, 30_000_00, 0], [40_000_00, 0, 0]]);
    let id = closed.name.rsplit('/').next().unwrap();
    let back = format!("update claim set state = 'NOTICE' where id = '{id}'");
    assert_eq!(service.constraint(&back).await, "claim_ended_stays");
}

#[tokio::test]
async fn after_the_reversal_it_is_rejected() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.fire_noticed().await;
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let claim = reopened(&service, &claim).await;
    gone(&service).await;
    let claim = service.reverse(&claim, 1).await.unwrap();
    let claim = service.adjudicate(&claim).await.unwrap();
    assert_eq!((claim.outcome(), in_fen(claim.paid_amount.as_ref())), (ClaimOutcome::Rejected, 0));
    assert_eq!(service.number("select sum(used_fen)::bigint from cap_used").await, 0);
}

/// An injury in a public area of somebody who, as the register says at first, lives nowhere: one scheme pays in the place alone.
const INJURY: Event<'static> =
    Event { peril: "PUBLIC_AREA_INJURY", on: date(2020, 5, 20), place: "e-1", person: "r-6", household: "" };

/// Paid by the first scheme, not by the second.
async fn paid_in_part(service: &Service) -> pb::Claim {
    let claim = service.assessed(INJURY, Some(26_000_00), 0).await;
    let claim = service.adjudicate(&claim).await.unwrap();
    assert_eq!((claim.outcome(), approved(&claim)), (ClaimOutcome::InPart, vec![20_000_00, 0]));
    let claim = service.noticed(&claim).await;
    let claim = service.pay(&claim, "cci", 20_000_00).await.unwrap();
    assert_eq!(claim.state(), ClaimState::Paid);
    claim
}

#[tokio::test]
async fn an_appeal_that_raises_the_sum_pays_the_difference() {
    let service = service(date(2020, 5, 29)).await;
    service.schemes().await;
    let claim = paid_in_part(&service).await;
    let claim = appealed(&service, &claim).await;
    assert_eq!((claim.state(), in_fen(claim.paid_amount.as_ref())), (ClaimState::Appealed, 20_000_00));
    // nothing is paid meanwhile
    let held = service.pay_as(&claim, "cci", 1_00, "r-2").await.unwrap_err();
    assert_eq!(reason(&held), "WRONG_STATE");
    service.governance_sql("insert into residence (town, id, person, household, ground, valid, recorded)
        values ('malu', gen_random_uuid(), 'r-6', 'h-1', 'REGISTERED', '[2012-01-01,)', tstzrange(now(), null))").await;
    let claim = decided_by_another(&service, &claim).await.unwrap();
    assert_eq!(approved(&claim), [20_000_00, 4_800_00]);
    let claim = service.noticed(&claim).await;
    let claim = service.pay(&claim, "li", 4_800_00).await.unwrap();
    assert_eq!((claim.state(), in_fen(claim.paid_amount.as_ref())), (ClaimState::Paid, 4_800_00));
    assert_eq!(in_fen(service.read(&claim).await.paid_amount.as_ref()), 24_800_00);
    let again = step!(AppealClaimRequest, claim, appeal: "仍嫌少".to_owned());
    let again = service.claims().appeal_claim(service.officer("reader", again)).await.unwrap_err();
    assert_eq!(reason(&again), "NOTHING_TO_APPEAL");
}

#[tokio::test]
async fn an_appeal_that_lowers_the_sum_takes_nothing_back() {
    let service = service(date(2020, 5, 29)).await;
    service.schemes().await;
    let claim = service.confirm(&paid_in_part(&service).await).await.unwrap();
    let claim = appealed(&service, &claim).await;
    let claim = assessed_anew(&service, &claim, 5_000_00).await;
    let before = service.dump().await;
    let below = decided_by_another(&service, &claim).await.unwrap_err();
    assert_eq!(reason(&below), "PAID_ABOVE_DECISION");
    assert_eq!(service.dump().await, before);
    // either it ends with what was paid, or the payment is taken back first
    let closed = service.close(&claim, "已付不予追回").await.unwrap();
    assert_eq!((closed.state(), in_fen(closed.paid_amount.as_ref())), (ClaimState::Closed, 20_000_00));
}

#[tokio::test]
async fn an_appeal_is_over_with_its_term_and_with_the_claim() {
    let service = service(date(2020, 5, 29)).await;
    service.schemes().await;
    let claim = service.confirm(&paid_in_part(&service).await).await.unwrap();
    let ends = claim.appeal_end_date.unwrap();
    let appeal = |claim: &pb::Claim| step!(AppealClaimRequest, claim, appeal: "申请复议".to_owned());
    let last =
        jiff::civil::Date::new(2020, i8::try_from(ends.month).unwrap(), i8::try_from(ends.day).unwrap());
    service.clock.set(last.unwrap().tomorrow().unwrap()).unwrap();
    let late = service.claims().appeal_claim(service.officer("reader", appeal(&claim))).await.unwrap_err();
    assert_eq!(reason(&late), "APPEAL_OVER");
    let claim = service.close(&claim, "").await.unwrap();
    let closed = service.claims().appeal_claim(service.officer("reader", appeal(&claim))).await.unwrap_err();
    assert_eq!(reason(&closed), "WRONG_STATE");
}

#[tokio::test]
async fn what_is_paid_is_never_above_its_line_whoever_writes() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.fire_noticed().await;
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let id = claim.name.rsplit('/').next().unwrap();
    // decided below by a hand
    let below = format!(
        "insert into claim_decision (town, claim, n, outcome, assessed_fen, documents_complete, approved_fen, facts, decided_on, decided_by)
             values ('malu', '{id}', 2, 'APPROVED', 8000000, true, 4000000, '{{}}', '2020-03-01', 'hand');
         insert into claim_line (town, claim, decision, n, programme, policy, version, insurer, outcome, loss, seen_fen, covered_fen, approved_fen, trace)
             select town, claim, 2, n, programme, policy, version, insurer, outcome, loss, seen_fen, covered_fen, approved_fen, trace
             from claim_line where claim = '{id}' and programme = 'li';
         insert into claim_draw (town, claim, decision, policy, version, cap, peril, subject, year, amount_fen)
             select town, claim, decision, policy, version, cap, peril, subject, year, -amount_fen from claim_draw where claim = '{id}';
         insert into claim_draw (town, claim, decision, policy, version, cap, peril, subject, year, amount_fen)
             select town, claim, 2, policy, version, cap, peril, subject, year, -amount_fen from claim_draw
             where claim = '{id}' and policy = 'li-2020' and amount_fen < 0;
         update claim set decision = 2, approved_fen = 4000000, state = 'ADJUDICATED' where id = '{id}'"
    );
    assert_eq!(service.constraint(&below).await, "claim_paid_within_its_line");
}
