//! Mergers and splits: bodies, places, blocks and counts go over on a day; old names resolve; the past stays readable.

use contracts::linli::governance::v1::{
    self as pb, body_service_client::BodyServiceClient, estate_service_client::EstateServiceClient,
    household_service_client::HouseholdServiceClient, partition_service_client::PartitionServiceClient,
};
use jiff::{
    ToSpan,
    civil::{Date, date},
};
use tonic::Status;

use crate::{
    harness::{Service, date as wire, reason, service, uuid},
    sequences::Dice,
};

const FIRST: Date = date(2020, 1, 1);

fn name(kind: &str, id: &str) -> String {
    format!("towns/malu/{kind}/{id}")
}

/// Committees `c1` (estates `e1`, `e2` of two buildings each, divided into `b1`, `b2` by estate), `c2` and `c3` without
/// anything; a household in each building.
async fn town() -> Service {
    let service = service(date(2020, 12, 1)).await;
    for committee in ["c1", "c2", "c3"] {
        service.committee(committee, FIRST).await;
    }
    for n in ["1", "2"] {
        service.block(&format!("b{n}"), "c1", FIRST).await;
        service.estate(&format!("e{n}"), "c1").await;
        for m in ["a", "b"] {
            service.building(&format!("u{n}{m}"), &format!("e{n}"), Some(&format!("b{n}"))).await;
            service.household(&format!("h{n}{m}"), &format!("u{n}{m}"), "101").await;
        }
    }
    service
}

async fn body(service: &Service, id: &str, level: pb::BodyLevel, kind: &str, owner: String) {
    let body = pb::Body {
        display_name: id.to_owned(),
        level: level.into(),
        owner,
        kind: kind.to_owned(),
        seats: 3,
        quorum: 2,
        start_date: Some(wire(FIRST)),
        ..Default::default()
    };
    let request = pb::CreateBodyRequest {
        parent: "towns/malu".to_owned(),
        body_id: id.to_owned(),
        body: Some(body),
        ..Default::default()
    };
    BodyServiceClient::new(service.peer.clone()).create_body(service.officer(request)).await.unwrap();
}

async fn count(service: &Service, committee: &str, households: i32) {
    let count = pb::HouseholdCount { valid_date: Some(wire(FIRST)), households, ..Default::default() };
    let parent = name("committees", committee);
    let request =
        pb::RecordHouseholdCountRequest { parent, household_count: Some(count), ..Default::default() };
    service.committees().record_household_count(service.officer(request)).await.unwrap();
}

async fn committee(
    service: &Service,
    id: &str,
    on: Date,
    at: Option<prost_types::Timestamp>,
) -> pb::Committee {
    let request =
        pb::GetCommitteeRequest { name: name("committees", id), as_of_date: Some(wire(on)), read_time: at };
    service.committees().get_committee(service.officer(request)).await.unwrap().into_inner()
}

async fn merge(service: &Service, from: &str, into: &str, on: Date) -> Result<pb::Committee, Status> {
    let request = pb::MergeCommitteeRequest {
        name: name("committees", from),
        etag: committee(service, from, on, None).await.etag,
        request_id: uuid(),
        into: name("committees", into),
        effective_date: Some(wire(on)),
        ..Default::default()
    };
    service.committees().merge_committee(service.officer(request)).await.map(tonic::Response::into_inner)
}

fn part(into: &str, estates: &[&str], households: i32) -> pb::SplitPart {
    pb::SplitPart {
        committee: name("committees", into),
        estates: estates.iter().map(|id| name("estates", id)).collect(),
        households,
        ..Default::default()
    }
}

async fn split(
    service: &Service,
    from: &str,
    parts: Vec<pb::SplitPart>,
    remaining_households: i32,
    on: Date,
) -> Result<pb::Committee, Status> {
    let request = pb::SplitCommitteeRequest {
        name: name("committees", from),
        etag: committee(service, from, on, None).await.etag,
        request_id: uuid(),
        effective_date: Some(wire(on)),
        parts,
        remaining_households,
        ..Default::default()
    };
    service.committees().split_committee(service.officer(request)).await.map(tonic::Response::into_inner)
}

