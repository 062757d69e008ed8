//! One client: creates dossiers, uploads, waits, exports, downloads and deletes in a loop, and records the results.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use documine::{
    Client, DossierFields, DossierHandle, DossierTemplateHandle, DownloadFileType, Error, FileHandle, Package,
    PackageRequest, Source, Uploaded, retry::RetryMode, transfer::Saved,
};
use documine_sim::Simulator;

use crate::load::record::{ExpectedState, Records};
use crate::{Failure, pdf_fixture};

/// Deadline of a wait, long enough for many faults.
const WAIT_LIMIT: Duration = Duration::from_secs(60);
/// Number of calls for one package.
const MAX_DOWNLOAD_CALLS: usize = 8;

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
    ) -> Self {
        let template = client.dossier_template(sim.dossier_template_id());
        let random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
        Self { number, random, client, template, folder: folder.to_owned(), records: Arc::clone(records) }
    }

    pub(crate) async fn work(mut self) {
        for round in 0_u64.. {
            if !self.records.has_budget() {
                return;
            }
            // Errors are recorded where they occur; an error ends the round.
            let _ = self.round(round).await;
        }
    }

    fn recorded<T>(&self, result: Result<T, impl Into<Error>>) -> Option<T> {
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
        self.recorded(self.client.license().await);
        self.recorded(self.template.dossiers().await);
        for count in 0..=self.random.usize(..2) {
            self.file(&dossier, &name, count).await;
        }
        self.recorded(dossier.files().await);
        if self.random.bool() {
            let expected = match dossier.delete().await {
                Ok(()) => ExpectedState::Deleted,
                Err(error) => {
                    self.records.error(&error);
                    if error.was_sent() { ExpectedState::MaybeDeleted } else { ExpectedState::Present }
                }
            };
            self.records.dossier(&name, expected);
        }
        Some(())
    }

    /// Creates a dossier. After a failed request that was sent, searches for the dossier before creating it again, as a careful program does.
    async fn dossier(&self, name: &str) -> Option<DossierHandle> {
        loop {
            let error = match self.template.create_dossier(DossierFields::named(name)).await {
                Ok(dossier) => {
                    self.records.dossier(name, ExpectedState::Present);
                    return Some(dossier);
                }
                Err(error) => error,
            };
            self.records.error(&error);
            self.records.dossier(name, ExpectedState::after_error(&error));
            if !error.is_transient() || !self.records.has_budget() {
                return None;
            }
            if error.was_sent() {
                let all = self.recorded(self.template.dossiers().await)?;
                if let Some(found) = all.iter().find(|dossier| dossier.name.as_deref() == Some(name)) {
                    self.records.dossier(name, ExpectedState::Present);
                    return Some(self.template.dossier(&found.id));
                }
            }
        }
    }

    async fn file(&mut self, dossier: &DossierHandle, dossier_name: &str, count: usize) -> Option<()> {
        let name = format!("file {count}.pdf");
        // Large enough for a download to fail in the middle.
        let size = self.random.usize(20_000..60_000);
        let content = pdf_fixture::document(size, &mut self.random).ok()?;
        let uploaded = self.upload(dossier, dossier_name, &name, &content).await?;
        let file = self.recorded(uploaded.wait_until_processed().with_deadline(WAIT_LIMIT).await)?;
        self.components(&file, &name).await;
        self.package(dossier, &content).await;
        if self.random.u8(..4) == 0 {
            let expected = match file.delete().await {
                Ok(()) => ExpectedState::Deleted,
                Err(error) => {
                    self.records.error(&error);
                    if error.was_sent() { ExpectedState::MaybeDeleted } else { ExpectedState::Present }
                }
            };
            self.records.file(dossier_name, &name, expected);
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
                self.records.file(dossier_name, name, ExpectedState::Present);
                Some(uploaded)
            }
            Err(error) => {
                self.records.error(&error);
                self.records.file(dossier_name, name, ExpectedState::after_error(&error));
                None
            }
        }
    }

    async fn components(&self, file: &FileHandle, name: &str) {
        // The service extracts this component from every document.
        if let Some(components) = self.recorded(file.components().await)
            && components.values("FileName") != [name]
        {
            let found = components.values("FileName");
            self.records.finding(format!("the components of file {} have the file name {found:?}", file.id()));
        }
    }

    /// Saves a package in up to several calls; each call resumes the previous one.
    async fn save_resumable(&self, package: &Package, target: &Path) -> Option<Saved> {
        let [part, sidecar] = partial_files(target);
        for _ in 0..MAX_DOWNLOAD_CALLS {
            let left = std::fs::metadata(&part).map_or(0, |about| about.len());
            if let Some(saved) =
                self.recorded(package.save_to(target).resumable(true).with_retry_mode(RetryMode::Never).await)
            {
                self.records.resumed(left, saved.resume_offset);
                return Some(saved);
            }
            if part.exists() != sidecar.exists() {
                self.records.finding(format!(
                    "package {}: only one of {} and its sidecar exists",
                    package.id(),
                    part.display()
                ));
            }
        }
        // A program that gives up a download removes the partial file.
        for left in [part, sidecar] {
            let _ = std::fs::remove_file(left);
        }
        None
    }

    async fn package(&mut self, dossier: &DossierHandle, content: &Bytes) -> Option<()> {
        let wanted = PackageRequest::file_types([DownloadFileType::Original]);
        let operation = self.recorded(dossier.create_package(wanted).await)?;
        let package = self.recorded(operation.wait().with_deadline(WAIT_LIMIT).await)?;
        let target = self.folder.join(format!("{}-{}.zip", self.number, self.random.u32(..)));
        let saved = if self.random.bool() {
            self.recorded(package.save_to(&target).await)?
        } else {
            self.save_resumable(&package, &target).await?
        };
        if let Err(error) = check_archive(&saved.path, content) {
            self.records.finding(format!("package {}: {error}", package.id()));
        }
        // Removing the file fails on some platforms if it is still open.
        if let Err(error) = std::fs::remove_file(&saved.path) {
            self.records.finding(format!("{}: {error}", saved.path.display()));
        }
        self.records.package();
        self.recorded(package.delete().await)
    }
}

/// Returns the partial file and the sidecar of a download.
fn partial_files(target: &Path) -> [PathBuf; 2] {
    [target.with_extension("zip.part"), target.with_extension("zip.part.json")]
}

/// Checks that every entry of the archive can be read and one of them is exactly `content`.
fn check_archive(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path)?)?;
    let mut found = false;
    for index in 0..archive.len() {
        let mut entry = Vec::new();
        archive.by_index(index)?.read_to_end(&mut entry)?;
        found |= entry == content;
    }
    if found { Ok(()) } else { Err("the archive lacks the uploaded file".into()) }
}
