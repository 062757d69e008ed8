//! The guard before the ZIP library: an archive is looked over before anything is read, and counted while it is.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{Read, Seek};
use std::sync::atomic::AtomicBool;

use zip::read::{ArchiveOffset, Config, ZipFileEntry};
use zip::{CompressionMethod, ZipArchive};

use super::end::DirectoryHeader;
use super::entry::{Entry, EntryKind};
use super::headers::Listed;
use super::limits::PackageLimits;
use super::trouble::{Trouble, go_on, shown};
use super::{end, headers, names};

/// How much is unpacked at a time.
const PIECE: usize = 64 * 1024;
/// Small entries may be packed as tightly as they like.
const SMALL: u64 = 1 << 20;
/// The kind of a file in a Unix mode, and the two that a package may hold.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// An archive that was looked over. Any number of readers at a time may read it.
#[derive(Debug)]
pub(super) struct Archive<R> {
    zip: ZipArchive<R>,
    files: Vec<Entry>,
    folders: Vec<String>,
    limits: PackageLimits,
}

impl<R: Read + Seek + Clone> Archive<R> {
    /// Looks it over: the directory, every header, every name, what it says about sizes.
    pub(super) fn open(mut reader: R, limits: PackageLimits) -> Result<Self, Trouble> {
        let (end, headers) = end::find(&mut reader, &limits)?;
        let mut raw = reader.clone();
        let broken = |error| Trouble::of_library("it", &error);
        // A known beginning: bytes before the archive would make two readings of it possible.
        let mut zip =
            ZipArchive::with_config(Config { archive_offset: ArchiveOffset::Known(0) }, reader).map_err(broken)?;
        if zip.central_directory_start() != end.directory || zip.len() as u64 != end.entries {
            return Err(Trouble::refused("its directory can be read in two ways; the package is refused"));
        }
        let mut archive = Self { files: Vec::new(), folders: Vec::new(), limits, zip: zip.clone() };
        let mut total = 0_u64;
        let mut names = HashSet::new();
        for index in 0..zip.len() {
            let entry = zip.by_index_data(index).map_err(broken)?;
            let written = name_of(&entry);
            let refused = |why: String| Trouble::entry(&written, why);
            let name = names::clean(&written).map_err(|why| refused(format!("{why}; the package is refused")))?;
            let unreadable = unreadable(&entry);
            refuse_special(&entry, name.ends_with('/')).map_err(refused)?;
            // What is never unpacked needs no limit.
            if unreadable.is_none() {
                total = total.saturating_add(entry.size());
                archive.within(entry.size(), entry.compressed_size()).map_err(refused)?;
                archive.within_total(total).map_err(refused)?;
            }
            let is_folder = name.ends_with('/');
            if !names.insert(name.clone()) && !is_folder {
                return Err(refused("is in it twice; the package is refused".to_owned()));
            }
            if !is_folder {
                let (kind, size, packed) = (EntryKind::of(&name), entry.size(), entry.compressed_size());
                archive.files.push(Entry { name, size, packed, kind, index, unreadable });
            } else if name != "/" {
                archive.folders.push(name);
            }
        }
        archive.within_folders()?;
        if zip.has_overlapping_entries().map_err(broken)? {
            return Err(match overlapping(&zip, end.directory) {
                Some(name) => Trouble::entry(&name, "shares bytes with what stands behind it; the package is refused"),
                None => Trouble::refused("its entries share bytes; the package is refused"),
            });
        }
        compare_headers(&zip, &mut raw, &headers, end.directory)?;
        // The copy before knew less about where the entries begin.
        archive.zip = zip;
        Ok(archive)
    }

    /// Refuses more folders than entries are allowed: a name can stand for many that have no entry of their own.
    fn within_folders(&self) -> Result<(), Trouble> {
        let most = self.limits.entries;
        let mut folders = HashSet::new();
        for name in self.files.iter().map(|entry| entry.name.as_str()).chain(self.folders.iter().map(String::as_str)) {
            for (end, _) in name.match_indices('/') {
                folders.insert(&name[..end]);
            }
            if folders.len() as u64 > most {
                let why = format!("it has more than {most} folders; raise `PackageLimits::entries` if that is right");
                return Err(Trouble::refused(why));
            }
        }
        Ok(())
    }

