//! `3. Files`: uploads of one file or many, and the recovery of lost responses.

mod upload_files;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt};
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::Serialize;
use serde_json::Value;

use crate::client::{Client, named_call};
use crate::error::{Error, ErrorKind, Result};
use crate::models::{FileId, FileStatus, ProcessingStatus};
use crate::operation::{GRACE, Wait};
use crate::resources::dossiers::DossierHandle;
use crate::resources::files::{FileHandle, GetFile};
use crate::resources::lost_response::{Recoverable, send_recoverable, within_deadline};
use crate::timeout::Deadline;
use crate::transfer::upload::UploadBody;
use crate::transfer::{Progress, Source};
use crate::transport::CallOptions;

pub use upload_files::{UploadFiles, UploadOutcome};

impl DossierHandle {
    /// Uploads a file (`uploadFile`). The service starts the analysis by itself.
    ///
    /// The result is *uploaded*, not *processed*: wait with [`Uploaded::wait_until_processed`] before reading the components. A ZIP archive can yield
    /// several files.
    ///
    /// The service replaces an existing file of the same name, and its id stays the same. [`upload_all`](Self::upload_all) refuses equal names among
    /// its own sources, but it also replaces files that the dossier already contains, unless [`skip_existing`](UploadFiles::skip_existing) is set
    /// and the size is the same.
    ///
    /// The content is sent without waiting for an interim response (no `Expect: 100-continue`, RFC 9110 section 10.1.1), which would cost every
    /// upload a round trip. An upload that is rejected by its headers stops as soon as the response arrives.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::Source;
    /// let report = dossier.upload("report.pdf").await?.wait_until_processed().await?;
    /// let note = dossier.upload(Source::bytes("note.pdf", &b"%PDF-1.7 ..."[..])).await?;
    /// # Ok(()) }
    /// ```
    pub fn upload(&self, source: impl Into<Source>) -> UploadFile {
        let upload = Upload {
            dossier: self.clone(),
            source: source.into(),
            keep_manual_changes: None,
            progress: None,
            recover_lost_response: false,
        };
        UploadFile::new(&self.client, upload, |client, upload, options| {
            Box::pin(async move {
                if upload.recover_lost_response {
                    let deadline = Deadline::new(options.deadline);
                    Box::pin(within_deadline("uploadFile", deadline, upload.send_recoverable(&client, options))).await
                } else {
                    upload.send(&client, options).await
                }
            })
        })
    }

    /// Uploads many files concurrently. A failure does not stop the other uploads. Each file has one outcome, available as a stream or in order.
    ///
    /// A second source of the same name is not uploaded and ends with [`ErrorKind::Input`](crate::ErrorKind::Input), because the service would replace
    /// the first file: see [`UploadFiles::allow_replacing`]. Files that the dossier contained before are replaced, or
    /// [skipped](UploadFiles::skip_existing).
    ///
    /// The uploads are rate limited (see [`RateLimit`](crate::retry::RateLimit)). After a lost response, the file is searched in the list of the dossier
    /// before the upload is repeated. Once a login is required, the remaining files are not uploaded and end with that error.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// let outcomes = dossier.upload_all(["a.pdf", "b.pdf"]).await?;
    /// for outcome in &outcomes {
    ///     match &outcome.result {
    ///         Ok(uploaded) => println!("{}: {}", outcome.file_name, uploaded.id),
    ///         Err(error) => println!("{}: {error}", outcome.file_name),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn upload_all<I>(&self, sources: I) -> UploadFiles
    where
        I: IntoIterator<Item: Into<Source>>,
        I::IntoIter: Send + 'static,
    {
        self.upload_stream(stream::iter(sources))
    }

    /// Uploads the files of a stream, like [`upload_all`](Self::upload_all). The stream is polled when an upload can start.
    pub fn upload_stream(&self, sources: impl Stream<Item: Into<Source>> + Send + 'static) -> UploadFiles {
        UploadFiles::new(self, sources.map(Into::into).boxed())
    }
}

/// Parameters of an upload.
#[derive(Clone)]
pub(crate) struct Upload {
    dossier: DossierHandle,
    source: Source,
    keep_manual_changes: Option<bool>,
    progress: Option<Arc<dyn Progress>>,
    recover_lost_response: bool,
}

impl Upload {
    /// Uploads the file, repeated according to the options of the call.
    async fn send(&self, client: &Client, mut options: CallOptions) -> Result<Uploaded> {
        let dossier = &self.dossier;
        let parts = documine_api::operations::operation("uploadFile").map_or(&[][..], |upload| upload.parts);
        let (fields, keep_in_query) = form_fields(parts, self.keep_manual_changes);
        let body = UploadBody { source: self.source.clone(), progress: self.progress.clone(), fields };
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
        let sent = client.fetch_with_meta(request.prepare(), &options).await;
        let (result, meta) = sent.map_err(|error| self.explain_missing_length(error))?;
        Uploaded::new(dossier.clone(), result).map_err(|error| error.with_attempts(meta.attempts, meta.elapsed))
    }

