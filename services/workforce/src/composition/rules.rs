//! The mix of workers 队伍结构 (Work points 4.1): groups by age 老中青, schooling and sex, how many there are, how many are lacking. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::named;
use serde::{Deserialize, Serialize};

use crate::worker::rules::{Schooling, Sex};

named! {
    /// A rung of the age ladder 老中青.
    pub(crate) Band {
        /// Young 青.
        Young = "YOUNG",
        /// Of middle age 中.
        Middle = "MIDDLE",
        /// Senior 老.
        Senior = "SENIOR",
    }
}

/// Enums by their names in what is stored.
mod by_name {
    use kernel::state::Named;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Named, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(value.name())
    }

    pub(super) fn deserialize<'de, T: Named, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        let name = String::deserialize(from)?;
        T::from_name(&name).ok_or_else(|| D::Error::custom(format!("no {name}")))
    }
}

/// A range of shares in percent, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Range {
    pub(crate) min: i32,
    pub(crate) max: i32,
}

/// At what is aimed of a rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfAge {
    #[serde(with = "by_name")]
    pub(crate) band: Band,
    /// The first age no longer in it; none for the last.
    pub(crate) until: Option<i32>,
    pub(crate) range: Range,
}

/// At what is aimed of a schooling and higher ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfSchooling {
    #[serde(with = "by_name")]
    pub(crate) at_least: Schooling,
    pub(crate) range: Range,
}

/// At what is aimed of a sex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfSex {
    #[serde(with = "by_name")]
    pub(crate) sex: Sex,
    pub(crate) range: Range,
}

/// A target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// The day on which ages are reckoned; the day that is asked about when none.
    pub(crate) age_on: Option<Date>,
    /// The youngest first; the last has no end.
    pub(crate) ages: Vec<OfAge>,
    pub(crate) schoolings: Vec<OfSchooling>,
    pub(crate) sexes: Vec<OfSex>,
}

/// What counts of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trait {
    /// Whole years on the day on which ages are reckoned.
    pub(crate) age: i32,
    pub(crate) schooling: Schooling,
    pub(crate) sex: Sex,
}

/// How many there are of each.
pub(crate) type Mix = BTreeMap<Trait, i64>;

/// A group of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Age(Band),
    Schooling(Schooling),
    Sex(Sex),
}

/// A group as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) group: Group,
    pub(crate) range: Range,
    pub(crate) persons: i64,
    /// The fewest among as many as there are.
    pub(crate) fewest: i64,
    /// The most; the fewest where no whole number lies in the range.
    pub(crate) most: i64,
    /// How many are lacking; below zero: too many.
    pub(crate) gap: i64,
}

/// Whole years on a day; somebody born on 29 February is a year older on 1 March of a common year.
pub(crate) fn age_on(birth: Date, day: Date) -> i32 {
    let years = i32::from(day.year()) - i32::from(birth.year());
    let before = (day.month(), day.day()) < (birth.month(), birth.day());
    (years - i32::from(before)).max(0)
}

/// The rung of an age.
pub(crate) fn band_of(ages: &[OfAge], age: i32) -> Option<Band> {
    ages.iter().find(|of| of.until.is_none_or(|until| age < until)).map(|of| of.band)
}

/// How many there are in all.
pub(crate) fn persons(mix: &Mix) -> i64 {
    mix.values().sum()
}

/// A mix with one more, or one fewer.
pub(crate) fn with(mut mix: Mix, of: Trait, more: i64) -> Mix {
    let count = mix.entry(of).or_default();
    *count = (*count + more).max(0);
    mix
}

fn counted(mix: &Mix, group: Group, range: Range, holds: impl Fn(&Trait) -> bool) -> Counted {
    let all = persons(mix);
    let persons: i64 = mix.iter().filter(|(of, _)| holds(of)).map(|(_, count)| count).sum();
    let fewest = (all * i64::from(range.min) + 99) / 100;
    let most = (all * i64::from(range.max) / 100).max(fewest);
    let gap = if persons < fewest { fewest - persons } else { most.min(persons) - persons };
    Counted { group, range, persons, fewest, most, gap }
}

