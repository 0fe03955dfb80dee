//! How long claims stay in each state, against what Postgres makes of the same legs.

use jiff::civil::date;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::*;

/// The numbers of the answer as Postgres has them: percentiles by its own aggregate, working days one by one. `day` says which are.
async fn plain(service: &Service, from: &str, to: &str, works: &str, which: &str) -> Vec<pb::LegDuration> {
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    sqlx::raw_sql("set search_path = insurance, public").execute(&mut owner).await.unwrap();
    let sql = format!(
        "select l.state, count(*), percentile_disc(0.5) within group (order by l.left_on - l.entered),
                percentile_disc(0.9) within group (order by l.left_on - l.entered),
                percentile_disc(0.5) within group (order by w.days)::integer, percentile_disc(0.9) within group (order by w.days)::integer,
                count(l.due), count(*) filter (where l.left_on > l.due)
         from claim_leg l join claim x on x.town = l.town and x.id = l.claim
         cross join lateral (select count(*) as days from generate_series(l.entered + 1, l.left_on, interval '1 day') d where {works}) w
         where l.left_on >= '{from}' and l.left_on < '{to}' and x.state <> 'WITHDRAWN' and {which} group by l.state"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut owner).await.unwrap();
    let leg = |row: &sqlx::postgres::PgRow| {
        let (over, with): (i64, i64) = (row.get(7), row.get(6));
        let state = format!("CLAIM_STATE_{}", row.get::<String, _>(0));
        pb::LegDuration {
            state: pb::ClaimState::from_str_name(&state).unwrap().into(),
            count: row.get(1),
            median_days: row.get(2),
            p90_days: row.get(3),
            median_working_days: row.get(4),
            p90_working_days: row.get(5),
            term_count: with,
            over_term_count: over,
            over_term_ppm: (with > 0).then(|| (over as f64 / with as f64 * 1e6).round() as i32),
        }
    };
    let mut legs: Vec<_> = rows.iter().map(leg).collect();
    legs.sort_by_key(|leg| leg.state);
    legs
}

const WEEKDAYS: &str = "extract(isodow from d) < 6";

async fn asked(service: &Service, request: pb::GetLegDurationsRequest) -> Vec<pb::LegDuration> {
    let found = service.reports().get_leg_durations(service.officer("reader", request)).await;
    found.unwrap().into_inner().legs
}

#[tokio::test]
async fn each_leg_of_a_claim_counts_once_when_it_has_ended() {
    let service = service(date(2020, 3, 5)).await;
    service.schemes().await;
    let claim = service.claim(fire(date(2020, 3, 2)), Some(1_000_00)).await;
    // from Thursday to Tuesday: five days, three of them working days; the term is two
    service.clock.set(date(2020, 3, 10)).unwrap();
    let accept = step!(AcceptClaimRequest, claim);
    let claim =
        service.claims().accept_claim(service.officer("acceptor", accept)).await.unwrap().into_inner();
    let ended = |many, days, working, over| pb::LegDuration {
        state: pb::ClaimState::Reported.into(),
        count: many,
        median_days: days,
        p90_days: days,
        median_working_days: working,
        p90_working_days: working,
        term_count: many,
        over_term_count: over,
        over_term_ppm: Some(i32::try_from(over * 1_000_000 / many).unwrap()),
    };
    let period = legs(date(2020, 3, 10), date(2020, 3, 11));
    assert_eq!(asked(&service, period.clone()).await, [ended(1, 5, 3, 1)]);
    assert!(asked(&service, legs(date(2020, 3, 5), date(2020, 3, 10))).await.is_empty());
    assert!(asked(&service, legs(date(2020, 3, 11), date(2020, 4, 1))).await.is_empty());
    // documents are asked for without a term
    let ask = step!(RequestClaimDocumentsRequest, claim, kinds: vec!["INVOICES".to_owned()]);
    let by = service.officer("acceptor", ask);
    let claim = service.claims().request_claim_documents(by).await.unwrap().into_inner();
    service.clock.set(date(2020, 3, 20)).unwrap();
    let resume = step!(ResumeClaimRequest, claim);
    service.claims().resume_claim(service.officer("acceptor", resume)).await.unwrap();
    let found = asked(&service, legs(date(2020, 3, 1), date(2020, 4, 1))).await;
    let states: Vec<_> = found.iter().map(|leg| (leg.state(), leg.term_count, leg.over_term_ppm)).collect();
    assert_eq!(
        states,
        [
            (pb::ClaimState::Reported, 1, Some(1_000_000)),
            (pb::ClaimState::Accepted, 1, Some(0)),
            (pb::ClaimState::DocumentsRequested, 0, None)
        ]
    );
    assert_eq!((found[2].median_days, found[2].median_working_days), (10, 8));
}

/// Legs of all lengths, in three states, behind what was done; by committees in turn.
const MANY: &str = "
    insert into claim_leg (town, claim, n, state, entered, left_on, due)
        select 'malu', c.id, 100 + n, (array['ACCEPTED', 'SURVEYED', 'NOTICE'])[1 + n % 3], date '2020-01-01' + n % 97,
               date '2020-01-01' + n % 97 + (n * n) % 41, case when n % 5 > 0 then date '2020-01-01' + n % 97 + n % 13 end
        from generate_series(1, 3000) n
        join (select id, row_number() over (order by id) - 1 as at from claim) c on c.at = n % 5";

#[tokio::test]
async fn many_legs_come_out_as_postgres_has_them() {
    let (service, _) = year().await;
    service.sql(MANY).await;
    let (from, to) = (date(2020, 1, 15), date(2020, 4, 1));
    let found = asked(&service, legs(from, to)).await;
    assert!(found.len() >= 3 && found.iter().all(|leg| leg.count > 0));
    assert_eq!(found, plain(&service, "2020-01-15", "2020-04-01", WEEKDAYS, "true").await);
    // of one committee, asked by the town and by its own officer
    let second =
        pb::GetLegDurationsRequest { committee: "towns/malu/committees/c2".to_owned(), ..legs(from, to) };
    let wanted = plain(&service, "2020-01-15", "2020-04-01", WEEKDAYS, "x.committee = 'c2'").await;
    assert_eq!(asked(&service, second).await, wanted);
    let own = service.by(As::Committee("neighbour", "c2"), legs(from, to));
    assert_eq!(service.reports().get_leg_durations(own).await.unwrap().into_inner().legs, wanted);
    // and of one insurer
    let own = service.by(As::Adjuster("a", "o-insurer-0"), legs(from, to));
    let wanted =
        plain(&service, "2020-01-15", "2020-04-01", WEEKDAYS, "'o-insurer-0' = any(x.insurers)").await;
    assert_eq!(service.reports().get_leg_durations(own).await.unwrap().into_inner().legs, wanted);
}

#[tokio::test]
async fn holidays_are_no_working_days() {
    let (mut service, _) = year().await;
    service.sql(MANY).await;
    service
        .governance_sql(
            "insert into calendar_paper (id, title, issued) values ('p-2020', '国务院办公厅关于2020年部分节假日安排的通知', '2019-11-21');
             insert into calendar_paper_day (paper, day, kind) values ('p-2020', '2020-01-01', 'HOLIDAY'), ('p-2020', '2020-01-19', 'MAKE_UP_WORK');
             insert into calendar_paper_day (paper, day, kind) select 'p-2020', date '2020-01-24' + n, 'HOLIDAY' from generate_series(0, 6) n",
        )
        .await;
    service.fail_over();
    let works = "(extract(isodow from d) < 6 or d = '2020-01-19') and d not between '2020-01-24' and '2020-01-30' and d <> '2020-01-01'";
    let found = asked(&service, legs(date(2020, 1, 1), date(2020, 5, 1))).await;
    assert_eq!(found, plain(&service, "2020-01-01", "2020-05-01", works, "true").await);
    assert_ne!(found, plain(&service, "2020-01-01", "2020-05-01", WEEKDAYS, "true").await);
}

#[tokio::test]
async fn a_period_has_an_end_behind_its_beginning() {
    let service = service(date(2020, 3, 5)).await;
    let day = date(2020, 3, 5);
    for request in [
        legs(day, day),
        legs(day, date(2020, 3, 4)),
        legs(day, date(2031, 3, 5)),
        pb::GetLegDurationsRequest { end_date: None, ..legs(day, day) },
        pb::GetLegDurationsRequest {
            committee: "towns/other/committees/c1".to_owned(),
            ..legs(day, date(2020, 4, 1))
        },
    ] {
        let bad = service.reports().get_leg_durations(service.officer("reader", request)).await.unwrap_err();
        assert_eq!(bad.code(), tonic::Code::InvalidArgument);
    }
}
