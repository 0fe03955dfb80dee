//! Households and residents: a page of a block on a day, where an address was, where somebody lived.

use std::time::{Duration, Instant};

use chassis::{
    call::Call,
    clock::Clock,
    context::Context,
    db::Schema,
    testing::{TestDb, call},
    wire,
};
use contracts::linli::governance::v1::{
    self as pb, household_service_server::HouseholdService, residence_service_server::ResidenceService,
    structure_service_server::StructureService,
};
use governance::{household::Households, residence::Residences, structure::Structures};
use jiff::civil::date;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    Done, by, median,
    sizes::{Measured, PAIRS},
};

/// Households of a building, buildings of a block, blocks of a committee: a committee has 600 households.
const OF_BUILDING: u64 = 60;
const OF_BLOCK: u64 = 5;
const OF_COMMITTEE: u64 = 2;
/// Cards that are measured: each opens 600 dates of birth.
const CARDS: usize = 20;

/// Times of the bare driver and of ours.
#[derive(Default)]
struct Times(Vec<Duration>, Vec<Duration>);

impl Times {
    fn measured(self, call: &'static str) -> Measured {
        Measured { call, bare: median(self.0), ours: median(self.1) }
    }
}

struct Town {
    bare: PgConnection,
    caller: Call,
    context: Context,
    rows: u64,
}

/// So many households and as many residents.
pub(crate) async fn at(rows: u64) -> Done<[Measured; 4]> {
    let db = TestDb::new(&Schema::new("governance", &governance::MIGRATIONS)).await;
    fill(&db, rows).await?;
    let clock = Clock::starting(date(2020, 6, 1));
    let caller = call("bench", "administrator", "everywhere", "bench", "governance.households.list", &clock);
    let mut bare = PgConnection::connect(&db.database.owner_url).await?;
    sqlx::raw_sql("set search_path = governance, public").execute(&mut bare).await?;
    let mut town = Town { bare, caller, context: db.context.clone(), rows };
    let (mut page, mut place, mut check) = (Times::default(), Times::default(), Times::default());
    let mut card = Times::default();
    town.born(&db).await?;
    for _ in 0..CARDS {
        town.card(&mut card).await?;
    }
    for n in 0..PAIRS {
        let n = n as u64 * 7_919 % rows;
        town.page(n, &mut page).await?;
        town.place(n, &mut place).await?;
        town.check(n, &mut check).await?;
    }
    Ok([
        page.measured("ListHouseholds of a block on a day, 50"),
        place.measured("LookUpHousehold on a day"),
        check.measured("CheckResidence on a day"),
        card.measured("GetCommitteeCard of 600 households"),
    ])
}

impl Town {
    /// Gives the residents of the first committee their dates of birth, sealed as the service does.
    async fn born(&mut self, db: &TestDb) -> Done<()> {
        let mut owner = PgConnection::connect(&db.database.owner_url).await?;
        for n in 0..(OF_BUILDING * OF_BLOCK * OF_COMMITTEE).min(self.rows) {
            let id = format!("r{n:07}");
            let birth = format!("{}-06-15", 1930 + n % 90);
            let sealed = self
                .context
                .db
                .vault()
                .seal(&format!("towns/malu/people/{id} birth_date"), birth.as_bytes())?;
            sqlx::query("update governance.person set birth_sealed = $2 where town = 'malu' and id = $1")
                .bind(&id)
                .bind(sealed)
                .execute(&mut owner)
                .await?;
        }
        owner.close().await?;
        Ok(())
    }

    async fn card(&mut self, times: &mut Times) -> Done<()> {
        let begun = Instant::now();
        sqlx::query(RESIDENTS).bind("c0000000").fetch_all(&mut self.bare).await?;
        times.0.push(begun.elapsed());
        let request = pb::GetCommitteeCardRequest {
            name: "towns/malu/committees/c0000000".to_owned(),
            as_of_date: Some(wire::to_date(date(2020, 3, 1))),
            ..Default::default()
        };
        let begun = Instant::now();
        let card = Structures(self.context.clone()).get_committee_card(by(&self.caller, request)).await?;
        times.1.push(begun.elapsed());
        let expected = (OF_BUILDING * OF_BLOCK * OF_COMMITTEE).min(self.rows);
        if u64::try_from(card.get_ref().residents)? != expected {
            return Err(format!("a card of {} residents", card.get_ref().residents).into());
        }
        Ok(())
    }

