//! Fonts in a form that the PDF library reads.

use std::collections::HashMap;
use std::fmt::Write;

use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream};

use super::charset::Charset;
use super::lexer::real;

/// Maximum number of widths that are listed for a font.
const MAX_WIDTHS: i64 = 70_000;
/// The fonts whose widths the library knows.
const CORE_FONTS: [&[u8]; 14] = [
    b"Courier",
    b"Courier-Bold",
    b"Courier-BoldOblique",
    b"Courier-Oblique",
    b"Helvetica",
    b"Helvetica-Bold",
    b"Helvetica-BoldOblique",
    b"Helvetica-Oblique",
    b"Symbol",
    b"Times-Bold",
    b"Times-BoldItalic",
    b"Times-Italic",
    b"Times-Roman",
    b"ZapfDingbats",
];
/// The encodings that the library knows by name.
const NAMED_ENCODINGS: [&[u8]; 3] = [b"MacRomanEncoding", b"MacExpertEncoding", b"WinAnsiEncoding"];
/// The differences between StandardEncoding and the library's default encoding (ISO 32000-1, annex D.2): first code and glyphs.
const STANDARD_ENCODING: [(i64, &str); 14] = [
    (39, "quoteright"),
    (96, "quoteleft"),
    (
        161,
        "exclamdown cent sterling fraction yen florin section currency quotesingle quotedblleft guillemotleft guilsinglleft guilsinglright fi fl",
    ),
    (177, "endash dagger daggerdbl periodcentered"),
    (182, "paragraph bullet quotesinglbase quotedblbase quotedblright guillemotright ellipsis perthousand"),
    (191, "questiondown"),
    (193, "grave acute circumflex tilde macron breve dotaccent dieresis"),
    (202, "ring cedilla"),
    (205, "hungarumlaut ogonek caron emdash"),
    (225, "AE"),
    (227, "ordfeminine"),
    (232, "Lslash Oslash OE ordmasculine"),
    (241, "ae"),
    (248, "lslash oslash oe germandbls"),
];

/// The fonts of a document, by number.
#[derive(Default)]
pub(in crate::analysis) struct Fonts {
    prepared: Vec<PreparedFont>,
    numbers: HashMap<FontKey, usize>,
    /// Characters drawn on this page in transcoded fonts, with their codes.
    glyph_codes: HashMap<usize, GlyphCodes>,
}

/// A prepared font.
#[derive(Debug)]
pub(super) enum PreparedFont {
    Supported(Dictionary),
    /// Text in a character set. The font is created for each page from the characters on it.
    Transcoded(Charset),
    /// An unreadable font, with its name.
    Unreadable(String),
}

#[derive(PartialEq, Eq, Hash)]
enum FontKey {
    Listed(ObjectId),
    /// A font within the resources, by its address while the document is unchanged.
    Inline(usize),
    Missing,
}

#[derive(Default)]
struct GlyphCodes {
    codes: HashMap<char, u16>,
}

impl Fonts {
    /// Returns the number of a font in the resources, or of the fallback font if the name is not listed.
    pub(super) fn number(&mut self, document: &Document, listed: Option<&Object>) -> usize {
        let font = listed.and_then(|font| document.dereference(font).ok()).and_then(|(_, font)| font.as_dict().ok());
        let key = match (listed, font) {
            (Some(Object::Reference(id)), Some(_)) => FontKey::Listed(*id),
            (_, Some(font)) => FontKey::Inline(std::ptr::from_ref(font).addr()),
            (_, None) => FontKey::Missing,
        };
        let prepared_fonts = &mut self.prepared;
        *self.numbers.entry(key).or_insert_with(|| {
            prepared_fonts
                .push(font.map_or_else(|| PreparedFont::Supported(fallback_font()), |font| prepared(document, font)));
            prepared_fonts.len() - 1
        })
    }

    pub(super) fn get(&self, number: usize) -> &PreparedFont {
        &self.prepared[number]
    }

    /// Returns the name of the font in the resources of a page.
    pub(in crate::analysis) fn name(number: usize) -> Vec<u8> {
        format!("F{number}").into_bytes()
    }

