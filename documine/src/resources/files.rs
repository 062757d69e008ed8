//! `3. Files`: handles to the files of a dossier, their status and their analysis.

use std::collections::HashMap;
use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use crate::client::Call;
use crate::client::Client;
use crate::clock::BoxFuture;
use crate::error::{Error, ErrorKind, Result};
use crate::list::{List, ListRequest};
use crate::models::{FileId, FileStatus, ProcessingStatus};
use crate::operation::{Condition, GRACE, PollConfig, PollKey, PollOutcome, Pollable, Wait, WaitContext, WorkKind};
use crate::resources::dossiers::{Deletion, DossierHandle, DossierPath};
use crate::resources::uploads;
use crate::transfer::upload::UploadBody;
use crate::transfer::{Progress, Source};
use crate::transport::{CallOptions, RetryAfterHint};

/// Default deadline of a wait for files. Optical character recognition of a long scan is slow.
const FILES_DEADLINE: Duration = Duration::from_secs(1800);

impl DossierHandle {
    /// Uploads a file (`uploadFile`). The service begins its analysis by itself.
    ///
    /// What comes back is *uploaded*, not *processed*: wait with [`Uploaded::processed`] before its components are read.
    /// A file with a name that is there already replaces that file. A ZIP archive can yield several files.
    ///
    /// The content goes out without waiting for a word of the service (no `Expect: 100-continue`, RFC 9110 section 10.1.1): that would cost every
    /// upload a round trip, and one that is refused at its head stops by itself as soon as the answer is there.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::Source;
    /// let file = dossier.upload(Source::path("report.pdf")).await?.processed().await?;
    /// # Ok(()) }
    /// ```
    pub fn upload(&self, source: Source) -> Call<Upload, Uploaded> {
        let upload =
            Upload { dossier: self.clone(), source, keep_manual_changes: None, progress: None, look_for_lost: false };
        Call::new(&self.client, upload, |client, upload, options| {
            Box::pin(async move {
                if upload.look_for_lost {
                    uploads::careful(&client, upload, options).await
                } else {
                    upload.once(&client, options).await
                }
            })
        })
    }

    /// Lists the dossier's files (`getFiles`).
    pub fn files(&self) -> List<DossierPath, FileStatus> {
        List::new(&self.client, self.path.clone(), |client, path, _| {
            Box::pin(async move {
                let request = client.requests().get_files().dossier_template_id(path.template).dossier_id(path.dossier);
                ListRequest::new(request.prepare(), |list| (list.files, list.extra))
            })
        })
    }

    /// Waits until no file of the dossier is being processed and returns the files. Default deadline: 30 minutes.
    ///
    /// Each poll is one list request, regardless of the number of files. Files in the trash and files excluded from the analysis are ignored. If a
    /// file ended as `ERROR`, the wait ends with [`WaitErrorKind::Failed`](crate::WaitErrorKind::Failed) once all other files are processed.
    pub fn processed(&self) -> Wait<Vec<FileStatus>> {
        self.files_until(Condition::success(|files: &Vec<FileStatus>| {
            analysed_files(files).all(|file| matches!(analysis(file), Analysis::Done))
        }))
    }

    /// Waits until a condition holds for the dossier's files and returns the files. Default deadline: 30 minutes. Each poll is one list request.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::{FileStatus, ProcessingStatus};
    /// let done = |file: &FileStatus| file.processing_status == Some(ProcessingStatus::Processed);
    /// // Ten processed files are enough.
    /// let files = dossier.files_until(move |files: &Vec<FileStatus>| files.iter().filter(|file| done(file)).count() >= 10).await?;
    /// # Ok(()) }
    /// ```
    pub fn files_until(&self, condition: impl Into<Condition<Vec<FileStatus>>>) -> Wait<Vec<FileStatus>> {
        Wait::new(PollConfig::new(self.clone(), condition.into(), Duration::ZERO), |_, files| files)
    }

