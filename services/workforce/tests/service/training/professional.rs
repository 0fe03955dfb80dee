//! The professional exam: one level a year, the certificate with the result.

use super::*;

fn registering(n: u16, level: pb::CertificateKind, exam_year: i32) -> pb::CreateExamRegistrationRequest {
    pb::CreateExamRegistrationRequest {
        parent: "towns/malu".to_owned(),
        exam_registration: Some(pb::ExamRegistration {
            worker: worker(n),
            level: level.into(),
            exam_year,
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    }
}

fn result(name: &str, result: pb::ExamRegistrationState, number: &str) -> pb::RecordExamResultRequest {
    pb::RecordExamResultRequest {
        name: name.to_owned(),
        result: result.into(),
        certificate_number: number.to_owned(),
        obtain_date: day(2020, 12, 1),
        request_id: uuid(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_worker_passes_one_level_after_the_other() {
    use pb::{CertificateKind as Level, ExamRegistrationState as State};
    let service = service(TODAY).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    hire(&service, 2, "c2", pb::Post::Worker).await;
    let mut client = professional(&service);
    let before = service.dump().await;
    let refused = async |request| {
        let answer = professional(&service).create_exam_registration(service.officer("clerk", request)).await;
        answer.unwrap_err()
    };
    assert_eq!(
        reason(&refused(registering(1, Level::SeniorSocialWorker, 2020)).await),
        "EXAM_LEVEL_TOO_HIGH"
    );
    assert_eq!(reason(&refused(registering(1, Level::SocialWorker, 2019)).await), "EXAM_YEAR_OVER");
    assert_eq!(fields(&refused(registering(1, Level::Course, 2020)).await), ["exam_registration.level"]);
    let foreign = service.of_committee("o", "c1", registering(2, Level::SocialWorker, 2020));
    assert_eq!(reason(&client.create_exam_registration(foreign).await.unwrap_err()), "PERMISSION_DENIED");
    assert_eq!(service.dump().await, before);

    let own = service.of_committee("o", "c1", registering(1, Level::SocialWorker, 2020));
    let first = client.create_exam_registration(own).await.unwrap().into_inner();
    let twice = refused(registering(1, Level::AssistantSocialWorker, 2020)).await;
    assert_eq!(reason(&twice), "EXAM_YEAR_TAKEN");
    service.clock.set(date(2020, 12, 20)).unwrap();
    let record = async |who: &str, request| {
        let answer = professional(&service).record_exam_result(service.officer(who, request)).await;
        answer.map(tonic::Response::into_inner)
    };
    let passed = |number| result(&first.name, State::Passed, number);
    assert_eq!(reason(&record("w-1", passed("2020-1")).await.unwrap_err()), "MAKER_IS_CHECKER");
    assert_eq!(fields(&record("clerk", passed("")).await.unwrap_err()), ["certificate_number"]);
    let early = pb::RecordExamResultRequest { obtain_date: day(2019, 12, 31), ..passed("2020-1") };
    assert_eq!(reason(&record("clerk", early).await.unwrap_err()), "TRAINING_DATE_OUTSIDE");
    let odd = result(&first.name, State::Withdrawn, "");
    assert_eq!(fields(&record("clerk", odd).await.unwrap_err()), ["result"]);
    let done = record("clerk", passed("2020-1")).await.unwrap();
    assert_eq!((done.state(), done.certificate.is_empty()), (State::Passed, false));
    assert_eq!(reason(&record("clerk", passed("2020-2")).await.unwrap_err()), "WRONG_STATE");
    let holds = pb::GetWorkerRequest { name: worker(1), as_of_date: None };
    let holds = workers(&service).get_worker(service.officer("o", holds)).await.unwrap().into_inner();
    assert_eq!(holds.certificates, [done.certificate]);

    assert_eq!(reason(&refused(registering(1, Level::SocialWorker, 2021)).await), "EXAM_LEVEL_HELD");
    let senior = registering(1, Level::SeniorSocialWorker, 2021);
    client.create_exam_registration(service.officer("clerk", senior)).await.unwrap();
    // a number stands on one certificate
    let other = registering(2, Level::SocialWorker, 2020);
    let other = client.create_exam_registration(service.officer("clerk", other)).await.unwrap().into_inner();
    let used = record("clerk", result(&other.name, State::Passed, "2020-1")).await.unwrap_err();
    assert_eq!(reason(&used), "CERTIFICATE_NUMBER_USED");
    assert_eq!(record("clerk", result(&other.name, State::Absent, "")).await.unwrap().state(), State::Absent);

    let get = pb::GetExamRegistrationRequest { name: other.name.clone() };
    let seen = client.get_exam_registration(service.officer("o", get.clone())).await.unwrap().into_inner();
    assert_eq!(seen.timeline.iter().map(|its| its.verb.as_str()).collect::<Vec<_>>(), ["create", "miss"]);
    assert!(seen.available_actions.iter().all(|action| !action.allowed));
    let hidden = client.get_exam_registration(service.of_committee("o", "c1", get)).await.unwrap_err();
    assert_eq!(reason(&hidden), "PERMISSION_DENIED");
    let list = pb::ListExamRegistrationsRequest {
        parent: "towns/malu".to_owned(),
        filter: "level = SOCIAL_WORKER AND exam_year = 2020".to_owned(),
        ..Default::default()
    };
    let mine = client.list_exam_registrations(service.of_committee("o", "c1", list)).await.unwrap();
    assert_eq!(mine.into_inner().exam_registrations.len(), 1);

    // behind the service's back
    let again =
        "update exam_registration set state = 'REGISTERED', certificate = null where state = 'PASSED'";
    assert_eq!(service.constraint(again).await, "exam_registration_is_kept");
    let easy = "update exam_registration set state = 'PASSED' where exam_year = 2021";
    assert_eq!(service.constraint(easy).await, "exam_registration_passed_brings_certificate");
    let second = "insert into exam_registration (town, id, worker, level, exam_year)
        values ('malu', gen_random_uuid(), 'w-1', 'ASSISTANT_SOCIAL_WORKER', 2020)";
    assert_eq!(service.constraint(second).await, "exam_registration_once_a_year");
}

#[tokio::test]
async fn who_withdrew_may_register_again() {
    let service = service(TODAY).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    let mut client = professional(&service);
    let level = pb::CertificateKind::AssistantSocialWorker;
    let first = client.create_exam_registration(service.officer("clerk", registering(1, level, 2020)));
    let first = first.await.unwrap().into_inner();
    let withdraw = pb::WithdrawExamRegistrationRequest {
        name: first.name,
        etag: first.etag,
        request_id: uuid(),
        ..Default::default()
    };
    let back = client.withdraw_exam_registration(service.of_committee("o", "c1", withdraw)).await.unwrap();
    assert_eq!(back.into_inner().state(), pb::ExamRegistrationState::Withdrawn);
    client.create_exam_registration(service.officer("clerk", registering(1, level, 2020))).await.unwrap();
}
