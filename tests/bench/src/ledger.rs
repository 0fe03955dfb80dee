//! Transfers booked by the ledger, in batches of growing size, against the transaction that one would write by hand: lock two rows, move
//! two balances, insert an entry and two postings, commit. In turn, on one connection each, on one Postgres.

use std::time::{Duration, Instant};

use chassis::{db::Schema, testing::TestDb};
use funding::measure::{Transfer, transfer};
use jiff::civil::date;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::Done;

/// Accounts that transfers go between.
const ACCOUNTS: usize = 1_000;
/// Transfers of a round, each way.
const ROUND: usize = 1_000;
/// Rounds.
const ROUNDS: usize = 15;
/// Transfers of a statement.
const BATCHES: [usize; 4] = [1, 10, 100, 1_000];

/// A random but repeatable sequence of pairs.
struct Pairs(u64);

impl Pairs {
    fn next(&mut self) -> usize {
        // a linear congruential generator (Knuth, MMIX)
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % ACCOUNTS
    }

    fn transfers(&mut self, accounts: &[Uuid], n: usize) -> Vec<Transfer> {
        let pair = |a: usize, b: usize| (accounts[a], accounts[if a == b { (b + 1) % ACCOUNTS } else { b }]);
        (0..n)
            .map(|_| {
                let (from, into) = pair(self.next(), self.next());
                Transfer { from, into, fen: 1 }
            })
            .collect()
    }
}

pub(crate) async fn run() -> Done<()> {
    let db = TestDb::new(&Schema::new("funding", &funding::MIGRATIONS)).await;
    let mut by_hand = connect(&db, "funding, public").await?;
    let mut ours = connect(&db, "funding, public").await?;
    let accounts = prepare(&mut by_hand).await?;
    let mut pairs = Pairs(2_020);
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); BATCHES.len() + 1];
    for _ in 0..ROUNDS {
        let transfers = pairs.transfers(&accounts, ROUND);
        let begun = Instant::now();
        for one in &transfers {
            naive(&mut by_hand, one).await?;
        }
        times[0].push(begun.elapsed());
        for (n, batch) in BATCHES.into_iter().enumerate() {
            let transfers = pairs.transfers(&accounts, ROUND);
            let begun = Instant::now();
            for piece in transfers.chunks(batch) {
                let mut tx = ours.begin().await?;
                transfer(&mut tx, "malu", date(2020, 6, 1), piece).await?;
                tx.commit().await?;
            }
            times[n + 1].push(begun.elapsed());
        }
    }
    let rate = |times: &[Duration]| ROUND as f64 / (crate::median(times.to_vec()) / 1e6);
    let naive = rate(&times[0]);
    println!(
        "| {ROUND} transfers between {ACCOUNTS} accounts, median of {ROUNDS} rounds | transfers/s | ratio |\n|---|---|---|"
    );
    println!("| by hand: SELECT … FOR UPDATE, two UPDATEs, INSERTs, COMMIT for each | {naive:.0} | 1.00 |");
    for (batch, times) in BATCHES.iter().zip(&times[1..]) {
        println!("| the ledger, {batch} in a statement | {:.0} | {:.2} |", rate(times), rate(times) / naive);
    }
    Ok(())
}

async fn connect(db: &TestDb, path: &str) -> Done<PgConnection> {
    let mut connection = PgConnection::connect(&db.database.owner_url).await?;
    sqlx::query("select set_config('search_path', $1, false)").bind(path).execute(&mut connection).await?;
    Ok(connection)
}

/// The same accounts twice: the ledger's, and those of the way by hand, in tables alike with the same indexes, but no triggers.
async fn prepare(sql: &mut PgConnection) -> Done<Vec<Uuid>> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "insert into fiscal_year (town, year) values ('malu', 2020);
         insert into account (town, id, kind, fund, fiscal_year) values ('malu', gen_random_uuid(), 'APPROPRIATION', 'WORK', 2020);
         insert into account (town, id, kind, fund, fiscal_year, committee)
             select 'malu', gen_random_uuid(), 'COMMITTEE', 'WORK', 2020, 'c' || n from generate_series(1, {ACCOUNTS}) n;
         with money as (select gen_random_uuid() as entry, a.id from account a where kind = 'COMMITTEE'),
              booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                  select 'malu', entry, 'ALLOCATION', entry::text, 2020, '2020-01-01', '', '', 2, 'p' from money)
         insert into posting (town, entry, n, account, amount_fen, booked_on)
             select 'malu', entry, 1, id, 100000000, date '2020-01-01' from money
             union all select 'malu', entry, 2, (select id from account where kind = 'APPROPRIATION'), -100000000, date '2020-01-01' from money;
         create table by_hand_account (like account including defaults including constraints including indexes);
         create table by_hand_entry (like entry including all);
         create table by_hand_posting (like posting including all);
         insert into by_hand_account select * from account;
         analyze"
    )))
    .execute(&mut *sql)
    .await?;
    Ok(sqlx::query_scalar("select id from account where kind = 'COMMITTEE' order by committee")
        .fetch_all(sql)
        .await?)
}

async fn naive(connection: &mut PgConnection, transfer: &Transfer) -> Done<()> {
    let mut tx = connection.begin().await?;
    let pair = [transfer.from, transfer.into];
    let rows = sqlx::query(
        "select id, balance_fen - held_fen from by_hand_account where town = 'malu' and id = any($1) order by id for update",
    )
    .bind(pair)
    .fetch_all(&mut *tx)
    .await?;
    if rows.len() != 2 {
        return Err("an account is missing".into());
    }
    for (account, fen) in [(transfer.from, -transfer.fen), (transfer.into, transfer.fen)] {
        sqlx::query("update by_hand_account set balance_fen = balance_fen + $2, version = version + 1 where town = 'malu' and id = $1")
            .bind(account)
            .bind(fen)
            .execute(&mut *tx)
            .await?;
    }
    let entry = Uuid::now_v7();
    sqlx::query(
        "insert into by_hand_entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
         values ('malu', $1, 'TRANSFER', $2, 2020, '2020-06-01', 'measure', 'measure', 2, 'measure')",
    )
    .bind(entry)
    .bind(entry.to_string())
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "insert into by_hand_posting (town, entry, n, account, amount_fen, booked_on)
         values ('malu', $1, 1, $2, $4, '2020-06-01'), ('malu', $1, 2, $3, $5, '2020-06-01')",
    )
    .bind(entry)
    .bind(transfer.from)
    .bind(transfer.into)
    .bind(-transfer.fen)
    .bind(transfer.fen)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
