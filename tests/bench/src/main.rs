//! Speed as ratios from one interleaved run; nothing is asserted.
//!
//! `cargo run --release -p bench [ROWS …]`: reads and lists against the same SQL through the bare driver, at growing
//! numbers of rows (default 1000 10000 100000; 1000000 on demand).
//!
//! `cargo run --release -p bench -- ledger`: transfers booked in batches against a transaction by hand for each.
//!
//! `cargo run --release -p bench -- allocate COMMITTEES`: an allocation run, computed and released, against plain INSERTs of what it wrote.
//!
//! `cargo run --release -p bench -- adjudicate`: the pure function of adjudication on one core.
//!
//! `cargo run --release -p bench -- readjudicate [CLAIMS]`: a year of claims adjudicated again by workers, one of which is stopped.
//!
//! `cargo run --release -p bench -- claims [CLAIMS]`: GetClaim and ListClaims against the same statements behind a bare tonic service.
//!
//! `cargo run --release -p bench -- rota [COMMITTEES WORKERS]`: the pure generator of a year's rota, 100 committees of 10 workers unless told.
//!
//! `cargo run --release -p bench -- load HOUSEHOLDS RESIDENTS [--one-by-one]`: an import against COPY.

mod adjudicate;
mod allocate;
mod cases;
mod claims;
mod copy;
mod insured;
mod ledger;
mod load;
mod places;
mod readjudicate;
mod rota;
mod sizes;
mod structure;
mod synthetic;

use std::{error::Error, time::Duration};

use chassis::call::Call;
use tonic::Request;

type Done<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Done<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "load" => {
            let numbers = rest.iter().filter(|text| !text.starts_with("--")).map(|text| text.parse());
            let numbers: Vec<u64> = numbers.collect::<Result<_, _>>()?;
            let &[households, residents] = numbers.as_slice() else {
                return Err("load HOUSEHOLDS RESIDENTS [--one-by-one]".into());
            };
            load::run(households, residents, rest.iter().any(|text| text == "--one-by-one")).await
        }
        Some((first, [])) if first == "ledger" => ledger::run().await,
        Some((first, [])) if first == "adjudicate" => adjudicate::run(),
        Some((first, rest)) if first == "readjudicate" => readjudicate::run(number(rest)?).await,
        Some((first, rest)) if first == "claims" => claims::run(number(rest)?).await,
        Some((first, [])) if first == "rota" => rota::run(100, 10),
        Some((first, [committees, workers])) if first == "rota" => {
            rota::run(committees.parse()?, workers.parse()?)
        }
        Some((first, [committees])) if first == "allocate" => allocate::run(committees.parse()?).await,
        _ => sizes::run(arguments.iter().map(|text| text.parse()).collect::<Result<_, _>>()?).await,
    }
}

/// How many are asked for; a million when that isn't said.
fn number(arguments: &[String]) -> Done<u64> {
    Ok(arguments.first().map_or(Ok(1_000_000), |text| text.parse())?)
}

/// A message as `caller` sends it.
fn by<T>(caller: &Call, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller.clone());
    request
}

/// The middle one, in microseconds.
fn median(mut all: Vec<Duration>) -> f64 {
    all.sort();
    all.get(all.len() / 2).map_or(0.0, |middle| middle.as_secs_f64() * 1e6)
}
