//! Reads and lists against the same SQL through the bare driver, interleaved, at growing numbers of rows.

use std::collections::HashMap;

use crate::{Done, places, structure};

/// Pairs of calls that are measured at each size.
pub(crate) const PAIRS: usize = 200;

/// Medians in microseconds.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) call: &'static str,
    /// The same SQL through the bare driver.
    pub(crate) bare: f64,
    /// The service's method.
    pub(crate) ours: f64,
}

pub(crate) async fn run(mut sizes: Vec<u64>) -> Done<()> {
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 100_000];
    }
    println!("| call | rows | bare (µs) | ours (µs) | ratio | growth, ours |\n|---|---|---|---|---|---|");
    let mut first = HashMap::new();
    for rows in sizes {
        let mut all = Vec::from(structure::at(rows).await?);
        all.extend(places::at(rows).await?);
        for Measured { call, bare, ours } in all {
            let growth = ours / *first.entry(call).or_insert(ours);
            println!("| {call} | {rows} | {bare:.0} | {ours:.0} | {:.2} | {growth:.2} |", ours / bare);
        }
    }
    Ok(())
}