    fn within_total(&self, total: u64) -> Result<(), String> {
        let most = self.limits.total_bytes;
        if total > most {
            return Err(format!(
                "makes more than {most} bytes with those before it; raise `PackageLimits::total_bytes` if that is right"
            ));
        }
        Ok(())
    }

    /// Whether an entry that has `size` bytes, packed into so many, is within the limits.
    fn within(&self, size: u64, packed: u64) -> Result<(), String> {
        let PackageLimits { entry_bytes, ratio, .. } = self.limits;
        if size > entry_bytes {
            return Err(format!(
                "unpacks to more than {entry_bytes} bytes; raise `PackageLimits::entry_bytes` if that is right"
            ));
        }
        if size > SMALL && size > packed.saturating_mul(ratio) {
            return Err(format!(
                "unpacks to more than {ratio} times its size; raise `PackageLimits::ratio` if that is right"
            ));
        }
        Ok(())
    }

    /// Its files, in the directory's order.
    pub(super) fn files(&self) -> &[Entry] {
        &self.files
    }

    /// The folders that it names, some of them perhaps empty.
    pub(super) fn folders(&self) -> &[String] {
        &self.folders
    }

    pub(super) fn limits(&self) -> &PackageLimits {
        &self.limits
    }

    pub(super) fn entry(&self, name: &str) -> Result<&Entry, Trouble> {
        let found = self.files.iter().find(|entry| entry.name == name);
        found.ok_or_else(|| Trouble::Input(format!("there is no entry {}; look at `entries()`", shown(name))))
    }

    /// Unpacks an entry piece by piece. The last piece was taken only when the checksum was right.
    pub(super) fn unpack(
        &self,
        entry: &Entry,
        stop: &AtomicBool,
        mut take: impl FnMut(&[u8]) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        refuse_unreadable(entry)?;
        let what = format!("entry {}", shown(&entry.name));
        let mut zip = self.zip.clone();
        let mut file = zip.by_index(entry.index).map_err(|error| Trouble::of_library(&what, &error))?;
        let mut piece = vec![0; PIECE];
        let mut count = 0_u64;
        loop {
            go_on(stop)?;
            let got = file.read(&mut piece).map_err(|error| Trouble::of_reading(&what, &error))?;
            if got == 0 {
                break;
            }
            count += got as u64;
            self.within(count, entry.packed).map_err(|why| Trouble::entry(&entry.name, why))?;
            if count > entry.size {
                break;
            }
            take(&piece[..got])?;
        }
        if count == entry.size {
            return Ok(());
        }
        let size = entry.size;
        Err(Trouble::entry(
            &entry.name,
            format!("does not have the {size} bytes that it should; fetch the package again"),
        ))
    }

