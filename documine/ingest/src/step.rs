//! The execution of one step: the only code that talks to the service and to the record store. Every engine uses it.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use documine::models::{DossierId, DossierTemplateId, FileId, FileStatus};
use documine::wait::{Condition, PackageJobRef, PollState, WaitError, WaitErrorKind};
use documine::{BoxFuture, Client, Components, DossierHandle, ErrorKind, PackageRequest};
use serde::{Deserialize, Serialize};

use crate::document::{DocumentRecord, Failure, Step};
use crate::flow::{Job, StepInput, StepOutput};
use crate::journal::name_key;
use crate::source::{Content, DocumentSource};

/// The error of a callback of the program.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Stores the components of documents. Storing the components of a job again replaces them.
pub trait RecordStore: Send + Sync + 'static {
    /// Stores the components of a job.
    fn store<'a>(&'a self, job: &'a Job, components: &'a Components) -> BoxFuture<'a, Result<(), BoxError>>;

    /// Returns the stored record of a job.
    fn load<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<DocumentRecord, BoxError>>;
}

/// Receives each document whose values are recorded.
///
/// A document is delivered at least once: if the process is killed during [`deliver`](Self::deliver), the next run delivers the document again, with
/// the same key.
pub trait DocumentSink: Send + Sync + 'static {
    /// Receives a document. `key` is the same for each delivery of the same content. An error fails the document in the step `deliver`; the next run
    /// delivers it again.
    fn deliver<'a>(&'a self, key: &'a str, document: &'a DocumentRecord) -> BoxFuture<'a, Result<(), BoxError>>;
}

/// The way in which a step waits for an analysis or a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitMode {
    /// The step ends with the analysis. Waits for files of one dossier share their polls.
    UntilDone,
    /// The step polls once. The engine keeps the time between polls.
    Once,
}

/// The packages that a run saves.
#[derive(Debug, Clone)]
pub struct Packages {
    pub(crate) folder: PathBuf,
    pub(crate) content: PackageRequest,
}

/// Everything that steps need.
pub struct StepRuntime {
    client: Client,
    sources: Vec<Arc<dyn DocumentSource>>,
    store: Arc<dyn RecordStore>,
    sinks: Vec<Arc<dyn DocumentSink>>,
    packages: Option<Packages>,
    wait_mode: WaitMode,
    deadline: Duration,
    stall_timeout: Duration,
    listings: Listings,
}

impl fmt::Debug for StepRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepRuntime")
            .field("client", &self.client)
            .field("sources", &self.sources.len())
            .finish_non_exhaustive()
    }
}

/// Longest wait for the analysis of one document, unless set.
pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 3600);
/// Longest time without a change of a document's state, unless set.
pub(crate) const STALL_TIMEOUT: Duration = Duration::from_secs(30 * 60);

impl StepRuntime {
    /// Creates a runtime that waits in its steps.
    pub fn new(client: Client, store: Arc<dyn RecordStore>) -> Self {
        Self {
            client,
            sources: Vec::new(),
            store,
            sinks: Vec::new(),
            packages: None,
            wait_mode: WaitMode::UntilDone,
            deadline: DEADLINE,
            stall_timeout: STALL_TIMEOUT,
            listings: Listings::default(),
        }
    }

    /// Adds a source. Absolute paths of this machine, and objects (feature `object-store`), are read without a source.
    #[must_use]
    pub fn source(mut self, source: Arc<dyn DocumentSource>) -> Self {
        self.sources.push(source);
        self
    }

    /// Adds a sink of the program.
    #[must_use]
    pub fn sink(mut self, sink: Arc<dyn DocumentSink>) -> Self {
        self.sinks.push(sink);
        self
    }

    /// Saves a package of each document below `folder`.
    #[must_use]
    pub fn packages(mut self, folder: impl Into<PathBuf>, content: PackageRequest) -> Self {
        self.packages = Some(Packages { folder: folder.into(), content });
        self
    }

