//! The encoding of a file: told by its mark or found in its bytes.
//!
//! Valid UTF-8 is UTF-8. Bytes that aren't are GBK when they decode as GBK without an error and are not UTF-8 that was
//! damaged: a file in which well-formed multi-byte characters of UTF-8 outnumber the bad bytes was UTF-8 once, and
//! reading it as GBK would turn every name into another.

use encoding_rs::{GBK, UTF_16BE, UTF_16LE};

use crate::Fault;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Mark,
    /// GBK, as older office programs write it.
    Gbk,
    /// UTF-16, little-endian, with its mark.
    Utf16Le,
    /// UTF-16, big-endian, with its mark.
    Utf16Be,
    /// No text: a workbook (Office Open XML).
    Xlsx,
}

impl Encoding {
    /// The name that a report shows.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Utf8Mark => "UTF-8 (BOM)",
            Encoding::Gbk => "GBK",
            Encoding::Utf16Le => "UTF-16LE",
            Encoding::Utf16Be => "UTF-16BE",
            Encoding::Xlsx => "XLSX",
        }
    }
}

/// The text of `bytes` without its mark.
///
/// # Errors
/// Names the byte at which the encoding breaks.
pub fn decode(bytes: &[u8]) -> Result<(Encoding, String), Box<Fault>> {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return utf8(rest, 3).map(|text| (Encoding::Utf8Mark, text));
    }
    for (mark, encoding, by) in
        [(b"\xFF\xFE", Encoding::Utf16Le, UTF_16LE), (b"\xFE\xFF", Encoding::Utf16Be, UTF_16BE)]
    {
        if let Some(rest) = bytes.strip_prefix(mark) {
            let (text, broken) = by.decode_without_bom_handling(rest);
            let fault = || Fault::whole("BAD_ENCODING", "UTF-16 内容有误", "the UTF-16 is malformed");
            return if broken || rest.len() % 2 == 1 {
                Err(Box::new(fault()))
            } else {
                Ok((encoding, text.into_owned()))
            };
        }
    }
    match utf8(bytes, 0) {
        Ok(text) => Ok((Encoding::Utf8, text)),
        Err(fault) if is_damaged_utf8(bytes) => Err(fault),
        Err(fault) => match GBK.decode_without_bom_handling_and_without_replacement(bytes) {
            Some(text) => Ok((Encoding::Gbk, text.into_owned())),
            None => Err(fault),
        },
    }
}

fn utf8(bytes: &[u8], offset: usize) -> Result<String, Box<Fault>> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let at = error.valid_up_to();
        let row = 1 + bytes[..at].iter().filter(|b| **b == b'\n').count() as u64;
        let at = at + offset;
        let mut fault = Fault::whole(
            "BAD_ENCODING",
            format!("第 {at} 字节处不是 UTF-8"),
            format!("not UTF-8 at byte {at}"),
        );
        fault.row = row;
        Box::new(fault)
    })
}

/// Whether the file was UTF-8 before something broke a few bytes of it.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| c.len_utf8() > 1).count();
        bad += chunk.invalid().len();
    }
    good > bad
}
