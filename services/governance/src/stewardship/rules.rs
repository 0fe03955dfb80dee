//! One steward 小管家 for each block on every day: hand-over, cover during leave, the director's cover, correction.

use std::fmt::Write;

use chassis::refusal::Refusal;
use jiff::{ToSpan, civil::Date};
use kernel::{
    named,
    periods::{Believed, Period, Splice, splice_all},
};
use uuid::Uuid;

use crate::reasons::{NOTHING_TO_COVER, OUTSIDE_LIFE, STEWARD_GAP, STEWARD_OVERLAP};

named! {
    /// How somebody came to be steward.
    Kind {
        /// The steward.
        Regular = "REGULAR",
        /// Covers leave.
        Cover = "COVER",
        /// The committee's director covers, because the post ended.
        DirectorCover = "DIRECTOR_COVER",
    }
}

/// Who is steward on some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The person's name; empty while the register doesn't know him.
    pub person: String,
    /// The worker's name.
    pub worker: String,
    /// How he came to be.
    pub kind: Kind,
    /// Whether a hand-over is still owed.
    pub handover_pending: bool,
}

impl Facts {
    /// A steward of `kind`.
    pub fn new(person: &str, worker: &str, kind: Kind) -> Facts {
        Facts {
            person: person.to_owned(),
            worker: worker.to_owned(),
            kind,
            handover_pending: kind == Kind::DirectorCover,
        }
    }
}

/// The rows of a block that are believed now.
pub type Line = [Believed<Uuid, Facts>];

/// What a hand-over says.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// The new steward's first day.
    pub effective: Date,
    /// The former steward's first day off.
    pub former_end: Date,
    /// The new steward.
    pub steward: Facts,
    /// Who covers the days between.
    pub cover: Option<Facts>,
}

/// The line after a hand-over: the new steward from his first day to the end of the block's life.
///
/// # Errors
/// STEWARD_GAP and STEWARD_OVERLAP naming the days; OUTSIDE_LIFE for days on which the block doesn't exist.
pub fn hand_over(
    block: &str,
    life: Period,
    line: &Line,
    said: &HandOver,
) -> Result<Splice<Uuid, Facts>, Refusal> {
    within(block, life, said.former_end.min(said.effective))?;
    within(block, life, said.effective)?;
    let days = |from: Date, to: Date| Period::new(from, Some(to)).ok();
    if let Some(twice) = days(said.effective, said.former_end) {
        return Err(Refusal::new(&STEWARD_OVERLAP).with("block", block).with("days", name_days(twice)));
    }
    let mut facts = Vec::new();
    match (days(said.former_end, said.effective), &said.cover) {
        (Some(between), Some(cover)) => facts.push((between, cover.clone())),
        (Some(between), None) => {
            return Err(Refusal::new(&STEWARD_GAP).with("block", block).with("days", name_days(between)));
        }
        (None, _) => {}
    }
    facts.push((from_on(life, said.effective), said.steward.clone()));
    Ok(splice_all(line, &facts))
}

/// The line when somebody else is steward on `days`: cover during leave, or a correction.
///
/// # Errors
/// OUTSIDE_LIFE for days on which the block doesn't exist.
pub fn replace(
    block: &str,
    life: Period,
    line: &Line,
    days: Period,
    steward: &Facts,
) -> Result<Splice<Uuid, Facts>, Refusal> {
    // an open correction ends with the block
    let days = if days.to().is_none() { from_on(life, days.from()) } else { days };
    if !life.covers(days) {
        return Err(outside(block, life));
    }
    Ok(splice_all(line, &[(days, steward.clone())]))
}

/// The line when the post of `worker` ends: the director covers what the worker would have had from `day` on.
///
/// # Errors
/// NOTHING_TO_COVER when he is steward on no such day.
pub fn end_post(
    line: &Line,
    worker: &str,
    day: Date,
    director: &Facts,
) -> Result<Splice<Uuid, Facts>, Refusal> {
    let after = Period::since(day);
    let his =
        line.iter().filter(|row| row.value.worker == worker).filter_map(|row| row.period.intersection(after));
    let covers: Vec<(Period, Facts)> = his.map(|period| (period, director.clone())).collect();
    if covers.is_empty() {
        return Err(Refusal::new(&NOTHING_TO_COVER).with("worker", worker));
    }
    Ok(splice_all(line, &covers))
}

fn from_on(life: Period, day: Date) -> Period {
    life.intersection(Period::since(day)).unwrap_or(life)
}

fn within(block: &str, life: Period, day: Date) -> Result<(), Refusal> {
    if life.contains(day) { Ok(()) } else { Err(outside(block, life)) }
}

fn outside(block: &str, life: Period) -> Refusal {
    Refusal::new(&OUTSIDE_LIFE).with("name", block).with("period", life)
}

