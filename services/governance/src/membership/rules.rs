//! Who holds which seat on which days: a seat holds one person, a person one seat of a body, a body one chair.

use kernel::periods::{Believed, Period, Splice, erase, gaps, splice};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::body::rules::Facts as Body;

/// The posts by their names in store and files.
pub const ROLES: &[&str] = &["CHAIR", "VICE_CHAIR", "MEMBER", "SECRETARY"];

/// Who holds a seat on some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The seat, from 1.
    pub seat: i32,
    /// The id of a person.
    pub person: String,
    /// The post.
    pub role: String,
}

/// The rows of a body that are believed now.
pub type Line = [Believed<Uuid, Facts>];

/// Why somebody can't sit there on these days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The body hasn't got that seat on all of the days.
    NoSuchSeat,
    /// Somebody sits there.
    SeatTaken(Period),
    /// The person holds another seat of the body.
    SeatedAlready(Period),
    /// There is a chair.
    ChairTaken(Period),
}

/// Whether the body has the seat on all of the days, the person no other seat of it and nobody else the chair.
fn check<'a>(
    others: impl Iterator<Item = &'a Believed<Uuid, Facts>> + Clone,
    body: &[Believed<Uuid, Body>],
    period: Period,
    facts: &Facts,
) -> Result<(), Flaw> {
    let has: Vec<Period> =
        body.iter().filter(|row| row.value.seats >= facts.seat).map(|row| row.period).collect();
    if facts.seat < 1 || !gaps(period, &has).is_empty() {
        return Err(Flaw::NoSuchSeat);
    }
    let shared = |wanted: &dyn Fn(&Facts) -> bool| {
        others.clone().filter(|row| wanted(&row.value)).find_map(|row| row.period.intersection(period))
    };
    if let Some(days) = shared(&|row| row.seat == facts.seat) {
        return Err(Flaw::SeatTaken(days));
    }
    if let Some(days) = shared(&|row| row.person == facts.person) {
        return Err(Flaw::SeatedAlready(days));
    }
    match shared(&|row| facts.role == "CHAIR" && row.role == "CHAIR") {
        Some(days) => Err(Flaw::ChairTaken(days)),
        None => Ok(()),
    }
}

/// What changes when somebody takes a vacant seat.
///
/// # Errors
/// Why that can't be.
pub fn seat(
    line: &Line,
    body: &[Believed<Uuid, Body>],
    period: Period,
    facts: Facts,
) -> Result<Splice<Uuid, Facts>, Flaw> {
    check(line.iter(), body, period, &facts)?;
    Ok(Splice { close: Vec::new(), insert: vec![(period, facts)] })
}

/// What changes when days of a seat that have passed are corrected; without facts nobody held it.
///
/// # Errors
/// Why that can't be.
pub fn correct(
    line: &Line,
    body: &[Believed<Uuid, Body>],
    period: Period,
    seat: i32,
    facts: Option<Facts>,
) -> Result<Splice<Uuid, Facts>, Flaw> {
    let of_seat: Vec<Believed<Uuid, Facts>> =
        line.iter().filter(|row| row.value.seat == seat).cloned().collect();
    match facts {
        None => Ok(erase(&of_seat, period)),
        Some(facts) => {
            check(line.iter().filter(|row| row.value.seat != seat), body, period, &facts)?;
            Ok(splice(&of_seat, period, facts))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{
        ToSpan,
        civil::{Date, date},
    };
    use kernel::periods::truncate;
    use proptest::prelude::*;

    use super::*;

    const DAYS: i64 = 24;
    const SEATS: i32 = 3;

    fn day(n: i64) -> Date {
        date(2020, 1, 1) + n.days()
    }

    #[derive(Clone, Debug)]
    struct Act {
        kind: u8,
        from: i64,
        length: i64,
        seat: i32,
        person: u8,
        chair: bool,
    }

    fn act() -> impl Strategy<Value = Act> {
        (0..4u8, 0..DAYS - 8, 1..8i64, 1..SEATS + 2, 0..4u8, any::<bool>()).prop_map(
            |(kind, from, length, seat, person, chair)| Act { kind, from, length, seat, person, chair },
        )
    }

    type Days = BTreeMap<(i64, i32), (u8, bool)>;

    /// Whether a list of days allows it, day by day.
    fn allowed(days: &Days, act: &Act, replaces: bool) -> bool {
        act.seat <= SEATS
            && (act.from..act.from + act.length).all(|n| {
                let others = || days.iter().filter(|((on, seat), _)| *on == n && *seat != act.seat);
                (replaces || !days.contains_key(&(n, act.seat)))
                    && others().all(|(_, (person, _))| *person != act.person)
                    && !(act.chair && others().any(|(_, (_, chair))| *chair))
            })
    }

    fn apply(line: &mut Vec<Believed<Uuid, Facts>>, change: Splice<Uuid, Facts>) {
        line.retain(|row| !change.close.contains(&row.id));
        line.extend(change.insert.into_iter().map(|(period, value)| Believed {
            id: Uuid::new_v4(),
            period,
            value,
        }));
    }

    proptest! {
        #[test]
        fn no_seat_is_held_twice_and_nobody_sits_twice(acts in prop::collection::vec(act(), 1..20)) {
            let facts = Body { display_name: String::new(), seats: SEATS, quorum: 1, community: None, committee: None, estate: None };
            let body = [Believed { id: Uuid::nil(), period: Period::since(day(0)), value: facts }];
            let (mut line, mut days) = (Vec::new(), Days::new());
            for act in acts {
                let period = Period::new(day(act.from), Some(day(act.from + act.length))).unwrap();
                let role = if act.chair { "CHAIR" } else { "MEMBER" };
                let facts = Facts { seat: act.seat, person: format!("p{}", act.person), role: role.to_owned() };
                let on = act.from..act.from + act.length;
                match act.kind {
                    0 | 1 => {
                        let change = if act.kind == 0 { seat(&line, &body, period, facts) } else { correct(&line, &body, period, act.seat, Some(facts)) };
                        prop_assert_eq!(change.is_ok(), allowed(&days, &act, act.kind == 1), "{:?}", act);
                        if let Ok(change) = change {
                            apply(&mut line, change);
                            days.extend(on.map(|n| ((n, act.seat), (act.person, act.chair))));
                        }
                    }
                    2 => {
                        let change = correct(&line, &body, period, act.seat, None).unwrap();
                        apply(&mut line, change);
                        days.retain(|(n, seat), _| *seat != act.seat || !on.contains(n));
                    }
                    _ => {
                        let change = truncate(&line, day(act.from));
                        apply(&mut line, change);
                        days.retain(|(n, _), _| *n < act.from);
                    }
                }
                for n in 0..DAYS {
                    let mut held: Vec<_> = line.iter().filter(|row| row.period.contains(day(n))).map(|row| (row.value.seat, row.value.person.clone())).collect();
                    held.sort();
                    let known: Vec<_> = days.iter().filter(|((on, _), _)| *on == n).map(|((_, seat), (person, _))| (*seat, format!("p{person}"))).collect();
                    prop_assert_eq!(held, known);
                }
            }
        }
    }
}
