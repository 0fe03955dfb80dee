//! A town's households and residents through ImportTables in parts, and the same rows through COPY, in turn.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chassis::{
    call::Call,
    clock::Clock,
    db::Schema,
    imports::{ImportJob, Imports},
    operations::{Job, Jobs, Operations, Worker},
    seal,
    testing::{TestDb, call, one_by_one},
};
use contracts::{
    google::longrunning::operation::Result as Ended,
    linli::platform::v1::{
        self as pb, import_service_server::ImportService, operation_service_server::OperationService,
    },
};
use jiff::civil::date;
use prost::Message;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    Done, by,
    copy::{Rows, TABLES},
    synthetic::{HOUSEHOLD_COLUMNS, OF_BUILDING, RESIDENT_COLUMNS, household, resident},
};

/// Bytes of a part.
const PART: usize = 4 << 20;

struct Bench {
    db: TestDb,
    worker: Worker,
    caller: Call,
    imports: Imports,
    operations: Operations,
    owner: PgConnection,
}

/// How long each way took for the rows of a table.
#[derive(Default)]
struct Times {
    rows: u64,
    parts: u64,
    import: Duration,
    sealing: Duration,
    heap: Duration,
    plain: Duration,
}

pub(crate) async fn run(households: u64, residents: u64, alone: bool) -> Done<()> {
    let mut bench = Bench::new(households, alone).await?;
    let path = if alone { "one by one" } else { "in sets" };
    println!("{households} households, {residents} residents, rows applied {path}, parts of {PART} bytes");
    println!(
        "{:>10} {:>9} {:>5} | {:>13} {:>13} | {:>13} {:>6} | {:>13} {:>6}",
        "table",
        "rows",
        "parts",
        "import rows/s",
        "with sealing",
        "indexed COPY",
        "ratio",
        "heap COPY",
        "ratio"
    );
    let first = bench.table("households", HOUSEHOLD_COLUMNS, households, |n, rows| {
        let row = household(n);
        rows.household(&row);
        row.csv()
    });
    show("households", &first.await?);
    let second = bench.table("residents", RESIDENT_COLUMNS, residents, |n, rows| {
        let row = resident(n, residents, households);
        rows.resident(&row);
        row.csv()
    });
    show("residents", &second.await?);
    println!("peak resident memory of this process: {} MiB", peak_mib()?);
    Ok(())
}

fn show(table: &str, times: &Times) {
    let rate = |time: Duration| times.rows as f64 / time.as_secs_f64();
    let ours = rate(times.import);
    let (plain, heap) = (rate(times.plain), rate(times.heap));
    println!(
        "{table:>10} {:>9} {:>5} | {ours:>13.0} {:>13.0} | {plain:>13.0} {:>6.1} | {heap:>13.0} {:>6.1}",
        times.rows,
        times.parts,
        rate(times.import + times.sealing),
        plain / ours,
        heap / ours
    );
}

/// VmHWM: the most memory that this process ever held.
pub(crate) fn peak_mib() -> Done<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1_024)
}

