//! Programmes and policies.

use jiff::civil::date;

use crate::harness::service;

#[tokio::test]
async fn the_schemes_stand() {
    let service = service(date(2020, 6, 1)).await;
    service.schemes().await;
    assert_eq!(service.number("select count(*) from policy where state = 'SIGNED'").await, 2);
    let limit = "select cap_limit('malu', 'li-2020', 1, 'BENEFIT_HOUSEHOLD_YEAR', 'FIRE')";
    assert_eq!(service.number(limit).await, 60_000_00);
}
