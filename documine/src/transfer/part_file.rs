//! A file that appears under its name only when it is whole.
//!
//! Until then its bytes are in another file beside it: a temporary one that goes with the call, or a part that another call goes on with.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::{TempDir, TempPath};

use super::download::TooLarge;
use super::download::claim::{Claim, Hold};
use super::download::kept::Kept;
use super::download::name::numbered;
use super::download::offer::Rest;
use super::download::sidecar::Sidecar;
use super::download::zip_end;
use crate::clock::Clock;
use crate::disk::{blocking, folder_of, put_in_place, reason, sync_folder};
use crate::error::{Error, ErrorKind, Result};
use crate::models::DownloadId;

/// So many bytes are gathered before a thread writes them.
const GATHERED: usize = 256 * 1024;
/// The highest number behind a name.
const MOST_NUMBERS: u32 = 9_999;

/// What becomes of a file that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum IfExists {
    /// The new file takes its place, in one step.
    #[default]
    Replace,
    /// It stays, and the call fails.
    Refuse,
    /// It stays, and the new file gets a number: `name (2).zip`.
    Number,
}

/// Where the file goes.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// To this path.
    At(PathBuf),
    /// Into this folder, under a name that is not known yet.
    In(PathBuf),
}

impl Place {
    fn path(&self) -> &Path {
        let (Self::At(path) | Self::In(path)) = self;
        path
    }
}

/// The parameters of a download that leaves a part for another call.
pub(crate) struct Resumable {
    pub(crate) id: DownloadId,
    pub(crate) clock: Arc<dyn Clock>,
    /// The longest wait for another call that has the part.
    pub(crate) deadline: Option<Duration>,
}

impl Resumable {
    /// Claims the part of a download to `place`, so that no other call of this process writes it.
    async fn claim(&self, place: &Place, rule: IfExists) -> Result<Claim> {
        let (place, part) = (place.clone(), Kept::part_of(place, &self.id));
        let shown = part.clone();
        let known = move || -> Result<PathBuf> {
            check(&place, rule).map_err(|error| trouble(place.path(), error))?;
            let folder = folder_of(&part).canonicalize().map_err(|error| trouble(&part, error))?;
            Ok(folder.join(part.file_name().unwrap_or_default()))
        };
        let key = blocking(known).await.map_err(|error| trouble(&shown, error))??;
        let busy = || io::Error::other("another call is fetching it; wait for that call, or choose another place");
        Claim::take(key, &*self.clock, self.deadline).await.ok_or_else(|| trouble(&shown, busy()))
    }
}

pub(crate) struct PartFile {
    place: Place,
    rule: IfExists,
    /// `None` while a thread has it, and after the end.
    disk: Option<Disk>,
    /// What of the file has come and is not written yet.
    gathered: Vec<u8>,
    /// Gone with the call, at once, even while a thread still writes.
    temporary: Option<TempPath>,
    /// The claim to a part, dropped with the call.
    _claim: Option<Claim>,
}

/// What a thread works on.
pub(super) struct Disk {
    file: File,
    kept: Option<Kept>,
    /// The temporary folder around the file. It goes with the last one who has it: what is deleted while a thread makes files in it would stay.
    _within: Option<Arc<TempDir>>,
    /// Given up behind everything else, when the part is at rest.
    _hold: Option<Arc<Hold>>,
}

