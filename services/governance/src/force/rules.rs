//! Who is gathered in a block on which days: an organisation or a person, once, within the block's life.

use jiff::civil::Date;
use kernel::{
    named,
    periods::{Believed, Period, Splice, erase, splice, truncate},
    state::Named,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

named! {
    /// What a force is.
    Kind {
        /// 社会组织.
        SocialOrganisation = "SOCIAL_ORGANISATION",
        /// 社区单位.
        Unit = "UNIT",
        /// 小区能人.
        CapableResident = "CAPABLE_RESIDENT",
        /// 网格员.
        GridOfficer = "GRID_OFFICER",
        /// 物业公司.
        PropertyCompany = "PROPERTY_COMPANY",
        /// 群众活动团队.
        VolunteerGroup = "VOLUNTEER_GROUP",
        /// 其他力量.
        Other = "OTHER",
    }
}

named! {
    /// A dimension of what a force brings (Work points 1.3: 资源、信息、服务).
    Dimension {
        /// 资源.
        Resource = "RESOURCE",
        /// 信息.
        Information = "INFORMATION",
        /// 服务.
        Service = "SERVICE",
    }
}

/// Who is gathered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The id of an organisation.
    Organisation(String),
    /// The id of a person.
    Person(String),
}

impl Who {
    /// The name of it in a town.
    pub fn name(&self, town: &str) -> String {
        match self {
            Who::Organisation(id) => format!("towns/{town}/organisations/{id}"),
            Who::Person(id) => format!("towns/{town}/people/{id}"),
        }
    }
}

impl Kind {
    /// Whether it can be of the kind: residents and officers are people, the others organisations; OTHER is either.
    pub fn fits(self, who: &Who) -> bool {
        match self {
            Kind::CapableResident | Kind::GridOfficer => matches!(who, Who::Person(_)),
            Kind::SocialOrganisation | Kind::Unit | Kind::PropertyCompany | Kind::VolunteerGroup => {
                matches!(who, Who::Organisation(_))
            }
            Kind::Other => true,
        }
    }
}

/// The dimensions each once, in their order.
pub fn in_order(mut given: Vec<Dimension>) -> Vec<Dimension> {
    given.sort_unstable();
    given.dedup();
    given
}

/// What is said of a force on some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Columns", into = "Columns")]
pub struct Facts {
    /// What it is.
    pub kind: Kind,
    /// Who it is.
    pub who: Who,
    /// What it brings, [`in_order`].
    pub contributions: Vec<Dimension>,
}

/// The facts as the table has them.
#[derive(Serialize, Deserialize)]
struct Columns {
    kind: String,
    organisation: Option<String>,
    person: Option<String>,
    contributions: Vec<String>,
}

impl From<Facts> for Columns {
    fn from(facts: Facts) -> Columns {
        let (organisation, person) = match facts.who {
            Who::Organisation(id) => (Some(id), None),
            Who::Person(id) => (None, Some(id)),
        };
        let contributions = facts.contributions.iter().map(|dimension| dimension.name().to_owned()).collect();
        Columns { kind: facts.kind.name().to_owned(), organisation, person, contributions }
    }
}

impl TryFrom<Columns> for Facts {
    type Error = String;

    fn try_from(columns: Columns) -> Result<Facts, String> {
        let who = match (columns.organisation, columns.person) {
            (Some(id), None) => Who::Organisation(id),
            (None, Some(id)) => Who::Person(id),
            (Some(_), Some(_)) | (None, None) => {
                return Err("a force that is not one organisation or person".to_owned());
            }
        };
        let dimension = |name: &String| Dimension::from_name(name).ok_or_else(|| format!("dimension {name}"));
        Ok(Facts {
            kind: Kind::from_name(&columns.kind).ok_or_else(|| format!("kind {}", columns.kind))?,
            who,
            contributions: columns.contributions.iter().map(dimension).collect::<Result<_, _>>()?,
        })
    }
}

/// The rows of a block that are believed now.
pub type Line = [Believed<Uuid, Facts>];

/// Why a force can't be gathered there on these days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The block doesn't exist on all of the days.
    OutsideLife,
    /// It is gathered there already.
    There(Period),
}

/// What changes when a force joins a block.
///
/// # Errors
/// Why that can't be.
pub fn join(line: &Line, life: Period, period: Period, facts: Facts) -> Result<Splice<Uuid, Facts>, Flaw> {
    if !life.covers(period) {
        return Err(Flaw::OutsideLife);
    }
    let own = line.iter().filter(|row| row.value.who == facts.who);
    match own.filter_map(|row| row.period.intersection(period)).min() {
        Some(days) => Err(Flaw::There(days)),
        None => Ok(Splice { close: Vec::new(), insert: vec![(period, facts)] }),
    }
}

/// What changes when the force of a row leaves on `day`; nothing when it isn't there then, or only comes that day.
pub fn leave(row: &Believed<Uuid, Facts>, day: Date) -> Option<Splice<Uuid, Facts>> {
    let there = row.period.from() < day && row.period.contains(day);
    there.then(|| truncate(std::slice::from_ref(row), day))
}

