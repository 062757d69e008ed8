//! `3. Files`: handles to the files of a dossier, their status and their analysis.

use std::collections::HashMap;
use std::time::Duration;

use crate::client::{Client, named_call};
use crate::clock::BoxFuture;
use crate::error::Result;
use crate::list::{ListRequest, named_list};
use crate::models::{FileId, FileStatus, ProcessingStatus};
use crate::operation::{
    Condition, MAX_NAMED_FILES, OpenFiles, PollConfig, PollKey, PollOutcome, Pollable, Wait, WaitContext, WorkFailure,
    WorkKind, display_name, shortened,
};
use crate::resources::dossiers::{Deletion, DossierHandle, DossierPath};
use crate::transport::{RequestOptions, RetryAfterHint};

/// Default deadline of a wait for files. Optical character recognition of a long scan is slow.
const FILES_DEADLINE: Duration = Duration::from_secs(1800);

/// Longest reason of a failed file in an error, in characters. The whole error then fits into one line of 512 characters.
const MAX_SUMMARY_REASON: usize = 80;

impl DossierHandle {
    /// Lists the dossier's files (`getFiles`).
    pub fn files(&self) -> ListFiles {
        ListFiles::new(&self.client, self.path.clone(), |client, path, _| {
            Box::pin(async move {
                let request = client.requests().get_files().dossier_template_id(path.template).dossier_id(path.dossier);
                ListRequest::new(request.prepare(), |list| (list.files, list.extra))
            })
        })
    }

    /// Waits until no file of the dossier is being processed and returns the files. Default deadline: 30 minutes.
    ///
    /// Each poll is one list request, regardless of the number of files. Deleted files and files excluded from the analysis are ignored. If a
    /// file ended as `ERROR`, the wait ends with [`WaitErrorKind::Failed`](crate::wait::WaitErrorKind::Failed) once all other files are processed;
    /// the error has the [failed files](crate::wait::WaitError::failed_files).
    ///
    /// The wait covers all files of the dossier: a file that failed in an earlier run of the program fails this wait too. Delete such a file, upload it
    /// again, or wait for single files: [`FileHandle::wait_until_processed`].
    pub fn wait_until_processed(&self) -> Wait<Vec<FileStatus>> {
        self.wait_until_files(Condition::success(|files: &Vec<FileStatus>| {
            analysed_files(files).all(|file| matches!(analysis(file), Analysis::Done))
        }))
    }

    /// Waits until a condition holds for the dossier's files and returns the files. Default deadline: 30 minutes. Each poll is one list request.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::models::{FileStatus, ProcessingStatus};
    /// let done = |file: &FileStatus| file.processing_status == Some(ProcessingStatus::Processed);
    /// // Ten processed files are enough.
    /// let files = dossier.wait_until_files(move |files: &Vec<FileStatus>| files.iter().filter(|file| done(file)).count() >= 10).await?;
    /// # Ok(()) }
    /// ```
    pub fn wait_until_files(&self, condition: impl Into<Condition<Vec<FileStatus>>>) -> Wait<Vec<FileStatus>> {
        Wait::new(PollConfig::new(self.clone(), condition, |_, files| files))
    }

