//! The growth plan: steps done by themselves, what is next, what is late.

use super::*;
use pb::{GrowthStepKind as Kind, GrowthStepState as State};

fn adding(kind: Kind, due: Option<google::Date>) -> pb::CreateGrowthStepRequest {
    let step = pb::GrowthStep {
        worker: worker(1),
        kind: kind.into(),
        course: if kind == Kind::Course { course_name("c-salon") } else { String::new() },
        certificate_kind: match kind {
            Kind::Certificate => pb::CertificateKind::SocialWorker.into(),
            _ => 0,
        },
        title: if kind == Kind::WorkTarget { "独立组织一次协商".to_owned() } else { String::new() },
        due_date: due,
        ..Default::default()
    };
    pb::CreateGrowthStepRequest {
        parent: "towns/malu".to_owned(),
        growth_step: Some(step),
        request_id: uuid(),
        ..Default::default()
    }
}

async fn add(service: &Service, kind: Kind, due: Option<google::Date>) -> pb::GrowthStep {
    let request = service.of_committee("o", "c1", adding(kind, due));
    growth(service).create_growth_step(request).await.unwrap().into_inner()
}

async fn path(service: &Service) -> Vec<(Kind, State)> {
    let get = pb::GetGrowthPlanRequest { name: worker(1), as_of_date: None };
    let plan =
        growth(service).get_growth_plan(service.of_committee("o", "c1", get)).await.unwrap().into_inner();
    plan.growth_steps.iter().map(|its| (its.kind(), its.state())).collect()
}

#[tokio::test]
async fn steps_are_done_by_themselves_and_what_is_next_and_late_is_shown() {
    let service = service(TODAY).await;
    hire(&service, 1, "c1", pb::Post::Worker).await;
    let course = open(&service, drafting("c-salon", pb::CourseKind::Salon, (0, 0, 0))).await;
    let mut client = growth(&service);
    let mut wrong = adding(Kind::Course, day(2020, 9, 30));
    let given = wrong.growth_step.as_mut().unwrap();
    (given.course, given.title) = (String::new(), "x".to_owned());
    let before = service.dump().await;
    let wrong = client.create_growth_step(service.officer("clerk", wrong)).await.unwrap_err();
    assert_eq!(fields(&wrong), ["growth_step.course", "growth_step.title"]);
    let foreign =
        client.create_growth_step(service.of_committee("o", "c2", adding(Kind::Course, day(2020, 9, 30))));
    assert_eq!(reason(&foreign.await.unwrap_err()), "PERMISSION_DENIED");
    assert_eq!(service.dump().await, before);

    let target = add(&service, Kind::WorkTarget, day(2020, 12, 31)).await;
    let certificate = add(&service, Kind::Certificate, day(2020, 9, 5)).await;
    add(&service, Kind::Course, day(2020, 9, 30)).await;
    let expected =
        [(Kind::Certificate, State::Next), (Kind::Course, State::Open), (Kind::WorkTarget, State::Open)];
    assert_eq!(path(&service).await, expected);

    // attended: done, where the course has no exam; the certificate is late by then
    let name = plan(&service, &course, date(2020, 9, 10), (0, false)).await;
    let learner = enrol(&service, &name, &worker(1)).await.name;
    hold(&service, &name, date(2020, 9, 10)).await;
    attend(&service, &learner, 240).await;
    let expected =
        [(Kind::Certificate, State::Late), (Kind::Course, State::Done), (Kind::WorkTarget, State::Next)];
    assert_eq!(path(&service).await, expected);
    let held = "insert into certificate (town, id, person, worker, kind, valid)
        values ('malu', gen_random_uuid(), 'w-1', 'w-1', 'SOCIAL_WORKER', '[2020-09-09,)')";
    service.sql(held).await;
    assert_eq!(path(&service).await[0].1, State::Done);

    let complete = |step: &pb::GrowthStep, on| pb::CompleteGrowthStepRequest {
        name: step.name.clone(),
        done_date: on,
        request_id: uuid(),
        ..Default::default()
    };
    let refused = async |request| reason(&growth(&service).complete_growth_step(request).await.unwrap_err());
    assert_eq!(refused(service.officer("clerk", complete(&certificate, None))).await, "GROWTH_STEP_OVER");
    assert_eq!(refused(service.officer("w-1", complete(&target, None))).await, "MAKER_IS_CHECKER");
    let ahead = complete(&target, day(2020, 9, 11));
    assert_eq!(refused(service.officer("clerk", ahead)).await, "TRAINING_DATE_OUTSIDE");
    let done = client.complete_growth_step(service.officer("clerk", complete(&target, None))).await.unwrap();
    let done = done.into_inner();
    assert_eq!((done.state(), done.done_date), (State::Done, day(2020, 9, 10)));

    let more = add(&service, Kind::Certificate, day(2020, 12, 1)).await;
    assert_eq!(more.state(), State::Done);
    let mut senior = adding(Kind::Certificate, day(2022, 12, 1));
    senior.growth_step.as_mut().unwrap().certificate_kind = pb::CertificateKind::SeniorSocialWorker.into();
    let senior = client.create_growth_step(service.officer("clerk", senior)).await.unwrap().into_inner();
    assert_eq!(refused(service.officer("clerk", complete(&senior, None))).await, "GROWTH_STEP_BY_ITSELF");
    let cancel = || pb::CancelGrowthStepRequest {
        name: senior.name.clone(),
        comment: "agreed otherwise".to_owned(),
        request_id: uuid(),
        ..Default::default()
    };
    let off = client.cancel_growth_step(service.officer("clerk", cancel())).await.unwrap().into_inner();
    assert_eq!(off.state(), State::Cancelled);
    let again = client.cancel_growth_step(service.officer("clerk", cancel())).await.unwrap_err();
    assert_eq!(reason(&again), "GROWTH_STEP_OVER");

    // behind the service's back
    assert_eq!(service.constraint("update growth_step set due = '2030-01-01'").await, "growth_step_is_kept");
    let own = format!(
        "update growth_step set done_on = '2020-09-10', completed_by = 'x', completed_person = 'towns/malu/people/w-1' where id = '{}'",
        more.name.rsplit('/').next().unwrap()
    );
    assert_eq!(service.constraint(&own).await, "growth_step_completed_by_another");
    let itself = own.replace("people/w-1", "people/y");
    assert_eq!(service.constraint(&itself).await, "growth_step_done_by_itself");
}
