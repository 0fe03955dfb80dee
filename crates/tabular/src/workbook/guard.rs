//! What a workbook's archive unfolds to, found out before the workbook is opened.
//!
//! The reader of workbooks holds shared strings, styles and the list of sheets in memory and believes the counts that a
//! file tells. So the archive's directory is looked at first; then every part is inflated up to a limit, since sizes in
//! the directory can lie, and its XML is read by the same parser in the same way, event by event, and whatever the reader
//! would keep is counted. Nothing of it is held here.

use std::io::{BufReader, Cursor, Read};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::{ZipArchive, result::ZipError};

use super::no_workbook;
use crate::{Fault, Limits};

/// Parts of an archive at most; a workbook has a dozen, with pictures some hundred.
const PARTS: usize = 4_096;
/// How many times its size a part may unfold to. Sheets reach 50, deflate's end is 1,032.
const RATIO: u64 = 200;
/// Parts up to this many bytes may unfold as they like: rows of empty cells are very alike.
const SMALL: u64 = 8 << 20;
/// Bytes of one piece of XML (a tag, all text between two tags) at most.
const PIECE: usize = 1 << 20;
/// Strings that cells share, at most.
const STRINGS: usize = 1_000_000;
/// Sheets at most.
const SHEETS: usize = 256;
/// Names and relationships at most.
const NAMES: usize = 65_536;
/// Formats of cells, fonts, fills, borders at most; a spreadsheet allows 65,490 formats.
const STYLES: usize = 150_000;
/// Bytes of fonts' names and number formats when each format has a copy of the longest.
const STYLE_BYTES: usize = 32 << 20;

/// Looks through the archive.
///
/// # Errors
/// What it is refused for; the remarks otherwise.
pub(super) fn check(bytes: &[u8], limits: Limits) -> Result<Vec<Fault>, Box<Fault>> {
    // each entry of a directory begins so; counted before anything is made of them
    if bytes.windows(4).filter(|four| four == b"PK\x01\x02").count() > PARTS {
        return Err(unfolds(("个部分", "parts"), PARTS as u64));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Box::new(no_workbook()))?;
    let mut told = 0u64;
    for n in 0..archive.len() {
        let part = archive.by_index_raw(n).map_err(refused)?;
        if part.encrypted() {
            return Err(locked());
        }
        told = told.saturating_add(part.size());
        swollen(part.size(), part.compressed_size())?;
    }
    if told > limits.unpacked {
        return Err(unfolds(("字节", "bytes"), limits.unpacked));
    }
    let mut seen = Seen { cells: limits.cells, bytes: limits.bytes, ..Seen::default() };
    let mut left = limits.unpacked;
    for n in 0..archive.len() {
        let part = archive.by_index(n).map_err(refused)?;
        let packed = part.compressed_size();
        let mut part = part.take(left.saturating_add(1));
        seen.part(&mut part)?;
        let used = left.saturating_add(1) - part.limit();
        swollen(used, packed)?;
        left = left.checked_sub(used).ok_or_else(|| unfolds(("字节", "bytes"), limits.unpacked))?;
    }
    Ok(seen.remarks())
}

/// What the parts hold.
#[derive(Default)]
struct Seen {
    /// What a count in a tag may say at most.
    cells: usize,
    /// What the text of shared strings may have at most.
    bytes: usize,
    strings: usize,
    string_bytes: usize,
    /// Whether a shared string is open.
    string: bool,
    sheets: usize,
    names: usize,
    styles: usize,
    /// The longest tag that names a font or a number format.
    longest: usize,
    /// Whether the cell that is open has a formula, is of text, is within its value, and has one; empty text is a value.
    formula: bool,
    of_text: bool,
    within: bool,
    value: bool,
    /// Formulas without a result.
    open_formulas: usize,
}

