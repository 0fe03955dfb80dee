//! The way of a claim: stacked, capped, objected, appealed, paid.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;
use pb::{ClaimOutcome, ClaimState};

use super::{As, Event, approved, fire, in_fen, step};
use crate::harness::{fen, reason, service};

#[tokio::test]
async fn a_fire_is_stacked_noticed_paid_confirmed_and_closed() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    // shown first, and nothing stored
    let before = service.dump().await;
    let preview = pb::AdjudicateClaimRequest {
        validate_only: true,
        ..step!(AdjudicateClaimRequest, claim, without_documents: false)
    };
    let shown = service
        .claims()
        .adjudicate_claim(service.officer("adjudicator", preview))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(approved(&shown), [30_000_00, 40_000_00]);
    assert_eq!(service.dump().await, before);

    let claim = service.adjudicate(&claim).await.unwrap();
    assert_eq!((claim.state(), claim.outcome()), (ClaimState::Adjudicated, ClaimOutcome::Approved));
    assert_eq!(approved(&claim), [30_000_00, 40_000_00]);
    let line = &claim.decisions[0].lines[1];
    let amounts = [&line.claimed_amount, &line.assessed_amount, &line.covered_amount, &line.approved_amount];
    assert_eq!(amounts.map(|money| in_fen(money.as_ref())), [80_000_00, 50_000_00, 40_000_00, 40_000_00]);
    let rules: Vec<&str> = line.trace.iter().map(|step| step.rule.as_str()).collect();
    assert!(
        rules.contains(&"LEFT_OF_LOSS")
            && line.trace.iter().all(|step| !step.text_zh.is_empty() && !step.clause.is_empty()),
        "{rules:?}"
    );

    let publish = step!(PublishClaimNoticeRequest, claim);
    let claim = service
        .claims()
        .publish_claim_notice(service.officer("publisher", publish))
        .await
        .unwrap()
        .into_inner();
    let early = service.pay(&claim, "cci", 30_000_00).await.unwrap_err();
    assert_eq!(reason(&early), "CLAIM_NOTICE_RUNNING");
    service.clock.set(super::after(&claim)).unwrap();
    let claim = service.pay(&claim, "cci", 30_000_00).await.unwrap();
    assert_eq!((claim.state(), in_fen(claim.paid_amount.as_ref())), (ClaimState::Notice, 30_000_00));
    let claim = service.pay(&claim, "li", 40_000_00).await.unwrap();
    assert_eq!(claim.state(), ClaimState::Paid);
    let close = step!(CloseClaimRequest, claim);
    let open = service.claims().close_claim(service.officer("closer", close)).await.unwrap_err();
    assert_eq!(reason(&open), "PAYMENT_UNCONFIRMED");
    let confirm = step!(ConfirmClaimPaymentRequest, claim, programme: String::new());
    let by = service.by(As::Committee("neighbour", "c1"), confirm);
    let claim = service.claims().confirm_claim_payment(by).await.unwrap().into_inner();
    let close = step!(CloseClaimRequest, claim);
    let claim = service.claims().close_claim(service.officer("closer", close)).await.unwrap().into_inner();
    assert_eq!(claim.state(), ClaimState::Closed);
    let verbs: Vec<String> = service.read(&claim).await.timeline.into_iter().map(|step| step.verb).collect();
    let all = [
        "report",
        "accept",
        "survey",
        "assess",
        "adjudicate",
        "publishNotice",
        "pay",
        "pay",
        "confirmPayment",
        "close",
    ];
    assert_eq!(verbs, all);
    assert_eq!(service.number("select count(*) from claim_leg where left_on is null").await, 1);
}

#[tokio::test]
async fn an_objection_holds_the_payment_until_somebody_else_has_answered() {
    let service = service(date(2020, 8, 6)).await;
    service.schemes().await;
    let event = Event { peril: "TYPHOON", ..fire(date(2020, 8, 4)) };
    let claim = service.assessed(event, Some(9_000_00), 0).await;
    let claim = service.adjudicate(&claim).await.unwrap();
    assert_eq!(approved(&claim), [5_100_00, 3_120_00]);
    let publish = step!(PublishClaimNoticeRequest, claim);
    let claim = service
        .claims()
        .publish_claim_notice(service.officer("publisher", publish))
        .await
        .unwrap()
        .into_inner();
    let object = step!(ObjectToClaimRequest, claim, text: "损失与现场不符".to_owned());
    let by = service.by(As::Committee("neighbour", "c1"), object);
    let claim = service.claims().object_to_claim(by).await.unwrap().into_inner();
    assert_eq!((claim.state(), claim.open_objections), (ClaimState::Objected, 1));
    service.clock.set(super::after(&claim)).unwrap();
    let held = service.pay(&claim, "cci", 5_100_00).await.unwrap_err();
    assert_eq!(reason(&held), "WRONG_STATE");
    let answer = |claim: &pb::Claim| step!(AnswerClaimObjectionRequest, claim, objection: claim.objections[0].id.clone(), answer: "已复核".to_owned());
    for who in ["adjudicator", "neighbour"] {
        let own =
            service.claims().answer_claim_objection(service.officer(who, answer(&claim))).await.unwrap_err();
        assert_eq!(reason(&own), "MAKER_IS_CHECKER", "{who}");
    }
    let claim = service
        .claims()
        .answer_claim_objection(service.officer("answerer", answer(&claim)))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((claim.state(), claim.open_objections), (ClaimState::Notice, 0));
    // the words are shown to who asks for them, and to nobody else
    assert!(claim.objections[0].masked && claim.objections[0].text.is_empty());
    let reveal = pb::RevealClaimRequest { name: claim.name.clone(), purpose: "复核".to_owned() };
    let clear = service.claims().reveal_claim(service.officer("reader", reveal)).await.unwrap().into_inner();
    assert_eq!((clear.objections[0].text.as_str(), clear.survey.as_str()), ("损失与现场不符", "现场查勘"));
    assert_eq!(clear.payee.unwrap().account_number, "6222021001123456789");
    service.pay(&claim, "cci", 5_100_00).await.unwrap();
}

