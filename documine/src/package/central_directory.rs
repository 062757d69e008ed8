//! The central directory of an archive, checked before the ZIP library reads it.
//!
//! The library allocates as many entries as the archive states and searches for another directory if the first one does not fit. Here an
//! archive has exactly one directory, which ends where the end record begins, so all readers see the same entries.

use std::collections::HashSet;
use std::io::{Read, Seek};

use super::error::PackageError;
use super::limits::PackageLimits;
use crate::transfer::download::zip_end::{self, DirectoryLocation, EndRecord, FileTail, Zip64End, u16_at};

/// Largest directory in bytes: 600 per name for the default limit of entries.
const MAX_DIRECTORY_BYTES: u64 = 64 << 20;
/// Most extra fields of an entry. Parsed fields take several times their size in memory; writers add four or five.
const MAX_EXTRA_FIELDS: usize = 16;

/// A checked central directory.
#[derive(Debug)]
pub(super) struct CentralDirectory {
    pub(super) offset: u64,
    /// The headers in the order of the directory.
    pub(super) headers: Vec<RawHeader>,
}

/// Fields of a directory header that the library does not expose.
#[derive(Debug)]
pub(super) struct RawHeader {
    /// The name as written in the directory.
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
}

impl CentralDirectory {
    /// Reads the end records and the directory.
    pub(super) fn read(reader: &mut (impl Read + Seek), limits: &PackageLimits) -> Result<Self, PackageError> {
        let location = locate(reader)?;
        if location.entries > limits.entries {
            return Err(PackageError::invalid(format!(
                "{} entries exceed the limit of {}; raise `PackageLimits::entries` to accept the package",
                location.entries, limits.entries
            )));
        }
        if location.size > MAX_DIRECTORY_BYTES {
            return Err(PackageError::invalid(format!(
                "ZIP central directory of {} bytes exceeds the limit of {MAX_DIRECTORY_BYTES} bytes",
                location.size
            )));
        }
        Ok(Self { offset: location.offset, headers: read_headers(reader, &location)? })
    }
}

/// Returns the location of the directory and checks that all end records agree on it.
fn locate(reader: &mut (impl Read + Seek)) -> Result<DirectoryLocation, PackageError> {
    let tail = FileTail::read(reader)?;
    let Some(end) = tail.end_records().next() else {
        return Err(PackageError::invalid("not a ZIP archive, or truncated; download the package again"));
    };
    if !end.ends_file {
        return Err(PackageError::invalid("trailing bytes after the ZIP archive; download the package again"));
    }
    let (mut location, mut location_end, mut is_single_volume) = (end.directory, end.offset, end.is_single_volume());
    // Some writers add the zip64 record although the plain record holds all values.
    if (end.refers_to_zip64() || end.directory.end() != Some(end.offset))
        && let Some(zip64) = Zip64End::read(reader, &end)?
    {
        location_end = zip64.offset;
        (location, is_single_volume) = zip64_location(&zip64, &end)?;
    }
    if !is_single_volume {
        return Err(PackageError::invalid("split ZIP archives are not supported"));
    }
    if location.end() != Some(location_end) {
        return Err(PackageError::invalid("ZIP central directory at an unexpected offset; download the package again"));
    }
    Ok(location)
}

/// Returns the location in a zip64 record and whether the archive is a single volume.
fn zip64_location(zip64: &Zip64End, end: &EndRecord) -> Result<(DirectoryLocation, bool), PackageError> {
    let record = zip64.record.as_ref().filter(|record| {
        record.has_fixed_length() && zip64.offset.checked_add(record.length) == Some(zip64.locator_offset)
    });
    let Some(record) = record else {
        return Err(PackageError::invalid("invalid zip64 end of central directory; download the package again"));
    };
    let (plain, wide) = (end.directory, record.directory);
    let agrees = |plain: u64, unknown: u64, wide: u64| plain == unknown || plain == wide;
    if !agrees(plain.entries, u16::MAX.into(), wide.entries)
        || !agrees(plain.offset, u32::MAX.into(), wide.offset)
        || !agrees(plain.size, u32::MAX.into(), wide.size)
    {
        return Err(PackageError::invalid("contradictory ZIP end records; the package is rejected"));
    }
    Ok((wide, record.is_single_volume))
}

/// Reads the headers. The directory must hold exactly the stated number of entries, and no name twice.
fn read_headers(reader: &mut (impl Read + Seek), location: &DirectoryLocation) -> Result<Vec<RawHeader>, PackageError> {
    let damaged = || PackageError::invalid("damaged ZIP central directory; download the package again");
    let mut names = HashSet::new();
    let mut headers = Vec::new();
    let count = zip_end::read_directory(reader, location, |header| {
        if headers.len() as u64 == location.entries {
            return Err(damaged());
        }
        let name = header.name();
        if !names.insert(name.to_vec()) {
            return Err(PackageError::entry(&String::from_utf8_lossy(name), "duplicate name; the package is rejected"));
        }
        if extra_fields(header.extra_fields()).nth(MAX_EXTRA_FIELDS).is_some() {
            let reason = format!("more than {MAX_EXTRA_FIELDS} extra fields; the package is rejected");
            return Err(PackageError::entry(&String::from_utf8_lossy(name), reason));
        }
        headers.push(RawHeader { name: name.to_vec(), flags: header.flags(), method: header.method() });
        Ok(())
    })?;
    if count == Some(location.entries) { Ok(headers) } else { Err(damaged()) }
}

/// Iterates over extra fields and their ids, up to the first damaged field.
pub(super) fn extra_fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = extra.split_at_checked(4)?;
        let (data, rest) = rest.split_at_checked(usize::from(u16_at(head, 2)))?;
        extra = rest;
        Some((u16_at(head, 0), data))
    })
}
