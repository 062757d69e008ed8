//! Downloads a result package and reads the rows of its reports.

use documine::package::PackageArchive;
use documine::{DossierFields, DownloadFileType, PackageRequest, Source};
use serde::Deserialize;

/// A row of the sheet `Components`. The fields are titles of columns; other columns are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReportedValue {
    file: String,
    component: String,
    value: String,
    page: Option<u32>,
}

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
    let report = archive.report().await?;
    // Any sheet, cell by cell.
    for row in report.sheets.iter().flat_map(|sheet| &sheet.rows) {
        println!("{}", row.cells.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "));
    }
    // One sheet, as values of a type. The name of the sheet is that of the simulator (inferred).
    let sheet = report.sheet("Components").ok_or("the report has no sheet `Components`")?;
    for row in sheet.records::<ReportedValue>() {
        let ReportedValue { file, component, value, page } = row?;
        println!("{file}, page {page:?}: {component} = {value}");
    }
    archive.close().await?;
    package.delete().await?;
    dossier.delete().permanently(true).await?;
    Ok(())
}
