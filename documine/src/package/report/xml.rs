//! Streaming reader for the XML of a workbook part.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use crate::package::error::{PackageError, check_cancelled, quoted};

/// Most nested elements. Each open element takes memory, and a workbook nests about ten.
const MAX_DEPTH: usize = 256;

/// A reader of one part. Elements and attributes are matched by local name, because prefixes differ between writers.
pub(super) struct XmlPart<'a> {
    reader: Reader<&'a [u8]>,
    part: &'a str,
    depth: usize,
    cancelled: &'a AtomicBool,
}

impl<'a> XmlPart<'a> {
    pub(super) fn new(text: &'a str, part: &'a str, cancelled: &'a AtomicBool) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, part, depth: 0, cancelled }
    }

    /// Returns the next event.
    pub(super) fn next(&mut self) -> Result<Event<'a>, PackageError> {
        check_cancelled(self.cancelled)?;
        let event = self.reader.read_event().map_err(|error| self.damaged(&error.to_string()))?;
        match event {
            Event::Start(_) if self.depth == MAX_DEPTH => return Err(self.damaged("too many nested elements")),
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Ok(event)
    }

    /// Returns the next event within an element. Fails at the end of the part.
    pub(super) fn next_inside(&mut self) -> Result<Event<'a>, PackageError> {
        match self.next()? {
            Event::Eof => Err(self.damaged("unexpected end of the part")),
            event => Ok(event),
        }
    }

    /// Skips the current element, whose start was read.
    pub(super) fn skip(&mut self) -> Result<(), PackageError> {
        self.collect(None)
    }

    /// Appends the text of the current element, whose start was read.
    pub(super) fn text(&mut self, text: &mut String) -> Result<(), PackageError> {
        self.collect(Some(text))
    }

    fn collect(&mut self, mut text: Option<&mut String>) -> Result<(), PackageError> {
        let mut depth = 0_usize;
        loop {
            let event = self.next_inside()?;
            match (event, &mut text) {
                (Event::Start(_), _) => depth += 1,
                (Event::End(_), _) if depth == 0 => return Ok(()),
                (Event::End(_), _) => depth -= 1,
                (Event::Text(more), Some(text)) if depth == 0 => text.push_str(&more.xml10_content()),
                (Event::CData(more), Some(text)) if depth == 0 => text.push_str(&more.xml10_content()),
                (Event::GeneralRef(entity), Some(text)) if depth == 0 => resolve_entity(&entity, text),
                _ => {}
            }
        }
    }

    fn damaged(&self, reason: &str) -> PackageError {
        PackageError::invalid(format!(
            "part {} is damaged at byte {}: {reason}",
            quoted(self.part),
            self.reader.buffer_position()
        ))
    }
}

/// Appends the character of an entity. An entity that the part defines is never expanded and kept as written.
fn resolve_entity(entity: &BytesRef<'_>, text: &mut String) {
    let name: &str = entity;
    let ch = match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => entity.resolve_char_ref().ok().flatten(),
    };
    match ch {
        Some(ch) => text.push(ch),
        None => text.extend(["&", name, ";"]),
    }
}

/// Returns the value of an attribute by its local name.
pub(super) fn attribute<'a>(element: &'a BytesStart<'_>, name: &str) -> Option<Cow<'a, str>> {
    let mut attributes = element.attributes();
    attributes.with_checks(false);
    let found = attributes.flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(found.normalized_value(XmlVersion::Implicit1_0).unwrap_or(found.value))
}

/// Decodes a part: UTF-8, or UTF-16 with or without a byte order mark (XML 1.0, appendix F).
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks().0.iter().map(|pair| unit(*pair));
        char::decode_utf16(units).map(|ch| ch.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes).into(),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes).into(),
        [b'<', 0, ..] => wide(bytes, u16::from_le_bytes).into(),
        [0, b'<', ..] => wide(bytes, u16::from_be_bytes).into(),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    }
}

/// Replaces escapes of characters that XML cannot contain: `_x000D_` (ECMA-376 part 1, 22.9.2.19).
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, after) = rest.split_at(at);
        plain.push_str(before);
        let digits = after.get(2..6).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let ch = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        if let Some(ch) = ch.filter(|_| after.get(6..7) == Some("_")) {
            plain.push(ch);
            rest = after.get(7..).unwrap_or_default();
        } else {
            plain.push_str("_x");
            rest = after.get(2..).unwrap_or_default();
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}
