//! The builder of a run, and the run itself.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use documine::models::{DossierId, DossierTemplateId};
use documine::{BoxFuture, Client, Clock, DossierHandle, DossierTemplateHandle, PackageRequest, SystemClock};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

use crate::budget::PageBudget;
use crate::document::{DocumentState, ListedDocument};
use crate::engine::{Engine, EngineState, JournalStore, Limits, OnEvent, Stop};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{EVENT_VERSION, Event};
use crate::flow::FlowOptions;
use crate::journal::{Journal, JournalReader, Listing, Placement};
use crate::outputs::{Outputs, WrittenOutput};
use crate::report_of_run::{RunCounts, RunReport, Verdict};
use crate::source::DocumentSource;
use crate::step::{DEADLINE, DocumentSink, Packages, STALL_TIMEOUT, StepRuntime, StopReason};
use crate::table::Table;

/// Most files of a dossier, unless set. Each poll lists the files of a dossier.
const MAX_FILES: u64 = 1000;
/// Listed documents of one transaction.
const LISTED: usize = 500;

/// The place for the documents: the template of new dossiers, or an existing dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Dossiers of this template are created, or found by their name.
    Template(DossierTemplateId),
    /// All documents are uploaded to this dossier.
    Dossier(DossierTemplateId, DossierId),
}

impl From<DossierTemplateId> for Target {
    fn from(template: DossierTemplateId) -> Self {
        Self::Template(template)
    }
}

impl From<&DossierTemplateHandle> for Target {
    fn from(template: &DossierTemplateHandle) -> Self {
        Self::Template(template.id().clone())
    }
}

impl From<DossierTemplateHandle> for Target {
    fn from(template: DossierTemplateHandle) -> Self {
        Self::from(&template)
    }
}

impl From<&DossierHandle> for Target {
    fn from(dossier: &DossierHandle) -> Self {
        Self::Dossier(dossier.template_id().clone(), dossier.id().clone())
    }
}

impl From<DossierHandle> for Target {
    fn from(dossier: DossierHandle) -> Self {
        Self::from(&dossier)
    }
}

/// The work of a run before its start; see [`Ingest::plan`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The documents of the sources.
    pub documents: u64,
    /// The documents that would be processed.
    pub to_process: u64,
    /// The documents that an earlier run has done.
    pub done: u64,
    /// The documents that failed for good in an earlier run.
    pub failed: u64,
    /// The size of the documents that would be processed, in bytes.
    pub bytes: u64,
    /// The estimated pages of the documents that would be processed.
    pub estimated_pages: u64,
    /// The licensed pages that are left, if the service states them.
    pub licensed_pages_left: Option<u64>,
}

/// A run over many documents: upload, analysis, values, tables.
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Ingest {
    client: Client,
    target: Target,
    sources: Vec<Arc<dyn DocumentSource>>,
    sinks: Vec<Arc<dyn DocumentSink>>,
    outputs: Outputs,
    journal: Option<PathBuf>,
    dossier_name: Option<String>,
    max_files_per_dossier: u64,
    dossier_per_folder: bool,
    share_uploads: bool,
    retry_failed: bool,
    delete_files: bool,
    packages: Option<Packages>,
    max_pages: Option<u64>,
    max_failures: Option<u64>,
    limits: Limits,
    deadline: Duration,
    stall_timeout: Duration,
    clock: Arc<dyn Clock>,
    on_event: Option<OnEvent>,
    // A mutex makes the run `Sync`, so that its futures are `Send`.
    stop_on: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl fmt::Debug for Ingest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingest").field("target", &self.target).field("journal", &self.journal).finish_non_exhaustive()
    }
}

impl Ingest {
    /// Creates a run for a dossier template or a dossier.
    pub fn new(client: &Client, target: impl Into<Target>) -> Self {
        Self {
            client: client.clone(),
            target: target.into(),
            sources: Vec::new(),
            sinks: Vec::new(),
            outputs: Outputs::new(),
            journal: None,
            dossier_name: None,
            max_files_per_dossier: MAX_FILES,
            dossier_per_folder: false,
            share_uploads: false,
            retry_failed: false,
            delete_files: false,
            packages: None,
            max_pages: None,
            max_failures: None,
            limits: Limits::default(),
            deadline: DEADLINE,
            stall_timeout: STALL_TIMEOUT,
            clock: Arc::new(SystemClock::new()),
            on_event: None,
            stop_on: Mutex::new(None),
        }
    }

