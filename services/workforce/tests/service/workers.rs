//! Hired, confirmed, away, gone, corrected.

use contracts::linli::workforce::v1 as pb;
use jiff::civil::date;

use crate::harness::{self, *};

const TODAY: jiff::civil::Date = date(2020, 9, 25);

fn day(year: i16, month: i8, day: i8) -> Option<contracts::google::r#type::Date> {
    Some(harness::date(date(year, month, day)))
}

#[tokio::test]
async fn hired_by_identity_number_and_nothing_of_it_is_kept() {
    let service = service(TODAY).await;
    let number = citizen_id(date(1997, 6, 5), 571);
    person(&service, "p-1", &number).await;
    let request = hiring("w-1", &number, date(2019, 6, 4), Some(("c1", pb::Post::Steward)));
    let hired =
        workers(&service).create_worker(service.officer("clerk", request)).await.unwrap().into_inner();
    assert_eq!(
        (hired.person.as_str(), hired.birth_year, hired.sex()),
        ("towns/malu/people/p-1", 1997, pb::Sex::Male)
    );
    assert_eq!(hired.state(), pb::WorkerState::Active);
    assert!(hired.citizen_id.is_empty());
    let posting = hired.posting.unwrap();
    assert_eq!((posting.committee.as_str(), posting.post()), ("towns/malu/committees/c1", pb::Post::Steward));
    let dump = service.dump().await;
    assert!(!dump.contains(&number), "the identity number is stored");
    // who sees another committee sees nothing of him
    let get = || pb::GetWorkerRequest { name: "towns/malu/workers/w-1".to_owned(), as_of_date: None };
    let elsewhere = workers(&service).get_worker(service.of_committee("o", "c2", get())).await.unwrap_err();
    assert_eq!(reason(&elsewhere), "PERMISSION_DENIED");
    let here =
        workers(&service).get_worker(service.of_committee("o", "c1", get())).await.unwrap().into_inner();
    assert_eq!(here.timeline.len(), 1);
    // as of another day he was not there yet
    let before = pb::GetWorkerRequest { as_of_date: day(2019, 6, 3), ..get() };
    let before = workers(&service).get_worker(service.officer("o", before)).await.unwrap().into_inner();
    assert_eq!(before.state(), pb::WorkerState::Hired);
    assert!(before.posting.is_none());
}

#[tokio::test]
async fn bad_input_is_told_by_its_own_reason_and_stores_nothing() {
    let service = service(TODAY).await;
    let number = citizen_id(date(2001, 2, 28), 11);
    person(&service, "p-1", &number).await;
    let nothing = service.dump().await;
    let base = || hiring("w-1", &number, date(2020, 1, 1), Some(("c1", pb::Post::Worker)));
    let with = |change: &dyn Fn(&mut pb::Worker)| {
        let mut request = base();
        change(request.worker.as_mut().unwrap());
        request
    };
    let wrong_check = format!("{}{}", &number[..17], if number.ends_with('X') { '0' } else { 'X' });
    let cases: Vec<(&str, pb::CreateWorkerRequest)> = vec![
        ("CITIZEN_ID_INVALID", with(&|worker| worker.citizen_id = wrong_check.clone())),
        ("CITIZEN_UNKNOWN", with(&|worker| worker.citizen_id = citizen_id(date(1980, 1, 1), 12))),
        ("BORN_AFTER_HIRING", with(&|worker| worker.hire_date = day(2001, 2, 28))),
        ("WORKER_TOO_YOUNG", with(&|worker| worker.hire_date = day(2017, 2, 27))),
        (
            "PEER_UNKNOWN",
            with(&|worker| {
                worker.posting.as_mut().unwrap().committee = "towns/malu/committees/c9".to_owned()
            }),
        ),
        ("BAD_REQUEST", with(&|worker| worker.probation_end_date = day(2020, 1, 1))),
        ("BAD_REQUEST", with(&|worker| worker.schooling = 0)),
    ];
    for (expected, request) in cases {
        let refused = workers(&service).create_worker(service.officer("clerk", request)).await.unwrap_err();
        assert_eq!(reason(&refused), expected, "{refused:?}");
        assert!(!format!("{refused:?}").contains("20010228"), "{refused:?}");
    }
    // every field at once
    let mut empty = base();
    empty.worker_id = "W 1".to_owned();
    let worker = empty.worker.as_mut().unwrap();
    worker.display_name = " ".to_owned();
    worker.posting.as_mut().unwrap().post = 0;
    let refused = workers(&service).create_worker(service.officer("clerk", empty)).await.unwrap_err();
    let mut told = fields(&refused);
    told.sort();
    assert_eq!(told, ["worker.display_name", "worker.posting.post", "worker_id"]);
    assert_eq!(service.dump().await, nothing);
    // the sixteenth birthday itself, and once
    let fits = with(&|worker| worker.hire_date = day(2017, 2, 28));
    workers(&service).create_worker(service.officer("clerk", fits)).await.unwrap();
    let again = pb::CreateWorkerRequest { worker_id: "w-2".to_owned(), ..base() };
    let refused = workers(&service).create_worker(service.officer("clerk", again)).await.unwrap_err();
    assert_eq!(reason(&refused), "WORKER_EMPLOYED");
}

