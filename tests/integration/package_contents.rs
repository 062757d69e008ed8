//! Package contents: real packages are listed, read and unpacked; hostile and damaged ones are rejected with one line.

use documine::package::{Cell, Entry, EntryKind};
use documine::{
    DossierHandle, DownloadFileType, ErrorKind, Package, PackageRequest,
    models::ReportTemplateId,
    package::{PackageArchive, PackageLimits},
};
use futures_util::TryStreamExt;

use crate::harness::package_file::{PackageFile, error_reason, rejection, report_bytes};
use crate::harness::pdf_fixtures::{INVOICE, STUDY};
use crate::harness::test_env::{TestEnv, upload_processed};
use crate::harness::zip_fixtures::{RawEntry, end_record, raw_archive};

/// Creates a package with all content types from a dossier with two files.
async fn full_package(env: &TestEnv) -> (DossierHandle, Package) {
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    upload_processed(&dossier, "invoice.pdf", INVOICE).await;
    let reports: Vec<ReportTemplateId> = dossier.get().await.unwrap().report_template_ids;
    let content = PackageRequest::reports(reports[..1].to_vec())
        .and_file_types([DownloadFileType::Original, DownloadFileType::Preview]);
    let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
    (dossier, package)
}

#[tokio::test]
async fn fetches_lists_reads_and_closes_package() {
    let env = TestEnv::new().await;
    let (_, package) = full_package(&env).await;
    let contents = package.open().await.unwrap();
    let path = contents.path().to_owned();
    assert!(path.is_file());
    let kinds: Vec<(&str, &EntryKind)> = contents.entries().iter().map(|e| (e.name(), e.kind())).collect();
    let preview = EntryKind::Version(DownloadFileType::Preview);
    for expected in [
        ("Originals/study.pdf", &EntryKind::Original),
        ("Originals/invoice.pdf", &EntryKind::Original),
        ("Previews/study.pdf", &preview),
        ("Previews/NOTE.txt", &EntryKind::Other),
        ("Components/study.components.json", &EntryKind::Components),
        ("Components/study.components.xml", &EntryKind::Components),
    ] {
        assert!(kinds.contains(&expected), "{expected:?} is not among {kinds:?}");
    }
    assert_eq!(kinds.iter().filter(|(_, kind)| **kind == EntryKind::Report).count(), 1);
    let originals: Vec<&str> = contents.originals().map(Entry::file_name).collect();
    assert_eq!(originals, ["study.pdf", "invoice.pdf"]);

    assert_eq!(contents.read("Originals/study.pdf").await.unwrap(), STUDY);
    let chunks: Vec<_> = contents.stream("Originals/invoice.pdf").unwrap().try_collect().await.unwrap();
    assert_eq!(chunks.concat(), INVOICE);
    contents.check().await.unwrap();
    let error = contents.read("Originals/other.pdf").await.unwrap_err();
    let line = format!("package {}: no entry named \"Originals/other.pdf\"; see `entries()`", package.id());
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Input, line));

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = path.parent().unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "only the owner can read the package");
    }
    contents.close().await.unwrap();
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn removes_fetched_file_when_contents_are_dropped() {
    let env = TestEnv::new().await;
    let (_, package) = full_package(&env).await;
    let contents = package.open().await.unwrap();
    let path = contents.path().to_owned();
    drop(contents);
    assert!(!path.parent().unwrap().exists());
    let error = package.open().limits(PackageLimits::default().entries(2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains("exceed the limit of 2; raise `PackageLimits::entries`"), "{error}");
    package.delete().await.unwrap();
    assert!(package.open().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn reads_report_rows_with_typed_cells() {
    let env = TestEnv::new().await;
    let (_, package) = full_package(&env).await;
    let report = package.open().await.unwrap().report().await.unwrap();
    let names: Vec<&str> = report.sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    assert_eq!(names, ["Overview", "Components"]);
    let overview = report.sheet("Overview").unwrap();
    let study = overview.rows.iter().find(|row| row.cells[0].as_text() == Some("study.pdf")).unwrap();
    assert_eq!(study.number, 6, "rows are numbered as in a spreadsheet");
    assert_eq!(study.cells[1..3], [Cell::Text("PROCESSED".into()), Cell::Number(4.0)]);
    let values = report.sheet("Components").unwrap();
    let number = values.rows.iter().find(|row| row.cells[1].as_text() == Some("StudyNumber")).unwrap();
    assert_eq!(number.cells[2].as_text(), Some("SVL-2023-0117"));
}

#[tokio::test]
async fn reads_report_rows_as_user_type() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct File {
        file: String,
        state: String,
        pages: u32,
        study_number: Option<String>,
    }
    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Value {
        file: String,
        component: String,
        value: String,
        page: Option<u32>,
    }
    let env = TestEnv::new().await;
    let (_, package) = full_package(&env).await;
    let report = package.open().await.unwrap().report().await.unwrap();
    let files: Vec<File> = report.sheet("Overview").unwrap().records().collect::<Result<_, _>>().unwrap();
    assert_eq!(files.iter().map(|file| file.file.as_str()).collect::<Vec<_>>(), ["study.pdf", "invoice.pdf"]);
    assert_eq!((files[0].state.as_str(), files[0].pages), ("PROCESSED", 4));
    assert_eq!(files[0].study_number.as_deref(), Some("SVL-2023-0117"));
    assert_eq!(files[1].study_number, None);
    let values: Vec<Value> = report.sheet("Components").unwrap().records().collect::<Result<_, _>>().unwrap();
    let batch = values.iter().find(|value| value.component == "BatchNumbers").unwrap();
    assert_eq!((batch.file.as_str(), batch.value.as_str(), batch.page), ("study.pdf", "SG-2207-A", Some(2)));
}

#[tokio::test]
async fn reads_same_components_as_service() {
    let env = TestEnv::new().await;
    let (dossier, package) = full_package(&env).await;
    let live = dossier.components().include_details(true).await.unwrap();
    let package_file = package.open().await.unwrap().components().await.unwrap();
    assert_eq!(package_file.len(), 2);
    for components in &package_file {
        assert!(live.contains(components), "{:?}", components.file_name());
    }
}

#[tokio::test]
async fn unpacks_into_new_folder() {
    let env = TestEnv::new().await;
    let (_, package) = full_package(&env).await;
    let contents = package.open().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("q3");
    let unpacked = contents.unpack_to(&target).await.unwrap();
    assert_eq!(unpacked.path, target);
    assert_eq!(unpacked.files, contents.entries().len() as u64);
    assert_eq!(unpacked.bytes, contents.entries().iter().map(Entry::size).sum::<u64>());
    for entry in contents.entries() {
        assert_eq!(std::fs::read(target.join(entry.name())).unwrap(), contents.read(entry.name()).await.unwrap());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let error = contents.unpack_to(&target).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(error.to_string().ends_with("q3 already exists; pass the path of a new folder"), "{error}");
    assert_eq!(std::fs::read(target.join("Originals/study.pdf")).unwrap(), STUDY);
}

#[tokio::test]
async fn treats_backslashes_as_separators() {
    let folder = RawEntry { mode: 0, ..RawEntry::file(r"Reports\", b"") };
    let sheet = report_bytes();
    let package_file = PackageFile::new(&raw_archive(&[
        folder,
        RawEntry { mode: 0, ..RawEntry::file(r"Originals\2024\a.pdf", b"%PDF") },
        RawEntry { mode: 0, ..RawEntry::file(r"Reports\r.xlsx", &sheet) },
        RawEntry::file("./Previews//a.pdf", b"%PDF"),
    ]));
    let contents = PackageArchive::open(&package_file.path).await.unwrap();
    let names: Vec<&str> = contents.entries().iter().map(Entry::name).collect();
    assert_eq!(names, ["Originals/2024/a.pdf", "Reports/r.xlsx", "Previews/a.pdf"]);
    assert_eq!(contents.originals().count(), 1);
    assert_eq!(contents.read("Originals/2024/a.pdf").await.unwrap(), b"%PDF"[..]);
    assert_eq!(contents.report().await.unwrap().sheets.len(), 1);
    let unpacked = contents.unpack_to(package_file.target()).await.unwrap();
    assert!(
        package_file.target().join("Originals/2024/a.pdf").is_file() && unpacked.renamed.is_empty(),
        "{unpacked:?}"
    );
    let duplicate = [RawEntry::file(r"a\x", b"one"), RawEntry::file("a/x", b"other")];
    assert_eq!(rejection(&raw_archive(&duplicate)).await, "entry \"a/x\": duplicate name; the package is rejected");
}

#[tokio::test]
async fn excludes_operating_system_files_from_documents() {
    let sheet = report_bytes();
    let system_files = [
        "__MACOSX/Originals/._a.pdf",
        "__MACOSX/Reports/._r.xlsx",
        "Originals/._a.pdf",
        "Originals/.DS_Store",
        "Originals/Thumbs.db",
        "Originals/desktop.ini",
        "Reports/._r.xlsx",
        "Reports/~$r.xlsx",
        "Reports/.~lock.r.xlsx#",
        "Components/._a.json",
        ".DS_Store",
    ];
    let mut entries = vec![RawEntry::file("Originals/a.pdf", b"%PDF"), RawEntry::file("Reports/r.xlsx", &sheet)];
    entries.extend(system_files.iter().map(|name| RawEntry::file(name, b"\0\x05\x16\x07")));
    let package_file = PackageFile::new(&raw_archive(&entries));
    let contents = PackageArchive::open(&package_file.path).await.unwrap();
    let originals: Vec<&str> = contents.originals().map(Entry::name).collect();
    assert_eq!(originals, ["Originals/a.pdf"]);
    assert_eq!(contents.reports().await.unwrap().len(), 1);
    assert_eq!(contents.report().await.unwrap().name, "Reports/r.xlsx");
    assert!(contents.components().await.unwrap().is_empty());
    let system = contents.entries().iter().filter(|entry| *entry.kind() == EntryKind::System).count();
    assert_eq!(system, system_files.len(), "system files are listed");
    contents.unpack_to(package_file.target()).await.unwrap();
}

#[tokio::test]
async fn does_not_unpack_nested_archives() {
    // Nine levels of sixteen archives each would unpack to 68 TB.
    let mut inner = raw_archive(&[RawEntry::deflated("zeros", &[0; 1_000])]);
    for _ in 0..9 {
        let names: Vec<_> = (0..16).map(|number| format!("{number}.zip")).collect();
        let files: Vec<_> = names.iter().map(|name| RawEntry::deflated(name, &inner)).collect();
        inner = raw_archive(&files);
    }
    let package_file = PackageFile::new(&raw_archive(&[RawEntry::file("Originals/nested.zip", &inner)]));
    let contents = PackageArchive::open(&package_file.path).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    contents.unpack_to(folder.path().join("out")).await.unwrap();
    assert_eq!(std::fs::read(folder.path().join("out/Originals/nested.zip")).unwrap(), inner);
    assert_eq!(std::fs::read_dir(folder.path().join("out/Originals")).unwrap().count(), 1);
}

#[tokio::test]
async fn opens_empty_archive_as_empty_package() {
    let package_file = PackageFile::new(&end_record(0, 0, 0));
    let contents = PackageArchive::open(&package_file.path).await.unwrap();
    assert!(contents.entries().is_empty());
    assert!(contents.components().await.unwrap().is_empty());
    let error = contents.report().await.unwrap_err();
    assert!(error.to_string().ends_with("0 reports, expected one; use `reports()`"), "{error}");
    contents.unpack_to(package_file.target()).await.unwrap();
    assert!(package_file.target().is_dir());
}

#[tokio::test]
async fn reports_file_that_is_not_a_package() {
    let package_file = PackageFile::new(b"<html>Not Found</html>, and some more text for the length of an end");
    let error = PackageArchive::open(&package_file.path).await.unwrap_err();
    assert!(error_reason(&package_file, &error, ErrorKind::Integrity).contains("not a ZIP archive"), "{error}");
    let error = PackageArchive::open(package_file.folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let error = PackageArchive::open(package_file.target()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
}

#[tokio::test]
async fn streams_entry_larger_than_memory_limit() {
    let large = vec![7; 300_000];
    let package_file = PackageFile::new(&raw_archive(&[RawEntry::file("x", &large)]));
    let contents =
        PackageArchive::open_within(&package_file.path, PackageLimits::default().memory_bytes(1000)).await.unwrap();
    let line = error_reason(&package_file, &contents.read("x").await.unwrap_err(), ErrorKind::Integrity);
    assert!(line.contains("stream the entry"), "{line}");
    let chunks: Vec<_> = contents.stream("x").unwrap().try_collect().await.unwrap();
    assert!(chunks.len() > 1);
    assert_eq!(chunks.concat(), large);
}
