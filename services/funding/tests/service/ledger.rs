//! Holds, posts, reversals over the wire; what they leave; many at once.

use std::sync::Arc;

use contracts::linli::{common::v1::Obstacle, funding::v1 as pb};
use jiff::civil::date;
use tokio::{sync::Barrier, task::JoinSet};
use tonic::{Code, Status};

use crate::harness::{Service, date as wire, fen, reason, service, uuid};

fn new_hold(account: &str, into: &str, amount: i64) -> pb::CreateHoldRequest {
    let hold = pb::Hold {
        account: account.to_owned(),
        into_account: into.to_owned(),
        amount: Some(fen(amount)),
        purpose: "并入后划转".to_owned(),
        ..Default::default()
    };
    pb::CreateHoldRequest {
        parent: "towns/malu".to_owned(),
        hold: Some(hold),
        request_id: uuid(),
        validate_only: false,
    }
}

fn post(hold: &pb::Hold, amount: Option<i64>) -> pb::PostHoldRequest {
    pb::PostHoldRequest {
        name: hold.name.clone(),
        etag: hold.etag.clone(),
        request_id: uuid(),
        amount: amount.map(fen),
        ..Default::default()
    }
}

impl Service {
    async fn hold(&self, who: &str, request: pb::CreateHoldRequest) -> Result<pb::Hold, Status> {
        self.ledger().create_hold(self.officer(who, request)).await.map(tonic::Response::into_inner)
    }

    async fn post_hold(&self, who: &str, request: pb::PostHoldRequest) -> Result<pb::Hold, Status> {
        self.ledger().post_hold(self.officer(who, request)).await.map(tonic::Response::into_inner)
    }

    async fn available(&self, account: &str) -> (i64, i64) {
        let request = pb::GetAccountRequest { name: account.to_owned(), read_time: None };
        let account = self.ledger().get_account(self.officer("o", request)).await.unwrap().into_inner();
        let fen = |money: Option<contracts::google::r#type::Money>| {
            money.map_or(0, |money| money.units * 100 + i64::from(money.nanos / 10_000_000))
        };
        (fen(account.balance), fen(account.available))
    }

    async fn intact(&self) -> pb::VerifyLedgerResponse {
        let request = pb::VerifyLedgerRequest { name: "towns/malu".to_owned() };
        let verified = self.ledger().verify_ledger(self.officer("o", request)).await.unwrap().into_inner();
        assert!(verified.intact, "{verified:?}");
        verified
    }
}

#[tokio::test]
async fn what_is_held_is_posted_in_part_and_the_rest_is_free_again() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let (one, other) =
        (service.give("c1", "WORK", 2020, 1_000_000).await, service.give("c2", "WORK", 2020, 100).await);
    let hold = service.hold("a", new_hold(&one, &other, 400_000)).await.unwrap();
    assert_eq!(service.available(&one).await, (1_000_000, 600_000));

    // what he may not do is told beside the hold; giving it up is open to both
    let obstacle = async |who: &str, verb: &str| {
        let request = pb::GetHoldRequest { name: hold.name.clone() };
        let seen = service.ledger().get_hold(service.officer(who, request)).await.unwrap().into_inner();
        seen.available_actions.iter().find(|action| action.verb == verb).unwrap().obstacle()
    };
    assert_eq!(obstacle("a", "post").await, Obstacle::FourEyes);
    assert_eq!(obstacle("b", "post").await, Obstacle::Unspecified);
    assert_eq!(obstacle("a", "void").await, Obstacle::Unspecified);

    // the maker doesn't post; more than is held isn't posted; a stale etag is refused
    let same = service.post_hold("a", post(&hold, None)).await.unwrap_err();
    assert_eq!(reason(&same), "MAKER_IS_CHECKER");
    let more = service.post_hold("b", post(&hold, Some(400_001))).await.unwrap_err();
    assert_eq!(reason(&more), "HOLD_SMALLER");
    let stale = pb::PostHoldRequest { etag: "v9".to_owned(), ..post(&hold, None) };
    assert_eq!(reason(&service.post_hold("b", stale).await.unwrap_err()), "ETAG_MISMATCH");

    let request = post(&hold, Some(250_050));
    let posted = service.post_hold("b", request.clone()).await.unwrap();
    assert_eq!((posted.state(), posted.posted_amount.clone()), (pb::HoldState::Posted, Some(fen(250_050))));
    assert_eq!(service.available(&one).await, (749_950, 749_950));
    assert_eq!(service.available(&other).await, (250_150, 250_150));

    // a replay changes nothing and answers the same; another body under the id is refused
    let before = service.dump().await;
    assert_eq!(service.post_hold("b", request.clone()).await.unwrap(), posted);
    let another = pb::PostHoldRequest { amount: Some(fen(1)), ..request };
    assert_eq!(reason(&service.post_hold("b", another).await.unwrap_err()), "REQUEST_ID_REUSED");
    let again = service.post_hold("b", post(&posted, None)).await.unwrap_err();
    assert_eq!(reason(&again), "WRONG_STATE");
    assert_eq!(service.dump().await, before);

    // taken back by another person, once
    let reverse = |etag: &str| pb::ReverseEntryRequest {
        name: posted.entry.clone(),
        etag: etag.to_owned(),
        request_id: uuid(),
        comment: "划转有误".to_owned(),
        validate_only: false,
    };
    let by_maker = service.ledger().reverse_entry(service.officer("b", reverse("v1"))).await.unwrap_err();
    assert_eq!(reason(&by_maker), "MAKER_IS_CHECKER");
    let back =
        service.ledger().reverse_entry(service.officer("c", reverse("v1"))).await.unwrap().into_inner();
    assert_eq!((back.reverses.as_str(), back.postings.len()), (posted.entry.as_str(), 2));
    assert_eq!(service.available(&one).await, (1_000_000, 1_000_000));
    let twice = service.ledger().reverse_entry(service.officer("d", reverse("v1"))).await.unwrap_err();
    assert_eq!(reason(&twice), "REVERSED_ALREADY");
    service.intact().await;
}

