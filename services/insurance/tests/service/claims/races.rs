//! Many at once, at a barrier.

use std::sync::Arc;

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;
use tokio::sync::Barrier;

use super::{As, Event, fire, in_fen, step};
use crate::harness::{reason, service};

const MANY: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_claims_against_one_limit_never_pass_it() {
    let service = Arc::new(service(date(2020, 7, 2)).await);
    service.schemes().await;
    service
        .governance_sql(&format!(
            "insert into person (town, id, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key)
                 select 'malu', 'q-' || n, '', '', '', sha256(('q-' || n)::bytea), sha256(('cq-' || n)::bytea), 1 from generate_series(1, {MANY}) n;
             insert into residence (town, id, person, household, ground, valid, recorded)
                 select 'malu', gen_random_uuid(), 'q-' || n, 'h-1', 'REGISTERED', '[2012-01-01,)', tstzrange(now(), null) from generate_series(1, {MANY}) n"
        ))
        .await;
    let mut claims = Vec::new();
    for n in 1..=MANY {
        let person = format!("q-{n}");
        let event =
            Event {
                peril: "DEATH", on: date(2020, 7, 1), place: "河道", person: &person, household: "h-1"
            };
        claims.push(service.assessed(event, None, 0).await);
    }
    let barrier = Arc::new(Barrier::new(MANY));
    let tasks: Vec<_> = claims
        .into_iter()
        .map(|claim| {
            let (service, barrier) = (service.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                service.adjudicate(&claim).await.map(|claim| in_fen(claim.approved_amount.as_ref()))
            })
        })
        .collect();
    let mut paid = Vec::new();
    for task in tasks {
        paid.push(task.await.unwrap().unwrap());
    }
    // 5,000,000 yuan a year, 200,000 a death
    assert_eq!(paid.iter().sum::<i64>(), 5_000_000_00);
    assert_eq!(paid.iter().filter(|fen| **fen > 0).count(), 25);
    assert_eq!(
        service.number("select used_fen from cap_used where policy = 'li-2020' and cap = 'YEAR'").await,
        5_000_000_00
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_payments_of_one_line_one_is_made() {
    let service = Arc::new(service(date(2020, 2, 17)).await);
    service.schemes().await;
    let claim = service.assessed(fire(date(2020, 2, 14)), Some(80_000_00), 0).await;
    let claim = service.noticed(&service.adjudicate(&claim).await.unwrap()).await;
    let barrier = Arc::new(Barrier::new(MANY));
    let tasks: Vec<_> = (0..MANY)
        .map(|n| {
            let (service, barrier, claim) = (service.clone(), barrier.clone(), claim.clone());
            tokio::spawn(async move {
                let request = pb::PayClaimRequest {
                    payment_reference: format!("r-{n}"),
                    ..step!(PayClaimRequest, claim, programme: "towns/malu/programmes/cci".to_owned(), amount: Some(crate::harness::fen(30_000_00)),
                        pay_date: None, payment_reference: String::new())
                };
                barrier.wait().await;
                service.claims().pay_claim(service.by(As::Adjuster("payer", "o-insurer-0"), request)).await.map_err(|status| reason(&status))
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err(reason) => assert_eq!(reason, "ETAG_MISMATCH"),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(service.number("select sum(amount_fen)::bigint from claim_payment").await, 30_000_00);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_claims_of_one_loss_one_is_accepted() {
    let service = Arc::new(service(date(2020, 2, 17)).await);
    service.schemes().await;
    let event = fire(date(2020, 2, 14));
    let incident = service.incident(event).await;
    let mut claims = Vec::new();
    for _ in 0..8 {
        claims.push(service.report(service.claim_draft(&incident, event, Some(1_000_00))).await.unwrap());
    }
    let barrier = Arc::new(Barrier::new(claims.len()));
    let tasks: Vec<_> = claims
        .into_iter()
        .map(|claim| {
            let (service, barrier) = (service.clone(), barrier.clone());
            tokio::spawn(async move {
                let accept = step!(AcceptClaimRequest, claim);
                barrier.wait().await;
                service
                    .claims()
                    .accept_claim(service.officer("acceptor", accept))
                    .await
                    .map_err(|status| reason(&status))
            })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => accepted += 1,
            Err(reason) => assert_eq!(reason, "DUPLICATE_CLAIM"),
        }
    }
    assert_eq!(accepted, 1);
}
