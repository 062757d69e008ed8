//! The end of a ZIP archive: its end of central directory records and its central directory (APPNOTE 4.3.12 to 4.3.16).
//!
//! [`count_entries`] detects archives that are truncated, extended, or have bytes missing or duplicated, without unpacking entries. The
//! checksums of entries are not compared. The package reader decodes the same records here and applies stricter rules.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// End of central directory record (4.3.16), followed by a comment of at most 64 KiB.
const RECORD: &[u8] = b"PK\x05\x06";
const RECORD_LENGTH: usize = 22;
const MAX_COMMENT_LENGTH: usize = 65_535;
/// Zip64 end of central directory record (4.3.14) and the locator that holds its offset (4.3.15).
const ZIP64_RECORD: &[u8] = b"PK\x06\x06";
const ZIP64_RECORD_LENGTH: u64 = 56;
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_LENGTH: u64 = 20;
/// Header of an entry in the central directory (4.3.12), followed by name, extra fields and comment.
const HEADER: &[u8] = b"PK\x01\x02";
const HEADER_LENGTH: usize = 46;

/// Location of a central directory, as stated by an end record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirectoryLocation {
    pub(crate) entries: u64,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl DirectoryLocation {
    pub(crate) fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.size)
    }
}

/// The last bytes of a file, which hold the end of central directory record of a ZIP archive.
pub(crate) struct FileTail {
    offset: u64,
    bytes: Vec<u8>,
}

impl FileTail {
    pub(crate) fn read(reader: &mut (impl Read + Seek)) -> io::Result<Self> {
        let file_length = reader.seek(SeekFrom::End(0))?;
        let length = file_length.min((RECORD_LENGTH + MAX_COMMENT_LENGTH) as u64);
        let offset = file_length - length;
        Ok(Self { offset, bytes: read_at(reader, offset, length)? })
    }

    /// Returns the candidates for the end record, the last one first: a comment may contain the signature.
    pub(crate) fn end_records(&self) -> impl Iterator<Item = EndRecord> + '_ {
        let positions = (self.bytes.len() + 1).saturating_sub(RECORD_LENGTH);
        (0..positions).rev().filter_map(|at| EndRecord::parse(self.bytes.get(at..)?, self.offset + at as u64))
    }
}

/// An end of central directory record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndRecord {
    /// Offset of the record in the file.
    pub(crate) offset: u64,
    pub(crate) directory: DirectoryLocation,
    /// True if the comment of the record ends where the file ends.
    pub(crate) ends_file: bool,
    /// This disk, the disk of the directory, the entries on this disk, all entries.
    counts: [u16; 4],
}

impl EndRecord {
    fn parse(bytes: &[u8], offset: u64) -> Option<Self> {
        if !bytes.starts_with(RECORD) {
            return None;
        }
        let counts = [4, 6, 8, 10].map(|at| u16_at(bytes, at));
        let directory = DirectoryLocation {
            entries: counts[3].into(),
            offset: u32_at(bytes, 16).into(),
            size: u32_at(bytes, 12).into(),
        };
        let ends_file = RECORD_LENGTH + usize::from(u16_at(bytes, 20)) == bytes.len();
        Some(Self { offset, directory, ends_file, counts })
    }

    /// Returns true if the archive is not split over several files.
    pub(crate) fn is_single_volume(&self) -> bool {
        let [disk, directory_disk, disk_entries, entries] = self.counts;
        disk == 0 && directory_disk == 0 && disk_entries == entries
    }

    /// Returns true if a field holds its largest value, which refers to the zip64 record.
    #[cfg(feature = "package")]
    pub(crate) fn refers_to_zip64(&self) -> bool {
        let largest = u64::from(u32::MAX);
        self.counts.contains(&u16::MAX) || self.directory.offset == largest || self.directory.size == largest
    }
}

/// A zip64 locator with the record at its offset.
pub(crate) struct Zip64End {
    pub(crate) locator_offset: u64,
    /// Offset of the record, as stated by the locator.
    pub(crate) offset: u64,
    /// `None` if there is no zip64 record at the offset.
    pub(crate) record: Option<Zip64Record>,
}

/// A zip64 end of central directory record.
pub(crate) struct Zip64Record {
    /// Length of the whole record in bytes.
    pub(crate) length: u64,
    pub(crate) directory: DirectoryLocation,
    pub(crate) is_single_volume: bool,
}

