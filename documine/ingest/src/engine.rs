//! The embedded engine: drives the flows of all documents on this machine, with the journal as its memory.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use documine::models::{DossierId, DossierTemplateId};
use documine::{BoxFuture, Clock, Components, DossierFields};
use tokio::sync::{Notify, OnceCell, Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::budget::{PageBudget, Reservation};
use crate::document::{DocumentRecord, DocumentState, Failure, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::flow::{FlowOptions, FlowState, Job, Next, StepInput, StepOutput};
use crate::journal::{DocumentKey, Journal, JournalReader, Moment, OpenDocument, name_key};
use crate::report_of_run::FailedDocument;
use crate::source::Hashed;
use crate::step::{Attempt, BoxError, RecordStore, Retry, StepError, StepRuntime, StopReason, run_step};

/// Attempts of a step. Each of them contains the retries of the client.
const MAX_ATTEMPTS: u32 = 3;
/// The first pause between two attempts. Doubles, with full jitter.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// Steps in a row that failed temporarily, after which the service counts as unavailable.
const OUTAGE: u64 = 20;
/// Documents that are read from the journal at a time.
const BATCH: usize = 256;
/// Failed documents that a run's report names.
const SHOWN_FAILURES: usize = 20;

/// The numbers of documents in each step at a time. The client's rate limit adapts the requests below these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    pub(crate) in_flight: usize,
    pub(crate) uploads: usize,
    pub(crate) fetches: usize,
    pub(crate) hashes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_flight: 500, uploads: 8, fetches: 8, hashes: 2 }
    }
}

impl Limits {
    /// Sets the number of documents between the first and the last step. Default: 500.
    #[must_use]
    pub fn in_flight(mut self, documents: usize) -> Self {
        self.in_flight = documents.max(1);
        self
    }

    /// Sets the number of concurrent uploads. Default: 8.
    #[must_use]
    pub fn uploads(mut self, uploads: usize) -> Self {
        self.uploads = uploads.max(1);
        self
    }

    /// Sets the number of concurrent requests for components and packages. Default: 8.
    #[must_use]
    pub fn fetches(mut self, fetches: usize) -> Self {
        self.fetches = fetches.max(1);
        self
    }

    /// Sets the number of documents that are read for their hash at a time. Default: 2.
    #[must_use]
    pub fn hashes(mut self, documents: usize) -> Self {
        self.hashes = documents.max(1);
        self
    }
}

/// The callback for events.
pub(crate) type OnEvent = Arc<dyn Fn(&Event) + Send + Sync>;

/// The stop signal of a run with its first reason.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    /// No further document is read or uploaded.
    beginning: CancellationToken,
    /// No further step begins, and waits end.
    working: CancellationToken,
    reason: Mutex<Option<(StopReason, Option<String>)>>,
}

impl Stop {
    fn set(&self, reason: StopReason, cause: Option<String>) -> bool {
        let mut first = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = first.is_none();
        if is_first {
            *first = Some((reason, cause));
        }
        self.beginning.cancel();
        match reason {
            StopReason::MaxPages | StopReason::MaxFailures | StopReason::License => {}
            _ => self.working.cancel(),
        }
        is_first
    }

    /// Completes when the run stops.
    pub(crate) async fn begun(&self) {
        self.beginning.cancelled().await;
    }

    pub(crate) fn reason(&self) -> Option<(StopReason, Option<String>)> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The record store of the embedded engine.
pub(crate) struct JournalStore {
    journal: Arc<Journal>,
    reader: Arc<Mutex<JournalReader>>,
}

impl JournalStore {
    pub(crate) fn new(journal: Arc<Journal>) -> Result<Self> {
        let reader = Arc::new(Mutex::new(journal.reader()?));
        Ok(Self { journal, reader })
    }
}

impl RecordStore for JournalStore {
    fn store<'a>(&'a self, job: &'a Job, components: &'a Components) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            let json = serde_json::to_string(components)?;
            Ok(self.journal.store_components(job.source.clone(), json).await?)
        })
    }

    fn load<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<DocumentRecord, BoxError>> {
        let (reader, source) = (Arc::clone(&self.reader), job.source.clone());
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || {
                reader.lock().unwrap_or_else(PoisonError::into_inner).document(&source)
            });
            read.await??.ok_or_else(|| format!("{} is not in the journal", job.source).into())
        })
    }
}

