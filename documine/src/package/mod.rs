//! What is inside a result package: [`Contents`].
//!
//! A package comes from elsewhere, so nothing that it says of itself is believed before it is counted. How packages are laid out is not
//! published: what an entry is taken for ([`EntryKind`]) is inferred.
//!
//! Packages are read on threads of their own. Where a library below panics over one, that is an error of the call
//! ([`ErrorKind::Integrity`](crate::ErrorKind::Integrity)). A program that is built with `panic = "abort"` has no such net: there a panic
//! ends the whole program, as everywhere else in it. Our own code does not panic over anything that a package holds.

mod archive;
mod at;
mod end;
mod entry;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod headers;
mod limits;
mod names;
mod report;
mod stream;
mod trouble;
mod unpack;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tempfile::TempDir;

use archive::Archive;
use at::At;
use report::MemoryBudget;
use trouble::Trouble;

use crate::client::Call;
use crate::disk::blocking;
use crate::error::{Error, Result};
use crate::json_memory;
use crate::models::{DownloadId, FileComponents};
use crate::resources::components::Components;
use crate::resources::downloads::Package;

pub use entry::{Entry, EntryKind};
pub use limits::PackageLimits;
pub use report::{Cell, Report, Row, Sheet};
pub use stream::EntryStream;
pub use unpack::{Renamed, Skipped, Unpacked};

/// The limit for what components are built to, as a multiple of the memory for their JSON.
const BUILT: u64 = 4;

/// What is inside a package: its entries, to be read one by one or unpacked.
///
/// An archive that would do harm is refused as a whole when it is opened: names that lead out of the folder, links, two entries of one name,
/// entries that share bytes or are described in two ways, more than [`PackageLimits`] allow. What is read is counted, and its checksum
/// compared. An entry that is encrypted, or packed in a way that packages do not use, costs no other one ([`Entry::unreadable`]), and a name
/// that some system can't hold gets another path when it is unpacked ([`Renamed`]).
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
pub struct Contents {
    archive: Arc<Archive<At>>,
    shown: Arc<str>,
    path: PathBuf,
    /// Where the package lies that was fetched to be looked into.
    folder: Option<Arc<TempDir>>,
}

