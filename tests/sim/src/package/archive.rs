//! The ZIP file.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{Spec, calendar, report, safe_name};

/// Writes the package into `file`.
pub(super) fn write(file: &mut File, spec: &Spec) -> io::Result<()> {
    let (year, [month, day, hour, minute, second]) = calendar(spec.download.ends);
    let year = u16::try_from(year).unwrap_or(1980);
    let time = DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default();
    let packed = SimpleFileOptions::default()
        .last_modified_time(time)
        .compression_method(CompressionMethod::Deflated)
        .large_file(false);
    // PDFs are compressed already.
    let stored = packed.compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(io::BufWriter::new(file));
    let mut names = Names::default();
    for kind in &spec.download.content.download_file_types {
        let (folder, drawn) = folder(kind);
        for source in &spec.files {
            let mut bytes = File::open(&source.path)?;
            let options = stored.large_file(bytes.metadata()?.len() >= u64::from(u32::MAX));
            zip.start_file(names.fresh(folder, &source.name), options)?;
            io::copy(&mut bytes, &mut zip)?;
        }
        if drawn && !spec.files.is_empty() {
            zip.start_file(format!("{folder}/NOTE.txt"), packed)?;
            let color = spec
                .download
                .content
                .preview_color
                .as_deref()
                .map(|color| format!(" The marking colour asked for was {color}."))
                .unwrap_or_default();
            writeln!(
                zip,
                "The simulator does not draw documents anew: the files in this folder are the originals as they were uploaded.{color}"
            )?;
        }
    }
    for name in &spec.reports {
        let workbook = report::workbook(spec, name).map_err(io::Error::other)?;
        zip.start_file(
            names.fresh("Reports", &format!("{}.xlsx", safe_name(&format!("{name} - {}", spec.dossier)))),
            stored,
        )?;
        zip.write_all(&workbook)?;
    }
    let mut waiting = Vec::new();
    for source in &spec.files {
        let stem =
            source.name.strip_suffix(".pdf").or_else(|| source.name.strip_suffix(".PDF")).unwrap_or(&source.name);
        let (Some(json), Some(xml)) = (&source.json, &source.xml) else {
            waiting.push(format!("{} ({})", source.name, source.state));
            continue;
        };
        for (ending, text) in [("json", json), ("xml", xml)] {
            zip.start_file(names.fresh("Components", &format!("{stem}.components.{ending}")), packed)?;
            zip.write_all(text.as_bytes())?;
        }
    }
    if !waiting.is_empty() {
        zip.start_file("Components/NOT_ANALYSED.txt", packed)?;
        writeln!(zip, "These files had not been analysed when the package was made:\n{}", waiting.join("\n"))?;
    }
    zip.finish()?.flush()
}

/// The folder of a version of the documents, and whether a real service would draw that version.
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

/// Names that were given away, so that no two entries share one.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn fresh(&mut self, folder: &str, name: &str) -> String {
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
    use super::Names;

    #[test]
    fn no_two_entries_share_a_name() {
        let mut names = Names::default();
        assert_eq!(names.fresh("A", "x.pdf"), "A/x.pdf");
        assert_eq!(names.fresh("A", "X.pdf"), "A/X (2).pdf");
        assert_eq!(names.fresh("A", "b/../x.pdf"), "A/b_.._x.pdf");
    }
}