    /// Uploads the file, and searches for it in the list of the dossier after a lost response.
    async fn send_recoverable(self, client: &Client, options: CallOptions) -> Result<Uploaded> {
        let known = Arc::new(DossierFiles::list(&self.dossier, &options).await?);
        send_recoverable(&RecoverableUpload { upload: self, known }, client, options).await
    }

    /// Adds a remedy to the rejection of an upload without a length (RFC 9110 section 15.5.12).
    fn explain_missing_length(&self, error: Error) -> Error {
        if self.source.has_unknown_length() && error.status() == Some(http::StatusCode::LENGTH_REQUIRED) {
            return error
                .with_note("the service requires the length of an upload; pass it with the stream to `Source`");
        }
        error
    }
}

/// An upload whose file can be found in the list of the dossier.
struct RecoverableUpload {
    upload: Upload,
    /// The files of the dossier before the upload.
    known: Arc<DossierFiles>,
}

impl Recoverable for RecoverableUpload {
    type Output = Uploaded;

    const OPERATION: &'static str = "uploadFile";
    const NOT_FOUND: &'static str = "the list of the dossier does not contain the file";

    async fn send(&self, client: &Client, options: CallOptions) -> Result<Uploaded> {
        self.upload.send(client, options).await
    }

    async fn find(&self, options: &CallOptions) -> Result<Option<Uploaded>> {
        let Upload { dossier, source, .. } = &self.upload;
        let length = source.length().await.map(|length| json(&length));
        let is_uploaded = |file: &FileStatus| {
            let same_name = file.file_name.as_deref().is_some_and(|name| is_same_name(name, source.name()));
            let size = json(&file.file_size);
            let same_length = !size.is_number() || length.as_ref().is_none_or(|length| *length == size);
            same_name && same_length && self.known.is_new(file)
        };
        let mut found: Vec<_> = list_files(dossier, options).await?.into_iter().filter(is_uploaded).collect();
        // The list may contain both Unicode forms of a name; the uploaded form takes precedence.
        found.sort_by_key(|file| file.file_name.as_deref() != Some(source.name()));
        Ok(found.into_iter().next().map(|file| Uploaded::found(dossier, file.id)))
    }

    fn is_repeatable(&self) -> bool {
        // An archive may have become several files, whose names are not known.
        let is_archive = self.upload.source.name().to_ascii_lowercase().ends_with(".zip");
        !is_archive && self.upload.source.is_repeatable()
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("source", &self.source).finish_non_exhaustive()
    }
}

named_call! {
    /// Uploads a file (`uploadFile`). Created by [`DossierHandle::upload`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// let file = dossier.upload("report.pdf").await?.wait_until_processed().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) if the source cannot be read. An upload is retried only if the service cannot have processed
    /// it, unless [`RetryMode::EvenIfSent`](crate::retry::RetryMode::EvenIfSent) is set or lost responses are
    /// [recovered](Self::recover_lost_response).
    UploadFile(Upload) -> Uploaded
}

impl UploadFile {
    /// Sets whether manual changes are kept when the file replaces a file of the same name. Default: no.
    pub fn keep_manual_changes(mut self, yes: bool) -> Self {
        self.call.params.keep_manual_changes = Some(yes);
        self
    }

    /// Sets whether a file whose response was lost is searched in the list of the dossier before the upload is repeated. The file is then
    /// uploaded once and its id is known, unless the service takes longer than 7 s to list it. This costs one list request before the upload, to
    /// distinguish the file from existing files. Default: no; [`upload_all`](DossierHandle::upload_all) always searches.
    ///
    /// An upload without result in the list is repeated at most twice, or as often as the [retry policy](crate::retry::RetryPolicy::max_attempts)
    /// allows if that is less. It is not repeated with [`RetryMode::Never`](crate::retry::RetryMode::Never), and for an archive, because an
    /// archive may have become several files. If the search fails, the error is that of the upload, with the failure of the search as a note.
    pub fn recover_lost_response(mut self, yes: bool) -> Self {
        self.call.params.recover_lost_response = yes;
        self
    }

    /// Sets a callback for the number of uploaded bytes.
    pub fn with_progress(mut self, progress: impl Progress) -> Self {
        self.call.params.progress = Some(Arc::new(progress));
        self
    }
}

