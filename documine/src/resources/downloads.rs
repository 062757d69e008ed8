//! `5. Downloads`: result packages, which the service prepares and the client downloads and deletes.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{Client, named_call};
use crate::clock::BoxFuture;
use crate::disk::blocking;
use crate::error::{Error, ErrorKind, Result};
use crate::list::{ListRequest, named_list};
use crate::models::{DownloadFileType, DownloadId, DownloadState, DownloadStatus, FileId, ReportTemplateId};
use crate::operation::{
    Condition, GRACE, OpenFiles, PackageJobRef, PollConfig, PollKey, PollOutcome, PollState, Pollable, Wait,
    WaitContext, WaitError, WorkFailure, WorkKind,
};
use crate::resources::dossiers::{DossierHandle, DossierPath};
use crate::resources::files::{FileHandle, FilePath};
use crate::transfer::destination::Destination;
use crate::transfer::download::zip_end;
use crate::transfer::download::{DownloadRequest, SaveOptions, Verifier};
use crate::transfer::{IfExists, PackageStream, Progress, Saved, Written};
use crate::transport::{RequestOptions, RetryAfterHint};

/// The content of a result package.
///
/// ```
/// use documine::{DownloadFileType, PackageRequest};
/// let content = PackageRequest::file_types([DownloadFileType::Original]);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PackageRequest(documine_api::types::DownloadRequest);

impl PackageRequest {
    /// Selects extraction reports by the template's report templates.
    pub fn reports(ids: impl IntoIterator<Item = ReportTemplateId>) -> Self {
        Self::default().and_reports(ids)
    }

    /// Selects versions of the documents.
    pub fn file_types(types: impl IntoIterator<Item = DownloadFileType>) -> Self {
        Self::default().and_file_types(types)
    }

    /// Adds extraction reports.
    #[must_use]
    pub fn and_reports(mut self, ids: impl IntoIterator<Item = ReportTemplateId>) -> Self {
        self.0.report_template_ids.get_or_insert_default().extend(ids);
        self
    }

    /// Adds versions of the documents.
    #[must_use]
    pub fn and_file_types(mut self, types: impl IntoIterator<Item = DownloadFileType>) -> Self {
        self.0.download_file_types.get_or_insert_default().extend(types);
        self
    }

    /// Sets the colour of redactions in previews, as `#rrggbb`.
    #[must_use]
    pub fn preview_color(mut self, color: impl Into<String>) -> Self {
        self.0.preview_color = Some(color.into());
        self
    }
}

impl DossierHandle {
    /// Starts the preparation of a package of the whole dossier (`prepareDossierDownload`).
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::{DownloadFileType, PackageRequest};
    /// let package = dossier.create_package(PackageRequest::file_types([DownloadFileType::Original])).await?;
    /// package.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    pub fn create_package(&self, content: PackageRequest) -> CreateDossierPackage {
        CreateDossierPackage::new(&self.client, (self.path.clone(), content), |client, (path, content), options| {
            Box::pin(async move {
                let request = client
                    .requests()
                    .prepare_dossier_download()
                    .dossier_template_id(path.template)
                    .dossier_id(path.dossier)
                    .body(content.0);
                let reference = client.fetch(request.prepare(), &options).await?;
                Ok(client.download(reference.download_id).job_after(GRACE))
            })
        })
    }

    /// Starts the preparation of a package of some of the dossier's files (`prepareFilesDownload`).
    pub fn create_files_package<'a>(
        &self,
        files: impl IntoIterator<Item = &'a FileId>,
        content: PackageRequest,
    ) -> CreateFilesPackage {
        let files = files.into_iter().cloned().collect();
        CreateFilesPackage::new(
            &self.client,
            (self.path.clone(), files, content),
            |client, (path, files, content), options| {
                Box::pin(async move {
                    if files.is_empty() {
                        let error = Error::input("the package has no files; pass at least one file id");
                        return Err(error.with_operation("prepareFilesDownload"));
                    }
                    let mut body = documine_api::types::BulkDownloadRequest::default();
                    body.file_ids = files;
                    body.report_template_ids = content.0.report_template_ids;
                    body.download_file_types = content.0.download_file_types;
                    body.preview_color = content.0.preview_color;
                    let request = client
                        .requests()
                        .prepare_files_download()
                        .dossier_template_id(path.template)
                        .dossier_id(path.dossier)
                        .body(body);
                    let reference = client.fetch(request.prepare(), &options).await?;
                    Ok(client.download(reference.download_id).job_after(GRACE))
                })
            },
        )
    }
}

