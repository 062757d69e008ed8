//! Package contents: real packages are listed, read and unpacked; hostile and damaged ones are rejected with one line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use documine::package::{Cell, Entry, EntryKind, Report};
use documine::{
    Contents, DossierHandle, DownloadFileType, Error, ErrorKind, Package, PackageContent, PackageLimits,
    ReportTemplateId,
};
use futures_util::TryStreamExt;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::harness::pdf_fixtures::{INVOICE, STUDY, zip};
use crate::harness::test_env::{TestEnv, upload_processed};
use crate::harness::zip_fixtures::{
    LocalHeader, RawEntry, crc32, end_record, entries_and_directory, raw_archive, raw_zip64_archive,
};
use crate::properties::cases;

/// Creates a package with all content types from a dossier with two files.
async fn full_package(env: &TestEnv) -> (DossierHandle, Package) {
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    upload_processed(&dossier, "invoice.pdf", INVOICE).await;
    let reports: Vec<ReportTemplateId> = dossier.get().await.unwrap().report_template_ids;
    let content = PackageContent::reports(reports[..1].to_vec())
        .and_file_types([DownloadFileType::Original, DownloadFileType::Preview]);
    let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
    (dossier, package)
}

/// An archive on disk in its own folder.
struct PackageFile {
    folder: TempDir,
    path: PathBuf,
}

impl PackageFile {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        std::fs::write(&path, bytes).unwrap();
        Self { folder, path }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// Returns true if the folder contains nothing but the archive.
    fn is_only_file(&self) -> bool {
        std::fs::read_dir(self.folder.path()).unwrap().count() == 1
    }
}

/// Returns the reason for which opening an archive fails; asserts a single line that begins with the archive's path.
async fn rejection_within(bytes: &[u8], limits: PackageLimits) -> String {
    let package_file = PackageFile::new(bytes);
    let error = Contents::open_within(&package_file.path, limits).await.unwrap_err();
    error_reason(&package_file, &error, ErrorKind::Integrity)
}

async fn rejection(bytes: &[u8]) -> String {
    rejection_within(bytes, PackageLimits::default()).await
}

fn error_reason(package_file: &PackageFile, error: &Error, kind: ErrorKind) -> String {
    assert_eq!((error.kind(), error.was_sent()), (kind, false), "{error}");
    let line = error.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
    line.strip_prefix(&format!("{}: ", package_file.path.display())).unwrap_or_else(|| panic!("{line}")).to_owned()
}