/// The days by name, up to ten of them: `2020-10-10, 2020-10-11`.
pub fn name_days(period: Period) -> String {
    const MOST: usize = 10;
    let mut text = String::new();
    for (n, day) in
        period.from().series(1.day()).take_while(|day| period.contains(*day)).take(MOST + 1).enumerate()
    {
        // writing to a String does not fail
        let _ = match n {
            0 => write!(text, "{day}"),
            MOST => write!(
                text,
                " … {}",
                period.to().map_or_else(|| "∞".to_owned(), |to| to.yesterday().unwrap_or(to).to_string())
            ),
            _ => write!(text, ", {day}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use kernel::periods::{gaps, truncate};
    use proptest::prelude::*;

    use super::*;

    fn start() -> Date {
        date(2020, 1, 1)
    }

    fn day(n: i64) -> Date {
        start() + n.days()
    }

    fn steward(n: u8, kind: Kind) -> Facts {
        Facts::new("", &format!("w-{n}"), kind)
    }

    fn first() -> Vec<Believed<Uuid, Facts>> {
        vec![Believed {
            id: Uuid::new_v4(),
            period: Period::since(start()),
            value: steward(0, Kind::Regular),
        }]
    }

    fn apply(line: &mut Vec<Believed<Uuid, Facts>>, splice: Splice<Uuid, Facts>) {
        line.retain(|row| !splice.close.contains(&row.id));
        line.extend(splice.insert.into_iter().map(|(period, value)| Believed {
            id: Uuid::new_v4(),
            period,
            value,
        }));
    }

    fn reason(result: Result<Splice<Uuid, Facts>, Refusal>) -> (&'static str, String) {
        let refusal = result.unwrap_err();
        (refusal.reason().name, refusal.metadata("days").unwrap_or_default().to_owned())
    }

    #[test]
    fn a_gap_is_refused_naming_its_days_and_cover_closes_it() {
        let mut said = HandOver {
            effective: day(285),
            former_end: day(283),
            steward: steward(1, Kind::Regular),
            cover: None,
        };
        let life = Period::since(start());
        assert_eq!(
            reason(hand_over("b", life, &first(), &said)),
            ("STEWARD_GAP", "2020-10-10, 2020-10-11".to_owned())
        );
        said.cover = Some(steward(2, Kind::Cover));
        let splice = hand_over("b", life, &first(), &said).unwrap();
        let workers: Vec<&str> = splice.insert.iter().map(|(_, facts)| facts.worker.as_str()).collect();
        assert_eq!(workers, ["w-0", "w-2", "w-1"]);
        said.former_end = day(286);
        assert_eq!(
            reason(hand_over("b", life, &first(), &said)),
            ("STEWARD_OVERLAP", "2020-10-12".to_owned())
        );
        said.effective = day(-1);
        assert_eq!(reason(hand_over("b", life, &first(), &said)).0, "OUTSIDE_LIFE");
    }

    #[test]
    fn the_director_covers_what_was_left() {
        let mut line = first();
        let splice = end_post(&line, "w-0", day(10), &steward(9, Kind::DirectorCover)).unwrap();
        apply(&mut line, splice);
        let last = line.iter().find(|row| row.period.to().is_none()).unwrap();
        assert!(last.value.handover_pending && last.period.from() == day(10));
        assert_eq!(
            reason(end_post(&line, "w-0", day(10), &steward(9, Kind::DirectorCover))).0,
            "NOTHING_TO_COVER"
        );
    }

    proptest! {
        /// Random hand-overs, covers, corrections, ended posts: each day of the block's life has one steward, and the
        /// one that a plain list of days says.
        #[test]
        fn every_day_has_exactly_one_steward(acts in prop::collection::vec((0u8..4, 0i64..200, 1i64..40, 1u8..6), 1..25)) {
            let (life, mut line) = (Period::since(start()), first());
            let mut days: Vec<String> = vec!["w-0".to_owned(); 300];
            for (act, from, length, who) in acts {
                let (new, to) = (steward(who, Kind::Regular), day(from + length));
                let result = match act {
                    0 => hand_over("b", life, &line, &HandOver { effective: day(from), former_end: day(from), steward: new.clone(), cover: None }),
                    1 => hand_over("b", life, &line, &HandOver { effective: to, former_end: day(from), steward: new.clone(), cover: Some(steward(7, Kind::Cover)) }),
                    2 => replace("b", life, &line, Period::new(day(from), Some(to)).unwrap(), &new),
                    _ => end_post(&line, &new.worker, day(from), &steward(8, Kind::DirectorCover)),
                };
                let Ok(splice) = result else { continue };
                apply(&mut line, splice);
                let (from, to) = (from as usize, (from + length) as usize);
                match act {
                    0 => days[from..].fill(new.worker),
                    1 => { days[from..to].fill("w-7".to_owned()); days[to..].fill(new.worker) }
                    2 => days[from..to].fill(new.worker),
                    _ => days[from..].iter_mut().filter(|day| **day == new.worker).for_each(|day| "w-8".clone_into(day)),
                }
            }
            let parts: Vec<Period> = line.iter().map(|row| row.period).collect();
            prop_assert!(gaps(life, &parts).is_empty());
            for (n, expected) in days.iter().enumerate() {
                let stewards: Vec<&str> = line.iter().filter(|row| row.period.contains(day(n as i64))).map(|row| row.value.worker.as_str()).collect();
                prop_assert_eq!(stewards, vec![expected.as_str()]);
            }
            let mut closed = line.clone();
            apply(&mut closed, truncate(&line, day(50)));
            let parts: Vec<Period> = closed.iter().map(|row| row.period).collect();
            prop_assert!(gaps(Period::new(day(0), Some(day(50))).unwrap(), &parts).is_empty());
            prop_assert!(parts.iter().all(|part| part.to().is_some_and(|to| to <= day(50))));
        }
    }
}
