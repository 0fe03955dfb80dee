//! Rotas: the days of October 2020, what is refused, edits by hand, papers that move days, swaps, races.

use std::sync::Arc;

use contracts::linli::workforce::v1::{self as pb, rota_service_client::RotaServiceClient};
use jiff::civil::{Date, date};
use tokio::sync::Barrier;
use tonic::Request;

use crate::harness::{self, *};

const TODAY: Date = date(2020, 9, 25);

/// The duty days of the rota of October 2020, as the demonstration's data have them.
const DUTY_DAYS: [&str; 10] = [
    "2020-09-26",
    "2020-10-01",
    "2020-10-02",
    "2020-10-03",
    "2020-10-04",
    "2020-10-05",
    "2020-10-06",
    "2020-10-07",
    "2020-10-08",
    "2020-10-11",
];

fn day(year: i16, month: i8, day: i8) -> Option<contracts::google::r#type::Date> {
    Some(harness::date(date(year, month, day)))
}

fn rotas(service: &Service) -> RotaServiceClient<chassis::peer::Peer> {
    RotaServiceClient::new(service.peer.clone())
}

fn committee(n: usize) -> String {
    format!("towns/malu/committees/c{n}")
}

fn worker(n: u16) -> String {
    format!("towns/malu/workers/w-{n}")
}

/// Stores the papers of the calendar that `wanted` names.
async fn papers(service: &Service, wanted: impl Fn(&str) -> bool) {
    let mut sql = String::new();
    for line in include_str!("../../../../deploy/demo/calendar_papers.csv").lines().skip(1) {
        let cells: Vec<&str> = line.trim_end().split(',').collect();
        if wanted(cells[0]) {
            sql.push_str(&format!(
                "insert into calendar_paper (id, title, issued) values ('{}', '通知', '{}');",
                cells[0], cells[2]
            ));
        }
    }
    for line in include_str!("../../../../deploy/demo/calendar_paper_days.csv").lines().skip(1) {
        let cells: Vec<&str> = line.trim_end().split(',').collect();
        if wanted(cells[0]) {
            let (paper, day, kind) = (cells[0], cells[1], cells[2]);
            sql.push_str(&format!(
                "insert into calendar_paper_day (paper, day, kind) values ('{paper}', '{day}', '{kind}');"
            ));
        }
    }
    service.governance_sql(&sql).await;
}

/// Hires `w-n` for a committee; with onboarding unless told otherwise.
async fn trained(service: &Service, n: u16, of: usize, onboarded: bool) {
    hire(service, n, &format!("c{of}"), pb::Post::Worker).await;
    if onboarded {
        let request = pb::CreateCertificateRequest {
            parent: "towns/malu".to_owned(),
            certificate: Some(pb::Certificate {
                worker: worker(n),
                kind: pb::CertificateKind::Onboarding.into(),
                obtain_date: day(2020, 1, 2),
                ..Default::default()
            }),
            request_id: uuid(),
            ..Default::default()
        };
        workers(service).create_certificate(service.officer("clerk", request)).await.unwrap();
    }
}

