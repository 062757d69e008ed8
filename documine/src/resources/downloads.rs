//! `5. Downloads`: result packages, prepared by the service, then fetched and deleted.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "package")]
use tempfile::TempDir;

use crate::client::Call;
use crate::client::Client;
use crate::clock::BoxFuture;
use crate::error::{Error, Result};
use crate::list::{List, ListRequest};
use crate::models::{DownloadFileType, DownloadId, DownloadState, DownloadStatus, FileId, ReportTemplateId};
use crate::operation::{Board, BoardKey, Condition, GRACE, Kind, Look, Operation, OperationRef, Plan, Polled, Wait};
use crate::resources::dossiers::{DossierHandle, DossierPath};
use crate::resources::files::{FileHandle, FilePath};
use crate::transfer::Progress;
use crate::transfer::download::{Check, Goal, Wanted};
use crate::transfer::part_file::Place;
use crate::transfer::{IfExists, PackageStream, Saved, Written};
use crate::transport::RetryAfterHint;

/// How long a package may take unless a caller says otherwise.
const DEADLINE: Duration = Duration::from_secs(600);
/// From so many waits on, one list is cheaper than a look at each. It holds all packages of the account.
const MANY: usize = 4;

/// What a result package holds.
///
/// ```
/// use documine::{DownloadFileType, PackageContent};
/// let content = PackageContent::file_types([DownloadFileType::Original]);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PackageContent(documine_api::types::DownloadRequest);

impl PackageContent {
    /// Extraction reports, made from these of the template's report templates.
    pub fn reports(ids: impl IntoIterator<Item = ReportTemplateId>) -> Self {
        Self::default().and_reports(ids)
    }

    /// These versions of the documents.
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

    /// The colour of redactions in previews, as `#rrggbb`.
    #[must_use]
    pub fn preview_color(mut self, color: impl Into<String>) -> Self {
        self.0.preview_color = Some(color.into());
        self
    }
}

impl DossierHandle {
    /// Has a package of the whole dossier prepared (`prepareDossierDownload`).
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::{DownloadFileType, PackageContent};
    /// let package = dossier.create_package(PackageContent::file_types([DownloadFileType::Original])).await?;
    /// package.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    pub fn create_package(&self, content: PackageContent) -> Call<(DossierPath, PackageContent), Operation<Package>> {
        Call::new(&self.client, (self.path.clone(), content), |client, (path, content), options| {
            Box::pin(async move {
                let request = client
                    .requests()
                    .prepare_dossier_download()
                    .dossier_template_id(path.template)
                    .dossier_id(path.dossier)
                    .body(content.0);
                let reference = client.fetch(request.prepare(), &options).await?;
                Ok(client.download(reference.download_id).operation_after(GRACE))
            })
        })
    }

    /// Has a package of some of its files prepared (`prepareFilesDownload`).
    pub fn create_files_package<'a>(
        &self,
        files: impl IntoIterator<Item = &'a FileId>,
        content: PackageContent,
    ) -> Call<(DossierPath, Vec<FileId>, PackageContent), Operation<Package>> {
        let files = files.into_iter().cloned().collect();
        Call::new(&self.client, (self.path.clone(), files, content), |client, (path, files, content), options| {
            Box::pin(async move {
                if files.is_empty() {
                    let error = Error::input("a package of no files would be empty; name at least one");
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
                Ok(client.download(reference.download_id).operation_after(GRACE))
            })
        })
    }
}

impl FileHandle {
    /// Has a package of this file prepared (`prepareFileDownload`).
    pub fn create_package(&self, content: PackageContent) -> Call<(FilePath, PackageContent), Operation<Package>> {
        Call::new(&self.client, (self.path.clone(), content), |client, (path, content), options| {
            Box::pin(async move {
                let request = client
                    .requests()
                    .prepare_file_download()
                    .dossier_template_id(path.dossier.template)
                    .dossier_id(path.dossier.dossier)
                    .file_id(path.file)
                    .body(content.0);
                let reference = client.fetch(request.prepare(), &options).await?;
                Ok(client.download(reference.download_id).operation_after(GRACE))
            })
        })
    }
}

