//! Documents: sent in parts, sealed where they lie, compared with what was declared, read with a purpose.

mod behind;
pub(crate) mod canaries;
mod decided;
mod seeing;
mod sweeping;

use std::path::PathBuf;

use chassis::peer::Peer;
use contracts::linli::insurance::v1::{self as pb, document_service_client::DocumentServiceClient};
use jiff::civil::date;
use sha2::{Digest, Sha256};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::harness::{Service, reason, service, uuid, with};

/// A part as clients send it.
pub(crate) const PART: usize = 1024 * 1024;
/// What a PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// A claim of `c1` under the policy of o-insurer-0, a campaign of `c1` and `c2`, an incident of `c2`, a claim of `c2`.
const CLAIM: &str = "towns/malu/claims/00000000-0000-7000-8000-000000000001";
const CAMPAIGN: &str = "towns/malu/campaigns/00000000-0000-7000-8000-000000000002";
const INCIDENT: &str = "towns/malu/incidents/00000000-0000-7000-8000-000000000003";
const OTHER_CLAIM: &str = "towns/malu/claims/00000000-0000-7000-8000-000000000004";

/// Stands in for the tables of the owners, with no more than documents ask of them.
const OWNERS: &str = "
    drop table if exists claim, campaign, campaign_committee, incident cascade;
    create table claim (town text, id uuid, committee text, insurers text[], decision integer);
    create table campaign (town text, id uuid);
    create table campaign_committee (town text, campaign uuid, committee text);
    create table incident (town text, id uuid, committee text);
    grant select, update on claim, campaign, campaign_committee, incident to linli_insurance;
    insert into claim values ('malu', '00000000-0000-7000-8000-000000000001', 'c1', '{o-insurer-0}'), ('malu', '00000000-0000-7000-8000-000000000004', 'c2', '{}');
    insert into campaign values ('malu', '00000000-0000-7000-8000-000000000002');
    insert into campaign_committee values ('malu', '00000000-0000-7000-8000-000000000002', 'c1'),
        ('malu', '00000000-0000-7000-8000-000000000002', 'c2');
    insert into incident values ('malu', '00000000-0000-7000-8000-000000000003', 'c2')";

/// A service with somebody whom documents may belong to.
async fn filing() -> Service {
    let service = service(date(2020, 6, 1)).await;
    service.schemes().await;
    service.sql(OWNERS).await;
    service
}

/// A picture of so many bytes.
pub(crate) fn picture(bytes: usize) -> Vec<u8> {
    let noise = (0..bytes.saturating_sub(PNG.len())).map(|n| (n * 31 % 251) as u8);
    PNG.iter().copied().chain(noise).collect()
}

/// A file as it is declared.
pub(crate) fn declared(owner: &str, content: &[u8]) -> pb::Document {
    pb::Document {
        owner: owner.to_owned(),
        kind: "PHOTOS".to_owned(),
        file_name: "受损现场.png".to_owned(),
        media_type: pb::DocumentMediaType::Png.into(),
        size_bytes: i64::try_from(content.len()).unwrap(),
        sha256: hex::encode(Sha256::digest(content)),
        ..Default::default()
    }
}

fn create(document: pb::Document) -> pb::CreateDocumentRequest {
    pb::CreateDocumentRequest {
        parent: "towns/malu".to_owned(),
        document: Some(document),
        request_id: uuid(),
        ..Default::default()
    }
}

/// What somebody does with documents.
pub(crate) struct Caller<'a> {
    service: &'a Service,
    token: String,
}

impl Service {
    pub(crate) fn documents(&self) -> DocumentServiceClient<Peer> {
        DocumentServiceClient::new(self.peer.clone())
            .max_decoding_message_size(8 << 20)
            .max_encoding_message_size(8 << 20)
    }

    /// An officer of a committee.
    pub(crate) fn clerk(&self, committee: &str) -> Caller<'_> {
        let token = self.token("clerk", "committee-officer", &format!("committee:{committee}"));
        Caller { service: self, token }
    }

    /// The files that lie there.
    pub(crate) fn objects(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.files()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { open.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        found
    }
}

