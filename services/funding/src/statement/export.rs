//! A statement as a file: a workbook, or a page that is ready to be printed on A4. Nothing in either is run.

use std::fmt::Write;

use kernel::{money::Fen, money::MoneyError};
use tabular::{Column, Field, Xlsx};

use super::{
    encode::{About, fund_zh, movement_zh, total},
    rules::{Section, Sections},
};
use crate::ledger::rules::{Earmark, Fund};

const fn column(name: &'static str) -> Column {
    Column { name, required: true, max_chars: 200, personal: false }
}

const COLUMNS: &[Column] = &[
    column("居委会"),
    column("会计年度"),
    column("期间"),
    column("经费"),
    column("专款"),
    column("项目"),
    column("类别"),
    column("金额（元）"),
    column("分录数"),
];
const ABOUT: &[&str] = &[
    "居委会名称",
    "会计年度",
    "季度或全年",
    "经费种类",
    "专款：上年结转、项目或任务；空为非专款",
    "期初、各项收支、期末、其中冻结；期初加各项收支等于期末",
    "支出类别",
    "流出为负",
    "构成该项的分录笔数",
];

/// What can go wrong in writing one.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("a workbook could not be written: {0}")]
    Workbook(String),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// The period in words.
fn period(about: &About) -> String {
    match about.quarter {
        0 => "全年".to_owned(),
        quarter => format!("第{}季度", ["一", "二", "三", "四"].get(quarter as usize - 1).unwrap_or(&"")),
    }
}

/// The name that stands on it: the committee's, or its id while governance can't be asked.
fn committee(about: &About) -> &str {
    if about.display_name.is_empty() { about.name.committee() } else { &about.display_name }
}

fn earmark(earmark: Option<&Earmark>) -> String {
    match earmark {
        None => String::new(),
        Some(Earmark::Carried) => "上年结转".to_owned(),
        Some(Earmark::Project(id)) => format!("项目 {id}"),
        Some(Earmark::Delegation(id)) => format!("任务 {id}"),
    }
}

/// One row of a section: what it is, the category, the amount, how many entries.
struct Shown {
    what: &'static str,
    category: String,
    amount: Fen,
    count: Option<i64>,
}

fn rows(about: &About, fund: Fund, section: &Section) -> Vec<Shown> {
    let plain = |what, amount| Shown { what, category: String::new(), amount, count: None };
    let mut rows = vec![plain("期初余额", section.opening)];
    for ((movement, category), line) in &section.lines {
        let id = category.clone().unwrap_or_default();
        let name = about.category(fund, &id);
        rows.push(Shown {
            what: movement_zh(*movement),
            category: if name.is_empty() { id } else { name },
            amount: line.amount,
            count: Some(line.count),
        });
    }
    rows.push(plain("期末余额", section.closing));
    rows.push(plain("其中：冻结", section.held));
    rows
}

/// The workbook.
pub(super) fn xlsx(about: &About, sections: &Sections, mark: Option<&str>) -> Result<Vec<u8>, WriteError> {
    let workbook = |error: &dyn std::fmt::Display| WriteError::Workbook(error.to_string());
    let mut book = Xlsx::new("收支情况表", COLUMNS, mark).map_err(|error| workbook(&error))?;
    for ((fund, bound), section) in sections {
        for row in rows(about, *fund, section) {
            let text = |text: &str| Field::Text(text.to_owned());
            let fields = [
                text(committee(about)),
                Field::Number(about.year.into()),
                Field::Text(period(about)),
                text(fund_zh(*fund)),
                Field::Text(earmark(bound.as_ref())),
                text(row.what),
                Field::Text(row.category),
                Field::Hundredths(row.amount.fen()),
                row.count.map_or_else(|| Field::Text(String::new()), Field::Number),
            ];
            book.row(fields).map_err(|error| workbook(&error))?;
        }
    }
    book.finish(Some(ABOUT)).map_err(|error| workbook(&error))
}

/// Text as HTML shows it and never runs it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Yuan with commas: `1,234.56`.
fn yuan(amount: Fen) -> String {
    let text = amount.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, "00"));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{part}")
}