impl Client {
    /// All packages that the service holds for this account (`getDownloads`; its path is inferred).
    pub fn downloads(&self) -> List<(), DownloadStatus> {
        List::new(self, (), |client, (), _| {
            Box::pin(async move {
                ListRequest::new(client.requests().get_downloads().prepare(), |list| (list.downloads, list.extra))
            })
        })
    }

    /// One package, by its id. Nothing is sent yet.
    pub fn download(&self, id: impl Into<DownloadId>) -> DownloadHandle {
        DownloadHandle { client: self.clone(), id: id.into() }
    }
}

/// A package that is known by its id, ready or not.
#[derive(Debug, Clone)]
pub struct DownloadHandle {
    pub(crate) client: Client,
    id: DownloadId,
}

impl DownloadHandle {
    /// The package's id.
    pub fn id(&self) -> &DownloadId {
        &self.id
    }

    /// Reads where it stands (`getDownload`).
    pub fn get(&self) -> Call<DownloadId, DownloadStatus> {
        Call::new(&self.client, self.id.clone(), |client, id, options| {
            Box::pin(
                async move { client.fetch(client.requests().get_download().download_id(id).prepare(), &options).await },
            )
        })
    }

    /// Deletes it (`deleteDownload`). The service deletes old packages by itself after a while.
    pub fn delete(&self) -> Call<DownloadId, ()> {
        Call::new(&self.client, self.id.clone(), |client, id, options| {
            Box::pin(async move {
                client.execute(client.requests().delete_download().download_id(id).prepare(), &options).await
            })
        })
    }

    /// The work on it, to be waited for: also in another process than the one that began it.
    pub fn operation(&self) -> Operation<Package> {
        self.operation_after(Duration::ZERO)
    }

    /// The same for a package that the service may not know everywhere yet.
    fn operation_after(&self, grace: Duration) -> Operation<Package> {
        let cancelled = self.clone();
        let package = self.clone();
        let plan = self.plan(grace, move |status| match &status.status {
            Some(DownloadState::Ready) => Polled::Done(Package { handle: package.clone(), status }),
            _ => unfinished(status),
        });
        Operation::new(
            plan,
            self.client.workspace(),
            Arc::new(move || {
                let handle = cancelled.clone();
                Box::pin(async move { handle.delete().await })
            }),
        )
    }

    /// Waits until a condition holds for the package, 10 minutes at most unless told otherwise; gives what the service says of it then.
    pub fn until(&self, condition: impl Into<Condition<DownloadStatus>>) -> Wait<DownloadStatus> {
        let condition = condition.into();
        Wait::new(self.plan(Duration::ZERO, move |status| {
            if condition.holds(&status) {
                return Polled::Done(status);
            }
            match unfinished(status) {
                Polled::Failed { state, .. } if !condition.is_over_with_failure() => Polled::Working(state),
                polled => polled,
            }
        }))
    }

    /// A wait whose looks are shared with others that wait for packages.
    fn plan<T: Send + 'static>(
        &self,
        grace: Duration,
        judge: impl Fn(DownloadStatus) -> Polled<T> + Clone + Send + Sync + 'static,
    ) -> Plan<T> {
        let handle = self.clone();
        let begin = move || -> Look<T> {
            let by_itself = handle.clone();
            handle.board().sit_down().look(
                handle.id.to_string(),
                move |asked| by_itself.get().for_poll(asked).into_future(),
                judge.clone(),
            )
        };
        Plan {
            kind: Kind::Package,
            what: format!("package {}", self.id),
            id: self.id.to_string(),
            clock: Arc::clone(self.client.clock()),
            history: Arc::clone(self.client.wait_durations()),
            deadline: DEADLINE,
            grace,
            known: Arc::default(),
            begin: Arc::new(begin),
        }
    }

    /// Where all that wait for packages share their looks.
    fn board(&self) -> Arc<Board<DownloadStatus>> {
        self.client.shared_polls().board(BoardKey::Packages, || {
            let client = self.client.clone();
            let read = move |asked: RetryAfterHint| -> BoxFuture<'static, Result<HashMap<String, DownloadStatus>>> {
                let client = client.clone();
                Box::pin(async move {
                    let packages = client.downloads().looking(&asked).await?;
                    Ok(packages.into_iter().map(|package| (package.download_id.to_string(), package)).collect())
                })
            };
            Board::new(Arc::clone(self.client.clock()), MANY, Box::new(read))
        })
    }
}

