use jiff::{ToSpan, civil::date};
use proptest::{collection::vec, prelude::*};

use super::*;

fn day(n: i64) -> Date {
    date(2020, 1, 1) + n.days()
}

fn days(from: i64, to: i64) -> Period {
    Period::new(day(from), Some(day(to))).unwrap()
}

fn committee() -> Owner {
    Owner {
        level: "COMMITTEE",
        id: "c".to_owned(),
        display_name: "居委会".to_owned(),
        place: Place { community: Some("a".to_owned()), committee: Some("c".to_owned()) },
        since: Some(day(0)),
        must: true,
    }
}

fn need(kind: &str, minimum: i32, maximum: Option<i32>) -> Requirement {
    Requirement {
        kind: kind.to_owned(),
        level: "COMMITTEE".to_owned(),
        minimum,
        maximum,
        clause: "Work points 2.3".to_owned(),
        zh: "小组".to_owned(),
        en: "group".to_owned(),
    }
}

fn body(id: &str, life: Period, seats: i32, quorum: i32, terms: Vec<(i32, Period)>) -> Body {
    Body {
        id: id.to_owned(),
        kind: "GROUP".to_owned(),
        owned: vec![(life, "c".to_owned())],
        level: "COMMITTEE".to_owned(),
        display_name: id.to_owned(),
        sized: vec![(life, seats, quorum)],
        terms,
    }
}

const SETTINGS: Settings = Settings { term_notice_days: 10, block_forces: 1 };

/// A committee with a block that has its force, so that only what a test is about is found.
fn snapshot(bodies: Vec<Body>, need: Requirement) -> Snapshot {
    let block = Block {
        id: "b".to_owned(),
        display_name: "区块".to_owned(),
        owned: vec![(Period::since(day(0)), "c".to_owned())],
        forces: vec![Period::since(day(0))],
        pending: None,
    };
    Snapshot {
        requirements: vec![need],
        owners: vec![committee()],
        bodies,
        blocks: vec![block],
        undivided: Vec::new(),
    }
}

fn told(found: &[Finding]) -> Vec<(Rule, i32, i32, Option<Date>)> {
    found.iter().map(|finding| (finding.rule, finding.actual, finding.wanted, finding.since)).collect()
}

#[test]
fn a_missing_body_is_missing_since_the_last_one_ended() {
    let never = snapshot(Vec::new(), need("GROUP", 1, None));
    assert_eq!(told(&check(&never, day(50), SETTINGS)), [(Rule::BodyMissing, 0, 1, Some(day(0)))]);
    let before = body("o", days(5, 20), 1, 1, vec![(1, days(5, 20))]);
    let gone = snapshot(vec![before], need("GROUP", 1, None));
    assert_eq!(told(&check(&gone, day(50), SETTINGS)), [(Rule::BodyMissing, 0, 1, Some(day(20)))]);
    assert!(check(&gone, day(10), SETTINGS).iter().all(|finding| finding.rule == Rule::TermEnding));
    assert!(check(&snapshot(Vec::new(), need("GROUP", 0, None)), day(50), SETTINGS).is_empty());
}

#[test]
fn two_where_one_can_be_are_too_many_since_the_second_came() {
    let seated =
        |id: &str, from| body(id, Period::since(day(from)), 1, 1, vec![(1, Period::since(day(from)))]);
    let twice = snapshot(vec![seated("o1", 3), seated("o2", 30)], need("GROUP", 1, Some(1)));
    assert_eq!(told(&check(&twice, day(50), SETTINGS)), [(Rule::BodyTooMany, 2, 1, Some(day(30)))]);
    assert!(check(&twice, day(29), SETTINGS).is_empty());
}

#[test]
fn vacant_seats_are_named_with_since_when_and_a_quorum_that_is_lost() {
    let life = Period::since(day(0));
    let terms = vec![(1, life), (2, days(0, 30))];
    let found =
        check(&snapshot(vec![body("o", life, 3, 2, terms)], need("GROUP", 1, None)), day(40), SETTINGS);
    assert_eq!(told(&found), [(Rule::SeatVacant, 1, 3, Some(day(0))), (Rule::NoQuorum, 1, 2, Some(day(30)))]);
    assert_eq!(found[0].seats, [(2, Some(day(30))), (3, Some(day(0)))]);
}

