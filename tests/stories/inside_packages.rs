//! What is inside packages: real ones are listed, read and unpacked; hostile and damaged ones are refused with one line.

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

use crate::archives::{OwnHeader, Raw, archive, archive_64, body, crc, end};
use crate::paper::{INVOICE, STUDY, zip};
use crate::properties::cases;
use crate::world::{World, add};

/// A package with everything, of a dossier with two files.
async fn package(world: &World) -> (DossierHandle, Package) {
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    add(&dossier, "invoice.pdf", INVOICE).await;
    let reports: Vec<ReportTemplateId> = dossier.get().await.unwrap().report_template_ids;
    let content = PackageContent::reports(reports[..1].to_vec())
        .and_file_types([DownloadFileType::Original, DownloadFileType::Preview]);
    let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
    (dossier, package)
}

/// An archive on disk, in a folder of its own.
struct Kept {
    folder: TempDir,
    path: PathBuf,
}

impl Kept {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        std::fs::write(&path, bytes).unwrap();
        Self { folder, path }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// Nothing lies beside the archive.
    fn is_alone(&self) -> bool {
        std::fs::read_dir(self.folder.path()).unwrap().count() == 1
    }
}

/// Why an archive is refused when it is opened; one line that begins with its path.
async fn refused_within(bytes: &[u8], limits: PackageLimits) -> String {
    let kept = Kept::new(bytes);
    let error = Contents::open_within(&kept.path, limits).await.unwrap_err();
    why(&kept, &error, ErrorKind::Integrity)
}

async fn refused(bytes: &[u8]) -> String {
    refused_within(bytes, PackageLimits::default()).await
}

fn why(kept: &Kept, error: &Error, kind: ErrorKind) -> String {
    assert_eq!((error.kind(), error.was_sent()), (kind, false), "{error}");
    let line = error.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
    line.strip_prefix(&format!("{}: ", kept.path.display())).unwrap_or_else(|| panic!("{line}")).to_owned()
}

async fn named(name: impl AsRef<[u8]>) -> String {
    refused(&archive(&[Raw::file(name, b"bytes")])).await
}