/// A dossier of the run.
#[derive(Debug, Clone)]
struct Dossier {
    id: DossierId,
    /// Set if this run created the dossier: it contains only files of this run.
    is_new: bool,
}

/// The numbers of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) open: u64,
    pub(crate) failures: Vec<FailedDocument>,
}

/// The end of a document in this run.
#[derive(Debug)]
enum End {
    Succeeded,
    Failed(FailedDocument),
    /// The content is that of an earlier run.
    Unchanged,
    /// Another document of this run has the same content.
    Deferred(Box<OpenDocument>),
    /// The run stops.
    Open,
}

pub(crate) struct Engine {
    pub(crate) journal: Arc<Journal>,
    pub(crate) runtime: StepRuntime,
    pub(crate) template: DossierTemplateId,
    pub(crate) flow_options: FlowOptions,
    pub(crate) limits: Limits,
    pub(crate) budget: PageBudget,
    /// The reason of a stop by the budget.
    pub(crate) budget_reason: StopReason,
    pub(crate) max_failures: Option<u64>,
    pub(crate) share_uploads: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) on_event: Option<OnEvent>,
    pub(crate) stop: Stop,
    pub(crate) state: EngineState,
}

/// The changing part of an [`Engine`].
pub(crate) struct EngineState {
    uploads: Semaphore,
    fetches: Semaphore,
    hashes: Semaphore,
    pub(crate) uploads_sent: AtomicU64,
    temporary_failures: AtomicU64,
    dossiers: Mutex<HashMap<i64, Arc<OnceCell<Dossier>>>>,
    /// The first document of each content, if uploads are shared.
    contents: Mutex<HashMap<String, DocumentKey>>,
    settled: Notify,
}