    /// Adds a source of documents.
    #[must_use]
    pub fn source(mut self, source: impl DocumentSource) -> Self {
        self.sources.push(Arc::new(source));
        self
    }

    /// Sets the journal, an SQLite file that is created if it is missing. A run with the journal of an earlier one continues it.
    ///
    /// Default: a temporary file, so that an interrupted run cannot continue.
    #[must_use]
    pub fn journal(mut self, path: impl Into<PathBuf>) -> Self {
        self.journal = Some(path.into());
        self
    }

    /// Adds a table, which is written at the end of the run from the whole journal.
    #[must_use]
    pub fn sink(mut self, table: Table) -> Self {
        self.outputs = self.outputs.table(table);
        self
    }

    /// Sets what is written at the end of the run from the whole journal: tables, a list of the failed documents, a run report.
    #[must_use]
    pub fn outputs(mut self, outputs: Outputs) -> Self {
        self.outputs = outputs;
        self
    }

    /// Adds a sink that receives each document when its values are recorded.
    #[must_use]
    pub fn deliver_to(mut self, sink: impl DocumentSink) -> Self {
        self.sinks.push(Arc::new(sink));
        self
    }

    /// Sets the name of the dossier. Further dossiers are numbered. Default: the name of the journal and the time of its creation.
    ///
    /// A dossier of that name is used, if there is one. Its files are not replaced: documents of the same names are numbered.
    #[must_use]
    pub fn dossier_name(mut self, name: impl Into<String>) -> Self {
        self.dossier_name = Some(name.into());
        self
    }

    /// Sets the most documents of a dossier, before the next dossier is used. Default: 1,000. Has no effect on a given dossier.
    #[must_use]
    pub fn max_files_per_dossier(mut self, files: u64) -> Self {
        self.max_files_per_dossier = files.max(1);
        self
    }

    /// Sets whether each folder of the sources has a dossier of its own. Default: `false`.
    #[must_use]
    pub fn dossier_per_folder(mut self, yes: bool) -> Self {
        self.dossier_per_folder = yes;
        self
    }

    /// Sets whether documents of the same content are uploaded once. Each of them has its rows. Default: `false`.
    #[must_use]
    pub fn share_uploads(mut self, yes: bool) -> Self {
        self.share_uploads = yes;
        self
    }

    /// Sets whether documents that failed for good in an earlier run are tried again. Default: `false`. Documents whose failure was temporary always are.
    #[must_use]
    pub fn retry_failed(mut self, yes: bool) -> Self {
        self.retry_failed = yes;
        self
    }

    /// Sets whether files are deleted at the service after their values are recorded. Default: `false`.
    #[must_use]
    pub fn delete_files(mut self, yes: bool) -> Self {
        self.delete_files = yes;
        self
    }

    /// Saves a package of each document below `folder`, and deletes the package at the service. Default: no packages.
    #[must_use]
    pub fn packages(mut self, folder: impl Into<PathBuf>, content: PackageRequest) -> Self {
        self.packages = Some(Packages { folder: folder.into(), content });
        self
    }

    /// Sets the most pages of this run. The run stops before an upload whose estimated pages do not fit. Default: the licensed pages that are left.
    ///
    /// Pages are counted in the PDF where that is possible without an interpreter, and estimated from the pages per byte of other documents.
    #[must_use]
    pub fn max_pages(mut self, pages: u64) -> Self {
        self.max_pages = Some(pages);
        self
    }

    /// Stops the run when this number of documents has failed. Default: never.
    #[must_use]
    pub fn max_failures(mut self, documents: u64) -> Self {
        self.max_failures = Some(documents.max(1));
        self
    }

    /// Sets how many documents are in each step at a time.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the longest wait for the analysis of one document. Default: 2 h. The document fails with the reason `deadline`; the next run waits again.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the longest time without a change of a document's state. Default: 30 min. The document fails with the reason `stalled`; the next run waits
    /// again.
    #[must_use]
    pub fn with_stall_timeout(mut self, timeout: Duration) -> Self {
        self.stall_timeout = timeout;
        self
    }