    async fn page(&mut self, n: u64, times: &mut Times) -> Done<()> {
        let block = format!("b{:07}", n / OF_BUILDING / OF_BLOCK);
        let begun = Instant::now();
        sqlx::query(PAGE).bind(&block).fetch_all(&mut self.bare).await?;
        times.0.push(begun.elapsed());
        let request = pb::ListHouseholdsRequest {
            parent: "towns/malu".to_owned(),
            filter: format!("block = \"towns/malu/blocks/{block}\""),
            as_of_date: Some(wire::to_date(date(2020, 3, 1))),
            page_size: 50,
            ..Default::default()
        };
        let begun = Instant::now();
        let page = Households(self.context.clone()).list_households(by(&self.caller, request)).await?;
        times.1.push(begun.elapsed());
        let expected = self.rows.min(50).min(OF_BUILDING * OF_BLOCK);
        if n / OF_BUILDING / OF_BLOCK == 0 && page.get_ref().households.len() as u64 != expected {
            return Err(format!("a page of {}", page.get_ref().households.len()).into());
        }
        Ok(())
    }

    async fn place(&mut self, n: u64, times: &mut Times) -> Done<()> {
        let id = format!("h{n:07}");
        let begun = Instant::now();
        sqlx::query(PLACE).bind(&id).fetch_one(&mut self.bare).await?;
        times.0.push(begun.elapsed());
        let request = pb::LookUpHouseholdRequest {
            name: format!("towns/malu/households/{id}"),
            as_of_date: Some(wire::to_date(date(2020, 3, 1))),
            ..Default::default()
        };
        let begun = Instant::now();
        Households(self.context.clone()).look_up_household(by(&self.caller, request)).await?;
        times.1.push(begun.elapsed());
        Ok(())
    }

    async fn check(&mut self, n: u64, times: &mut Times) -> Done<()> {
        let id = format!("r{n:07}");
        let begun = Instant::now();
        sqlx::query(CHECK).bind(&id).fetch_one(&mut self.bare).await?;
        times.0.push(begun.elapsed());
        let request = pb::CheckResidenceRequest {
            name: format!("towns/malu/people/{id}"),
            as_of_date: Some(wire::to_date(date(2020, 3, 1))),
            ..Default::default()
        };
        let begun = Instant::now();
        let found = Residences(self.context.clone()).check_residence(by(&self.caller, request)).await?;
        times.1.push(begun.elapsed());
        if !found.get_ref().resident { Err(format!("{id} lives nowhere").into()) } else { Ok(()) }
    }
}

const PAGE: &str = "select h.*, b.estate, p.committee, p.block from household h
    join building b on b.town = h.town and b.id = h.building
    join building_period p on p.town = h.town and p.building = h.building
    where h.town = 'malu' and upper_inf(p.recorded) and p.valid @> date '2020-03-01' and p.block = $1 order by h.id limit 51";
const RESIDENTS: &str = "select x.id, x.sex, x.birth_sealed, bool_or(r.ground = 'REGISTERED') as registered
    from building_period p join household h on h.town = p.town and h.building = p.building
    join residence r on r.town = h.town and r.household = h.id join person x on x.town = r.town and x.id = r.person
    where p.town = 'malu' and p.committee = $1 and upper_inf(p.recorded) and p.valid @> date '2020-03-01'
      and upper_inf(r.recorded) and r.valid @> date '2020-03-01' group by x.town, x.id";
