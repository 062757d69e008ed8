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

use crate::archives::{Raw, archive, archive_64, body, end};
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
    let line = format!("package {}: there is no entry \"Originals/other.pdf\"; look at `entries()`", package.id());
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
    assert!(error.to_string().contains("more than 2; raise `PackageLimits::entries`"), "{error}");
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
    assert!(error.to_string().ends_with("q3 is there already; name a folder that is not"), "{error}");
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
        ("../x", "leads out of its folder"),
        ("a/../../x", "leads out of its folder"),
        ("/etc/passwd", "has an absolute path"),
        ("C:/x", "names a drive"),
        ("a/d:x", "names a drive"),
        (r"\\host\share\x", "names a computer of a network"),
        ("//host/share/x", "names a computer of a network"),
        (r"..\x", "has a backslash in its name"),
    ] {
        let line = named(name).await;
        assert!(
            line.starts_with(&format!("entry {name:?} {part}")) && line.ends_with("the package is refused"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn an_entry_with_a_name_that_no_file_has_everywhere_is_refused() {
    for (name, part) in [
        ("Reports/CON", "the name of a device"),
        ("nul.txt", "the name of a device"),
        ("COM1.pdf", "the name of a device"),
        ("x\0.pdf", "control characters"),
        ("x\x1b[2J", "control characters"),
        ("x.", "ends with a dot or a blank"),
        ("x /y", "ends with a dot or a blank"),
        ("x\u{202e}fdp.exe", "turn the direction"),
        ("", "no bytes"),
    ] {
        let line = named(name).await;
        assert!(line.contains(part), "{name:?}: {line}");
    }
}

#[tokio::test]
async fn links_and_other_special_files_are_refused() {
    for mode in [0o120_777, 0o020_644, 0o060_644, 0o010_644, 0o140_644] {
        let special = Raw { mode, ..Raw::file("link", b"/etc/passwd") };
        let line = refused(&archive(&[special])).await;
        assert_eq!(line, "entry \"link\" is a link or another special file; the package is refused");
    }
    let folder = Raw { mode: 0o040_755, ..Raw::file("x", b"") };
    assert!(refused(&archive(&[folder])).await.contains("special file"));
}

#[tokio::test]
async fn an_entry_that_is_there_twice_is_refused() {
    let twice = archive(&[Raw::file("a/x", b"one"), Raw::file("a/x", b"other")]);
    assert_eq!(refused(&twice).await, "entry \"a/x\" is in it twice; the package is refused");
}

#[tokio::test]
async fn names_that_are_one_on_some_systems_are_refused() {
    for (one, other) in [("a/x.pdf", "A/X.PDF"), ("é", "e\u{301}"), ("straße", "STRASSE"), ("d/", "D")] {
        let line = refused(&archive(&[Raw { mode: 0, ..Raw::file(one, b"") }, Raw::file(other, b"")])).await;
        assert!(line.contains("are one on some systems") && line.contains(&format!("{one:?}")), "{line}");
    }
}

#[tokio::test]
async fn a_file_that_is_a_folder_too_is_refused() {
    let line = refused(&archive(&[Raw::file("a-b", b""), Raw::file("A/x", b""), Raw::file("a", b"")])).await;
    assert_eq!(line, "entry \"a\" is a file, and entry \"A/x\" lies in it; the package is refused");
}

#[tokio::test]
async fn what_is_encrypted_or_packed_otherwise_is_refused() {
    let encrypted = Raw { flags: 1, ..Raw::file("x", b"0123456789abcdef") };
    assert!(refused(&archive(&[encrypted])).await.starts_with("entry \"x\" is encrypted"));
    let bzip = Raw { method: 12, ..Raw::file("x", b"BZh") };
    assert!(refused(&archive(&[bzip])).await.starts_with("entry \"x\" is packed in a way that packages do not use"));
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
    assert_eq!(
        refused(&whole).await,
        "entry \"outer\" shares bytes with what stands behind it; the package is refused"
    );
}

#[tokio::test]
async fn an_entry_that_reaches_into_the_directory_is_refused() {
    let mut bytes = archive(&[Raw::file("x", b"bytes")]);
    let directory = bytes.len() - 22 - 47;
    for at in [18, 22, directory + 20, directory + 24] {
        bytes[at] = 40;
    }
    assert!(refused(&bytes).await.starts_with("entry \"x\" shares bytes"), "{}", refused(&bytes).await);
}

#[tokio::test]
async fn headers_that_say_two_things_are_refused() {
    let two = Raw { local_name: Some(b"y".to_vec()), ..Raw::file("x", b"bytes") };
    assert!(refused(&archive(&[two])).await.starts_with("it is damaged"));
    // An entry that the directory does not list.
    let (hidden, _) = body(&[Raw::file("hidden", b"bytes")], 0);
    let (out, directory) = body(&[Raw::file("x", b"bytes")], hidden.len());
    let mut whole = [hidden, out].concat();
    let start = u32::try_from(whole.len()).unwrap();
    whole.extend(&directory);
    whole.extend(end(1, u32::try_from(directory.len()).unwrap(), start));
    assert!(refused(&whole).await.starts_with("it is damaged"));
}

#[tokio::test]
async fn a_bomb_is_refused_before_it_is_unpacked() {
    let zeros = vec![0; 2 << 20];
    let bomb = archive(&[Raw::deflated("bomb", &zeros)]);
    assert!(bomb.len() < 20_000);
    let line = refused(&bomb).await;
    assert_eq!(
        line,
        "entry \"bomb\" unpacks to more than 250 times its size; raise `PackageLimits::ratio` if that is right"
    );
    let line = refused_within(&bomb, PackageLimits::default().entry_bytes(1 << 20)).await;
    assert!(line.contains("unpacks to more than 1048576 bytes; raise `PackageLimits::entry_bytes`"), "{line}");
    let many: Vec<Raw> = (0..4).map(|n| Raw::file(format!("{n}"), &[7; 1000])).collect();
    let line = refused_within(&archive(&many), PackageLimits::default().total_bytes(3000)).await;
    assert!(line.starts_with("entry \"3\" makes more than 3000 bytes with those before it"), "{line}");
    let line = refused_within(&archive(&many), PackageLimits::default().entries(3)).await;
    assert_eq!(line, "it holds 4 entries, more than 3; raise `PackageLimits::entries` if that is right");
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
        assert!(line.starts_with(&format!("entry {name:?} ")), "{line}");
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
    let line = "entry \"b.pdf\" is damaged (Invalid checksum); fetch the package again";
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
        assert!(line.starts_with("it has no end") && line.ends_with("fetch the package again"), "{length}: {line}");
    }
    let line = refused(&[&whole[..], b"more"].concat()).await;
    assert!(line.starts_with("bytes stand behind its end"), "{line}");
    let line = refused(&[b"more", &whole[..]].concat()).await;
    assert!(line.starts_with("its directory is not where it should be"), "{line}");
    // A middle that is missing.
    let line = refused(&[&whole[..100], &whole[200..]].concat()).await;
    assert!(line.starts_with("its directory is not where it should be"), "{line}");
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
    let contents = Contents::open(&kept.path).await.unwrap();
    assert_eq!(contents.report_named("Reports/2.xlsx").await.unwrap().sheets[0].rows.len(), 99);
    let line = why(&kept, &contents.reports().await.unwrap_err(), ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Reports/3.xlsx\" is no sound report: with those before it"), "{line}");
    let kept = Kept::new(&zip(&[("Components/1.json", &[b' '; 700]), ("Components/2.json", &[b' '; 700])]));
    let contents = Contents::open_within(&kept.path, PackageLimits::default().memory_bytes(1000)).await.unwrap();
    assert!(contents.components().await.is_err());
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
    assert!(error.to_string().ends_with("it holds 0 reports, not one; see `reports()`"), "{error}");
    contents.unpack_to(kept.target()).await.unwrap();
    assert!(kept.target().is_dir());
}

#[tokio::test]
async fn what_is_no_package_says_so() {
    let kept = Kept::new(b"<html>Not Found</html>, and some more text for the length of an end");
    let error = Contents::open(&kept.path).await.unwrap_err();
    assert!(why(&kept, &error, ErrorKind::Integrity).contains("it is no ZIP archive"), "{error}");
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
    assert!(line.contains("take it as a stream"), "{line}");
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
            prop_assert!(line.contains("entry \"Reports/r.xlsx\" is no sound report: "), "{line}");
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
    let wide: Vec<String> = (1..300).map(|n| format!(r#"<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>"#)).collect();
    let error = report_of(&wide.concat()).await.unwrap_err();
    assert!(error.to_string().contains("more than 4000000 cells"), "{error}");
}

#[tokio::test]
async fn a_report_that_is_hostile_or_damaged_is_refused() {
    for (sheet, part) in [
        (r#"<row r="1"><c r="A1"><v>1</v>"#, "Unexpected end of xml"),
        (r#"<row r="1"><c r="ZZZ1"><v>1</v></c></row>"#, "outside of the sheet"),
        (r#"<row r="1"><c r="A1" t="s"><v>99</v></c></row>"#, "string"),
    ] {
        let error = report_of(sheet).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        let line = error.to_string();
        assert!(line.contains("entry \"Reports/r.xlsx\" is no sound report: ") && line.contains(part), "{line}");
    }
    let bomb = archive(&[Raw::deflated("xl/worksheets/sheet1.xml", &vec![b' '; 2 << 20])]);
    let evil = archive(&[Raw::file("../x", b"")]);
    for (bytes, part) in [(&b"no archive"[..], "it is no ZIP"), (&bomb, "250 times its size"), (&evil, "leads out")] {
        let kept = Kept::new(&zip(&[("Reports/r.xlsx", bytes)]));
        let error = Contents::open(&kept.path).await.unwrap().reports().await.unwrap_err();
        let line = why(&kept, &error, ErrorKind::Integrity);
        assert!(line.starts_with("entry \"Reports/r.xlsx\" is no sound report: ") && line.contains(part), "{line}");
    }
}

#[tokio::test]
async fn a_report_that_promises_the_moon_takes_no_memory() {
    let shared = report_of(r#"<row><c t="s"><v>0</v></c></row>"#).await.unwrap();
    assert_eq!(shared.sheets[0].rows[0].cells, [Cell::Text("shared".into())]);
    let promise = r#"<!-- <sst uniqueCount="1"> --><sst uniqueCount = '999999999999999'><si/></sst>"#;
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(promise.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for (texts, part) in [(promise.as_bytes(), "which it has no room for"), (&wide, "not in UTF-8")] {
        let kept = Kept::new(&zip(&[("Reports/r.xlsx", &workbook("", texts))]));
        let error = Contents::open(&kept.path).await.unwrap().report().await.unwrap_err();
        let line = why(&kept, &error, ErrorKind::Integrity);
        assert!(line.starts_with("entry \"Reports/r.xlsx\" is no sound report: ") && line.contains(part), "{line}");
    }
}

#[tokio::test]
async fn components_that_are_none_are_told_by_name() {
    let kept = Kept::new(&zip(&[("Components/x.components.json", b"[1]"), ("Components/x.components.xml", b"<x/>")]));
    let error = Contents::open(&kept.path).await.unwrap().components().await.unwrap_err();
    let line = why(&kept, &error, ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Components/x.components.json\" is not the components of a file"), "{line}");
}
