//! One entry for every day, quotas, and governance's stewards.

use std::sync::Arc;

use contracts::linli::{
    governance::v1::{self as governance, stewardship_service_client::StewardshipServiceClient},
    workforce::v1 as pb,
};
use jiff::civil::date;
use tokio::sync::Barrier;

use crate::harness::{self, *};

const TODAY: jiff::civil::Date = date(2020, 9, 25);

fn day(year: i16, month: i8, day: i8) -> Option<contracts::google::r#type::Date> {
    Some(harness::date(date(year, month, day)))
}

fn worker(n: u16) -> String {
    format!("towns/malu/workers/w-{n}")
}

fn committee(n: u16) -> String {
    format!("towns/malu/committees/c{n}")
}

fn assign(n: u16, of: u16, from: Option<contracts::google::r#type::Date>) -> pb::AssignPostRequest {
    pb::AssignPostRequest {
        name: worker(n),
        committee: committee(of),
        post: pb::Post::Worker.into(),
        start_date: from,
        request_id: uuid(),
        ..Default::default()
    }
}

fn transfer(n: u16, of: u16, from: Option<contracts::google::r#type::Date>) -> pb::TransferWorkerRequest {
    pb::TransferWorkerRequest {
        name: worker(n),
        committee: committee(of),
        post: pb::Post::Worker.into(),
        start_date: from,
        request_id: uuid(),
        ..Default::default()
    }
}

fn end(n: u16, on: Option<contracts::google::r#type::Date>) -> pb::EndPostingRequest {
    pb::EndPostingRequest {
        name: worker(n),
        end_date: on,
        request_id: uuid(),
        comment: "reorganised".to_owned(),
        ..Default::default()
    }
}

fn quota(of: u16, post: pb::Post, persons: i32) -> pb::SetPostQuotaRequest {
    pb::SetPostQuotaRequest {
        parent: "towns/malu".to_owned(),
        committee: committee(of),
        post: post.into(),
        persons,
        start_date: day(2020, 1, 1),
        request_id: uuid(),
        ..Default::default()
    }
}

