//! An opened package.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use tempfile::TempDir;

use super::archive::Archive;
use super::entry::{Entry, EntryKind};
use super::error::PackageError;
use super::limits::PackageLimits;
use super::positioned_file::PositionedFile;
use super::report::{self, MemoryBudget, Report};
use super::stream::EntryStream;
use super::unpack::{self, Unpacked};
use super::verify::{blocking_read, run_cancellable};
use crate::disk::blocking;
use crate::error::{Error, Result};
use crate::json_memory;
use crate::models::FileComponents;
use crate::resources::components::Components;

/// Memory limit for parsed components, as a multiple of the limit for their JSON.
const PARSED_FACTOR: u64 = 4;

/// The entries of a package, which can be read one by one or unpacked.
///
/// An archive that could do harm is rejected as a whole when it is opened: names that lead out of the folder, links, duplicate names, entries
/// that overlap or have contradictory headers, and everything beyond [`PackageLimits`]. While an entry is read, its size is counted and its
/// checksum compared. An entry that is encrypted or uses an unsupported compression method does not affect other entries
/// ([`Entry::unreadable`]). An entry whose name is not valid on every system is unpacked under another path ([`Renamed`](super::Renamed)).
///
/// ```
/// # async fn f(package: documine::Package) -> documine::Result<()> {
/// let contents = package.open().await?;
/// for entry in contents.entries() {
///     println!("{} has {} bytes: {:?}", entry.name(), entry.size(), entry.kind());
/// }
/// for sheet in contents.report().await?.sheets {
///     println!("{}: {} rows", sheet.name, sheet.rows.len());
/// }
/// contents.unpack_to("q3").await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct PackageArchive {
    archive: Arc<Archive<PositionedFile>>,
    /// Name of the package in error texts.
    label: Arc<str>,
    path: PathBuf,
    /// Folder of a package that was downloaded to be opened.
    temp_dir: Option<Arc<TempDir>>,
}