#[tokio::test]
async fn bad_holds_are_refused_each_for_its_own_reason_and_leave_nothing() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    service.year(2021).await;
    let (one, other) =
        (service.give("c1", "WORK", 2020, 10_000).await, service.give("c2", "WORK", 2020, 100).await);
    let (fund, year) =
        (service.give("c2", "SERVICE", 2020, 100).await, service.give("c2", "WORK", 2021, 100).await);
    let before = service.dump().await;
    let amount = |money| {
        let mut request = new_hold(&one, &other, 1);
        request.hold.as_mut().unwrap().amount = Some(money);
        request
    };
    let money = |currency: &str, units, nanos| contracts::google::r#type::Money {
        currency_code: currency.to_owned(),
        units,
        nanos,
    };
    for (request, expected) in [
        (new_hold(&one, &other, 0), "AMOUNT_NOT_POSITIVE"),
        (new_hold(&one, &other, -1), "AMOUNT_NOT_POSITIVE"),
        (amount(money("CNY", 1, 5_000_000)), "AMOUNT_NOT_IN_FEN"),
        (amount(money("CNY", i64::MAX, 0)), "AMOUNT_OVERFLOW"),
        (amount(money("EUR", 1, 0)), "AMOUNT_CURRENCY"),
        (new_hold(&one, &other, 10_001), "BALANCE_INSUFFICIENT"),
        (new_hold(&one, &fund, 1), "EARMARK_CROSSED"),
        (new_hold(&one, &year, 1), "EARMARK_CROSSED"),
        (new_hold(&one, &one, 1), "EARMARK_CROSSED"),
        (new_hold(&one, "towns/malu/accounts/none", 1), "NOT_FOUND"),
    ] {
        let refused = service.hold("a", request.clone()).await.expect_err(expected);
        assert_eq!(reason(&refused), expected, "{request:?}");
    }
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn a_hold_ends_by_the_clock() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let (one, other) =
        (service.give("c1", "WORK", 2020, 10_000).await, service.give("c2", "WORK", 2020, 100).await);
    let mut request = new_hold(&one, &other, 8_000);
    request.hold.as_mut().unwrap().expire_date = Some(wire(date(2020, 6, 5)));
    let hold = service.hold("a", request).await.unwrap();
    service.clock.set(date(2020, 6, 6)).unwrap();
    // nobody came by, and yet it holds nothing any more
    let read = pb::GetHoldRequest { name: hold.name.clone() };
    let read = service.ledger().get_hold(service.officer("o", read)).await.unwrap().into_inner();
    assert_eq!(read.state(), pb::HoldState::Expired);
    assert_eq!(service.available(&one).await, (10_000, 10_000));
    assert_eq!(reason(&service.post_hold("b", post(&hold, None)).await.unwrap_err()), "WRONG_STATE");
    service.hold("a", new_hold(&one, &other, 10_000)).await.unwrap();
    assert_eq!(service.number("select count(*) from hold where state = 'EXPIRED'").await, 1);
    service.intact().await;
}

#[tokio::test]
async fn what_expired_is_free_for_whoever_comes_next() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let (one, other) =
        (service.give("c1", "WORK", 2020, 10000).await, service.give("c2", "WORK", 2020, 100).await);
    let mut request = new_hold(&other, &one, 100);
    request.hold.as_mut().unwrap().expire_date = Some(wire(date(2020, 6, 5)));
    service.hold("a", request).await.unwrap();
    // money that went to an account whose own is held until yesterday is taken back from it
    service.clock.set(date(2020, 6, 6)).unwrap();
    let hold = service.hold("a", new_hold(&other, &one, 100)).await.unwrap();
    service.post_hold("b", post(&hold, None)).await.unwrap();
    assert_eq!(service.available(&other).await, (0, 0));
    service.intact().await;
}

