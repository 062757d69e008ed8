//! `probe`: makes one call of each given kind and prints a line of JSON with the observations of a caller.
//!
//! `cargo xtask conformance faults` compares the lines of a fault of the simulator with those of the same fault made by a proxy. The objects that the calls
//! need are created directly at the simulator before the first call, so that the proxy handles only the calls.

mod calls;
mod simulator;

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use documine::{Client, ClientBuilder, Error, TimeoutPhase, observe::CallEnded, retry::RetryPolicy};
use serde_json::{Value, json};

use calls::{Prepared, ProbeCall};
use simulator::Simulator;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Make one call of each given kind at the service of the DOCUMINE_ variables.
///
/// Prints a line of JSON for each call: the observations of the caller, and the number of requests that reached the service.
#[derive(Parser)]
#[command(name = "probe", version)]
struct Arguments {
    /// Kinds of calls, in this order
    #[arg(value_enum, required = true, value_name = "CALL")]
    calls: Vec<ProbeCall>,
    /// Address of the simulator behind the service's address, for preparation and counts
    #[arg(long, value_name = "URL")]
    setup: String,
    /// Faults of the simulator during the calls, as JSON of POST /__sim/faults
    #[arg(long, value_name = "JSON")]
    faults: Option<String>,
    /// A header of the calls alone, by which a proxy recognises them
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Option<(String, String)>,
    /// Time limit until the response begins
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    attempt_timeout_ms: u64,
    /// Time limit between two pieces of a response
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    idle_timeout_ms: u64,
    /// Size of the uploaded file and of the file in the package
    #[arg(long, value_name = "N", default_value_t = 40_000)]
    bytes: usize,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected `Name: value`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ran = runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(probe(&arguments)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error is no failure.
            let _ = writeln!(std::io::stderr(), "probe: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Attempts of the last call.
type Attempts = Arc<Mutex<u32>>;

struct Observer(Attempts);

impl documine::observe::Observer for Observer {
    fn ended(&self, event: &CallEnded<'_>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = event.attempts;
    }
}

async fn probe(arguments: &Arguments) -> Result<(), Failure> {
    let attempts = Attempts::default();
    let client = ClientBuilder::from_env()?
        .attempt_timeout(Duration::from_millis(arguments.attempt_timeout_ms))
        .idle_timeout(Duration::from_millis(arguments.idle_timeout_ms))
        .retry_policy(RetryPolicy::default().delays(Duration::from_millis(5), Duration::from_millis(20)))
        .observer(Observer(Arc::clone(&attempts)))
        .build()?;
    let simulator = Simulator::new(&arguments.setup)?;
    simulator.clear_faults()?;
    let prepared = Prepared::new(&direct_client(&arguments.setup)?, &client, &arguments.calls, arguments.bytes).await?;
    simulator.forget()?;
    if let Some(faults) = &arguments.faults {
        simulator.plan(faults)?;
    }
    for call in &arguments.calls {
        let outcome = prepared.call(*call, arguments.header.as_ref()).await;
        let attempts = *attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = observations(outcome.as_ref().err(), attempts);
        if outcome.is_ok() && *call == ProbeCall::Download {
            line["whole"] = json!(prepared.is_package_whole());
        }
        line["call"] = json!(call.name());
        line["reached"] = json!(simulator.reached(call.operation())?);
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(simulator.clear_faults()?)
}

/// Makes a client that bypasses the proxy.
fn direct_client(address: &str) -> Result<Client, Failure> {
    let builder = ClientBuilder::from_variables(|name| match name {
        "DOCUMINE_BASE_URL" => Some(address.to_owned()),
        _ => std::env::var(name).ok(),
    })?;
    Ok(builder.build()?)
}

/// Returns everything that a program can decide by.
fn observations(error: Option<&Error>, attempts: u32) -> Value {
    let Some(error) = error else {
        return json!({"outcome": "ok", "attempts": attempts});
    };
    json!({
        "outcome": "error",
        "kind": error.kind().name(),
        "status": error.status().map(|status| status.as_u16()),
        "was_sent": error.was_sent(),
        "safe_to_repeat": error.is_safe_to_repeat(),
        "transient": error.is_transient(),
        "phase": error.timeout_phase().map(phase),
        "retry_after": error.retry_after().map(|pause| pause.as_secs()),
        "attempts": error.attempts(),
    })
}

fn phase(phase: TimeoutPhase) -> String {
    format!("{phase:?}").to_lowercase()
}
