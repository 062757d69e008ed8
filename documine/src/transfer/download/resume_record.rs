//! The resume record: a small JSON file beside a partial file that lets a later call resume the download.
//!
//! The first line identifies the package and holds the checksum of the bytes that are synced to disk. Each following line holds the checksum
//! of the bytes written since then, for a call whose process was killed. These lines are not synced, so after a system crash they may be
//! missing or describe bytes that were lost, which their checksums reveal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::checksum::Checksum;
use super::owned_file::{self, Owner};
use super::package_meta::PackageMeta;
use super::range::RangeRequest;
use super::validator::Validator;
use crate::disk::folder_of;
use crate::models::DownloadId;

/// The version that is written. A record of a newer version is not modified.
pub(super) const VERSION: u32 = 1;
/// Larger than any record that is written.
const MAX_RECORD_BYTES: u64 = 64 * 1024;
const TEMPORARY_SUFFIX: &str = ".json";

/// The content of a resume record. It holds no credentials: no token, no URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResumeRecord {
    version: u32,
    pub(crate) download_id: DownloadId,
    /// Length and checksum of the bytes at the start of the partial file that are synced to disk.
    #[serde(flatten)]
    pub(crate) synced: Checksum,
    #[serde(flatten)]
    pub(crate) meta: PackageMeta,
    /// Bytes written after the synced bytes, according to the last line.
    #[serde(skip)]
    tail: Checksum,
}

/// The result of reading a resume record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RecordState {
    Valid(ResumeRecord),
    Damaged,
    NewerVersion(u32),
    Missing,
}

impl ResumeRecord {
    pub(crate) fn new(download_id: DownloadId) -> Self {
        Self {
            version: VERSION,
            download_id,
            synced: Checksum::default(),
            meta: PackageMeta::default(),
            tail: Checksum::default(),
        }
    }

    /// Reads the record at `path`, which must belong to `owner`.
    pub(crate) fn read(path: &Path, owner: Owner) -> io::Result<RecordState> {
        let Some(file) = owned_file::open(path, OpenOptions::new().read(true), owner)? else {
            return Ok(RecordState::Missing);
        };
        let mut text = Vec::new();
        file.take(MAX_RECORD_BYTES).read_to_end(&mut text)?;
        Ok(Self::parse(&text))
    }

