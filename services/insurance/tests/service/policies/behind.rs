//! What the database refuses behind the service's back.

use jiff::civil::date;

use crate::harness::service;

#[tokio::test]
async fn what_was_signed_never_changes() {
    let service = service(date(2020, 3, 1)).await;
    service.schemes().await;
    for (sql, constraint) in [
        ("update policy set ends = '2020-12-01' where id = 'cci-2020'", "policy_never_changes"),
        ("update policy set insurer = 'o-insurer-1' where id = 'cci-2020'", "policy_never_changes"),
        ("update policy set programme = 'li' where id = 'cci-2020'", "policy_never_changes"),
        ("update policy set state = 'DRAFT', signed_on = null where id = 'cci-2020'", "policy_never_changes"),
        ("delete from policy", "policy_is_kept"),
        ("truncate policy cascade", "policy_is_kept"),
        ("delete from programme", "programme_is_kept"),
        ("update policy_version set limit_year_fen = 1", "policy_version_never_changes"),
        ("delete from policy_version", "policy_version_never_changes"),
        ("truncate policy_version cascade", "policy_version_is_kept"),
        ("update policy_benefit set share_ppm = 1000000 where peril = 'FIRE'", "policy_version_never_changes"),
        ("delete from policy_benefit where peril = 'FIRE'", "policy_version_never_changes"),
        (
            "insert into policy_benefit (town, policy, version, n, peril, object, insured_by, form, fixed_fen)
             values ('malu', 'cci-2020', 1, 9, 'X', 'PERSON', 'RESIDENCE', 'FIXED', 1)",
            "policy_version_never_changes",
        ),
        ("update policy_premium_share set share_ppm = 1", "policy_version_never_changes"),
        (
            "insert into policy_instalment (town, policy, version, n, due_on, amount_fen)
             values ('malu', 'cci-2020', 1, 1, '2020-01-01', 54000000)",
            "policy_version_never_changes",
        ),
        ("update programme set rank = 9 where id = 'cci'", "programme_rank_stays"),
        ("update programme set deleted = now() where id = 'cci'", "programme_in_use"),
    ] {
        assert_eq!(service.constraint(sql).await, constraint, "{sql}");
    }
}

/// A policy of `cci` for days, with one version, as SQL.
fn draft(id: &str, from: &str, to: &str) -> String {
    format!(
        "insert into policy (town, id, programme, number, insurer, insurer_credit_code, starts, ends)
             values ('malu', '{id}', 'cci', '{id}', 'o-insurer-0', '91310199MA9002009K', '{from}', '{to}');
         insert into policy_version (town, policy, n, from_day, insured, grounds, report_within_days, written_by, written_person)
             values ('malu', '{id}', 1, '{from}', 'x', '{{REGISTERED}}', 30, '{{a}}', '{{pa}}');
         insert into policy_benefit (town, policy, version, n, peril, object, insured_by, form, fixed_fen)
             values ('malu', '{id}', 1, 1, 'FIRE', 'DWELLING', 'RESIDENCE', 'FIXED', 1);
         insert into policy_premium_share (town, policy, version, n, bearer, share_ppm) values ('malu', '{id}', 1, 1, 'TOWN', 1000000);"
    )
}

fn sign(id: &str, by: &str, person: &str) -> String {
    format!(
        "update policy_version set state = 'SIGNED', signed_by = '{by}', signed_person = '{person}', signed_on = '2020-01-01'
             where policy = '{id}' and n = 1;
         update policy set state = 'SIGNED', signed_on = '2020-01-01' where id = '{id}';"
    )
}