    /// Sets the clock. Default: the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets a callback for events. It runs on the tasks of the run and must not block.
    #[must_use]
    pub fn on_event(mut self, callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(callback));
        self
    }

    /// Stops the run when `signal` completes, for example `tokio::signal::ctrl_c()`: nothing further begins, uploads in progress end, and the journal
    /// has the rest.
    #[must_use]
    pub fn stop_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop_on = Mutex::new(Some(Box::pin(signal)));
        self
    }

    /// Stops the run at another signal as well.
    pub(crate) fn also_stop_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        let other = std::mem::take(&mut self.stop_on).into_inner().unwrap_or_else(PoisonError::into_inner);
        self.stop_on(async move {
            match other {
                Some(other) => {
                    tokio::select! {
                        () = other => {}
                        () = signal => {}
                    }
                }
                None => signal.await,
            }
        })
    }

    /// Returns what a run would do, without any upload: lists the sources and compares them with the journal.
    ///
    /// The journal is not changed, and it is not created if it is missing. The pages are estimated from the pages per byte of the journal's documents.
    ///
    /// # Errors
    /// As [`run`](Self::run), before the first upload.
    pub async fn plan(&self) -> Result<Plan> {
        self.check().await?;
        let journal = match &self.journal {
            Some(path) if path.exists() => Some(JournalReader::open(path)?),
            _ => None,
        };
        let mut plan = Plan { licensed_pages_left: self.licensed_pages_left().await, ..Plan::default() };
        let budget = PageBudget::new(None);
        if let Some((pages, bytes)) = journal.as_ref().map(JournalReader::observed).transpose()? {
            budget.observe(pages, bytes);
        }
        for source in &self.sources {
            let mut documents = source.list();
            while let Some(document) = documents.next().await {
                let document = document?;
                plan.documents += 1;
                let state = journal.as_ref().map(|journal| journal.unchanged(&document)).transpose()?.flatten();
                match state {
                    Some(DocumentState::Succeeded) => plan.done += 1,
                    Some(DocumentState::Failed) if !self.retry_failed => plan.failed += 1,
                    _ => {
                        plan.to_process += 1;
                        let bytes = document.size.unwrap_or_default();
                        plan.bytes += bytes;
                        plan.estimated_pages += budget.estimate(bytes, None);
                    }
                }
            }
        }
        Ok(plan)
    }

    /// Checks everything that can be checked before the first upload.
    async fn check(&self) -> Result<()> {
        if self.sources.is_empty() {
            return Err(Error::input("the run has no source; add a folder or a list"));
        }
        self.outputs.check_beside(self.journal.as_deref()).map_err(Error::into_input)?;
        self.check_target().await
    }

    /// Runs until every document has succeeded or failed, or the run stops.
    ///
    /// # Errors
    /// Wrong settings, a journal that cannot be used, and a service that cannot be used at all. Failures of documents are in the report.
    pub async fn run(mut self) -> Result<RunReport> {
        let begin = self.clock.monotonic();
        self.check().await?;
        let temporary = if self.journal.is_none() { Some(temporary_folder()?) } else { None };
        let path =
            temporary.as_ref().map(|folder| folder.path().join("journal.sqlite")).or_else(|| self.journal.clone());
        let journal = Arc::new(Journal::open(&path.unwrap_or_default(), &self.settings()).await?);
        let requests_before = self.client.requests_sent();
        let licensed_pages_left = self.licensed_pages_left().await;
        let stop_on = std::mem::take(&mut self.stop_on).into_inner().unwrap_or_else(PoisonError::into_inner);
        let engine = Arc::new(self.engine(&journal, licensed_pages_left)?);
        let run = journal.begin_run(engine.now()).await?;
        engine.emit(&Event::RunStarted { version: EVENT_VERSION, run });
        let work = async {
            let (listing, open) = self.list(&engine, run, licensed_pages_left).await?;
            Ok::<_, Error>((listing, open, engine.work().await?))
        };
        let interrupt = async {
            match stop_on {
                Some(signal) => signal.await,
                None => std::future::pending().await,
            }
            engine.stop(StopReason::Requested, None);
        };
        let (listing, open, tally) = finish_with(work, interrupt).await?;
        let mut documents = RunCounts {
            total: open + listing.done + listing.failed,
            succeeded: tally.succeeded,
            failed: tally.failed + listing.failed,
            skipped: listing.done + tally.skipped,
            open: 0,
        };
        documents.open = documents.total.saturating_sub(documents.succeeded + documents.failed + documents.skipped);
        let (reason, stop_cause) = engine.stop.reason().map_or((None, None), |(reason, cause)| (Some(reason), cause));
        let (uploads, requests) =
            (engine.state.uploads_sent.load(Ordering::Relaxed), self.client.requests_sent() - requests_before);
        let stopped_by = reason.map(|reason| reason.as_str().to_owned());
        // Before the outputs: the run report contains the end of the run.
        journal.end_run(run, engine.now(), documents.verdict().as_str(), stopped_by, (uploads, requests)).await?;
        let outputs = write_outputs(&journal, self.outputs).await?;
        for output in &outputs {
            engine.emit(&Event::OutputWritten { path: output.path.display().to_string(), rows: output.rows });
        }
        let report = RunReport {
            verdict: documents.verdict(),
            documents,
            stopped: reason,
            stop_cause,
            failures: tally.failures,
            uploads,
            requests,
            pages: engine.budget.used(),
            outputs,
            elapsed: self.clock.monotonic().saturating_sub(begin),
        };
        engine.emit(&Event::RunFinished { report: report.clone() });
        Ok(report)
    }

    /// Creates the engine of the run.
    fn engine(&self, journal: &Arc<Journal>, licensed_pages_left: Option<u64>) -> Result<Engine> {
        let store = Arc::new(JournalStore::new(Arc::clone(journal))?);
        let mut runtime = StepRuntime::new(self.client.clone(), store).wait_limits(self.deadline, self.stall_timeout);
        for source in &self.sources {
            runtime = runtime.source(Arc::clone(source));
        }
        for sink in &self.sinks {
            runtime = runtime.sink(Arc::clone(sink));
        }
        if let Some(packages) = &self.packages {
            runtime = runtime.packages(packages.folder.clone(), packages.content.clone());
        }
        let (Target::Template(template) | Target::Dossier(template, _)) = &self.target;
        let budget = [self.max_pages, licensed_pages_left].into_iter().flatten().min();
        let is_license = budget.is_some() && budget == licensed_pages_left && self.max_pages != budget;
        Ok(Engine {
            journal: Arc::clone(journal),
            runtime,
            template: template.clone(),
            flow_options: FlowOptions {
                package: self.packages.is_some(),
                deliver: !self.sinks.is_empty(),
                finish_source: self.sources.iter().any(|source| source.finishes()),
                delete_file: self.delete_files,
                max_polls: 0,
            },
            limits: self.limits,
            budget: PageBudget::new(budget),
            budget_reason: if is_license { StopReason::License } else { StopReason::MaxPages },
            max_failures: self.max_failures,
            share_uploads: self.share_uploads,
            clock: Arc::clone(&self.clock),
            on_event: self.on_event.clone(),
            stop: Stop::default(),
            state: EngineState::new(self.limits),
        })
    }

    /// Lists all sources into the journal. Returns the listing and the number of documents to process.
    async fn list(&self, engine: &Engine, run: i64, licensed_pages_left: Option<u64>) -> Result<(Listing, u64)> {
        let journal = &engine.journal;
        let dossier_id = match &self.target {
            Target::Template(_) => None,
            Target::Dossier(_, dossier) => Some(dossier.to_string()),
        };
        let placement = Placement {
            name: dossier_name(journal, self.dossier_name.clone(), engine.now()).await?,
            max_files: self.max_files_per_dossier,
            by_folder: self.dossier_per_folder && dossier_id.is_none(),
            dossier_id,
        };
        if self.retry_failed {
            journal.reopen_failed().await?;
        }
        let last_before = journal.last_document().await?;
        let sum = match self.list_sources(engine, run, &placement).await {
            Ok(sum) => sum,
            Err(error) => {
                journal.undo_listing(last_before).await?;
                journal.end_run(run, engine.now(), Verdict::None.as_str(), None, (0, 0)).await?;
                return Err(error);
            }
        };
        let totals = journal.totals().await?;
        engine.budget.observe(totals.pages, totals.bytes);
        engine.emit(&Event::Listed {
            documents: sum.listed,
            open: totals.open,
            skipped: sum.done,
            bytes: totals.open_bytes,
            estimated_pages: if totals.open == 0 { 0 } else { engine.budget.estimate(totals.open_bytes, None) },
            licensed_pages_left,
        });
        Ok((sum, totals.open))
    }

    async fn list_sources(&self, engine: &Engine, run: i64, placement: &Placement) -> Result<Listing> {
        let mut sum = Listing::default();
        for source in &self.sources {
            let mut chunks = source.list().chunks(LISTED);
            loop {
                // A source such as standard input may never end by itself.
                let chunk = tokio::select! {
                    chunk = chunks.next() => chunk,
                    () = engine.stop.begun() => return Ok(sum),
                };
                let Some(chunk) = chunk else { break };
                let documents = chunk.into_iter().collect::<Result<Vec<ListedDocument>>>()?;
                sum += engine.journal.list(run, engine.now(), documents, placement.clone()).await?;
            }
        }
        Ok(sum)
    }

    /// Checks that the template or the dossier exists, before the first upload.
    async fn check_target(&self) -> Result<()> {
        let checked = match &self.target {
            Target::Template(template) => self.client.dossier_template(template).get().await.map(drop),
            Target::Dossier(template, dossier) => {
                self.client.dossier_template(template).dossier(dossier).get().await.map(drop)
            }
        };
        match checked {
            Err(error) if error.is_unsupported_by_document() => Ok(()),
            Err(error) if error.is_not_found() => {
                let target = match &self.target {
                    Target::Template(template) => format!("dossier template {template}"),
                    Target::Dossier(_, dossier) => format!("dossier {dossier}"),
                };
                Err(Error::input(format!(
                    "{target} does not exist in workspace {}; check the id",
                    self.client.workspace()
                ))
                .with_source(error))
            }
            checked => Ok(checked?),
        }
    }

    /// Returns the settings that all runs of a journal share.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let template = match &self.target {
            Target::Template(template) | Target::Dossier(template, _) => template.to_string(),
        };
        let mut settings = vec![
            ("base_url", self.client.base_url().to_owned()),
            ("workspace", self.client.workspace().to_owned()),
            ("dossier_template_id", template),
        ];
        let dossier = match &self.target {
            Target::Template(_) => "(of the run)".to_owned(),
            Target::Dossier(_, dossier) => dossier.to_string(),
        };
        settings.push(("dossier_id", dossier));
        settings
    }

    /// Returns the licensed pages that are left; `None` if the service does not say.
    async fn licensed_pages_left(&self) -> Option<u64> {
        match self.client.license_usage().await {
            Ok(usage) => {
                let left = usage.licensed_pages?.checked_sub(usage.analysed_pages?)?;
                Some(u64::try_from(left).unwrap_or_default())
            }
            Err(error) => {
                tracing::debug!(%error, "the licence usage is not known");
                None
            }
        }
    }
}

