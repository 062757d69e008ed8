//! Converts documents to a form that the PDF library loads: rebuilds an unreadable cross-reference table, makes the encryption dictionary an
//! indirect object, and empties large streams.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;

use pdf_extract::content::{Content, Operation};
use pdf_extract::{Dictionary, Document, Object, Stream};
use regex::bytes::Regex;

/// Maximum size of an unpacked stream. Larger streams are emptied.
const MAX_STREAM_BYTES: usize = 256 * 1024 * 1024;

/// Appends a cross-reference table of the objects found in the file. `None` if the file is truncated or names no root.
///
/// Files that were edited by hand, or whose line ends were converted, are complete but have wrong offsets.
pub(super) fn rebuilt(bytes: &[u8]) -> Option<Vec<u8>> {
    let tail = &bytes[bytes.len().saturating_sub(2048)..];
    // A file without its end mark has probably lost more than its table, and an error is better than half of the pages.
    if !tail.windows(5).any(|window| window == b"%%EOF") {
        return None;
    }
    let objects = Regex::new(r"(?-u)(?:^|[\r\n\s])(\d{1,10})[ \t]+(\d{1,5})[ \t\r\n]+obj\b").ok()?;
    let mut offsets: BTreeMap<u32, (usize, u16)> = BTreeMap::new();
    for found in objects.captures_iter(bytes) {
        let (number, generation) = (found.get(1)?, found.get(2)?);
        let read = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        if let (Ok(id), Ok(generation)) = (read(number.as_bytes())?.parse(), read(generation.as_bytes())?.parse()) {
            // A later object replaces an earlier one of the same number.
            offsets.insert(id, (number.start(), generation));
        }
    }
    let last = |name: &str| {
        let pattern = Regex::new(&format!(r"(?-u)/{name}[ \t\r\n]*(\d{{1,10}}[ \t]+\d{{1,5}}[ \t]+R)\b")).ok()?;
        let found = pattern.captures_iter(bytes).last()?;
        String::from_utf8(found.get(1)?.as_bytes().to_vec()).ok()
    };
    let root = last("Root")?;
    // Without its key an encrypted document would be read as an unencrypted one.
    if bytes.windows(8).any(|window| window == b"/Encrypt") && last("Encrypt").is_none() {
        return None;
    }
    let mut table = String::from("\nxref\n0 1\n0000000000 65535 f \n");
    for (number, (offset, generation)) in &offsets {
        // Writing to a String cannot fail.
        let _ = write!(table, "{number} 1\n{offset:010} {generation:05} n \n");
    }
    let size = offsets.last_key_value()?.0.checked_add(1)?;
    let mut rebuilt = bytes.to_vec();
    let start = bytes.len() + 1;
    rebuilt.extend_from_slice(table.as_bytes());
    let also =
        ["Info", "Encrypt"].iter().filter_map(|name| Some(format!(" /{name} {}", last(name)?))).collect::<String>();
    rebuilt.extend_from_slice(format!("trailer\n<< /Size {size} /Root {root}{also}").as_bytes());
    // The key of an encrypted document depends on its id.
    let id = Regex::new(r"(?-u)/ID[ \t\r\n]*\[[ \t\r\n]*(?:<[0-9A-Fa-f \t\r\n]*>[ \t\r\n]*){2}\]").ok()?;
    if let Some(id) = id.find_iter(bytes).last() {
        rebuilt.extend_from_slice(id.as_bytes());
    }
    rebuilt.extend_from_slice(format!(" >>\nstartxref\n{start}\n%%EOF\n").as_bytes());
    Some(rebuilt)
}

/// Moves the encryption dictionary of the trailer to an indirect object, the only form that the library supports. `None` if it is one already.
pub(super) fn with_encryption_as_object(bytes: &[u8], trailer: &Dictionary) -> Option<Vec<u8>> {
    let encryption = trailer.get(b"Encrypt").ok()?.as_dict().ok()?;
    let number = u32::try_from(trailer.get(b"Size").ok()?.as_i64().ok()?).ok()?;
    let tail = &bytes[bytes.len().saturating_sub(2048)..];
    let start = Regex::new(r"(?-u)startxref[ \t\r\n]*(\d{1,10})").ok()?.captures_iter(tail).last()?;
    let before: i64 = std::str::from_utf8(start.get(1)?.as_bytes()).ok()?.parse().ok()?;
    let mut changed = Dictionary::new();
    for key in ["Root", "Info", "ID"] {
        if let Ok(value) = trailer.get(key.as_bytes()) {
            changed.set(key, value.clone());
        }
    }
    changed.set("Size", i64::from(number) + 1);
    changed.set("Prev", before);
    changed.set("Encrypt", Object::Reference((number, 0)));
    let mut file = bytes.to_vec();
    let object = file.len() + 1;
    file.extend_from_slice(format!("\n{number} 0 obj\n").as_bytes());
    file.extend(serialize(encryption)?);
    let table = file.len() + "\nendobj\n".len();
    file.extend_from_slice(format!("\nendobj\nxref\n{number} 1\n{object:010} 00000 n \ntrailer\n").as_bytes());
    file.extend(serialize(&changed)?);
    file.extend_from_slice(format!("\nstartxref\n{table}\n%%EOF\n").as_bytes());
    Some(file)
}

/// Serializes a dictionary.
fn serialize(dictionary: &Dictionary) -> Option<Vec<u8>> {
    let operations = [Operation::new("", vec![Object::Dictionary(dictionary.clone())])];
    Content { operations }.encode().ok()
}

/// Replaces content on which the library would fail.
pub(super) fn prepare(document: &mut Document) {
    for object in document.objects.values_mut() {
        // The library treats every XObject as a drawing, including images, whose content is not needed.
        if let Object::Stream(stream) = object
            && (is_image(stream) || exceeds_limit(stream))
        {
            stream.dict.remove(b"Filter");
            stream.dict.remove(b"DecodeParms");
            stream.set_content(Vec::new());
        }
    }
}

fn is_image(stream: &Stream) -> bool {
    stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Image")
}

/// Returns whether an unpacked stream would exceed the limit: deflate expands up to a thousand times, and twice up to a million times.
fn exceeds_limit(stream: &Stream) -> bool {
    let filters = stream.filters().unwrap_or_default();
    let deflated = filters.iter().filter(|filter| **filter == b"FlateDecode" || **filter == b"Fl").count();
    if deflated > 1 {
        return true;
    }
    if deflated == 0 || stream.content.len() < MAX_STREAM_BYTES / 1024 {
        return false;
    }
    let unpacked = flate2::read::ZlibDecoder::new(stream.content.as_slice());
    let mut counted = unpacked.take(MAX_STREAM_BYTES as u64);
    // A damaged stream ends early, also for the library.
    let size = std::io::copy(&mut counted, &mut std::io::sink()).unwrap_or(0);
    size >= MAX_STREAM_BYTES as u64
}
