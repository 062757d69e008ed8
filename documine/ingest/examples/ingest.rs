//! Thousands of documents: a folder of PDFs in, tables of values out. Interrupt it anywhere and run it again: nothing is done twice.
//!
//! ```text
//! cargo run -p documine-ingest --example ingest -- --out values.csv      the samples, a simulated service
//! cargo run -p documine-ingest --example ingest -- inbox --journal run.sqlite --out values.parquet --report run.html
//! DOCUMINE_BASE_URL=https://… cargo run …                                a real service: `--help` lists the variables
//! ```
//!
//! The simulated service ends with the process. A second run with the same journal would meet another service, which the journal refuses. To try
//! that, start `cargo run -p documine-sim` in another terminal and set the variables of the line that it prints.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use clap::Parser;
use documine_ingest::source::{Folder, ListFile, Paths};
use documine_ingest::{Error, ErrorKind, Ingest, Outputs, Progress, RunReport, StopReason, Verdict, table::Table};
use serde_json::json;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/samples");

/// A folder of documents in, tables of values out. The same command again continues, and processes new and changed documents.
#[derive(Debug, Parser)]
#[command(name = "ingest", version, after_help = AFTER_HELP)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
struct Args {
    /// Files and folders; `-` reads a list of paths from standard input. Default: the samples of the SDK
    #[arg(value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// SQLite file that remembers what is done; created if it is missing. Default: a temporary file
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Table to write: .csv, .jsonl, .xlsx, .parquet or .sqlite. May be repeated
    #[arg(long, value_name = "FILE")]
    out: Vec<PathBuf>,
    /// One row per document instead of one per value
    #[arg(long)]
    wide: bool,
    /// Run report to write
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// List of the failed documents to write, which `-` reads
    #[arg(long, value_name = "FILE.jsonl")]
    failed: Option<PathBuf>,
    /// Name of the dossier. Default: the name of the journal and the time
    #[arg(long, value_name = "NAME")]
    dossier_name: Option<String>,
    /// Pattern of the files in a folder; may be repeated. Default: **/*.pdf
    #[arg(long, value_name = "PATTERN")]
    glob: Vec<String>,
    /// Stop before the run exceeds this number of pages. Default: the licensed pages that are left
    #[arg(long, value_name = "N")]
    max_pages: Option<u64>,
    /// Stop when this number of documents has failed
    #[arg(long, value_name = "N")]
    max_failures: Option<u64>,
    /// Try again documents that failed for good
    #[arg(long)]
    retry_failed: bool,
    /// Upload documents of the same content once
    #[arg(long)]
    share_uploads: bool,
    /// Print events as JSON Lines, with a summary as the last line
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Environment (a real service; without DOCUMINE_BASE_URL a simulated one that ends with the program):
  DOCUMINE_BASE_URL, DOCUMINE_WORKSPACE_ID
  DOCUMINE_CLIENT_ID, DOCUMINE_CLIENT_SECRET (confidential clients only), DOCUMINE_USERNAME, DOCUMINE_PASSWORD
  or DOCUMINE_ACCESS_TOKEN instead of these four
  DOCUMINE_DOSSIER_TEMPLATE_ID (default: the first active template)
  DOCUMINE_PROGRESS: seconds between two lines of progress (0: none)

Exit codes: 0 done; 1 other failure; 2 wrong arguments or settings; 3 some documents failed; 4 login needed; 5 temporary failure, try again
later; 6 licence or limit of pages reached; 130 interrupted, 143 terminated (run again to continue)";

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let signal = Arc::new(AtomicU8::new(0));
    ExitCode::from(match run(&args, Arc::clone(&signal)).await {
        Ok(report) => {
            print_report(&args, &report);
            exit_code(&report, signal.load(Relaxed))
        }
        Err(error) => {
            eprintln!("error: {error}");
            if args.json {
                print_line(&json!({ "event": "error", "message": error.to_string() }).to_string());
            }
            error_code(&error)
        }
    })
}

