//! The process that is killed: saves one package and prints the number of bytes consumed.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use documine::{ClientBuilder, models::DownloadId, retry::RetryPolicy, transfer::Progress};

use crate::{Failure, print};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Id of the package
    id: String,
    /// Target file
    target: PathBuf,
    /// Number of the process, sent in the User-Agent header
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
        // Large packages with many faults need more retries than the budget allows.
        .retry_budget(None)
        .retry_policy(RetryPolicy::default().delays(Duration::from_millis(50), second))
        .build()?;
    let package = client.download(arguments.id.parse::<DownloadId>()?).job().wait().await?;
    package.save_to(&arguments.target).resumable(true).with_progress(ConsumedBytes::default()).await?;
    Ok(())
}

/// Prints the number of bytes consumed so far; repeated bytes count again.
#[derive(Default)]
struct ConsumedBytes(Mutex<Count>);

#[derive(Default)]
struct Count {
    position: u64,
    consumed: u64,
}

impl Progress for ConsumedBytes {
    fn moved(&self, moved: u64, _: Option<u64>) {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A position that decreases means that the download restarted.
        count.consumed += moved.checked_sub(count.position).unwrap_or(moved);
        count.position = moved;
        // The parent may have ended; the process is killed then.
        let _ = writeln!(std::io::stdout(), "{}", count.consumed);
    }

    fn resume_offset(&self, bytes: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).position = bytes;
    }
}
