//! PDF and ZIP fixtures: the sample documents of the repository and small generated ones.

use std::fmt::Write;
use std::io::Write as _;
use std::path::PathBuf;

use tempfile::TempDir;

/// Four pages with labelled fields.
pub const STUDY: &[u8] = include_bytes!("../../../documine/examples/samples/study-report.pdf");
/// One page with labelled fields and amounts.
pub const INVOICE: &[u8] = include_bytes!("../../../documine/examples/samples/invoice.pdf");
/// Two pages that contain only images.
pub const SCAN: &[u8] = include_bytes!("../../../documine/examples/samples/scan.pdf");

/// Writes [`STUDY`] to `study.pdf` in a new folder.
pub fn study_on_disk() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.pdf");
    std::fs::write(&path, STUDY).unwrap();
    (folder, path)
}

/// Builds a PDF with one text page per element of `pages`; `\n` separates lines.
pub fn pdf(pages: &[&str]) -> Vec<u8> {
    build(pages, "", 0)
}

/// Builds a PDF with one text page and a comment that pads it to about `size` bytes.
pub fn big_pdf(text: &str, size: usize) -> Vec<u8> {
    build(&[text], "", size)
}

/// Builds a PDF whose trailer declares encryption.
pub fn encrypted_pdf() -> Vec<u8> {
    let mark = "00".repeat(32);
    build(
        &["secret"],
        &format!("/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{mark}> /U <{mark}> >> /ID [<00> <00>]"),
        0,
    )
}

fn build(pages: &[&str], trailer: &str, filler: usize) -> Vec<u8> {
    let mut objects = vec![String::from("<< /Type /Catalog /Pages 2 0 R >>"), String::new()];
    objects.push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".into());
    let mut kids = String::new();
    for text in pages {
        let mut content = String::from("BT /F1 12 Tf 72 760 Td 16 TL\n");
        for line in text.lines() {
            let line = line.replace('\\', r"\\").replace('(', r"\(").replace(')', r"\)");
            writeln!(content, "({line}) Tj T*").unwrap();
        }
        content.push_str("ET");
        let number = objects.len() + 1;
        write!(kids, "{number} 0 R ").unwrap();
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            number + 1
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    objects[1] = format!("<< /Type /Pages /Count {} /Kids [{kids}] >>", pages.len());
    let mut out = b"%PDF-1.4\n".to_vec();
    // A comment of the wanted length.
    out.extend(std::iter::once(b'%').chain(std::iter::repeat_n(b'-', filler)).chain([b'\n']));
    let mut starts = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        starts.push(out.len());
        write!(out, "{} 0 obj\n{object}\nendobj\n", index + 1).unwrap();
    }
    let table = out.len();
    write!(out, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).unwrap();
    for start in starts {
        writeln!(out, "{start:010} 00000 n ").unwrap();
    }
    write!(out, "trailer\n<< /Size {} /Root 1 0 R {trailer} >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1)
        .unwrap();
    out
}

/// Builds a ZIP archive of these files.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Returns the entries of a ZIP archive with their content.
pub fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            (entry.name().unwrap().into_owned(), content)
        })
        .collect()
}
