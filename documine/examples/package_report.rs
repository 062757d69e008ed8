//! Downloads a result package and reads the rows of its reports.

use documine::package::PackageArchive;
use documine::{DossierFields, DownloadFileType, PackageRequest, Source};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = documine_sim::connect().await?;
    let dossier = service.template().create_dossier(DossierFields::named("Package example")).await?;
    let source = Source::bytes(
        "invoice.pdf",
        &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"))[..],
    );
    dossier.upload(source).await?.wait_until_processed().await?;

    // The report templates that the dossier has from its template.
    let reports = dossier.get().await?.report_template_ids;
    let request = PackageRequest::file_types([DownloadFileType::Original]).and_reports(reports);
    let package = dossier.create_package(request).await?.wait().await?;

    let folder = tempfile::tempdir()?;
    let saved = package.save_to(folder.path().join("q3.zip")).await?;
    let archive = PackageArchive::open(&saved.path).await?;
    for entry in archive.entries() {
        println!("{} ({} bytes)", entry.name(), entry.size());
    }
    for sheet in &archive.report().await?.sheets {
        for row in &sheet.rows {
            println!("{}", row.cells.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "));
        }
    }
    archive.close().await?;
    package.delete().await?;
    dossier.delete().permanently(true).await?;
    Ok(())
}