    pub(super) fn parse(text: &[u8]) -> RecordState {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let mut lines = text.split(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default();
        match serde_json::from_slice(first) {
            Ok(Versioned { version }) if version > VERSION => return RecordState::NewerVersion(version),
            _ => {}
        }
        let Ok(mut record) = serde_json::from_slice::<Self>(first) else { return RecordState::Damaged };
        // An incomplete line invalidates itself and all following lines.
        record.tail = lines.map_while(|line| serde_json::from_slice(line).ok()).last().unwrap_or_default();
        if record.is_valid() { RecordState::Valid(record) } else { RecordState::Damaged }
    }

    fn is_valid(&self) -> bool {
        self.version == VERSION
            && self.meta.length.is_none_or(|length| self.synced.bytes <= length)
            && self.meta.validator.as_ref().is_none_or(Validator::is_valid)
    }

    /// Replaces the record on disk atomically: after a crash, either the old or the new record exists.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = create_temporary(path)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// Returns the owner of files that this process creates in the folder of `path`. On a network drive the owner may be another user than the
    /// user of the process.
    pub(crate) fn owner_of_new_files(path: &Path) -> io::Result<Owner> {
        create_temporary(path)?.as_file().metadata().map(|created| owned_file::owner_of(&created))
    }

    /// Deletes temporary files of processes that were killed while they replaced the record. The caller must hold the lock of the partial file.
    pub(crate) fn remove_temporary_files(path: &Path) {
        let (prefix, entries) = (temporary_prefix(path), fs::read_dir(folder_of(path)));
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.starts_with(&prefix) && name.ends_with(TEMPORARY_SUFFIX)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Appends a line with the checksum of the bytes after the synced bytes.
    pub(crate) fn append_tail(path: &Path, tail: Checksum) -> io::Result<()> {
        let mut line = vec![b'\n'];
        serde_json::to_writer(&mut line, &tail)?;
        owned_file::no_follow(OpenOptions::new().append(true)).open(path)?.write_all(&line)
    }

    /// Compares the partial file with the checksums. Returns false if the synced bytes have changed.
    pub(crate) fn verify(&mut self, mut part: &File) -> io::Result<bool> {
        part.seek(SeekFrom::Start(0))?;
        if Checksum::of(part.take(self.synced.bytes))? != self.synced {
            return Ok(false);
        }
        self.recover_tail(part)?;
        // The last byte of a complete file is requested again, so that the service confirms the version of the package.
        if let Some(before_last) =
            self.meta.length.filter(|length| *length == self.synced.bytes).and_then(|length| length.checked_sub(1))
        {
            part.seek(SeekFrom::Start(0))?;
            self.synced = Checksum::of(part.take(before_last))?;
        }
        Ok(true)
    }

    /// Counts the bytes after the synced bytes as synced if they match the checksum of the last line.
    fn recover_tail(&mut self, part: &File) -> io::Result<()> {
        let recorded = std::mem::take(&mut self.tail);
        let found = Checksum::of(part.take(recorded.bytes))?;
        // A damaged line may state more bytes than the package has.
        let total = self.synced.bytes.checked_add(recorded.bytes);
        let fits = total.is_some_and(|bytes| self.meta.length.is_none_or(|length| bytes <= length));
        if recorded.bytes > 0 && fits && found == recorded {
            part.sync_data()?;
            self.synced.append(recorded);
        }
        Ok(())
    }

    /// Returns the position and metadata to resume with, or `None` if the download must start at byte 0.
    pub(crate) fn resume_point(&self) -> Option<(u64, PackageMeta)> {
        RangeRequest::new(self.synced.bytes, &self.meta).map(|range| (range.first, self.meta.clone()))
    }
}

/// Creates a temporary file that will replace the record at `path`. Only its owner can read it.
fn create_temporary(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(&temporary_prefix(path)).suffix(TEMPORARY_SUFFIX).tempfile_in(folder_of(path))
}

/// Returns the prefix of temporary file names for one record. The prefix is short even for a long record name.
fn temporary_prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".documine-{:08x}-", crc32fast::hash(name.as_encoded_bytes()))
}

