//! A year of claims adjudicated again by workers, the first of which is stopped in the middle: how fast, in how much memory, and whether
//! the report counts each decision once.

use std::{
    fs,
    time::{Duration, Instant},
};

use contracts::linli::insurance::v1::{self as pb, claim_service_client::ClaimServiceClient};
use prost::Message;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use tokio::task::JoinHandle;

use crate::{Done, insured::Insured, load::peak_mib};

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// The shares at which memory is told, in percent; the first worker is stopped at the second.
const TOLD: [u64; 3] = [10, 50, 100];

pub(crate) async fn run(claims: u64) -> Done<()> {
    let begun = Instant::now();
    let mut town = Insured::new().await?;
    town.fill(claims).await?;
    println!("{claims} decided claims put in place in {:.0} s", begun.elapsed().as_secs_f64());
    plan(&mut town.owner).await?;
    // what was needed to put them in place counts no more
    fs::write("/proc/self/clear_refs", "5")?;
    println!("before: {} MiB of memory", peak_mib()?);
    let request = pb::ReadjudicateClaimsRequest {
        parent: "towns/malu".to_owned(),
        year: 2020,
        request_id: uuid::Uuid::new_v4().to_string(),
    };
    let mut client = ClaimServiceClient::new(town.peer.clone());
    client.readjudicate_claims(town.officer(request)?).await?;

    let mut active = Duration::ZERO;
    let (begun, first) = (Instant::now(), start(&town));
    for percent in &TOLD[..2] {
        reach(&mut town.owner, claims * percent / 100).await?;
        tell(*percent, claims, active + begun.elapsed())?;
    }
    first.abort();
    let _ = first.await;
    active += begun.elapsed();
    let kept = done(&mut town.owner).await?;
    println!("the worker is stopped; {kept} decisions are kept");
    let waits = Instant::now();
    while !free(&mut town.owner).await? {
        tokio::time::sleep(LOOK).await;
    }
    println!("its lease runs out {:.0} s later; another one goes on", waits.elapsed().as_secs_f64());
    let begun = Instant::now();
    start(&town).await??;
    active += begun.elapsed();
    tell(TOLD[2], claims, active)?;
    report(&mut town.owner, claims).await
}

/// A worker that takes the operation up.
fn start(insured: &Insured) -> JoinHandle<Done<()>> {
    let worker = insured.worker();
    tokio::spawn(async move { if worker.pass().await? { Ok(()) } else { Err("nothing to take up".into()) } })
}

async fn done(owner: &mut PgConnection) -> Done<u64> {
    let done: i64 = sqlx::query_scalar("select max(done_units) from operation").fetch_one(owner).await?;
    Ok(u64::try_from(done)?)
}

async fn reach(owner: &mut PgConnection, wanted: u64) -> Done<()> {
    while done(owner).await? < wanted {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Whether nobody holds the operation any more.
async fn free(owner: &mut PgConnection) -> Done<bool> {
    Ok(sqlx::query_scalar("select bool_and(lease_until < clock_timestamp()) from operation")
        .fetch_one(owner)
        .await?)
}

fn tell(percent: u64, claims: u64, took: Duration) -> Done<()> {
    let rate = (claims * percent / 100) as f64 / took.as_secs_f64();
    println!("{percent:>3} %: {rate:.0} decisions/s; {} MiB of memory at most", peak_mib()?);
    Ok(())
}

/// The report of the operation that ended.
async fn report(owner: &mut PgConnection, claims: u64) -> Done<()> {
    let (state, attempts, answer): (String, i32, Vec<u8>) =
        sqlx::query_as("select state, attempts, coalesce(response, '') from operation")
            .fetch_one(owner)
            .await?;
    let answer = prost_types::Any::decode(answer.as_slice())?;
    let report = pb::ReadjudicationReport::decode(answer.value.as_slice())?;
    println!(
        "{state} when taken up {attempts} times: {} decisions on {claims} claims are counted, {} the same, {} different",
        report.decisions, report.same, report.different
    );
    Ok(())
}

/// The plans of the statements that read a chunk, behind the first claim, in the middle and near the end: for these values, and for any.
async fn plan(owner: &mut PgConnection) -> Done<()> {
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let prepare = format!(
            "deallocate all; set plan_cache_mode = {mode}; prepare claims as {CLAIMS}; prepare decisions as {DECISIONS}"
        );
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *owner).await?;
        for day in ["2020-01-01", "2020-07-01", "2020-12-30"] {
            let behind = format!("'malu', 2020, '{day}', '00000000-0000-0000-0000-000000000000', 2000");
            explain(owner, &format!("execute claims({behind})")).await?;
            let page = format!(
                "select id from claim where town = 'malu' and happened_on >= '{day}' order by happened_on, id limit 2000"
            );
            let ids: Vec<uuid::Uuid> = sqlx::query_scalar(AssertSqlSafe(page)).fetch_all(&mut *owner).await?;
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            explain(owner, &format!("execute decisions('malu', '{{{}}}')", ids.join(","))).await?;
        }
    }
    Ok(())
}

async fn explain(owner: &mut PgConnection, execute: &str) -> Done<()> {
    let explain = AssertSqlSafe(format!("explain (analyze, buffers) {execute}"));
    let rows = sqlx::raw_sql(explain).fetch_all(owner).await?;
    let lines = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    let steps = lines.iter().filter(|line| line.contains("(actual"));
    let steps: Vec<&str> = steps.map(|line| line.split("  (").next().unwrap_or(line).trim()).collect();
    let took = lines.last().map_or("", |line| line.trim());
    println!("{}: {took}: {}", execute.split('(').next().unwrap_or_default(), steps.join(" "));
    Ok(())
}

/// What the service's `claims_after` and `decisions_of` ask.
const CLAIMS: &str = "select id, happened_on::text from claim
    where town = $1 and (happened_on, id) > ($3::text::date, $4) and happened_on < make_date($2 + 1, 1, 1) order by happened_on, id limit $5";
const DECISIONS: &str = "select claim, outcome, rule, approved_fen, facts from claim_decision
    where town = $1 and claim = any($2) order by claim, n";
