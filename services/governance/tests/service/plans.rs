//! Reads and lists go by an index, however many rows there are.

use contracts::linli::governance::v1 as pb;
use jiff::civil::date;
use sqlx::{Connection, PgConnection, Row};

use crate::harness::service;

/// 5,000 committees with a block and a steward each, a force, an estate, a building, four households and four residents each,
/// made by SQL.
const MANY: &str = "
    insert into committee (town, id, kind, founding_date) select 'malu', 'c' || lpad(n::text, 6, '0'), 'RESIDENTS_COMMITTEE', '2016-01-01'
        from generate_series(1, 5000) n;
    insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
        select 'malu', gen_random_uuid(), id, '[2016-01-01,)', tstzrange(now(), null), id, 'a', 'FOUNDED' from committee;
    insert into block (town, id, life) select 'malu', 'b' || substr(id, 2), '[2020-01-01,)' from committee;
    insert into block_period (town, id, block, valid, recorded, committee, display_name)
        select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), 'c' || substr(id, 2), id from block;
    insert into stewardship (town, id, block, valid, recorded, worker, kind)
        select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), 'towns/malu/workers/w-1', 'REGULAR' from block;
    insert into estate (town, id, life) select 'malu', 'e' || substr(id, 2), '[2016-01-01,)' from committee;
    insert into estate_period (town, id, estate, valid, recorded, display_name, committee)
        select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), id, 'c' || substr(id, 2) from estate;
    insert into building (town, id, estate, life) select 'malu', 'u' || substr(id, 2), id, '[2020-01-01,)' from estate;
    insert into building_period (town, id, building, valid, recorded, display_name, committee, block)
        select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), id, 'c' || substr(id, 2), 'b' || substr(id, 2) from building;
    insert into household (town, id, building, door, occupancy)
        select 'malu', 'h' || substr(id, 2) || n, id, n::text, 'OWNED' from building, generate_series(1, 4) n;
    insert into body (town, id, level, kind, life) select 'malu', 'p' || substr(id, 2), 'COMMITTEE', 'PARTY_BRANCH', '[2018-01-01,)' from committee;
    insert into body_period (town, id, body, valid, recorded, display_name, seats, quorum, committee)
        select 'malu', gen_random_uuid(), id, life, tstzrange(now(), null), id, 3, 2, 'c' || substr(id, 2) from body;
    insert into organisation (town, id, display_name, kind) select 'malu', 'o' || substr(id, 2), id, 'GROUP' from block;
    insert into block_force (town, id, block, kind, organisation, contributions, valid, recorded)
        select 'malu', gen_random_uuid(), id, 'OTHER', 'o' || substr(id, 2), '{SERVICE}', life, tstzrange(now(), null) from block;
    insert into person (town, id, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key)
        select 'malu', 'r' || substr(id, 2), h, h, h, h, h, 1 from household, sha256(id::bytea) h;
    insert into residence (town, id, person, household, ground, valid, recorded)
        select 'malu', gen_random_uuid(), id, 'h' || substr(id, 2), 'REGISTERED', '[2012-01-01,)', tstzrange(now(), null) from person;
    insert into membership (town, id, body, seat, person, role, valid, recorded)
        select 'malu', gen_random_uuid(), id, 1, 'r' || substr(id, 2) || '1', 'CHAIR', life, tstzrange(now(), null) from body";

#[tokio::test]
async fn no_read_and_no_page_scans_a_table() {
    let service = service(date(2020, 6, 1)).await;
    service.sql(MANY).await;
    service.sql("analyze committee, committee_period, block, block_period, stewardship, estate, estate_period, building, building_period, household, person, residence, organisation, block_force, body, body_period, membership").await;
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    sqlx::raw_sql("set search_path = governance, public").execute(&mut owner).await.unwrap();
    sqlx::raw_sql("set plan_cache_mode = force_generic_plan").execute(&mut owner).await.unwrap();
    for query in governance::plans::queries("malu", date(2020, 6, 1)) {
        let parameters = (1..).take_while(|n| query.sql.contains(&format!("${n}")));
        let parameters = parameters.map(|_| "null").collect::<Vec<_>>().join(", ");
        let prepare = format!("deallocate all; prepare plan as {}", query.sql);
        sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut owner).await.unwrap();
        let explain = format!("explain execute plan({parameters})");
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(explain)).fetch_all(&mut owner).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get::<String, _>(0)).collect();
        assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{}:\n{}", query.name, plan.join("\n"));
    }
    let request =
        pb::ListCommitteesRequest { parent: "towns/malu".to_owned(), page_size: 20, ..Default::default() };
    let page = service.committees().list_committees(service.officer(request)).await.unwrap().into_inner();
    assert_eq!(page.committees.len(), 20);
}
