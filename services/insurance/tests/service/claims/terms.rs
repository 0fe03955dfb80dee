//! A later paper moves the days of every open step, with the paper as the reason, and leaves those that are over alone.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::{Date, date};
use pb::ClaimState;
use tonic::Response;

use super::{As, fire, step};
use crate::harness::{Service, reason, service};

/// How often a term that moved was told.
const TOLD: &str = "select count(*) from event where type = 'linli.insurance.claim.termMoved.v1'";

/// The days that stand with a claim: its term's, its notice's, its appeal's.
async fn days(service: &Service, claim: &pb::Claim) -> [Option<Date>; 3] {
    let id = claim.name.rsplit('/').next().unwrap();
    let mut all = [None; 3];
    for (day, column) in all.iter_mut().zip(["due", "notice_ends", "appeal_ends"]) {
        let sql =
            format!("select coalesce(to_char({column}, 'YYYYMMDD')::bigint, 0) from claim where id = '{id}'");
        let n = service.number(&sql).await;
        let (year, month, date) = (n / 10_000, n / 100 % 100, n % 100);
        *day = (n > 0).then(|| Date::new(year as i16, month as i8, date as i8).unwrap());
    }
    all
}

/// A paper that makes a week of March free, issued after everything was counted.
async fn paper(service: &mut Service) {
    service
        .governance_sql(
            "insert into calendar_paper (id, title, issued) values ('gbfmd-2020-2', '临时安排', '2020-03-02');
             insert into calendar_paper_day (paper, day, kind) select 'gbfmd-2020-2', date '2020-03-09' + n, 'HOLIDAY' from generate_series(0, 4) n",
        )
        .await;
    // another replica reads it at once
    service.fail_over();
}

/// A claim that was reported on 2 March, in a state.
async fn reach(service: &Service, state: ClaimState) -> pb::Claim {
    let claim = service.claim(fire(date(2020, 2, 28)), Some(80_000_00)).await;
    if state == ClaimState::Reported {
        return claim;
    }
    let accept = step!(AcceptClaimRequest, claim);
    let mut client = service.claims();
    let claim = client.accept_claim(service.officer("acceptor", accept)).await.unwrap().into_inner();
    if state == ClaimState::Accepted {
        return claim;
    }
    let survey = step!(SurveyClaimRequest, claim, survey: "现场查勘".to_owned());
    let claim = client.survey_claim(service.officer("surveyor", survey)).await.unwrap().into_inner();
    if state == ClaimState::Surveyed {
        return claim;
    }
    let loss = Some(crate::harness::fen(80_000_00));
    let assess = step!(AssessClaimRequest, claim, assessed_amount: loss, disability_grade: 0);
    let claim = client.assess_claim(service.officer("assessor", assess)).await.unwrap().into_inner();
    if state == ClaimState::Assessed {
        return claim;
    }
    let claim = service.adjudicate(&claim).await.unwrap();
    if state == ClaimState::Adjudicated {
        return claim;
    }
    let publish = step!(PublishClaimNoticeRequest, claim);
    let claim =
        client.publish_claim_notice(service.officer("publisher", publish)).await.unwrap().into_inner();
    if state == ClaimState::Notice {
        return claim;
    }
    let object = step!(ObjectToClaimRequest, claim, text: "损失与现场不符".to_owned());
    let by = service.by(As::Committee("neighbour", "c1"), object);
    client.object_to_claim(by).await.map(Response::into_inner).unwrap()
}

#[tokio::test]
async fn a_paper_moves_the_day_of_every_leg_that_runs() {
    // a term of so many working days from Monday, 2 March, before and after the week of 9 March is free
    for (state, before, after) in [
        (ClaimState::Reported, date(2020, 3, 4), date(2020, 3, 4)),
        (ClaimState::Accepted, date(2020, 3, 9), date(2020, 3, 16)),
        (ClaimState::Surveyed, date(2020, 3, 16), date(2020, 3, 23)),
        (ClaimState::Assessed, date(2020, 3, 9), date(2020, 3, 16)),
        (ClaimState::Adjudicated, date(2020, 3, 4), date(2020, 3, 4)),
        (ClaimState::Objected, date(2020, 3, 9), date(2020, 3, 16)),
    ] {
        let mut service = service(date(2020, 3, 2)).await;
        service.schemes().await;
        let claim = reach(&service, state).await;
        assert_eq!(days(&service, &claim).await[0], Some(before), "{state:?}");
        paper(&mut service).await;
        let read = service.read(&claim).await;
        assert_eq!(days(&service, &claim).await[0], Some(after), "{state:?}");
        // what moved is told once, with its paper
        assert_eq!(service.number(TOLD).await, i64::from(before != after), "{state:?}");
        assert_eq!(read.etag != claim.etag, before != after, "{state:?}");
        let dump = service.dump().await;
        service.read(&claim).await;
        assert_eq!(service.dump().await, dump, "{state:?}");
    }
}

