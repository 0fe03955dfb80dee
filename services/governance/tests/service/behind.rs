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

#[tokio::test]
async fn a_building_lies_in_one_place_on_every_day_and_a_divided_committee_leaves_none_out() {
    let service = service(date(2020, 6, 1)).await;
    for committee in ["c1", "c2"] {
        service.committee(committee, date(2016, 1, 1)).await;
    }
    service.block("b1", "c1", date(2020, 1, 1)).await;
    service.block("b2", "c2", date(2020, 1, 1)).await;
    service.estate("e1", "c1").await;
    for building in ["u1", "u2"] {
        service.building(building, "e1", Some("b1")).await;
    }
    service.household("h1", "u1", "101").await;
    let insert = |valid: &str, committee: &str, block: &str| {
        format!(
            "insert into building_period (town, id, building, valid, recorded, display_name, committee, block)
             values ('malu', gen_random_uuid(), 'u2', '{valid}', tstzrange(now(), null), 'x', '{committee}', {block})"
        )
    };
    let close = "update building_period set recorded = tstzrange(lower(recorded), clock_timestamp()) where building = 'u2'";
    for (sql, refused) in [
        (insert("[2020-05-01,2020-06-01)", "c1", "'b1'"), "building_one_place_per_day"),
        ("delete from building_period where building = 'u2'".to_owned(), "building_every_day"),
        (format!("{close}; {}", insert("[2016-01-02,)", "c1", "null")), "building_every_day"),
        (format!("{close}; {}", insert("[2016-01-01,)", "c1", "null")), "partition_leaves_none_out"),
        (
            format!("{close}; {}; {}", insert("[2016-01-01,2020-01-01)", "c1", "null"), insert("[2020-01-01,)", "c1", "'b2'")),
            "building_in_block_of_its_committee",
        ),
        (format!("{close}; {}", insert("[2016-01-01,)", "c1", "'b1'")), "building_in_block_of_its_committee"),
        ("update building_period set display_name = 'y'".to_owned(), "history_is_kept"),
        ("update estate_period set committee = 'c2'".to_owned(), "history_is_kept"),
        ("delete from estate_period".to_owned(), "estate_every_day"),
        (
            "insert into household (town, id, building, door, occupancy) values ('malu', 'h2', 'u1', '101', 'OWNED')".to_owned(),
            "household_door_once",
        ),
        (
            "update block_period set recorded = tstzrange(lower(recorded), clock_timestamp()) where block = 'b1';
             insert into block_period (town, id, block, valid, recorded, committee, display_name)
             values ('malu', gen_random_uuid(), 'b1', '[2020-01-01,)', tstzrange(clock_timestamp(), null), 'c2', 'x')".to_owned(),
            "building_in_block_of_its_committee",
        ),
    ] {
        let error = service.try_sql(&sql).await.expect_err(&sql);
        assert_eq!(constraint(&error), refused, "{sql}: {error}");
    }
}

