//! Tells the stories at one provider: `documine-logins simulator`. Exit code 1 if one of them does not hold, 2 if they can't be told.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use documine_logins::{
    Choice, Failure, Orders, Provider, Sharing, hold, keycloak, oidc_provider, share, simulator, work,
};

/// Every login flow of the SDK, at an identity provider.
#[derive(Parser)]
#[command(name = "documine-logins", version)]
struct Arguments {
    /// Only the stories whose name holds this word (may be repeated)
    #[arg(long, value_name = "WORD", global = true)]
    only: Vec<String>,
    /// How many stories at a time; 0: all
    #[arg(long, value_name = "N", default_value_t = 0, global = true)]
    at_once: usize,
    /// In place of the stories: share a login between four processes of fifty tasks for so many seconds
    #[arg(long, value_name = "SECONDS", global = true)]
    share: Option<u64>,
    /// While it is shared, kill and replace one of the processes each time that so many seconds have passed
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
        /// Where it is, without the path: http://127.0.0.1:8080
        base_url: String,
    },
    /// The provider of tests/conformance/oidc-provider, which runs
    OidcProvider {
        /// Where it is, without the path
        base_url: String,
        /// Where its control interface is
        control_url: String,
    },
    /// One of the processes that share a login
    #[command(hide = true)]
    Worker(Orders),
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
    let choice = Choice { only: arguments.only.clone(), at_once: arguments.at_once };
    match tell(&arguments, &choice).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing can be said any more if standard error is closed.
            let _ = writeln!(std::io::stderr(), "documine-logins: {error}");
            ExitCode::from(2)
        }
    }
}

async fn tell(arguments: &Arguments, choice: &Choice) -> Result<bool, Failure> {
    let provider: Arc<dyn Provider> = match &arguments.provider {
        Which::Simulator => Arc::new(simulator::Simulator::start().await?),
        Which::Keycloak { base_url } => Arc::new(keycloak::Keycloak::at(base_url).await?),
        Which::OidcProvider { base_url, control_url } => {
            Arc::new(oidc_provider::OidcProvider::new(base_url, control_url)?)
        }
        Which::Worker(orders) => return work(orders).await.map(|()| true),
        Which::Hold { store } => return hold(store).await.map(|()| true),
    };
    let Some(seconds) = arguments.share else { return documine_logins::run(provider, choice).await };
    let sharing = Sharing {
        processes: 4,
        tasks: 50,
        time: Duration::from_secs(seconds),
        kill_every: arguments.kill_every.map(Duration::from_secs),
    };
    let line = share(provider, &std::env::current_exe()?, sharing).await?;
    // Nothing can be said any more if standard output is closed.
    let _ = writeln!(std::io::stdout(), "{line}");
    Ok(true)
}
