//! Downloads a package so that an interrupted download continues in the next run.

use documine::wait::PackageJobRef;
use documine::{DossierFields, DownloadFileType, PackageRequest, Source};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = documine_sim::connect().await?;
    let dossier = service.template().create_dossier(DossierFields::named("Download example")).await?;
    let source = Source::bytes(
        "scan.pdf",
        &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/scan.pdf"))[..],
    );
    dossier.upload(source).await?.wait_until_processed().await?;
    let job = dossier.create_package(PackageRequest::file_types([DownloadFileType::Original])).await?;

    // The reference contains no secret. Another process continues with it, also with another login.
    let folder = tempfile::tempdir()?;
    let note = folder.path().join("package.json");
    std::fs::write(&note, serde_json::to_string(&job.to_ref())?)?;

    let reference: PackageJobRef = serde_json::from_str(&std::fs::read_to_string(&note)?)?;
    let package = service.client.resume(&reference)?.wait().await?;
    // `package.zip.part` keeps what has arrived until the package is complete.
    let saved = package.save_to(folder.path().join("package.zip")).resumable(true).await?;
    println!("{} bytes, {} of them from an earlier run", saved.bytes, saved.resume_offset);

    package.delete().await?;
    dossier.delete().permanently(true).await?;
    Ok(())
}
