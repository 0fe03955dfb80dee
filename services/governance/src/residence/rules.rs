//! Where a person is registered: one registration 户籍 and one residence permit 居住证 at a time.

use jiff::civil::Date;
use kernel::periods::{Believed, Period, Splice, erase, splice};
use uuid::Uuid;

use super::store::Facts;

/// The grounds by their names in store and files.
pub(crate) const GROUNDS: &[&str] = &["REGISTERED", "RESIDENCE_PERMIT"];

/// The rows of one ground.
pub(crate) fn of_ground(line: &[Believed<Uuid, Facts>], ground: &str) -> Vec<Believed<Uuid, Facts>> {
    line.iter().filter(|row| row.value.ground == ground).cloned().collect()
}

/// What changes when somebody moves in; the days that are taken already when there are some.
pub(crate) fn move_in(
    line: &[Believed<Uuid, Facts>],
    period: Period,
    facts: Facts,
) -> Result<Splice<Uuid, Facts>, Period> {
    let taken = of_ground(line, &facts.ground).iter().find_map(|row| row.period.intersection(period));
    taken.map_or(Ok(Splice { close: Vec::new(), insert: vec![(period, facts)] }), Err)
}

/// What changes when somebody moves to another household on `day`; nothing when he lives nowhere on that ground then.
pub(crate) fn move_on(
    line: &[Believed<Uuid, Facts>],
    day: Date,
    facts: Facts,
) -> Option<Splice<Uuid, Facts>> {
    let of_ground = of_ground(line, &facts.ground);
    let row = of_ground.iter().find(|row| row.period.contains(day))?;
    let rest = Period::new(day, row.period.to()).ok()?;
    Some(splice(&of_ground, rest, facts))
}

/// What changes when days that have passed are corrected; without a household, he lived nowhere on that ground.
pub(crate) fn correct(
    line: &[Believed<Uuid, Facts>],
    period: Period,
    ground: &str,
    household: Option<&str>,
) -> Splice<Uuid, Facts> {
    let of_ground = of_ground(line, ground);
    match household {
        None => erase(&of_ground, period),
        Some(household) => {
            splice(&of_ground, period, Facts { household: household.to_owned(), ground: ground.to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{ToSpan, civil::date};
    use kernel::periods::overlaps;
    use proptest::prelude::*;

    use super::*;

    const DAYS: i64 = 30;

    fn day(n: i64) -> Date {
        date(2020, 1, 1) + n.days()
    }

    #[derive(Clone, Debug)]
    enum Act {
        In(i64, i64, usize, u8),
        On(i64, usize, u8),
        Correct(i64, i64, usize, Option<u8>),
    }

    fn act() -> impl Strategy<Value = Act> {
        let days = 0..DAYS - 1;
        prop_oneof![
            (days.clone(), 1..9i64, 0..2usize, 0..4u8)
                .prop_map(|(from, length, ground, house)| Act::In(from, length, ground, house)),
            (days.clone(), 0..2usize, 0..4u8).prop_map(|(on, ground, house)| Act::On(on, ground, house)),
            (days, 1..9i64, 0..2usize, prop::option::of(0..4u8))
                .prop_map(|(from, length, ground, house)| Act::Correct(from, length, ground, house)),
        ]
    }

    /// Applies a splice to the rows as a store would.
    fn apply(line: &mut Vec<Believed<Uuid, Facts>>, change: Splice<Uuid, Facts>) {
        line.retain(|row| !change.close.contains(&row.id));
        line.extend(change.insert.into_iter().map(|(period, value)| Believed {
            id: Uuid::new_v4(),
            period,
            value,
        }));
    }

    proptest! {
        /// Against a list of days: one household a day and ground, and what each act says.
        #[test]
        fn one_household_for_each_ground_on_every_day(acts in prop::collection::vec(act(), 1..12)) {
            let mut line: Vec<Believed<Uuid, Facts>> = Vec::new();
            let mut days: BTreeMap<(usize, i64), u8> = BTreeMap::new();
            let facts = |ground: usize, house: u8| Facts { household: format!("h{house}"), ground: GROUNDS[ground].to_owned() };
            for act in acts {
                match act {
                    Act::In(from, length, ground, house) => {
                        let period = Period::new(day(from), Some(day(from + length))).unwrap();
                        let taken = (from..from + length).any(|n| days.contains_key(&(ground, n)));
                        let change = move_in(&line, period, facts(ground, house));
                        prop_assert_eq!(change.is_err(), taken);
                        if let Ok(change) = change {
                            apply(&mut line, change);
                            days.extend((from..from + length).map(|n| ((ground, n), house)));
                        }
                    }
                    Act::On(on, ground, house) => {
                        let row = of_ground(&line, GROUNDS[ground]).into_iter().find(|row| row.period.contains(day(on)));
                        let change = move_on(&line, day(on), facts(ground, house));
                        prop_assert_eq!(change.is_some(), days.contains_key(&(ground, on)));
                        if let (Some(change), Some(row)) = (change, row) {
                            apply(&mut line, change);
                            days.extend((on..2 * DAYS).filter(|n| row.period.contains(day(*n))).map(|n| ((ground, n), house)));
                        }
                    }
                    Act::Correct(from, length, ground, house) => {
                        let period = Period::new(day(from), Some(day(from + length))).unwrap();
                        let house_id = house.map(|house| format!("h{house}"));
                        let change = correct(&line, period, GROUNDS[ground], house_id.as_deref());
                        apply(&mut line, change);
                        for n in from..from + length {
                            match house {
                                Some(house) => days.insert((ground, n), house),
                                None => days.remove(&(ground, n)),
                            };
                        }
                    }
                }
                for (ground, name) in GROUNDS.iter().enumerate() {
                    let rows = of_ground(&line, name);
                    prop_assert!(overlaps(&rows.iter().map(|row| row.period).collect::<Vec<_>>()).is_empty());
                    for n in 0..2 * DAYS {
                        let lives = rows.iter().find(|row| row.period.contains(day(n))).map(|row| row.value.household.clone());
                        prop_assert_eq!(lives, days.get(&(ground, n)).map(|house| format!("h{house}")));
                    }
                }
            }
        }
    }
}
