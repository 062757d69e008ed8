//! Saves a package of every dossier of a template, four at a time. Ctrl-C stops the program, and the next run continues.
//!
//! ```text
//! cargo run --example archive_packages -- FOLDER
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use documine::models::DossierId;
use documine::wait::PackageJobRef;
use documine::{Client, DossierFields, DossierHandle, DownloadFileType, ErrorKind, PackageRequest, Source};
use futures_util::{FutureExt, StreamExt, stream};

type BoxError = Box<dyn std::error::Error>;

/// The packages that are started and not yet saved, in a file for the next run.
struct Jobs {
    file: PathBuf,
    references: Mutex<BTreeMap<DossierId, PackageJobRef>>,
}

impl Jobs {
    fn read(file: PathBuf) -> Result<Self, BoxError> {
        let references = if file.exists() { serde_json::from_slice(&std::fs::read(&file)?)? } else { BTreeMap::new() };
        Ok(Self { file, references: Mutex::new(references) })
    }

    fn get(&self, id: &DossierId) -> Option<PackageJobRef> {
        self.references.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn set(&self, id: &DossierId, reference: Option<PackageJobRef>) -> Result<(), BoxError> {
        let mut references = self.references.lock().unwrap_or_else(PoisonError::into_inner);
        references.remove(id);
        references.extend(reference.map(|reference| (id.clone(), reference)));
        let new = self.file.with_extension("new");
        std::fs::write(&new, serde_json::to_vec_pretty(&*references)?)?;
        Ok(std::fs::rename(new, &self.file)?)
    }
}

/// Saves the package of a dossier. Continues with a package that an earlier run started.
async fn save(
    client: &Client,
    dossier: DossierHandle,
    target: PathBuf,
    jobs: &Jobs,
    stop: impl Future<Output = ()>,
) -> Result<(), BoxError> {
    let job = if let Some(reference) = jobs.get(dossier.id()) {
        client.resume(&reference)?
    } else {
        // Ctrl-C does not interrupt these lines, so that the next run knows the package.
        let job = dossier.create_package(PackageRequest::file_types([DownloadFileType::Original])).await?;
        jobs.set(dossier.id(), Some(job.to_ref()))?;
        job
    };
    let saved = tokio::select! {
        saved = async { job.wait().await?.save_to(&target).resumable(true).await } => saved,
        // Drops the wait or the download, whose bytes stay in `ID.zip.part`.
        () = stop => return Err("stopped".into()),
    };
    match saved {
        Err(error) if !error.is_not_found() && error.kind() != ErrorKind::Operation => Err(error.into()),
        // The package is saved, or it failed or expired, and the next run creates another one.
        saved => {
            jobs.set(dossier.id(), None)?;
            println!("{}: {} bytes", target.display(), saved?.bytes);
            Ok(job.cancel().await?)
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let service = documine_sim::connect().await?;
    let template = service.template();
    if service.simulator().is_some() {
        // The simulator starts without dossiers.
        for name in ["Q1", "Q2", "Q3"] {
            let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf");
            let dossier = template.create_dossier(DossierFields::named(name)).await?;
            dossier.upload(Source::path(sample)).await?.wait_until_processed().await?;
        }
    }
    let folder = std::env::args_os().nth(1).map_or_else(|| "archive".into(), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let (jobs, stop) = (Jobs::read(folder.join("jobs.json"))?, tokio::signal::ctrl_c().map(drop).shared());

    let dossiers = template.dossiers().await?.into_iter().map(|dossier| template.dossier(dossier.id));
    let name = |id: &DossierId| id.as_str().replace(|character: char| !character.is_ascii_alphanumeric(), "-");
    let targets: Vec<_> = dossiers.map(|dossier| (folder.join(name(dossier.id()) + ".zip"), dossier)).collect();
    stream::iter(targets.iter().filter(|(target, _)| !target.exists()).cloned())
        .take_until(stop.clone())
        .map(|(target, dossier)| save(&service.client, dossier, target, &jobs, stop.clone()))
        .buffer_unordered(4)
        .for_each(async |result| result.unwrap_or_else(|error| eprintln!("{error:#}")))
        .await;
    match targets.iter().filter(|(target, _)| !target.exists()).count() {
        0 => println!("{} dossiers are archived", targets.len()),
        missing => return Err(format!("{missing} of {} dossiers are missing; run it again", targets.len()).into()),
    }
    Ok(())
}
