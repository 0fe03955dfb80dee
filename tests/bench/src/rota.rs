//! The pure generator of rotas on one core: a year of a town, over the working-day calendar of 2020.

use std::time::Instant;

use jiff::{ToSpan, civil::date};
use kernel::{
    calendar::{Calendar, DayKind, Paper},
    periods::Period,
    state::Named,
};
use workforce::rota::plan::{Candidate, Committee, Evenness, Input, Obstacle, Policy, days, generate};

use crate::{Done, median};

/// Rounds.
const ROUNDS: usize = 11;
/// The days of the papers on 2020.
const PAPERS: &str = include_str!("../../../deploy/demo/calendar_paper_days.csv");

/// The calendar of 2020: every paper of the demonstration as one.
fn calendar() -> Calendar {
    let day = |line: &str| {
        let mut cells = line.split(',').skip(1);
        Some((cells.next()?.parse().ok()?, DayKind::from_name(cells.next()?)?))
    };
    let days = PAPERS.lines().skip(1).filter_map(day).collect();
    Calendar::from_papers(&[Paper { code: "2020".to_owned(), dated: date(2020, 1, 27), days }])
}

/// Workers who are each away for two weeks, one after the other.
fn committee(n: usize, workers: usize) -> Committee {
    let candidates = (0..workers).map(|worker| {
        let from = date(2020, 1, 6) + ((worker * 350 / workers.max(1)) as i64).days();
        let away = Period::new(from, Some(from + 14.days())).ok();
        Candidate {
            worker: format!("w-{n}-{worker}"),
            blocked: away.into_iter().map(|days| (days, Obstacle::Away)).collect(),
            days_before: 0,
            windows_before: 0,
        }
    });
    Committee { id: format!("c-{n}"), candidates: candidates.collect() }
}

pub(crate) fn run(committees: usize, workers: usize) -> Done<()> {
    let input = Input {
        days: days(&calendar(), date(2020, 1, 1), date(2021, 1, 1)),
        policy: Policy::default(),
        committees: (0..committees).map(|n| committee(n, workers)).collect(),
        standing: Vec::new(),
    };
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let rota = generate(&input);
        times.push(begun.elapsed());
        if times.len() == ROUNDS {
            let uncovered = rota.duties.iter().filter(|duty| duty.candidate.is_none()).count();
            let uneven = rota.fairness.iter().filter(|its| its.evenness != Evenness::Even).count();
            println!(
                "{committees} committees x {workers} workers, 2020: {} duties, {uncovered} without a worker, {uneven} committees not even",
                rota.duties.len()
            );
        }
    }
    println!("median of {ROUNDS} rounds on one core: {:.1} ms", median(times) / 1000.0);
    Ok(())
}