const PLACE: &str =
    "select h.*, b.estate, p.committee, p.block, c.community, k.display_name, s.worker from household h
    join building b on b.town = h.town and b.id = h.building
    join building_period p on p.town = h.town and p.building = h.building and upper_inf(p.recorded) and p.valid @> date '2020-03-01'
    join committee_period c on c.town = p.town and c.committee = p.committee and upper_inf(c.recorded) and c.valid @> date '2020-03-01'
    join block_period k on k.town = p.town and k.block = p.block and upper_inf(k.recorded) and k.valid @> date '2020-03-01'
    join stewardship s on s.town = p.town and s.block = p.block and upper_inf(s.recorded) and s.valid @> date '2020-03-01'
    where h.town = 'malu' and h.id = $1";
const CHECK: &str = "select r.*, x.version, h.building, p.committee, p.block, c.community
    from residence r join person x on x.town = r.town and x.id = r.person
    join household h on h.town = r.town and h.id = r.household
    left join building_period p on p.town = r.town and p.building = h.building and upper_inf(p.recorded) and p.valid @> date '2020-03-01'
    left join committee_period c on c.town = p.town and c.committee = p.committee and upper_inf(c.recorded) and c.valid @> date '2020-03-01'
    where r.town = 'malu' and r.person = $1 and upper_inf(r.recorded) and r.valid @> date '2020-03-01' order by r.ground";

async fn fill(db: &TestDb, rows: u64) -> Done<()> {
    let mut owner = PgConnection::connect(&db.database.owner_url).await?;
    let buildings = rows.div_ceil(OF_BUILDING);
    let blocks = buildings.div_ceil(OF_BLOCK);
    let sql = format!(
        "set search_path = governance, public; set session_replication_role = replica;
         insert into town (town, display_name) values ('malu', '马陆镇');
         insert into community (town, id, display_name) values ('malu', 'a', '甲');
         insert into committee (town, id, kind, founding_date)
             select 'malu', 'c' || lpad(n::text, 7, '0'), 'RESIDENTS_COMMITTEE', '2016-01-01' from generate_series(0, {blocks} / {OF_COMMITTEE}) n;
         insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
             select 'malu', gen_random_uuid(), id, '[2016-01-01,)', tstzrange(now(), null), id, 'a', 'FOUNDED' from committee;
         insert into block (town, id, life)
             select 'malu', 'b' || lpad(n::text, 7, '0'), '[2020-01-01,)' from generate_series(0, {blocks} - 1) n;
         insert into block_period (town, id, block, valid, recorded, committee, display_name)
             select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), 'c' || lpad((substr(id, 2)::int / {OF_COMMITTEE})::text, 7, '0'), id from block;
         insert into stewardship (town, id, block, valid, recorded, worker, kind)
             select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), 'towns/malu/workers/w-1', 'REGULAR' from block;
         insert into estate (town, id, life) select 'malu', 'e' || substr(id, 2), '[2016-01-01,)' from committee;
         insert into estate_period (town, id, estate, valid, recorded, display_name, committee)
             select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), id, 'c' || substr(id, 2) from estate;
         insert into building (town, id, estate, life)
             select 'malu', 'u' || lpad(n::text, 7, '0'), 'e' || lpad((n / {OF_BLOCK} / {OF_COMMITTEE})::text, 7, '0'), '[2020-01-01,)'
             from generate_series(0, {buildings} - 1) n;
         insert into building_period (town, id, building, valid, recorded, display_name, committee, block)
             select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), id, 'c' || substr(estate, 2),
                    'b' || lpad((substr(id, 2)::int / {OF_BLOCK})::text, 7, '0') from building;
         insert into household (town, id, building, door, occupancy)
             select 'malu', 'h' || lpad(n::text, 7, '0'), 'u' || lpad((n / {OF_BUILDING})::text, 7, '0'), (n % {OF_BUILDING})::text, 'OWNED'
             from generate_series(0, {rows} - 1) n;
         insert into person (town, id, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key)
             select 'malu', 'r' || lpad(n::text, 7, '0'), h, h, h, h, h, 1
             from generate_series(0, {rows} - 1) n, sha256(n::text::bytea) h;
         insert into residence (town, id, person, household, ground, valid, recorded)
             select 'malu', gen_random_uuid(), id, 'h' || substr(id, 2), 'REGISTERED', '[2012-01-01,)', tstzrange(now(), null) from person;
         analyze"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await?;
    owner.close().await?;
    Ok(())
}
