//! Archives on disk and the reasons for which opening them fails.

use std::path::{Path, PathBuf};

use documine::{
    Error, ErrorKind,
    package::{PackageArchive, PackageLimits},
};
use tempfile::TempDir;

use crate::harness::pdf_fixtures::zip;

/// An archive on disk in its own folder.
pub struct PackageFile {
    pub folder: TempDir,
    pub path: PathBuf,
}

impl PackageFile {
    pub fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        std::fs::write(&path, bytes).unwrap();
        Self { folder, path }
    }

    pub fn target(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// Returns true if the folder contains nothing but the archive.
    pub fn is_only_file(&self) -> bool {
        std::fs::read_dir(self.folder.path()).unwrap().count() == 1
    }
}

/// Returns the reason for which opening an archive fails; asserts a single line that begins with the archive's path.
pub async fn rejection_within(bytes: &[u8], limits: PackageLimits) -> String {
    let package_file = PackageFile::new(bytes);
    let error = PackageArchive::open_within(&package_file.path, limits).await.unwrap_err();
    error_reason(&package_file, &error, ErrorKind::Integrity)
}

pub async fn rejection(bytes: &[u8]) -> String {
    rejection_within(bytes, PackageLimits::default()).await
}

pub fn error_reason(package_file: &PackageFile, error: &Error, kind: ErrorKind) -> String {
    assert_eq!((error.kind(), error.was_sent()), (kind, false), "{error}");
    let line = error.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
    line.strip_prefix(&format!("{}: ", package_file.path.display())).unwrap_or_else(|| panic!("{line}")).to_owned()
}

pub fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect_files(&path, files) } else { files.push(path) }
    }
}

pub fn xlsx(sheet: &str) -> Vec<u8> {
    workbook(sheet, r#"<sst uniqueCount="1"><si><t>shared</t></si></sst>"#.as_bytes())
}

pub fn workbook(sheet: &str, texts: &[u8]) -> Vec<u8> {
    let types = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
    let rels = concat!(
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" "#,
        r#"Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" "#,
        r#"Target="worksheets/sheet1.xml"/></Relationships>"#
    );
    let root = concat!(
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" "#,
        r#"Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" "#,
        r#"Target="xl/workbook.xml"/></Relationships>"#
    );
    let book = concat!(
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" "#,
        r#"xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" "#,
        r#"sheetId="1" r:id="r1"/></sheets></workbook>"#
    );
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

pub fn report_bytes() -> Vec<u8> {
    xlsx(r#"<row r="1"><c r="A1"><v>1</v></c></row>"#)
}
