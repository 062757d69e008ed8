//! Runs at the simulator: values, repetition, changes, failures, interruption.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use documine_ingest::journal::JournalReader;
use documine_ingest::table::Table;
use documine_ingest::{DocumentState, Event, Outputs, StopReason, Verdict, export};
use documine_sim::Fault;
use futures_util::StreamExt;
use support::{Memory, Service, invoice};

#[tokio::test]
async fn records_the_values_of_every_document() {
    let service = Service::start().await;
    let report = service.ingest(Memory::invoices(30)).run().await.unwrap();
    assert_eq!((report.verdict, report.documents.total, report.documents.succeeded), (Verdict::All, 30, 30));
    assert_eq!((report.uploads, report.pages), (30, 30));

    let journal = JournalReader::open(service.journal()).unwrap();
    for (number, document) in journal.documents().enumerate() {
        let document = document.unwrap();
        assert_eq!((document.source, document.state), (format!("{number:04}.pdf"), DocumentState::Succeeded));
        let components = document.components.unwrap();
        assert_eq!(components.values("InvoiceNumber"), [format!("INV-2024-{number:05}")]);
        assert_eq!(components.get("InvoiceNumber").unwrap().get(0).unwrap().page(), Some(1));
    }
    assert_eq!(service.files().await.len(), 30);
}

#[tokio::test]
async fn second_run_uploads_nothing() {
    let service = Service::start().await;
    let documents = Memory::invoices(5);
    service.ingest(documents.clone()).run().await.unwrap();
    service.simulator.clear_requests();
    let report = service.ingest(documents).run().await.unwrap();
    assert_eq!((report.verdict, report.documents.skipped, report.uploads), (Verdict::All, 5, 0));
    assert_eq!((service.requests("uploadFile"), service.requests("listFiles")), (0, 0));
}

#[tokio::test]
async fn new_documents_are_processed_beside_those_of_an_earlier_run() {
    let service = Service::start().await;
    let documents = Memory::invoices(3);
    service.ingest(documents.clone()).run().await.unwrap();
    documents.set("new.pdf", invoice(99));
    let report = service.ingest(documents).run().await.unwrap();
    assert_eq!((report.documents.total, report.documents.succeeded, report.documents.skipped), (4, 1, 3));
    assert_eq!(service.files().await["new.pdf"], ["INV-2024-00099"]);
}

#[tokio::test]
async fn changed_document_replaces_its_file_and_its_values() {
    let service = Service::start().await;
    let documents = Memory::invoices(3);
    service.ingest(documents.clone()).run().await.unwrap();
    documents.set("0001.pdf", invoice(777));
    // The same content under a new version is not uploaded.
    documents.set("0002.pdf", invoice(2));
    let report = service.ingest(documents).run().await.unwrap();
    assert_eq!((report.documents.succeeded, report.documents.skipped, report.uploads), (1, 2, 1));
    let files = service.files().await;
    assert_eq!((files.len(), &files["0001.pdf"][..]), (3, &["INV-2024-00777".to_owned()][..]));
    let journal = JournalReader::open(service.journal()).unwrap();
    let components = journal.document("0001.pdf").unwrap().unwrap().components.unwrap();
    assert_eq!(components.values("InvoiceNumber"), ["INV-2024-00777"]);
}

#[tokio::test]
async fn failed_document_does_not_stop_the_others() {
    let service = Service::start().await;
    let documents = Memory::invoices(4);
    documents.set("bad.pdf", "not a PDF".into());
    service.simulator.control().fail_analysis("0002.pdf", "the text layer is damaged");
    let report = service.ingest(documents.clone()).run().await.unwrap();
    assert_eq!((report.verdict, report.documents.succeeded, report.documents.failed), (Verdict::Some, 3, 2));
    let reasons: Vec<_> =
        report.failures.iter().map(|failed| (&failed.source[..], &failed.failure.reason[..])).collect();
    assert!(reasons.contains(&("0002.pdf", "analysis_failed")), "{reasons:?}");
    assert!(reasons.contains(&("bad.pdf", "rejected")), "{reasons:?}");
    assert!(report.failures.iter().any(|failed| failed.failure.cause.contains("the text layer is damaged")));

    // Failures for good are not repeated, unless the program says so.
    service.simulator.control().clear_analysis_plans();
    let report = service.ingest(documents.clone()).run().await.unwrap();
    assert_eq!((report.documents.failed, report.documents.skipped, report.uploads), (2, 3, 0));
    let report = service.ingest(documents).retry_failed(true).run().await.unwrap();
    assert_eq!((report.documents.succeeded, report.documents.failed, report.documents.skipped), (1, 1, 3));
}

