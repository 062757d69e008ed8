//! Compares outputs without the ids and times that the service gives.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};

use super::process::OUTPUTS;
use crate::Failure;

/// Columns of the service.
const OF_SERVICE: [&str; 3] = ["dossier_id", "file_id", "analysed_at"];

/// Returns the outputs that differ from the reference.
pub(crate) fn outputs(reference: &Path, work: &Path) -> Result<Vec<String>, Failure> {
    let mut findings = Vec::new();
    for name in OUTPUTS {
        let path = work.join(name);
        if !path.exists() {
            findings.push(format!("{name} is missing"));
            continue;
        }
        if name == "run.html" {
            // The report contains the times of the runs.
            continue;
        }
        let (expected, found) = (content(&reference.join(name))?, content(&path)?);
        if expected != found {
            let differs = expected.iter().zip(&found).position(|(expected, found)| expected != found);
            let line = differs.unwrap_or(expected.len().min(found.len()));
            findings.push(format!(
                "{name} differs from the reference at row {line} of {}: {:?} instead of {:?}",
                expected.len(),
                found.get(line),
                expected.get(line)
            ));
        }
    }
    Ok(findings)
}

/// Returns the rows of a table.
fn content(path: &Path) -> Result<Vec<String>, Failure> {
    let text = match path.extension().unwrap_or_default().to_str() {
        Some("parquet") => return parquet_rows(path),
        Some("xlsx") => workbook(path)?,
        _ => std::fs::read_to_string(path)?,
    };
    Ok(text.lines().map(masked).collect())
}

fn parquet_rows(path: &Path) -> Result<Vec<String>, Failure> {
    let mut rows = Vec::new();
    for row in SerializedFileReader::new(File::open(path)?)?.get_row_iter(None)? {
        let row = row?;
        let columns = row.get_column_iter().filter(|(name, _)| !OF_SERVICE.contains(&name.as_str()));
        rows.push(columns.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", "));
    }
    Ok(rows)
}

/// Returns all parts of a workbook, with a line per row.
fn workbook(path: &Path) -> Result<String, Failure> {
    let mut archive = zip::ZipArchive::new(File::open(path)?)?;
    let mut text = String::new();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index)?;
        text.push('\n');
        text.push_str(&part.name()?);
        text.push('\n');
        part.read_to_string(&mut text)?;
    }
    Ok(text.replace("</row>", "</row>\n"))
}

/// Replaces ids (UUIDs) and times (RFC 3339).
fn masked(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        let (mark, length) = if has_shape(rest, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
            ("<id>", 36)
        } else if has_shape(rest, "0000-00-00T00:00:00") {
            let is_time = |character: char| character.is_ascii_digit() || "T:.Z+-".contains(character);
            ("<time>", rest.find(|character| !is_time(character)).unwrap_or(rest.len()))
        } else {
            masked.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        };
        masked += mark;
        rest = &rest[length..];
    }
    masked
}

/// Returns whether a text begins with a shape: `x` a hexadecimal digit, `0` a digit, others themselves.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text.bytes().zip(shape.bytes()).all(|(found, shape)| match shape {
            b'x' => found.is_ascii_hexdigit(),
            b'0' => found.is_ascii_digit(),
            _ => found == shape,
        })
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn masks_ids_and_times_only() {
        let line = "a.pdf,f6a601da-8165-485f-bc9f-f257f1f76fde,INV-2024-00318,2024-03-12,2026-11-29T19:53:24.120Z,ü";
        assert_eq!(masked(line), "a.pdf,<id>,INV-2024-00318,2024-03-12,<time>,ü");
    }
}