    /// Returns a handle to a file of this dossier. Sends no request.
    ///
    /// Components are available once the file is processed; wait with [`FileHandle::wait_until_processed`] if necessary.
    pub fn file(&self, id: impl Into<FileId>) -> FileHandle {
        FileHandle { client: self.client.clone(), path: FilePath { dossier: self.path.clone(), file: id.into() } }
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
pub(crate) struct FilePath {
    pub(crate) dossier: DossierPath,
    pub(crate) file: FileId,
}

impl FileHandle {
    /// Returns the file's id.
    pub fn id(&self) -> &FileId {
        &self.path.file
    }

    /// Fetches the status of the file (`getFile`).
    pub fn get(&self) -> GetFile {
        GetFile::new(&self.client, self.path.clone(), |client, path, options| {
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

    /// Moves the file to the trash (`deleteFile`), or deletes it [permanently](DeleteFile::permanently).
    pub fn delete(&self) -> DeleteFile {
        let deletion = Deletion { path: self.path.clone(), permanently: false };
        DeleteFile::new(&self.client, deletion, |client, Deletion { path, permanently }, options| {
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
    pub fn wait_until_processed(&self) -> Wait<FileHandle> {
        self.processed_after(Duration::ZERO)
    }

    /// Waits for the analysis of a file that some machines of the service may not know yet.
    pub(super) fn processed_after(&self, grace: Duration) -> Wait<FileHandle> {
        let config = PollConfig::new(self.clone(), Condition::processed(), |file, _| file.clone());
        Wait::new(config.with_grace(grace))
    }

    /// Waits until a condition holds for the file and returns its status. Default deadline: 30 minutes.
    pub fn wait_until(&self, condition: impl Into<Condition<FileStatus>>) -> Wait<FileStatus> {
        Wait::new(PollConfig::new(self.clone(), condition, |_, status| status))
    }

    fn dossier(&self) -> DossierHandle {
        DossierHandle::new(&self.client, self.path.dossier.template.clone(), self.path.dossier.dossier.clone())
    }
}

named_list! {
    /// Lists the files of a dossier (`getFiles`). Created by [`DossierHandle::files`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// for file in dossier.files().await? {
    ///     println!("{:?}: {:?}", file.file_name, file.processing_status);
    /// }
    /// # Ok(()) }
    /// ```
    ListFiles(DossierPath) -> FileStatus
}

named_call! {
    /// Fetches the status of a file (`getFile`). Created by [`FileHandle::get`] and [`Uploaded::status`](crate::Uploaded::status).
    ///
    /// ```
    /// # async fn f(file: documine::FileHandle) -> documine::Result<()> {
    /// println!("{:?}", file.get().await?.processing_status);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such file.
    GetFile(FilePath) -> FileStatus
}

named_call! {
    /// Deletes a file (`deleteFile`). Created by [`FileHandle::delete`].
    ///
    /// ```
    /// # async fn f(file: documine::FileHandle) -> documine::Result<()> {
    /// file.delete().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such file.
    DeleteFile(Deletion<FilePath>) -> ()
}

impl DeleteFile {
    /// Sets whether the file is deleted permanently instead of moved to the trash. Default: `false`.
    ///
    /// The trash keeps items for 96 hours unless the administrator has set another time.
    pub fn permanently(mut self, yes: bool) -> Self {
        self.call.params.permanently = yes;
        self
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

    fn fetch(&self, options: RequestOptions, retry_after: &RetryAfterHint) -> BoxFuture<'static, Result<FileStatus>> {
        self.get().with_options(options).call.for_poll(retry_after).send()
    }

    fn decide(&self, status: FileStatus, condition: &Condition<FileStatus>) -> PollOutcome<FileStatus> {
        if condition.holds(&status) {
            return PollOutcome::Done(status);
        }
        match analysis(&status) {
            Analysis::Failed(message) if condition.requires_success() => {
                PollOutcome::Failed(WorkFailure { state: state_name(&status), message, files: vec![status] })
            }
            _ => PollOutcome::Pending(state_name(&status), open_files([status])),
        }
    }

    fn is_unfinished(status: &FileStatus) -> bool {
        is_analysed(status) && matches!(analysis(status), Analysis::Working)
    }

    fn list_key(&self) -> Option<PollKey> {
        let DossierPath { template, dossier } = self.path.dossier.clone();
        Some(PollKey::DossierFiles(template, dossier))
    }

    fn fetch_list(&self, retry_after: &RetryAfterHint) -> BoxFuture<'static, Result<HashMap<String, FileStatus>>> {
        let files = self.dossier().files().list.for_poll(retry_after);
        Box::pin(
            async move { Ok(files.collect().await?.into_iter().map(|file| (file.id.to_string(), file)).collect()) },
        )
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

    fn fetch(
        &self,
        options: RequestOptions,
        retry_after: &RetryAfterHint,
    ) -> BoxFuture<'static, Result<Vec<FileStatus>>> {
        Box::pin(self.files().with_options(options).list.for_poll(retry_after).collect())
    }

    fn decide(&self, files: Vec<FileStatus>, condition: &Condition<Vec<FileStatus>>) -> PollOutcome<Vec<FileStatus>> {
        if condition.holds(&files) {
            return PollOutcome::Done(files);
        }
        let (count, total) = (files.len(), analysed_files(&files).count());
        let open = open_files(files.into_iter().filter(is_analysed));
        if !condition.requires_success() {
            return PollOutcome::Pending(format!("{count} files"), open);
        }
        let working = open.unfinished.len();
        if working > 0 || open.failed.is_empty() {
            return PollOutcome::Pending(format!("{} of {total} files processed", total - working), open);
        }
        let message = format!("{} of {total} files: {}", open.failed.len(), summary(&open.failed));
        PollOutcome::Failed(WorkFailure { state: "ERROR".into(), message, files: open.failed })
    }
}

/// Returns the files that a wait for the whole dossier counts: neither deleted nor excluded from the analysis.
fn analysed_files(files: &[FileStatus]) -> impl Iterator<Item = &FileStatus> {
    files.iter().filter(|file| is_analysed(file))
}

fn is_analysed(file: &FileStatus) -> bool {
    let is_deleted = file.soft_deleted_time.is_some() || file.processing_status == Some(ProcessingStatus::Deleted);
    !is_deleted && !file.excluded.unwrap_or(false)
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

/// Returns the files that are not processed.
fn open_files(files: impl IntoIterator<Item = FileStatus>) -> OpenFiles {
    let mut open = OpenFiles::default();
    for file in files {
        match analysis(&file) {
            Analysis::Working => open.unfinished.push(file),
            Analysis::Failed(_) => open.failed.push(file),
            Analysis::Done => {}
        }
    }
    open
}

/// Returns the names and reasons of the first failed files, as a text of bounded length.
fn summary(failed: &[FileStatus]) -> String {
    let name_and_reason = |file: &FileStatus| match analysis(file) {
        Analysis::Failed(reason) => format!("{}: {}", display_name(file), shortened(&reason, MAX_SUMMARY_REASON)),
        Analysis::Working | Analysis::Done => display_name(file),
    };
    let mut parts: Vec<_> = failed.iter().take(MAX_NAMED_FILES).map(name_and_reason).collect();
    if failed.len() > parts.len() {
        parts.push(format!("and {} more", failed.len() - parts.len()));
    }
    parts.join("; ")
}

/// Returns the service's name of the file's state.
fn state_name(file: &FileStatus) -> String {
    file.processing_status.as_ref().map_or_else(|| "UNKNOWN".into(), |status| status.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::auth::Credentials;
    use crate::operation::SharedPoll;

    #[test]
    fn error_of_a_dossier_names_few_of_many_failed_files_and_has_the_status_of_all()
    -> std::result::Result<(), Box<dyn std::error::Error>> {
        let builder = Client::builder("https://acme.example").workspace("acme");
        let client = builder.credentials(Credentials::access_token("t")).build()?;
        let template = client.dossier_template(crate::models::DossierTemplateId::new("t")?);
        let dossier = template.dossier(crate::models::DossierId::new("d")?);
        let file = |number: usize| {
            serde_json::from_value(serde_json::json!({
                "id": format!("f-{number}"),
                "fileName": "n".repeat(5_000),
                "processingStatus": "ERROR",
                "errorMessage": "r".repeat(5_000),
            }))
        };
        let files = (0..2_000).map(file).collect::<std::result::Result<Vec<FileStatus>, _>>()?;
        let processed = Condition::success(|files: &Vec<FileStatus>| files.is_empty());
        let PollOutcome::Failed(failure) = dossier.decide(files.clone(), &processed) else {
            return Err("not failed".into());
        };
        assert_eq!(failure.files, files);
        let name = format!("{}…: {}…", "n".repeat(60), "r".repeat(80));
        assert_eq!(failure.message, format!("2000 of 2000 files: {name}; {name}; {name}; and 1997 more"));
        assert_eq!(crate::text::one_line(&failure.message), failure.message, "the line of the error has it all");
        Ok(())
    }

    #[test]
    fn error_of_a_wait_names_few_of_many_unfinished_files() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let file = |number: usize, state: &str| {
            let name = format!("{number}{}", "n".repeat(5_000));
            serde_json::from_value(serde_json::json!({"id": "f", "fileName": name, "processingStatus": state}))
        };
        let files =
            |count| (0..count).map(|number| file(number, "ANALYSE")).collect::<std::result::Result<Vec<_>, _>>();
        let name = |number: usize| format!("{number}{}…", "n".repeat(59));
        let names = |count| files(count).map(|files| open_files(files).names());
        assert_eq!(names(0)?, None);
        assert_eq!(names(2)?, Some(format!("{}, {}", name(0), name(1))));
        assert_eq!(names(2_000)?, Some(format!("{}, {}, {} and 1997 more", name(0), name(1), name(2))));
        let open = open_files([file(0, "ANALYSE")?, file(1, "ERROR")?, file(2, "PROCESSED")?]);
        assert_eq!((open.unfinished, open.failed), (vec![file(0, "ANALYSE")?], vec![file(1, "ERROR")?]));
        Ok(())
    }

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
}
