//! The jobs, the same for every client: requests, number of calls, concurrency, and measurement.
//!
//! `openapi_generator/main.rs` is built with this file, too, so that the file uses nothing of this crate.

use std::fmt::Debug;
use std::future::Future;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use tokio::io::AsyncWriteExt;
use tokio::runtime::{Builder, Runtime};

/// Any error of a client.
pub(crate) type JobError = Box<dyn std::error::Error + Send + Sync>;

/// Sent as `X-TENANT-ID`.
pub(crate) const TENANT: &str = "acme";

/// The dossier template in every path.
pub(crate) const TEMPLATE: &str = "f6a601da-8165-485f-bc9f-f257f1f76fde";

/// End of the id of a package without an entity tag.
pub(crate) const UNTAGGED: &str = "-untagged";

/// Returns an access token of a realistic length, about 1 kB; each request carries the token.
pub(crate) fn token() -> String {
    "e30.".repeat(256)
}

/// A client that can run the jobs. Decoded values are kept until the job has read them.
pub(crate) trait Client: Clone + Send + Sync + 'static {
    /// Licence type of this client.
    type License: Debug + Send;
    /// File list type of this client.
    type Files: Send;

    /// Makes a call with a small response: `getLicense`.
    fn license(&self) -> impl Future<Output = Result<Self::License, JobError>> + Send;

    /// Makes a call with a large response: `getFiles`. The id of the dossier is its number of files.
    fn files(&self, dossier: &str) -> impl Future<Output = Result<Self::Files, JobError>> + Send;

    /// Counts the files of a list.
    fn count(files: &Self::Files) -> usize;

    /// Streams the same list and calls `seen` for each file.
    fn each_file(
        &self,
        dossier: &str,
        seen: &mut (dyn FnMut() + Send),
    ) -> impl Future<Output = Result<(), JobError>> + Send;

    /// Uploads a file (`uploadFile`) and returns its id.
    fn upload(&self, path: &Path) -> impl Future<Output = Result<String, JobError>> + Send;

    /// Downloads a package (`downloadPackage`), discards the content and returns the number of bytes.
    fn fetch(&self, package: &str) -> impl Future<Output = Result<u64, JobError>> + Send;

    /// Downloads a package into a file, syncs the file and returns the number of bytes.
    fn save(&self, package: &str, to: &Path) -> impl Future<Output = Result<u64, JobError>> + Send;
}

/// Kind of a job.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Small calls, one after the other, on one thread.
    Call,
    /// Large lists, one after the other, on one thread.
    List,
    /// Small calls, concurrently, on all threads.
    Concurrent,
    /// A large list, streamed, on one thread.
    Items,
    /// An upload.
    Upload,
    /// A download that discards the content.
    Fetch,
    /// The same for a package without an entity tag.
    FetchUntagged,
    /// A download into a file.
    Save,
}

/// A job.
#[derive(Args)]
pub(crate) struct Job {
    /// Kind of the job
    #[arg(long = "job", value_enum)]
    kind: Kind,
    /// Address of the server
    #[arg(long, value_name = "URL")]
    base_url: String,
    /// Number of calls after the one that opens the connection
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// Number of concurrent calls
    #[arg(long, value_name = "N", default_value_t = 1)]
    concurrency: u64,
    /// Number of files in a list
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    files: usize,
    /// Size of the package in bytes
    #[arg(long, value_name = "N", default_value_t = 1 << 30)]
    bytes: u64,
    /// File to upload, or target of the download
    #[arg(long, value_name = "FILE", default_value = "package.zip")]
    file: PathBuf,
}

impl Job {
    /// Runs the job with the client that `make` returns for the base URL, and prints the measured values as a line of JSON.
    pub(crate) fn run<C: Client>(&self, make: impl FnOnce(&str) -> Result<C, JobError>) -> Result<(), JobError> {
        let runtime = self.runtime()?;
        // Inside the runtime, because some clients need it when they are created.
        let client = {
            let _inside = runtime.enter();
            make(&self.base_url)?
        };
        let took = runtime.block_on(self.measured(client))?;
        let report = serde_json::json!({
            "calls": self.count,
            "wall_ns": nanos(took.wall),
            "cpu_ns": took.cpu.map(nanos),
            "user_ns": took.user.map(nanos),
            "first_ns": took.first.map(nanos),
            "id": took.id,
            "peak_rss_kib": peak_rss_kib(),
        });
        writeln!(std::io::stdout(), "{report}")?;
        Ok(())
    }

