//! The content of a document: its parts, and what it is once all of it is there. The object store is never asked while a row is locked:
//! a part lies there before it is recorded, and a file has passed by before its state changes.

use chassis::{
    call::Call,
    refusal::{CONFLICT, FieldFault, Refusal},
    state::transition,
    work::{Record, VerbGiven, Work, mutate_given},
};
use contracts::linli::insurance::v1 as pb;
use kernel::{name::DocumentName, state::Named};
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status};

use super::{
    Documents,
    acts::{Told, enter, lock, quiet, record},
    parts,
    rules::{Mismatch, Misplaced, State, TABLE, Verb, place},
    store::{self, Part, Row},
};
use crate::reasons::{DOCUMENT_MISMATCH, DOCUMENT_OFFSET, DOCUMENT_TOO_LARGE};

impl Documents {
    /// The document of a request when it is the caller's and waits for its content; whatever else it is, is told by the step itself.
    async fn waiting(&self, call: &Call, name: &str) -> Result<Option<Row>, Refusal> {
        let Ok(name) = DocumentName::parse(name) else { return Ok(None) };
        let Ok(scope) = call.scope(name.town()) else { return Ok(None) };
        let row = store::get(self.context.db.read().await?.sql(), &name, &scope, false).await?;
        Ok(row.filter(|row| row.state == State::Pending.name()))
    }

    /// WriteDocument.
    pub(super) async fn write(
        &self,
        request: Request<pb::WriteDocumentRequest>,
    ) -> Result<Response<pb::Document>, Status> {
        let call = Call::of(&request)?;
        let asked = request.get_ref();
        let row = self.waiting(&call, &asked.name).await?;
        let row = row.filter(|row| !asked.validate_only && placed(row, asked).is_ok());
        let Some(row) = row else { return mutate_given::<Write>(&self.context, &None, request).await };
        let vault = self.context.db.vault();
        let part = Some(parts::put(&self.objects, vault, &row, &asked.content).await?);
        let done = mutate_given::<Write>(&self.context, &part, request).await;
        self.forget_unrecorded(&row, part, done.is_ok()).await;
        done
    }

    /// Takes a part away again that was put and isn't recorded: another call was first, or this one was a repetition.
    async fn forget_unrecorded(&self, row: &Row, part: Option<Part>, done: bool) {
        let Some(part) = part else { return };
        let kept = async {
            let mut read = self.context.db.read().await?;
            store::is_kept(read.sql(), (&row.town, row.id), part.object).await
        };
        match kept.await {
            Ok(true) => {}
            Ok(false) => parts::forget(&self.objects, row, &part).await,
            // whether it counts isn't known, so that it stays
            Err(refusal) => tracing::warn!(error = %refusal, done, "a part may be recorded or not"),
        }
    }

    /// FinishDocument.
    pub(super) async fn finish(
        &self,
        request: Request<pb::FinishDocumentRequest>,
    ) -> Result<Response<pb::Document>, Status> {
        let call = Call::of(&request)?;
        let seen = match self.waiting(&call, &request.get_ref().name).await? {
            Some(row) => Some(self.inspect(&row).await?),
            None => None,
        };
        mutate_given::<Finish>(&self.context, &seen, request).await
    }

    /// Compares what is there with what was declared, a part at a time.
    async fn inspect(&self, row: &Row) -> Result<Seen, Refusal> {
        let declared = row.declared()?;
        // what isn't complete needs no reading
        if row.written() != row.size() {
            return Ok(Seen { version: row.version, wrong: vec![Mismatch::Size] });
        }
        let all = store::parts(self.context.db.read().await?.sql(), &row.town, row.id).await?;
        let passed = parts::pass(&self.objects, self.context.db.vault(), row, &all).await?;
        Ok(Seen { version: row.version, wrong: passed.compare(&declared) })
    }
}

/// Whether a part may come where it says, or is there already, or why not.
fn placed(row: &Row, request: &pb::WriteDocumentRequest) -> Result<(), Misplaced> {
    place(row.size(), row.written(), request.offset.unsigned_abs(), request.content.len())
}