#[tokio::test]
async fn a_paper_moves_notice_and_payment_and_nothing_is_paid_before_the_new_day() {
    let mut service = service(date(2020, 3, 2)).await;
    service.schemes().await;
    let claim = reach(&service, ClaimState::Notice).await;
    // five working days of notice, and ten to pay from there
    assert_eq!(days(&service, &claim).await, [Some(date(2020, 3, 23)), Some(date(2020, 3, 9)), None]);
    paper(&mut service).await;
    service.clock.set(date(2020, 3, 10)).unwrap();
    let read = service.read(&claim).await;
    assert_eq!(days(&service, &claim).await, [Some(date(2020, 3, 30)), Some(date(2020, 3, 16)), None]);
    let early = service.pay(&read, "cci", 30_000_00).await.unwrap_err();
    assert_eq!(reason(&early), "CLAIM_NOTICE_RUNNING");
    // an objection within the new term is heard
    let object = step!(ObjectToClaimRequest, read, text: "损失与现场不符".to_owned());
    let by = service.by(As::Committee("neighbour", "c1"), object);
    assert_eq!(
        service.claims().object_to_claim(by).await.unwrap().into_inner().state(),
        ClaimState::Objected
    );
}

#[tokio::test]
async fn a_paper_moves_an_appeal_that_is_open_and_not_one_that_is_over() {
    let mut service = service(date(2020, 3, 2)).await;
    service.schemes().await;
    // a day before the policies begin: rejected, and fifteen working days to appeal
    let claim = service.assessed(fire(date(2019, 12, 31)), Some(7_000_00), 0).await;
    let open = service.adjudicate(&claim).await.unwrap();
    assert_eq!(days(&service, &open).await, [Some(date(2020, 3, 23)), None, Some(date(2020, 3, 23))]);
    paper(&mut service).await;
    let read = service.read(&open).await;
    assert_eq!(days(&service, &open).await, [Some(date(2020, 3, 30)), None, Some(date(2020, 3, 30))]);
    assert_ne!(read.etag, open.etag);
    // closed before a second paper: its days stay
    service.clock.set(date(2020, 3, 31)).unwrap();
    let close = step!(CloseClaimRequest, read);
    let closed = service.claims().close_claim(service.officer("closer", close)).await.unwrap().into_inner();
    let before = days(&service, &closed).await;
    service
        .governance_sql(
            "insert into calendar_paper (id, title, issued) values ('gbfmd-2020-3', '再次安排', '2020-03-30');
             insert into calendar_paper_day (paper, day, kind) select 'gbfmd-2020-3', date '2020-03-16' + n, 'HOLIDAY' from generate_series(0, 4) n",
        )
        .await;
    service.fail_over();
    assert_eq!(service.read(&closed).await.etag, closed.etag);
    assert_eq!(days(&service, &closed).await, before);
}

#[tokio::test]
async fn an_appeal_of_a_claim_in_part_moves_and_is_told() {
    let mut service = service(date(2020, 3, 2)).await;
    service.schemes().await;
    // one scheme insures whoever is in the place, the other one residents
    let guest = super::Event {
        peril: "PUBLIC_AREA_INJURY",
        on: date(2020, 2, 28),
        place: "e-1",
        person: "r-6",
        household: "",
    };
    let claim = service.assessed(guest, Some(13_700_00), 0).await;
    let claim = service.adjudicate(&claim).await.unwrap();
    assert_eq!(claim.outcome(), pb::ClaimOutcome::InPart);
    let before = days(&service, &claim).await;
    assert_eq!(before, [Some(date(2020, 3, 4)), None, Some(date(2020, 3, 23))]);
    paper(&mut service).await;
    let read = service.read(&claim).await;
    assert_eq!(days(&service, &claim).await, [Some(date(2020, 3, 4)), None, Some(date(2020, 3, 30))]);
    // the day of the appeal alone has moved: who holds the former version hears of it
    assert_ne!(read.etag, claim.etag);
    assert_eq!(service.number(TOLD).await, 1);
}
