//! `probe`: makes one call of each kind that it is told, and prints in a line of JSON what a caller of the SDK sees of it.
//!
//! `cargo xtask conformance faults` holds its lines against each other: a fault that the simulator makes, and the same fault made by a proxy in between.
//! Whatever the calls need is prepared at the simulator itself, before the first of them, so that a proxy sees only what is probed.

mod calls;
mod simulator;

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use documine::{CallEnded, Client, ClientBuilder, Error, RetryPolicy, TimeoutPhase};
use serde_json::{Value, json};

use calls::{Prepared, Probed};
use simulator::Simulator;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One call of each kind that is named, to the service that the DOCUMINE_ variables name.
///
/// Each call gives a line of JSON: what its caller sees, and how often its request reached the service.
#[derive(Parser)]
#[command(name = "probe", version)]
struct Arguments {
    /// What to call, in this order
    #[arg(value_enum, required = true, value_name = "CALL")]
    calls: Vec<Probed>,
    /// Address of the simulator that stands behind the service's address: everything is prepared and counted there
    #[arg(long, value_name = "URL")]
    setup: String,
    /// Faults of the simulator while the calls are made, in JSON as POST /__sim/faults takes it
    #[arg(long, value_name = "JSON")]
    faults: Option<String>,
    /// A header that the calls send and nothing else does, by which a proxy knows them
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Option<(String, String)>,
    /// How long an answer may take to begin
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    attempt_timeout_ms: u64,
    /// How long an answer may stand still
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    idle_timeout_ms: u64,
    /// Size of the file that is uploaded, and of the one in the package
    #[arg(long, value_name = "N", default_value_t = 40_000)]
    bytes: usize,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("should look like `Name: value`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ran = runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(probe(&arguments)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be said any more if standard error is closed.
            let _ = writeln!(std::io::stderr(), "probe: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The attempts of the call that ended last.
type Attempts = Arc<Mutex<u32>>;

struct Observer(Attempts);

impl documine::Observer for Observer {
    fn ended(&self, event: &CallEnded<'_>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = event.attempts;
    }
}

async fn probe(arguments: &Arguments) -> Result<(), Failure> {
    let attempts = Attempts::default();
    let client = ClientBuilder::from_env()?
        .attempt_timeout(Duration::from_millis(arguments.attempt_timeout_ms))
        .idle_timeout(Duration::from_millis(arguments.idle_timeout_ms))
        .retry(RetryPolicy::default().delays(Duration::from_millis(5), Duration::from_millis(20)))
        .observer(Observer(Arc::clone(&attempts)))
        .build()?;
    let simulator = Simulator::new(&arguments.setup)?;
    simulator.clear_faults()?;
    let prepared = Prepared::new(&behind(&arguments.setup)?, &client, &arguments.calls, arguments.bytes).await?;
    simulator.forget()?;
    if let Some(faults) = &arguments.faults {
        simulator.plan(faults)?;
    }
    for call in &arguments.calls {
        let outcome = prepared.call(*call, arguments.header.as_ref()).await;
        let attempts = *attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = seen(outcome.as_ref().err(), attempts);
        if outcome.is_ok() && *call == Probed::Download {
            line["whole"] = json!(prepared.is_package_whole());
        }
        line["call"] = json!(call.name());
        line["reached"] = json!(simulator.reached(call.operation())?);
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(simulator.clear_faults()?)
}

/// A client of the simulator, with nothing in between.
fn behind(address: &str) -> Result<Client, Failure> {
    let builder = ClientBuilder::from_variables(|name| match name {
        "DOCUMINE_BASE_URL" => Some(address.to_owned()),
        _ => std::env::var(name).ok(),
    })?;
    Ok(builder.build()?)
}

/// All that a program can decide by.
fn seen(error: Option<&Error>, attempts: u32) -> Value {
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