/// What a package that is not ready says of itself.
fn unfinished<T>(status: DownloadStatus) -> Polled<T> {
    match &status.status {
        Some(DownloadState::Failed) => Polled::Failed {
            state: DownloadState::Failed.to_string(),
            message: status.error_message.unwrap_or_else(|| "the service gives no reason".into()),
        },
        other => Polled::Working(other.as_ref().map_or_else(|| "UNKNOWN".into(), ToString::to_string)),
    }
}

impl Client {
    /// Goes on with an operation that was noted down with [`Operation::to_ref`], in this process or another one.
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let noted: documine::OperationRef = serde_json::from_str(&std::fs::read_to_string("package.json")?)?;
    /// client.resume(&noted)?.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// It belongs to another workspace, is none of a package, or was noted down by a newer version of this library. Nothing is sent.
    pub fn resume(&self, noted: &OperationRef) -> Result<Operation<Package>> {
        let id = noted.package_of(self.workspace())?;
        let id = DownloadId::new(id).map_err(|error| Error::input(error.to_string()))?;
        Ok(self.download(id).operation())
    }
}

/// A package that is ready to be fetched.
#[derive(Debug, Clone)]
pub struct Package {
    pub(crate) handle: DownloadHandle,
    status: DownloadStatus,
}

/// Where a package goes.
#[derive(Clone)]
pub struct Saving {
    id: DownloadId,
    goal: Goal,
    max_bytes: Option<u64>,
    progress: Option<Arc<dyn Progress>>,
}

impl fmt::Debug for Saving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saving").field("id", &self.id).field("goal", &self.goal).finish_non_exhaustive()
    }
}

/// Into what a package is written.
pub struct Writing<W> {
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
    /// The package's id.
    pub fn id(&self) -> &DownloadId {
        &self.handle.id
    }

    /// What the service said about it when it became ready.
    pub fn status(&self) -> &DownloadStatus {
        &self.status
    }

    /// Fetches it as a stream of bytes (`downloadPackage`).
    pub fn stream(&self) -> Call<DownloadId, PackageStream> {
        Call::new(&self.handle.client, self.handle.id.clone(), |client, id, options| {
            Box::pin(Wanted { client, id, options, max_bytes: None, progress: None }.stream())
        })
    }

    /// Writes the package to `writer` (`downloadPackage`) on the blocking thread pool and flushes it at the end. The ZIP structure is not verified.
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// let in_memory = package.save_into(Vec::new()).max_bytes(64 << 20).await?.writer;
    /// # Ok(()) }
    /// ```
    pub fn save_into<W: std::io::Write + Send + 'static>(&self, writer: W) -> Call<Writing<W>, Written<W>> {
        let writing = Writing { id: self.handle.id.clone(), writer, max_bytes: None, progress: None };
        Call::new(&self.handle.client, writing, |client, writing, options| {
            let Writing { id, writer, max_bytes, progress } = writing;
            Box::pin(Wanted { client, id, options, max_bytes, progress }.write_into(writer))
        })
    }

    /// Fetches it into a file (`downloadPackage`). The file appears under its name, in place of one that is there, only when it is whole
    /// and safe on disk; until then the bytes are in a temporary file beside it, which goes when the call fails or is dropped.
    ///
    /// Where an answer breaks off, the next one goes on where it stopped, if the service can do that. A file that does not end as a ZIP does is fetched
    /// once more, then [`ErrorKind::Integrity`](crate::ErrorKind); the checksums of what is in it are looked at where that is asked for (`checked`, feature
    /// `package`).
    pub fn save_to(&self, target: impl Into<PathBuf>) -> Call<Saving, Saved> {
        self.save(Place::At(target.into()), IfExists::Replace)
    }

    /// The same, into a folder and under the name that the service gives it (`Content-Disposition`), made one that leads nowhere else;
    /// `package-ID.zip` where it gives none. A file that has the name already stays, unless [`if_exists`](Call::if_exists) says otherwise:
    /// the new one gets a number.
    pub fn save_in(&self, folder: impl Into<PathBuf>) -> Call<Saving, Saved> {
        self.save(Place::In(folder.into()), IfExists::Number)
    }

    /// The same, into a temporary folder, which stays there for as long as a thread writes into it.
    #[cfg(feature = "package")]
    pub(crate) fn save_within(&self, folder: &Arc<TempDir>, max_bytes: u64) -> Call<Saving, Saved> {
        let mut call = self.save_to(folder.path().join("package.zip")).max_bytes(max_bytes);
        call.params.goal.within = Some(Arc::clone(folder));
        call
    }

    fn save(&self, place: Place, if_exists: IfExists) -> Call<Saving, Saved> {
        let goal = Goal { place, if_exists, resumable: false, within: None, check: Check::default() };
        let saving = Saving { id: self.handle.id.clone(), goal, max_bytes: None, progress: None };
        Call::new(&self.handle.client, saving, |client, saving, options| {
            let Saving { id, goal, max_bytes, progress } = saving;
            Box::pin(async move {
                let saved = Wanted { client, id, options, max_bytes, progress }.save(goal).await;
                saved.map_err(|error| error.with_operation("downloadPackage"))
            })
        })
    }

    /// Deletes it (`deleteDownload`).
    pub fn delete(&self) -> Call<DownloadId, ()> {
        self.handle.delete()
    }
}

