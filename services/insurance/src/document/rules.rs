//! The life of a document, how large it and its parts may be, and what its first bytes say. Pure; the database checks the same.

use kernel::{
    named,
    state::{Row, Table},
    text::{is_code, one_line},
};
use sha2::{Digest, Sha256};

/// Bytes of a file at most.
pub(super) const FILE: u64 = 20 * 1024 * 1024;
/// Bytes of a part at most.
pub(super) const PART: usize = 1024 * 1024;
/// Bytes of a part at least, unless it is the last: a file has 320 parts at most.
pub(super) const LEAST: usize = 64 * 1024;
/// Documents of an owner at most; the database counts them.
pub(super) const OF_AN_OWNER: u32 = 50;
/// First bytes that tell a form.
const HEAD: usize = 8;

named! {
    /// Where a document stands.
    pub(crate) State {
        /// Declared 待上传.
        Pending = "PENDING",
        /// All of it is there 已存档.
        Stored = "STORED",
        /// Kept, and doesn't count 已作废.
        Void = "VOID",
        /// Given up before it was finished 已放弃.
        Deleted = "DELETED",
    }
}

named! {
    /// What can be done with a document.
    pub(crate) Verb {
        /// Declare it 登记.
        Create = "create",
        /// Add a part 上传.
        Write = "write",
        /// Compare it with what was declared 完成.
        Finish = "finish",
        /// Give it up 放弃.
        Delete = "delete",
        /// Read it 查阅.
        Read = "read",
        /// Say that it doesn't count 作废.
        Void = "void",
    }
}

named! {
    /// The form of a file.
    pub(super) Media {
        /// `application/pdf`.
        Pdf = "PDF",
        /// `image/jpeg`.
        Jpeg = "JPEG",
        /// `image/png`.
        Png = "PNG",
    }
}

const CREATE: &str = "insurance.documents.create";
const READ: &str = "insurance.documents.read";

/// The life of a document.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "document",
    rows: &[
        Row::new(None, Verb::Create, State::Pending, CREATE, &["20 MiB at most", "50 of an owner at most"]),
        Row::new(Some(State::Pending), Verb::Write, State::Pending, CREATE, &["the offset is what is there"]),
        Row::new(
            Some(State::Pending),
            Verb::Finish,
            State::Stored,
            CREATE,
            &["size, SHA-256 and first bytes are as declared"],
        ),
        Row::new(Some(State::Pending), Verb::Delete, State::Deleted, CREATE, &[]),
        Row::new(Some(State::Stored), Verb::Read, State::Stored, READ, &["a purpose"]),
        Row::new(Some(State::Void), Verb::Read, State::Void, READ, &["a purpose"]),
        Row::new(Some(State::Stored), Verb::Void, State::Void, "insurance.documents.void", &["a reason"]),
    ],
};

impl Media {
    /// Whether a file that begins so is of this form.
    pub(super) fn begins(self, head: &[u8]) -> bool {
        let magic: &[u8] = match self {
            Media::Pdf => b"%PDF-",
            Media::Jpeg => &[0xFF, 0xD8, 0xFF],
            Media::Png => b"\x89PNG\r\n\x1a\n",
        };
        head.starts_with(magic)
    }

    /// What its files are called.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Media::Pdf => "pdf",
            Media::Jpeg => "jpg",
            Media::Png => "png",
        }
    }
}

/// What keeps a part from its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misplaced {
    /// It begins elsewhere than where what is there ends; perhaps it is there already.
    Offset,
    /// It goes beyond the size that was declared.
    TooLarge,
    /// It is smaller than a part may be that isn't the last.
    TooSmall,
}

/// Whether a part of so many bytes may come at `offset` of a file of `size` bytes of which `written` are there.
///
/// # Errors
/// What keeps it from its place.
pub(super) fn place(size: u64, written: u64, offset: u64, bytes: usize) -> Result<(), Misplaced> {
    if offset != written {
        return Err(Misplaced::Offset);
    }
    let end = offset.saturating_add(bytes as u64);
    if end > size || bytes > PART {
        return Err(Misplaced::TooLarge);
    }
    if bytes == 0 || (bytes < LEAST && end < size) {
        return Err(Misplaced::TooSmall);
    }
    Ok(())
}

/// What a file was declared to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// Its size in bytes.
    pub(super) size: u64,
    /// Its SHA-256.
    pub(super) sha256: [u8; 32],
    /// Its form.
    pub(super) media: Media,
}

named! {
    /// Which of what was declared a file is not.
    pub(super) Mismatch {
        /// Its size.
        Size = "size_bytes",
        /// Its first bytes.
        Form = "media_type",
        /// Its SHA-256.
        Hash = "sha256",
    }
}

/// A file as it passes by, a piece at a time: nothing of it is kept but its first bytes.
pub(super) struct Passing {
    size: u64,
    head: Vec<u8>,
    hash: Sha256,
}

impl Passing {
    /// Nothing of it yet.
    pub(super) fn new() -> Passing {
        Passing { size: 0, head: Vec::with_capacity(HEAD), hash: Sha256::new() }
    }

    /// Its next piece.
    pub(super) fn take(&mut self, piece: &[u8]) {
        self.size += piece.len() as u64;
        let missing = HEAD - self.head.len();
        self.head.extend(piece.iter().take(missing));
        self.hash.update(piece);
    }

    /// What it is not of what was declared.
    pub(super) fn compare(self, declared: &Declared) -> Vec<Mismatch> {
        let hash: [u8; 32] = self.hash.finalize().into();
        let found = [
            (self.size != declared.size, Mismatch::Size),
            (!declared.media.begins(&self.head), Mismatch::Form),
            (hash != declared.sha256, Mismatch::Hash),
        ];
        found.into_iter().filter(|(wrong, _)| *wrong).map(|(_, which)| which).collect()
    }
}

/// A code of the checklist of documents: `INVOICES`.
pub(super) fn is_kind(text: &str) -> bool {
    is_code(text, 63)
}

/// A SHA-256 in hexadecimal.
pub(super) fn sha256(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

/// The first sign of a file's name and its form: `身****.jpg`.
pub(super) fn masked(file_name: &str, media: Media) -> String {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let hidden = stem.chars().enumerate().map(|(n, sign)| if n == 0 { sign } else { '*' });
    format!("{}.{}", hidden.collect::<String>(), media.extension())
}

/// What a caller says he reads a file for, on one line and without the file's name.
pub(super) fn purpose(text: &str, file_name: &str) -> String {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let nameless = one_line(text).replace(file_name, "…");
    if stem.is_empty() { nameless } else { nameless.replace(stem, "…") }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
