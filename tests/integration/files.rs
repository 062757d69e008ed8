//! Files: replace, correct manually, unpack, OCR, reanalyse, delete.

use documine::{Source, models::ProcessingStatus};

use crate::harness::pdf_fixtures::{INVOICE, SCAN, STUDY, zip};
use crate::harness::test_env::{TestEnv, upload_processed};

#[tokio::test]
async fn processed_file_can_be_reanalysed() {
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    env.sim.control().reanalyse(file.id().as_str()).unwrap();
    let status = file.get().await.unwrap().processing_status.unwrap();
    assert!(matches!(status, ProcessingStatus::Reprocess | ProcessingStatus::Fullreprocess), "{status}");
    file.wait_until_processed().await.unwrap();
    assert_eq!(file.get().await.unwrap().processing_status, Some(ProcessingStatus::Processed));
    assert_eq!(env.client.license_usage().await.unwrap().analysed_pages, Some(4));
}

#[tokio::test]
async fn upload_with_same_name_replaces_file() {
    let env = TestEnv::new().await;
    let (dossier, first) = env.processed_file("report.pdf", STUDY).await;
    let second = upload_processed(&dossier, "report.pdf", INVOICE).await;
    assert_eq!(second.id(), first.id());
    let files = dossier.files().await.unwrap();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].number_of_pages, Some(1));
    assert_eq!(second.components().await.unwrap().values("InvoiceNumber"), ["INV-2024-00318"]);
}

#[tokio::test]
async fn keeps_manual_changes_only_on_request() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("report.pdf", STUDY).await;
    env.sim.control().edit_component(file.id().as_str(), "Sponsor", &["Set by hand Ltd"]).unwrap();
    assert_eq!(file.components().await.unwrap().values("Sponsor"), ["Set by hand Ltd"]);

    let replaced = dossier.upload(Source::bytes("report.pdf", STUDY)).keep_manual_changes(true).await.unwrap();
    assert_eq!(
        replaced.wait_until_processed().await.unwrap().components().await.unwrap().values("Sponsor"),
        ["Set by hand Ltd"]
    );
    let replaced = dossier.upload(Source::bytes("report.pdf", STUDY)).await.unwrap();
    assert_eq!(
        replaced.wait_until_processed().await.unwrap().components().await.unwrap().values("Sponsor"),
        ["Examplia Crop Care AG"]
    );
    let queries: Vec<_> =
        env.requests("uploadFile").into_iter().map(|request| request.query.unwrap_or_default()).collect();
    // Some documents describe the parameter as a form part.
    let is_part = documine_sim::wire::form_part("uploadFile", "keepManualChanges").is_some();
    assert_eq!(queries, ["", if is_part { "" } else { "keepManualChanges=true" }, ""]);
}

#[tokio::test]
async fn uploads_all_documents_of_an_archive() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let archive = zip(&[("study.pdf", STUDY), ("papers/invoice.pdf", INVOICE)]);
    let uploaded = dossier.upload(Source::bytes("both.zip", archive)).await.unwrap();
    assert_eq!(uploaded.ids().len(), 2);
    let files = dossier.wait_until_processed().await.unwrap();
    let names: Vec<_> =
        files.iter().map(|file| (file.file_name.as_deref().unwrap(), file.number_of_pages.unwrap())).collect();
    assert_eq!(names, [("study.pdf", 4), ("invoice.pdf", 1)]);
    assert!(files.iter().map(|file| &file.id).eq(uploaded.ids()));
}

#[tokio::test]
async fn reports_ocr_of_scan_in_remarks() {
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("scan.pdf", SCAN).await;
    let components = file.components().await.unwrap();
    let remarks = components.values("Remarks");
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].starts_with("Pages 1-2 are images without a text layer."), "{}", remarks[0]);
    assert_eq!(components.values("PageCount"), ["2"]);
    assert_eq!(components.values("StudyNumber"), Vec::<String>::new());
}

#[tokio::test]
async fn returns_conflict_for_components_of_unprocessed_file() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    // `Uploaded` has no method for components; a handle created from the id does.
    let error = dossier.file(&uploaded.id).components().await.map(drop).unwrap_err();
    assert!(error.is_conflict());
    assert!(error.to_string().starts_with("getComponents: 409 Conflict: "), "{error}");
}

#[tokio::test]
async fn keeps_deleted_file_in_trash_until_permanent_deletion() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    file.delete().await.unwrap();
    let status = file.get().await.unwrap();
    assert!(status.soft_deleted_time.is_some());
    assert_eq!(status.processing_status, Some(ProcessingStatus::Deleted));
    file.delete().permanently(true).await.unwrap();
    assert!(file.get().await.unwrap_err().is_not_found());
    assert!(dossier.files().await.unwrap().is_empty());
    let queries: Vec<_> =
        env.requests("deleteFile").into_iter().map(|request| request.query.unwrap_or_default()).collect();
    assert_eq!(queries, ["deletePermanently=false", "deletePermanently=true"]);
}
