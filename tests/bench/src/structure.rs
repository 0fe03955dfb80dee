//! A read and a page of committees.

use std::time::Instant;

use chassis::{
    clock::Clock,
    db::Schema,
    testing::{TestDb, call},
};
use contracts::linli::governance::v1::{
    self as pb, committee_service_server::CommitteeService, stewardship_service_server::StewardshipService,
};
use governance::{committee::Committees, stewardship::Stewardships};
use jiff::civil::date;
use sqlx::{Connection, PgConnection};

use crate::{
    Done, by, median,
    sizes::{Measured, PAIRS},
};

/// A read and a page of so many committees.
pub(crate) async fn at(rows: u64) -> Done<[Measured; 2]> {
    let db = TestDb::new(&Schema::new("governance", &governance::MIGRATIONS)).await;
    fill(&db, rows).await?;
    let clock = Clock::starting(date(2020, 6, 1));
    let caller = call("bench", "administrator", "everywhere", "bench", "governance.committees.list", &clock);
    let committees = Committees(db.context.clone());
    let mut bare = PgConnection::connect(&db.database.owner_url).await?;
    sqlx::raw_sql("set search_path = governance, public").execute(&mut bare).await?;
    let (mut one, mut page) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for n in 0..PAIRS {
        let id = format!("c{:07}", 1 + (n as u64 * 7_919) % rows);
        let begun = Instant::now();
        sqlx::query(READ).bind(&id).fetch_one(&mut bare).await?;
        one.0.push(begun.elapsed());
        let request =
            pb::GetCommitteeRequest { name: format!("towns/malu/committees/{id}"), ..Default::default() };
        let begun = Instant::now();
        committees.get_committee(by(&caller, request)).await?;
        one.1.push(begun.elapsed());

        let begun = Instant::now();
        sqlx::query(PAGE).bind("c").fetch_all(&mut bare).await?;
        page.0.push(begun.elapsed());
        let request = pb::ListCommitteesRequest {
            parent: "towns/malu".to_owned(),
            page_size: 50,
            ..Default::default()
        };
        let begun = Instant::now();
        committees.list_committees(by(&caller, request)).await?;
        page.1.push(begun.elapsed());
    }
    // one read of a steward, so that its plan is warm in no measurement of ours
    let steward =
        pb::LookUpStewardRequest { name: "towns/malu/blocks/b0000001".to_owned(), ..Default::default() };
    Stewardships(db.context.clone()).look_up_steward(by(&caller, steward)).await?;
    Ok([
        Measured { call: "GetCommittee", bare: median(one.0), ours: median(one.1) },
        Measured { call: "ListCommittees of 50", bare: median(page.0), ours: median(page.1) },
    ])
}

const READ: &str =
    "select c.*, p.* from committee c join committee_period p on p.town = c.town and p.committee = c.id
    where c.town = 'malu' and c.id = $1 and upper_inf(p.recorded) and p.valid @> date '2020-06-01'";
const PAGE: &str = "select c.*, p.* from committee c join committee_period p on p.town = c.town and p.committee = c.id
    where c.town = 'malu' and c.id > $1 and upper_inf(p.recorded) and p.valid @> date '2020-06-01' order by c.id limit 51";

async fn fill(db: &TestDb, rows: u64) -> Done<()> {
    let mut owner = PgConnection::connect(&db.database.owner_url).await?;
    let sql = format!(
        "set search_path = governance, public; set session_replication_role = replica;
         insert into town (town, display_name) values ('malu', '马陆镇');
         insert into community (town, id, display_name) values ('malu', 'a', '甲');
         insert into committee (town, id, kind, founding_date)
             select 'malu', 'c' || lpad(n::text, 7, '0'), 'RESIDENTS_COMMITTEE', '2016-01-01' from generate_series(1, {rows}) n;
         insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
             select 'malu', gen_random_uuid(), id, '[2016-01-01,)', tstzrange(now(), null), id, 'a', 'FOUNDED' from committee;
         insert into block (town, id, life) select 'malu', 'b' || substr(id, 2), '[2020-01-01,)' from committee;
         insert into block_period (town, id, block, valid, recorded, committee, display_name)
             select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), 'c' || substr(id, 2), id from block;
         insert into stewardship (town, id, block, valid, recorded, worker, kind)
             select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), 'towns/malu/workers/w-1', 'REGULAR' from block;
         analyze"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut owner).await?;
    owner.close().await?;
    Ok(())
}
