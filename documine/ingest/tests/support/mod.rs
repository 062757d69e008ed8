//! A simulator on a clock that does not wait, invoices with numbers of their own, and a source in memory.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use documine::Client;
use documine_ingest::source::{Content, DocumentSource};
use documine_ingest::{Ingest, ListedDocument, Result};
use documine_sim::{SimClock, Simulator};
use futures_util::stream::{self, BoxStream, StreamExt};

pub(crate) struct Service {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
    pub(crate) folder: tempfile::TempDir,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let simulator = Simulator::builder().clock(SimClock::auto()).start().await.unwrap();
        let client = simulator.client().unwrap();
        Self { simulator, client, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.path().join("run.sqlite")
    }

    /// A run with the journal of this service.
    pub(crate) fn ingest(&self, source: impl DocumentSource) -> Ingest {
        Ingest::new(&self.client, self.simulator.dossier_template_id().clone())
            .source(source)
            .journal(self.journal())
            .with_clock(self.simulator.clock())
    }

    /// The names of all files at the service with the numbers of their invoices.
    pub(crate) async fn files(&self) -> BTreeMap<String, Vec<String>> {
        let template = self.client.dossier_template(self.simulator.dossier_template_id());
        let mut files = BTreeMap::new();
        for dossier in template.dossiers().await.unwrap() {
            let dossier = template.dossier(&dossier.id);
            for file in dossier.files().await.unwrap() {
                let components = dossier.file(&file.id).components().await.unwrap();
                let numbers = components.values("InvoiceNumber").to_vec();
                let name = file.file_name.unwrap();
                assert!(files.insert(name.clone(), numbers).is_none(), "{name} is twice at the service");
            }
        }
        files
    }

    pub(crate) fn requests(&self, operation: &str) -> usize {
        let requests = self.simulator.requests();
        requests.iter().filter(|request| request.operation.as_deref() == Some(operation)).count()
    }
}

/// An invoice whose number ends with `number`.
pub(crate) fn invoice(number: usize) -> Bytes {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/samples/invoice.pdf");
    let mut pdf = std::fs::read(path).unwrap();
    let (old, new) = (b"INV-2024-00318", format!("INV-2024-{number:05}"));
    let mut replaced = 0;
    for begin in 0..pdf.len() - old.len() {
        if pdf[begin..].starts_with(old) {
            pdf[begin..begin + old.len()].copy_from_slice(new.as_bytes());
            replaced += 1;
        }
    }
    assert!(replaced > 0);
    pdf.into()
}

/// Documents in memory, which tests change between runs.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<BTreeMap<String, (Bytes, u64)>>>);

impl Memory {
    /// Invoices `0000.pdf`, `0001.pdf`, …
    pub(crate) fn invoices(count: usize) -> Self {
        let memory = Self::default();
        for number in 0..count {
            memory.set(&format!("{number:04}.pdf"), invoice(number));
        }
        memory
    }

    pub(crate) fn set(&self, name: &str, content: Bytes) {
        let mut documents = self.0.lock().unwrap();
        let version = documents.get(name).map_or(1, |(_, version)| version + 1);
        documents.insert(name.to_owned(), (content, version));
    }
}

impl DocumentSource for Memory {
    fn list(&self) -> BoxStream<'_, Result<ListedDocument>> {
        let documents = self.0.lock().unwrap().clone();
        let listed = documents.into_iter().map(|(name, (content, version))| {
            let file_name = name.rsplit('/').next().unwrap().to_owned();
            Ok(ListedDocument::new(name.clone(), format!("memory:{name}"), file_name)
                .size(content.len() as u64)
                .version(version.to_string()))
        });
        stream::iter(listed.collect::<Vec<_>>()).boxed()
    }

    fn content(&self, location: &str) -> Option<Content> {
        let documents = self.0.lock().unwrap();
        documents.get(location.strip_prefix("memory:")?).map(|(content, _)| Content::Bytes(content.clone()))
    }
}
