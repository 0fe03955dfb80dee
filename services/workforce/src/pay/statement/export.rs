//! A pay run as a workbook 工资表: a row for each worker.

use jiff::civil::Date;
use tabular::{Column, Field, Xlsx};

use super::store::Whole;
use crate::pay::{explain::texts, rules::Because};

/// Its media type.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

// held in memory while it is written: amounts are personal
const fn column(name: &'static str, max_chars: usize) -> Column {
    Column { name, required: true, max_chars, personal: true }
}

const COLUMNS: &[Column] = &[
    column("工号", 63),
    column("姓名", 200),
    column("月份", 7),
    column("基本工资（元）", 20),
    column("证书津贴（元）", 20),
    column("岗位津贴（元）", 20),
    column("值班津贴（元）", 20),
    column("补差（元）", 20),
    column("应发合计（元）", 20),
    column("说明", 30_000),
];
const ABOUT: &[&str] = &[
    "社工编号",
    "值班公示用名",
    "核算月份",
    "按岗位与薪级，试用期按比例，按在岗日历天数折算",
    "最高一级有效的社会工作者职业资格证书",
    "按岗位",
    "按值班天数与日期性质",
    "以前月份应发与已发之差，扣回为负",
    "以上各项之和，税前",
    "逐项计算依据",
];

/// Where the amount of a line stands among the sums.
fn place(because: &Because) -> usize {
    match because {
        Because::Base { .. } => 0,
        Because::CertificateAllowance { .. } => 1,
        Because::PostAllowance { .. } => 2,
        Because::DutyAllowance { .. } => 3,
        Because::Difference { .. } => 4,
    }
}

/// The workbook.
pub(super) fn xlsx(statements: &[Whole], month: Date, mark: Option<&str>) -> Result<Vec<u8>, String> {
    let mut book = Xlsx::new("工资表", COLUMNS, mark).map_err(|error| error.to_string())?;
    let month = month.strftime("%Y-%m").to_string();
    for whole in statements {
        let mut sums = [0_i64; 5];
        for line in &whole.lines {
            sums[place(&line.because)] += line.fen;
        }
        let said: Vec<String> = whole.lines.iter().map(|line| texts(line).0).collect();
        let text = |text: &str| Field::Text(text.to_owned());
        let head = [text(&whole.row.worker), text(&whole.row.display_name), text(&month)];
        let total = Field::Hundredths(whole.row.total_fen);
        let tail = [total, Field::Text(said.join("；"))];
        let fields = head.into_iter().chain(sums.map(Field::Hundredths)).chain(tail);
        let fields: [Field; 10] = fields.collect::<Vec<_>>().try_into().map_err(|_| "columns".to_owned())?;
        book.row(fields).map_err(|error| error.to_string())?;
    }
    book.finish(Some(ABOUT)).map_err(|error| error.to_string())
}

/// The file's name.
pub(super) fn file_name(town: &str, month: Date, mark: Option<&str>) -> String {
    let mark = mark.map(|mark| format!("-{mark}")).unwrap_or_default();
    format!("{town}-pay-{}{mark}.xlsx", month.strftime("%Y-%m"))
}