/// The groups of a target in its order: rungs of age, schooling, sex.
pub(crate) fn groups(terms: &Terms, mix: &Mix) -> Vec<Counted> {
    let ages = terms.ages.iter().map(|of| {
        counted(mix, Group::Age(of.band), of.range, |one| band_of(&terms.ages, one.age) == Some(of.band))
    });
    let schoolings = terms
        .schoolings
        .iter()
        .map(|of| counted(mix, Group::Schooling(of.at_least), of.range, |one| one.schooling >= of.at_least));
    let sexes =
        terms.sexes.iter().map(|of| counted(mix, Group::Sex(of.sex), of.range, |one| one.sex == of.sex));
    ages.chain(schoolings).chain(sexes).collect()
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};
    use kernel::state::Named;
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    /// The targets of the demonstration data, with ranges of one's own.
    fn terms(ranges: &[Range]) -> Terms {
        let of_age = |band, until, range: usize| OfAge { band, until, range: ranges[range] };
        Terms {
            age_on: None,
            ages: vec![
                of_age(Band::Young, Some(35), 0),
                of_age(Band::Middle, Some(50), 1),
                of_age(Band::Senior, None, 2),
            ],
            schoolings: vec![OfSchooling { at_least: Schooling::Bachelor, range: ranges[3] }],
            sexes: vec![OfSex { sex: Sex::Female, range: ranges[4] }],
        }
    }

    fn ranges() -> impl Strategy<Value = Vec<Range>> {
        vec((0..=100i32, 0..=100i32).prop_map(|(a, b)| Range { min: a.min(b), max: a.max(b) }), 5)
    }

    fn one() -> impl Strategy<Value = Trait> {
        (16..70i32, select(Schooling::ALL), select(Sex::ALL)).prop_map(|(age, schooling, sex)| Trait {
            age,
            schooling,
            sex,
        })
    }

    fn mix_of(people: &[Trait]) -> Mix {
        people.iter().fold(Mix::new(), |mix, one| with(mix, *one, 1))
    }

    /// Whether so many of all lie in the range, in whole numbers.
    fn fits(range: Range, part: i64, all: i64) -> bool {
        part * 100 >= i64::from(range.min) * all && part * 100 <= i64::from(range.max) * all
    }

    #[test]
    fn of_ten_who_lack_two_young_ones() {
        let range = |min, max| Range { min, max };
        let terms = terms(&[range(30, 45), range(30, 45), range(15, 35), range(50, 100), range(40, 70)]);
        let of = |age| Trait { age, schooling: Schooling::College, sex: Sex::Female };
        let mix = mix_of(&[34, 35, 36, 40, 49, 49, 50, 55, 60, 61].map(of));
        let gaps: Vec<(i64, i64)> = groups(&terms, &mix).iter().map(|of| (of.persons, of.gap)).collect();
        assert_eq!(gaps, [(1, 2), (5, -1), (4, -1), (0, 5), (10, -3)]);
    }

    proptest! {
        /// Against a search: the gap is the smallest change that brings the group into its range, where there is one.
        #[test]
        fn the_gap_is_the_smallest_change_that_fits(people in vec(one(), 0..60), ranges in ranges()) {
            let all = people.len() as i64;
            for of in groups(&terms(&ranges), &mix_of(&people)) {
                let fitting = (-all..=all).filter(|change| {
                    let part = of.persons + change;
                    (0..=all).contains(&part) && fits(of.range, part, all)
                });
                match fitting.min_by_key(|change| change.abs()) {
                    Some(smallest) => prop_assert_eq!(of.gap, smallest),
                    // no whole number lies in the range: the fewest that reach it
                    None => {
                        let part = of.persons + of.gap;
                        prop_assert!(100 * part >= i64::from(of.range.min) * all && 100 * (part - 1) < i64::from(of.range.min) * all);
                    }
                }
            }
        }

        /// Everybody stands on one rung; one hire adds one to the groups that he belongs to and to no other; leaving undoes it.
        #[test]
        fn a_hire_changes_his_own_groups(people in vec(one(), 0..60), hired in one(), ranges in ranges()) {
            let terms = terms(&ranges);
            let before = mix_of(&people);
            let after = with(before.clone(), hired, 1);
            let (old, new) = (groups(&terms, &before), groups(&terms, &after));
            let on_rungs = |of: &[Counted]| of.iter().filter(|of| matches!(of.group, Group::Age(_))).map(|of| of.persons).sum::<i64>();
            prop_assert_eq!(on_rungs(&new), people.len() as i64 + 1);
            for (old, new) in old.iter().zip(&new) {
                let his = match new.group {
                    Group::Age(Band::Young) => hired.age < 35,
                    Group::Age(Band::Middle) => (35..50).contains(&hired.age),
                    Group::Age(Band::Senior) => hired.age >= 50,
                    Group::Schooling(_) => matches!(hired.schooling, Schooling::Bachelor | Schooling::Master | Schooling::Doctor),
                    Group::Sex(sex) => hired.sex == sex,
                };
                prop_assert_eq!(new.persons - old.persons, i64::from(his));
            }
            prop_assert_eq!(groups(&terms, &with(after, hired, -1)), old);
        }

        /// Against birthdays counted one by one.
        #[test]
        fn ages_are_birthdays_that_have_come(birth in 0i64..20_000, after in 0i64..25_000) {
            let birth = date(1950, 1, 1) + birth.days();
            let day = birth + after.days();
            let birthday = |n: i32| {
                let year = birth.year() + i16::try_from(n).unwrap();
                Date::new(year, birth.month(), birth.day()).unwrap_or_else(|_| date(year, 3, 1))
            };
            let come = (1..200).take_while(|n| birthday(*n) <= day).count();
            prop_assert_eq!(age_on(birth, day), i32::try_from(come).unwrap());
        }
    }
}