#[tokio::test]
async fn equal_names_are_numbered() {
    let service = Service::start().await;
    let documents = Memory::default();
    documents.set("a/invoice.pdf", invoice(1));
    documents.set("b/invoice.pdf", invoice(2));
    documents.set("c/INVOICE.pdf", invoice(3));
    let report = service.ingest(documents).run().await.unwrap();
    assert_eq!(report.documents.succeeded, 3);
    let files = service.files().await;
    assert_eq!(files.keys().collect::<Vec<_>>(), ["INVOICE (3).pdf", "invoice (2).pdf", "invoice.pdf"]);
}

#[tokio::test]
async fn files_of_others_in_the_dossier_are_not_replaced() {
    let service = Service::start().await;
    let template = service.client.dossier_template(service.simulator.dossier_template_id());
    let dossier = template.create_dossier(documine::DossierFields::named("Shared")).await.unwrap();
    let _ = dossier.upload(documine::Source::bytes("0000.pdf", invoice(500))).await.unwrap();
    let report = service.ingest(Memory::invoices(2)).dossier_name("Shared").run().await.unwrap();
    assert_eq!(report.documents.succeeded, 2);
    let files = service.files().await;
    assert_eq!((&files["0000.pdf"][0][..], &files["0000 (2).pdf"][0][..]), ("INV-2024-00500", "INV-2024-00000"));
}

#[tokio::test]
async fn spreads_documents_over_dossiers() {
    let service = Service::start().await;
    let report =
        service.ingest(Memory::invoices(7)).dossier_name("Batch").max_files_per_dossier(3).run().await.unwrap();
    assert_eq!(report.documents.succeeded, 7);
    let template = service.client.dossier_template(service.simulator.dossier_template_id());
    let mut names: Vec<_> = template.dossiers().await.unwrap().into_iter().filter_map(|dossier| dossier.name).collect();
    names.sort();
    assert_eq!(names, ["Batch", "Batch 2", "Batch 3"]);
}

#[tokio::test]
async fn same_content_is_uploaded_once_if_uploads_are_shared() {
    let service = Service::start().await;
    let documents = Memory::default();
    for name in ["a.pdf", "b.pdf", "c.pdf"] {
        documents.set(name, invoice(1));
    }
    documents.set("d.pdf", invoice(2));
    let report = service.ingest(documents).share_uploads(true).run().await.unwrap();
    assert_eq!((report.documents.succeeded, report.uploads), (4, 2));
    let journal = JournalReader::open(service.journal()).unwrap();
    let numbers: Vec<_> = journal
        .documents()
        .map(|document| document.unwrap().components.unwrap().values("InvoiceNumber").to_vec())
        .collect();
    assert_eq!(numbers, [["INV-2024-00001"], ["INV-2024-00001"], ["INV-2024-00001"], ["INV-2024-00002"]]);
}

#[tokio::test]
async fn interrupted_run_continues_without_a_second_upload() {
    let service = Service::start().await;
    let documents = Memory::invoices(40);
    let (signal, stopped) = tokio::sync::oneshot::channel();
    let signal = std::sync::Mutex::new(Some(signal));
    let uploads = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&uploads);
    let report = service
        .ingest(documents.clone())
        .stop_on(async {
            drop(stopped.await);
        })
        .on_event(move |event| {
            if matches!(event, Event::StepFinished { step: documine_ingest::Step::Upload, .. })
                && counter.fetch_add(1, Ordering::Relaxed) == 9
            {
                let _ = signal.lock().unwrap().take().map(|signal| signal.send(()));
            }
        })
        .run()
        .await
        .unwrap();
    assert_eq!(report.stopped, Some(StopReason::Requested));
    assert!(report.documents.open > 0, "{report:?}");
    let first = service.requests("uploadFile");
    assert!((10..40).contains(&first), "{first}");
    let report = service.ingest(documents).run().await.unwrap();
    assert_eq!((report.verdict, report.documents.total), (Verdict::All, 40));
    assert_eq!(service.requests("uploadFile"), 40);
    assert_eq!(service.files().await.len(), 40);
}

#[tokio::test]
async fn lost_response_does_not_upload_twice() {
    let service = Service::start().await;
    service.simulator.faults().add(Fault::on("uploadFile").nth(2).reset_before_headers());
    let report = service.ingest(Memory::invoices(4)).run().await.unwrap();
    assert_eq!(report.verdict, Verdict::All);
    assert_eq!(service.files().await.len(), 4);
}

