//! The guard before the ZIP library: an archive is looked over before anything is read, and counted while it is.

use std::borrow::Cow;
use std::io::{Read, Seek};
use std::sync::atomic::AtomicBool;

use zip::read::{ArchiveOffset, Config, ZipFileEntry};
use zip::{CompressionMethod, ZipArchive};

use super::entry::{Entry, EntryKind};
use super::limits::PackageLimits;
use super::trouble::{Trouble, go_on, shown};
use super::{end, names};

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
        let end = end::find(&mut reader, &limits)?;
        let broken = |error| Trouble::of_library("it", &error);
        // A known beginning: bytes before the archive would make two readings of it possible.
        let mut zip =
            ZipArchive::with_config(Config { archive_offset: ArchiveOffset::Known(0) }, reader).map_err(broken)?;
        if zip.central_directory_start() != end.directory || zip.len() as u64 != end.entries {
            return Err(Trouble::refused("its directory can be read in two ways; the package is refused"));
        }
        let mut archive = Self { files: Vec::new(), folders: Vec::new(), limits, zip: zip.clone() };
        let mut total = 0_u64;
        let mut keys = Vec::with_capacity(zip.len());
        for index in 0..zip.len() {
            let entry = zip.by_index_data(index).map_err(broken)?;
            let name = entry.name().map_err(broken)?.into_owned();
            total = total.saturating_add(entry.size());
            archive.look(&entry, &name, total).map_err(|why| Trouble::entry(&name, why))?;
            keys.push((names::key(&name), index));
            if name.ends_with('/') {
                archive.folders.push(name);
            } else {
                let kind = EntryKind::of(&name);
                archive.files.push(Entry { kind, size: entry.size(), packed: entry.compressed_size(), name, index });
            }
        }
        one_each(&zip, keys)?;
        if zip.has_overlapping_entries().map_err(broken)? {
            return Err(match overlapping(&zip, end.directory) {
                Some(name) => Trouble::entry(&name, "shares bytes with what stands behind it; the package is refused"),
                None => Trouble::refused("its entries share bytes; the package is refused"),
            });
        }
        // What other readers take from the entries' own headers is the same, and there are no entries that the directory hides.
        zip.validate_header_consistency().map_err(broken)?;
        // The copy before knew less about where the entries begin.
        archive.zip = zip;
        Ok(archive)
    }

    fn look(&self, entry: &ZipFileEntry<'_>, name: &str, total: u64) -> Result<(), String> {
        let refused = |why: &str| Err(format!("{why}; the package is refused"));
        if let Err(why) = names::check(name) {
            return refused(why);
        }
        if entry.encrypted() {
            return refused("is encrypted, which packages are not");
        }
        let method = entry.compression();
        if method != CompressionMethod::Stored && method != CompressionMethod::Deflated {
            return refused(&format!("is packed in a way that packages do not use ({method})"));
        }
        // Whatever system is said to have written it: some readers make links of such entries all the same.
        let kind = (entry.external_attributes() >> 16) & KIND;
        let folder = name.ends_with('/');
        // Some writers mark their folders as files; the name decides.
        if kind != 0 && kind != REGULAR && !(folder && kind == FOLDER) {
            return refused("is a link or another special file");
        }
        if folder && entry.size() > 0 {
            return refused("is a folder with bytes of its own");
        }
        self.within(entry.size(), entry.compressed_size())?;
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

    /// Unpacks everything to nowhere, for its checksums.
    pub(super) fn check(&self, stop: &AtomicBool) -> Result<(), Trouble> {
        self.files.iter().try_for_each(|entry| self.unpack(entry, stop, |_| Ok(())))
    }
}

/// No two entries are one file on any system, and none is a file and a folder.
fn one_each<R: Read + Seek>(zip: &ZipArchive<R>, mut keys: Vec<(String, usize)>) -> Result<(), Trouble> {
    // With the separator before all other characters (controls were refused), what is in a folder comes right behind its name.
    keys.sort_unstable_by(|(one, _), (other, _)| by_part(one).cmp(by_part(other)));
    let name = |index: usize| zip.name_for_index(index).and_then(Result::ok).unwrap_or_default().into_owned();
    for pair in keys.windows(2) {
        let [(first, one), (second, other)] = pair else { continue };
        let (one, other) = (name(*one), name(*other));
        if first == second {
            let why = format!("and entry {} are one on some systems; the package is refused", shown(&other));
            return Err(Trouble::entry(&one, why));
        }
        let inside = second.strip_prefix(first.as_str()).is_some_and(|rest| rest.starts_with('/'));
        if inside && !one.ends_with('/') {
            let why = format!("is a file, and entry {} lies in it; the package is refused", shown(&other));
            return Err(Trouble::entry(&one, why));
        }
    }
    Ok(())
}

fn by_part(key: &str) -> impl Iterator<Item = char> {
    key.chars().map(|letter| if letter == '/' { '\0' } else { letter })
}

/// The first entry that reaches into the next one, as far as the directory tells.
fn overlapping<R: Read + Seek>(zip: &ZipArchive<R>, directory: u64) -> Option<String> {
    const LOCAL_HEADER: u64 = 30;
    let entries = (0..zip.len()).filter_map(|index| zip.by_index_data(index).ok());
    let mut places: Vec<(u64, u64, String)> = entries
        .map(|entry| {
            let length = LOCAL_HEADER + entry.name_raw().len() as u64;
            let end = entry.header_start().saturating_add(length).saturating_add(entry.compressed_size());
            (entry.header_start(), end, entry.name().map(Cow::into_owned).unwrap_or_default())
        })
        .collect();
    places.sort_unstable();
    let next = places.iter().skip(1).map(|(start, ..)| *start).chain([directory]);
    places.iter().zip(next).find(|((_, end, _), next)| end > next).map(|((.., name), _)| name.clone())
}
