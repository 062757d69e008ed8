//! The run report: one HTML file that shows the documents, failures, coverage, durations and values of a journal.
//!
//! The file needs no network, and its policy forbids all requests. The same journal gives the same bytes.

mod coverage;
mod file;
pub(crate) mod link;
pub(crate) mod page;
pub(crate) mod plot;
mod summary;
pub(crate) mod table;
mod timeline;
pub(crate) mod units;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::assert_well_formed;

use std::io::{self, BufReader, BufWriter, Seek};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Result;
use crate::journal::{JournalReader, RunInfo};
use crate::text;
use coverage::ComponentSummary;
use page::Page;
use plot::Plot;
use summary::{FailureGroup, Summary};

/// Default limit of the table's data in bytes. A browser opens such a file in about a second.
const TABLE_LIMIT: u64 = 16 << 20;
/// Runs in the report; the newest are shown.
const SHOWN_RUNS: usize = 20;

/// Writes the run report of a journal.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (service, folder) = (documine_sim::connect().await?, tempfile::tempdir()?);
/// # std::env::set_current_dir(&folder)?;
/// # let samples = documine_ingest::source::Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/samples"));
/// # documine_ingest::Ingest::new(&service.client, service.template()).source(samples).journal("run.sqlite").run().await?;
/// use documine_ingest::Report;
/// use documine_ingest::journal::JournalReader;
///
/// let journal = JournalReader::open("run.sqlite")?;
/// let written = Report::new(&journal).title("Invoices of March").write("report.html")?;
/// println!("{} documents, {} values: {}", written.documents, written.values, written.path.display());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Report<'a> {
    journal: &'a JournalReader,
    title: String,
    max_table_bytes: u64,
}

/// A report on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WrittenReport {
    /// The path of the file.
    pub path: PathBuf,
    /// The size in bytes.
    pub bytes: u64,
    /// The number of documents of the journal.
    pub documents: u64,
    /// The number of documents in the table of values. Less than [`documents`](Self::documents) if the table reached its limit.
    pub listed_documents: u64,
    /// The number of values.
    pub values: u64,
}

impl<'a> Report<'a> {
    /// Creates a report.
    pub fn new(journal: &'a JournalReader) -> Self {
        Self { journal, title: "Run report".to_owned(), max_table_bytes: TABLE_LIMIT }
    }

    /// Sets the title. Default: `Run report`.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the limit of the table's data in bytes. Default: 16 MiB, about 30,000 documents of 10 short values.
    ///
    /// Documents beyond the limit are left out of the table and are counted everywhere else. The report states how many are left out.
    #[must_use]
    pub fn max_table_bytes(mut self, bytes: u64) -> Self {
        self.max_table_bytes = bytes;
        self
    }

    /// Checks that a report can be written to `path`, before there is a journal.
    ///
    /// # Errors
    /// [`ErrorKind::Sink`](crate::ErrorKind::Sink) if the folder does not exist or is not writable, or if `path` is a folder.
    pub fn check(path: impl AsRef<Path>) -> Result<()> {
        file::check(path.as_ref())
    }

