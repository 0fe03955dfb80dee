//! XLSX beside CSV: the same rows, exports that import again unchanged, templates, bad files.

use contracts::linli::platform::v1::{self as pb, import_service_client::ImportServiceClient};
use tabular::{Column, Limits, read_table};

use crate::{
    harness::Service,
    imports::{COMMITTEES, counts, import, ready},
};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

macro_rules! bad {
    ($($name:literal),+) => {
        [$(($name, include_bytes!(concat!("../../../../crates/tabular/tests/bad/", $name)).as_slice())),+]
    };
}

async fn export(
    service: &Service,
    table: &str,
    format: pb::TableFormat,
    template: bool,
) -> pb::ExportTableResponse {
    let request = pb::ExportTableRequest {
        parent: "services/governance".to_owned(),
        town: "towns/malu".to_owned(),
        table: table.to_owned(),
        template,
        clear_purpose: "年度核对".to_owned(),
        format: format.into(),
        ..Default::default()
    };
    let mut client = ImportServiceClient::new(service.peer.clone());
    client.export_table(service.officer(request)).await.unwrap().into_inner()
}

async fn tables(service: &Service) -> Vec<pb::Table> {
    let request = pb::ListTablesRequest { parent: "services/governance".to_owned(), ..Default::default() };
    let mut client = ImportServiceClient::new(service.peer.clone());
    client.list_tables(service.officer(request)).await.unwrap().into_inner().tables
}

/// The cells of a file that has these columns.
fn cells(file: &[u8], columns: &[pb::TableColumn]) -> Vec<Vec<String>> {
    let columns: Vec<Column> = columns
        .iter()
        .map(|column| Column {
            name: column.column.clone().leak(),
            required: true,
            max_chars: 1_000,
            personal: false,
        })
        .collect();
    let table = read_table(file, "", &columns, Limits::default()).unwrap();
    assert!(table.faults.iter().all(|fault| fault.reason == "NO_ROWS"), "{:?}", table.faults);
    table.rows.into_iter().map(|row| row.cells).collect()
}

#[tokio::test]
async fn both_formats_bring_the_same_committees() {
    let workbook = include_bytes!("../../../../deploy/demo/committees.xlsx").as_slice();
    for (first, second) in [(workbook, COMMITTEES), (COMMITTEES, workbook)] {
        let service = ready().await;
        let brought = import(&service, &[("committees", first)], pb::ImportMode::Atomic, false).await;
        assert_eq!(counts(&brought), (54, 0, 0, 0, true), "{:?}", brought.rows);
        let again = import(&service, &[("committees", second)], pb::ImportMode::Atomic, false).await;
        assert_eq!(counts(&again), (0, 0, 54, 0, true), "{:?}", again.rows);
        let mut encodings = [brought.tables[0].encoding.as_str(), again.tables[0].encoding.as_str()];
        encodings.sort();
        assert_eq!(encodings, ["UTF-8", "XLSX"]);
    }
}

#[tokio::test]
async fn every_export_imports_again_unchanged_and_every_template_has_the_columns() {
    let service = ready().await;
    let files = governance::demo::TABLES;
    let report = import(&service, files, pb::ImportMode::Atomic, false).await;
    assert!(report.stored, "{:?}", report.rows);
    for table in tables(&service).await {
        let name = table.table.as_str();
        let csv = export(&service, name, pb::TableFormat::Unspecified, false).await;
        let xlsx = export(&service, name, pb::TableFormat::Xlsx, false).await;
        assert_eq!(
            (csv.file_name.as_str(), csv.content_type.as_str()),
            (format!("malu-{name}.csv").as_str(), "text/csv; charset=utf-8")
        );
        assert_eq!(
            (xlsx.file_name.as_str(), xlsx.content_type.as_str()),
            (format!("malu-{name}.xlsx").as_str(), XLSX)
        );
        let rows = cells(&csv.content, &table.columns);
        assert!(!rows.is_empty(), "{name}");
        assert_eq!(cells(&xlsx.content, &table.columns), rows, "{name}");
        for file in [&csv.content, &xlsx.content] {
            let again = import(&service, &[(name, file)], pb::ImportMode::Atomic, false).await;
            assert_eq!(counts(&again), (0, 0, rows.len() as i64, 0, true), "{name}: {:?}", again.rows);
        }
        for format in [pb::TableFormat::Csv, pb::TableFormat::Xlsx] {
            let template = export(&service, name, format, true).await;
            assert!(cells(&template.content, &table.columns).is_empty(), "{name}");
            // nothing in it: nothing is imported
            let empty = import(&service, &[(name, &template.content)], pb::ImportMode::Atomic, false).await;
            assert_eq!((counts(&empty), empty.rows[0].reason.as_str()), ((0, 0, 0, 0, true), "NO_ROWS"));
        }
    }
}

