//! Constraints, tried behind the service's back.

use jiff::civil::date;

use crate::harness::service;

fn constraint(error: &sqlx::Error) -> String {
    error.as_database_error().and_then(|error| error.constraint()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_block_has_exactly_one_steward_on_every_day() {
    let service = service(date(2020, 6, 1)).await;
    service.committee("c1", date(2016, 1, 1)).await;
    service.block("b1", "c1", date(2020, 1, 1)).await;
    let insert = |valid: &str| {
        format!(
            "insert into stewardship (town, id, block, valid, recorded, worker, kind)
             values ('malu', gen_random_uuid(), 'b1', '{valid}', tstzrange(now(), null), 'w-9', 'REGULAR')"
        )
    };
    for (sql, refused) in [
        (insert("[2020-05-31,2020-06-01)"), "stewardship_one_per_day"),
        ("delete from stewardship".to_owned(), "stewardship_every_day"),
        (
            "update stewardship set recorded = tstzrange(lower(recorded), now())".to_owned(),
            "stewardship_every_day",
        ),
        (
            format!(
                "update stewardship set recorded = tstzrange(lower(recorded), clock_timestamp()); {}; {}",
                insert("[2020-01-01,2020-05-01)"),
                insert("[2020-05-02,)")
            ),
            "stewardship_every_day",
        ),
        ("update stewardship set valid = '[2020-01-01,2020-02-01)'".to_owned(), "history_is_kept"),
        ("update stewardship set worker = 'w-8'".to_owned(), "history_is_kept"),
        (
            "insert into block (town, id, life) values ('malu', 'b2', '[2020-01-01,)')".to_owned(),
            "stewardship_every_day",
        ),
        ("update block set life = '[2019-01-01,)'".to_owned(), "stewardship_every_day"),
        ("delete from block_period".to_owned(), "block_every_day"),
    ] {
        let error = service.try_sql(&sql).await.expect_err(&sql);
        assert_eq!(constraint(&error), refused, "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_committee_is_one_thing_on_every_day() {
    let service = service(date(2020, 6, 1)).await;
    service.committee("c1", date(2016, 1, 1)).await;
    for (sql, refused) in [
        ("delete from committee_period".to_owned(), "committee_every_day"),
        ("update committee_period set state = 'DISSOLVED'".to_owned(), "history_is_kept"),
        ("update committee set founding_date = '2015-01-01'".to_owned(), "committee_every_day"),
        (
            "insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
             values ('malu', gen_random_uuid(), 'c1', '[2018-01-01,2019-01-01)', tstzrange(now(), null), 'x', 'a', 'FOUNDED')"
                .to_owned(),
            "committee_one_truth_per_day",
        ),
        (
            "insert into household_count (town, id, committee, valid_on, recorded, households)
             select 'malu', gen_random_uuid(), 'c1', '2020-01-01', tstzrange(now(), null), n from generate_series(1, 2) n"
                .to_owned(),
            "household_count_one_per_day",
        ),
        ("insert into bootstrap (principal) values ('a'), ('b')".to_owned(), "bootstrap_pkey"),
        ("insert into bootstrap (only_one, principal) values (false, 'a')".to_owned(), "bootstrap_only_one_check"),
    ] {
        let error = service.try_sql(&sql).await.expect_err(&sql);
        assert_eq!(constraint(&error), refused, "{sql}: {error}");
    }
}
