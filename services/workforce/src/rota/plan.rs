//! Who is on duty when 排班: a rota out of days, committees and their workers. Pure: the same input gives the same rota.
//!
//! Duty of a whole day (REST, HOLIDAY) and the windows of staggered hours 错时 on working days are planned apart. Committees that share
//! a worker are planned together, because rest after duty goes with him; all others each on their own.

mod explain;
mod fair;
mod relax;
mod search;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use kernel::{
    calendar::{Calendar, DayKind},
    named,
    periods::Period,
};
use serde::{Deserialize, Serialize};

pub use explain::{Choice, Hindered, Why};
pub use fair::{Evenness, Fairness};

named! {
    /// The part of a day that a duty takes.
    pub Window {
        /// A whole day: weekends and holidays.
        Day = "DAY",
        /// The noon of a working day 午间.
        Noon = "NOON",
        /// The evening of a working day 晚间.
        Evening = "EVENING",
    }
}

named! {
    /// What keeps a worker from a duty.
    pub Obstacle {
        /// Holds no post of the committee on the day, or isn't employed.
        NotPosted = "NOT_POSTED",
        /// On probation 试用期.
        Probation = "PROBATION",
        /// No onboarding certificate 上岗培训 holds on the day: nobody keeps duty alone before.
        Untrained = "UNTRAINED",
        /// Away on the day 请假.
        Away = "AWAY",
        /// On duty already on that day.
        OnDuty = "ON_DUTY",
        /// Resting after or before another duty, or it would be one too many in a row.
        Resting = "RESTING",
    }
}

/// From when until when, in minutes after midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The first minute.
    pub begins: i32,
    /// The first minute no longer.
    pub ends: i32,
}

/// Staggered hours 错时 on working days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staggered {
    /// From when until when.
    pub hours: Hours,
    /// On which days of the week: 1 is Monday.
    pub weekdays: Vec<i8>,
    /// Workers in each committee.
    pub workers: u32,
    /// Whether a weekend day made a working day 调休 is one of them too.
    pub make_up_days: bool,
}

/// How rotas of a town are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Workers in each committee on a weekend day.
    pub rest_cover: u32,
    /// Workers in each committee on a holiday.
    pub holiday_cover: u32,
    /// The hours of a whole day.
    pub hours: Hours,
    /// Days free of whole-day duty after the last of some days in a row.
    pub rest_days: u32,
    /// Whole-day duties on days in a row, at most.
    pub in_a_row: u32,
    /// The noon window.
    pub noon: Option<Staggered>,
    /// The evening window.
    pub evening: Option<Staggered>,
}

impl Default for Policy {
    /// One worker on each weekend day and holiday, a day of rest, no two in a row, no staggered hours.
    fn default() -> Policy {
        Policy {
            rest_cover: 1,
            holiday_cover: 1,
            hours: Hours { begins: 9 * 60, ends: 17 * 60 },
            rest_days: 1,
            in_a_row: 1,
            noon: None,
            evening: None,
        }
    }
}

impl Policy {
    /// The windows of a day of that kind, with the number of workers in each committee.
    pub fn windows(&self, day: Date, kind: DayKind) -> Vec<(Window, u32)> {
        let whole = |workers: u32| vec![(Window::Day, workers)];
        match kind {
            DayKind::Rest => whole(self.rest_cover),
            DayKind::Holiday => whole(self.holiday_cover),
            DayKind::Work | DayKind::MakeUpWork => {
                let weekday = day.weekday();
                let workers = |window: &Option<Staggered>| {
                    window.as_ref().map_or(0, |window| window.workers_on(weekday, kind))
                };
                vec![(Window::Noon, workers(&self.noon)), (Window::Evening, workers(&self.evening))]
            }
        }
    }

    /// From when until when a duty lasts.
    pub fn hours_of(&self, window: Window) -> Hours {
        let staggered = |window: &Option<Staggered>| window.as_ref().map(|window| window.hours);
        match window {
            Window::Day => Some(self.hours),
            Window::Noon => staggered(&self.noon),
            Window::Evening => staggered(&self.evening),
        }
        .unwrap_or(Hours { begins: 0, ends: 0 })
    }
}

impl Staggered {
    fn workers_on(&self, weekday: Weekday, kind: DayKind) -> u32 {
        let due = match kind {
            DayKind::MakeUpWork => self.make_up_days,
            DayKind::Work => self.weekdays.contains(&weekday.to_monday_one_offset()),
            DayKind::Rest | DayKind::Holiday => false,
        };
        if due { self.workers } else { 0 }
    }
}

/// Somebody who may be on duty for a committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The worker's id.
    pub worker: String,
    /// The days on which something keeps him from it; of more than one obstacle on a day the first counts.
    pub blocked: Vec<(Period, Obstacle)>,
    /// Whole-day duties for the committee in the year before.
    pub days_before: u32,
    /// Windows of staggered hours for the committee in the year before.
    pub windows_before: u32,
}