#[tokio::test]
async fn policies_of_a_programme_never_overlap_behind_the_services_back() {
    let service = service(date(2020, 3, 1)).await;
    service.schemes().await;
    let overlapping = draft("x", "2020-12-31", "2021-12-31") + &sign("x", "b", "pb");
    assert_eq!(service.constraint(&overlapping).await, "policies_of_a_programme_never_overlap");
    // a draft may; the day after is free
    service.sql(&draft("x", "2020-12-31", "2021-12-31")).await;
    service.sql(&(draft("y", "2021-01-01", "2022-01-01") + &sign("y", "b", "pb"))).await;
    // termination cuts the days, those that are left stay
    let end = "update policy set state = 'TERMINATED', terminated_on = '2020-06-01', termination_reason = 'x', termination_on = '2020-05-01',
                   terminated_by = 'a' where id = 'cci-2020'";
    service.sql(end).await;
    let left = draft("z", "2020-05-31", "2020-12-31") + &sign("z", "b", "pb");
    assert_eq!(service.constraint(&left).await, "policies_of_a_programme_never_overlap");
    service.sql(&(draft("z", "2020-06-01", "2021-01-01") + &sign("z", "b", "pb"))).await;
    // the days that have passed keep their cover
    let back = "update policy set state = 'TERMINATED', terminated_on = '2021-03-01', termination_reason = 'x', termination_on = '2021-03-02',
                    terminated_by = 'a' where id = 'y'";
    assert_eq!(service.constraint(back).await, "policy_keeps_the_days_passed");
}

#[tokio::test]
async fn four_eyes_hold_behind_the_services_back() {
    let service = service(date(2020, 3, 1)).await;
    service.schemes().await;
    service.sql(&draft("x", "2021-01-01", "2022-01-01")).await;
    service.sql("update policy_version set written_by = written_by || '{b}', written_person = written_person || '{pb}' where policy = 'x'").await;
    for (by, person) in [("a", ""), ("a", "other"), ("b", "other"), ("c", "pa"), ("c", "pb")] {
        assert_eq!(
            service.constraint(&sign("x", by, person)).await,
            "policy_signed_by_another",
            "{by} {person}"
        );
    }
    // nobody stops having written it
    let forgotten =
        "update policy_version set written_by = '{c}', written_person = '{pc}' where policy = 'x'";
    assert_eq!(service.constraint(forgotten).await, "policy_version_never_changes");
    service.sql(&sign("x", "c", "pc")).await;
}

#[tokio::test]
async fn a_policy_is_whole_at_the_end_of_each_transaction() {
    let service = service(date(2020, 3, 1)).await;
    service.schemes().await;
    let whole = draft("x", "2021-01-01", "2022-01-01");
    let benefit = "insert into policy_benefit (town, policy, version, n, peril, object, insured_by, form";
    let row = "values ('malu', 'x', 1, 2, 'X', 'PERSON', 'RESIDENCE'";
    for (then, constraint) in [
        ("delete from policy_premium_share where policy = 'x'".to_owned(), "policy_premium_shares_make_a_whole"),
        (
            "update policy_premium_share set share_ppm = 999999 where policy = 'x'".to_owned(),
            "policy_premium_shares_make_a_whole",
        ),
        ("delete from policy_benefit where policy = 'x'".to_owned(), "policy_version_promises_something"),
        (
            "update policy_version set grounds = '{}' where policy = 'x'".to_owned(),
            "policy_version_promises_something",
        ),
        ("update policy_version set from_day = '2021-02-01' where policy = 'x'".to_owned(), "policy_versions_follow"),
        ("update policy set starts = '2021-02-01' where id = 'x'".to_owned(), "policy_versions_follow"),
        (
            "update policy set state = 'SIGNED', signed_on = '2020-01-01' where id = 'x'".to_owned(),
            "policy_versions_follow",
        ),
        ("update policy set ends = '2022-01-02' where id = 'x'".to_owned(), "policy_lasts_a_year_at_most"),
        (
            "insert into policy_instalment (town, policy, version, n, due_on, amount_fen) values ('malu', 'x', 1, 1, '2021-01-01', 5)"
                .to_owned(),
            "policy_instalments_make_the_premium",
        ),
        (format!("{benefit}, fixed_fen, share_ppm) {row}, 'FIXED', 1, 5)"), "policy_benefit_as_its_form_says"),
        (format!("{benefit}, share_ppm) {row}, 'LOSS', 5)"), "policy_benefit_as_its_form_says"),
        (
            format!("{benefit}, sum_fen, parts_ppm) {row}, 'BY_GRADE', 5, '{{1,2}}')"),
            "policy_benefit_has_ten_grades",
        ),
    ] {
        assert_eq!(service.constraint(&format!("{whole}{then}")).await, constraint, "{then}");
    }
    // an endorsement of a draft, one before the policy, two at once
    let version = |policy: &str, n: i32, from: &str| {
        format!(
            "insert into policy_version (town, policy, n, from_day, insured, grounds, report_within_days, written_by, written_person)
                 values ('malu', '{policy}', {n}, '{from}', 'x', '{{REGISTERED}}', 30, '{{a}}', '{{pa}}');
             insert into policy_benefit (town, policy, version, n, peril, object, insured_by, form, fixed_fen)
                 values ('malu', '{policy}', {n}, 1, 'FIRE', 'DWELLING', 'RESIDENCE', 'FIXED', 1);
             insert into policy_premium_share (town, policy, version, n, bearer, share_ppm) values ('malu', '{policy}', {n}, 1, 'TOWN', 1000000);"
        )
    };
    for (sql, constraint) in [
        (format!("{whole}{}", version("x", 2, "2021-05-01")), "policy_one_draft"),
        (version("cci-2020", 3, "2020-05-01"), "policy_versions_follow"),
        (version("cci-2020", 2, "2019-12-31"), "policy_version_within_period"),
        (version("cci-2020", 2, "2021-01-01"), "policy_version_within_period"),
    ] {
        assert_eq!(service.constraint(&sql).await, constraint, "{sql}");
    }
    service.sql(&version("cci-2020", 2, "2020-05-01")).await;
    let paid = "update policy_instalment set paid_on = '2020-05-01', paid_by = 'a' where policy = 'cci-2020'";
    let instalment = "insert into policy_instalment (town, policy, version, n, due_on, amount_fen) values ('malu', 'cci-2020', 2, 1, '2020-06-01', 5)";
    service.sql(instalment).await;
    assert_eq!(
        service.constraint(paid).await,
        "policy_instalment_paid_once",
        "an endorsement that isn't signed"
    );
    service
        .sql("update policy_version set state = 'SIGNED', signed_by = 'b', signed_person = 'pb', signed_on = '2020-04-01' where policy = 'cci-2020' and n = 2")
        .await;
    service.sql(paid).await;
    assert_eq!(service.constraint(paid).await, "policy_instalment_paid_once");
    assert_eq!(service.number("select policy_premium('malu', 'cci-2020')").await, 54_000_000 + 5);
}