impl Call<Saving, Saved> {
    /// Is told how many bytes have come.
    pub fn with_progress(mut self, progress: impl Progress) -> Self {
        self.params.progress = Some(Arc::new(progress));
        self
    }

    /// Sets the largest package that is fetched, in bytes. Default: no limit. A package that announces more fails before its first byte is
    /// taken, one that announces nothing as soon as more has come: [`ErrorKind::Integrity`](crate::ErrorKind).
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.params.max_bytes = Some(bytes);
        self
    }

    /// What becomes of a file that has the name already.
    pub fn if_exists(mut self, rule: IfExists) -> Self {
        self.params.goal.if_exists = rule;
        self
    }

    /// Reads everything in the package once before the file gets its name, as [`Contents::check`](crate::Contents::check) does: names, sizes, checksums. A
    /// package with something wrong in it is fetched once more, then [`ErrorKind::Integrity`](crate::ErrorKind), naming the entry. Without this the file is
    /// held to its length and to its end alone, because reading it all takes about as long as unpacking it.
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// use documine::PackageLimits;
    /// package.save_to("q3.zip").checked(PackageLimits::default()).await?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "package")]
    pub fn checked(mut self, limits: crate::package::PackageLimits) -> Self {
        self.params.goal.check = Some(limits);
        self
    }

    /// What has come stays when the call fails, is dropped, or ends with its process, and the next such call for the same package and place goes
    /// on with it. Off by default, since it leaves something behind.
    ///
    /// The bytes are in `NAME.part` then, and `NAME.part.json` says how many are safe (in a folder `package-ID.zip.part`, as the name comes
    /// later). After a process was killed less than 1 MiB of what it had taken over has to come again, after the machine went down less than 5 MiB.
    /// Both files go at the end of a call that succeeds, and where nothing can be gone on with: the package is gone or changed, or the service
    /// can't give the rest of a package. Where the disk is full, make room and call again. Before a part is continued, its bytes are compared with
    /// their checksum; one that changed is begun anew. A part or sidecar that is a link or belongs to another user is refused.
    ///
    /// Of two such calls at a time the second waits up to 5 s for the first, longer where the first was dropped and still brings bytes to disk, and
    /// fails then. Where another process has the part, the call fails at once.
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// let saved = package.save_to("q3.zip").resumable().await?;
    /// println!("{} of {} bytes had come before", saved.resumed_at, saved.bytes);
    /// # Ok(()) }
    /// ```
    pub fn resumable(mut self) -> Self {
        self.params.goal.resumable = true;
        self
    }
}

impl<W> Call<Writing<W>, Written<W>> {
    /// Sets the largest package that is fetched, in bytes. Default: no limit. Set one where the writer is memory. A package that announces
    /// more fails before its first byte is taken, one that announces nothing as soon as more has come:
    /// [`ErrorKind::Integrity`](crate::ErrorKind).
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.params.max_bytes = Some(bytes);
        self
    }

    /// Is told how many bytes have come.
    pub fn with_progress(mut self, progress: impl Progress) -> Self {
        self.params.progress = Some(Arc::new(progress));
        self
    }
}