#[test]
fn a_body_whose_terms_are_all_over_is_told_once() {
    let terms = vec![(1, days(0, 30)), (2, days(0, 20))];
    let found = check(
        &snapshot(vec![body("o", Period::since(day(0)), 2, 2, terms)], need("GROUP", 1, None)),
        day(40),
        SETTINGS,
    );
    assert_eq!(told(&found), [(Rule::TermOver, 0, 2, Some(day(30)))]);
}

#[test]
fn blocks_without_forces_and_committees_without_blocks() {
    let mut lacking = snapshot(Vec::new(), need("GROUP", 0, None));
    lacking.blocks[0].forces = vec![days(0, 12)];
    lacking.blocks[0].pending = Some(day(7));
    lacking.undivided = vec![Undivided { committee: "c".to_owned(), buildings: 3, since: day(9) }];
    let expected = [
        (Rule::NotDivided, 3, 0, Some(day(9))),
        (Rule::BlockForces, 0, 1, Some(day(12))),
        (Rule::HandoverPending, 0, 1, Some(day(7))),
    ];
    assert_eq!(told(&check(&lacking, day(20), SETTINGS)), expected);
    lacking.blocks.clear();
    lacking.undivided.clear();
    assert_eq!(told(&check(&lacking, day(20), SETTINGS)), [(Rule::NotDivided, 0, 1, Some(day(0)))]);
}

proptest! {
    /// Against a list of days: which seats are vacant on a day, since when, and whose terms end soon.
    #[test]
    fn seats_as_a_list_of_days_says(
        terms in vec((1..4i32, 0..30i64, 1..20i64), 0..8), on in 0..45i64, notice in 1..15i32,
    ) {
        let mut held = vec![[false; 70]; 4];
        let mut kept = Vec::new();
        for (seat, from, length) in terms {
            let (from, to) = (from as usize, (from + length) as usize);
            if held[seat as usize][from..to].iter().any(|held| *held) {
                continue; // the store lets nobody sit there twice
            }
            held[seat as usize][from..to].fill(true);
            kept.push((seat, days(from as i64, to as i64)));
        }
        let found = check(
            &snapshot(vec![body("o", Period::since(day(0)), 3, 1, kept.clone())], need("GROUP", 1, None)),
            day(on),
            Settings { term_notice_days: notice, block_forces: 1 },
        );
        let now = on as usize;
        let mut vacant = Vec::new();
        for (seat, held) in held.iter().enumerate().skip(1) {
            if !held[now] {
                let since = (0..now).rev().find(|n| held[*n]).map_or(0, |n| n + 1);
                vacant.push((seat as i32, Some(day(since as i64))));
            }
        }
        let told = found.iter().find(|f| matches!(f.rule, Rule::SeatVacant | Rule::TermOver));
        prop_assert_eq!(told.map(|f| f.seats.clone()).unwrap_or_default(), vacant.clone());
        let over = vacant.len() == 3 && kept.iter().any(|(_, days)| days.to().is_some_and(|to| to <= day(on)));
        prop_assert_eq!(told.is_some_and(|f| f.rule == Rule::TermOver), over);
        let mut ending = Vec::new();
        for (seat, held) in held.iter().enumerate().skip(1) {
            if held[now] {
                let end = (now..).find(|n| !held[*n]).unwrap();
                if end as i64 <= on + i64::from(notice) {
                    ending.push((day(end as i64), seat as i32));
                }
            }
        }
        ending.sort();
        let named: Vec<(Date, i32)> = found.iter().filter(|f| f.rule == Rule::TermEnding)
            .flat_map(|f| f.seats.iter().map(|(seat, _)| (f.due.unwrap(), *seat))).collect();
        prop_assert_eq!(named, ending);
    }
}