impl FileHandle {
    /// Starts the preparation of a package of this file (`prepareFileDownload`).
    pub fn create_package(&self, content: PackageRequest) -> CreateFilePackage {
        CreateFilePackage::new(&self.client, (self.path.clone(), content), |client, (path, content), options| {
            Box::pin(async move {
                let request = client
                    .requests()
                    .prepare_file_download()
                    .dossier_template_id(path.dossier.template)
                    .dossier_id(path.dossier.dossier)
                    .file_id(path.file)
                    .body(content.0);
                let reference = client.fetch(request.prepare(), &options).await?;
                Ok(client.download(reference.download_id).job_after(GRACE))
            })
        })
    }
}

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

    /// Returns the preparation of the package as a job, also if another process started it.
    pub fn job(&self) -> PackageJob {
        self.job_after(Duration::ZERO)
    }

    /// Returns the job of a package that some machines of the service may not know yet.
    fn job_after(&self, grace: Duration) -> PackageJob {
        let package = |handle: &Self, status| Package { handle: handle.clone(), status };
        PackageJob { config: Arc::new(PollConfig::new(self.clone(), Condition::ready(), package).with_grace(grace)) }
    }

    /// Waits until a condition holds for the package and returns its status. Default deadline: 10 minutes.
    pub fn wait_until(&self, condition: impl Into<Condition<DownloadStatus>>) -> Wait<DownloadStatus> {
        Wait::new(PollConfig::new(self.clone(), condition, |_, status| status))
    }
}

named_call! {
    /// Starts the preparation of a package of a dossier (`prepareDossierDownload`). Created by [`DossierHandle::create_package`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::{DownloadFileType, PackageRequest};
    /// let job = dossier.create_package(PackageRequest::file_types([DownloadFileType::Original])).await?;
    /// job.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such dossier.
    CreateDossierPackage((DossierPath, PackageRequest)) -> PackageJob
}

named_call! {
    /// Starts the preparation of a package of some files of a dossier (`prepareFilesDownload`). Created by
    /// [`DossierHandle::create_files_package`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle, ids: Vec<documine::models::FileId>) -> documine::Result<()> {
    /// use documine::{DownloadFileType, PackageRequest};
    /// let job = dossier.create_files_package(&ids, PackageRequest::file_types([DownloadFileType::Original])).await?;
    /// job.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) without file ids, before anything is sent.
    CreateFilesPackage((DossierPath, Vec<FileId>, PackageRequest)) -> PackageJob
}

named_call! {
    /// Starts the preparation of a package of one file (`prepareFileDownload`). Created by [`FileHandle::create_package`].
    ///
    /// ```
    /// # async fn f(file: documine::FileHandle) -> documine::Result<()> {
    /// use documine::{DownloadFileType, PackageRequest};
    /// let job = file.create_package(PackageRequest::file_types([DownloadFileType::Original])).await?;
    /// job.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such file.
    CreateFilePackage((FilePath, PackageRequest)) -> PackageJob
}

named_list! {
    /// Lists the account's packages (`getDownloads`; its path is inferred). Created by [`Client::downloads`].
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// for package in client.downloads().await? {
    ///     println!("{}: {:?}", package.download_id, package.status);
    /// }
    /// # Ok(()) }
    /// ```
    ListDownloads(()) -> DownloadStatus
}

named_call! {
    /// Fetches the status of a package (`getDownload`). Created by [`DownloadHandle::get`].
    ///
    /// ```
    /// # async fn f(download: documine::DownloadHandle) -> documine::Result<()> {
    /// println!("{:?}", download.get().await?.status);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such package.
    GetDownload(DownloadId) -> DownloadStatus
}

named_call! {
    /// Deletes a package (`deleteDownload`). Created by [`DownloadHandle::delete`] and [`Package::delete`].
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// package.delete().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such package.
    DeleteDownload(DownloadId) -> ()
}

