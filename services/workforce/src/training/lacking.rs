//! What a year asks of somebody, and what of it is lacking by when. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use kernel::named;

use super::rules::{Kind, Role};

named! {
    /// How a mandatory course is lacking.
    pub(crate) LackState {
        /// Never passed 未取得.
        Missing = "MISSING",
        /// The certificate holds no longer 已过期.
        Expired = "EXPIRED",
        /// The certificate ends soon 将过期.
        Expiring = "EXPIRING",
    }
}

/// What is asked of a role from a calendar year on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Of whom.
    pub(crate) role: Role,
    /// From which year on.
    pub(crate) from_year: i32,
    /// Minutes that a year asks.
    pub(crate) minutes: i32,
    /// Courses to be passed.
    pub(crate) courses: Vec<String>,
}

/// A course as far as obligations go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    /// Its id.
    pub(crate) id: String,
    /// What it is.
    pub(crate) kind: Kind,
    /// Of which roles it is asked; of none while it isn't open.
    pub(crate) roles: Vec<Role>,
}

/// What a year asks of one learner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Minutes.
    pub(crate) minutes: i32,
    /// Courses to be passed, and whether each is onboarding training.
    pub(crate) courses: BTreeMap<String, bool>,
}

/// What a year asks of a role: the most hours and all the courses of the roles that it is. Of the targets of a role whose year has come
/// the latest counts.
pub(crate) fn asked(role: Role, year: i32, targets: &[Target], courses: &[Course]) -> Asked {
    let roles = role.asked();
    let latest = |role: &Role| {
        let come = targets.iter().filter(|target| target.role == *role && target.from_year <= year);
        come.max_by_key(|target| target.from_year)
    };
    let counting: Vec<&Target> = roles.iter().filter_map(latest).collect();
    let named: BTreeSet<&String> = counting.iter().flat_map(|target| &target.courses).collect();
    let wanted =
        |course: &&Course| named.contains(&course.id) || roles.iter().any(|role| course.roles.contains(role));
    Asked {
        minutes: counting.iter().map(|target| target.minutes).max().unwrap_or_default(),
        courses: courses
            .iter()
            .filter(wanted)
            .map(|course| (course.id.clone(), course.kind == Kind::Onboarding))
            .collect(),
    }
}

/// Until when what somebody has holds: the first day no longer, or for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Until {
    /// The first day on which it no longer holds.
    Day(Date),
    /// For good.
    Ever,
}

/// What somebody has by a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Has {
    /// Minutes attended in the year.
    pub(crate) minutes: i32,
    /// Certificates of courses, each until its latest end.
    pub(crate) courses: BTreeMap<String, Until>,
    /// Onboarding training that was passed elsewhere.
    pub(crate) onboarded: Option<Until>,
}

/// A course that is lacking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    /// The course.
    pub(crate) course: String,
    /// How.
    pub(crate) state: LackState,
    /// By when it is needed.
    pub(crate) due: Date,
}

/// What somebody lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Minutes.
    pub(crate) minutes: i32,
    /// Courses, by id.
    pub(crate) lacks: Vec<Lack>,
}

impl Gap {
    /// Whether nothing is lacking.
    pub(crate) fn is_none(&self) -> bool {
        self.minutes == 0 && self.lacks.is_empty()
    }
}