#[tokio::test]
async fn confirmed_by_somebody_else() {
    let service = service(TODAY).await;
    let number = citizen_id(date(1990, 1, 1), 1);
    person(&service, "p-1", &number).await;
    let mut request = hiring("w-1", &number, date(2020, 3, 5), Some(("c1", pb::Post::Worker)));
    request.worker.as_mut().unwrap().probation_end_date = day(2020, 9, 5);
    let hired =
        workers(&service).create_worker(service.officer("clerk", request)).await.unwrap().into_inner();
    assert_eq!(hired.state(), pb::WorkerState::Probation);
    let confirm = |date| pb::ConfirmWorkerRequest {
        name: hired.name.clone(),
        confirm_date: date,
        request_id: uuid(),
        ..Default::default()
    };
    let own = workers(&service).confirm_worker(service.officer("clerk", confirm(None))).await.unwrap_err();
    assert_eq!(reason(&own), "MAKER_IS_CHECKER");
    let early = workers(&service)
        .confirm_worker(service.officer("chief", confirm(day(2020, 3, 4))))
        .await
        .unwrap_err();
    assert_eq!(fields(&early), ["confirm_date"]);
    let done =
        workers(&service).confirm_worker(service.officer("chief", confirm(day(2020, 9, 5)))).await.unwrap();
    assert_eq!(done.into_inner().state(), pb::WorkerState::Active);
    let again = workers(&service).confirm_worker(service.officer("chief", confirm(None))).await.unwrap_err();
    assert_eq!(reason(&again), "WRONG_STATE");
    // behind the service's back
    let by_himself =
        "update worker set confirmed_by = recorded_by, confirmed_person = recorded_person where id = 'w-1'";
    assert_eq!(service.constraint(by_himself).await, "worker_confirmed_by_another");
    let young = "update worker set birth = '2010-01-01' where id = 'w-1'";
    assert_eq!(service.constraint(young).await, "worker_is_of_age");
    let gap = "update worker set left_on = '2021-01-01' where id = 'w-1'";
    assert_eq!(service.constraint(gap).await, "worker_posted_every_day");
    assert_eq!(service.constraint("delete from worker").await, "worker_is_kept");
    assert_eq!(service.constraint("update employment set reason = 'x'").await, "employment_never_changes");
}