    /// Returns a handle to a file of this dossier. Sends no request.
    ///
    /// Components are available once the file is processed; wait with [`FileHandle::processed`] if necessary.
    pub fn file(&self, id: impl Into<FileId>) -> FileHandle {
        FileHandle { client: self.client.clone(), path: FilePath { dossier: self.path.clone(), file: id.into() } }
    }
}

/// An upload's fields.
#[derive(Clone)]
pub struct Upload {
    pub(crate) dossier: DossierHandle,
    pub(crate) source: Source,
    pub(crate) keep_manual_changes: Option<bool>,
    pub(crate) progress: Option<Arc<dyn Progress>>,
    pub(crate) look_for_lost: bool,
}

impl Upload {
    /// Sends it, as the options say.
    pub(crate) async fn once(self, client: &Client, mut options: CallOptions) -> Result<Uploaded> {
        let Self { dossier, source, keep_manual_changes, progress, .. } = self;
        let parts = documine_api::operations::operation("uploadFile").map_or(&[][..], |upload| upload.parts);
        let (fields, keep_in_query) = form_fields(parts, keep_manual_changes);
        let body = UploadBody { source, progress, fields };
        body.check().await.map_err(|error| error.with_operation("uploadFile"))?;
        options.body = Some(Arc::new(body));
        let mut request = client
            .requests()
            .upload_file()
            .dossier_template_id(dossier.path.template.clone())
            .dossier_id(dossier.path.dossier.clone())
            .body(reqwest::multipart::Form::new());
        if let Some(keep) = keep_in_query {
            request = request.keep_manual_changes(keep);
        }
        let (result, facts) = client.answer(request.prepare(), &options).await?;
        Uploaded::new(dossier, result).map_err(|error| error.with_effort(facts.attempts, facts.elapsed))
    }
}

/// The text parts of the form, and the value that goes into the query: some documents take the flag as a part of the form.
fn form_fields(
    parts: &[(&str, &'static str, Option<&str>)],
    keep_manual_changes: Option<bool>,
) -> (Vec<(&'static str, String)>, Option<bool>) {
    let Some((_, part, default)) = parts.iter().find(|(name, ..)| *name == "keepManualChanges") else {
        return (Vec::new(), keep_manual_changes);
    };
    let given = keep_manual_changes.map(|keep| keep.to_string()).or_else(|| default.map(String::from));
    (given.map(|value| (*part, value)).into_iter().collect(), None)
}

impl Call<Upload, Uploaded> {
    /// Where the file replaces one of the same name: keep what people changed in that by hand. Default: do not.
    pub fn keep_manual_changes(mut self, yes: bool) -> Self {
        self.params.keep_manual_changes = Some(yes);
        self
    }

    /// Where the answer gets lost, looks for the file in the dossier's list before the upload is repeated: so it is there once, and its id is known. Costs
    /// one list request before the upload, to tell the file from those that were there. An archive is not repeated, because it may
    /// have become several files. Default: no; [`upload_all`](DossierHandle::upload_all) does it.
    pub fn look_for_lost(mut self, yes: bool) -> Self {
        self.params.look_for_lost = yes;
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
    /// A file that was found in the dossier's list.
    pub(crate) fn found(dossier: DossierHandle, id: FileId) -> Self {
        Self { ids: vec![id.clone()], id, dossier }
    }

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
        self.dossier.file(&self.id).processed_after(GRACE)
    }

    /// Reads where the file stands (`getFile`).
    pub fn status(&self) -> Call<FilePath, FileStatus> {
        self.dossier.file(&self.id).get()
    }
}

/// A handle to a file, identified by its id.
#[derive(Debug, Clone)]
pub struct FileHandle {
    pub(crate) client: Client,
    pub(crate) path: FilePath,
}

/// The ids of a file, of its dossier and of its template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePath {
    pub(crate) dossier: DossierPath,
    pub(crate) file: FileId,
}

impl FileHandle {
    /// Returns the file's id.
    pub fn id(&self) -> &FileId {
        &self.path.file
    }

    /// Fetches the status of the file (`getFile`).
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

    /// Moves the file to the trash (`deleteFile`), or deletes it [permanently](Call::permanently).
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
                client.execute(request.prepare(), &options).await
            })
        })
    }

    /// Waits until the file is processed. Default deadline: 30 minutes.
    ///
    /// Changed rules or attributes cause a new analysis of a processed file.
    pub fn processed(&self) -> Wait<FileHandle> {
        self.processed_after(Duration::ZERO)
    }

    /// Waits for the analysis of a file that some machines of the service may not know yet.
    pub(super) fn processed_after(&self, grace: Duration) -> Wait<FileHandle> {
        Wait::new(PollConfig::new(self.clone(), Condition::processed(), grace), |file, _| file.clone())
    }

    /// Waits until a condition holds for the file and returns its status. Default deadline: 30 minutes.
    pub fn until(&self, condition: impl Into<Condition<FileStatus>>) -> Wait<FileStatus> {
        Wait::new(PollConfig::new(self.clone(), condition.into(), Duration::ZERO), |_, status| status)
    }

    fn dossier(&self) -> DossierHandle {
        DossierHandle::new(&self.client, self.path.dossier.template.clone(), self.path.dossier.dossier.clone())
    }
}

