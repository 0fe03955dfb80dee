//! The mix of workers: targets, gaps, what a hire or a transfer would change.

use contracts::linli::workforce::v1::{self as pb, composition_service_client::CompositionServiceClient};
use jiff::civil::{Date, date};

use crate::harness::{self, *};

const TODAY: Date = date(2020, 11, 10);

fn client(service: &Service) -> CompositionServiceClient<chassis::peer::Peer> {
    CompositionServiceClient::new(service.peer.clone())
}

/// The targets of the demonstration data.
fn target(committee: &str, from: Date) -> pb::CompositionTarget {
    let of_age = |band: pb::AgeBand, until_age, min_percent, max_percent| pb::AgeTarget {
        band: band.into(),
        until_age,
        min_percent,
        max_percent,
    };
    pb::CompositionTarget {
        committee: committee.to_owned(),
        start_date: Some(harness::date(from)),
        age_date: Some(harness::date(date(2020, 12, 31))),
        ages: vec![
            of_age(pb::AgeBand::Young, 35, 30, 45),
            of_age(pb::AgeBand::Middle, 50, 30, 45),
            of_age(pb::AgeBand::Senior, 0, 15, 35),
        ],
        schoolings: vec![pb::SchoolingTarget {
            at_least: pb::Schooling::Bachelor.into(),
            min_percent: 50,
            max_percent: 100,
        }],
        sexes: vec![pb::SexTarget { sex: pb::Sex::Female.into(), min_percent: 40, max_percent: 70 }],
        ..Default::default()
    }
}

fn set(target: pb::CompositionTarget) -> pb::SetCompositionTargetRequest {
    pb::SetCompositionTargetRequest {
        parent: "towns/malu".to_owned(),
        composition_target: Some(target),
        request_id: uuid(),
        ..Default::default()
    }
}

/// Ten of c1 who were 34, 35, 36 … on the last day of 2020, one of them with a degree, all women; two of c2.
const PEOPLE: &str = "insert into worker (town, id, person, display_name, birth, sex, schooling, hired_on, confirmed_on, recorded_by)
    select 'malu', 'm-' || n, 'p-' || n, '示例', (date '2020-12-31' - make_interval(years => age))::date, 'F',
           case n when 1 then 'MASTER' else 'COLLEGE' end, '2015-01-01', '2015-01-01', 'x'
        from unnest(array[34, 35, 36, 40, 49, 49, 50, 55, 60, 61, 30, 41]) with ordinality a (age, n);
    insert into posting (town, id, worker, kind, committee, post, valid, recorded)
    select 'malu', gen_random_uuid(), id, 'POST', case when id in ('m-11', 'm-12') then 'c2' else 'c1' end, 'WORKER', daterange(hired_on, null), tstzrange(now(), null) from worker";

fn get(committee: &str) -> pb::GetCompositionRequest {
    pb::GetCompositionRequest {
        parent: "towns/malu".to_owned(),
        committee: committee.to_owned(),
        as_of_date: None,
    }
}

/// How many there are of each group, and how many are lacking.
fn gaps(of: Option<&pb::Composition>) -> Vec<(i32, i32)> {
    of.map(|of| of.groups.iter().map(|group| (group.persons, group.gap_persons)).collect())
        .unwrap_or_default()
}

const C1: &str = "towns/malu/committees/c1";
const C2: &str = "towns/malu/committees/c2";

