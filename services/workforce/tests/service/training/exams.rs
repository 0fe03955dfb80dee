//! Attendance, attempts, certificates and feedback.

use super::*;

fn trying(enrolment: &str, mark: i32) -> pb::RecordExamAttemptRequest {
    pb::RecordExamAttemptRequest {
        name: enrolment.to_owned(),
        mark,
        request_id: uuid(),
        ..Default::default()
    }
}

async fn mark(service: &Service, enrolment: &str, mark: i32) -> pb::Enrolment {
    let request = service.officer("examiner", trying(enrolment, mark));
    trainings(service).record_exam_attempt(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn the_pass_mark_and_the_attempts_of_the_course_hold() {
    let service = service(TODAY).await;
    let course = open(&service, drafting("c-onboard", pb::CourseKind::Onboarding, (60, 3, 24))).await;
    let name = plan(&service, &course, date(2020, 9, 10), (0, false)).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    hire(&service, 2, "c1", pb::Post::Worker).await;
    let first = enrol(&service, &name, &worker(1)).await.name;
    let second = enrol(&service, &name, &worker(2)).await.name;
    let mut client = trainings(&service);
    let hold =
        pb::HoldTrainingSessionRequest { name: name.clone(), request_id: uuid(), ..Default::default() };
    let early = client.hold_training_session(service.officer("clerk", hold)).await.unwrap_err();
    assert_eq!(reason(&early), "SESSION_NOT_BEGUN");
    let unheld =
        client.record_attendance(service.officer("clerk", attending(&first, 100))).await.unwrap_err();
    assert_eq!(reason(&unheld), "SESSION_NOT_HELD");
    super::hold(&service, &name, date(2020, 9, 10)).await;

    let absent =
        client.record_exam_attempt(service.officer("examiner", trying(&first, 90))).await.unwrap_err();
    assert_eq!(reason(&absent), "WRONG_STATE");
    let long = client.record_attendance(service.officer("clerk", attending(&first, 241))).await.unwrap_err();
    assert_eq!(reason(&long), "ATTENDANCE_TOO_LONG");
    attend(&service, &first, 240).await;
    attend(&service, &second, 200).await;
    let before = service.dump().await;
    let refused =
        async |request| reason(&trainings(&service).record_exam_attempt(request).await.unwrap_err());
    // a worker's person has the worker's id here
    assert_eq!(refused(service.officer("w-1", trying(&first, 100))).await, "MAKER_IS_CHECKER");
    let mut never = trying(&first, 100);
    never.take_date = day(2020, 9, 9);
    assert_eq!(refused(service.officer("examiner", never.clone())).await, "TRAINING_DATE_OUTSIDE");
    never.take_date = day(2020, 9, 11);
    assert_eq!(refused(service.officer("examiner", never)).await, "TRAINING_DATE_OUTSIDE");
    assert_eq!(service.dump().await, before);

    use pb::EnrolmentState as State;
    assert_eq!(mark(&service, &first, 59).await.state(), State::Attended);
    let passed = mark(&service, &first, 60).await;
    let told: Vec<_> = passed.exam_attempts.iter().map(|its| (its.number, its.mark, its.passed)).collect();
    assert_eq!((passed.state(), told), (State::Passed, vec![(1, 59, false), (2, 60, true)]));
    assert_eq!(refused(service.officer("examiner", trying(&first, 90))).await, "WRONG_STATE");
    let list = pb::ListCertificatesRequest {
        parent: "towns/malu".to_owned(),
        filter: "kind = ONBOARDING".to_owned(),
        ..Default::default()
    };
    let given = workers(&service).list_certificates(service.officer("o", list)).await.unwrap().into_inner();
    let given = given.certificates.first().unwrap().clone();
    assert_eq!((&given.name, &given.worker, &given.course), (&passed.certificate, &worker(1), &course));
    assert_eq!((given.obtain_date, given.expire_date), (day(2020, 9, 10), day(2022, 9, 10)));

    for (tried, state) in [(0, State::Attended), (59, State::Attended), (30, State::Failed)] {
        assert_eq!(mark(&service, &second, tried).await.state(), state);
    }
    let before = service.dump().await;
    assert_eq!(refused(service.officer("examiner", trying(&second, 100))).await, "ATTEMPTS_USED");
    assert_eq!(service.dump().await, before);
    let seen = enrolment(&service, &second).await;
    assert_eq!(
        seen.timeline.iter().map(|its| its.verb.as_str()).collect::<Vec<_>>(),
        ["create", "recordAttendance", "recordExamAttempt", "recordExamAttempt", "fail"]
    );
    let can: Vec<_> = seen.available_actions.iter().filter(|its| its.allowed).map(|its| &its.verb).collect();
    assert_eq!(can, ["giveFeedback"]);
}

#[tokio::test]
async fn what_was_recorded_of_exams_is_never_rewritten() {
    let service = service(TODAY).await;
    let course = open(&service, drafting("c-fire", pb::CourseKind::Mandatory, (80, 2, 12))).await;
    let name = plan(&service, &course, date(2020, 9, 10), (0, false)).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    let learner = enrol(&service, &name, &worker(1)).await.name;
    super::hold(&service, &name, date(2020, 9, 10)).await;
    attend(&service, &learner, 240).await;
    mark(&service, &learner, 79).await;
    for change in ["mark = 100", "taken_on = '2020-09-11'", "passed = true"] {
        let sql = format!("update exam_attempt set {change}");
        assert_eq!(service.constraint(&sql).await, "exam_attempt_never_changes");
    }
    assert_eq!(service.constraint("delete from exam_attempt").await, "exam_attempt_never_changes");
    assert_eq!(service.constraint("update enrolment set attended = 10").await, "enrolment_is_kept");
    assert_eq!(service.constraint("update enrolment set state = 'PASSED'").await, "enrolment_passed_by_exam");
    let attempt = |n: i32, mark: i32, on: &str, passed: bool, by: &str| {
        format!(
            "insert into certificate (town, id, person, worker, kind, title, course, valid) select 'malu', gen_random_uuid(), 'w-1', 'w-1', 'COURSE', 't', 'c-fire', '[2020-09-10,)';
             insert into exam_attempt (town, enrolment, n, mark, taken_on, passed, certificate, recorded_by, recorded_person)
             select 'malu', e.id, {n}, {mark}, '{on}', {passed}, case when {passed} then (select id from certificate limit 1) end, 'x', 'towns/malu/people/{by}' from enrolment e"
        )
    };
    assert_eq!(service.constraint(&attempt(2, 79, "2020-09-10", true, "x")).await, "exam_pass_mark_kept");
    assert_eq!(service.constraint(&attempt(2, 80, "2020-09-10", false, "x")).await, "exam_pass_mark_kept");
    assert_eq!(service.constraint(&attempt(4, 79, "2020-09-10", false, "x")).await, "exam_attempts_kept");
    assert_eq!(service.constraint(&attempt(2, 80, "2020-09-09", true, "x")).await, "exam_after_attendance");
    assert_eq!(
        service.constraint(&attempt(2, 80, "2020-09-10", true, "w-1")).await,
        "exam_marked_by_another"
    );
    // passed behind its back, and the enrolment not
    let third =
        format!("{}; update enrolment set version = version + 1", attempt(2, 80, "2020-09-10", true, "x"));
    assert_eq!(service.constraint(&third).await, "enrolment_passed_by_exam");
    mark(&service, &learner, 20).await;
    assert_eq!(service.constraint(&attempt(3, 79, "2020-09-10", false, "x")).await, "exam_attempts_kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_marks_at_once_make_no_more_attempts_than_there_are() {
    let service = Arc::new(service(TODAY).await);
    let course = open(&service, drafting("c-fire", pb::CourseKind::Mandatory, (80, 3, 12))).await;
    let name = plan(&service, &course, date(2020, 9, 10), (0, false)).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    let learner = enrol(&service, &name, &worker(1)).await.name;
    super::hold(&service, &name, date(2020, 9, 10)).await;
    attend(&service, &learner, 240).await;
    let barrier = Arc::new(Barrier::new(64));
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let (service, barrier, learner) = (service.clone(), barrier.clone(), learner.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                let request = service.officer("examiner", trying(&learner, n));
                trainings(&service).record_exam_attempt(request).await.map_err(|refused| reason(&refused))
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => done += 1,
            Err(why) => assert_eq!(why, "ATTEMPTS_USED"),
        }
    }
    assert_eq!((done, service.number("select count(*) from exam_attempt").await), (3, 3));
}

#[tokio::test]
async fn feedback_comes_once_from_those_who_were_there() {
    let service = service(TODAY).await;
    let course = open(&service, drafting("c-salon", pb::CourseKind::Salon, (0, 0, 0))).await;
    let name = plan(&service, &course, date(2020, 9, 10), (0, false)).await;
    for n in 1..=3 {
        hire(&service, n, "c1", pb::Post::Worker).await;
    }
    let mut all = Vec::new();
    for n in 1..=3 {
        all.push(enrol(&service, &name, &worker(n)).await.name);
    }
    super::hold(&service, &name, date(2020, 9, 10)).await;
    attend(&service, &all[0], 240).await;
    attend(&service, &all[1], 60).await;
    assert_eq!(attend(&service, &all[2], 0).await.state(), pb::EnrolmentState::Absent);
    let none =
        trainings(&service).record_exam_attempt(service.officer("examiner", trying(&all[0], 90))).await;
    assert_eq!(reason(&none.unwrap_err()), "NO_EXAM");
    let feedback = async |n: usize, score| {
        let request =
            pb::GiveFeedbackRequest { name: all[n].clone(), score, request_id: uuid(), ..Default::default() };
        let answer = trainings(&service).give_feedback(service.of_committee("o", "c1", request)).await;
        answer.map(|its| its.into_inner().feedback).map_err(|refused| reason(&refused))
    };
    assert_eq!(feedback(0, 5).await, Ok(5));
    assert_eq!(feedback(0, 1).await, Err("FEEDBACK_GIVEN".to_owned()));
    assert_eq!(feedback(1, 2).await, Ok(2));
    assert_eq!(feedback(2, 5).await, Err("WRONG_STATE".to_owned()));
    assert_eq!(feedback(1, 6).await, Err("BAD_REQUEST".to_owned()));
    let seen = session(&service, &name).await;
    assert_eq!((seen.feedbacks, seen.feedback_tenths), (2, 35));
    assert_eq!(
        service.constraint("update enrolment set score = 1 where score is not null").await,
        "enrolment_is_kept"
    );
}
