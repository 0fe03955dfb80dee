//! Payments taken back, paid again, confirmed once.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;
use pb::ClaimState;
use tonic::Status;

use super::{As, fire, in_fen, step};
use crate::harness::{Service, fen, reason, service};

/// The reversal of a payment, as somebody asks for it.
pub(super) fn reversal(claim: &pb::Claim, payment: i32, why: &str) -> pb::ReverseClaimPaymentRequest {
    pb::ReverseClaimPaymentRequest {
        comment: why.to_owned(),
        ..step!(ReverseClaimPaymentRequest, claim, payment: payment)
    }
}

impl Service {
    /// A payment taken back by an officer of the town.
    pub(super) async fn reverse(&self, claim: &pb::Claim, payment: i32) -> Result<pb::Claim, Status> {
        let request = self.officer("reverser", reversal(claim, payment, "误付他人账户"));
        Ok(self.claims().reverse_claim_payment(request).await?.into_inner())
    }

    /// Paid by a programme under another reference.
    pub(crate) async fn pay_as(
        &self,
        claim: &pb::Claim,
        programme: &str,
        amount: i64,
        reference: &str,
    ) -> Result<pb::Claim, Status> {
        let request = step!(PayClaimRequest, claim, programme: format!("towns/malu/programmes/{programme}"),
            amount: Some(fen(amount)), pay_date: None, payment_reference: reference.to_owned());
        let insurer = if programme == "cci" { "o-insurer-0" } else { "o-insurer-1" };
        Ok(self.claims().pay_claim(self.by(As::Adjuster("payer", insurer), request)).await?.into_inner())
    }

    /// Every payment that waits is confirmed by the family.
    pub(super) async fn confirm(&self, claim: &pb::Claim) -> Result<pb::Claim, Status> {
        let confirm = step!(ConfirmClaimPaymentRequest, claim, programme: String::new());
        let by = self.by(As::Committee("neighbour", "c1"), confirm);
        Ok(self.claims().confirm_claim_payment(by).await?.into_inner())
    }

    pub(super) async fn close(&self, claim: &pb::Claim, why: &str) -> Result<pb::Claim, Status> {
        let close = pb::CloseClaimRequest { comment: why.to_owned(), ..step!(CloseClaimRequest, claim) };
        Ok(self.claims().close_claim(self.officer("closer", close)).await?.into_inner())
    }

    /// A fire of 80,000 yuan, decided at 30,000 and 40,000, whose notice is over.
    pub(super) async fn fire_noticed(&self) -> pb::Claim {
        let claim = self.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
        self.noticed(&self.adjudicate(&claim).await.unwrap()).await
    }
}

#[tokio::test]
async fn a_payment_is_taken_back_by_somebody_else_and_made_again() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.fire_noticed().await;
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let claim = service.pay(&claim, "li", 40_000_00).await.unwrap();
    let claim = service.confirm(&claim).await.unwrap();
    let (before, drawn) = (service.dump().await, "select sum(used_fen)::bigint from cap_used");
    let used = service.number(drawn).await;
    let mut client = service.claims();
    for (request, wanted) in [
        (service.officer("payer", reversal(&claim, 1, "误付")), "MAKER_IS_CHECKER"),
        (service.officer("neighbour", reversal(&claim, 1, "误付")), "MAKER_IS_CHECKER"),
        (service.officer("r-1", reversal(&claim, 1, "误付")), "CLAIM_OF_ONES_OWN"),
        (service.officer("reverser", reversal(&claim, 1, " ")), "REASON_REQUIRED"),
        (service.officer("reverser", reversal(&claim, 3, "误付")), "NOTHING_TO_REVERSE"),
        // the other insurer's
        (service.by(As::Adjuster("other", "o-insurer-1"), reversal(&claim, 1, "误付")), "PERMISSION_DENIED"),
        (service.by(As::Committee("neighbour", "c1"), reversal(&claim, 1, "误付")), "PERMISSION_DENIED"),
    ] {
        assert_eq!(reason(&client.reverse_claim_payment(request).await.unwrap_err()), wanted);
    }
    assert_eq!(service.dump().await, before);
    let claim = service.reverse(&claim, 1).await.unwrap();
    assert_eq!((claim.state(), in_fen(claim.paid_amount.as_ref())), (ClaimState::Notice, 40_000_00));
    let rows: Vec<_> = claim
        .payments
        .iter()
        .map(|one| (one.number, in_fen(one.amount.as_ref()), one.reverses, one.reversed_by))
        .collect();
    assert_eq!(rows, [(1, 30_000_00, 0, 3), (2, 40_000_00, 0, 0), (3, -30_000_00, 1, 0)]);
    let line = &claim.decisions[0].lines[0];
    assert_eq!((in_fen(line.paid_amount.as_ref()), line.payment_reference.as_str()), (0, ""));
    // the decision holds, and with it what it drew
    assert_eq!(service.number(drawn).await, used);
    let events = "select count(*) from event where type like '%claim.paymentReversed%'";
    assert_eq!(service.number(events).await, 1);
    let twice = service.reverse(&claim, 1).await.unwrap_err();
    assert_eq!(reason(&twice), "PAYMENT_REVERSED");
    let reversal = service.reverse(&claim, 3).await.unwrap_err();
    assert_eq!(reason(&reversal), "NOTHING_TO_REVERSE");
    // the reference of what was taken back isn't used again
    let used = service.pay(&claim, "cci", 30_000_00).await.unwrap_err();
    assert_eq!(reason(&used), "REFERENCE_USED");
    let claim = service.pay_as(&claim, "cci", 30_000_00, "r-again").await.unwrap();
    assert_eq!(claim.state(), ClaimState::Paid);
    let claim = service.confirm(&claim).await.unwrap();
    let claim = service.close(&claim, "").await.unwrap();
    assert_eq!((claim.state(), in_fen(claim.paid_amount.as_ref())), (ClaimState::Closed, 70_000_00));
}

