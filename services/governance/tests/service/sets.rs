//! Rows applied as sets leave what rows applied one by one leave: reports, rows, histories, events.

use std::sync::Arc;

use chassis::{
    imports::ImportJob,
    operations::{Job, Jobs, Worker},
    testing::one_by_one,
};
use contracts::linli::platform::v1 as pb;
use jiff::civil::date;
use sqlx::{Connection, PgConnection};

use crate::{
    harness::Service,
    imports::{begin, demo, ready, report},
};

const PLACES: &[&str] = &["committees", "blocks", "stewardships", "organisations", "estates", "buildings"];
const HOUSEHOLDS: &str = include_str!("../../../../deploy/demo/households.csv");
const RESIDENTS: &str = include_str!("../../../../deploy/demo/residents.csv");

/// Jobs whose imports apply row by row.
fn one_by_one_jobs() -> Jobs {
    let job = ImportJob(one_by_one(&governance::tables()));
    Jobs::from([("import", Arc::new(job) as Arc<dyn Job>)])
}

/// A service with the places of the demonstration, and who imports.
async fn placed(jobs: Jobs) -> (Service, Worker) {
    let service = ready().await;
    let worker = service.another_worker(jobs);
    let report = import(&service, &worker, &demo(PLACES), pb::ImportMode::Atomic, false).await;
    assert!(report.stored, "{:?}", report.rows);
    (service, worker)
}

async fn import(
    service: &Service,
    worker: &Worker,
    files: &[(&str, &[u8])],
    mode: pb::ImportMode,
    dry: bool,
) -> pb::ImportReport {
    let name = begin(service, files, mode, dry).await;
    assert!(worker.pass().await.unwrap());
    report(service, &name).await
}

/// What is stored, a line for each row; personal columns by who has the same, because each database seals with keys of its own.
async fn stored(service: &Service) -> Vec<String> {
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    sqlx::raw_sql("set search_path = governance, public").execute(&mut owner).await.unwrap();
    let mut all = Vec::new();
    for sql in [
        "select concat_ws('|', id, building, door, occupancy, version) from household order by id",
        "select concat_ws('|', id, sex, key, version, dense_rank() over (order by first)) from (
             select *, first_value(id) over (partition by name_index order by id) as first from person) as p order by id",
        "select concat_ws('|', person, household, ground, valid, upper_inf(recorded), reason) from residence order by person, ground, valid, household",
        "select concat_ws('|', resource, version, principal, verb, from_state, to_state, comment) from history order by resource, version",
        "select concat_ws('|', row_number() over (order by ord), resource, type, data) from event order by ord",
        "select concat_ws('|', file, row, col, value, reason, fault, zh, en) from operation_row r join operation o on o.id = r.operation order by o.created, n",
    ] {
        all.extend(sqlx::query_scalar::<_, String>(sql).fetch_all(&mut owner).await.unwrap());
    }
    all
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// Some rows of a table, a few of them spoiled: cells of other rows, of no meaning, or gone; rows twice.
fn spoiled(table: &str, rows: usize, dice: &mut Dice) -> String {
    let mut lines = table.lines();
    let header = lines.next().unwrap();
    let all: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let start = dice.below(all.len());
    let mut some: Vec<Vec<&str>> = all.iter().cycle().skip(start).take(rows).cloned().collect();
    for _ in 0..rows / 6 {
        let (row, other) = (dice.below(rows), dice.below(all.len()));
        let column = dice.below(all[0].len());
        match dice.below(6) {
            0 => some[row][column] = "",
            1 => {
                some[row][column] = ["nowhere", "2019-02-30", "OWNED", "RESIDENCE_PERMIT", "F"][dice.below(5)]
            }
            // a row once more, elsewhere and a little different
            2 => {
                let mut again = some[row].clone();
                again[column] = all[other][column];
                some.insert(dice.below(rows), again);
            }
            3 => some[row] = all[other].clone(),
            // the other ground for the same days
            4 => {
                let mut again = some[row].clone();
                if let Some(ground) =
                    again.iter_mut().find(|cell| matches!(**cell, "REGISTERED" | "RESIDENCE_PERMIT"))
                {
                    *ground = if *ground == "REGISTERED" { "RESIDENCE_PERMIT" } else { "REGISTERED" };
                }
                some.insert(dice.below(rows), again);
            }
            _ => some[row][column] = all[other][column],
        }
    }
    let rows: Vec<String> = some.iter().map(|row| row.join(",")).collect();
    format!("{header}\r\n{}\r\n", rows.join("\r\n"))
}