#[tokio::test]
async fn a_balance_is_told_as_of_any_instant() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let (one, other) =
        (service.give("c1", "WORK", 2020, 10_000).await, service.give("c2", "WORK", 2020, 100).await);
    let then = chassis::wire::to_timestamp(chassis::clock::recorded_now().as_microsecond());
    let hold = service.hold("a", new_hold(&one, &other, 3_000)).await.unwrap();
    service.post_hold("b", post(&hold, None)).await.unwrap();
    let at = async |read_time| {
        let request = pb::ListAccountsRequest {
            parent: "towns/malu".to_owned(),
            filter: "kind = COMMITTEE AND fund = WORK".to_owned(),
            read_time,
            ..Default::default()
        };
        let found = service.ledger().list_accounts(service.officer("o", request)).await.unwrap().into_inner();
        found.accounts.into_iter().map(|account| account.balance.unwrap().units).collect::<Vec<_>>()
    };
    assert_eq!(at(Some(then)).await, [100, 1]);
    assert_eq!(at(None).await, [70, 31]);
}

#[tokio::test]
async fn an_officer_of_a_committee_sees_its_accounts_and_entries_alone() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    let (one, other) =
        (service.give("c1", "WORK", 2020, 10_000).await, service.give("c2", "WORK", 2020, 100).await);
    let list = pb::ListAccountsRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let seen = service.ledger().list_accounts(service.of_committee("w", "c1", list)).await.unwrap();
    let names: Vec<String> = seen.into_inner().accounts.into_iter().map(|account| account.name).collect();
    assert_eq!(names, std::slice::from_ref(&one));
    for foreign in [&other, &"towns/malu/accounts/nothing".to_owned()] {
        let get = pb::GetAccountRequest { name: foreign.clone(), read_time: None };
        let denied = service.ledger().get_account(service.of_committee("w", "c1", get)).await.unwrap_err();
        assert_eq!(denied.code(), Code::PermissionDenied);
    }
    let list = pb::ListEntriesRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let seen = service.ledger().list_entries(service.of_committee("w", "c1", list.clone())).await.unwrap();
    assert_eq!(seen.into_inner().entries.len(), 1);
    let of = pb::ListEntriesRequest { account: other, ..list };
    let seen = service.ledger().list_entries(service.officer("o", of)).await.unwrap().into_inner();
    assert_eq!(seen.entries[0].postings.iter().map(|p| p.amount.as_ref().unwrap().units).sum::<i64>(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_writers_on_one_account_none_overdraws_it() {
    let service = Arc::new(service(date(2020, 6, 1)).await);
    service.year(2020).await;
    // enough for ten and a half
    let (one, other) =
        (service.give("c1", "WORK", 2020, 1_050).await, service.give("c2", "WORK", 2020, 100).await);
    let barrier = Arc::new(Barrier::new(64));
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let (service, barrier) = (service.clone(), barrier.clone());
        let request = new_hold(&one, &other, 100);
        tasks.spawn(async move {
            barrier.wait().await;
            service.hold("a", request).await
        });
    }
    let done = tasks.join_all().await;
    let refused = done.iter().filter_map(|done| done.as_ref().err());
    assert!(refused.clone().all(|status| reason(status) == "BALANCE_INSUFFICIENT"));
    assert_eq!((done.len(), refused.count()), (64, 54));
    assert_eq!(service.available(&one).await, (1_050, 50));
    service.intact().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_posts_of_one_hold_one_is_booked() {
    let service = Arc::new(service(date(2020, 6, 1)).await);
    service.year(2020).await;
    let (one, other) =
        (service.give("c1", "WORK", 2020, 1_000).await, service.give("c2", "WORK", 2020, 100).await);
    let hold = service.hold("a", new_hold(&one, &other, 100)).await.unwrap();
    let barrier = Arc::new(Barrier::new(64));
    let mut tasks = JoinSet::new();
    for n in 0..64 {
        let (service, barrier, request) = (service.clone(), barrier.clone(), post(&hold, None));
        tasks.spawn(async move {
            barrier.wait().await;
            service.post_hold(&format!("p{n}"), request).await
        });
    }
    let done = tasks.join_all().await;
    let refused: Vec<Code> = done.iter().filter_map(|done| done.as_ref().err().map(Status::code)).collect();
    assert_eq!(refused.len(), 63);
    assert!(
        refused.iter().all(|code| matches!(code, Code::Aborted | Code::FailedPrecondition)),
        "{refused:?}"
    );
    assert_eq!(service.available(&one).await, (900, 900));
    service.intact().await;
}
