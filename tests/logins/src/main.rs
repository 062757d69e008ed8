//! Tells the stories at one provider: `documine-logins simulator`. Exit code 1 if one of them does not hold, 2 if they can't be told.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use documine_logins::{Choice, Failure, Provider, keycloak, oidc_provider, simulator};

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
    #[command(subcommand)]
    provider: Which,
}

#[derive(Subcommand)]
enum Which {
    /// The simulator's own, started for the occasion
    Simulator,
    /// A Keycloak that runs with the realms of tests/peers/keycloak
    Keycloak {
        /// Where it is, without the path: http://127.0.0.1:8080
        base_url: String,
    },
    /// The provider of tests/peers/oidc-provider, which runs
    OidcProvider {
        /// Where it is, without the path
        base_url: String,
        /// Where its control interface is
        control_url: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let choice = Choice { only: arguments.only, at_once: arguments.at_once };
    match tell(&arguments.provider, &choice).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing can be said any more if standard error is closed.
            let _ = writeln!(std::io::stderr(), "documine-logins: {error}");
            ExitCode::from(2)
        }
    }
}

async fn tell(which: &Which, choice: &Choice) -> Result<bool, Failure> {
    let provider: Arc<dyn Provider> = match which {
        Which::Simulator => Arc::new(simulator::Simulator::start().await?),
        Which::Keycloak { base_url } => Arc::new(keycloak::Keycloak::at(base_url).await?),
        Which::OidcProvider { base_url, control_url } => {
            Arc::new(oidc_provider::OidcProvider::new(base_url, control_url)?)
        }
    };
    documine_logins::run(provider, choice).await
}
