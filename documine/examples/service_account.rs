//! A nightly job: it logs in with an account of its own, shares the login with other processes, and can be repeated at any time.

use std::time::Duration;

use documine::auth::FileStore;
use documine::retry::{RateLimit, RetryPolicy};
use documine::{Client, ClientBuilder, DossierFields, Source};

/// Processes the invoices of one day. A second run for the same day uploads nothing twice.
async fn run(client: &Client, template: &documine::DossierTemplateHandle, day: &str) -> documine::Result<usize> {
    let dossier = template.find_or_create_dossier(DossierFields::named(format!("Invoices {day}"))).await?;
    let sources = [Source::bytes(
        "invoice.pdf",
        &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"))[..],
    )];
    for outcome in dossier.upload_all(sources).skip_existing(true).await? {
        let uploaded = outcome.result?;
        println!("{}: file {}", outcome.file_name, uploaded.id);
    }
    let files = dossier.wait_until_processed().with_deadline(Duration::from_secs(3600)).await?;
    println!("{day}: {} files, {} requests so far", files.len(), client.requests_sent());
    Ok(files.len())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = documine_sim::connect().await?;
    let folder = tempfile::tempdir()?;
    // Every process that opens the same file shares one login; only one of them refreshes it at a time.
    let client = ClientBuilder::from_variables(|name| service.variable(name))?
        .token_store(FileStore::new(folder.path().join("login.json")))
        .retry_policy(RetryPolicy::default().max_attempts(8))
        .rate_limit(RateLimit::adaptive().max_concurrency(8))
        .build()?;
    let template = client.dossier_template(service.template().id().clone());

    let first = run(&client, &template, "2026-11-28").await?;
    let again = run(&client, &template, "2026-11-28").await?;
    assert_eq!(first, again);
    // Before the runtime ends: a rotated refresh token must reach the store.
    client.wait_for_refresh().await;
    Ok(())
}
