//! Tables from outside: CSV in the encodings that offices use and XLSX, every fault named with row, column and value, in
//! both languages; and tables to outside that a spreadsheet can't be harmed by.

mod cells;
mod encoding;
mod export;
mod fault;
mod from_csv;
mod parts;
mod read;
mod rows;
mod workbook;

pub use cells::Cells;
pub use encoding::{Encoding, decode};
pub use export::{Csv, Field, Xlsx};
pub use fault::Fault;
pub use from_csv::read_csv;
pub use parts::{Part, PartError, Parts};
pub use read::{Column, Limits, Row, Table, read_table};
