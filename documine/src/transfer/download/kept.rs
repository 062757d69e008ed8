//! The part of a package that stays for another call: `NAME.part`, and `NAME.part.json` beside it. A lock keeps others away, whatever process they are in.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::own_file::{self, Owner};
use super::sidecar::{Found, Sidecar, VERSION, with_ending};
use super::sum::Sum;
use crate::disk::{self, folder_of, sync_folder};
use crate::error::{Error, ErrorKind, Result};
use crate::models::DownloadId;
use crate::transfer::part_file::{Place, trouble};

/// After so many bytes it is made sure that they are on disk, and the sidecar says so. Disks take their time for that; in between they are only noted.
const SAFE_EVERY: u64 = 4 * 1024 * 1024;

/// The part, whose file is open and locked elsewhere, and what is known of it.
pub(crate) struct Kept {
    part: PathBuf,
    beside: PathBuf,
    pub(crate) sidecar: Sidecar,
    /// What was written behind the safe bytes.
    behind: Sum,
    /// Whether there is nothing more to do when it is closed.
    over: bool,
    /// Whether another call could do anything with it.
    useful: bool,
}

impl Kept {
    /// Returns where the part of a download to `place` lies.
    pub(crate) fn part_of(place: &Place, id: &DownloadId) -> PathBuf {
        match place {
            Place::At(target) => with_ending(target, ".part"),
            // The name is known only when the service has answered.
            Place::In(folder) => folder.join(own_name(id) + ".part"),
        }
    }

    /// Takes the part that is there, or begins one. A part that does not fit or has changed is begun anew; what is not this user's own download
    /// is left alone.
    pub(crate) fn open(part: PathBuf, id: DownloadId) -> Result<(Self, File)> {
        let beside = with_ending(&part, ".json");
        let told = |error| trouble(&part, error);
        let (file, owner) = locked(&part, &beside)?;
        let length = file.metadata().map_err(told)?.len();
        let sidecar = known(&part, &beside, length, &id, owner).and_then(|known| {
            let mut sidecar = known.unwrap_or_else(|| Sidecar::new(id.clone()));
            if !sidecar.verify(&file).map_err(told)? {
                sidecar = Sidecar::new(id);
            }
            // From the first byte on there is a sidecar, also after the machine went down.
            sidecar.write(&beside).map_err(|error| trouble(&beside, error))?;
            sync_folder(folder_of(&beside));
            Ok(sidecar)
        });
        let sidecar = sidecar.inspect_err(|_| {
            if length == 0 {
                let _ = fs::remove_file(&part);
            }
        })?;
        Ok((Self { part, beside, sidecar, behind: Sum::default(), over: false, useful: true }, file))
    }

    /// Continues behind the safe bytes, or begins anew at 0.
    pub(crate) fn begin_at(&mut self, position: u64) -> io::Result<()> {
        if position == 0 {
            self.sidecar.safe = Sum::default();
        } else if position != self.sidecar.safe.bytes {
            return Err(io::Error::other("the download continues elsewhere than the part ends"));
        }
        self.behind = Sum::default();
        self.sidecar.write(&self.beside)
    }

    /// These bytes more were written.
    pub(crate) fn written(&mut self, file: &File, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.behind.add(bytes);
        if self.behind.bytes >= SAFE_EVERY {
            return self.make_safe(file);
        }
        // What can't be noted costs another call some bytes, and this one nothing.
        let _ = Sidecar::note(&self.beside, self.behind);
        Ok(())
    }

    fn make_safe(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()?;
        let before = (self.sidecar.safe, self.behind);
        self.sidecar.safe.append(std::mem::take(&mut self.behind));
        let noted = self.sidecar.write(&self.beside);
        if noted.is_err() {
            (self.sidecar.safe, self.behind) = before;
        }
        noted
    }

    /// Nobody can go on with this part.
    pub(crate) fn give_up(&mut self) {
        self.useful = false;
    }

