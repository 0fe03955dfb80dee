//! Imports: dry run, all or nothing, good rows only, the same file twice, a worker that died.

use contracts::linli::platform::v1::{
    self as pb, import_service_client::ImportServiceClient, operation_service_client::OperationServiceClient,
};
use jiff::civil::date;
use prost::Message;

use crate::harness::{Service, service, uuid};

pub(crate) const COMMITTEES: &[u8] = include_bytes!("../../../../deploy/demo/committees.csv");

pub(crate) async fn begin(
    service: &Service,
    files: &[(&str, &[u8])],
    mode: pb::ImportMode,
    dry: bool,
) -> String {
    let files = files.iter().map(|(table, content)| pb::ImportFile {
        table: (*table).to_owned(),
        file_name: String::new(),
        content: content.to_vec().into(),
        first_row: 0,
    });
    let request = pb::ImportTablesRequest {
        parent: "services/governance".to_owned(),
        town: "towns/malu".to_owned(),
        files: files.collect(),
        mode: mode.into(),
        request_id: uuid(),
        validate_only: dry,
    };
    let mut client = ImportServiceClient::new(service.peer.clone());
    client.import_tables(service.officer(request)).await.unwrap().into_inner().name
}

pub(crate) async fn report(service: &Service, name: &str) -> pb::ImportReport {
    let request = pb::GetOperationRequest { name: name.to_owned() };
    let operation = OperationServiceClient::new(service.peer.clone())
        .get_operation(service.officer(request))
        .await
        .unwrap()
        .into_inner();
    match operation.result {
        Some(contracts::google::longrunning::operation::Result::Response(any)) => {
            pb::ImportReport::decode(any.value.as_slice()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn import(
    service: &Service,
    files: &[(&str, &[u8])],
    mode: pb::ImportMode,
    dry: bool,
) -> pb::ImportReport {
    let name = begin(service, files, mode, dry).await;
    assert!(service.worker.pass().await.unwrap());
    report(service, &name).await
}

pub(crate) async fn ready() -> Service {
    let service = service(date(2020, 12, 1)).await;
    service
        .sql("insert into community (town, id, display_name) select 'malu', id, id from unnest(array['jiading-xincheng-core','baiyin','malu-old-town','jibang','villages']) id")
        .await;
    service
}

pub(crate) fn counts(report: &pb::ImportReport) -> (i64, i64, i64, i64, bool) {
    let table = &report.tables[0];
    (table.created, table.updated, table.unchanged, table.faulty, report.stored)
}

#[tokio::test]
async fn a_dry_run_stores_nothing_and_the_same_file_again_changes_nothing() {
    let service = ready().await;
    let files = [("committees", COMMITTEES)];
    assert_eq!(counts(&import(&service, &files, pb::ImportMode::Atomic, true).await), (54, 0, 0, 0, false));
    assert_eq!(counts(&import(&service, &files, pb::ImportMode::Atomic, false).await), (54, 0, 0, 0, true));
    assert_eq!(counts(&import(&service, &files, pb::ImportMode::Atomic, false).await), (0, 0, 54, 0, true));
    assert_eq!(
        counts(&import(&service, &files, pb::ImportMode::GoodRowsOnly, false).await),
        (0, 0, 54, 0, true)
    );
}

#[tokio::test]
async fn every_fault_is_named_and_good_rows_are_stored_by_choice() {
    let service = ready().await;
    let bad = include_bytes!("../../../../crates/tabular/tests/bad/several_faults.csv");
    let files = [("committees", bad.as_slice())];
    let found = import(&service, &files, pb::ImportMode::Atomic, false).await;
    assert_eq!(counts(&found), (1, 0, 0, 2, false));
    let mut faults: Vec<(i64, &str, &str)> =
        found.rows.iter().map(|row| (row.row, row.column.as_str(), row.reason.as_str())).collect();
    faults.sort();
    assert_eq!(
        faults,
        [
            (2, "households", "OUT_OF_RANGE"),
            (3, "community", "UNKNOWN_PARENT"),
            (3, "households", "NOT_A_NUMBER")
        ]
    );
    assert_eq!(
        counts(&import(&service, &files, pb::ImportMode::GoodRowsOnly, false).await),
        (1, 0, 0, 2, true)
    );
    assert_eq!(
        counts(&import(&service, &files, pb::ImportMode::GoodRowsOnly, false).await),
        (0, 0, 1, 2, true)
    );
}

#[tokio::test]
async fn the_bad_files_get_their_outcomes() {
    for (file, row, column, reason) in [
        (
            include_bytes!("../../../../crates/tabular/tests/bad/duplicate_code.csv").as_slice(),
            8,
            "code",
            "REPEATED",
        ),
        (
            include_bytes!("../../../../crates/tabular/tests/bad/wrong_parent.csv").as_slice(),
            4,
            "community",
            "UNKNOWN_PARENT",
        ),
        (
            include_bytes!("../../../../crates/tabular/tests/bad/founded_in_future.csv").as_slice(),
            5,
            "founded_on",
            "FUTURE_DATE",
        ),
        (
            include_bytes!("../../../../crates/tabular/tests/bad/missing_column.csv").as_slice(),
            1,
            "households",
            "MISSING_COLUMN",
        ),
        (include_bytes!("../../../../crates/tabular/tests/bad/short_row.csv").as_slice(), 5, "", "WIDTH"),
    ] {
        let service = ready().await;
        let found = import(&service, &[("committees", file)], pb::ImportMode::Atomic, false).await;
        let faults: Vec<(i64, &str, &str)> =
            found.rows.iter().map(|row| (row.row, row.column.as_str(), row.reason.as_str())).collect();
        assert_eq!((faults.as_slice(), found.stored), ([(row, column, reason)].as_slice(), false));
    }
}

#[tokio::test]
async fn blocks_come_with_their_stewards_or_not_at_all() {
    let service = ready().await;
    import(&service, &[("committees", COMMITTEES)], pb::ImportMode::Atomic, false).await;
    let both = demo(&["blocks", "stewardships"]);
    let alone = import(&service, &both[..1], pb::ImportMode::Atomic, false).await;
    assert_eq!((alone.stored, alone.rows[0].reason.as_str()), (false, "STEWARD_GAP"));
    let both = import(&service, &both, pb::ImportMode::Atomic, false).await;
    assert!(both.stored, "{:?}", both.rows);
    assert_eq!(service.steward_on("b-001-2", date(2020, 10, 11), None).await, "towns/malu/workers/w-007");
    assert_eq!(service.steward_on("b-001-2", date(2020, 10, 12), None).await, "towns/malu/workers/w-016");
}

#[tokio::test]
async fn a_worker_that_died_is_followed_by_another() {
    let service = ready().await;
    let name = begin(&service, &[("committees", COMMITTEES)], pb::ImportMode::GoodRowsOnly, false).await;
    // taken up by one that never came back: its lease has run out
    service.sql("update operation set state = 'RUNNING', lease_owner = gen_random_uuid(), lease_until = now() - interval '1 second'").await;
    assert!(service.worker.pass().await.unwrap());
    assert_eq!(counts(&report(&service, &name).await), (54, 0, 0, 0, true));
    // one that lives keeps it
    begin(&service, &[("committees", COMMITTEES)], pb::ImportMode::Atomic, false).await;
    service.sql("update operation set state = 'RUNNING', lease_owner = gen_random_uuid(), lease_until = now() + interval '1 minute' where state = 'PENDING'").await;
    assert!(!service.worker.pass().await.unwrap());
}

#[tokio::test]
async fn places_come_in_the_order_that_they_require_and_each_fault_is_named() {
    let service = ready().await;
    let demo = demo(&[
        "committees",
        "blocks",
        "stewardships",
        "organisations",
        "estates",
        "buildings",
        "households",
    ]);
    let backwards: Vec<_> = demo.iter().rev().copied().collect();
    let first = import(&service, &backwards, pb::ImportMode::Atomic, false).await;
    assert!(first.stored, "{:?}", first.rows);
    let created: Vec<(&str, i64)> = first.tables.iter().map(|t| (t.table.as_str(), t.created)).collect();
    for expected in [("organisations", 19), ("estates", 8), ("buildings", 18), ("households", 306)] {
        assert!(created.contains(&expected), "{expected:?} in {created:?}");
    }
    let again = import(&service, &demo, pb::ImportMode::GoodRowsOnly, false).await;
    assert!(again.tables.iter().all(|table| (table.created, table.updated, table.faulty) == (0, 0, 0)));
    for (table, content, column, reason) in [
        (
            "households",
            "code,building,door,occupancy\r\nh-x,nowhere,1,OWNED\r\n",
            "building",
            "UNKNOWN_PARENT",
        ),
        ("households", "code,building,door,occupancy\r\nh-x,e-yulan-1-1,0101,OWNED\r\n", "door", "REPEATED"),
        (
            "households",
            "code,building,door,occupancy\r\nh-00001,e-yulan-1-2,0101,OWNED\r\n",
            "building",
            "NEVER_CHANGES",
        ),
        ("buildings", "code,estate,name,block\r\ne-x,e-yulan-1,9号楼,\r\n", "", "PARTITION_GAP"),
        ("buildings", "code,estate,name,block\r\ne-x,e-yulan-1,9号楼,b-026-1\r\n", "", "BLOCK_ELSEWHERE"),
        (
            "organisations",
            "code,name,kind,unified_social_credit_code\r\no-x,甲,UNIT,91310199MA90010064\r\n",
            "unified_social_credit_code",
            "FORMAT",
        ),
    ] {
        let found = import(&service, &[(table, content.as_bytes())], pb::ImportMode::Atomic, false).await;
        let faults: Vec<(&str, &str)> =
            found.rows.iter().map(|row| (row.column.as_str(), row.reason.as_str())).collect();
        assert_eq!((faults, found.stored), (vec![(column, reason)], false), "{table}: {content}");
    }
}

/// The files of some tables of the demonstration, in its order.
pub(crate) fn demo(tables: &[&str]) -> Vec<(&'static str, &'static [u8])> {
    governance::demo::TABLES.iter().filter(|(table, _)| tables.contains(table)).copied().collect()
}

#[tokio::test]
async fn residents_hold_person_and_residence_and_no_fault_repeats_what_is_personal() {
    let service = ready().await;
    let demo = governance::demo::TABLES;
    let first = import(&service, demo, pb::ImportMode::Atomic, false).await;
    assert!(first.stored, "{:?}", first.rows);
    let again = import(&service, demo, pb::ImportMode::GoodRowsOnly, false).await;
    assert!(again.tables.iter().all(|table| (table.created, table.updated, table.faulty) == (0, 0, 0)));
    let residents = self::demo(&["residents"]);
    assert_eq!(
        counts(&import(&service, &residents, pb::ImportMode::GoodRowsOnly, false).await),
        (0, 0, 789, 0, true)
    );
    let head = "code,name,sex,birth_date,citizen_id,household,ground,from,to\r\n";
    for (row, column, reason) in [
        (
            "r-00001,钱甲子,M,1951-12-05,310199195112050138,h-00001,REGISTERED,2013-08-12,\r\n",
            "citizen_id",
            "FORMAT",
        ),
        (
            "r-00001,钱甲子,M,1951-12-06,310199195112050137,h-00001,REGISTERED,2013-08-12,\r\n",
            "birth_date",
            "MISMATCH",
        ),
        (
            "x,钱甲子,M,1951-12-05,310199195112050137,h-00001,REGISTERED,2013-08-12,\r\n",
            "citizen_id",
            "SAME_PERSON",
        ),
        (
            "r-00001,钱甲子,M,1951-12-05,310199195112050137,h-00002,REGISTERED,2013-08-12,\r\n",
            "from",
            "RESIDENCE_OVERLAP",
        ),
        (
            "r-00001,钱甲子,M,1951-12-05,310199195112050137,h-0,REGISTERED,2013-08-12,\r\n",
            "household",
            "UNKNOWN_PARENT",
        ),
    ] {
        let file = format!("{head}{row}");
        let found = import(&service, &[("residents", file.as_bytes())], pb::ImportMode::Atomic, false).await;
        let faults: Vec<(&str, &str)> =
            found.rows.iter().map(|row| (row.column.as_str(), row.reason.as_str())).collect();
        assert_eq!((faults, found.stored), (vec![(column, reason)], false), "{row}");
        let told = format!("{found:?}");
        assert!(
            !told.contains("钱甲子") && !told.contains("3101991951120501") && !told.contains("1951"),
            "{told}"
        );
    }
    let export = async |purpose: &str, token: Option<&str>| {
        let request = pb::ExportTableRequest {
            parent: "services/governance".to_owned(),
            town: "towns/malu".to_owned(),
            table: "residents".to_owned(),
            clear_purpose: purpose.to_owned(),
            ..Default::default()
        };
        let request = match token {
            Some(token) => crate::harness::with(request, token),
            None => service.officer(request),
        };
        let answer = ImportServiceClient::new(service.peer.clone()).export_table(request).await;
        answer.map(|answer| String::from_utf8(answer.into_inner().content.to_vec()).unwrap())
    };
    let masked = export("", None).await.unwrap();
    assert!(
        masked.contains("r-00001,钱**,M,,310*************37,h-00001,REGISTERED,2013-08-12,"),
        "{}",
        &masked[..300]
    );
    let auditor = service.token("auditor", "auditor", "malu");
    assert!(export("", Some(&auditor)).await.is_ok() && export("查", Some(&auditor)).await.is_err());
    let clear = export("年度核对", None).await.unwrap();
    assert!(clear.contains("钱甲子") && clear.contains("310199195112050137"));
    service.sql("do $$ begin assert exists (select from audit where summary = 'export residents in clear: 年度核对'); end $$").await;
    let again = import(&service, &[("residents", clear.as_bytes())], pb::ImportMode::Atomic, false).await;
    assert_eq!((counts(&again).0, counts(&again).1, counts(&again).3), (0, 0, 0), "{:?}", again.rows);
}

#[tokio::test]
async fn a_part_names_the_rows_of_the_whole_and_is_done_once() {
    let service = ready().await;
    let bad = include_bytes!("../../../../crates/tabular/tests/bad/several_faults.csv");
    let request = pb::ImportTablesRequest {
        parent: "services/governance".to_owned(),
        town: "towns/malu".to_owned(),
        files: vec![pb::ImportFile {
            table: "committees".to_owned(),
            file_name: "all.csv".to_owned(),
            content: bad.to_vec().into(),
            first_row: 1_000_002,
        }],
        mode: pb::ImportMode::GoodRowsOnly.into(),
        request_id: uuid(),
        validate_only: false,
    };
    let mut client = ImportServiceClient::new(service.peer.clone());
    let first = client.import_tables(service.officer(request.clone())).await.unwrap();
    assert!(service.worker.pass().await.unwrap());
    let found = report(&service, &first.get_ref().name).await;
    let rows: std::collections::BTreeSet<i64> = found.rows.iter().map(|row| row.row).collect();
    assert_eq!((Vec::from_iter(rows), counts(&found)), (vec![1_000_002, 1_000_003], (1, 0, 0, 2, true)));
    let again = client.import_tables(service.officer(request.clone())).await.unwrap();
    assert_eq!(again.metadata().get("linli-replayed").unwrap(), "true");
    assert_eq!(again.get_ref().name, first.get_ref().name);
    assert!(!service.worker.pass().await.unwrap());
    let mut before = request;
    before.files[0].first_row = -1;
    assert_eq!(
        client.import_tables(service.officer(before)).await.unwrap_err().code(),
        tonic::Code::InvalidArgument
    );
}

#[tokio::test]
async fn what_an_operation_worked_on_is_kept_while_it_can_go_on() {
    let service = ready().await;
    let files = [("committees", COMMITTEES)];
    let kept = async |kept: bool| {
        service
            .sql(&format!(
                "do $$ begin assert {kept} = (select bool_and(input <> '') from operation); end $$"
            ))
            .await;
    };
    let mut operations = OperationServiceClient::new(service.peer.clone());
    let name = begin(&service, &files, pb::ImportMode::Atomic, false).await;
    let cancel = pb::CancelOperationRequest { name: name.clone(), request_id: uuid(), ..Default::default() };
    operations.cancel_operation(service.officer(cancel)).await.unwrap();
    kept(true).await;
    let resume =
        || pb::ResumeOperationRequest { name: name.clone(), request_id: uuid(), ..Default::default() };
    operations.resume_operation(service.officer(resume())).await.unwrap();
    assert!(service.worker.pass().await.unwrap());
    assert_eq!(counts(&report(&service, &name).await), (54, 0, 0, 0, true));
    kept(false).await;
    // one that nobody went on with
    service.sql("delete from operation").await;
    let name = begin(&service, &files, pb::ImportMode::Atomic, false).await;
    let cancel = pb::CancelOperationRequest { name: name.clone(), request_id: uuid(), ..Default::default() };
    operations.cancel_operation(service.officer(cancel)).await.unwrap();
    chassis::seal::forget(&service.db.context.db).await.unwrap();
    kept(true).await;
    service.sql("update operation set updated = now() - interval '31 days'").await;
    chassis::seal::forget(&service.db.context.db).await.unwrap();
    kept(false).await;
    let resume = pb::ResumeOperationRequest { name, request_id: uuid(), ..Default::default() };
    let refused = operations.resume_operation(service.officer(resume)).await.unwrap_err();
    assert_eq!(crate::harness::reason(&refused), "WRONG_STATE");
}
