//! Lines of posts against a table of days.

use jiff::{ToSpan, civil::date};
use proptest::prelude::*;

use super::*;

const DAYS: i64 = 60;

fn day(n: i64) -> Date {
    date(2020, 1, 1) + n.days()
}

fn held(n: u8) -> Facts {
    Facts::held(&format!("c{n}"), "WORKER")
}

/// What somebody does with a line.
#[derive(Clone, Debug)]
enum Act {
    Assign(i64, Option<i64>, u8),
    Transfer(i64, u8),
    End(i64),
    Correct(i64, Option<i64>, Option<u8>),
    Fit(i64, Option<i64>),
}

fn act() -> impl Strategy<Value = Act> {
    let length = || prop::option::of(1..DAYS);
    prop_oneof![
        (0..DAYS, length(), 0u8..3).prop_map(|(from, length, n)| Act::Assign(from, length, n)),
        (0..DAYS, 0u8..3).prop_map(|(from, n)| Act::Transfer(from, n)),
        (0..DAYS).prop_map(Act::End),
        (0..DAYS, length(), prop::option::of(0u8..3))
            .prop_map(|(from, length, n)| Act::Correct(from, length, n)),
        (0..DAYS / 2, length()).prop_map(|(from, length)| Act::Fit(from, length)),
    ]
}

/// A year of days, each with what holds on it: what the rules are held against.
struct Table {
    life: (i64, i64),
    days: Vec<Option<Facts>>,
}

const END: i64 = 3 * DAYS;

impl Table {
    fn set(&mut self, from: i64, to: i64, facts: &Facts) {
        for n in from..to {
            self.days[n as usize] = Some(facts.clone());
        }
    }

    /// Does an act the slow way; `false` when it is refused.
    fn act(&mut self, act: &Act) -> bool {
        let (from_day, to_day) = self.life;
        let to = |from: i64, length: &Option<i64>| length.map_or(to_day, |length| from + length);
        let inside = |from: i64, to: i64| from >= from_day && to <= to_day && from < to;
        let is_post =
            |days: &[Option<Facts>], n: i64| n >= 0 && days[n as usize].as_ref().is_some_and(Facts::is_post);
        match act {
            Act::Assign(from, length, n) => {
                let to = to(*from, length);
                if !inside(*from, to) || (*from..to).any(|n| is_post(&self.days, n)) {
                    return false;
                }
                self.set(*from, to, &held(*n));
            }
            Act::Transfer(from, n) => {
                if !inside(*from, to_day) || !is_post(&self.days, *from) {
                    return false;
                }
                self.set(*from, to_day, &held(*n));
            }
            Act::End(from) => {
                if !inside(*from, to_day) || !is_post(&self.days, from - 1) {
                    return false;
                }
                self.set(*from, to_day, &Facts::gap());
            }
            Act::Correct(from, length, n) => {
                let to = to(*from, length);
                if !inside(*from, to) {
                    return false;
                }
                self.set(*from, to, &n.map_or_else(Facts::gap, held));
            }
            Act::Fit(from, length) => {
                self.life = (*from, length.map_or(END, |length| from + length));
                for n in 0..END {
                    let inside = n >= self.life.0 && n < self.life.1;
                    let day = &mut self.days[n as usize];
                    *day = inside.then(|| day.clone().unwrap_or_else(Facts::gap));
                }
            }
        }
        true
    }
}

fn period(from: i64, to: i64) -> Period {
    Period::new(day(from), (to < END).then(|| day(to))).unwrap()
}

proptest! {
    /// Whatever is done: one entry for every day of the employment, none outside it, as the table of days has it; what the table
    /// refuses is refused, and nothing else.
    #[test]
    fn every_day_has_one_entry(acts in prop::collection::vec(act(), 1..25)) {
        let mut life = period(0, END);
        let mut rows = vec![Believed { id: 0usize, period: life, value: Facts::gap() }];
        let mut next = 1;
        let mut table = Table { life: (0, END), days: vec![Some(Facts::gap()); END as usize] };
        for act in &acts {
            let days = |from: i64, length: &Option<i64>| Period::new(day(from), length.map(|length| day(from + length))).unwrap();
            let done = match act {
                Act::Assign(from, length, n) => assign(&rows, life, days(*from, length), held(*n)),
                Act::Transfer(from, n) => transfer(&rows, life, day(*from), held(*n)),
                Act::End(from) => end(&rows, life, day(*from)),
                Act::Correct(from, length, n) => correct(&rows, life, days(*from, length), n.map_or_else(Facts::gap, held)),
                Act::Fit(from, length) => {
                    life = period(*from, length.map_or(END, |length| from + length));
                    Ok(fit(&rows, life))
                }
            };
            prop_assert_eq!(done.is_ok(), table.act(act), "{:?}: {:?}", act, done);
            if let Ok(change) = done {
                rows.retain(|row| !change.close.contains(&row.id));
                for (period, value) in change.insert {
                    rows.push(Believed { id: next, period, value });
                    next += 1;
                }
            }
            for n in 0..END {
                let of_day: Vec<_> = rows.iter().filter(|row| row.period.contains(day(n))).map(|row| &row.value).collect();
                let expected: Vec<_> = table.days[n as usize].iter().collect();
                prop_assert_eq!(of_day, expected, "day {} after {:?}", n, act);
            }
        }
    }
}

#[test]
fn a_post_that_ends_is_told_of_with_its_committee() {
    let life = Period::since(day(0));
    let line = [Believed { id: 1, period: life, value: held(1) }];
    let told =
        |change: &Splice<i32, Facts>, on| ended(&line, &change.insert, |id| change.close.contains(id), on);
    let change = end(&line, life, day(5)).unwrap();
    assert_eq!(told(&change, day(5)).as_deref(), Some("c1"));
    assert_eq!(told(&change, day(6)), Some("c1".to_owned()));
    assert_eq!(told(&change, day(4)), None);
    let other_post = transfer(&line, life, day(5), Facts::held("c1", "STEWARD")).unwrap();
    assert_eq!(told(&other_post, day(5)), None);
    let other_committee = transfer(&line, life, day(5), held(2)).unwrap();
    assert_eq!(told(&other_committee, day(5)).as_deref(), Some("c1"));
}
