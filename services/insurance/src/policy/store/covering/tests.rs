//! What a day meets, of stored policies.

use chassis::{db::Schema, testing::TestDb};
use jiff::civil::date;
use kernel::money::{Fen, Ppm};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::*;
use crate::terms::{Form, InsuredBy, Object};

/// The two schemes of 2020; then `cci` is endorsed from July on, ended on 1 October, and followed by another policy from November on.
async fn stored() -> TestDb {
    let db = TestDb::new(&Schema::new("insurance", &crate::MIGRATIONS)).await;
    let mut owner = PgConnection::connect(&db.database.owner_url).await.unwrap();
    let copy = |table: &str, columns: &str, keys: &str| {
        format!("insert into {table} (town, {keys}, {columns}) select town")
    };
    let benefits = "n, peril, object, insured_by, form, fixed_fen, sum_fen, parts_ppm, deductible_fen, share_ppm, limit_person_year_fen,
                    limit_household_year_fen, limit_event_fen";
    let version = |policy: &str, n: i32, from: &str| {
        let terms = "insured, grounds, report_within_days, written_by, written_person";
        format!(
            "{} , '{policy}', {n}, '{from}', {terms} from policy_version where policy = 'cci-2020' and n = 1;
             {} , '{policy}', {n}, {benefits} from policy_benefit where policy = 'cci-2020' and version = 1;
             {} , '{policy}', {n}, n, bearer, share_ppm from policy_premium_share where policy = 'cci-2020' and version = 1;",
            copy("policy_version", terms, "policy, n, from_day"),
            copy("policy_benefit", benefits, "policy, version"),
            copy("policy_premium_share", "n, bearer, share_ppm", "policy, version"),
        )
    };
    let sign = "update policy_version set state = 'SIGNED', signed_by = 's', signed_on = '2020-06-01' where state = 'DRAFT'";
    let sql = format!(
        "set search_path = insurance, public; begin; {schemes} commit;
         begin; {endorsed} update policy_benefit set share_ppm = 900000 where peril = 'FIRE' and version = 2; {sign}; commit;
         begin; update policy set state = 'TERMINATED', terminated_on = '2020-10-01', termination_on = '2020-09-01', termination_reason = 'x',
                    terminated_by = 't' where id = 'cci-2020';
         insert into policy (town, id, programme, number, insurer, insurer_credit_code, starts, ends)
             values ('malu', 'next', 'cci', 'N', 'o-insurer-1', '91310199MA9002017E', '2020-11-01', '2021-11-01');
         {next} {sign}; update policy set state = 'SIGNED', signed_on = '2020-09-02' where id = 'next'; commit;
         begin; insert into programme (town, id, display_name, rank) values ('malu', 'third', '第三险种', 3); commit",
        schemes = include_str!("../../../../tests/data/schemes.sql"),
        endorsed = version("cci-2020", 2, "2020-07-01"),
        next = version("next", 1, "2020-11-01"),
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
    db
}

#[tokio::test]
async fn a_day_meets_one_policy_of_each_programme_by_rank() {
    let db = stored().await;
    let mut read = db.context.db.read().await.unwrap();
    for (day, policy, version, percent) in [
        // the one in force, in its version; a day before all; a day between two, before the next one; behind the last
        (date(2020, 2, 14), "cci-2020", 1, 60),
        (date(2020, 7, 1), "cci-2020", 2, 90),
        (date(2019, 2, 14), "cci-2020", 1, 60),
        (date(2020, 10, 15), "next", 1, 60),
        (date(2020, 11, 1), "next", 1, 60),
        (date(2025, 1, 1), "next", 1, 60),
    ] {
        let found = covering(read.sql(), "malu", day).await.unwrap();
        let ranks: Vec<_> = found.iter().map(|its| (its.rank, its.programme.as_str())).collect();
        assert_eq!(ranks, [(1, "cci"), (2, "li")], "no programme without a signed policy");
        let first = &found[0];
        assert_eq!((first.policy.as_str(), first.version), (policy, version), "{day}");
        let fire = first.terms.benefit("FIRE").unwrap();
        let Form::Loss { share, .. } = fire.form else { panic!("{fire:?}") };
        assert_eq!(share, Ppm::of(percent * 10_000), "{day}");
        assert_eq!((found[1].policy.as_str(), found[1].version), ("li-2020", 1));
    }
    let found = covering(read.sql(), "malu", date(2020, 2, 14)).await.unwrap();
    let first = &found[0];
    assert_eq!((first.from, first.to), (date(2020, 1, 1), date(2020, 10, 1)), "cut by the termination");
    assert_eq!((first.title.as_str(), first.insurer.as_str()), ("社区综合保险", "o-insurer-0"));
    assert!(covering(read.sql(), "other", date(2020, 2, 14)).await.unwrap().is_empty());
}

#[tokio::test]
async fn terms_are_read_as_they_were_written() {
    let db = stored().await;
    let mut read = db.context.db.read().await.unwrap();
    let terms = terms_of(read.sql(), "malu", "li-2020", 1).await.unwrap().unwrap();
    assert_eq!((terms.report_within_days, terms.grounds.len(), terms.benefits.len()), (60, 2, 8));
    assert_eq!(terms.limit_person_year, Some(Fen::of(25_000_000)));
    let disability = terms.benefit("DISABILITY").unwrap();
    assert_eq!((disability.object, disability.insured_by), (Object::Person, InsuredBy::Residence));
    let Form::ByGrade { sum, parts } = disability.form else { panic!("{disability:?}") };
    assert_eq!((sum, parts[0], parts[9]), (Fen::of(20_000_000), Ppm::ONE, Ppm::of(100_000)));
    assert_eq!(terms_of(read.sql(), "malu", "li-2020", 2).await.unwrap(), None);
}
