//! Documents 材料 of claims, campaigns and incidents (Work points 3.4): what is known of a file in the database, its content sealed in the
//! object store.

mod acts;
mod encode;
pub mod owner;
mod parts;
pub(crate) mod reseal;
pub(crate) mod rules;
mod store;
mod sweep;
mod upload;

pub use store::kinds_stored;
pub(crate) use sweep::{KIND as SWEEP, Sweep};

use chassis::{
    call::Call,
    context::Context,
    listing,
    objects::Objects,
    operations::Worker,
    refusal::Refusal,
    state::{available, transition},
    timeline, wire,
    work::{Record, Work, mutate},
};
use contracts::{
    google::longrunning as lro,
    linli::insurance::v1::{self as pb, document_service_server::DocumentService},
};
use kernel::name::DocumentName;
use tonic::{Request, Response, Status};

use self::{
    rules::{TABLE, Verb, purpose},
    store::{Part, Row, sees},
};

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Documents {
    /// What handlers share.
    pub(crate) context: Context,
    /// Where parts lie.
    pub(crate) objects: Objects,
    /// The worker, to be woken.
    pub(crate) worker: Worker,
}

/// A stretch of a file that may be read now: its document, the part that it lies in, and the file's name.
struct Opened {
    row: Row,
    part: Part,
    file_name: String,
}

impl Documents {
    async fn get(&self, call: &Call, request: &pb::GetDocumentRequest) -> Result<pb::Document, Refusal> {
        let name: DocumentName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        let mut read = self.context.db.read().await?;
        let row = store::get(read.sql(), &name, &scope, false).await?;
        let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Document", name.to_string()))?;
        let mut document = encode::document(&row, self.context.db.vault())?;
        document.available_actions = available(&TABLE, row.state()?, call, &row.town, |scope| {
            sees(scope, &row.committees, &row.insurers)
        });
        document.timeline = timeline::read(read.sql(), &row.town, &row.name()).await?;
        Ok(document)
    }

    async fn page(
        &self,
        call: &Call,
        request: &pb::ListDocumentsRequest,
    ) -> Result<pb::ListDocumentsResponse, Refusal> {
        let asked = listing::request_undated!(request);
        let (page, paging) = listing::Asked::read(&self.context, call, asked, store::FILTER)?;
        let mut rows = store::list(self.context.db.read().await?.sql(), &page).await?;
        let next_page_token = paging.next(&mut rows, |row| vec![row.id.to_string()]);
        let documents = rows.iter().map(|row| encode::document(row, self.context.db.vault()));
        Ok(pb::ListDocumentsResponse { documents: documents.collect::<Result<_, _>>()?, next_page_token })
    }

    /// Keeps the reading before anything is shown, and asks the object store once that is committed.
    async fn stretch(
        &self,
        call: &Call,
        request: &pb::ReadDocumentRequest,
    ) -> Result<pb::ReadDocumentResponse, Refusal> {
        let Opened { row, part, file_name } = self.open(call, request).await?;
        let mut content = parts::get(&self.objects, self.context.db.vault(), &row, &part).await?;
        let skipped = usize::try_from(request.offset - part.from_byte).map_err(Refusal::internal)?;
        content.drain(..skipped.min(content.len()));
        let end = part.from_byte + i64::from(part.bytes);
        Ok(pb::ReadDocumentResponse {
            content: content.into(),
            next_offset: if end < row.size_bytes { end } else { 0 },
            file_name,
            media_type: encode::media(&row).into(),
            size_bytes: row.size_bytes,
        })
    }

