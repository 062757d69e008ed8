//! The complaints of users of other services, each as a test: swallowed errors, lost sources, repeated uploads, throttling, damaged journals.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::fs;
use std::path::Path;

use documine_ingest::journal::JournalReader;
use documine_ingest::source::{Finish, Folder};
use documine_ingest::table::Table;
use documine_ingest::{Event, Ingest, Limits, Step, Verdict};
use documine_sim::Fault;
use support::{Memory, Service, invoice};

fn inbox(service: &Service, count: usize) -> std::path::PathBuf {
    let inbox = service.folder.path().join("inbox");
    fs::create_dir_all(&inbox).unwrap();
    for number in 0..count {
        fs::write(inbox.join(format!("{number:04}.pdf")), invoice(number)).unwrap();
    }
    inbox
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn throttled_service_fails_no_document() {
    let service = Service::start().await;
    for operation in ["uploadFile", "listFiles", "getFileComponents"] {
        service.simulator.faults().add(Fault::on(operation).probability(0.3).rate_limited(2));
    }
    let report = service.ingest(Memory::invoices(60)).run().await.unwrap();
    assert_eq!((report.verdict, report.documents.succeeded), (Verdict::All, 60), "{report:?}");
    assert_eq!(service.files().await.len(), 60);
}

#[tokio::test]
async fn unreliable_service_gets_each_document_once() {
    let service = Service::start().await;
    let faults = service.simulator.faults();
    faults.add(Fault::on("*").probability(0.05).unavailable(1));
    faults.add(Fault::on("*").probability(0.03).reset_before_headers());
    faults.add(Fault::on("*").probability(0.03).reset_after_headers());
    let documents = Memory::invoices(60);
    let mut report = service.ingest(documents.clone()).run().await.unwrap();
    for _ in 0..10 {
        if report.verdict == Verdict::All {
            break;
        }
        report = service.ingest(documents.clone()).run().await.unwrap();
    }
    assert_eq!(report.verdict, Verdict::All, "{report:?}");
    faults.clear();
    let files = service.files().await;
    assert_eq!(files.len(), 60);
    for number in 0..60 {
        assert_eq!(files[&format!("{number:04}.pdf")], [format!("INV-2024-{number:05}")]);
    }
}

#[tokio::test]
async fn unavailable_service_stops_the_run_and_fails_only_few_documents() {
    let service = Service::start().await;
    service.simulator.faults().add(Fault::on("uploadFile").unavailable(1));
    let report = service.ingest(Memory::invoices(100)).run().await.unwrap();
    assert_eq!(report.stopped, Some(documine_ingest::StopReason::Unavailable));
    assert!(report.documents.failed < 20 && report.documents.open > 80, "{report:?}");
    service.simulator.faults().clear();
    let report = service.ingest(Memory::invoices(100)).run().await.unwrap();
    assert_eq!((report.verdict, report.documents.total), (Verdict::All, 100), "{report:?}");
}

#[tokio::test]
async fn source_is_moved_only_after_its_values_are_recorded() {
    let service = Service::start().await;
    let inbox = inbox(&service, 3);
    fs::write(inbox.join("bad.pdf"), "not a PDF").unwrap();
    let (done, failed) = (service.folder.path().join("done"), service.folder.path().join("failed"));
    let finish = Finish::MoveTo { done: done.clone(), failed: failed.clone() };
    let journal = service.journal();
    let seen = done.clone();
    let report = service
        .ingest(Folder::new(&inbox).finish_by(finish))
        .on_event(move |event| {
            if let Event::StepFinished { source, step: Step::Wait, .. } = event {
                assert!(Path::new(source).exists() && names(&seen).iter().all(|name| !source.ends_with(name)));
            }
            if let Event::StepFinished { source, step: Step::Source, .. } = event {
                let document = JournalReader::open(&journal).unwrap().document(source).unwrap().unwrap();
                assert!(document.components.is_some());
            }
        })
        .run()
        .await
        .unwrap();
    assert_eq!((report.documents.succeeded, report.documents.failed), (3, 1), "{report:?}");
    assert_eq!(names(&done), ["0000.pdf", "0001.pdf", "0002.pdf"]);
    assert_eq!(names(&failed), ["bad.pdf"]);
    assert!(names(&inbox).is_empty());
}

#[tokio::test]
async fn rows_name_page_and_rule_of_each_value() {
    let service = Service::start().await;
    let table = service.folder.path().join("values.csv");
    service.ingest(Folder::new(inbox(&service, 1))).sink(Table::csv(&table)).run().await.unwrap();
    let mut reader = csv::Reader::from_path(&table).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let number = reader.records().map(Result::unwrap).find(|row| &row[column("component")] == "InvoiceNumber").unwrap();
    assert_eq!((&number[column("value")], &number[column("page")]), ("INV-2024-00000", "1"));
    assert_eq!(&number[column("rule")], "InvoiceNumber.0.0");
    assert!(number[column("source")].ends_with("0000.pdf") && number[column("sha256")].len() == 64);
}

#[tokio::test]
async fn document_that_changes_before_its_upload_is_processed_by_the_next_run() {
    let service = Service::start().await;
    let inbox = inbox(&service, 1);
    let path = inbox.join("0000.pdf");
    let changed = path.clone();
    let report = service
        .ingest(Folder::new(&inbox))
        .on_event(move |event| {
            if matches!(event, Event::StepFinished { step: Step::Hash, .. }) {
                let content = [&invoice(7)[..], b"\n"].concat();
                fs::write(&changed, content).unwrap();
            }
        })
        .run()
        .await
        .unwrap();
    assert_eq!((report.documents.failed, &report.failures[0].failure.reason[..]), (1, "changed"));
    assert_eq!(service.requests("uploadFile"), 0);
    let report = service.ingest(Folder::new(&inbox)).run().await.unwrap();
    assert_eq!(report.verdict, Verdict::All);
    assert_eq!(service.files().await["0000.pdf"], ["INV-2024-00007"]);
}

#[tokio::test]
async fn stalled_analysis_is_told_apart_from_a_slow_one() {
    let service = Service::start().await;
    service.simulator.control().delay_analysis("0001.pdf", std::time::Duration::from_secs(7200));
    let ingest = service.ingest(Memory::invoices(3)).with_stall_timeout(std::time::Duration::from_secs(600));
    let report = ingest.run().await.unwrap();
    assert_eq!((report.documents.succeeded, report.documents.failed), (2, 1));
    let failure = &report.failures[0].failure;
    assert_eq!((failure.step, &failure.reason[..], failure.retryable), (Step::Wait, "stalled", true), "{failure:?}");
    // The next run waits again, and does not upload again.
    let report = service
        .ingest(Memory::invoices(3))
        .with_stall_timeout(std::time::Duration::from_secs(9000))
        .run()
        .await
        .unwrap();
    assert_eq!((report.verdict, report.uploads), (Verdict::All, 0));
}

#[tokio::test]
async fn limits_are_kept() {
    let service = Service::start().await;
    let (open, most) = (std::sync::Arc::new(std::sync::Mutex::new((0_i32, 0_i32))), 2);
    let counter = std::sync::Arc::clone(&open);
    let limits = Limits::default().uploads(2).in_flight(5);
    let report = service
        .ingest(Memory::invoices(20))
        .with_limits(limits)
        .on_event(move |event| {
            let mut open = counter.lock().unwrap();
            match event {
                Event::StepStarted { step: Step::Upload, .. } => open.0 += 1,
                Event::StepFinished { step: Step::Upload, .. } => open.0 -= 1,
                _ => {}
            }
            open.1 = open.1.max(open.0);
        })
        .run()
        .await
        .unwrap();
    assert_eq!(report.verdict, Verdict::All);
    assert_eq!(open.lock().unwrap().1, most);
}

#[tokio::test]
async fn newer_journal_is_refused() {
    let service = Service::start().await;
    service.ingest(Memory::invoices(1)).run().await.unwrap();
    let connection = rusqlite::Connection::open(service.journal()).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    drop(connection);
    let error = service.ingest(Memory::invoices(1)).run().await.unwrap_err();
    assert!(
        error.to_string().contains("schema version 999") && error.to_string().contains("use a newer program"),
        "{error}"
    );
    assert!(JournalReader::open(service.journal()).is_err());
}

#[tokio::test]
async fn journal_of_another_template_is_refused() {
    let service = Service::start().await;
    service.ingest(Memory::invoices(1)).run().await.unwrap();
    let other = Service::start().await;
    let run = Ingest::new(&other.client, other.simulator.dossier_template_id().clone()).source(Memory::invoices(1));
    let error = run.journal(service.journal()).run().await.unwrap_err();
    assert!(
        error.to_string().contains("belongs to") && error.to_string().contains("choose another journal"),
        "{error}"
    );
}

#[tokio::test]
async fn damaged_journal_is_an_error_and_stays_as_it_is() {
    let service = Service::start().await;
    service.ingest(Memory::invoices(50)).run().await.unwrap();
    let mut bytes = fs::read(service.journal()).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[4096..middle] {
        *byte = 0x55;
    }
    fs::write(service.journal(), &bytes).unwrap();
    let error = service.ingest(Memory::invoices(50)).run().await.unwrap_err();
    assert!(error.to_string().contains("restore a copy"), "{error}");
    assert_eq!(service.requests("uploadFile"), 50);
}

#[tokio::test]
async fn steps_are_repeated_after_a_truncated_response() {
    let service = Service::start().await;
    let template = service.client.dossier_template(service.simulator.dossier_template_id());
    let _dossier = template.create_dossier(documine::DossierFields::named("Shared")).await.unwrap();
    // The upload is stored, and its response cannot be read.
    for (operation, times) in [("getDossiers", 1), ("getFiles", 2), ("uploadFile", 1), ("getComponents", 2)] {
        service.simulator.faults().add(Fault::on(operation).truncated_json().times(times));
    }
    service.simulator.faults().add(Fault::on("uploadFile").status(500).times(1));
    let report = service.ingest(Memory::invoices(8)).dossier_name("Shared").run().await.unwrap();
    assert_eq!((report.verdict, report.failures), (Verdict::All, vec![]));
    assert_eq!(service.files().await.len(), 8);
    assert!(service.simulator.faults().hits().values().sum::<u64>() >= 6);
}
