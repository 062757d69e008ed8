//! `documine-sim`: the simulator as a program. Prints one JSON line when ready and ends on Ctrl-C or SIGTERM.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use documine_sim::{AuthMode, Faults, Paging, RecordedBodies, Recorder, Replay, Rules, SimClock, Simulator};

/// A stateful simulator of DocuMine and its identity provider.
///
/// Prints one line of JSON when ready, with base_url, workspace_id, client_id, client_secret, username, password, dossier_template_id and
/// report_template_id. Ends on Ctrl-C or SIGTERM. Inspect and control the simulator under /__sim/requests, /__sim/state, /__sim/clock,
/// /__sim/faults, /__sim/patches, /__sim/violations and /__sim/control.
///
/// The commands record and replay the exchanges with any service; they print a line of JSON with base_url when ready.
#[derive(Parser)]
#[command(name = "documine-sim", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: String,
    /// Seed of ids, codes and keys
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Factor by which files and packages are processed faster
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// TOML file with extraction rules that replace the built-in rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Lifetime of access tokens in seconds
    #[arg(long, value_name = "S", default_value_t = 300)]
    token_ttl: u64,
    /// Lifetime of refresh tokens in seconds; 0: no fixed end
    #[arg(long, value_name = "S", default_value_t = 1800)]
    refresh_ttl: u64,
    /// Refresh tokens can be used only once
    #[arg(long)]
    rotate_refresh: bool,
    /// Tokens that the API accepts: own, jwks:URL, any or none
    #[arg(long, value_name = "MODE", default_value = "own")]
    auth: AuthMode,
    /// Paging of lists: none, page or link
    #[arg(long, value_name = "FORM", default_value = "none")]
    paging: Paging,
    /// Packages have no ETag and no range support
    #[arg(long)]
    no_ranges: bool,
    /// The clock advances only by POST /__sim/clock
    #[arg(long)]
    manual_clock: bool,
    /// Fault plan: a TOML file, or preset:NAME with flaky, rude-proxy, rate-limited or newer-server
    #[arg(long, value_name = "PLAN")]
    faults: Option<String>,
    /// Seed of faults with a probability; default: the plan's seed, else --seed
    #[arg(long, value_name = "N")]
    fault_seed: Option<u64>,
    /// Name of the workspace
    #[arg(long, value_name = "NAME", default_value = "acme")]
    workspace: String,
    /// Folder that keeps the state over a restart
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Forwards requests to a service and records the exchanges in a file, without secrets
    Record {
        /// Base URL of the service
        #[arg(long, value_name = "URL")]
        upstream: String,
        /// File of the recording; replaced if it exists
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Bodies that are recorded: none, json or all
        #[arg(long, value_name = "KIND", default_value = "json")]
        bodies: RecordedBodies,
        /// Address to listen on; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
        listen: String,
    },
    /// Serves a recording
    Replay {
        /// File of the recording
        file: PathBuf,
        /// Address to listen on; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
        listen: String,
    },
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("must be a number greater than 0".to_owned()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    quiet_reader_panics();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error leaves no channel for the message.
            let _ = writeln!(std::io::stderr(), "documine-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    // Installed before the JSON line is printed, so that a signal right after the line is not lost.
    let end = end_signal()?;
    match arguments.command {
        Some(Command::Record { upstream, out, bodies, listen }) => {
            let recorder = Recorder::builder(upstream, out).bodies(bodies).listen(listen).start().await?;
            print_ready(&serde_json::json!({"base_url": recorder.base_url()}))?;
            end.await;
            return Ok(());
        }
        Some(Command::Replay { file, listen }) => {
            let replay = Replay::start_at(file, &listen).await?;
            print_ready(&serde_json::json!({"base_url": replay.base_url()}))?;
            end.await;
            return Ok(());
        }
        None => {}
    }
    let mut builder = Simulator::builder()
        .listen(arguments.listen)
        .seed(arguments.seed)
        .speed(arguments.speed)
        .token_ttl(Duration::from_secs(arguments.token_ttl))
        .refresh_ttl(Duration::from_secs(arguments.refresh_ttl))
        .rotate_refresh(arguments.rotate_refresh)
        .auth(arguments.auth)
        .paging(arguments.paging)
        .ranges(!arguments.no_ranges)
        .workspace(arguments.workspace);
    if let Some(path) = arguments.rules {
        builder = builder.rules(Rules::load(path)?);
    }
    if let Some(plan) = arguments.faults {
        builder = builder.faults(match plan.strip_prefix("preset:") {
            Some(name) => Faults::preset(name)?,
            None => Faults::load(plan)?,
        });
    }
    if let Some(seed) = arguments.fault_seed {
        builder = builder.fault_seed(seed);
    }
    if arguments.manual_clock {
        builder = builder.clock(SimClock::manual());
    }
    if let Some(folder) = arguments.data {
        builder = builder.data_dir(folder);
    }
    let simulator = builder.start().await?;
    print_ready(&ready_line(&simulator))?;
    simulator.run_until(end).await?;
    Ok(())
}

fn print_ready(line: &serde_json::Value) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn ready_line(simulator: &Simulator) -> serde_json::Value {
    serde_json::json!({
        "base_url": simulator.base_url(),
        "workspace_id": simulator.workspace_id(),
        "client_id": simulator.client_id(),
        "client_secret": simulator.client_secret(),
        "username": simulator.username(),
        "password": simulator.password(),
        "dossier_template_id": simulator.dossier_template_id(),
        "report_template_id": simulator.report_template_id(),
    })
}

#[cfg(unix)]
fn end_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn end_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler Ctrl-C still ends the program, only without a shutdown.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Hides panics of the PDF library, which are handled as unreadable documents. Other panics are printed as usual.
fn quiet_reader_panics() {
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some("documine-sim-pdf") {
            default_hook(panic);
        }
    }));
}
