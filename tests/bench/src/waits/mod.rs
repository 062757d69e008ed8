//! Cost and delay of waits: waits for many files in simulated time, compared with simple pollers.
//!
//! The SDK runs with its real client over a socket; only the clock is simulated. A response takes no time.

mod delays;
mod pollers;
mod service;
mod time;
mod traces;

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use documine::{
    Client, Clock, Credentials, DossierTemplateId,
    models::{DossierId, FileId},
    wait::Condition,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::jobs::{self, JobError, TEMPLATE, TENANT};
use crate::server;
use delays::Delays;
use pollers::{PollTarget, Poller};
use service::Service;
use time::Time;
use traces::Trace;

/// Simple pollers for the comparison.
const POLLERS: [Poller; 4] =
    [Poller::Fixed(1.0), Poller::Fixed(5.0), Poller::Fixed(30.0), Poller::Doubling { first: 1.0, cap: 60.0 }];

/// Wait for files in simulated time and print a line of JSON for each trace and number of files.
#[derive(Args)]
pub(crate) struct Waits {
    /// Numbers of files
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [10, 1000, 10_000])]
    files: Vec<usize>,
    /// Only this trace
    #[arg(long, value_enum)]
    trace: Option<Trace>,
}

impl Waits {
    pub(crate) fn run(&self) -> Result<(), JobError> {
        for trace in Trace::ALL.into_iter().filter(|trace| self.trace.is_none_or(|only| only == *trace)) {
            for files in self.files.iter().copied() {
                writeln!(std::io::stdout(), "{}", report(trace, files)?)?;
            }
        }
        Ok(())
    }
}

fn report(trace: Trace, files: usize) -> Result<Value, JobError> {
    let times = trace.times(files);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (requests, ours) = runtime.block_on(wait_for(&times))?;
    let line = |name: &str, requests: u64, delays: Delays| json!({ "who": name, "requests": requests, "median_s": delays.median, "p95_s": delays.p95 });
    let mut others = Vec::new();
    for (target, how) in [(PollTarget::List, "list"), (PollTarget::File, "each file")] {
        for poller in POLLERS {
            let (requests, delays) = poller.run(&times, target);
            others.push(line(&format!("{how} {}", poller.name()), requests, delays));
        }
    }
    Ok(json!({
        "trace": trace.name(),
        "files": files,
        "ours": line("ours", requests, ours),
        "others": others,
        // The same number of requests at fixed intervals, to compare the timing alone.
        "even": line("as many, evenly", requests, pollers::fixed_with(requests, &times)),
    }))
}

/// Waits for all files concurrently, each with its own wait.
async fn wait_for(times: &[Duration]) -> Result<(u64, Delays), JobError> {
    let time = Time::new(times.len(), 1);
    let service = Arc::new(Service { times: times.to_vec(), time: time.clone(), requests: AtomicU64::new(0) });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let serving = {
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            server::accept(&listener, move |request| std::future::ready(service.answer(&request))).await
        })
    };
    let going_on = {
        let time = time.clone();
        tokio::spawn(async move { time.advance().await })
    };
    let client = Client::builder(&base_url)
        .workspace(TENANT)
        .credentials(Credentials::access_token(jobs::token()))
        .clock(time.clone())
        .build()?;
    let dossier = client.dossier_template(DossierTemplateId::new(TEMPLATE)?).dossier(DossierId::new("1")?);
    let mut waits = Vec::new();
    for (number, done) in times.iter().copied().enumerate() {
        let (file, time) = (dossier.file(&FileId::new(server::file_id(number))?), time.clone());
        waits.push(tokio::spawn(async move {
            let seen = file.wait_until(Condition::processed()).await;
            let delay = time.monotonic().saturating_sub(done);
            time.leave();
            seen.map(|_| delay.as_secs_f64())
        }));
    }
    let mut delays = Vec::new();
    for wait in waits {
        delays.push(wait.await??);
    }
    serving.abort();
    going_on.abort();
    Ok((service.requests.load(Ordering::Relaxed), Delays::of(delays)))
}