#[tokio::test]
async fn a_mix_is_held_against_its_targets_and_a_preview_shows_what_changes() {
    let service = service(TODAY).await;
    service.sql(PEOPLE).await;
    let mut client = client(&service);
    let untargeted = client.get_composition(service.officer("clerk", get(C1))).await.unwrap().into_inner();
    assert_eq!((untargeted.persons, untargeted.groups.len()), (10, 0));
    client.set_composition_target(service.officer("clerk", set(target("", date(2020, 1, 1))))).await.unwrap();

    let found = client.get_composition(service.officer("clerk", get(C1))).await.unwrap().into_inner();
    assert_eq!(gaps(Some(&found)), [(1, 2), (5, -1), (4, -1), (1, 4), (10, -3)]);
    assert_eq!(found.composition_target, "towns/malu/compositionTargets/2020-01-01");
    assert_eq!((found.groups[0].share_ppm, found.groups[0].fit()), (100_000, pb::CompositionFit::Below));
    let town = client.get_composition(service.officer("clerk", get(""))).await.unwrap().into_inner();
    assert_eq!((town.persons, town.groups[0].persons), (12, 2));

    let preview = |hire, transfer| pb::PreviewCompositionRequest {
        parent: "towns/malu".to_owned(),
        hire,
        transfer,
        as_of_date: None,
    };
    let hire = pb::CompositionHire {
        committee: C1.to_owned(),
        age: 25,
        schooling: pb::Schooling::Bachelor.into(),
        sex: pb::Sex::Male.into(),
    };
    let before = service.dump().await;
    let hired = client
        .preview_composition(service.officer("clerk", preview(Some(hire), None)))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(gaps(hired.changes[0].before.as_ref()), gaps(Some(&found)));
    // of eleven: 4 to 4 young, 4 to 4 of middle age, 2 to 3 senior, 6 to 11 with a degree, 5 to 7 women
    assert_eq!(gaps(hired.changes[0].after.as_ref()), [(2, 2), (5, -1), (4, -1), (2, 4), (10, -3)]);
    let moved = |worker: &str, to: &str| {
        let transfer = pb::CompositionTransfer {
            worker: format!("towns/malu/workers/{worker}"),
            committee: to.to_owned(),
        };
        preview(None, Some(transfer))
    };
    let both =
        client.preview_composition(service.officer("clerk", moved("m-4", C2))).await.unwrap().into_inner();
    let of = |n: usize| {
        both.changes[n].after.as_ref().map(|of| (of.committee.as_str(), of.persons, of.groups[1].persons))
    };
    assert_eq!((of(0), of(1)), (Some((C1, 9, 4)), Some((C2, 3, 2))));
    let same = client.preview_composition(service.officer("clerk", moved("m-4", C1))).await.unwrap_err();
    assert_eq!(fields(&same), ["transfer.committee"]);
    let neither =
        client.preview_composition(service.officer("clerk", preview(None, None))).await.unwrap_err();
    assert_eq!(fields(&neither), ["hire"]);
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn a_committee_has_targets_of_its_own_and_an_officer_sees_his_committee() {
    let service = service(TODAY).await;
    service.sql(PEOPLE).await;
    let mut client = client(&service);
    let mut own = target(C2, date(2020, 6, 1));
    own.ages.clear();
    own.schoolings.clear();
    for target in [target("", date(2020, 1, 1)), own, target(C2, date(2021, 1, 1))] {
        client.set_composition_target(service.officer("clerk", set(target))).await.unwrap();
    }
    let of_c2 = |message| service.of_committee("officer", "c2", message);
    let found = client.get_composition(of_c2(get(C2))).await.unwrap().into_inner();
    assert_eq!(found.composition_target, "towns/malu/compositionTargets/2020-06-01-c2");
    assert_eq!(gaps(Some(&found)), [(2, -1)]);
    for other in [C1, ""] {
        let refused = client.get_composition(of_c2(get(other))).await.unwrap_err();
        assert_eq!(reason(&refused), "PERMISSION_DENIED", "{other}");
    }
    let list = pb::ListCompositionTargetsRequest {
        parent: "towns/malu".to_owned(),
        filter: format!("committee = \"{C2}\""),
        ..Default::default()
    };
    let request = service.of_committee("officer", "c2", list);
    let listed = client.list_composition_targets(request).await.unwrap().into_inner();
    assert_eq!(listed.composition_targets.len(), 2);
    let request = service.of_committee("officer", "c2", set(target(C2, TODAY)));
    let refused = client.set_composition_target(request).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_bad_target_stores_nothing() {
    let service = service(TODAY).await;
    let before = service.dump().await;
    let mut bad = target("", TODAY);
    bad.ages[1].until_age = 30;
    bad.ages[2].band = pb::AgeBand::Young.into();
    bad.schoolings[0].min_percent = 90;
    bad.schoolings[0].max_percent = 80;
    bad.sexes.push(bad.sexes[0]);
    let refused =
        client(&service).set_composition_target(service.officer("clerk", set(bad))).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        [
            "composition_target.ages[1].until_age",
            "composition_target.ages[2].band",
            "composition_target.schoolings[0].max_percent",
            "composition_target.sexes[1].sex",
        ]
    );
    let unknown = set(target("towns/malu/committees/none", TODAY));
    let refused =
        client(&service).set_composition_target(service.officer("clerk", unknown)).await.unwrap_err();
    assert_eq!(reason(&refused), "PEER_UNKNOWN");
    assert_eq!(service.dump().await, before);
    let upside_down = r#"insert into composition_target (town, from_day, terms)
        values ('malu', '2020-01-01', '{"sexes": [{"sex": "F", "range": {"min": 60, "max": 50}}]}')"#;
    assert_eq!(service.constraint(upside_down).await, "composition_shares_are_ranges");
    client(&service).set_composition_target(service.officer("clerk", set(target("", TODAY)))).await.unwrap();
    assert_eq!(service.constraint("delete from composition_target").await, "composition_target_is_kept");
}