#[tokio::test]
async fn what_was_paid_too_much_is_taken_back_and_decided_anew() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.fire_noticed().await;
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let claim = service.pay(&claim, "li", 40_000_00).await.unwrap();
    let claim = service.reverse(&claim, 2).await.unwrap();
    let claim = service.reverse(&claim, 1).await.unwrap();
    assert_eq!((claim.state(), in_fen(claim.paid_amount.as_ref())), (ClaimState::Notice, 0));
    let reopen =
        pb::ReopenClaimRequest { comment: "定损有误".to_owned(), ..step!(ReopenClaimRequest, claim) };
    let claim = service.claims().reopen_claim(service.officer("opener", reopen)).await.unwrap().into_inner();
    assert_eq!(service.number("select sum(used_fen)::bigint from cap_used").await, 0);
    let assess = step!(AssessClaimRequest, claim, assessed_amount: Some(fen(20_000_00)), disability_grade: 0);
    let claim =
        service.claims().assess_claim(service.officer("assessor", assess)).await.unwrap().into_inner();
    let claim = service.noticed(&service.adjudicate(&claim).await.unwrap()).await;
    assert_eq!(super::approved(&claim), [11_700_00, 6_640_00]);
    let claim = service.pay_as(&claim, "cci", 11_700_00, "r-3").await.unwrap();
    let claim = service.pay_as(&claim, "li", 6_640_00, "r-4").await.unwrap();
    assert_eq!(claim.state(), ClaimState::Paid);
}

#[tokio::test]
async fn a_closed_claim_gives_back_what_the_reversed_line_drew_and_can_be_reopened() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.fire_noticed().await;
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let claim = service.pay(&claim, "li", 40_000_00).await.unwrap();
    let claim = service.confirm(&claim).await.unwrap();
    let claim = service.close(&claim, "").await.unwrap();
    let year = |policy: &str| {
        format!("select used_fen from cap_used where policy = '{policy}-2020' and cap = 'YEAR'")
    };
    let claim = service.reverse(&claim, 1).await.unwrap();
    assert_eq!(claim.state(), ClaimState::Closed);
    assert_eq!(service.number(&year("cci")).await, 0);
    assert_eq!(service.number(&year("li")).await, 40_000_00);
    let reopen = |claim: &pb::Claim| pb::ReopenClaimRequest {
        comment: "误付已退回".to_owned(),
        ..step!(ReopenClaimRequest, claim)
    };
    let paid = service.claims().reopen_claim(service.officer("opener", reopen(&claim))).await.unwrap_err();
    assert_eq!(reason(&paid), "CLAIM_PAID");
    let claim = service.reverse(&claim, 2).await.unwrap();
    let claim =
        service.claims().reopen_claim(service.officer("opener", reopen(&claim))).await.unwrap().into_inner();
    assert_eq!(service.number("select sum(used_fen)::bigint from cap_used").await, 0);
    let claim = service.noticed(&service.adjudicate(&claim).await.unwrap()).await;
    assert_eq!(super::approved(&claim), [30_000_00, 40_000_00]);
    service.pay_as(&claim, "cci", 30_000_00, "r-3").await.unwrap();
}

