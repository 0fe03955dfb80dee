//! CSV (RFC 4180, with the line ends of every system) as rows, every faulty row named.

use crate::{Column, Encoding, Fault, Limits, Table, decode, read::too_large, rows::Rows};

/// Reads a file.
///
/// # Errors
/// What is wrong with the file as a whole: encoding, header, an open quotation mark, too large.
pub fn read_csv(bytes: &[u8], columns: &[Column], limits: Limits) -> Result<Table, Vec<Fault>> {
    if bytes.len() > limits.bytes {
        return Err(too_large(limits.bytes));
    }
    let (encoding, text) = decode(bytes).map_err(|fault| vec![*fault])?;
    if let Some(row) = open_quote(&text) {
        let mut fault = Fault::whole(
            "OPEN_QUOTE",
            format!("第 {row} 行的引号没有闭合"),
            format!("a quotation mark opens in row {row} and is not closed"),
        );
        fault.row = row;
        return Err(vec![fault]);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::CRLF)
        .from_reader(text.as_bytes());
    let mut records = reader
        .records()
        .map(|record| record.map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>()));
    let header = match records.next() {
        Some(Ok(header)) if header.iter().any(|name| !name.trim().is_empty()) => header,
        _ => return Err(vec![Fault::whole("NO_HEADER", "文件没有表头", "the file has no header")]),
    };
    let mut remarks = Vec::new();
    if encoding == Encoding::Gbk {
        remarks.push(Fault::whole("CONVERTED", "已从 GBK 转换", "converted from GBK").warning());
    }
    let mut rows = Rows::new(encoding, remarks, (1, &header), columns, limits)?;
    for (n, record) in records.enumerate() {
        let number = n as u64 + 2;
        match record {
            Ok(record) => rows.add(number, &record, Vec::new())?,
            Err(error) => {
                let fault = Fault::at(number, "", "", "UNREADABLE", "此行无法解析", error.to_string());
                rows.add(number, &[], vec![fault])?;
            }
        }
    }
    Ok(rows.finish())
}

/// The row in which a quotation mark opens that is never closed.
fn open_quote(text: &str) -> Option<u64> {
    let (mut row, mut quoted, mut start, mut at_start) = (1u64, false, 1u64, true);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
            }
            '"' if quoted => quoted = false,
            '"' if at_start => {
                quoted = true;
                start = row;
            }
            '\r' if !quoted => {
                if chars.peek() == Some(&'\n') {
                    chars.next();
                }
                row += 1;
                at_start = true;
                continue;
            }
            '\n' if !quoted => {
                row += 1;
                at_start = true;
                continue;
            }
            _ => {}
        }
        at_start = c == ',' && !quoted;
    }
    quoted.then_some(start)
}