impl PartFile {
    /// Begins the file, or goes on with the part of an earlier call where `resumable` says whose it has to be. Done before anything is fetched,
    /// so that nothing is fetched for a place that can't be written.
    pub(crate) async fn open(
        place: Place,
        rule: IfExists,
        resumable: Option<Resumable>,
        within: Option<Arc<TempDir>>,
    ) -> Result<Self> {
        let claim = match &resumable {
            Some(resumable) => Some(resumable.claim(&place, rule).await?),
            None => None,
        };
        let hold = claim.as_ref().map(Claim::hold);
        let (where_to, shown) = (place.clone(), place.path().to_owned());
        let open = move || -> Result<(Disk, Option<TempPath>)> {
            let told = |error| trouble(where_to.path(), error);
            check(&where_to, rule).map_err(told)?;
            if let Some(Resumable { id, .. }) = resumable {
                let (kept, file) = Kept::open(Kept::part_of(&where_to, &id), id)?;
                return Ok((Disk { file, kept: Some(kept), _within: within, _hold: hold }, None));
            }
            let folder = match &where_to {
                Place::At(target) => folder_of(target),
                Place::In(folder) => folder,
            };
            let (file, temporary) = create_in(folder).map_err(told)?;
            Ok((Disk { file, kept: None, _within: within, _hold: None }, Some(temporary)))
        };
        let (disk, temporary) = blocking(open).await.map_err(|error| trouble(&shown, error))??;
        Ok(Self { place, rule, disk: Some(disk), gathered: Vec::new(), temporary, _claim: claim })
    }

    /// What an earlier call has left to be fetched.
    pub(crate) fn rest(&self) -> Option<Rest> {
        self.kept()?.sidecar.rest()
    }

    /// The name that an earlier call was told.
    pub(crate) fn name(&self) -> Option<&str> {
        self.kept()?.sidecar.name.as_deref()
    }

    fn kept(&self) -> Option<&Kept> {
        self.disk.as_ref()?.kept.as_ref()
    }

    /// What comes next is the byte at `position`; what lies behind it is void. `about` notes what is known of the package.
    pub(crate) async fn begin_at(
        &mut self,
        position: u64,
        about: impl FnOnce(&mut Sidecar) + Send + 'static,
    ) -> Result<()> {
        self.gathered.clear();
        self.work(move |disk| {
            if let Some(kept) = &mut disk.kept {
                about(&mut kept.sidecar);
                // First the word, then the deed: never does the file beside tell of bytes that are not there.
                kept.begin_at(position)?;
            }
            disk.file.set_len(position)?;
            disk.file.seek(SeekFrom::Start(position)).map(drop)
        })
        .await
    }

    pub(crate) async fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.gathered.extend_from_slice(piece);
        if self.gathered.len() < GATHERED {
            return Ok(());
        }
        self.put().await
    }

    async fn put(&mut self) -> Result<()> {
        let mut gathered = std::mem::take(&mut self.gathered);
        gathered = self
            .work(move |disk| {
                disk.put(&gathered)?;
                gathered.clear();
                Ok(gathered)
            })
            .await?;
        self.gathered = gathered;
        Ok(())
    }

    /// Whether it ends as a ZIP does.
    pub(crate) async fn is_zip(&mut self) -> Result<bool> {
        self.put().await?;
        self.work(|disk| Ok(zip_end::entries(&mut disk.file)?.is_some())).await
    }

    /// Its bytes for somebody who reads them at places of his own.
    #[cfg(feature = "package")]
    pub(crate) async fn reader(&mut self) -> Result<File> {
        self.work(|disk| disk.file.try_clone()).await
    }

    /// Makes sure that everything is on disk, and gives the file its name; `name` is that in a folder.
    pub(crate) async fn finish(mut self, name: &str) -> Result<PathBuf> {
        self.put().await?;
        let target = match &self.place {
            Place::At(target) => target.clone(),
            Place::In(folder) => folder.join(name),
        };
        self.work(|disk| disk.file.sync_all()).await?;
        let (rule, temporary) = (self.rule, self.temporary.take());
        let named = self
            .work(move |disk| match (temporary, &mut disk.kept) {
                (Some(temporary), _) => name_it(temporary, target, rule),
                (None, Some(kept)) => kept.finish(&disk.file, |part| name_it(part, target, rule)),
                (None, None) => Err(io::Error::other("there is no file")),
            })
            .await;
        self.close().await;
        named
    }

    /// The call ends without the whole. The bytes so far stay only where another call can do something with them: also where the disk is full, for
    /// somebody may make room.
    pub(crate) async fn give_up(mut self, error: &Error) {
        let is_whole_bad = error.kind() == ErrorKind::Integrity && error.detail::<TooLarge>().is_none();
        let lost = is_whole_bad || error.is_not_found();
        if lost {
            if let Some(kept) = self.disk.as_mut().and_then(|disk| disk.kept.as_mut()) {
                kept.give_up();
            }
            self.gathered.clear();
        }
        let _ = self.put().await;
        self.close().await;
    }

    /// Lets go of the file. Giving back the room of a large one takes its time.
    async fn close(&mut self) {
        let (disk, temporary) = (self.disk.take(), self.temporary.take());
        let close = move || {
            drop(disk);
            drop(temporary);
        };
        let _ = blocking(close).await;
    }

    /// Work on a thread that may wait for the disk.
    async fn work<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Disk) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let gone = || io::Error::other("the file is closed after an earlier failure");
        let done = match self.disk.take() {
            None => Err(gone()),
            Some(mut disk) => {
                let work = move || {
                    let done = work(&mut disk);
                    (disk, done)
                };
                match blocking(work).await {
                    Err(error) => Err(error),
                    Ok((disk, done)) => {
                        self.disk = Some(disk);
                        done
                    }
                }
            }
        };
        done.map_err(|error| trouble(self.place.path(), error))
    }
}