#[tokio::test]
async fn overlapping_posts_are_refused_and_history_is_corrected_not_overwritten() {
    let service = service(TODAY).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    let mut client = postings(&service);
    let before = service.dump().await;
    let overlap =
        client.assign_post(service.officer("clerk", assign(1, 2, day(2020, 6, 1)))).await.unwrap_err();
    assert_eq!(reason(&overlap), "POSTS_OVERLAP");
    let outside =
        client.assign_post(service.officer("clerk", assign(1, 2, day(2019, 6, 1)))).await.unwrap_err();
    assert_eq!(reason(&outside), "OUTSIDE_EMPLOYMENT");
    assert_eq!(service.dump().await, before);

    client.end_posting(service.officer("clerk", end(1, day(2020, 6, 1)))).await.unwrap();
    let idle =
        client.transfer_worker(service.officer("clerk", transfer(1, 2, day(2020, 7, 1)))).await.unwrap_err();
    assert_eq!(reason(&idle), "NO_POST_HELD");
    client.assign_post(service.officer("clerk", assign(1, 2, day(2020, 7, 1)))).await.unwrap();
    let moved = client
        .transfer_worker(service.officer("clerk", transfer(1, 3, day(2020, 9, 1))))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(moved.committee, committee(3));

    let correct = pb::CorrectPostingRequest {
        name: worker(1),
        committee: committee(2),
        post: pb::Post::Worker.into(),
        start_date: day(2020, 6, 15),
        end_date: day(2020, 7, 1),
        comment: "began earlier".to_owned(),
        request_id: uuid(),
        ..Default::default()
    };
    let known_before = chassis::clock::recorded_now();
    client.correct_posting(service.officer("clerk", correct)).await.unwrap();
    let list = |read_time| pb::ListPostingsRequest {
        parent: "towns/malu".to_owned(),
        as_of_date: day(2020, 6, 20),
        read_time,
        ..Default::default()
    };
    let then = Some(chassis::wire::to_timestamp(known_before.as_microsecond()));
    let believed =
        client.list_postings(service.officer("o", list(None))).await.unwrap().into_inner().postings;
    assert_eq!(believed.iter().map(|its| its.committee.clone()).collect::<Vec<_>>(), [committee(2)]);
    let formerly =
        client.list_postings(service.officer("o", list(then))).await.unwrap().into_inner().postings;
    assert_eq!(formerly.iter().map(pb::Posting::kind).collect::<Vec<_>>(), [pb::PostingKind::Gap]);

    // behind the service's back
    let insert = |valid: &str| {
        format!(
            "insert into posting (town, id, worker, kind, committee, post, valid, recorded)
             values ('malu', gen_random_uuid(), 'w-1', 'POST', 'c1', 'WORKER', '{valid}', tstzrange(clock_timestamp(), null))"
        )
    };
    assert_eq!(service.constraint(&insert("[2020-02-01,2020-03-01)")).await, "postings_never_overlap");
    assert_eq!(service.constraint(&insert("[2019-02-01,2019-03-01)")).await, "worker_posted_every_day");
    let forgotten = "update posting set recorded = tstzrange(lower(recorded), clock_timestamp()) where upper_inf(recorded)";
    assert_eq!(service.constraint(forgotten).await, "worker_posted_every_day");
    assert_eq!(
        service.constraint("update posting set committee = 'c2' where kind = 'POST'").await,
        "history_is_kept"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_take_no_more_places_than_there_are() {
    let service = Arc::new(service(TODAY).await);
    postings(&service).set_post_quota(service.officer("chief", quota(1, pb::Post::Worker, 5))).await.unwrap();
    for n in 1..=64 {
        hire(&service, n, "c2", pb::Post::Worker).await;
    }
    let barrier = Arc::new(Barrier::new(64));
    let tasks: Vec<_> = (1..=64)
        .map(|n| {
            let (service, barrier) = (service.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                let request = service.officer("clerk", transfer(n, 1, day(2020, 10, 1)));
                postings(&service).transfer_worker(request).await.map_err(|refused| reason(&refused))
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => done += 1,
            Err(why) => assert_eq!(why, "POST_QUOTA_FULL"),
        }
    }
    let held = "select count(*) from posting where committee = 'c1' and upper_inf(recorded)";
    assert_eq!((done, service.number(held).await), (5, 5));
    let fewer = postings(&service)
        .set_post_quota(service.officer("chief", quota(1, pb::Post::Worker, 4)))
        .await
        .unwrap_err();
    assert_eq!(reason(&fewer), "POST_QUOTA_FULL");
    let list = pb::ListPostQuotasRequest {
        parent: "towns/malu".to_owned(),
        as_of_date: day(2020, 10, 1),
        ..Default::default()
    };
    let quotas = postings(&service)
        .list_post_quotas(service.officer("o", list))
        .await
        .unwrap()
        .into_inner()
        .post_quotas;
    assert_eq!(
        quotas.iter().map(|its| (its.persons, its.holders, its.vacancies)).collect::<Vec<_>>(),
        [(5, 5, 0)]
    );
    let one_more = "update post_quota set persons = 3";
    assert_eq!(service.constraint(one_more).await, "post_quota_kept");
}

#[tokio::test]
async fn a_post_that_ends_brings_the_directors_cover() {
    let service = service(TODAY).await;
    service
        .governance_sql(
            "insert into block (town, id, life) values ('malu', 'b1', '[2020-01-01,)');
             insert into block_period (town, id, block, valid, recorded, display_name, committee)
                 values ('malu', gen_random_uuid(), 'b1', '[2020-01-01,)', tstzrange(now(), null), '第一区块', 'c1');
             insert into stewardship (town, id, block, valid, recorded, worker, kind)
                 values ('malu', gen_random_uuid(), 'b1', '[2020-01-01,)', tstzrange(now(), null), 'towns/malu/workers/w-1', 'REGULAR')",
        )
        .await;
    let reconcile = async |on| {
        let request = pb::ReconcileStewardshipsRequest { parent: "towns/malu".to_owned(), as_of_date: on };
        let answer = postings(&service).reconcile_stewardships(service.officer("o", request)).await.unwrap();
        answer.into_inner().mismatches.iter().map(|its| its.kind()).collect::<Vec<_>>()
    };
    use pb::StewardMismatchKind as Kind;
    assert_eq!(reconcile(None).await, [Kind::WorkerUnknown]);
    hire(&service, 1, "c1", pb::Post::Steward).await;
    assert_eq!(reconcile(None).await, []);

    // no director yet: it waits, and is listed
    postings(&service)
        .transfer_worker(service.officer("clerk", transfer(1, 2, day(2020, 9, 25))))
        .await
        .unwrap();
    assert_eq!(reconcile(None).await, [Kind::OtherCommittee, Kind::CoverPending]);
    service.work().await;
    assert_eq!(reconcile(None).await, [Kind::OtherCommittee, Kind::NoDirector]);

    hire(&service, 2, "c1", pb::Post::Director).await;
    let again = pb::TellPostEndsRequest { parent: "towns/malu".to_owned(), request_id: uuid() };
    postings(&service).tell_post_ends(service.officer("clerk", again)).await.unwrap();
    service.work().await;
    assert_eq!(reconcile(None).await, []);
    let mut stewards = StewardshipServiceClient::new(service.governance_peer.clone());
    let now =
        governance::LookUpStewardRequest { name: "towns/malu/blocks/b1".to_owned(), ..Default::default() };
    let now = stewards.look_up_steward(service.officer("o", now)).await.unwrap().into_inner();
    assert_eq!((now.worker, now.kind), (worker(2), governance::StewardshipKind::DirectorCover.into()));
}
