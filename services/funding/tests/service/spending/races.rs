//! Many at once.

use std::sync::Arc;

use contracts::linli::funding::v1 as pb;
use jiff::civil::date;
use tokio::{sync::Barrier, task::JoinSet};
use tonic::{Code, Status};

use super::{APPLICANT, APPROVER, CASHIER, REVIEWER, Step, funded, office, voucher};
use crate::harness::{Service, reason};

/// What came of 64 at once.
async fn at_once<F, A>(service: &Arc<Service>, act: A) -> (Vec<pb::Expense>, Vec<Status>)
where
    A: Fn(Arc<Service>, usize) -> F,
    F: Future<Output = Result<pb::Expense, Status>> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(64));
    let mut tasks = JoinSet::new();
    for n in 0..64 {
        let (barrier, act) = (barrier.clone(), act(service.clone(), n));
        tasks.spawn(async move {
            barrier.wait().await;
            act.await
        });
    }
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(expense) => won.push(expense),
            Err(status) => lost.push(status),
        }
    }
    (won, lost)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_applications_as_many_are_held_as_the_account_has() {
    let service = Arc::new(funded(date(2020, 6, 1)).await);
    // 100,000 yuan: ten of 9,999.99 fit, and nothing else
    let (won, lost) =
        at_once(&service, |service, _| async move { service.apply(APPLICANT, office(999_999)).await }).await;
    assert_eq!((won.len(), lost.len()), (10, 54));
    for status in &lost {
        assert_eq!(
            (status.code(), reason(status).as_str()),
            (Code::FailedPrecondition, "BALANCE_INSUFFICIENT")
        );
    }
    let numbers: std::collections::HashSet<&str> =
        won.iter().map(|expense| expense.number.as_str()).collect();
    assert_eq!(numbers.len(), 10);
    assert_eq!(service.purse(&won[0].account).await, (10_000_000, 9_999_990));
    service.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_approvals_one_approves() {
    let service = Arc::new(funded(date(2020, 6, 1)).await);
    let applied = service.apply(APPLICANT, office(5_000)).await.unwrap();
    let reviewed = service.walk_on(REVIEWER, &applied, Step::Review).await.unwrap();
    let (won, lost) = at_once(&service, |service, _| {
        let reviewed = reviewed.clone();
        async move { service.walk_on(APPROVER, &reviewed, Step::Approve).await }
    })
    .await;
    assert_eq!((won.len(), lost.len()), (1, 63));
    assert!(
        lost.iter().all(|status| matches!(status.code(), Code::Aborted | Code::FailedPrecondition)),
        "{lost:?}"
    );
    assert_eq!(service.number("select count(*) from history where verb = 'approve'").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_payments_one_is_posted() {
    let service = Arc::new(funded(date(2020, 6, 1)).await);
    let approved = service.approved_expense(5_000).await;
    let (won, lost) = at_once(&service, |service, n| {
        let approved = approved.clone();
        async move { service.walk_on(CASHIER, &approved, Step::Pay(format!("b-{n}"))).await }
    })
    .await;
    assert_eq!((won.len(), lost.len()), (1, 63));
    assert!(
        lost.iter().all(|status| matches!(status.code(), Code::Aborted | Code::FailedPrecondition)),
        "{lost:?}"
    );
    assert_eq!(service.number("select count(*) from entry where kind = 'EXPENSE'").await, 1);
    assert_eq!(service.purse(&won[0].account).await, (9_995_000, 0));
    service.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_settlements_with_one_voucher_one_uses_it() {
    let service = Arc::new(funded(date(2020, 6, 1)).await);
    let (paid, _) = at_once(&service, |service, _| async move { Ok(service.paid(100).await) }).await;
    let (won, lost) = at_once(&service, |service, n| {
        let paid = paid[n].clone();
        async move {
            service.walk_on(APPLICANT, &paid, Step::Settle(vec![voucher("inv-1", 100)], String::new())).await
        }
    })
    .await;
    assert_eq!((won.len(), lost.len()), (1, 63));
    assert!(
        lost.iter().all(|status| ["VOUCHER_USED", "CONFLICT"].contains(&reason(status).as_str())),
        "{lost:?}"
    );
    service.sound().await;
}
