//! A workforce service with people in governance, and workers.

use contracts::linli::{
    governance::v1::{self as governance, person_service_client::PersonServiceClient},
    workforce::v1::{
        self as pb, course_service_client::CourseServiceClient, growth_service_client::GrowthServiceClient,
        posting_service_client::PostingServiceClient,
        professional_exam_service_client::ProfessionalExamServiceClient,
        training_service_client::TrainingServiceClient, worker_service_client::WorkerServiceClient,
    },
};
pub(crate) use harness::*;
use jiff::civil::Date;

use chassis::peer::Peer;

const TESTED: Tested = Tested {
    name: "workforce",
    migrations: &workforce::MIGRATIONS,
    structure: STRUCTURE,
    jobs: |governance, _| workforce::jobs(governance),
    routes: |context, worker, governance, _| workforce::routes(context, worker, governance, None),
};

/// Both services on a day.
pub(crate) async fn service(today: Date) -> Service {
    Service::new(TESTED, today).await
}

pub(crate) fn workers(service: &Service) -> WorkerServiceClient<Peer> {
    WorkerServiceClient::new(service.peer.clone())
}

pub(crate) fn postings(service: &Service) -> PostingServiceClient<Peer> {
    PostingServiceClient::new(service.peer.clone())
}

pub(crate) fn courses(service: &Service) -> CourseServiceClient<Peer> {
    CourseServiceClient::new(service.peer.clone())
}

pub(crate) fn trainings(service: &Service) -> TrainingServiceClient<Peer> {
    TrainingServiceClient::new(service.peer.clone())
}

pub(crate) fn professional(service: &Service) -> ProfessionalExamServiceClient<Peer> {
    ProfessionalExamServiceClient::new(service.peer.clone())
}

pub(crate) fn growth(service: &Service) -> GrowthServiceClient<Peer> {
    GrowthServiceClient::new(service.peer.clone())
}

/// An identity number of the range 310199, which no place has, with its check digit: born on the day, the `n`-th of it.
pub(crate) fn citizen_id(born: Date, n: u16) -> String {
    let body = format!("310199{:04}{:02}{:02}{n:03}", born.year(), born.month(), born.day());
    // GB 11643-1999
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let check = b"10X98765432"[(sum % 11) as usize] as char;
    format!("{body}{check}")
}

/// Records a person with governance.
pub(crate) async fn person(service: &Service, id: &str, citizen_id: &str) {
    let sex =
        if citizen_id.as_bytes()[16] % 2 == 1 { governance::Sex::Male } else { governance::Sex::Female };
    let request = governance::CreatePersonRequest {
        parent: "towns/malu".to_owned(),
        person_id: id.to_owned(),
        person: Some(governance::Person {
            full_name: format!("示例{id}"),
            citizen_id: citizen_id.to_owned(),
            sex: sex.into(),
            ..Default::default()
        }),
        request_id: uuid(),
        validate_only: false,
    };
    let mut people = PersonServiceClient::new(service.governance_peer.clone());
    people.create_person(service.officer("clerk", request)).await.unwrap();
}

/// A request to hire `id`, whose person has the number.
pub(crate) fn hiring(
    id: &str,
    citizen_id: &str,
    hired: Date,
    post: Option<(&str, pb::Post)>,
) -> pb::CreateWorkerRequest {
    let posting = post.map(|(committee, post)| pb::Posting {
        committee: format!("towns/malu/committees/{committee}"),
        post: post.into(),
        ..Default::default()
    });
    pb::CreateWorkerRequest {
        parent: "towns/malu".to_owned(),
        worker_id: id.to_owned(),
        worker: Some(pb::Worker {
            display_name: format!("示例{id}"),
            citizen_id: citizen_id.to_owned(),
            schooling: pb::Schooling::Bachelor.into(),
            hire_date: Some(date(hired)),
            posting,
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    }
}

/// Hires `w-n`, born in 1990, with a person of the same id, as of the first day of 2020.
pub(crate) async fn hire(service: &Service, n: u16, committee: &str, post: pb::Post) -> pb::Worker {
    let (id, number) = (format!("w-{n}"), citizen_id(jiff::civil::date(1990, 1, 1), n));
    person(service, &id, &number).await;
    let request = hiring(&id, &number, jiff::civil::date(2020, 1, 1), Some((committee, post)));
    workers(service).create_worker(service.officer("clerk", request)).await.unwrap().into_inner()
}
