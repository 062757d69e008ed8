//! `3. Files`: uploading, reading, waiting for the analysis, deleting.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::client::Call;
use crate::client::Client;
use crate::clock::BoxFuture;
use crate::error::{Error, ErrorKind, Result};
use crate::list::{List, ListRequest};
use crate::models::{FileId, FileStatus, ProcessingStatus};
use crate::operation::{Board, BoardKey, Condition, GRACE, Kind, Look, Plan, Polled, Wait};
use crate::resources::dossiers::{Deletion, DossierHandle, DossierPath};
use crate::resources::uploads;
use crate::transfer::upload::UploadBody;
use crate::transfer::{Progress, Source};
use crate::transport::{CallOptions, RetryAfterHint};

/// How long files may take unless a caller says otherwise: optical character recognition of a long scan takes its time.
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

    /// The dossier's files (`getFiles`).
    pub fn files(&self) -> List<DossierPath, FileStatus> {
        List::new(&self.client, self.path.clone(), |client, path, _| {
            Box::pin(async move {
                let request = client.requests().get_files().dossier_template_id(path.template).dossier_id(path.dossier);
                ListRequest::new(request.prepare(), |list| (list.files, list.extra))
            })
        })
    }

    /// Waits until no file of the dossier is being worked on, 30 minutes at most unless told otherwise; gives the files.
    ///
    /// One list request a look, however many files there are. Files in the trash and files whose analysis is switched off do not count.
    /// A dossier in which a file ended as `ERROR` is reported as [`WaitError::Failed`](crate::WaitError::Failed) when all others are done.
    pub fn processed(&self) -> Wait<Vec<FileStatus>> {
        self.wait_for_files(Self::all_processed)
    }

    /// Waits until a condition holds for the dossier's files, 30 minutes at most unless told otherwise; gives the files. One list request a look.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::{FileStatus, ProcessingStatus};
    /// let done = |file: &FileStatus| file.processing_status == Some(ProcessingStatus::Processed);
    /// // The first ten will do.
    /// let files = dossier.files_until(move |files: &Vec<FileStatus>| files.iter().filter(|file| done(file)).count() >= 10).await?;
    /// # Ok(()) }
    /// ```
    pub fn files_until(&self, condition: impl Into<Condition<Vec<FileStatus>>>) -> Wait<Vec<FileStatus>> {
        let condition = condition.into();
        self.wait_for_files(move |files| {
            if condition.holds(&files) {
                Polled::Done(files)
            } else {
                Polled::Working(format!("{} files", files.len()))
            }
        })
    }

    fn wait_for_files(
        &self,
        judge: impl Fn(Vec<FileStatus>) -> Polled<Vec<FileStatus>> + Clone + Send + Sync + 'static,
    ) -> Wait<Vec<FileStatus>> {
        let dossier = self.clone();
        let begin = move || -> Look<Vec<FileStatus>> {
            let (dossier, judge) = (dossier.clone(), judge.clone());
            Look::alone(move |turn| {
                let (dossier, judge) = (dossier.clone(), judge.clone());
                Box::pin(async move { Ok(judge(dossier.files().looking(&turn.asked).await?)) })
            })
        };
        Wait::new(Plan {
            kind: Kind::Dossier,
            what: format!("the analysis of dossier {}", self.id()),
            id: self.id().to_string(),
            clock: Arc::clone(self.client.clock()),
            history: Arc::clone(self.client.wait_durations()),
            deadline: FILES_DEADLINE,
            grace: Duration::ZERO,
            known: Arc::default(),
            begin: Arc::new(begin),
        })
    }

    fn all_processed(files: Vec<FileStatus>) -> Polled<Vec<FileStatus>> {
        let counted: Vec<_> =
            files.iter().filter(|file| file.soft_deleted_time.is_none() && !file.excluded.unwrap_or(false)).collect();
        let working = counted.iter().filter(|file| matches!(analysis(file), Analysis::Working)).count();
        if working > 0 {
            return Polled::Working(format!("{} of {} files processed", counted.len() - working, counted.len()));
        }
        let failed: Vec<_> = counted
            .iter()
            .filter_map(|file| match analysis(file) {
                Analysis::Failed(message) => Some(format!("{}: {message}", name_of(file))),
                _ => None,
            })
            .collect();
        if failed.is_empty() {
            return Polled::Done(files);
        }
        Polled::Failed {
            state: "ERROR".into(),
            message: format!("{} of {} files: {}", failed.len(), counted.len(), failed.join("; ")),
        }
    }

    /// Where all that wait for files of this dossier share their looks.
    fn board(&self) -> Arc<Board<FileStatus>> {
        let key = BoardKey::Files(self.path.template.clone(), self.path.dossier.clone());
        self.client.shared_polls().board(key, || {
            let dossier = self.clone();
            let read = move |asked: RetryAfterHint| -> BoxFuture<'static, Result<HashMap<String, FileStatus>>> {
                let dossier = dossier.clone();
                Box::pin(async move {
                    let files = dossier.files().looking(&asked).await?;
                    Ok(files.into_iter().map(|file| (file.id.to_string(), file)).collect())
                })
            };
            Board::new(Arc::clone(self.client.clock()), 2, Box::new(read))
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
        let (result, facts) = client.fetch_with_meta(request.prepare(), &options).await?;
        Uploaded::new(dossier, result).map_err(|error| error.with_attempts(facts.attempts, facts.elapsed))
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
                client.execute(request.prepare(), &options).await
            })
        })
    }

    /// Waits until the file is analysed, 30 minutes at most unless told otherwise.
    ///
    /// A processed file can go back to work later: changed rules or attributes cause a new analysis.
    pub fn processed(&self) -> Wait<FileHandle> {
        self.processed_after(Duration::ZERO)
    }

    /// The same for a file that the service may not know everywhere yet.
    fn processed_after(&self, grace: Duration) -> Wait<FileHandle> {
        let file = self.clone();
        self.wait(grace, move |status| match analysis(&status) {
            Analysis::Done => Polled::Done(file.clone()),
            Analysis::Working => Polled::Working(word(&status)),
            Analysis::Failed(message) => Polled::Failed { state: word(&status), message },
        })
    }

    /// Waits until a condition holds for the file, 30 minutes at most unless told otherwise; gives what the service says of the file then.
    pub fn until(&self, condition: impl Into<Condition<FileStatus>>) -> Wait<FileStatus> {
        let condition = condition.into();
        self.wait(Duration::ZERO, move |status| {
            if condition.holds(&status) {
                return Polled::Done(status);
            }
            match analysis(&status) {
                Analysis::Failed(message) if condition.is_over_with_failure() => {
                    Polled::Failed { state: word(&status), message }
                }
                _ => Polled::Working(word(&status)),
            }
        })
    }

    /// A wait whose looks are shared with others that wait for files of this dossier.
    fn wait<T: Send + 'static>(
        &self,
        grace: Duration,
        judge: impl Fn(FileStatus) -> Polled<T> + Clone + Send + Sync + 'static,
    ) -> Wait<T> {
        let file = self.clone();
        let begin = move || -> Look<T> {
            let DossierPath { template, dossier } = file.path.dossier.clone();
            let dossier = DossierHandle::new(&file.client, template, dossier);
            let by_itself = file.clone();
            dossier.board().sit_down().look(
                file.id().to_string(),
                move |asked| by_itself.get().for_poll(asked).into_future(),
                judge.clone(),
            )
        };
        Wait::new(Plan {
            kind: Kind::File,
            what: format!("file {}", self.id()),
            id: self.id().to_string(),
            clock: Arc::clone(self.client.clock()),
            history: Arc::clone(self.client.wait_durations()),
            deadline: FILES_DEADLINE,
            grace,
            known: Arc::default(),
            begin: Arc::new(begin),
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Credentials;

    #[test]
    fn dossiers_share_looks_only_with_themselves_whatever_their_ids_hold()
    -> std::result::Result<(), Box<dyn std::error::Error>> {
        let builder = Client::builder("https://acme.example").workspace("acme");
        let client = builder.credentials(Credentials::access_token("t")).build()?;
        let board = |template: &str, dossier: &str| -> std::result::Result<_, crate::models::InvalidId> {
            Ok(client
                .dossier_template(crate::models::DossierTemplateId::new(template)?)
                .dossier(crate::models::DossierId::new(dossier)?)
                .board())
        };
        let one = board("a b", "c")?;
        assert!(Arc::ptr_eq(&one, &board("a b", "c")?));
        for (template, dossier) in [("a", "b c"), ("a b", "c d"), ("a", "b"), ("a/b", "c"), ("a b c", "c")] {
            assert!(!Arc::ptr_eq(&one, &board(template, dossier)?), "{template:?} {dossier:?}");
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
