//! Lists of expenses and batches go by an index, however many rows there are.

use jiff::civil::date;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::funded;

/// 20,000 expenses that wait for their payment, in batches of a hundred, made by SQL with the triggers off: only plans are looked at.
const MANY: &str = "
    set session_replication_role = replica;
    insert into expense (town, id, number, number_year, state, committee, fund, fiscal_year, earmark, category, amount_fen, purpose, applied_on,
                         account, hold, payee_sealed, data_key, policy, notice_required, notice_days, since, due, applied_by)
        select 'malu', gen_random_uuid(), '支-2020-' || lpad(n::text, 6, '0'), 2020, 'APPLIED', 'c' || lpad((n % 500)::text, 6, '0'), 'WORK', 2020,
               case when n % 100 = 0 then 'project:p' || n end, 'OFFICE', 100, 'x', '2020-06-01', gen_random_uuid(), gen_random_uuid(), '\\x00', 1, 'p',
               false, 5, '2020-06-01', '2020-06-08', 'a'
        from generate_series(1, 20000) n;
    insert into payment_batch (town, id, number, state, made_on, made_by)
        select 'malu', gen_random_uuid(), '付-2020-' || lpad(n::text, 6, '0'), 'DRAFT', '2020-06-01', 'b' from generate_series(1, 2000) n;
    insert into payment_line (town, batch, n, expense, amount_fen, purpose, payee_sealed, data_key, applied_by, reviewed_by, approved_by)
        select 'malu', b.id, n, gen_random_uuid(), 100, 'x', '\\x00', 1, 'a', 'b', 'c' from payment_batch b, generate_series(1, 10) n;
    set session_replication_role = origin";

#[tokio::test]
async fn no_page_scans_a_table() {
    let service = funded(date(2020, 6, 1)).await;
    service.sql(MANY).await;
    service.sql("analyze expense, payment_batch, payment_line").await;
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    sqlx::raw_sql("set search_path = funding, public").execute(&mut owner).await.unwrap();
    sqlx::raw_sql("set plan_cache_mode = force_generic_plan").execute(&mut owner).await.unwrap();
    for query in funding::plans::queries("malu", date(2020, 6, 1)) {
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
