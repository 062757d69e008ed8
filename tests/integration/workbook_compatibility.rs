//! Reports written by other programs: one unusual cell, part or name does not invalidate the report, and all memory is counted.

use documine::package::{Cell, Report};
use documine::{
    ErrorKind,
    package::{PackageArchive, PackageLimits},
};

use crate::harness::pdf_fixtures::zip;
use crate::harness::zip_fixtures::{RawEntry, raw_archive};

const MAIN_NAMESPACE: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const STRICT_RELATIONSHIPS: &str = "http://purl.oclc.org/ooxml/officeDocument/relationships";

/// The parts of a workbook, to be modified before packing.
#[derive(Clone)]
struct Workbook(Vec<(String, Vec<u8>)>);

impl Workbook {
    /// Creates a workbook with one sheet of these rows and some shared strings and formats.
    fn new(rows: &str) -> Self {
        let texts = concat!(
            r#"<sst xmlns="M"><si><t>shared</t></si><si><r><t>ri</t></r><r><t>ch</t></r><rPh sb="0" eb="1"><t>"#,
            r#"phonetic</t></rPh></si><si/><si><t xml:space="preserve"> a &amp; b_x000D_ </t></si></sst>"#
        );
        let styles = concat!(
            r#"<styleSheet xmlns="M"><numFmts count="2"><numFmt numFmtId="164" formatCode="dd.mm.yyyy"/>"#,
            r#"<numFmt numFmtId="165" formatCode="[h]:mm"/></numFmts><cellStyleXfs><xf numFmtId="14"/>"#,
            r#"</cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/>"#,
            r#"<xf numFmtId="165"/></cellXfs></styleSheet>"#
        );
        Self(Vec::new())
            .with("_rels/.rels", &relations(&[("r1", "officeDocument", "xl/workbook.xml")]))
            .with(
                "xl/_rels/workbook.xml.rels",
                &relations(&[
                    ("r1", "worksheet", "worksheets/sheet1.xml"),
                    ("r2", "sharedStrings", "sharedStrings.xml"),
                    ("r3", "styles", "styles.xml"),
                ]),
            )
            .with("xl/workbook.xml", &book(r#"<sheet name="S" sheetId="1" r:id="r1"/>"#))
            .with("xl/sharedStrings.xml", texts)
            .with("xl/styles.xml", styles)
            .with("xl/worksheets/sheet1.xml", &sheet(rows))
    }

    fn with(mut self, name: &str, part: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), part.replace("\"M\"", &format!("\"{MAIN_NAMESPACE}\"")).into_bytes()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    fn renamed(mut self, name: &str, new: &str) -> Self {
        self.0.iter_mut().filter(|(known, _)| known == name).for_each(|(known, _)| new.clone_into(known));
        self
    }

    fn replaced(mut self, old: &str, new: &str) -> Self {
        for (_, part) in &mut self.0 {
            *part = String::from_utf8(std::mem::take(part)).unwrap().replace(old, new).into_bytes();
        }
        self
    }

    fn packed(&self) -> Vec<u8> {
        raw_archive(
            &self.0.iter().map(|(name, part)| RawEntry { mode: 0, ..RawEntry::file(name, part) }).collect::<Vec<_>>(),
        )
    }

    async fn read(&self) -> documine::Result<Report> {
        read_within(&self.packed(), PackageLimits::default()).await
    }
}

async fn read_within(workbook: &[u8], limits: PackageLimits) -> documine::Result<Report> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    std::fs::write(&path, zip(&[("Reports/r.xlsx", workbook)])).unwrap();
    PackageArchive::open_within(&path, limits).await.unwrap().report().await
}

fn relations(relations: &[(&str, &str, &str)]) -> String {
    let one = |(id, kind, target): &(&str, &str, &str)| {
        format!(r#"<Relationship Id="{id}" Type="{RELATIONSHIPS}/{kind}" Target="{target}"/>"#)
    };
    format!("<Relationships>{}</Relationships>", relations.iter().map(one).collect::<String>())
}

fn book(sheets: &str) -> String {
    format!(r#"<workbook xmlns="M" xmlns:r="{RELATIONSHIPS}"><sheets>{sheets}</sheets></workbook>"#)
}

fn sheet(rows: &str) -> String {
    format!(r#"<worksheet xmlns="M"><sheetData>{rows}</sheetData></worksheet>"#)
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn error(text: &str) -> Cell {
    Cell::Error(text.to_owned())
}

fn date(text: &str) -> Cell {
    Cell::DateTime(text.to_owned())
}

/// Returns the cells between two valid cells of a row.
async fn cells_between(cell: &str) -> Vec<Cell> {
    let rows = format!(
        r#"<row r="1"><c r="A1"><v>1</v></c>{cell}<c r="C1" t="s"><v>0</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>"#
    );
    let report = Workbook::new(&rows).read().await.unwrap_or_else(|error| panic!("{cell}: {error}"));
    let [first, second] = &report.sheets[0].rows[..] else { panic!("{cell}: {report:?}") };
    assert_eq!(second.cells, [Cell::Number(2.0)], "{cell}");
    assert_eq!((&first.cells[0], first.cells.last().unwrap()), (&Cell::Number(1.0), &text("shared")), "{cell}");
    first.cells[1..first.cells.len() - 1].to_vec()
}

#[tokio::test]
async fn reads_error_cells_of_any_name() {
    for name in [
        "#DIV/0!",
        "#N/A",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#REF!",
        "#VALUE!",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
        "#CONNECT!",
        "#UNKNOWN!",
        "#BUSY!",
        "#PYTHON!",
        "#EXTERNAL!",
        "#TIMEOUT!",
        "#GETTING_DATA",
        "Err:502",
        "#WERT!",
    ] {
        assert_eq!(cells_between(&format!(r#"<c r="B1" t="e"><f>A1:A9</f><v>{name}</v></c>"#)).await, [error(name)]);
    }
}

#[tokio::test]
async fn keeps_unusual_value_in_its_own_cell() {
    for (cell, value) in [
        (r#"<c r="B1" t="n"><v>abc</v></c>"#, text("abc")),
        (r#"<c r="B1" t="n"><v>1,5</v></c>"#, text("1,5")),
        (r#"<c r="B1"><v>1e999</v></c>"#, text("1e999")),
        (r#"<c r="B1"><v>NaN</v></c>"#, text("NaN")),
        (r#"<c r="B1"><v> 1.5E+2 </v></c>"#, Cell::Number(150.0)),
        (r#"<c r="B1" t="b"><v>maybe</v></c>"#, text("maybe")),
        (r#"<c r="B1" t="b"><v>TRUE</v></c>"#, Cell::Bool(true)),
        (r#"<c r="B1" t="new"><v>x</v></c>"#, text("x")),
        (r#"<c r="B1" t="s"><v>99</v></c>"#, error("missing shared string 99")),
        (r#"<c r="B1" t="s"><v>-1</v></c>"#, error("missing shared string -1")),
        (r#"<c r="B1" t="s"><v>1</v></c>"#, text("rich")),
        (r#"<c r="B1" t="s"><v>2</v></c>"#, Cell::Empty),
        (r#"<c r="B1" t="s"><v>3</v></c>"#, text(" a & b\r ")),
        (r#"<c r="B1" t="inlineStr"><is><t>in</t></is></c>"#, text("in")),
        (r#"<c r="B1"><is><r><t>i</t></r><r><t>n</t></r></is></c>"#, text("in")),
        (r#"<c r="B1" t="inlineStr"><v>in</v></c>"#, text("in")),
        (r#"<c r="B1" t="str"><f>A1</f><v>a&lt;b&#65;&unknown;</v></c>"#, text("a<bA&unknown;")),
        (r#"<c r="B1" t="str"><v><![CDATA[<b>]]></v></c>"#, text("<b>")),
        (r#"<c r="B1" s="1"><v>45363</v></c>"#, date("2024-03-12T00:00:00.000")),
        (r#"<c r="B1" s="2"><v>45363.25</v></c>"#, date("2024-03-12T06:00:00.000")),
        (r#"<c r="B1" s="3"><v>1.5</v></c>"#, Cell::Days(1.5)),
        (r#"<c r="B1" s="1"><v>-5</v></c>"#, Cell::Number(-5.0)),
        (r#"<c r="B1" s="1"><v>1e10</v></c>"#, Cell::Number(1e10)),
        (r#"<c r="B1" s="99"><v>7</v></c>"#, Cell::Number(7.0)),
        (r#"<c r="B1" s="x"><v>7</v></c>"#, Cell::Number(7.0)),
        (r#"<c r="B1" t="d"><v>2024-03-12</v></c>"#, date("2024-03-12")),
        (r#"<c r="B1"><new/><v>7</v><extLst><ext/></extLst></c>"#, Cell::Number(7.0)),
        (r#"<c r="B1"/>"#, Cell::Empty),
        // Without a valid reference, a cell follows the previous one.
        ("<c><v>7</v></c>", Cell::Number(7.0)),
        (r#"<c r=""><v>7</v></c>"#, Cell::Number(7.0)),
        (r#"<c r="ZZZ1"><v>7</v></c>"#, Cell::Number(7.0)),
        (r#"<c r="AAAAAAAAAAAAAA99999999999999999999"><v>7</v></c>"#, Cell::Number(7.0)),
        (r#"<c r="b1"><v>7</v></c>"#, Cell::Number(7.0)),
        (r#"<c r="$B$1"><v>7</v></c>"#, Cell::Number(7.0)),
    ] {
        assert_eq!(cells_between(cell).await, [value], "{cell}");
    }
}

#[tokio::test]
async fn reads_rows_without_numbers_or_out_of_order() {
    let rows = concat!(
        r#"<row><c><v>1</v></c></row><row r="x"><c><v>2</v></c></row><row r="9"><c r="B9"><v>9</v></c></row>"#,
        r#"<row r="5"><c><v>5</v></c></row><row r="9"><c r="A9"><v>8</v></c></row>"#
    );
    let report = Workbook::new(rows).read().await.unwrap();
    let rows: Vec<_> = report.sheets[0].rows.iter().map(|row| (row.number, row.cells.clone())).collect();
    let number = Cell::Number;
    let expected =
        [(1, vec![number(1.0)]), (2, vec![number(2.0)]), (5, vec![number(5.0)]), (9, vec![number(8.0), number(9.0)])];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn finds_parts_under_any_name() {
    let rows = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>45363</v></c></row>"#;
    let plain = || Workbook::new(rows);
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let mut utf16 = plain();
    utf16.0.iter_mut().for_each(|(_, part)| *part = wide(std::str::from_utf8(part).unwrap()));
    for (workbook, case) in [
        (plain(), "default"),
        (
            plain()
                .replaced(RELATIONSHIPS, STRICT_RELATIONSHIPS)
                .replaced(MAIN_NAMESPACE, "http://purl.oclc.org/ooxml/spreadsheetml/main"),
            "strict",
        ),
        (plain().replaced("xl/", "/xl/").replaced("\"worksheets/", "\"/xl/worksheets/"), "absolute targets"),
        (plain().replaced("\"worksheets/sheet1", "\"xl/worksheets/sheet1"), "targets relative to the root"),
        (plain().replaced("\"worksheets/sheet1", "\"../xl/worksheets/sheet1"), "targets with parent folders"),
        (plain().replaced("\"worksheets/sheet1", "\"worksheets\\sheet1"), "backslashes in targets"),
        (plain().renamed("xl/worksheets/sheet1.xml", r"xl\worksheets\sheet1.xml"), "backslashes in names"),
        (plain().renamed("xl/sharedStrings.xml", "xl/SharedStrings.xml"), "other capitalization"),
        (plain().renamed("xl/workbook.xml", "XL/Workbook.XML"), "capitals"),
        (plain().without("_rels/.rels"), "no package relationships"),
        (plain().without("xl/_rels/workbook.xml.rels"), "no workbook relationships"),
        (plain().with("_rels/.rels", "<Relationships"), "damaged package relationships"),
        (plain().replaced("r:id=\"r1\"", "r:id=\"r9\""), "unknown relationship id"),
        (plain().replaced("sheetId=\"1\"", "sheetId=\"1\" state=\"new\""), "unknown sheet state"),
        (plain().replaced("sheetId=\"1\"", "sheetId=\"1\" state=\"veryHidden\""), "hidden sheet"),
        (utf16, "UTF-16 without byte order mark"),
        (plain().replaced("<", "<x:").replaced("<x:/", "</x:").replaced("xmlns=", "xmlns:x="), "prefixes"),
        (plain().with("xl/media/image1.png", "not read").with("xl/calcChain.xml", "<not-read"), "unused parts"),
    ] {
        let report = workbook.read().await.unwrap_or_else(|error| panic!("{case}: {error}"));
        let sheet = &report.sheets[0];
        assert_eq!((report.sheets.len(), sheet.name.as_str(), sheet.rows.len()), (1, "S", 1), "{case}");
        assert_eq!(sheet.rows[0].cells, [text("shared"), date("2024-03-12T00:00:00.000")], "{case}");
    }
}

#[tokio::test]
async fn reads_workbook_with_missing_parts() {
    let rows = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>45363</v></c></row>"#;
    let cells = async |workbook: Workbook| workbook.read().await.unwrap().sheets.remove(0).rows.remove(0).cells;
    let plain = Workbook::new(rows);
    let number = Cell::Number(45_363.0);
    assert_eq!(cells(plain.clone().without("xl/styles.xml")).await, [text("shared"), number.clone()]);
    assert_eq!(cells(plain.clone().with("xl/styles.xml", "<styleSheet><cellXfs>")).await, [text("shared"), number]);
    let missing = error("missing shared string 0");
    let day = date("2024-03-12T00:00:00.000");
    assert_eq!(cells(plain.clone().without("xl/sharedStrings.xml")).await, [missing, day]);
    let book_1904 =
        plain.clone().replaced("<sheets>", "<workbookPr date1904=\"1\"/><sheets>").replaced("45363", "43901");
    assert_eq!(cells(book_1904).await, [text("shared"), date("2024-03-12T00:00:00.000")]);
    let error = plain.clone().without("xl/workbook.xml").read().await.unwrap_err();
    assert!(error.to_string().ends_with("invalid report: no workbook part"), "{error}");
    let damaged = plain.with("xl/sharedStrings.xml", "<sst><si><t>").read().await.unwrap_err();
    assert!(damaged.to_string().contains("part \"xl/sharedStrings.xml\" is damaged"), "{damaged}");
}

#[tokio::test]
async fn skips_chart_sheets() {
    let sheets = concat!(
        r#"<sheet name="Stray" r:id="c4"/><sheet name="Chart" r:id="c1"/><sheet name="S" r:id="r1"/>"#,
        r#"<sheet name="Macro" r:id="c2"/><sheet name="Lost" r:id="c3"/>"#
    );
    let workbook = Workbook::new("<row><c><v>1</v></c></row>")
        .with("xl/workbook.xml", &book(sheets))
        .with("xl/chartsheets/a.xml", r#"<chartsheet xmlns="M"><drawing/></chartsheet>"#)
        .with("xl/macrosheets/a.xml", "<xm:macrosheet><sheetData/></xm:macrosheet>")
        .with(
            "xl/_rels/workbook.xml.rels",
            &relations(&[
                ("c1", "chartsheet", "chartsheets/a.xml"),
                ("r1", "worksheet", "worksheets/sheet1.xml"),
                ("c2", "xlMacrosheet", "macrosheets/a.xml"),
                ("c3", "worksheet", "worksheets/gone.xml"),
            ]),
        );
    let report = workbook.read().await.unwrap();
    let sheets: Vec<_> = report.sheets.iter().map(|sheet| (sheet.name.as_str(), sheet.rows.len())).collect();
    assert_eq!(sheets, [("Stray", 0), ("S", 1), ("Lost", 0)]);
    let empty = Workbook::new("").with("xl/worksheets/sheet1.xml", r#"<worksheet xmlns="M"/>"#);
    assert!(empty.read().await.unwrap().sheets[0].rows.is_empty());
}

#[tokio::test]
async fn limits_memory_of_workbook() {
    const MEMORY: u64 = 4 << 20;
    let cells = |cell: &str, number: usize| format!("<row>{}</row>", cell.repeat(number));
    let texts = |number: usize| format!("<sst>{}</sst>", "<si/>".repeat(number));
    let sheets = |number: usize| book(&"<sheet/>".repeat(number));
    let plain = || Workbook::new(r#"<row><c t="s"><v>0</v></c></row>"#);
    let rows = |number: usize| "<row><c><v>1</v></c></row>".repeat(number);
    for (workbook, is_read, case) in [
        (plain().with("xl/sharedStrings.xml", &texts(250_000)), true, "many shared strings of four bytes each"),
        (plain().with("xl/sharedStrings.xml", &texts(800_000)), false, "more shared strings than fit in memory"),
        (Workbook::new(&rows(9_000)), true, "some rows"),
        (Workbook::new(&rows(40_000)), false, "rows larger in memory than as text"),
        (Workbook::new(&cells("<c><v>1</v></c>", 16_384)), true, "a row of maximum width"),
        (Workbook::new(&cells("<c><v>1</v></c>", 16_385)), false, "a row above the maximum width"),
        (Workbook::new(r#"<row><c r="XFD1"><v>1</v></c></row>"#), true, "one sparse cell"),
        (plain().with("xl/workbook.xml", &sheets(50_000)), false, "many sheets"),
        (
            plain()
                .with("xl/_rels/workbook.xml.rels", &relations(&[("r1", "worksheet", "worksheets/sheet1.xml")]))
                .with("xl/workbook.xml", &book(r#"<sheet name="a" r:id="r1"/><sheet name="b" r:id="r1"/>"#)),
            false,
            "one part used as two sheets",
        ),
        (plain().with("xl/sharedStrings.xml", &"<a>".repeat(100_000)), false, "deeply nested elements"),
    ] {
        let limits = PackageLimits::default().memory_bytes(MEMORY);
        match read_within(&workbook.packed(), limits).await {
            Ok(_) => assert!(is_read, "{case}: was accepted"),
            Err(error) => {
                assert!(!is_read, "{case}: {error}");
                assert_eq!(error.kind(), ErrorKind::Integrity, "{case}");
                assert!(error.to_string().contains("entry \"Reports/r.xlsx\": invalid report: "), "{case}: {error}");
            }
        }
    }
}
