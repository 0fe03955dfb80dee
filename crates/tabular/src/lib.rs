//! Tables from outside: CSV in the encodings that offices use, every fault named with row, column and value, in both
//! languages; and tables to outside that a spreadsheet can't be harmed by.

mod cells;
mod encoding;
mod export;
mod fault;
mod read;

pub use cells::Cells;
pub use encoding::{Encoding, decode};
pub use export::{Csv, Field};
pub use fault::Fault;
pub use read::{Column, Limits, Row, Table, read_csv};
