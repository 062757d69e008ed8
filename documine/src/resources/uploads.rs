//! `3. Files`: uploads of one file or many, and the recovery of lost responses.

use std::collections::HashMap;
use std::fmt;
use std::future::IntoFuture;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::Serialize;
use serde_json::Value;

use crate::client::{Client, named_call};
use crate::clock::BoxFuture;
use crate::error::{Error, ErrorKind, Result, TimeoutPhase};
use crate::models::{FileId, FileStatus};
use crate::operation::{GRACE, Wait};
use crate::resources::dossiers::DossierHandle;
use crate::resources::files::{FileHandle, GetFile};
use crate::timeout::within;
use crate::transfer::upload::UploadBody;
use crate::transfer::{Progress, Source};
use crate::transport::{CallOptions, RetryMode, TransferFailure};

/// Default number of concurrent uploads.
const DEFAULT_CONCURRENCY: usize = 4;
/// Most uploads of one file whose responses are lost.
const MAX_UPLOADS: u32 = 3;
/// Delays before each search for the file of a lost response, which the service may still be processing.
const SEARCH_DELAYS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

impl DossierHandle {
    /// Uploads a file (`uploadFile`). The service starts the analysis by itself.
    ///
    /// The result is *uploaded*, not *processed*: wait with [`Uploaded::wait_until_processed`] before reading the components. A file of the same name is
    /// replaced. A ZIP archive can yield several files.
    ///
    /// The content is sent without waiting for an interim response (no `Expect: 100-continue`, RFC 9110 section 10.1.1), which would cost every
    /// upload a round trip. An upload that is rejected by its headers stops as soon as the response arrives.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::Source;
    /// let file = dossier.upload(Source::path("report.pdf")).await?.wait_until_processed().await?;
    /// # Ok(()) }
    /// ```
    pub fn upload(&self, source: Source) -> UploadFile {
        let upload = Upload {
            dossier: self.clone(),
            source,
            keep_manual_changes: None,
            progress: None,
            recover_lost_response: false,
        };
        UploadFile::new(&self.client, upload, |client, upload, options| {
            Box::pin(async move {
                if upload.recover_lost_response {
                    upload.send_recoverable(&client, options).await
                } else {
                    upload.send(&client, options).await
                }
            })
        })
    }

    /// Uploads many files concurrently. A failure does not stop the other uploads. Each file has one outcome, available as a stream or in order.
    ///
    /// The uploads are rate limited (see [`RateLimit`](crate::retry::RateLimit)). After a lost response, the file is searched in the list of the dossier
    /// before the upload is repeated. Once a login is required, the remaining files are not uploaded and end with that error.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::Source;
    /// let outcomes = dossier.upload_all(["a.pdf", "b.pdf"].map(Source::path)).await?;
    /// for outcome in &outcomes {
    ///     match &outcome.result {
    ///         Ok(uploaded) => println!("{}: {}", outcome.file_name, uploaded.id),
    ///         Err(error) => println!("{}: {error}", outcome.file_name),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn upload_all<I>(&self, sources: I) -> UploadAll
    where
        I: IntoIterator<Item = Source>,
        I::IntoIter: Send + 'static,
    {
        self.upload_stream(stream::iter(sources))
    }