    async fn open(&self, call: &Call, request: &pb::ReadDocumentRequest) -> Result<Opened, Refusal> {
        let name: DocumentName = wire::name("name", &request.name)?;
        let scope = call.scope(name.town())?;
        if request.purpose.trim().is_empty() {
            return Err(Refusal::field("purpose", "REQUIRED", "须写明用途", "say what for"));
        }
        let mut work = Work::plain(&self.context.db, call).await?;
        let row = store::get(work.sql(), &name, &scope, false).await?;
        let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Document", name.to_string()))?;
        transition(&TABLE, &row.name(), row.state()?, Verb::Read)?;
        let part = store::part_at(work.sql(), (&row.town, row.id), request.offset).await?;
        let part = part.ok_or_else(|| {
            let en = format!("the file has {} bytes", row.size_bytes);
            Refusal::field("offset", "OUT_OF_RANGE", format!("文件共 {} 字节", row.size_bytes), en)
        })?;
        let file_name = row.file_name(work.vault())?;
        let of = (row.town.as_str(), row.id);
        let first = store::note_reading(work.sql(), of, call.principal(), call.today()).await?;
        if first || request.offset == 0 {
            let what_for = purpose(&request.purpose, &file_name);
            work.commit(Record {
                town: row.town.clone(),
                resource: row.name(),
                summary: format!("read {}: {what_for}", row.name()),
                changes: Vec::new(),
                // the answer of a reading is never kept
                answer: pb::ReadDocumentResponse::default(),
            })
            .await?;
        }
        Ok(Opened { row, part, file_name })
    }

    /// What lay in the store of an upload goes once it is given up; what can't go now, the next sweep takes.
    async fn delete(
        &self,
        request: Request<pb::DeleteDocumentRequest>,
    ) -> Result<Response<pb::Document>, Status> {
        let dry = request.get_ref().validate_only;
        let call = Call::of(&request)?;
        let done = mutate::<acts::Delete>(&self.context, request).await?;
        if !dry {
            self.clear(&call, &done.get_ref().name).await?;
        }
        Ok(done)
    }

    async fn clear(&self, call: &Call, name: &str) -> Result<(), Refusal> {
        let name: DocumentName = wire::name("name", name)?;
        let row = store::uncleared_one(self.context.db.read().await?.sql(), &name).await?;
        let Some(row) = row else { return Ok(()) };
        if parts::clear(&self.objects, &row).await {
            let mut work = Work::plain(&self.context.db, call).await?;
            store::set_cleared(work.sql(), &row.town, &[row.id]).await?;
            let record = acts::quiet(&work, &row, Verb::Delete)?;
            work.commit(record).await?;
        }
        Ok(())
    }
}

#[tonic::async_trait]
impl DocumentService for Documents {
    async fn get_document(
        &self,
        request: Request<pb::GetDocumentRequest>,
    ) -> Result<Response<pb::Document>, Status> {
        Ok(Response::new(self.get(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn list_documents(
        &self,
        request: Request<pb::ListDocumentsRequest>,
    ) -> Result<Response<pb::ListDocumentsResponse>, Status> {
        Ok(Response::new(self.page(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_document(
        &self,
        request: Request<pb::CreateDocumentRequest>,
    ) -> Result<Response<pb::Document>, Status> {
        mutate::<acts::Create>(&self.context, request).await
    }

    async fn write_document(
        &self,
        request: Request<pb::WriteDocumentRequest>,
    ) -> Result<Response<pb::Document>, Status> {
        self.write(request).await
    }

    async fn finish_document(
        &self,
        request: Request<pb::FinishDocumentRequest>,
    ) -> Result<Response<pb::Document>, Status> {
        self.finish(request).await
    }

    async fn read_document(
        &self,
        request: Request<pb::ReadDocumentRequest>,
    ) -> Result<Response<pb::ReadDocumentResponse>, Status> {
        Ok(Response::new(self.stretch(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn delete_document(
        &self,
        request: Request<pb::DeleteDocumentRequest>,
    ) -> Result<Response<pb::Document>, Status> {
        self.delete(request).await
    }

    async fn void_document(
        &self,
        request: Request<pb::VoidDocumentRequest>,
    ) -> Result<Response<pb::Document>, Status> {
        mutate::<acts::Void>(&self.context, request).await
    }

    async fn sweep_documents(
        &self,
        request: Request<pb::SweepDocumentsRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let answer = mutate::<sweep::Begin>(&self.context, request).await;
        self.worker.wake();
        answer
    }
}