impl Caller<'_> {
    fn ask<T>(&self, message: T) -> Request<T> {
        with(message, &self.token)
    }

    async fn create(&self, document: pb::Document) -> Result<pb::Document, Status> {
        Ok(self.service.documents().create_document(self.ask(create(document))).await?.into_inner())
    }

    async fn write(&self, name: &str, offset: usize, content: &[u8]) -> Result<pb::Document, Status> {
        let request = pb::WriteDocumentRequest {
            name: name.to_owned(),
            offset: i64::try_from(offset).unwrap(),
            content: content.to_vec().into(),
            ..Default::default()
        };
        Ok(self.service.documents().write_document(self.ask(request)).await?.into_inner())
    }

    async fn finish(&self, name: &str) -> Result<pb::Document, Status> {
        let request = pb::FinishDocumentRequest { name: name.to_owned(), ..Default::default() };
        Ok(self.service.documents().finish_document(self.ask(request)).await?.into_inner())
    }

    async fn get(&self, name: &str) -> Result<pb::Document, Status> {
        let request = pb::GetDocumentRequest { name: name.to_owned() };
        Ok(self.service.documents().get_document(self.ask(request)).await?.into_inner())
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<pb::Document, Status> {
        let request = pb::DeleteDocumentRequest { name: name.to_owned(), ..Default::default() };
        Ok(self.service.documents().delete_document(self.ask(request)).await?.into_inner())
    }

    pub(crate) async fn void(&self, document: &pb::Document, why: &str) -> Result<pb::Document, Status> {
        let request = pb::VoidDocumentRequest {
            name: document.name.clone(),
            etag: document.etag.clone(),
            request_id: uuid(),
            comment: why.to_owned(),
            ..Default::default()
        };
        Ok(self.service.documents().void_document(self.ask(request)).await?.into_inner())
    }

    async fn stretch(&self, name: &str, offset: i64) -> Result<pb::ReadDocumentResponse, Status> {
        let purpose = "核对损失".to_owned();
        let request = pb::ReadDocumentRequest { name: name.to_owned(), purpose, offset };
        Ok(self.service.documents().read_document(self.ask(request)).await?.into_inner())
    }

    async fn list(&self, filter: &str) -> Result<Vec<pb::Document>, Status> {
        let request = pb::ListDocumentsRequest {
            parent: "towns/malu".to_owned(),
            filter: filter.to_owned(),
            ..Default::default()
        };
        Ok(self.service.documents().list_documents(self.ask(request)).await?.into_inner().documents)
    }

    /// Declares and sends a file.
    pub(crate) async fn send(&self, document: pb::Document, content: &[u8]) -> Result<pb::Document, Status> {
        let created = self.create(document).await?;
        let mut last = created;
        for part in content.chunks(PART) {
            let offset = usize::try_from(last.written_bytes).unwrap();
            last = self.write(&last.name, offset, part).await?;
        }
        Ok(last)
    }

    /// Stores a file.
    pub(crate) async fn store(&self, owner: &str, content: &[u8]) -> pb::Document {
        let sent = self.send(declared(owner, content), content).await.unwrap();
        self.finish(&sent.name).await.unwrap()
    }

    /// All of a file.
    pub(crate) async fn read(&self, name: &str) -> Result<Vec<u8>, Status> {
        let (mut all, mut offset) = (Vec::new(), 0);
        loop {
            let stretch = self.stretch(name, offset).await?;
            assert!(stretch.content.len() <= PART);
            all.extend_from_slice(&stretch.content);
            match stretch.next_offset {
                0 => return Ok(all),
                next => offset = next,
            }
        }
    }
}

/// A value of the metadata of a refusal.
fn told(status: &Status, key: &str) -> String {
    let details = status.get_error_details();
    details.error_info().and_then(|info| info.metadata.get(key).cloned()).unwrap_or_default()
}

#[tokio::test]
async fn three_mebibytes_in_parts_come_back_the_same() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(3 * PART - 12_345));
    let created = clerk.create(declared(CLAIM, &content)).await.unwrap();
    assert_eq!((created.state(), created.written_bytes), (pb::DocumentState::Pending, 0));
    assert_eq!((created.file_name.as_str(), created.owner.as_str()), ("受***.png", CLAIM));
    let stored = clerk.store(CLAIM, &content).await;
    assert_eq!((stored.state(), stored.written_bytes), (pb::DocumentState::Stored, stored.size_bytes));
    assert_eq!(clerk.read(&stored.name).await.unwrap(), content);
    // from the middle of a part on, to its end
    let stretch = clerk.stretch(&stored.name, 1_500_000).await.unwrap();
    assert_eq!(stretch.content[..], content[1_500_000..2 * PART]);
    assert_eq!((stretch.next_offset, stretch.file_name.as_str()), (2 * PART as i64, "受损现场.png"));
    assert_eq!(
        clerk.stretch(&stored.name, stored.size_bytes).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let whole = clerk.get(&stored.name).await.unwrap();
    let verbs: Vec<&str> = whole.timeline.iter().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["create", "finish"]);
    let open =
        whole.available_actions.iter().filter(|action| action.allowed).map(|action| action.verb.as_str());
    assert_eq!(open.collect::<Vec<_>>(), ["read", "void"]);
    // one file a part, none larger than a part and its seal
    let sizes =
        service.objects().iter().map(|path| std::fs::metadata(path).unwrap().len()).collect::<Vec<_>>();
    assert!(sizes.len() == 3 && sizes.iter().all(|size| *size <= PART as u64 + 64), "{sizes:?}");
}

