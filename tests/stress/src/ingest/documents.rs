//! The documents of a campaign: invoices with numbers of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use documine::Client;
use documine::models::DossierTemplateId;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::invoice::invoice;
use crate::Failure;

/// Every so many documents have the same file name in a folder of their own.
const SAME_NAME: u32 = 25;

/// The documents in a folder.
pub(crate) struct Documents {
    pub(crate) folder: PathBuf,
    pub(crate) count: usize,
}

impl Documents {
    /// Writes the documents.
    pub(crate) fn write(folder: &Path, count: u32) -> Result<Self, Failure> {
        for number in 0..count {
            let name = if number % SAME_NAME == 0 {
                format!("customer-{number:05}/invoice.pdf")
            } else {
                format!("part-{}/{number:05}.pdf", number / 500)
            };
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
            std::fs::write(path, invoice(number))?;
        }
        Ok(Self { folder: folder.to_owned(), count: usize::try_from(count)? })
    }

    /// Checks that the service has each document exactly once.
    pub(crate) async fn check_service(
        &self,
        client: &Client,
        template: &DossierTemplateId,
    ) -> Result<Vec<String>, Failure> {
        let template = client.dossier_template(template);
        let mut numbers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for dossier in template.dossiers().await? {
            let handle = template.dossier(&dossier.id);
            let files = stream::iter(handle.files().await?).map(async |file| {
                let components = handle.file(&file.id).components().await?;
                let number = components.values("InvoiceNumber").join(" ");
                Ok::<_, Failure>((number, file.file_name.unwrap_or_default()))
            });
            let files: Vec<_> = files.buffer_unordered(4).try_collect().await?;
            for (number, name) in files {
                numbers.entry(number).or_default().push(format!("{}/{name}", dossier.name.as_deref().unwrap_or("?")));
            }
        }
        let mut findings = Vec::new();
        let mut expected: Vec<_> = (0..self.count).map(|number| format!("INV-2024-{number:05}")).collect();
        expected.retain(|number| !numbers.contains_key(number));
        if !expected.is_empty() {
            let shown = expected.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            findings.push(format!("{} documents are not at the service: {shown}", expected.len()));
        }
        let twice: Vec<_> = numbers.iter().filter(|(_, names)| names.len() > 1).collect();
        if !twice.is_empty() {
            let shown: Vec<_> = twice.iter().take(5).collect();
            findings.push(format!("{} documents are at the service more than once: {shown:?}", twice.len()));
        }
        let files: usize = numbers.values().map(Vec::len).sum();
        if files != self.count {
            findings.push(format!("the service has {files} files for {} documents", self.count));
        }
        Ok(findings)
    }

    /// Returns what has changed in the folder of the documents.
    pub(crate) fn changes(&self) -> Result<Vec<String>, Failure> {
        let mut files = 0;
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else {
                    files += 1;
                }
            }
        }
        let text = || format!("the folder of the documents has {files} files instead of {}", self.count);
        Ok((files != self.count).then(text).into_iter().collect())
    }
}