impl Candidate {
    /// What keeps him from duty on a day, whatever else he does.
    pub fn obstacle(&self, day: Date) -> Option<Obstacle> {
        self.blocked.iter().find(|(days, _)| days.contains(day)).map(|(_, obstacle)| *obstacle)
    }
}

/// A committee with those who may be on duty for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committee {
    /// Its id.
    pub id: String,
    /// Those who hold a post of it on one of the days.
    pub candidates: Vec<Candidate>,
}

/// A duty that stands in another rota and isn't planned here: rest is kept towards it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The worker's id.
    pub worker: String,
    /// Its day.
    pub day: Date,
    /// Its part of the day.
    pub window: Window,
}

/// What a rota is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its days in their order, with their kinds.
    pub days: Vec<(Date, DayKind)>,
    /// How it is made.
    pub policy: Policy,
    /// Its committees.
    pub committees: Vec<Committee>,
    /// What stands in other rotas.
    pub standing: Vec<Standing>,
}

/// A duty 值班 of a rota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The committee, by its place in the input.
    pub committee: usize,
    /// The day.
    pub day: Date,
    /// Its kind when the rota was made.
    pub kind: DayKind,
    /// The part of the day.
    pub window: Window,
    /// Which of those on duty together: 1, 2, …
    pub seat: u32,
    /// Who is on duty, by the place among the committee's candidates; none when nobody can be.
    pub candidate: Option<usize>,
    /// Why he, or why nobody.
    pub why: Why,
}

/// A rota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rota {
    /// Its duties, by day, committee, window and seat.
    pub duties: Vec<Duty>,
    /// How even the numbers of duties are, for each committee and whole days or windows.
    pub fairness: Vec<Fairness>,
}

/// The days of `[from, to)` with their kinds.
pub fn days(calendar: &Calendar, from: Date, to: Date) -> Vec<(Date, DayKind)> {
    let all = from.series(jiff::Span::new().days(1)).take_while(|day| *day < to);
    all.map(|day| (day, calendar.kind(day))).collect()
}

/// A duty that is to be given.
#[derive(Clone, Copy, Debug)]
struct Slot {
    day: usize,
    committee: usize,
    window: Window,
    seat: u32,
}

/// All duties that days and policy ask for, in their order.
fn slots(input: &Input) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (day, (date, kind)) in input.days.iter().enumerate() {
        let windows = input.policy.windows(*date, *kind);
        for committee in 0..input.committees.len() {
            for (window, workers) in &windows {
                slots.extend((1..=*workers).map(|seat| Slot { day, committee, window: *window, seat }));
            }
        }
    }
    slots
}

/// Makes a rota: every duty has a worker who is qualified and rested, or says why nobody can be; numbers of duties differ by one at
/// most within a committee, where that is possible.
pub fn generate(input: &Input) -> Rota {
    let slots = slots(input);
    let index = steps::Index::of(input, &slots);
    let mut chosen: BTreeMap<usize, usize> = BTreeMap::new();
    let mut fairness = Vec::new();
    for group in steps::groups(&input.committees) {
        for whole_days in [true, false] {
            let part = steps::Part::of(&index, &group, whole_days);
            let solved = fair::solve(&part.problem);
            fairness.extend(fair::fairness(&part, &solved));
            chosen.extend(part.chosen(&solved.chosen));
        }
    }
    fairness.sort_by_key(|fairness| (fairness.committee, !fairness.whole_days));
    let duties = explain::explained(input, &slots, &chosen);
    Rota { duties, fairness }
}

/// What breaks the rule of rest when a worker is on whole-day duty on `day` beside his `others` (sorted): the other duty that is too
/// near, or the first of too many in a row.
pub fn unrested(policy: &Policy, others: &[Date], day: Date) -> Option<Date> {
    let at = others.partition_point(|other| *other < day);
    let (before, after) = others.split_at(at);
    let between = |one: Date, other: Date| steps::ordinal(other) - steps::ordinal(one) - 1;
    let near = |gap: i32| gap < 0 || (gap > 0 && gap < i32::try_from(policy.rest_days).unwrap_or(i32::MAX));
    if let Some(last) = before.last().filter(|last| near(between(**last, day))) {
        return Some(*last);
    }
    if let Some(next) = after.first().filter(|next| near(between(day, **next))) {
        return Some(*next);
    }
    let mut first = day;
    let mut run = 1;
    for other in before.iter().rev() {
        if between(*other, first) != 0 {
            break;
        }
        (first, run) = (*other, run + 1);
    }
    let mut last = day;
    for other in after {
        if between(last, *other) != 0 {
            break;
        }
        (last, run) = (*other, run + 1);
    }
    let too_near = if first == day { last } else { first };
    (run > policy.in_a_row.max(1)).then_some(too_near)
}
