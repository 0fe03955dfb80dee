//! Lists of the questions go by an index, however many claims there are; ratios and legs add up what they are asked of.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::*;

/// 20,000 claims of ten years and two towns with what hangs on them, made by SQL with the triggers off: only plans are looked at.
const MANY: &str = "
    set session_replication_role = replica;
    insert into claim (town, id, number, state, incident, event, peril, object, happened_on, reported_on, place_kind, place, insured, claimant,
                       household, committee, insurers, payee_sealed, data_key, decision, outcome, rule, approved_fen, assessed_fen, since,
                       reported_by, adjudicated_by, assessed_by)
        select case when n % 2 = 0 then 'malu' else 'other' end, gen_random_uuid(), '民-2020-' || lpad(n::text, 6, '0'), 'ADJUDICATED',
               gen_random_uuid(), gen_random_uuid(), 'P' || n % 100, 'PERSON', date '2015-01-01' + n % 3650, date '2015-01-01' + n % 3650, 'TEXT', 'x',
               'p' || n, 'p' || n, '', 'c' || n % 500, '{o}', '\\x00', 1, 1, 'REJECTED', 'NOT_RESIDENT_ON_DAY', 0, 0, date '2015-01-01' + n % 3650,
               'a', 'b', 'c'
        from generate_series(1, 20000) n;
    insert into claim_line (town, claim, decision, n, programme, policy, version, insurer, outcome, rule, loss, seen_fen, covered_fen, approved_fen, trace)
        select town, id, 1, 1, 'cci', 'y' || extract(year from happened_on), 1, 'o', 'REJECTED', 'NOT_RESIDENT_ON_DAY', true, 0, 0, 0, '[]' from claim;
    insert into claim_leg (town, claim, n, state, entered, left_on) select town, id, 1, 'REPORTED', happened_on, happened_on + 2 from claim;
    insert into cap_used (town, policy, cap, peril, subject, year, used_fen)
        select town, 'y' || extract(year from happened_on), 'PERSON_YEAR', '', insured, extract(year from happened_on)::integer, 100 from claim;
    insert into claim_draw (town, claim, decision, policy, version, cap, peril, subject, year, amount_fen)
        select town, id, 1, 'y' || extract(year from happened_on), 1, 'PERSON_YEAR', '', insured, extract(year from happened_on)::integer, 100 from claim;
    insert into incident (town, id, number, number_year, state, peril, happened_on, place_kind, place, description, data_key, source, person,
                          household, committee, block, event, reported_on, reported_by, verified_on, verified_by, covered, verification)
        select town, incident, '险-2020-' || right(number, 6), 2020, case when right(number, 1) = '1' then 'VERIFIED' else 'CLOSED' end, peril, happened_on,
               'TEXT', 'x', '\\x00', 1, 'FAMILY', insured, '', committee, '', event, happened_on, 'a', happened_on, 'b', true, 1 from claim;
    set session_replication_role = origin";

/// Tables that grow with the claims.
const GROWING: [&str; 7] =
    ["claim x", "claim_line", "claim_payment", "claim_leg", "claim_draw", "cap_used", "incident"];

#[tokio::test]
async fn no_list_scans_what_grows() {
    let service = service(date(2020, 6, 1)).await;
    service.schemes().await;
    service.sql(MANY).await;
    service.sql("analyze claim, claim_line, claim_leg, cap_used, claim_draw, incident").await;
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    sqlx::raw_sql("set search_path = insurance, public").execute(&mut owner).await.unwrap();
    sqlx::raw_sql("set plan_cache_mode = force_generic_plan").execute(&mut owner).await.unwrap();
    let lists =
        ["ListRejectionReasons", "ListBenefitsByCommittee", "ListUnclaimedByCommittee", "ListExhaustedCaps"];
    let queries = insurance::plans::queries("malu", date(2020, 6, 1));
    for name in lists {
        let query = queries.iter().find(|query| query.name == name).unwrap();
        let parameters = (1..).take_while(|n| query.sql.contains(&format!("${n}")));
        let parameters = parameters.map(|_| "null").collect::<Vec<_>>().join(", ");
        let prepare = format!("deallocate all; prepare plan as {}", query.sql);
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut owner).await.unwrap();
        let explain = format!("explain execute plan({parameters})");
        let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut owner).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get::<String, _>(0)).collect();
        let scans =
            |line: &String| GROWING.iter().any(|table| line.contains(&format!("Seq Scan on {table}")));
        assert!(!plan.iter().any(scans), "{name}:\n{}", plan.join("\n"));
    }
}
