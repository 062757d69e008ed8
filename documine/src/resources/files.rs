//! `3. Files`: uploading, reading, waiting for the analysis, deleting.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::client::Call;
use crate::client::Client;
use crate::clock::BoxFuture;
use crate::error::Result;
use crate::list::{List, ListRequest};
use crate::models::{FileId, FileStatus, ProcessingStatus};
use crate::operation::{Board, BoardKey, Condition, Kind, Look, Plan, Polled, Wait};
use crate::resources::dossiers::{Deletion, DossierHandle, DossierPath};
use crate::transport::RetryAfterHint;

/// How long files may take unless a caller says otherwise: optical character recognition of a long scan takes its time.
const FILES_DEADLINE: Duration = Duration::from_secs(1800);

impl DossierHandle {
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
            history: Arc::clone(&self.client.history()),
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
        self.client.boards().board(key, || {
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
    pub(crate) fn processed_after(&self, grace: Duration) -> Wait<FileHandle> {
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
                move |asked| by_itself.get().looking(asked).into_future(),
                judge.clone(),
            )
        };
        Wait::new(Plan {
            kind: Kind::File,
            what: format!("file {}", self.id()),
            id: self.id().to_string(),
            clock: Arc::clone(self.client.clock()),
            history: Arc::clone(&self.client.history()),
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
}
