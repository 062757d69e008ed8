//! The document that `--from` names: a file or standard input, JSON or YAML.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

use crate::passes::read;
use crate::passes::read_limits::MAX_BYTES;

/// Reads a document and returns it with its display name: the file name alone, because a full path reveals details of the machine.
pub(super) fn read(from: &str) -> Result<(Value, String), String> {
    let name = name(from);
    let bytes = if from == "-" { bounded(io::stdin().lock()) } else { File::open(from).and_then(bounded) };
    let bytes = bytes.map_err(|error| format!("{from}: {error}"))?;
    Ok((parse(&text(bytes, &name)?, &name)?, name))
}

/// Returns the display name of a document.
pub(super) fn name(from: &str) -> String {
    match from {
        "-" => String::from("standard input"),
        path => Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned()),
    }
}

/// Parses a document.
pub(super) fn parse(text: &str, name: &str) -> Result<Value, String> {
    if read::is_json(text) { read::json(text, name) } else { crate::yaml::document(text, name) }
}

fn bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn text(bytes: Vec<u8>, name: &str) -> Result<String, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("{name}: larger than {MAX_BYTES} bytes, the limit for a document"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(format!("{name}: the text is UTF-16; save it as UTF-8"));
    }
    if bytes.starts_with(b"PK") {
        return Err(format!("{name}: the file is a ZIP archive; unpack it and pass the document in it"));
    }
    let text = String::from_utf8(bytes).map_err(|error| format!("{name}: invalid UTF-8: {}", error.utf8_error()))?;
    if text.trim_start().starts_with("<!") || text.trim_start().starts_with("<html") {
        return Err(format!("{name}: the file is a web page; save the document itself, not the page that shows it"));
    }
    Ok(text)
}
