//! A later paper moves the days of open steps, with the reason, and leaves closed ones alone.

use contracts::linli::{common::v1::CallerRelationship, funding::v1 as pb};
use jiff::civil::date;

use super::{APPLICANT, APPROVER, NEIGHBOUR, REVIEWER, Step, application, funded, office};
use crate::harness::{Service, date as wire, reason, with};

/// The paper that makes Thursday and Friday of a week in June holidays.
async fn paper(service: &Service) {
    service
        .governance_sql(
            "insert into calendar_paper (id, title, issued) values ('gbfmd-2020-9', '端午节', '2020-06-02');
             insert into calendar_paper_day (paper, day, kind) values ('gbfmd-2020-9', '2020-06-04', 'HOLIDAY'), ('gbfmd-2020-9', '2020-06-05', 'HOLIDAY')",
        )
        .await;
}

async fn noticed(service: &Service) -> pb::Expense {
    let aid = application("c1", pb::Fund::Service, "AID", 100_000);
    let applied = service.apply(APPLICANT, aid).await.unwrap();
    let reviewed = service.walk_on(REVIEWER, &applied, Step::Review).await.unwrap();
    service.walk_on(REVIEWER, &reviewed, Step::Publish).await.unwrap()
}

#[tokio::test]
async fn a_paper_that_comes_within_a_notice_moves_its_end() {
    let mut service = funded(date(2020, 6, 1)).await;
    let open = noticed(&service).await;
    assert_eq!(open.notice_end_date, Some(wire(date(2020, 6, 8))));
    assert!(open.waiting_for.as_ref().unwrap().provisional, "nothing is announced yet");
    let decided = noticed(&service).await;
    service.clock.set(date(2020, 6, 9)).unwrap();
    let decided = service.walk_on(APPROVER, &decided, Step::Approve).await.unwrap();

    paper(&service).await;
    service.fail_over();
    // what he saw has changed; with what is there now, the notice runs still
    let stale = service.walk_on(APPROVER, &open, Step::Approve).await.unwrap_err();
    assert_eq!(reason(&stale), "ETAG_MISMATCH");
    let moved = service.expense(APPROVER, &open.name).await;
    assert_eq!(moved.notice_end_date, Some(wire(date(2020, 6, 10))));
    let early = service.walk_on(APPROVER, &moved, Step::Approve).await.unwrap_err();
    assert_eq!(reason(&early), "NOTICE_RUNNING");
    let told = moved.timeline.iter().find(|entry| entry.verb == "recount").unwrap();
    assert_eq!(told.comment, "calendarPapers/gbfmd-2020-9");
    let events = "select count(*) from event where type = 'linli.funding.expense.termMoved.v1' and data ->> 'notice_end' = '2020-06-10'";
    assert_eq!(service.number(events).await, 1);
    // residents have the days too
    service.walk_on(NEIGHBOUR, &moved, Step::Object("名单是否公示？".to_owned())).await.unwrap();

    // the notice that was decided stays as it was
    let closed = service.expense(APPROVER, &decided.name).await;
    assert_eq!(closed.notice_end_date, Some(wire(date(2020, 6, 8))));
    service.sound().await;
}

#[tokio::test]
async fn what_is_overdue_is_asked_by_the_papers_of_now() {
    let mut service = funded(date(2020, 6, 1)).await;
    service.apply(APPLICANT, office(100)).await.unwrap();
    service.clock.set(date(2020, 6, 9)).unwrap();
    let overdue = async |service: &Service| {
        let request = pb::ListExpensesRequest {
            parent: "towns/malu".to_owned(),
            filter: "overdue = true".to_owned(),
            caller_relationship: CallerRelationship::Unspecified.into(),
            ..Default::default()
        };
        let listed = service.expenses().list_expenses(with(request, &service.of(APPROVER))).await.unwrap();
        listed.into_inner().expenses.len()
    };
    assert_eq!(overdue(&service).await, 1);
    paper(&service).await;
    service.fail_over();
    assert_eq!(overdue(&service).await, 0);
    let before = service.dump().await;
    assert_eq!(overdue(&service).await, 0);
    assert_eq!(service.dump().await, before, "it is counted once");
    service.clock.set(date(2020, 6, 11)).unwrap();
    assert_eq!(overdue(&service).await, 1);
}
