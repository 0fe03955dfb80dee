//! Random lives of blocks and committees through the RPCs: no day without exactly one steward, no name that changed,
//! every past answer still given.

use contracts::linli::governance::v1 as pb;
use jiff::{
    ToSpan,
    civil::{Date, date},
};

use crate::harness::{Service, date as wire, service, steward, uuid};

/// A generator that gives the same numbers on every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn day(n: u64) -> Date {
    date(2020, 1, 1) + i64::try_from(n).unwrap().days()
}

const DAYS: u64 = 120;

async fn act(service: &Service, dice: &mut Dice, days: &mut [String]) {
    let name = "towns/malu/blocks/b1".to_owned();
    let asked =
        pb::GetBlockRequest { name: name.clone(), as_of_date: Some(wire(day(1))), ..Default::default() };
    let etag = service.blocks().get_block(service.officer(asked)).await.unwrap().into_inner().etag;
    let (from, length, who) = (dice.roll(DAYS), dice.roll(20) + 1, u32::try_from(dice.roll(6)).unwrap() + 1);
    let (worker, until) = (format!("towns/malu/workers/w-{who}"), from + length);
    let mut client = service.stewardships();
    let span = |days: &mut [String], from: u64, to: u64, worker: &str| {
        days[from as usize..(to as usize).min(DAYS as usize)].fill(worker.to_owned());
    };
    match dice.roll(3) {
        0 => {
            let request = pb::HandOverBlockRequest {
                name,
                etag,
                request_id: uuid(),
                steward: Some(steward(who)),
                effective_date: Some(wire(day(until))),
                former_end_date: Some(wire(day(from))),
                cover: Some(steward(77)),
                ..Default::default()
            };
            client.hand_over_block(service.officer(request)).await.unwrap();
            span(days, from, until, "towns/malu/workers/w-77");
            if until < DAYS {
                span(days, until, DAYS, &worker);
            }
        }
        1 => {
            let request = pb::CoverBlockRequest {
                name,
                etag,
                request_id: uuid(),
                steward: Some(steward(who)),
                start_date: Some(wire(day(from))),
                end_date: Some(wire(day(until))),
                ..Default::default()
            };
            client.cover_block(service.officer(request)).await.unwrap();
            span(days, from, until, &worker);
        }
        _ => {
            let request = pb::CorrectStewardRequest {
                name,
                etag,
                request_id: uuid(),
                comment: "更正".to_owned(),
                steward: Some(steward(who)),
                start_date: Some(wire(day(from))),
                end_date: Some(wire(day(until))),
                ..Default::default()
            };
            client.correct_steward(service.officer(request)).await.unwrap();
            span(days, from, until, &worker);
        }
    }
}

async fn line(service: &Service, read_time: Option<prost_types::Timestamp>) -> Vec<String> {
    let mut days = Vec::new();
    for n in 0..DAYS {
        days.push(service.steward_on("b1", day(n), read_time).await);
    }
    days
}

#[tokio::test]
async fn every_day_has_the_steward_that_a_list_of_days_says_and_the_past_stays_readable() {
    for seed in [1, 20_200_525] {
        let service = service(date(2020, 12, 1)).await;
        service.committee("c1", date(2016, 1, 1)).await;
        service.block("b1", "c1", day(0)).await;
        let mut dice = Dice(seed);
        let mut days = vec!["towns/malu/workers/w-0".to_owned(); DAYS as usize];
        let mut past = Vec::new();
        for round in 0..18 {
            act(&service, &mut dice, &mut days).await;
            if round % 6 == 5 {
                assert_eq!(line(&service, None).await, days, "seed {seed}, round {round}");
                past.push((
                    chassis::wire::to_timestamp(chassis::clock::recorded_now().as_microsecond()),
                    days.clone(),
                ));
            }
        }
        for (at, believed) in past {
            assert_eq!(line(&service, Some(at)).await, believed, "seed {seed}, as known at {at:?}");
        }
    }
}

#[tokio::test]
async fn a_merger_carries_blocks_and_counts_and_keeps_names_and_history() {
    let service = service(date(2020, 12, 1)).await;
    let gone = service.committee("c1", date(2016, 1, 1)).await;
    service.committee("c2", date(2016, 1, 1)).await;
    service.block("b1", "c1", date(2020, 1, 1)).await;
    for (committee, households) in [("c1", 900), ("c2", 1_300)] {
        let count = pb::HouseholdCount {
            valid_date: Some(wire(date(2019, 12, 31))),
            households,
            ..Default::default()
        };
        let parent = format!("towns/malu/committees/{committee}");
        let request =
            pb::RecordHouseholdCountRequest { parent, household_count: Some(count), ..Default::default() };
        service.committees().record_household_count(service.officer(request)).await.unwrap();
    }
    let get = async |id: &str, on: Date| {
        let request = pb::GetCommitteeRequest {
            name: format!("towns/malu/committees/{id}"),
            as_of_date: Some(wire(on)),
            ..Default::default()
        };
        service.committees().get_committee(service.officer(request)).await.unwrap().into_inner()
    };
    let etag = get("c1", date(2020, 6, 1)).await.etag;
    let request = pb::MergeCommitteeRequest {
        name: gone.name.clone(),
        etag,
        request_id: uuid(),
        into: "towns/malu/committees/c2".to_owned(),
        effective_date: Some(wire(date(2020, 7, 1))),
        ..Default::default()
    };
    let merged = service.committees().merge_committee(service.officer(request)).await.unwrap().into_inner();
    assert_eq!(
        (merged.state(), merged.merged_into.as_str()),
        (pb::CommitteeState::Merged, "towns/malu/committees/c2")
    );
    let before = get("c1", date(2020, 6, 30)).await;
    assert_eq!((before.name, before.state), (gone.name, pb::CommitteeState::Founded.into()));
    assert_eq!(get("c2", date(2020, 7, 1)).await.household_count.unwrap().households, 2_200);
    assert_eq!(get("c2", date(2020, 6, 30)).await.household_count.unwrap().households, 1_300);
    let block = async |on: Date| {
        let request = pb::GetBlockRequest {
            name: "towns/malu/blocks/b1".to_owned(),
            as_of_date: Some(wire(on)),
            ..Default::default()
        };
        service.blocks().get_block(service.officer(request)).await.unwrap().into_inner()
    };
    let (before, after) = (block(date(2020, 6, 30)).await, block(date(2020, 7, 1)).await);
    assert_eq!(
        (before.committee.as_str(), after.committee.as_str()),
        ("towns/malu/committees/c1", "towns/malu/committees/c2")
    );
    assert_eq!((before.steward.unwrap().worker, before.name), (after.steward.unwrap().worker, after.name));
}