#[tokio::test]
async fn sets_leave_what_rows_one_by_one_leave() {
    let ((sets, in_sets), (rows, by_rows)) =
        tokio::join!(placed(governance::jobs()), placed(one_by_one_jobs()));
    let mut dice = Dice(0x2020_0048);
    let (mut created, mut updated, mut unchanged, mut faulty) = (0, 0, 0, 0);
    for round in 0..16 {
        let (households, residents) =
            (spoiled(HOUSEHOLDS, 120, &mut dice), spoiled(RESIDENTS, 150, &mut dice));
        let files = [("households", households.as_bytes()), ("residents", residents.as_bytes())];
        let (mode, dry) = match round % 4 {
            0 => (pb::ImportMode::Atomic, true),
            1 => (pb::ImportMode::Atomic, false),
            _ => (pb::ImportMode::GoodRowsOnly, false),
        };
        let (one, other) = tokio::join!(
            import(&sets, &in_sets, &files, mode, dry),
            import(&rows, &by_rows, &files, mode, dry)
        );
        assert_eq!(one, other, "round {round}:\n{households}\n{residents}");
        for table in &one.tables {
            created += table.created;
            updated += table.updated;
            unchanged += table.unchanged;
            faulty += table.faulty;
        }
    }
    // whatever was spoiled before, and then the whole of it once more
    let whole = [("households", HOUSEHOLDS.as_bytes()), ("residents", RESIDENTS.as_bytes())];
    for _ in 0..2 {
        let (one, other) = tokio::join!(
            import(&sets, &in_sets, &whole, pb::ImportMode::GoodRowsOnly, false),
            import(&rows, &by_rows, &whole, pb::ImportMode::GoodRowsOnly, false)
        );
        assert_eq!(one, other);
    }
    // a set begins its residences at one instant: they did go by sets, spoiled or not
    sets.sql(
        "do $$ begin assert (select count(*) > 5 * count(distinct lower(recorded)) from residence); end $$",
    )
    .await;
    let (one, other) = (stored(&sets).await, stored(&rows).await);
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
    assert_eq!(one.len(), other.len());
    assert!(
        created > 100 && updated > 100 && unchanged > 100 && faulty > 100,
        "{created} {updated} {unchanged} {faulty}"
    );
}

/// Two imports of the same rows in opposite orders: neither finds a fault, each row is there once.
#[tokio::test]
async fn two_imports_at_once_do_not_harm_each_other() {
    let (service, one) = placed(governance::jobs()).await;
    let other = service.another_worker(governance::jobs());
    let backwards = |table: &str| {
        let (header, rows) = table.split_once('\n').unwrap();
        let rows: Vec<&str> = rows.lines().rev().collect();
        format!("{header}\n{}\n", rows.join("\n"))
    };
    let (households, residents) = (backwards(HOUSEHOLDS), backwards(RESIDENTS));
    let mode = pb::ImportMode::GoodRowsOnly;
    let forth = [("households", HOUSEHOLDS.as_bytes()), ("residents", RESIDENTS.as_bytes())];
    let back = [("households", households.as_bytes()), ("residents", residents.as_bytes())];
    let first = begin(&service, &forth, mode, false).await;
    let second = begin(&service, &back, mode, false).await;
    let (a, b) = tokio::join!(one.pass(), other.pass());
    assert!(a.unwrap() && b.unwrap());
    let (first, second) = (report(&service, &first).await, report(&service, &second).await);
    for (one, other) in first.tables.iter().zip(&second.tables) {
        assert_eq!((one.faulty, other.faulty), (0, 0), "{:?} {:?}", first.rows, second.rows);
        assert_eq!(one.created + other.created, one.rows, "{one:?} {other:?}");
    }
    assert_eq!(service.steward_on("b-001-2", date(2020, 10, 11), None).await, "towns/malu/workers/w-007");
}

/// A household that another call makes while a set is read is that household, and its door is nobody else's.
#[tokio::test]
async fn what_is_made_while_a_set_is_read_is_no_fault() {
    let (service, worker) = placed(governance::jobs()).await;
    let mut other = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    let held = "set search_path = governance, public; begin; lock table building in access exclusive mode";
    sqlx::raw_sql(held).execute(&mut other).await.unwrap();
    let file = "code,building,door,occupancy\nh-00001,e-yulan-1-1,0101,OWNED\n";
    let meanwhile = async {
        // the set has read its households and waits for their buildings
        let waits = "select exists (select from pg_locks where not granted and relation = 'governance.building'::regclass)";
        while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut other).await.unwrap() {
            tokio::task::yield_now().await;
        }
        let made = "insert into household (town, id, building, door, occupancy) values ('malu', 'h-00001', 'e-yulan-1-1', '0101', 'OWNED'); commit";
        sqlx::raw_sql(made).execute(&mut other).await.unwrap();
    };
    let files = [("households", file.as_bytes())];
    let imported = import(&service, &worker, &files, pb::ImportMode::GoodRowsOnly, false);
    let (report, ()) = tokio::join!(imported, meanwhile);
    assert_eq!((report.tables[0].faulty, report.tables[0].unchanged), (0, 1), "{:?}", report.rows);
}
