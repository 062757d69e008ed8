//! One client at work: dossiers, uploads, waits, exports, packages, deletions, over and over, and a note of all that it was told.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use documine::{
    Client, DossierHandle, DossierTemplateHandle, DossierTemplateId, DownloadFileType, Error, FileHandle, NewDossier,
    Package, PackageContent, Retry, Saved, Source, Uploaded,
};
use documine_sim::Simulator;

use crate::crowd::record::{Records, Told};
use crate::{Failure, paper};

/// Nothing here takes longer, even when much goes wrong.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many calls for one package, before it is given up.
const CALLS: usize = 8;

pub(crate) struct Worker {
    number: usize,
    random: fastrand::Rng,
    client: Client,
    template: DossierTemplateHandle,
    folder: PathBuf,
    records: Arc<Records>,
}

impl Worker {
    pub(crate) fn new(
        number: usize,
        seed: u64,
        client: Client,
        sim: &Simulator,
        folder: &Path,
        records: &Arc<Records>,
    ) -> Result<Self, Failure> {
        let template = client.dossier_template(sim.dossier_template_id().parse::<DossierTemplateId>()?);
        let random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
        Ok(Self { number, random, client, template, folder: folder.to_owned(), records: Arc::clone(records) })
    }

    pub(crate) async fn work(mut self) {
        for round in 0_u64.. {
            if !self.records.goes_on() {
                return;
            }
            // An error is noted where it comes up; the round ends with it.
            let _ = self.round(round).await;
        }
    }

    fn noted<T>(&self, result: Result<T, impl Into<Error>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.records.error(&error.into());
                None
            }
        }
    }

    async fn round(&mut self, round: u64) -> Option<()> {
        let name = format!("dossier {}-{round}", self.number);
        let dossier = self.dossier(&name).await?;
        self.noted(self.client.license().await);
        self.noted(self.template.dossiers().await);
        for count in 0..=self.random.usize(..2) {
            self.file(&dossier, &name, count).await;
        }
        self.noted(dossier.files().await);
        if self.random.bool() {
            let told = match dossier.delete().await {
                Ok(()) => Told::Deleted,
                Err(error) => {
                    self.records.error(&error);
                    if error.was_sent() { Told::PerhapsDeleted } else { Told::Made }
                }
            };
            self.records.dossier(&name, told);
        }
        Some(())
    }

    /// A dossier of this name. When nobody knows whether it was made, it is looked for before it is made again: as a careful program does.
    async fn dossier(&self, name: &str) -> Option<DossierHandle> {
        loop {
            let error = match self.template.create_dossier(NewDossier::named(name)).await {
                Ok(dossier) => {
                    self.records.dossier(name, Told::Made);
                    return Some(dossier);
                }
                Err(error) => error,
            };
            self.records.error(&error);
            self.records.dossier(name, Told::by(&error));
            if !error.is_transient() || !self.records.goes_on() {
                return None;
            }
            if error.was_sent() {
                let all = self.noted(self.template.dossiers().await)?;
                if let Some(found) = all.iter().find(|dossier| dossier.name.as_deref() == Some(name)) {
                    self.records.dossier(name, Told::Made);
                    return Some(self.template.dossier(&found.id));
                }
            }
        }
    }

    async fn file(&mut self, dossier: &DossierHandle, dossier_name: &str, count: usize) -> Option<()> {
        let name = format!("file {count}.pdf");
        // Large enough for a package to break off in the middle.
        let size = self.random.usize(20_000..60_000);
        let content = paper::document(size, &mut self.random).ok()?;
        let uploaded = self.upload(dossier, dossier_name, &name, &content).await?;
        let file = self.noted(uploaded.processed().with_deadline(PATIENCE).await)?;
        self.components(&file, &name).await;
        self.package(dossier, &content).await;
        if self.random.u8(..4) == 0 {
            let told = match file.delete().await {
                Ok(()) => Told::Deleted,
                Err(error) => {
                    self.records.error(&error);
                    if error.was_sent() { Told::PerhapsDeleted } else { Told::Made }
                }
            };
            self.records.file(dossier_name, &name, told);
        }
        Some(())
    }

    async fn upload(
        &self,
        dossier: &DossierHandle,
        dossier_name: &str,
        name: &str,
        content: &Bytes,
    ) -> Option<Uploaded> {
        match dossier.upload(Source::bytes(name, content.clone())).await {
            Ok(uploaded) => {
                self.records.file(dossier_name, name, Told::Made);
                Some(uploaded)
            }
            Err(error) => {
                self.records.error(&error);
                self.records.file(dossier_name, name, Told::by(&error));
                None
            }
        }
    }

    async fn components(&self, file: &FileHandle, name: &str) {
        // What the service reads of every document.
        if let Some(components) = self.noted(file.components().await)
            && components.values("FileName") != [name]
        {
            let found = components.values("FileName");
            self.records.wrong(format!("the components of file {} print that its name is {found:?}", file.id()));
        }
    }

    /// Saves a package, in several calls if need be: each goes on with what the one before has left.
    async fn resumed(&self, package: &Package, target: &Path) -> Option<Saved> {
        let [part, beside] = part_of(target);
        for _ in 0..CALLS {
            let left = std::fs::metadata(&part).map_or(0, |about| about.len());
            if let Some(saved) = self.noted(package.save_to(target).resumable().with_retry(Retry::Never).await) {
                self.records.resumed(left, saved.resumed_at);
                return Some(saved);
            }
            if part.exists() != beside.exists() {
                self.records.wrong(format!(
                    "package {}: one of {} and its sidecar is there alone",
                    package.id(),
                    part.display()
                ));
            }
        }
        // Given up: whoever gives up a part removes it.
        for left in [part, beside] {
            let _ = std::fs::remove_file(left);
        }
        None
    }

    async fn package(&mut self, dossier: &DossierHandle, content: &Bytes) -> Option<()> {
        let wanted = PackageContent::file_types([DownloadFileType::Original]);
        let operation = self.noted(dossier.create_package(wanted).await)?;
        let package = self.noted(operation.wait().with_deadline(PATIENCE).await)?;
        let target = self.folder.join(format!("{}-{}.zip", self.number, self.random.u32(..)));
        let saved = if self.random.bool() {
            self.noted(package.save_to(&target).await)?
        } else {
            self.resumed(&package, &target).await?
        };
        if let Err(why) = holds(&saved.path, content) {
            self.records.wrong(format!("package {}: {why}", package.id()));
        }
        // A file that is no more wanted; that it can be removed shows that nobody holds it.
        if let Err(error) = std::fs::remove_file(&saved.path) {
            self.records.wrong(format!("{}: {error}", saved.path.display()));
        }
        self.records.package();
        self.noted(package.delete().await)
    }
}

/// What a call may leave beside the file.
fn part_of(target: &Path) -> [PathBuf; 2] {
    [target.with_extension("zip.part"), target.with_extension("zip.part.json")]
}

/// Whether every entry of the archive can be read, and one of them is exactly `content`.
fn holds(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path)?)?;
    let mut found = false;
    for index in 0..archive.len() {
        let mut entry = Vec::new();
        archive.by_index(index)?.read_to_end(&mut entry)?;
        found |= entry == content;
    }
    if found { Ok(()) } else { Err("the file that was uploaded is not in it, byte for byte".into()) }
}
