//! `cargo xtask walk`: a fresh suite, asked over the gateway, its answers held against the files that it was loaded from.

mod caller;
mod files;
mod funding;
mod insurance;
mod structure;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use e2e::Suite;
use serde_json::Value;

use crate::Done;

/// What can be walked.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum What {
    /// Households, residents, stewards, what is missing (Work points 1.1-1.3).
    Structure,
    /// The allocation of 2020, what is spent of it, delegated tasks, the year's end (Work points 3.3).
    Funding,
    /// The two schemes of 2020, known incidents and claims from the report to the payment, outreach (Work points 3.4).
    Insurance,
}

pub(crate) async fn run(what: What) -> Done {
    let walk = Walk::start()?;
    match what {
        What::Structure => structure::walk(&walk).await?,
        What::Funding => funding::walk(&walk).await?,
        What::Insurance => insurance::walk(&walk).await?,
    }
    println!("every answer is as the files say");
    Ok(())
}

/// A suite on fresh data, with the town officer's token.
struct Walk {
    suite: Suite,
    binary: PathBuf,
    token: String,
    /// Those that were given out, by what they were asked for.
    tokens: RefCell<BTreeMap<Vec<String>, String>>,
    _dir: tempfile::TempDir,
}

impl Walk {
    fn start() -> Result<Walk, Box<dyn std::error::Error + Send + Sync>> {
        let (binary, dir) = (e2e::build()?, e2e::open_dir()?);
        let suite = Suite::start(e2e::command(&binary, dir.path(), &["serve"]), dir.path())?;
        let mut walk = Walk { suite, binary, token: String::new(), tokens: RefCell::default(), _dir: dir };
        walk.token = walk.command(&["token", "--as", "town-officer"])?;
        Ok(walk)
    }

    /// What a command of the suite prints.
    fn command(&self, arguments: &[&str]) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let out = e2e::command(&self.binary, &self.suite.dir, arguments)
            .env_remove("LINLI_GATEWAY_LISTEN")
            .env_remove("LINLI_ADMIN_LISTEN")
            .output()?;
        if !out.status.success() {
            let said = String::from_utf8_lossy(&out.stderr);
            return Err(format!("linli {}: {said}", arguments.join(" ")).into());
        }
        Ok(String::from_utf8(out.stdout)?.trim().to_owned())
    }

    /// A token, asked for once.
    fn token(&self, arguments: &[&str]) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let key: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        if let Some(token) = self.tokens.borrow().get(&key) {
            return Ok(token.clone());
        }
        let token = self.command(arguments)?;
        self.tokens.borrow_mut().insert(key, token.clone());
        Ok(token)
    }

    /// What the gateway answers to a GET below `/v1/towns/malu`.
    async fn get(&self, path: &str) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let (status, answer) = self.send("GET", path, &self.token, None).await?;
        if status == 200 { Ok(answer) } else { Err(format!("GET {path}: {status} {answer}").into()) }
    }

    /// What it answers to anything, by its status.
    async fn send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), Box<dyn std::error::Error + Send + Sync>> {
        let token = format!("Bearer {token}");
        let path = if path.starts_with("/v1/") { path.to_owned() } else { format!("/v1/towns/malu{path}") };
        let headers = [
            ("authorization", token.as_str()),
            ("accept-language", "en"),
            ("content-type", "application/json"),
        ];
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let (status, trace, text) = e2e::send(&self.suite.gateway, method, &path, &headers, bytes).await?;
        let answer = serde_json::from_str(&text)
            .map_err(|error| format!("{method} {path}: {status} {error}: {text} (trace {trace})"))?;
        Ok((status, answer))
    }
}

/// Where the demonstration's files lie.
fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/demo")
}

/// Fails when an answer is not as expected, naming both.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, answered: T, expected: T) -> Done {
    if answered == expected {
        return Ok(());
    }
    Err(format!("{what}: answered {answered:?}, the files say {expected:?}").into())
}

/// The same for sets: names what only one of them holds.
fn same_set<T: Ord + std::fmt::Debug>(what: &str, answered: &BTreeSet<T>, expected: &BTreeSet<T>) -> Done {
    let (more, less): (Vec<&T>, Vec<&T>) =
        (answered.difference(expected).collect(), expected.difference(answered).collect());
    if more.is_empty() && less.is_empty() {
        return Ok(());
    }
    Err(format!("{what}: only answered {more:?}, only in the files {less:?}").into())
}