    /// Transcodes text to the codes of the font in the resources.
    pub(super) fn transcode(&mut self, number: usize, bytes: Vec<u8>) -> Vec<u8> {
        let Some(PreparedFont::Transcoded(charset)) = self.prepared.get(number) else { return bytes };
        let codes = self.glyph_codes.entry(number).or_default();
        let text = charset.decode(&bytes);
        text.chars().flat_map(|letter| codes.code(letter).to_be_bytes()).collect()
    }

    /// Returns the font for the resources of this page.
    pub(in crate::analysis) fn dictionary(&self, number: usize) -> Option<Dictionary> {
        match self.prepared.get(number)? {
            PreparedFont::Supported(font) => Some(font.clone()),
            PreparedFont::Transcoded(_) => {
                Some(self.glyph_codes.get(&number).map_or_else(|| GlyphCodes::default().font(), GlyphCodes::font))
            }
            PreparedFont::Unreadable(_) => None,
        }
    }

    /// Returns simplified forms of a font on which the library fails, the best first.
    pub(in crate::analysis) fn simplified(&self, number: usize) -> Vec<Dictionary> {
        let Some(PreparedFont::Supported(font)) = self.prepared.get(number) else { return Vec::new() };
        let without = |keys: &[&[u8]]| {
            let mut font = font.clone();
            for key in keys {
                font.remove(key);
            }
            // For a code missing in the map or the font program, the library uses the encoding.
            if !font.has(b"Encoding") {
                font.set("Encoding", encoding_of(&[]));
            }
            font
        };
        if font.get(b"Subtype").and_then(Object::as_name).is_ok_and(|kind| kind == b"Type0") {
            let mut identity = font.clone();
            identity.set("Encoding", Object::Name(b"Identity-H".to_vec()));
            return vec![identity];
        }
        vec![
            without(&[]),
            without(&[b"FontDescriptor"]),
            without(&[b"ToUnicode"]),
            without(&[b"FontDescriptor", b"ToUnicode"]),
            without(&[b"FontDescriptor", b"ToUnicode", b"Encoding"]),
        ]
    }

    /// Replaces a font from this page on.
    pub(in crate::analysis) fn replace(&mut self, number: usize, font: Option<Dictionary>) {
        if let Some(place) = self.prepared.get_mut(number) {
            let name = match place {
                PreparedFont::Supported(font) => base_font(font),
                _ => String::new(),
            };
            *place = font.map_or(PreparedFont::Unreadable(name), PreparedFont::Supported);
        }
    }

    /// Returns the name of the font in the document.
    pub(in crate::analysis) fn base_name(&self, number: usize) -> String {
        match self.prepared.get(number) {
            Some(PreparedFont::Supported(font)) => base_font(font),
            Some(PreparedFont::Unreadable(name)) => name.clone(),
            _ => String::new(),
        }
    }

    /// Clears the state of a page.
    pub(in crate::analysis) fn end_page(&mut self) {
        self.glyph_codes.clear();
        self.numbers.retain(|key, _| !matches!(key, FontKey::Inline(_)));
    }
}

impl GlyphCodes {
    /// Returns the code of a character. Code 0 stands for characters beyond 65,535 different ones.
    fn code(&mut self, letter: char) -> u16 {
        let next = u16::try_from(self.codes.len() + 1).unwrap_or(0);
        *self.codes.entry(letter).or_insert(next)
    }

    fn font(&self) -> Dictionary {
        let pairs = self.codes.iter().map(|(letter, code)| (u32::from(*code), letter.to_string()));
        let mut widths = Vec::new();
        for (letter, code) in &self.codes {
            // Latin letters and half-width kana have half the width.
            let half = letter.is_ascii() || matches!(letter, '\u{ff61}'..='\u{ff9f}');
            widths.extend([i64::from(*code).into(), vec![if half { 500 } else { 1000 }.into()].into()]);
        }
        let mut font = composite_font(b"Recoded", Object::Name(b"Identity-H".to_vec()), widths, 1000);
        font.set("ToUnicode", to_unicode(pairs, 2));
        font
    }
}

