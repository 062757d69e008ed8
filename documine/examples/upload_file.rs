//! Uploads one file, waits for its analysis and prints its components.
//!
//! ```text
//! cargo run --example upload_file                 an invoice of the samples
//! cargo run --example upload_file -- report.pdf   your own file
//! ```

use documine::{DossierFields, Source};

const SAMPLE: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"));

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The service of the DOCUMINE_* variables, or the simulator. `Client::from_env()?` is the first line of a program without a simulator.
    let service = documine_sim::connect().await?;
    let source = match std::env::args_os().nth(1) {
        Some(path) => Source::path(path),
        None => Source::bytes("invoice.pdf", SAMPLE),
    };

    let dossier = service.template().create_dossier(DossierFields::named("Upload example")).await?;
    let file = dossier.upload(source).await?.wait_until_processed().await?;
    let components = file.components().await?;
    for name in components.names() {
        println!("{name}: {}", components.values(name).join(", "));
    }
    dossier.delete().permanently(true).await?;
    Ok(())
}