    fn runtime(&self) -> std::io::Result<Runtime> {
        let mut builder = match self.kind {
            // One thread, so that two runs execute the same work in the same order.
            Kind::Call | Kind::List | Kind::Items => Builder::new_current_thread(),
            Kind::Concurrent | Kind::Upload | Kind::Fetch | Kind::FetchUntagged | Kind::Save => {
                Builder::new_multi_thread()
            }
        };
        builder.enable_all().build()
    }

    async fn measured<C: Client>(&self, client: C) -> Result<Measured, JobError> {
        // Opens the connection and checks that the client decodes the response.
        black_box(client.license().await?);
        let dossier = self.files.to_string();
        let (mut first, mut id) = (None, None);
        let (cpu, start) = (CpuTime::now(), Instant::now());
        match self.kind {
            Kind::Call => {
                for _ in 0..self.count {
                    black_box(client.license().await?);
                }
            }
            Kind::List => {
                for _ in 0..self.count {
                    let files = black_box(client.files(&dossier).await?);
                    let count = C::count(&files);
                    if count != self.files {
                        return Err(format!("the list has {count} files instead of {}", self.files).into());
                    }
                }
            }
            Kind::Concurrent => {
                let left = Arc::new(AtomicU64::new(self.count));
                let workers: Vec<_> =
                    (0..self.concurrency).map(|_| tokio::spawn(worker(client.clone(), Arc::clone(&left)))).collect();
                for worker in workers {
                    worker.await??;
                }
            }
            Kind::Items => {
                let mut count = 0;
                let mut seen = || {
                    count += 1;
                    first.get_or_insert_with(|| start.elapsed());
                };
                client.each_file(&dossier, &mut seen).await?;
                if count != self.files {
                    return Err(format!("the list has {count} files instead of {}", self.files).into());
                }
            }
            Kind::Upload => id = Some(client.upload(&self.file).await?),
            Kind::Fetch => self.check_size(client.fetch(&self.bytes.to_string()).await?)?,
            Kind::FetchUntagged => {
                self.check_size(client.fetch(&format!("{}{UNTAGGED}", self.bytes)).await?)?;
            }
            Kind::Save => self.check_size(client.save(&self.bytes.to_string(), &self.file).await?)?,
        }
        let wall = start.elapsed();
        let spent = CpuTime::now().zip(cpu).map(|(after, before)| after.since(before));
        Ok(Measured {
            wall,
            cpu: spent.map(|spent| spent.user + spent.system),
            user: spent.map(|spent| spent.user),
            first,
            id,
        })
    }

    /// Checks that a package has more bytes than its content.
    fn check_size(&self, received: u64) -> Result<(), JobError> {
        if received > self.bytes {
            Ok(())
        } else {
            Err(format!("received {received} bytes of a package of more than {}", self.bytes).into())
        }
    }
}

struct Measured {
    wall: Duration,
    cpu: Option<Duration>,
    user: Option<Duration>,
    /// Time until the first file of a list.
    first: Option<Duration>,
    /// Id of the uploaded file.
    id: Option<String>,
}

/// Writes a response to a temporary file, syncs the file and renames it, as careful hand-written code does.
pub(crate) async fn write(mut response: reqwest::Response, to: &Path) -> Result<u64, JobError> {
    let part = to.with_extension("part");
    let mut file = tokio::fs::File::create(&part).await?;
    let mut received = 0;
    while let Some(piece) = response.chunk().await? {
        received += piece.len() as u64;
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    tokio::fs::rename(part, to).await?;
    Ok(received)
}

/// Makes calls until the budget is used up.
async fn worker<C: Client>(client: C, left: Arc<AtomicU64>) -> Result<(), JobError> {
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        black_box(client.license().await?);
    }
    Ok(())
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// User and system time of this process.
#[derive(Clone, Copy)]
struct CpuTime {
    user: Duration,
    system: Duration,
}

impl CpuTime {
    #[cfg(unix)]
    fn now() -> Option<Self> {
        use nix::sys::resource::{UsageWho, getrusage};
        use nix::sys::time::{TimeVal, TimeValLike};

        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        let duration = |time: TimeVal| u64::try_from(time.num_microseconds()).ok().map(Duration::from_micros);
        Some(Self { user: duration(usage.user_time())?, system: duration(usage.system_time())? })
    }

    #[cfg(not(unix))]
    fn now() -> Option<Self> {
        None
    }

    fn since(self, before: Self) -> Self {
        Self { user: self.user.saturating_sub(before.user), system: self.system.saturating_sub(before.system) }
    }
}

/// Returns the peak memory of this process, on systems that report it. getrusage would include the memory of the parent process.
fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
