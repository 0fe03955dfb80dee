//! Drawing, moving and merging places: no household in two blocks or in none, every past partition still readable.

use std::collections::BTreeMap;

use contracts::linli::governance::v1::{
    self as pb, estate_service_client::EstateServiceClient, household_service_client::HouseholdServiceClient,
    partition_service_client::PartitionServiceClient,
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
const DAYS: u64 = 60;
const BUILDINGS: [&str; 4] = ["u0", "u1", "u2", "u3"];

fn day(n: u64) -> Date {
    FIRST + i64::try_from(n).unwrap().days()
}

/// Committees `c1` with blocks `c1-a`, `c1-b` and two buildings, `c2` likewise; both divided.
async fn town() -> Service {
    let service = service(date(2020, 12, 1)).await;
    for (n, committee) in ["c1", "c2"].into_iter().enumerate() {
        service.committee(committee, FIRST).await;
        for block in ["a", "b"] {
            service.block(&format!("{committee}-{block}"), committee, FIRST).await;
        }
        service.estate(&format!("e{n}"), committee).await;
        for building in &BUILDINGS[2 * n..2 * n + 2] {
            service.building(building, &format!("e{n}"), Some(&format!("{committee}-a"))).await;
            service.household(&format!("h-{building}"), building, "101").await;
        }
    }
    service
}

async fn draw(
    service: &Service,
    committee: &str,
    from: Date,
    shares: &[(&str, Vec<&str>)],
) -> Result<pb::Partition, Status> {
    let name = format!("towns/malu/committees/{committee}");
    let asked =
        pb::GetPartitionRequest { name: name.clone(), as_of_date: Some(wire(FIRST)), ..Default::default() };
    let mut client = PartitionServiceClient::new(service.peer.clone());
    let etag = client.get_partition(service.officer(asked)).await?.into_inner().etag;
    let shares = shares.iter().map(|(block, buildings)| pb::PartitionShare {
        block: format!("towns/malu/blocks/{block}"),
        buildings: buildings.iter().map(|id| format!("towns/malu/buildings/{id}")).collect(),
        ..Default::default()
    });
    let request = pb::DrawPartitionRequest {
        name,
        etag,
        request_id: uuid(),
        effective_date: Some(wire(from)),
        shares: shares.collect(),
        ..Default::default()
    };
    client.draw_partition(service.officer(request)).await.map(tonic::Response::into_inner)
}

/// The block of each household on a day, as known at an instant: asked by household and by address.
async fn places(service: &Service, on: Date, at: Option<prost_types::Timestamp>) -> Vec<String> {
    let mut client = HouseholdServiceClient::new(service.peer.clone());
    let mut blocks = Vec::new();
    for building in BUILDINGS {
        let name = format!("towns/malu/households/h-{building}");
        let request = pb::LookUpHouseholdRequest { name, as_of_date: Some(wire(on)), read_time: at };
        let place = client.look_up_household(service.officer(request)).await.unwrap().into_inner();
        let building = format!("towns/malu/buildings/{building}");
        let door = "101".to_owned();
        let request = pb::LookUpAddressRequest { building, door, as_of_date: Some(wire(on)), read_time: at };
        assert_eq!(client.look_up_address(service.officer(request)).await.unwrap().into_inner(), place);
        let household = place.household.unwrap();
        assert_eq!(place.steward.map(|steward| steward.block).unwrap_or_default(), household.block);
        blocks.push(household.block.trim_start_matches("towns/malu/blocks/").to_owned());
    }
    blocks
}

/// What a list of days says after the same acts.
type Model = BTreeMap<(usize, u64), String>;

async fn act(service: &Service, dice: &mut Dice, model: &mut Model) {
    let from = dice.roll(DAYS);
    let committee = ["c1", "c2"][usize::try_from(dice.roll(2)).unwrap()];
    let of = |n: usize| if n < 2 { "c1" } else { "c2" };
    let its: Vec<usize> = (0..BUILDINGS.len()).filter(|n| of(*n) == committee).collect();
    let chosen: Vec<(usize, &str)> =
        its.iter().map(|n| (*n, ["a", "b"][usize::try_from(dice.roll(2)).unwrap()])).collect();
    let share = |side| chosen.iter().filter(|(_, its)| *its == side).map(|(n, _)| BUILDINGS[*n]).collect();
    let (a, b) = (format!("{committee}-a"), format!("{committee}-b"));
    let shares: Vec<(&str, Vec<&str>)> = vec![(&a, share("a")), (&b, share("b"))];
    let flawed = dice.roll(4);
    let (given, expected) = match flawed {
        0 => (vec![(a.as_str(), vec![BUILDINGS[its[0]]])], Some("PARTITION_GAP")),
        1 => (vec![(a.as_str(), vec![BUILDINGS[its[0]], BUILDINGS[its[0]]])], Some("PARTITION_OVERLAP")),
        _ => (shares.into_iter().filter(|(_, buildings)| !buildings.is_empty()).collect(), None),
    };
    let drawn = draw(service, committee, day(from), &given).await;
    match expected {
        Some(expected) => assert_eq!(reason(&drawn.unwrap_err()), expected),
        None => {
            assert!(drawn.unwrap().divided);
            for (n, side) in chosen {
                for on in from..DAYS {
                    model.insert((n, on), format!("{committee}-{side}"));
                }
            }
        }
    }
}

#[tokio::test]
async fn any_sequence_of_drawings_leaves_each_household_in_one_block_and_the_past_readable() {
    for seed in [3, 20_200_101] {
        let service = town().await;
        let (mut dice, mut model, mut past) = (Dice(seed), Model::new(), Vec::new());
        for (n, building) in BUILDINGS.iter().enumerate() {
            let committee = if *building < "u2" { "c1" } else { "c2" };
            model.extend((0..DAYS).map(|on| ((n, on), format!("{committee}-a"))));
        }
        for round in 0..12 {
            act(&service, &mut dice, &mut model).await;
            if round % 4 == 3 {
                let now = chassis::wire::to_timestamp(chassis::clock::recorded_now().as_microsecond());
                past.push((now, model.clone()));
            }
        }
        for (at, known) in past.iter().map(|(at, known)| (Some(*at), known)).chain([(None, &model)]) {
            for on in (0..DAYS).step_by(7) {
                let expected: Vec<&String> = (0..BUILDINGS.len()).map(|n| &known[&(n, on)]).collect();
                assert_eq!(
                    places(&service, day(on), at).await.iter().collect::<Vec<_>>(),
                    expected,
                    "seed {seed}, day {on}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_merger_carries_estates_buildings_and_households_and_refuses_to_mix() {
    let service = town().await;
    service.committee("c3", FIRST).await;
    service.estate("e3", "c3").await;
    service.building("u9", "e3", None).await;
    let merge = async |from: &str, into: &str| {
        let name = format!("towns/malu/committees/{from}");
        let asked = pb::GetCommitteeRequest { name: name.clone(), ..Default::default() };
        let etag =
            service.committees().get_committee(service.officer(asked)).await.unwrap().into_inner().etag;
        let request = pb::MergeCommitteeRequest {
            name,
            etag,
            request_id: uuid(),
            into: format!("towns/malu/committees/{into}"),
            effective_date: Some(wire(date(2020, 7, 1))),
            ..Default::default()
        };
        service.committees().merge_committee(service.officer(request)).await
    };
    assert_eq!(reason(&merge("c3", "c1").await.unwrap_err()), "MIXED_PARTITION");
    merge("c1", "c2").await.unwrap();
    let find = async |on: Date| {
        let filter = "committee = towns/malu/committees/c2".to_owned();
        let parent = "towns/malu".to_owned();
        let request =
            pb::ListHouseholdsRequest { parent, filter, as_of_date: Some(wire(on)), ..Default::default() };
        let mut client = HouseholdServiceClient::new(service.peer.clone());
        let answer = client.list_households(service.officer(request)).await.unwrap().into_inner();
        answer.households.into_iter().map(|household| household.building).collect::<Vec<_>>()
    };
    let of = |ids: &[&str]| ids.iter().map(|id| format!("towns/malu/buildings/{id}")).collect::<Vec<_>>();
    assert_eq!(find(date(2020, 6, 30)).await, of(&["u2", "u3"]));
    assert_eq!(find(date(2020, 7, 1)).await, of(&BUILDINGS));
}

#[tokio::test]
async fn an_estate_moves_with_its_buildings_and_a_block_with_buildings_stays_open() {
    let service = town().await;
    service.committee("c3", FIRST).await;
    let mut estates = EstateServiceClient::new(service.peer.clone());
    let name = "towns/malu/estates/e0".to_owned();
    let asked = pb::GetEstateRequest { name: name.clone(), ..Default::default() };
    let etag = estates.get_estate(service.officer(asked)).await.unwrap().into_inner().etag;
    let request = |into: &str| pb::MoveEstateRequest {
        name: name.clone(),
        etag: etag.clone(),
        request_id: uuid(),
        committee: format!("towns/malu/committees/{into}"),
        effective_date: Some(wire(date(2020, 7, 1))),
        ..Default::default()
    };
    let refused = estates.move_estate(service.officer(request("c2"))).await.unwrap_err();
    assert_eq!(reason(&refused), "MIXED_PARTITION");
    estates.move_estate(service.officer(request("c3"))).await.unwrap();
    assert_eq!(places(&service, date(2020, 6, 30), None).await, ["c1-a", "c1-a", "c2-a", "c2-a"]);
    assert_eq!(places(&service, date(2020, 7, 1), None).await, ["", "", "c2-a", "c2-a"]);
    let asked = pb::GetBlockRequest { name: "towns/malu/blocks/c2-a".to_owned(), ..Default::default() };
    let block = service.blocks().get_block(service.officer(asked)).await.unwrap().into_inner();
    let request = pb::CloseBlockRequest {
        name: block.name,
        etag: block.etag,
        request_id: uuid(),
        end_date: Some(wire(date(2020, 8, 1))),
        ..Default::default()
    };
    let refused = service.blocks().close_block(service.officer(request)).await.unwrap_err();
    assert_eq!(reason(&refused), "BLOCK_HAS_BUILDINGS");
}