fn misplaced(row: &Row, why: Misplaced) -> Refusal {
    match why {
        Misplaced::Offset => Refusal::new(&DOCUMENT_OFFSET)
            .with("name", row.name())
            .with("offset", row.written_bytes)
            .violating("OFFSET", row.name(), row.written_bytes.to_string()),
        Misplaced::TooLarge => {
            let fault = FieldFault::new("content", "TOO_LARGE", "超过登记的大小", "more than was declared");
            Refusal::new(&DOCUMENT_TOO_LARGE).with("limit", row.size_bytes).at_field(fault)
        }
        Misplaced::TooSmall => {
            let (zh, en) =
                ("除最后一片外，每片至少 65536 字节", "65536 bytes at least, unless it is the last part");
            Refusal::field("content", "TOO_SMALL", zh, en)
        }
    }
}

/// WriteDocument, given the part that lies in the store.
struct Write;

/// Whether this very part is there already.
async fn is_there(work: &mut Work, row: &Row, request: &pb::WriteDocumentRequest) -> Result<bool, Refusal> {
    let part = store::part_at(work.sql(), (&row.town, row.id), request.offset).await?;
    Ok(part.is_some_and(|part| {
        part.from_byte == request.offset && part.sha256 == Sha256::digest(&request.content)[..]
    }))
}

#[tonic::async_trait]
impl VerbGiven for Write {
    type Given = Option<Part>;
    type Request = pb::WriteDocumentRequest;
    type Answer = pb::Document;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        given: &Option<Part>,
        request: &Self::Request,
    ) -> Result<Record<pb::Document>, Refusal> {
        let mut row = lock(work, &request.name, &request.etag).await?;
        transition(&TABLE, &row.name(), row.state()?, Verb::Write)?;
        if let Err(why) = placed(&row, request) {
            if why == Misplaced::Offset && is_there(work, &row, request).await? {
                return quiet(work, &row, Verb::Write);
            }
            return Err(misplaced(&row, why));
        }
        if request.validate_only {
            return quiet(work, &row, Verb::Write);
        }
        let part = given.as_ref().filter(|part| (part.n, part.from_byte) == (row.parts, row.written_bytes));
        let part = part.ok_or_else(|| Refusal::new(&CONFLICT))?;
        let key = work.vault().sealing_column()?;
        store::add_part(work.sql(), (&row.town, row.id), part, key).await?;
        row.parts += 1;
        row.written_bytes += i64::from(part.bytes);
        enter(work, &mut row, Verb::Write).await?;
        quiet(work, &row, Verb::Write)
    }
}

/// What a file was found to be, and at which version of the document.
struct Seen {
    version: i64,
    wrong: Vec<Mismatch>,
}

/// FinishDocument, given what the file was found to be.
struct Finish;

#[tonic::async_trait]
impl VerbGiven for Finish {
    type Given = Option<Seen>;
    type Request = pb::FinishDocumentRequest;
    type Answer = pb::Document;

    chassis::intent!();

    async fn act(
        work: &mut Work,
        given: &Option<Seen>,
        request: &Self::Request,
    ) -> Result<Record<pb::Document>, Refusal> {
        let mut row = lock(work, &request.name, &request.etag).await?;
        transition(&TABLE, &row.name(), row.state()?, Verb::Finish)?;
        // whoever wrote in between has changed the version
        let seen = given.as_ref().filter(|seen| seen.version == row.version);
        let seen = seen.ok_or_else(|| Refusal::new(&CONFLICT))?;
        if !seen.wrong.is_empty() {
            let fields = seen.wrong.iter().map(|which| which.name()).collect::<Vec<_>>().join(", ");
            return Err(Refusal::new(&DOCUMENT_MISMATCH)
                .with("name", row.name())
                .with("fields", &fields)
                .violating("MISMATCH", row.name(), fields));
        }
        let from = enter(work, &mut row, Verb::Finish).await?;
        let told = Told { verb: Verb::Finish, from, event: "document.stored", comment: &request.comment };
        record(work, &row, told)
    }
}