    /// Sets how steps wait. Default: [`WaitMode::UntilDone`].
    #[must_use]
    pub fn wait_mode(mut self, mode: WaitMode) -> Self {
        self.wait_mode = mode;
        self
    }

    /// Sets the longest wait for one analysis (default 2 h) and the longest time without a change of its state (default 30 min).
    #[must_use]
    pub fn wait_limits(mut self, deadline: Duration, stall_timeout: Duration) -> Self {
        (self.deadline, self.stall_timeout) = (deadline, stall_timeout);
        self
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the content at a location.
    pub fn content(&self, location: &str) -> Option<Content> {
        self.sources.iter().find_map(|source| source.content(location)).or_else(|| Content::at(location))
    }

    /// Moves or deletes a document by the source that owns it, which is the first one that has its content.
    async fn finish_source(&self, location: &str, version: &str, succeeded: bool) -> crate::error::Result<()> {
        match self.sources.iter().find(|source| source.content(location).is_some()) {
            Some(source) if source.finishes() => source.finish(location, version, succeeded).await,
            _ => Ok(()),
        }
    }

    /// Moves or deletes the source of a document whose outcome was recorded before. An error is only logged.
    pub(crate) async fn finish_recorded(&self, location: &str, version: &str, succeeded: bool) {
        if let Err(error) = self.finish_source(location, version, succeeded).await {
            tracing::warn!(location, %error, "the source of a processed document stays");
        }
    }

    fn dossier(&self, job: &Job) -> DossierHandle {
        self.client.dossier_template(&job.template_id).dossier(&job.dossier_id)
    }

    /// Returns the names of the files of a dossier, in the form of [`name_key`].
    pub(crate) async fn names(
        &self,
        template_id: &DossierTemplateId,
        dossier_id: &DossierId,
    ) -> documine::Result<Arc<NamedFiles>> {
        let dossier = self.client.dossier_template(template_id).dossier(dossier_id);
        self.listings.get(&dossier, true).await
    }
}

/// The files of a dossier by name, in the form of [`name_key`].
type NamedFiles = HashMap<String, FileStatus>;

/// The files of dossiers. All searches that a resumed run begins with share one list request per dossier.
#[derive(Debug, Default)]
struct Listings(tokio::sync::Mutex<HashMap<DossierId, Arc<NamedFiles>>>);

impl Listings {
    async fn get(&self, dossier: &DossierHandle, may_be_old: bool) -> documine::Result<Arc<NamedFiles>> {
        let id = dossier.id();
        let mut listings = self.0.lock().await;
        if let Some(listing) = listings.get(id).filter(|_| may_be_old) {
            return Ok(Arc::clone(listing));
        }
        let files = dossier.files().await?;
        let named = files.into_iter().filter_map(|file| Some((name_key(file.file_name.as_deref()?), file)));
        let listing = Arc::new(named.collect::<NamedFiles>());
        listings.insert(id.clone(), Arc::clone(&listing));
        Ok(listing)
    }
}

/// One attempt of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The number of the attempt in this process, from 1.
    pub number: u32,
    /// Set if an earlier attempt may have run whose result is unknown. Decides whether an upload is preceded by a search.
    pub may_have_run: bool,
}

impl Attempt {
    /// Creates an attempt.
    pub fn new(number: u32, may_have_run: bool) -> Self {
        Self { number, may_have_run }
    }
}

/// The reason to stop a run: further documents would fail alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// The program requested the stop.
    Requested,
    /// A login is needed.
    Login,
    /// The licensed pages are used up.
    License,
    /// The limit of pages is reached.
    MaxPages,
    /// The limit of failed documents is reached.
    MaxFailures,
    /// The service has answered no request for a while.
    Unavailable,
    /// The journal cannot be written.
    Journal,
}

impl StopReason {
    /// Returns the word of the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Login => "login",
            Self::License => "license",
            Self::MaxPages => "max_pages",
            Self::MaxFailures => "max_failures",
            Self::Unavailable => "unavailable",
            Self::Journal => "journal",
        }
    }
}