fn prepared(document: &Document, font: &Dictionary) -> PreparedFont {
    let kind = font.get_deref(b"Subtype", document).and_then(Object::as_name).unwrap_or_default();
    if kind == b"Type0" {
        prepare_composite(document, font)
    } else {
        PreparedFont::Supported(simple_font(document, font, kind))
    }
}

/// Returns the font for text whose own font is missing.
fn fallback_font() -> Dictionary {
    let mut font = Dictionary::new();
    font.set("Type", "Font");
    font.set("Subtype", "Type1");
    font.set("BaseFont", "Helvetica");
    font.set("Encoding", "WinAnsiEncoding");
    font
}

fn base_font(font: &Dictionary) -> String {
    let name = font.get(b"BaseFont").and_then(Object::as_name).unwrap_or_default();
    String::from_utf8_lossy(name).chars().filter(|letter| !letter.is_control()).take(80).collect()
}

fn base_name(document: &Document, font: &Dictionary) -> Vec<u8> {
    let name = |key: &[u8]| font.get_deref(key, document).and_then(Object::as_name).ok();
    name(b"BaseFont").or_else(|| name(b"Name")).unwrap_or(b"unnamed").to_vec()
}

fn simple_font(document: &Document, font: &Dictionary, kind: &[u8]) -> Dictionary {
    let mut made = Dictionary::new();
    made.set("Type", "Font");
    // Of a Type 3 font only the codes matter, not the drawings.
    made.set("Subtype", if kind == b"TrueType" { "TrueType" } else { "Type1" });
    let name = base_name(document, font);
    let unicode = font.get_deref(b"ToUnicode", document).is_ok_and(|map| map.as_stream().is_ok());
    if unicode && let Ok(map) = font.get(b"ToUnicode") {
        made.set("ToUnicode", map.clone());
    }
    if let Ok(descriptor) = font.get_deref(b"FontDescriptor", document).and_then(Object::as_dict) {
        made.set("FontDescriptor", descriptor.clone());
    }
    let encoding = font.get_deref(b"Encoding", document).ok();
    match encoding {
        Some(Object::Name(name)) if NAMED_ENCODINGS.contains(&name.as_slice()) => {
            made.set("Encoding", Object::Name(name.clone()));
        }
        Some(Object::Name(name)) if name == b"StandardEncoding" => made.set("Encoding", encoding_of(&standard())),
        Some(Object::Dictionary(encoding)) => {
            let (encoding, named) = supported_encoding(document, encoding);
            made.set("Encoding", encoding);
            if !unicode && !named.is_empty() {
                made.set("ToUnicode", to_unicode(named, 1));
            }
        }
        // For a code missing in the map, the library uses the encoding and fails without one.
        _ if unicode || kind == b"Type3" => made.set("Encoding", encoding_of(&[])),
        _ => {}
    }
    match widths(document, font, kind) {
        Some((first, widths)) => {
            made.set("FirstChar", first);
            made.set("LastChar", first + i64::try_from(widths.len()).unwrap_or(0) - 1);
            made.set("Widths", widths);
            // Codes without a width would overlap.
            made.set("MissingWidth", 500);
            made.set("BaseFont", Object::Name(name));
        }
        None if CORE_FONTS.contains(&name.as_slice()) => made.set("BaseFont", Object::Name(name)),
        // Without widths all letters would overlap, so the widths of a similar font are used.
        None => made.set("BaseFont", Object::Name(similar_core_font(&name).to_vec())),
    }
    made
}

fn similar_core_font(name: &[u8]) -> &'static [u8] {
    let name = String::from_utf8_lossy(name).to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if has(&["courier", "mono", "consol", "typewriter"]) {
        b"Courier"
    } else if has(&["times", "serif", "roman", "georgia", "garamond", "cambria"]) && !has(&["sans"]) {
        b"Times-Roman"
    } else {
        b"Helvetica"
    }
}

