//! Many at once.

use std::sync::Arc;

use contracts::linli::governance::v1 as pb;
use jiff::civil::date;
use tokio::{sync::Barrier, task::JoinSet};
use tonic::Code;
use tonic_types::StatusExt;

use crate::harness::{date as wire, reason, service, steward, uuid};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_hand_overs_one_wins_and_the_others_learn_the_etag() {
    let service = Arc::new(service(date(2020, 6, 1)).await);
    service.committee("c1", date(2016, 1, 1)).await;
    let etag = service.block("b1", "c1", date(2020, 1, 1)).await.etag;
    let barrier = Arc::new(Barrier::new(64));
    let mut tasks = JoinSet::new();
    for n in 1..=64 {
        let (service, barrier, etag) = (service.clone(), barrier.clone(), etag.clone());
        tasks.spawn(async move {
            let request = pb::HandOverBlockRequest {
                name: "towns/malu/blocks/b1".to_owned(),
                etag,
                request_id: uuid(),
                steward: Some(steward(n)),
                effective_date: Some(wire(date(2020, 7, 1))),
                ..Default::default()
            };
            barrier.wait().await;
            service.stewardships().hand_over_block(service.officer(request)).await
        });
    }
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(answer) => won.push(answer.into_inner()),
            Err(status) => lost.push(status),
        }
    }
    assert_eq!((won.len(), lost.len()), (1, 63));
    for status in lost {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().metadata["etag"], won[0].block_etag);
    }
    assert_eq!(service.steward_on("b1", date(2020, 7, 1), None).await, won[0].worker);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_mergers_into_each_other_do_not_wait_for_each_other() {
    let service = Arc::new(service(date(2020, 6, 1)).await);
    let (a, b) =
        (service.committee("c1", date(2016, 1, 1)).await, service.committee("c2", date(2016, 1, 1)).await);
    let merge = async |from: pb::Committee, into: &str| {
        let request = pb::MergeCommitteeRequest {
            name: from.name,
            etag: from.etag,
            request_id: uuid(),
            into: into.to_owned(),
            effective_date: Some(wire(date(2020, 6, 1))),
            ..Default::default()
        };
        service.committees().merge_committee(service.officer(request)).await
    };
    let (one, other) =
        tokio::join!(merge(a, "towns/malu/committees/c2"), merge(b, "towns/malu/committees/c1"));
    let refused = one.as_ref().err().or(other.as_ref().err()).expect("one of them is refused");
    assert!(one.is_ok() != other.is_ok());
    assert!(
        ["TARGET_NOT_FOUNDED", "ETAG_MISMATCH", "WRONG_STATE"].contains(&reason(refused).as_str()),
        "{refused:?}"
    );
}
