//! The pure function of adjudication on one core, over claims of every kind under the two schemes: the decision with its trace as codes and
//! numbers; with its limits worked out first; with the words of the trace rendered in both languages.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use insurance::adjudication::{Outcome, adjudicate, words::words};

use crate::{
    Done,
    cases::{Case, cases, schemes},
    median,
};

/// Claims that are gone through again and again.
const CLAIMS: u64 = 4_096;
/// Adjudications of a round.
const ROUND: usize = 400_000;
/// Adjudications of a round with words.
const ROUND_IN_WORDS: usize = 20_000;
/// Rounds.
const ROUNDS: usize = 25;

pub(crate) fn run() -> Done<()> {
    let schemes = schemes();
    let mut cases = cases(&schemes, CLAIMS);
    let of = |outcome: Outcome| cases.iter().filter(|case| case.decide().outcome == outcome).count();
    let (approved, in_part, rejected) = (of(Outcome::Approved), of(Outcome::InPart), of(Outcome::Rejected));
    let steps: usize = cases
        .iter()
        .map(|case| case.decide().lines.iter().map(|line| line.trace.steps().len()).sum::<usize>())
        .sum();
    println!(
        "{CLAIMS} claims under two schemes: {approved} approved, {in_part} in part, {rejected} rejected; {:.1} steps of a trace on average",
        steps as f64 / cases.len() as f64
    );
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(round(&mut cases, ROUND, |case| {
            black_box(adjudicate(black_box(&case.facts), &mut case.covers));
        }));
        times[1].push(round(&mut cases, ROUND, |case| {
            case.limit();
            black_box(adjudicate(black_box(&case.facts), &mut case.covers));
        }));
        times[2].push(round(&mut cases, ROUND_IN_WORDS, |case| {
            let decision = adjudicate(black_box(&case.facts), &mut case.covers);
            for step in decision.lines.iter().flat_map(|line| line.trace.steps()) {
                black_box(words(*step));
            }
        }));
    }
    println!(
        "| one core, medians of {ROUNDS} interleaved rounds | adjudications/s | ns each |\n|---|---|---|"
    );
    let rounds = [ROUND, ROUND, ROUND_IN_WORDS];
    let names = ["codes and numbers", "the same, its limits worked out first", "with words in two languages"];
    for ((name, times), of) in names.into_iter().zip(times).zip(rounds) {
        let each = median(times) / of as f64;
        println!("| {name} | {:.0} | {:.0} |", 1e6 / each, each * 1e3);
    }
    Ok(())
}

fn round(cases: &mut [Case<'_>], of: usize, mut each: impl FnMut(&mut Case<'_>)) -> Duration {
    let claims = cases.len();
    let begun = Instant::now();
    for n in 0..of {
        each(&mut cases[n % claims]);
    }
    begun.elapsed()
}