impl Seen {
    /// Reads a part to its end, or to where it is no XML any more: further the reader of workbooks doesn't get either.
    fn part(&mut self, part: impl Read) -> Result<(), Box<Fault>> {
        let mut xml = Reader::from_reader(BufReader::new(part));
        let config = xml.config_mut();
        config.check_end_names = false;
        config.trim_text(false);
        config.check_comments = false;
        config.expand_empty_elements = true;
        let (mut piece, mut between) = (Vec::new(), 0);
        loop {
            piece.clear();
            match xml.read_event_into(&mut piece) {
                Ok(Event::Eof) | Err(_) => return Ok(()),
                Ok(Event::Start(tag)) => {
                    between = 0;
                    self.tag(&tag)?;
                }
                Ok(Event::End(tag)) => {
                    between = 0;
                    self.end(tag.local_name().as_ref());
                }
                Ok(_) => {
                    between += piece.len();
                    self.value |= self.within;
                }
            }
            if piece.len().max(between) > PIECE {
                return Err(unfolds(("字节的单段内容", "bytes in one piece"), PIECE as u64));
            }
            self.string_bytes += if self.string { piece.len() } else { 0 };
            if self.string_bytes > self.bytes {
                return Err(unfolds(("字节的字符串", "bytes of strings"), self.bytes as u64));
            }
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "c" => self.open_formulas += usize::from(self.formula && !self.value),
            "v" => self.within = false,
            "si" => self.string = false,
            _ => {}
        }
    }

    fn tag(&mut self, tag: &BytesStart<'_>) -> Result<(), Box<Fault>> {
        let within = |count: &mut usize, what, most: usize| {
            *count += 1;
            if *count > most { Err(unfolds(what, most as u64)) } else { Ok(()) }
        };
        match tag.local_name().as_ref() {
            "c" => {
                self.of_text = tag.attributes_raw().contains("t=\"str\"");
                (self.formula, self.within, self.value) = (false, false, false);
            }
            "f" => self.formula = true,
            "v" => (self.within, self.value) = (true, self.of_text),
            // the reader makes room for as many strings as are announced
            "sst" if announced(tag.attributes_raw()) > self.cells => {
                return Err(unfolds(("个字符串", "strings"), self.cells as u64));
            }
            "si" => {
                self.string = true;
                within(&mut self.strings, ("个字符串", "strings"), STRINGS)?;
            }
            "sheet" => within(&mut self.sheets, ("个工作表", "sheets"), SHEETS)?,
            "Relationship" | "definedName" => within(&mut self.names, ("个名称", "names"), NAMES)?,
            "xf" | "font" | "fill" | "border" => within(&mut self.styles, ("个格式", "formats"), STYLES)?,
            "name" | "numFmt" => self.longest = self.longest.max(tag.attributes_raw().len()),
            _ => {}
        }
        if self.styles.saturating_mul(self.longest) > STYLE_BYTES {
            return Err(unfolds(("字节的格式", "bytes of formats"), STYLE_BYTES as u64));
        }
        Ok(())
    }

    fn remarks(&self) -> Vec<Fault> {
        let open = self.open_formulas;
        let fault = Fault::whole(
            "NO_RESULT",
            format!("{open} 个公式没有保存结果，按空单元格读取：请用表格软件打开并保存"),
            format!(
                "{open} formulas have no saved result and are read as empty: open the file in a spreadsheet and save it"
            ),
        );
        if open > 0 { vec![fault.warning()] } else { Vec::new() }
    }
}

/// The largest number that stands in a tag.
fn announced(attributes: &str) -> usize {
    let numbers = attributes.split(['"', '\'']).filter(|value| value.bytes().all(|b| b.is_ascii_digit()));
    numbers
        .filter(|value| !value.is_empty())
        .map(|value| value.parse().unwrap_or(usize::MAX))
        .max()
        .unwrap_or(0)
}

/// Refuses a part that unfolds to many times its size.
fn swollen(size: u64, packed: u64) -> Result<(), Box<Fault>> {
    if size > SMALL && size / RATIO > packed {
        Err(unfolds(("倍于文件本身", "times its size"), RATIO))
    } else {
        Ok(())
    }
}

fn unfolds((zh, en): (&str, &str), most: u64) -> Box<Fault> {
    Box::new(Fault::whole(
        "UNFOLDS_TOO_LARGE",
        format!("工作簿解开后超过 {most} {zh}：请只保留需要的工作表，或改用 CSV"),
        format!(
            "the workbook unfolds to more than {most} {en}: keep only the sheet that is needed, or use CSV"
        ),
    ))
}

fn locked() -> Box<Fault> {
    let (zh, en) = ("工作簿已加密：请另存为不带密码的 .xlsx", "encrypted: save it without a password");
    Box::new(Fault::whole("ENCRYPTED", zh, en))
}

fn refused(error: ZipError) -> Box<Fault> {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => locked(),
        _ => Box::new(no_workbook()),
    }
}
