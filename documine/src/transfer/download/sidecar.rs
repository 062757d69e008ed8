//! The small file beside the part of a package, by which another call goes on with it: whose part it is, and how much of it is safe on disk.
//!
//! Its first line says that, with a checksum of those bytes. The lines behind it say what was written since, for a call whose process was killed: nobody waits for the disk for their sake,
//! so after a crash of the machine they may be missing or tell of bytes that are. Their checksums show it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::offer::Rest;
use super::own_file::{self, Owner};
use super::sum::Sum;
use super::validator::Validator;
use crate::disk::folder_of;
use crate::models::DownloadId;

/// The version that is written. One that is newer is not touched.
pub(super) const VERSION: u32 = 1;
/// More than any that we write.
const LONGEST: u64 = 64 * 1024;
const TEMPORARY_SUFFIX: &str = ".json";

/// What it says. There is nothing in it that opens anything: no token, no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sidecar {
    version: u32,
    pub(crate) download_id: DownloadId,
    /// The first so many bytes of the part are on disk, whatever happens, and have this checksum.
    #[serde(flatten)]
    pub(crate) safe: Sum,
    #[serde(default)]
    pub(crate) length: Option<u64>,
    #[serde(default)]
    pub(crate) validator: Option<Validator>,
    /// The name that the service suggested.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// What was written behind those bytes, by the last line.
    #[serde(skip)]
    behind: Sum,
}

/// What there was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Good(Sidecar),
    /// It says nothing that can be used.
    Damaged,
    Newer(u32),
    None,
}

impl Sidecar {
    pub(crate) fn new(download_id: DownloadId) -> Self {
        Self {
            version: VERSION,
            download_id,
            safe: Sum::default(),
            length: None,
            validator: None,
            name: None,
            behind: Sum::default(),
        }
    }

    /// Reads the sidecar at `path`, which has to belong to `owner`.
    pub(crate) fn read(path: &Path, owner: Owner) -> io::Result<Found> {
        let Some(file) = own_file::open(path, OpenOptions::new().read(true), owner)? else { return Ok(Found::None) };
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text)?;
        Ok(Self::parse(&text))
    }

    pub(super) fn parse(text: &[u8]) -> Found {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let mut lines = text.split(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default();
        match serde_json::from_slice(first) {
            Ok(Versioned { version }) if version > VERSION => return Found::Newer(version),
            _ => {}
        }
        let Ok(mut read) = serde_json::from_slice::<Self>(first) else { return Found::Damaged };
        // One that was not written to its end has no meaning, and neither have those behind it.
        read.behind = lines.map_while(|line| serde_json::from_slice(line).ok()).last().unwrap_or_default();
        if read.is_sound() { Found::Good(read) } else { Found::Damaged }
    }

    fn is_sound(&self) -> bool {
        self.version == VERSION
            && self.length.is_none_or(|length| self.safe.bytes <= length)
            && self.validator.as_ref().is_none_or(Validator::is_sound)
    }

    /// Puts it in the place of what is there: after a crash there is the old one or the new one.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = temporary(path)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// Returns the owner of files that this process creates beside `path`. On a network drive that need not be the process's own user.
    pub(crate) fn owner_beside(path: &Path) -> io::Result<Owner> {
        temporary(path)?.as_file().metadata().map(|created| own_file::owner_of(&created))
    }

    /// Deletes the temporary files of processes that were killed while they replaced the sidecar. Only for the holder of the part's lock.
    pub(crate) fn remove_temporary(path: &Path) {
        let (prefix, entries) = (temporary_prefix(path), fs::read_dir(folder_of(path)));
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.starts_with(&prefix) && name.ends_with(TEMPORARY_SUFFIX)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Notes what was written behind the safe bytes.
    pub(crate) fn note(path: &Path, behind: Sum) -> io::Result<()> {
        let mut line = vec![b'\n'];
        serde_json::to_writer(&mut line, &behind)?;
        own_file::not_through_links(OpenOptions::new().append(true)).open(path)?.write_all(&line)
    }

    /// Compares the part with the checksums. Returns false where the safe bytes are not those that were written; bytes noted behind them count
    /// as safe from now on where they are intact.
    pub(crate) fn verify(&mut self, mut part: &File) -> io::Result<bool> {
        let noted = std::mem::take(&mut self.behind);
        part.seek(SeekFrom::Start(0))?;
        if Sum::of(part.take(self.safe.bytes))? != self.safe {
            return Ok(false);
        }
        let found = Sum::of(part.take(noted.bytes))?;
        // Never more than there can be: lines can be damaged, too.
        let whole = self.safe.bytes.checked_add(noted.bytes);
        let fits = whole.is_some_and(|bytes| self.length.is_none_or(|length| bytes <= length));
        if noted.bytes > 0 && fits && found == noted {
            part.sync_data()?;
            self.safe.append(noted);
        }
        // The last byte of a whole package is requested again, so that the service says whether the package is still the same.
        if let Some(before_last) =
            self.length.filter(|length| *length == self.safe.bytes).and_then(|length| length.checked_sub(1))
        {
            part.seek(SeekFrom::Start(0))?;
            self.safe = Sum::of(part.take(before_last))?;
        }
        Ok(true)
    }

    /// Returns what is still to be requested.
    pub(crate) fn rest(&self) -> Option<Rest> {
        let (length, validator, first) = (self.length?, self.validator.clone()?, self.safe.bytes);
        (0 < first && first < length).then_some(Rest { first, length, validator })
    }
}

/// A temporary file that will replace the sidecar at `path`. It is created new and for its owner alone.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(&temporary_prefix(path)).suffix(TEMPORARY_SUFFIX).tempfile_in(folder_of(path))
}

