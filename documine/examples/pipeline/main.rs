//! A document through DocuMine, step by step: from a PDF to its components and its result package.
//!
//! ```text
//! cargo run --example pipeline                    the built-in samples, a simulated service
//! cargo run --example pipeline -- a.pdf b.pdf     your own PDFs
//! DOCUMINE_BASE_URL=https://… cargo run …         a real service: `--help` lists the variables
//! ```
//!
//! Read `steps.rs` first: it is the part that uses the SDK, in the order in which things happen. `own.rs` holds the Rust types that the
//! components are read into. The rest is what a well-behaved program needs around that: clear errors (`failure.rs`), cleanup at the end
//! (`cleanup.rs`, `stop.rs`), output (`show.rs`, `table.rs`).

mod args;
mod cleanup;
mod failure;
mod outcome;
mod output;
mod own;
mod show;
mod sources;
mod steps;
mod stop;
mod summary;
mod table;
mod target;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use args::Args;
use cleanup::Created;
use failure::{Code, Failure};
use outcome::Outcome;
use output::Output;
use show::Show;
use steps::Steps;
use stop::Stop;
use target::Target;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let show = Show::new(args.json);
    let result = run(&args, &show).await;
    show.clear();
    let failure = match result {
        Ok(outcome) => {
            let printed = if args.json { print_json(&outcome) } else { Ok(()) };
            match printed.err().or_else(|| outcome.failure()) {
                None => return ExitCode::SUCCESS,
                Some(failure) => failure,
            }
        }
        Err(failure) => failure,
    };
    print_error(&failure);
    ExitCode::from(failure.code() as u8)
}

/// Everything between the command line and the exit code.
async fn run(args: &Args, show: &Show) -> Result<Outcome, Failure> {
    let mut stop = Stop::listen()?;
    let target = Target::from_environment().await?;
    let output = Output::prepare(&args.out)?;
    show.heading(format_args!("DocuMine pipeline, with {}", target.description));
    let ignored = target::ignored_variables();
    if !ignored.is_empty() {
        show.heading(format_args!("({} without effect: DOCUMINE_BASE_URL is not set)", ignored.join(", ")));
    }

    let created = Created::new(args.keep);
    let steps = Steps::new(&target, &output, show, &created);
    let result = tokio::select! {
        result = steps.run(&args.files) => result,
        code = stop.signal() => {
            show.clear();
            show.heading("\nInterrupted: deleting what was created at the service (interrupt again to leave it there) ...");
            Err(Failure::new(code, "interrupted before the end"))
        }
    };

    // However it ended: what was created at the service goes. After a run to the end there is nothing left to do.
    let cleaned = tokio::select! {
        cleaned = created.delete_all() => cleaned.map(drop),
        code = stop.signal() => Err(Failure::new(code, format!("interrupted again; {} still there", created.left()))),
    };
    match (result, cleaned) {
        (Ok(outcome), cleaned) => cleaned.map(|()| outcome),
        (Err(failure), Ok(())) => Err(failure),
        (Err(failure), Err(left)) => {
            print_error(&left);
            Err(failure)
        }
    }
}

/// The last line of stdout, and with `--json` the only one.
fn print_json(outcome: &Outcome) -> Result<(), Failure> {
    let mut line = serde_json::to_string(&outcome.summary)
        .map_err(|error| Failure::new(Code::Other, format!("the summary can't be written as JSON: {error}")))?;
    line.push('\n');
    io::stdout()
        .write_all(line.as_bytes())
        .map_err(|error| Failure::new(Code::Other, format!("the summary can't be written to stdout: {error}")))
}

fn print_error(failure: &Failure) {
    // Without stderr there is still the exit code.
    drop(writeln!(io::stderr(), "error: {failure}"));
}