#[tokio::test]
async fn a_broken_upload_goes_on_where_it_stopped() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(2 * PART + 7));
    let created = clerk.create(declared(CLAIM, &content)).await.unwrap();
    let name = created.name.as_str();
    clerk.write(name, 0, &content[..PART]).await.unwrap();
    // the answer was lost: the same part again, by offset alone and by request id
    let again = clerk.write(name, 0, &content[..PART]).await.unwrap();
    assert_eq!(again.written_bytes, PART as i64);
    let request = pb::WriteDocumentRequest {
        name: name.to_owned(),
        request_id: uuid(),
        offset: PART as i64,
        content: content[PART..2 * PART].to_vec().into(),
        ..Default::default()
    };
    for replayed in [false, true] {
        let answer = service.documents().write_document(clerk.ask(request.clone())).await.unwrap();
        assert_eq!(answer.metadata().contains_key("linli-replayed"), replayed);
        assert_eq!(answer.into_inner().written_bytes, 2 * PART as i64);
    }
    // somebody else at another place: told where to go on
    for (offset, part) in
        [(0, &content[PART..2 * PART]), (PART + 1, &content[..PART]), (2 * PART + 1, &content[..6])]
    {
        let refused = clerk.write(name, offset, part).await.unwrap_err();
        assert_eq!(
            (reason(&refused), told(&refused, "offset")),
            ("DOCUMENT_OFFSET".to_owned(), (2 * PART).to_string())
        );
    }
    let colleague =
        Caller { service: &service, token: service.token("colleague", "committee-officer", "committee:c1") };
    let unfinished = colleague.finish(name).await.unwrap_err();
    assert_eq!(
        (reason(&unfinished), told(&unfinished, "fields")),
        ("DOCUMENT_MISMATCH".to_owned(), "size_bytes".to_owned())
    );
    colleague.write(name, 2 * PART, &content[2 * PART..]).await.unwrap();
    colleague.finish(name).await.unwrap();
    assert_eq!(clerk.read(name).await.unwrap(), content);
    assert_eq!(service.objects().len(), 3);
}

#[tokio::test]
async fn two_who_write_at_once_leave_one_file() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(PART));
    let name = clerk.create(declared(CLAIM, &content)).await.unwrap().name;
    let other = picture(PART).into_iter().rev().collect::<Vec<u8>>();
    let (one, two) = tokio::join!(clerk.write(&name, 0, &content), clerk.write(&name, 0, &other));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1, "{one:?} {two:?}");
    assert_eq!(service.objects().len(), 1);
    assert_eq!(clerk.finish(&name).await.is_ok(), one.is_ok());
}

#[tokio::test]
async fn what_is_not_as_declared_is_named_and_stays_pending() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(200_000));
    let good = declared(CLAIM, &content);
    let wrong_hash = pb::Document { sha256: "0".repeat(64), ..good.clone() };
    let wrong_form = pb::Document { media_type: pb::DocumentMediaType::Pdf.into(), ..good.clone() };
    let both = pb::Document { media_type: pb::DocumentMediaType::Jpeg.into(), ..wrong_hash.clone() };
    for (document, fields) in
        [(wrong_hash, "sha256"), (wrong_form, "media_type"), (both, "media_type, sha256")]
    {
        let sent = clerk.send(document, &content).await.unwrap();
        let before = service.dump().await;
        let refused = clerk.finish(&sent.name).await.unwrap_err();
        assert_eq!(
            (reason(&refused), told(&refused, "fields")),
            ("DOCUMENT_MISMATCH".to_owned(), fields.to_owned())
        );
        assert_eq!(service.dump().await, before);
        assert_eq!(clerk.get(&sent.name).await.unwrap().written_bytes, 200_000);
        assert_eq!(reason(&clerk.stretch(&sent.name, 0).await.unwrap_err()), "WRONG_STATE");
        clerk.delete(&sent.name).await.unwrap();
    }
    assert!(service.objects().is_empty());
}