impl Zip64End {
    /// Reads the locator in front of an end record. Returns `None` if there is no locator.
    pub(crate) fn read(reader: &mut (impl Read + Seek), end: &EndRecord) -> io::Result<Option<Self>> {
        let Some(locator_offset) = end.offset.checked_sub(LOCATOR_LENGTH) else { return Ok(None) };
        let locator = read_at(reader, locator_offset, LOCATOR_LENGTH)?;
        if !locator.starts_with(LOCATOR) {
            return Ok(None);
        }
        let offset = u64_at(&locator, 8);
        let fits = offset.checked_add(ZIP64_RECORD_LENGTH).is_some_and(|end| end <= locator_offset);
        let record = if fits { Zip64Record::parse(&read_at(reader, offset, ZIP64_RECORD_LENGTH)?) } else { None };
        Ok(Some(Self { locator_offset, offset, record }))
    }
}

impl Zip64Record {
    fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(ZIP64_RECORD) {
            return None;
        }
        let directory =
            DirectoryLocation { entries: u64_at(bytes, 32), offset: u64_at(bytes, 48), size: u64_at(bytes, 40) };
        let is_single_volume =
            u32_at(bytes, 16) == 0 && u32_at(bytes, 20) == 0 && u64_at(bytes, 24) == directory.entries;
        // The size field does not count the first twelve bytes of the record.
        Some(Self { length: u64_at(bytes, 4).checked_add(12)?, directory, is_single_volume })
    }

    /// Returns true if the record has no extensible data sector.
    #[cfg(feature = "package")]
    pub(crate) fn has_fixed_length(&self) -> bool {
        self.length == ZIP64_RECORD_LENGTH
    }
}

/// A header of the central directory.
#[cfg_attr(not(feature = "package"), allow(dead_code, reason = "only the package reader uses the fields"))]
pub(crate) struct DirectoryHeader<'a> {
    fixed: &'a [u8],
    variable: &'a [u8],
}

#[cfg(feature = "package")]
impl<'a> DirectoryHeader<'a> {
    pub(crate) fn flags(&self) -> u16 {
        u16_at(self.fixed, 8)
    }

    pub(crate) fn method(&self) -> u16 {
        u16_at(self.fixed, 10)
    }

    pub(crate) fn name(&self) -> &'a [u8] {
        self.variable.get(..self.name_length()).unwrap_or_default()
    }

    pub(crate) fn extra_fields(&self) -> &'a [u8] {
        let start = self.name_length();
        self.variable.get(start..start + usize::from(u16_at(self.fixed, 30))).unwrap_or_default()
    }

    fn name_length(&self) -> usize {
        u16_at(self.fixed, 28).into()
    }
}

/// Passes each header of a central directory to `visit`. Returns the number of headers, or `None` if the directory holds anything else.
pub(crate) fn read_directory<E: From<io::Error>>(
    reader: &mut (impl Read + Seek),
    directory: &DirectoryLocation,
    mut visit: impl FnMut(&DirectoryHeader<'_>) -> Result<(), E>,
) -> Result<Option<u64>, E> {
    reader.seek(SeekFrom::Start(directory.offset))?;
    let mut reader = BufReader::new(reader.take(directory.size));
    let (mut left, mut count) = (directory.size, 0);
    let mut variable = Vec::new();
    while left > 0 {
        let mut fixed = [0; HEADER_LENGTH];
        if left < HEADER_LENGTH as u64 || reader.read_exact(&mut fixed).is_err() || !fixed.starts_with(HEADER) {
            return Ok(None);
        }
        let length: u64 = [28, 30, 32].map(|at| u64::from(u16_at(&fixed, at))).iter().sum();
        variable.clear();
        reader.by_ref().take(length).read_to_end(&mut variable)?;
        if variable.len() as u64 != length {
            return Ok(None);
        }
        visit(&DirectoryHeader { fixed: &fixed, variable: &variable })?;
        left = left.saturating_sub(HEADER_LENGTH as u64 + length);
        count += 1;
    }
    Ok(Some(count))
}

/// Returns the number of entries of a complete ZIP archive, or `None` if the file is not one.
pub(crate) fn count_entries(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let tail = FileTail::read(file)?;
    let Some(end) = tail.end_records().find(|record| record.ends_file) else { return Ok(None) };
    let (directory, directory_end, is_zip64) = match Zip64End::read(file, &end)? {
        None if end.is_single_volume() => (end.directory, end.offset, false),
        None => return Ok(None),
        Some(Zip64End { locator_offset, offset, record }) => match record {
            Some(record) if record.is_single_volume && offset.checked_add(record.length) == Some(locator_offset) => {
                (record.directory, offset, true)
            }
            _ => return Ok(None),
        },
    };
    if directory.end() != Some(directory_end) {
        return Ok(None);
    }
    let count = read_directory::<io::Error>(file, &directory, |_| Ok(()))?;
    // Writers without zip64 support store the lower 16 bits of the count.
    let matches = |count: u64| if is_zip64 { count == directory.entries } else { count & 0xffff == directory.entries };
    Ok(count.filter(|count| matches(*count)))
}

/// Reads exactly `length` bytes from an offset.
pub(crate) fn read_at(reader: &mut (impl Read + Seek), offset: u64, length: u64) -> io::Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length {
        Ok(bytes)
    } else {
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "unexpected end of file"))
    }
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