#[tokio::test]
async fn who_leaves_holds_no_post_and_no_leave_afterwards_and_may_turn_out_not_to_have_left() {
    let service = service(TODAY).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    let name = || "towns/malu/workers/w-1".to_owned();
    let away = |from, to| pb::CreateAbsenceRequest {
        parent: "towns/malu".to_owned(),
        absence: Some(pb::Absence {
            worker: name(),
            kind: pb::AbsenceKind::AnnualLeave.into(),
            start_date: from,
            end_date: to,
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    };
    let mut client = workers(&service);
    client.create_absence(service.officer("clerk", away(day(2020, 9, 20), day(2020, 10, 9)))).await.unwrap();
    client.create_absence(service.officer("clerk", away(day(2020, 12, 1), day(2020, 12, 5)))).await.unwrap();
    let twice =
        client.create_absence(service.officer("clerk", away(day(2020, 10, 8), None))).await.unwrap_err();
    assert_eq!(reason(&twice), "ABSENCE_OVERLAP");
    let before =
        client.create_absence(service.officer("clerk", away(day(2019, 12, 31), day(2020, 1, 2)))).await;
    assert_eq!(reason(&before.unwrap_err()), "OUTSIDE_EMPLOYMENT");
    let get = || pb::GetWorkerRequest { name: name(), as_of_date: None };
    let seen = client.get_worker(service.officer("clerk", get())).await.unwrap().into_inner();
    assert_eq!(seen.state(), pb::WorkerState::OnLeave);

    let leave = |comment: &str| pb::EndEmploymentRequest {
        name: name(),
        end_date: day(2020, 10, 1),
        comment: comment.to_owned(),
        request_id: uuid(),
        ..Default::default()
    };
    let silent = client.end_employment(service.officer("clerk", leave(""))).await.unwrap_err();
    assert!(["REASON_REQUIRED", "BAD_REQUEST"].contains(&reason(&silent).as_str()), "{silent:?}");
    let left =
        client.end_employment(service.officer("clerk", leave("moved away"))).await.unwrap().into_inner();
    assert_eq!(left.end_date, day(2020, 10, 1));
    let beyond = "select count(*) from posting where upper_inf(recorded) and valid && '[2020-10-01,)'";
    assert_eq!(service.number(beyond).await, 0);
    assert_eq!(
        service
            .number("select count(*) from absence where cancelled is null and valid && '[2020-10-01,)'")
            .await,
        0
    );
    assert_eq!(
        service
            .number(
                "select count(*) from absence where cancelled is null and valid = '[2020-09-20,2020-10-01)'"
            )
            .await,
        1
    );
    service.clock.set(date(2020, 10, 1)).unwrap();
    let seen = client.get_worker(service.officer("clerk", get())).await.unwrap().into_inner();
    assert_eq!(seen.state(), pb::WorkerState::Left);
    assert!(
        seen.available_actions
            .iter()
            .all(|action| action.allowed == (action.verb == "correct" || action.verb == "correctPosting"))
    );

    let back = pb::CorrectWorkerRequest {
        name: name(),
        still_employed: true,
        comment: "withdrew the notice".to_owned(),
        request_id: uuid(),
        ..Default::default()
    };
    let back = client.correct_worker(service.officer("clerk", back)).await.unwrap().into_inner();
    assert_eq!(back.posting.unwrap().kind(), pb::PostingKind::Gap);
    assert_eq!(service.number("select count(*) from employment where worker = 'w-1'").await, 3);
}

#[tokio::test]
async fn the_state_that_lists_filter_by_is_the_one_that_rules_say() {
    let service = service(TODAY).await;
    for n in 1..=4 {
        hire(&service, n, "c1", pb::Post::Worker).await;
    }
    service
        .sql(
            "update worker set probation_ends = '2020-07-01', confirmed_on = null where id = 'w-2';
             update worker set probation_ends = '2020-07-01', confirmed_on = '2020-08-01', confirmed_by = 'x', confirmed_person = 'x' where id = 'w-3';
             update worker set left_on = '2020-09-01' where id = 'w-4';
             update posting set recorded = tstzrange(lower(recorded), clock_timestamp()) where worker = 'w-4';
             insert into posting (town, id, worker, kind, committee, post, valid, recorded)
                 values ('malu', gen_random_uuid(), 'w-4', 'POST', 'c1', 'WORKER', '[2020-01-01,2020-09-01)', tstzrange(clock_timestamp(), null));
             insert into absence (town, id, worker, kind, valid) select 'malu', gen_random_uuid(), id, 'EXAM', '[2020-06-30,2020-07-02)' from worker",
        )
        .await;
    let days = [(2019, 12, 31), (2020, 1, 1), (2020, 6, 30), (2020, 7, 2), (2020, 8, 1), (2020, 9, 1)];
    for (y, m, d) in days {
        let list = |filter: String| pb::ListWorkersRequest {
            parent: "towns/malu".to_owned(),
            filter,
            as_of_date: day(y, m, d),
            ..Default::default()
        };
        let all = workers(&service)
            .list_workers(service.officer("o", list(String::new())))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(all.workers.len(), 4);
        for state in ["HIRED", "PROBATION", "ACTIVE", "ON_LEAVE", "LEFT"] {
            let found =
                workers(&service).list_workers(service.officer("o", list(format!("state = {state}")))).await;
            let found: Vec<String> =
                found.unwrap().into_inner().workers.into_iter().map(|worker| worker.name).collect();
            let expected = all
                .workers
                .iter()
                .filter(|worker| worker.state().as_str_name() == format!("WORKER_STATE_{state}"));
            assert_eq!(
                found,
                expected.map(|worker| worker.name.clone()).collect::<Vec<_>>(),
                "{state} on {y}-{m}-{d}"
            );
        }
    }
}

#[tokio::test]
async fn certificates_hold_until_they_expire_or_are_void() {
    let service = service(TODAY).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    let mut client = workers(&service);
    let certificate = |kind: pb::CertificateKind, number: &str, from, to| pb::CreateCertificateRequest {
        parent: "towns/malu".to_owned(),
        certificate: Some(pb::Certificate {
            worker: "towns/malu/workers/w-1".to_owned(),
            kind: kind.into(),
            number: number.to_owned(),
            obtain_date: from,
            expire_date: to,
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    };
    let kind = pb::CertificateKind::SocialWorker;
    let first = client
        .create_certificate(service.officer("clerk", certificate(kind, "2019-0001", day(2019, 12, 1), None)));
    let first = first.await.unwrap().into_inner();
    let again = client
        .create_certificate(service.officer("clerk", certificate(kind, "2019-0001", day(2020, 1, 1), None)));
    assert_eq!(reason(&again.await.unwrap_err()), "CERTIFICATE_NUMBER_USED");
    let untitled = certificate(pb::CertificateKind::Other, "", day(2020, 1, 1), day(2019, 1, 1));
    let untitled = client.create_certificate(service.officer("clerk", untitled)).await.unwrap_err();
    assert_eq!(fields(&untitled), ["certificate.title", "certificate.expire_date"]);
    let onboarding = certificate(pb::CertificateKind::Onboarding, "", day(2020, 1, 4), day(2020, 6, 1));
    client.create_certificate(service.officer("clerk", onboarding)).await.unwrap();
    let holding = async |on| {
        let get = pb::GetWorkerRequest { name: "towns/malu/workers/w-1".to_owned(), as_of_date: on };
        workers(&service).get_worker(service.officer("o", get)).await.unwrap().into_inner().certificates.len()
    };
    assert_eq!(
        [holding(day(2020, 1, 3)).await, holding(day(2020, 5, 31)).await, holding(day(2020, 6, 1)).await],
        [1, 2, 1]
    );
    let list = pb::ListCertificatesRequest {
        parent: "towns/malu".to_owned(),
        filter: "expire_date < 2020-07-01 AND kind = ONBOARDING".to_owned(),
        ..Default::default()
    };
    let ending =
        client.list_certificates(service.officer("o", list)).await.unwrap().into_inner().certificates;
    assert_eq!(ending.len(), 1);
    let void = || pb::VoidCertificateRequest {
        name: first.name.clone(),
        request_id: uuid(),
        comment: "forged".to_owned(),
        ..Default::default()
    };
    assert!(client.void_certificate(service.officer("chief", void())).await.unwrap().into_inner().voided);
    let again = client.void_certificate(service.officer("chief", void())).await.unwrap_err();
    assert_eq!(reason(&again), "CERTIFICATE_VOID");
    assert_eq!(holding(day(2020, 5, 31)).await, 1);
}
