//! Declaring a document, giving it up, saying that it doesn't count; what every step does.

use chassis::{
    actor::Actor,
    call::Call,
    comment, fields,
    refusal::{Faults, FieldFault, Refusal},
    state::transition,
    wire,
    work::{Change, Record, Verb as Acts, Work, check_etag},
};
use contracts::linli::insurance::v1 as pb;
use kernel::{
    name::{DocumentName, TownName},
    state::Named,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    encode,
    owner::{Called, Kind},
    rules::{self, FILE, Media, OF_AN_OWNER, State, TABLE, Verb},
    store::{self, Row},
};
use crate::reasons::{DOCUMENT_DECIDED_ON, DOCUMENT_TOO_LARGE, DOCUMENTS_TOO_MANY};

/// A document of the caller's areas, locked, its etag checked.
///
/// # Errors
/// NOT_FOUND, PERMISSION_DENIED, ETAG_MISMATCH.
pub(super) async fn lock(work: &mut Work, name: &str, etag: &str) -> Result<Row, Refusal> {
    let name: DocumentName = wire::name("name", name)?;
    let call = work.call().clone();
    let scope = call.scope(name.town())?;
    let row = store::get(work.sql(), &name, &scope, true).await?;
    let row = row.ok_or_else(|| call.missing(&scope, "linli.dev/Document", name.to_string()))?;
    check_etag(&row.name(), etag, row.version)?;
    Ok(row)
}

/// A step as it is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub(super) verb: Verb,
    pub(super) from: &'static str,
    pub(super) event: &'static str,
    pub(super) comment: &'a str,
}

/// The record of a step. Events name the owner, the kind and the state, never the file.
pub(super) fn record(work: &Work, row: &Row, told: Told<'_>) -> Result<Record<pb::Document>, Refusal> {
    let change = Change {
        resource: row.name(),
        version: row.version,
        verb: told.verb.name(),
        from_state: told.from,
        to_state: row.state()?.name(),
        comment: told.comment.to_owned(),
        event: told.event,
        data: json!({ "document": row.name(), "owner": row.owner_name, "kind": row.kind, "state": row.state }),
    };
    Ok(Record { changes: vec![change], ..quiet(work, row, told.verb)? })
}

/// The same for what is kept in the audit alone.
pub(super) fn quiet(work: &Work, row: &Row, verb: Verb) -> Result<Record<pb::Document>, Refusal> {
    Ok(Record {
        town: row.town.clone(),
        resource: row.name(),
        summary: format!("{} {}", verb.name(), row.name()),
        changes: Vec::new(),
        answer: encode::document(row, work.vault())?,
    })
}

/// Enters the state that `verb` leads to and saves; the state before.
///
/// # Errors
/// WRONG_STATE.
pub(super) async fn enter(work: &mut Work, row: &mut Row, verb: Verb) -> Result<&'static str, Refusal> {
    let from = row.state()?;
    row.state = transition(&TABLE, &row.name(), from, verb)?.name().to_owned();
    store::save(work.sql(), row).await?;
    Ok(from.name())
}

/// What is declared of a file.
struct New {
    owner: Called,
    kind: String,
    file_name: String,
    media: Media,
    size: i64,
    sha256: [u8; 32],
}

/// The name of a file. A fault repeats nothing of it.
fn file_name(text: &str) -> Result<String, FieldFault> {
    let field = "document.file_name";
    let name = fields::display(field, text)?;
    if name.contains(['/', '\\']) {
        return Err(FieldFault::new(field, "PATH", "只填文件名，不带路径", "a name alone, without a path"));
    }
    Ok(name)
}

impl New {
    fn parse(town: &str, given: &pb::Document) -> Result<New, Refusal> {
        let mut faults = Faults::default();
        let owner = faults.take(Called::parse("document.owner", town, &given.owner));
        let kind = rules::is_kind(&given.kind).then(|| given.kind.clone()).ok_or_else(|| {
            let (zh, en) = ("材料代码如 INVOICES", "a kind looks like INVOICES");
            FieldFault::new("document.kind", "FORMAT", zh, en)
        });
        let kind = faults.take(kind);
        let name = faults.take(file_name(&given.file_name));
        let media = given.media_type().as_str_name().trim_start_matches("DOCUMENT_MEDIA_TYPE_");
        let media = faults.take(
            Media::from_name(media)
                .ok_or_else(|| FieldFault::new("document.media_type", "REQUIRED", "必填", "required")),
        );
        let sha256 = faults.take(rules::sha256(&given.sha256).ok_or_else(|| {
            let (zh, en) = ("须为 64 位十六进制数", "64 hexadecimal digits");
            FieldFault::new("document.sha256", "FORMAT", zh, en)
        }));
        let all = owner.zip(kind).zip(name).zip(media).zip(sha256);
        let ((((owner, kind), file_name), media), sha256) = faults.finish(all)?;
        if given.size_bytes.unsigned_abs() > FILE {
            let fault = FieldFault::new("document.size_bytes", "TOO_LARGE", "文件过大", "too large");
            return Err(Refusal::new(&DOCUMENT_TOO_LARGE).with("limit", FILE).at_field(fault));
        }
        Ok(New { owner, kind, file_name, media, size: given.size_bytes, sha256 })
    }