async fn away(service: &Service, n: u16, from: Date, to: Date) {
    let request = pb::CreateAbsenceRequest {
        parent: "towns/malu".to_owned(),
        absence: Some(pb::Absence {
            worker: worker(n),
            kind: pb::AbsenceKind::AnnualLeave.into(),
            start_date: Some(harness::date(from)),
            end_date: Some(harness::date(to)),
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    };
    workers(service).create_absence(service.officer("clerk", request)).await.unwrap();
}

fn generating(from: Date, to: Date, committees: &[usize]) -> pb::GenerateRotaRequest {
    pb::GenerateRotaRequest {
        parent: "towns/malu".to_owned(),
        start_date: Some(harness::date(from)),
        end_date: Some(harness::date(to)),
        committees: committees.iter().map(|n| committee(*n)).collect(),
        request_id: uuid(),
        ..Default::default()
    }
}

/// The rota of October 2020 for some committees.
fn october(committees: &[usize]) -> pb::GenerateRotaRequest {
    generating(date(2020, 9, 26), date(2020, 10, 13), committees)
}

fn publishing(rota: &pb::Rota) -> pb::PublishRotaRequest {
    pb::PublishRotaRequest {
        name: rota.name.clone(),
        etag: rota.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    }
}

fn assigning(duty: &pb::Duty, n: u16) -> pb::AssignDutyRequest {
    pb::AssignDutyRequest {
        name: duty.name.clone(),
        worker: worker(n),
        request_id: uuid(),
        ..Default::default()
    }
}

async fn generate(service: &Service, request: pb::GenerateRotaRequest) -> pb::Rota {
    rotas(service).generate_rota(service.officer("maker", request)).await.unwrap().into_inner()
}

async fn publish(service: &Service, rota: &pb::Rota) -> pb::Rota {
    rotas(service).publish_rota(service.officer("chief", publishing(rota))).await.unwrap().into_inner()
}

async fn get(service: &Service, name: &str) -> pb::Rota {
    let request = pb::GetRotaRequest { name: name.to_owned() };
    rotas(service).get_rota(service.officer("maker", request)).await.unwrap().into_inner()
}

fn listing(filter: &str) -> pb::ListDutiesRequest {
    pb::ListDutiesRequest {
        parent: "towns/malu".to_owned(),
        page_size: 1_000,
        filter: filter.to_owned(),
        ..Default::default()
    }
}

async fn duties(service: &Service, filter: &str) -> Vec<pb::Duty> {
    let request = service.officer("o", listing(filter));
    rotas(service).list_duties(request).await.unwrap().into_inner().duties
}

fn text(day: &Option<contracts::google::r#type::Date>) -> String {
    let day = day.unwrap();
    format!("{}-{:02}-{:02}", day.year, day.month, day.day)
}

#[tokio::test]
async fn the_golden_week_of_2020_is_covered_by_qualified_rested_workers() {
    let service = service(TODAY).await;
    papers(&service, |_| true).await;
    for n in 1..=18u16 {
        // like the demonstration's: one of them without onboarding
        trained(&service, n, usize::from((n - 1) % 3) + 1, n != 18).await;
    }
    away(&service, 1, date(2020, 10, 1), date(2020, 10, 9)).await;
    away(&service, 5, date(2020, 10, 3), date(2020, 10, 5)).await;
    let window = |begin_minute, end_minute, weekdays: &[i32]| pb::StaggeredHours {
        begin_minute,
        end_minute,
        weekdays: weekdays.to_vec(),
        workers: 1,
        make_up_days: false,
    };
    let policy = pb::CreateRotaPolicyRequest {
        parent: "towns/malu".to_owned(),
        rota_policy: Some(pb::RotaPolicy {
            start_date: day(2020, 1, 1),
            rest_cover: 1,
            holiday_cover: 1,
            begin_minute: 540,
            end_minute: 1_020,
            rest_days: 1,
            in_a_row: 1,
            noon: Some(window(690, 780, &[1, 2, 3, 4, 5])),
            evening: Some(window(1_080, 1_200, &[2, 4])),
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    };
    let policy =
        rotas(&service).create_rota_policy(service.officer("chief", policy)).await.unwrap().into_inner();

    let rota = generate(&service, october(&[1, 2, 3])).await;
    assert_eq!(rota.policy.as_ref().unwrap().name, policy.name);
    assert!(rota.fairness.iter().all(|its| its.evenness() == pb::RotaEvenness::Even), "{:?}", rota.fairness);
    assert_eq!((rota.uncovered, rota.provisional), (0, false));
    for of in 1..=3 {
        let its = duties(&service, &format!("committee = \"{}\" AND window = DAY", committee(of))).await;
        assert_eq!(its.iter().map(|duty| text(&duty.date)).collect::<Vec<_>>(), DUTY_DAYS);
        for pair in its.windows(2) {
            let gap = pair[1].date.unwrap().day - pair[0].date.unwrap().day;
            assert!(gap != 1 || pair[0].worker != pair[1].worker, "{pair:?}");
        }
        assert_eq!(its[1].day_kind(), pb::DutyDayKind::Holiday);
    }
    let all = duties(&service, "covered = true").await;
    assert!(all.iter().all(|duty| duty.worker != worker(18)));
    let october_first = |duty: &&pb::Duty| text(&duty.date).as_str() >= "2020-10-01";
    assert!(
        all.iter()
            .filter(october_first)
            .all(|duty| duty.worker != worker(1) || text(&duty.date).as_str() >= "2020-10-09")
    );
    // nobody on 27 September or 10 October but at noon or in the evening, and that not on a day made a working day
    assert!(!all.iter().any(|duty| ["2020-09-27", "2020-10-10"].contains(&text(&duty.date).as_str())));
    let untrained =
        duties(&service, &format!("committee = \"{}\" AND date = 2020-10-01", committee(3))).await;
    let why =
        |duty: &pb::Duty| duty.hindered.iter().find(|its| its.worker == worker(18)).map(|its| its.obstacle());
    assert_eq!(why(&untrained[0]), Some(pb::DutyObstacle::Untrained));
    // by the same facts it is the same rota
    let names = |duties: &[pb::Duty]| duties.iter().map(|duty| duty.worker.clone()).collect::<Vec<_>>();
    let dry = pb::DiscardRotaRequest {
        name: rota.name.clone(),
        request_id: uuid(),
        comment: "once more".to_owned(),
        ..Default::default()
    };
    rotas(&service).discard_rota(service.officer("maker", dry)).await.unwrap();
    let again = generate(&service, october(&[3, 1, 2])).await;
    let again_all = duties(&service, &format!("rota = \"{}\"", again.name)).await;
    assert_eq!(names(&again_all), names(&all));

    let publishable = async |who: &str| {
        let request = pb::GetRotaRequest { name: again.name.clone() };
        let seen = rotas(&service).get_rota(service.officer(who, request)).await.unwrap().into_inner();
        seen.available_actions.iter().any(|its| its.verb == "publish" && its.allowed)
    };
    assert!(publishable("chief").await && !publishable("maker").await);
    let own = rotas(&service).publish_rota(service.officer("maker", publishing(&again))).await.unwrap_err();
    assert_eq!(reason(&own), "MAKER_IS_CHECKER");
    let published = publish(&service, &again).await;
    assert_eq!(published.state(), pb::RotaState::Published);
    let tomorrow = duties(&service, "date = 2020-10-01 AND in_force = true").await;
    assert_eq!(
        tomorrow.iter().map(|duty| duty.committee.clone()).collect::<Vec<_>>(),
        [1, 2, 3].map(committee)
    );
    let mine = rotas(&service)
        .list_duties(service.of_committee("o", "c1", listing("in_force = true")))
        .await
        .unwrap()
        .into_inner()
        .duties;
    assert!(!mine.is_empty() && mine.iter().all(|duty| duty.committee == committee(1)));
    let hours = pb::ListDutyHoursRequest {
        parent: "towns/malu".to_owned(),
        start_date: day(2020, 9, 26),
        end_date: day(2020, 10, 13),
        page_size: 100,
        ..Default::default()
    };
    let hours =
        rotas(&service).list_duty_hours(service.officer("o", hours)).await.unwrap().into_inner().duty_hours;
    assert_eq!(hours.iter().map(|its| its.days).sum::<i32>(), 30);
    let minutes: i32 = again_all.iter().map(|duty| duty.end_minute - duty.begin_minute).sum();
    assert_eq!(hours.iter().map(|its| its.minutes).sum::<i32>(), minutes);
    let seen = get(&service, &again.name).await;
    assert_eq!(
        seen.timeline.iter().map(|its| its.verb.as_str()).collect::<Vec<_>>(),
        ["generate", "publish"]
    );

    // the next rota remembers this one: the year comes out even
    let next = generate(&service, generating(date(2020, 10, 13), date(2021, 1, 1), &[1, 2, 3])).await;
    assert!(next.fairness.iter().all(|its| its.evenness() == pb::RotaEvenness::Even), "{:?}", next.fairness);
}

#[tokio::test]
async fn what_is_no_rota_is_refused_and_leaves_nothing() {
    let service = service(TODAY).await;
    for n in 1..=2 {
        trained(&service, n, 1, true).await;
    }
    let before = service.dump().await;
    let refused = async |request: pb::GenerateRotaRequest| {
        rotas(&service).generate_rota(service.officer("maker", request)).await.unwrap_err()
    };
    assert_eq!(reason(&refused(october(&[1, 2])).await), "ROTA_COMMITTEE_EMPTY");
    assert_eq!(reason(&refused(october(&[1, 9])).await), "PEER_UNKNOWN");
    let mut wrong = generating(date(2020, 10, 13), date(2020, 9, 26), &[1, 1]);
    wrong.committees.push("c1".to_owned());
    assert_eq!(fields(&refused(wrong).await), ["end_date", "committees[1]", "committees[2]"]);
    let too_long = generating(date(2020, 1, 1), date(2021, 1, 2), &[1]);
    assert_eq!(fields(&refused(too_long).await), ["end_date"]);
    assert_eq!(fields(&refused(october(&[])).await), ["committees"]);
    let elsewhere = service.of_committee("o", "c2", october(&[1]));
    assert_eq!(reason(&rotas(&service).generate_rota(elsewhere).await.unwrap_err()), "PERMISSION_DENIED");
    let policy = pb::CreateRotaPolicyRequest {
        parent: "towns/malu".to_owned(),
        rota_policy: Some(pb::RotaPolicy {
            start_date: day(2020, 1, 1),
            in_a_row: 1,
            noon: Some(pb::StaggeredHours::default()),
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    };
    let faults = rotas(&service).create_rota_policy(service.officer("chief", policy)).await.unwrap_err();
    assert_eq!(
        fields(&faults),
        [
            "rota_policy.end_minute",
            "rota_policy.noon.end_minute",
            "rota_policy.noon.weekdays",
            "rota_policy.noon.workers"
        ]
    );
    assert_eq!(service.dump().await, before);

    let rota = generate(&service, october(&[1])).await;
    assert_eq!(reason(&refused(october(&[1])).await), "ROTA_OVERLAPS");
    let mut replacing = october(&[1]);
    replacing.replaces = rota.name;
    assert_eq!(reason(&refused(replacing).await), "ROTA_REPLACES_OTHER");
}

#[tokio::test]
async fn by_hand_only_a_rest_can_be_given_up_and_only_by_name() {
    let service = service(TODAY).await;
    papers(&service, |_| true).await;
    for n in 1..=3 {
        trained(&service, n, 1, true).await;
    }
    trained(&service, 4, 1, false).await;
    trained(&service, 5, 2, true).await;
    away(&service, 3, date(2020, 10, 1), date(2020, 10, 9)).await;
    let rota = generate(&service, october(&[1])).await;
    let all = duties(&service, &format!("rota = \"{}\"", rota.name)).await;
    let before = service.dump().await;
    let assign = async |who: &str, request: pb::AssignDutyRequest| {
        rotas(&service).assign_duty(service.officer(who, request)).await
    };
    // 4 October: one is away, one untrained, one of another committee
    for (n, why) in [(3, "AWAY"), (4, "UNTRAINED"), (5, "NOT_POSTED")] {
        let refused = assign("hand", assigning(&all[4], n)).await.unwrap_err();
        assert_eq!(reason(&refused), "DUTY_IMPOSSIBLE");
        assert!(refused.message().contains(why), "{}", refused.message());
    }
    let neighbour = if all[3].worker == worker(1) { 1 } else { 2 };
    let resting = assign("hand", assigning(&all[4], neighbour)).await.unwrap_err();
    assert_eq!(reason(&resting), "DUTY_VIOLATES");
    assert_eq!(service.dump().await, before);
    let mut named = assigning(&all[4], neighbour);
    named.accepted_violations = vec![pb::DutyObstacle::Resting.into()];
    let given = assign("hand", named).await.unwrap().into_inner();
    assert_eq!(given.violations, [i32::from(pb::DutyObstacle::Resting)]);
    assert_eq!(given.choice(), pb::DutyChoice::ByHand);

    // who edited it doesn't publish it, and gaps are named
    let none =
        pb::UnassignDutyRequest { name: all[9].name.clone(), request_id: uuid(), ..Default::default() };
    rotas(&service).unassign_duty(service.officer("hand", none)).await.unwrap();
    let now = get(&service, &rota.name).await;
    assert_eq!(now.uncovered, 1);
    let editor = rotas(&service).publish_rota(service.officer("hand", publishing(&now))).await.unwrap_err();
    assert_eq!(reason(&editor), "MAKER_IS_CHECKER");
    let gap = rotas(&service).publish_rota(service.officer("chief", publishing(&now))).await.unwrap_err();
    assert_eq!(reason(&gap), "ROTA_UNCOVERED");
    let mut known = publishing(&now);
    known.accepted_gaps = vec![all[9].name.clone()];
    let unsaid = rotas(&service).publish_rota(service.officer("chief", known.clone())).await.unwrap_err();
    assert_eq!(reason(&unsaid), "REASON_REQUIRED");
    known.comment = "the town keeps watch".to_owned();

    // leave that came later stands in the way of publishing
    let fell_ill: u16 = if all[1].worker == worker(1) { 1 } else { 2 };
    away(&service, fell_ill, date(2020, 10, 1), date(2020, 10, 2)).await;
    let broken = rotas(&service).publish_rota(service.officer("chief", known.clone())).await.unwrap_err();
    assert_eq!(reason(&broken), "ROTA_BROKEN");
    let seen = get(&service, &rota.name).await;
    assert_eq!(
        seen.broken_duties.iter().map(|its| its.duty.clone()).collect::<Vec<_>>(),
        [all[1].name.clone()]
    );
    let mut other = assigning(&all[1], 3 - fell_ill);
    other.accepted_violations = vec![pb::DutyObstacle::Resting.into()];
    assign("hand", other).await.unwrap();
    let now = get(&service, &rota.name).await;
    known.etag = now.etag;
    known.request_id = uuid();
    rotas(&service).publish_rota(service.officer("chief", known)).await.unwrap();
    // what people rely on changes for a reason
    let silent =
        pb::UnassignDutyRequest { name: all[0].name.clone(), request_id: uuid(), ..Default::default() };
    let silent = rotas(&service).unassign_duty(service.officer("hand", silent)).await.unwrap_err();
    assert_eq!(reason(&silent), "REASON_REQUIRED");

    // behind the service's back
    let set = |to: &str, day: &str| format!("update duty set worker = '{to}' where day = '{day}'");
    assert_eq!(service.constraint(&set("w-3", "2020-10-04")).await, "duty_of_a_qualified_worker");
    assert_eq!(service.constraint(&set("w-4", "2020-10-04")).await, "duty_of_a_qualified_worker");
    assert_eq!(service.constraint(&set("w-5", "2020-10-04")).await, "duty_of_a_qualified_worker");
    assert_eq!(
        service.constraint("update rota set published_by = made_by").await,
        "rota_published_by_another"
    );
    assert_eq!(service.constraint("delete from duty").await, "duty_is_kept");
    assert_eq!(service.constraint("update rota_day set kind = 'WORK'").await, "rota_day_never_changes");
    let twice = "insert into duty (town, id, rota, committee, day, kind, part, seat, begins, ends, worker, why, standing)
        select town, gen_random_uuid(), rota, committee, day, kind, part, 2, begins, ends, worker, why, standing from duty where day = '2020-10-02'";
    assert!(service.constraint(twice).await.starts_with("duty_worker_once_a_day"));
    let overlapping = "insert into rota (town, id, starts, ends, state, terms, provisional, fairness, made_by)
            values ('malu', '00000000-0000-7000-8000-000000000001', '2020-10-12', '2020-10-20', 'DRAFT', '{}', false, '[]', 'x');
        insert into rota_committee (town, rota, committee, standing, days)
            values ('malu', '00000000-0000-7000-8000-000000000001', 'c1', 'IN_FORCE', '[2020-10-12,2020-10-20)')";
    assert_eq!(service.constraint(overlapping).await, "rota_once_a_day");
}

#[tokio::test]
async fn a_month_that_cannot_be_says_which_constraint_makes_it_so() {
    let service = service(TODAY).await;
    papers(&service, |_| true).await;
    trained(&service, 1, 1, true).await;
    trained(&service, 2, 1, false).await;
    trained(&service, 3, 1, true).await;
    away(&service, 3, date(2020, 9, 1), date(2020, 11, 1)).await;
    let rota = generate(&service, october(&[1])).await;
    // one worker and a day of rest: of eight days in a row every other one
    assert_eq!(rota.uncovered, 4);
    let gaps = duties(&service, "covered = false").await;
    assert_eq!(gaps.len(), 4);
    for gap in gaps {
        let mut why: Vec<_> = gap.hindered.iter().map(|its| (its.worker.clone(), its.obstacle())).collect();
        why.sort();
        assert_eq!(
            why,
            [
                (worker(1), pb::DutyObstacle::Resting),
                (worker(2), pb::DutyObstacle::Untrained),
                (worker(3), pb::DutyObstacle::Away)
            ]
        );
    }
}

#[tokio::test]
async fn a_later_paper_flags_the_rotas_whose_days_it_moves() {
    let mut service = service(date(2020, 1, 20)).await;
    papers(&service, |code| code != "gbfmd-2020-1").await;
    for n in 1..=3 {
        trained(&service, n, 1, true).await;
        trained(&service, n + 3, 2, true).await;
    }
    let festival = |committees: &[usize]| generating(date(2020, 1, 24), date(2020, 2, 10), committees);
    let rota = generate(&service, festival(&[1])).await;
    let published = publish(&service, &rota).await;
    let draft = generate(&service, festival(&[2])).await;
    let quiet = generate(&service, generating(date(2020, 3, 1), date(2020, 4, 1), &[1])).await;
    assert!(published.changed_days.is_empty());

    papers(&service, |code| code == "gbfmd-2020-1").await;
    service.fail_over();
    let flagged = pb::ListRotasRequest {
        parent: "towns/malu".to_owned(),
        calendar_changed: true,
        ..Default::default()
    };
    let flagged = rotas(&service).list_rotas(service.officer("o", flagged)).await.unwrap().into_inner().rotas;
    let names: Vec<&str> = flagged.iter().map(|its| its.name.as_str()).collect();
    assert_eq!(names, [rota.name.as_str(), draft.name.as_str()]);
    assert!(!names.contains(&quiet.name.as_str()));
    let changed: Vec<String> = flagged[0].changed_days.iter().map(|its| text(&its.date)).collect();
    assert!(changed.contains(&"2020-01-31".to_owned()), "{changed:?}");
    assert_eq!(flagged[0].changed_days[0].kind(), pb::DutyDayKind::Holiday);
    let stale = rotas(&service).publish_rota(service.officer("chief", publishing(&draft))).await.unwrap_err();
    assert_eq!(reason(&stale), "ROTA_CALENDAR_CHANGED");

    // what is left of it is made anew; what was before stands
    let mut anew = generating(date(2020, 1, 31), date(2020, 2, 10), &[1]);
    anew.replaces = rota.name.clone();
    let anew = generate(&service, anew).await;
    publish(&service, &anew).await;
    let old = get(&service, &rota.name).await;
    assert_eq!((old.state(), old.replaced_by.as_str()), (pb::RotaState::Superseded, anew.name.as_str()));
    let in_force = duties(&service, &format!("committee = \"{}\" AND in_force = true", committee(1))).await;
    let days: Vec<String> = in_force.iter().map(|duty| text(&duty.date)).collect();
    let twice = days.iter().filter(|day| **day == "2020-01-31").count();
    assert_eq!((days.contains(&"2020-01-30".to_owned()), twice), (true, 1));
    let last_of_old = in_force.iter().find(|duty| text(&duty.date) == "2020-01-30").unwrap();
    let first_of_new = in_force.iter().find(|duty| text(&duty.date) == "2020-01-31").unwrap();
    assert_ne!(last_of_old.worker, first_of_new.worker);
}

#[tokio::test]
async fn a_swap_takes_both_and_a_third() {
    let service = service(TODAY).await;
    papers(&service, |_| true).await;
    for n in 1..=4 {
        trained(&service, n, 1, true).await;
    }
    let rota = generate(&service, october(&[1])).await;
    let all = duties(&service, &format!("rota = \"{}\"", rota.name)).await;
    let number = |duty: &pb::Duty| duty.worker.rsplit('-').next().unwrap().parse::<u16>().unwrap();
    let (mine, his) = (&all[0], &all[9]);
    let (one, other) = (number(mine), number(his));
    assert_ne!(one, other);
    let steward = |n: u16| service.token(&format!("w-{n}"), "steward", "committee:c1");
    let propose = |to: u16, back: &str| pb::CreateDutySwapRequest {
        parent: "towns/malu".to_owned(),
        duty_swap: Some(pb::DutySwap {
            duty: mine.name.clone(),
            other_worker: worker(to),
            other_duty: back.to_owned(),
            ..Default::default()
        }),
        request_id: uuid(),
        ..Default::default()
    };
    let create = async |n: u16, request| rotas(&service).create_duty_swap(with(request, &steward(n))).await;
    let early = create(one, propose(other, &his.name)).await.unwrap_err();
    assert_eq!(reason(&early), "DUTY_NOT_IN_FORCE");
    publish(&service, &rota).await;
    let before = service.dump().await;
    let not_his = create(other, propose(other, &his.name)).await.unwrap_err();
    assert_eq!(reason(&not_his), "PERMISSION_DENIED");
    assert_eq!(service.dump().await, before);
    let swap = create(one, propose(other, &his.name)).await.unwrap().into_inner();
    let again = create(one, propose(other, "")).await.unwrap_err();
    assert_eq!(reason(&again), "DUTY_SWAP_OPEN");

    let consent =
        || pb::ConsentDutySwapRequest { name: swap.name.clone(), request_id: uuid(), ..Default::default() };
    let approve =
        || pb::ApproveDutySwapRequest { name: swap.name.clone(), request_id: uuid(), ..Default::default() };
    let early = rotas(&service).approve_duty_swap(service.officer("chief", approve())).await.unwrap_err();
    assert_eq!(reason(&early), "WRONG_STATE");
    let own = rotas(&service).consent_duty_swap(with(consent(), &steward(one))).await.unwrap_err();
    assert_eq!(reason(&own), "PERMISSION_DENIED");
    rotas(&service).consent_duty_swap(with(consent(), &steward(other))).await.unwrap();
    let officer = |n: u16| service.token(&format!("w-{n}"), "committee-officer", "committee:c1");
    for n in [one, other] {
        let own = rotas(&service).approve_duty_swap(with(approve(), &officer(n))).await.unwrap_err();
        assert_eq!(reason(&own), "MAKER_IS_CHECKER");
    }
    let elsewhere = service.of_committee("o", "c2", approve());
    assert_eq!(reason(&rotas(&service).approve_duty_swap(elsewhere).await.unwrap_err()), "PERMISSION_DENIED");

    // qualification and leave are looked at again
    away(&service, one, date(2020, 10, 11), date(2020, 10, 12)).await;
    let away_now = rotas(&service).approve_duty_swap(service.officer("chief", approve())).await.unwrap_err();
    assert_eq!(reason(&away_now), "DUTY_IMPOSSIBLE");
    let withdraw =
        pb::WithdrawDutySwapRequest { name: swap.name.clone(), request_id: uuid(), ..Default::default() };
    rotas(&service).withdraw_duty_swap(with(withdraw, &steward(one))).await.unwrap();

    // given away for nothing in return
    let swap = create(one, propose(other, "")).await.unwrap().into_inner();
    let consent =
        pb::ConsentDutySwapRequest { name: swap.name.clone(), request_id: uuid(), ..Default::default() };
    rotas(&service).consent_duty_swap(with(consent, &steward(other))).await.unwrap();
    let mut approve =
        pb::ApproveDutySwapRequest { name: swap.name.clone(), request_id: uuid(), ..Default::default() };
    approve.accepted_violations = vec![pb::DutyObstacle::Resting.into()];
    let approved =
        rotas(&service).approve_duty_swap(service.officer("chief", approve)).await.unwrap().into_inner();
    assert_eq!(approved.state(), pb::DutySwapState::Approved);
    let get = pb::GetDutyRequest { name: mine.name.clone() };
    let now = rotas(&service).get_duty(service.officer("o", get)).await.unwrap().into_inner();
    assert_eq!(now.worker, worker(other));
    let seen = pb::GetDutySwapRequest { name: swap.name.clone() };
    let seen = rotas(&service).get_duty_swap(service.officer("o", seen)).await.unwrap().into_inner();
    assert_eq!(
        seen.timeline.iter().map(|its| its.verb.as_str()).collect::<Vec<_>>(),
        ["create", "consent", "approve"]
    );
    let by_one_of_them = "update duty_swap set approved_by = proposed_by, approved_person = proposed_person where state = 'APPROVED'";
    assert_eq!(service.constraint(by_one_of_them).await, "duty_swap_approved_by_a_third");
}

/// The outcomes of 64 calls that begin at once.
async fn at_once<F, A>(service: &Arc<Service>, call: A) -> Vec<Result<(), String>>
where
    A: Fn(Arc<Service>) -> F,
    F: Future<Output = Result<(), tonic::Status>> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(64));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (its, barrier) = (call(service.clone()), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                its.await.map_err(|refused| reason(&refused))
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    all
}

fn one_done(all: &[Result<(), String>], others: &str) {
    let done = all.iter().filter(|its| its.is_ok()).count();
    assert_eq!(done, 1, "{all:?}");
    assert!(all.iter().all(|its| its.is_ok() || its.as_ref().unwrap_err() == others), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixty_four_rotas_at_once_one_is_made_and_published_once() {
    let service = Arc::new(service(TODAY).await);
    for n in 1..=3 {
        trained(&service, n, 1, true).await;
    }
    let all = at_once(&service, |service| async move {
        let request: Request<_> = service.officer("maker", october(&[1]));
        rotas(&service).generate_rota(request).await.map(|_| ())
    });
    one_done(&all.await, "ROTA_OVERLAPS");
    let found = pb::ListRotasRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let found = rotas(&service).list_rotas(service.officer("o", found)).await.unwrap().into_inner().rotas;
    let rota = found[0].clone();
    let all = at_once(&service, |service| {
        let mut request = publishing(&rota);
        request.etag = String::new();
        async move { rotas(&service).publish_rota(service.officer("chief", request)).await.map(|_| ()) }
    });
    one_done(&all.await, "WRONG_STATE");
    let in_force = "select count(*) from duty where standing = 'IN_FORCE' and worker is not null";
    assert!(service.number(in_force).await > 0);
}