named_call! {
    /// Downloads a package as a stream of bytes (`downloadPackage`). Created by [`Package::stream`] and [`DownloadHandle::stream`].
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// use futures_util::TryStreamExt;
    /// let mut chunks = package.stream().await?;
    /// while let Some(chunk) = chunks.try_next().await? {
    ///     println!("{} bytes", chunk.len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if the package was deleted or has expired; [`ErrorKind::Integrity`](crate::ErrorKind::Integrity)
    /// if it is [too large](Self::max_bytes).
    StreamPackage(Streaming) -> PackageStream
}

named_call! {
    /// Downloads a package into a file (`downloadPackage`). Created by [`Package::save_to`] and [`Package::save_in`].
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// use documine::transfer::IfExists;
    /// let saved = package.save_to("q3.zip").if_exists(IfExists::Refuse).resumable(true).await?;
    /// println!("{} bytes", saved.bytes);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity) for an incomplete or too large package; [`ErrorKind::File`](crate::ErrorKind::File) if the
    /// file cannot be written.
    SavePackage(Saving) -> Saved
}

named_call! {
    /// Downloads a package into a writer (`downloadPackage`). Created by [`Package::save_into`].
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// let in_memory = package.save_into(Vec::new()).max_bytes(64 << 20).await?.writer;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As for [`SavePackage`].
    WritePackage<W>(Writing<W>) -> Written<W>
}

named_call! {
    /// Cancels the preparation of a package (`deleteDownload`). Created by [`PackageJob::cancel`].
    ///
    /// ```
    /// # async fn f(job: documine::PackageJob) -> documine::Result<()> {
    /// job.cancel().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such package.
    CancelPackage(Arc<PollConfig<DownloadHandle, Package>>) -> ()
}

impl Pollable for DownloadHandle {
    type Status = DownloadStatus;

    const KIND: WorkKind = WorkKind::Package;
    const DEADLINE: Duration = Duration::from_secs(600);
    /// The list contains all packages of the account, so few waits poll their packages one by one.
    const MIN_SHARED_WAITS: usize = 4;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn description(&self) -> String {
        format!("package {}", self.id)
    }

    fn waits(&self) -> &WaitContext {
        self.client.waits()
    }

    fn fetch(
        &self,
        options: RequestOptions,
        retry_after: &RetryAfterHint,
    ) -> BoxFuture<'static, Result<DownloadStatus>> {
        self.get().with_options(options).call.for_poll(retry_after).send()
    }

    fn decide(&self, status: DownloadStatus, condition: &Condition<DownloadStatus>) -> PollOutcome<DownloadStatus> {
        if condition.holds(&status) {
            return PollOutcome::Done(status);
        }
        match &status.status {
            Some(DownloadState::Failed) if condition.requires_success() => PollOutcome::Failed(WorkFailure {
                state: DownloadState::Failed.to_string(),
                message: status.error_message.unwrap_or_else(|| "no error message from the service".into()),
                files: Vec::new(),
            }),
            other => {
                let state = other.as_ref().map_or_else(|| "UNKNOWN".into(), ToString::to_string);
                PollOutcome::Pending(state, OpenFiles::default())
            }
        }
    }

    fn list_key(&self) -> Option<PollKey> {
        Some(PollKey::Packages)
    }

    fn fetch_list(&self, retry_after: &RetryAfterHint) -> BoxFuture<'static, Result<HashMap<String, DownloadStatus>>> {
        let packages = self.client.downloads().list.for_poll(retry_after);
        Box::pin(async move {
            Ok(packages
                .collect()
                .await?
                .into_iter()
                .map(|package| (package.download_id.to_string(), package))
                .collect())
        })
    }
}

/// A package in preparation: poll it, wait for it, cancel it, or save a reference for another process.
#[derive(Clone)]
#[must_use = "the service prepares the package; wait for it or cancel it"]
pub struct PackageJob {
    config: Arc<PollConfig<DownloadHandle, Package>>,
}

impl PackageJob {
    /// Returns the id of the package.
    pub fn id(&self) -> &DownloadId {
        &self.config.handle().id
    }

