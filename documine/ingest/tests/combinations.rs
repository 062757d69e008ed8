//! Options together: shared uploads, several sources, moved files, outputs of two journals, failed listings.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use documine::BoxFuture;
use documine_ingest::journal::JournalReader;
use documine_ingest::source::{Content, DocumentSource, Finish, Folder};
use documine_ingest::table::Table;
use documine_ingest::{
    BoxError, DocumentRecord, DocumentSink, Event, ListedDocument, Outputs, Result, Step, StopReason, Verdict,
};
use documine_sim::Fault;
use futures_util::stream::{self, BoxStream, StreamExt};
use support::{Memory, Service, invoice};

fn folder(service: &Service, name: &str, files: &[(&str, usize)]) -> PathBuf {
    let folder = service.folder.path().join(name);
    fs::create_dir_all(&folder).unwrap();
    for (name, number) in files {
        fs::write(folder.join(name), invoice(*number)).unwrap();
    }
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The invoice numbers of the journal by document.
fn numbers(service: &Service) -> BTreeMap<String, String> {
    let journal = JournalReader::open(service.journal()).unwrap();
    let documents = journal.documents().map(std::result::Result::unwrap);
    let number = |document: &DocumentRecord| {
        document.components.as_ref().map_or(String::new(), |components| components.values("InvoiceNumber").join("; "))
    };
    documents.map(|document| (document.source.clone(), number(&document))).collect()
}

#[derive(Clone, Default)]
struct Delivered(Arc<Mutex<Vec<String>>>);

impl DocumentSink for Delivered {
    fn deliver<'a>(
        &'a self,
        _key: &'a str,
        document: &'a DocumentRecord,
    ) -> BoxFuture<'a, std::result::Result<(), BoxError>> {
        self.0.lock().unwrap().push(document.source.clone());
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn documents_that_shared_an_upload_change_on_their_own() {
    let service = Service::start().await;
    let documents = Memory::default();
    documents.set("a.pdf", invoice(1));
    documents.set("b.pdf", invoice(1));
    documents.set("c.pdf", invoice(1));
    service.ingest(documents.clone()).share_uploads(true).run().await.unwrap();
    documents.set("a.pdf", invoice(2));
    documents.set("b.pdf", invoice(3));
    let report = service.ingest(documents.clone()).share_uploads(true).run().await.unwrap();
    assert_eq!((report.verdict, report.documents.skipped), (Verdict::All, 1), "{report:?}");
    let expected = [("a.pdf", "INV-2024-00002"), ("b.pdf", "INV-2024-00003"), ("c.pdf", "INV-2024-00001")];
    let expected = expected.map(|(name, number)| (name.to_owned(), number.to_owned()));
    assert_eq!(numbers(&service), BTreeMap::from(expected));
    // Touched copies are not uploaded.
    documents.set("c.pdf", invoice(1));
    let report = service.ingest(documents).share_uploads(true).run().await.unwrap();
    assert_eq!((report.documents.skipped, report.uploads), (3, 0), "{report:?}");
}

#[tokio::test]
async fn documents_that_share_an_upload_are_delivered_and_moved() {
    let service = Service::start().await;
    let inbox = folder(&service, "inbox", &[("a.pdf", 1), ("b.pdf", 1)]);
    let (done, failed) = (service.folder.path().join("done"), service.folder.path().join("failed"));
    let delivered = Delivered::default();
    let source = Folder::new(&inbox).finish_by(Finish::move_to(&done, &failed));
    let report = service.ingest(source).share_uploads(true).deliver_to(delivered.clone()).run().await.unwrap();
    assert_eq!((report.documents.succeeded, report.uploads), (2, 1), "{report:?}");
    assert_eq!(names(&done), ["a.pdf", "b.pdf"]);
    assert_eq!(delivered.0.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn each_source_finishes_its_own_documents() {
    let service = Service::start().await;
    let first = folder(&service, "first", &[("a.pdf", 1)]);
    let second = folder(&service, "second", &[("b.pdf", 2)]);
    let kept = folder(&service, "kept", &[("c.pdf", 3)]);
    let (done, failed) = (service.folder.path().join("done"), service.folder.path().join("failed"));
    let report = service
        .ingest(Folder::new(&first).finish_by(Finish::move_to(&done, &failed)))
        .source(Folder::new(&second).finish_by(Finish::Delete))
        .source(Folder::new(&kept))
        .run()
        .await
        .unwrap();
    assert_eq!((report.verdict, report.documents.succeeded), (Verdict::All, 3), "{report:?}");
    assert_eq!((names(&done), names(&first), names(&second)), (vec!["a.pdf".to_owned()], Vec::new(), Vec::new()));
    assert_eq!(names(&kept), ["c.pdf"]);
}

#[cfg(unix)]
#[tokio::test]
async fn file_is_not_lost_if_its_folder_is_that_of_processed_documents() {
    let service = Service::start().await;
    let inbox = folder(&service, "inbox", &[("a.pdf", 1)]);
    let done = service.folder.path().join("done");
    std::os::unix::fs::symlink(&inbox, &done).unwrap();
    let source = Folder::new(&inbox).finish_by(Finish::move_to(&done, service.folder.path().join("failed")));
    let report = service.ingest(source).run().await;
    assert_eq!(names(&inbox), ["a.pdf"], "{report:?}");
}

#[tokio::test]
async fn document_that_arrives_again_is_moved_again() {
    let service = Service::start().await;
    let inbox = folder(&service, "inbox", &[("a.pdf", 1)]);
    let (done, failed) = (service.folder.path().join("done"), service.folder.path().join("failed"));
    let source = || Folder::new(&inbox).finish_by(Finish::move_to(&done, &failed));
    service.ingest(source()).run().await.unwrap();
    fs::write(inbox.join("a.pdf"), invoice(1)).unwrap();
    let report = service.ingest(source()).run().await.unwrap();
    assert_eq!((report.verdict, report.uploads), (Verdict::All, 0), "{report:?}");
    assert!(names(&inbox).is_empty());
}

#[tokio::test]
async fn file_of_another_is_kept_although_the_document_changed_before_its_upload() {
    let service = Service::start().await;
    let template = service.client.dossier_template(service.simulator.dossier_template_id());
    let dossier = template.create_dossier(documine::DossierFields::named("Shared")).await.unwrap();
    let _ = dossier.upload(documine::Source::bytes("0001.pdf", invoice(500))).await.unwrap();
    let documents = Memory::invoices(2);
    let report = service.ingest(documents.clone()).dossier_name("Shared").max_pages(1).run().await.unwrap();
    assert_eq!((report.uploads, report.documents.open), (1, 1), "{report:?}");
    documents.set("0001.pdf", invoice(1));
    service.ingest(documents).dossier_name("Shared").run().await.unwrap();
    let files = service.files().await;
    assert_eq!((&files["0001.pdf"][0][..], &files["0001 (2).pdf"][0][..]), ("INV-2024-00500", "INV-2024-00001"));
}

#[tokio::test]
async fn given_dossier_gets_each_name_once_although_folders_are_separated() {
    let service = Service::start().await;
    let template = service.client.dossier_template(service.simulator.dossier_template_id());
    let dossier = template.create_dossier(documine::DossierFields::named("Given")).await.unwrap();
    let documents = Memory::default();
    documents.set("x/report.pdf", invoice(1));
    documents.set("y/report.pdf", invoice(2));
    let run = documine_ingest::Ingest::new(&service.client, &dossier).source(documents).journal(service.journal());
    let report = run.dossier_per_folder(true).with_clock(service.simulator.clock()).run().await.unwrap();
    assert_eq!(report.documents.succeeded, 2);
    assert_eq!(service.files().await.len(), 2);
}

#[tokio::test]
async fn dossiers_of_folders_have_names_of_their_own() {
    let service = Service::start().await;
    let documents = Memory::default();
    for (index, name) in ["in/a.pdf", "in/b.pdf", "in 2/a.pdf"].into_iter().enumerate() {
        documents.set(name, invoice(index));
    }
    let ingest = service.ingest(documents).dossier_name("N").dossier_per_folder(true).max_files_per_dossier(1);
    assert_eq!(ingest.run().await.unwrap().documents.succeeded, 3);
    let template = service.client.dossier_template(service.simulator.dossier_template_id());
    assert_eq!(template.dossiers().await.unwrap().len(), 3);
}

#[tokio::test]
async fn upload_without_a_response_is_searched_by_the_next_run() {
    let service = Service::start().await;
    // The service stores the files, but neither the response nor the search succeeds.
    let faults = service.simulator.faults();
    faults.add(Fault::on("uploadFile").reset_before_headers());
    faults.add(Fault::on("getFiles").unavailable(1));
    faults.add(Fault::on("listFiles").unavailable(1));
    let documents = Memory::invoices(3);
    let report = service.ingest(documents.clone()).run().await.unwrap();
    assert_ne!(report.verdict, Verdict::All);
    faults.clear();
    assert_eq!(
        service.files().await.len(),
        3,
        "{report:?} {:?}",
        service.simulator.requests().iter().map(|r| r.operation.clone()).collect::<Vec<_>>()
    );
    service.simulator.clear_requests();
    let report = service.ingest(documents).run().await.unwrap();
    assert_eq!(report.verdict, Verdict::All, "{report:?}");
    assert_eq!((service.requests("uploadFile"), service.files().await.len()), (0, 3));
}

#[tokio::test]
async fn document_that_was_touched_after_a_failure_is_processed() {
    let service = Service::start().await;
    let inbox = folder(&service, "inbox", &[("a.pdf", 1)]);
    service.simulator.faults().add(Fault::on("uploadFile").unavailable(1));
    let report = service.ingest(Folder::new(&inbox)).run().await.unwrap();
    assert_eq!(report.documents.failed, 1);
    service.simulator.faults().clear();
    fs::write(inbox.join("a.pdf"), invoice(1)).unwrap();
    let report = service.ingest(Folder::new(&inbox)).run().await.unwrap();
    assert_eq!(report.verdict, Verdict::All, "{report:?}");
}

#[tokio::test]
async fn rows_stay_while_unchanged_documents_wait_for_their_hash() {
    let service = Service::start().await;
    let table = service.folder.path().join("values.csv");
    let documents = Memory::invoices(10);
    service.ingest(documents.clone()).sink(Table::csv(&table)).run().await.unwrap();
    let before = fs::read(&table).unwrap();
    for number in 0..10 {
        documents.set(&format!("{number:04}.pdf"), invoice(number));
    }
    let stop = service.ingest(documents.clone()).sink(Table::csv(&table)).stop_on(std::future::ready(()));
    let report = stop.run().await.unwrap();
    assert_eq!(report.stopped, Some(StopReason::Requested));
    assert_eq!(fs::read(&table).unwrap(), before);
    let report = service.ingest(documents).run().await.unwrap();
    assert_eq!((report.documents.skipped, report.uploads), (10, 0), "{report:?}");
}

#[tokio::test]
async fn output_that_another_journal_replaced_is_written_again() {
    let (first, second) = (Service::start().await, Service::start().await);
    let table = first.folder.path().join("values.csv");
    let run = |service: &Service, number| {
        let documents = Memory::default();
        documents.set("a.pdf", invoice(number));
        service.ingest(documents).sink(Table::csv(&table))
    };
    run(&first, 1).run().await.unwrap();
    run(&second, 2).run().await.unwrap();
    run(&first, 1).run().await.unwrap();
    assert!(fs::read_to_string(&table).unwrap().contains("INV-2024-00001"));
}

#[tokio::test]
async fn outputs_do_not_replace_each_other_or_the_journal() {
    let service = Service::start().await;
    let values = service.folder.path().join("values.jsonl");
    for outputs in [
        Outputs::new().table(Table::jsonl(&values)).failed_list(&values),
        Outputs::new().failed_list(service.journal()),
        Outputs::new().report(&values).failed_list(&values),
    ] {
        let error = service.ingest(Memory::invoices(1)).outputs(outputs).run().await.unwrap_err();
        assert!(error.to_string().contains("; choose another"), "{error}");
    }
    assert_eq!(service.requests("uploadFile"), 0);
}

#[tokio::test]
async fn run_report_contains_the_end_of_its_run() {
    let service = Service::start().await;
    let page = service.folder.path().join("report.html");
    service.ingest(Memory::invoices(1)).outputs(Outputs::new().report(&page)).run().await.unwrap();
    let page = fs::read_to_string(page).unwrap();
    assert!(!page.contains("not ended"), "the run of the report has not ended");
}

/// A source that lists one document, then fails or never ends.
struct Broken {
    documents: Memory,
    fails: bool,
}

impl DocumentSource for Broken {
    fn list(&self) -> BoxStream<'_, Result<ListedDocument>> {
        let rest = if self.fails {
            let missing = Folder::new("no such folder");
            let error = async move { missing.list().next().await.unwrap() };
            stream::once(error).boxed()
        } else {
            stream::pending().boxed()
        };
        self.documents.list().chain(rest).boxed()
    }

    fn content(&self, location: &str) -> Option<Content> {
        self.documents.content(location)
    }
}

#[tokio::test]
async fn failed_listing_leaves_no_documents_behind() {
    let service = Service::start().await;
    let private = Broken { documents: Memory::invoices(1200), fails: true };
    service.ingest(private).run().await.unwrap_err();
    let documents = Memory::default();
    documents.set("wanted.pdf", invoice(7));
    let report = service.ingest(documents).run().await.unwrap();
    assert_eq!((report.documents.total, service.files().await.len()), (1, 1), "{report:?}");
}

#[tokio::test]
async fn stop_ends_a_listing_that_has_no_end() {
    let service = Service::start().await;
    let source = Broken { documents: Memory::invoices(1), fails: false };
    let report = service.ingest(source).stop_on(std::future::ready(())).run().await.unwrap();
    assert_eq!((report.stopped, report.uploads), (Some(StopReason::Requested), 0));
}

#[tokio::test]
async fn interrupted_delivery_is_repeated_and_is_no_failure() {
    let service = Service::start().await;
    let delivered = Delivered::default();
    let (signal, stopped) = tokio::sync::oneshot::channel();
    let signal = Mutex::new(Some(signal));
    let run = service.ingest(Memory::invoices(5)).deliver_to(delivered.clone()).stop_on(async {
        drop(stopped.await);
    });
    let report = run
        .on_event(move |event| {
            if matches!(event, Event::StepFinished { step: Step::Wait, .. }) {
                let _ = signal.lock().unwrap().take().map(|signal| signal.send(()));
            }
        })
        .run()
        .await
        .unwrap();
    assert_eq!(report.documents.failed, 0, "{report:?}");
    let report = service.ingest(Memory::invoices(5)).deliver_to(delivered.clone()).run().await.unwrap();
    assert_eq!(report.verdict, Verdict::All);
    let mut sources = delivered.0.lock().unwrap().clone();
    sources.sort();
    sources.dedup();
    assert_eq!(sources.len(), 5);
}
