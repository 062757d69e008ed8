//! Excel workbooks, written as a stream: a row needs no memory once it is written.
//!
//! The writer is part of this crate because the one at hand (`rust_xlsxwriter`) panics on a full disk while it streams. ECMA-376 part 1 describes the
//! elements; `zip` is in the graph through `documine`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use chrono::{Datelike, NaiveDate};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::types::{Cell, CellKind, Column, MAX_DIGITS};
use super::{Encoder, Fault, Finished};
use crate::staged::StagedFile;

/// Excel's limit on the columns of a sheet.
const MAX_COLUMNS: usize = 16_384;
/// Excel's limit on the text of a cell, in UTF-16 units.
const MAX_TEXT: usize = 32_767;
/// Stands at the end of a text that was cut.
const CUT_MARK: char = '…';
/// Excel counts 1900-02-29, a day that did not exist. From the day after, its day 1 is 1899-12-31.
const FIRST_DATE: NaiveDate = match NaiveDate::from_ymd_opt(1900, 3, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};
/// The number that Excel gives to [`FIRST_DATE`].
const FIRST_DATE_NUMBER: i64 = 61;
const BUFFER: usize = 1 << 17;

const STYLE_HEADER: &str = "1";
const STYLE_DATE: &str = "2";
const STYLE_TEXT: &str = "3";

/// The limits of one sheet.
#[derive(Debug, Clone, Copy)]
struct SheetLimits {
    rows: usize,
    /// Without ZIP64 an entry has less than 4 GiB, and not all programs read ZIP64.
    bytes: u64,
}

impl SheetLimits {
    const EXCEL: Self = Self { rows: 1_048_576, bytes: 3 << 30 };
}

pub(super) struct XlsxEncoder {
    zip: ZipWriter<FailOnce<BufWriter<File>>>,
    staged: StagedFile,
    columns: Vec<Column>,
    /// The names of the columns in A1 notation.
    letters: Vec<String>,
    limits: SheetLimits,
    sheets: usize,
    rows: usize,
    bytes: u64,
    truncated: u64,
    /// The row under construction.
    xml: String,
}

impl XlsxEncoder {
    pub(super) fn new(target: &Path, columns: &[Column]) -> Result<Self, Fault> {
        Self::with_limits(target, columns, SheetLimits::EXCEL)
    }

    fn with_limits(target: &Path, columns: &[Column], limits: SheetLimits) -> Result<Self, Fault> {
        if columns.len() > MAX_COLUMNS {
            let message = format!(
                "{} columns exceed the limit of Excel, {MAX_COLUMNS}; use the long form, or set the columns",
                columns.len()
            );
            return Err(message.into());
        }
        let staged = StagedFile::create(target)?;
        let file = FailOnce::new(BufWriter::with_capacity(BUFFER, staged.file()?));
        let mut encoder = Self {
            zip: ZipWriter::new(file),
            staged,
            columns: columns.to_vec(),
            letters: (0..columns.len()).map(column_letters).collect(),
            limits,
            sheets: 0,
            rows: 0,
            bytes: 0,
            truncated: 0,
            xml: String::new(),
        };
        encoder.part("[Content_Types].xml", CONTENT_TYPES)?;
        encoder.part("_rels/.rels", PACKAGE_RELATIONSHIPS)?;
        encoder.part("xl/styles.xml", STYLES)?;
        encoder.start_sheet()?;
        Ok(encoder)
    }

    fn start_part(&mut self, name: &str) -> Result<(), Fault> {
        // A fixed time, so that the same table gives the same bytes.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default());
        Ok(self.zip.start_file(name, options)?)
    }

    fn part(&mut self, name: &str, content: &str) -> Result<(), Fault> {
        self.start_part(name)?;
        Ok(self.zip.write_all(content.as_bytes())?)
    }

