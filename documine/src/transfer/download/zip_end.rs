//! Whether a file ends as a ZIP does: its directory is there, lies where it says, and holds as many entries as it says.
//!
//! So a package that came short, long or with a piece missing or doubled is found without unpacking it. What is in the entries, their checksums, is not
//! looked at here.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// The record at the very end (APPNOTE 4.3.16), without its comment of at most 64 KiB.
const END: &[u8] = b"PK\x05\x06";
const END_SIZE: usize = 22;
/// The same for large archives, and the record that says where it is (4.3.14, 4.3.15).
const END_64: &[u8] = b"PK\x06\x06";
const END_64_SIZE: usize = 56;
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_SIZE: usize = 20;
/// One entry of the directory (4.3.12), without its name, extra fields and comment.
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_SIZE: usize = 46;

/// What the end of the file says about the directory.
struct Directory {
    offset: u64,
    size: u64,
    entries: u64,
    /// Where the directory has to end.
    end: u64,
    large: bool,
}

/// How many entries the archive has; `None`: it is no whole ZIP.
pub(crate) fn entries(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let Some(directory) = directory(file)? else { return Ok(None) };
    if directory.offset.checked_add(directory.size) != Some(directory.end) {
        return Ok(None);
    }
    let found = count(file, &directory)?;
    // Archives of old makers count no further than 16 bits.
    let fits =
        |found: u64| if directory.large { found == directory.entries } else { found & 0xffff == directory.entries };
    Ok(found.filter(|found| fits(*found)))
}

fn directory(file: &mut (impl Read + Seek)) -> io::Result<Option<Directory>> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail = length.min((END_SIZE + LOCATOR_SIZE + usize::from(u16::MAX)) as u64);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut bytes = Vec::new();
    file.by_ref().take(tail).read_to_end(&mut bytes)?;
    let Some(at) = end_record(&bytes) else { return Ok(None) };
    let record = &bytes[at..];
    let end = length - (bytes.len() - at) as u64;
    let parts = [number(record, 4, 2), number(record, 6, 2)];
    let [size, offset, entries] = [number(record, 12, 4), number(record, 16, 4), number(record, 10, 2)];
    let locator = at.checked_sub(LOCATOR_SIZE).map(|at| &bytes[at..]).filter(|bytes| bytes.starts_with(LOCATOR));
    let Some(locator) = locator else {
        // All of it in one file.
        let whole = parts == [0, 0] && number(record, 8, 2) == entries;
        return Ok(whole.then_some(Directory { offset, size, entries, end, large: false }));
    };
    let end = end - LOCATOR_SIZE as u64;
    let at = number(locator, 8, 8);
    if at.checked_add(END_64_SIZE as u64).is_none_or(|behind| behind > end) {
        return Ok(None);
    }
    let mut record = [0; END_64_SIZE];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut record)?;
    // The size of the record does not count its first twelve bytes.
    let whole = record.starts_with(END_64) && number(&record, 4, 8).checked_add(at + 12) == Some(end);
    let [entries, size, offset] = [number(&record, 32, 8), number(&record, 40, 8), number(&record, 48, 8)];
    Ok(whole.then_some(Directory { offset, size, entries, end: at, large: true }))
}

/// Where the last record begins: with its comment it has to reach the end of the file.
fn end_record(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(END_SIZE)?;
    (0..=last).rev().find(|at| {
        let record = &bytes[*at..];
        record.starts_with(END) && number(record, 20, 2) == (record.len() - END_SIZE) as u64
    })
}