/// The rule for the repetition of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// Never: the result would be the same.
    Never,
    /// After a growing pause.
    Backoff,
    /// After the pause that the service requests.
    After(Duration),
}

/// The error of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepError {
    /// The failure of the document, if the step is not repeated.
    pub failure: Failure,
    /// The rule for the repetition of the step.
    pub retry: Retry,
    /// The reason to stop the run, instead of failing the document.
    pub stop: Option<StopReason>,
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.failure.step.as_str(), self.failure.cause)
    }
}

impl StdError for StepError {}

impl StepError {
    fn never(failure: Failure) -> Self {
        Self { failure, retry: Retry::Never, stop: None }
    }

    fn backoff(failure: Failure) -> Self {
        Self { failure: failure.retryable(true), retry: Retry::Backoff, stop: None }
    }

    /// Classifies an error of the SDK.
    pub(crate) fn from_service(step: Step, error: &documine::Error) -> Self {
        let cause = format!("{error:#}");
        if error.needs_login() {
            let failure = Failure::new(step, "login", cause).retryable(true);
            return Self { failure, retry: Retry::Never, stop: Some(StopReason::Login) };
        }
        if error.is_transient() || error.is_rate_limited() {
            let retry = error.retry_after().map_or(Retry::Backoff, Retry::After);
            return Self { failure: Failure::new(step, "temporary", cause).retryable(true), retry, stop: None };
        }
        // A proxy or a moment of the service: the body is cut or replaced, or the status is a 5xx.
        let is_server_error = error.status().is_some_and(|status| status.is_server_error());
        if is_server_error || matches!(error.kind(), ErrorKind::Decode | ErrorKind::Integrity) {
            return Self::backoff(Failure::new(step, "other", cause));
        }
        if error.is_not_found() && matches!(step, Step::Fetch | Step::Package) {
            return Self::never(Failure::new(step, "gone", cause).retryable(true));
        }
        let reason = match error.kind() {
            _ if error.is_not_found() => "gone",
            ErrorKind::Input => "unreadable",
            _ if error.status().is_some_and(|status| status.is_client_error()) => "rejected",
            _ => "other",
        };
        Self::never(Failure::new(step, reason, cause))
    }

    fn from_wait(step: Step, error: &WaitError) -> Self {
        let cause = format!("{error:#}");
        match error.kind() {
            WaitErrorKind::Failed => Self::never(Failure::new(step, "analysis_failed", cause)),
            WaitErrorKind::DeadlineExceeded => Self::never(Failure::new(step, "deadline", cause).retryable(true)),
            WaitErrorKind::Stalled => Self::never(Failure::new(step, "stalled", cause).retryable(true)),
            WaitErrorKind::Gone => Self::never(Failure::new(step, "gone", cause).retryable(true)),
            _ => error.poll_error().map_or_else(
                || Self::backoff(Failure::new(step, "temporary", cause)),
                |poll| Self::from_service(step, poll),
            ),
        }
    }

    fn from_program(step: Step, error: &BoxError) -> Self {
        let journal = error
            .downcast_ref::<crate::error::Error>()
            .filter(|error| error.kind() == crate::error::ErrorKind::Journal);
        if let Some(error) = journal {
            let failure = Failure::new(step, "temporary", error.to_string()).retryable(true);
            return Self { failure, retry: Retry::Never, stop: Some(StopReason::Journal) };
        }
        Self::backoff(Failure::new(step, "other", error.to_string()))
    }
}