    fn start_sheet(&mut self) -> Result<(), Fault> {
        self.sheets += 1;
        self.rows = 0;
        self.bytes = 0;
        self.start_part(&format!("xl/worksheets/sheet{}.xml", self.sheets))?;
        self.xml.push_str(SHEET_START);
        for (number, column) in (1..).zip(&self.columns) {
            let width = if column.kind == CellKind::Text { 24 } else { 12 };
            write!(self.xml, r#"<col min="{number}" max="{number}" width="{width}" customWidth="1"/>"#)?;
        }
        self.xml.push_str("</cols><sheetData>");
        self.start_row()?;
        for index in 0..self.columns.len() {
            let name = self.columns[index].name.clone();
            self.push_text(index, &name, STYLE_HEADER)?;
        }
        self.end_row()
    }

    fn end_sheet(&mut self) -> Result<(), Fault> {
        let last = self.letters.last().map_or("A", String::as_str);
        write!(self.xml, r#"</sheetData><autoFilter ref="A1:{last}{}"/></worksheet>"#, self.rows)?;
        self.zip.write_all(self.xml.as_bytes())?;
        self.xml.clear();
        Ok(())
    }

    fn start_row(&mut self) -> Result<(), Fault> {
        self.rows += 1;
        Ok(write!(self.xml, r#"<row r="{}">"#, self.rows)?)
    }

    fn end_row(&mut self) -> Result<(), Fault> {
        self.xml.push_str("</row>");
        self.bytes += self.xml.len() as u64;
        self.zip.write_all(self.xml.as_bytes())?;
        self.xml.clear();
        Ok(())
    }

    /// Adds a text, which no program takes for a formula or a number.
    fn push_text(&mut self, index: usize, text: &str, style: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        let (text, is_cut) = limited(text);
        self.truncated += u64::from(is_cut);
        let (column, row) = (&self.letters[index], self.rows);
        write!(self.xml, r#"<c r="{column}{row}" s="{style}" t="inlineStr"><is><t xml:space="preserve">"#)?;
        push_escaped(&mut self.xml, &text);
        self.xml.push_str("</t></is></c>");
        Ok(())
    }

    fn push_value(&mut self, index: usize, attributes: &str, value: &str) -> Result<(), Fault> {
        let (column, row) = (&self.letters[index], self.rows);
        Ok(write!(self.xml, r#"<c r="{column}{row}"{attributes}><v>{value}</v></c>"#)?)
    }
}

impl Encoder for XlsxEncoder {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Fault> {
        if self.rows == self.limits.rows || self.bytes > self.limits.bytes {
            self.end_sheet()?;
            self.start_sheet()?;
        }
        self.start_row()?;
        for (index, cell) in cells.iter().enumerate() {
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => self.push_text(index, text, STYLE_TEXT)?,
                Cell::Integer(number) if number.unsigned_abs().to_string().len() > MAX_DIGITS => {
                    self.push_text(index, &number.to_string(), STYLE_TEXT)?;
                }
                Cell::Integer(number) => self.push_value(index, "", &number.to_string())?,
                Cell::Number(number) => self.push_value(index, "", &number_text(*number))?,
                Cell::Boolean(value) => self.push_value(index, r#" t="b""#, if *value { "1" } else { "0" })?,
                Cell::Date(date) => match date_number(*date) {
                    Some(number) => {
                        self.push_value(index, &format!(r#" s="{STYLE_DATE}""#), &number.to_string())?;
                    }
                    None => self.push_text(index, &date.to_string(), STYLE_TEXT)?,
                },
            }
        }
        self.end_row()
    }

    fn finish(mut self: Box<Self>) -> Result<Finished, Fault> {
        self.end_sheet()?;
        let (mut sheets, mut relationships) = (String::new(), String::new());
        for number in 1..=self.sheets {
            let name = if number == 1 { "values".to_owned() } else { format!("values {number}") };
            write!(sheets, r#"<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>"#)?;
            let target = format!("worksheets/sheet{number}.xml");
            write!(relationships, r#"<Relationship Id="rId{number}" Type="{WORKSHEET_TYPE}" Target="{target}"/>"#)?;
        }
        let styles = self.sheets + 1;
        write!(relationships, r#"<Relationship Id="rId{styles}" Type="{STYLES_TYPE}" Target="styles.xml"/>"#)?;
        self.part("xl/workbook.xml", &format!("{WORKBOOK_START}{sheets}</sheets></workbook>"))?;
        let relationships = format!("{RELATIONSHIPS_START}{relationships}</Relationships>");
        self.part("xl/_rels/workbook.xml.rels", &relationships)?;
        let Self { zip, staged, truncated, .. } = *self;
        zip.finish()?.inner.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Finished { bytes: staged.commit()?, truncated })
    }
}

/// Returns the text within the limit of a cell, and whether it was cut.
fn limited(text: &str) -> (Cow<'_, str>, bool) {
    // A text has at most as many UTF-16 units as bytes.
    if text.len() <= MAX_TEXT || text.encode_utf16().count() <= MAX_TEXT {
        return (Cow::Borrowed(text), false);
    }
    let mut units = CUT_MARK.len_utf16();
    let mut cut: String = text
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= MAX_TEXT
        })
        .collect();
    cut.push(CUT_MARK);
    (Cow::Owned(cut), true)
}

/// Escapes a text for XML. Characters that XML excludes become `_xHHHH_`, and line breaks LF, as Excel writes them.
fn push_escaped(xml: &mut String, text: &str) {
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\r' => {
                if rest.peek().is_none_or(|(_, next)| *next != '\n') {
                    xml.push('\n');
                }
            }
            '\t' | '\n' => xml.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => push_escape(xml, c),
            // A text in the form of such an escape.
            '_' if is_escape(&text[at..]) => push_escape(xml, c),
            c => xml.push(c),
        }
    }
}

fn push_escape(xml: &mut String, c: char) {
    // Writing to a string does not fail.
    let _ = write!(xml, "_x{:04X}_", u32::from(c));
}

fn is_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7 && bytes.starts_with(b"_x") && bytes[2..6].iter().all(u8::is_ascii_hexdigit) && bytes[6] == b'_'
}

/// Returns a number with an exponent where digits alone would be long.
fn number_text(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e16).contains(&size) { format!("{number:e}") } else { number.to_string() }
}

/// Returns the number of a date; `None` before [`FIRST_DATE`] and after the year 9999.
fn date_number(date: NaiveDate) -> Option<i64> {
    let is_known = date >= FIRST_DATE && date.year() <= 9999;
    is_known.then(|| (date - FIRST_DATE).num_days() + FIRST_DATE_NUMBER)
}

/// Returns the name of a column: A to Z, AA to XFD.
fn column_letters(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or_default();
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// A writer that reports its first error only. The archive is completed when it is dropped, and prints errors of that.
struct FailOnce<W> {
    inner: W,
    has_failed: bool,
    position: u64,
}

impl<W> FailOnce<W> {
    fn new(inner: W) -> Self {
        Self { inner, has_failed: false, position: 0 }
    }

    fn run<T>(&mut self, after_failure: T, action: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.has_failed {
            return Ok(after_failure);
        }
        let result = action(&mut self.inner);
        self.has_failed = result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        result
    }
}

impl<W: Write> Write for FailOnce<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.run(bytes.len(), |inner| inner.write(bytes))?;
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.run((), Write::flush)
    }
}

impl<W: Seek> Seek for FailOnce<W> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let after_failure = match position {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(offset) | SeekFrom::End(offset) => self.position.saturating_add_signed(offset),
        };
        self.position = self.run(after_failure, |inner| inner.seek(position))?;
        Ok(self.position)
    }
}

const WORKSHEET_TYPE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet";
const STYLES_TYPE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles";
/// All parts but two are sheets, whose number is unknown when this part is written.
const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>"#;
const PACKAGE_RELATIONSHIPS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const RELATIONSHIPS_START: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">"#;
const WORKBOOK_START: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>"#;
/// The styles of the cells: 0 number, 1 header, 2 date, 3 text. The format 49 is text, also for what a person types into the cell later.
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font><font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#;
/// The first row stays in view.
const SHEET_START: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>"#;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Read;