impl Disk {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        match &mut self.kept {
            Some(kept) => kept.written(&self.file, bytes),
            None => Ok(()),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.close(&self.file);
            // Explicitly, because a reader of the package may still hold a duplicate of the handle, which would keep the lock.
            let _ = self.file.unlock();
        }
    }
}

impl Drop for PartFile {
    /// Closes the file on a thread that may wait for the disk: whoever drops a call does not want to.
    fn drop(&mut self) {
        let Some(mut disk) = self.disk.take() else { return };
        let (gathered, mut temporary) = (std::mem::take(&mut self.gathered), self.temporary.take());
        if cfg!(unix) {
            // Only the name goes at once. The room is given back when the file is closed.
            drop(temporary.take());
        }
        let close = move || {
            if disk.kept.is_some() {
                let _ = disk.put(&gathered);
            }
            drop(disk);
            drop(temporary);
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(close)),
            Err(_) => close(),
        }
    }
}

pub(super) fn trouble(target: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::File, format!("{} can't be written: {}", target.display(), reason(&error))).with_detail(error)
}

/// What can be told before anything is fetched.
fn check(place: &Place, rule: IfExists) -> io::Result<()> {
    match place {
        Place::In(folder) if !folder.is_dir() => Err(io::Error::other("it is no folder")),
        Place::At(target) if target.file_name().is_none() => Err(io::Error::other("the path names no file")),
        Place::At(target) if target.is_dir() => Err(io::Error::other("it is a folder; name a file in it")),
        Place::At(target) if rule == IfExists::Refuse && target.symlink_metadata().is_ok() => Err(is_there()),
        Place::In(_) | Place::At(_) => Ok(()),
    }
}

fn is_there() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of this name already")
}

fn create_in(folder: &Path) -> io::Result<(File, TempPath)> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".documine-").suffix(".part");
    #[cfg(unix)]
    {
        // As any other new file: what the user's umask leaves.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    Ok(builder.tempfile_in(folder)?.into_parts())
}

/// Gives the file its name, or one with a number. What has the name already is never touched unless it is to be replaced.
fn name_it(mut file: TempPath, target: PathBuf, rule: IfExists) -> io::Result<PathBuf> {
    if rule == IfExists::Replace {
        return put_in_place(file, &target).map(|()| target);
    }
    let most = if rule == IfExists::Number { MOST_NUMBERS } else { 1 };
    for number in 1..=most {
        let place = if number == 1 { target.clone() } else { numbered(&target, number) };
        match file.persist_noclobber(&place) {
            Ok(()) => {
                sync_folder(folder_of(&place));
                return Ok(place);
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => file = error.path,
            Err(error) => return Err(error.error),
        }
    }
    Err(is_there())
}
