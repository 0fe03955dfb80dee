//! A large CSV file in parts that are files themselves: each has the header and as many whole records as fit.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// What a reader may take ahead of the record that it reads.
const AHEAD: u64 = 1 << 20;

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The header and some records, as they stand in the file.
    pub content: Vec<u8>,
    /// The row of its first record in the whole file; the header is row 1.
    pub first_row: u64,
    /// Its records.
    pub rows: u64,
    /// Bytes of the file up to its end.
    pub until: u64,
}

/// Why a file can't be cut into parts.
#[derive(Debug)]
pub enum PartError {
    /// UTF-16, whose bytes are no CSV.
    Utf16,
    /// A spreadsheet or something else that is compressed.
    NotText,
    /// The record in this row is larger than a part: a quotation mark is open, perhaps.
    TooLong(u64),
    /// It can't be read.
    Io(io::Error),
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PartError::Utf16 => f.write_str("UTF-16 can't be cut into parts; save it as UTF-8"),
            PartError::NotText => f.write_str("only CSV can be cut into parts; save it as CSV"),
            PartError::TooLong(row) => {
                write!(f, "row {row} is larger than a part; is a quotation mark open there?")
            }
            PartError::Io(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for PartError {}

impl From<io::Error> for PartError {
    fn from(error: io::Error) -> PartError {
        PartError::Io(error)
    }
}

/// A reader that ends with an error where a record grows beyond all bounds.
struct Fence<R> {
    inner: R,
    served: u64,
    limit: Arc<AtomicU64>,
}

impl<R: Read> Read for Fence<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.served > self.limit.load(Relaxed) {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let read = self.inner.read(into)?;
        self.served += read as u64;
        Ok(read)
    }
}

/// The parts of a file, one after the other. Holds no more of the file than a part.
pub struct Parts<R> {
    records: csv::Reader<Fence<R>>,
    limit: Arc<AtomicU64>,
    content: R,
    header: Vec<u8>,
    most: u64,
    /// Where the record that stands next begins and ends.
    next: Option<(u64, u64)>,
    row: u64,
}

impl<R> fmt::Debug for Parts<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parts(row {})", self.row)
    }
}

impl<R: Read + Seek> Parts<R> {
    /// The parts, of `most` bytes each, of a file that is opened twice: once to find its records, once for their bytes.
    ///
    /// # Errors
    /// When it is no CSV in UTF-8 or GBK, or can't be read.
    pub fn new(mut scan: R, content: R, most: usize) -> Result<Parts<R>, PartError> {
        let mut mark = [0; 2];
        let read = scan.read(&mut mark)?;
        scan.seek(SeekFrom::Start(0))?;
        match &mark[..read] {
            [0xFF, 0xFE] | [0xFE, 0xFF] => return Err(PartError::Utf16),
            b"PK" => return Err(PartError::NotText),
            _ => {}
        }
        let most = most as u64;
        let limit = Arc::new(AtomicU64::new(most + AHEAD));
        let fence = Fence { inner: scan, served: 0, limit: limit.clone() };
        let records = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(fence);
        let mut parts = Parts { records, limit, content, header: Vec::new(), most, next: None, row: 1 };
        if let Some((_, end)) = parts.record()? {
            parts.header = parts.bytes(0, end)?;
            parts.row = 2;
            parts.next = parts.record()?;
        }
        Ok(parts)
    }

    /// Where the next record begins and ends.
    fn record(&mut self) -> Result<Option<(u64, u64)>, PartError> {
        let start = self.records.position().byte();
        self.limit.store(start + self.most + AHEAD, Relaxed);
        let mut record = csv::ByteRecord::new();
        match self.records.read_byte_record(&mut record) {
            Ok(true) => Ok(Some((start, self.records.position().byte()))),
            Ok(false) => Ok(None),
            Err(error) => Err(match error.into_kind() {
                csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    PartError::TooLong(self.row)
                }
                csv::ErrorKind::Io(error) => PartError::Io(error),
                other => PartError::Io(io::Error::other(format!("{other:?}"))),
            }),
        }
    }

    fn bytes(&mut self, from: u64, until: u64) -> Result<Vec<u8>, PartError> {
        self.content.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut self.content).take(until - from).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn part(&mut self) -> Result<Option<Part>, PartError> {
        let Some((start, mut until)) = self.next else { return Ok(None) };
        let (first_row, mut rows) = (self.row, 0);
        while let Some((_, end)) = self.next {
            if rows > 0 && end - start + self.header.len() as u64 > self.most {
                break;
            }
            until = end;
            rows += 1;
            self.row += 1;
            self.next = self.record()?;
        }
        let mut content = self.header.clone();
        content.extend(self.bytes(start, until)?);
        Ok(Some(Part { content, first_row, rows, until }))
    }
}

impl<R: Read + Seek> Iterator for Parts<R> {
    type Item = Result<Part, PartError>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.part();
        if part.is_err() {
            self.next = None; // there is nothing behind what can't be read
        }
        part.transpose()
    }
}
