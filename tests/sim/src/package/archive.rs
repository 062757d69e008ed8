//! The ZIP file of a package.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::contents::PackageContents;
use super::file_name::safe_name;
use super::report;

/// Writes the package into `file`.
pub(super) fn write(file: &mut File, contents: &PackageContents) -> io::Result<()> {
    let (year, [month, day, hour, minute, second]) = contents.download.ends.calendar();
    let year = u16::try_from(year).unwrap_or(1980);
    let time = DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default();
    let packed = SimpleFileOptions::default()
        .last_modified_time(time)
        .compression_method(CompressionMethod::Deflated)
        .large_file(false);
    // PDFs are compressed already.
    let stored = packed.compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(io::BufWriter::new(file));
    let mut names = EntryNames::default();
    for kind in &contents.download.options.download_file_types {
        let (folder, is_rendered) = folder(kind);
        for source in &contents.files {
            let mut bytes = File::open(&source.path)?;
            let options = stored.large_file(bytes.metadata()?.len() >= u64::from(u32::MAX));
            zip.start_file(names.unique(folder, &source.name), options)?;
            io::copy(&mut bytes, &mut zip)?;
        }
        if is_rendered && !contents.files.is_empty() {
            zip.start_file(format!("{folder}/NOTE.txt"), packed)?;
            let color = contents
                .download
                .options
                .preview_color
                .as_deref()
                .map(|color| format!(" Requested preview color: {color}."))
                .unwrap_or_default();
            writeln!(
                zip,
                "The simulator does not render documents: the files in this folder are the uploaded originals.{color}"
            )?;
        }
    }
    for name in &contents.reports {
        let workbook = report::workbook(contents, name).map_err(io::Error::other)?;
        zip.start_file(
            names.unique("Reports", &format!("{}.xlsx", safe_name(&format!("{name} - {}", contents.dossier)))),
            stored,
        )?;
        zip.write_all(&workbook)?;
    }
    let mut not_analysed = Vec::new();
    for source in &contents.files {
        let stem =
            source.name.strip_suffix(".pdf").or_else(|| source.name.strip_suffix(".PDF")).unwrap_or(&source.name);
        let (Some(json), Some(xml)) = (&source.json, &source.xml) else {
            not_analysed.push(format!("{} ({})", source.name, source.state));
            continue;
        };
        for (ending, text) in [("json", json), ("xml", xml)] {
            zip.start_file(names.unique("Components", &format!("{stem}.components.{ending}")), packed)?;
            zip.write_all(text.as_bytes())?;
        }
    }
    if !not_analysed.is_empty() {
        zip.start_file("Components/NOT_ANALYSED.txt", packed)?;
        writeln!(zip, "Files without a finished analysis when the package was made:\n{}", not_analysed.join("\n"))?;
    }
    zip.finish()?.flush()
}

/// Returns the folder of a document version, and whether a real service would render that version.
fn folder(kind: &str) -> (&'static str, bool) {
    match kind {
        "PREVIEW" => ("Previews", true),
        "DELTA_PREVIEW" => ("Delta previews", true),
        "REDACTED" => ("Redacted", true),
        "ANNOTATED" => ("Annotated", true),
        "FLATTEN" => ("Flattened", true),
        _ => ("Originals", false),
    }
}

/// The entry names in use, so that no two entries share one.
#[derive(Default)]
struct EntryNames(HashSet<String>);

impl EntryNames {
    fn unique(&mut self, folder: &str, name: &str) -> String {
        let name = name.replace(['/', '\\'], "_");
        let mut path = format!("{folder}/{name}");
        let mut number = 1;
        while !self.0.insert(path.to_lowercase()) {
            number += 1;
            path = match name.rsplit_once('.') {
                Some((stem, ending)) => format!("{folder}/{stem} ({number}).{ending}"),
                None => format!("{folder}/{name} ({number})"),
            };
        }
        path
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::EntryNames;

    #[test]
    fn entry_names_are_unique() {
        let mut names = EntryNames::default();
        assert_eq!(names.unique("A", "x.pdf"), "A/x.pdf");
        assert_eq!(names.unique("A", "X.pdf"), "A/X (2).pdf");
        assert_eq!(names.unique("A", "b/../x.pdf"), "A/b_.._x.pdf");
    }
}