#[tokio::test]
async fn a_bad_workbook_stores_nothing_and_says_why_in_both_languages() {
    let service = ready().await;
    let expected = [(0, "WRONG_SHEET"), (0, "NOT_A_WORKBOOK"), (1_048_576, "OUTSIDE")];
    for ((file, content), (row, reason)) in
        bad!("wrong_sheet.xlsx", "not_a_zip.xlsx", "far_cell.xlsx").into_iter().zip(expected)
    {
        let found = import(&service, &[("committees", content)], pb::ImportMode::Atomic, false).await;
        let [fault] = found.rows.as_slice() else { panic!("{file}: {:?}", found.rows) };
        assert_eq!((fault.row, fault.reason.as_str(), found.stored), (row, reason, false), "{file}");
        assert!(fault.message_zh.chars().any(|c| c >= '\u{4e00}'), "{file}: {}", fault.message_zh);
        assert!(
            fault.message_en.starts_with(|c: char| c.is_ascii_lowercase()),
            "{file}: {}",
            fault.message_en
        );
    }
    service.sql("do $$ begin assert not exists (select from committee where id like '3101%'); end $$").await;
    let [(_, numbers)] = bad!("code_as_number.xlsx");
    let found = import(&service, &[("committees", numbers)], pb::ImportMode::Atomic, false).await;
    assert_eq!(counts(&found), (4, 0, 0, 0, true), "{:?}", found.rows);
    service.sql("do $$ begin assert exists (select from committee where id = '310114106001'); end $$").await;
}

#[tokio::test]
async fn no_fault_of_a_workbook_repeats_what_is_personal() {
    let service = ready().await;
    let columns = [
        ("code", "r-00001"),
        ("name", "钱甲子\u{200B}"),
        ("sex", "M"),
        ("birth_date", "1951-13-05"),
        ("household", "h-00001"),
        ("ground", "REGISTERED"),
        ("from", "2013-08-12"),
        ("to", ""),
        ("citizen_id", ""),
    ];
    let fields: Vec<Column> =
        columns.map(|(name, _)| Column { name, required: true, max_chars: 200, personal: true }).to_vec();
    let mut xlsx = tabular::Xlsx::new("residents", &fields, None).unwrap();
    // the identity number as a number, as a spreadsheet makes of it what somebody types
    let cell = |(name, value): (&str, &str)| match name {
        "citizen_id" => tabular::Field::Number(310_199_195_112_050),
        _ => tabular::Field::Text(value.to_owned()),
    };
    xlsx.row(columns.map(cell)).unwrap();
    let file = xlsx.finish(None).unwrap();
    let found = import(&service, &[("residents", &file)], pb::ImportMode::Atomic, false).await;
    assert!(!found.stored && !found.rows.is_empty());
    let told = format!("{found:?}");
    assert!(!told.contains("钱甲子") && !told.contains("1951") && !told.contains("310199195"), "{told}");
}

#[tokio::test]
async fn a_table_of_more_rows_than_a_file_takes_goes_in_parts() {
    let service = ready().await;
    service.committee("c1", jiff::civil::date(2016, 1, 1)).await;
    service.estate("e1", "c1").await;
    service.building("u1", "e1", None).await;
    service
        .sql("insert into household (town, id, building, door, occupancy)
              select 'malu', 'h' || lpad(n::text, 6, '0'), 'u1', n::text, 'OWNED' from generate_series(1, 100003) n")
        .await;
    let part = async |page_token: &str| {
        let request = pb::ExportTableRequest {
            parent: "services/governance".to_owned(),
            town: "towns/malu".to_owned(),
            table: "households".to_owned(),
            page_token: page_token.to_owned(),
            ..Default::default()
        };
        let client = ImportServiceClient::new(service.peer.clone());
        let answer = client.max_decoding_message_size(64 << 20).export_table(service.officer(request)).await;
        answer.unwrap().into_inner()
    };
    let first = part("").await;
    let rest = part(&first.next_page_token).await;
    let rows = |content: &[u8]| String::from_utf8_lossy(content).lines().count() - 1;
    assert_eq!((rows(&first.content), rows(&rest.content), rest.next_page_token.as_str()), (100_000, 3, ""));
    assert!(String::from_utf8_lossy(&rest.content).contains("h100001,u1,100001,OWNED"));
}

#[tokio::test]
async fn an_export_brought_back_leaves_what_is_due_later() {
    let service = ready().await;
    let report = import(&service, governance::demo::TABLES, pb::ImportMode::Atomic, false).await;
    assert!(report.stored, "{:?}", report.rows);
    // from 2021 on: another name of the committee, and its merger into another one
    let day = jiff::civil::date(2021, 2, 1);
    let get = async |id: &str| {
        let name = format!("towns/malu/committees/{id}");
        let request = contracts::linli::governance::v1::GetCommitteeRequest {
            name,
            as_of_date: Some(crate::harness::date(day)),
            ..Default::default()
        };
        service.committees().get_committee(service.officer(request)).await.unwrap().into_inner()
    };
    let request = contracts::linli::governance::v1::MergeCommitteeRequest {
        name: "towns/malu/committees/310114106026".to_owned(),
        etag: get("310114106026").await.etag,
        request_id: crate::harness::uuid(),
        into: "towns/malu/committees/310114106045".to_owned(),
        effective_date: Some(crate::harness::date(jiff::civil::date(2021, 1, 1))),
        ..Default::default()
    };
    service.committees().merge_committee(service.officer(request)).await.unwrap();
    let before = get("310114106026").await;
    for table in ["committees", "blocks", "estates", "bodies", "buildings"] {
        let file = export(&service, table, pb::TableFormat::Csv, false).await.content;
        let again = import(&service, &[(table, &file)], pb::ImportMode::Atomic, false).await;
        assert_eq!(
            (again.tables[0].created, again.tables[0].updated, again.tables[0].faulty),
            (0, 0, 0),
            "{table}: {:?}",
            again.rows
        );
    }
    assert_eq!(get("310114106026").await, before);
}
