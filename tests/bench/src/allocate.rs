//! An allocation run over many committees: computed from governance page by page, released into the ledger; and every row that the
//! release wrote, written again by one plain `INSERT … SELECT` for each table.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chassis::{
    call::Call,
    clock::Clock,
    db::Schema,
    governance::{Governance, ServiceToken},
    identity::{CachedDirectory, DevDirectory, DevIssuer, Directory, Verifier},
    layers::{self, Gatekeeper, Layers, Permissions},
    operations::Worker,
    seal,
    testing::{TestDb, call},
};
use contracts::linli::funding::v1::{self as pb, allocation_run_service_server::AllocationRunService};
use funding::allocation::AllocationRuns;
use jiff::civil::date;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{Done, by, load::peak_mib};

/// The tables that the release writes, each with the rows that it wrote.
const WRITTEN: [(&str, &str); 10] = [
    ("account", "true"),
    ("entry", "true"),
    ("posting", "true"),
    ("entry_pending", "true"),
    ("allocation", "state = 'RELEASED'"),
    ("history", "verb = 'release'"),
    ("event", "type like 'linli.funding.allocation.%' or type like 'linli.funding.allocationRun.released%'"),
    ("audit", "summary like 'release %'"),
    ("audit_pending", "true"),
    ("idempotency", "true"),
];

struct Bench {
    db: TestDb,
    runs: AllocationRuns,
    worker: Worker,
    maker: Call,
    checker: Call,
    owner: PgConnection,
}