/// How many entries follow one another in the directory; `None` where something else stands in between.
fn count(file: &mut (impl Read + Seek), directory: &Directory) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(directory.offset))?;
    let mut left = directory.size;
    let mut reader = BufReader::new(file.take(directory.size));
    let mut found = 0;
    while left > 0 {
        let mut entry = [0; ENTRY_SIZE];
        if left < ENTRY_SIZE as u64 || reader.read_exact(&mut entry).is_err() || !entry.starts_with(ENTRY) {
            return Ok(None);
        }
        let more = number(&entry, 28, 2) + number(&entry, 30, 2) + number(&entry, 32, 2);
        if io::copy(&mut reader.by_ref().take(more), &mut io::sink())? != more {
            return Ok(None);
        }
        left = left.saturating_sub(ENTRY_SIZE as u64 + more);
        found += 1;
    }
    Ok(Some(found))
}

/// A number in its place, the least byte first.
fn number(bytes: &[u8], at: usize, size: usize) -> u64 {
    let bytes = bytes.get(at..at + size).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
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
            // With it come the records of large archives.
            archive.set_raw_zip64_extensible_data_sector(Box::from(*b"more"));
        }
        for number in 0..files {
            let options = zip::write::SimpleFileOptions::default().large_file(large);
            archive.start_file(format!("{number}.txt"), options).unwrap();
            archive.write_all(format!("the text of number {number}").as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn found(bytes: &[u8]) -> Option<u64> {
        entries(&mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn the_entries_of_whole_archives_are_counted() {
        assert_eq!(found(&archive(0, "", false)), Some(0));
        assert_eq!(found(&archive(3, "", false)), Some(3));
        assert_eq!(
            found(&archive(2, "a comment with PK\u{5}\u{6} in it, and much behind it, so that it could be one", false)),
            Some(2)
        );
        assert_eq!(found(&archive(2, "", true)), Some(2));
        let large = archive(2, "", true);
        assert!(large.windows(4).any(|four| four == END_64) && large.windows(4).any(|four| four == LOCATOR));
    }

    #[test]
    fn what_is_no_archive_has_none() {
        assert_eq!(found(b""), None);
        assert_eq!(found(&vec![b'x'; 70_000]), None);
        assert_eq!(found(&[b"PK\x05\x06".as_slice(), &[0; 17]].concat()), None);
        let mut fewer = archive(3, "", false);
        let end = fewer.len() - END_SIZE;
        fewer[end + 8] = 2;
        fewer[end + 10] = 2;
        assert_eq!(found(&fewer), None);
        let mut elsewhere = archive(3, "", false);
        elsewhere[end + 16] ^= 1;
        assert_eq!(found(&elsewhere), None);
        let large = archive(2, "", true);
        for broken in [END_64, LOCATOR] {
            let mut bytes = large.clone();
            let at = bytes.windows(4).rposition(|four| four == broken).unwrap();
            bytes[at + 9] ^= 1;
            assert_eq!(found(&bytes), None);
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(128))]

        #[test]
        fn bytes_that_are_missing_doubled_or_too_many_are_found(
            files in 1..6_u32, large in any::<bool>(), at in any::<prop::sample::Index>(), more in 1..40_usize,
        ) {
            let whole = archive(files, "", large);
            let at = at.index(whole.len() - 1);
            prop_assert_eq!(found(&whole[..=at]).filter(|_| at + 1 < whole.len()), None, "cut off");
            let end = (at + more).min(whole.len());
            let doubled = [&whole[..end], &whole[at..]].concat();
            prop_assert_eq!(found(&doubled), None, "doubled");
            let missing = [&whole[..at], &whole[end..]].concat();
            prop_assert_eq!(found(&missing), None, "missing");
            prop_assert_eq!(found(&[whole.as_slice(), b"tail"].concat()), None, "too many");
        }

        #[test]
        fn any_bytes_are_read_without_trouble(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..200_usize) {
            let mut bytes = bytes;
            for (from, mark) in [(at, END), (at.saturating_sub(20), LOCATOR), (at / 2, END_64)] {
                if let Some(place) = bytes.get_mut(from..from + 4) {
                    place.copy_from_slice(mark);
                }
            }
            let _ = found(&bytes);
        }
    }
}
