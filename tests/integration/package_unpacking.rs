//! Unpacking of packages: portable names, private modes, and no files left after an error or a drop.

use std::path::Path;
use std::time::Duration;

use documine::package::PackageArchive;
use proptest::prelude::*;

use crate::harness::package_file::{PackageFile, collect_files};
use crate::harness::properties::cases;
use crate::harness::zip_fixtures::{RawEntry, raw_archive};

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
    PackageArchive::open(&package_file.path).await.unwrap().unpack_to(package_file.target()).await.unwrap();
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

/// Unpacks an archive whose files contain their own names. Returns each written content with its path.
async fn unpacked_names(entries: &[RawEntry]) -> Vec<(String, String)> {
    let package_file = PackageFile::new(&raw_archive(entries));
    let contents = PackageArchive::open(&package_file.path).await.unwrap();
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
    let unpacked =
        PackageArchive::open(&package_file.path).await.unwrap().unpack_to(package_file.target()).await.unwrap();
    assert_eq!((unpacked.renamed[0].entry.as_str(), unpacked.renamed[0].path.as_str()), ("D", "D (2)"));
    assert!(package_file.target().join("d").is_dir());
}

#[tokio::test]
async fn dropped_unpack_leaves_no_files() {
    let entries: Vec<RawEntry> = (0..5000).map(|n| RawEntry::file(format!("{n}"), b"bytes")).collect();
    let package_file = PackageFile::new(&raw_archive(&entries));
    let (contents, target) = (PackageArchive::open(&package_file.path).await.unwrap(), package_file.target());
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
    let unpacked =
        PackageArchive::open(&package_file.path).await.unwrap().unpack_to(package_file.target()).await.unwrap();
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
            PackageArchive::open(&package_file.path).await?.unpack_to(package_file.target()).await
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