async fn run(args: &Args, signal: Arc<AtomicU8>) -> Result<RunReport, Error> {
    let mut outputs = Outputs::new();
    for path in &args.out {
        outputs = outputs.table(Table::from_path(path)?.wide(args.wide));
    }
    outputs = args.failed.iter().fold(outputs, Outputs::failed_list);
    outputs = args.report.iter().fold(outputs, Outputs::report);

    let service = documine_sim::connect().await?;
    let mut ingest = Ingest::new(&service.client, service.template()).outputs(outputs);
    let (stdin, paths): (Vec<_>, Vec<_>) = args.sources.iter().cloned().partition(|path| path.as_os_str() == "-");
    if args.sources.is_empty() {
        ingest = ingest.source(Folder::new(SAMPLES));
    }
    if !stdin.is_empty() {
        ingest = ingest.source(ListFile::stdin());
    }
    if !paths.is_empty() {
        let patterns = args.glob.clone();
        ingest = ingest.source(Paths::new(paths).folders(move |folder| patterns.iter().fold(folder, Folder::glob)));
    }
    ingest = args.journal.iter().fold(ingest, Ingest::journal);
    ingest = args.dossier_name.iter().fold(ingest, Ingest::dossier_name);
    ingest = args.max_pages.into_iter().fold(ingest, Ingest::max_pages);
    ingest = args.max_failures.into_iter().fold(ingest, Ingest::max_failures);
    let (progress, is_json) = (Progress::auto(), args.json);
    ingest = ingest.retry_failed(args.retry_failed).share_uploads(args.share_uploads).on_event(move |event| {
        progress.observe(event);
        if let (true, Ok(line)) = (is_json, serde_json::to_string(event)) {
            print_line(&line);
        }
    });
    // The run ends what has begun at the service and leaves the rest to the next run.
    ingest.stop_on(async move { signal.store(stop_signal().await, Relaxed) }).run().await
}

/// Waits for Ctrl-C or SIGTERM and returns the exit code.
async fn stop_signal() -> u8 {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        return tokio::select! { _ = tokio::signal::ctrl_c() => 130, _ = terminate.recv() => 143 };
    }
    drop(tokio::signal::ctrl_c().await);
    130
}

fn print_report(args: &Args, report: &RunReport) {
    for failed in &report.failures {
        eprintln!("{}: {}", failed.source, failed.failure.cause);
    }
    if let Some(reason) = report.stopped {
        let cause = report.stop_cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
        eprintln!("error: stopped ({}){cause}; run again to continue", reason.as_str());
    }
    let (counts, outputs) = (report.documents, report.outputs.iter().map(|output| &output.path));
    let (uploads, requests, seconds) = (report.uploads, report.requests, report.elapsed.as_secs_f64());
    if args.json {
        let documents = json!({ "total": counts.total, "succeeded": counts.succeeded, "failed": counts.failed, "skipped": counts.skipped });
        let summary = json!({
            "event": "done", "verdict": report.verdict, "documents": documents, "uploads": uploads, "requests": requests,
            "outputs": outputs.map(|path| path.display().to_string()).collect::<Vec<_>>(), "elapsed_s": seconds, "peak_rss_kib": peak_rss_kib(),
        });
        print_line(&summary.to_string());
    } else {
        let (total, failed, open) = (counts.total, counts.failed, counts.open);
        println!(
            "{total} documents: {} done now, {} before, {failed} failed, {open} open",
            counts.succeeded, counts.skipped
        );
        println!("{uploads} uploads, {requests} requests, {seconds:.1} s");
        outputs.for_each(|path| println!("{}", path.display()));
    }
}

/// Prints a line. A closed pipe is no error: the run continues.
fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn exit_code(report: &RunReport, signal: u8) -> u8 {
    match report.stopped {
        Some(StopReason::Requested) if signal != 0 => signal,
        Some(StopReason::Login) => 4,
        Some(StopReason::Unavailable) => 5,
        Some(StopReason::Journal) => 1,
        Some(StopReason::License | StopReason::MaxPages) => 6,
        _ => {
            if report.verdict == Verdict::All {
                0
            } else {
                3
            }
        }
    }
}

fn error_code(error: &Error) -> u8 {
    match (error.kind(), error.service_error()) {
        (_, Some(service)) if matches!(service.kind(), documine::ErrorKind::Config | documine::ErrorKind::Input) => 2,
        (_, Some(service)) if service.needs_login() => 4,
        (_, Some(service)) if service.is_transient() || service.is_rate_limited() => 5,
        (ErrorKind::Input, _) => 2,
        _ => 1,
    }
}

/// Returns the largest memory of the process so far, where the system states it.
fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