impl PackageArchive {
    /// Opens a package on disk with the default limits.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity) for an archive that is damaged, malicious or too large,
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the file cannot be read.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        Self::open_within(path, PackageLimits::default()).await
    }

    /// Opens a package on disk with the given limits.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub async fn open_within(path: impl Into<PathBuf>, limits: PackageLimits) -> Result<Self> {
        let path = path.into();
        let label = path.display().to_string();
        Self::open_file(path, label, limits, None).await
    }

    pub(super) async fn open_file(
        path: PathBuf,
        label: String,
        limits: PackageLimits,
        temp_dir: Option<Arc<TempDir>>,
    ) -> Result<Self> {
        let (file, folder) = (path.clone(), temp_dir.clone());
        let open = move || {
            // Kept until the file is closed: some systems cannot delete a folder that contains an open file.
            let _folder = folder;
            let read_error = |error| PackageError::Read("cannot read the file".to_owned(), error);
            // Checked before opening, because opening a pipe blocks until it has a writer.
            if !std::fs::metadata(&file).map_err(read_error)?.is_file() {
                return Err(PackageError::Input("not a regular file; pass the path of a package".to_owned()));
            }
            Archive::open(PositionedFile::new(File::open(&file).map_err(read_error)?), limits)
        };
        match blocking_read(open).await {
            Ok(archive) => Ok(Self { archive: Arc::new(archive), label: label.into(), path, temp_dir }),
            Err(error) => Err(error.into_error(&label)),
        }
    }

    /// Returns the path of the opened file, or of the temporary file of a downloaded package.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the files of the package, in the order of the package.
    pub fn entries(&self) -> &[Entry] {
        self.archive.files()
    }

    /// Returns the documents as uploaded, recognised by their folder (inferred: see [`EntryKind`]).
    pub fn originals(&self) -> impl Iterator<Item = &Entry> {
        self.entries().iter().filter(|entry| entry.kind == EntryKind::Original)
    }

    /// Reads a whole entry of at most [`PackageLimits::memory_bytes`].
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity) if the bytes do not match the checksum,
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) if no entry has that name.
    pub async fn read(&self, name: &str) -> Result<Bytes> {
        let name = name.to_owned();
        self.run(move |archive, cancelled| archive.read(archive.entry(&name)?, cancelled).map(Bytes::from)).await
    }

    /// Streams an entry of any size without a temporary file. Requires a tokio runtime.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) if no entry has that name.
    pub fn stream(&self, name: &str) -> Result<EntryStream> {
        let entry = self.archive.entry(name).cloned();
        let stream =
            entry.and_then(|entry| EntryStream::new(Arc::clone(&self.archive), entry, Arc::clone(&self.label)));
        stream.map_err(|error| error.into_error(&self.label))
    }

    /// Reads every readable entry once and compares its checksum.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity), naming the entry.
    pub async fn check(&self) -> Result<()> {
        self.run(Archive::check).await
    }

    /// Unpacks all entries into a new folder. The folder appears under its name only when it is complete and synced to disk. Until then it is a
    /// temporary folder in the same parent, which is deleted if the call fails or is dropped. File permissions follow the umask; no file is
    /// executable.
    ///
    /// Paths are the same on every system. [`Unpacked::renamed`] lists the files whose path differs from the name of their entry;
    /// [`Unpacked::skipped`] lists the entries that cannot be read.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) if the target exists, otherwise as for [`read`](Self::read).
    pub async fn unpack_to(&self, folder: impl Into<PathBuf>) -> Result<Unpacked> {
        let folder = folder.into();
        self.run(move |archive, cancelled| unpack::unpack(archive, &folder, cancelled)).await
    }

    /// Reads all extraction reports.
    ///
    /// # Errors
    /// As for [`read`](Self::read), also for an invalid XLSX file. [`reports_each`](Self::reports_each) still reads the other reports.
    pub async fn reports(&self) -> Result<Vec<Report>> {
        self.reports_each().await?.into_iter().collect()
    }

    /// Reads the extraction reports, in the order of the package. Each report has its own result; an error names the entry.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the package itself cannot be read.
    pub async fn reports_each(&self) -> Result<Vec<Result<Report>>> {
        self.run_each(|archive, cancelled| {
            let mut memory = MemoryBudget::new(archive.limits());
            let entries = archive.files().iter().filter(|entry| entry.kind == EntryKind::Report);
            entries.map(|entry| report::read(archive, entry, &mut memory, cancelled)).collect()
        })
        .await
    }

    /// Reads any XLSX entry as a report, in whichever folder it lies.
    ///
    /// # Errors
    /// As for [`reports`](Self::reports), and [`ErrorKind::Input`](crate::ErrorKind::Input) if no entry has that name.
    pub async fn report_named(&self, name: &str) -> Result<Report> {
        let name = name.to_owned();
        self.run(move |archive, cancelled| {
            report::read(archive, archive.entry(&name)?, &mut MemoryBudget::new(archive.limits()), cancelled)
        })
        .await
    }

    /// Reads the extraction report of a package that has exactly one.
    ///
    /// # Errors
    /// As for [`reports`](Self::reports), and [`ErrorKind::Input`](crate::ErrorKind::Input) if there is none or more than one.
    pub async fn report(&self) -> Result<Report> {
        let count = self.entries().iter().filter(|entry| entry.kind == EntryKind::Report).count();
        let mut reports = if count == 1 { self.reports().await? } else { Vec::new() };
        let wrong_count = || Error::input(format!("{}: {count} reports, expected one; use `reports()`", self.label));
        reports.pop().ok_or_else(wrong_count)
    }

    /// Reads the components of all files from the JSON entries, in the form of [`FileHandle::components`](crate::FileHandle::components).
    ///
    /// # Errors
    /// As for [`read`](Self::read), also for an entry that does not contain components. [`components_each`](Self::components_each) still reads
    /// the other entries.
    pub async fn components(&self) -> Result<Vec<Components>> {
        self.components_each().await?.into_iter().collect()
    }

    /// Reads the components of each file, in the order of the package. Each entry has its own result; an error names the entry.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the package itself cannot be read.
    pub async fn components_each(&self) -> Result<Vec<Result<Components>>> {
        self.run_each(|archive, cancelled| {
            let exports = archive.files().iter().filter(|entry| entry.kind == EntryKind::Components);
            let json = exports.filter(|entry| entry.name.to_ascii_lowercase().ends_with(".json"));
            let limit = archive.limits().memory_bytes;
            let (mut json_left, mut parsed_left) = (limit, limit.saturating_mul(PARSED_FACTOR));
            json.map(|entry| {
                let charge = |left: u64, bytes: u64| {
                    let reason =
                        "memory limit of the call exceeded; read the entry alone, or raise `PackageLimits::memory_bytes`";
                    left.checked_sub(bytes).ok_or_else(|| PackageError::entry(&entry.name, reason))
                };
                let json_after = charge(json_left, entry.size)?;
                let bytes = archive.read(entry, cancelled)?;
                let parsed_after = charge(parsed_left, json_memory::estimate(&bytes) as u64)?;
                let model: FileComponents = serde_json::from_slice(&bytes).map_err(|error| {
                    PackageError::entry(&entry.name, format!("not the components of a file: {error}"))
                })?;
                (json_left, parsed_left) = (json_after, parsed_after);
                Ok(model.into())
            })
            .collect()
        })
        .await
    }

    /// Deletes the file downloaded by [`Package::open`](crate::Package::open), on the blocking thread pool. Dropping the contents deletes the
    /// file on the current thread and ignores errors. A file opened with [`PackageArchive::open`] is not deleted.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File).
    pub async fn close(self) -> Result<()> {
        // A read that outlives its dropped call may still hold the folder and then deletes the folder when it ends.
        let Some(folder) = self.temp_dir.and_then(Arc::into_inner) else { return Ok(()) };
        let closed = blocking(move || folder.close()).await.flatten();
        closed.map_err(|error| Error::file(format!("{}: cannot delete the downloaded file", self.label), error))
    }

    /// Runs work on several entries, each with its own result.
    async fn run_each<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Archive<PositionedFile>, &AtomicBool) -> Vec<Result<T, PackageError>> + Send + 'static,
    ) -> Result<Vec<Result<T>>> {
        let results = self.run(move |archive, cancelled| {
            // An unreadable file concerns every entry; other errors concern one entry.
            let split = |result: Result<T, PackageError>| match result {
                Err(error @ (PackageError::Read(..) | PackageError::Cancelled)) => Err(error),
                result => Ok(result),
            };
            work(archive, cancelled).into_iter().map(split).collect::<Result<Vec<_>, PackageError>>()
        });
        let results = results.await?.into_iter();
        Ok(results.map(|result| result.map_err(|error| error.into_error(&self.label))).collect())
    }

    /// Runs work on the blocking thread pool. Dropping the future cancels the work.
    async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Archive<PositionedFile>, &AtomicBool) -> Result<T, PackageError> + Send + 'static,
    {
        let archive = Arc::clone(&self.archive);
        let result = run_cancellable(move |cancelled| work(&archive, cancelled)).await;
        result.map_err(|error| error.into_error(&self.label))
    }
}
