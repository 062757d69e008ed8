//! Writes the components of all PDFs of a folder to a table: one row per document, one column per component.
//!
//! Running it again uploads only what the dossier does not contain yet.
//!
//! ```text
//! cargo run --example folder_to_csv -- FOLDER TABLE.csv
//! ```

use std::collections::BTreeSet;
use std::path::PathBuf;

use documine::wait::WaitErrorKind;
use documine::{Components, DossierFields};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = documine_sim::connect().await?;
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples").into());
    let table = arguments.next().map_or_else(|| std::env::temp_dir().join("documine.csv"), PathBuf::from);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pdf")));

    let dossier = service.template().find_or_create_dossier(DossierFields::named("Folder example")).await?;
    for outcome in dossier.upload_all(paths).skip_existing(true).await? {
        if let Err(error) = outcome.result {
            eprintln!("{}: {error}", outcome.file_name);
        }
    }
    match dossier.wait_until_processed().await {
        // The other files are processed.
        Err(error) if error.kind() == WaitErrorKind::Failed => eprintln!("{error}"),
        waited => drop(waited?),
    }

    let documents = dossier.components().await?;
    let columns: BTreeSet<&str> = documents.iter().flat_map(Components::names).collect();
    let mut csv = csv::Writer::from_path(&table)?;
    csv.write_record(std::iter::once("file").chain(columns.iter().copied()))?;
    for components in &documents {
        let values = columns.iter().map(|column| components.values(column).join("; "));
        csv.write_record(std::iter::once(components.file_name().unwrap_or_default().to_owned()).chain(values))?;
    }
    csv.flush()?;
    println!("{} documents in {}", documents.len(), table.display());
    Ok(())
}
