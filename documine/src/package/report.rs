//! Extraction reports: XLSX workbooks, which are ZIP archives of XML files and are opened with the same checks as a package.
//!
//! The reader is built on `quick-xml`. Other XLSX readers allocate what a workbook states before memory can be limited, and fail for the whole
//! workbook if one cell is unknown. Here every cell is charged to a memory budget, and an invalid value affects only its own cell.

mod memory_budget;
mod model;
mod number_format;
mod records;
mod sheet;
mod workbook;
mod workbook_data;
mod xml;

use std::io::{Cursor, Read, Seek};
use std::sync::atomic::AtomicBool;

use bytes::Bytes;

use super::archive::Archive;
use super::entry::Entry;
use super::error::PackageError;

pub(super) use memory_budget::MemoryBudget;
pub use model::{Cell, Report, Row, Sheet};

/// Most parts of a workbook.
const MAX_PARTS: u64 = 10_000;
/// First bytes of a workbook with a password, which is a compound file instead of a ZIP archive.
const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0";

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