#[tokio::test]
async fn an_identity_number_stands_once_and_a_ground_holds_one_household_a_day() {
    let service = service(date(2020, 6, 1)).await;
    service.committee("c1", date(2016, 1, 1)).await;
    service.estate("e1", "c1").await;
    service.building("u1", "e1", None).await;
    for door in ["1", "2"] {
        service.household(&format!("h{door}"), "u1", door).await;
    }
    let hash = |n: u8| format!("decode(repeat('{n:02x}', 32), 'hex')");
    let person = |id: &str, citizen: u8| {
        format!(
            "insert into person (town, id, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key)
             values ('malu', '{id}', '', '', '', {}, {}, 1)",
            hash(9),
            hash(citizen)
        )
    };
    let residence = |household: &str, ground: &str, valid: &str| {
        format!(
            "insert into residence (town, id, person, household, ground, valid, recorded)
             values ('malu', gen_random_uuid(), 'p1', '{household}', '{ground}', '{valid}', tstzrange(now(), null))"
        )
    };
    service.sql(&person("p1", 1)).await;
    service.sql(&residence("h1", "REGISTERED", "[2020-01-01,)")).await;
    service.sql(&residence("h2", "RESIDENCE_PERMIT", "[2020-01-01,)")).await;
    service.sql("insert into person_reading (town, id, person, principal, method, purpose) values ('malu', gen_random_uuid(), 'p1', 'a', 'b', 'c')").await;
    for (sql, refused) in [
        (person("p2", 1), "person_once"),
        (person("p-310199195112050137", 2), "person_id_is_no_number"),
        (residence("h2", "REGISTERED", "[2019-01-01,2020-01-02)"), "residence_one_per_ground"),
        ("update residence set household = 'h2'".to_owned(), "history_is_kept"),
        ("delete from person_reading".to_owned(), "readings_are_kept"),
        ("update person_reading set purpose = 'd'".to_owned(), "readings_are_kept"),
    ] {
        let error = service.try_sql(&sql).await.expect_err(&sql);
        assert_eq!(constraint(&error), refused, "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_seat_is_held_once_by_somebody_who_sits_there_once_and_a_body_has_its_owner() {
    let service = service(date(2020, 6, 1)).await;
    service.committee("c1", date(2016, 1, 1)).await;
    service
        .sql("insert into person (town, id, name_sealed, citizen_sealed, birth_sealed, name_index, citizen_index, key)
              select 'malu', 'p' || n, '', '', '', decode(repeat('00', 32), 'hex'), decode(repeat(lpad(n::text, 2, '0'), 32), 'hex'), 1
              from generate_series(1, 3) n")
        .await;
    service
        .sql("insert into body (town, id, level, kind, life) values ('malu', 'o1', 'COMMITTEE', 'PARTY_BRANCH', '[2020-01-01,)');
              insert into body_period (town, id, body, valid, recorded, display_name, seats, quorum, committee)
              values ('malu', gen_random_uuid(), 'o1', '[2020-01-01,)', tstzrange(now(), null), 'x', 3, 2, 'c1')")
        .await;
    let member = |seat: u8, person: &str, role: &str, valid: &str| {
        format!(
            "insert into membership (town, id, body, seat, person, role, valid, recorded)
             values ('malu', gen_random_uuid(), 'o1', {seat}, '{person}', '{role}', '{valid}', tstzrange(now(), null))"
        )
    };
    let period = |owner: &str| {
        format!(
            "update body_period set recorded = tstzrange(lower(recorded), clock_timestamp());
             insert into body_period (town, id, body, valid, recorded, display_name, seats, quorum{owner}"
        )
    };
    let row = "'malu', gen_random_uuid(), 'o1', '[2020-01-01,)', tstzrange(clock_timestamp(), null), 'x'";
    service.sql(&member(1, "p1", "CHAIR", "[2020-01-01,2021-01-01)")).await;
    for (sql, refused) in [
        (member(1, "p2", "MEMBER", "[2020-12-31,2022-01-01)"), "membership_one_per_seat"),
        (member(2, "p1", "MEMBER", "[2020-03-01,2020-03-02)"), "membership_person_once"),
        (member(2, "p2", "CHAIR", "[2020-03-01,2020-03-02)"), "membership_one_chair"),
        (member(4, "p2", "MEMBER", "[2020-03-01,2020-03-02)"), "membership_seat_exists"),
        (member(2, "p2", "MEMBER", "[2019-12-31,2020-03-02)"), "membership_seat_exists"),
        (format!("{}, committee) values ({row}, 3, 4, 'c1')", period("")), "body_quorum_within_seats"),
        (format!("{}, community) values ({row}, 3, 2, 'a')", period("")), "body_owner_of_its_level"),
        (format!("{}) values ({row}, 3, 2)", period("")), "body_owner_of_its_level"),
        ("delete from body_period".to_owned(), "body_every_day"),
        ("update membership set person = 'p2'".to_owned(), "history_is_kept"),
        (
            "insert into body (town, id, level, kind, life) values ('malu', 'o2', 'TOWN', 'PARTY_BRANCH', '[2020-01-01,)')".to_owned(),
            "body_kind_at_its_level",
        ),
    ] {
        let error = service.try_sql(&sql).await.expect_err(&sql);
        assert_eq!(constraint(&error), refused, "{sql}: {error}");
    }
}