    /// An entry as a whole.
    pub(super) fn read(&self, entry: &Entry, stop: &AtomicBool) -> Result<Vec<u8>, Trouble> {
        refuse_unreadable(entry)?;
        let most = self.limits.memory_bytes;
        if entry.size > most {
            return Err(Trouble::entry(
                &entry.name,
                format!("has more than {most} bytes; take it as a stream, or raise `PackageLimits::memory_bytes`"),
            ));
        }
        let mut bytes = Vec::new();
        self.unpack(entry, stop, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Unpacks everything that can be read to nowhere, for its checksums.
    pub(super) fn check(&self, stop: &AtomicBool) -> Result<(), Trouble> {
        let mut readable = self.files.iter().filter(|entry| entry.unreadable.is_none());
        readable.try_for_each(|entry| self.unpack(entry, stop, |_| Ok(())))
    }
}

/// An entry's name. Where it is UTF-8 it is taken for that: macOS writes such names without saying so.
fn name_of(entry: &ZipFileEntry<'_>) -> String {
    let raw = entry.name_raw();
    let decoded = std::str::from_utf8(raw).map(str::to_owned).ok();
    decoded.or_else(|| entry.name().map(Cow::into_owned).ok()).unwrap_or_else(|| String::from_utf8_lossy(raw).into())
}

fn refuse_special(entry: &ZipFileEntry<'_>, is_folder: bool) -> Result<(), String> {
    // Whatever system is said to have written it: some readers make links of such entries all the same.
    let kind = (entry.external_attributes() >> 16) & KIND;
    // Some writers mark their folders as files; the name decides.
    if kind != 0 && kind != REGULAR && !(is_folder && kind == FOLDER) {
        return Err("is a link or another special file; the package is refused".to_owned());
    }
    if is_folder && entry.size() > 0 {
        return Err("is a folder with bytes of its own; the package is refused".to_owned());
    }
    Ok(())
}

/// Returns the reason why an entry can't be read, worded to stand behind the entry's name.
fn unreadable(entry: &ZipFileEntry<'_>) -> Option<String> {
    if entry.encrypted() {
        return Some("is encrypted, which packages are not; read it with another program".to_owned());
    }
    let method = entry.compression();
    let known = method == CompressionMethod::Stored || method == CompressionMethod::Deflated;
    (!known).then(|| format!("is packed in a way that packages do not use ({method}); read it with another program"))
}

fn refuse_unreadable(entry: &Entry) -> Result<(), Trouble> {
    match &entry.unreadable {
        Some(why) => Err(Trouble::entry(&entry.name, why)),
        None => Ok(()),
    }
}

/// Checks that other readers take the same from the entries' own headers, and that the directory hides no entries.
fn compare_headers<R: Read + Seek>(
    zip: &ZipArchive<R>,
    reader: &mut R,
    headers: &[DirectoryHeader],
    directory: u64,
) -> Result<(), Trouble> {
    let entries =
        headers.iter().enumerate().filter_map(|(index, header)| Some((header, zip.by_index_data(index).ok()?)));
    let mut entries: Vec<_> = entries.map(|(header, entry)| (entry.header_start(), header, entry)).collect();
    entries.sort_unstable_by_key(|(start, ..)| *start);
    let next: Vec<u64> = entries.iter().skip(1).map(|(start, ..)| *start).chain([directory]).collect();
    let mut gap = 0;
    for ((start, header, entry), next) in entries.into_iter().zip(next) {
        let listed = Listed {
            header,
            name: entry.name_raw(),
            crc: entry.crc32(),
            packed: entry.compressed_size(),
            size: entry.size(),
            start,
        };
        let end = headers::compare(reader, &listed, next);
        let end = end.map_err(|why| Trouble::entry(&name_of(&entry), format!("{why}; the package is refused")))?;
        refuse_hidden(reader, gap, start)?;
        gap = end;
    }
    refuse_hidden(reader, gap, directory)
}

fn refuse_hidden(reader: &mut (impl Read + Seek), from: u64, to: u64) -> Result<(), Trouble> {
    if headers::hides_entry(reader, from, to) {
        return Err(Trouble::refused("it holds an entry that its directory does not list; the package is refused"));
    }
    Ok(())
}

/// The first entry that reaches into the next one, as far as the directory tells.
fn overlapping<R: Read + Seek>(zip: &ZipArchive<R>, directory: u64) -> Option<String> {
    const LOCAL_HEADER: u64 = 30;
    let entries = (0..zip.len()).filter_map(|index| zip.by_index_data(index).ok());
    let mut places: Vec<(u64, u64, String)> = entries
        .map(|entry| {
            let length = LOCAL_HEADER + entry.name_raw().len() as u64;
            let end = entry.header_start().saturating_add(length).saturating_add(entry.compressed_size());
            (entry.header_start(), end, name_of(&entry))
        })
        .collect();
    places.sort_unstable();
    let next = places.iter().skip(1).map(|(start, ..)| *start).chain([directory]);
    places.iter().zip(next).find(|((_, end, _), next)| end > next).map(|((.., name), _)| name.clone())
}
