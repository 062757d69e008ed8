//! `cargo run --example metrics`: what a program can draw of its calls: calls, errors, retries and latency per operation.
//!
//! Runs against the embedded simulator, with injected faults. A program of your own hands its numbers to its metrics library in
//! the place of this table.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use documine::{
    Client, Credentials, DossierFields,
    observe::{CallEnded, Observer, Retrying},
};
use documine_sim::{Fault, Simulator};

/// The numbers of one operation.
#[derive(Default, Clone)]
struct Row {
    calls: u64,
    errors: u64,
    retries: u64,
    latencies: Vec<Duration>,
}

/// Counts calls and retries. Clones share the table.
#[derive(Default, Clone)]
struct Table(Arc<Mutex<BTreeMap<&'static str, Row>>>);

impl Table {
    fn row(&self, operation: &'static str, note: impl FnOnce(&mut Row)) {
        note(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default());
    }
}

impl Observer for Table {
    fn retrying(&self, event: &Retrying<'_>) {
        self.row(event.operation, |row| row.retries += 1);
    }

    fn ended(&self, event: &CallEnded<'_>) {
        self.row(event.operation, |row| {
            row.calls += 1;
            row.errors += u64::from(event.outcome.is_err());
            row.latencies.push(event.elapsed);
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::start().await?;
    let table = Table::default();
    let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
    let client = Client::builder(sim.base_url())
        .workspace(sim.workspace_id())
        .credentials(credentials.client_secret(sim.client_secret()))
        .observer(table.clone())
        .build()?;

    sim.faults().add(Fault::on("getLicense").nth(2).times(2).status(503));
    sim.faults().add(Fault::on("getDossiers").nth(3).status(500));
    let template = client.dossier_template(sim.dossier_template_id());
    for name in ["Q1 filings", "Q2 filings", "Q3 filings"] {
        let _ = template.create_dossier(DossierFields::named(name)).await?;
        let _ = client.license().await;
        let _ = template.dossiers().await;
    }

    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<24}{:>6}{:>8}{:>9}{:>10}{:>10}", "operation", "calls", "errors", "retries", "median", "longest")?;
    for (operation, mut row) in table.0.lock().unwrap_or_else(PoisonError::into_inner).clone() {
        row.latencies.sort_unstable();
        let median = row.latencies.get(row.latencies.len() / 2).copied().unwrap_or_default();
        let longest = row.latencies.last().copied().unwrap_or_default();
        let Row { calls, errors, retries, .. } = row;
        writeln!(out, "{operation:<24}{calls:>6}{errors:>8}{retries:>9}{median:>10.1?}{longest:>10.1?}")?;
    }
    Ok(())
}
