//! Documents of a claim: small PDFs and PNGs made here, uploaded in parts, read back.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Year;
use crate::{
    Done,
    walk::{
        caller::{Answer, Caller, list, told},
        same,
    },
};

/// Bytes of a part; only the last may be smaller than 64 KiB.
const PART: usize = 64 * 1024;

/// A white dot.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, b'I', b'D', b'A', b'T', 0x78, 0xda, 0x63, 0xf8,
    0x0f, 0, 1, 1, 1, 0, 0x1c, 0xb0, 0x8c, 0x99, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// A PDF of one empty page that holds `words` as a comment, and so many bytes of filling.
fn pdf(words: &str, filling: usize) -> Vec<u8> {
    let mut file = format!("%PDF-1.4\n% {words}\n").into_bytes();
    let stream = " ".repeat(filling);
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>".to_owned(),
        format!("<< /Length {filling} >>\nstream\n{stream}\nendstream"),
    ];
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (n, object) in (1..).zip(&objects) {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend(format!("{n} 0 obj\n{object}\nendobj\n").bytes());
    }
    let end = format!(
        "{table}trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n",
        objects.len() + 1,
        file.len()
    );
    file.extend(end.bytes());
    file
}

/// A file of a kind: photos are pictures, invoices come in more than one part.
fn made(kind: &str) -> (&'static str, &'static str, Vec<u8>) {
    match kind {
        "PHOTOS" => ("PNG", "png", PNG.to_vec()),
        "INVOICES" => ("PDF", "pdf", pdf(kind, 2 * PART)),
        _ => ("PDF", "pdf", pdf(kind, 16)),
    }
}

impl Year<'_> {
    /// Uploads a document of a claim.
    pub(super) async fn upload(&self, by: &Caller<'_>, claim: &str, kind: &str) -> Done {
        let (media, extension, content) = made(kind);
        let sha256: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        let declared = json!({
            "owner": claim,
            "kind": kind,
            "fileName": format!("示例-{kind}.{extension}"),
            "mediaType": format!("DOCUMENT_MEDIA_TYPE_{media}"),
            "sizeBytes": content.len().to_string(),
            "sha256": sha256,
        });
        let document = by.create("/documents", &declared).await??;
        let name = told(&document["name"]);
        for (n, part) in content.chunks(PART).enumerate() {
            let part = json!({"offset": (n * PART).to_string(), "content": BASE64_STANDARD.encode(part)});
            by.post(&format!("/v1/{name}:write"), part).await??;
        }
        let stored = by.post(&format!("/v1/{name}:finish"), json!({})).await??;
        same(&name, stored["state"].as_str(), Some("DOCUMENT_STATE_STORED"))
    }

    /// Reads every document of a claim back, as an adjuster of its insurer; how many there are.
    pub(super) async fn read_back(&self, code: &str) -> Answer<usize> {
        let case = self.case(code)?;
        let adjuster = self.handler(case, 3)?;
        let listed = adjuster.get(&format!("/documents?filter=owner%20%3D%20{}", case.name)).await?;
        let documents = list(&listed, "documents");
        for document in documents {
            let (mut content, mut offset) = (Vec::new(), "0".to_owned());
            loop {
                let path = format!("/v1/{}:read", told(&document["name"]));
                let asked = json!({"purpose": "核对材料(示例)", "offset": offset});
                let part = adjuster.ask(&path, asked).await??;
                content.extend(BASE64_STANDARD.decode(part["content"].as_str().unwrap_or_default())?);
                offset = told(&part["nextOffset"]);
                if offset == "0" {
                    break;
                }
            }
            let (.., written) = made(&told(&document["kind"]));
            same(&told(&document["name"]), content == written, true)?;
        }
        Ok(documents.len())
    }
}
