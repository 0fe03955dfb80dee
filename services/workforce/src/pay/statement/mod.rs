//! Pay statements 工资单: what a worker gets in a run, explained line by line. The town office reads them; a worker his own, once approved.

pub(crate) mod export;
pub(crate) mod store;

use chassis::{
    amount::to_money,
    call::Call,
    context::Context,
    listing::{self, Asked},
    refusal::Refusal,
    wire,
    work::{Record, Work},
};
use contracts::linli::workforce::v1 as pb;
use jiff::civil::Date;
use kernel::{
    filter::{FieldSpec, Kind as Type},
    money::Fen,
    name::{PayRunName, PayStatementName, PersonName, TownName},
};
use uuid::Uuid;

use self::store::Whole;
use super::{
    explain,
    lives::{RUNS, RunState, RunVerb},
    rules::month_of,
    run,
};

/// What a List may ask for.
const FILTER: &[FieldSpec] = &[
    FieldSpec {
        name: "pay_run",
        column: "s.run",
        kind: Type::Name { collection: "payRuns", town: "s.town" },
    },
    FieldSpec {
        name: "worker",
        column: "s.worker",
        kind: Type::Name { collection: "workers", town: "s.town" },
    },
    FieldSpec { name: "month", column: "s.month", kind: Type::Date },
];

/// A statement.
fn encode(whole: &Whole) -> Result<pb::PayStatement, Refusal> {
    let (row, town) = (&whole.row, &whole.row.town);
    Ok(pb::PayStatement {
        name: format!("towns/{town}/payStatements/{}", row.id),
        pay_run: run::encode::name(town, &row.run),
        worker: format!("towns/{town}/workers/{}", row.worker),
        worker_display_name: row.display_name.clone(),
        month: Some(wire::to_date(row.month()?)),
        state: run::encode::state(row.state()?).into(),
        lines: whole.lines.iter().map(|line| explain::line(town, &row.scale, line)).collect(),
        total_amount: Some(to_money(Fen::of(row.total_fen))),
        create_time: Some(wire::to_timestamp(row.created)),
    })
}

/// GetPayStatement.
pub(super) async fn get(
    context: &Context,
    call: &Call,
    request: &pb::GetPayStatementRequest,
) -> Result<pb::PayStatement, Refusal> {
    let name: PayStatementName = wire::name("name", &request.name)?;
    let mut read = context.db.read().await?;
    let found = match Uuid::parse_str(name.pay_statement()) {
        Ok(id) => store::get(read.sql(), name.town(), id).await?,
        Err(_) => None,
    };
    // whoever isn't the town office learns nothing but his own, and that once it is approved
    let own = match &found {
        Some(found) if found.row.state()? == RunState::Approved => {
            let person = PersonName::new(name.town(), &found.row.person).map_err(Refusal::internal)?;
            call.scope_about(&person).is_ok_and(|scope| scope.is_town())
        }
        Some(_) | None => false,
    };
    if !own {
        call.whole_town(name.town())?;
    }
    let found = found.ok_or_else(|| Refusal::not_found("linli.dev/PayStatement", name.to_string()))?;
    encode(&found)
}

/// GetOwnPayStatement.
pub(super) async fn own(
    context: &Context,
    call: &Call,
    request: &pb::GetOwnPayStatementRequest,
) -> Result<pb::PayStatement, Refusal> {
    let town: TownName = wire::name("parent", &request.parent)?;
    let month = wire::required_date("month", request.month.as_ref()).map_err(Refusal::one)?;
    let month: Date = month_of(month);
    let person = call.person().and_then(|person| PersonName::parse(person).ok());
    let person = person.filter(|person| person.town() == town.town()).ok_or_else(|| call.denied())?;
    if !call.scope_about(&person)?.is_town() {
        return Err(call.denied());
    }
    let mut read = context.db.read().await?;
    let found = store::of_person(read.sql(), &person, month).await?;
    let missing = || Refusal::not_found("linli.dev/PayStatement", format!("{town}/payStatements:own"));
    encode(&found.ok_or_else(missing)?)
}

/// ListPayStatements.
pub(super) async fn page(
    context: &Context,
    call: &Call,
    request: &pb::ListPayStatementsRequest,
) -> Result<pb::ListPayStatementsResponse, Refusal> {
    let (asked, paging) = Asked::read(context, call, listing::request_undated!(request), FILTER)?;
    call.whole_town(&asked.town)?;
    let mut read = context.db.read().await?;
    let mut found: Vec<store::Row> = store::list_query(&asked).build_query_as().fetch_all(read.sql()).await?;
    let next_page_token = paging.next(&mut found, |row| vec![row.id.to_string()]);
    let whole = store::whole(read.sql(), &asked.town, found).await?;
    let pay_statements = whole.iter().map(encode).collect::<Result<_, _>>()?;
    Ok(pb::ListPayStatementsResponse { pay_statements, next_page_token })
}

/// ExportPayRun: an approved run as a workbook. That it was read is kept in the audit log.
pub(super) async fn file(
    context: &Context,
    call: &Call,
    mark: Option<&'static str>,
    request: &pb::ExportPayRunRequest,
) -> Result<pb::ExportPayRunResponse, Refusal> {
    let name: PayRunName = wire::name("name", &request.name)?;
    call.whole_town(name.town())?;
    let mut work = Work::plain(&context.db, call).await?;
    let run = run::store::get(work.sql(), &name, false).await?;
    let run = run.ok_or_else(|| Refusal::not_found("linli.dev/PayRun", name.to_string()))?;
    chassis::state::transition(&RUNS, &name.to_string(), run.state()?, RunVerb::Export)?;
    let month = run.month()?;
    let rows = store::of_run(work.sql(), &name).await?;
    let whole = store::whole(work.sql(), name.town(), rows).await?;
    let written = tokio::task::spawn_blocking(move || export::xlsx(&whole, month, mark));
    let content = written.await.map_err(Refusal::internal)?.map_err(Refusal::internal)?;
    let record = Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("export {name}"),
        changes: Vec::new(),
        answer: pb::ExportPayRunResponse {
            file_name: export::file_name(name.town(), month, mark),
            content_type: export::XLSX.to_owned(),
            content: content.into(),
        },
    };
    Ok(work.commit(record).await?.answer)
}