/// Returns the first code and the widths.
fn widths(document: &Document, font: &Dictionary, kind: &[u8]) -> Option<(i64, Vec<Object>)> {
    let first = font.get_deref(b"FirstChar", document).and_then(Object::as_i64).unwrap_or(0);
    let listed = font.get_deref(b"Widths", document).and_then(Object::as_array).ok()?;
    let count = usize::try_from(256 - first).ok().filter(|_| first >= 0)?;
    // Widths of a Type 3 font have their own unit.
    let matrix = font.get_deref(b"FontMatrix", document).and_then(Object::as_array).ok();
    let unit = matrix.and_then(|matrix| real(document, matrix.first()?).as_float().ok());
    let scale = unit.filter(|unit| kind == b"Type3" && *unit != 0.0).map_or(1.0, |unit| unit.abs() * 1000.0);
    let widths = listed.iter().take(count).map(|width| match real(document, width) {
        Object::Real(width) => Object::Real(width * scale),
        other => other,
    });
    let widths: Vec<Object> = widths.collect();
    widths.iter().any(|width| *width != Object::Real(0.0)).then_some((first, widths))
}

fn standard() -> Vec<Object> {
    STANDARD_ENCODING
        .iter()
        .flat_map(|(code, glyphs)| {
            let glyphs = glyphs.split(' ').map(|glyph| Object::Name(glyph.as_bytes().to_vec()));
            std::iter::once(Object::Integer(*code)).chain(glyphs)
        })
        .collect()
}

fn encoding_of(differences: &[Object]) -> Dictionary {
    let mut encoding = Dictionary::new();
    encoding.set("Type", "Encoding");
    encoding.set("Differences", differences.to_vec());
    encoding
}