#[tokio::test]
async fn a_real_package_is_fetched_listed_read_and_closed() {
    let world = World::new().await;
    let (_, package) = package(&world).await;
    let contents = package.open().await.unwrap();
    let path = contents.path().to_owned();
    assert!(path.is_file());
    let kinds: Vec<(&str, &EntryKind)> = contents.entries().iter().map(|e| (e.name(), e.kind())).collect();
    let preview = EntryKind::Version(DownloadFileType::Preview);
    for wanted in [
        ("Originals/study.pdf", &EntryKind::Original),
        ("Originals/invoice.pdf", &EntryKind::Original),
        ("Previews/study.pdf", &preview),
        ("Previews/NOTE.txt", &EntryKind::Other),
        ("Components/study.components.json", &EntryKind::Components),
        ("Components/study.components.xml", &EntryKind::Components),
    ] {
        assert!(kinds.contains(&wanted), "{wanted:?} is not among {kinds:?}");
    }
    assert_eq!(kinds.iter().filter(|(_, kind)| **kind == EntryKind::Report).count(), 1);
    let originals: Vec<&str> = contents.originals().map(Entry::file_name).collect();
    assert_eq!(originals, ["study.pdf", "invoice.pdf"]);

    assert_eq!(contents.read("Originals/study.pdf").await.unwrap(), STUDY);
    let pieces: Vec<_> = contents.stream("Originals/invoice.pdf").unwrap().try_collect().await.unwrap();
    assert_eq!(pieces.concat(), INVOICE);
    contents.check().await.unwrap();
    let error = contents.read("Originals/other.pdf").await.unwrap_err();
    let line = format!("package {}: no entry named \"Originals/other.pdf\"; see `entries()`", package.id());
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Input, line));

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = path.parent().unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "nobody else reads what was fetched");
    }
    contents.close().await.unwrap();
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn what_was_fetched_is_gone_with_its_contents() {
    let world = World::new().await;
    let (_, package) = package(&world).await;
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
async fn a_report_has_rows_with_typed_cells() {
    let world = World::new().await;
    let (_, package) = package(&world).await;
    let report = package.open().await.unwrap().report().await.unwrap();
    let names: Vec<&str> = report.sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    assert_eq!(names, ["Overview", "Components"]);
    let overview = report.sheet("Overview").unwrap();
    let study = overview.rows.iter().find(|row| row.cells[0].as_text() == Some("study.pdf")).unwrap();
    assert_eq!(study.number, 6, "rows have the numbers that a spreadsheet shows");
    assert_eq!(study.cells[1..3], [Cell::Text("PROCESSED".into()), Cell::Number(4.0)]);
    let values = report.sheet("Components").unwrap();
    let number = values.rows.iter().find(|row| row.cells[1].as_text() == Some("StudyNumber")).unwrap();
    assert_eq!(number.cells[2].as_text(), Some("SVL-2023-0117"));
}

#[tokio::test]
async fn the_components_of_a_package_are_those_of_the_service() {
    let world = World::new().await;
    let (dossier, package) = package(&world).await;
    let live = dossier.components().include_details(true).await.unwrap();
    let kept = package.open().await.unwrap().components().await.unwrap();
    assert_eq!(kept.len(), 2);
    for components in &kept {
        assert!(live.contains(components), "{:?}", components.file_name);
    }
}

#[tokio::test]
async fn a_package_is_unpacked_into_a_new_folder() {
    let world = World::new().await;
    let (_, package) = package(&world).await;
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

#[cfg(unix)]
#[tokio::test]
async fn what_is_unpacked_is_not_executable() {
    use std::os::unix::fs::PermissionsExt;
    let script = Raw { mode: 0o104_777, ..Raw::file("run.sh", b"#!/bin/sh") };
    let folder = Raw { mode: 0o040_777, ..Raw::file("empty/", b"") };
    let kept = Kept::new(&archive(&[script, folder]));
    let plain = kept.folder.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    Contents::open(&kept.path).await.unwrap().unpack_to(kept.target()).await.unwrap();
    assert_eq!(mode(&kept.target().join("run.sh")), mode(&plain), "as any new file");
    assert_eq!(mode(&kept.target().join("run.sh")) & 0o111, 0);
    std::fs::create_dir(kept.folder.path().join("new")).unwrap();
    assert_eq!(mode(&kept.target()), mode(&kept.folder.path().join("new")), "as any new folder");
    assert!(kept.target().join("empty").is_dir());
}

#[tokio::test]
async fn an_entry_whose_name_leads_elsewhere_is_refused() {
    for (name, part) in [
        ("../x", "path leads out of the folder"),
        ("a/../../x", "path leads out of the folder"),
        ("/etc/passwd", "absolute path"),
        ("C:/x", "path with a drive letter"),
        (r"C:\x", "path with a drive letter"),
        (r"\x", "absolute path"),
        (r"\\host\share\x", "network path"),
        ("//host/share/x", "network path"),
        (r"..\x", "path leads out of the folder"),
        (r"a\..\..\x", "path leads out of the folder"),
    ] {
        let line = named(name).await;
        assert!(
            line.starts_with(&format!("entry {name:?}: {part}")) && line.ends_with("the package is rejected"),
            "{line}"
        );
    }
}

/// Unpacks an archive whose files hold their own names. Returns under which path each one is, by what was written.
async fn unpacked_names(entries: &[Raw]) -> Vec<(String, String)> {
    let kept = Kept::new(&archive(entries));
    let contents = Contents::open(&kept.path).await.unwrap();
    let unpacked = contents.unpack_to(kept.target()).await.unwrap();
    assert_eq!(unpacked.files, contents.entries().len() as u64);
    let mut files = Vec::new();
    walk(&kept.target(), &mut files);
    let mut found: Vec<(String, String)> = files
        .iter()
        .map(|file| {
            let path = file.strip_prefix(kept.target()).unwrap().to_str().unwrap().replace('\\', "/");
            (std::fs::read_to_string(file).unwrap(), path)
        })
        .collect();
    found.sort();
    let mut renamed: Vec<_> = unpacked.renamed.into_iter().map(|renamed| (renamed.entry, renamed.path)).collect();
    renamed.sort();
    let differing: Vec<_> = found.iter().filter(|(name, path)| name != path).cloned().collect();
    assert_eq!(renamed, differing, "what is said is what is there");
    found
}

fn file_of_its_name(name: &str) -> Raw {
    Raw { flags: 0x800, ..Raw::file(name, name.as_bytes()) }
}

#[tokio::test]
async fn unpacks_names_that_one_system_cannot_hold_under_escaped_ones() {
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
        let found = unpacked_names(&[file_of_its_name(name)]).await;
        assert_eq!(found, [(name.to_owned(), path.to_owned())]);
    }
    let long = format!("{}.pdf", "x".repeat(300));
    let found = unpacked_names(&[file_of_its_name(&long)]).await;
    assert!(found[0].1.len() <= 255 && Path::new(&found[0].1).extension() == Some("pdf".as_ref()), "{found:?}");
    let deep = format!("{}x.pdf", "a/".repeat(200));
    let found = unpacked_names(&[file_of_its_name(&deep)]).await;
    assert!(found[0].1.starts_with("long-") && found[0].1.ends_with("/x.pdf"), "{found:?}");
}

#[tokio::test]
async fn unpacks_names_that_are_one_on_some_systems_under_numbered_ones() {
    for (names, paths) in [
        (["a/Report.pdf", "A/report.pdf"], ["a/Report.pdf", "a/report (2).pdf"]),
        (["é", "e\u{301}"], ["é", "e\u{301} (2)"]),
        (["straße", "STRASSE"], ["straße", "STRASSE (2)"]),
        (["a", "A/x"], ["a (2)", "A/x"]),
        (["a b.pdf", "a\u{a0}b.pdf"], ["a b.pdf", "a\u{a0}b.pdf"]),
    ] {
        let mut wanted: Vec<_> = std::iter::zip(names, paths).map(|(name, path)| (name.into(), path.into())).collect();
        wanted.sort();
        assert_eq!(unpacked_names(&names.map(file_of_its_name)).await, wanted);
    }
    let kept = Kept::new(&archive(&[Raw { mode: 0, ..Raw::file("d/", b"") }, Raw::file("D", b"a file")]));
    let unpacked = Contents::open(&kept.path).await.unwrap().unpack_to(kept.target()).await.unwrap();
    assert_eq!((unpacked.renamed[0].entry.as_str(), unpacked.renamed[0].path.as_str()), ("D", "D (2)"));
    assert!(kept.target().join("d").is_dir());
}

#[tokio::test]
async fn takes_backslashes_for_separators() {
    let folder = Raw { mode: 0, ..Raw::file(r"Reports\", b"") };
    let sheet = report_bytes();
    let kept = Kept::new(&archive(&[
        folder,
        Raw { mode: 0, ..Raw::file(r"Originals\2024\a.pdf", b"%PDF") },
        Raw { mode: 0, ..Raw::file(r"Reports\r.xlsx", &sheet) },
        Raw::file("./Previews//a.pdf", b"%PDF"),
    ]));
    let contents = Contents::open(&kept.path).await.unwrap();
    let names: Vec<&str> = contents.entries().iter().map(Entry::name).collect();
    assert_eq!(names, ["Originals/2024/a.pdf", "Reports/r.xlsx", "Previews/a.pdf"]);
    assert_eq!(contents.originals().count(), 1);
    assert_eq!(contents.read("Originals/2024/a.pdf").await.unwrap(), b"%PDF"[..]);
    assert_eq!(contents.report().await.unwrap().sheets.len(), 1);
    let unpacked = contents.unpack_to(kept.target()).await.unwrap();
    assert!(kept.target().join("Originals/2024/a.pdf").is_file() && unpacked.renamed.is_empty(), "{unpacked:?}");
    let twice = [Raw::file(r"a\x", b"one"), Raw::file("a/x", b"other")];
    assert_eq!(refused(&archive(&twice)).await, "entry \"a/x\": duplicate name; the package is rejected");
}

#[tokio::test]
async fn counts_no_files_of_an_operating_system_as_documents() {
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
    let mut entries = vec![Raw::file("Originals/a.pdf", b"%PDF"), Raw::file("Reports/r.xlsx", &sheet)];
    entries.extend(left.iter().map(|name| Raw::file(name, b"\0\x05\x16\x07")));
    let kept = Kept::new(&archive(&entries));
    let contents = Contents::open(&kept.path).await.unwrap();
    let originals: Vec<&str> = contents.originals().map(Entry::name).collect();
    assert_eq!(originals, ["Originals/a.pdf"]);
    assert_eq!(contents.reports().await.unwrap().len(), 1);
    assert_eq!(contents.report().await.unwrap().name, "Reports/r.xlsx");
    assert!(contents.components().await.unwrap().is_empty());
    let system = contents.entries().iter().filter(|entry| *entry.kind() == EntryKind::System).count();
    assert_eq!(system, left.len(), "they are listed all the same");
    contents.unpack_to(kept.target()).await.unwrap();
}

#[tokio::test]
async fn links_and_other_special_files_are_refused() {
    for mode in [0o120_777, 0o020_644, 0o060_644, 0o010_644, 0o140_644] {
        let special = Raw { mode, ..Raw::file("link", b"/etc/passwd") };
        let line = refused(&archive(&[special])).await;
        assert_eq!(line, "entry \"link\": symbolic link or other special file; the package is rejected");
    }
    let folder = Raw { mode: 0o040_755, ..Raw::file("x", b"") };
    assert!(refused(&archive(&[folder])).await.contains("special file"));
}

#[tokio::test]
async fn an_entry_that_is_there_twice_is_refused() {
    let twice = archive(&[Raw::file("a/x", b"one"), Raw::file("a/x", b"other")]);
    assert_eq!(refused(&twice).await, "entry \"a/x\": duplicate name; the package is rejected");
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_costs_no_other_one() {
    for (odd, part) in [
        (Raw { flags: 1, ..Raw::file("x", b"0123456789abcdef") }, "encrypted entries are not supported"),
        (Raw { method: 9, ..Raw::file("x", b"deflate64") }, "unsupported compression method"),
        (Raw { method: 12, ..Raw::file("x", b"BZh") }, "unsupported compression method"),
        (Raw { method: 14, ..Raw::file("x", b"lzma") }, "unsupported compression method"),
        (Raw { method: 93, ..Raw::file("x", b"zstd") }, "unsupported compression method"),
        (Raw { method: 93, size: u32::MAX - 1, ..Raw::file("x", b"zstd") }, "unsupported compression method"),
    ] {
        let kept = Kept::new(&archive(&[Raw::file("a", b"one"), odd, Raw::file("b", b"two")]));
        let contents = Contents::open(&kept.path).await.unwrap();
        contents.check().await.unwrap();
        assert_eq!(contents.read("b").await.unwrap(), b"two"[..]);
        let entry = contents.entries().iter().find(|entry| entry.name() == "x").unwrap();
        let reason = entry.unreadable().unwrap();
        assert!(reason.starts_with(part), "{reason}");
        let error = contents.read("x").await.unwrap_err();
        assert_eq!(why(&kept, &error, ErrorKind::Integrity), format!("entry \"x\": {reason}"));
        assert!(contents.stream("x").unwrap().try_collect::<Vec<_>>().await.is_err());
        let unpacked = contents.unpack_to(kept.target()).await.unwrap();
        assert_eq!(unpacked.files, 2);
        let skipped: Vec<_> =
            unpacked.skipped.iter().map(|entry| (entry.entry.as_str(), entry.reason.as_str())).collect();
        assert_eq!(skipped, [("x", reason)]);
        assert!(!kept.target().join("x").exists());
    }
}

#[tokio::test]
async fn entries_that_share_bytes_are_refused() {
    // The bomb of shared bytes: each entry's data holds the next one with its header.
    let inner = Raw::file("inner", b"bytes");
    let (bytes, _) = body(std::slice::from_ref(&inner), 0);
    let outer = Raw::file("outer", &bytes);
    let place = u32::try_from(30 + outer.name.len()).unwrap();
    let (out, directory) = body(std::slice::from_ref(&outer), 0);
    let (_, second) = body(&[Raw { place: Some(place), ..inner }], 0);
    let mut whole = out;
    let start = u32::try_from(whole.len()).unwrap();
    let length = u32::try_from(directory.len() + second.len()).unwrap();
    whole.extend(directory.iter().chain(&second));
    whole.extend(end(2, length, start));
    assert_eq!(refused(&whole).await, "entry \"outer\": overlaps the following data; the package is rejected");
}

#[tokio::test]
async fn an_entry_that_reaches_into_the_directory_is_refused() {
    let mut bytes = archive(&[Raw::file("x", b"bytes")]);
    let directory = bytes.len() - 22 - 47;
    for at in [18, 22, directory + 20, directory + 24] {
        bytes[at] = 40;
    }
    assert!(refused(&bytes).await.starts_with("entry \"x\": overlaps the following data"), "{}", refused(&bytes).await);
}

#[tokio::test]
async fn headers_that_say_two_things_are_refused() {
    let x = || Raw::file("x", b"bytes");
    let own = |own: OwnHeader| Raw { own, ..x() };
    let own_extra = unicode_path(b"x", b"y");
    for (two, part) in [
        (Raw { local_name: Some(b"y".to_vec()), ..x() }, "name differs"),
        (Raw { local_name: Some(b"xx".to_vec()), ..x() }, "name differs"),
        (own(OwnHeader { extra: own_extra, ..OwnHeader::default() }), "name differs"),
        (own(OwnHeader { method: Some(8), ..OwnHeader::default() }), "compression method differs"),
        (own(OwnHeader { flags: Some(1), ..OwnHeader::default() }), "encryption differs"),
        (own(OwnHeader { size: Some(4), ..OwnHeader::default() }), "size differs"),
        (own(OwnHeader { size: Some(0), ..OwnHeader::default() }), "size differs"),
        (own(OwnHeader { packed: Some(4), ..OwnHeader::default() }), "packed size differs"),
        (own(OwnHeader { crc: Some(0), ..OwnHeader::default() }), "checksum differs"),
        // Streamed, and yet another size, or another one behind the data.
        (own(OwnHeader { flags: Some(8), size: Some(4), ..OwnHeader::default() }), "size differs"),
        (
            Raw { behind: [&b"PK\x07\x08"[..], &[1; 12]].concat(), ..streamed(&OwnHeader::default()) },
            "sizes or checksum differ",
        ),
        (Raw { behind: vec![1; 12], ..streamed(&OwnHeader::default()) }, "sizes or checksum differ"),
    ] {
        let line = refused(&archive(&[two])).await;
        assert!(line.starts_with("entry \"x\": ") && line.contains(part), "{line}");
        assert!(line.ends_with("the package is rejected"), "{line}");
    }
    // An entry that the directory does not list.
    let (hidden, _) = body(&[Raw::file("hidden", b"bytes")], 0);
    let (out, directory) = body(&[Raw::file("x", b"bytes")], hidden.len());
    let mut whole = [hidden, out].concat();
    let start = u32::try_from(whole.len()).unwrap();
    whole.extend(&directory);
    whole.extend(end(1, u32::try_from(directory.len()).unwrap(), start));
    let line = "entry missing in the ZIP central directory; the package is rejected";
    assert_eq!(refused(&whole).await, line);
    let hidden = Raw { behind: archive(&[x()]), ..x() };
    assert_eq!(refused(&archive(&[hidden])).await, line);
}

/// The extra field with a name in UTF-8, of an entry of this name (APPNOTE 4.6.9).
fn unicode_path(name: &[u8], path: &[u8]) -> Vec<u8> {
    let length = u16::try_from(5 + path.len()).unwrap();
    [&0x7075_u16.to_le_bytes()[..], &length.to_le_bytes(), &[1], &crc(name).to_le_bytes(), path].concat()
}

/// An entry whose own header knows neither sizes nor the checksum, but for what `own` says.
fn streamed(own: &OwnHeader) -> Raw {
    let own = OwnHeader {
        crc: own.crc.or(Some(0)),
        packed: own.packed.or(Some(0)),
        size: own.size.or(Some(0)),
        flags: own.flags.or(Some(8)),
        ..own.clone()
    };
    Raw { flags: 8, own, ..Raw::file("x", b"bytes") }
}

async fn is_read(entry: Raw, what: &str) {
    // The next one tells whether the end of this one was found.
    let kept = Kept::new(&archive(&[entry, Raw::file("next", b"more")]));
    let contents = Contents::open(&kept.path).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    contents.check().await.unwrap();
    assert_eq!(contents.read("x").await.unwrap(), b"bytes"[..], "{what}");
    assert_eq!(contents.read("next").await.unwrap(), b"more"[..], "{what}");
}

#[tokio::test]
async fn reads_headers_that_differ_in_what_changes_nothing() {
    let time = [&b"UT\x05\0\x01"[..], &[1, 2, 3, 4]].concat();
    let damaged = b"UT\xff\xff\x01".to_vec();
    for (own, what) in [
        (OwnHeader { time: Some(0x1234), ..OwnHeader::default() }, "time"),
        (OwnHeader { version: Some(45), ..OwnHeader::default() }, "version needed"),
        (OwnHeader { version: Some(0), ..OwnHeader::default() }, "version needed"),
        (OwnHeader { flags: Some(0x800), ..OwnHeader::default() }, "UTF-8"),
        (OwnHeader { flags: Some(0x06), ..OwnHeader::default() }, "how tightly it is packed"),
        (OwnHeader { flags: Some(8), ..OwnHeader::default() }, "a data descriptor that is not there"),
        (OwnHeader { extra: time, ..OwnHeader::default() }, "an extra field"),
        (OwnHeader { extra: damaged, ..OwnHeader::default() }, "a damaged extra field"),
        (OwnHeader { extra: unicode_path(b"other", b"y"), ..OwnHeader::default() }, "a Unicode path of another name"),
        (OwnHeader { extra: unicode_path(b"x", b"x"), ..OwnHeader::default() }, "a Unicode path of the same name"),
    ] {
        is_read(Raw { own, ..Raw::file("x", b"bytes") }, what).await;
    }
    is_read(
        Raw { flags: 0x808, own: OwnHeader { flags: Some(0), ..OwnHeader::default() }, ..Raw::file("x", b"bytes") },
        "",
    )
    .await;
    let slash = Raw { local_name: Some(br"a\x".to_vec()), ..Raw::file("a/x", b"bytes") };
    let kept = Kept::new(&archive(&[slash]));
    assert_eq!(Contents::open(&kept.path).await.unwrap().read("a/x").await.unwrap(), b"bytes"[..]);
    // The directory knows a better name than the entry's own header.
    let renamed = Raw { extra: unicode_path(b"x", "prüfung".as_bytes()), ..Raw::file("x", b"bytes") };
    let kept = Kept::new(&archive(&[renamed]));
    assert_eq!(Contents::open(&kept.path).await.unwrap().read("prüfung").await.unwrap(), b"bytes"[..]);
    // As macOS writes it: in UTF-8, apart, and without a flag that says so.
    let apart = Raw::file("u\u{308}.pdf", b"bytes");
    let kept = Kept::new(&archive(&[apart]));
    assert_eq!(Contents::open(&kept.path).await.unwrap().read("u\u{308}.pdf").await.unwrap(), b"bytes"[..]);
    let many = Raw { extra: vec![0; 4 * 400], ..Raw::file("x", b"bytes") };
    assert!(refused(&archive(&[many])).await.contains("more than 16 extra fields"));
}

#[tokio::test]
async fn reads_data_descriptors_of_both_widths() {
    let sum = crc(b"bytes").to_le_bytes();
    let narrow = [&sum[..], &5_u32.to_le_bytes(), &5_u32.to_le_bytes()].concat();
    let wide = [&sum[..], &5_u64.to_le_bytes(), &5_u64.to_le_bytes()].concat();
    let zip64 = |packed: u64, size: u64| [&b"\x01\0\x10\0"[..], &size.to_le_bytes(), &packed.to_le_bytes()].concat();
    let unknown = Some(u32::MAX);
    for (own, what) in [
        (OwnHeader::default(), "sizes of 0"),
        (OwnHeader { crc: unknown, packed: unknown, size: unknown, ..OwnHeader::default() }, "sizes of 0xffffffff"),
        (OwnHeader { packed: unknown, size: unknown, extra: zip64(0, 0), ..OwnHeader::default() }, "zip64 sizes of 0"),
        (
            OwnHeader { packed: unknown, size: unknown, extra: zip64(u64::MAX, u64::MAX), ..OwnHeader::default() },
            "unknown zip64 sizes",
        ),
        (OwnHeader { packed: unknown, size: unknown, extra: zip64(5, 5), ..OwnHeader::default() }, "right zip64 sizes"),
        (OwnHeader { extra: zip64(0, 0), version: Some(45), ..OwnHeader::default() }, "a zip64 field of no use"),
        (OwnHeader { packed: Some(5), size: Some(5), ..OwnHeader::default() }, "right sizes without a checksum"),
    ] {
        for (descriptor, width) in [(&narrow, "4 bytes"), (&wide, "8 bytes")] {
            for signature in [&b"PK\x07\x08"[..], b""] {
                let behind = [signature, descriptor].concat();
                is_read(Raw { behind, ..streamed(&own) }, &format!("{what}, {width}, signature {signature:?}")).await;
            }
        }
        is_read(streamed(&own), &format!("{what}, no descriptor")).await;
    }
}

#[tokio::test]
async fn reads_entries_whose_sizes_stand_in_zip64_fields() {
    let wide = |values: &[u64]| {
        let length = u16::try_from(8 * values.len()).unwrap();
        let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        [&1_u16.to_le_bytes()[..], &length.to_le_bytes(), &values].concat()
    };
    let central = || Raw { size: u32::MAX, extra: wide(&[5]), ..Raw::file("x", b"bytes") };
    for (own, flags, what) in [
        (OwnHeader { size: Some(5), ..OwnHeader::default() }, 0, "in the directory only"),
        (OwnHeader { packed: Some(u32::MAX), extra: wide(&[5, 5]), ..OwnHeader::default() }, 0, "in both"),
        (OwnHeader { extra: wide(&[5]), ..OwnHeader::default() }, 0, "for one of the sizes"),
        (OwnHeader { size: Some(0), packed: Some(0), crc: Some(0), ..OwnHeader::default() }, 8, "streamed"),
        (OwnHeader { packed: Some(u32::MAX), crc: Some(0), ..OwnHeader::default() }, 8, "streamed and unknown"),
    ] {
        is_read(Raw { flags, own, ..central() }, what).await;
    }
    let own = OwnHeader { packed: Some(u32::MAX), extra: wide(&[6, 5]), ..OwnHeader::default() };
    assert!(refused(&archive(&[Raw { own, ..central() }])).await.contains("size differs"));
}

#[tokio::test]
async fn reads_a_wide_end_although_the_narrow_one_tells_everything() {
    let (out, directory) = body(&[Raw::file("x", b"bytes")], 0);
    let (start, length) = (out.len(), directory.len());
    let wide = archive_64(&[Raw::file("x", b"bytes")], 1);
    let narrow = |entries: u16, start: usize| {
        let end = end(entries, u32::try_from(length).unwrap(), u32::try_from(start).unwrap());
        [&wide[..wide.len() - 22], &end].concat()
    };
    let kept = Kept::new(&narrow(1, start));
    assert_eq!(Contents::open(&kept.path).await.unwrap().read("x").await.unwrap(), b"bytes"[..]);
    assert_eq!(refused(&narrow(2, start)).await, "contradictory ZIP end records; the package is rejected");
}

#[tokio::test]
async fn a_bomb_is_refused_before_it_is_unpacked() {
    let zeros = vec![0; 2 << 20];
    let bomb = archive(&[Raw::deflated("bomb", &zeros)]);
    assert!(bomb.len() < 20_000);
    let line = refused(&bomb).await;
    assert_eq!(
        line,
        "entry \"bomb\": unpacked size exceeds 250 times the packed size; raise `PackageLimits::ratio` to accept the package"
    );
    let line = refused_within(&bomb, PackageLimits::default().entry_bytes(1 << 20)).await;
    assert!(line.contains("unpacked size exceeds 1048576 bytes; raise `PackageLimits::entry_bytes`"), "{line}");
    let many: Vec<Raw> = (0..4).map(|n| Raw::file(format!("{n}"), &[7; 1000])).collect();
    let line = refused_within(&archive(&many), PackageLimits::default().total_bytes(3000)).await;
    assert!(line.starts_with("entry \"3\": total unpacked size exceeds 3000 bytes"), "{line}");
    let line = refused_within(&archive(&many), PackageLimits::default().entries(3)).await;
    assert_eq!(line, "4 entries exceed the limit of 3; raise `PackageLimits::entries` to accept the package");
    let deep: Vec<Raw> = (0..3).map(|n| Raw::file(format!("{n}/a/b/c"), b"")).collect();
    let line = refused_within(&archive(&deep), PackageLimits::default().entries(8)).await;
    assert_eq!(line, "more than 8 folders; raise `PackageLimits::entries` to accept the package");
    // What is right for the caller is read.
    let kept = Kept::new(&bomb);
    let contents = Contents::open_within(&kept.path, PackageLimits::default().ratio(2000)).await.unwrap();
    assert_eq!(contents.read("bomb").await.unwrap(), zeros);
}

#[tokio::test]
async fn an_archive_in_a_package_stays_an_archive() {
    // Each of nine levels holds sixteen of the next: whoever unpacked them all would get 68 TB.
    let mut inner = archive(&[Raw::deflated("zeros", &[0; 1_000])]);
    for _ in 0..9 {
        let names: Vec<_> = (0..16).map(|number| format!("{number}.zip")).collect();
        let files: Vec<_> = names.iter().map(|name| Raw::deflated(name, &inner)).collect();
        inner = archive(&files);
    }
    let kept = Kept::new(&archive(&[Raw::file("Originals/nested.zip", &inner)]));
    let contents = Contents::open(&kept.path).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    contents.unpack_to(folder.path().join("out")).await.unwrap();
    assert_eq!(std::fs::read(folder.path().join("out/Originals/nested.zip")).unwrap(), inner);
    assert_eq!(std::fs::read_dir(folder.path().join("out/Originals")).unwrap().count(), 1);
}

#[tokio::test]
async fn an_entry_that_lies_about_its_size_is_cut_off() {
    // Says that it has 100 bytes, and unpacks to 2 MiB; or to fewer than it says.
    let zeros = vec![0; 2 << 20];
    let bomb = Raw { size: 100, ..Raw::deflated("bomb", &zeros) };
    let short = Raw { size: 101, ..Raw::deflated("short", &[0; 100]) };
    let kept = Kept::new(&archive(&[bomb, short]));
    let contents = Contents::open(&kept.path).await.unwrap();
    for name in ["bomb", "short"] {
        let line = why(&kept, &contents.read(name).await.unwrap_err(), ErrorKind::Integrity);
        assert!(line.starts_with(&format!("entry {name:?}")), "{line}");
        let streamed = contents.stream(name).unwrap().try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(streamed.kind(), ErrorKind::Integrity);
    }
    assert!(contents.check().await.is_err());
    assert!(contents.unpack_to(kept.target()).await.is_err());
    assert!(kept.is_alone(), "nothing half-written stays");
}

#[tokio::test]
async fn a_wrong_checksum_is_noticed_and_leaves_nothing() {
    let bad = Raw { crc: 1, ..Raw::file("b.pdf", b"changed on its way") };
    let kept = Kept::new(&archive(&[Raw::file("a.pdf", b"sound"), bad]));
    let contents = Contents::open(&kept.path).await.unwrap();
    assert_eq!(contents.read("a.pdf").await.unwrap(), b"sound"[..]);
    let error = contents.read("b.pdf").await.unwrap_err();
    let line = "entry \"b.pdf\" is damaged: Invalid checksum; download the package again";
    assert_eq!(why(&kept, &error, ErrorKind::Integrity), line);
    let error = contents.unpack_to(kept.target()).await.unwrap_err();
    assert_eq!(why(&kept, &error, ErrorKind::Integrity), line);
    assert!(kept.is_alone());
    let damaged = Raw { packed: vec![0xff; 30], ..Raw::deflated("c", &[1; 100]) };
    let kept = Kept::new(&archive(&[damaged]));
    let error = Contents::open(&kept.path).await.unwrap().read("c").await.unwrap_err();
    assert!(why(&kept, &error, ErrorKind::Integrity).starts_with("entry \"c\" is damaged"), "{error}");
}

#[tokio::test]
async fn a_package_that_was_cut_off_is_refused_wherever_that_was() {
    let whole = archive(&[Raw::file("Originals/study.pdf", STUDY), Raw::file("x", b"y")]);
    let end = whole.len();
    for length in [0, 1, 21, 22, 100, STUDY.len(), end - 60, end - 23, end - 22, end - 21, end - 1] {
        let line = refused(&whole[..length]).await;
        assert!(
            line.starts_with("not a ZIP archive, or truncated") && line.ends_with("download the package again"),
            "{length}: {line}"
        );
    }
    let line = refused(&[&whole[..], b"more"].concat()).await;
    assert!(line.starts_with("trailing bytes after the ZIP archive"), "{line}");
    let line = refused(&[b"more", &whole[..]].concat()).await;
    assert!(line.starts_with("ZIP central directory at an unexpected offset"), "{line}");
    // A middle that is missing.
    let line = refused(&[&whole[..100], &whole[200..]].concat()).await;
    assert!(line.starts_with("ZIP central directory at an unexpected offset"), "{line}");
}

#[tokio::test]
async fn an_end_that_promises_the_moon_takes_no_memory() {
    for bytes in [
        end(u16::MAX, u32::MAX, u32::MAX),
        archive_64(&[Raw::file("x", b"y")], 1 << 50),
        archive_64(&[Raw::file("x", b"y")], 99_999),
    ] {
        refused(&bytes).await;
    }
}

#[tokio::test]
async fn zip64_and_more_than_65535_entries_are_read() {
    let number = 65_536_u32;
    let entries: Vec<Raw> = (0..number).map(|n| Raw::file(format!("{n}/x"), &n.to_le_bytes())).collect();
    let kept = Kept::new(&archive_64(&entries, number.into()));
    let contents = Contents::open(&kept.path).await.unwrap();
    assert_eq!(contents.entries().len(), 65_536);
    assert_eq!(contents.read("65535/x").await.unwrap(), 65_535_u32.to_le_bytes()[..]);
    // By the library's own hand, too.
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("large", zip::write::SimpleFileOptions::default().large_file(true)).unwrap();
    std::io::Write::write_all(&mut writer, b"bytes").unwrap();
    let kept = Kept::new(&writer.finish().unwrap().into_inner());
    assert_eq!(Contents::open(&kept.path).await.unwrap().read("large").await.unwrap(), b"bytes"[..]);
}

#[tokio::test]
async fn what_was_packed_as_a_stream_is_read() {
    // Its headers know neither sizes nor checksums; they stand behind the data.
    let mut writer = zip::ZipWriter::new_stream(Vec::new());
    for name in ["Originals/a.pdf", "Originals/b.pdf"] {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut writer, STUDY).unwrap();
    }
    let kept = Kept::new(&writer.finish().unwrap().into_inner());
    let contents = Contents::open(&kept.path).await.unwrap();
    contents.check().await.unwrap();
    assert_eq!(contents.read("Originals/b.pdf").await.unwrap(), STUDY);
}

#[tokio::test]
async fn many_small_reports_are_as_much_as_a_large_one() {
    let rows: Vec<String> = (1..100).map(|n| format!(r#"<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>"#)).collect();
    let xlsx = xlsx(&rows.concat());
    let kept = Kept::new(&zip(&[("Reports/1.xlsx", &xlsx), ("Reports/2.xlsx", &xlsx), ("Reports/3.xlsx", &xlsx)]));
    // Each has 99 rows of 16,384 cells of 32 bytes.
    let limits = PackageLimits::default().memory_bytes(125 << 20);
    let contents = Contents::open_within(&kept.path, limits).await.unwrap();
    assert_eq!(contents.report_named("Reports/2.xlsx").await.unwrap().sheets[0].rows.len(), 99);
    let line = why(&kept, &contents.reports().await.unwrap_err(), ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Reports/3.xlsx\": invalid report: reports exceed"), "{line}");
    let kept = Kept::new(&zip(&[("Components/1.json", &[b' '; 700]), ("Components/2.json", &[b' '; 700])]));
    let contents = Contents::open_within(&kept.path, PackageLimits::default().memory_bytes(1000)).await.unwrap();
    assert!(contents.components().await.is_err());
    // 60 kB of objects that take more than 4 MB.
    let dense = format!(r#"{{"id":"1","other":[{}{{}}]}}"#, r#"{"":0},"#.repeat(8000));
    let kept = Kept::new(&zip(&[("Components/1.json", dense.as_bytes())]));
    let contents = Contents::open_within(&kept.path, PackageLimits::default().memory_bytes(1 << 20)).await.unwrap();
    let line = why(&kept, &contents.components().await.unwrap_err(), ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Components/1.json\": memory limit of the call exceeded"), "{line}");
}

#[tokio::test]
async fn names_in_the_old_code_page_are_read() {
    // 0x81 and 0xe1 are ü and ß in CP437.
    let kept = Kept::new(&archive(&[Raw::file(b"Originals/Pr\x81fung gro\xe1.pdf", b"bytes")]));
    let contents = Contents::open(&kept.path).await.unwrap();
    assert_eq!(contents.entries()[0].name(), "Originals/Prüfung groß.pdf");
    contents.unpack_to(kept.target()).await.unwrap();
    assert_eq!(std::fs::read(kept.target().join("Originals/Prüfung groß.pdf")).unwrap(), b"bytes");
}

#[tokio::test]
async fn an_empty_archive_is_an_empty_package() {
    let kept = Kept::new(&end(0, 0, 0));
    let contents = Contents::open(&kept.path).await.unwrap();
    assert!(contents.entries().is_empty());
    assert!(contents.components().await.unwrap().is_empty());
    let error = contents.report().await.unwrap_err();
    assert!(error.to_string().ends_with("0 reports, expected one; use `reports()`"), "{error}");
    contents.unpack_to(kept.target()).await.unwrap();
    assert!(kept.target().is_dir());
}

#[tokio::test]
async fn what_is_no_package_says_so() {
    let kept = Kept::new(b"<html>Not Found</html>, and some more text for the length of an end");
    let error = Contents::open(&kept.path).await.unwrap_err();
    assert!(why(&kept, &error, ErrorKind::Integrity).contains("not a ZIP archive"), "{error}");
    let error = Contents::open(kept.folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let error = Contents::open(kept.target()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
}

#[tokio::test]
async fn more_than_the_memory_is_for_comes_as_a_stream() {
    let many = vec![7; 300_000];
    let kept = Kept::new(&archive(&[Raw::file("x", &many)]));
    let contents = Contents::open_within(&kept.path, PackageLimits::default().memory_bytes(1000)).await.unwrap();
    let line = why(&kept, &contents.read("x").await.unwrap_err(), ErrorKind::Integrity);
    assert!(line.contains("stream the entry"), "{line}");
    let pieces: Vec<_> = contents.stream("x").unwrap().try_collect().await.unwrap();
    assert!(pieces.len() > 1);
    assert_eq!(pieces.concat(), many);
}

#[tokio::test]
async fn unpacking_that_is_given_up_leaves_nothing() {
    let entries: Vec<Raw> = (0..5000).map(|n| Raw::file(format!("{n}"), b"bytes")).collect();
    let kept = Kept::new(&archive(&entries));
    let (contents, target) = (Contents::open(&kept.path).await.unwrap(), kept.target());
    let unpacking = tokio::spawn(async move { contents.unpack_to(target).await });
    while kept.is_alone() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    unpacking.abort();
    assert!(unpacking.await.unwrap_err().is_cancelled());
    // The thread that writes notices it at its next file.
    for _ in 0..24_000 {
        if kept.is_alone() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(kept.is_alone());
}

/// A small archive of both ways to pack.
fn small() -> Vec<u8> {
    let text = b"many words, many words, many words";
    archive(&[Raw::file("Originals/a.pdf", b"stored"), Raw::deflated("Components/a.json", text), Raw::file("d/", b"")])
}

#[tokio::test]
async fn a_small_package_of_both_ways_to_pack_is_unpacked() {
    let kept = Kept::new(&small());
    let unpacked = Contents::open(&kept.path).await.unwrap().unpack_to(kept.target()).await.unwrap();
    assert_eq!((unpacked.files, unpacked.bytes), (2, 40));
    assert!(kept.target().join("d").is_dir(), "a folder that is marked as a file");
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn whatever_is_changed_in_a_package_only_what_was_packed_comes_out(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let mut bytes = small();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let kept = Kept::new(&bytes);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let unpacked = runtime.block_on(async {
            Contents::open(&kept.path).await?.unpack_to(kept.target()).await
        });
        match unpacked {
            Ok(_) => {
                let mut files = Vec::new();
                walk(&kept.target(), &mut files);
                for file in files {
                    let text = std::fs::read(&file).unwrap();
                    prop_assert!(text == b"stored" || text.starts_with(b"many words") || text.is_empty(), "{file:?}: {text:?}");
                }
                prop_assert_eq!(std::fs::read_dir(kept.folder.path()).unwrap().count(), 2);
            }
            Err(error) => {
                prop_assert!(!error.to_string().contains(char::is_control), "{error}");
                prop_assert!(kept.is_alone());
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn whatever_is_in_a_sheet_it_is_read_or_refused_with_a_reason(
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
            prop_assert!(line.contains("entry \"Reports/r.xlsx\": invalid report: "), "{line}");
            prop_assert!(!line.contains(char::is_control), "{line}");
        }
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

fn report_bytes() -> Vec<u8> {
    xlsx(r#"<row r="1"><c r="A1"><v>1</v></c></row>"#)
}

/// A package with one report that has one sheet of these rows.
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
    let kept = Kept::new(&report(sheet));
    Contents::open(&kept.path).await.unwrap().report().await
}

#[tokio::test]
async fn a_far_cell_does_not_fill_the_memory() {
    let far = r#"<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="C1048576" t="b"><v>1</v></c></row>"#;
    let sheet = report_of(far).await.unwrap().sheets.remove(0);
    let rows: Vec<(u32, Vec<Cell>)> = sheet.rows.into_iter().map(|row| (row.number, row.cells)).collect();
    let last = vec![Cell::Empty, Cell::Empty, Cell::Bool(true)];
    assert_eq!(rows, [(1, vec![Cell::Number(1.0)]), (1_048_576, last)]);
    let wide: Vec<String> = (1..600).map(|n| format!(r#"<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>"#)).collect();
    let error = report_of(&wide.concat()).await.unwrap_err();
    assert!(error.to_string().contains("exceed 268435456 bytes of memory"), "{error}");
}

#[tokio::test]
async fn a_report_that_is_hostile_or_damaged_is_refused() {
    for (sheet, part) in [
        (r#"<row r="1"><c r="A1"><v>1</v>"#, "part \"xl/worksheets/sheet1.xml\" is damaged"),
        (r#"<row r="1048576"/><row/><row><c><v>1</v></c></row>"#, "more rows than a sheet can hold"),
        (&"<a>".repeat(300), "too many nested elements"),
    ] {
        let error = report_of(sheet).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        let line = error.to_string();
        assert!(line.contains("entry \"Reports/r.xlsx\": invalid report: ") && line.contains(part), "{line}");
    }
    let bomb = archive(&[Raw::deflated("xl/worksheets/sheet1.xml", &vec![b' '; 2 << 20])]);
    let evil = archive(&[Raw::file("../x", b"")]);
    for (bytes, part) in [
        (&b"no archive"[..], "not a ZIP archive"),
        (&bomb, "250 times the packed size"),
        (&evil, "leads out"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "protected by a password"),
    ] {
        let kept = Kept::new(&zip(&[("Reports/r.xlsx", bytes)]));
        let error = Contents::open(&kept.path).await.unwrap().reports().await.unwrap_err();
        let line = why(&kept, &error, ErrorKind::Integrity);
        assert!(line.starts_with("entry \"Reports/r.xlsx\": invalid report: ") && line.contains(part), "{line}");
    }
}

#[tokio::test]
async fn one_damaged_report_or_export_costs_no_other_one() {
    let dense = format!(r#"{{"fileId":"2","other":[{}{{}}]}}"#, r#"{"":0},"#.repeat(8000));
    let kept = Kept::new(&archive(&[
        Raw::file("Reports/1.xlsx", &report_bytes()),
        Raw::file("Reports/2.xlsx", b"no archive"),
        Raw { method: 12, ..Raw::file("Reports/3.xlsx", b"BZh") },
        Raw::file("Reports/4.xlsx", &xlsx(&r#"<row><c r="XFD1"><v>1</v></c></row>"#.repeat(9))),
        Raw::file("Reports/5.xlsx", &report_bytes()),
        Raw::file("Components/1.json", br#"{"fileId":"1"}"#),
        Raw::file("Components/2.json", dense.as_bytes()),
        Raw::file("Components/3.json", b"[1]"),
        Raw::file("Components/4.json", br#"{"fileId":"4"}"#),
    ]));
    let contents = Contents::open_within(&kept.path, PackageLimits::default().memory_bytes(1 << 20)).await.unwrap();
    // A name, or of an error the entry that it names.
    let named = |read: Vec<documine::Result<String>>| -> Vec<String> {
        let entry = |error: Error| why(&kept, &error, ErrorKind::Integrity).split('"').nth(1).unwrap().to_owned() + "!";
        read.into_iter().map(|name| name.unwrap_or_else(entry)).collect()
    };
    let reports = contents.reports_each().await.unwrap();
    let reports = named(reports.into_iter().map(|report| report.map(|report| report.name)).collect());
    let wanted = ["Reports/1.xlsx", "Reports/2.xlsx!", "Reports/3.xlsx!", "Reports/4.xlsx!", "Reports/5.xlsx"];
    assert_eq!(reports, wanted);
    let components = contents.components_each().await.unwrap();
    let components = named(components.into_iter().map(|read| read.map(|read| read.file_id.to_string())).collect());
    assert_eq!(components, ["1", "Components/2.json!", "Components/3.json!", "4"]);
    assert!(contents.reports().await.is_err() && contents.components().await.is_err());
}

#[tokio::test]
async fn a_report_that_promises_the_moon_takes_no_memory() {
    let shared = report_of(r#"<row><c t="s"><v>0</v></c></row>"#).await.unwrap();
    assert_eq!(shared.sheets[0].rows[0].cells, [Cell::Text("shared".into())]);
    let text = r#"<sst uniqueCount="999999999999999" count="999999999999999"><si/><si><t>x</t></si></sst>"#;
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for texts in [text.as_bytes(), &wide] {
        let cell = r#"<row><c t="s"><v>1</v></c></row>"#;
        let kept = Kept::new(&zip(&[("Reports/r.xlsx", &workbook(cell, texts))]));
        let report = Contents::open(&kept.path).await.unwrap().report().await.unwrap();
        assert_eq!(report.sheets[0].rows[0].cells, [Cell::Text("x".into())]);
    }
}

#[tokio::test]
async fn components_that_are_none_are_told_by_name() {
    let kept = Kept::new(&zip(&[("Components/x.components.json", b"[1]"), ("Components/x.components.xml", b"<x/>")]));
    let error = Contents::open(&kept.path).await.unwrap().components().await.unwrap_err();
    let line = why(&kept, &error, ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Components/x.components.json\": not the components of a file"), "{line}");
}
