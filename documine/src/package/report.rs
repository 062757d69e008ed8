//! A report's rows: XLSX, which is a ZIP archive of XML files, and passes the same guard.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use calamine::{DataRef, ExcelDateTime, Reader, Xlsx};

use super::archive::Archive;
use super::entry::Entry;
use super::limits::PackageLimits;
use super::trouble::{Trouble, go_on};

/// More cells are refused in one call, those counted that are empty before a filled one: a sheet has room for 17 billion.
const MOST_CELLS: usize = 4_000_000;
/// The edges of a sheet (ECMA-376).
const MOST_ROWS: u32 = 1_048_576;
const MOST_COLUMNS: u32 = 16_384;
/// The parts that are no sheets: they become many times as big in memory.
const LARGEST_PART: u64 = 8 << 20;
/// How many parts a workbook has.
const MOST_PARTS: u64 = 10_000;

/// An extraction report: a workbook with its sheets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The entry's name in the package.
    pub name: String,
    /// Its sheets, in the workbook's order.
    pub sheets: Vec<Sheet>,
}

impl Report {
    /// The sheet of a name.
    pub fn sheet(&self, name: &str) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.name == name)
    }
}

/// One sheet of a report.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Its rows from above; those without any value are left out.
    pub rows: Vec<Row>,
}

/// One row of a sheet.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// Its number, as a spreadsheet shows it: the first is 1.
    pub number: u32,
    /// Its cells from column A up to the last one with a value.
    pub cells: Vec<Cell>,
}

/// What is in a cell. Of formulas it is the value that was kept with them; nothing is computed.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Bool(bool),
    /// A date with its time, without a time zone: `2026-11-27T06:56:17.000` (ISO 8601).
    DateTime(String),
    /// A length of time, in days.
    Days(f64),
    /// What a formula failed with, for example `#DIV/0!`.
    Error(String),
}

impl Cell {
    /// The text of a cell with text.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number of a cell with a number.
    pub fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }
}

/// How much more of reports a call takes into memory.
#[derive(Debug)]
pub(super) struct Room {
    cells: usize,
    text: u64,
}

impl Room {
    pub(super) fn new(limits: &PackageLimits) -> Self {
        Self { cells: MOST_CELLS, text: limits.memory_bytes }
    }

    fn take(&mut self, cells: usize, text: usize) -> Result<(), Trouble> {
        let left = self.cells.checked_sub(cells).zip(self.text.checked_sub(text as u64));
        (self.cells, self.text) = left.ok_or_else(|| {
            Trouble::refused(format!(
                "with those before it, it has more than {MOST_CELLS} cells, or more text than `PackageLimits::memory_bytes`; \
                 look at it with a spreadsheet"
            ))
        })?;
        Ok(())
    }
}

/// Reads a workbook.
pub(super) fn read<R: Read + Seek + Clone>(
    package: &Archive<R>,
    entry: &Entry,
    room: &mut Room,
    stop: &AtomicBool,
) -> Result<Report, Trouble> {
    let inside = |trouble| match trouble {
        Trouble::Refused(why) => Trouble::entry(&entry.name, format!("is no sound report: {why}")),
        other => other,
    };
    let bytes = Bytes::from(package.read(entry, stop)?);
    let most = package.limits().memory_bytes;
    let inner = package.limits().clone().entries(MOST_PARTS).entry_bytes(most).total_bytes(most);
    let archive = Archive::open(Cursor::new(bytes.clone()), inner).map_err(inside)?;
    for part in archive.files() {
        let name = part.name.to_ascii_lowercase();
        let texts = name.ends_with("sharedstrings.xml");
        if texts {
            counts_are_right(&archive.read(part, stop).map_err(inside)?).map_err(inside)?;
        }
        let sheet = texts || name.contains("/worksheets/");
        if !sheet && (name.ends_with("xml") || name.ends_with("rels")) && part.size > LARGEST_PART {
            let why = format!("has more than {LARGEST_PART} bytes, more than any report needs");
            return Err(inside(Trouble::entry(&part.name, why)));
        }
    }
    // The reader of workbooks counts nothing; from here on all sizes are known to be right.
    archive.check(stop).map_err(inside)?;
    // It has sums that overflow, for one, where a cell says that it is in a column of 14 letters; that ends the reading, not the program.
    let read = catch_unwind(AssertUnwindSafe(|| sheets(bytes, room, stop)));
    let read = read.unwrap_or_else(|_| Err(Trouble::refused("what reads workbooks broke off")));
    read.map(|sheets| Report { name: entry.name.clone(), sheets }).map_err(inside)
}