/// Writes the outputs that do not have the journal's content.
async fn write_outputs(journal: &Journal, outputs: Outputs) -> Result<Vec<WrittenOutput>> {
    let reader = journal.reader()?;
    let work = move || {
        let content = reader.content()?;
        let written = outputs.write_if(&reader, |path, settings| {
            let known = reader.output(&key_of(path)).ok().flatten();
            known.is_some_and(|known| known == state_of(path, settings, &content))
        })?;
        let states = outputs.settings().into_iter();
        let states = states.map(|(path, settings)| (key_of(&path), state_of(&path, settings, &content)));
        Ok::<_, Error>((written, states.collect()))
    };
    let done = tokio::task::spawn_blocking(work).await;
    let (written, states) =
        done.map_err(|error| Error::new(ErrorKind::Sink, format!("writing the outputs failed: {error}")))??;
    journal.set_outputs(states).await?;
    Ok(written)
}

/// Returns the name of an output in the journal.
fn key_of(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Returns a text that changes with the settings of an output, with the journal, and with the file: another program may have replaced it.
fn state_of(path: &Path, settings: u64, content: &str) -> String {
    let file = std::fs::metadata(path).ok();
    let size = file.as_ref().map_or(0, std::fs::Metadata::len);
    let modified = file.and_then(|file| file.modified().ok()?.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{settings:x}-{content}-{size}-{}", modified.as_nanos())
}

fn temporary_folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(|error| {
        Error::new(ErrorKind::Journal, format!("no temporary folder for the journal: {error}; name a journal"))
            .with_source(error)
    })
}

/// Returns the name of the first dossier, which later runs of the journal keep.
async fn dossier_name(journal: &Journal, name: Option<String>, now: i64) -> Result<String> {
    if let Some(name) = name {
        return Ok(name);
    }
    let stem = journal.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let time = chrono::DateTime::from_timestamp_millis(now).unwrap_or_default().format("%Y-%m-%d %H:%M:%S");
    // Two runs of the same second do not share a dossier.
    journal.setting("dossier_name", format!("{stem} {time} {:04x}", fastrand::u16(..))).await
}

/// Runs `work` to its end, and `signal` beside it.
async fn finish_with<T>(work: impl Future<Output = T>, signal: impl Future<Output = ()>) -> T {
    tokio::pin!(work, signal);
    tokio::select! {
        done = &mut work => done,
        () = &mut signal => work.await,
    }
}