/// What changes when days of a force that have passed are corrected; without a kind it was not gathered there.
///
/// # Errors
/// Why that can't be.
pub fn correct(
    line: &Line,
    life: Period,
    period: Period,
    who: &Who,
    really: Option<(Kind, Vec<Dimension>)>,
) -> Result<Splice<Uuid, Facts>, Flaw> {
    let own: Vec<Believed<Uuid, Facts>> = line.iter().filter(|row| row.value.who == *who).cloned().collect();
    match really {
        None => Ok(erase(&own, period)),
        Some(_) if !life.covers(period) => Err(Flaw::OutsideLife),
        Some((kind, contributions)) => {
            Ok(splice(&own, period, Facts { kind, who: who.clone(), contributions }))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{ToSpan, civil::date};
    use proptest::prelude::*;

    use super::*;

    const DAYS: i64 = 24;

    fn day(n: i64) -> Date {
        date(2020, 1, 1) + n.days()
    }

    fn who(n: u8) -> Who {
        if n.is_multiple_of(2) {
            Who::Organisation(format!("x{}", n / 2))
        } else {
            Who::Person(format!("x{}", n / 2))
        }
    }

    #[derive(Clone, Debug)]
    struct Act {
        kind: u8,
        from: i64,
        length: i64,
        who: u8,
        brings: Vec<Dimension>,
    }

    fn act() -> impl Strategy<Value = Act> {
        let brings = prop::collection::vec(prop::sample::select(Dimension::ALL), 1..4);
        (0..4u8, -2..DAYS, 1..8i64, 0..4u8, brings).prop_map(|(kind, from, length, who, brings)| Act {
            kind,
            from,
            length,
            who,
            brings: in_order(brings),
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
        /// Against a list of days: who is gathered on which, and what he brings.
        #[test]
        fn nobody_is_gathered_twice_and_every_day_says_what_was_last_said(acts in prop::collection::vec(act(), 1..20)) {
            let life = Period::new(day(0), Some(day(DAYS))).unwrap();
            let (mut line, mut days) = (Vec::new(), BTreeMap::<(i64, u8), Vec<Dimension>>::new());
            for act in acts {
                let (period, on) = (Period::new(day(act.from), Some(day(act.from + act.length))).unwrap(), act.from..act.from + act.length);
                let within = act.from >= 0 && act.from + act.length <= DAYS;
                match act.kind {
                    0 => {
                        let facts = Facts { kind: Kind::Other, who: who(act.who), contributions: act.brings.clone() };
                        let change = join(&line, life, period, facts);
                        let first = on.clone().find(|n| days.contains_key(&(*n, act.who)));
                        match change {
                            Ok(change) => {
                                prop_assert!(within && first.is_none());
                                apply(&mut line, change);
                                days.extend(on.map(|n| ((n, act.who), act.brings.clone())));
                            }
                            Err(Flaw::OutsideLife) => prop_assert!(!within),
                            Err(Flaw::There(taken)) => prop_assert_eq!(Some(taken.from()), first.map(day)),
                        }
                    }
                    1 => {
                        let change = correct(&line, life, period, &who(act.who), Some((Kind::Other, act.brings.clone())));
                        prop_assert_eq!(change.is_ok(), within);
                        if let Ok(change) = change {
                            apply(&mut line, change);
                            days.extend(on.map(|n| ((n, act.who), act.brings.clone())));
                        }
                    }
                    2 => {
                        let change = correct(&line, life, period, &who(act.who), None).unwrap();
                        apply(&mut line, change);
                        days.retain(|(n, who), _| *who != act.who || !on.contains(n));
                    }
                    _ => {
                        let row = line.iter().find(|row| row.value.who == who(act.who) && row.period.contains(day(act.from))).cloned();
                        let change = row.as_ref().and_then(|row| leave(row, day(act.from)));
                        prop_assert_eq!(change.is_some(), row.as_ref().is_some_and(|row| row.period.from() < day(act.from)));
                        if let (Some(change), Some(row)) = (change, row) {
                            apply(&mut line, change);
                            days.retain(|(n, who), _| *who != act.who || *n < act.from || !row.period.contains(day(*n)));
                        }
                    }
                }
                for n in 0..DAYS {
                    let mut gathered: Vec<_> = line.iter().filter(|row| row.period.contains(day(n))).map(|row| (row.value.who.name("t"), row.value.contributions.clone())).collect();
                    gathered.sort();
                    let mut known: Vec<_> = days.iter().filter(|((on, _), _)| *on == n).map(|((_, n), brings)| (who(*n).name("t"), brings.clone())).collect();
                    known.sort();
                    prop_assert_eq!(gathered, known);
                }
                prop_assert!(line.iter().all(|row| life.covers(row.period)));
            }
        }

        /// What the table keeps is what was said.
        #[test]
        fn facts_come_back_as_they_were_stored(act in act()) {
            let facts = Facts { kind: Kind::Other, who: who(act.who), contributions: act.brings };
            let stored = serde_json::to_value(&facts).unwrap();
            prop_assert_eq!(serde_json::from_value::<Facts>(stored).unwrap(), facts);
        }
    }

    #[test]
    fn residents_and_officers_are_people() {
        let (organisation, person) = (Who::Organisation("o".to_owned()), Who::Person("p".to_owned()));
        let of = |who: &Who| Kind::ALL.iter().filter(|kind| kind.fits(who)).count();
        assert_eq!((of(&organisation), of(&person)), (5, 3));
        assert!(Kind::GridOfficer.fits(&person) && !Kind::Unit.fits(&person));
    }
}
