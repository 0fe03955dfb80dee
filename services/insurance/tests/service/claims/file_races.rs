//! Many payment files at once, whose claims draw on the same limits in another order.

use std::sync::Arc;

use contracts::linli::insurance::v1::payment_file_service_client::PaymentFileServiceClient;
use jiff::civil::{Date, date};
use tokio::sync::Barrier;

use super::{
    As, Event,
    file_cells::{HEAD, file},
    fire, step,
};
use crate::harness::service;

/// Files; each names a claim of either household.
const FILES: i8 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_that_name_the_same_limits_in_another_order_never_wait_for_each_other() {
    let service = Arc::new(service(date(2020, 2, 17)).await);
    service.schemes().await;
    let mut pairs = Vec::new();
    for n in 1..=FILES {
        let on = date(2020, 2, n);
        let one = service.assessed(fire(on), Some(1_500_00), 0).await;
        let other = Event { place: "h-2", person: "r-3", household: "h-2", ..fire(on) };
        let other = service.assessed(other, Some(1_500_00), 0).await;
        let mut pair = Vec::new();
        for claim in [one, other] {
            let claim = service.adjudicate(&claim).await.unwrap();
            let publish = step!(PublishClaimNoticeRequest, claim);
            let publish = service.officer("publisher", publish);
            pair.push(service.claims().publish_claim_notice(publish).await.unwrap().into_inner());
        }
        if n % 2 == 0 {
            pair.reverse();
        }
        pairs.push(pair);
    }
    let today: Date = super::after(&pairs[0][0]);
    service.clock.set(today).unwrap();
    let barrier = Arc::new(Barrier::new(pairs.len()));
    let tasks: Vec<_> = pairs
        .into_iter()
        .enumerate()
        .map(|(n, pair)| {
            let (service, barrier) = (service.clone(), barrier.clone());
            tokio::spawn(async move {
                let line = |(at, claim): (usize, &contracts::linli::insurance::v1::Claim)| {
                    format!("{},cci,600.00,{today},r-{n}-{at}\r\n", claim.number)
                };
                let lines: String = pair.iter().enumerate().map(line).collect();
                let request = file("o-insurer-0", &format!("{HEAD}{lines}"));
                let mut client = PaymentFileServiceClient::new(service.peer.clone());
                barrier.wait().await;
                client.create_payment_file(service.by(As::Adjuster("payer", "o-insurer-0"), request)).await
            })
        })
        .collect();
    for task in tasks {
        let read = task.await.unwrap().unwrap().into_inner();
        assert_eq!((read.matched, read.refused), (2, 0), "{read:?}");
    }
    // none was given up for another and tried again
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(service.number(deadlocks).await, 0);
    let over = "select count(*) from cap_used u where u.cap = 'BENEFIT_HOUSEHOLD_YEAR' and u.used_fen > cap_limit(u.town, u.policy, 1, u.cap, u.peril)";
    assert_eq!(service.number(over).await, 0);
    assert_eq!(
        service.number("select sum(amount_fen)::bigint from claim_payment").await,
        2 * i64::from(FILES) * 600_00
    );
}
