//! Who lacks which training by when.

use super::*;

async fn target(service: &Service, role: pb::LearnerRole, minutes: i32, asked: &[&str]) {
    let request = pb::SetTrainingTargetRequest {
        parent: "towns/malu".to_owned(),
        role: role.into(),
        from_year: 2020,
        minutes,
        courses: asked.iter().map(|id| course_name(id)).collect(),
        request_id: uuid(),
        ..Default::default()
    };
    courses(service).set_training_target(service.officer("clerk", request)).await.unwrap();
}

type Told = (String, (i32, i32, i32), Vec<(String, pb::TrainingLackState, Option<google::Date>)>);

fn told(gap: pb::TrainingGap) -> Told {
    let lacks = gap.lacks.iter().map(|its| (its.course.clone(), its.state(), its.due_date)).collect();
    (gap.worker, (gap.target_minutes, gap.credited_minutes, gap.missing_minutes), lacks)
}

fn asking(as_of_date: Option<google::Date>) -> pb::ListTrainingGapsRequest {
    pb::ListTrainingGapsRequest { parent: "towns/malu".to_owned(), as_of_date, ..Default::default() }
}

async fn gaps(service: &Service, request: pb::ListTrainingGapsRequest) -> Vec<Told> {
    let answer = trainings(service).list_training_gaps(service.officer("o", request)).await.unwrap();
    answer.into_inner().training_gaps.into_iter().map(told).collect()
}

#[tokio::test]
async fn who_is_behind_is_told_with_what_and_by_when() {
    let service = service(TODAY).await;
    let mut onboarding = drafting("c-onboard", pb::CourseKind::Onboarding, (60, 3, 0));
    onboarding.course.as_mut().unwrap().mandatory_roles = vec![pb::LearnerRole::Worker.into()];
    open(&service, onboarding).await;
    let fire = open(&service, drafting("c-fire", pb::CourseKind::Mandatory, (80, 2, 12))).await;
    open(&service, drafting("c-mediation", pb::CourseKind::Continuing, (60, 3, 24))).await;
    target(&service, pb::LearnerRole::Worker, 480, &["c-fire"]).await;
    target(&service, pb::LearnerRole::Steward, 600, &["c-fire", "c-mediation"]).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    hire(&service, 2, "c2", pb::Post::Steward).await;
    use pb::TrainingLackState as Lack;
    let (year_end, missing) =
        (day(2020, 12, 31), |id: &str| (course_name(id), Lack::Missing, day(2020, 12, 31)));
    let steward =
        (worker(2), (600, 0, 600), vec![missing("c-fire"), missing("c-mediation"), missing("c-onboard")]);
    assert_eq!(
        gaps(&service, asking(None)).await,
        [(worker(1), (480, 0, 480), vec![missing("c-fire"), missing("c-onboard")]), steward.clone()]
    );

    // onboarding passed elsewhere counts, fire training is passed here
    service
        .sql(
            "insert into certificate (town, id, person, worker, kind, valid)
                 values ('malu', gen_random_uuid(), 'w-1', 'w-1', 'ONBOARDING', '[2020-01-02,)')",
        )
        .await;
    let name = plan(&service, &fire, date(2020, 9, 10), (0, false)).await;
    let learner = enrol(&service, &name, &worker(1)).await;
    assert_eq!(learner.basis(), pb::EnrolmentBasis::Obligation);
    hold(&service, &name, date(2020, 9, 10)).await;
    attend(&service, &learner.name, 200).await;
    let attempt = pb::RecordExamAttemptRequest {
        name: learner.name,
        mark: 80,
        request_id: uuid(),
        ..Default::default()
    };
    trainings(&service).record_exam_attempt(service.officer("examiner", attempt)).await.unwrap();
    let hours = |lacks| (worker(1), (480, 200, 280), lacks);
    assert_eq!(gaps(&service, asking(None)).await, [hours(vec![]), steward]);
    assert_eq!(gaps(&service, asking(day(2020, 9, 9))).await[0].1, (480, 0, 480));

    // by when: told ahead, and on the day on which it ends; the year begins anew
    let ahead = pb::ListTrainingGapsRequest { expire_until_date: day(2021, 9, 10), ..asking(None) };
    let fire = |state| (course_name("c-fire"), state, day(2021, 9, 10));
    assert_eq!(gaps(&service, ahead).await[0], hours(vec![fire(Lack::Expiring)]));
    let next_year = |lacks| (worker(1), (480, 0, 480), lacks);
    assert_eq!(gaps(&service, asking(day(2021, 9, 9))).await[0], next_year(vec![fire(Lack::Expiring)]));
    assert_eq!(gaps(&service, asking(day(2021, 9, 10))).await[0], next_year(vec![fire(Lack::Expired)]));

    // a committee sees its own; the town may ask for one
    let of = pb::ListTrainingGapsRequest { committee: "towns/malu/committees/c2".to_owned(), ..asking(None) };
    assert_eq!(gaps(&service, of.clone()).await.iter().map(|its| &its.0).collect::<Vec<_>>(), [&worker(2)]);
    let seen = async |request| {
        let answer = trainings(&service).list_training_gaps(request).await.unwrap().into_inner();
        answer.training_gaps.into_iter().map(|gap| (gap.worker, gap.due_date)).collect::<Vec<_>>()
    };
    assert_eq!(seen(service.of_committee("o", "c1", asking(None))).await, [(worker(1), year_end)]);
    assert_eq!(seen(service.of_committee("o", "c1", of)).await, []);

    // page by page
    let first = pb::ListTrainingGapsRequest { page_size: 1, ..asking(None) };
    let page = trainings(&service).list_training_gaps(service.officer("o", first.clone())).await;
    let page = page.unwrap().into_inner();
    assert_eq!(page.training_gaps.len(), 1);
    let second = pb::ListTrainingGapsRequest { page_token: page.next_page_token.clone(), ..first.clone() };
    assert_eq!(gaps(&service, second).await[0].0, worker(2));
    let turned = pb::ListTrainingGapsRequest {
        page_token: page.next_page_token,
        expire_until_date: day(2022, 1, 1),
        ..first
    };
    let turned = trainings(&service).list_training_gaps(service.officer("o", turned)).await.unwrap_err();
    assert_eq!(reason(&turned), "PAGE_TOKEN_INVALID");
}