pub(crate) async fn run(committees: u64) -> Done<()> {
    let mut bench = Bench::new(committees).await?;
    println!("{committees} committees; before: {} MiB of memory at most", peak_mib()?);
    let (run, compute) = bench.compute().await?;
    println!(
        "computed in {:.1} s, {:.0} committees/s; {} MiB at most",
        compute.as_secs_f64(),
        committees as f64 / compute.as_secs_f64(),
        peak_mib()?
    );
    let release = bench.release(run).await?;
    println!(
        "released in {:.1} s, {:.0} committees/s; {} MiB at most",
        release.as_secs_f64(),
        committees as f64 / release.as_secs_f64(),
        peak_mib()?
    );
    let (plain, rows) = bench.plain().await?;
    println!(
        "the same {rows} rows by plain INSERT … SELECT in {:.1} s; the release took {:.2} times as long",
        plain.as_secs_f64(),
        release.as_secs_f64() / plain.as_secs_f64()
    );
    let begun = Instant::now();
    while seal::pass(&bench.db.context.db, funding::SEALERS).await? > 0 {}
    println!("sealed and numbered behind it in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Governance with its layers, as funding asks it.
async fn governance(committees: u64, clock: &Clock) -> Done<(TestDb, Governance)> {
    let db = TestDb::new(&Schema::new("governance", &::governance::MIGRATIONS)).await;
    let mut owner = PgConnection::connect(&db.database.owner_url).await?;
    let sql = format!(
        "set search_path = governance, public; set session_replication_role = replica;
         insert into town (town, display_name) values ('malu', '马陆镇');
         insert into community (town, id, display_name) values ('malu', 'a', '甲');
         insert into committee (town, id, kind, founding_date)
             select 'malu', 'c' || lpad(n::text, 7, '0'), 'RESIDENTS_COMMITTEE', '2016-01-01' from generate_series(1, {committees}) n;
         insert into committee_period (town, id, committee, valid, recorded, display_name, community, state, management_class, difficulty)
             select 'malu', gen_random_uuid(), id, '[2016-01-01,)', tstzrange(now(), null), id, 'a', 'FOUNDED', 'B', 'NORMAL' from committee;
         insert into household_count (town, id, committee, valid_on, recorded, households, source, reason)
             select 'malu', gen_random_uuid(), id, '2019-12-31', tstzrange(now(), null), 1000 + (random() * 2000)::int, 's', '' from committee;
         analyze"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await?;
    let dir = tempfile::tempdir()?;
    let issuer = DevIssuer::load_or_create(dir.path())?;
    let bindings = governance::access::BindingDirectory(Arc::new(db.context.db.clone()));
    let directory: Arc<dyn Directory> =
        Arc::new(DevDirectory::new(Arc::new(CachedDirectory::new(Arc::new(bindings))), "malu"));
    let gatekeeper = Gatekeeper {
        service: "governance",
        permissions: Permissions::read(&prost_reflect::DescriptorPool::decode(contracts::DESCRIPTORS)?),
        verifier: Verifier::new(vec![issuer.config()]),
        directory: directory.clone(),
        clock: clock.clone(),
    };
    let worker = Worker::new(db.context.clone(), clock.clone(), ::governance::jobs());
    let routes = ::governance::routes(&db.context, &worker, directory, None);
    let layers = Layers {
        service: "governance",
        gatekeeper: Arc::new(gatekeeper),
        in_flight: 512,
        deadline: Duration::from_secs(60),
    };
    let peer = layers::near(layers::layered(routes, &layers));
    Ok((db, Governance::new("funding", peer, ServiceToken::development(issuer, "funding"))))
}

impl Bench {
    async fn new(committees: u64) -> Done<Bench> {
        chassis::validate::install();
        let clock = Clock::starting(date(2020, 6, 1));
        let (_governance_db, governance) = governance(committees, &clock).await?;
        let db = TestDb::new(&Schema::new("funding", &funding::MIGRATIONS)).await;
        let mut owner = PgConnection::connect(&db.database.owner_url).await?;
        sqlx::raw_sql("set search_path = funding, public").execute(&mut owner).await?;
        sqlx::raw_sql(include_str!("policy.sql")).execute(&mut owner).await?;
        let worker = Worker::new(db.context.clone(), clock.clone(), funding::jobs(&governance));
        let runs = AllocationRuns { context: db.context.clone(), worker: worker.clone() };
        let caller =
            |who| call(who, "administrator", "everywhere", "bench", "funding.allocationRuns.create", &clock);
        Ok(Bench { db, runs, worker, maker: caller("maker"), checker: caller("checker"), owner })
    }

    async fn work(&self) -> Done<Duration> {
        let begun = Instant::now();
        while !self.worker.pass().await? {}
        Ok(begun.elapsed())
    }

    async fn compute(&self) -> Done<(pb::AllocationRun, Duration)> {
        let run = pb::AllocationRun { fiscal_year: 2020, ..Default::default() };
        let request = pb::CreateAllocationRunRequest {
            parent: "towns/malu".to_owned(),
            allocation_run: Some(run),
            request_id: uuid::Uuid::new_v4().to_string(),
            ..Default::default()
        };
        let run = self.runs.create_allocation_run(by(&self.maker, request)).await?.into_inner();
        let took = self.work().await?;
        let request = pb::GetAllocationRunRequest { name: run.name };
        let run = self.runs.get_allocation_run(by(&self.maker, request)).await?.into_inner();
        if run.state() != pb::AllocationRunState::Computed {
            return Err(format!("the run is {:?}", run.state()).into());
        }
        Ok((run, took))
    }

    /// Submits, approves and releases; how long the release took.
    async fn release(&self, run: pb::AllocationRun) -> Done<Duration> {
        let (name, request_id) = (run.name, || uuid::Uuid::new_v4().to_string());
        let request = pb::SubmitAllocationRunRequest {
            name: name.clone(),
            etag: run.etag,
            request_id: request_id(),
            ..Default::default()
        };
        let run = self.runs.submit_allocation_run(by(&self.maker, request)).await?.into_inner();
        let request = pb::ApproveAllocationRunRequest {
            name: name.clone(),
            etag: run.etag,
            request_id: request_id(),
            ..Default::default()
        };
        let run = self.runs.approve_allocation_run(by(&self.checker, request)).await?.into_inner();
        let request = pb::ReleaseAllocationRunRequest {
            name: name.clone(),
            etag: run.etag,
            request_id: request_id(),
            ..Default::default()
        };
        self.runs.release_allocation_run(by(&self.checker, request)).await?;
        let took = self.work().await?;
        let request = pb::GetAllocationRunRequest { name };
        let run = self.runs.get_allocation_run(by(&self.maker, request)).await?.into_inner();
        if run.state() != pb::AllocationRunState::Released {
            return Err(format!("the run is {:?}", run.state()).into());
        }
        Ok(took)
    }

    /// Writes what the release wrote once more, into tables with the same columns and indexes; how long, and how many rows.
    async fn plain(&mut self) -> Done<(Duration, u64)> {
        let (mut took, mut rows) = (Duration::ZERO, 0);
        for (table, condition) in WRITTEN {
            let make =
                format!("create table plain_{table} (like {table} including defaults including indexes)");
            sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut self.owner).await?;
            let copy = format!("insert into plain_{table} select * from {table} where {condition}");
            let begun = Instant::now();
            rows += sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut self.owner).await?.rows_affected();
            took += begun.elapsed();
        }
        Ok((took, rows))
    }
}
