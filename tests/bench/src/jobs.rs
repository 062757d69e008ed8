//! The jobs, the same for every client: what is asked for, how often, at what concurrency, and what it took.
//!
//! `rival/main.rs` is built with this file too, so it needs nothing of this crate.

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
pub(crate) type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Sent as `X-TENANT-ID`.
pub(crate) const TENANT: &str = "acme";

/// The dossier template in every path.
pub(crate) const TEMPLATE: &str = "f6a601da-8165-485f-bc9f-f257f1f76fde";

/// An access token as long as those of identity providers are, about 1 kB: each request carries it.
pub(crate) fn token() -> String {
    "e30.".repeat(256)
}

/// A client that can do the jobs. What it decodes is kept until the job has seen it.
pub(crate) trait Client: Clone + Send + Sync + 'static {
    /// A licence, as this client has it.
    type License: Debug + Send;
    /// A list of files, as this client has it.
    type Files: Send;

    /// One call with a small answer: `getLicense`.
    fn license(&self) -> impl Future<Output = Result<Self::License, Trouble>> + Send;

    /// One call with a large answer: `getFiles`. The dossier's name is how many files it has.
    fn files(&self, dossier: &str) -> impl Future<Output = Result<Self::Files, Trouble>> + Send;

    /// How many files those are.
    fn count(files: &Self::Files) -> usize;

    /// The same list, a file at a time; `seen` is called for each.
    fn each_file(
        &self,
        dossier: &str,
        seen: &mut (dyn FnMut() + Send),
    ) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Uploads a file (`uploadFile`); the id that the service gives it.
    fn upload(&self, path: &Path) -> impl Future<Output = Result<String, Trouble>> + Send;

    /// Fetches a package (`downloadPackage`) and throws it away; how many bytes came.
    fn fetch(&self, package: &str) -> impl Future<Output = Result<u64, Trouble>> + Send;

    /// Fetches a package into a file, which is on the disk when this ends; how many bytes came.
    fn save(&self, package: &str, to: &Path) -> impl Future<Output = Result<u64, Trouble>> + Send;
}

/// What is to be done.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Small calls, one after the other, on one thread.
    Call,
    /// Large lists, one after the other, on one thread.
    List,
    /// Small calls, many at a time, on all threads.
    Concurrent,
    /// A large list, file by file, on one thread.
    Items,
    /// A file is uploaded.
    Upload,
    /// A package is fetched to nowhere.
    Fetch,
    /// A package is fetched into a file.
    Save,
}

/// A job.
#[derive(Args)]
pub(crate) struct Job {
    /// What is done.
    #[arg(long = "job", value_enum)]
    kind: Kind,
    /// Where the answers come from.
    #[arg(long, value_name = "URL")]
    base_url: String,
    /// How many calls, beside the one that opens the connection.
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// How many of them at a time.
    #[arg(long, value_name = "N", default_value_t = 1)]
    concurrency: u64,
    /// How many files a list holds.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    files: usize,
    /// How large the package is.
    #[arg(long, value_name = "N", default_value_t = 1 << 30)]
    bytes: u64,
    /// What is uploaded, or where the package goes.
    #[arg(long, value_name = "FILE", default_value = "package.zip")]
    file: PathBuf,
}

impl Job {
    /// Does the job with the client that `make` makes of the base URL, and prints what it took as a line of JSON.
    pub(crate) fn run<C: Client>(&self, make: impl FnOnce(&str) -> Result<C, Trouble>) -> Result<(), Trouble> {
        let runtime = self.runtime()?;
        // Inside the runtime, for a client may want it where it is made.
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
            // Everything on one thread, so that two runs do the same in the same order.
            Kind::Call | Kind::List | Kind::Items => Builder::new_current_thread(),
            Kind::Concurrent | Kind::Upload | Kind::Fetch | Kind::Save => Builder::new_multi_thread(),
        };
        builder.enable_all().build()
    }

    async fn measured<C: Client>(&self, client: C) -> Result<Took, Trouble> {
        // Opens the connection, and shows that the client understands the service.
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
                        return Err(format!("the list holds {count} files, not {}", self.files).into());
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
                    return Err(format!("the list holds {count} files, not {}", self.files).into());
                }
            }
            Kind::Upload => id = Some(client.upload(&self.file).await?),
            Kind::Fetch => self.all(client.fetch(&self.bytes.to_string()).await?)?,
            Kind::Save => self.all(client.save(&self.bytes.to_string(), &self.file).await?)?,
        }
        let wall = start.elapsed();
        let spent = CpuTime::now().zip(cpu).map(|(after, before)| after.since(before));
        Ok(Took {
            wall,
            cpu: spent.map(|spent| spent.user + spent.system),
            user: spent.map(|spent| spent.user),
            first,
            id,
        })
    }

    /// A package holds more bytes than its content.
    fn all(&self, came: u64) -> Result<(), Trouble> {
        if came > self.bytes {
            Ok(())
        } else {
            Err(format!("{came} bytes came of a package of more than {}", self.bytes).into())
        }
    }
}

struct Took {
    wall: Duration,
    cpu: Option<Duration>,
    user: Option<Duration>,
    /// Until the first file of a list was there.
    first: Option<Duration>,
    /// What the service called an upload.
    id: Option<String>,
}

/// What those do by hand who care: into a file beside the target, onto the disk, then its name.
pub(crate) async fn write(mut response: reqwest::Response, to: &Path) -> Result<u64, Trouble> {
    let part = to.with_extension("part");
    let mut file = tokio::fs::File::create(&part).await?;
    let mut came = 0;
    while let Some(piece) = response.chunk().await? {
        came += piece.len() as u64;
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    tokio::fs::rename(part, to).await?;
    Ok(came)
}

/// Makes calls until none is left to make.
async fn worker<C: Client>(client: C, left: Arc<AtomicU64>) -> Result<(), Trouble> {
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        black_box(client.license().await?);
    }
    Ok(())
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// User and system time of this process so far.
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

/// The most memory this process had so far, where the system tells. Not from getrusage: there the memory of the process that
/// started this one counts too.
fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