async fn resolve(service: &Service, id: &str, on: Date) -> (Vec<String>, Vec<pb::LineageKind>) {
    let request = pb::ResolveCommitteeRequest {
        name: name("committees", id),
        as_of_date: Some(wire(on)),
        ..Default::default()
    };
    let lineage =
        service.committees().resolve_committee(service.officer(request)).await.unwrap().into_inner();
    let current = lineage.current.iter().map(|its| its.name.rsplit('/').next().unwrap().to_owned());
    (current.collect(), lineage.steps.iter().map(pb::LineageStep::kind).collect())
}

/// Committee and block of a household on a day.
async fn place(
    service: &Service,
    household: &str,
    on: Date,
    at: Option<prost_types::Timestamp>,
) -> (String, String) {
    let request = pb::LookUpHouseholdRequest {
        name: name("households", household),
        as_of_date: Some(wire(on)),
        read_time: at,
    };
    let mut client = HouseholdServiceClient::new(service.peer.clone());
    let place =
        client.look_up_household(service.officer(request)).await.unwrap().into_inner().household.unwrap();
    let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    (id(&place.committee), id(&place.block))
}

#[tokio::test]
async fn a_merger_carries_bodies_and_every_old_name_resolves() {
    let service = town().await;
    body(&service, "o1", pb::BodyLevel::Committee, "PARTY_BRANCH", name("committees", "c1")).await;
    body(&service, "o2", pb::BodyLevel::Committee, "PARTY_BRANCH", name("committees", "c2")).await;
    body(&service, "o3", pb::BodyLevel::Estate, "OWNERS_COMMITTEE", name("estates", "e1")).await;
    merge(&service, "c1", "c2", date(2020, 7, 1)).await.unwrap();
    let owner = async |id: &str, on: Date| {
        let request =
            pb::GetBodyRequest { name: name("bodies", id), as_of_date: Some(wire(on)), ..Default::default() };
        let body =
            BodyServiceClient::new(service.peer.clone()).get_body(service.officer(request)).await.unwrap();
        (body.get_ref().owner.clone(), body.get_ref().timeline.last().unwrap().verb.clone())
    };
    assert_eq!(owner("o1", date(2020, 6, 30)).await.0, name("committees", "c1"));
    assert_eq!(owner("o1", date(2020, 7, 1)).await, (name("committees", "c2"), "move".to_owned()));
    assert_eq!(owner("o3", date(2020, 7, 1)).await.0, name("estates", "e1"));
    assert_eq!(
        committee(&service, "c1", date(2020, 7, 1), None).await.successors,
        [name("committees", "c2")]
    );
    merge(&service, "c2", "c3", date(2020, 9, 1)).await.unwrap();
    assert_eq!(resolve(&service, "c1", date(2020, 6, 30)).await, (vec!["c1".to_owned()], vec![]));
    assert_eq!(resolve(&service, "c1", date(2020, 8, 1)).await.0, ["c2"]);
    let (current, steps) = resolve(&service, "c1", date(2020, 9, 1)).await;
    assert_eq!((current, steps), (vec!["c3".to_owned()], vec![pb::LineageKind::Merged; 2]));
    assert_eq!(place(&service, "h1a", date(2020, 9, 1), None).await, ("c3".to_owned(), "b1".to_owned()));
    service
        .sql("do $$ begin assert (select count(*) = 1 from event where type = 'linli.governance.committee.merged.v1' and resource like '%/c1');
              assert (select count(*) = 2 from event where type = 'linli.governance.estate.moved.v1' and resource like '%/e1'); end $$")
        .await;
}

#[tokio::test]
async fn a_split_takes_estates_with_blocks_and_counts_and_is_refused_where_it_would_lose_something() {
    let service = town().await;
    let on = date(2020, 7, 1);
    count(&service, "c1", 1_000).await;
    body(&service, "o1", pb::BodyLevel::Committee, "PROJECT_GROUP", name("committees", "c1")).await;
    let mut foreign = part("c2", &["e1"], 400);
    foreign.estates.push(name("estates", "e9"));
    let mut twice = vec![part("c2", &["e1"], 400), part("c3", &["e1"], 100)];
    for (parts, remaining, expected) in [
        (vec![foreign], 600, "SPLIT_FOREIGN"),
        (std::mem::take(&mut twice), 500, "SPLIT_TWICE"),
        (vec![part("c2", &[], 400)], 600, "SPLIT_NOTHING"),
        (vec![part("c2", &["e1"], 400)], 599, "SPLIT_COUNT"),
        (vec![part("c1", &["e1"], 400)], 600, "BAD_REQUEST"),
    ] {
        assert_eq!(reason(&split(&service, "c1", parts, remaining, on).await.unwrap_err()), expected);
    }
    let mut with_body = part("c2", &["e1"], 400);
    with_body.bodies.push(name("bodies", "o1"));
    split(&service, "c1", vec![with_body, part("c3", &["e2"], 350)], 250, on).await.unwrap();
    for (household, expected) in [("h1a", ("c2", "b1")), ("h2b", ("c3", "b2"))] {
        assert_eq!(
            place(&service, household, on, None).await,
            (expected.0.to_owned(), expected.1.to_owned())
        );
        let before = place(&service, household, date(2020, 6, 30), None).await;
        assert_eq!(before.0, "c1");
    }
    let counts = async |id: &str| committee(&service, id, on, None).await.household_count.unwrap().households;
    assert_eq!((counts("c1").await, counts("c2").await, counts("c3").await), (250, 400, 350));
    let (current, steps) = resolve(&service, "c1", on).await;
    assert_eq!(
        (current, steps),
        (vec!["c1".to_owned(), "c2".to_owned(), "c3".to_owned()], vec![pb::LineageKind::Split; 2])
    );
    // nothing is left: it can be dissolved, and its name still says what became of it
    let request = pb::DissolveCommitteeRequest {
        name: name("committees", "c1"),
        etag: committee(&service, "c1", on, None).await.etag,
        request_id: uuid(),
        effective_date: Some(wire(date(2020, 8, 1))),
        ..Default::default()
    };
    service.committees().dissolve_committee(service.officer(request)).await.unwrap();
    assert_eq!(resolve(&service, "c1", date(2020, 8, 1)).await.0, ["c2", "c3"]);
    assert_eq!(committee(&service, "c1", date(2020, 8, 1), None).await.successors.len(), 2);
}

#[tokio::test]
async fn a_block_is_not_cut_by_a_split() {
    let service = town().await;
    let on = date(2020, 7, 1);
    let etag = committee(&service, "c1", on, None).await.etag;
    let all = ["u1a", "u1b", "u2a", "u2b"].iter().map(|id| name("buildings", id)).collect();
    let request = pb::DrawPartitionRequest {
        name: name("committees", "c1"),
        etag,
        request_id: uuid(),
        effective_date: Some(wire(date(2020, 6, 1))),
        shares: vec![pb::PartitionShare {
            block: name("blocks", "b1"),
            buildings: all,
            ..Default::default()
        }],
        ..Default::default()
    };
    PartitionServiceClient::new(service.peer.clone()).draw_partition(service.officer(request)).await.unwrap();
    let refused = split(&service, "c1", vec![part("c2", &["e1"], 0)], 0, on).await.unwrap_err();
    assert_eq!(reason(&refused), "SPLIT_CUTS_BLOCK");
    let mut named = part("c2", &["e1", "e2"], 0);
    named.blocks.push(name("blocks", "b2"));
    split(&service, "c1", vec![named], 0, on).await.unwrap();
    let block =
        pb::GetBlockRequest { name: name("blocks", "b2"), as_of_date: Some(wire(on)), ..Default::default() };
    let block = service.blocks().get_block(service.officer(block)).await.unwrap().into_inner();
    assert_eq!(block.committee, name("committees", "c2"));
}

const HOUSEHOLDS: [&str; 4] = ["h1a", "h1b", "h2a", "h2b"];

/// One act on a day; whether it was taken.
async fn act(service: &Service, dice: &mut Dice, on: Date) -> bool {
    let pick = |dice: &mut Dice| ["c1", "c2", "c3"][usize::try_from(dice.roll(3)).unwrap()];
    let (from, into) = (pick(dice), pick(dice));
    let estate = ["e1", "e2"][usize::try_from(dice.roll(2)).unwrap()];
    match dice.roll(4) {
        0 => merge(service, from, into, on).await.is_ok(),
        1 => split(service, from, vec![part(into, &[estate], 0)], 0, on).await.is_ok(),
        2 => {
            let mut client = EstateServiceClient::new(service.peer.clone());
            let asked = pb::GetEstateRequest { name: name("estates", estate), ..Default::default() };
            let etag = client.get_estate(service.officer(asked)).await.unwrap().into_inner().etag;
            let request = pb::MoveEstateRequest {
                name: name("estates", estate),
                etag,
                request_id: uuid(),
                committee: name("committees", into),
                effective_date: Some(wire(on)),
                ..Default::default()
            };
            client.move_estate(service.officer(request)).await.is_ok()
        }
        _ => {
            let its = async |id: &str| place(service, id, on, None).await.0 == from;
            let mut shares = vec![];
            for (block, households) in [("b1", ["h1a", "h1b"]), ("b2", ["h2a", "h2b"])] {
                let mut buildings = vec![];
                for id in households {
                    if its(id).await {
                        buildings.push(name("buildings", &id.replace('h', "u")));
                    }
                }
                if !buildings.is_empty() {
                    shares.push(pb::PartitionShare {
                        block: name("blocks", block),
                        buildings,
                        ..Default::default()
                    });
                }
            }
            let request = pb::DrawPartitionRequest {
                name: name("committees", from),
                etag: committee(service, from, on, None).await.etag,
                request_id: uuid(),
                effective_date: Some(wire(on)),
                shares,
                ..Default::default()
            };
            let mut client = PartitionServiceClient::new(service.peer.clone());
            client.draw_partition(service.officer(request)).await.is_ok()
        }
    }
}

/// What is said of the four households on some days, as known at an instant.
async fn answers(service: &Service, at: Option<prost_types::Timestamp>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for n in (0..120).step_by(17) {
        for household in HOUSEHOLDS {
            all.push(place(service, household, FIRST + i64::from(n).days(), at).await);
        }
    }
    all
}

/// Each household lies in a committee that exists, and in a block of that very committee once it is divided.
async fn check(service: &Service, on: Date) {
    for household in HOUSEHOLDS {
        let (its, block) = place(service, household, on, None).await;
        let state = committee(service, &its, on, None).await.state();
        assert_eq!(state, pb::CommitteeState::Founded, "{household} lies in {its} on {on}");
        let asked = pb::GetPartitionRequest {
            name: name("committees", &its),
            as_of_date: Some(wire(on)),
            ..Default::default()
        };
        let mut client = PartitionServiceClient::new(service.peer.clone());
        let partition = client.get_partition(service.officer(asked)).await.unwrap().into_inner();
        assert_eq!(partition.divided, !block.is_empty(), "{household} on {on}");
        if partition.divided {
            assert!(partition.shares.iter().all(|share| !share.block.is_empty()));
            let asked = pb::GetBlockRequest {
                name: name("blocks", &block),
                as_of_date: Some(wire(on)),
                ..Default::default()
            };
            let block = service.blocks().get_block(service.officer(asked)).await.unwrap().into_inner();
            assert_eq!(block.committee, name("committees", &its));
        }
    }
}

#[tokio::test]
async fn any_sequence_of_mergers_splits_moves_and_drawings_leaves_no_household_out_and_the_past_readable() {
    let (mut taken, mut refused) = (0, 0);
    for seed in [7, 11, 20_201_120] {
        let service = town().await;
        let (mut dice, mut day, mut past) = (Dice(seed), 0i64, Vec::new());
        for round in 0..14 {
            day += i64::try_from(dice.roll(9)).unwrap() + 1;
            let before = answers(&service, None).await;
            if act(&service, &mut dice, FIRST + day.days()).await {
                taken += 1;
            } else {
                refused += 1;
                assert_eq!(answers(&service, None).await, before, "a refusal changed something");
            }
            check(&service, FIRST + day.days()).await;
            if round % 5 == 4 {
                let now = chassis::wire::to_timestamp(chassis::clock::recorded_now().as_microsecond());
                past.push((now, answers(&service, None).await));
            }
        }
        for (at, known) in past {
            assert_eq!(answers(&service, Some(at)).await, known, "seed {seed}, as known at {at:?}");
        }
    }
    assert!(taken > 5 && refused > 5, "{taken} taken, {refused} refused");
}

#[tokio::test]
async fn a_part_that_was_given_away_before_says_nothing_of_what_came_later() {
    let service = town().await;
    split(&service, "c1", vec![part("c3", &["e1"], 0)], 0, date(2020, 3, 1)).await.unwrap();
    // the same again on the same day, with the other estate
    split(&service, "c1", vec![part("c3", &["e2"], 0)], 0, date(2020, 3, 1)).await.unwrap();
    merge(&service, "c2", "c1", date(2020, 7, 1)).await.unwrap();
    let (current, steps) = resolve(&service, "c2", date(2020, 8, 1)).await;
    assert_eq!((current, steps), (vec!["c1".to_owned()], vec![pb::LineageKind::Merged]));
    assert_eq!(
        committee(&service, "c1", date(2020, 8, 1), None).await.successors,
        [name("committees", "c3")]
    );
}

#[tokio::test]
async fn nothing_is_merged_away_before_what_is_to_come_and_no_count_is_undone() {
    let service = town().await;
    merge(&service, "c2", "c1", date(2020, 8, 1)).await.unwrap();
    let refused = merge(&service, "c1", "c3", date(2020, 7, 5)).await.unwrap_err();
    assert_eq!(reason(&refused), "LATER_CHANGE");
    count(&service, "c3", 500).await;
    let later = pb::HouseholdCount {
        valid_date: Some(wire(date(2020, 9, 1))),
        households: 600,
        ..Default::default()
    };
    let request = pb::RecordHouseholdCountRequest {
        parent: name("committees", "c3"),
        household_count: Some(later.clone()),
        ..Default::default()
    };
    service.committees().record_household_count(service.officer(request.clone())).await.unwrap();
    let refused = merge(&service, "c3", "c1", date(2020, 8, 2)).await.unwrap_err();
    assert_eq!(reason(&refused), "LATER_COUNT");
    // a correction of what was declared says why
    let other = pb::HouseholdCount { households: 601, ..later };
    let request = pb::RecordHouseholdCountRequest { household_count: Some(other), ..request };
    let refused = service.committees().record_household_count(service.officer(request)).await.unwrap_err();
    assert_eq!(reason(&refused), "BAD_REQUEST");
}

#[tokio::test]
async fn nothing_is_put_into_a_committee_that_is_closed() {
    let service = town().await;
    merge(&service, "c2", "c1", date(2020, 5, 1)).await.unwrap();
    let estate = pb::Estate {
        display_name: "新小区".to_owned(),
        committee: name("committees", "c2"),
        ..Default::default()
    };
    let request = pb::CreateEstateRequest {
        parent: "towns/malu".to_owned(),
        estate_id: "e9".to_owned(),
        estate: Some(estate),
        ..Default::default()
    };
    let mut client = EstateServiceClient::new(service.peer.clone());
    assert!(client.create_estate(service.officer(request)).await.is_err());
    let sql = "insert into estate (town, id, life) values ('malu', 'e9', '[2020-01-01,)');
               insert into estate_period (town, id, estate, valid, recorded, display_name, committee)
               values ('malu', gen_random_uuid(), 'e9', '[2020-01-01,)', tstzrange(now(), null), 'x', 'c2')";
    let error = service.try_sql(sql).await.unwrap_err();
    let constraint =
        error.as_database_error().and_then(|error| error.constraint()).unwrap_or_default().to_owned();
    assert_eq!(constraint, "committee_holds_nothing_when_closed");
}
