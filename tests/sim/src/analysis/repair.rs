//! Brings documents into a form that the PDF library reads well: a fresh cross-reference table where the file's own is unreadable, character widths
//! spelled out, pictures emptied.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;

use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream};
use regex::bytes::Regex;

/// A font with more widths than that is not spelled out.
const MOST_WIDTHS: i64 = 70_000;
/// Streams that would be bigger unpacked are emptied.
const BIGGEST_STREAM: usize = 256 * 1024 * 1024;

/// The same file with a cross-reference table made from the objects that are really there; nothing if the file breaks off or names no root.
///
/// Files that were edited by hand, or whose line ends were changed on the way, are whole and still point to the wrong places.
pub(super) fn rebuilt(bytes: &[u8]) -> Option<Vec<u8>> {
    let tail = &bytes[bytes.len().saturating_sub(2048)..];
    // Without its end mark a file has probably lost more than its table: better no pages than half of them.
    if !tail.windows(5).any(|window| window == b"%%EOF") {
        return None;
    }
    let objects = Regex::new(r"(?-u)(?:^|[\r\n\s])(\d{1,10})[ \t]+(\d{1,5})[ \t\r\n]+obj\b").ok()?;
    let mut places: BTreeMap<u32, (usize, u16)> = BTreeMap::new();
    for found in objects.captures_iter(bytes) {
        let (number, generation) = (found.get(1)?, found.get(2)?);
        let read = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        if let (Ok(id), Ok(generation)) = (read(number.as_bytes())?.parse(), read(generation.as_bytes())?.parse()) {
            // A later object of the same number replaces an earlier one.
            places.insert(id, (number.start(), generation));
        }
    }
    let last = |name: &str| {
        let pattern = Regex::new(&format!(r"(?-u)/{name}[ \t\r\n]*(\d{{1,10}}[ \t]+\d{{1,5}}[ \t]+R)\b")).ok()?;
        let found = pattern.captures_iter(bytes).last()?;
        String::from_utf8(found.get(1)?.as_bytes().to_vec()).ok()
    };
    let root = last("Root")?;
    let mut table = String::from("\nxref\n0 1\n0000000000 65535 f \n");
    for (number, (place, generation)) in &places {
        // Writing to a String can't fail.
        let _ = write!(table, "{number} 1\n{place:010} {generation:05} n \n");
    }
    let size = places.last_key_value()?.0.checked_add(1)?;
    let info = last("Info").map(|info| format!(" /Info {info}")).unwrap_or_default();
    let start = bytes.len() + 1;
    let _ = write!(table, "trailer\n<< /Size {size} /Root {root}{info} >>\nstartxref\n{start}\n%%EOF\n");
    let mut rebuilt = bytes.to_vec();
    rebuilt.extend_from_slice(table.as_bytes());
    Some(rebuilt)
}

/// Changes in memory what the library would stumble over.
pub(super) fn prepare(document: &mut Document) {
    let widths: Vec<(ObjectId, Object)> =
        document.objects.iter().filter_map(|(id, object)| Some((*id, spelled_out(document, object)?))).collect();
    for (id, widths) in widths {
        if let Some(Object::Dictionary(font)) = document.objects.get_mut(&id) {
            font.set("W", widths);
        }
    }
    for object in document.objects.values_mut() {
        // The library takes every XObject for a drawing, pictures too; what is in them is of no interest here.
        if let Object::Stream(stream) = object
            && (is_picture(stream) || grows_too_big(stream))
        {
            stream.dict.remove(b"Filter");
            stream.dict.remove(b"DecodeParms");
            stream.set_content(Vec::new());
        }
    }
    let pages: Vec<ObjectId> = document.get_pages().into_values().collect();
    for page in pages {
        if !has_media_box(document, page)
            && let Some(Object::Dictionary(page)) = document.objects.get_mut(&page)
        {
            page.set("MediaBox", vec![0.into(), 0.into(), 595.into(), 842.into()]);
        }
    }
}

fn is_picture(stream: &Stream) -> bool {
    stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Image")
}

/// Whether a stream would fill the memory when it is unpacked: deflate makes a thousand bytes of one, and twice that is a million.
fn grows_too_big(stream: &Stream) -> bool {
    let filters = stream.filters().unwrap_or_default();
    let deflated = filters.iter().filter(|filter| **filter == b"FlateDecode" || **filter == b"Fl").count();
    if deflated > 1 {
        return true;
    }
    if deflated == 0 || stream.content.len() < BIGGEST_STREAM / 1024 {
        return false;
    }
    let unpacked = flate2::read::ZlibDecoder::new(stream.content.as_slice());
    let mut counted = unpacked.take(BIGGEST_STREAM as u64);
    // A damaged stream ends early, for the library as well.
    let size = std::io::copy(&mut counted, &mut std::io::sink()).unwrap_or(0);
    size >= BIGGEST_STREAM as u64
}

/// The widths of a composite font with every span (`36 38 722`) as a list (`36 [722 722 722]`), the form that the library understands.
fn spelled_out(document: &Document, object: &Object) -> Option<Object> {
    let Object::Dictionary(font) = object else { return None };
    let kind = font.get(b"Subtype").and_then(Object::as_name).ok()?;
    if !kind.starts_with(b"CIDFontType") {
        return None;
    }
    let Object::Array(widths) = document.dereference(font.get(b"W").ok()?).ok()?.1 else { return None };
    let mut spelled = Vec::with_capacity(widths.len());
    let mut rest = widths.as_slice();
    while let [first, second, after @ ..] = rest {
        let first = document.dereference(first).ok()?.1;
        let second = document.dereference(second).ok()?.1;
        spelled.push(first.clone());
        if let Object::Array(_) = second {
            spelled.push(second.clone());
            rest = after;
            continue;
        }
        let [width, after @ ..] = after else { break };
        let (from, to) = (first.as_i64().ok()?, second.as_i64().ok()?);
        let count = to.checked_sub(from)?.checked_add(1).filter(|count| (0..MOST_WIDTHS).contains(count))?;
        spelled.push(Object::Array(vec![width.clone(); usize::try_from(count).ok()?]));
        rest = after;
    }
    Some(Object::Array(spelled))
}

fn has_media_box(document: &Document, page: ObjectId) -> bool {
    let mut node: Option<&Dictionary> = document.get_dictionary(page).ok();
    // A tree of pages is not deep; a circle would be endless.
    for _ in 0..64 {
        let Some(dictionary) = node else { return false };
        if dictionary.has(b"MediaBox") {
            return true;
        }
        let parent = dictionary.get(b"Parent").and_then(Object::as_reference).ok();
        node = parent.and_then(|parent| document.get_dictionary(parent).ok());
    }
    false
}