/// Runs one step.
pub async fn run_step(runtime: &StepRuntime, input: &StepInput, attempt: Attempt) -> Result<StepOutput, StepError> {
    let step = input.step();
    match input {
        StepInput::Upload { job } => upload(runtime, job, attempt).await,
        StepInput::Wait { job, file_id } => wait(runtime, job, file_id).await,
        StepInput::Fetch { job, file_id } => {
            let components = runtime.dossier(job).file(file_id).components().include_details(true);
            let components = components.await.map_err(|error| StepError::from_service(step, &error))?;
            runtime.store.store(job, &components).await.map_err(|error| StepError::from_program(step, &error))?;
            Ok(StepOutput::Fetched)
        }
        StepInput::CreatePackage { job, file_id } => create_package(runtime, job, file_id).await,
        StepInput::SavePackage { job, package } => save_package(runtime, job, package).await,
        StepInput::Deliver { job } => {
            let record = runtime.store.load(job).await.map_err(|error| StepError::from_program(step, &error))?;
            for sink in &runtime.sinks {
                let delivered = sink.deliver(job.id.as_str(), &record).await;
                delivered.map_err(|error| StepError::from_program(step, &error))?;
            }
            Ok(StepOutput::Delivered)
        }
        StepInput::FinishSource { job } => {
            let finished = runtime.finish_source(&job.location, &job.version, true).await;
            finished.map_err(|error| StepError::backoff(Failure::new(step, "unreadable", error.to_string())))?;
            Ok(StepOutput::SourceFinished)
        }
        StepInput::DeleteFile { job, file_id } => match runtime.dossier(job).file(file_id).delete().await {
            Err(error) if !error.is_not_found() => Err(StepError::from_service(step, &error)),
            _ => Ok(StepOutput::FileDeleted),
        },
    }
}

async fn upload(runtime: &StepRuntime, job: &Job, attempt: Attempt) -> Result<StepOutput, StepError> {
    let failed = |error: documine::Error| StepError::from_service(Step::Upload, &error);
    let dossier = runtime.dossier(job);
    if attempt.may_have_run && !job.replaces {
        // Only the listing of a new attempt is certain to contain what an attempt of this process uploaded.
        let listing = runtime.listings.get(&dossier, attempt.number == 1).await.map_err(failed)?;
        let found = listing
            .get(&name_key(&job.file_name))
            .filter(|file| file.file_size.is_none_or(|size| u64::try_from(size) == Ok(job.size)));
        if let Some(file) = found {
            return Ok(StepOutput::Uploaded { file_id: file.id.clone(), found: true });
        }
    }
    let content = runtime.content(&job.location).ok_or_else(|| {
        let cause =
            format!("{}: its source is not one of this run; add the source, or remove the document", job.location);
        StepError::never(Failure::new(Step::Upload, "unreadable", cause).retryable(true))
    })?;
    let changed = || {
        let cause = format!("{}: the content changed while the document was processed; run again", job.source);
        StepError::never(Failure::new(Step::Upload, "changed", cause).retryable(true))
    };
    match content.version().await {
        Ok(version) if !version.is_empty() && !job.version.is_empty() && version != job.version => {
            return Err(changed());
        }
        Ok(_) => {}
        Err(error) => {
            let failure = Failure::new(Step::Upload, "unreadable", format!("{}: {error}", job.source));
            return Err(StepError::never(failure.retryable(true)));
        }
    }
    let source = content.upload_source(&job.file_name, &job.sha256, job.size);
    let uploaded = match dossier.upload(source).await {
        Ok(uploaded) => uploaded,
        Err(error) if error.is_forbidden() && is_license_used_up(&runtime.client).await => {
            let failure = Failure::new(Step::Upload, "license", format!("{error:#}")).retryable(true);
            return Err(StepError { failure, retry: Retry::Never, stop: Some(StopReason::License) });
        }
        Err(error) => return Err(failed(error)),
    };
    if let [_, _, ..] = uploaded.ids() {
        let cause = format!(
            "the archive was unpacked to {} files at the service; unpack it and process its files",
            uploaded.ids().len()
        );
        return Err(StepError::never(Failure::new(Step::Upload, "rejected", cause)));
    }
    Ok(StepOutput::Uploaded { file_id: uploaded.id, found: false })
}