#[tokio::test]
async fn a_confirmed_payment_is_confirmed_once() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.fire_noticed().await;
    let none = service.confirm(&claim).await.unwrap_err();
    assert_eq!(reason(&none), "PAYMENT_UNCONFIRMED");
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let claim = service.confirm(&claim).await.unwrap();
    let before = service.dump().await;
    let again = service.confirm(&claim).await.unwrap_err();
    assert_eq!(reason(&again), "PAYMENT_CONFIRMED");
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn a_login_without_a_person_hears_that_one_is_needed() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let request = step!(AdjudicateClaimRequest, claim, without_documents: false);
    let nobody = service.personless("batch", "town-officer", "malu");
    let unknown =
        service.claims().adjudicate_claim(crate::harness::with(request, &nobody)).await.unwrap_err();
    assert_eq!(reason(&unknown), "PERSON_NEEDED");
    let claim = service.noticed(&service.adjudicate(&claim).await.unwrap()).await;
    let pay = step!(PayClaimRequest, claim, programme: "towns/malu/programmes/cci".to_owned(),
        amount: Some(fen(30_000_00)), pay_date: None, payment_reference: "r-1".to_owned());
    let adjuster = service.personless("batch", "adjuster", "organisation:o-insurer-0");
    let unknown = service.claims().pay_claim(crate::harness::with(pay, &adjuster)).await.unwrap_err();
    assert_eq!(reason(&unknown), "PERSON_NEEDED");
}

#[tokio::test]
async fn the_tables_hold_what_a_reversal_may_do() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.fire_noticed().await;
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    let claim = service.pay(&claim, "li", 40_000_00).await.unwrap();
    let id = claim.name.rsplit('/').next().unwrap();
    let take = |of: i32, fen: i64, by: &str| {
        format!(
            "insert into claim_payment (town, claim, programme, decision, insurer, amount_fen, paid_on, reference, recorded_by, reverses)
                 select town, claim, programme, decision, insurer, {fen}, paid_on, '', '{by}', {of} from claim_payment where claim = '{id}' and n = 1"
        )
    };
    let open = format!("update claim set state = 'NOTICE', paid_fen = paid_fen - 3000000 where id = '{id}'");
    let payer = "urn:linli:development|payer";
    for (sql, wanted) in [
        (take(1, -1, "hand"), "claim_reversal_takes_back_what_was_paid"),
        (take(2, -30_000_00, "hand"), "claim_reversal_takes_back_what_was_paid"),
        (take(1, -30_000_00, payer), "claim_payment_reversed_by_another"),
        (take(1, 30_000_00, "hand"), "claim_reversal_takes_back_what_was_paid"),
        (take(1, -30_000_00, "hand"), "claim_counts_its_payments"),
        (format!("update claim set state = 'NOTICE' where id = '{id}'"), "claim_ended_stays"),
        (
            format!("{}; {open}; {}", take(1, -30_000_00, "hand"), take(1, -30_000_00, "hand")),
            "claim_payment_reversed_once",
        ),
        // the draws of what is paid stay
        (
            format!(
                "insert into claim_draw (town, claim, decision, policy, version, cap, peril, subject, year, amount_fen)
                     select town, claim, decision, policy, version, cap, peril, subject, year, -amount_fen from claim_draw where claim = '{id}'"
            ),
            "claim_paid_draws_stay",
        ),
    ] {
        assert_eq!(service.constraint(&sql).await, wanted, "{sql}");
    }
    service.sql(&format!("{}; {open}", take(1, -30_000_00, "hand"))).await;
    let confirm = format!(
        "update claim_payment set confirmed_on = '2020-12-31', confirmed_by = 'x' where claim = '{id}' and n = "
    );
    assert_eq!(service.constraint(&format!("{confirm} 1")).await, "claim_payment_stays");
    assert_eq!(service.constraint(&format!("{confirm} 3")).await, "claim_payment_pays_or_reverses");
}
