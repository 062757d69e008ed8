//! Uploads documents and downloads packages: each command can be killed at any time and resumes when it is started again with the same arguments.
//!
//! ```text
//! cargo run --example transfer -- upload a.pdf b.pdf           into a dossier, which is noted down in transfer.json
//! cargo run --example transfer -- package --dossier ID --to q3.zip
//! cargo run --example transfer -- download DOWNLOAD_ID --to q3.zip
//! cargo run --example transfer -- wait DOWNLOAD_ID
//! DOCUMINE_BASE_URL=https://… cargo run …                      a real service; without it a simulated one, which ends with the program
//! ```
//!
//! Read `steps.rs` first: it is the part that uses the SDK.

mod args;
mod events;
mod failure;
mod note;
mod steps;
mod target;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use events::Teller;
use failure::Result;
use target::Target;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let teller = Teller::new(args.json);
    match run(&args, teller).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            teller.error(&failure);
            ExitCode::from(failure.code)
        }
    }
}

async fn run(args: &Args, teller: Teller) -> Result<()> {
    let target = Target::from_environment().await?;
    let steps = steps::Steps { target: &target, teller };
    match &args.command {
        Command::Upload { files, dossier, note } => steps.upload(files, dossier.as_deref(), note).await,
        Command::Package { dossier, to } => steps.package(dossier, to).await,
        Command::Download { id, to } => steps.download(id, to).await,
        Command::Wait { id } => steps.wait(id).await,
    }
}
