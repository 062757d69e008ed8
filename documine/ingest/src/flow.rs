//! The steps of one document as a pure state machine: no I/O, no clock, no randomness.
//!
//! An engine calls [`FlowState::next`], runs the step with [`run_step`](crate::step::run_step), and passes the result to
//! [`FlowState::apply`]. The state is stored between the steps: by the embedded engine in the journal, by a workflow engine in its history.

use std::fmt::Write as _;
use std::time::Duration;

use documine::models::{DossierId, DossierTemplateId, FileId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::document::{Failure, Step};

/// Identifies the processing of one content from one source in one dossier.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(String);

impl JobId {
    /// Computes the id: SHA-256 over source, content and dossier, as 32 hexadecimal digits.
    pub fn new(source: &str, sha256: &str, dossier: &str) -> Self {
        let mut digest = Sha256::new();
        for part in [source, sha256, dossier] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let bytes = digest.finalize();
        let mut id = String::with_capacity(32);
        for byte in bytes.iter().take(16) {
            // Writing to a string does not fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self(id)
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One document to process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Job {
    /// The id.
    pub id: JobId,
    /// The name of the document: the path or URL as given.
    pub source: String,
    /// The place from which the content is read.
    pub location: String,
    /// The version of the content: see [`ListedDocument`](crate::ListedDocument).
    #[serde(default)]
    pub version: String,
    /// The SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// The size in bytes.
    pub size: u64,
    /// The dossier template.
    pub template_id: DossierTemplateId,
    /// The dossier.
    pub dossier_id: DossierId,
    /// The name of the file at the service.
    pub file_name: String,
    /// Set if the upload replaces an earlier content of the same document. A search before a repeated upload would find the earlier content.
    #[serde(default)]
    pub replaces: bool,
}

impl Job {
    /// Creates a document to process. `content` is the SHA-256 in hexadecimal and the size in bytes.
    pub fn new(
        source: impl Into<String>,
        location: impl Into<String>,
        content: (String, u64),
        (template_id, dossier_id): (DossierTemplateId, DossierId),
        file_name: impl Into<String>,
    ) -> Self {
        let (source, (sha256, size)) = (source.into(), content);
        let id = JobId::new(&source, &sha256, dossier_id.as_str());
        let (location, file_name, version) = (location.into(), file_name.into(), String::new());
        Self { id, source, location, version, sha256, size, template_id, dossier_id, file_name, replaces: false }
    }
}

/// The steps that a run adds to upload, wait and fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a step that a run has or has not")]
pub struct FlowOptions {
    /// Saves a package of the file.
    pub package: bool,
    /// Hands the record to the sinks of the program.
    pub deliver: bool,
    /// Moves or deletes the source after its values are recorded.
    pub finish_source: bool,
    /// Deletes the file at the service after its values are recorded.
    pub delete_file: bool,
    /// Most polls of an analysis before the document fails. 0 means no limit. Counts only polls that are steps of their own.
    pub max_polls: u32,
}

/// The input of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepInput {
    /// Uploads the document.
    Upload {
        /// The document.
        job: Job,
    },
    /// Waits for the analysis, or polls it once.
    Wait {
        /// The document.
        job: Job,
        /// The file at the service.
        file_id: FileId,
    },
    /// Reads the components and stores the record.
    Fetch {
        /// The document.
        job: Job,
        /// The file at the service.
        file_id: FileId,
    },
    /// Creates a package of the file.
    CreatePackage {
        /// The document.
        job: Job,
        /// The file at the service.
        file_id: FileId,
    },
    /// Waits for a package, saves it, and deletes it at the service.
    SavePackage {
        /// The document.
        job: Job,
        /// The reference of the package job, as JSON.
        package: String,
    },
    /// Hands the stored record to the sinks of the program.
    Deliver {
        /// The document.
        job: Job,
    },
    /// Moves or deletes the source.
    FinishSource {
        /// The document.
        job: Job,
    },
    /// Deletes the file at the service.
    DeleteFile {
        /// The document.
        job: Job,
        /// The file at the service.
        file_id: FileId,
    },
}

impl StepInput {
    /// Returns the step.
    pub fn step(&self) -> Step {
        match self {
            Self::Upload { .. } => Step::Upload,
            Self::Wait { .. } => Step::Wait,
            Self::Fetch { .. } => Step::Fetch,
            Self::CreatePackage { .. } | Self::SavePackage { .. } => Step::Package,
            Self::Deliver { .. } => Step::Deliver,
            Self::FinishSource { .. } => Step::Source,
            Self::DeleteFile { .. } => Step::Delete,
        }
    }

    /// Returns the document.
    pub fn job(&self) -> &Job {
        match self {
            Self::Upload { job }
            | Self::Wait { job, .. }
            | Self::Fetch { job, .. }
            | Self::CreatePackage { job, .. }
            | Self::SavePackage { job, .. }
            | Self::Deliver { job }
            | Self::FinishSource { job }
            | Self::DeleteFile { job, .. } => job,
        }
    }
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepOutput {
    /// The file is at the service.
    Uploaded {
        /// The file.
        file_id: FileId,
        /// Set if an earlier attempt had uploaded it.
        found: bool,
    },
    /// The analysis has not ended. Another poll follows.
    NotReady {
        /// The state in the service's own word.
        state: String,
    },
    /// The analysis has ended.
    Processed {
        /// The number of pages.
        pages: Option<u32>,
        /// The time of the analysis according to the service.
        analysed_at: Option<String>,
    },
    /// The record is stored.
    Fetched,
    /// The package is being prepared.
    PackageCreated {
        /// The reference of the package job, as JSON.
        package: String,
    },
    /// The package is on disk.
    PackageSaved {
        /// The path.
        path: String,
    },
    /// The sinks of the program have the record.
    Delivered,
    /// The source is moved or deleted.
    SourceFinished,
    /// The file is deleted at the service.
    FileDeleted,
    /// The step failed for good.
    Failed {
        /// The failure.
        failure: Failure,
    },
}

/// The next action of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Next {
    /// Run this step.
    Run(StepInput),
    /// Sleep, then call [`FlowState::apply_timer`].
    Sleep(Duration),
    /// The document is done.
    Done,
    /// The document failed.
    GiveUp(Failure),
}

/// The position of a document in its flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
enum Stage {
    Upload,
    Wait,
    Sleep,
    Fetch,
    CreatePackage,
    SavePackage { package: String },
    Deliver,
    FinishSource,
    DeleteFile,
    Done,
    Failed { failure: Failure },
}

/// The state of a document's flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowState {
    job: Job,
    options: FlowOptions,
    stage: Stage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file_id: Option<FileId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pages: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    analysed_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    package: Option<String>,
    #[serde(default)]
    polls: u32,
}

/// First pause between polls that are steps of their own. Doubles up to [`LAST_POLL`].
const FIRST_POLL: Duration = Duration::from_secs(2);
/// Longest pause between polls that are steps of their own.
const LAST_POLL: Duration = Duration::from_secs(60);

impl FlowState {
    /// Creates the flow of a document before its first step.
    pub fn new(job: Job, options: FlowOptions) -> Self {
        Self {
            job,
            options,
            stage: Stage::Upload,
            file_id: None,
            pages: None,
            analysed_at: None,
            package: None,
            polls: 0,
        }
    }

    /// Creates the flow of a document whose components another document of the same content has: it begins with the steps behind package and fetch.
    pub(crate) fn recorded(
        job: Job,
        options: FlowOptions,
        file_id: FileId,
        pages: Option<u32>,
        analysed_at: Option<String>,
    ) -> Self {
        let mut flow = Self { file_id: Some(file_id), pages, analysed_at, ..Self::new(job, options) };
        flow.stage = flow.after(&Stage::CreatePackage);
        flow
    }

    /// Returns the next action.
    pub fn next(&self) -> Next {
        let job = self.job.clone();
        let input = match (&self.stage, self.file_id.clone()) {
            (Stage::Done, _) => return Next::Done,
            (Stage::Failed { failure }, _) => return Next::GiveUp(failure.clone()),
            (Stage::Sleep, _) => return Next::Sleep(self.pause()),
            (Stage::SavePackage { package }, _) => StepInput::SavePackage { job, package: package.clone() },
            (Stage::Deliver, _) => StepInput::Deliver { job },
            (Stage::FinishSource, _) => StepInput::FinishSource { job },
            (Stage::Upload, _) | (_, None) => StepInput::Upload { job },
            (Stage::Wait, Some(file_id)) => StepInput::Wait { job, file_id },
            (Stage::Fetch, Some(file_id)) => StepInput::Fetch { job, file_id },
            (Stage::CreatePackage, Some(file_id)) => StepInput::CreatePackage { job, file_id },
            (Stage::DeleteFile, Some(file_id)) => StepInput::DeleteFile { job, file_id },
        };
        Next::Run(input)
    }

    /// Applies the result of the step that [`next`](Self::next) returned. A result that does not belong to the current step is ignored: an
    /// engine that repeats a step may deliver its result twice.
    pub fn apply(&mut self, output: StepOutput) {
        self.stage = match (&self.stage, output) {
            (Stage::Done | Stage::Failed { .. }, _) => return,
            (_, StepOutput::Failed { failure }) => Stage::Failed { failure },
            (Stage::Upload, StepOutput::Uploaded { file_id, .. }) => {
                self.file_id = Some(file_id);
                Stage::Wait
            }
            (Stage::Wait, StepOutput::NotReady { state }) => self.after_poll(&state),
            (Stage::Wait, StepOutput::Processed { pages, analysed_at }) => {
                self.pages = pages;
                self.analysed_at = analysed_at;
                Stage::Fetch
            }
            (Stage::Fetch, StepOutput::Fetched) => self.after(&Stage::Fetch),
            (Stage::CreatePackage, StepOutput::PackageCreated { package }) => Stage::SavePackage { package },
            (Stage::SavePackage { .. }, StepOutput::PackageSaved { path }) => {
                self.package = Some(path);
                self.after(&Stage::CreatePackage)
            }
            (Stage::Deliver, StepOutput::Delivered) => self.after(&Stage::Deliver),
            (Stage::FinishSource, StepOutput::SourceFinished) => self.after(&Stage::FinishSource),
            (Stage::DeleteFile, StepOutput::FileDeleted) => Stage::Done,
            _ => return,
        };
    }

    /// Continues after the pause of [`Next::Sleep`].
    pub fn apply_timer(&mut self) {
        if self.stage == Stage::Sleep {
            self.stage = Stage::Wait;
        }
    }

    /// Returns to the failed step, for a repetition. Does nothing unless the document failed.
    pub fn retry(&mut self) {
        if let Stage::Failed { failure } = &self.stage {
            self.polls = 0;
            let stage = match (failure.step, &self.file_id) {
                // A new upload starts another analysis.
                (Step::Hash | Step::Dossier | Step::Upload, _) | (_, None) => Stage::Upload,
                (Step::Wait | Step::Fetch | Step::Package, Some(_)) if failure.reason == "gone" => Stage::Upload,
                (Step::Wait, Some(_)) if failure.reason == "analysis_failed" => Stage::Upload,
                (Step::Wait, Some(_)) => Stage::Wait,
                (Step::Fetch, Some(_)) => Stage::Fetch,
                (Step::Package, Some(_)) => Stage::CreatePackage,
                (Step::Deliver, Some(_)) => Stage::Deliver,
                (Step::Source, Some(_)) => Stage::FinishSource,
                (Step::Delete, Some(_)) => Stage::DeleteFile,
            };
            // A search would find the file whose analysis failed.
            self.job.replaces |= stage == Stage::Upload && self.file_id.is_some();
            self.stage = stage;
        }
    }

    /// Sets the place and the version of the content, which may have changed since the flow began.
    pub(crate) fn set_place(&mut self, location: String, version: String) {
        self.job.location = location;
        self.job.version = version;
    }

    /// Returns the document.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Returns the file at the service, after the upload.
    pub fn file_id(&self) -> Option<&FileId> {
        self.file_id.as_ref()
    }

    /// Returns the number of pages, after the analysis.
    pub fn pages(&self) -> Option<u32> {
        self.pages
    }

    /// Returns the time of the analysis according to the service.
    pub fn analysed_at(&self) -> Option<&str> {
        self.analysed_at.as_deref()
    }

    /// Returns the path of the saved package.
    pub fn package(&self) -> Option<&str> {
        self.package.as_deref()
    }

    /// Returns whether the components are stored.
    pub fn is_recorded(&self) -> bool {
        !matches!(self.stage, Stage::Upload | Stage::Wait | Stage::Sleep | Stage::Fetch | Stage::Failed { .. })
    }

    fn after_poll(&mut self, state: &str) -> Stage {
        self.polls += 1;
        if self.options.max_polls > 0 && self.polls >= self.options.max_polls {
            let cause = format!("the analysis has not ended after {} polls; last state: {state}", self.polls);
            return Stage::Failed { failure: Failure::new(Step::Wait, "deadline", cause).retryable(true) };
        }
        Stage::Sleep
    }

    fn pause(&self) -> Duration {
        let doublings = self.polls.saturating_sub(1).min(16);
        FIRST_POLL.saturating_mul(1 << doublings).min(LAST_POLL)
    }

    /// Returns the requested stage behind `stage`.
    fn after(&self, stage: &Stage) -> Stage {
        let options = &self.options;
        let stages = [
            (Stage::Fetch, true),
            (Stage::CreatePackage, options.package),
            (Stage::Deliver, options.deliver),
            (Stage::FinishSource, options.finish_source),
            (Stage::DeleteFile, options.delete_file),
        ];
        let behind = stages.into_iter().skip_while(|(candidate, _)| candidate != stage).skip(1);
        behind.filter(|(_, requested)| *requested).map(|(stage, _)| stage).next().unwrap_or(Stage::Done)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::{FlowOptions, FlowState, Job, JobId, Next, StepOutput};
    use crate::document::{Failure, Step};

    fn flow(options: FlowOptions) -> FlowState {
        let ids = ("template".parse().unwrap(), "dossier".parse().unwrap());
        FlowState::new(Job::new("in/a.pdf", "/in/a.pdf", ("00".to_owned(), 7), ids, "a.pdf"), options)
    }

    fn step(flow: &FlowState) -> Option<Step> {
        match flow.next() {
            Next::Run(input) => Some(input.step()),
            _ => None,
        }
    }

    fn output(step: Step, flow: &FlowState) -> StepOutput {
        match step {
            Step::Upload => StepOutput::Uploaded { file_id: "file".parse().unwrap(), found: false },
            Step::Wait => StepOutput::Processed { pages: Some(3), analysed_at: None },
            Step::Fetch => StepOutput::Fetched,
            Step::Package if matches!(flow.next(), Next::Run(super::StepInput::CreatePackage { .. })) => {
                StepOutput::PackageCreated { package: "{}".to_owned() }
            }
            Step::Package => StepOutput::PackageSaved { path: "a.zip".to_owned() },
            Step::Deliver => StepOutput::Delivered,
            Step::Source => StepOutput::SourceFinished,
            Step::Hash | Step::Dossier | Step::Delete => StepOutput::FileDeleted,
        }
    }

    /// The steps of a document whose every step succeeds. Each state is stored and read again, as engines do.
    fn steps(options: FlowOptions) -> Vec<Step> {
        let mut flow = flow(options);
        let mut steps = Vec::new();
        while let Some(step) = step(&flow) {
            steps.push(step);
            flow.apply(output(step, &flow));
            flow = serde_json::from_str(&serde_json::to_string(&flow).unwrap()).unwrap();
        }
        assert_eq!(flow.next(), Next::Done);
        steps
    }

    #[test]
    fn runs_only_the_requested_steps() {
        assert_eq!(steps(FlowOptions::default()), [Step::Upload, Step::Wait, Step::Fetch]);
        let all = FlowOptions { package: true, deliver: true, finish_source: true, delete_file: true, max_polls: 0 };
        let expected = [
            Step::Upload,
            Step::Wait,
            Step::Fetch,
            Step::Package,
            Step::Package,
            Step::Deliver,
            Step::Source,
            Step::Delete,
        ];
        assert_eq!(steps(all), expected);
        let source = FlowOptions { finish_source: true, ..FlowOptions::default() };
        assert_eq!(steps(source), [Step::Upload, Step::Wait, Step::Fetch, Step::Source]);
    }

    #[test]
    fn source_is_finished_only_after_the_values_are_recorded() {
        let mut flow = flow(FlowOptions { finish_source: true, ..FlowOptions::default() });
        while let Some(next) = step(&flow).filter(|next| *next != Step::Source) {
            assert!(!flow.is_recorded());
            flow.apply(output(next, &flow));
        }
        assert!(flow.is_recorded());
    }

    #[test]
    fn repeated_results_change_nothing() {
        let mut flow = flow(FlowOptions::default());
        let uploaded = output(Step::Upload, &flow);
        flow.apply(uploaded.clone());
        let before = flow.clone();
        flow.apply(uploaded);
        flow.apply(StepOutput::Fetched);
        assert_eq!(flow, before);
    }

    #[test]
    fn polls_of_their_own_pause_longer_and_longer_and_have_an_end() {
        let mut flow = flow(FlowOptions { max_polls: 8, ..FlowOptions::default() });
        flow.apply(output(Step::Upload, &flow));
        let mut pauses = Vec::new();
        loop {
            flow.apply(StepOutput::NotReady { state: "ANALYSING".to_owned() });
            match flow.next() {
                Next::Sleep(pause) => pauses.push(pause.as_secs()),
                Next::GiveUp(failure) => {
                    assert_eq!((failure.reason.as_str(), failure.retryable), ("deadline", true));
                    assert!(failure.cause.ends_with("after 8 polls; last state: ANALYSING"), "{}", failure.cause);
                    break;
                }
                next => unreachable!("{next:?}"),
            }
            flow.apply_timer();
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        assert!(Duration::from_secs(60) >= super::LAST_POLL);
    }

    #[test]
    fn repetition_returns_to_the_failed_step() {
        let cases = [
            (1, Failure::new(Step::Wait, "stalled", "").retryable(true), Step::Wait),
            (1, Failure::new(Step::Wait, "analysis_failed", ""), Step::Upload),
            (1, Failure::new(Step::Wait, "gone", ""), Step::Upload),
            (2, Failure::new(Step::Fetch, "temporary", "").retryable(true), Step::Fetch),
            (2, Failure::new(Step::Fetch, "gone", "").retryable(true), Step::Upload),
            (0, Failure::new(Step::Upload, "rejected", ""), Step::Upload),
        ];
        for (done, failure, expected) in cases {
            let mut flow = flow(FlowOptions::default());
            for _ in 0..done {
                let next = step(&flow).unwrap();
                flow.apply(output(next, &flow));
            }
            flow.apply(StepOutput::Failed { failure: failure.clone() });
            assert_eq!(flow.next(), Next::GiveUp(failure.clone()));
            flow.retry();
            assert_eq!(step(&flow), Some(expected), "{failure:?}");
        }
    }

    #[test]
    fn job_id_depends_on_source_content_and_dossier() {
        let id = JobId::new("a", "b", "c");
        assert_eq!(id, JobId::new("a", "b", "c"));
        assert_eq!(id.as_str().len(), 32);
        for other in
            [JobId::new("x", "b", "c"), JobId::new("a", "x", "c"), JobId::new("a", "b", "x"), JobId::new("ab", "", "c")]
        {
            assert_ne!(id, other);
        }
    }
}
