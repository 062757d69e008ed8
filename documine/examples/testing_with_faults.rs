//! Tests of your own code: against the simulator with faults, and without any socket.
//!
//! In your project this is a `#[tokio::test]`.

use documine::http::{self, StatusCode};
use documine::wait::WaitErrorKind;
use documine::{Client, DossierFields, DossierTemplateHandle, Source, testing};
use documine_sim::{Fault, Simulator};

/// The code under test: uploads a document and returns its total, or the reason why there is none.
async fn read_total(template: &DossierTemplateHandle, name: &str, pdf: &'static [u8]) -> Result<String, String> {
    let dossier = template.create_dossier(DossierFields::named("Test")).await.map_err(|error| error.to_string())?;
    let uploaded = dossier.upload(Source::bytes(name, pdf)).await.map_err(|error| error.to_string())?;
    match uploaded.wait_until_processed().await {
        Ok(file) => {
            let components = file.components().await.map_err(|error| error.to_string())?;
            components.values("TotalAmount").first().cloned().ok_or_else(|| "no total".to_owned())
        }
        Err(error) if error.kind() == WaitErrorKind::Failed => Err("unreadable".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    let client = simulator.client()?;
    let template = client.dossier_template(simulator.dossier_template_id());
    let invoice = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"));

    // The service fails twice: the client repeats the request.
    simulator.faults().add(Fault::on("createOrUpdateDossier").status(429).times(2));
    assert_eq!(read_total(&template, "a.pdf", invoice).await, Ok("1234.50".to_owned()));

    // The analysis of one document fails.
    simulator.control().fail_analysis("b.pdf", "no text found");
    assert_eq!(read_total(&template, "b.pdf", invoice).await, Err("unreadable".to_owned()));

    // Without a socket: a closure answers every request. One that captures state clones it for each request: see `testing::Transport`.
    let client = Client::with_transport(async |request: http::Request<bytes::Bytes>| {
        assert_eq!(request.uri().path(), "/api/license");
        Ok(testing::json(StatusCode::OK, r#"{"name": "Test"}"#))
    })?;
    assert_eq!(client.license().await?.name.as_deref(), Some("Test"));
    println!("all tests passed");
    Ok(())
}
