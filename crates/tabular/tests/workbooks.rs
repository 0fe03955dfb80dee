//! Workbooks: what is in their cells, which sheet is read, and files that were made to harm.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

use std::io::{Cursor, Write};

use tabular::{Column, Fault, Field, Limits, Table, Xlsx, read_csv, read_table};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const fn column(name: &'static str) -> Column {
    Column { name, required: true, max_chars: 200, personal: false }
}

const COLUMNS: &[Column] = &[column("code"), column("name")];
const HEAD: &str = "<row r=\"1\"><c t=\"inlineStr\"><is><t>code</t></is></c><c t=\"inlineStr\"><is><t>name</t></is></c></row>";
/// A style 1 is a date.
const STYLES: &str = "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>";
const PROPERTIES: &str = "<workbookPr/>";

fn text(value: &str) -> String {
    format!("<c t=\"inlineStr\"><is><t>{value}</t></is></c>")
}

fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook of these sheets, with these styles, properties and shared strings.
fn book(sheets: &[(&str, &str)], styles: &str, properties: &str, strings: &str) -> Vec<u8> {
    let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let list: String =
        (1..).zip(sheets).map(|(n, (name, _))| format!("<sheet {name} id=\"r{n}\"/>")).collect();
    let rels: String = (1..=sheets.len())
        .map(|n| {
            format!("<Relationship Id=\"r{n}\" Type=\"{kind}/worksheet\" Target=\"worksheets/{n}.xml\"/>")
        })
        .collect();
    let mut parts = vec![
        (
            "_rels/.rels".to_owned(),
            format!(
                "<Relationships><Relationship Id=\"a\" Type=\"{kind}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        ("xl/workbook.xml".to_owned(), format!("<workbook>{properties}<sheets>{list}</sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels".to_owned(), format!("<Relationships>{rels}</Relationships>")),
        ("xl/styles.xml".to_owned(), styles.to_owned()),
        ("xl/sharedStrings.xml".to_owned(), strings.to_owned()),
    ];
    for (n, (_, rows)) in (1..).zip(sheets) {
        let xml = format!("<worksheet><dimension ref=\"A1\"/><sheetData>{rows}</sheetData></worksheet>");
        parts.push((format!("xl/worksheets/{n}.xml"), xml));
    }
    archive(&parts.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect::<Vec<_>>())
}

/// A workbook of one sheet with the header and these rows.
fn sheet(rows: &str) -> Vec<u8> {
    book(&[("name=\"a\"", &format!("{HEAD}{rows}"))], STYLES, PROPERTIES, "<sst/>")
}

fn read(file: &[u8]) -> Result<Table, Vec<Fault>> {
    read_table(file, "", COLUMNS, Limits::default())
}

fn reasons(faults: &[Fault]) -> Vec<(u64, &str, &'static str)> {
    faults.iter().map(|fault| (fault.row, fault.column.as_str(), fault.reason)).collect()
}

/// Why a file is refused as a whole.
fn refused(file: &[u8], limits: Limits) -> &'static str {
    match read_table(file, "", COLUMNS, limits) {
        Err(faults) => faults.last().unwrap().reason,
        Ok(table) => panic!("{} rows, {:?}", table.rows.len(), table.faults),
    }
}

#[test]
fn the_committees_are_the_same_in_both_formats() {
    let columns = [
        "code",
        "town",
        "name",
        "kind",
        "community",
        "state",
        "preparation_started_on",
        "founded_on",
        "households",
        "households_as_of",
        "management_class",
        "difficulty",
    ]
    .map(column);
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/demo/committees");
    let file = |format: &str| std::fs::read(format!("{demo}.{format}")).unwrap();
    let csv = read_csv(&file("csv"), &columns, Limits::default()).unwrap();
    let xlsx = read_table(&file("xlsx"), "committees.xlsx", &columns, Limits::default()).unwrap();
    assert_eq!((xlsx.rows.len(), xlsx.encoding.name()), (54, "XLSX"));
    assert_eq!((csv.rows, csv.faults), (xlsx.rows, xlsx.faults));
}

#[test]
fn cells_are_read_as_a_person_sees_them_and_rows_keep_their_numbers() {
    let rows = format!(
        "<row r=\"3\"><c r=\"A3\"><v>310114106001</v></c><c r=\"B3\" s=\"1\"><v>43831</v></c></row>\
         <row r=\"7\"><c r=\"A7\" t=\"b\"><v>1</v></c><c r=\"B7\" t=\"str\"><f>A1</f><v>=甲&amp;乙</v></c></row>\
         <row r=\"8\"><c r=\"A8\" t=\"s\"><v>0</v></c>{}</row><row r=\"9\"><c r=\"A9\"/><c r=\"B9\" s=\"1\"/></row>",
        text("'=1+1")
    );
    let file = book(
        &[("name=\"a\"", &format!("{HEAD}{rows}"))],
        STYLES,
        "<workbookPr date1904=\"1\"/>",
        "<sst><si><r><t>甲</t></r><r><t>乙</t></r></si></sst>",
    );
    let table = read(&file).unwrap();
    let cells: Vec<(u64, &str, &str)> =
        table.rows.iter().map(|row| (row.number, row.cells[0].as_str(), row.cells[1].as_str())).collect();
    assert_eq!(cells, [(3, "310114106001", "2024-01-02"), (7, "TRUE", "=甲&乙"), (8, "甲乙", "=1+1")]);
    assert_eq!((table.total, reasons(&table.faults)), (3, vec![]));
}

#[test]
fn what_is_wrong_in_a_cell_is_named_with_row_and_column() {
    let rows = format!(
        "<row r=\"2\"><c><v>310199195112050137</v></c>{ok}</row>\
         <row r=\"3\"><c t=\"e\"><v>#N/A</v></c><c><v>0.30000000000000004</v></c></row>\
         <row r=\"4\">{ok}{}</row><row r=\"5\">{ok}{}{ok}</row><row r=\"6\">{ok}<c><f>A1</f><v/></c></row>\
         <row r=\"7\">{ok}<c><f>A1</f></c></row><row r=\"8\">{ok}<c t=\"str\"><f>A1</f><v></v></c></row>\
         <row r=\"9\">{ok}<c><f>1+1</f><v>2</v></c></row>",
        text("育\u{200B}兰"),
        "<c t=\"inlineStr\"><is><t xml:space=\"preserve\"> 甲 </t></is></c>",
        ok = text("a"),
    );
    let table = read(&sheet(&rows)).unwrap();
    let mut found = reasons(&table.faults);
    found.sort();
    assert_eq!(
        found,
        [
            (0, "", "NO_RESULT"),
            (2, "code", "PRECISION"),
            (3, "code", "CELL_ERROR"),
            (3, "name", "PRECISION"),
            (4, "name", "INVISIBLE"),
            (5, "", "OUTSIDE"),
            (5, "name", "TRIMMED"),
        ]
    );
    assert_eq!(table.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [6, 7, 8, 9]);
    assert!(table.faults[0].en.starts_with("2 formulas"), "{}", table.faults[0].en);
    assert!(table.faults.iter().all(|fault| !fault.zh.is_empty() && !fault.en.is_empty()));
}

#[test]
fn the_first_visible_sheet_with_the_header_is_read() {
    let title = format!(
        "<row r=\"1\">{}</row><row r=\"3\">{}{}</row><row r=\"4\">{}</row>",
        text("名册"),
        text("name"),
        text("code"),
        text("甲")
    );
    let table = HEAD.to_owned() + &format!("<row r=\"2\">{}</row>", text("x"));
    let sheets = [
        ("name=\"notes\"", "<row><c><v>1</v></c></row>"),
        ("name=\"old\" state=\"hidden\"", table.as_str()),
        ("name=\"list\"", title.as_str()),
        ("name=\"copy\"", table.as_str()),
    ];
    let read = read(&book(&sheets, STYLES, PROPERTIES, "<sst/>")).unwrap();
    assert_eq!(
        (read.rows[0].number, read.rows[0].cells.as_slice()),
        (4, ["".to_owned(), "甲".to_owned()].as_slice())
    );
    assert_eq!(reasons(&read.faults), [(0, "", "SHEETS_LEFT_OUT")]);
    assert!(read.faults[0].en.ends_with("left out: copy"));

    let half = format!("<row r=\"2\">{}{}{}</row>", text("code"), text("nome"), text("code"));
    let faults =
        self::read(&book(&[("name=\"甲\"", &half), ("name=\"乙\"", "")], STYLES, PROPERTIES, "<sst/>"))
            .unwrap_err();
    assert_eq!(reasons(&faults), [(0, "", "WRONG_SHEET"), (2, "name", "MISSING_COLUMN")]);
    assert!(faults[0].zh.ends_with("工作表有：甲, 乙") && faults[0].en.ends_with("the sheets are: 甲, 乙"));
    let twice = format!("<row r=\"1\">{}{}{}</row>", text("code"), text("name"), text("code"));
    let faults = self::read(&book(&[("name=\"a\"", &twice)], STYLES, PROPERTIES, "<sst/>")).unwrap_err();
    assert_eq!(reasons(&faults), [(1, "code", "COLUMN_TWICE")]);
    let empty = self::read(&sheet("")).unwrap();
    assert_eq!(reasons(&empty.faults), [(0, "", "NO_ROWS")]);
}

#[test]
fn other_files_are_told_what_to_do() {
    let limits = Limits::default();
    let old = [b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".as_slice(), &[0; 512]].concat();
    assert_eq!(refused(&old, limits), "OLD_WORKBOOK");
    assert_eq!(refused(&archive(&[("content.xml", "<office/>")]), limits), "NOT_A_WORKBOOK");
    let named = read_table(b"code,name\r\n", "a.XLSX", COLUMNS, limits).unwrap_err();
    assert_eq!(reasons(&named), [(0, "", "NOT_A_WORKBOOK")]);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("xl/workbook.xml", SimpleFileOptions::default()).unwrap();
    let mut locked = zip.finish().unwrap().into_inner();
    let directory = locked.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    (locked[6], locked[directory + 8]) = (1, 1);
    assert_eq!(refused(&locked, limits), "ENCRYPTED");
}

#[test]
fn archives_that_unfold_too_far_are_refused_before_they_are_opened() {
    let limits = Limits::default();
    let spaces = " ".repeat(9 << 20);
    // told honestly in the directory; told as small, where inflating ends at what was told
    let mut bomb = sheet(&spaces);
    assert_eq!(refused(&bomb, limits), "UNFOLDS_TOO_LARGE");
    let name = b"xl/worksheets/1.xml";
    for (mark, size, at) in [(b"PK\x01\x02", 24, 46), (b"PK\x03\x04", 22, 30)] {
        let entry = bomb
            .windows(4)
            .enumerate()
            .position(|(n, four)| four == mark && bomb[n + at..].starts_with(name))
            .unwrap();
        bomb[entry + size..entry + size + 4].copy_from_slice(&100u32.to_le_bytes());
    }
    assert_eq!(refused(&bomb, limits), "NOT_A_WORKBOOK");
    // together more than allowed, each alone within
    let some = (0..20_000).map(|n| format!("<row><c><v>{n}</v></c></row>")).collect::<String>();
    assert!(read(&sheet(&some)).is_ok());
    assert_eq!(refused(&sheet(&some), Limits { unpacked: 300 << 10, ..limits }), "UNFOLDS_TOO_LARGE");
    let many: Vec<String> = (0..5_000).map(|n| format!("{n}.xml")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(refused(&archive(&many), limits), "UNFOLDS_TOO_LARGE");
}

#[test]
fn what_the_reader_would_hold_in_memory_is_counted_before() {
    let limits = Limits::default();
    let with = |styles: &str, strings: &str| book(&[("name=\"a\"", HEAD)], styles, PROPERTIES, strings);
    // room for 10^18 strings is asked for by one number
    assert_eq!(
        refused(&with(STYLES, "<sst uniqueCount=\"1000000000000000000\"/>"), limits),
        "UNFOLDS_TOO_LARGE"
    );
    // each format would copy the name of its font
    let font = format!("<font><name val=\"{}\"/></font>", "x".repeat(100_000));
    let styles = format!(
        "<styleSheet><fonts>{font}</fonts><cellXfs>{}</cellXfs></styleSheet>",
        "<xf fontId=\"0\"/>".repeat(400)
    );
    assert_eq!(refused(&with(&styles, "<sst/>"), limits), "UNFOLDS_TOO_LARGE");
    let strings = format!("<sst>{}</sst>", "<si><t>xxxxxxxxxx</t></si>".repeat(1_000));
    let file = with(STYLES, &strings);
    assert_eq!(refused(&file, Limits { bytes: 10_000, ..limits }), "UNFOLDS_TOO_LARGE");
    assert!(file.len() < 10_000 && read(&file).is_ok());
    // a short file whose cells all show the same long text
    let long = "甲".repeat(200);
    let row = "<row><c t=\"s\"><v>0</v></c></row>".repeat(1_000);
    let strings = format!("<sst><si><t>{long}</t></si></sst>");
    let file = book(&[("name=\"a\"", &format!("{HEAD}{row}"))], STYLES, PROPERTIES, &strings);
    assert!(file.len() < 10_000);
    assert_eq!(refused(&file, Limits { bytes: 100_000, ..limits }), "TOO_LARGE");
}

#[test]
fn rows_and_cells_and_faults_have_an_end() {
    let limits = Limits::default();
    let far = "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>";
    let table = read(&sheet(far)).unwrap();
    assert_eq!(
        (table.total, table.rows.len(), reasons(&table.faults)),
        (1, 0, vec![(1_048_576, "", "OUTSIDE")])
    );
    let far = "<row r=\"1048576\"><c r=\"A1048576\"><v>1</v></c></row>";
    assert_eq!(read(&sheet(far)).unwrap().rows[0].number, 1_048_576);
    // a number of a row or column that no computer word holds
    for place in ["AAAAAAAAAAAA1", "A99999999999999", "A0", "1", "ß1"] {
        let wild = format!("<row r=\"2\"><c r=\"{place}\"><v>1</v></c></row>");
        match read(&sheet(&wild)) {
            Ok(table) => assert!(table.total <= 1),
            Err(faults) => assert_eq!(reasons(&faults), [(0, "", "NOT_A_WORKBOOK")]),
        }
    }
    assert_eq!(
        refused(&sheet("<row r=\"3\"><c><v>1</v></c></row><row r=\"2\"><c><v>1</v></c></row>"), limits),
        "NOT_A_WORKBOOK"
    );
    let ten = "<row><c><v>1</v></c></row>".repeat(10);
    assert_eq!(refused(&sheet(&ten), Limits { rows: 9, ..limits }), "TOO_MANY_ROWS");
    assert_eq!(refused(&sheet(&ten), Limits { cells: 19, ..limits }), "TOO_MANY_CELLS");
    assert_eq!(read(&sheet(&ten)).unwrap().rows.len(), 10);
    let bad = "<row><c t=\"e\"><v>#N/A</v></c></row>".repeat(50_001);
    assert_eq!(refused(&sheet(&bad), limits), "TOO_MANY_FAULTS");
    let wide = format!("<row r=\"1\">{}{}{}</row>", text("code"), text("name"), text("x").repeat(300));
    assert_eq!(
        refused(&book(&[("name=\"a\"", &wide)], STYLES, PROPERTIES, "<sst/>"), limits),
        "TOO_MANY_COLUMNS"
    );
}

#[test]
fn an_export_is_a_workbook_whose_text_no_spreadsheet_runs() {
    let mut xlsx = Xlsx::new("committees", COLUMNS, Some("示例数据")).unwrap();
    xlsx.row([Field::Text("=1+1".to_owned()), Field::Number(1999)]).unwrap();
    let file = xlsx.finish(Some(&["twelve digits", "the name as shown"])).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(file.as_slice())).unwrap();
    let mut part = |name: &str| std::io::read_to_string(zip.by_name(name).unwrap()).unwrap();
    let sheet = part("xl/worksheets/sheet1.xml");
    assert!(
        !sheet.contains("<f>") && sheet.contains("<t>=1+1</t>") && sheet.contains("<v>1999</v>"),
        "{sheet}"
    );
    assert!(sheet.contains("state=\"frozen\""), "{sheet}");
    assert!(
        part("xl/workbook.xml").contains("committees-示例数据") && part("xl/workbook.xml").contains("说明")
    );
    assert!(part("docProps/core.xml").contains("示例数据"));
    assert!(part("xl/styles.xml").contains("quotePrefix=\"1\""));
    let table = read(&file).unwrap();
    assert_eq!(table.rows[0].cells, ["=1+1", "1999"]);
    assert_eq!(reasons(&table.faults), []);
}