/// Converts an encoding to the parts that the library supports, and returns the characters of glyphs named by number (`uni20AC`).
fn supported_encoding(document: &Document, encoding: &Dictionary) -> (Dictionary, Vec<(u32, String)>) {
    let base = encoding.get_deref(b"BaseEncoding", document).and_then(Object::as_name).ok();
    let mut differences = if base == Some(b"StandardEncoding") { standard() } else { Vec::new() };
    let mut named = Vec::new();
    let mut code = 0_i64;
    let listed = encoding.get_deref(b"Differences", document).and_then(Object::as_array);
    for item in listed.into_iter().flatten() {
        match document.dereference(item) {
            Ok((_, Object::Integer(new))) => code = *new,
            Ok((_, Object::Real(new))) => code = whole(*new),
            Ok((_, Object::Name(name))) => {
                if (0..256).contains(&code) {
                    differences.extend([Object::Integer(code), Object::Name(name.clone())]);
                    named.extend(
                        text_of_numbered_glyph(name).and_then(|letter| Some((u32::try_from(code).ok()?, letter))),
                    );
                }
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
    let mut made = encoding_of(&differences);
    if let Some(base) = base.filter(|base| NAMED_ENCODINGS.contains(base)) {
        made.set("BaseEncoding", Object::Name(base.to_vec()));
    }
    (made, named)
}

/// Returns the text of a glyph named by its code: `uni20AC`, `uni00660066`, `u1F600`.
fn text_of_numbered_glyph(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    let name = name.split('.').next().unwrap_or(name);
    if let Some(units) = name.strip_prefix("uni").filter(|units| units.len() >= 4 && units.len().is_multiple_of(4)) {
        let units: Option<Vec<u16>> =
            (0..units.len()).step_by(4).map(|at| u16::from_str_radix(units.get(at..at + 4)?, 16).ok()).collect();
        return String::from_utf16(&units?).ok();
    }
    let code = name.strip_prefix('u').filter(|code| (4..=6).contains(&code.len()))?;
    Some(char::from_u32(u32::from_str_radix(code, 16).ok()?)?.to_string())
}

fn prepare_composite(document: &Document, font: &Dictionary) -> PreparedFont {
    let name = base_name(document, font);
    let unread = || {
        PreparedFont::Unreadable(
            String::from_utf8_lossy(&name).chars().filter(|letter| !letter.is_control()).take(80).collect(),
        )
    };
    let encoding = match font.get_deref(b"Encoding", document) {
        Ok(Object::Name(cmap)) if !cmap.starts_with(b"Identity") => {
            return Charset::from_cmap(&String::from_utf8_lossy(cmap)).map_or_else(unread, PreparedFont::Transcoded);
        }
        Ok(Object::Stream(_)) => font.get(b"Encoding").cloned().unwrap_or(Object::Null),
        _ => Object::Name(b"Identity-H".to_vec()),
    };
    // Glyph numbers have no meaning without a map.
    let Some(unicode) = font
        .get(b"ToUnicode")
        .ok()
        .filter(|map| document.dereference(map).is_ok_and(|(_, map)| map.as_stream().is_ok()))
    else {
        return unread();
    };
    let descendant = font
        .get_deref(b"DescendantFonts", document)
        .and_then(Object::as_array)
        .ok()
        .and_then(|fonts| document.dereference(fonts.first()?).ok()?.1.as_dict().ok());
    let width = descendant.and_then(|font| font.get_deref(b"DW", document).and_then(Object::as_float).ok());
    let listed = descendant.and_then(|font| font.get_deref(b"W", document).and_then(Object::as_array).ok());
    let widths = listed.map(|widths| expanded_widths(document, widths)).unwrap_or_default();
    let mut made = composite_font(&name, encoding, widths, width.map_or(1000, whole));
    made.set("ToUnicode", unicode.clone());
    PreparedFont::Supported(made)
}

fn composite_font(name: &[u8], encoding: Object, widths: Vec<Object>, default_width: i64) -> Dictionary {
    let mut descendant = Dictionary::new();
    descendant.set("Type", "Font");
    descendant.set("Subtype", "CIDFontType2");
    descendant.set("FontDescriptor", Dictionary::new());
    descendant.set("DW", default_width);
    descendant.set("W", widths);
    let mut font = Dictionary::new();
    font.set("Type", "Font");
    font.set("Subtype", "Type0");
    font.set("BaseFont", Object::Name(name.to_vec()));
    font.set("Encoding", encoding);
    font.set("DescendantFonts", vec![Object::Dictionary(descendant)]);
    font
}

/// Expands ranges of widths (`36 38 722`) to lists (`36 [722 722 722]`), the form that the library supports.
fn expanded_widths(document: &Document, widths: &[Object]) -> Vec<Object> {
    let whole_of =
        |object: &Object| document.dereference(object).and_then(|(_, number)| number.as_float()).ok().map(whole);
    let mut spelled = Vec::with_capacity(widths.len());
    let mut count = 0;
    let mut rest = widths;
    while let [first, second, after @ ..] = rest {
        let Some(from) = whole_of(first).filter(|from| (0..MAX_WIDTHS).contains(from)) else { break };
        if let Ok((_, Object::Array(list))) = document.dereference(second) {
            spelled.push(Object::Integer(from));
            spelled.push(list.iter().map(|width| real(document, width)).collect::<Vec<_>>().into());
            rest = after;
            continue;
        }
        let ([width, after @ ..], Some(to)) = (after, whole_of(second)) else { break };
        let span = to.saturating_sub(from).saturating_add(1);
        count += span;
        let Some(span) = usize::try_from(span).ok().filter(|_| count < MAX_WIDTHS) else { break };
        spelled.push(Object::Integer(from));
        spelled.push(vec![real(document, width); span].into());
        rest = after;
    }
    spelled
}

#[allow(clippy::cast_possible_truncation, reason = "a number out of range becomes the nearest one in range")]
fn whole(number: f32) -> i64 {
    number as i64
}

/// Returns a CMap from codes of `bytes` bytes to characters (ISO 32000-1, section 9.10.3).
fn to_unicode(pairs: impl IntoIterator<Item = (u32, String)>, bytes: usize) -> Stream {
    let mut pairs: Vec<(u32, String)> = pairs.into_iter().collect();
    pairs.sort_unstable();
    let digits = 2 * bytes;
    let (low, high) = ("0".repeat(digits), "F".repeat(digits));
    let mut map = format!(
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Made def\n/CMapType 2 def\n1 begincodespacerange\n<{low}> <{high}>\nendcodespacerange\n"
    );
    // Writing to a String cannot fail.
    for block in pairs.chunks(100) {
        let _ = writeln!(map, "{} beginbfchar", block.len());
        for (code, text) in block {
            let _ = write!(map, "<{code:0digits$X}> <");
            for unit in text.encode_utf16() {
                let _ = write!(map, "{unit:04X}");
            }
            map.push_str(">\n");
        }
        map.push_str("endbfchar\n");
    }
    map.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
    Stream::new(Dictionary::new(), map.into_bytes())
}
