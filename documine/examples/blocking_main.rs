//! Uses the SDK from a program without `async`: a runtime of its own runs each call to its end.

use documine::{DossierFields, Source};
use tokio::runtime::Runtime;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Keep one runtime for the life of the program: connections and token refreshes live on it.
    let runtime = Runtime::new()?;
    let service = runtime.block_on(documine_sim::connect())?;

    let fields = DossierFields::named("Blocking example");
    let dossier = runtime.block_on(service.template().create_dossier(fields).send())?;
    let source = Source::bytes(
        "invoice.pdf",
        &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"))[..],
    );
    let progress = |moved: u64, total: Option<u64>| eprintln!("{moved} of {total:?} bytes");
    let uploaded = runtime.block_on(dossier.upload(source).with_progress(progress).send())?;
    let file = runtime.block_on(uploaded.wait_until_processed().send())?;
    println!("{:?}", runtime.block_on(file.components().send())?.values("InvoiceNumber"));

    runtime.block_on(dossier.delete().permanently(true).send())?;
    // Lets a refresh in progress store its token.
    runtime.block_on(service.client.wait_for_refresh());
    Ok(())
}