impl Contents {
    /// Opens a package on disk, within the usual limits.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity) for an archive that is damaged, hostile or too large,
    /// [`ErrorKind::File`](crate::ErrorKind::File) where the file can't be read.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        Self::open_within(path, PackageLimits::default()).await
    }

    /// Opens a package on disk, within limits of the caller's.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_within(path: impl Into<PathBuf>, limits: PackageLimits) -> Result<Self> {
        let path = path.into();
        let shown = path.display().to_string();
        Self::look_into(path, shown, limits, None).await
    }

    async fn look_into(
        path: PathBuf,
        shown: String,
        limits: PackageLimits,
        folder: Option<Arc<TempDir>>,
    ) -> Result<Self> {
        let (file, within) = (path.clone(), folder.clone());
        let look = move || {
            // Some systems delete no folder in which a file is open.
            let _within = within;
            // Looked at before it is opened: opening a pipe would wait for its other end.
            let cannot = |error| Trouble::File("the file can't be read".to_owned(), error);
            if !std::fs::metadata(&file).map_err(cannot)?.is_file() {
                return Err(Trouble::Input("this is no file; name one that holds a package".to_owned()));
            }
            Archive::open(At::new(File::open(&file).map_err(cannot)?), limits)
        };
        match ended(blocking(look).await) {
            Ok(archive) => Ok(Self { archive: Arc::new(archive), shown: shown.into(), path, folder }),
            Err(trouble) => Err(trouble.into_error(&shown)),
        }
    }

    /// Where the package lies: the file that was opened, or the temporary one that was fetched.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its files, in the package's own order.
    pub fn entries(&self) -> &[Entry] {
        self.archive.files()
    }

    /// The documents as they were uploaded, by the folder they lie in (inferred: see [`EntryKind`]).
    pub fn originals(&self) -> impl Iterator<Item = &Entry> {
        self.entries().iter().filter(|entry| entry.kind == EntryKind::Original)
    }

    /// Reads an entry as a whole, if it is within [`PackageLimits::memory_bytes`].
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity) where the bytes are not those that were packed,
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) where there is no entry of that name.
    pub async fn read(&self, name: &str) -> Result<Bytes> {
        let name = name.to_owned();
        self.work(move |archive, stop| archive.read(archive.entry(&name)?, stop).map(Bytes::from)).await
    }

    /// Reads an entry piece by piece, of whatever size, without a file in between. Within a tokio runtime.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) where there is no entry of that name.
    pub fn stream(&self, name: &str) -> Result<EntryStream> {
        let entry = self.archive.entry(name).cloned();
        let stream =
            entry.and_then(|entry| EntryStream::new(Arc::clone(&self.archive), entry, Arc::clone(&self.shown)));
        stream.map_err(|trouble| trouble.into_error(&self.shown))
    }

    /// Reads everything once that can be read, so that a damaged entry is noticed by its checksum.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity), naming the entry.
    pub async fn check(&self) -> Result<()> {
        self.work(Archive::check).await
    }

    /// Unpacks everything into a new folder. It appears under its name only when it is whole and safe on disk; until then it is a temporary
    /// folder beside it, which goes when this fails or is dropped. Files have the rights that the umask leaves, and none is executable.
    ///
    /// The paths are the same on every system. Where one is not the entry's name, [`Unpacked::renamed`] says so; entries that can't be read
    /// are left out and listed in [`Unpacked::skipped`].
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) where something of that name is there already, else as [`read`](Self::read).
    pub async fn unpack_to(&self, folder: impl Into<PathBuf>) -> Result<Unpacked> {
        let folder = folder.into();
        self.work(move |archive, stop| unpack::unpack(archive, &folder, stop)).await
    }

    /// Reads the extraction reports.
    ///
    /// # Errors
    /// As [`read`](Self::read), also for an entry that is no sound XLSX file; [`reports_each`](Self::reports_each) reads the others all the
    /// same.
    pub async fn reports(&self) -> Result<Vec<Report>> {
        self.reports_each().await?.into_iter().collect()
    }

    /// Reads the extraction reports, in the package's order. One that can't be read costs no other one; its error names its entry.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) where the package itself can't be read.
    pub async fn reports_each(&self) -> Result<Vec<Result<Report>>> {
        self.work_each(|archive, stop| {
            let mut memory = MemoryBudget::new(archive.limits());
            let entries = archive.files().iter().filter(|entry| entry.kind == EntryKind::Report);
            entries.map(|entry| report::read(archive, entry, &mut memory, stop)).collect()
        })
        .await
    }

    /// Any XLSX entry as a report, wherever it lies.
    ///
    /// # Errors
    /// As [`reports`](Self::reports), and [`ErrorKind::Input`](crate::ErrorKind::Input) where there is no entry of that name.
    pub async fn report_named(&self, name: &str) -> Result<Report> {
        let name = name.to_owned();
        self.work(move |archive, stop| {
            report::read(archive, archive.entry(&name)?, &mut MemoryBudget::new(archive.limits()), stop)
        })
        .await
    }

    /// The extraction report of a package that has one.
    ///
    /// # Errors
    /// As [`reports`](Self::reports), and [`ErrorKind::Input`](crate::ErrorKind::Input) where there is none or more than one.
    pub async fn report(&self) -> Result<Report> {
        let number = self.entries().iter().filter(|entry| entry.kind == EntryKind::Report).count();
        let mut reports = if number == 1 { self.reports().await? } else { Vec::new() };
        let why = || Error::input(format!("{}: it holds {number} reports, not one; see `reports()`", self.shown));
        reports.pop().ok_or_else(why)
    }

    /// Reads the components of each file, as [`FileHandle::components`](crate::FileHandle::components) gives them, from the entries in JSON.
    ///
    /// # Errors
    /// As [`read`](Self::read), also for an entry that is not the components of a file; [`components_each`](Self::components_each) reads the
    /// others all the same.
    pub async fn components(&self) -> Result<Vec<Components>> {
        self.components_each().await?.into_iter().collect()
    }

    /// Reads the components of each file, in the package's order. An entry that can't be read costs no other one; its error names it.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) where the package itself can't be read.
    pub async fn components_each(&self) -> Result<Vec<Result<Components>>> {
        self.work_each(|archive, stop| {
            let exports = archive.files().iter().filter(|entry| entry.kind == EntryKind::Components);
            let json = exports.filter(|entry| entry.name.to_ascii_lowercase().ends_with(".json"));
            let most = archive.limits().memory_bytes;
            let (mut text, mut built) = (most, most.saturating_mul(BUILT));
            json.map(|entry| {
                let less = |left: u64, bytes: u64| {
                    let why = "is too much for the memory with those before it; read it by itself, or raise `PackageLimits::memory_bytes`";
                    left.checked_sub(bytes).ok_or_else(|| Trouble::entry(&entry.name, why))
                };
                let less_text = less(text, entry.size)?;
                let bytes = archive.read(entry, stop)?;
                let less_built = less(built, json_memory::estimate(&bytes) as u64)?;
                let model: FileComponents = serde_json::from_slice(&bytes).map_err(|error| {
                    Trouble::entry(&entry.name, format!("is not the components of a file: {error}"))
                })?;
                (text, built) = (less_text, less_built);
                Ok(model.into())
            })
            .collect()
        })
        .await
    }

    /// Deletes what [`Package::open`] has fetched, on the blocking thread pool. Dropping the contents does the same on its own thread and ignores
    /// errors. A file of the caller's stays.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File).
    pub async fn close(self) -> Result<()> {
        // Nobody else has it any more, unless a thread still reads for a call that was dropped: then it goes with that.
        let Some(folder) = self.folder.and_then(Arc::into_inner) else { return Ok(()) };
        let closed = blocking(move || folder.close()).await.flatten();
        closed.map_err(|error| Error::file(format!("{}: what was fetched can't be deleted", self.shown), error))
    }

    /// Does such work on several entries, each with an outcome of its own.
    async fn work_each<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Archive<At>, &AtomicBool) -> Vec<Result<T, Trouble>> + Send + 'static,
    ) -> Result<Vec<Result<T>>> {
        let each = self.work(move |archive, stop| {
            let each = work(archive, stop).into_iter();
            // What is wrong with one entry is its own; that the file can't be read concerns them all.
            let of_one = |outcome: Result<T, Trouble>| match outcome {
                Err(trouble @ (Trouble::File(..) | Trouble::Stopped)) => Err(trouble),
                outcome => Ok(outcome),
            };
            each.map(of_one).collect::<Result<Vec<_>, Trouble>>()
        });
        let each = each.await?.into_iter();
        Ok(each.map(|outcome| outcome.map_err(|trouble| trouble.into_error(&self.shown))).collect())
    }

    /// Does work that blocks, on a thread for that; it ends soon after nobody waits for it.
    async fn work<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Archive<At>, &AtomicBool) -> Result<T, Trouble> + Send + 'static,
    {
        let stop = Stop(Arc::new(AtomicBool::new(false)));
        let (archive, seen) = (Arc::clone(&self.archive), Arc::clone(&stop.0));
        ended(blocking(move || work(&archive, &seen)).await).map_err(|trouble| trouble.into_error(&self.shown))
    }
}

