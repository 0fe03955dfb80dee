//! Several at once: one placement is taken back once, and what a campaign completes with is what was placed before.

use std::sync::Arc;

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;
use tokio::{sync::Barrier, task::JoinSet};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_32_who_take_a_placement_back_one_does() {
    let service = Arc::new(service(date(2020, 3, 20)).await);
    service.schemes().await;
    let campaign = running(&service, plan(&["c1"])).await;
    let days = (date(2020, 3, 5), date(2020, 3, 9));
    let request = placement(&campaign, "c1", pb::OutreachChannel::Poster, days);
    let placed = place(&service, service.officer("o-1", request)).await.unwrap();
    let barrier = Arc::new(Barrier::new(32));
    let mut tasks = JoinSet::new();
    for n in 0..32 {
        let (service, barrier, placed) = (service.clone(), barrier.clone(), placed.clone());
        tasks.spawn(async move {
            let request = service.officer(&format!("o-{n}"), remove(&placed, "错"));
            barrier.wait().await;
            client(&service).remove_placement(request).await.map(Response::into_inner)
        });
    }
    let mut won = 0;
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(removed) => won += i32::from(removed.removed),
            Err(status) => assert_eq!(reason(&status), "PLACEMENT_REMOVED"),
        }
    }
    assert_eq!((won, service.number("select count(*) from placement_removal").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_placed_while_a_campaign_completes_came_before_or_is_refused() {
    let service = Arc::new(service(date(2020, 3, 20)).await);
    service.schemes().await;
    let campaign = running(&service, plan(&["c1"])).await;
    let days = (date(2020, 3, 5), date(2020, 3, 9));
    let barrier = Arc::new(Barrier::new(25));
    let mut tasks = JoinSet::new();
    for _ in 0..24 {
        let (service, barrier, campaign) = (service.clone(), barrier.clone(), campaign.clone());
        tasks.spawn(async move {
            let request = placement(&campaign, "c1", pb::OutreachChannel::Poster, days);
            barrier.wait().await;
            place(&service, service.officer("o-1", request)).await
        });
    }
    barrier.wait().await;
    let done = client(&service).complete_campaign(service.officer("o-1", complete(&campaign))).await.unwrap();
    assert_eq!(done.into_inner().state(), pb::CampaignState::Completed);
    let mut placed = 0;
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(_) => placed += 1,
            Err(status) => assert_eq!(reason(&status), "WRONG_STATE"),
        }
    }
    let recorded = service.number("select count(*) from placement").await;
    let late =
        "select count(*) from placement p join campaign c on c.id = p.campaign where p.created > c.updated";
    assert_eq!((recorded, service.number(late).await), (placed, 0));
}