/// Reads a little-endian number; missing bytes count as 0.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes_at(bytes, at))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(bytes, at))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(bytes, at))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    fn archive(files: u32, comment: &str, large: bool) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.set_comment(comment).unwrap();
        if large {
            // Adds the zip64 records.
            archive.set_raw_zip64_extensible_data_sector(Box::from(*b"more"));
        }
        for number in 0..files {
            let options = zip::write::SimpleFileOptions::default().large_file(large);
            archive.start_file(format!("{number}.txt"), options).unwrap();
            archive.write_all(format!("the text of number {number}").as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn count(bytes: &[u8]) -> Option<u64> {
        count_entries(&mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn counts_entries_of_complete_archives() {
        assert_eq!(count(&archive(0, "", false)), Some(0));
        assert_eq!(count(&archive(3, "", false)), Some(3));
        assert_eq!(
            count(&archive(2, "a comment with PK\u{5}\u{6} in it, and much behind it, so that it could be one", false)),
            Some(2)
        );
        assert_eq!(count(&archive(2, "", true)), Some(2));
        let large = archive(2, "", true);
        assert!(large.windows(4).any(|four| four == ZIP64_RECORD) && large.windows(4).any(|four| four == LOCATOR));
    }

    #[test]
    fn rejects_files_that_are_not_complete_archives() {
        assert_eq!(count(b""), None);
        assert_eq!(count(&vec![b'x'; 70_000]), None);
        assert_eq!(count(&[b"PK\x05\x06".as_slice(), &[0; 17]].concat()), None);
        let mut fewer = archive(3, "", false);
        let end = fewer.len() - RECORD_LENGTH;
        fewer[end + 8] = 2;
        fewer[end + 10] = 2;
        assert_eq!(count(&fewer), None);
        let mut shifted = archive(3, "", false);
        shifted[end + 16] ^= 1;
        assert_eq!(count(&shifted), None);
        let large = archive(2, "", true);
        for signature in [ZIP64_RECORD, LOCATOR] {
            let mut bytes = large.clone();
            let at = bytes.windows(4).rposition(|four| four == signature).unwrap();
            bytes[at + 9] ^= 1;
            assert_eq!(count(&bytes), None);
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(128))]

        #[test]
        fn detects_missing_duplicated_and_trailing_bytes(
            files in 1..6_u32, large in any::<bool>(), at in any::<prop::sample::Index>(), more in 1..40_usize,
        ) {
            let whole = archive(files, "", large);
            let at = at.index(whole.len() - 1);
            prop_assert_eq!(count(&whole[..=at]).filter(|_| at + 1 < whole.len()), None, "truncated");
            let end = (at + more).min(whole.len());
            let duplicated = [&whole[..end], &whole[at..]].concat();
            prop_assert_eq!(count(&duplicated), None, "duplicated");
            let missing = [&whole[..at], &whole[end..]].concat();
            prop_assert_eq!(count(&missing), None, "missing");
            prop_assert_eq!(count(&[whole.as_slice(), b"tail"].concat()), None, "trailing");
        }

        #[test]
        fn reads_arbitrary_bytes_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..200_usize) {
            let mut bytes = bytes;
            for (from, signature) in [(at, RECORD), (at.saturating_sub(20), LOCATOR), (at / 2, ZIP64_RECORD)] {
                if let Some(target) = bytes.get_mut(from..from + 4) {
                    target.copy_from_slice(signature);
                }
            }
            let _ = count(&bytes);
        }
    }
}
