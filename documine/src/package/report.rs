//! A report's rows: XLSX, which is a ZIP archive of XML files, and passes the same guard.
//!
//! Read by a reader of our own on `quick-xml`. Other readers build what a workbook says before anybody can count it, and lose the workbook
//! with one cell that they do not know; here a cell costs what is charged for it, and what is odd stays in its own cell.

mod number_format;
mod sheet;
mod workbook;
mod xml;

use std::io::{Cursor, Read, Seek};
use std::sync::atomic::AtomicBool;

use bytes::Bytes;

use super::archive::Archive;
use super::entry::Entry;
use super::limits::PackageLimits;
use super::trouble::Trouble;

/// How many parts a workbook has.
const MOST_PARTS: u64 = 10_000;
/// The first bytes of a workbook with a password, which is no ZIP archive but a compound file.
const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0";

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
///
/// A value that does not fit its cell is kept as text: a number or a yes or no that is none. A number of no date stays a number.
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
    /// The error of a formula, whatever the program calls it (`#DIV/0!`, `#SPILL!`), or the reason why the value of the cell is not there.
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

/// The memory that a call may still use for reports.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    left: u64,
    most: u64,
}

impl MemoryBudget {
    pub(super) fn new(limits: &PackageLimits) -> Self {
        Self { left: limits.memory_bytes, most: limits.memory_bytes }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Trouble> {
        let left = self.left.checked_sub(bytes as u64).ok_or_else(|| {
            Trouble::refused(format!(
                "with those before it, it takes more than {} bytes of memory; raise `PackageLimits::memory_bytes`, or open it with a \
                 spreadsheet",
                self.most
            ))
        })?;
        self.left = left;
        Ok(())
    }

    /// Does work that gives back all that it took where it fails.
    pub(super) fn unless_failed<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let left = self.left;
        let done = work(self);
        if done.is_err() {
            self.left = left;
        }
        done
    }

    fn give_back(&mut self, bytes: usize) {
        self.left += bytes as u64;
    }
}

/// Reads a workbook.
pub(super) fn read<R: Read + Seek + Clone>(
    package: &Archive<R>,
    entry: &Entry,
    memory: &mut MemoryBudget,
    stop: &AtomicBool,
) -> Result<Report, Trouble> {
    let inside = |trouble| match trouble {
        Trouble::Refused(why) => Trouble::entry(&entry.name, format!("is no sound report: {why}")),
        other => other,
    };
    let limits = package.limits().clone().entries(MOST_PARTS);
    memory.unless_failed(|memory| {
        // Before it is read: the report itself is as large as its entry.
        let packed = usize::try_from(entry.size).unwrap_or(usize::MAX);
        memory.take(packed).map_err(inside)?;
        let bytes = Bytes::from(package.read(entry, stop)?);
        if bytes.starts_with(COMPOUND_FILE) {
            return Err(inside(Trouble::refused("it is protected by a password, or in the format before XLSX")));
        }
        let archive = Archive::open(Cursor::new(bytes), limits).map_err(inside)?;
        let sheets = workbook::read(&archive, memory, stop).map_err(inside)?;
        memory.give_back(packed);
        Ok(Report { name: entry.name.clone(), sheets })
    })
}