async fn name_rejection(name: impl AsRef<[u8]>) -> String {
    rejection(&raw_archive(&[RawEntry::file(name, b"bytes")])).await
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
    let pieces: Vec<_> = contents.stream("Originals/invoice.pdf").unwrap().try_collect().await.unwrap();
    assert_eq!(pieces.concat(), INVOICE);
    contents.check().await.unwrap();
    let error = contents.read("Originals/other.pdf").await.unwrap_err();
    let line = format!("package {}: there is no entry \"Originals/other.pdf\"; look at `entries()`", package.id());
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
    assert!(error.to_string().contains("more than 2; raise `PackageLimits::entries`"), "{error}");
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
async fn reads_same_components_as_service() {
    let env = TestEnv::new().await;
    let (dossier, package) = full_package(&env).await;
    let live = dossier.components().include_details(true).await.unwrap();
    let package_file = package.open().await.unwrap().components().await.unwrap();
    assert_eq!(package_file.len(), 2);
    for components in &package_file {
        assert!(live.contains(components), "{:?}", components.file_name);
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
    assert!(error.to_string().ends_with("q3 is there already; name a folder that is not"), "{error}");
    assert_eq!(std::fs::read(target.join("Originals/study.pdf")).unwrap(), STUDY);
}

#[cfg(unix)]
#[tokio::test]
async fn unpacked_files_are_not_executable() {
    use std::os::unix::fs::PermissionsExt;
    let script = RawEntry { mode: 0o104_777, ..RawEntry::file("run.sh", b"#!/bin/sh") };
    let folder = RawEntry { mode: 0o040_777, ..RawEntry::file("empty/", b"") };
    let package_file = PackageFile::new(&raw_archive(&[script, folder]));
    let plain = package_file.folder.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    Contents::open(&package_file.path).await.unwrap().unpack_to(package_file.target()).await.unwrap();
    assert_eq!(mode(&package_file.target().join("run.sh")), mode(&plain), "same mode as a new file");
    assert_eq!(mode(&package_file.target().join("run.sh")) & 0o111, 0);
    std::fs::create_dir(package_file.folder.path().join("new")).unwrap();
    assert_eq!(
        mode(&package_file.target()),
        mode(&package_file.folder.path().join("new")),
        "same mode as a new folder"
    );
    assert!(package_file.target().join("empty").is_dir());
}

#[tokio::test]
async fn rejects_zip_with_path_traversal() {
    for (name, part) in [
        ("../x", "leads out of its folder"),
        ("a/../../x", "leads out of its folder"),
        ("/etc/passwd", "has an absolute path"),
        ("C:/x", "names a drive"),
        (r"C:\x", "names a drive"),
        (r"\x", "has an absolute path"),
        (r"\\host\share\x", "names a computer of a network"),
        ("//host/share/x", "names a computer of a network"),
        (r"..\x", "leads out of its folder"),
        (r"a\..\..\x", "leads out of its folder"),
    ] {
        let line = name_rejection(name).await;
        assert!(
            line.starts_with(&format!("entry {name:?} {part}")) && line.ends_with("the package is refused"),
            "{line}"
        );
    }
}

/// Unpacks an archive whose files contain their own names. Returns each written content with its path.
async fn unpacked_names(entries: &[RawEntry]) -> Vec<(String, String)> {
    let package_file = PackageFile::new(&raw_archive(entries));
    let contents = Contents::open(&package_file.path).await.unwrap();
    let unpacked = contents.unpack_to(package_file.target()).await.unwrap();
    assert_eq!(unpacked.files, contents.entries().len() as u64);
    let mut files = Vec::new();
    collect_files(&package_file.target(), &mut files);
    let mut found: Vec<(String, String)> = files
        .iter()
        .map(|file| {
            let path = file.strip_prefix(package_file.target()).unwrap().to_str().unwrap().replace('\\', "/");
            (std::fs::read_to_string(file).unwrap(), path)
        })
        .collect();
    found.sort();
    let mut renamed: Vec<_> = unpacked.renamed.into_iter().map(|renamed| (renamed.entry, renamed.path)).collect();
    renamed.sort();
    let differing: Vec<_> = found.iter().filter(|(name, path)| name != path).cloned().collect();
    assert_eq!(renamed, differing, "the reported renames match the files");
    found
}

fn self_named_file(name: &str) -> RawEntry {
    RawEntry { flags: 0x800, ..RawEntry::file(name, name.as_bytes()) }
}

#[tokio::test]
async fn unpacks_unportable_names_as_escaped_names() {
    for (name, path) in [
        ("Reports/CON", "Reports/CON_"),
        ("aux.pdf", "aux_.pdf"),
        ("nul.txt", "nul_.txt"),
        ("COM1.pdf", "COM1_.pdf"),
        ("folder./x", "folder%2E/x"),
        ("x /y", "x%20/y"),
        ("x.", "x%2E"),
        ("a:b.pdf", "a%3Ab.pdf"),
        ("a/d:x", "a/d%3Ax"),
        ("why?.pdf", "why%3F.pdf"),
        ("x\0.pdf", "x%00.pdf"),
        ("x\x1b[2J", "x%1B[2J"),
        ("x\u{202e}fdp.exe", "x%E2%80%AEfdp.exe"),
        ("", "_"),
        ("plain.pdf", "plain.pdf"),
    ] {
        let found = unpacked_names(&[self_named_file(name)]).await;
        assert_eq!(found, [(name.to_owned(), path.to_owned())]);
    }
    let long = format!("{}.pdf", "x".repeat(300));
    let found = unpacked_names(&[self_named_file(&long)]).await;
    assert!(found[0].1.len() <= 255 && Path::new(&found[0].1).extension() == Some("pdf".as_ref()), "{found:?}");
    let deep = format!("{}x.pdf", "a/".repeat(200));
    let found = unpacked_names(&[self_named_file(&deep)]).await;
    assert!(found[0].1.starts_with("long-") && found[0].1.ends_with("/x.pdf"), "{found:?}");
}

#[tokio::test]
async fn unpacks_case_insensitive_duplicates_as_numbered_names() {
    for (names, paths) in [
        (["a/Report.pdf", "A/report.pdf"], ["a/Report.pdf", "a/report (2).pdf"]),
        (["é", "e\u{301}"], ["é", "e\u{301} (2)"]),
        (["straße", "STRASSE"], ["straße", "STRASSE (2)"]),
        (["a", "A/x"], ["a (2)", "A/x"]),
        (["a b.pdf", "a\u{a0}b.pdf"], ["a b.pdf", "a\u{a0}b.pdf"]),
    ] {
        let mut expected: Vec<_> =
            std::iter::zip(names, paths).map(|(name, path)| (name.into(), path.into())).collect();
        expected.sort();
        assert_eq!(unpacked_names(&names.map(self_named_file)).await, expected);
    }
    let package_file = PackageFile::new(&raw_archive(&[
        RawEntry { mode: 0, ..RawEntry::file("d/", b"") },
        RawEntry::file("D", b"a file"),
    ]));
    let unpacked = Contents::open(&package_file.path).await.unwrap().unpack_to(package_file.target()).await.unwrap();
    assert_eq!((unpacked.renamed[0].entry.as_str(), unpacked.renamed[0].path.as_str()), ("D", "D (2)"));
    assert!(package_file.target().join("d").is_dir());
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
    let contents = Contents::open(&package_file.path).await.unwrap();
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
    let twice = [RawEntry::file(r"a\x", b"one"), RawEntry::file("a/x", b"other")];
    assert_eq!(rejection(&raw_archive(&twice)).await, "entry \"a/x\" is in it twice; the package is refused");
}

#[tokio::test]
async fn excludes_operating_system_files_from_documents() {
    let sheet = report_bytes();
    let left = [
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
    entries.extend(left.iter().map(|name| RawEntry::file(name, b"\0\x05\x16\x07")));
    let package_file = PackageFile::new(&raw_archive(&entries));
    let contents = Contents::open(&package_file.path).await.unwrap();
    let originals: Vec<&str> = contents.originals().map(Entry::name).collect();
    assert_eq!(originals, ["Originals/a.pdf"]);
    assert_eq!(contents.reports().await.unwrap().len(), 1);
    assert_eq!(contents.report().await.unwrap().name, "Reports/r.xlsx");
    assert!(contents.components().await.unwrap().is_empty());
    let system = contents.entries().iter().filter(|entry| *entry.kind() == EntryKind::System).count();
    assert_eq!(system, left.len(), "system files are listed");
    contents.unpack_to(package_file.target()).await.unwrap();
}

#[tokio::test]
async fn rejects_links_and_special_files() {
    for mode in [0o120_777, 0o020_644, 0o060_644, 0o010_644, 0o140_644] {
        let special = RawEntry { mode, ..RawEntry::file("link", b"/etc/passwd") };
        let line = rejection(&raw_archive(&[special])).await;
        assert_eq!(line, "entry \"link\" is a link or another special file; the package is refused");
    }
    let folder = RawEntry { mode: 0o040_755, ..RawEntry::file("x", b"") };
    assert!(rejection(&raw_archive(&[folder])).await.contains("special file"));
}

#[tokio::test]
async fn rejects_duplicate_entry() {
    let twice = raw_archive(&[RawEntry::file("a/x", b"one"), RawEntry::file("a/x", b"other")]);
    assert_eq!(rejection(&twice).await, "entry \"a/x\" is in it twice; the package is refused");
}

#[tokio::test]
async fn unreadable_entry_does_not_affect_others() {
    for (odd, part) in [
        (RawEntry { flags: 1, ..RawEntry::file("x", b"0123456789abcdef") }, "is encrypted"),
        (RawEntry { method: 9, ..RawEntry::file("x", b"deflate64") }, "is packed in a way that packages do not use"),
        (RawEntry { method: 12, ..RawEntry::file("x", b"BZh") }, "is packed in a way that packages do not use"),
        (RawEntry { method: 14, ..RawEntry::file("x", b"lzma") }, "is packed in a way that packages do not use"),
        (RawEntry { method: 93, ..RawEntry::file("x", b"zstd") }, "is packed in a way that packages do not use"),
        (
            RawEntry { method: 93, size: u32::MAX - 1, ..RawEntry::file("x", b"zstd") },
            "is packed in a way that packages do not use",
        ),
    ] {
        let package_file =
            PackageFile::new(&raw_archive(&[RawEntry::file("a", b"one"), odd, RawEntry::file("b", b"two")]));
        let contents = Contents::open(&package_file.path).await.unwrap();
        contents.check().await.unwrap();
        assert_eq!(contents.read("b").await.unwrap(), b"two"[..]);
        let entry = contents.entries().iter().find(|entry| entry.name() == "x").unwrap();
        let reason = entry.unreadable().unwrap();
        assert!(reason.starts_with(part), "{reason}");
        let error = contents.read("x").await.unwrap_err();
        assert_eq!(error_reason(&package_file, &error, ErrorKind::Integrity), format!("entry \"x\" {reason}"));
        assert!(contents.stream("x").unwrap().try_collect::<Vec<_>>().await.is_err());
        let unpacked = contents.unpack_to(package_file.target()).await.unwrap();
        assert_eq!(unpacked.files, 2);
        let skipped: Vec<_> =
            unpacked.skipped.iter().map(|entry| (entry.entry.as_str(), entry.reason.as_str())).collect();
        assert_eq!(skipped, [("x", reason)]);
        assert!(!package_file.target().join("x").exists());
    }
}

#[tokio::test]
async fn rejects_overlapping_entries() {
    // Overlapping entries: the data of each entry contains the next entry with its header.
    let inner = RawEntry::file("inner", b"bytes");
    let (bytes, _) = entries_and_directory(std::slice::from_ref(&inner), 0);
    let outer = RawEntry::file("outer", &bytes);
    let offset = u32::try_from(30 + outer.name.len()).unwrap();
    let (out, directory) = entries_and_directory(std::slice::from_ref(&outer), 0);
    let (_, second) = entries_and_directory(&[RawEntry { offset: Some(offset), ..inner }], 0);
    let mut archive_bytes = out;
    let start = u32::try_from(archive_bytes.len()).unwrap();
    let length = u32::try_from(directory.len() + second.len()).unwrap();
    archive_bytes.extend(directory.iter().chain(&second));
    archive_bytes.extend(end_record(2, length, start));
    assert_eq!(
        rejection(&archive_bytes).await,
        "entry \"outer\" shares bytes with what stands behind it; the package is refused"
    );
}

#[tokio::test]
async fn rejects_entry_that_overlaps_the_directory() {
    let mut bytes = raw_archive(&[RawEntry::file("x", b"bytes")]);
    let directory = bytes.len() - 22 - 47;
    for at in [18, 22, directory + 20, directory + 24] {
        bytes[at] = 40;
    }
    assert!(rejection(&bytes).await.starts_with("entry \"x\" shares bytes"), "{}", rejection(&bytes).await);
}

#[tokio::test]
async fn rejects_contradictory_headers() {
    let x = || RawEntry::file("x", b"bytes");
    let local_header = |local_header: LocalHeader| RawEntry { local_header, ..x() };
    let own_extra = unicode_path(b"x", b"y");
    for (two, part) in [
        (RawEntry { local_name: Some(b"y".to_vec()), ..x() }, "another name"),
        (RawEntry { local_name: Some(b"xx".to_vec()), ..x() }, "another name"),
        (local_header(LocalHeader { extra: own_extra, ..LocalHeader::default() }), "another name"),
        (local_header(LocalHeader { method: Some(8), ..LocalHeader::default() }), "another method"),
        (local_header(LocalHeader { flags: Some(1), ..LocalHeader::default() }), "another encryption"),
        (local_header(LocalHeader { size: Some(4), ..LocalHeader::default() }), "another size"),
        (local_header(LocalHeader { size: Some(0), ..LocalHeader::default() }), "another size"),
        (local_header(LocalHeader { compressed: Some(4), ..LocalHeader::default() }), "another packed size"),
        (local_header(LocalHeader { crc: Some(0), ..LocalHeader::default() }), "another checksum"),
        // Streamed entries with a wrong size in the local header or in the data descriptor.
        (local_header(LocalHeader { flags: Some(8), size: Some(4), ..LocalHeader::default() }), "another size"),
        (
            RawEntry { trailer: [&b"PK\x07\x08"[..], &[1; 12]].concat(), ..streamed_entry(&LocalHeader::default()) },
            "other sizes",
        ),
        (RawEntry { trailer: vec![1; 12], ..streamed_entry(&LocalHeader::default()) }, "other sizes"),
    ] {
        let line = rejection(&raw_archive(&[two])).await;
        assert!(line.starts_with("entry \"x\" has ") && line.contains(part), "{line}");
        assert!(line.ends_with("the package is refused"), "{line}");
    }
    // An entry that the directory does not list.
    let (hidden, _) = entries_and_directory(&[RawEntry::file("hidden", b"bytes")], 0);
    let (out, directory) = entries_and_directory(&[RawEntry::file("x", b"bytes")], hidden.len());
    let mut archive_bytes = [hidden, out].concat();
    let start = u32::try_from(archive_bytes.len()).unwrap();
    archive_bytes.extend(&directory);
    archive_bytes.extend(end_record(1, u32::try_from(directory.len()).unwrap(), start));
    let line = "it holds an entry that its directory does not list; the package is refused";
    assert_eq!(rejection(&archive_bytes).await, line);
    let hidden = RawEntry { trailer: raw_archive(&[x()]), ..x() };
    assert_eq!(rejection(&raw_archive(&[hidden])).await, line);
}

/// Builds a Unicode path extra field for an entry of this name (APPNOTE 4.6.9).
fn unicode_path(name: &[u8], path: &[u8]) -> Vec<u8> {
    let length = u16::try_from(5 + path.len()).unwrap();
    [&0x7075_u16.to_le_bytes()[..], &length.to_le_bytes(), &[1], &crc32(name).to_le_bytes(), path].concat()
}

/// Builds an entry whose local header has neither sizes nor checksum, except for the fields set in `local_header`.
fn streamed_entry(local_header: &LocalHeader) -> RawEntry {
    let local_header = LocalHeader {
        crc: local_header.crc.or(Some(0)),
        compressed: local_header.compressed.or(Some(0)),
        size: local_header.size.or(Some(0)),
        flags: local_header.flags.or(Some(8)),
        ..local_header.clone()
    };
    RawEntry { flags: 8, local_header, ..RawEntry::file("x", b"bytes") }
}

async fn assert_readable(entry: RawEntry, what: &str) {
    // The next entry shows whether the end of this one was found.
    let package_file = PackageFile::new(&raw_archive(&[entry, RawEntry::file("next", b"more")]));
    let contents = Contents::open(&package_file.path).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    contents.check().await.unwrap();
    assert_eq!(contents.read("x").await.unwrap(), b"bytes"[..], "{what}");
    assert_eq!(contents.read("next").await.unwrap(), b"more"[..], "{what}");
}

#[tokio::test]
async fn accepts_headers_that_differ_without_effect() {
    let time = [&b"UT\x05\0\x01"[..], &[1, 2, 3, 4]].concat();
    let damaged = b"UT\xff\xff\x01".to_vec();
    for (local_header, what) in [
        (LocalHeader { time: Some(0x1234), ..LocalHeader::default() }, "time"),
        (LocalHeader { version: Some(45), ..LocalHeader::default() }, "version needed"),
        (LocalHeader { version: Some(0), ..LocalHeader::default() }, "version needed"),
        (LocalHeader { flags: Some(0x800), ..LocalHeader::default() }, "UTF-8"),
        (LocalHeader { flags: Some(0x06), ..LocalHeader::default() }, "compression level"),
        (LocalHeader { flags: Some(8), ..LocalHeader::default() }, "missing data descriptor"),
        (LocalHeader { extra: time, ..LocalHeader::default() }, "extra field"),
        (LocalHeader { extra: damaged, ..LocalHeader::default() }, "damaged extra field"),
        (LocalHeader { extra: unicode_path(b"other", b"y"), ..LocalHeader::default() }, "Unicode path of another name"),
        (LocalHeader { extra: unicode_path(b"x", b"x"), ..LocalHeader::default() }, "Unicode path of the same name"),
    ] {
        assert_readable(RawEntry { local_header, ..RawEntry::file("x", b"bytes") }, what).await;
    }
    assert_readable(
        RawEntry {
            flags: 0x808,
            local_header: LocalHeader { flags: Some(0), ..LocalHeader::default() },
            ..RawEntry::file("x", b"bytes")
        },
        "",
    )
    .await;
    let slash = RawEntry { local_name: Some(br"a\x".to_vec()), ..RawEntry::file("a/x", b"bytes") };
    let package_file = PackageFile::new(&raw_archive(&[slash]));
    assert_eq!(Contents::open(&package_file.path).await.unwrap().read("a/x").await.unwrap(), b"bytes"[..]);
    // The directory has a better name than the local header.
    let renamed = RawEntry { extra: unicode_path(b"x", "prüfung".as_bytes()), ..RawEntry::file("x", b"bytes") };
    let package_file = PackageFile::new(&raw_archive(&[renamed]));
    assert_eq!(Contents::open(&package_file.path).await.unwrap().read("prüfung").await.unwrap(), b"bytes"[..]);
    // A name as macOS writes it: decomposed UTF-8 without the UTF-8 flag.
    let apart = RawEntry::file("u\u{308}.pdf", b"bytes");
    let package_file = PackageFile::new(&raw_archive(&[apart]));
    assert_eq!(Contents::open(&package_file.path).await.unwrap().read("u\u{308}.pdf").await.unwrap(), b"bytes"[..]);
    let many = RawEntry { extra: vec![0; 4 * 400], ..RawEntry::file("x", b"bytes") };
    assert!(rejection(&raw_archive(&[many])).await.contains("more than 16 extra fields"));
}

#[tokio::test]
async fn reads_32_bit_and_64_bit_data_descriptors() {
    let sum = crc32(b"bytes").to_le_bytes();
    let narrow = [&sum[..], &5_u32.to_le_bytes(), &5_u32.to_le_bytes()].concat();
    let wide = [&sum[..], &5_u64.to_le_bytes(), &5_u64.to_le_bytes()].concat();
    let zip64 =
        |compressed: u64, size: u64| [&b"\x01\0\x10\0"[..], &size.to_le_bytes(), &compressed.to_le_bytes()].concat();
    let unknown = Some(u32::MAX);
    for (local_header, what) in [
        (LocalHeader::default(), "sizes of 0"),
        (
            LocalHeader { crc: unknown, compressed: unknown, size: unknown, ..LocalHeader::default() },
            "sizes of 0xffffffff",
        ),
        (
            LocalHeader { compressed: unknown, size: unknown, extra: zip64(0, 0), ..LocalHeader::default() },
            "zip64 sizes of 0",
        ),
        (
            LocalHeader {
                compressed: unknown,
                size: unknown,
                extra: zip64(u64::MAX, u64::MAX),
                ..LocalHeader::default()
            },
            "unknown zip64 sizes",
        ),
        (
            LocalHeader { compressed: unknown, size: unknown, extra: zip64(5, 5), ..LocalHeader::default() },
            "right zip64 sizes",
        ),
        (LocalHeader { extra: zip64(0, 0), version: Some(45), ..LocalHeader::default() }, "unused zip64 field"),
        (
            LocalHeader { compressed: Some(5), size: Some(5), ..LocalHeader::default() },
            "right sizes without a checksum",
        ),
    ] {
        for (descriptor, width) in [(&narrow, "4 bytes"), (&wide, "8 bytes")] {
            for signature in [&b"PK\x07\x08"[..], b""] {
                let trailer = [signature, descriptor].concat();
                assert_readable(
                    RawEntry { trailer, ..streamed_entry(&local_header) },
                    &format!("{what}, {width}, signature {signature:?}"),
                )
                .await;
            }
        }
        assert_readable(streamed_entry(&local_header), &format!("{what}, no descriptor")).await;
    }
}

#[tokio::test]
async fn reads_entries_with_sizes_in_zip64_fields() {
    let wide = |values: &[u64]| {
        let length = u16::try_from(8 * values.len()).unwrap();
        let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        [&1_u16.to_le_bytes()[..], &length.to_le_bytes(), &values].concat()
    };
    let central = || RawEntry { size: u32::MAX, extra: wide(&[5]), ..RawEntry::file("x", b"bytes") };
    for (local_header, flags, what) in [
        (LocalHeader { size: Some(5), ..LocalHeader::default() }, 0, "in the directory only"),
        (LocalHeader { compressed: Some(u32::MAX), extra: wide(&[5, 5]), ..LocalHeader::default() }, 0, "in both"),
        (LocalHeader { extra: wide(&[5]), ..LocalHeader::default() }, 0, "for one of the sizes"),
        (LocalHeader { size: Some(0), compressed: Some(0), crc: Some(0), ..LocalHeader::default() }, 8, "streamed"),
        (LocalHeader { compressed: Some(u32::MAX), crc: Some(0), ..LocalHeader::default() }, 8, "streamed and unknown"),
    ] {
        assert_readable(RawEntry { flags, local_header, ..central() }, what).await;
    }
    let local_header = LocalHeader { compressed: Some(u32::MAX), extra: wide(&[6, 5]), ..LocalHeader::default() };
    assert!(rejection(&raw_archive(&[RawEntry { local_header, ..central() }])).await.contains("another size"));
}

#[tokio::test]
async fn reads_zip64_end_record_that_matches_end_record() {
    let (out, directory) = entries_and_directory(&[RawEntry::file("x", b"bytes")], 0);
    let (start, length) = (out.len(), directory.len());
    let wide = raw_zip64_archive(&[RawEntry::file("x", b"bytes")], 1);
    let narrow = |entries: u16, start: usize| {
        let end = end_record(entries, u32::try_from(length).unwrap(), u32::try_from(start).unwrap());
        [&wide[..wide.len() - 22], &end].concat()
    };
    let package_file = PackageFile::new(&narrow(1, start));
    assert_eq!(Contents::open(&package_file.path).await.unwrap().read("x").await.unwrap(), b"bytes"[..]);
    assert_eq!(rejection(&narrow(2, start)).await, "its two ends say two things; the package is refused");
}

#[tokio::test]
async fn rejects_zip_bomb_before_unpacking() {
    let zeros = vec![0; 2 << 20];
    let bomb = raw_archive(&[RawEntry::deflated("bomb", &zeros)]);
    assert!(bomb.len() < 20_000);
    let line = rejection(&bomb).await;
    assert_eq!(
        line,
        "entry \"bomb\" unpacks to more than 250 times its size; raise `PackageLimits::ratio` if that is right"
    );
    let line = rejection_within(&bomb, PackageLimits::default().entry_bytes(1 << 20)).await;
    assert!(line.contains("unpacks to more than 1048576 bytes; raise `PackageLimits::entry_bytes`"), "{line}");
    let many: Vec<RawEntry> = (0..4).map(|n| RawEntry::file(format!("{n}"), &[7; 1000])).collect();
    let line = rejection_within(&raw_archive(&many), PackageLimits::default().total_bytes(3000)).await;
    assert!(line.starts_with("entry \"3\" makes more than 3000 bytes with those before it"), "{line}");
    let line = rejection_within(&raw_archive(&many), PackageLimits::default().entries(3)).await;
    assert_eq!(line, "it holds 4 entries, more than 3; raise `PackageLimits::entries` if that is right");
    let deep: Vec<RawEntry> = (0..3).map(|n| RawEntry::file(format!("{n}/a/b/c"), b"")).collect();
    let line = rejection_within(&raw_archive(&deep), PackageLimits::default().entries(8)).await;
    assert_eq!(line, "it has more than 8 folders; raise `PackageLimits::entries` if that is right");
    // A higher limit accepts the archive.
    let package_file = PackageFile::new(&bomb);
    let contents = Contents::open_within(&package_file.path, PackageLimits::default().ratio(2000)).await.unwrap();
    assert_eq!(contents.read("bomb").await.unwrap(), zeros);
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
    let contents = Contents::open(&package_file.path).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    contents.unpack_to(folder.path().join("out")).await.unwrap();
    assert_eq!(std::fs::read(folder.path().join("out/Originals/nested.zip")).unwrap(), inner);
    assert_eq!(std::fs::read_dir(folder.path().join("out/Originals")).unwrap().count(), 1);
}

#[tokio::test]
async fn stops_at_declared_size_of_entry() {
    // Declares 100 bytes and unpacks to 2 MiB; the second entry unpacks to fewer bytes than declared.
    let zeros = vec![0; 2 << 20];
    let bomb = RawEntry { size: 100, ..RawEntry::deflated("bomb", &zeros) };
    let short = RawEntry { size: 101, ..RawEntry::deflated("short", &[0; 100]) };
    let package_file = PackageFile::new(&raw_archive(&[bomb, short]));
    let contents = Contents::open(&package_file.path).await.unwrap();
    for name in ["bomb", "short"] {
        let line = error_reason(&package_file, &contents.read(name).await.unwrap_err(), ErrorKind::Integrity);
        assert!(line.starts_with(&format!("entry {name:?} ")), "{line}");
        let streamed = contents.stream(name).unwrap().try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(streamed.kind(), ErrorKind::Integrity);
    }
    assert!(contents.check().await.is_err());
    assert!(contents.unpack_to(package_file.target()).await.is_err());
    assert!(package_file.is_only_file(), "no partial file remains");
}

#[tokio::test]
async fn detects_wrong_checksum_and_leaves_no_file() {
    let bad = RawEntry { crc: 1, ..RawEntry::file("b.pdf", b"changed on its way") };
    let package_file = PackageFile::new(&raw_archive(&[RawEntry::file("a.pdf", b"sound"), bad]));
    let contents = Contents::open(&package_file.path).await.unwrap();
    assert_eq!(contents.read("a.pdf").await.unwrap(), b"sound"[..]);
    let error = contents.read("b.pdf").await.unwrap_err();
    let line = "entry \"b.pdf\" is damaged (Invalid checksum); fetch the package again";
    assert_eq!(error_reason(&package_file, &error, ErrorKind::Integrity), line);
    let error = contents.unpack_to(package_file.target()).await.unwrap_err();
    assert_eq!(error_reason(&package_file, &error, ErrorKind::Integrity), line);
    assert!(package_file.is_only_file());
    let damaged = RawEntry { compressed: vec![0xff; 30], ..RawEntry::deflated("c", &[1; 100]) };
    let package_file = PackageFile::new(&raw_archive(&[damaged]));
    let error = Contents::open(&package_file.path).await.unwrap().read("c").await.unwrap_err();
    assert!(error_reason(&package_file, &error, ErrorKind::Integrity).starts_with("entry \"c\" is damaged"), "{error}");
}

#[tokio::test]
async fn rejects_truncated_package_at_any_length() {
    let archive_bytes = raw_archive(&[RawEntry::file("Originals/study.pdf", STUDY), RawEntry::file("x", b"y")]);
    let end = archive_bytes.len();
    for length in [0, 1, 21, 22, 100, STUDY.len(), end - 60, end - 23, end - 22, end - 21, end - 1] {
        let line = rejection(&archive_bytes[..length]).await;
        assert!(line.starts_with("it has no end") && line.ends_with("fetch the package again"), "{length}: {line}");
    }
    let line = rejection(&[&archive_bytes[..], b"more"].concat()).await;
    assert!(line.starts_with("bytes stand behind its end"), "{line}");
    let line = rejection(&[b"more", &archive_bytes[..]].concat()).await;
    assert!(line.starts_with("its directory is not where it should be"), "{line}");
    // Bytes in the middle are missing.
    let line = rejection(&[&archive_bytes[..100], &archive_bytes[200..]].concat()).await;
    assert!(line.starts_with("its directory is not where it should be"), "{line}");
}

#[tokio::test]
async fn exaggerated_entry_count_allocates_no_memory() {
    for bytes in [
        end_record(u16::MAX, u32::MAX, u32::MAX),
        raw_zip64_archive(&[RawEntry::file("x", b"y")], 1 << 50),
        raw_zip64_archive(&[RawEntry::file("x", b"y")], 99_999),
    ] {
        rejection(&bytes).await;
    }
}

#[tokio::test]
async fn reads_zip64_and_more_than_65535_entries() {
    let number = 65_536_u32;
    let entries: Vec<RawEntry> = (0..number).map(|n| RawEntry::file(format!("{n}/x"), &n.to_le_bytes())).collect();
    let package_file = PackageFile::new(&raw_zip64_archive(&entries, number.into()));
    let contents = Contents::open(&package_file.path).await.unwrap();
    assert_eq!(contents.entries().len(), 65_536);
    assert_eq!(contents.read("65535/x").await.unwrap(), 65_535_u32.to_le_bytes()[..]);
    // An archive with zip64 fields written by the `zip` crate.
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("large", zip::write::SimpleFileOptions::default().large_file(true)).unwrap();
    std::io::Write::write_all(&mut writer, b"bytes").unwrap();
    let package_file = PackageFile::new(&writer.finish().unwrap().into_inner());
    assert_eq!(Contents::open(&package_file.path).await.unwrap().read("large").await.unwrap(), b"bytes"[..]);
}

#[tokio::test]
async fn reads_streamed_zip() {
    // The headers have neither sizes nor checksums; data descriptors follow the data.
    let mut writer = zip::ZipWriter::new_stream(Vec::new());
    for name in ["Originals/a.pdf", "Originals/b.pdf"] {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut writer, STUDY).unwrap();
    }
    let package_file = PackageFile::new(&writer.finish().unwrap().into_inner());
    let contents = Contents::open(&package_file.path).await.unwrap();
    contents.check().await.unwrap();
    assert_eq!(contents.read("Originals/b.pdf").await.unwrap(), STUDY);
}

#[tokio::test]
async fn small_reports_share_one_memory_limit() {
    let rows: Vec<String> = (1..100).map(|n| format!(r#"<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>"#)).collect();
    let xlsx = xlsx(&rows.concat());
    let package_file =
        PackageFile::new(&zip(&[("Reports/1.xlsx", &xlsx), ("Reports/2.xlsx", &xlsx), ("Reports/3.xlsx", &xlsx)]));
    // Each report has 99 rows of 16,384 cells of 32 bytes.
    let limits = PackageLimits::default().memory_bytes(125 << 20);
    let contents = Contents::open_within(&package_file.path, limits).await.unwrap();
    assert_eq!(contents.report_named("Reports/2.xlsx").await.unwrap().sheets[0].rows.len(), 99);
    let line = error_reason(&package_file, &contents.reports().await.unwrap_err(), ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Reports/3.xlsx\" is no sound report: with those before it"), "{line}");
    let package_file =
        PackageFile::new(&zip(&[("Components/1.json", &[b' '; 700]), ("Components/2.json", &[b' '; 700])]));
    let contents =
        Contents::open_within(&package_file.path, PackageLimits::default().memory_bytes(1000)).await.unwrap();
    assert!(contents.components().await.is_err());
    // 60 kB of JSON objects that occupy more than 4 MB.
    let dense = format!(r#"{{"id":"1","other":[{}{{}}]}}"#, r#"{"":0},"#.repeat(8000));
    let package_file = PackageFile::new(&zip(&[("Components/1.json", dense.as_bytes())]));
    let contents =
        Contents::open_within(&package_file.path, PackageLimits::default().memory_bytes(1 << 20)).await.unwrap();
    let line = error_reason(&package_file, &contents.components().await.unwrap_err(), ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Components/1.json\" is too much for the memory"), "{line}");
}

#[tokio::test]
async fn reads_names_in_code_page_437() {
    // 0x81 and 0xe1 are ü and ß in CP437.
    let package_file = PackageFile::new(&raw_archive(&[RawEntry::file(b"Originals/Pr\x81fung gro\xe1.pdf", b"bytes")]));
    let contents = Contents::open(&package_file.path).await.unwrap();
    assert_eq!(contents.entries()[0].name(), "Originals/Prüfung groß.pdf");
    contents.unpack_to(package_file.target()).await.unwrap();
    assert_eq!(std::fs::read(package_file.target().join("Originals/Prüfung groß.pdf")).unwrap(), b"bytes");
}

#[tokio::test]
async fn opens_empty_archive_as_empty_package() {
    let package_file = PackageFile::new(&end_record(0, 0, 0));
    let contents = Contents::open(&package_file.path).await.unwrap();
    assert!(contents.entries().is_empty());
    assert!(contents.components().await.unwrap().is_empty());
    let error = contents.report().await.unwrap_err();
    assert!(error.to_string().ends_with("it holds 0 reports, not one; see `reports()`"), "{error}");
    contents.unpack_to(package_file.target()).await.unwrap();
    assert!(package_file.target().is_dir());
}

#[tokio::test]
async fn reports_file_that_is_not_a_package() {
    let package_file = PackageFile::new(b"<html>Not Found</html>, and some more text for the length of an end");
    let error = Contents::open(&package_file.path).await.unwrap_err();
    assert!(error_reason(&package_file, &error, ErrorKind::Integrity).contains("it is no ZIP archive"), "{error}");
    let error = Contents::open(package_file.folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let error = Contents::open(package_file.target()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
}

#[tokio::test]
async fn streams_entry_larger_than_memory_limit() {
    let many = vec![7; 300_000];
    let package_file = PackageFile::new(&raw_archive(&[RawEntry::file("x", &many)]));
    let contents =
        Contents::open_within(&package_file.path, PackageLimits::default().memory_bytes(1000)).await.unwrap();
    let line = error_reason(&package_file, &contents.read("x").await.unwrap_err(), ErrorKind::Integrity);
    assert!(line.contains("take it as a stream"), "{line}");
    let pieces: Vec<_> = contents.stream("x").unwrap().try_collect().await.unwrap();
    assert!(pieces.len() > 1);
    assert_eq!(pieces.concat(), many);
}

#[tokio::test]
async fn dropped_unpack_leaves_no_files() {
    let entries: Vec<RawEntry> = (0..5000).map(|n| RawEntry::file(format!("{n}"), b"bytes")).collect();
    let package_file = PackageFile::new(&raw_archive(&entries));
    let (contents, target) = (Contents::open(&package_file.path).await.unwrap(), package_file.target());
    let unpacking = tokio::spawn(async move { contents.unpack_to(target).await });
    while package_file.is_only_file() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    unpacking.abort();
    assert!(unpacking.await.unwrap_err().is_cancelled());
    // The writing thread notices the cancellation at its next file.
    for _ in 0..24_000 {
        if package_file.is_only_file() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(package_file.is_only_file());
}

/// Returns a small archive with a stored and a deflated entry.
fn small_archive() -> Vec<u8> {
    let text = b"many words, many words, many words";
    raw_archive(&[
        RawEntry::file("Originals/a.pdf", b"stored"),
        RawEntry::deflated("Components/a.json", text),
        RawEntry::file("d/", b""),
    ])
}

#[tokio::test]
async fn unpacks_stored_and_deflated_entries() {
    let package_file = PackageFile::new(&small_archive());
    let unpacked = Contents::open(&package_file.path).await.unwrap().unpack_to(package_file.target()).await.unwrap();
    assert_eq!((unpacked.files, unpacked.bytes), (2, 40));
    assert!(package_file.target().join("d").is_dir(), "a folder entry with file mode");
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn modified_package_never_yields_altered_content(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let mut bytes = small_archive();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let package_file = PackageFile::new(&bytes);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let unpacked = runtime.block_on(async {
            Contents::open(&package_file.path).await?.unpack_to(package_file.target()).await
        });
        match unpacked {
            Ok(_) => {
                let mut files = Vec::new();
                collect_files(&package_file.target(), &mut files);
                for file in files {
                    let text = std::fs::read(&file).unwrap();
                    prop_assert!(text == b"stored" || text.starts_with(b"many words") || text.is_empty(), "{file:?}: {text:?}");
                }
                prop_assert_eq!(std::fs::read_dir(package_file.folder.path()).unwrap().count(), 2);
            }
            Err(error) => {
                prop_assert!(!error.to_string().contains(char::is_control), "{error}");
                prop_assert!(package_file.is_only_file());
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn arbitrary_sheet_is_read_or_rejected_with_reason(
        parts in prop::collection::vec(prop_oneof![
            prop::sample::select(&[
                "<row r=\"1\">", "<row>", "</row>", "<c r=\"A1\">", "<c r=\"\">", "<c r=\"1\" t=\"s\">", "<c t=\"inlineStr\">", "<c t=\"d\" s=\"9\">",
                "<c r=\"AAAAAAAAAAAAAA99999999999999999999\">", "</c>", "<v>1</v>", "<v>1e999</v>", "<v>-1</v>", "<v/>", "<is><t>x</t></is>",
                "<f t=\"shared\" si=\"4000000000\" ref=\"A1:XFD1048576\">A1</f>", "<f>", "</f>", "&lol;", "&#0;", "<![CDATA[", "<!--", "<row r=\"4294967295\">",
            ][..]).prop_map(str::to_owned),
            "[<>/cvr\"=0-9 &;]{0,5}",
        ], 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        if let Err(error) = runtime.block_on(report_of(&parts.concat())) {
            let line = error.to_string();
            prop_assert!(line.contains("entry \"Reports/r.xlsx\" is no sound report: "), "{line}");
            prop_assert!(!line.contains(char::is_control), "{line}");
        }
    }
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect_files(&path, files) } else { files.push(path) }
    }
}

fn report_bytes() -> Vec<u8> {
    xlsx(r#"<row r="1"><c r="A1"><v>1</v></c></row>"#)
}

/// Builds a package with one report that has one sheet of these rows.
fn report(sheet: &str) -> Vec<u8> {
    zip(&[("Reports/r.xlsx", &xlsx(sheet))])
}

fn xlsx(sheet: &str) -> Vec<u8> {
    workbook(sheet, r#"<sst uniqueCount="1"><si><t>shared</t></si></sst>"#.as_bytes())
}

fn workbook(sheet: &str, texts: &[u8]) -> Vec<u8> {
    let types = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
    let rels = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let root = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    let book = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#;
    let sheet = format!(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{sheet}</sheetData></worksheet>"#
    );
    zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", root.as_bytes()),
        ("xl/_rels/workbook.xml.rels", rels.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/sharedStrings.xml", texts),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

async fn report_of(sheet: &str) -> documine::Result<Report> {
    let package_file = PackageFile::new(&report(sheet));
    Contents::open(&package_file.path).await.unwrap().report().await
}

#[tokio::test]
async fn sparse_cell_allocates_no_memory() {
    let far = r#"<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="C1048576" t="b"><v>1</v></c></row>"#;
    let sheet = report_of(far).await.unwrap().sheets.remove(0);
    let rows: Vec<(u32, Vec<Cell>)> = sheet.rows.into_iter().map(|row| (row.number, row.cells)).collect();
    let last = vec![Cell::Empty, Cell::Empty, Cell::Bool(true)];
    assert_eq!(rows, [(1, vec![Cell::Number(1.0)]), (1_048_576, last)]);
    let wide: Vec<String> = (1..600).map(|n| format!(r#"<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>"#)).collect();
    let error = report_of(&wide.concat()).await.unwrap_err();
    assert!(error.to_string().contains("more than 268435456 bytes of memory"), "{error}");
}

#[tokio::test]
async fn rejects_hostile_or_damaged_report() {
    for (sheet, part) in [
        (r#"<row r="1"><c r="A1"><v>1</v>"#, "its part \"xl/worksheets/sheet1.xml\" is damaged"),
        (r#"<row r="1048576"/><row/><row><c><v>1</v></c></row>"#, "more rows than a sheet can have"),
        (&"<a>".repeat(300), "too many elements lie in each other"),
    ] {
        let error = report_of(sheet).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        let line = error.to_string();
        assert!(line.contains("entry \"Reports/r.xlsx\" is no sound report: ") && line.contains(part), "{line}");
    }
    let bomb = raw_archive(&[RawEntry::deflated("xl/worksheets/sheet1.xml", &vec![b' '; 2 << 20])]);
    let evil = raw_archive(&[RawEntry::file("../x", b"")]);
    for (bytes, part) in [
        (&b"no archive"[..], "it is no ZIP"),
        (&bomb, "250 times its size"),
        (&evil, "leads out"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "protected by a password"),
    ] {
        let package_file = PackageFile::new(&zip(&[("Reports/r.xlsx", bytes)]));
        let error = Contents::open(&package_file.path).await.unwrap().reports().await.unwrap_err();
        let line = error_reason(&package_file, &error, ErrorKind::Integrity);
        assert!(line.starts_with("entry \"Reports/r.xlsx\" is no sound report: ") && line.contains(part), "{line}");
    }
}

#[tokio::test]
async fn damaged_report_or_export_does_not_affect_others() {
    let dense = format!(r#"{{"fileId":"2","other":[{}{{}}]}}"#, r#"{"":0},"#.repeat(8000));
    let package_file = PackageFile::new(&raw_archive(&[
        RawEntry::file("Reports/1.xlsx", &report_bytes()),
        RawEntry::file("Reports/2.xlsx", b"no archive"),
        RawEntry { method: 12, ..RawEntry::file("Reports/3.xlsx", b"BZh") },
        RawEntry::file("Reports/4.xlsx", &xlsx(&r#"<row><c r="XFD1"><v>1</v></c></row>"#.repeat(9))),
        RawEntry::file("Reports/5.xlsx", &report_bytes()),
        RawEntry::file("Components/1.json", br#"{"fileId":"1"}"#),
        RawEntry::file("Components/2.json", dense.as_bytes()),
        RawEntry::file("Components/3.json", b"[1]"),
        RawEntry::file("Components/4.json", br#"{"fileId":"4"}"#),
    ]));
    let contents =
        Contents::open_within(&package_file.path, PackageLimits::default().memory_bytes(1 << 20)).await.unwrap();
    // The name, or the entry named by the error followed by `!`.
    let named = |read: Vec<documine::Result<String>>| -> Vec<String> {
        let entry = |error: Error| {
            error_reason(&package_file, &error, ErrorKind::Integrity).split('"').nth(1).unwrap().to_owned() + "!"
        };
        read.into_iter().map(|name| name.unwrap_or_else(entry)).collect()
    };
    let reports = contents.reports_each().await.unwrap();
    let reports = named(reports.into_iter().map(|report| report.map(|report| report.name)).collect());
    let expected = ["Reports/1.xlsx", "Reports/2.xlsx!", "Reports/3.xlsx!", "Reports/4.xlsx!", "Reports/5.xlsx"];
    assert_eq!(reports, expected);
    let components = contents.components_each().await.unwrap();
    let components = named(components.into_iter().map(|read| read.map(|read| read.file_id.to_string())).collect());
    assert_eq!(components, ["1", "Components/2.json!", "Components/3.json!", "4"]);
    assert!(contents.reports().await.is_err() && contents.components().await.is_err());
}

#[tokio::test]
async fn exaggerated_shared_string_count_allocates_no_memory() {
    let shared = report_of(r#"<row><c t="s"><v>0</v></c></row>"#).await.unwrap();
    assert_eq!(shared.sheets[0].rows[0].cells, [Cell::Text("shared".into())]);
    let text = r#"<sst uniqueCount="999999999999999" count="999999999999999"><si/><si><t>x</t></si></sst>"#;
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for texts in [text.as_bytes(), &wide] {
        let cell = r#"<row><c t="s"><v>1</v></c></row>"#;
        let package_file = PackageFile::new(&zip(&[("Reports/r.xlsx", &workbook(cell, texts))]));
        let report = Contents::open(&package_file.path).await.unwrap().report().await.unwrap();
        assert_eq!(report.sheets[0].rows[0].cells, [Cell::Text("x".into())]);
    }
}

#[tokio::test]
async fn names_entry_with_invalid_components() {
    let package_file =
        PackageFile::new(&zip(&[("Components/x.components.json", b"[1]"), ("Components/x.components.xml", b"<x/>")]));
    let error = Contents::open(&package_file.path).await.unwrap().components().await.unwrap_err();
    let line = error_reason(&package_file, &error, ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Components/x.components.json\" is not the components of a file"), "{line}");
}