    /// It is whole: `name` gives it its name. Without the part the sidecar means nothing, so a crash in between does no harm.
    pub(crate) fn finish(
        &mut self,
        file: &File,
        name: impl FnOnce(TempPath) -> io::Result<PathBuf>,
    ) -> io::Result<PathBuf> {
        if !is_at(file, &self.part) {
            return Err(io::Error::other("its part was replaced by another file; fetch the package again"));
        }
        let mut part = TempPath::try_from_path(&self.part)?;
        part.disable_cleanup(true);
        let named = name(part)?;
        self.over = true;
        let _ = fs::remove_file(&self.beside);
        Ok(named)
    }

    /// Brings it to rest: what can be gone on with stays, the rest goes.
    pub(crate) fn close(&mut self, file: &File) {
        if self.over {
            return;
        }
        self.over = true;
        let Sidecar { validator, length, .. } = &self.sidecar;
        let useful = self.useful && validator.is_some() && length.is_some();
        if !(useful && self.settle(file).is_ok_and(|bytes| bytes > 0)) {
            self.remove();
        }
    }

    /// Brings the part and what is said about it to the same length. Where not all of it can be made safe, what was safe before still is.
    fn settle(&mut self, file: &File) -> io::Result<u64> {
        // What was written in part gives its room back first: where the disk is full, the sidecar needs it.
        file.set_len(self.sidecar.safe.bytes + self.behind.bytes)?;
        if self.behind.bytes > 0 && self.make_safe(file).is_err() {
            self.behind = Sum::default();
            file.set_len(self.sidecar.safe.bytes)?;
        }
        Ok(self.sidecar.safe.bytes)
    }

    /// The part first: it is never there without its sidecar.
    fn remove(&self) {
        let _ = fs::remove_file(&self.part);
        let _ = fs::remove_file(&self.beside);
    }
}

/// What is known of the part that is there, whose length is given: nothing, where that does not fit.
fn known(part: &Path, beside: &Path, length: u64, id: &DownloadId, owner: Owner) -> Result<Option<Sidecar>> {
    match Sidecar::read(beside, owner).map_err(|error| trouble(beside, error))? {
        Found::Newer(version) => Err(Error::new(
            ErrorKind::File,
            format!(
                "{} is of version {version}, and this SDK knows no later than {VERSION}; go on with a newer one, or delete it",
                beside.display()
            ),
        )),
        Found::None if length > 0 => {
            Err(trouble(part, io::Error::other("it is there already, and no download of this SDK; move it away")))
        }
        // A part that is shorter than its sidecar says has lost what it had.
        Found::Good(sidecar) if sidecar.download_id == *id && sidecar.safe.bytes <= length => Ok(Some(sidecar)),
        _ => Ok(None),
    }
}

/// The name of a package that nobody has named.
pub(crate) fn own_name(id: &DownloadId) -> String {
    let mut name = format!("package-{}", disk::file_name(id.as_str()));
    // Escaped, so that each byte is a letter.
    name.truncate(150);
    name + ".zip"
}

/// The part's file, locked for as long as it is open, and its owner.
fn locked(part: &Path, beside: &Path) -> Result<(File, Owner)> {
    let told = |error| trouble(part, error);
    // The call before may have given it its final name while this one waited for nothing.
    for _ in 0..3 {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let (file, owner, found) = match options.clone().create_new(true).open(part) {
            Ok(file) => {
                let owner = own_file::owner_of(&file.metadata().map_err(told)?);
                (file, owner, false)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let owner = Sidecar::owner_beside(beside).map_err(told)?;
                match own_file::open(part, &mut options, owner).map_err(told)? {
                    Some(file) => (file, owner, true),
                    None => continue,
                }
            }
            Err(error) => return Err(told(error)),
        };
        match file.try_lock() {
            Ok(()) if is_at(&file, part) => {
                if found {
                    Sidecar::remove_temporary(beside);
                }
                return Ok((file, owner));
            }
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(told(io::Error::other(
                    "another process is fetching it; wait for that process, or choose another place",
                )));
            }
            Err(TryLockError::Error(error)) => return Err(told(error)),
        }
    }
    Err(told(io::Error::other("it changes all the time")))
}

/// Whether the open file is still the one at this path.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (file.metadata(), path.symlink_metadata()) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (open.dev(), open.ino()) == (there.dev(), there.ino())
    }
    #[cfg(not(unix))]
    {
        open.len() == there.len()
    }
}