    /// Polls once, like [`Wait::poll_once`] of [`wait`](Self::wait).
    ///
    /// ```
    /// # async fn f(job: documine::PackageJob) -> documine::Result<()> {
    /// use documine::wait::PollState;
    /// match job.poll_once().await {
    ///     Ok(PollState::Done(package)) => drop(package.save_to("out.zip").await?),
    ///     Ok(state) => println!("{state:?}"),
    ///     Err(error) if error.is_transient() => println!("try again later: {error}"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As for [`wait`](Self::wait). A temporary error of the poll is an error too:
    /// [`WaitErrorKind::Poll`](crate::wait::WaitErrorKind::Poll), with [`is_transient`](WaitError::is_transient).
    pub fn poll_once(&self) -> BoxFuture<'static, std::result::Result<PollState<Package>, WaitError>> {
        self.wait().poll_once()
    }

    /// Waits until the package is ready. Default deadline: 10 minutes.
    pub fn wait(&self) -> Wait<Package> {
        Wait::new(Arc::clone(&self.config))
    }

    /// Cancels the preparation (`deleteDownload`). The service deletes what it has prepared.
    pub fn cancel(&self) -> CancelPackage {
        let config = Arc::clone(&self.config);
        CancelPackage::new(&self.config.handle().client, config, |client, config, options| {
            Box::pin(async move {
                let id = config.handle().id.clone();
                client.execute(client.requests().delete_download().download_id(id).prepare(), &options).await?;
                config.mark_ended();
                Ok(())
            })
        })
    }

    /// Returns a reference with which another process can continue: [`Client::resume`].
    ///
    /// The reference contains no secret. The other process may use a different login.
    ///
    /// ```
    /// # fn f(job: documine::PackageJob) -> Result<(), Box<dyn std::error::Error>> {
    /// std::fs::write("package.json", serde_json::to_string(&job.to_ref())?)?;
    /// # Ok(()) }
    /// ```
    pub fn to_ref(&self) -> PackageJobRef {
        let handle = self.config.handle();
        PackageJobRef::package(handle.client.workspace(), handle.id.as_str())
    }
}

impl fmt::Debug for PackageJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageJob").field("id", self.id()).finish_non_exhaustive()
    }
}

impl Client {
    /// Resumes a package job from a reference of [`PackageJob::to_ref`], created in this process or another one.
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let reference: documine::wait::PackageJobRef = serde_json::from_str(&std::fs::read_to_string("package.json")?)?;
    /// client.resume(&reference)?.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The reference belongs to another workspace, is not to a package, or has a newer format version. No request is sent.
    pub fn resume(&self, reference: &PackageJobRef) -> Result<PackageJob> {
        let id = reference.package_of(self.workspace())?;
        let id = DownloadId::new(id).map_err(|error| Error::input(error.to_string()))?;
        Ok(self.download(id).job())
    }
}

/// A package that is ready for download.
#[derive(Debug, Clone)]
pub struct Package {
    pub(crate) handle: DownloadHandle,
    status: DownloadStatus,
}

/// Parameters of a download as a stream.
#[derive(Debug)]
pub(crate) struct Streaming {
    id: DownloadId,
    max_bytes: Option<u64>,
}

/// Parameters of a download into a file.
#[derive(Clone)]
pub(crate) struct Saving {
    id: DownloadId,
    pub(crate) options: SaveOptions,
    max_bytes: Option<u64>,
    pub(crate) progress: Option<Arc<dyn Progress>>,
}

impl fmt::Debug for Saving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saving").field("id", &self.id).field("options", &self.options).finish_non_exhaustive()
    }
}

/// Parameters of a download into a writer.
pub(crate) struct Writing<W> {
    id: DownloadId,
    writer: W,
    max_bytes: Option<u64>,
    progress: Option<Arc<dyn Progress>>,
}

