//! The rules of posts 任职: for every day of an employment one entry, a post or a gap with its reason. Pure.

use jiff::civil::Date;
use kernel::{
    named,
    periods::{Believed, Period, Splice, gaps, splice},
};
use serde::{Deserialize, Serialize};

named! {
    /// A post 岗位 of a committee.
    pub Post {
        /// Community worker 社工.
        Worker = "WORKER",
        /// Steward of a block 小管家.
        Steward = "STEWARD",
        /// Director of the committee 主任.
        Director = "DIRECTOR",
        /// Secretary of the party branch 书记.
        Secretary = "SECRETARY",
    }
}

named! {
    /// What an entry says of its days.
    pub(crate) Kind {
        /// A post is held 任职.
        Post = "POST",
        /// None is held 待岗.
        Gap = "GAP",
    }
}

/// What holds on the days of an entry; the columns of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// POST or GAP.
    pub(crate) kind: String,
    /// The committee's id; empty for a gap.
    pub(crate) committee: String,
    /// The post; empty for a gap.
    pub(crate) post: String,
}

impl Facts {
    /// A gap.
    pub(crate) fn gap() -> Facts {
        Facts { kind: "GAP".to_owned(), committee: String::new(), post: String::new() }
    }

    /// A post of a committee.
    pub(crate) fn held(committee: &str, post: &str) -> Facts {
        Facts { kind: "POST".to_owned(), committee: committee.to_owned(), post: post.to_owned() }
    }

    /// Whether a post is held.
    pub(crate) fn is_post(&self) -> bool {
        self.kind == "POST"
    }
}

/// A line that is believed.
pub(crate) type Line<K> = [Believed<K, Facts>];

/// Why something can't be said of a worker's days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// These days lie outside the employment.
    Outside(Period),
    /// A post is held on these days already.
    Overlap {
        /// The days.
        days: Period,
        /// The post that is held.
        held: Facts,
    },
    /// No post is held on the day.
    NoPost(Date),
}

/// The days that are neither before nor after the employment.
fn need_within(life: Period, days: Period) -> Result<(), Misfit> {
    match gaps(days, &[life]).first() {
        None => Ok(()),
        Some(outside) => Err(Misfit::Outside(*outside)),
    }
}

/// The days until the employment ends, when they are open.
fn bounded(life: Period, days: Period) -> Period {
    let open = days.to().is_none().then(|| Period::new(days.from(), life.to()).ok()).flatten();
    open.unwrap_or(days)
}

/// Gives a post on days on which none is held; an open end is the end of the employment.
///
/// # Errors
/// Days outside the employment, or on which a post is held.
pub(crate) fn assign<K: Clone>(
    line: &Line<K>,
    life: Period,
    days: Period,
    facts: Facts,
) -> Result<Splice<K, Facts>, Misfit> {
    let days = bounded(life, days);
    need_within(life, days)?;
    let held = line.iter().filter(|row| row.value.is_post());
    let twice = held
        .filter_map(|row| row.period.intersection(days).map(|days| (days, row.value.clone())))
        .min_by_key(|(days, _)| *days);
    match twice {
        Some((days, held)) => Err(Misfit::Overlap { days, held }),
        None => Ok(splice(line, days, facts)),
    }
}

/// Moves to another post from a day on: whatever was to hold from then is over.
///
/// # Errors
/// A day outside the employment, or on which no post is held.
pub(crate) fn transfer<K: Clone>(
    line: &Line<K>,
    life: Period,
    day: Date,
    facts: Facts,
) -> Result<Splice<K, Facts>, Misfit> {
    let days = bounded(life, Period::since(day));
    need_within(life, days)?;
    need_post(line, day)?;
    Ok(splice(line, days, facts))
}

/// Ends the post that is held on the day before: from the day on there is a gap.
///
/// # Errors
/// A day outside the employment, or before which no post is held.
pub(crate) fn end<K: Clone>(line: &Line<K>, life: Period, day: Date) -> Result<Splice<K, Facts>, Misfit> {
    let days = bounded(life, Period::since(day));
    need_within(life, days)?;
    let before = day.yesterday().unwrap_or(day);
    need_post(line, before)?;
    Ok(splice(line, days, Facts::gap()))
}

fn need_post<K>(line: &Line<K>, day: Date) -> Result<(), Misfit> {
    match on(line, day).is_some_and(Facts::is_post) {
        true => Ok(()),
        false => Err(Misfit::NoPost(day)),
    }
}

/// Says what held on days, whatever was believed of them.
///
/// # Errors
/// Days outside the employment.
pub(crate) fn correct<K: Clone>(
    line: &Line<K>,
    life: Period,
    days: Period,
    facts: Facts,
) -> Result<Splice<K, Facts>, Misfit> {
    let days = bounded(life, days);
    need_within(life, days)?;
    Ok(splice(line, days, facts))
}

/// Fits a line to an employment whose days are others now: what lies outside is taken away, and days without an entry are a gap.
pub(crate) fn fit<K: Clone>(line: &Line<K>, life: Period) -> Splice<K, Facts> {
    // rows that reach over an end are closed and begun anew within it
    let mut kept: Vec<(Period, Facts)> = Vec::new();
    let mut change = Splice { close: Vec::new(), insert: Vec::new() };
    for row in line {
        match row.period.intersection(life) {
            Some(inner) if inner == row.period => kept.push((row.period, row.value.clone())),
            inner => {
                change.close.push(row.id.clone());
                change.insert.extend(inner.map(|inner| (inner, row.value.clone())));
                kept.extend(inner.map(|inner| (inner, row.value.clone())));
            }
        }
    }
    let parts: Vec<Period> = kept.iter().map(|(period, _)| *period).collect();
    change.insert.extend(gaps(life, &parts).into_iter().map(|gap| (gap, Facts::gap())));
    change.insert.sort_by_key(|(period, _)| *period);
    change
}

/// What holds on a day.
pub(crate) fn on<K>(line: &Line<K>, day: Date) -> Option<&Facts> {
    line.iter().find(|row| row.period.contains(day)).map(|row| &row.value)
}

/// The committees whose post is over on a day because of a change: held the day before, and not on the day.
pub(crate) fn ended<K>(
    before: &Line<K>,
    after: &[(Period, Facts)],
    closed: impl Fn(&K) -> bool,
    day: Date,
) -> Option<String> {
    let yesterday = day.yesterday().ok()?;
    let held = on(before, yesterday).filter(|facts| facts.is_post())?;
    let kept = before.iter().filter(|row| !closed(&row.id)).map(|row| (row.period, &row.value));
    let now = kept
        .chain(after.iter().map(|(period, facts)| (*period, facts)))
        .find(|(period, _)| period.contains(day));
    let same = now.is_some_and(|(_, facts)| facts.committee == held.committee);
    (!same).then(|| held.committee.clone())
}

#[cfg(test)]
mod tests;