    /// Writes the report. The file appears whole under its name and replaces an older one.
    ///
    /// Reads the journal once. Values are shortened to 300 characters.
    ///
    /// # Errors
    /// [`ErrorKind::Sink`](crate::ErrorKind::Sink) if the file cannot be written, [`ErrorKind::Journal`](crate::ErrorKind::Journal) if the journal
    /// cannot be read.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<WrittenReport> {
        let path = path.as_ref();
        let failed = |error: io::Error| file::failure(path, error);
        file::check(path)?;
        // The table is below the statistics, which are complete after the last document.
        let mut data = tempfile::tempfile_in(file::folder_of(path)).map_err(failed)?;
        let buffer = BufWriter::with_capacity(1 << 16, &data);
        let summary = summary::read(self.journal, path, self.max_table_bytes, buffer)?;
        let context = self.context(&summary)?;
        let page = Page::render("report.html", &context).map_err(failed)?;
        file::write(path, |writer| {
            data.rewind().map_err(failed)?;
            let copy = |writer: &mut dyn io::Write| io::copy(&mut BufReader::new(&data), writer).map(drop);
            page.write(writer, copy).map_err(failed)
        })?;
        Ok(WrittenReport {
            path: path.to_owned(),
            bytes: std::fs::metadata(path).map_err(failed)?.len(),
            documents: summary.counts.total,
            listed_documents: summary.listed,
            values: summary.values,
        })
    }

    fn context<'s>(&self, summary: &'s Summary) -> Result<Context<'s>> {
        let counts = &summary.counts;
        let runs = self.journal.runs()?;
        let durations = summary.timeline.durations(&runs);
        let setting = |name| self.journal.setting(name).map(Option::unwrap_or_default);
        let percent = |part| units::percent(part, counts.total);
        let outcomes = [
            ("succeeded", "ok", counts.succeeded),
            ("failed", "bad", counts.failed),
            ("not finished", "open", counts.open),
        ];
        let (outcome, sentence) = sentence(counts);
        Ok(Context {
            title: self.title.clone(),
            outcome,
            sentence,
            template: setting("dossier_template_id")?,
            workspace: setting("workspace")?,
            base_url: setting("base_url")?,
            pages: counts.pages,
            values: summary.values,
            components_found: summary.components.iter().filter(|component| component.documents > 0).count() as u64,
            suspicious: summary.components.iter().flat_map(|component| &component.suspicions).map(|s| s.count).sum(),
            bar: plot::shares(&outcomes.map(|(_, class, count)| (class, count))),
            outcomes: outcomes.map(|(name, class, count)| Outcome { name, class, count, share: percent(count) }),
            runs_left_out: runs.len().saturating_sub(SHOWN_RUNS) as u64,
            runs: runs.iter().skip(runs.len().saturating_sub(SHOWN_RUNS)).map(RunRow::new).collect(),
            failures: &summary.failures,
            components: summary
                .components
                .iter()
                .map(|component| ComponentRow::new(component, counts.succeeded))
                .collect(),
            in_flight: summary.timeline.in_flight(&runs).as_ref().map(plot::in_flight).map(Figure::from),
            upload: plot::histogram(&durations.upload, "upload times").map(Figure::from),
            analysis: plot::histogram(&durations.analysis, "analysis times").map(Figure::from),
            interrupted: durations.interrupted,
            documents: counts.total,
            listed: summary.listed,
        })
    }
}

/// Returns the outcome of all documents: `all`, `some` or `none` succeeded, or `empty`; and the sentence for it.
fn sentence(counts: &crate::journal::Counts) -> (&'static str, String) {
    let (total, succeeded) = (text::count(counts.total), text::count(counts.succeeded));
    match (counts.total, counts.succeeded) {
        (0, _) => ("empty", "The journal lists no documents".to_owned()),
        (1, 1) => ("all", "The document succeeded".to_owned()),
        (1, 0) => ("none", "The document did not succeed".to_owned()),
        (all, some) if all == some => ("all", format!("All {total} documents succeeded")),
        (_, 0) => ("none", format!("None of {total} documents succeeded")),
        _ => ("some", format!("{succeeded} of {total} documents succeeded")),
    }
}

/// The variables of the template.
#[derive(Serialize)]
struct Context<'a> {
    title: String,
    outcome: &'static str,
    sentence: String,
    template: String,
    workspace: String,
    base_url: String,
    pages: u64,
    values: u64,
    components_found: u64,
    suspicious: u64,
    bar: String,
    outcomes: [Outcome; 3],
    runs: Vec<RunRow>,
    runs_left_out: u64,
    failures: &'a [FailureGroup],
    components: Vec<ComponentRow<'a>>,
    in_flight: Option<Figure>,
    upload: Option<Figure>,
    analysis: Option<Figure>,
    interrupted: u64,
    documents: u64,
    listed: u64,
}

#[derive(Serialize)]
struct Outcome {
    name: &'static str,
    class: &'static str,
    count: u64,
    share: String,
}

#[derive(Serialize)]
struct RunRow {
    id: i64,
    started: String,
    duration: String,
    outcome: String,
    stopped: Option<String>,
    uploads: u64,
    requests: u64,
}

impl RunRow {
    fn new(run: &RunInfo) -> Self {
        let length = run.ended_at.and_then(|end| u64::try_from(end - run.started_at).ok());
        Self {
            id: run.id,
            started: units::time(run.started_at),
            duration: length.map_or_else(|| "–".to_owned(), units::duration),
            outcome: run.verdict.clone().unwrap_or_else(|| "not ended".to_owned()),
            stopped: run.stopped.clone(),
            uploads: run.uploads,
            requests: run.requests,
        }
    }
}

#[derive(Serialize)]
struct ComponentRow<'a> {
    #[serde(flatten)]
    summary: &'a ComponentSummary,
    share: String,
    bar: String,
}

impl<'a> ComponentRow<'a> {
    fn new(summary: &'a ComponentSummary, documents: u64) -> Self {
        let missing = documents.saturating_sub(summary.documents);
        let bar = plot::shares(&[("found", summary.documents), ("missing", missing)]);
        Self { summary, share: units::percent(summary.documents, documents), bar }
    }
}

#[derive(Serialize)]
struct Figure {
    svg: String,
    facts: String,
}

impl From<Plot> for Figure {
    fn from(plot: Plot) -> Self {
        Self { svg: plot.svg, facts: plot.facts }
    }
}
