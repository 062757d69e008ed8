//! A guard in front of the ZIP library: an archive is checked before any entry is read, and entries are counted while they are read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{Read, Seek};
use std::sync::atomic::AtomicBool;

use zip::read::{ArchiveOffset, Config, ZipFileEntry};
use zip::{CompressionMethod, ZipArchive};

use super::central_directory::CentralDirectory;
use super::entry::{Entry, EntryKind};
use super::error::{PackageError, check_cancelled, quoted};
use super::limits::PackageLimits;
use super::local_headers::{self, ListedEntry};
use super::names;

/// Bytes that are unpacked at a time.
const CHUNK_SIZE: usize = 64 * 1024;
/// Size up to which the compression ratio of an entry is not limited.
const RATIO_EXEMPT_SIZE: u64 = 1 << 20;
/// The file type in a Unix mode, and the two types that a package may hold.
const FILE_TYPE_MASK: u32 = 0o170_000;
const REGULAR_FILE: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

/// A checked archive. Any number of readers may read it concurrently.
#[derive(Debug)]
pub(super) struct Archive<R> {
    zip: ZipArchive<R>,
    files: Vec<Entry>,
    folders: Vec<String>,
    limits: PackageLimits,
}

impl<R: Read + Seek + Clone> Archive<R> {
    /// Opens an archive and checks its directory, every header, every name and the stated sizes.
    pub(super) fn open(mut reader: R, limits: PackageLimits) -> Result<Self, PackageError> {
        let directory = CentralDirectory::read(&mut reader, &limits)?;
        let mut raw = reader.clone();
        let damaged = |error| PackageError::from_zip("ZIP archive", &error);
        // A known start: bytes in front of the archive would make its offsets ambiguous.
        let mut zip =
            ZipArchive::with_config(Config { archive_offset: ArchiveOffset::Known(0) }, reader).map_err(damaged)?;
        if zip.central_directory_start() != directory.offset || zip.len() != directory.headers.len() {
            return Err(PackageError::invalid("ambiguous ZIP central directory; the package is rejected"));
        }
        let mut archive = Self { files: Vec::new(), folders: Vec::new(), limits, zip: zip.clone() };
        let mut total = 0_u64;
        let mut names = HashSet::new();
        for index in 0..zip.len() {
            let entry = zip.by_index_data(index).map_err(damaged)?;
            let raw_name = name_of(&entry);
            let invalid = |reason: String| PackageError::entry(&raw_name, reason);
            let name =
                names::normalize(&raw_name).map_err(|reason| invalid(format!("{reason}; the package is rejected")))?;
            let unreadable = unreadable(&entry);
            reject_special(&entry, name.ends_with('/')).map_err(invalid)?;
            // Unreadable entries are never unpacked and need no limit.
            if unreadable.is_none() {
                total = total.saturating_add(entry.size());
                archive.check_entry_size(entry.size(), entry.compressed_size()).map_err(invalid)?;
                archive.check_total_size(total).map_err(invalid)?;
            }
            let is_folder = name.ends_with('/');
            if !names.insert(name.clone()) && !is_folder {
                return Err(invalid("duplicate name; the package is rejected".to_owned()));
            }
            if !is_folder {
                let (kind, size, packed) = (EntryKind::of(&name), entry.size(), entry.compressed_size());
                archive.files.push(Entry { name, size, packed, kind, index, unreadable });
            } else if name != "/" {
                archive.folders.push(name);
            }
        }
        archive.check_folder_count()?;
        if zip.has_overlapping_entries().map_err(damaged)? {
            return Err(match find_overlapping(&zip, directory.offset) {
                Some(name) => PackageError::entry(&name, "overlaps the following data; the package is rejected"),
                None => PackageError::invalid("overlapping ZIP entries; the package is rejected"),
            });
        }
        compare_headers(&zip, &mut raw, &directory)?;
        // Reading the entries has cached their offsets in `zip`; the first copy does not have them.
        archive.zip = zip;
        Ok(archive)
    }

