//! The process that is killed: it saves one package, and says how much it has taken over.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use documine::{ClientBuilder, DownloadId, Progress, RetryPolicy};

use crate::{Failure, print};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The package
    id: String,
    /// Where it goes
    target: PathBuf,
    /// Which of the processes this is, as it tells the service
    #[arg(long)]
    number: usize,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match tokio::runtime::Runtime::new().map_err(Failure::from).and_then(|runtime| runtime.block_on(fetch(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn fetch(arguments: &Arguments) -> Result<(), Failure> {
    let second = Duration::from_secs(1);
    let client = ClientBuilder::from_env()?
        .app_info("kill-resume", &arguments.number.to_string())
        .idle_timeout(second)
        // Of large packages with many faults more is repeated than the store allows.
        .retry_budget(None)
        .retry(RetryPolicy::default().delays(Duration::from_millis(50), second))
        .build()?;
    let package = client.download(arguments.id.parse::<DownloadId>()?).operation().wait().await?;
    package.save_to(&arguments.target).resumable().with_progress(Taken::default()).await?;
    Ok(())
}

/// Says how many bytes were taken over so far, those counted again that came again.
#[derive(Default)]
struct Taken(Mutex<Count>);

#[derive(Default)]
struct Count {
    position: u64,
    taken: u64,
}

impl Progress for Taken {
    fn moved(&self, moved: u64, _: Option<u64>) {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that goes back has begun anew.
        count.taken += moved.checked_sub(count.position).unwrap_or(moved);
        count.position = moved;
        // Whoever listens is gone: nothing depends on it here.
        let _ = writeln!(std::io::stdout(), "{}", count.taken);
    }

    fn resumed_at(&self, bytes: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).position = bytes;
    }
}
