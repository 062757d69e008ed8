//! `3. Files`: uploading, reading, waiting for the analysis, deleting.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::call::Call;
use crate::client::Client;
use crate::dossiers::{Deletion, DossierHandle, DossierPath};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::{Polled, Wait};
use crate::page::{List, Question};
use crate::transfer::upload::UploadBody;
use crate::{FileId, FileStatus, ProcessingStatus, Progress, Source};

/// How long files may take unless a caller says otherwise: optical character recognition of a long scan takes its time.
const FILES_DEADLINE: Duration = Duration::from_secs(1800);

impl DossierHandle {
    /// Uploads a file (`uploadFile`). The service begins its analysis by itself.
    ///
    /// What comes back is *uploaded*, not *processed*: wait with [`Uploaded::processed`] before its components are read.
    /// A file with a name that is there already replaces that file. A ZIP archive can yield several files.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::Source;
    /// let file = dossier.upload(Source::path("report.pdf")).await?.processed().await?;
    /// # Ok(()) }
    /// ```
    pub fn upload(&self, source: Source) -> Call<Upload, Uploaded> {
        let upload = Upload { dossier: self.clone(), source, keep_manual_changes: None, progress: None };
        Call::new(&self.client, upload, |client, upload, mut options| {
            Box::pin(async move {
                let Upload { dossier, source, keep_manual_changes, progress } = upload;
                let body = UploadBody { source, progress };
                body.check().await.map_err(|error| error.with_operation("uploadFile"))?;
                options.body = Some(Arc::new(body));
                let mut request = client
                    .requests()
                    .upload_file()
                    .dossier_template_id(dossier.path.template.clone())
                    .dossier_id(dossier.path.dossier.clone())
                    .body(reqwest::multipart::Form::new());
                if let Some(keep) = keep_manual_changes {
                    request = request.keep_manual_changes(keep);
                }
                let (result, facts) = client.answer(request.prepare(), &options).await?;
                Uploaded::new(dossier, result).map_err(|error| error.with_effort(facts.attempts, facts.elapsed))
            })
        })
    }

    /// The dossier's files (`getFiles`).
    pub fn files(&self) -> List<DossierPath, FileStatus> {
        List::new(&self.client, self.path.clone(), |client, path, _| {
            Box::pin(async move {
                let request = client.requests().get_files().dossier_template_id(path.template).dossier_id(path.dossier);
                Question::new(request.prepare(), |list| (list.files, list.extra))
            })
        })
    }

    /// Waits until no file of the dossier is being worked on, 30 minutes at most unless told otherwise; gives the files.
    ///
    /// One list request a look, however many files there are. Files in the trash and files whose analysis is switched off do not count.
    /// A dossier in which a file ended as `ERROR` is reported as [`WaitError::Failed`](crate::WaitError::Failed) when all others are done.
    pub fn processed(&self) -> Wait<Vec<FileStatus>> {
        let dossier = self.clone();
        let what = format!("the analysis of dossier {}", self.id());
        Wait::new(
            what,
            Arc::clone(self.client.clock()),
            FILES_DEADLINE,
            Arc::new(move || {
                let dossier = dossier.clone();
                Box::pin(async move { dossier.look_at_files().await })
            }),
        )
    }

    async fn look_at_files(&self) -> Result<Polled<Vec<FileStatus>>> {
        let files = self.files().looking().await?;
        let counted: Vec<_> =
            files.iter().filter(|file| file.soft_deleted_time.is_none() && !file.excluded.unwrap_or(false)).collect();
        let working = counted.iter().filter(|file| matches!(analysis(file), Analysis::Working)).count();
        if working > 0 {
            return Ok(Polled::Working(format!("{} of {} files processed", counted.len() - working, counted.len())));
        }
        let failed: Vec<_> = counted
            .iter()
            .filter_map(|file| match analysis(file) {
                Analysis::Failed(message) => Some(format!("{}: {message}", name_of(file))),
                _ => None,
            })
            .collect();
        if failed.is_empty() {
            return Ok(Polled::Done(files));
        }
        Ok(Polled::Failed {
            state: "ERROR".into(),
            message: format!("{} of {} files: {}", failed.len(), counted.len(), failed.join("; ")),
        })
    }

    /// One file of this dossier, by its id. Nothing is sent yet.
    ///
    /// Whoever names a file by its id says that it is processed, or waits for it with [`FileHandle::processed`] first.
    pub fn file(&self, id: impl Into<FileId>) -> FileHandle {
        FileHandle { client: self.client.clone(), path: FilePath { dossier: self.path.clone(), file: id.into() } }
    }
}

/// An upload's fields.
#[derive(Clone)]
pub struct Upload {
    dossier: DossierHandle,
    source: Source,
    keep_manual_changes: Option<bool>,
    progress: Option<Arc<dyn Progress>>,
}

impl Call<Upload, Uploaded> {
    /// Where the file replaces one of the same name: keep what people changed in that by hand. Default: do not.
    pub fn keep_manual_changes(mut self, yes: bool) -> Self {
        self.params.keep_manual_changes = Some(yes);
        self
    }

