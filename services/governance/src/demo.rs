//! The demonstration town, loaded through the same import as any other.

use std::sync::Arc;

use chassis::{
    call::{Call, Caller},
    clock::Clock,
    context::Context,
    identity::{Area, Grant, Grants, role},
    imports::input_place,
    operations::{Worker, store as operations},
    refusal::Refusal,
    work::{Record, Work},
};
use contracts::linli::{governance::v1 as governance, platform::v1 as pb};
use kernel::{calendar::DayKind, state::Named};
use prost::Message;
use tabular::{Column, Limits, read_csv};
use uuid::Uuid;

use crate::{
    calendar,
    town::{self, NATIONAL},
};

/// What names of the demonstration say.
pub const MARK: &str = "示例数据";

macro_rules! file {
    ($name:literal) => {
        (concat!($name), include_bytes!(concat!("../../../deploy/demo/", $name, ".csv")).as_slice())
    };
}

/// Its tables with their files, each after those that it requires.
pub const TABLES: &[(&str, &[u8])] = &[
    file!("communities"),
    file!("committees"),
    file!("household_counts"),
    file!("blocks"),
    file!("stewardships"),
    file!("organisations"),
    file!("estates"),
    file!("buildings"),
    file!("households"),
    file!("residents"),
    file!("bodies"),
    file!("memberships"),
    file!("block_forces"),
];

/// Loads the town once; later starts find it there.
///
/// # Errors
/// What the import or the database said.
pub async fn load(context: &Context, clock: &Clock) -> Result<(), Refusal> {
    let administrator = role("administrator").map(|role| Grant { role, area: Area::Everywhere });
    let grants = Arc::new(Grants { person: None, grants: administrator.into_iter().collect() });
    let caller = Caller { principal: "urn:linli:demo|loader".to_owned(), grants };
    let call = Call::new(caller, context.service, "linli demo", "platform.imports.create", clock.clone());
    if town::store::get(context.db.read().await?.sql(), "malu").await?.is_some() {
        return Ok(());
    }
    town(context, &call).await?;
    papers(context, &call).await?;
    import(context, &call, clock, TABLES).await
}

async fn town(context: &Context, call: &Call) -> Result<(), Refusal> {
    let columns = ["code", "name", "district", "administrative_code"].map(|name| Column {
        name,
        required: true,
        max_chars: 200,
        personal: false,
    });
    let table = read_csv(file!("towns").1, &columns, Limits::default())
        .map_err(|faults| Refusal::internal(format!("{faults:?}")))?;
    for row in table.rows {
        let [code, name, district, administrative_code] =
            <[String; 4]>::try_from(row.cells).map_err(|_| Refusal::internal("towns.csv"))?;
        let new = town::store::Town {
            town: code,
            display_name: name,
            district,
            administrative_code,
            demonstration: true,
            version: 1,
            created: 0,
            updated: 0,
        };
        let mut work = Work::plain(&context.db, call).await?;
        town::store::create(work.sql(), &new).await?;
        let change = town::change(&new, "create", "town.created");
        let record = Record {
            town: new.town.clone(),
            resource: change.resource.clone(),
            summary: "create the demonstration town".to_owned(),
            changes: vec![change],
            answer: governance::Town::default(),
        };
        work.commit(record).await?;
    }
    Ok(())
}

async fn papers(context: &Context, call: &Call) -> Result<(), Refusal> {
    let bad = |faults: Vec<tabular::Fault>| Refusal::internal(format!("{faults:?}"));
    let column = |name| Column { name, required: true, max_chars: 200, personal: false };
    let papers = read_csv(
        file!("calendar_papers").1,
        &["code", "paper", "dated", "note"].map(column),
        Limits::default(),
    )
    .map_err(bad)?;
    let days = read_csv(
        file!("calendar_paper_days").1,
        &["paper", "date", "kind", "holiday"].map(column),
        Limits::default(),
    )
    .map_err(bad)?;
    let mut work = Work::plain(&context.db, call).await?;
    let mut changes = Vec::new();
    for row in papers.rows {
        let [id, title, dated, note] =
            <[String; 4]>::try_from(row.cells).map_err(|_| Refusal::internal("calendar_papers.csv"))?;
        let its = days.rows.iter().filter(|day| day.cells[0] == id).filter_map(|day| {
            Some(calendar::store::PaperDay {
                day: day.cells[1].parse().ok()?,
                kind: DayKind::from_name(&day.cells[2])?,
                holiday: day.cells[3].clone(),
            })
        });
        let its: Vec<_> = its.collect();
        let head = calendar::store::Head {
            id,
            title,
            issued: dated.parse().map_err(Refusal::internal)?,
            note,
            created: 0,
        };
        if calendar::store::create(work.sql(), &head, &its).await? {
            changes.push(calendar::change(&head.id, "create"));
        }
    }
    let record = Record {
        town: NATIONAL.to_owned(),
        resource: "calendarPapers".to_owned(),
        summary: "enter the papers of 2019 to 2021".to_owned(),
        changes,
        answer: governance::Town::default(),
    };
    work.commit(record).await?;
    Ok(())
}

async fn import(
    context: &Context,
    call: &Call,
    clock: &Clock,
    tables: &[(&str, &[u8])],
) -> Result<(), Refusal> {
    let files = tables.iter().map(|(table, content)| pb::ImportFile {
        table: (*table).to_owned(),
        file_name: format!("{table}.csv"),
        content: content.to_vec().into(),
        first_row: 0,
    });
    let request = pb::ImportTablesRequest {
        parent: "services/governance".to_owned(),
        town: "towns/malu".to_owned(),
        files: files.collect(),
        mode: pb::ImportMode::Atomic.into(),
        request_id: String::new(),
        validate_only: false,
    };
    let id = Uuid::now_v7();
    let input = context.db.vault().seal(&input_place(id), &request.encode_to_vec())?;
    let mut work = Work::plain(&context.db, call).await?;
    operations::begin(&mut work, "malu", id, "import", &input).await?;
    let record = Record {
        town: "malu".to_owned(),
        resource: chassis::operations::name(context.service, id),
        summary: "begin the import of the demonstration".to_owned(),
        changes: Vec::new(),
        answer: governance::Town::default(),
    };
    work.commit(record).await?;
    Worker::new(context.clone(), clock.clone(), crate::jobs()).pass().await?;
    let stored = operations::get(context.db.read().await?.sql(), id).await?;
    let stored = stored.ok_or_else(|| Refusal::internal("the load of the demonstration vanished"))?;
    let any = prost_types::Any::decode(stored.response.unwrap_or_default().as_slice())
        .map_err(Refusal::internal)?;
    let report = pb::ImportReport::decode(any.value.as_slice()).map_err(Refusal::internal)?;
    if stored.state == "SUCCEEDED" && report.stored {
        return Ok(());
    }
    let first = report.rows.iter().find(|row| row.severity() != pb::Severity::Warning);
    let place = first.map(|row| format!("{} row {} {} {}", row.file, row.row, row.column, row.reason));
    Err(Refusal::internal(format!("the demonstration was not loaded: {} {place:?}", stored.state)))
}
