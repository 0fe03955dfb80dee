//! Lists of incidents go by an index, however many rows there are.

use jiff::civil::date;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::insured;

/// 20,000 incidents, made by SQL with the triggers off: only plans are looked at.
const MANY: &str = "
    set session_replication_role = replica;
    insert into incident (town, id, number, number_year, state, peril, happened_on, place_kind, place, description, data_key, source, person,
                          household, committee, block, event, reported_on, reported_by)
        select 'malu', gen_random_uuid(), '险-2020-' || lpad(n::text, 6, '0'), 2020, case when n % 50 = 0 then 'REPORTED' else 'CLOSED' end, 'P' || n % 100,
               '2020-06-01', 'TEXT', 'x', '\\x00', 1, 'FAMILY', 'p' || n, 'h' || n % 9000, 'c' || n % 500, 'b' || n % 2000, gen_random_uuid(), '2020-06-01', 'a'
        from generate_series(1, 20000) n;
    set session_replication_role = origin";

#[tokio::test]
async fn no_page_scans_a_table() {
    let service = insured(date(2020, 6, 1)).await;
    service.sql(MANY).await;
    service.sql("analyze incident").await;
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    sqlx::raw_sql("set search_path = insurance, public").execute(&mut owner).await.unwrap();
    sqlx::raw_sql("set plan_cache_mode = force_generic_plan").execute(&mut owner).await.unwrap();
    for query in insurance::plans::queries("malu", date(2020, 6, 1)) {
        if !query.name.contains("Incidents") {
            continue;
        }
        let parameters = (1..).take_while(|n| query.sql.contains(&format!("${n}")));
        let parameters = parameters.map(|_| "null").collect::<Vec<_>>().join(", ");
        let prepare = format!("deallocate all; prepare plan as {}", query.sql);
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut owner).await.unwrap();
        let explain = format!("explain execute plan({parameters})");
        let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut owner).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get::<String, _>(0)).collect();
        assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{}:\n{}", query.name, plan.join("\n"));
    }
}