#[tokio::test]
async fn a_course_that_is_closed_is_asked_of_nobody_by_itself() {
    let service = service(TODAY).await;
    let mut fire = drafting("c-fire", pb::CourseKind::Mandatory, (80, 2, 12));
    fire.course.as_mut().unwrap().mandatory_roles = vec![pb::LearnerRole::Worker.into()];
    let fire = open(&service, fire).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    assert_eq!(gaps(&service, asking(None)).await.len(), 1);
    let close = pb::CloseCourseRequest { name: fire, request_id: uuid(), ..Default::default() };
    courses(&service).close_course(service.officer("clerk", close)).await.unwrap();
    assert_eq!(gaps(&service, asking(None)).await, []);
    target(&service, pb::LearnerRole::Worker, 0, &["c-fire"]).await;
    assert_eq!(gaps(&service, asking(None)).await.len(), 1);
    open(&service, drafting("c-mediation", pb::CourseKind::Continuing, (60, 3, 0))).await;
    target(&service, pb::LearnerRole::Backbone, 480, &["c-mediation", "c-mediation"]).await;
    let without = pb::UpdateCourseRequest {
        course: Some(pb::Course { name: course_name("c-mediation"), ..Default::default() }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["pass_mark".to_owned(), "attempts".to_owned()],
        }),
        request_id: uuid(),
        ..Default::default()
    };
    let without = courses(&service).update_course(service.officer("clerk", without)).await.unwrap_err();
    assert_eq!(reason(&without), "COURSE_IS_ASKED");
    let list = pb::ListTrainingTargetsRequest {
        parent: "towns/malu".to_owned(),
        filter: "role = WORKER AND from_year = 2020".to_owned(),
        ..Default::default()
    };
    let found =
        courses(&service).list_training_targets(service.officer("o", list)).await.unwrap().into_inner();
    assert_eq!(found.training_targets[0].name, "towns/malu/trainingTargets/worker-2020");
    let list = pb::ListCoursesRequest {
        parent: "towns/malu".to_owned(),
        filter: "state = CLOSED AND kind = MANDATORY".to_owned(),
        ..Default::default()
    };
    let found = courses(&service).list_courses(service.of_committee("o", "c1", list)).await.unwrap();
    assert_eq!(found.into_inner().courses.len(), 1);
    let list = pb::ListTrainingSessionsRequest {
        parent: "towns/malu".to_owned(),
        filter: "state = PLANNED AND start_date > 2020-09-01".to_owned(),
        ..Default::default()
    };
    let found = trainings(&service).list_training_sessions(service.officer("o", list)).await.unwrap();
    assert_eq!(found.into_inner().training_sessions, []);
}