#[tokio::test]
async fn what_is_not_covered_is_stored_rejected_and_can_be_appealed_once_to_somebody_else() {
    let service = service(date(2020, 10, 22)).await;
    service.schemes().await;
    service.sql("insert into claim_settings (town, accept_days, survey_days, assess_days, adjudicate_days, publish_days, notice_days, answer_days, pay_days, close_days, appeal_days)
                     values ('malu', 2, 5, 10, 5, 2, 5, 5, 10, 10, 15);
                 insert into claim_required_document values ('malu', 'BURST_PIPE', 'INVOICES')").await;
    let event = Event { peril: "BURST_PIPE", ..fire(date(2020, 10, 20)) };
    let claim = service.assessed(event, Some(1_500_00), 0).await;
    assert_eq!(claim.required_documents[0].kind, "INVOICES");
    let missing = service.adjudicate(&claim).await.unwrap_err();
    assert_eq!(reason(&missing), "DOCUMENTS_MISSING");
    let bare = step!(AdjudicateClaimRequest, claim, without_documents: true);
    let claim =
        service.claims().adjudicate_claim(service.officer("adjudicator", bare)).await.unwrap().into_inner();
    assert_eq!((claim.outcome(), claim.rule.as_str()), (ClaimOutcome::Rejected, "DOCUMENTS_MISSING"));
    let close = step!(CloseClaimRequest, claim);
    let early = service.claims().close_claim(service.officer("closer", close)).await.unwrap_err();
    assert_eq!(reason(&early), "APPEAL_OPEN");
    let appeal = step!(AppealClaimRequest, claim, appeal: "发票已补齐".to_owned());
    let claim = service
        .claims()
        .appeal_claim(service.of_committee("neighbour", "c1", appeal))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((claim.state(), claim.appealed), (ClaimState::Appealed, true));
    service.sql(&format!("set local session_replication_role = replica; insert into document (town, id, owner_kind, owner, kind, media_type, size_bytes, sha256, file_name_sealed, data_key, committees, insurers, created_by, created_person, state, written_bytes, parts)
        values ('malu', gen_random_uuid(), 'CLAIM', '{}', 'INVOICES', 'PDF', 1, sha256(''), '', 1, '{{c1}}', '{{}}', 'x', '', 'STORED', 1, 1)", claim.name.rsplit('/').next().unwrap())).await;
    let again = service.adjudicate(&claim).await.unwrap_err();
    assert_eq!(reason(&again), "MAKER_IS_CHECKER");
    let other = step!(AdjudicateClaimRequest, claim, without_documents: false);
    let claim =
        service.claims().adjudicate_claim(service.officer("second", other)).await.unwrap().into_inner();
    assert_eq!((claim.outcome(), approved(&claim)), (ClaimOutcome::Approved, vec![1_040_00, 0]));
    assert_eq!(claim.decisions.iter().map(|one| one.in_force).collect::<Vec<_>>(), [false, true]);
    let claim = service.noticed(&claim).await;
    let claim = service.pay(&claim, "cci", 1_040_00).await.unwrap();
    assert_eq!(claim.state(), ClaimState::Paid);
}

#[tokio::test]
async fn the_clock_stops_while_the_family_brings_documents() {
    let service = service(date(2020, 2, 17)).await;
    service.schemes().await;
    let claim = service.claim(fire(date(2020, 2, 14)), Some(1_000_00)).await;
    let accept = step!(AcceptClaimRequest, claim);
    let claim =
        service.claims().accept_claim(service.officer("acceptor", accept)).await.unwrap().into_inner();
    assert_eq!(claim.waiting_for.as_ref().unwrap().due_date, Some(crate::harness::date(date(2020, 2, 24))));
    service.clock.set(date(2020, 2, 19)).unwrap();
    let ask = step!(RequestClaimDocumentsRequest, claim, kinds: vec!["INVOICES".to_owned()]);
    let claim = service
        .claims()
        .request_claim_documents(service.officer("acceptor", ask))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (claim.state(), claim.waiting_for.as_ref().unwrap().due_date),
        (ClaimState::DocumentsRequested, None)
    );
    service.clock.set(date(2020, 3, 2)).unwrap();
    let resume = step!(ResumeClaimRequest, claim);
    let claim = service
        .claims()
        .resume_claim(service.of_committee("neighbour", "c1", resume))
        .await
        .unwrap()
        .into_inner();
    // two of five working days were used
    assert_eq!(
        (claim.state(), claim.waiting_for.as_ref().unwrap().due_date),
        (ClaimState::Accepted, Some(crate::harness::date(date(2020, 3, 5))))
    );
    service.clock.set(date(2020, 3, 9)).unwrap();
    let list = pb::ListClaimsRequest {
        parent: "towns/malu".to_owned(),
        filter: "overdue = true".to_owned(),
        ..Default::default()
    };
    let late = service.claims().list_claims(service.officer("reader", list)).await.unwrap().into_inner();
    assert_eq!(late.claims.len(), 1);
}

#[tokio::test]
async fn a_payment_stops_when_a_fact_has_changed_and_the_claim_is_decided_afresh() {
    let service = service(date(2020, 7, 20)).await;
    service.schemes().await;
    let event = Event {
        peril: "HIT_AND_RUN",
        on: date(2020, 7, 15),
        place: "胜辛路",
        person: "r-1",
        household: "h-1",
    };
    let claim = service.assessed(event, Some(1_000_00), 0).await;
    let claim = service.adjudicate(&claim).await.unwrap();
    let claim = service.noticed(&claim).await;
    // the register is corrected: he had left before
    service.governance_sql("update residence set recorded = tstzrange(lower(recorded), now()) where town = 'malu' and person = 'r-1'").await;
    let before = service.dump().await;
    let stopped = service.pay(&claim, "li", 1_000_00).await.unwrap_err();
    assert_eq!(reason(&stopped), "PAYMENT_DIFFERS");
    assert_eq!(service.dump().await, before);
    let reopen = pb::ReopenClaimRequest {
        comment: "居住信息已更正".to_owned(),
        ..step!(ReopenClaimRequest, claim)
    };
    let claim = service.claims().reopen_claim(service.officer("opener", reopen)).await.unwrap().into_inner();
    assert_eq!((claim.state(), claim.outcome()), (ClaimState::Assessed, ClaimOutcome::Unspecified));
    assert_eq!(service.number("select coalesce(sum(used_fen), 0)::bigint from cap_used").await, 0);
    let claim = service.adjudicate(&claim).await.unwrap();
    assert_eq!(
        (claim.outcome(), claim.rule.as_str(), claim.decisions.len()),
        (ClaimOutcome::Rejected, "NOT_RESIDENT_ON_DAY", 2)
    );
}

#[tokio::test]
async fn an_adjuster_sees_the_claims_and_lines_of_his_insurer_alone() {
    let service = service(date(2020, 4, 13)).await;
    service.schemes().await;
    let pipe = service.claim(Event { peril: "BURST_PIPE", ..fire(date(2020, 4, 11)) }, Some(5_333_33)).await;
    let both = service
        .assessed(
            Event { person: "r-3", place: "h-2", household: "h-2", ..fire(date(2020, 4, 11)) },
            Some(20_000_00),
            0,
        )
        .await;
    let both = service.adjudicate(&both).await.unwrap();
    let list = |who| {
        service.by(who, pb::ListClaimsRequest { parent: "towns/malu".to_owned(), ..Default::default() })
    };
    let seen = async |who| {
        let page = service.claims().list_claims(list(who)).await.unwrap().into_inner();
        page.claims.into_iter().map(|claim| claim.name).collect::<Vec<_>>()
    };
    assert_eq!(seen(As::Adjuster("a", "o-insurer-0")).await, [pipe.name.clone(), both.name.clone()]);
    // the other scheme doesn't know burst pipes
    assert_eq!(seen(As::Adjuster("b", "o-insurer-1")).await, std::slice::from_ref(&both.name));
    assert!(seen(As::Committee("c", "c2")).await.is_empty());
    let get = |who, name: &str| service.by(who, pb::GetClaimRequest { name: name.to_owned() });
    let denied =
        service.claims().get_claim(get(As::Adjuster("b", "o-insurer-1"), &pipe.name)).await.unwrap_err();
    assert_eq!(reason(&denied), "PERMISSION_DENIED");
    let own = service
        .claims()
        .get_claim(get(As::Adjuster("b", "o-insurer-1"), &both.name))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(approved(&own), [6_640_00]);
    // and pays nobody else's
    let claim = service.noticed(&both).await;
    let request = step!(PayClaimRequest, claim, programme: "towns/malu/programmes/cci".to_owned(), amount: Some(fen(11_700_00)), pay_date: None,
        payment_reference: "x".to_owned());
    let denied =
        service.claims().pay_claim(service.by(As::Adjuster("b", "o-insurer-1"), request)).await.unwrap_err();
    assert_eq!(reason(&denied), "PERMISSION_DENIED");
}