/// Returns the text parts of the form and the value for the query. Some OpenAPI documents describe the flag as a part of the form.
fn form_fields(
    parts: &[(&str, &'static str, Option<&str>)],
    keep_manual_changes: Option<bool>,
) -> (Vec<(&'static str, String)>, Option<bool>) {
    let Some((_, part, default)) = parts.iter().find(|(name, ..)| *name == "keepManualChanges") else {
        return (Vec::new(), keep_manual_changes);
    };
    let value = keep_manual_changes.map(|keep| keep.to_string()).or_else(|| default.map(String::from));
    (value.map(|value| (*part, value)).into_iter().collect(), None)
}

/// An uploaded file whose analysis may not be finished.
#[derive(Debug, Clone)]
#[must_use = "the file is not analysed yet: wait with `wait_until_processed()`"]
pub struct Uploaded {
    /// Id of the file (of the first file, if the upload yielded several).
    pub id: FileId,
    ids: Vec<FileId>,
    dossier: DossierHandle,
}

impl Uploaded {
    /// Creates the result from a file found in the list of the dossier.
    fn found(dossier: &DossierHandle, id: FileId) -> Self {
        Self { ids: vec![id.clone()], id, dossier: dossier.clone() }
    }

    fn new(dossier: DossierHandle, result: documine_api::types::FileUploadResult) -> Result<Self> {
        // The names are inferred: either list may hold the ids.
        let ids = if result.file_ids.is_empty() { result.processed_file_ids } else { result.file_ids };
        let Some(id) = ids.first().cloned() else {
            return Err(Error::new(
                ErrorKind::Decode,
                "the service accepted the upload without returning a file id; search for the file in the list of the dossier",
            )
            .with_operation("uploadFile"));
        };
        Ok(Self { id, ids, dossier })
    }

    /// Returns the ids of all files that the upload yielded: several for a ZIP archive.
    pub fn ids(&self) -> &[FileId] {
        &self.ids
    }

    /// Waits until the (first) file is analysed and returns a handle that gives access to its components. Default deadline: 30 minutes.
    pub fn wait_until_processed(&self) -> Wait<FileHandle> {
        self.dossier.file(&self.id).processed_after(GRACE)
    }

    /// Reads the status of the file (`getFile`).
    pub fn status(&self) -> GetFile {
        self.dossier.file(&self.id).get()
    }
}

/// The files of a dossier before an upload.
struct DossierFiles {
    by_id: HashMap<FileId, KnownFile>,
    /// Id and size of the files of each [normalized](normalized_name) name, without those whose analysis failed.
    by_name: HashMap<String, Vec<(FileId, Value)>>,
}

/// The values that change when a file is replaced. JSON values, because the OpenAPI document decides on their types.
struct KnownFile {
    added: Value,
    /// `None` during an analysis, which changes the value as well.
    last_updated: Option<Value>,
}

impl DossierFiles {
    async fn list(dossier: &DossierHandle, options: &CallOptions) -> Result<Self> {
        let (mut by_id, mut by_name) = (HashMap::new(), HashMap::<_, Vec<_>>::new());
        for file in list_files(dossier, options).await? {
            let has_failed = file.processing_status == Some(ProcessingStatus::Error);
            if let Some(name) = file.file_name.as_ref().filter(|_| !has_failed) {
                by_name.entry(normalized_name(name)).or_default().push((file.id.clone(), json(&file.file_size)));
            }
            let is_analysed =
                matches!(file.processing_status, None | Some(ProcessingStatus::Processed | ProcessingStatus::Error));
            let last_updated = is_analysed.then(|| json(&file.last_updated));
            by_id.insert(file.id, KnownFile { added: json(&file.added), last_updated });
        }
        Ok(Self { by_id, by_name })
    }

    /// Returns whether a file was added or replaced since the files were listed. `false` if that is unknown: an upload is rather repeated than lost.
    fn is_new(&self, file: &FileStatus) -> bool {
        let Some(known) = self.by_id.get(&file.id) else { return true };
        let is_updated = known.last_updated.as_ref().is_some_and(|updated| *updated != json(&file.last_updated));
        is_updated || known.added != json(&file.added)
    }

    /// Returns the file with the name and the size of this source. A file whose analysis failed matches nothing, and neither
    /// does a file or a source of unknown size.
    async fn find_equal(&self, source: &Source) -> Option<&FileId> {
        let named = self.by_name.get(&normalized_name(source.name()))?;
        let length = json(&source.length().await?);
        named.iter().find(|(_, size)| *size == length).map(|(id, _)| id)
    }
}

/// Lists the files of a dossier, without those in the trash.
async fn list_files(dossier: &DossierHandle, options: &CallOptions) -> Result<Vec<FileStatus>> {
    let mut list = dossier.files();
    list.list.call.options.call = options.clone();
    let mut files = list.await?;
    files.retain(|file| file.soft_deleted_time.is_none() && file.processing_status != Some(ProcessingStatus::Deleted));
    Ok(files)
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Returns a form of a name that is equal for names which the service treats as equal. Systems and services write accented letters composed or
/// decomposed (Unicode NFC, NFD) and drop spaces around a name.
fn normalized_name(name: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(name.trim()).into_owned()
}

/// Returns whether the service treats two names as equal.
pub(super) fn is_same_name(listed: &str, uploaded: &str) -> bool {
    normalized_name(listed) == normalized_name(uploaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sends_the_flag_in_the_form_if_the_document_has_it_there() {
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
