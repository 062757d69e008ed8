//! The end of an archive (APPNOTE 4.3.12 to 4.3.16), looked at before the library does: how many entries there are and where their directory is.
//!
//! The library makes room for as many entries as the archive says, and searches for a directory where the first one does not fit. Here an
//! archive has one directory, which ends where the end record begins, so that all readers see the same entries.

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};

use super::headers;
use super::limits::PackageLimits;
use super::trouble::Trouble;

/// A directory of more bytes is refused: 600 a name, for as many entries as are allowed by default.
const LARGEST_DIRECTORY: u64 = 64 << 20;
const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const LONGEST_COMMENT: usize = 65_535;
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_LENGTH: u64 = 20;
const END_64: &[u8] = b"PK\x06\x06";
const END_64_LENGTH: u64 = 56;
const HEADER: &[u8] = b"PK\x01\x02";
const HEADER_LENGTH: usize = 46;

/// Extra fields become many times as big in memory; writers add four or five to an entry.
const MOST_EXTRA_FIELDS: usize = 16;

/// Where the directory is, and how many entries it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) entries: u64,
    pub(super) directory: u64,
    length: u64,
}

/// An entry's header in the directory, as far as the library does not show it.
#[derive(Debug)]
pub(super) struct DirectoryHeader {
    /// As it is written.
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
}

/// Reads the end and the directory; what it says holds for the bytes that are there.
pub(super) fn find(
    reader: &mut (impl Read + Seek),
    limits: &PackageLimits,
) -> Result<(End, Vec<DirectoryHeader>), Trouble> {
    let length = reader.seek(SeekFrom::End(0))?;
    let tail_length = length.min((END_LENGTH + LONGEST_COMMENT) as u64);
    let tail = read(reader, length - tail_length, tail_length)?;
    let last = tail.len().checked_sub(END_LENGTH);
    let at = last.and_then(|last| (0..=last).rev().find(|at| tail[*at..].starts_with(END)));
    let Some(at) = at else {
        return Err(Trouble::refused("it has no end: it is no ZIP archive or was cut off; fetch the package again"));
    };
    let record = &tail[at..];
    if usize::from(two(record, 20)) != record.len() - END_LENGTH {
        return Err(Trouble::refused("bytes stand behind its end; fetch the package again"));
    }
    let at = length - tail_length + at as u64;
    let counts = [two(record, 4), two(record, 6), two(record, 8), two(record, 10)];
    let sizes = [four(record, 12), four(record, 16)];
    let mut end = End { entries: counts[3].into(), directory: sizes[1].into(), length: sizes[0].into() };
    let mut one_disk = counts[0] == 0 && counts[1] == 0 && counts[2] == counts[3];
    let mut before = at;
    let refers = counts.contains(&u16::MAX) || sizes.contains(&u32::MAX);
    // Some writers add the wide end although they have told everything in the narrow one.
    let is_far = end.directory.checked_add(end.length) != Some(at);
    if (refers || is_far) && at >= LOCATOR_LENGTH {
        let locator = read(reader, at - LOCATOR_LENGTH, LOCATOR_LENGTH)?;
        if locator.starts_with(LOCATOR) {
            before = eight(&locator, 8);
            let fits = before.checked_add(END_64_LENGTH) == Some(at - LOCATOR_LENGTH);
            let record = if fits { read(reader, before, END_64_LENGTH)? } else { Vec::new() };
            if !record.starts_with(END_64) || eight(&record, 4) != END_64_LENGTH - 12 {
                return Err(Trouble::refused("its zip64 end is not where it should be; fetch the package again"));
            }
            let narrow = end;
            end = End { entries: eight(&record, 32), directory: eight(&record, 48), length: eight(&record, 40) };
            let same = [
                (narrow.entries, u64::from(u16::MAX), end.entries),
                (narrow.directory, u64::from(u32::MAX), end.directory),
                (narrow.length, u64::from(u32::MAX), end.length),
            ];
            if same.iter().any(|(narrow, unknown, wide)| narrow != unknown && narrow != wide) {
                return Err(Trouble::refused("its two ends say two things; the package is refused"));
            }
            one_disk = four(&record, 16) == 0 && four(&record, 20) == 0 && eight(&record, 24) == end.entries;
        }
    }
    if !one_disk {
        return Err(Trouble::refused("it is a part of an archive in several parts, which packages are not"));
    }
    if end.entries > limits.entries {
        let most = limits.entries;
        return Err(Trouble::refused(format!(
            "it holds {} entries, more than {most}; raise `PackageLimits::entries` if that is right",
            end.entries
        )));
    }
    if end.directory.checked_add(end.length) != Some(before) {
        return Err(Trouble::refused("its directory is not where it should be; fetch the package again"));
    }
    if end.length > LARGEST_DIRECTORY {
        return Err(Trouble::refused(format!("its directory has {} bytes, more than any package needs", end.length)));
    }
    let headers = walk(&read(reader, end.directory, end.length)?, end.entries)?;
    Ok((end, headers))
}

/// The directory holds as many entries as the end says and nothing else, and no name twice.
fn walk(directory: &[u8], entries: u64) -> Result<Vec<DirectoryHeader>, Trouble> {
    let wrong = || Trouble::refused("its directory is damaged; fetch the package again");
    let mut names = HashSet::new();
    let mut rest = directory;
    let mut headers = Vec::new();
    for _ in 0..entries {
        if !rest.starts_with(HEADER) || rest.len() < HEADER_LENGTH {
            return Err(wrong());
        }
        let lengths = [28, 30, 32].map(|at| usize::from(two(rest, at)));
        let (_, behind) = rest.split_at_checked(HEADER_LENGTH).ok_or_else(wrong)?;
        let (name, extra) = behind.split_at_checked(lengths[0]).ok_or_else(wrong)?;
        if !names.insert(name) {
            return Err(Trouble::entry(&String::from_utf8_lossy(name), "is in it twice; the package is refused"));
        }
        let extra = extra.get(..lengths[1]).ok_or_else(wrong)?;
        if headers::fields(extra).nth(MOST_EXTRA_FIELDS).is_some() {
            let why = format!("has more than {MOST_EXTRA_FIELDS} extra fields; the package is refused");
            return Err(Trouble::entry(&String::from_utf8_lossy(name), why));
        }
        headers.push(DirectoryHeader { name: name.to_vec(), flags: two(rest, 8), method: two(rest, 10) });
        (_, rest) = behind.split_at_checked(lengths.iter().sum()).ok_or_else(wrong)?;
    }
    if rest.is_empty() { Ok(headers) } else { Err(wrong()) }
}

pub(super) fn read(reader: &mut (impl Read + Seek), from: u64, length: u64) -> Result<Vec<u8>, Trouble> {
    reader.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(Trouble::refused("it was cut off while it was read")) }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

pub(super) fn two(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(number(bytes, at))
}

pub(super) fn four(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(number(bytes, at))
}

pub(super) fn eight(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(number(bytes, at))
}