impl EngineState {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            uploads: Semaphore::new(limits.uploads),
            fetches: Semaphore::new(limits.fetches),
            hashes: Semaphore::new(limits.hashes),
            uploads_sent: AtomicU64::new(0),
            temporary_failures: AtomicU64::new(0),
            dossiers: Mutex::default(),
            contents: Mutex::default(),
            settled: Notify::new(),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("journal", &self.journal).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Engine {
    /// Returns the time in milliseconds since 1970-01-01 UTC.
    pub(crate) fn now(&self) -> i64 {
        let since = self.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    pub(crate) fn emit(&self, event: &Event) {
        if let Some(on_event) = &self.on_event {
            on_event(event);
        }
    }

    /// Stops the run: no further upload. Documents at the service are finished, unless the program requested the stop or the service cannot be
    /// used; then the journal has them.
    pub(crate) fn stop(&self, reason: StopReason, cause: Option<String>) {
        if self.stop.set(reason, cause.clone()) {
            self.emit(&Event::Stopping { reason, cause });
        }
    }

    /// Processes all open documents of the journal.
    pub(crate) async fn work(self: &Arc<Self>) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut deferred = VecDeque::new();
        let mut tasks: JoinSet<Result<End>> = JoinSet::new();
        let mut batch: VecDeque<OpenDocument> = VecDeque::new();
        let (mut after, mut is_at_end) = (0, false);
        let mut failed = None;
        loop {
            while tasks.len() < self.limits.in_flight && !self.stop.beginning.is_cancelled() {
                if batch.is_empty() && !is_at_end {
                    match self.journal.open_documents(after, BATCH).await {
                        Ok(documents) => batch = documents.into(),
                        Err(error) => {
                            self.stop.set(StopReason::Journal, None);
                            failed.get_or_insert(error);
                            break;
                        }
                    }
                    is_at_end = batch.is_empty();
                    after = batch.back().map_or(after, |document| document.key);
                }
                let engine = Arc::clone(self);
                if let Some(document) = batch.pop_front() {
                    tasks.spawn(async move { engine.drive(document, engine.share_uploads).await });
                } else if tasks.is_empty()
                    && let Some(document) = deferred.pop_front()
                {
                    tasks.spawn(async move { engine.copy(document).await });
                } else {
                    break;
                }
            }
            let Some(joined) = tasks.join_next().await else { break };
            match joined.unwrap_or_else(|error| {
                Err(Error::new(ErrorKind::Journal, format!("a document's task failed: {error}")))
            }) {
                Ok(End::Succeeded) => tally.succeeded += 1,
                Ok(End::Unchanged) => tally.skipped += 1,
                Ok(End::Open) => tally.open += 1,
                Ok(End::Deferred(document)) => deferred.push_back(document),
                Ok(End::Failed(document)) => {
                    tally.failed += 1;
                    if tally.failures.len() < SHOWN_FAILURES {
                        tally.failures.push(document);
                    }
                    if self.max_failures.is_some_and(|limit| tally.failed >= limit) {
                        self.stop(StopReason::MaxFailures, None);
                    }
                }
                // The journal cannot be written: what has begun ends, and nothing else begins.
                Err(error) => {
                    self.stop.set(StopReason::Journal, None);
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(tally), Err)
    }

    /// Processes a document with the components of another one of the same content. If that one failed, this one is uploaded.
    async fn copy(&self, document: Box<OpenDocument>) -> Result<End> {
        let (key, sha256) = (document.key, document.sha256.clone().unwrap_or_default());
        let Some(original) = self.journal.same_content(key, sha256).await? else {
            return self.drive(*document, false).await;
        };
        let file = self.journal.copy(key, original).await?;
        let dossier_id = file.dossier_id.parse().map_err(|error| damaged_id(&error))?;
        let file_id = file.file_id.parse().map_err(|error| damaged_id(&error))?;
        let ids = (self.template.clone(), dossier_id);
        let source = document.source.clone();
        let mut job =
            Job::new(source, document.location.clone(), (file.sha256, file.size), ids, document.file_name.clone());
        job.version.clone_from(&document.version);
        let flow = FlowState::recorded(job, self.flow_options.clone(), file_id, file.pages, file.analysed_at);
        let state = if flow.next() == Next::Done { DocumentState::Succeeded } else { DocumentState::Open };
        self.journal.advance(key, &flow, (state, None), Moment::Other, self.now()).await?;
        self.drive(OpenDocument { flow: Some(flow), intent: None, attempts: 0, ..*document }, false).await
    }

    async fn drive(&self, document: OpenDocument, share_uploads: bool) -> Result<End> {
        let (key, source) = (document.key, document.source.clone());
        let (location, version) = (document.location.clone(), document.version.clone());
        let end = self.drive_to_end(document, share_uploads).await?;
        if let End::Failed(failed) = &end
            && !failed.failure.retryable
        {
            self.runtime.finish_recorded(&location, &version, false).await;
        }
        if matches!(end, End::Unchanged) {
            // The document arrived once more, for example in a folder whose processed files are moved.
            self.runtime.finish_recorded(&location, &version, true).await;
        }
        let (state, failure) = match &end {
            End::Succeeded | End::Unchanged => (DocumentState::Succeeded, None),
            End::Failed(failed) => (DocumentState::Failed, Some(failed.failure.clone())),
            End::Deferred(_) | End::Open => return Ok(end),
        };
        tracing::debug!(key, source, state = state.as_str(), "document finished");
        self.emit(&Event::DocumentFinished { source, state, failure });
        Ok(end)
    }

    async fn drive_to_end(&self, document: OpenDocument, share_uploads: bool) -> Result<End> {
        let (key, source) = (document.key, document.source.clone());
        let before = document.flow.as_ref().map(|flow| flow.job().sha256.clone());
        let (mut flow, known_pages) = match self.begin(document, share_uploads).await? {
            Begun::Flow(flow, known_pages) => (flow, known_pages),
            Begun::Ended(end) => return Ok(end),
        };
        // A flow is stored when its upload begins. Without a file, the result of an upload is unknown or was a failure.
        let mut may_have_run = before.as_ref() == Some(&flow.job().sha256) && flow.file_id().is_none();
        let mut is_stored = false;
        let mut reserved = 0;
        loop {
            let input = match flow.next() {
                Next::Done => {
                    if !is_stored {
                        let state = (DocumentState::Succeeded, None);
                        self.journal.advance(key, &flow, state, Moment::Other, self.now()).await?;
                    }
                    return Ok(End::Succeeded);
                }
                Next::GiveUp(failure) => return Ok(End::Failed(FailedDocument { source, failure })),
                Next::Sleep(pause) => {
                    self.pause(pause).await;
                    flow.apply_timer();
                    continue;
                }
                Next::Run(input) => input,
            };
            let stopped = if input.step() == Step::Upload { &self.stop.beginning } else { &self.stop.working };
            if stopped.is_cancelled() {
                return Ok(End::Open);
            }
            if input.step() == Step::Upload {
                match self.reserve(flow.job().size, known_pages).await {
                    Some(pages) => reserved = pages,
                    None => return Ok(End::Open),
                }
            }
            if input.step() == Step::Wait && reserved == 0 {
                // An earlier run uploaded the document; this one pays for it.
                reserved = self.budget.reserve_beyond(flow.job().size, known_pages);
            }
            let output = self.attempt(key, &flow, &input, may_have_run).await;
            let is_uploaded = matches!(&output, Ok(Some(StepOutput::Uploaded { .. })));
            if reserved > 0 && !is_uploaded {
                // The service may count the pages of an analysis that failed or has not ended.
                let pages = match &output {
                    Ok(Some(StepOutput::Processed { pages, .. })) => pages.or(u32::try_from(reserved).ok()),
                    _ if input.step() == Step::Wait => u32::try_from(reserved).ok(),
                    _ => None,
                };
                self.budget.settle(reserved, pages, flow.job().size);
                self.state.settled.notify_waiters();
                reserved = 0;
            }
            let Some(output) = output? else { return Ok(End::Open) };
            let moment = match &output {
                StepOutput::Uploaded { .. } => Moment::Uploaded,
                StepOutput::Processed { .. } => Moment::Processed,
                _ => Moment::Other,
            };
            flow.apply(output);
            may_have_run = false;
            let state = match flow.next() {
                Next::Done => (DocumentState::Succeeded, None),
                Next::GiveUp(failure) => (DocumentState::Failed, Some(failure)),
                _ => (DocumentState::Open, None),
            };
            self.journal.advance(key, &flow, state, moment, self.now()).await?;
            is_stored = true;
        }
    }

    /// Reads the content, unless the flow of the same content has begun before, and creates the flow.
    async fn begin(&self, document: OpenDocument, share_uploads: bool) -> Result<Begun> {
        let is_content_known = document.intent != Some(Step::Hash) && document.flow.is_some();
        if is_content_known && let Some(mut flow) = document.flow {
            flow.set_place(document.location, document.version);
            return Ok(Begun::Flow(Box::new(flow), None));
        }
        let (key, source) = (document.key, document.source.clone());
        let hashed = match self.hash(&document).await {
            Ok(Some(hashed)) => hashed,
            Ok(None) => return Ok(Begun::Ended(End::Open)),
            Err(failure) => return self.fail(key, source, failure).await,
        };
        let mut file_name = document.file_name.clone();
        if let Some(mut flow) = document.flow.clone().filter(|flow| flow.job().sha256 == hashed.content.sha256) {
            let version = if hashed.version.is_empty() { document.version } else { hashed.version };
            flow.set_place(document.location, version);
            if let Next::GiveUp(failure) = flow.next() {
                if !failure.retryable {
                    let state = (DocumentState::Failed, Some(failure.clone()));
                    self.journal.advance(key, &flow, state, Moment::Other, self.now()).await?;
                    return Ok(Begun::Ended(End::Failed(FailedDocument { source, failure })));
                }
                flow.retry();
            }
            if flow.next() == Next::Done {
                self.journal.advance(key, &flow, (DocumentState::Succeeded, None), Moment::Other, self.now()).await?;
                return Ok(Begun::Ended(End::Unchanged));
            }
            return Ok(Begun::Flow(Box::new(flow), hashed.content.pages));
        }
        if share_uploads && self.has_original(key, &hashed.content.sha256).await? {
            let document = OpenDocument { sha256: Some(hashed.content.sha256), ..document };
            return Ok(Begun::Ended(End::Deferred(Box::new(document))));
        }
        let dossier = match self.dossier(document.slot, &source).await? {
            Ok(Some(dossier)) => dossier,
            Ok(None) => return Ok(Begun::Ended(End::Open)),
            Err(failure) => return self.fail(key, source, failure).await,
        };
        let is_untouched = document.intent.is_none_or(|step| step == Step::Hash) && document.attempts == 0;
        let is_first = document.flow.is_none() && is_untouched;
        if is_first && !dossier.is_new {
            let mut number = 1;
            let names = loop {
                let error = match self.runtime.names(&self.template, &dossier.id).await {
                    Ok(names) => break names,
                    Err(error) => StepError::from_service(Step::Dossier, &error),
                };
                if !self.pause_before_retry(&source, &error, number).await {
                    return match self.failed(error) {
                        Some(failure) => self.fail(key, source, failure).await,
                        None => Ok(Begun::Ended(End::Open)),
                    };
                }
                number += 1;
            };
            if names.contains_key(&name_key(&file_name)) {
                file_name = self.journal.rename(key, names.keys().cloned().collect()).await?;
            }
        }
        let content = (hashed.content.sha256, hashed.content.size);
        let mut job = Job::new(source, document.location, content, (self.template.clone(), dossier.id), file_name);
        job.replaces = document.flow.is_some();
        job.version = if hashed.version.is_empty() { document.version } else { hashed.version };
        Ok(Begun::Flow(Box::new(FlowState::new(job, self.flow_options.clone())), hashed.content.pages))
    }

    async fn fail(&self, key: DocumentKey, source: String, failure: Failure) -> Result<Begun> {
        self.journal.fail(key, &failure, self.now()).await?;
        Ok(Begun::Ended(End::Failed(FailedDocument { source, failure })))
    }

    /// Reads a document. Returns `None` if the run stops.
    async fn hash(&self, document: &OpenDocument) -> Result<Option<ReadContent>, Failure> {
        let Some(_permit) = permit(&self.state.hashes, &self.stop.beginning).await else { return Ok(None) };
        let source = &document.source;
        let unreadable = |cause: String| Failure::new(Step::Hash, "unreadable", cause).retryable(true);
        let content = self.runtime.content(&document.location).ok_or_else(|| {
            unreadable(format!("{source}: its source is not one of this run; add the source, or remove the document"))
        })?;
        self.emit(&Event::StepStarted { source: source.clone(), step: Step::Hash });
        let begin = self.clock.monotonic();
        let failed = |error: std::io::Error| unreadable(format!("{source}: {error}"));
        let version = content.version().await.map_err(failed)?;
        let content = content.hash().await.map_err(failed)?;
        self.emit_finished(source, Step::Hash, begin, None, None);
        Ok(Some(ReadContent { version, content }))
    }

    /// Returns whether another document has this content: one of this run, which is processed first, or one of an earlier run.
    async fn has_original(&self, key: DocumentKey, sha256: &str) -> Result<bool> {
        let first = {
            let mut contents = self.state.contents.lock().unwrap_or_else(PoisonError::into_inner);
            *contents.entry(sha256.to_owned()).or_insert(key)
        };
        Ok(first != key || self.journal.same_content(key, sha256.to_owned()).await?.is_some())
    }

    /// Returns the dossier of a slot, which is created or found at its first use. `Ok(None)` if the run stops.
    async fn dossier(&self, slot: i64, source: &str) -> Result<Result<Option<Dossier>, Failure>> {
        let cell = {
            let mut dossiers = self.state.dossiers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(dossiers.entry(slot).or_default())
        };
        let dossier = cell
            .get_or_try_init(async || {
                let row = self.journal.dossier(slot).await.map_err(DossierError::Journal)?;
                if let Some(id) = row.dossier_id {
                    let id = id.parse().map_err(|error| DossierError::Journal(damaged_id(&error)))?;
                    return Ok(Dossier { id, is_new: false });
                }
                let template = self.runtime.client().dossier_template(&self.template);
                let mut number = 1;
                loop {
                    match template.find_or_create_dossier(DossierFields::named(row.name.clone())).await {
                        Ok(dossier) => {
                            let id = dossier.id().clone();
                            let stored = self.journal.set_dossier(slot, id.to_string()).await;
                            stored.map_err(DossierError::Journal)?;
                            return Ok(Dossier { id, is_new: dossier.was_created() });
                        }
                        Err(error) => {
                            let error = StepError::from_service(Step::Dossier, &error);
                            if !self.pause_before_retry(source, &error, number).await {
                                return Err(DossierError::Service(error));
                            }
                            number += 1;
                        }
                    }
                }
            })
            .await;
        match dossier {
            Ok(dossier) => Ok(Ok(Some(dossier.clone()))),
            Err(DossierError::Journal(error)) => Err(error),
            Err(DossierError::Service(error)) => Ok(self.failed(error).map_or(Ok(None), Err)),
        }
    }

    /// Reserves the pages of a document. Returns `None` if the run stops.
    async fn reserve(&self, bytes: u64, known_pages: Option<u32>) -> Option<u64> {
        loop {
            let settled = self.state.settled.notified();
            match self.budget.reserve(bytes, known_pages) {
                Reservation::Granted(pages) => return Some(pages),
                Reservation::Exhausted => {
                    self.stop(self.budget_reason, None);
                    return None;
                }
                Reservation::Wait => tokio::select! {
                    () = settled => {}
                    () = self.stop.beginning.cancelled() => return None,
                },
            }
        }
    }

    /// Runs a step until it succeeds or fails for good. Returns `None` if the run stops.
    async fn attempt(
        &self,
        key: DocumentKey,
        flow: &FlowState,
        input: &StepInput,
        mut may_have_run: bool,
    ) -> Result<Option<StepOutput>> {
        let step = input.step();
        let permit = match step {
            Step::Upload => permit(&self.state.uploads, &self.stop.beginning).await.map(Some),
            Step::Wait => Some(None),
            _ => permit(&self.state.fetches, &self.stop.working).await.map(Some),
        };
        let Some(permit) = permit else { return Ok(None) };
        let source = &flow.job().source;
        self.emit(&Event::StepStarted { source: source.clone(), step });
        let begin = self.clock.monotonic();
        let mut number = 1;
        loop {
            if matches!(input, StepInput::Upload { .. } | StepInput::CreatePackage { .. }) {
                self.journal.begin_step(key, flow, step, self.now()).await?;
            }
            let attempt = run_step(&self.runtime, input, Attempt::new(number, may_have_run));
            let result = if matches!(input, StepInput::Wait { .. } | StepInput::SavePackage { .. }) {
                tokio::select! {
                    result = attempt => result,
                    () = self.stop.working.cancelled() => return Ok(None),
                }
            } else {
                attempt.await
            };
            may_have_run = true;
            let error = match result {
                Ok(output) => {
                    drop(permit);
                    self.state.temporary_failures.store(0, Ordering::Relaxed);
                    let (mut bytes, mut pages) = (None, None);
                    match &output {
                        StepOutput::Uploaded { found, .. } => {
                            bytes = Some(flow.job().size);
                            self.state.uploads_sent.fetch_add(u64::from(!found), Ordering::Relaxed);
                        }
                        StepOutput::Processed { pages: found, .. } => pages = *found,
                        _ => {}
                    }
                    self.emit_finished(source, step, begin, bytes, pages);
                    return Ok(Some(output));
                }
                Err(error) => error,
            };
            if !self.pause_before_retry(source, &error, number).await {
                let attempts = number;
                return Ok(self
                    .failed(error)
                    .map(|failure| StepOutput::Failed { failure: Failure { attempts, ..failure } }));
            }
            number += 1;
        }
    }

    /// Waits before another attempt. Returns `false` if there is none.
    async fn pause_before_retry(&self, source: &str, error: &StepError, number: u32) -> bool {
        if error.stop.is_some()
            || error.retry == Retry::Never
            || number >= MAX_ATTEMPTS
            || self.stop.working.is_cancelled()
        {
            return false;
        }
        let pause = match error.retry {
            Retry::After(pause) => pause,
            _ => FIRST_PAUSE.saturating_mul(1 << (number - 1).min(16)).mul_f64(self.clock.random()),
        };
        self.emit(&Event::StepRetried {
            source: source.to_owned(),
            step: error.failure.step,
            attempt: number,
            cause: error.failure.cause.clone(),
            pause_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
        });
        self.pause(pause).await;
        !self.stop.working.is_cancelled()
    }

    /// Returns the failure of a document after its last attempt; `None` if the run stops instead.
    fn failed(&self, error: StepError) -> Option<Failure> {
        if let Some(reason) = error.stop {
            self.stop(reason, Some(error.failure.cause));
            return None;
        }
        // An interrupted step is no failure: the next run repeats it.
        if self.stop.working.is_cancelled() && error.retry != Retry::Never {
            return None;
        }
        if error.failure.reason == "temporary" {
            let count = self.state.temporary_failures.fetch_add(1, Ordering::Relaxed) + 1;
            if count >= OUTAGE {
                self.stop(StopReason::Unavailable, Some(error.failure.cause));
                return None;
            }
        }
        Some(error.failure)
    }

    /// Sleeps, unless the run stops.
    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = self.clock.sleep(pause) => {}
            () = self.stop.working.cancelled() => {}
        }
    }

    fn emit_finished(&self, source: &str, step: Step, begin: Duration, bytes: Option<u64>, pages: Option<u32>) {
        let elapsed = self.clock.monotonic().saturating_sub(begin);
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.emit(&Event::StepFinished { source: source.to_owned(), step, elapsed_ms, bytes, pages });
    }
}

/// Returns a permit; `None` if the run stops.
async fn permit<'a>(semaphore: &'a Semaphore, stopped: &CancellationToken) -> Option<SemaphorePermit<'a>> {
    tokio::select! {
        permit = semaphore.acquire() => permit.ok(),
        () = stopped.cancelled() => None,
    }
}

/// A content that was read, and its version before.
struct ReadContent {
    version: String,
    content: Hashed,
}

/// The beginning of a document in this run.
enum Begun {
    /// The flow continues. The number is the pages, if they are known before the analysis.
    Flow(Box<FlowState>, Option<u32>),
    Ended(End),
}

enum DossierError {
    Journal(Error),
    Service(StepError),
}

fn damaged_id(error: &dyn fmt::Display) -> Error {
    Error::new(ErrorKind::Journal, format!("journal: a stored id is damaged: {error}; restore a copy of the journal"))
}