/// The reader of workbooks makes room for as many texts as `uniqueCount` says before it reads one; no room for what can't be there.
fn counts_are_right(texts: &[u8]) -> Result<(), Trouble> {
    const NAME: &[u8] = b"uniqueCount";
    const SHORTEST: usize = b"<si/>".len();
    // No control characters (XML 1.0 section 2.2): with UTF-16, or with ones that switch an encoding, the name could be written otherwise.
    if texts.iter().any(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return Err(Trouble::refused("its texts are not in UTF-8"));
    }
    for (at, _) in texts.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME) {
        let behind = texts.get(at + NAME.len()..).unwrap_or_default();
        let value = behind.iter().skip_while(|byte| !byte.is_ascii_digit() && **byte != b'>');
        let number = value
            .take_while(|byte| byte.is_ascii_digit())
            .fold(0_usize, |number, digit| number.saturating_mul(10).saturating_add(usize::from(digit - b'0')));
        if number > texts.len() / SHORTEST {
            return Err(Trouble::refused(format!("it says that it has {number} texts, which it has no room for")));
        }
    }
    Ok(())
}

fn sheets(bytes: Bytes, room: &mut Room, stop: &AtomicBool) -> Result<Vec<Sheet>, Trouble> {
    let broken = |error: calamine::XlsxError| Trouble::refused(format!("{error}"));
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let mut sheets = Vec::new();
    for name in book.sheet_names() {
        let mut rows = BTreeMap::<u32, Vec<Cell>>::new();
        let mut reader = match book.worksheet_cells_reader(&name) {
            Ok(reader) => reader,
            // A sheet that is a chart has no rows.
            Err(calamine::XlsxError::NotAWorksheet(_)) => continue,
            Err(error) => return Err(broken(error)),
        };
        // Cell by cell: a table over all of the sheet would be made as large as its farthest cell says.
        while let Some(found) = reader.next_cell().map_err(broken)? {
            go_on(stop)?;
            let (row, column) = found.get_position();
            if row >= MOST_ROWS || column >= MOST_COLUMNS {
                return Err(Trouble::refused("it has a cell outside of the sheet"));
            }
            let Some(cell) = cell(found.get_value()) else { continue };
            let text = match &cell {
                Cell::Text(text) | Cell::DateTime(text) | Cell::Error(text) => text.len(),
                _ => 0,
            };
            let column = column as usize;
            let row = rows.entry(row).or_default();
            room.take((column + 1).saturating_sub(row.len()), text)?;
            if row.len() <= column {
                row.resize(column + 1, Cell::Empty);
            }
            if let Some(place) = row.get_mut(column) {
                *place = cell;
            }
        }
        let rows = rows.into_iter().map(|(row, cells)| Row { number: row + 1, cells }).collect();
        sheets.push(Sheet { name, rows });
    }
    Ok(sheets)
}

/// A value as ours; nothing where there is none.
fn cell(value: &DataRef<'_>) -> Option<Cell> {
    Some(match value {
        DataRef::Empty | DataRef::SharedString("") => return None,
        #[allow(clippy::cast_precision_loss, reason = "a spreadsheet's numbers are floats")]
        DataRef::Int(number) => Cell::Number(*number as f64),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::String(text) if text.is_empty() => return None,
        DataRef::String(text) => Cell::Text(text.clone()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::Bool(yes) => Cell::Bool(*yes),
        DataRef::DateTime(moment) if moment.is_duration() => Cell::Days(moment.as_f64()),
        DataRef::DateTime(moment) => Cell::DateTime(iso(moment)),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::DateTime(text.clone()),
        DataRef::Error(error) => Cell::Error(error.to_string()),
    })
}

fn iso(moment: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}")
}
