//! The document that `--from` names: a file or standard input, JSON or YAML.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

use crate::passes::read::{self, MAX_BYTES};

/// The document, and how it is called in messages and in the record: by the file's name alone, since a path tells of a machine.
pub(super) fn read(from: &str) -> Result<(Value, String), String> {
    let name = name(from);
    let bytes = if from == "-" { bounded(io::stdin().lock()) } else { File::open(from).and_then(bounded) };
    let bytes = bytes.map_err(|error| format!("{from}: {error}"))?;
    Ok((parse(&text(bytes, &name)?, &name)?, name))
}

/// How a document is called.
pub(super) fn name(from: &str) -> String {
    match from {
        "-" => String::from("standard input"),
        path => Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned()),
    }
}

/// The document in `text`.
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
        return Err(format!("{name}: more than the {MAX_BYTES} bytes a document may have"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(format!("{name}: the text is UTF-16; save it as UTF-8"));
    }
    if bytes.starts_with(b"PK") {
        return Err(format!("{name}: this is a ZIP archive; unpack it and name the document in it"));
    }
    let text = String::from_utf8(bytes).map_err(|error| format!("{name}: no UTF-8 ({})", error.utf8_error()))?;
    if text.trim_start().starts_with("<!") || text.trim_start().starts_with("<html") {
        return Err(format!("{name}: this is a web page; save the document itself, not the page that shows it"));
    }
    Ok(text)
}
