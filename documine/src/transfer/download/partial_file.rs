//! A partial file that is kept for a later call: `NAME.part` with its resume record `NAME.part.json`. A file lock excludes other processes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempPath;

use super::checksum::Checksum;
use super::owned_file::{self, Owner};
use super::package_meta::PackageMeta;
use super::resume_record::{RecordState, ResumeRecord, VERSION, with_suffix};
use crate::disk::{folder_of, sync_folder};
use crate::error::{Error, ErrorKind, Result};
use crate::models::DownloadId;
use crate::transfer::destination::write_error;

/// Bytes between two syncs. Syncing is slow, so the bytes in between are only recorded with their checksum.
const SYNC_INTERVAL: u64 = 4 * 1024 * 1024;

/// A locked partial file and its resume record. The open file itself is held by the caller.
pub(crate) struct PartialFile {
    part: PathBuf,
    record_path: PathBuf,
    record: ResumeRecord,
    /// Bytes written after the synced bytes.
    tail: Checksum,
    is_closed: bool,
    /// False once no later call can use the partial file.
    is_resumable: bool,
}

impl PartialFile {
    /// Opens an existing partial file or creates a new one. A partial file of another download or with changed bytes is reset. A file that is
    /// not a partial file of the current user is not modified.
    pub(crate) fn open(part: PathBuf, id: DownloadId) -> Result<(Self, File)> {
        let record_path = with_suffix(&part, ".json");
        let part_error = |error| write_error(&part, error);
        let (file, owner) = open_locked(&part, &record_path)?;
        let length = file.metadata().map_err(part_error)?.len();
        let record = read_record(&part, &record_path, length, &id, owner).and_then(|record| {
            let mut record = record.unwrap_or_else(|| ResumeRecord::new(id.clone()));
            if !record.verify(&file).map_err(part_error)? {
                record = ResumeRecord::new(id);
            }
            // Written and synced before the first byte, so that a partial file never exists without its record.
            record.write(&record_path).map_err(|error| write_error(&record_path, error))?;
            sync_folder(folder_of(&record_path));
            Ok(record)
        });
        let record = record.inspect_err(|_| {
            if length == 0 {
                let _ = fs::remove_file(&part);
            }
        })?;
        let tail = Checksum::default();
        Ok((Self { part, record_path, record, tail, is_closed: false, is_resumable: true }, file))
    }

    /// Returns the position and metadata to resume with.
    pub(crate) fn resume_point(&self) -> Option<(u64, PackageMeta)> {
        self.record.resume_point()
    }

    /// Continues after the synced bytes, or restarts at byte 0. The record is replaced before any byte is.
    pub(crate) fn start_at(&mut self, position: u64, meta: PackageMeta) -> io::Result<()> {
        if position == 0 {
            self.record.synced = Checksum::default();
        } else if position != self.record.synced.bytes {
            return Err(io::Error::other("the download continues at another position than the partial file ends"));
        }
        self.record.meta = meta;
        self.tail = Checksum::default();
        self.record.write(&self.record_path)
    }

    /// Records chunks that were written to the file.
    pub(crate) fn record_written(&mut self, file: &File, chunks: &[Bytes]) -> io::Result<()> {
        if chunks.is_empty() {
            return Ok(());
        }
        for chunk in chunks {
            self.tail.update(chunk);
        }
        if self.tail.bytes >= SYNC_INTERVAL {
            return self.sync(file);
        }
        // A failure only makes a later call download these bytes again.
        let _ = ResumeRecord::append_tail(&self.record_path, self.tail);
        Ok(())
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()?;
        let before = (self.record.synced, self.tail);
        self.record.synced.append(std::mem::take(&mut self.tail));
        let written = self.record.write(&self.record_path);
        if written.is_err() {
            (self.record.synced, self.tail) = before;
        }
        written
    }

    /// Marks the partial file as useless for later calls.
    pub(crate) fn discard(&mut self) {
        self.is_resumable = false;
    }

