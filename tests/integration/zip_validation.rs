//! Validation of ZIP archives: hostile and damaged archives are rejected in one line, unusual valid ones are read.

use documine::{
    ErrorKind,
    package::{PackageArchive, PackageLimits},
};
use futures_util::TryStreamExt;

use crate::harness::package_file::{PackageFile, error_reason, rejection, rejection_within};
use crate::harness::pdf_fixtures::STUDY;
use crate::harness::zip_fixtures::{
    LocalHeader, RawEntry, crc32, end_record, entries_and_directory, raw_archive, raw_zip64_archive,
};

/// Reason for which an entry with another compression method is unreadable.
const UNSUPPORTED_METHOD: &str = "unsupported compression method";

async fn name_rejection(name: impl AsRef<[u8]>) -> String {
    rejection(&raw_archive(&[RawEntry::file(name, b"bytes")])).await
}

#[tokio::test]
async fn rejects_zip_with_path_traversal() {
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
        let line = name_rejection(name).await;
        assert!(
            line.starts_with(&format!("entry {name:?}: {part}")) && line.ends_with("the package is rejected"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn rejects_links_and_special_files() {
    for mode in [0o120_777, 0o020_644, 0o060_644, 0o010_644, 0o140_644] {
        let special = RawEntry { mode, ..RawEntry::file("link", b"/etc/passwd") };
        let line = rejection(&raw_archive(&[special])).await;
        assert_eq!(line, "entry \"link\": symbolic link or other special file; the package is rejected");
    }
    let folder = RawEntry { mode: 0o040_755, ..RawEntry::file("x", b"") };
    assert!(rejection(&raw_archive(&[folder])).await.contains("special file"));
}

#[tokio::test]
async fn rejects_duplicate_entry() {
    let duplicate = raw_archive(&[RawEntry::file("a/x", b"one"), RawEntry::file("a/x", b"other")]);
    assert_eq!(rejection(&duplicate).await, "entry \"a/x\": duplicate name; the package is rejected");
}

#[tokio::test]
async fn unreadable_entry_does_not_affect_others() {
    for (unreadable, part) in [
        (RawEntry { flags: 1, ..RawEntry::file("x", b"0123456789abcdef") }, "encrypted entries are not supported"),
        (RawEntry { method: 9, ..RawEntry::file("x", b"deflate64") }, UNSUPPORTED_METHOD),
        (RawEntry { method: 12, ..RawEntry::file("x", b"BZh") }, UNSUPPORTED_METHOD),
        (RawEntry { method: 14, ..RawEntry::file("x", b"lzma") }, UNSUPPORTED_METHOD),
        (RawEntry { method: 93, ..RawEntry::file("x", b"zstd") }, UNSUPPORTED_METHOD),
        (RawEntry { method: 93, size: u32::MAX - 1, ..RawEntry::file("x", b"zstd") }, UNSUPPORTED_METHOD),
    ] {
        let package_file =
            PackageFile::new(&raw_archive(&[RawEntry::file("a", b"one"), unreadable, RawEntry::file("b", b"two")]));
        let contents = PackageArchive::open(&package_file.path).await.unwrap();
        contents.check().await.unwrap();
        assert_eq!(contents.read("b").await.unwrap(), b"two"[..]);
        let entry = contents.entries().iter().find(|entry| entry.name() == "x").unwrap();
        let reason = entry.unreadable().unwrap();
        assert!(reason.starts_with(part), "{reason}");
        let error = contents.read("x").await.unwrap_err();
        assert_eq!(error_reason(&package_file, &error, ErrorKind::Integrity), format!("entry \"x\": {reason}"));
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
        "entry \"outer\": overlaps the following data; the package is rejected"
    );
}

#[tokio::test]
async fn rejects_entry_that_overlaps_the_directory() {
    let mut bytes = raw_archive(&[RawEntry::file("x", b"bytes")]);
    let directory = bytes.len() - 22 - 47;
    for at in [18, 22, directory + 20, directory + 24] {
        bytes[at] = 40;
    }
    assert!(
        rejection(&bytes).await.starts_with("entry \"x\": overlaps the following data"),
        "{}",
        rejection(&bytes).await
    );
}

#[tokio::test]
async fn rejects_contradictory_headers() {
    let x = || RawEntry::file("x", b"bytes");
    let local_header = |local_header: LocalHeader| RawEntry { local_header, ..x() };
    let own_extra = unicode_path(b"x", b"y");
    for (two, part) in [
        (RawEntry { local_name: Some(b"y".to_vec()), ..x() }, "name differs"),
        (RawEntry { local_name: Some(b"xx".to_vec()), ..x() }, "name differs"),
        (local_header(LocalHeader { extra: own_extra, ..LocalHeader::default() }), "name differs"),
        (local_header(LocalHeader { method: Some(8), ..LocalHeader::default() }), "compression method differs"),
        (local_header(LocalHeader { flags: Some(1), ..LocalHeader::default() }), "encryption differs"),
        (local_header(LocalHeader { size: Some(4), ..LocalHeader::default() }), "size differs"),
        (local_header(LocalHeader { size: Some(0), ..LocalHeader::default() }), "size differs"),
        (local_header(LocalHeader { compressed: Some(4), ..LocalHeader::default() }), "packed size differs"),
        (local_header(LocalHeader { crc: Some(0), ..LocalHeader::default() }), "checksum differs"),
        // Streamed entries with a wrong size in the local header or in the data descriptor.
        (local_header(LocalHeader { flags: Some(8), size: Some(4), ..LocalHeader::default() }), "size differs"),
        (
            RawEntry { trailer: [&b"PK\x07\x08"[..], &[1; 12]].concat(), ..streamed_entry(&LocalHeader::default()) },
            "sizes or checksum differ",
        ),
        (RawEntry { trailer: vec![1; 12], ..streamed_entry(&LocalHeader::default()) }, "sizes or checksum differ"),
    ] {
        let line = rejection(&raw_archive(&[two])).await;
        assert!(line.starts_with("entry \"x\": ") && line.contains(part), "{line}");
        assert!(line.ends_with("the package is rejected"), "{line}");
    }
    // An entry that the directory does not list.
    let (hidden, _) = entries_and_directory(&[RawEntry::file("hidden", b"bytes")], 0);
    let (out, directory) = entries_and_directory(&[RawEntry::file("x", b"bytes")], hidden.len());
    let mut archive_bytes = [hidden, out].concat();
    let start = u32::try_from(archive_bytes.len()).unwrap();
    archive_bytes.extend(&directory);
    archive_bytes.extend(end_record(1, u32::try_from(directory.len()).unwrap(), start));
    let line = "entry missing in the ZIP central directory; the package is rejected";
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

async fn assert_readable(entry: RawEntry, case: &str) {
    // The next entry shows whether the end of this one was found.
    let package_file = PackageFile::new(&raw_archive(&[entry, RawEntry::file("next", b"more")]));
    let contents = PackageArchive::open(&package_file.path).await.unwrap_or_else(|error| panic!("{case}: {error}"));
    contents.check().await.unwrap();
    assert_eq!(contents.read("x").await.unwrap(), b"bytes"[..], "{case}");
    assert_eq!(contents.read("next").await.unwrap(), b"more"[..], "{case}");
}

#[tokio::test]
async fn accepts_headers_that_differ_without_effect() {
    let time = [&b"UT\x05\0\x01"[..], &[1, 2, 3, 4]].concat();
    let damaged = b"UT\xff\xff\x01".to_vec();
    for (local_header, case) in [
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
        assert_readable(RawEntry { local_header, ..RawEntry::file("x", b"bytes") }, case).await;
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
    assert_eq!(PackageArchive::open(&package_file.path).await.unwrap().read("a/x").await.unwrap(), b"bytes"[..]);
    // The directory has a better name than the local header.
    let renamed = RawEntry { extra: unicode_path(b"x", "prüfung".as_bytes()), ..RawEntry::file("x", b"bytes") };
    let package_file = PackageFile::new(&raw_archive(&[renamed]));
    assert_eq!(PackageArchive::open(&package_file.path).await.unwrap().read("prüfung").await.unwrap(), b"bytes"[..]);
    // A name as macOS writes it: decomposed UTF-8 without the UTF-8 flag.
    let apart = RawEntry::file("u\u{308}.pdf", b"bytes");
    let package_file = PackageFile::new(&raw_archive(&[apart]));
    assert_eq!(
        PackageArchive::open(&package_file.path).await.unwrap().read("u\u{308}.pdf").await.unwrap(),
        b"bytes"[..]
    );
    let entries_at_limit = RawEntry { extra: vec![0; 4 * 400], ..RawEntry::file("x", b"bytes") };
    assert!(rejection(&raw_archive(&[entries_at_limit])).await.contains("more than 16 extra fields"));
}

#[tokio::test]
async fn reads_32_bit_and_64_bit_data_descriptors() {
    let sum = crc32(b"bytes").to_le_bytes();
    let narrow = [&sum[..], &5_u32.to_le_bytes(), &5_u32.to_le_bytes()].concat();
    let wide = [&sum[..], &5_u64.to_le_bytes(), &5_u64.to_le_bytes()].concat();
    let zip64 =
        |compressed: u64, size: u64| [&b"\x01\0\x10\0"[..], &size.to_le_bytes(), &compressed.to_le_bytes()].concat();
    let unknown = Some(u32::MAX);
    for (local_header, case) in [
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
                    &format!("{case}, {width}, signature {signature:?}"),
                )
                .await;
            }
        }
        assert_readable(streamed_entry(&local_header), &format!("{case}, no descriptor")).await;
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
    for (local_header, flags, case) in [
        (LocalHeader { size: Some(5), ..LocalHeader::default() }, 0, "in the directory only"),
        (LocalHeader { compressed: Some(u32::MAX), extra: wide(&[5, 5]), ..LocalHeader::default() }, 0, "in both"),
        (LocalHeader { extra: wide(&[5]), ..LocalHeader::default() }, 0, "for one of the sizes"),
        (LocalHeader { size: Some(0), compressed: Some(0), crc: Some(0), ..LocalHeader::default() }, 8, "streamed"),
        (LocalHeader { compressed: Some(u32::MAX), crc: Some(0), ..LocalHeader::default() }, 8, "streamed and unknown"),
    ] {
        assert_readable(RawEntry { flags, local_header, ..central() }, case).await;
    }
    let local_header = LocalHeader { compressed: Some(u32::MAX), extra: wide(&[6, 5]), ..LocalHeader::default() };
    assert!(rejection(&raw_archive(&[RawEntry { local_header, ..central() }])).await.contains("size differs"));
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
    assert_eq!(PackageArchive::open(&package_file.path).await.unwrap().read("x").await.unwrap(), b"bytes"[..]);
    assert_eq!(rejection(&narrow(2, start)).await, "contradictory ZIP end records; the package is rejected");
}

#[tokio::test]
async fn rejects_zip_bomb_before_unpacking() {
    let zeros = vec![0; 2 << 20];
    let bomb = raw_archive(&[RawEntry::deflated("bomb", &zeros)]);
    assert!(bomb.len() < 20_000);
    let line = rejection(&bomb).await;
    assert_eq!(
        line,
        "entry \"bomb\": unpacked size exceeds 250 times the packed size; raise `PackageLimits::ratio` to accept the package"
    );
    let line = rejection_within(&bomb, PackageLimits::default().entry_bytes(1 << 20)).await;
    assert!(line.contains("unpacked size exceeds 1048576 bytes; raise `PackageLimits::entry_bytes`"), "{line}");
    let entries_at_limit: Vec<RawEntry> = (0..4).map(|n| RawEntry::file(format!("{n}"), &[7; 1000])).collect();
    let line = rejection_within(&raw_archive(&entries_at_limit), PackageLimits::default().total_bytes(3000)).await;
    assert!(line.starts_with("entry \"3\": total unpacked size exceeds 3000 bytes"), "{line}");
    let line = rejection_within(&raw_archive(&entries_at_limit), PackageLimits::default().entries(3)).await;
    assert_eq!(line, "4 entries exceed the limit of 3; raise `PackageLimits::entries` to accept the package");
    let deep: Vec<RawEntry> = (0..3).map(|n| RawEntry::file(format!("{n}/a/b/c"), b"")).collect();
    let line = rejection_within(&raw_archive(&deep), PackageLimits::default().entries(8)).await;
    assert_eq!(line, "more than 8 folders; raise `PackageLimits::entries` to accept the package");
    // A higher limit accepts the archive.
    let package_file = PackageFile::new(&bomb);
    let contents = PackageArchive::open_within(&package_file.path, PackageLimits::default().ratio(2000)).await.unwrap();
    assert_eq!(contents.read("bomb").await.unwrap(), zeros);
}

#[tokio::test]
async fn stops_at_declared_size_of_entry() {
    // Declares 100 bytes and unpacks to 2 MiB; the second entry unpacks to fewer bytes than declared.
    let zeros = vec![0; 2 << 20];
    let bomb = RawEntry { size: 100, ..RawEntry::deflated("bomb", &zeros) };
    let short = RawEntry { size: 101, ..RawEntry::deflated("short", &[0; 100]) };
    let package_file = PackageFile::new(&raw_archive(&[bomb, short]));
    let contents = PackageArchive::open(&package_file.path).await.unwrap();
    for name in ["bomb", "short"] {
        let line = error_reason(&package_file, &contents.read(name).await.unwrap_err(), ErrorKind::Integrity);
        assert!(line.starts_with(&format!("entry {name:?}")), "{line}");
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
    let contents = PackageArchive::open(&package_file.path).await.unwrap();
    assert_eq!(contents.read("a.pdf").await.unwrap(), b"sound"[..]);
    let error = contents.read("b.pdf").await.unwrap_err();
    let line = "entry \"b.pdf\" is damaged: Invalid checksum; download the package again";
    assert_eq!(error_reason(&package_file, &error, ErrorKind::Integrity), line);
    let error = contents.unpack_to(package_file.target()).await.unwrap_err();
    assert_eq!(error_reason(&package_file, &error, ErrorKind::Integrity), line);
    assert!(package_file.is_only_file());
    let damaged = RawEntry { compressed: vec![0xff; 30], ..RawEntry::deflated("c", &[1; 100]) };
    let package_file = PackageFile::new(&raw_archive(&[damaged]));
    let error = PackageArchive::open(&package_file.path).await.unwrap().read("c").await.unwrap_err();
    assert!(error_reason(&package_file, &error, ErrorKind::Integrity).starts_with("entry \"c\" is damaged"), "{error}");
}

#[tokio::test]
async fn rejects_truncated_package_at_any_length() {
    let archive_bytes = raw_archive(&[RawEntry::file("Originals/study.pdf", STUDY), RawEntry::file("x", b"y")]);
    let end = archive_bytes.len();
    for length in [0, 1, 21, 22, 100, STUDY.len(), end - 60, end - 23, end - 22, end - 21, end - 1] {
        let line = rejection(&archive_bytes[..length]).await;
        assert!(
            line.starts_with("not a ZIP archive, or truncated") && line.ends_with("download the package again"),
            "{length}: {line}"
        );
    }
    let line = rejection(&[&archive_bytes[..], b"more"].concat()).await;
    assert!(line.starts_with("trailing bytes after the ZIP archive"), "{line}");
    let line = rejection(&[b"more", &archive_bytes[..]].concat()).await;
    assert!(line.starts_with("ZIP central directory at an unexpected offset"), "{line}");
    // Bytes in the middle are missing.
    let line = rejection(&[&archive_bytes[..100], &archive_bytes[200..]].concat()).await;
    assert!(line.starts_with("ZIP central directory at an unexpected offset"), "{line}");
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
    let contents = PackageArchive::open(&package_file.path).await.unwrap();
    assert_eq!(contents.entries().len(), 65_536);
    assert_eq!(contents.read("65535/x").await.unwrap(), 65_535_u32.to_le_bytes()[..]);
    // An archive with zip64 fields written by the `zip` crate.
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("large", zip::write::SimpleFileOptions::default().large_file(true)).unwrap();
    std::io::Write::write_all(&mut writer, b"bytes").unwrap();
    let package_file = PackageFile::new(&writer.finish().unwrap().into_inner());
    assert_eq!(PackageArchive::open(&package_file.path).await.unwrap().read("large").await.unwrap(), b"bytes"[..]);
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
    let contents = PackageArchive::open(&package_file.path).await.unwrap();
    contents.check().await.unwrap();
    assert_eq!(contents.read("Originals/b.pdf").await.unwrap(), STUDY);
}

#[tokio::test]
async fn reads_names_in_code_page_437() {
    // 0x81 and 0xe1 are ü and ß in CP437.
    let package_file = PackageFile::new(&raw_archive(&[RawEntry::file(b"Originals/Pr\x81fung gro\xe1.pdf", b"bytes")]));
    let contents = PackageArchive::open(&package_file.path).await.unwrap();
    assert_eq!(contents.entries()[0].name(), "Originals/Prüfung groß.pdf");
    contents.unpack_to(package_file.target()).await.unwrap();
    assert_eq!(std::fs::read(package_file.target().join("Originals/Prüfung groß.pdf")).unwrap(), b"bytes");
}