impl Pollable for FileHandle {
    type Status = FileStatus;

    const KIND: WorkKind = WorkKind::File;
    const DEADLINE: Duration = FILES_DEADLINE;

    fn id(&self) -> String {
        self.path.file.to_string()
    }

    fn description(&self) -> String {
        format!("file {}", self.path.file)
    }

    fn waits(&self) -> &WaitContext {
        self.client.waits()
    }

    fn fetch(&self, retry_after: &RetryAfterHint) -> BoxFuture<'static, Result<FileStatus>> {
        self.get().looking(retry_after).into_future()
    }

    fn decide(&self, status: FileStatus, condition: &Condition<FileStatus>) -> PollOutcome<FileStatus> {
        if condition.holds(&status) {
            return PollOutcome::Done(status);
        }
        match analysis(&status) {
            Analysis::Failed(message) if condition.requires_success() => {
                PollOutcome::Failed { state: state_name(&status), message }
            }
            _ => PollOutcome::Pending(state_name(&status)),
        }
    }

    fn list_key(&self) -> Option<PollKey> {
        let DossierPath { template, dossier } = self.path.dossier.clone();
        Some(PollKey::DossierFiles(template, dossier))
    }

    fn fetch_list(&self, retry_after: &RetryAfterHint) -> BoxFuture<'static, Result<HashMap<String, FileStatus>>> {
        let files = self.dossier().files().looking(retry_after);
        Box::pin(async move { Ok(files.await?.into_iter().map(|file| (file.id.to_string(), file)).collect()) })
    }
}

impl Pollable for DossierHandle {
    type Status = Vec<FileStatus>;

    const KIND: WorkKind = WorkKind::Dossier;
    const DEADLINE: Duration = FILES_DEADLINE;

    fn id(&self) -> String {
        self.path.dossier.to_string()
    }

    fn description(&self) -> String {
        format!("analysis of dossier {}", self.path.dossier)
    }

    fn waits(&self) -> &WaitContext {
        self.client.waits()
    }

    fn fetch(&self, retry_after: &RetryAfterHint) -> BoxFuture<'static, Result<Vec<FileStatus>>> {
        self.files().looking(retry_after).into_future()
    }

    fn decide(&self, files: Vec<FileStatus>, condition: &Condition<Vec<FileStatus>>) -> PollOutcome<Vec<FileStatus>> {
        if condition.holds(&files) {
            return PollOutcome::Done(files);
        }
        if !condition.requires_success() {
            return PollOutcome::Pending(format!("{} files", files.len()));
        }
        let (mut total, mut working, mut failed) = (0, 0, Vec::new());
        for file in analysed_files(&files) {
            total += 1;
            match analysis(file) {
                Analysis::Working => working += 1,
                Analysis::Failed(message) => failed.push(format!("{}: {message}", display_name(file))),
                Analysis::Done => {}
            }
        }
        if working > 0 || failed.is_empty() {
            return PollOutcome::Pending(format!("{} of {total} files processed", total - working));
        }
        let message = format!("{} of {total} files: {}", failed.len(), failed.join("; "));
        PollOutcome::Failed { state: "ERROR".into(), message }
    }
}