    /// Uploads the files of a stream, like [`upload_all`](Self::upload_all). The stream is polled when an upload can start.
    pub fn upload_stream(&self, sources: impl Stream<Item = Source> + Send + 'static) -> UploadAll {
        UploadAll {
            dossier: self.clone(),
            sources: sources.boxed(),
            concurrency: DEFAULT_CONCURRENCY,
            in_order: false,
            keep_manual_changes: None,
        }
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
    async fn send(self, client: &Client, mut options: CallOptions) -> Result<Uploaded> {
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
        let (result, meta) = client.fetch_with_meta(request.prepare(), &options).await?;
        Uploaded::new(dossier, result).map_err(|error| error.with_attempts(meta.attempts, meta.elapsed))
    }

    /// Uploads the file, and searches for it in the list of the dossier after a lost response. The deadline covers all requests.
    async fn send_recoverable(self, client: &Client, options: CallOptions) -> Result<Uploaded> {
        let deadline = options.deadline.unwrap_or(Duration::MAX);
        let work = pin!(async {
            let known = KnownFiles::list(&self.dossier).await?;
            self.send_unless_listed(client, options, &known).await
        });
        within(work, deadline, TimeoutPhase::Operation).await.map_err(|error| error.with_operation("uploadFile"))?
    }

    /// Repeats the upload after a lost response only if the list of the dossier does not contain the file.
    async fn send_unless_listed(self, client: &Client, options: CallOptions, known: &KnownFiles) -> Result<Uploaded> {
        let started = Instant::now();
        // An archive may have become several files, whose names are not known.
        let is_archive = self.source.name().to_ascii_lowercase().ends_with(".zip");
        let mut uploads = 0;
        loop {
            let error = match self.clone().send(client, options.clone()).await {
                // Other errors are final: the call has repeated a rejected upload as often as its policy allows.
                Err(error) if error.was_sent() && !error.was_refused() && error.is_transient() => error,
                result => {
                    if result.is_ok() {
                        client.pipeline().retry_budget.refund(uploads);
                    }
                    return result;
                }
            };
            if let Some(id) = self.find_uploaded(client, known).await? {
                return Ok(Uploaded::found(self.dossier, id));
            }
            let not_listed = |error: Error| error.with_note("the list of the dossier does not contain the file");
            // A longer pause than the searches took is left to the caller.
            let needs_longer_pause =
                error.retry_after().is_some_and(|delay| delay > SEARCH_DELAYS.iter().sum::<Duration>());
            if is_archive || needs_longer_pause || !self.source.is_repeatable() {
                return Err(not_listed(error));
            }
            let left = options.deadline.map_or(Duration::MAX, |limit| limit.saturating_sub(started.elapsed()));
            back_off(client, &options, error, uploads, left).await.map_err(not_listed)?;
            uploads += 1;
        }
    }

    /// Searches for the uploaded file in the list of the dossier.
    async fn find_uploaded(&self, client: &Client, known: &KnownFiles) -> Result<Option<FileId>> {
        let length = self.source.length().await.map(|length| json(&length));
        let is_uploaded = |file: &FileStatus| {
            let same_name = file.file_name.as_deref().is_some_and(|name| is_same_name(name, self.source.name()));
            let size = json(&file.file_size);
            let same_length = !size.is_number() || length.as_ref().is_none_or(|length| *length == size);
            same_name && same_length && known.is_new(file)
        };
        for delay in SEARCH_DELAYS {
            client.clock().sleep(delay).await;
            let files = self.dossier.files().await?;
            let mut found: Vec<_> = files.into_iter().filter(is_uploaded).collect();
            // The list may contain both Unicode forms of a name; the uploaded form takes precedence.
            found.sort_by_key(|file| file.file_name.as_deref() != Some(self.source.name()));
            if let Some(file) = found.into_iter().next() {
                return Ok(Some(file.id));
            }
        }
        Ok(None)
    }
}

/// Waits before an upload is repeated, or returns the error if the upload is not to be repeated.
///
/// The search has shown that the file is missing, so the retry mode of the call does not matter. The time of earlier uploads does not count,
/// because an upload may take any time.
async fn back_off(client: &Client, options: &CallOptions, error: Error, repeated: u32, left: Duration) -> Result<()> {
    let Some(operation) = documine_api::operations::operation("uploadFile") else { return Err(error) };
    let pipeline = client.pipeline();
    let policy = options.retry_policy.as_deref().unwrap_or(&pipeline.retry_policy).clone();
    let options = CallOptions {
        retry: Some(RetryMode::EvenIfSent),
        retry_policy: Some(Box::new(policy.max_attempts(MAX_UPLOADS))),
        ..options.clone()
    };
    let (attempts, retry_after) = (error.attempts(), error.retry_after());
    let failed = TransferFailure {
        operation,
        // The searches have already taken longer than the requested pause.
        error: error.with_retry_after(None),
        failures: repeated,
        attempts,
        elapsed: Duration::ZERO,
        remaining: left,
    };
    pipeline.wait_to_resume(&options, failed).await.map_err(|error| error.with_retry_after(retry_after))
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
    /// use documine::Source;
    /// let file = dossier.upload(Source::path("report.pdf")).await?.wait_until_processed().await?;
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
    /// uploaded once and its id is known. This costs one list request before the upload, to distinguish the file from existing files. The upload of
    /// an archive is not repeated, because an archive may have become several files. Default: no;
    /// [`upload_all`](DossierHandle::upload_all) always searches.
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

/// An uploaded file that is not analysed yet and has no components.
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
    fn found(dossier: DossierHandle, id: FileId) -> Self {
        Self { ids: vec![id.clone()], id, dossier }
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

/// The files of a dossier before an upload, with the values that change when a file is replaced. JSON values, because the OpenAPI document
/// decides on their types.
struct KnownFiles(HashMap<FileId, [Value; 2]>);

impl KnownFiles {
    async fn list(dossier: &DossierHandle) -> Result<Self> {
        let files = dossier.files().await?;
        Ok(Self(files.into_iter().map(|file| (file.id.clone(), Self::version(&file))).collect()))
    }

    /// Returns whether a file was added or replaced since the files were listed.
    fn is_new(&self, file: &FileStatus) -> bool {
        self.0.get(&file.id) != Some(&Self::version(file))
    }

    fn version(file: &FileStatus) -> [Value; 2] {
        [json(&file.added), json(&file.last_updated)]
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Compares a listed name with an uploaded one. Systems and services write accented letters composed or decomposed (Unicode NFC, NFD) and drop
/// spaces around a name.
fn is_same_name(listed: &str, uploaded: &str) -> bool {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    nfc.normalize(listed.trim()) == nfc.normalize(uploaded.trim())
}

/// The outcome of one of many uploads.
#[derive(Debug)]
#[non_exhaustive]
pub struct UploadOutcome {
    /// Index of the source, starting at 0.
    pub index: usize,
    /// Name of the file.
    pub file_name: String,
    /// The uploaded file, or the error.
    pub result: Result<Uploaded>,
}

/// Uploads of many files. Await it for all outcomes in order, or take the outcomes [one by one](Self::stream).
#[must_use = "nothing is uploaded until this is awaited"]
pub struct UploadAll {
    dossier: DossierHandle,
    sources: BoxStream<'static, Source>,
    concurrency: usize,
    in_order: bool,
    keep_manual_changes: Option<bool>,
}

impl UploadAll {
    /// Sets the number of concurrent uploads. Default: 4.
    pub fn with_concurrency(mut self, uploads: usize) -> Self {
        self.concurrency = uploads.max(1);
        self
    }

    /// Sets whether the stream yields the outcomes in the order of the sources instead of the order of completion. Default: `false`. Awaiting all outcomes always preserves the order.
    pub fn in_order(mut self, yes: bool) -> Self {
        self.in_order = yes;
        self
    }

    /// Sets whether manual changes are kept, as for a [single upload](UploadFile::keep_manual_changes).
    pub fn keep_manual_changes(mut self, yes: bool) -> Self {
        self.keep_manual_changes = Some(yes);
        self
    }

    /// Starts the uploads and yields one outcome per file. Dropping the stream cancels the uploads in progress.
    ///
    /// # Errors
    /// If the dossier cannot be listed, nothing is uploaded and the stream yields that one error.
    pub fn stream(self) -> impl Stream<Item = Result<UploadOutcome>> + Send + 'static {
        stream::once(async move {
            match KnownFiles::list(&self.dossier).await {
                Ok(known) => self.run(Arc::new(known)).map(Ok).boxed(),
                Err(error) => stream::once(async { Err(error) }).boxed(),
            }
        })
        .flatten()
    }

    fn run(self, known: Arc<KnownFiles>) -> BoxStream<'static, UploadOutcome> {
        let Self { dossier, sources, concurrency, in_order, keep_manual_changes } = self;
        // Without a login, all further uploads would fail with the same error.
        let login_error: Arc<Mutex<Option<Error>>> = Arc::default();
        let uploads = sources.enumerate().map(move |(index, source)| {
            let file_name = source.name().to_owned();
            let dossier = dossier.clone();
            let upload = Upload { dossier, source, keep_manual_changes, progress: None, recover_lost_response: true };
            let (known, login_error) = (Arc::clone(&known), Arc::clone(&login_error));
            async move {
                let earlier_error = login_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(error) = earlier_error {
                    return UploadOutcome { index, file_name, result: Err(error.with_note("not attempted")) };
                }
                let client = upload.dossier.client.clone();
                let options = CallOptions { rate_limited: Some(true), ..CallOptions::default() };
                let result = upload.send_unless_listed(&client, options, &known).await;
                if let Err(error) = &result
                    && error.needs_login()
                {
                    *login_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                }
                UploadOutcome { index, file_name, result }
            }
        });
        if in_order { uploads.buffered(concurrency).boxed() } else { uploads.buffer_unordered(concurrency).boxed() }
    }
}

impl IntoFuture for UploadAll {
    type Output = Result<Vec<UploadOutcome>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let outcomes: Vec<_> = self.in_order(true).stream().collect().await;
            outcomes.into_iter().collect()
        })
    }
}

impl fmt::Debug for UploadAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadAll").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
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