impl Bench {
    /// A fresh town with the buildings that the households need.
    async fn new(households: u64, alone: bool) -> Done<Bench> {
        let db = TestDb::new(&Schema::new("governance", &governance::MIGRATIONS)).await;
        let mut owner = PgConnection::connect(&db.database.owner_url).await?;
        let buildings = households.div_ceil(OF_BUILDING);
        let sql = format!(
            "set search_path = governance, public; set session_replication_role = replica;
             insert into town (town, display_name) values ('malu', '马陆镇');
             insert into community (town, id, display_name) values ('malu', 'a', '甲');
             insert into committee (town, id, kind, founding_date) select 'malu', 'c-' || n, 'RESIDENTS_COMMITTEE', '2016-01-01'
                 from generate_series(0, {buildings} / 50) n;
             insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
                 select 'malu', gen_random_uuid(), id, '[2016-01-01,)', tstzrange(now(), null), id, 'a', 'FOUNDED' from committee;
             insert into estate (town, id, life) select 'malu', 'e' || substr(id, 2), '[2016-01-01,)' from committee;
             insert into estate_period (town, id, estate, valid, recorded, display_name, committee)
                 select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), id, 'c' || substr(id, 2) from estate;
             insert into building (town, id, estate, life)
                 select 'malu', 'u-' || lpad(n::text, 6, '0'), 'e-' || n / 50, '[2016-01-01,)' from generate_series(0, {buildings} - 1) n;
             insert into building_period (town, id, building, valid, recorded, display_name, committee)
                 select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), id, 'c' || substr(estate, 2) from building;
             set session_replication_role = origin; {TABLES}; analyze"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await?;
        let clock = Clock::starting(date(2020, 6, 1));
        let caller = call("bench", "administrator", "everywhere", "bench", "platform.operations.get", &clock);
        let tables = governance::tables();
        let applied = if alone { one_by_one(&tables) } else { tables.clone() };
        let jobs = Jobs::from([("import", Arc::new(ImportJob(applied)) as Arc<dyn Job>)]);
        let (context, worker) = (db.context.clone(), Worker::new(db.context.clone(), clock, jobs));
        let imports =
            Imports { context: context.clone(), worker: worker.clone(), sheets: tables, mark: None };
        let operations = Operations { context, worker: worker.clone() };
        Ok(Bench { db, worker, caller, imports, operations, owner })
    }

    /// Loads a table of so many rows, part by part: import, sealer, COPY.
    async fn table(
        &mut self,
        table: &str,
        columns: &str,
        rows: u64,
        row: impl Fn(u64, &mut Rows) -> String,
    ) -> Done<Times> {
        let (mut times, mut at) = (Times::default(), 0);
        while at < rows {
            let (first, mut file, mut plain) = (at, format!("{columns}\n"), Rows::default());
            while at < rows && file.len() < PART {
                file.push_str(&row(at, &mut plain));
                at += 1;
            }
            times.import += self.import(table, file, first, at - first).await?;
            let begun = Instant::now();
            while seal::pass(&self.db.context.db, &[]).await? > 0 {}
            times.sealing += begun.elapsed();
            times.plain += plain.copy(&mut self.owner, "plain").await?;
            times.heap += plain.copy(&mut self.owner, "heap").await?;
            times.rows = at;
            times.parts += 1;
            if times.parts.is_multiple_of(10) {
                eprintln!("{table}: {at} of {rows}, {:.0} rows/s", at as f64 / times.import.as_secs_f64());
            }
        }
        Ok(times)
    }

    async fn import(&self, table: &str, file: String, first: u64, rows: u64) -> Done<Duration> {
        let begun = Instant::now();
        let request = pb::ImportTablesRequest {
            parent: "services/governance".to_owned(),
            town: "towns/malu".to_owned(),
            files: vec![pb::ImportFile {
                table: table.to_owned(),
                file_name: format!("{table}.csv"),
                content: file.into_bytes().into(),
                first_row: i64::try_from(first + 2)?,
            }],
            mode: pb::ImportMode::GoodRowsOnly.into(),
            request_id: uuid::Uuid::new_v4().to_string(),
            validate_only: false,
        };
        let name = self.imports.import_tables(by(&self.caller, request)).await?.into_inner().name;
        while !self.worker.pass().await? {}
        let took = begun.elapsed();
        let asked = by(&self.caller, pb::GetOperationRequest { name });
        match self.operations.get_operation(asked).await?.into_inner().result {
            Some(Ended::Response(any)) => {
                let report = pb::ImportReport::decode(any.value.as_slice())?;
                let created: i64 = report.tables.iter().map(|table| table.created).sum();
                if created != i64::try_from(rows)? {
                    return Err(
                        format!("{created} of {rows} rows were new: {:?}", report.rows.first()).into()
                    );
                }
                Ok(took)
            }
            other => Err(format!("the import did not succeed: {other:?}").into()),
        }
    }
}