    /// Limits the number of folders: one name can imply many folders that have no entry of their own.
    fn check_folder_count(&self) -> Result<(), PackageError> {
        let limit = self.limits.entries;
        let mut folders = HashSet::new();
        for name in self.files.iter().map(|entry| entry.name.as_str()).chain(self.folders.iter().map(String::as_str)) {
            for (end, _) in name.match_indices('/') {
                folders.insert(&name[..end]);
            }
            if folders.len() as u64 > limit {
                return Err(PackageError::invalid(format!(
                    "more than {limit} folders; raise `PackageLimits::entries` to accept the package"
                )));
            }
        }
        Ok(())
    }

    fn check_total_size(&self, total: u64) -> Result<(), String> {
        let limit = self.limits.total_bytes;
        if total > limit {
            return Err(format!(
                "total unpacked size exceeds {limit} bytes; raise `PackageLimits::total_bytes` to accept the package"
            ));
        }
        Ok(())
    }

    /// Checks the unpacked size of an entry and its compression ratio.
    fn check_entry_size(&self, size: u64, packed: u64) -> Result<(), String> {
        let PackageLimits { entry_bytes, ratio, .. } = self.limits;
        if size > entry_bytes {
            return Err(format!(
                "unpacked size exceeds {entry_bytes} bytes; raise `PackageLimits::entry_bytes` to accept the package"
            ));
        }
        if size > RATIO_EXEMPT_SIZE && size > packed.saturating_mul(ratio) {
            return Err(format!(
                "unpacked size exceeds {ratio} times the packed size; raise `PackageLimits::ratio` to accept the package"
            ));
        }
        Ok(())
    }

    /// Returns the files in the order of the directory.
    pub(super) fn files(&self) -> &[Entry] {
        &self.files
    }

    /// Returns the folders that have an entry of their own.
    pub(super) fn folders(&self) -> &[String] {
        &self.folders
    }

    pub(super) fn limits(&self) -> &PackageLimits {
        &self.limits
    }

    pub(super) fn entry(&self, name: &str) -> Result<&Entry, PackageError> {
        let found = self.files.iter().find(|entry| entry.name == name);
        found.ok_or_else(|| PackageError::Input(format!("no entry named {}; see `entries()`", quoted(name))))
    }

    /// Unpacks an entry in chunks. Fails after the last chunk if the checksum does not match.
    pub(super) fn unpack(
        &self,
        entry: &Entry,
        cancelled: &AtomicBool,
        mut write: impl FnMut(&[u8]) -> Result<(), PackageError>,
    ) -> Result<(), PackageError> {
        check_readable(entry)?;
        let subject = format!("entry {}", quoted(&entry.name));
        let mut zip = self.zip.clone();
        let mut file = zip.by_index(entry.index).map_err(|error| PackageError::from_zip(&subject, &error))?;
        let mut chunk = vec![0; CHUNK_SIZE];
        let mut count = 0_u64;
        loop {
            check_cancelled(cancelled)?;
            let length = file.read(&mut chunk).map_err(|error| PackageError::from_read(&subject, &error))?;
            if length == 0 {
                break;
            }
            count += length as u64;
            self.check_entry_size(count, entry.packed).map_err(|reason| PackageError::entry(&entry.name, reason))?;
            if count > entry.size {
                break;
            }
            write(&chunk[..length])?;
        }
        if count == entry.size {
            return Ok(());
        }
        let reason = format!("unpacked size differs from the stated {} bytes; download the package again", entry.size);
        Err(PackageError::entry(&entry.name, reason))
    }