#[tokio::test]
async fn stops_before_the_budget_of_pages_is_passed() {
    let service = Service::start().await;
    let documents = Memory::invoices(10);
    let report = service.ingest(documents.clone()).max_pages(4).run().await.unwrap();
    assert_eq!((report.stopped, report.pages, report.uploads), (Some(StopReason::MaxPages), 4, 4));
    assert_eq!((report.verdict, report.documents.open), (Verdict::Some, 6));
    let report = service.ingest(documents).run().await.unwrap();
    assert_eq!((report.verdict, report.uploads), (Verdict::All, 6), "{report:?}");
}

#[tokio::test]
async fn exhausted_licence_stops_the_run() {
    let service = Service::start().await;
    service.simulator.control().exhaust_license(true);
    let report = service.ingest(Memory::invoices(10)).run().await.unwrap();
    assert_eq!((report.stopped, report.verdict, report.documents.open), (Some(StopReason::License), Verdict::None, 10));
    assert_eq!(service.files().await.len(), 0);
}

#[tokio::test]
async fn failed_login_stops_the_run() {
    let service = Service::start().await;
    service.client.license_usage().await.unwrap();
    let documents = Memory::invoices(10);
    let control = service.simulator.control();
    let username = service.simulator.username().to_owned();
    let disabled = std::sync::Once::new();
    let report = service
        .ingest(documents.clone())
        .on_event(move |event| {
            if matches!(event, Event::Listed { .. }) {
                disabled.call_once(|| {
                    control.disable_user(&username).unwrap();
                    control.revoke_tokens();
                });
            }
        })
        .run()
        .await
        .unwrap();
    assert_eq!((report.stopped, report.documents.open), (Some(StopReason::Login), 10));
}

#[tokio::test]
async fn number_of_failures_stops_the_run() {
    let service = Service::start().await;
    let documents = Memory::invoices(2);
    for number in 0..20 {
        documents.set(&format!("bad {number:02}.pdf"), format!("no PDF {number}").into());
    }
    let limits = documine_ingest::Limits::default().in_flight(2);
    let report = service.ingest(documents).max_failures(3).with_limits(limits).run().await.unwrap();
    assert_eq!(report.stopped, Some(StopReason::MaxFailures));
    assert!((3..=5).contains(&report.documents.failed), "{report:?}");
}

#[tokio::test]
async fn second_process_on_one_journal_gets_an_error() {
    let service = Service::start().await;
    let (signal, listed) = tokio::sync::oneshot::channel();
    let signal = std::sync::Mutex::new(Some(signal));
    service.simulator.control().delay_analysis("0000.pdf", std::time::Duration::from_secs(60));
    let first = service.ingest(Memory::invoices(1)).on_event(move |event| {
        if matches!(event, Event::Listed { .. }) {
            let _ = signal.lock().unwrap().take().map(|signal| signal.send(()));
        }
    });
    let second = async {
        listed.await.unwrap();
        service.ingest(Memory::invoices(1)).run().await.unwrap_err()
    };
    let (first, error) = tokio::join!(first.run(), second);
    assert_eq!(first.unwrap().verdict, Verdict::All);
    assert!(error.to_string().contains("another process uses this journal"), "{error}");
    // The lock is released with the run.
    service.ingest(Memory::invoices(1)).run().await.unwrap();
}

#[tokio::test]
async fn wrong_settings_are_errors_before_the_first_upload() {
    let service = Service::start().await;
    let documents = Memory::invoices(1);
    let unknown: documine::models::DossierTemplateId = "no-such-template".parse().unwrap();
    let run =
        documine_ingest::Ingest::new(&service.client, unknown).source(documents.clone()).journal(service.journal());
    let error = run.run().await.unwrap_err();
    assert!(error.to_string().contains("dossier template no-such-template does not exist"), "{error}");

    std::fs::write(service.folder.path().join("text.sqlite"), "no database".repeat(100)).unwrap();
    let run = service.ingest(documents.clone()).journal(service.folder.path().join("text.sqlite"));
    let error = run.run().await.unwrap_err();
    assert!(error.to_string().contains("not a journal"), "{error}");

    let run = service.ingest(documents.clone()).journal(service.folder.path());
    let error = run.run().await.unwrap_err();
    assert!(error.to_string().contains("is a folder"), "{error}");
    assert_eq!(service.requests("uploadFile"), 0);
}