/// Returns whether the licence has no pages left. `false` if the service does not say.
async fn is_license_used_up(client: &Client) -> bool {
    match client.license_usage().await {
        Ok(usage) => usage.licensed_pages.zip(usage.analysed_pages).is_some_and(|(licensed, used)| used >= licensed),
        Err(_) => false,
    }
}

async fn wait(runtime: &StepRuntime, job: &Job, file_id: &FileId) -> Result<StepOutput, StepError> {
    let file = runtime.dossier(job).file(file_id);
    let wait = file.wait_until(Condition::<FileStatus>::processed());
    let processed = |file: &FileStatus| StepOutput::Processed {
        pages: file.number_of_pages.and_then(|pages| u32::try_from(pages).ok()),
        analysed_at: file.last_processed.as_ref().map(ToString::to_string),
    };
    let failed = |error: WaitError| StepError::from_wait(Step::Wait, &error);
    match runtime.wait_mode {
        WaitMode::UntilDone => {
            let wait = wait.with_deadline(runtime.deadline).with_stall_timeout(runtime.stall_timeout);
            wait.send().await.map(|file| processed(&file)).map_err(failed)
        }
        WaitMode::Once => match wait.poll_once().await.map_err(failed)? {
            PollState::Done(file) => Ok(processed(&file)),
            PollState::Working(state) => Ok(StepOutput::NotReady { state }),
            _ => Ok(StepOutput::NotReady { state: "unknown".to_owned() }),
        },
    }
}

async fn create_package(runtime: &StepRuntime, job: &Job, file_id: &FileId) -> Result<StepOutput, StepError> {
    let failure = |cause: String| StepError::never(Failure::new(Step::Package, "other", cause));
    let packages = runtime.packages.as_ref().ok_or_else(|| failure("no folder for packages is set".to_owned()))?;
    let created = runtime.dossier(job).file(file_id).create_package(packages.content.clone()).await;
    let package = created.map_err(|error| StepError::from_service(Step::Package, &error))?;
    let package = serde_json::to_string(&package.to_ref()).map_err(|error| failure(error.to_string()))?;
    Ok(StepOutput::PackageCreated { package })
}

async fn save_package(runtime: &StepRuntime, job: &Job, package: &str) -> Result<StepOutput, StepError> {
    let failure = |cause: String| StepError::never(Failure::new(Step::Package, "other", cause));
    let service = |error: documine::Error| StepError::from_service(Step::Package, &error);
    let packages = runtime.packages.as_ref().ok_or_else(|| failure("no folder for packages is set".to_owned()))?;
    let reference: PackageJobRef = serde_json::from_str(package).map_err(|error| failure(error.to_string()))?;
    let wait = runtime.client.resume(&reference).map_err(service)?.wait().with_deadline(runtime.deadline);
    tokio::fs::create_dir_all(&packages.folder)
        .await
        .map_err(|error| failure(format!("{}: {error}; choose another folder", packages.folder.display())))?;
    let stem = job.file_name.rsplit_once('.').map_or(job.file_name.as_str(), |(stem, _)| stem);
    let short = job.id.as_str().get(..8).unwrap_or_default();
    let path = packages.folder.join(format!("{stem}-{short}.zip"));
    let package = match wait.send().await {
        Ok(package) => package,
        // An interrupted attempt saved and deleted the package.
        Err(error) if error.kind() == WaitErrorKind::Gone && path.exists() => {
            return Ok(StepOutput::PackageSaved { path: path.display().to_string() });
        }
        Err(error) => return Err(StepError::from_wait(Step::Package, &error)),
    };
    let saved = package.save_to(&path).if_exists(documine::transfer::IfExists::Replace).await.map_err(service)?;
    match package.delete().await {
        Err(error) if !error.is_not_found() => Err(service(error)),
        _ => Ok(StepOutput::PackageSaved { path: saved.path.display().to_string() }),
    }
}