#[tokio::test]
async fn limits_are_found_by_their_names() {
    let service = service(date(2020, 3, 1)).await;
    service.schemes().await;
    for (policy, cap, peril, limit) in [
        ("cci-2020", "BENEFIT_HOUSEHOLD_YEAR", "FIRE", 3_000_000),
        ("cci-2020", "BENEFIT_PERSON_YEAR", "PUBLIC_AREA_INJURY", 2_000_000),
        ("cci-2020", "BENEFIT_EVENT", "PUBLIC_AREA_INJURY", 20_000_000),
        ("cci-2020", "YEAR", "FIRE", 300_000_000),
        ("li-2020", "PERSON_YEAR", "NO_SUCH_PERIL", 25_000_000),
        ("li-2020", "BENEFIT_HOUSEHOLD_YEAR", "DEATH", -1),
        ("li-2020", "HOUSEHOLD_YEAR", "FIRE", -1),
        ("li-2020", "EVENT", "FIRE", -1),
        ("li-2020", "NONSENSE", "FIRE", -1),
        ("li-2020", "BENEFIT_EVENT", "NO_SUCH_PERIL", -1),
    ] {
        let sql = format!("select coalesce(cap_limit('malu', '{policy}', 1, '{cap}', '{peril}'), -1)");
        assert_eq!(service.number(&sql).await, limit, "{policy} {cap} {peril}");
    }
}

#[tokio::test]
async fn programmes_and_numbers_are_there_once() {
    let service = service(date(2020, 3, 1)).await;
    service.schemes().await;
    service
        .sql("insert into programme (town, id, display_name, rank, deleted) values ('malu', 'gone', '旧险', 8, now())")
        .await;
    let policy = draft("next", "2021-01-01", "2022-01-01");
    let all = [
        ("programme_keeps_its_name", "update programme set id = 'x' where id = 'gone'".to_owned()),
        (
            "programme_rank_once",
            "insert into programme (town, id, display_name, rank) values ('malu', 'x', '新险', 1)".to_owned(),
        ),
        ("policy_of_a_living_programme", policy.replace("'cci'", "'gone'")),
        ("policy_number_once", policy.replace("'cci', 'next'", "'cci', 'CCI-2020'")),
    ];
    for (wanted, sql) in all {
        assert_eq!(service.constraint(&sql).await, wanted, "{sql}");
    }
}
