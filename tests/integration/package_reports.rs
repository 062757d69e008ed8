//! Reports and component exports in packages: hostile and damaged ones are rejected, and memory stays limited.

use documine::package::{Cell, Report};
use documine::{
    Error, ErrorKind,
    package::{PackageArchive, PackageLimits},
};
use proptest::prelude::*;

use crate::harness::package_file::{PackageFile, error_reason, report_bytes, workbook, xlsx};
use crate::harness::pdf_fixtures::zip;
use crate::harness::properties::cases;
use crate::harness::zip_fixtures::{RawEntry, raw_archive};

#[tokio::test]
async fn small_reports_share_one_memory_limit() {
    let rows: Vec<String> = (1..100).map(|n| format!(r#"<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>"#)).collect();
    let xlsx = xlsx(&rows.concat());
    let package_file =
        PackageFile::new(&zip(&[("Reports/1.xlsx", &xlsx), ("Reports/2.xlsx", &xlsx), ("Reports/3.xlsx", &xlsx)]));
    // Each report has 99 rows of 16,384 cells of 32 bytes.
    let limits = PackageLimits::default().memory_bytes(125 << 20);
    let contents = PackageArchive::open_within(&package_file.path, limits).await.unwrap();
    assert_eq!(contents.report_named("Reports/2.xlsx").await.unwrap().sheets[0].rows.len(), 99);
    let line = error_reason(&package_file, &contents.reports().await.unwrap_err(), ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Reports/3.xlsx\": invalid report: reports exceed"), "{line}");
    let package_file =
        PackageFile::new(&zip(&[("Components/1.json", &[b' '; 700]), ("Components/2.json", &[b' '; 700])]));
    let contents =
        PackageArchive::open_within(&package_file.path, PackageLimits::default().memory_bytes(1000)).await.unwrap();
    assert!(contents.components().await.is_err());
    // 60 kB of JSON objects that occupy more than 4 MB.
    let dense = format!(r#"{{"id":"1","other":[{}{{}}]}}"#, r#"{"":0},"#.repeat(8000));
    let package_file = PackageFile::new(&zip(&[("Components/1.json", dense.as_bytes())]));
    let contents =
        PackageArchive::open_within(&package_file.path, PackageLimits::default().memory_bytes(1 << 20)).await.unwrap();
    let line = error_reason(&package_file, &contents.components().await.unwrap_err(), ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Components/1.json\": memory limit of the call exceeded"), "{line}");
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn arbitrary_sheet_is_read_or_rejected_with_reason(
        parts in prop::collection::vec(prop_oneof![
            prop::sample::select(&[
                "<row r=\"1\">", "<row>", "</row>", "<c r=\"A1\">", "<c r=\"\">", "<c r=\"1\" t=\"s\">", "<c t=\"inlineStr\">", "<c t=\"d\" s=\"9\">",
                "<c r=\"AAAAAAAAAAAAAA99999999999999999999\">", "</c>", "<v>1</v>", "<v>1e999</v>", "<v>-1</v>", "<v/>", "<is><t>x</t></is>",
                "<f t=\"shared\" si=\"4000000000\" ref=\"A1:XFD1048576\">A1</f>", "<f>", "</f>", "&lol;", "&#0;", "<![CDATA[", "<!--",
                "<row r=\"4294967295\">",
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

/// Builds a package with one report that has one sheet of these rows.
fn report(sheet: &str) -> Vec<u8> {
    zip(&[("Reports/r.xlsx", &xlsx(sheet))])
}

async fn report_of(sheet: &str) -> documine::Result<Report> {
    let package_file = PackageFile::new(&report(sheet));
    PackageArchive::open(&package_file.path).await.unwrap().report().await
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
    assert!(error.to_string().contains("exceed 268435456 bytes of memory"), "{error}");
}

#[tokio::test]
async fn rejects_hostile_or_damaged_report() {
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
    let bomb = raw_archive(&[RawEntry::deflated("xl/worksheets/sheet1.xml", &vec![b' '; 2 << 20])]);
    let evil = raw_archive(&[RawEntry::file("../x", b"")]);
    for (bytes, part) in [
        (&b"no archive"[..], "not a ZIP archive"),
        (&bomb, "250 times the packed size"),
        (&evil, "leads out"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "protected by a password"),
    ] {
        let package_file = PackageFile::new(&zip(&[("Reports/r.xlsx", bytes)]));
        let error = PackageArchive::open(&package_file.path).await.unwrap().reports().await.unwrap_err();
        let line = error_reason(&package_file, &error, ErrorKind::Integrity);
        assert!(line.starts_with("entry \"Reports/r.xlsx\": invalid report: ") && line.contains(part), "{line}");
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
        PackageArchive::open_within(&package_file.path, PackageLimits::default().memory_bytes(1 << 20)).await.unwrap();
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
    let components = named(components.into_iter().map(|read| read.map(|read| read.file_id().to_string())).collect());
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
        let report = PackageArchive::open(&package_file.path).await.unwrap().report().await.unwrap();
        assert_eq!(report.sheets[0].rows[0].cells, [Cell::Text("x".into())]);
    }
}

#[tokio::test]
async fn names_entry_with_invalid_components() {
    let package_file =
        PackageFile::new(&zip(&[("Components/x.components.json", b"[1]"), ("Components/x.components.xml", b"<x/>")]));
    let error = PackageArchive::open(&package_file.path).await.unwrap().components().await.unwrap_err();
    let line = error_reason(&package_file, &error, ErrorKind::Integrity);
    assert!(line.starts_with("entry \"Components/x.components.json\": not the components of a file"), "{line}");
}
