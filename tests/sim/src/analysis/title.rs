//! The title of a document: from its metadata, else the largest line at the beginning.

use pdf_extract::{Dictionary, Document, Object};

use super::layout::TextLine;

/// Maximum length of a title.
const MAX_TITLE_CHARS: usize = 300;

/// Returns the title of the metadata, if it has any letter or digit.
pub(super) fn declared(document: &Document) -> Option<String> {
    from_info(document).or_else(|| from_xmp(document))
}

fn from_info(document: &Document) -> Option<String> {
    let info = document.trailer.get(b"Info").ok()?;
    let info: &Dictionary = document.dereference(info).ok()?.1.as_dict().ok()?;
    let title = document.dereference(info.get(b"Title").ok()?).ok()?.1;
    clean_title(&text_string(title.as_str().ok()?))
}

/// Returns the first `dc:title` of the XMP packet.
fn from_xmp(document: &Document) -> Option<String> {
    let catalog = document.catalog().ok()?;
    let Object::Stream(stream) = document.dereference(catalog.get(b"Metadata").ok()?).ok()?.1 else { return None };
    let content = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
    let packet = String::from_utf8_lossy(&content);
    let title = packet.split_once("<dc:title")?.1.split_once("</dc:title>")?.0;
    let item = title.split_once("<rdf:li")?.1.split_once('>')?.1.split_once("</rdf:li>")?.0;
    let item = item
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&");
    clean_title(&item)
}

/// Decodes a PDF text string: UTF-16 or UTF-8 with a byte order mark, else a superset of Latin 1.
fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        // Some writers use UTF-8 without a byte order mark.
        bytes => std::str::from_utf8(bytes)
            .map_or_else(|_| bytes.iter().map(|byte| doc_encoding(*byte)).collect(), str::to_owned),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Decodes PDFDocEncoding, which extends Latin 1 (ISO 32000-1, annex D.2).
fn doc_encoding(byte: u8) -> char {
    const HIGH: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ', 'ﬂ', 'Ł',
        'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{fffd}', '€',
    ];
    match byte {
        0x80..=0xa0 => HIGH[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

fn clean_title(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| !letter.is_control() || letter.is_whitespace()).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().take(MAX_TITLE_CHARS).collect();
    (text.chars().any(char::is_alphanumeric) && !text.eq_ignore_ascii_case("untitled")).then_some(text)
}

/// Returns the first heading: the largest letters among the first lines, over consecutive lines of that size.
pub(super) fn heading(lines: &[TextLine]) -> Option<String> {
    let first: Vec<&TextLine> =
        lines.iter().filter(|line| line.text.chars().any(char::is_alphabetic)).take(40).collect();
    let biggest = first.iter().map(|line| line.size).fold(0.0_f64, f64::max);
    let start = first.iter().position(|line| line.size >= 0.97 * biggest)?;
    let same = first[start..].iter().take_while(|line| line.size >= 0.97 * biggest);
    // With a single size no line stands out, so the first line is the heading.
    let uniform = first.iter().all(|line| line.size >= 0.97 * biggest);
    let count = if uniform { 1 } else { 3 };
    clean_title(&same.take(count).map(|line| line.text.as_str()).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_text_strings_in_every_encoding() {
        assert_eq!(text_string(b"\xfe\xff\x00G\x00r\x00\xfc\x00n"), "Grün");
        assert_eq!(text_string(b"Gr\xfcn \x84 x"), "Grün — x");
        assert_eq!(text_string("Grün".as_bytes()), "Grün");
    }

    #[test]
    fn heading_is_the_largest_line() {
        let line = |text: &str, size: f64| TextLine { text: text.to_owned(), size };
        let lines =
            [line("Acme Ltd", 9.0), line("Acute Oral Toxicity", 20.0), line("in Rats", 20.0), line("Body", 10.0)];
        assert_eq!(heading(&lines).as_deref(), Some("Acute Oral Toxicity in Rats"));
        assert_eq!(heading(&[line("first", 10.0), line("second", 10.0)]).as_deref(), Some("first"));
        assert_eq!(heading(&[]), None);
    }
}
