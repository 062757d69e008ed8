//! Runs the scenarios at one provider: `documine-logins simulator`. Exit code 1 if a scenario fails, 2 if they cannot be run.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use documine_logins::{
    Failure, Provider, Selection, Sharing, WorkerArguments, hold_lock, keycloak, oidc_provider, share, simulator, work,
};

/// Every login flow of the SDK, at an identity provider.
#[derive(Parser)]
#[command(name = "documine-logins", version)]
struct Arguments {
    /// Only the scenarios whose name holds this word (may be repeated)
    #[arg(long, value_name = "WORD", global = true)]
    only: Vec<String>,
    /// Number of concurrent scenarios; 0: all
    #[arg(long, value_name = "N", default_value_t = 0, global = true)]
    at_once: usize,
    /// Instead of the scenarios, share a login between four processes of fifty tasks for this many seconds
    #[arg(long, value_name = "SECONDS", global = true)]
    share: Option<u64>,
    /// While the login is shared, kill and replace one of the processes at this interval, in seconds
    #[arg(long, value_name = "SECONDS", global = true, requires = "share")]
    kill_every: Option<u64>,
    #[command(subcommand)]
    provider: Which,
}

#[derive(Subcommand)]
enum Which {
    /// The simulator's own, started for the occasion
    Simulator,
    /// A Keycloak that runs with the realms of tests/conformance/keycloak
    Keycloak {
        /// Base URL without path: http://127.0.0.1:8080
        base_url: String,
    },
    /// The provider of tests/conformance/oidc-provider, which runs
    OidcProvider {
        /// Base URL without path
        base_url: String,
        /// URL of the control interface
        control_url: String,
    },
    /// One of the processes that share a login
    #[command(hide = true)]
    Worker(WorkerArguments),
    /// A process that holds the lock of a token store until it is killed
    #[command(hide = true)]
    Hold {
        /// The file that keeps the login
        store: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let selection = Selection { only: arguments.only.clone(), at_once: arguments.at_once };
    match run_one(&arguments, &selection).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Output is lost if standard error is closed.
            let _ = writeln!(std::io::stderr(), "documine-logins: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run_one(arguments: &Arguments, selection: &Selection) -> Result<bool, Failure> {
    let provider: Arc<dyn Provider> = match &arguments.provider {
        Which::Simulator => Arc::new(simulator::Simulator::start().await?),
        Which::Keycloak { base_url } => Arc::new(keycloak::Keycloak::at(base_url).await?),
        Which::OidcProvider { base_url, control_url } => {
            Arc::new(oidc_provider::OidcProvider::new(base_url, control_url)?)
        }
        Which::Worker(arguments) => return work(arguments).await.map(|()| true),
        Which::Hold { store } => return hold_lock(store).await.map(|()| true),
    };
    let Some(seconds) = arguments.share else { return documine_logins::run(provider, selection).await };
    let sharing = Sharing {
        processes: 4,
        tasks: 50,
        time: Duration::from_secs(seconds),
        kill_every: arguments.kill_every.map(Duration::from_secs),
    };
    let line = share(provider, &std::env::current_exe()?, sharing).await?;
    // Output is lost if standard output is closed.
    let _ = writeln!(std::io::stdout(), "{line}");
    Ok(true)
}