/// Appends a suffix to the file name of a path.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(suffix);
    text.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record() -> ResumeRecord {
        ResumeRecord {
            synced: Checksum::of(b"abcdefg".as_slice()).unwrap(),
            meta: PackageMeta {
                length: Some(10),
                validator: Some(Validator::Etag("\"a\"".into())),
                name: Some("Q3.zip".into()),
            },
            ..ResumeRecord::new("d-1".parse().unwrap())
        }
    }

    #[test]
    fn record_round_trips() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip.part.json");
        let owner = ResumeRecord::owner_of_new_files(&path).unwrap();
        assert_eq!(ResumeRecord::read(&path, owner).unwrap(), RecordState::Missing);
        record().write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = r#"{"version":1,"download_id":"d-1","bytes":7,"crc32":824863398,"length":10,"validator":{"etag":"\"a\""},"name":"Q3.zip"}"#;
        assert_eq!(text, expected);
        assert_eq!(ResumeRecord::read(&path, owner).unwrap(), RecordState::Valid(record()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn rejects_damaged_records_and_reports_newer_versions() {
        let parse = |text: &str| ResumeRecord::parse(text.as_bytes());
        assert_eq!(parse(r#"{"version":2,"anything":[]}"#), RecordState::NewerVersion(2));
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
            assert_eq!(parse(damaged), RecordState::Damaged, "{damaged}");
        }
    }

    /// Returns the number of bytes to resume after, for a partial file and changed lines of its record. Returns `None` if the download starts
    /// at byte 0.
    fn verified(part: &[u8], change: impl FnOnce(String) -> String) -> Option<u64> {
        let folder = tempfile::tempdir().unwrap();
        let [path, record_path] = ["a.zip.part", "a.zip.part.json"].map(|name| folder.path().join(name));
        std::fs::write(&path, part).unwrap();
        let synced = Checksum::of(b"abc".as_slice()).unwrap();
        ResumeRecord { synced, ..record() }.write(&record_path).unwrap();
        let mut tail = Checksum::default();
        for chunk in [b"de".as_slice(), b"fgh"] {
            tail.update(chunk);
            ResumeRecord::append_tail(&record_path, tail).unwrap();
        }
        let lines = change(std::fs::read_to_string(&record_path).unwrap());
        std::fs::write(&record_path, lines).unwrap();
        let owner = ResumeRecord::owner_of_new_files(&record_path).unwrap();
        let RecordState::Valid(mut record) = ResumeRecord::read(&record_path, owner).unwrap() else {
            unreachable!("the record is valid")
        };
        let intact = record.verify(&File::open(&path).unwrap()).unwrap();
        let bytes = usize::try_from(record.synced.bytes).unwrap();
        assert!(!intact || record.synced == Checksum::of(&part[..bytes]).unwrap());
        intact.then_some(record.synced.bytes)
    }

    #[test]
    fn recovers_intact_bytes_after_the_synced_bytes() {
        let unchanged = |text: String| text;
        assert_eq!(verified(b"abcdefgh", unchanged), Some(8));
        assert_eq!(verified(b"abcdefghij", unchanged), Some(8), "more bytes were written than recorded");
        for part in [b"abcdefg".as_slice(), b"abc", b"abcdefg\0", b"abc\0\0\0\0\0"] {
            assert_eq!(verified(part, unchanged), Some(3), "{part:?}");
        }
        let lines = |count: usize| move |text: String| text.split_inclusive('\n').take(count).collect::<String>();
        assert_eq!(verified(b"abcdefgh", lines(2)), Some(5));
        assert_eq!(verified(b"abcdefgh", lines(1)), Some(3));
        assert_eq!(
            verified(b"abcdefgh", |text| text[..text.len() - 1].to_owned()),
            Some(5),
            "the last line is truncated"
        );
        assert_eq!(verified(b"abcdefgh", |text| text.replace('\n', "\n\0")), Some(3));
    }

    #[test]
    fn detects_changed_synced_bytes() {
        for part in [b"Abcdefgh".as_slice(), b"abCdefgh", b"ab", b""] {
            assert_eq!(verified(part, |text| text), None, "{part:?}");
        }
    }

    #[test]
    fn requests_the_last_byte_of_a_complete_file_again() {
        let part = tempfile::tempfile().unwrap();
        (&part).write_all(b"abcdefghij").unwrap();
        let mut complete = ResumeRecord { synced: Checksum::of(b"abcdefghij".as_slice()).unwrap(), ..record() };
        assert!(complete.verify(&part).unwrap());
        assert_eq!(complete.synced, Checksum::of(b"abcdefghi".as_slice()).unwrap());
        assert_eq!(complete.resume_point().unwrap().0, 9);
    }

    #[test]
    fn deletes_temporary_files_of_killed_processes() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["a.zip.part.json", "b.zip.part.json"].map(|name| folder.path().join(name));
        record().write(&path).unwrap();
        create_temporary(&path).unwrap().keep().unwrap();
        let (_, kept) = create_temporary(&other).unwrap().keep().unwrap();
        ResumeRecord::remove_temporary_files(&path);
        let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        assert_eq!(names, [kept, path], "temporary files of another record are kept");
    }

    #[test]
    fn does_not_resume_without_bytes_length_or_validator() {
        let position = |bytes: &[u8], length| {
            let meta = PackageMeta { length, ..record().meta };
            let record = ResumeRecord { synced: Checksum::of(bytes).unwrap(), meta, ..record() };
            record.resume_point().map(|(position, _)| position)
        };
        assert_eq!(position(b"abcdefg", Some(10)), Some(7));
        assert_eq!((position(b"", Some(10)), position(b"", Some(0)), position(b"abcdefg", None)), (None, None, None));
        let meta = PackageMeta { validator: None, ..record().meta };
        assert_eq!(ResumeRecord { meta, ..record() }.resume_point(), None);
    }

    proptest! {
        #![proptest_config(crate::properties::cases(256))]

        #[test]
        fn parses_any_bytes_without_panic(text in "\\{?(\"version\": ?[12],?)?.{0,60}\\}?", cut in 0..100_usize) {
            let _ = ResumeRecord::parse(text.as_bytes());
            let complete = serde_json::to_vec(&record()).unwrap();
            if cut < complete.len() {
                prop_assert_eq!(ResumeRecord::parse(&complete[..cut]), RecordState::Damaged);
            }
        }
    }
}
