//! The package: documents that do not get smaller, made here and uploaded, so that a byte in the wrong place shows.

use documine::{Client, Credentials, DossierTemplateId, DownloadFileType, NewDossier, Package, PackageContent, Source};
use documine_sim::Simulator;
use sha2::{Digest, Sha256};

use crate::{Failure, paper};

/// Larger documents are nobody's.
const LARGEST: usize = 100_000_000;

/// Has a package of at least so many bytes made.
pub(crate) async fn make(sim: &Simulator, bytes: usize, random: &mut fastrand::Rng) -> Result<Package, Failure> {
    let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
    let credentials = credentials.client_secret(sim.client_secret());
    let client = Client::builder(sim.base_url()).workspace(sim.workspace_id()).credentials(credentials).build()?;
    let template = client.dossier_template(sim.dossier_template_id().parse::<DossierTemplateId>()?);
    let dossier = template.create_dossier(NewDossier::named("kill-resume")).await?;
    let documents = bytes.div_ceil(LARGEST);
    for number in 0..documents {
        let document = Source::bytes(format!("{number}.pdf"), paper::document(bytes / documents + 1, random)?);
        dossier.upload(document).await?.processed().await?;
    }
    let content = PackageContent::file_types([DownloadFileType::Original]);
    Ok(dossier.create_package(content).await?.wait().await?)
}

/// How many bytes it has, and their checksum: from the service itself, and in one go.
pub(crate) async fn known(package: &Package) -> Result<(u64, String), Failure> {
    let written = package.save_into(Sha256::new()).await?;
    Ok((written.bytes, format!("{:x}", written.writer.finalize())))
}