/// Reads everything in a package once, wherever it lies.
pub(crate) async fn look_over(file: File, limits: PackageLimits) -> Result<()> {
    let stop = Stop(Arc::new(AtomicBool::new(false)));
    let seen = Arc::clone(&stop.0);
    let look = move || Archive::open(At::new(file), limits)?.check(&seen);
    ended(blocking(look).await).map_err(|trouble| trouble.into_error("the package that came"))
}

/// Work ends by force where a library meets what it did not think of.
fn ended<T>(result: io::Result<Result<T, Trouble>>) -> Result<T, Trouble> {
    result.unwrap_or_else(|_| Err(Trouble::refused("what reads it broke off; fetch the package again")))
}

/// Tells the work to stop when it is dropped.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How a package is looked into.
#[derive(Debug, Clone)]
pub struct Opening {
    package: Package,
    limits: PackageLimits,
    max_bytes: u64,
}

/// The largest package that is fetched to be opened: temporary folders are often in memory.
const MAX_BYTES: u64 = 1 << 30;

impl Package {
    /// Fetches it into a temporary file and opens that (`downloadPackage`). The file is this user's alone, and gone when the
    /// [`Contents`] are closed or dropped. A package of more than [1 GiB](Call::max_bytes) is refused.
    pub fn open(&self) -> Call<Opening, Contents> {
        let opening = Opening { package: self.clone(), limits: PackageLimits::default(), max_bytes: MAX_BYTES };
        Call::new(&self.handle.client, opening, |client, opening, options| {
            Box::pin(async move {
                let shown = shown(opening.package.id());
                let made = blocking(private_folder).await.flatten();
                let folder = made.map_err(|error| Error::file(format!("{shown}: no temporary folder"), error))?;
                let folder = Arc::new(folder);
                let saving = opening.package.save_within(&folder, opening.max_bytes);
                let contents = match saving.run()(client, saving.params, options).await {
                    Ok(saved) => {
                        Contents::look_into(saved.path, shown, opening.limits, Some(Arc::clone(&folder))).await
                    }
                    Err(error) => Err(error),
                };
                // Where that failed, the folder is deleted here, which takes a while for a large package.
                let _ = blocking(move || drop(folder)).await;
                contents
            })
        })
    }
}

impl Call<Opening, Contents> {
    /// Sets the largest package that is fetched, in bytes. Default: 1 GiB. A package that announces more fails before its first byte is
    /// taken, one that announces nothing as soon as more has come: [`ErrorKind::Integrity`](crate::ErrorKind). For larger packages, see
    /// also [`Package::save_to`] and [`Contents::open`].
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.params.max_bytes = bytes;
        self
    }

    /// How much the package may hold. Default: [`PackageLimits::default`].
    pub fn limits(mut self, limits: PackageLimits) -> Self {
        self.params.limits = limits;
        self
    }
}

/// A temporary folder that nobody else can look into: others share the place where it is made.
fn private_folder() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("documine-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir()
}

fn shown(id: &DownloadId) -> String {
    format!("package {id}")
}
