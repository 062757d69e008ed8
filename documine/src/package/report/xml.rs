//! The XML of a part, event by event.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use crate::package::trouble::{Trouble, go_on, shown};

/// More elements in each other are refused: each open one takes memory, and a workbook has about ten.
const DEEPEST: usize = 256;

/// Reads a part. Elements and attributes are known by their local names: prefixes differ from writer to writer.
pub(super) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    part: &'a str,
    depth: usize,
    stop: &'a AtomicBool,
}

impl<'a> Xml<'a> {
    pub(super) fn new(text: &'a str, part: &'a str, stop: &'a AtomicBool) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, part, depth: 0, stop }
    }

    /// Returns the next event.
    pub(super) fn next(&mut self) -> Result<Event<'a>, Trouble> {
        go_on(self.stop)?;
        let event = self.reader.read_event().map_err(|error| self.broken(&error.to_string()))?;
        match event {
            Event::Start(_) if self.depth == DEEPEST => return Err(self.broken("too many elements lie in each other")),
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Ok(event)
    }

    /// Returns the next event within an element, which the part may not end in.
    pub(super) fn next_inside(&mut self) -> Result<Event<'a>, Trouble> {
        match self.next()? {
            Event::Eof => Err(self.broken("it ends in the middle")),
            event => Ok(event),
        }
    }

    /// Leaves out an element whose start was read.
    pub(super) fn skip(&mut self) -> Result<(), Trouble> {
        self.collect(None)
    }

    /// Adds the text of an element whose start was read.
    pub(super) fn text(&mut self, text: &mut String) -> Result<(), Trouble> {
        self.collect(Some(text))
    }

    fn collect(&mut self, mut text: Option<&mut String>) -> Result<(), Trouble> {
        let mut depth = 0_usize;
        loop {
            let event = self.next_inside()?;
            match (event, &mut text) {
                (Event::Start(_), _) => depth += 1,
                (Event::End(_), _) if depth == 0 => return Ok(()),
                (Event::End(_), _) => depth -= 1,
                (Event::Text(more), Some(text)) if depth == 0 => text.push_str(&more.xml10_content()),
                (Event::CData(more), Some(text)) if depth == 0 => text.push_str(&more.xml10_content()),
                (Event::GeneralRef(entity), Some(text)) if depth == 0 => resolve(&entity, text),
                _ => {}
            }
        }
    }

    fn broken(&self, why: &str) -> Trouble {
        Trouble::refused(format!(
            "its part {} is damaged at byte {}: {why}",
            shown(self.part),
            self.reader.buffer_position()
        ))
    }
}

/// Adds what an entity stands for. One that the part defines itself is never expanded, and stays as it is written.
fn resolve(entity: &BytesRef<'_>, text: &mut String) {
    let name: &str = entity;
    let letter = match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => entity.resolve_char_ref().ok().flatten(),
    };
    match letter {
        Some(letter) => text.push(letter),
        None => text.extend(["&", name, ";"]),
    }
}

/// The value of an attribute, by its local name.
pub(super) fn attribute<'a>(element: &'a BytesStart<'_>, name: &str) -> Option<Cow<'a, str>> {
    let mut attributes = element.attributes();
    attributes.with_checks(false);
    let found = attributes.flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(found.normalized_value(XmlVersion::Implicit1_0).unwrap_or(found.value))
}

/// The text of a part: in UTF-8, or in UTF-16 with a byte order mark or without one (XML 1.0, appendix F).
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks().0.iter().map(|pair| unit(*pair));
        char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
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

/// Replaces the escapes that stand for characters which XML can't hold: `_x000D_` (ECMA-376 part 1, 22.9.2.19).
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, behind) = rest.split_at(at);
        plain.push_str(before);
        let digits = behind.get(2..6).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let letter = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        if let Some(letter) = letter.filter(|_| behind.get(6..7) == Some("_")) {
            plain.push(letter);
            rest = behind.get(7..).unwrap_or_default();
        } else {
            plain.push_str("_x");
            rest = behind.get(2..).unwrap_or_default();
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}