/// Returns the prefix of temporary file names for one sidecar: short, whatever the length of the sidecar's own name.
fn temporary_prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".documine-{:08x}-", crc32fast::hash(name.as_encoded_bytes()))
}

/// A path with something behind its name.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(ending);
    text.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sidecar() -> Sidecar {
        Sidecar {
            safe: Sum::of(b"abcdefg".as_slice()).unwrap(),
            length: Some(10),
            validator: Some(Validator::Etag("\"a\"".into())),
            name: Some("Q3.zip".into()),
            ..Sidecar::new("d-1".parse().unwrap())
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip.part.json");
        let owner = Sidecar::owner_beside(&path).unwrap();
        assert_eq!(Sidecar::read(&path, owner).unwrap(), Found::None);
        sidecar().write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let wanted = r#"{"version":1,"download_id":"d-1","bytes":7,"crc32":824863398,"length":10,"validator":{"etag":"\"a\""},"name":"Q3.zip"}"#;
        assert_eq!(text, wanted);
        assert_eq!(Sidecar::read(&path, owner).unwrap(), Found::Good(sidecar()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_can_not_be_is_damaged_and_what_is_newer_is_told() {
        let parse = |text: &str| Sidecar::parse(text.as_bytes());
        assert_eq!(parse(r#"{"version":2,"anything":[]}"#), Found::Newer(2));
        for damaged in [
            "",
            "{",
            "[]",
            r#"{"version":0,"download_id":"d-1","bytes":7,"crc32":1}"#,
            r#"{"version":1,"download_id":"d-1","bytes":7}"#,
            r#"{"version":1,"download_id":"..","bytes":7,"crc32":1}"#,
            r#"{"version":1,"download_id":"d-1","bytes":-7,"crc32":1}"#,
            r#"{"version":1,"download_id":"d-1","bytes":7,"crc32":1,"length":6}"#,
            r#"{"version":1,"download_id":"d-1","bytes":7,"crc32":1,"validator":{"etag":"W/\"a\""}}"#,
            r#"{"version":1,"download_id":"d-1","bytes":7,"crc32":1,"validator":{"etag":"\"a\"\r\nX: y"}}"#,
            r#"{"version":1,"download_id":"d-1","bytes":7,"crc32":1,"validator":{"last_modified":"yesterday"}}"#,
        ] {
            assert_eq!(parse(damaged), Found::Damaged, "{damaged}");
        }
    }

    /// Returns how many bytes count as safe where `part` is there of the package and the sidecar's lines are changed so; `None` where the part
    /// is to be begun anew.
    fn verified(part: &[u8], change: impl FnOnce(String) -> String) -> Option<u64> {
        let folder = tempfile::tempdir().unwrap();
        let [path, beside] = ["a.zip.part", "a.zip.part.json"].map(|name| folder.path().join(name));
        std::fs::write(&path, part).unwrap();
        let safe = Sum::of(b"abc".as_slice()).unwrap();
        Sidecar { safe, length: Some(10), ..sidecar() }.write(&beside).unwrap();
        let mut behind = Sum::default();
        for piece in [b"de".as_slice(), b"fgh"] {
            behind.add(piece);
            Sidecar::note(&beside, behind).unwrap();
        }
        let lines = change(std::fs::read_to_string(&beside).unwrap());
        std::fs::write(&beside, lines).unwrap();
        let owner = Sidecar::owner_beside(&beside).unwrap();
        let Found::Good(mut read) = Sidecar::read(&beside, owner).unwrap() else { unreachable!("it is good") };
        let intact = read.verify(&File::open(&path).unwrap()).unwrap();
        let bytes = usize::try_from(read.safe.bytes).unwrap();
        assert!(!intact || read.safe == Sum::of(&part[..bytes]).unwrap());
        intact.then_some(read.safe.bytes)
    }

    #[test]
    fn bytes_noted_behind_the_safe_ones_count_where_they_are_intact() {
        let same = |text: String| text;
        assert_eq!(verified(b"abcdefgh", same), Some(8));
        assert_eq!(verified(b"abcdefghij", same), Some(8), "more was written, and not noted");
        for part in [b"abcdefg".as_slice(), b"abc", b"abcdefg\0", b"abc\0\0\0\0\0"] {
            assert_eq!(verified(part, same), Some(3), "{part:?}");
        }
        let lines = |count: usize| move |text: String| text.split_inclusive('\n').take(count).collect::<String>();
        assert_eq!(verified(b"abcdefgh", lines(2)), Some(5));
        assert_eq!(verified(b"abcdefgh", lines(1)), Some(3));
        assert_eq!(
            verified(b"abcdefgh", |text| text[..text.len() - 1].to_owned()),
            Some(5),
            "the last line is cut off"
        );
        assert_eq!(verified(b"abcdefgh", |text| text.replace('\n', "\n\0")), Some(3));
    }

    #[test]
    fn safe_bytes_that_changed_are_noticed() {
        for part in [b"Abcdefgh".as_slice(), b"abCdefgh", b"ab", b""] {
            assert_eq!(verified(part, |text| text), None, "{part:?}");
        }
    }

    #[test]
    fn the_last_byte_of_a_whole_part_is_requested_again() {
        let part = tempfile::tempfile().unwrap();
        (&part).write_all(b"abcdefghij").unwrap();
        let mut whole = Sidecar { safe: Sum::of(b"abcdefghij".as_slice()).unwrap(), ..sidecar() };
        assert!(whole.verify(&part).unwrap());
        assert_eq!((whole.safe, whole.rest().unwrap().first), (Sum::of(b"abcdefghi".as_slice()).unwrap(), 9));
    }

    #[test]
    fn temporary_files_of_killed_processes_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["a.zip.part.json", "b.zip.part.json"].map(|name| folder.path().join(name));
        sidecar().write(&path).unwrap();
        temporary(&path).unwrap().keep().unwrap();
        let (_, kept) = temporary(&other).unwrap().keep().unwrap();
        Sidecar::remove_temporary(&path);
        let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        assert_eq!(names, [kept, path], "the one of another sidecar stays");
    }

    #[test]
    fn nothing_is_requested_where_nothing_is_known() {
        let rest = |bytes: &[u8], length| {
            Sidecar { safe: Sum::of(bytes).unwrap(), length, ..sidecar() }.rest().map(|rest| rest.first)
        };
        assert_eq!(rest(b"abcdefg", Some(10)), Some(7));
        assert_eq!((rest(b"", Some(10)), rest(b"", Some(0)), rest(b"abcdefg", None)), (None, None, None));
        assert_eq!(Sidecar { validator: None, ..sidecar() }.rest(), None);
    }

    proptest! {
        #![proptest_config(crate::properties::cases(256))]

        #[test]
        fn any_bytes_are_read_without_trouble(text in "\\{?(\"version\": ?[12],?)?.{0,60}\\}?", cut in 0..100_usize) {
            let _ = Sidecar::parse(text.as_bytes());
            let whole = serde_json::to_vec(&sidecar()).unwrap();
            if cut < whole.len() {
                prop_assert_eq!(Sidecar::parse(&whole[..cut]), Found::Damaged);
            }
        }
    }
}