impl<W> fmt::Debug for Writing<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writing").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Package {
    /// Returns the id of the package.
    pub fn id(&self) -> &DownloadId {
        &self.handle.id
    }

    /// Returns the status of the package at the time when it became ready.
    pub fn status(&self) -> &DownloadStatus {
        &self.status
    }

    /// Downloads the package as a stream of bytes (`downloadPackage`).
    pub fn stream(&self) -> StreamPackage {
        self.handle.stream()
    }

    /// Writes the package to `writer` (`downloadPackage`) on the blocking thread pool and flushes the writer at the end. The ZIP structure is
    /// not verified.
    pub fn save_into<W: std::io::Write + Send + 'static>(&self, writer: W) -> WritePackage<W> {
        self.handle.save_into(writer)
    }

    /// Downloads the package into a file (`downloadPackage`), which appears under its name only when it is complete: see [`SavePackage`].
    pub fn save_to(&self, target: impl Into<PathBuf>) -> SavePackage {
        self.handle.save_to(target)
    }

    /// Downloads the package into a folder, under the service's file name made safe: see [`SavePackage`].
    pub fn save_in(&self, folder: impl Into<PathBuf>) -> SavePackage {
        self.handle.save_in(folder)
    }

    /// Deletes the package (`deleteDownload`).
    pub fn delete(&self) -> DeleteDownload {
        self.handle.delete()
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

impl StreamPackage {
    /// Sets the largest package to download, in bytes. Default: no limit. If the service announces a larger size, the call fails before the
    /// first byte is read, otherwise the stream ends as soon as the limit is exceeded: [`ErrorKind::Integrity`](crate::ErrorKind).
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.call.params.max_bytes = Some(bytes);
        self
    }
}

impl SavePackage {
    /// Sets a callback for the number of downloaded bytes.
    pub fn with_progress(mut self, progress: impl Progress) -> Self {
        self.call.params.progress = Some(Arc::new(progress));
        self
    }

    /// Sets the largest package to download, in bytes. Default: no limit. If the service announces a larger size, the call fails before the
    /// first byte is read, otherwise as soon as the limit is exceeded: [`ErrorKind::Integrity`](crate::ErrorKind).
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.call.params.max_bytes = Some(bytes);
        self
    }

    /// Sets how to treat an existing file of the same name.
    pub fn if_exists(mut self, rule: IfExists) -> Self {
        self.call.params.options.if_exists = rule;
        self
    }

    /// Sets whether the downloaded bytes are kept if the call fails, is dropped, or ends with its process; the next resumable call for the same package and
    /// destination resumes the download. Off by default, because a failed call leaves files behind.
    ///
    /// A part of another package is discarded, and each preparation creates another package. Store [`PackageJob::to_ref`] to resume the same package
    /// in another process.
    ///
    /// The bytes are kept in `NAME.part`, and `NAME.part.json` records their checksum (in a folder `package-ID.zip.part`, because the name is
    /// not known yet). After a process was killed, less than 1 MiB is downloaded again; after a system crash, less than 5 MiB. Both files are
    /// deleted when a call succeeds, and when resuming is impossible: the package was deleted or changed, or the service does not support range
    /// requests. On a full disk, free some space and repeat the call. Before a download is resumed, the bytes are compared with their checksum;
    /// if they differ, the download restarts. A part or record that is a link or belongs to another user is rejected.
    ///
    /// If two such calls run at once, the second one waits up to 5 s for the first, longer if the first was dropped and still writes to disk;
    /// then the second call fails. If another process is downloading the same file, the call fails at once.
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// let saved = package.save_to("q3.zip").resumable(true).await?;
    /// println!("{} of {} bytes were already downloaded", saved.resume_offset, saved.bytes);
    /// # Ok(()) }
    /// ```
    pub fn resumable(mut self, yes: bool) -> Self {
        self.call.params.options.resumable = yes;
        self
    }
}

impl<W> WritePackage<W> {
    /// Sets the largest package to download, in bytes. Default: no limit; set one if the writer is in memory. If the service announces a larger
    /// size, the call fails before the first byte is read, otherwise as soon as the limit is exceeded:
    /// [`ErrorKind::Integrity`](crate::ErrorKind).
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.call.params.max_bytes = Some(bytes);
        self
    }

    /// Sets a callback for the number of downloaded bytes.
    pub fn with_progress(mut self, progress: impl Progress) -> Self {
        self.call.params.progress = Some(Arc::new(progress));
        self
    }
}