#[tokio::test]
async fn writes_outputs_from_the_journal_and_again_only_after_a_change() {
    let service = Service::start().await;
    let documents = Memory::invoices(3);
    documents.set("bad.pdf", "not a PDF".into());
    let (table, failed) = (service.folder.path().join("values.csv"), service.folder.path().join("failed.jsonl"));
    let outputs = || Outputs::new().table(Table::csv(&table)).failed_list(&failed);
    let report = service.ingest(documents.clone()).outputs(outputs()).run().await.unwrap();
    assert_eq!(report.outputs.len(), 2);
    let first = std::fs::read_to_string(&table).unwrap();
    assert!(first.starts_with("source,sha256,component,index,value,"), "{first}");
    assert!(first.contains("INV-2024-00002"));
    assert!(std::fs::read_to_string(&failed).unwrap().contains("bad.pdf"));

    let report = service.ingest(documents.clone()).outputs(outputs()).run().await.unwrap();
    assert!(report.outputs.iter().all(|output| output.unchanged), "{report:?}");
    // Other settings, a missing file and new documents are reasons to write.
    let wide = Outputs::new().table(Table::csv(&table).wide(true));
    let report = service.ingest(documents.clone()).outputs(wide).run().await.unwrap();
    assert!(!report.outputs[0].unchanged);
    std::fs::remove_file(&table).unwrap();
    documents.set("new.pdf", invoice(50));
    let report = service.ingest(documents).outputs(outputs()).run().await.unwrap();
    assert!(!report.outputs[0].unchanged);
    assert!(std::fs::read_to_string(&table).unwrap().contains("INV-2024-00050"));

    let again = service.folder.path().join("again.csv");
    let requests = service.client.requests_sent();
    export(service.journal(), &Outputs::new().table(Table::csv(&again))).unwrap();
    assert_eq!(std::fs::read(&table).unwrap(), std::fs::read(&again).unwrap());
    assert_eq!(service.client.requests_sent(), requests);
}

#[tokio::test]
async fn output_that_cannot_be_written_is_an_error_before_the_first_upload() {
    let service = Service::start().await;
    let table = Table::csv(service.folder.path().join("missing").join("values.csv"));
    let error = service.ingest(Memory::invoices(1)).sink(table).run().await.unwrap_err();
    assert!(error.to_string().contains("values.csv"), "{error}");
    assert_eq!(service.requests("uploadFile"), 0);
}

#[tokio::test]
async fn plan_lists_the_work_without_doing_it() {
    let service = Service::start().await;
    let documents = Memory::invoices(3);
    let plan = service.ingest(documents.clone()).plan().await.unwrap();
    assert_eq!((plan.documents, plan.to_process, plan.done), (3, 3, 0));
    assert!(plan.estimated_pages >= 3 && plan.licensed_pages_left.is_some(), "{plan:?}");
    assert!(!service.journal().exists());
    service.ingest(documents.clone()).run().await.unwrap();
    documents.set("new.pdf", invoice(5));
    let plan = service.ingest(documents).plan().await.unwrap();
    assert_eq!((plan.documents, plan.to_process, plan.done, plan.estimated_pages), (4, 1, 3, 1));
    assert_eq!(service.requests("uploadFile"), 3);
}

#[derive(serde::Deserialize)]
struct Invoice {
    #[serde(rename = "InvoiceNumber")]
    number: String,
}

#[tokio::test]
async fn streams_typed_values() {
    let service = Service::start().await;
    let mut documents = service.ingest(Memory::invoices(20)).stream::<Invoice>();
    let mut numbers = Vec::new();
    while let Some(document) = documents.next().await {
        numbers.push(document.unwrap().values.unwrap().number);
    }
    numbers.sort();
    let expected: Vec<_> = (0..20).map(|number| format!("INV-2024-{number:05}")).collect();
    assert_eq!(numbers, expected);
    assert_eq!(documents.report().unwrap().verdict, Verdict::All);
}

#[tokio::test]
async fn dropped_stream_stops_the_run_and_the_rest_comes_with_the_next() {
    let service = Service::start().await;
    let documents = Memory::invoices(20);
    let mut numbers = std::collections::BTreeSet::new();
    let mut stream = service.ingest(documents.clone()).stream::<Invoice>();
    for _ in 0..5 {
        numbers.insert(stream.next().await.unwrap().unwrap().values.unwrap().number);
    }
    drop(stream);
    // The journal is free as soon as the task of the run has ended.
    let mut stream = loop {
        let mut stream = service.ingest(documents.clone()).stream::<Invoice>();
        match stream.next().await.unwrap() {
            Ok(document) => {
                numbers.insert(document.values.unwrap().number);
                break stream;
            }
            Err(error) => assert!(error.to_string().contains("another process"), "{error}"),
        }
        tokio::task::yield_now().await;
    };
    let mut second = 1;
    while let Some(document) = stream.next().await {
        numbers.insert(document.unwrap().values.unwrap().number);
        second += 1;
    }
    assert_eq!(numbers.len(), 20);
    assert!((15..=16).contains(&second), "{second}");
    assert_eq!(service.requests("uploadFile"), 20);
}