/// Returns the files that a wait for the whole dossier counts: neither in the trash nor excluded from the analysis.
fn analysed_files(files: &[FileStatus]) -> impl Iterator<Item = &FileStatus> {
    files.iter().filter(|file| file.soft_deleted_time.is_none() && !file.excluded.unwrap_or(false))
}

/// The progress of a file's analysis.
enum Analysis {
    Working,
    Done,
    Failed(String),
}

/// Returns the progress of the analysis. An unknown state counts as work in progress.
fn analysis(file: &FileStatus) -> Analysis {
    match file.processing_status {
        Some(ProcessingStatus::Processed) => Analysis::Done,
        Some(ProcessingStatus::Error) => {
            Analysis::Failed(file.error_message.clone().unwrap_or_else(|| "no error message from the service".into()))
        }
        Some(ProcessingStatus::Deleted) => Analysis::Failed("the file was deleted".into()),
        _ if file.excluded.unwrap_or(false) => {
            Analysis::Failed("the file is excluded from the analysis and will never be processed".into())
        }
        _ => Analysis::Working,
    }
}

/// Returns the file's name, or its id if the service reports no name.
fn display_name(file: &FileStatus) -> String {
    file.file_name.clone().unwrap_or_else(|| file.id.to_string())
}

/// Returns the service's name of the file's state.
fn state_name(file: &FileStatus) -> String {
    file.processing_status.as_ref().map_or_else(|| "UNKNOWN".into(), |status| status.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Credentials;
    use crate::operation::SharedPoll;

    #[test]
    fn shares_polls_only_within_a_dossier_whatever_its_ids_contain()
    -> std::result::Result<(), Box<dyn std::error::Error>> {
        let builder = Client::builder("https://acme.example").workspace("acme");
        let client = builder.credentials(Credentials::access_token("t")).build()?;
        let shared = |template: &str, dossier: &str| -> std::result::Result<_, Box<dyn std::error::Error>> {
            let template = client.dossier_template(crate::models::DossierTemplateId::new(template)?);
            let dossier = template.dossier(crate::models::DossierId::new(dossier)?);
            Ok(SharedPoll::of(&dossier.file(FileId::new("f")?)).ok_or("files have a list")?)
        };
        let first = shared("a b", "c")?;
        assert!(Arc::ptr_eq(&first, &shared("a b", "c")?));
        for (template, dossier) in [("a", "b c"), ("a b", "c d"), ("a", "b"), ("a/b", "c"), ("a b c", "c")] {
            assert!(!Arc::ptr_eq(&first, &shared(template, dossier)?), "{template:?} {dossier:?}");
        }
        Ok(())
    }

    #[test]
    fn sends_the_flag_in_the_form_where_the_document_has_it_there() {
        const NAME: &str = "keepManualChanges";
        let form = |part, default, keep| form_fields(&[(NAME, part, default)], keep);
        let field = |part, value: &str| (vec![(part, String::from(value))], None);
        assert_eq!(form_fields(&[], Some(true)), (Vec::new(), Some(true)));
        assert_eq!(form_fields(&[], None), (Vec::new(), None));
        assert_eq!(form("keep", None, Some(true)), field("keep", "true"));
        assert_eq!(form("keep", None, None), (Vec::new(), None));
        assert_eq!(form("keep", Some("false"), None), field("keep", "false"));
        assert_eq!(form("keep", Some("false"), Some(true)), field("keep", "true"));
    }
}
