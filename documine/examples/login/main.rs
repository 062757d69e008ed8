//! Logs a person or a service in, keeps the login, and makes a call with it: every flow of the guide, at any identity provider.
//!
//! ```text
//! cargo run --example login                                   by device code, at a simulated service
//! cargo run --example login -- --flow code --store me.json    in the browser of this machine; the login is kept
//! cargo run --example login -- --store me.json                the next day: no login needed
//! cargo run --example login -- --store me.json --logout
//! DOCUMINE_BASE_URL=https://… cargo run …                     a real service: `--help` lists the variables
//! ```
//!
//! Read `flows.rs` first: it is the part that uses the SDK. `events.rs` is what the program says, to people or, with `--json`, to programs.

mod args;
mod events;
mod failure;
mod flows;
mod target;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use documine::Client;

use args::Args;
use events::{Event, Teller};
use failure::Result;
use target::Target;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let teller = Teller::new(args.json);
    match run(&args, teller).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            teller.tell(&Event::error(&failure));
            ExitCode::from(failure.code)
        }
    }
}

async fn run(args: &Args, teller: Teller) -> Result<()> {
    let target = Target::from_environment().await?;
    if let Some(hint) = &target.hint {
        teller.say(hint);
    }
    let flow = args.flow();
    let credentials = flows::credentials(flow, args, &target, teller).await?;
    let client = target.builder().credentials(credentials).observer(teller).build()?;
    if flow.is_none() && args.logout && !args.whoami {
        return log_out(&client, teller).await;
    }
    // Without a stored login, a service account logs in now.
    let me = client.identity().await?;
    if let Some(flow) = flow {
        teller.tell(&Event::logged_in(flow, &me));
    }
    if args.whoami {
        teller.tell(&Event::identity(&me));
    }
    if !args.no_call && (flow.is_some() || !args.whoami) {
        let called = call(&client, args.keep).await;
        // A refresh under way is not cut off by the end of this program.
        client.wait_for_refresh().await;
        called?;
    }
    if args.logout { log_out(&client, teller).await } else { Ok(()) }
}

/// One call, or one per second for the given time. The observer reports each call; the first failure becomes the program's, after the remaining calls.
async fn call(client: &Client, keep: Option<u64>) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(keep.unwrap_or(0));
    let mut outcome = client.license().await.map(drop);
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let next = client.license().await.map(drop);
        outcome = outcome.and(next);
    }
    Ok(outcome?)
}

async fn log_out(client: &Client, teller: Teller) -> Result<()> {
    let logged_out = client.log_out().await?;
    teller.tell(&Event::LoggedOut { revoked: logged_out.revoked, session_ended: logged_out.session_ended });
    Ok(())
}
