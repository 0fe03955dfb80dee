//! The RPCs of import and export.

use contracts::{
    google::longrunning as lro,
    linli::platform::v1::{self as pb, import_service_server::ImportService},
};
use kernel::name::TownName;
use prost::Message;
use tonic::{Request, Response, Status};

use super::{Export, Sheet, Sheets, file::Form, input_place, job::new_id};
use crate::{
    call::Call,
    context::Context,
    operations::{Worker, encode, name, store},
    paging::Paging,
    refusal::{FieldFault, Refusal},
    wire,
    work::{Record, Verb, Work, mutate},
};

/// The gRPC service.
#[derive(Clone)]
pub struct Imports {
    /// What handlers share.
    pub context: Context,
    /// The worker, to be woken.
    pub worker: Worker,
    /// The tables.
    pub sheets: Sheets,
    /// What exported files and their names say: 示例数据.
    pub mark: Option<&'static str>,
}

/// Rows of one exported file at most.
const PART: usize = 100_000;

struct Begin;

#[tonic::async_trait]
impl Verb for Begin {
    type Request = pb::ImportTablesRequest;
    type Answer = lro::Operation;

    fn intent(request: &Self::Request) -> (&str, bool) {
        // a dry run is an operation too: its report is what the caller wants
        (&request.request_id, false)
    }

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<lro::Operation>, Refusal> {
        let call = work.call().clone();
        let town: TownName = wire::name("town", &request.town)?;
        call.whole_town(town.town())?;
        let twice = request
            .files
            .iter()
            .enumerate()
            .find(|(n, file)| request.files[..*n].iter().any(|other| other.table == file.table));
        if let Some((n, _)) = twice {
            return Err(Refusal::fields(vec![FieldFault::new(
                format!("files[{n}].table"),
                "REPEATED",
                "同一表只能出现一次",
                "each table once",
            )]));
        }
        let id = new_id();
        // files may hold personal data
        let input = work.vault().seal(&input_place(id), &request.encode_to_vec())?;
        let stored = store::begin(work, town.town(), id, "import", &input).await?;
        let tables: Vec<&str> = request.files.iter().map(|file| file.table.as_str()).collect();
        Ok(Record {
            town: town.town().to_owned(),
            resource: name(call.service(), id),
            summary: format!("begin the import of {}", tables.join(", ")),
            changes: Vec::new(),
            answer: encode(call.service(), &stored)?,
        })
    }
}

impl Imports {
    async fn export(
        &self,
        call: &Call,
        request: &pb::ExportTableRequest,
    ) -> Result<pb::ExportTableResponse, Refusal> {
        let town: TownName = wire::name("town", &request.town)?;
        call.whole_town(town.town())?;
        let sheet = self.sheets.iter().find(|sheet| sheet.name() == request.table).cloned();
        let sheet = sheet.ok_or_else(|| {
            let known: Vec<&str> = self.sheets.iter().map(|sheet| sheet.name()).collect();
            let known = known.join(", ");
            Refusal::field("table", "UNKNOWN_TABLE", format!("可用：{known}"), format!("there are {known}"))
        })?;
        let clear = self.clears(call, request, sheet.as_ref(), &town).await?;
        let clear_word = if clear { "clear" } else { "" };
        let bound = [request.town.as_str(), sheet.name(), clear_word];
        let paging = Paging::open(&self.context, call, &bound, 0, &request.page_token)?;
        let mut next_page_token = String::new();
        let rows = if request.template {
            None
        } else {
            let day = call.today();
            let vault = self.context.db.vault();
            let mut read = self.context.db.read().await?;
            let after = paging.after_first().map(str::to_owned);
            let mut export =
                Export { sql: read.sql(), vault, town: &town, day, clear, after, most: PART, next: None };
            let rows = sheet.export(&mut export).await?;
            next_page_token = export.next.map(|next| paging.token(&[&next])).unwrap_or_default();
            Some(rows)
        };
        let (form, mark) = (Form::of(request.format()), self.mark);
        let file_name = form.file_name(town.town(), sheet.name(), mark);
        let written = tokio::task::spawn_blocking(move || form.write(sheet.as_ref(), rows, mark));
        Ok(pb::ExportTableResponse {
            file_name,
            content_type: form.content_type().to_owned(),
            content: written.await.map_err(Refusal::internal)??.into(),
            next_page_token,
        })
    }

    /// Whether personal columns go out in clear: who asks for it must hold the permission, and the audit says what for.
    async fn clears(
        &self,
        call: &Call,
        request: &pb::ExportTableRequest,
        sheet: &dyn Sheet,
        town: &TownName,
    ) -> Result<bool, Refusal> {
        let purpose = request.clear_purpose.trim();
        let Some(permission) = sheet.clear_permission().filter(|_| !purpose.is_empty() && !request.template)
        else {
            return Ok(false);
        };
        if !call.may(permission, town.town()).is_town() {
            return Err(call.denied());
        }
        let record = Record {
            town: town.town().to_owned(),
            resource: town.to_string(),
            summary: format!("export {} in clear: {purpose}", sheet.name()),
            changes: Vec::new(),
            answer: pb::ExportTableResponse::default(),
        };
        Work::plain(&self.context.db, call).await?.commit(record).await?;
        Ok(true)
    }

    fn tables(&self) -> pb::ListTablesResponse {
        let tables = self.sheets.iter().map(|sheet| pb::Table {
            table: sheet.name().to_owned(),
            columns: sheet
                .columns()
                .iter()
                .zip(sheet.about())
                .map(|(column, about)| pb::TableColumn {
                    column: column.name.to_owned(),
                    required: column.required,
                    description: (*about).to_owned(),
                })
                .collect(),
            requires: sheet.requires().iter().map(ToString::to_string).collect(),
        });
        pb::ListTablesResponse { tables: tables.collect(), next_page_token: String::new() }
    }
}

#[tonic::async_trait]
impl ImportService for Imports {
    async fn import_tables(
        &self,
        request: Request<pb::ImportTablesRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let answer = mutate::<Begin>(&self.context, request).await;
        self.worker.wake();
        answer
    }

    async fn export_table(
        &self,
        request: Request<pb::ExportTableRequest>,
    ) -> Result<Response<pb::ExportTableResponse>, Status> {
        Ok(Response::new(self.export(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_tables(
        &self,
        request: Request<pb::ListTablesRequest>,
    ) -> Result<Response<pb::ListTablesResponse>, Status> {
        Call::of(&request)?;
        Ok(Response::new(self.tables()))
    }
}
