//! Extraction reports: XLSX workbooks, which are ZIP archives of XML files and are opened with the same checks as a package.
//!
//! The reader is built on `quick-xml`. Other XLSX readers allocate what a workbook states before memory can be limited, and fail for the whole
//! workbook if one cell is unknown. Here every cell is charged to a memory budget, and an invalid value affects only its own cell.

mod number_format;
mod sheet;
mod workbook;
mod xml;

use std::io::{Cursor, Read, Seek};
use std::sync::atomic::AtomicBool;

use bytes::Bytes;

use super::archive::Archive;
use super::entry::Entry;
use super::error::PackageError;
use super::limits::PackageLimits;

/// Most parts of a workbook.
const MAX_PARTS: u64 = 10_000;
/// First bytes of a workbook with a password, which is a compound file instead of a ZIP archive.
const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0";

/// An extraction report: a workbook and its sheets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Name of the entry in the package.
    pub name: String,
    /// Sheets in the order of the workbook.
    pub sheets: Vec<Sheet>,
}

impl Report {
    /// Returns the sheet with the given name.
    pub fn sheet(&self, name: &str) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.name == name)
    }
}

/// One sheet of a report.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sheet {
    /// Name of the sheet.
    pub name: String,
    /// Rows from top to bottom, without empty rows.
    pub rows: Vec<Row>,
}

/// One row of a sheet.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// Row number as shown by a spreadsheet, starting at 1.
    pub number: u32,
    /// Cells from column A to the last cell with a value.
    pub cells: Vec<Cell>,
}

/// The value of a cell. For a formula, the stored value; nothing is computed.
///
/// An invalid number or boolean is kept as text. A number that is not a valid date is kept as a number.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Cell {
    /// No value.
    #[default]
    Empty,
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A date and time without a time zone: `2026-11-27T06:56:17.000` (ISO 8601).
    DateTime(String),
    /// A duration in days.
    Days(f64),
    /// The error of a formula as written by the program (`#DIV/0!`, `#SPILL!`), or the reason why the value is missing.
    Error(String),
}

impl Cell {
    /// Returns the text of a text cell.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the number of a number cell.
    pub fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }
}

/// The memory that one call may use for reports.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    left: u64,
    limit: u64,
}

impl MemoryBudget {
    pub(super) fn new(limits: &PackageLimits) -> Self {
        Self { left: limits.memory_bytes, limit: limits.memory_bytes }
    }

    fn charge(&mut self, bytes: usize) -> Result<(), PackageError> {
        let left = self.left.checked_sub(bytes as u64).ok_or_else(|| {
            PackageError::invalid(format!(
                "reports exceed {} bytes of memory; raise `PackageLimits::memory_bytes`, or open the report in a spreadsheet",
                self.limit
            ))
        })?;
        self.left = left;
        Ok(())
    }

    /// Runs work and releases all memory charged by it if it fails.
    pub(super) fn rollback_on_error<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, PackageError>,
    ) -> Result<T, PackageError> {
        let left = self.left;
        let result = work(self);
        if result.is_err() {
            self.left = left;
        }
        result
    }

    fn release(&mut self, bytes: usize) {
        self.left += bytes as u64;
    }
}

/// Reads a workbook.
pub(super) fn read<R: Read + Seek + Clone>(
    package: &Archive<R>,
    entry: &Entry,
    memory: &mut MemoryBudget,
    cancelled: &AtomicBool,
) -> Result<Report, PackageError> {
    let in_entry = |error| match error {
        PackageError::Invalid(reason) => PackageError::entry(&entry.name, format!("invalid report: {reason}")),
        other => other,
    };
    let limits = package.limits().clone().entries(MAX_PARTS);
    memory.rollback_on_error(|memory| {
        // Charged before reading: the workbook is as large as its entry.
        let packed = usize::try_from(entry.size).unwrap_or(usize::MAX);
        memory.charge(packed).map_err(in_entry)?;
        let bytes = Bytes::from(package.read(entry, cancelled)?);
        if bytes.starts_with(COMPOUND_FILE) {
            return Err(in_entry(PackageError::invalid("protected by a password, or older than the XLSX format")));
        }
        let archive = Archive::open(Cursor::new(bytes), limits).map_err(in_entry)?;
        let sheets = workbook::read(&archive, memory, cancelled).map_err(in_entry)?;
        memory.release(packed);
        Ok(Report { name: entry.name.clone(), sheets })
    })
}