    /// Reads a whole entry into memory.
    pub(super) fn read(&self, entry: &Entry, cancelled: &AtomicBool) -> Result<Vec<u8>, PackageError> {
        check_readable(entry)?;
        let limit = self.limits.memory_bytes;
        if entry.size > limit {
            let reason = format!("larger than {limit} bytes; stream the entry, or raise `PackageLimits::memory_bytes`");
            return Err(PackageError::entry(&entry.name, reason));
        }
        let mut bytes = Vec::new();
        self.unpack(entry, cancelled, |chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Unpacks every readable entry and discards the bytes, which compares sizes and checksums.
    pub(super) fn check(&self, cancelled: &AtomicBool) -> Result<(), PackageError> {
        let mut readable = self.files.iter().filter(|entry| entry.unreadable.is_none());
        readable.try_for_each(|entry| self.unpack(entry, cancelled, |_| Ok(())))
    }
}

/// Returns the name of an entry. Valid UTF-8 is decoded as UTF-8 even without the UTF-8 flag, which macOS does not set.
fn name_of(entry: &ZipFileEntry<'_>) -> String {
    let raw = entry.name_raw();
    let decoded = std::str::from_utf8(raw).map(str::to_owned).ok();
    decoded.or_else(|| entry.name().map(Cow::into_owned).ok()).unwrap_or_else(|| String::from_utf8_lossy(raw).into())
}

fn reject_special(entry: &ZipFileEntry<'_>, is_folder: bool) -> Result<(), String> {
    // The mode is checked whichever system wrote the entry: some readers create links regardless of the system.
    let file_type = (entry.external_attributes() >> 16) & FILE_TYPE_MASK;
    // Some writers mark folders as regular files; the name decides.
    if file_type != 0 && file_type != REGULAR_FILE && !(is_folder && file_type == DIRECTORY) {
        return Err("symbolic link or other special file; the package is rejected".to_owned());
    }
    if is_folder && entry.size() > 0 {
        return Err("folder with content; the package is rejected".to_owned());
    }
    Ok(())
}

/// Returns the reason why an entry cannot be read, or `None` for a readable entry.
fn unreadable(entry: &ZipFileEntry<'_>) -> Option<String> {
    if entry.encrypted() {
        return Some("encrypted entries are not supported; read the entry with another program".to_owned());
    }
    let method = entry.compression();
    let supported = method == CompressionMethod::Stored || method == CompressionMethod::Deflated;
    (!supported).then(|| format!("unsupported compression method {method}; read the entry with another program"))
}

fn check_readable(entry: &Entry) -> Result<(), PackageError> {
    match &entry.unreadable {
        Some(reason) => Err(PackageError::entry(&entry.name, reason)),
        None => Ok(()),
    }
}

/// Checks that the local headers describe the same entries as the directory, and that no entry is missing in the directory.
fn compare_headers<R: Read + Seek>(
    zip: &ZipArchive<R>,
    reader: &mut R,
    directory: &CentralDirectory,
) -> Result<(), PackageError> {
    let entries = directory
        .headers
        .iter()
        .enumerate()
        .filter_map(|(index, header)| Some((header, zip.by_index_data(index).ok()?)));
    let mut entries: Vec<_> = entries.map(|(header, entry)| (entry.header_start(), header, entry)).collect();
    entries.sort_unstable_by_key(|(start, ..)| *start);
    let next: Vec<u64> = entries.iter().skip(1).map(|(start, ..)| *start).chain([directory.offset]).collect();
    let mut gap_start = 0;
    for ((start, header, entry), next) in entries.into_iter().zip(next) {
        let listed = ListedEntry {
            header,
            name: entry.name_raw(),
            crc: entry.crc32(),
            packed: entry.compressed_size(),
            size: entry.size(),
            start,
        };
        let end = local_headers::compare(reader, &listed, next)
            .map_err(|reason| PackageError::entry(&name_of(&entry), format!("{reason}; the package is rejected")))?;
        reject_hidden_entry(reader, gap_start, start)?;
        gap_start = end;
    }
    reject_hidden_entry(reader, gap_start, directory.offset)
}

fn reject_hidden_entry(reader: &mut (impl Read + Seek), from: u64, to: u64) -> Result<(), PackageError> {
    if local_headers::contains_header(reader, from, to) {
        return Err(PackageError::invalid("entry missing in the ZIP central directory; the package is rejected"));
    }
    Ok(())
}

/// Returns the name of the first entry that overlaps the next entry or the directory.
fn find_overlapping<R: Read + Seek>(zip: &ZipArchive<R>, directory_offset: u64) -> Option<String> {
    const LOCAL_HEADER_LENGTH: u64 = 30;
    let entries = (0..zip.len()).filter_map(|index| zip.by_index_data(index).ok());
    let mut ranges: Vec<(u64, u64, String)> = entries
        .map(|entry| {
            let length = LOCAL_HEADER_LENGTH + entry.name_raw().len() as u64;
            let end = entry.header_start().saturating_add(length).saturating_add(entry.compressed_size());
            (entry.header_start(), end, name_of(&entry))
        })
        .collect();
    ranges.sort_unstable();
    let next = ranges.iter().skip(1).map(|(start, ..)| *start).chain([directory_offset]);
    ranges.iter().zip(next).find(|((_, end, _), next)| end > next).map(|((.., name), _)| name.clone())
}