    fn row(&self, call: &Call, town: &str, id: Uuid, owner: store::owners::Owner) -> Row {
        let who = Actor::of(call);
        let recorded = chassis::clock::recorded_now().as_microsecond();
        Row {
            town: town.to_owned(),
            id: Uuid::now_v7(),
            owner_kind: self.owner.kind.name().to_owned(),
            owner: id,
            owner_name: self.owner.named(id),
            kind: self.kind.clone(),
            state: State::Pending.name().to_owned(),
            media_type: self.media.name().to_owned(),
            size_bytes: self.size,
            sha256: self.sha256.to_vec(),
            committees: owner.committees,
            insurers: owner.insurers,
            created_by: who.principal,
            created_person: who.person,
            version: 1,
            created: recorded,
            updated: recorded,
            ..Row::default()
        }
    }
}

/// CreateDocument.
pub(super) struct Create;

#[tonic::async_trait]
impl Acts for Create {
    type Request = pb::CreateDocumentRequest;
    type Answer = pb::Document;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Document>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let (town, call) = (town.town(), work.call().clone());
        let scope = call.scope(town)?;
        let default = pb::Document::default();
        let new = New::parse(town, request.document.as_ref().unwrap_or(&default))?;
        let found = match new.owner.id() {
            Some(id) => {
                store::owners::owner(work.sql(), town, new.owner.kind, id).await?.map(|owner| (id, owner))
            }
            None => None,
        };
        let found = found.filter(|(_, owner)| store::sees(&scope, &owner.committees, &owner.insurers));
        let (id, owner) =
            found.ok_or_else(|| call.missing(&scope, new.owner.kind.resource(), new.owner.to_string()))?;
        let mut row = new.row(&call, town, id, owner);
        row.set_file_name(work.vault(), &new.file_name)?;
        store::create(work.sql(), &row).await.map_err(|refusal| match refusal.constraint() {
            Some("documents_of_an_owner") => Refusal::new(&DOCUMENTS_TOO_MANY)
                .with("owner", &row.owner_name)
                .with("limit", OF_AN_OWNER)
                .because(refusal),
            _ => refusal,
        })?;
        let told =
            Told { verb: Verb::Create, from: "", event: "document.created", comment: &request.comment };
        record(work, &row, told)
    }
}

/// Gives up an upload: nothing of its name and of what is known of its parts is kept.
///
/// # Errors
/// WRONG_STATE.
pub(super) async fn give_up(work: &mut Work, row: &mut Row) -> Result<Record<pb::Document>, Refusal> {
    (row.written_bytes, row.parts, row.file_name_sealed) = (0, 0, None);
    let from = enter(work, row, Verb::Delete).await?;
    store::drop_parts(work.sql(), &row.town, row.id).await?;
    record(work, row, Told { verb: Verb::Delete, from, event: "document.deleted", comment: "" })
}

/// DeleteDocument: nothing of name and content is kept. The parts in the object store go once this is committed.
pub(super) struct Delete;

#[tonic::async_trait]
impl Acts for Delete {
    type Request = pb::DeleteDocumentRequest;
    type Answer = pb::Document;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Document>, Refusal> {
        let mut row = lock(work, &request.name, &request.etag).await?;
        give_up(work, &mut row).await
    }
}

/// Whether a decision in force rests on what a document belongs to. Its claim is held first, as a decision holds it, and stays as it is
/// until the end of the transaction.
async fn decided(work: &mut Work, name: &str) -> Result<bool, Refusal> {
    let name: DocumentName = wire::name("name", name)?;
    let scope = work.call().scope(name.town())?;
    match store::get(work.sql(), &name, &scope, false).await? {
        Some(row) if row.owner_kind == Kind::Claim.name() => {
            store::owners::hold_decided(work.sql(), &row.town, row.owner).await
        }
        Some(_) | None => Ok(false),
    }
}

/// VoidDocument.
pub(super) struct Void;

#[tonic::async_trait]
impl Acts for Void {
    type Request = pb::VoidDocumentRequest;
    type Answer = pb::Document;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Document>, Refusal> {
        let decided = decided(work, &request.name).await?;
        let mut row = lock(work, &request.name, &request.etag).await?;
        if decided && row.state()? == State::Stored {
            return Err(Refusal::new(&DOCUMENT_DECIDED_ON)
                .with("name", row.name())
                .with("owner", &row.owner_name));
        }
        let why = comment::reason(&request.comment, &row.name(), Verb::Void.name())?;
        let from = enter(work, &mut row, Verb::Void).await?;
        record(work, &row, Told { verb: Verb::Void, from, event: "document.voided", comment: why })
    }
}