#[tokio::test]
async fn what_is_too_large_or_badly_declared_is_refused_and_nothing_is_stored() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(300_000));
    let sent = clerk.create(declared(CLAIM, &content)).await.unwrap();
    let before = service.dump().await;
    let good = declared(CLAIM, &content);
    let large =
        clerk.create(pb::Document { size_bytes: 20 * 1024 * 1024 + 1, ..good.clone() }).await.unwrap_err();
    assert_eq!(
        (reason(&large), told(&large, "limit")),
        ("DOCUMENT_TOO_LARGE".to_owned(), "20971520".to_owned())
    );
    for wrong in [
        pb::Document { file_name: "../身份证.png".to_owned(), ..good.clone() },
        pb::Document { file_name: "身份\u{200B}证.png".to_owned(), ..good.clone() },
        pb::Document { kind: "photos".to_owned(), ..good.clone() },
        pb::Document { sha256: "00".to_owned(), ..good.clone() },
        pb::Document { media_type: 0, ..good.clone() },
        pb::Document { media_type: 9, ..good.clone() },
        pb::Document { size_bytes: 0, ..good.clone() },
        pb::Document { size_bytes: -5, ..good.clone() },
        pb::Document { owner: "towns/malu/people/p".to_owned(), ..good.clone() },
        pb::Document { owner: CLAIM.replace("malu", "other"), ..good.clone() },
    ] {
        let refused = clerk.create(wrong.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{wrong:?}: {refused:?}");
    }
    let name = sent.name.as_str();
    let beyond = clerk.write(name, 0, &picture(300_001)).await.unwrap_err();
    assert_eq!(
        (reason(&beyond), told(&beyond, "limit")),
        ("DOCUMENT_TOO_LARGE".to_owned(), "300000".to_owned())
    );
    for part in [&content[..65_535], &[][..], &picture(PART + 1)[..]] {
        let refused = clerk.write(name, 0, part).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{}: {refused:?}", part.len());
    }
    let dry = pb::WriteDocumentRequest {
        name: name.to_owned(),
        content: content.clone().into(),
        validate_only: true,
        ..Default::default()
    };
    service.documents().write_document(clerk.ask(dry)).await.unwrap();
    let dry = pb::CreateDocumentRequest { validate_only: true, ..create(good) };
    service.documents().create_document(clerk.ask(dry)).await.unwrap();
    assert_eq!(service.dump().await, before);
    assert!(service.objects().is_empty());
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing_of_name_and_content() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(PART + 5));
    let kept = clerk.store(CLAIM, &content).await;
    let sent = clerk.send(declared(CLAIM, &content), &content).await.unwrap();
    assert_eq!(service.objects().len(), 4);
    let gone = clerk.delete(&sent.name).await.unwrap();
    assert_eq!(
        (gone.state(), gone.file_name.as_str(), gone.written_bytes),
        (pb::DocumentState::Deleted, "", 0)
    );
    assert_eq!(service.objects().len(), 2);
    assert_eq!(clerk.list("").await.unwrap().len(), 1);
    assert_eq!(clerk.get(&sent.name).await.unwrap().state(), pb::DocumentState::Deleted);
    assert_eq!(reason(&clerk.write(&sent.name, 0, &content[..PART]).await.unwrap_err()), "WRONG_STATE");
    assert_eq!(clerk.read(&kept.name).await.unwrap(), content);
}

#[tokio::test]
async fn an_owner_has_fifty_documents_at_most_even_at_once() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(100));
    for _ in 0..46 {
        clerk.create(declared(CLAIM, &content)).await.unwrap();
    }
    let eight = futures_util::future::join_all((0..8).map(|_| clerk.create(declared(CLAIM, &content)))).await;
    let refused: Vec<Status> = eight.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 4);
    for status in &refused {
        assert_eq!(
            (reason(status), told(status, "limit")),
            ("DOCUMENTS_TOO_MANY".to_owned(), "50".to_owned())
        );
    }
    assert_eq!(service.number("select count(*) from document").await, 50);
    // room for another, and another owner has his own
    let first = clerk.list("").await.unwrap().remove(0);
    clerk.delete(&first.name).await.unwrap();
    clerk.create(declared(CLAIM, &content)).await.unwrap();
    service.clerk("c2").create(declared(OTHER_CLAIM, &content)).await.unwrap();
}
