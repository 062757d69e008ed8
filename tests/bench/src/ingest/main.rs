//! Processes a folder of documents with the crate `documine-ingest`, or as a straightforward program does. `cargo xtask bench ingest` compares both.
//!
//! ```text
//! ingest-bench write --folder DIR --count 1000         writes invoices
//! ingest-bench ours --folder DIR --work DIR            one run, with a CSV file as output
//! ingest-bench simple --folder DIR --work DIR          buffer_unordered, and a poll per file and second
//! ingest-bench hash --folder DIR                       reads all documents and computes their hashes
//! ingest-bench report --work DIR                       writes the run report of a journal
//! ```
//!
//! Each prints a line of JSON with the measured values. The service is that of the environment.

#[path = "../../../stress/src/ingest/invoice.rs"]
mod invoice;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use documine::models::{DossierTemplateId, ProcessingStatus};
use documine::{Client, ClientBuilder, DossierFields, DossierHandle, Source};
use documine_ingest::source::{Content, Folder};
use documine_ingest::table::Table;
use documine_ingest::{Event, Ingest, Outputs, Verdict, export};
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Documents in flight, and the time between two polls, of the straightforward program.
const CONCURRENCY: usize = 8;
const POLL_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Parser)]
#[command(name = "ingest-bench", version)]
struct Arguments {
    #[arg(value_enum)]
    job: Job,
    /// Folder of the documents
    #[arg(long, value_name = "DIR", default_value = "documents")]
    folder: PathBuf,
    /// Folder of the journal and the outputs
    #[arg(long, value_name = "DIR", default_value = ".")]
    work: PathBuf,
    /// Number of documents to write
    #[arg(long, value_name = "N", default_value_t = 1000)]
    count: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Job {
    Write,
    Ours,
    Simple,
    Hash,
    Report,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::runtime::Runtime::new().map_err(Failure::from).and_then(|runtime| {
        let begin = Instant::now();
        let mut measured = runtime.block_on(run(&arguments))?;
        measured["wall_s"] = begin.elapsed().as_secs_f64().into();
        measured["cpu_s"] = cpu_seconds().into();
        measured["peak_rss_kib"] = peak_rss_kib().into();
        Ok(measured)
    });
    match outcome {
        Ok(measured) => {
            // A closed standard output is no failure.
            let _ = writeln!(std::io::stdout(), "{measured}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "ingest-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Value, Failure> {
    let Arguments { job, folder, work, count } = arguments;
    match job {
        Job::Write => write(folder, *count),
        Job::Ours => ours(folder, work).await,
        Job::Simple => simple(folder, work).await,
        Job::Hash => hash(folder).await,
        Job::Report => report(work),
    }
}

fn write(folder: &Path, count: u32) -> Result<Value, Failure> {
    std::fs::create_dir_all(folder)?;
    for number in 0..count {
        std::fs::write(folder.join(format!("{number:05}.pdf")), invoice::invoice(number))?;
    }
    Ok(json!({ "documents": count }))
}

fn connect() -> Result<(Client, DossierTemplateId), Failure> {
    let template = std::env::var("DOCUMINE_DOSSIER_TEMPLATE_ID")?.parse()?;
    Ok((ClientBuilder::from_env()?.build()?, template))
}

async fn ours(folder: &Path, work: &Path) -> Result<Value, Failure> {
    let (client, template) = connect()?;
    let journal = work.join("run.sqlite");
    let transitions = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&transitions);
    let report = Ingest::new(&client, template)
        .source(Folder::new(folder))
        .journal(&journal)
        .sink(Table::csv(work.join("values.csv")))
        .on_event(move |event| {
            if let Event::StepFinished { .. } | Event::DocumentFinished { .. } = event {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        })
        .run()
        .await?;
    if report.verdict != Verdict::All {
        return Err(format!("not all documents are done: {:?}", report.failures.first()).into());
    }
    Ok(json!({
        "documents": report.documents.total,
        "uploads": report.uploads,
        "requests": report.requests,
        "transitions": transitions.load(Ordering::Relaxed),
        "journal_bytes": std::fs::metadata(journal)?.len(),
    }))
}

async fn simple(folder: &Path, work: &Path) -> Result<Value, Failure> {
    let (client, template) = connect()?;
    let dossier = client.dossier_template(&template).create_dossier(DossierFields::named("simple")).await?;
    let paths = paths(folder)?;
    let documents = paths.len();
    let mut results = stream::iter(paths).map(|path| one(&dossier, path)).buffer_unordered(CONCURRENCY);
    let mut table = std::io::BufWriter::new(std::fs::File::create(work.join("simple.csv"))?);
    while let Some(rows) = results.next().await {
        table.write_all(rows?.as_bytes())?;
    }
    table.flush()?;
    Ok(json!({ "documents": documents, "requests": client.requests_sent() }))
}

/// Uploads a file, polls it every second, and returns its values as lines.
async fn one(dossier: &DossierHandle, path: PathBuf) -> Result<String, Failure> {
    let uploaded = dossier.upload(Source::path(&path)).await?;
    let file = dossier.file(&uploaded.id);
    while file.get().await?.processing_status != Some(ProcessingStatus::Processed) {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let components = file.components().include_details(true).await?;
    let mut rows = String::new();
    for name in components.names() {
        for value in components.values(name) {
            let row = format!("{},{name},\"{}\"\n", path.display(), value.replace('"', "\"\""));
            rows.push_str(&row);
        }
    }
    Ok(rows)
}

async fn hash(folder: &Path) -> Result<Value, Failure> {
    let paths = paths(folder)?;
    let documents = paths.len();
    // As many at a time as a run by default.
    let mut hashes = stream::iter(paths).map(async |path| Content::File(path).hash().await).buffer_unordered(2);
    while let Some(hashed) = hashes.next().await {
        hashed?;
    }
    Ok(json!({ "documents": documents }))
}

fn report(work: &Path) -> Result<Value, Failure> {
    let path = work.join("run.html");
    export(work.join("run.sqlite"), &Outputs::new().report(&path))?;
    Ok(json!({ "bytes": std::fs::metadata(path)?.len() }))
}

fn paths(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Returns the CPU time of this process; `None` where the system does not state it.
fn cpu_seconds() -> Option<f64> {
    #[cfg(unix)]
    {
        use nix::sys::resource::{UsageWho, getrusage};
        use nix::sys::time::{TimeVal, TimeValLike};

        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        let duration = |time: TimeVal| u64::try_from(time.num_microseconds()).ok().map(Duration::from_micros);
        Some((duration(usage.user_time())? + duration(usage.system_time())?).as_secs_f64())
    }
    #[cfg(not(unix))]
    None
}

fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
