//! Documents on the wire.

use chassis::{refusal::Refusal, vault::Vault, wire};
use contracts::linli::insurance::v1 as pb;
use kernel::etag::Etag;

use super::{rules::masked, store::Row};

/// The form of a document.
pub(super) fn media(row: &Row) -> pb::DocumentMediaType {
    pb::DocumentMediaType::from_str_name(&format!("DOCUMENT_MEDIA_TYPE_{}", row.media_type))
        .unwrap_or_default()
}

/// A document, its file name masked, without actions and timeline.
pub(super) fn document(row: &Row, vault: &Vault) -> Result<pb::Document, Refusal> {
    let file_name = row.file_name(vault)?;
    Ok(pb::Document {
        name: row.name(),
        owner: row.owner_name.clone(),
        kind: row.kind.clone(),
        file_name: if file_name.is_empty() { file_name } else { masked(&file_name, row.media()?) },
        media_type: media(row).into(),
        size_bytes: row.size_bytes,
        sha256: hex::encode(&row.sha256),
        state: pb::DocumentState::from_str_name(&format!("DOCUMENT_STATE_{}", row.state))
            .unwrap_or_default()
            .into(),
        written_bytes: row.written_bytes,
        creator: row.created_by.clone(),
        etag: Etag::of(row.version).to_string(),
        create_time: Some(wire::to_timestamp(row.created)),
        update_time: Some(wire::to_timestamp(row.updated)),
        available_actions: Vec::new(),
        timeline: Vec::new(),
    })
}