    use super::*;

    fn part(path: &Path, name: &str) -> String {
        let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn sheet_of(cells: &[Cell<'_>], kind: CellKind) -> (String, u64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.xlsx");
        let mut encoder = XlsxEncoder::new(&path, &[Column::new("a", kind)]).unwrap();
        for cell in cells {
            encoder.row(std::slice::from_ref(cell)).unwrap();
        }
        let finished = Box::new(encoder).finish().unwrap();
        let sheet = part(&path, "xl/worksheets/sheet1.xml");
        let data = sheet.split("<sheetData>").nth(1).unwrap().split("</sheetData>").next().unwrap();
        (data.to_owned(), finished.truncated)
    }

    fn text_xml(text: &str) -> String {
        let (sheet, _) = sheet_of(&[Cell::text(text)], CellKind::Text);
        let cell = sheet.split(r#"<c r="A2" s="3" t="inlineStr"><is><t xml:space="preserve">"#).nth(1).unwrap();
        cell.split("</t>").next().unwrap().to_owned()
    }

    #[test]
    fn texts_stay_texts() {
        assert_eq!(text_xml("=HYPERLINK(\"x\")"), "=HYPERLINK(\"x\")");
        assert_eq!(text_xml("00123"), "00123");
        assert_eq!(text_xml(" a<b>&\u{1f980}\t "), " a&lt;b&gt;&amp;\u{1f980}\t ");
        assert_eq!(text_xml("a\r\nb\rc\n"), "a\nb\nc\n");
        assert_eq!(text_xml("\0\u{b}\u{ffff}"), "_x0000__x000B__xFFFF_");
        assert_eq!(text_xml("_x000D_ _xyz_ _x00"), "_x005F_x000D_ _xyz_ _x00");
    }

    #[test]
    fn typed_cells_have_the_types_of_excel() {
        let date = |text: &str| Cell::Date(text.parse().unwrap());
        let cell = |cell: Cell<'_>| {
            let (sheet, _) = sheet_of(&[cell], CellKind::Date);
            sheet.split(r#"<row r="2">"#).nth(1).unwrap().trim_end_matches("</row>").to_owned()
        };
        assert_eq!(cell(date("2024-03-12")), r#"<c r="A2" s="2"><v>45363</v></c>"#);
        assert_eq!(cell(date("1900-03-01")), r#"<c r="A2" s="2"><v>61</v></c>"#);
        assert!(cell(date("1900-02-28")).contains(">1900-02-28<"));
        assert_eq!(cell(Cell::Number(-1234.5)), r#"<c r="A2"><v>-1234.5</v></c>"#);
        assert_eq!(cell(Cell::Number(1e300)), r#"<c r="A2"><v>1e300</v></c>"#);
        assert_eq!(cell(Cell::Number(0.0)), r#"<c r="A2"><v>0</v></c>"#);
        assert_eq!(cell(Cell::Integer(123_456_789_012_345)), r#"<c r="A2"><v>123456789012345</v></c>"#);
        assert!(
            cell(Cell::Integer(i64::MIN))
                .contains(r#"t="inlineStr"><is><t xml:space="preserve">-9223372036854775808<"#)
        );
        assert_eq!(cell(Cell::Boolean(true)), r#"<c r="A2" t="b"><v>1</v></c>"#);
        assert_eq!(cell(Cell::Empty), "");
        assert_eq!(cell(Cell::text("")), "");
    }

    #[test]
    fn long_texts_are_cut_and_counted() {
        let whole = "é".repeat(MAX_TEXT);
        let too_long = format!("{whole}é");
        let crab = "\u{1f980}".repeat(MAX_TEXT);
        let cells = [Cell::text(&whole), Cell::text(&too_long), Cell::text(&crab)];
        let (sheet, truncated) = sheet_of(&cells, CellKind::Text);
        assert_eq!(truncated, 2);
        let texts: Vec<_> =
            sheet.split("preserve\">").skip(2).map(|cell| cell.split("</t>").next().unwrap().to_owned()).collect();
        assert_eq!(texts[0], whole);
        assert_eq!(texts[1], format!("{}…", "é".repeat(MAX_TEXT - 1)));
        assert_eq!(texts[2].encode_utf16().count(), MAX_TEXT);
    }

    #[test]
    fn a_full_sheet_continues_on_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.xlsx");
        let columns = [Column::new("a", CellKind::Text)];
        let header = XlsxEncoder::new(&path, &columns).unwrap().bytes;
        for limits in [SheetLimits { rows: 3, bytes: u64::MAX }, SheetLimits { rows: usize::MAX, bytes: header + 100 }]
        {
            let mut encoder = XlsxEncoder::with_limits(&path, &columns, limits).unwrap();
            for text in ["1", "2", "3", "4", "5"] {
                encoder.row(&[Cell::text(text)]).unwrap();
            }
            Box::new(encoder).finish().unwrap();
            let texts = |sheet: usize| -> Vec<String> {
                let xml = part(&path, &format!("xl/worksheets/sheet{sheet}.xml"));
                xml.split("preserve\">").skip(1).map(|cell| cell.split("</t>").next().unwrap().to_owned()).collect()
            };
            assert_eq!([texts(1), texts(2), texts(3)], [vec!["a", "1", "2"], vec!["a", "3", "4"], vec!["a", "5"]]);
            let workbook = part(&path, "xl/workbook.xml");
            for name in ["\"values\"", "\"values 2\"", "\"values 3\""] {
                assert!(workbook.contains(name), "{workbook}");
            }
            assert!(part(&path, "xl/worksheets/sheet2.xml").contains(r#"<autoFilter ref="A1:A3"/>"#));
        }
    }

    #[test]
    fn columns_have_letters_and_a_limit() {
        let names = [0, 25, 26, 701, 702, MAX_COLUMNS - 1].map(column_letters);
        assert_eq!(names, ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.xlsx");
        let columns = vec![Column::new("a", CellKind::Text); MAX_COLUMNS + 1];
        let error = XlsxEncoder::new(&path, &columns).err().unwrap().to_string();
        assert_eq!(error, "16385 columns exceed the limit of Excel, 16384; use the long form, or set the columns");
    }

    #[test]
    fn reports_a_failed_write_once() {
        /// A disk with room for some bytes.
        struct Disk(io::Cursor<Vec<u8>>, u64);
        impl Write for Disk {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if self.0.position() > self.1 { Err(io::ErrorKind::StorageFull.into()) } else { self.0.write(bytes) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        impl Seek for Disk {
            fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
                self.0.seek(position)
            }
        }
        for room in [0, 10, 40, 1000] {
            let mut zip = ZipWriter::new(FailOnce::new(Disk(io::Cursor::new(Vec::new()), room)));
            let mut write = || -> zip::result::ZipResult<()> {
                for name in ["a", "b"] {
                    zip.start_file(name, SimpleFileOptions::default())?;
                    for number in 0..100_000 {
                        write!(zip, "{number}")?;
                    }
                }
                Ok(())
            };
            assert!(write().is_err(), "{room}");
            zip.finish().unwrap();
        }
    }
}