    /// Renames the complete file with `rename` and deletes the record. A crash in between is harmless, because a record without a partial file
    /// has no effect.
    pub(crate) fn finish(
        &mut self,
        file: &File,
        rename: impl FnOnce(TempPath) -> io::Result<PathBuf>,
    ) -> io::Result<PathBuf> {
        if !is_same_file(file, &self.part) {
            return Err(io::Error::other("the partial file was replaced by another file; download the package again"));
        }
        let mut part = TempPath::try_from_path(&self.part)?;
        part.disable_cleanup(true);
        let path = rename(part)?;
        self.is_closed = true;
        let _ = fs::remove_file(&self.record_path);
        Ok(path)
    }

    /// Syncs a partial file that a later call can resume, and deletes any other.
    pub(crate) fn close(&mut self, file: &File) {
        if self.is_closed {
            return;
        }
        self.is_closed = true;
        let PackageMeta { validator, length, .. } = &self.record.meta;
        let is_resumable = self.is_resumable && validator.is_some() && length.is_some();
        if !(is_resumable && self.settle(file).is_ok_and(|bytes| bytes > 0)) {
            self.remove();
        }
    }

    /// Truncates the file to the recorded bytes and syncs them. If syncing fails, the bytes synced before are kept. Returns their number.
    fn settle(&mut self, file: &File) -> io::Result<u64> {
        // Truncated first: on a full disk, the record needs the space of an incomplete write.
        file.set_len(self.record.synced.bytes + self.tail.bytes)?;
        if self.tail.bytes > 0 && self.sync(file).is_err() {
            self.tail = Checksum::default();
            file.set_len(self.record.synced.bytes)?;
        }
        Ok(self.record.synced.bytes)
    }

    /// Deletes the partial file before its record, so that a partial file never exists without a record.
    fn remove(&self) {
        let _ = fs::remove_file(&self.part);
        let _ = fs::remove_file(&self.record_path);
    }
}

/// Reads the record of a partial file with the given length. Returns `None` if the record does not match the file or the download.
fn read_record(
    part: &Path,
    record_path: &Path,
    length: u64,
    id: &DownloadId,
    owner: Owner,
) -> Result<Option<ResumeRecord>> {
    match ResumeRecord::read(record_path, owner).map_err(|error| write_error(record_path, error))? {
        RecordState::NewerVersion(version) => Err(Error::new(
            ErrorKind::File,
            format!(
                "{} has version {version}, newer than the supported version {VERSION}; update the SDK, or delete the file",
                record_path.display()
            ),
        )),
        RecordState::Missing if length > 0 => {
            let reason = "file exists and is not a resumable download; move it away";
            Err(write_error(part, io::Error::other(reason)))
        }
        // A file shorter than its synced bytes has lost data.
        RecordState::Valid(record) if record.download_id == *id && record.synced.bytes <= length => Ok(Some(record)),
        _ => Ok(None),
    }
}

/// Opens and locks the partial file. Returns the open file, which holds the lock, and its owner.
fn open_locked(part: &Path, record_path: &Path) -> Result<(File, Owner)> {
    let part_error = |error| write_error(part, error);
    // Repeated, because another call may rename the file between opening and locking.
    for _ in 0..3 {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let (file, owner, existed) = match options.clone().create_new(true).open(part) {
            Ok(file) => {
                let owner = owned_file::owner_of(&file.metadata().map_err(part_error)?);
                (file, owner, false)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let owner = ResumeRecord::owner_of_new_files(record_path).map_err(part_error)?;
                match owned_file::open(part, &mut options, owner).map_err(part_error)? {
                    Some(file) => (file, owner, true),
                    None => continue,
                }
            }
            Err(error) => return Err(part_error(error)),
        };
        match file.try_lock() {
            Ok(()) if is_same_file(&file, part) => {
                if existed {
                    ResumeRecord::remove_temporary_files(record_path);
                }
                return Ok((file, owner));
            }
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let reason = "another process is downloading it; wait for that process, or choose another path";
                return Err(part_error(io::Error::other(reason)));
            }
            Err(TryLockError::Error(error)) => return Err(part_error(error)),
        }
    }
    Err(part_error(io::Error::other("the file is replaced repeatedly by other processes")))
}

/// Returns whether a path still names the open file.
fn is_same_file(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), path.symlink_metadata()) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (open.dev(), open.ino()) == (named.dev(), named.ino())
    }
    #[cfg(not(unix))]
    {
        open.len() == named.len()
    }
}