    /// Is told how many bytes have gone out.
    pub fn with_progress(mut self, progress: impl Progress) -> Self {
        self.params.progress = Some(Arc::new(progress));
        self
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("source", &self.source).finish_non_exhaustive()
    }
}

/// A file that the service has taken and not yet analysed: it has no components yet, so there is no way to ask for them here.
#[derive(Debug, Clone)]
#[must_use = "the file is not analysed yet: wait with `processed()`"]
pub struct Uploaded {
    /// The file's id (the first one's, where the upload yielded several).
    pub id: FileId,
    ids: Vec<FileId>,
    dossier: DossierHandle,
}

impl Uploaded {
    fn new(dossier: DossierHandle, result: documine_api::types::FileUploadResult) -> Result<Self> {
        // Inferred names: one of the two lists holds the ids.
        let ids = if result.file_ids.is_empty() { result.processed_file_ids } else { result.file_ids };
        let Some(id) = ids.first().cloned() else {
            return Err(Error::new(
                ErrorKind::Decode,
                "the service took the upload but named no file; look for it in the dossier's list",
            )
            .with_operation("uploadFile"));
        };
        Ok(Self { id, ids, dossier })
    }

    /// All files that came of the upload: several for a ZIP archive.
    pub fn ids(&self) -> &[FileId] {
        &self.ids
    }

    /// Waits until the (first) file is analysed, 30 minutes at most unless told otherwise, and gives the file with its components.
    pub fn processed(&self) -> Wait<FileHandle> {
        self.dossier.file(&self.id).processed()
    }

    /// Reads where the file stands (`getFile`).
    pub fn status(&self) -> Call<FilePath, FileStatus> {
        self.dossier.file(&self.id).get()
    }
}

/// A file that is known by its id.
#[derive(Debug, Clone)]
pub struct FileHandle {
    pub(crate) client: Client,
    pub(crate) path: FilePath,
}

/// Where a file is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePath {
    pub(crate) dossier: DossierPath,
    pub(crate) file: FileId,
}

impl FileHandle {
    /// The file's id.
    pub fn id(&self) -> &FileId {
        &self.path.file
    }

    /// Reads where the file stands (`getFile`).
    pub fn get(&self) -> Call<FilePath, FileStatus> {
        Call::new(&self.client, self.path.clone(), |client, path, options| {
            Box::pin(async move {
                let request = client
                    .requests()
                    .get_file()
                    .dossier_template_id(path.dossier.template)
                    .dossier_id(path.dossier.dossier)
                    .file_id(path.file);
                client.fetch(request.prepare(), &options).await
            })
        })
    }

    /// Moves the file to the trash (`deleteFile`), or deletes it [for good](Call::permanently).
    pub fn delete(&self) -> Call<Deletion<FilePath>, ()> {
        let deletion = Deletion { path: self.path.clone(), permanently: false };
        Call::new(&self.client, deletion, |client, Deletion { path, permanently }, options| {
            Box::pin(async move {
                let request = client
                    .requests()
                    .delete_file()
                    .dossier_template_id(path.dossier.template)
                    .dossier_id(path.dossier.dossier)
                    .file_id(path.file)
                    .delete_permanently(permanently);
                client.done(request.prepare(), &options).await
            })
        })
    }

    /// Waits until the file is analysed, 30 minutes at most unless told otherwise.
    ///
    /// A processed file can go back to work later: changed rules or attributes cause a new analysis.
    pub fn processed(&self) -> Wait<FileHandle> {
        let file = self.clone();
        let what = format!("file {}", self.id());
        Wait::new(
            what,
            Arc::clone(self.client.clock()),
            FILES_DEADLINE,
            Arc::new(move || {
                let file = file.clone();
                Box::pin(async move {
                    let status = file.get().looking().await?;
                    Ok(match analysis(&status) {
                        Analysis::Done => Polled::Done(file),
                        Analysis::Working => Polled::Working(word(&status)),
                        Analysis::Failed(message) => Polled::Failed { state: word(&status), message },
                    })
                })
            }),
        )
    }
}

/// Where a file's analysis stands.
enum Analysis {
    Working,
    Done,
    Failed(String),
}

/// An unknown state is work in progress.
fn analysis(file: &FileStatus) -> Analysis {
    let reason = || file.error_message.clone().unwrap_or_else(|| "the service gives no reason".into());
    match file.processing_status {
        Some(ProcessingStatus::Processed) => Analysis::Done,
        Some(ProcessingStatus::Error) => Analysis::Failed(reason()),
        Some(ProcessingStatus::Deleted) => Analysis::Failed("the file was deleted".into()),
        _ if file.excluded.unwrap_or(false) => {
            Analysis::Failed("its analysis is switched off (excluded), so it would never be processed".into())
        }
        _ => Analysis::Working,
    }
}

/// What people call the file.
fn name_of(file: &FileStatus) -> String {
    file.file_name.clone().unwrap_or_else(|| file.id.to_string())
}

fn word(file: &FileStatus) -> String {
    file.processing_status.as_ref().map_or_else(|| "UNKNOWN".into(), |status| status.as_str().to_owned())
}