const STYLE: &str = "@page{size:A4;margin:18mm 15mm}*{box-sizing:border-box}body{font:11pt/1.5 \"Songti SC\",SimSun,\"Noto Serif CJK SC\",serif;color:#000;margin:0 auto;max-width:180mm}\
h1{font-size:17pt;text-align:center;margin:0 0 4mm}h2{font-size:12pt;margin:6mm 0 2mm;break-after:avoid}p.head{display:flex;justify-content:space-between;margin:0 0 3mm}\
p.mark{text-align:center;border:.5mm solid #b00;color:#b00;margin:0 0 4mm;padding:1mm}table{width:100%;border-collapse:collapse;break-inside:avoid}\
th,td{border:.2mm solid #000;padding:1mm 2mm;text-align:left}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}tr.sum td{font-weight:bold}\
p.sign{display:flex;justify-content:space-between;margin:12mm 0 0}";

/// The page.
pub(super) fn html(about: &About, sections: &Sections, mark: Option<&str>) -> Result<String, WriteError> {
    let title = format!("{}{}年{}收支情况表", committee(about), about.year, period(about));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n",
        title = escaped(&title),
    );
    if let Some(mark) = mark {
        put(&mut page, format_args!("<p class=\"mark\">{}</p>\n", escaped(mark)));
    }
    let provisional =
        if about.today <= about.period.to { "（期间未满，数据截至制表日）" } else { "" };
    put(
        &mut page,
        format_args!(
            "<h1>{}</h1>\n<p class=\"head\"><span>{} 至 {}{provisional}</span><span>单位：元</span></p>\n",
            escaped(&title),
            about.period.from,
            about.period.to
        ),
    );
    for ((fund, bound), section) in sections {
        let bound = earmark(bound.as_ref());
        let bound = if bound.is_empty() { bound } else { format!("（{bound}）") };
        put(&mut page, format_args!("<h2>{}{}</h2>\n", fund_zh(*fund), escaped(&bound)));
        page.push_str("<table><thead><tr><th>项目</th><th>类别</th><th class=\"n\">金额</th><th class=\"n\">分录数</th></tr></thead><tbody>\n");
        for row in rows(about, *fund, section) {
            let class = if row.count.is_none() { " class=\"sum\"" } else { "" };
            let count = row.count.map(|count| count.to_string()).unwrap_or_default();
            put(
                &mut page,
                format_args!(
                    "<tr{class}><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{count}</td></tr>\n",
                    row.what,
                    escaped(&row.category),
                    yuan(row.amount),
                ),
            );
        }
        page.push_str("</tbody></table>\n");
    }
    let (opening, spent) = (total(sections, |s| Ok(s.opening))?, total(sections, Section::spent)?);
    let (closing, held) = (total(sections, |s| Ok(s.closing))?, total(sections, |s| Ok(s.held))?);
    put(
        &mut page,
        format_args!(
            "<h2>合计</h2>\n<table><tbody><tr class=\"sum\"><td>期初 {}</td><td>支出 {}</td><td>期末 {}</td><td>其中冻结 {}</td></tr></tbody></table>\n\
             <p class=\"sign\"><span>负责人：</span><span>复核：</span><span>制表：</span><span>制表日：{}</span></p>\n</body></html>\n",
            yuan(opening),
            yuan(spent),
            yuan(closing),
            yuan(held),
            about.today
        ),
    );
    Ok(page)
}

fn put(page: &mut String, what: std::fmt::Arguments<'_>) {
    // writing to a String does not fail
    let _ = page.write_fmt(what);
}

/// The file's name, without its ending.
pub(super) fn file_name(about: &About, mark: Option<&str>) -> String {
    let part = if about.quarter == 0 { String::new() } else { format!("-q{}", about.quarter) };
    let mark = mark.map(|mark| format!("-{mark}")).unwrap_or_default();
    format!("{}-{}-statement-{}{part}{mark}", about.name.town(), about.name.committee(), about.year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_commas() {
        let shown: Vec<String> =
            [0, 5, 12_345, 123_456, 100_000_000, -123_456_789].map(|fen| yuan(Fen::of(fen))).into();
        assert_eq!(shown, ["0.00", "0.05", "123.45", "1,234.56", "1,000,000.00", "-1,234,567.89"]);
    }

    #[test]
    fn what_people_typed_stays_text() {
        assert_eq!(escaped("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
    }
}
