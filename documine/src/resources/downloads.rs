//! `5. Downloads`: result packages, which the service prepares and the client downloads and deletes.

use std::fs::File;
use std::path::PathBuf;

use crate::client::Client;
use crate::disk::blocking;
use crate::error::{Error, ErrorKind, Result};
use crate::list::ListRequest;
use crate::models::DownloadId;
use crate::transfer::IfExists;
use crate::transfer::destination::Destination;
use crate::transfer::download::zip_end;
use crate::transfer::download::{DownloadRequest, SaveOptions, Verifier};

mod builders;
mod create;
mod job;
mod package;

pub use builders::{DeleteDownload, GetDownload, ListDownloads, SavePackage, StreamPackage, WritePackage};
use builders::{Saving, Streaming, Writing};
pub use create::{CreateDossierPackage, CreateFilePackage, CreateFilesPackage, PackageRequest};
pub use job::{CancelPackage, PackageJob};
pub use package::Package;

impl Client {
    /// Lists the account's packages (`getDownloads`; its path is inferred).
    pub fn downloads(&self) -> ListDownloads {
        ListDownloads::new(self, (), |client, (), _| {
            Box::pin(async move {
                ListRequest::new(client.requests().get_downloads().prepare(), |list| (list.downloads, list.extra))
            })
        })
    }

    /// Returns a handle to a package. Sends no request.
    pub fn download(&self, id: impl Into<DownloadId>) -> DownloadHandle {
        DownloadHandle { client: self.clone(), id: id.into() }
    }
}

/// A handle to a package, identified by its id. The package may still be in preparation.
#[derive(Debug, Clone)]
pub struct DownloadHandle {
    pub(crate) client: Client,
    id: DownloadId,
}

impl DownloadHandle {
    /// Returns the package's id.
    pub fn id(&self) -> &DownloadId {
        &self.id
    }

    /// Fetches the status of the package (`getDownload`).
    pub fn get(&self) -> GetDownload {
        GetDownload::new(&self.client, self.id.clone(), |client, id, options| {
            Box::pin(
                async move { client.fetch(client.requests().get_download().download_id(id).prepare(), &options).await },
            )
        })
    }

    /// Deletes the package (`deleteDownload`). The service also deletes old packages automatically.
    pub fn delete(&self) -> DeleteDownload {
        DeleteDownload::new(&self.client, self.id.clone(), |client, id, options| {
            Box::pin(async move {
                client.execute(client.requests().delete_download().download_id(id).prepare(), &options).await
            })
        })
    }

    /// Downloads the package as a stream of bytes (`downloadPackage`).
    pub fn stream(&self) -> StreamPackage {
        let streaming = Streaming { id: self.id.clone(), max_bytes: None };
        StreamPackage::new(&self.client, streaming, |client, Streaming { id, max_bytes }, options| {
            Box::pin(DownloadRequest { client, id, options, max_bytes }.stream())
        })
    }

    /// Writes the package to `writer` (`downloadPackage`) on the blocking thread pool and flushes the writer at the end. The ZIP structure is
    /// not verified.
    pub fn save_into<W: std::io::Write + Send + 'static>(&self, writer: W) -> WritePackage<W> {
        let writing = Writing { id: self.id.clone(), writer, max_bytes: None, progress: None };
        WritePackage::new(&self.client, writing, |client, writing, options| {
            let Writing { id, writer, max_bytes, progress } = writing;
            Box::pin(DownloadRequest { client, id, options, max_bytes }.write_into(writer, progress))
        })
    }

    /// Downloads the package into a file (`downloadPackage`). The file appears under its name, replacing an existing file, only when it is
    /// complete and synced to disk. Until then the bytes are in a temporary file in the same folder, which is deleted if the call fails or is
    /// dropped.
    ///
    /// An interrupted response is resumed at the same position if the service supports range requests. A file without a valid end of a ZIP
    /// archive is downloaded once more, then the call fails with [`ErrorKind::Integrity`](crate::ErrorKind). The checksums in the archive are
    /// compared only by `checked` (feature `package`).
    pub fn save_to(&self, target: impl Into<PathBuf>) -> SavePackage {
        self.save(Destination::File(target.into()), IfExists::Replace)
    }

    /// Downloads the package into a folder, like [`save_to`](Self::save_to). The file name is the sanitized suggestion of the service
    /// (`Content-Disposition`), or `package-ID.zip`. If a file of that name exists, for example from an earlier run, the new name gets a number, unless
    /// [`if_exists`](SavePackage::if_exists) is set.
    pub fn save_in(&self, folder: impl Into<PathBuf>) -> SavePackage {
        self.save(Destination::Folder(folder.into()), IfExists::Number)
    }

    fn save(&self, destination: Destination, if_exists: IfExists) -> SavePackage {
        let verifier = Verifier::new(|file, bytes| async move { verify_structure(file, bytes, ()).await.map(drop) });
        let options = SaveOptions { destination, if_exists, resumable: false, temp_dir: None, verifier };
        let saving = Saving { id: self.id.clone(), options, max_bytes: None, progress: None };
        SavePackage::new(&self.client, saving, |client, saving, options| {
            let Saving { id, options: save_options, max_bytes, progress } = saving;
            Box::pin(async move {
                let saved = DownloadRequest { client, id, options, max_bytes }.save(save_options, progress).await;
                saved.map_err(|error| error.with_operation("downloadPackage"))
            })
        })
    }
}

/// Checks that a file ends as a complete ZIP archive does, and returns the file. The content of the entries is not read.
///
/// `guard` is dropped after the file, also if the call is dropped while the file is read.
pub(crate) async fn verify_structure(mut file: File, bytes: u64, guard: impl Send + 'static) -> Result<File> {
    let count = move || zip_end::count_entries(&mut file).map(|count| (file, count, guard));
    let (file, count, _guard) =
        blocking(count).await.flatten().map_err(|error| Error::file("cannot read the downloaded package", error))?;
    match count {
        Some(_) => Ok(file),
        None => Err(Error::new(
            ErrorKind::Integrity,
            format!("invalid ZIP archive ({bytes} bytes) after two attempts; create the package again"),
        )),
    }
}