/// What somebody lacks on `day` of what is asked; a certificate that ends on or before `soon` is told too. What was never there is due on
/// the last day of the year.
pub(crate) fn gap(asked: &Asked, has: &Has, day: Date, soon: Date) -> Gap {
    let lack = |(course, onboarding): (&String, &bool)| {
        let elsewhere = has.onboarded.filter(|_| *onboarding);
        let (state, due) = match has.courses.get(course).copied().max(elsewhere) {
            None => (LackState::Missing, day.last_of_year()),
            Some(Until::Ever) => return None,
            Some(Until::Day(end)) if end <= day => (LackState::Expired, end),
            Some(Until::Day(end)) if end <= soon => (LackState::Expiring, end),
            Some(Until::Day(_)) => return None,
        };
        Some(Lack { course: course.clone(), state, due })
    };
    Gap {
        minutes: (asked.minutes - has.minutes).max(0),
        lacks: asked.courses.iter().filter_map(lack).collect(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};
    use kernel::state::Named;
    use proptest::prelude::*;

    use super::*;

    fn role() -> impl Strategy<Value = Role> {
        (0..Role::ALL.len()).prop_map(|n| Role::ALL[n])
    }

    fn courses() -> impl Strategy<Value = Vec<Course>> {
        prop::collection::vec((prop::collection::vec(role(), 0..3), any::<bool>()), 6).prop_map(|all| {
            let course = |(n, (roles, onboarding)): (usize, (Vec<Role>, bool))| Course {
                id: format!("c{n}"),
                kind: if onboarding { Kind::Onboarding } else { Kind::Mandatory },
                roles,
            };
            all.into_iter().enumerate().map(course).collect()
        })
    }

    fn targets() -> impl Strategy<Value = Vec<Target>> {
        let one = (role(), 2018i32..2023, 0i32..3000, prop::collection::vec(0usize..6, 0..3));
        prop::collection::vec(one, 0..12).prop_map(|all| {
            let mut seen = BTreeSet::new();
            let all = all.into_iter().filter(|(role, year, ..)| seen.insert((*role, *year)));
            let courses = |given: Vec<usize>| given.into_iter().map(|n| format!("c{n}")).collect();
            all.map(|(role, from_year, minutes, given)| Target {
                role,
                from_year,
                minutes,
                courses: courses(given),
            })
            .collect()
        })
    }

    /// Walks the years one by one and overwrites, as somebody would who reads the papers in order.
    fn by_walking(role: Role, year: i32, targets: &[Target], courses: &[Course]) -> (i32, BTreeSet<String>) {
        let steward = [Role::Worker, Role::Steward];
        let roles: &[Role] = if role == Role::Steward { &steward } else { &[role] };
        let (mut minutes, mut wanted) = (0, BTreeSet::new());
        for its in roles {
            let mut now = (0, Vec::new());
            for walked in 2000..=year {
                for target in targets {
                    if target.role == *its && target.from_year == walked {
                        now = (target.minutes, target.courses.clone());
                    }
                }
            }
            minutes = minutes.max(now.0);
            wanted.extend(now.1);
            for course in courses {
                if course.roles.contains(its) {
                    wanted.insert(course.id.clone());
                }
            }
        }
        (minutes, wanted)
    }

    fn until() -> impl Strategy<Value = Option<Option<i64>>> {
        prop::option::of(prop::option::of(0i64..1000))
    }

    proptest! {
        #[test]
        fn what_a_year_asks_is_what_the_papers_say(
            role in role(), year in 2017i32..2025, targets in targets(), courses in courses(),
        ) {
            let asked = asked(role, year, &targets, &courses);
            let (minutes, wanted) = by_walking(role, year, &targets, &courses);
            prop_assert_eq!(asked.minutes, minutes);
            prop_assert_eq!(asked.courses.keys().cloned().collect::<BTreeSet<_>>(), wanted);
        }

        /// Against a walk day by day: a course is lacking when on some day from the one that is asked about until the other nothing
        /// holds; the day it is needed is the first on which nothing holds, where something did once.
        #[test]
        fn a_course_lacks_when_a_day_is_not_covered(
            held in until(), elsewhere in until(), onboarding: bool, day in 0i64..900, ahead in 0i64..200,
            minutes in 0i32..3000, target in 0i32..3000,
        ) {
            let start = date(2020, 1, 1);
            let as_until = |end: Option<i64>| end.map_or(Until::Ever, |n| Until::Day(start + n.days()));
            let asked = Asked { minutes: target, courses: BTreeMap::from([("c".to_owned(), onboarding)]) };
            let has = Has {
                minutes,
                courses: held.map(|end| ("c".to_owned(), as_until(end))).into_iter().collect(),
                onboarded: elsewhere.map(as_until),
            };
            let found = gap(&asked, &has, start + day.days(), start + (day + ahead).days());
            prop_assert_eq!(found.minutes, if target > minutes { target - minutes } else { 0 });
            let counts = [held, elsewhere.filter(|_| onboarding)];
            let holds = |n: i64| counts.iter().flatten().any(|end| end.is_none_or(|end| n < end));
            let uncovered = (day..=day + ahead).find(|n| !holds(*n));
            prop_assert_eq!(!found.lacks.is_empty(), uncovered.is_some());
            if let (Some(lack), Some(uncovered)) = (found.lacks.first(), uncovered) {
                let ever = counts.iter().any(Option::is_some);
                let first = (0..).find(|n| !holds(*n)).unwrap_or_default();
                let due = if ever { start + first.days() } else { (start + day.days()).last_of_year() };
                prop_assert_eq!(lack.due, due);
                let state = match (ever, uncovered > day) {
                    (false, _) => LackState::Missing,
                    (true, false) => LackState::Expired,
                    (true, true) => LackState::Expiring,
                };
                prop_assert_eq!(lack.state, state);
            }
        }
    }
}
