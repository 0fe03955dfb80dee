//! Courses that keep their promises, places that are never taken twice, exams and what is lacking by when.

use std::sync::Arc;

use contracts::{google::r#type as google, linli::workforce::v1 as pb};
use jiff::civil::date;
use tokio::sync::Barrier;

use crate::harness::{self, *};

mod exams;
mod gaps;
mod growth;
mod professional;

const TODAY: jiff::civil::Date = date(2020, 9, 1);

fn day(year: i16, month: i8, day: i8) -> Option<google::Date> {
    Some(harness::date(date(year, month, day)))
}

fn at(day: jiff::civil::Date, hour: i8) -> Option<prost_types::Timestamp> {
    let at = day.at(hour, 0, 0, 0).to_zoned(chassis::clock::shanghai()).unwrap();
    Some(chassis::wire::to_timestamp(at.timestamp().as_microsecond()))
}

fn course_name(id: &str) -> String {
    format!("towns/malu/courses/{id}")
}

fn worker(n: u16) -> String {
    format!("towns/malu/workers/w-{n}")
}

fn drafting(id: &str, kind: pb::CourseKind, exam: (i32, i32, i32)) -> pb::CreateCourseRequest {
    pb::CreateCourseRequest {
        parent: "towns/malu".to_owned(),
        course_id: id.to_owned(),
        course: Some(pb::Course {
            kind: kind.into(),
            title: format!("课程 {id}"),
            minutes: 240,
            capacity: 30,
            pass_mark: exam.0,
            attempts: exam.1,
            valid_months: exam.2,
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    }
}

/// Drafts and opens a course.
async fn open(service: &Service, request: pb::CreateCourseRequest) -> String {
    let course =
        courses(service).create_course(service.officer("clerk", request)).await.unwrap().into_inner();
    let open = pb::OpenCourseRequest {
        name: course.name.clone(),
        etag: course.etag,
        request_id: uuid(),
        ..Default::default()
    };
    courses(service).open_course(service.officer("clerk", open)).await.unwrap();
    course.name
}

fn planning(course: &str, on: jiff::civil::Date) -> pb::CreateTrainingSessionRequest {
    pb::CreateTrainingSessionRequest {
        parent: "towns/malu".to_owned(),
        training_session: Some(pb::TrainingSession {
            course: course.to_owned(),
            start_time: at(on, 9),
            end_time: at(on, 13),
            enrolment_end_date: Some(harness::date(on.yesterday().unwrap())),
            place: "镇社区学校 201".to_owned(),
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    }
}

/// Plans a session, with places unless 0.
async fn plan(service: &Service, course: &str, on: jiff::civil::Date, places: (i32, bool)) -> String {
    let mut request = planning(course, on);
    let session = request.training_session.as_mut().unwrap();
    (session.capacity, session.waiting_list) = places;
    let request = service.officer("clerk", request);
    trainings(service).create_training_session(request).await.unwrap().into_inner().name
}

async fn session(service: &Service, name: &str) -> pb::TrainingSession {
    let get = pb::GetTrainingSessionRequest { name: name.to_owned() };
    trainings(service).get_training_session(service.officer("o", get)).await.unwrap().into_inner()
}

fn enrolling(session: &str, learner: &str) -> pb::CreateEnrolmentRequest {
    pb::CreateEnrolmentRequest {
        parent: "towns/malu".to_owned(),
        enrolment: Some(pb::Enrolment {
            training_session: session.to_owned(),
            worker: learner.to_owned(),
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    }
}

async fn enrol(service: &Service, session: &str, learner: &str) -> pb::Enrolment {
    let request = service.officer("clerk", enrolling(session, learner));
    trainings(service).create_enrolment(request).await.unwrap().into_inner()
}

async fn enrolment(service: &Service, name: &str) -> pb::Enrolment {
    let get = pb::GetEnrolmentRequest { name: name.to_owned() };
    trainings(service).get_enrolment(service.officer("o", get)).await.unwrap().into_inner()
}

/// Goes to the day of a session and says that it was held.
async fn hold(service: &Service, session: &str, on: jiff::civil::Date) {
    service.clock.set(on).unwrap();
    let hold =
        pb::HoldTrainingSessionRequest { name: session.to_owned(), request_id: uuid(), ..Default::default() };
    trainings(service).hold_training_session(service.officer("clerk", hold)).await.unwrap();
}

fn attending(enrolment: &str, minutes: i32) -> pb::RecordAttendanceRequest {
    pb::RecordAttendanceRequest {
        name: enrolment.to_owned(),
        minutes,
        request_id: uuid(),
        ..Default::default()
    }
}

async fn attend(service: &Service, enrolment: &str, minutes: i32) -> pb::Enrolment {
    let request = service.officer("clerk", attending(enrolment, minutes));
    trainings(service).record_attendance(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_session_keeps_what_its_course_promised() {
    let service = service(TODAY).await;
    let mut client = courses(&service);
    let wrong = pb::CreateCourseRequest {
        course: Some(pb::Course {
            kind: pb::CourseKind::Companion.into(),
            title: "全年\u{200b}陪伴".to_owned(),
            attempts: 2,
            valid_months: 12,
            mandatory_roles: vec![pb::LearnerRole::Worker.into(), 0],
            ..Default::default()
        }),
        ..drafting("No id", pb::CourseKind::Companion, (0, 0, 0))
    };
    let before = service.dump().await;
    let wrong = client.create_course(service.officer("clerk", wrong)).await.unwrap_err();
    let expected = [
        "course_id",
        "course.title",
        "course.minutes",
        "course.capacity",
        "course.mandatory_roles[1]",
        "course.pass_mark",
        "course.attempts",
        "course.valid_months",
        "course.provider",
    ];
    assert_eq!(fields(&wrong), expected);
    let mut companion = drafting("c-companion", pb::CourseKind::Companion, (0, 0, 0));
    companion.course.as_mut().unwrap().provider = "towns/malu/organisations/nobody".to_owned();
    let unknown = client.create_course(service.officer("clerk", companion)).await.unwrap_err();
    assert_eq!(reason(&unknown), "PEER_UNKNOWN");
    assert_eq!(service.dump().await, before);

    let draft = drafting("c-fire", pb::CourseKind::Mandatory, (80, 2, 12));
    client.create_course(service.officer("clerk", draft.clone())).await.unwrap();
    let mut sessions = trainings(&service);
    let early = planning(&course_name("c-fire"), date(2020, 9, 10));
    let early = sessions.create_training_session(service.officer("clerk", early)).await.unwrap_err();
    assert_eq!(reason(&early), "COURSE_NOT_OPEN");
    let open =
        pb::OpenCourseRequest { name: course_name("c-fire"), request_id: uuid(), ..Default::default() };
    client.open_course(service.officer("clerk", open)).await.unwrap();
    let past = planning(&course_name("c-fire"), date(2020, 8, 31));
    let past = sessions.create_training_session(service.officer("clerk", past)).await.unwrap_err();
    assert_eq!(reason(&past), "SESSION_IN_PAST");
    let mut upside_down = planning(&course_name("c-fire"), date(2020, 9, 10));
    let given = upside_down.training_session.as_mut().unwrap();
    (given.end_time, given.enrolment_end_date) = (given.start_time, day(2020, 9, 11));
    let upside_down =
        sessions.create_training_session(service.officer("clerk", upside_down)).await.unwrap_err();
    assert_eq!(fields(&upside_down), ["training_session.end_time", "training_session.enrolment_end_date"]);
    let name = plan(&service, &course_name("c-fire"), date(2020, 9, 10), (0, false)).await;

    let target = pb::SetTrainingTargetRequest {
        parent: "towns/malu".to_owned(),
        role: pb::LearnerRole::Worker.into(),
        from_year: 2020,
        minutes: 2400,
        courses: vec![course_name("c-fire")],
        request_id: uuid(),
        ..Default::default()
    };
    client.set_training_target(service.officer("clerk", target.clone())).await.unwrap();
    let update = |mask: &[&str], course: pb::Course| pb::UpdateCourseRequest {
        course: Some(pb::Course { name: course_name("c-fire"), ..course }),
        update_mask: Some(prost_types::FieldMask {
            paths: mask.iter().map(|its| (*its).to_owned()).collect(),
        }),
        request_id: uuid(),
        ..Default::default()
    };
    let none = update(&["pass_mark", "attempts", "valid_months"], pb::Course::default());
    let none = client.update_course(service.officer("clerk", none)).await.unwrap_err();
    // a mandatory course needs its exam, whoever asks for it
    assert_eq!(fields(&none), ["course.pass_mark"]);
    let harder =
        update(&["pass_mark", "capacity"], pb::Course { pass_mark: 90, capacity: 5, ..Default::default() });
    let harder = client.update_course(service.officer("clerk", harder)).await.unwrap().into_inner();
    assert_eq!((harder.pass_mark, harder.capacity, harder.minutes), (90, 5, 240));
    let promised = session(&service, &name).await;
    assert_eq!((promised.pass_mark, promised.capacity, promised.attempts), (80, 30, 2));

    let unknown = pb::SetTrainingTargetRequest {
        courses: vec![course_name("c-fire"), course_name("c-none")],
        request_id: uuid(),
        ..target
    };
    let unknown = client.set_training_target(service.officer("clerk", unknown)).await.unwrap_err();
    assert_eq!(reason(&unknown), "COURSE_WITHOUT_EXAM");
    let get = pb::GetCourseRequest { name: course_name("c-fire") };
    let seen = client.get_course(service.of_committee("o", "c1", get)).await.unwrap().into_inner();
    assert_eq!(
        seen.timeline.iter().map(|its| its.verb.as_str()).collect::<Vec<_>>(),
        ["create", "open", "update"]
    );
    assert!(seen.available_actions.iter().all(|action| !action.allowed));

    // behind the service's back
    for change in [
        "pass_mark = 1",
        "starts = starts + interval '1 day', ends = ends + interval '1 day'",
        "capacity = 99",
    ] {
        let sql = format!("update training_session set {change}");
        assert_eq!(service.constraint(&sql).await, "training_session_keeps_its_promise");
    }
    let without = "update course set kind = 'SALON', pass_mark = 0, attempts = 0, valid_months = 0";
    assert_eq!(service.constraint(without).await, "training_target_courses_have_exams");
    let asks = "update training_target set courses = '{c-none}'";
    assert_eq!(service.constraint(asks).await, "training_target_courses_have_exams");
    assert_eq!(service.constraint("update course set attempts = 0").await, "course_exam_is_whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_take_no_more_places_than_there_are() {
    let service = Arc::new(service(TODAY).await);
    let course = open(&service, drafting("c-salon", pb::CourseKind::Salon, (0, 0, 0))).await;
    let name = plan(&service, &course, date(2020, 9, 10), (20, false)).await;
    for n in 1..=64 {
        hire(&service, n, "c1", pb::Post::Worker).await;
    }
    let barrier = Arc::new(Barrier::new(64));
    let tasks: Vec<_> = (1..=64)
        .map(|n| {
            let (service, barrier, name) = (service.clone(), barrier.clone(), name.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                let request = service.officer("clerk", enrolling(&name, &worker(n)));
                trainings(&service).create_enrolment(request).await.map_err(|refused| reason(&refused))
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => done += 1,
            Err(why) => assert_eq!(why, "SESSION_FULL"),
        }
    }
    assert_eq!((done, session(&service, &name).await.enrolled), (20, 20));

    // behind the service's back
    let one_more = "insert into enrolment (town, id, session, person, worker, role, committee, basis, state, enrolled_on)
        select 'malu', gen_random_uuid(), s.id, 'x', 'w-1', 'WORKER', 'c1', 'CHOICE', 'ENROLLED', '2020-09-01' from training_session s";
    assert_eq!(service.constraint(one_more).await, "training_session_capacity");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_behind_the_services_back_take_no_more_either() {
    let service = Arc::new(service(TODAY).await);
    let course = open(&service, drafting("c-salon", pb::CourseKind::Salon, (0, 0, 0))).await;
    plan(&service, &course, date(2020, 9, 10), (7, false)).await;
    let barrier = Arc::new(Barrier::new(32));
    let tasks: Vec<_> = (1..=32)
        .map(|n| {
            let (service, barrier) = (service.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                let sql = format!(
                    "insert into enrolment (town, id, session, person, role, committee, basis, state, enrolled_on)
                     select 'malu', gen_random_uuid(), s.id, 'p-{n}', 'BACKBONE', 'c1', 'CHOICE', 'ENROLLED', '2020-09-01'
                     from training_session s"
                );
                service.try_sql(&sql).await.is_ok()
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += i32::from(task.await.unwrap());
    }
    assert_eq!((done, service.number("select count(*) from enrolment").await), (7, 7));
}

#[tokio::test]
async fn who_waits_takes_the_place_that_becomes_free() {
    let service = service(TODAY).await;
    let course = open(&service, drafting("c-salon", pb::CourseKind::Salon, (0, 0, 0))).await;
    let name = plan(&service, &course, date(2020, 9, 10), (1, true)).await;
    for n in 1..=3 {
        hire(&service, n, "c1", pb::Post::Worker).await;
    }
    let first = enrol(&service, &name, &worker(1)).await;
    let second = enrol(&service, &name, &worker(2)).await;
    let third = enrol(&service, &name, &worker(3)).await;
    use pb::EnrolmentState as State;
    assert_eq!(
        [first.state(), second.state(), third.state()],
        [State::Enrolled, State::Waiting, State::Waiting]
    );
    let withdraw = |name: &str, etag: &str| pb::WithdrawEnrolmentRequest {
        name: name.to_owned(),
        etag: etag.to_owned(),
        request_id: uuid(),
        ..Default::default()
    };
    let mut client = trainings(&service);
    client.withdraw_enrolment(service.officer("clerk", withdraw(&first.name, &first.etag))).await.unwrap();
    let stale = client.withdraw_enrolment(service.officer("clerk", withdraw(&second.name, &second.etag)));
    assert_eq!(reason(&stale.await.unwrap_err()), "ETAG_MISMATCH");
    let moved = enrolment(&service, &second.name).await;
    assert_eq!(moved.state(), State::Enrolled);
    assert_eq!(moved.timeline.iter().map(|its| its.verb.as_str()).collect::<Vec<_>>(), ["wait", "moveUp"]);
    // who withdrew may come again, behind those who wait
    assert_eq!(enrol(&service, &name, &worker(1)).await.state(), State::Waiting);
    let held = session(&service, &name).await;
    assert_eq!((held.enrolled, held.waiting), (1, 2));

    let cancel = |comment: &str| pb::CancelTrainingSessionRequest {
        name: name.clone(),
        comment: comment.to_owned(),
        request_id: uuid(),
        ..Default::default()
    };
    let silent = client.cancel_training_session(service.officer("clerk", cancel(" "))).await.unwrap_err();
    assert!(["REASON_REQUIRED", "BAD_REQUEST"].contains(&reason(&silent).as_str()), "{silent:?}");
    client.cancel_training_session(service.officer("clerk", cancel("teacher is ill"))).await.unwrap();
    assert_eq!(service.number("select count(*) from enrolment where state = 'WITHDRAWN'").await, 4);
    let late =
        client.create_enrolment(service.officer("clerk", enrolling(&name, &worker(2)))).await.unwrap_err();
    assert_eq!(reason(&late), "SESSION_NOT_PLANNED");
    assert_eq!(
        service.constraint("update training_session set state = 'PLANNED', reason = ''").await,
        "training_session_is_over"
    );
}

#[tokio::test]
async fn late_double_and_nameless_learners_are_refused_and_nothing_is_stored() {
    let service = service(TODAY).await;
    let course = open(&service, drafting("c-salon", pb::CourseKind::Salon, (0, 0, 0))).await;
    let name = plan(&service, &course, date(2020, 9, 10), (0, false)).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    hire(&service, 2, "c1", pb::Post::Worker).await;
    enrol(&service, &name, &worker(1)).await;
    let before = service.dump().await;
    let refused = async |request| {
        let request = service.officer("clerk", request);
        trainings(&service).create_enrolment(request).await.unwrap_err()
    };
    assert_eq!(reason(&refused(enrolling(&name, &worker(1))).await), "ENROLLED_ALREADY");
    let person = |role: pb::LearnerRole, id: &str, committee: &str| {
        let mut request = enrolling(&name, "");
        let given = request.enrolment.as_mut().unwrap();
        given.person = format!("towns/malu/people/{id}");
        given.role = role.into();
        given.committee = format!("towns/malu/committees/{committee}");
        request
    };
    use pb::LearnerRole as Role;
    // the same human under another name
    assert_eq!(reason(&refused(person(Role::Backbone, "w-1", "c1")).await), "ENROLLED_ALREADY");
    assert_eq!(fields(&refused(person(Role::Worker, "w-2", "c1")).await), ["enrolment.role"]);
    assert_eq!(reason(&refused(person(Role::Backbone, "nobody", "c1")).await), "PEER_UNKNOWN");
    assert_eq!(reason(&refused(person(Role::Backbone, "w-2", "c9")).await), "PEER_UNKNOWN");
    let mut both = person(Role::Backbone, "w-2", "c1");
    both.enrolment.as_mut().unwrap().worker = worker(2);
    assert_eq!(fields(&refused(both).await), ["enrolment.person"]);
    assert_eq!(reason(&refused(enrolling(&name, &worker(9))).await), "NOT_FOUND");
    service.clock.set(date(2020, 9, 10)).unwrap();
    assert_eq!(reason(&refused(enrolling(&name, &worker(2))).await), "ENROLMENT_OVER");
    assert_eq!(service.dump().await, before);

    // behind the service's back
    let insert = |person: &str, day: &str| {
        format!(
            "insert into enrolment (town, id, session, person, role, committee, basis, state, enrolled_on)
             select 'malu', gen_random_uuid(), s.id, '{person}', 'BACKBONE', 'c1', 'CHOICE', 'ENROLLED', '{day}' from training_session s"
        )
    };
    assert_eq!(service.constraint(&insert("w-1", "2020-09-09")).await, "enrolment_once");
    assert_eq!(service.constraint(&insert("p", "2020-09-10")).await, "enrolment_in_time");
    assert_eq!(service.constraint("update enrolment set person = 'p'").await, "enrolment_is_kept");
    assert_eq!(service.constraint("delete from enrolment").await, "enrolment_is_kept");
}

#[tokio::test]
async fn a_committee_enrols_and_sees_its_own() {
    let service = service(TODAY).await;
    let course = open(&service, drafting("c-salon", pb::CourseKind::Salon, (0, 0, 0))).await;
    let name = plan(&service, &course, date(2020, 9, 10), (0, false)).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    hire(&service, 2, "c2", pb::Post::Worker).await;
    person(&service, "leader", &citizen_id(date(1960, 1, 1), 1)).await;
    let mut client = trainings(&service);
    client.create_enrolment(service.of_committee("o", "c1", enrolling(&name, &worker(1)))).await.unwrap();
    let other = client.create_enrolment(service.of_committee("o", "c1", enrolling(&name, &worker(2)))).await;
    assert_eq!(reason(&other.unwrap_err()), "PERMISSION_DENIED");
    let leader = |committee: &str| {
        let mut request = enrolling(&name, "");
        let given = request.enrolment.as_mut().unwrap();
        given.person = "towns/malu/people/leader".to_owned();
        given.role = pb::LearnerRole::BuildingLeader.into();
        given.committee = format!("towns/malu/committees/{committee}");
        request
    };
    let foreign = client.create_enrolment(service.of_committee("o", "c1", leader("c2"))).await.unwrap_err();
    assert_eq!(reason(&foreign), "PERMISSION_DENIED");
    let leader =
        client.create_enrolment(service.of_committee("o", "c2", leader("c2"))).await.unwrap().into_inner();
    assert_eq!((leader.worker.as_str(), leader.role()), ("", pb::LearnerRole::BuildingLeader));
    let list = || pb::ListEnrolmentsRequest {
        parent: "towns/malu".to_owned(),
        filter: format!("training_session = \"{name}\" AND state = ENROLLED"),
        ..Default::default()
    };
    let count = async |request| {
        trainings(&service).list_enrolments(request).await.unwrap().into_inner().enrolments.len()
    };
    assert_eq!(
        [count(service.officer("o", list())).await, count(service.of_committee("o", "c2", list())).await],
        [2, 1]
    );
    let get = pb::GetEnrolmentRequest { name: leader.name };
    let hidden = client.get_enrolment(service.of_committee("o", "c1", get)).await.unwrap_err();
    assert_eq!(reason(&hidden), "PERMISSION_DENIED");
    let plan =
        client.create_training_session(service.of_committee("o", "c1", planning(&course, date(2020, 9, 11))));
    assert_eq!(reason(&plan.await.unwrap_err()), "PERMISSION_DENIED");
}
