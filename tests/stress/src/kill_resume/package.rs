//! The package: incompressible documents that are generated and uploaded, so that every misplaced byte changes the checksum.

use documine::{Client, Credentials, DossierFields, DownloadFileType, Package, PackageRequest, Source};
use documine_sim::Simulator;
use sha2::{Digest, Sha256};

use crate::{Failure, pdf_fixture};

/// Largest document, in bytes.
const MAX_DOCUMENT_SIZE: usize = 100_000_000;

/// Creates a package of at least this many bytes.
pub(crate) async fn create(sim: &Simulator, bytes: usize, random: &mut fastrand::Rng) -> Result<Package, Failure> {
    let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
    let credentials = credentials.client_secret(sim.client_secret());
    let client = Client::builder(sim.base_url()).workspace(sim.workspace_id()).credentials(credentials).build()?;
    let template = client.dossier_template(sim.dossier_template_id());
    let dossier = template.create_dossier(DossierFields::named("kill-resume")).await?;
    let documents = bytes.div_ceil(MAX_DOCUMENT_SIZE);
    for number in 0..documents {
        let document = Source::bytes(format!("{number}.pdf"), pdf_fixture::document(bytes / documents + 1, random)?);
        dossier.upload(document).await?.wait_until_processed().await?;
    }
    let content = PackageRequest::file_types([DownloadFileType::Original]);
    Ok(dossier.create_package(content).await?.wait().await?)
}

/// Downloads the package in one request and returns size and checksum.
pub(crate) async fn size_and_checksum(package: &Package) -> Result<(u64, String), Failure> {
    let written = package.save_into(Sha256::new()).await?;
    Ok((written.bytes, format!("{:x}", written.writer.finalize())))
}
